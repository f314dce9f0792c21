/* db_staff.c - see db_staff.h. */
#include "db_staff.h"

#include "arena.h"
#include "log.h"

struct ties_row { struct user_id user; struct shop_ties *out; bool is_seen; };

static enum outcome take_ties(void *ctx, const struct db_val *v)
{
	struct ties_row *row = ctx;
	row->is_seen = true;
	*row->out = (struct shop_ties){ db_get_uint(&v[0]) == row->user.v, v[1].type != DB_NULL };
	return OC_OK;
}

enum outcome db_shop_ties(struct db *db, struct shop_id shop, struct user_id user, struct shop_ties *out)
{
	struct ties_row row = { .user = user, .out = out };
	struct db_val args[] = { db_uint(user.v), db_uint(shop.v) };
	enum outcome oc = db_run(db, SQL_SHOP_TIES, 0, args, 2, take_ties, &row, NULL);
	return oc == OC_OK && !row.is_seen ? OC_NOT_FOUND : oc;
}

enum outcome db_staff_insert(struct db *db, struct shop_id shop, struct user_id user, struct user_id added_by, bool by_phone, instant at)
{
	struct db_val args[] = { db_uint(shop.v), db_uint(user.v), db_uint(added_by.v), db_time(at), db_int(by_phone) };
	return db_run(db, SQL_STAFF_INSERT, 0, args, 5, NULL, NULL, NULL);
}

enum outcome db_staff_know_phone(struct db *db, struct shop_id shop, struct user_id user)
{
	struct db_val args[] = { db_uint(shop.v), db_uint(user.v) };
	return db_run(db, SQL_STAFF_KNOW_PHONE, 0, args, 2, NULL, NULL, NULL);
}

struct staff_rows { struct arena *arena; struct staff *v; size_t n, max; };

static enum outcome take_staff(void *ctx, const struct db_val *v)
{
	struct staff_rows *rows = ctx;
	if (rows->n == rows->max)
		return OC_BAD;
	struct staff *s = &rows->v[rows->n++];
	*s = (struct staff){
		.user_id = { db_get_uint(&v[0]) }, .full_name = str_dup(rows->arena, db_get_text(&v[1])), .added_at = db_get_time(&v[4]),
		.phone_number = db_get_int(&v[5]) ? str_dup(rows->arena, db_get_text(&v[2])) : STR_NONE,
	};
	if (role_parse(db_get_text(&v[3]), &s->role))
		return OC_OK;
	log_error("user %llu has a role that does not exist", (unsigned long long)s->user_id.v);
	return OC_BAD;
}

/* Ids of users up to last, from there down. */
static enum outcome list_down(struct db *db, struct shop_id shop, uint64_t last, struct staff_rows *rows)
{
	struct db_val args[] = { db_uint(shop.v), db_uint(last), db_uint(rows->max) };
	return db_run(db, SQL_STAFF_LIST, 0, args, 3, take_staff, rows, NULL);
}

enum outcome db_staff_get(struct db *db, struct arena *a, struct shop_id shop, struct user_id user, struct staff *out)
{
	struct staff_rows rows = { .arena = a, .v = out, .max = 1 };
	enum outcome oc = list_down(db, shop, user.v, &rows);
	return oc == OC_OK && (rows.n == 0 || out->user_id.v != user.v) ? OC_NOT_FOUND : oc;
}

enum outcome db_staff_list(struct db *db, struct arena *a, struct shop_id shop, struct user_id before, uint64_t limit,
	struct staff **out, size_t *n)
{
	struct staff_rows rows = { .arena = a, .v = arena_array(a, limit, sizeof *rows.v), .max = limit };
	enum outcome oc = list_down(db, shop, before.v ? before.v - 1 : INT64_MAX, &rows);
	*out = rows.v;
	*n = rows.n;
	return oc;
}

enum outcome db_staff_delete(struct db *db, struct shop_id shop, struct user_id user)
{
	struct db_val args[] = { db_uint(shop.v), db_uint(user.v) };
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_STAFF_DELETE, 0, args, 2, NULL, NULL, &done);
	return oc == OC_OK && done.affected == 0 ? OC_NOT_FOUND : oc;
}
