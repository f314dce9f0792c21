/* db_items.c - the lines of orders as rows; see db_order.h. Answers are made of orders.items_json; this is for stock that goes back, and
 * for orders that somebody else wrote.
 * Owns: rows of order_items. Used by: db_order.c, db_list.c, ep_order.c. */
#include "db_order.h"

#include <stdlib.h>

#include "arena.h"

/* Orders of one statement: the count in bulk that stays prepared (db_stmt.c). */
#define PIECE 64

struct item_row { uint64_t order; struct order_item item; };
struct item_rows { struct arena *arena; struct item_row *v; size_t n, cap; };

static enum outcome take_item(void *ctx, const struct db_val *v)
{
	struct item_rows *rows = ctx;
	rows->v = arena_room(rows->arena, rows->v, rows->n, &rows->cap, sizeof *rows->v);
	rows->v[rows->n++] = (struct item_row){ db_get_uint(&v[0]), {
		.line = (uint32_t)db_get_uint(&v[1]), .product_id = { db_get_uint(&v[2]) }, .product_name = str_dup(rows->arena, db_get_text(&v[3])),
		.quantity = (uint32_t)db_get_uint(&v[4]), .price = db_get_money(&v[5]),
		.special_instructions = str_dup(rows->arena, db_get_text(&v[6])), .stock_taken = db_get_int(&v[7]) != 0,
	} };
	return OC_OK;
}

static int by_line(const void *a, const void *b)
{
	const struct item_row *x = a, *y = b;
	if (x->order != y->order)
		return x->order > y->order ? 1 : -1;
	return (x->item.line > y->item.line) - (x->item.line < y->item.line);
}

static void give_items(struct arena *a, struct order *o, const struct item_rows *rows)
{
	o->items = arena_array(a, rows->n + 1, sizeof *o->items);
	o->item_count = 0;
	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].order == o->id.v)
			o->items[o->item_count++] = rows->v[i].item;
}

static enum outcome load_piece(struct db *db, struct arena *a, struct order *const *orders, size_t n)
{
	struct db_val args[PIECE];
	size_t reps = n == 1 ? 1 : PIECE;
	struct item_rows rows = { .arena = a };
	for (size_t i = 0; i < reps; i++)
		args[i] = db_uint(orders[i < n ? i : n - 1]->id.v);
	enum outcome oc = db_run(db, SQL_ITEM_LIST, (unsigned)reps, args, reps, take_item, &rows, NULL);
	if (oc != OC_OK)
		return oc;
	if (rows.n)
		qsort(rows.v, rows.n, sizeof *rows.v, by_line);
	for (size_t i = 0; i < n; i++)
		give_items(a, orders[i], &rows);
	return OC_OK;
}

enum outcome db_items_load(struct db *db, struct arena *a, struct order *orders, size_t n, bool is_all)
{
	struct order *piece[PIECE];
	size_t some = 0;
	enum outcome oc = OC_OK;
	for (size_t i = 0; i < n && oc == OC_OK; i++) {
		if (is_all || !orders[i].items_json.s)
			piece[some++] = &orders[i];
		if (some == PIECE || (some && i + 1 == n)) {
			oc = load_piece(db, a, piece, some);
			some = 0;
		}
	}
	return oc;
}
