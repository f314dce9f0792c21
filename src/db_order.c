/* db_order.c - rows of orders, lines and history; see db_order.h. Lists are in db_list.c, placing in db_place.c. */
#include "db_order.h"

#include "arena.h"
#include "db_account.h"
#include "db_order_row.h"

struct owned_rows { struct order_rows rows; struct order_row *out; };

static enum outcome take_owned(void *ctx, const struct db_val *v)
{
	struct owned_rows *owned = ctx;
	owned->out->owner_id.v = db_get_uint(&v[ORDER_ROW_COLUMNS]);
	return order_rows_take(&owned->rows, v);
}

static enum outcome take_seen(void *ctx, const struct db_val *v)
{
	struct owned_rows *owned = ctx;
	owned->out->is_staff = v[ORDER_ROW_COLUMNS + 1].type != DB_NULL;
	owned->out->asker = standing_of_row(&v[ORDER_ROW_COLUMNS + 2]);
	return take_owned(ctx, v);
}

static enum outcome get_order(struct db *db, struct arena *a, enum sql sql, const struct db_val *args, size_t n, db_row_fn *take, struct order_row *out)
{
	struct owned_rows owned = { .rows.arena = a, .out = out };
	*out = (struct order_row){ .asker.tokens_ended_at = INSTANT_NONE };
	enum outcome oc = db_run(db, sql, 0, args, n, take, &owned, NULL);
	if (oc != OC_OK)
		return oc;
	if (owned.rows.n == 0)
		return OC_NOT_FOUND;
	out->order = owned.rows.orders[0];
	return db_items_load(db, a, &out->order, 1, false);
}

enum outcome db_order_get(struct db *db, struct arena *a, struct order_id id, struct order_row *out)
{
	struct db_val args[] = { db_uint(id.v) };
	return get_order(db, a, SQL_ORDER_GET, args, 1, take_owned, out);
}

enum outcome db_order_seen(struct db *db, struct arena *a, struct order_id id, struct user_id asker, struct order_row *out)
{
	struct db_val args[] = { db_uint(asker.v), db_uint(asker.v), db_uint(id.v) };
	return get_order(db, a, SQL_ORDER_SEEN, args, 3, take_seen, out);
}

static enum outcome take_nothing(void *ctx, const struct db_val *v)
{
	(void)ctx;
	(void)v;
	return OC_OK;
}

enum outcome db_order_lock(struct db *db, struct order_id id)
{
	struct db_val args[] = { db_uint(id.v) };
	return db_run(db, SQL_ORDER_LOCK, 0, args, 1, take_nothing, NULL, NULL);
}

static struct db_val minutes(int m)
{
	return m ? db_int(m) : db_null();
}

enum outcome db_order_update(struct db *db, const struct order *o, struct db_done *done)
{
	struct db_val args[] = {
		db_text(str_from(order_status_name(o->status))), minutes(o->estimated_preparation_minutes),
		db_money(o->total_amount), o->cancelled_by ? db_text(str_from(canceller_name(o->cancelled_by))) : db_null(),
		db_text(o->cancel_reason), db_time(o->updated_at), db_uint(o->id.v), db_uint(o->version),
	};
	return db_run(db, SQL_ORDER_UPDATE, 0, args, sizeof args / sizeof *args, NULL, NULL, done);
}

struct history_entry history_of_creation(const struct order *o)
{
	return (struct history_entry){
		.version = o->version, .status = o->status, .estimated_preparation_minutes = o->estimated_preparation_minutes,
		.total_amount = o->total_amount, .set_by = o->customer_id, .set_by_role = ROLE_CUSTOMER, .at = o->created_at,
	};
}

#define HISTORY_VALUES 8
#define HISTORY_MAX 2

enum outcome db_history_insert(struct db *db, struct order_id id, const struct history_entry *entries, size_t n)
{
	struct db_val args[HISTORY_VALUES * HISTORY_MAX], *v = args;
	if (n > HISTORY_MAX)
		return OC_BAD;
	for (size_t i = 0; i < n; i++) {
		const struct history_entry *e = &entries[i];
		*v++ = db_uint(id.v);
		*v++ = db_uint(e->version);
		*v++ = db_text(str_from(order_status_name(e->status)));
		*v++ = minutes(e->estimated_preparation_minutes);
		*v++ = db_money(e->total_amount);
		*v++ = e->is_by_system ? db_null() : db_uint(e->set_by.v);
		*v++ = e->is_by_system ? db_null() : db_text(str_from(role_name(e->set_by_role)));
		*v++ = db_time(e->at);
	}
	return db_run(db, SQL_HISTORY_INSERT, (unsigned)n, args, n * HISTORY_VALUES, NULL, NULL, NULL);
}

struct history_rows { struct arena *arena; struct history_entry *v; size_t n, cap; };

static enum outcome take_history(void *ctx, const struct db_val *v)
{
	struct history_rows *rows = ctx;
	struct history_entry e = {
		.version = db_get_uint(&v[0]), .estimated_preparation_minutes = (int)db_get_int(&v[2]), .total_amount = db_get_money(&v[3]),
		.is_by_system = v[4].type == DB_NULL, .set_by = { db_get_uint(&v[4]) }, .at = db_get_time(&v[6]),
	};
	if (!order_status_parse(db_get_text(&v[1]), &e.status))
		return OC_BAD;
	if (!e.is_by_system && !role_parse(db_get_text(&v[5]), &e.set_by_role))
		return OC_BAD;
	rows->v = arena_room(rows->arena, rows->v, rows->n, &rows->cap, sizeof *rows->v);
	rows->v[rows->n++] = e;
	return OC_OK;
}

enum outcome db_history_list(struct db *db, struct arena *a, struct order_id id, struct history_entry **out, size_t *n)
{
	struct history_rows rows = { .arena = a };
	struct db_val args[] = { db_uint(id.v) };
	enum outcome oc = db_run(db, SQL_HISTORY_LIST, 0, args, 1, take_history, &rows, NULL);
	*out = rows.v;
	*n = rows.n;
	return oc;
}
