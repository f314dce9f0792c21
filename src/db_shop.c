/* db_shop.c - rows of shops and products as structs.
 * Owns: loading and storing shops and products. Does not own: SQL texts (db_sql.c), stock taken by orders (db_order.c).
 * Used by: endpoints of shops and products, tool_shop.c, tool_check.c. */
#include "db_shop.h"
#include "arena.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct shops { struct arena *arena; struct shop *v; size_t n, max; };
struct products { struct arena *arena; struct product *v; size_t n, max; };

static enum outcome take_shop(void *ctx, const struct db_val *vals)
{
	struct shops *ss = ctx;
	struct shop *s;

	if (ss->n == ss->max)
		return OC_BAD;
	s = &ss->v[ss->n++];
	s->id.v = db_get_uint(&vals[0]);
	s->owner_id.v = db_get_uint(&vals[1]);
	s->name = str_dup(ss->arena, db_get_text(&vals[2]));
	s->timezone = str_dup(ss->arena, db_get_text(&vals[3]));
	s->currency = str_dup(ss->arena, db_get_text(&vals[4]));
	s->address = str_dup(ss->arena, db_get_text(&vals[5]));
	s->phone_number = str_dup(ss->arena, db_get_text(&vals[6]));
	s->is_active = db_get_int(&vals[7]) != 0;
	s->created_at = db_get_time(&vals[8]);
	s->updated_at = db_get_time(&vals[9]);
	return OC_OK;
}

static enum outcome take_product(void *ctx, const struct db_val *vals)
{
	struct products *ps = ctx;
	struct product *p;

	if (ps->n == ps->max)
		return OC_BAD;
	p = &ps->v[ps->n++];
	p->id.v = db_get_uint(&vals[0]);
	p->shop_id.v = db_get_uint(&vals[1]);
	p->name = str_dup(ps->arena, db_get_text(&vals[2]));
	p->description = str_dup(ps->arena, db_get_text(&vals[3]));
	p->unit = str_dup(ps->arena, db_get_text(&vals[4]));
	p->price = db_get_money(&vals[5]);
	p->is_counted = vals[6].type != DB_NULL;
	p->stock = db_get_int(&vals[6]);
	p->is_active = db_get_int(&vals[7]) != 0;
	p->created_at = db_get_time(&vals[8]);
	p->updated_at = db_get_time(&vals[9]);
	return OC_OK;
}

/* The list statements take the id that the page ends before. */
static struct db_val below(uint64_t before)
{
	return db_uint(before ? before : INT64_MAX);
}

static struct db_val stock_of(const struct product *p)
{
	return p->is_counted ? db_int(p->stock) : db_null();
}

enum outcome db_shop_get(struct db *db, struct arena *a, struct shop_id id, struct shop *out)
{
	const struct db_val key = db_uint(id.v);
	struct shops ss = { .arena = a, .v = out, .max = 1 };
	enum outcome oc = db_run(db, SQL_SHOP_GET, 0, &key, 1, take_shop, &ss, NULL);

	return oc == OC_OK && ss.n == 0 ? OC_NOT_FOUND : oc;
}

static enum outcome list_shops(struct db *db, struct arena *a, struct shop_id before, bool all, uint64_t limit,
	struct shop **out, size_t *n)
{
	const struct db_val args[] = { below(before.v), db_int(!all), db_uint(limit) };
	struct shops ss = { .arena = a, .v = arena_array(a, limit, sizeof *ss.v), .max = limit };
	enum outcome oc = db_run(db, SQL_SHOP_LIST, 0, args, COUNT(args), take_shop, &ss, NULL);

	if (oc != OC_OK)
		return oc;
	*out = ss.v;
	*n = ss.n;
	return OC_OK;
}

enum outcome db_shop_list(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n)
{
	return list_shops(db, a, before, false, limit, out, n);
}

enum outcome db_shop_list_all(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n)
{
	return list_shops(db, a, before, true, limit, out, n);
}

enum outcome db_shop_insert(struct db *db, struct shop *s)
{
	const struct db_val args[] = {
		db_uint(s->owner_id.v), db_text(s->name), db_text(s->timezone), db_text(s->currency), db_text(s->address),
		db_text(s->phone_number), db_time(s->created_at), db_time(s->updated_at),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_SHOP_INSERT, 0, args, COUNT(args), NULL, NULL, &done);

	if (oc == OC_OK)
		s->id.v = done.insert_id;
	return oc;
}

enum outcome db_shop_update(struct db *db, const struct shop *s)
{
	const struct db_val args[] = {
		db_uint(s->owner_id.v), db_text(s->name), db_text(s->timezone), db_text(s->currency), db_text(s->address),
		db_text(s->phone_number), db_int(s->is_active), db_time(s->updated_at), db_uint(s->id.v),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_SHOP_UPDATE, 0, args, COUNT(args), NULL, NULL, &done);

	return oc == OC_OK && done.affected == 0 ? OC_NOT_FOUND : oc;
}

enum outcome db_product_get(struct db *db, struct arena *a, struct product_id id, struct product *out)
{
	const struct db_val key = db_uint(id.v);
	struct products ps = { .arena = a, .v = out, .max = 1 };
	enum outcome oc = db_run(db, SQL_PRODUCT_GET, 0, &key, 1, take_product, &ps, NULL);

	return oc == OC_OK && ps.n == 0 ? OC_NOT_FOUND : oc;
}

enum outcome db_product_list(struct db *db, struct arena *a, struct shop_id shop, struct product_id before, bool all,
	uint64_t limit, struct product **out, size_t *n)
{
	const struct db_val args[] = { db_uint(shop.v), below(before.v), db_int(!all), db_uint(limit) };
	struct products ps = { .arena = a, .v = arena_array(a, limit, sizeof *ps.v), .max = limit };
	enum outcome oc = db_run(db, SQL_PRODUCT_LIST, 0, args, COUNT(args), take_product, &ps, NULL);

	if (oc != OC_OK)
		return oc;
	*out = ps.v;
	*n = ps.n;
	return OC_OK;
}

enum outcome db_product_insert(struct db *db, struct product *p)
{
	const struct db_val args[] = {
		db_uint(p->shop_id.v), db_text(p->name), db_text(p->description), db_text(p->unit), db_money(p->price),
		stock_of(p), db_time(p->created_at), db_time(p->updated_at),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_PRODUCT_INSERT, 0, args, COUNT(args), NULL, NULL, &done);

	if (oc == OC_OK)
		p->id.v = done.insert_id;
	return oc;
}

enum outcome db_product_update(struct db *db, const struct product *p, bool set_stock)
{
	const struct db_val args[] = {
		db_text(p->name), db_text(p->description), db_text(p->unit), db_money(p->price), db_int(set_stock), stock_of(p),
		db_int(p->is_active), db_time(p->updated_at), db_uint(p->id.v),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_PRODUCT_UPDATE, 0, args, COUNT(args), NULL, NULL, &done);

	return oc == OC_OK && done.affected == 0 ? OC_NOT_FOUND : oc;
}
