/* db_shop.c - rows of shops and products as structs.
 * Owns: loading and storing shops and products. Does not own: SQL texts (db_sql.c), stock taken by orders (db_order.c).
 * Used by: endpoints of shops and products, tool_shop.c, tool_check.c. */
#include "db_shop.h"
#include "arena.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct shops { struct arena *arena; struct shop *v; size_t n, max; };
struct products { struct arena *arena; struct product *v; size_t n, max; };

static int64_t rule_of(const struct db_val *v)
{
	return v->type == DB_NULL ? RULE_UNSET : db_get_int(v);
}

/* Columns from opening_hours on. */
static struct shop_rules rules_of(struct arena *a, const struct db_val *v)
{
	return (struct shop_rules){
		.opening_hours = str_dup(a, db_get_text(&v[0])), .exceptions = str_dup(a, db_get_text(&v[1])),
		.lead_minutes = rule_of(&v[2]), .max_days_ahead = rule_of(&v[3]), .last_order_minutes = rule_of(&v[4]),
		.slot_minutes = rule_of(&v[5]), .slot_capacity = rule_of(&v[6]), .accept_within_minutes = rule_of(&v[7]),
		.default_preparation_minutes = rule_of(&v[8]), .auto_confirm = rule_of(&v[9]),
		.paused_until = db_get_time(&v[10]), .pause_reason = str_dup(a, db_get_text(&v[11])),
		.pre_orders_while_paused = db_get_int(&v[12]) != 0,
	};
}

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
	s->rules = rules_of(ss->arena, &vals[10]);
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

static enum outcome get_shop(struct db *db, enum sql sql, struct arena *a, struct shop_id id, struct shop *out)
{
	const struct db_val key = db_uint(id.v);
	struct shops ss = { .arena = a, .v = out, .max = 1 };
	enum outcome oc = db_run(db, sql, 0, &key, 1, take_shop, &ss, NULL);

	return oc == OC_OK && ss.n == 0 ? OC_NOT_FOUND : oc;
}

enum outcome db_shop_get(struct db *db, struct arena *a, struct shop_id id, struct shop *out)
{
	return get_shop(db, SQL_SHOP_GET, a, id, out);
}

enum outcome db_shop_get_locked(struct db *db, struct arena *a, struct shop_id id, struct shop *out)
{
	return get_shop(db, SQL_SHOP_GET_LOCKED, a, id, out);
}

/* args: the last one is the limit. */
static enum outcome list_shops(struct db *db, enum sql sql, struct arena *a, const struct db_val *args, size_t nargs, uint64_t limit,
	struct shop **out, size_t *n)
{
	struct shops ss = { .arena = a, .v = arena_array(a, limit, sizeof *ss.v), .max = limit };
	enum outcome oc = db_run(db, sql, 0, args, nargs, take_shop, &ss, NULL);

	if (oc != OC_OK)
		return oc;
	*out = ss.v;
	*n = ss.n;
	return OC_OK;
}

enum outcome db_shop_list(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n)
{
	const struct db_val args[] = { below(before.v), db_int(1), db_uint(limit) };

	return list_shops(db, SQL_SHOP_LIST, a, args, COUNT(args), limit, out, n);
}

enum outcome db_shop_list_all(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n)
{
	const struct db_val args[] = { below(before.v), db_int(0), db_uint(limit) };

	return list_shops(db, SQL_SHOP_LIST, a, args, COUNT(args), limit, out, n);
}

enum outcome db_shop_list_of(struct db *db, struct arena *a, struct user_id owner, struct user_id staff, struct shop_id before,
	uint64_t limit, struct shop **out, size_t *n)
{
	const struct db_val args[] = { db_uint(owner.v), below(before.v), db_uint(staff.v), below(before.v), db_uint(limit) };

	return list_shops(db, SQL_SHOP_LIST_OF, a, args, COUNT(args), limit, out, n);
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

static struct db_val rule_value(int64_t rule)
{
	return rule == RULE_UNSET ? db_null() : db_int(rule);
}

/* A pause that is over still counts as a rule until the shop is changed again: that costs a look, and harms nothing. */
static bool has_rules(const struct shop_rules *r)
{
	const int64_t numbers[] = {
		r->lead_minutes, r->max_days_ahead, r->last_order_minutes, r->slot_minutes, r->slot_capacity,
		r->accept_within_minutes, r->default_preparation_minutes, r->auto_confirm,
	};

	for (size_t i = 0; i < COUNT(numbers); i++)
		if (numbers[i] != RULE_UNSET)
			return true;
	return r->opening_hours.s || r->exceptions.s || r->paused_until != INSTANT_NONE;
}

enum outcome db_shop_update_rules(struct db *db, const struct shop *s)
{
	const struct shop_rules *r = &s->rules;
	const struct db_val args[] = {
		db_int(has_rules(r)), db_text(r->opening_hours), db_text(r->exceptions), rule_value(r->lead_minutes),
		rule_value(r->max_days_ahead), rule_value(r->last_order_minutes), rule_value(r->slot_minutes), rule_value(r->slot_capacity),
		rule_value(r->accept_within_minutes), rule_value(r->default_preparation_minutes), rule_value(r->auto_confirm),
		db_time(r->paused_until), db_text(r->pause_reason), db_int(r->pre_orders_while_paused), db_uint(s->id.v),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_SHOP_RULES_UPDATE, 0, args, COUNT(args), NULL, NULL, &done);

	return oc == OC_OK && done.affected == 0 ? OC_NOT_FOUND : oc;
}

static enum outcome take_count(void *ctx, const struct db_val *vals)
{
	*(uint64_t *)ctx = db_get_uint(&vals[0]);
	return OC_OK;
}

enum outcome db_slot_count(struct db *db, struct shop_id shop, instant from, instant to, uint64_t *out)
{
	const struct db_val args[] = { db_uint(shop.v), db_time(from), db_time(to) };

	*out = 0;
	return db_run(db, SQL_SLOT_COUNT, 0, args, COUNT(args), take_count, out, NULL);
}

struct slot_counts { struct arena *arena; struct slot_count *v; size_t n, cap; };

static enum outcome take_slot_count(void *ctx, const struct db_val *vals)
{
	struct slot_counts *counts = ctx;

	counts->v = arena_room(counts->arena, counts->v, counts->n, &counts->cap, sizeof *counts->v);
	counts->v[counts->n++] = (struct slot_count){ db_get_time(&vals[0]), db_get_uint(&vals[1]) };
	return OC_OK;
}

enum outcome db_slot_counts(struct db *db, struct arena *a, struct shop_id shop, instant from, instant to, struct slot_count **out, size_t *n)
{
	const struct db_val args[] = { db_uint(shop.v), db_time(from), db_time(to) };
	struct slot_counts counts = { .arena = a };
	enum outcome oc = db_run(db, SQL_SLOT_COUNTS, 0, args, COUNT(args), take_slot_count, &counts, NULL);

	*out = counts.v;
	*n = counts.n;
	return oc;
}

static enum outcome get_product(struct db *db, enum sql sql, struct arena *a, struct product_id id, struct product *out)
{
	const struct db_val key = db_uint(id.v);
	struct products ps = { .arena = a, .v = out, .max = 1 };
	enum outcome oc = db_run(db, sql, 0, &key, 1, take_product, &ps, NULL);

	return oc == OC_OK && ps.n == 0 ? OC_NOT_FOUND : oc;
}

enum outcome db_product_get(struct db *db, struct arena *a, struct product_id id, struct product *out)
{
	return get_product(db, SQL_PRODUCT_GET, a, id, out);
}

enum outcome db_product_get_locked(struct db *db, struct arena *a, struct product_id id, struct product *out)
{
	return get_product(db, SQL_PRODUCT_GET_LOCKED, a, id, out);
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
