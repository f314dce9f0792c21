/* db_upload.c - see db_upload.h. */
#include "db_upload.h"

#include "order.h"

struct get_row { struct upload_row *out; bool is_seen; };

static enum outcome take_row(void *ctx, const struct db_val *v)
{
	struct get_row *row = ctx;
	row->is_seen = true;
	*row->out = (struct upload_row){ { db_get_uint(&v[0]) }, { db_get_uint(&v[1]) } };
	return OC_OK;
}

enum outcome db_upload_get(struct db *db, const struct upload_name *name, struct upload_row *out)
{
	struct get_row row = { .out = out };
	struct db_val arg = db_text(str_from(name->s));
	enum outcome oc = db_run(db, SQL_UPLOAD_GET, 0, &arg, 1, take_row, &row, NULL);
	return oc == OC_OK && !row.is_seen ? OC_NOT_FOUND : oc;
}

struct waiting { uint64_t n; instant oldest; };

static enum outcome take_waiting(void *ctx, const struct db_val *v)
{
	*(struct waiting *)ctx = (struct waiting){ db_get_uint(&v[0]), db_get_time(&v[1]) };
	return OC_OK;
}

enum outcome db_uploads_waiting(struct db *db, struct user_id customer, uint64_t *n, instant *oldest)
{
	struct waiting w = { 0, INSTANT_NONE };
	struct db_val arg = db_uint(customer.v);
	enum outcome oc = db_run(db, SQL_UPLOAD_WAITING, 0, &arg, 1, take_waiting, &w, NULL);
	*n = w.n;
	*oldest = w.oldest;
	return oc;
}

static enum outcome take_active(void *ctx, const struct db_val *v)
{
	*(bool *)ctx = db_get_int(&v[0]) != 0;
	return OC_OK;
}

enum outcome db_upload_lock(struct db *db, struct user_id customer)
{
	bool is_active = false;
	struct db_val arg = db_uint(customer.v);
	enum outcome oc = db_run(db, SQL_UPLOAD_CUSTOMER, 0, &arg, 1, take_active, &is_active, NULL);
	return oc == OC_OK && !is_active ? OC_NOT_FOUND : oc;
}

enum outcome db_upload_insert(struct db *db, const struct upload_name *name, struct user_id customer, uint64_t bytes, instant now)
{
	struct db_val args[] = { db_text(str_from(name->s)), db_uint(customer.v), db_uint(bytes), db_time(now) };
	return db_run(db, SQL_UPLOAD_INSERT, 0, args, sizeof args / sizeof *args, NULL, NULL, NULL);
}

struct names { struct upload_name *v; size_t n; };

static enum outcome take_name(void *ctx, const struct db_val *v)
{
	struct names *names = ctx;
	enum image_kind kind;
	return upload_name_parse(db_get_text(&v[0]), &names->v[names->n++], &kind) ? OC_OK : OC_BAD;
}

enum outcome db_uploads_unused(struct db *db, instant t, struct upload_name *out, size_t *n)
{
	struct names names = { .v = out };
	struct db_val args[] = { db_time(t), db_uint(UPLOADS_AT_ONCE) };
	enum outcome oc = db_run(db, SQL_UPLOAD_UNUSED, 0, args, 2, take_name, &names, NULL);
	*n = names.n;
	return oc;
}

struct looking { const struct upload_name *names; size_t n; instant t; struct upload_fate *out; };

/* An order that is not there any more is finished as well. */
static enum outcome take_fate(void *ctx, const struct db_val *v)
{
	struct looking *l = ctx;
	enum order_status status = ORDER_CANCELLED;
	struct upload_fate fate = { .is_known = true, .order_id = { db_get_uint(&v[1]) } };
	if (v[2].type != DB_NULL && !order_status_parse(db_get_text(&v[2]), &status))
		return OC_BAD;
	fate.is_done = fate.order_id.v && order_is_final(status) && (v[2].type == DB_NULL || db_get_time(&v[3]) < l->t);
	for (size_t i = 0; i < l->n; i++)
		if (str_is(db_get_text(&v[0]), l->names[i].s))
			l->out[i] = fate;
	return OC_OK;
}

enum outcome db_uploads_look(struct db *db, const struct upload_name *names, size_t n, instant t, struct upload_fate *out)
{
	struct looking l = { names, n, t, out };
	struct db_val args[UPLOADS_AT_ONCE];
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct upload_fate){ .is_known = false };
		args[i] = db_text(str_from(names[i].s));
	}
	return n ? db_run(db, SQL_UPLOAD_LOOK, (unsigned)n, args, n, take_fate, &l, NULL) : OC_OK;
}

enum outcome db_upload_delete(struct db *db, const struct upload_name *name, struct order_id order)
{
	struct db_val args[] = { db_text(str_from(name->s)), db_uint(order.v) };
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_UPLOAD_DELETE, 0, args, 2, NULL, NULL, &done);
	return oc == OC_OK && done.affected == 0 ? OC_CONFLICT : oc;
}
