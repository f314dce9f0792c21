/* db_order_row.c - see db_order_row.h. */
#include "db_order_row.h"

#include "arena.h"
#include "log.h"

/* Columns as in ORDER_COLUMNS and ITEM_COLUMNS of db_sql.c. */
enum {
	O_ID, O_SHOP, O_CUSTOMER, O_CUSTOMER_NAME, O_TYPE, O_STATUS, O_PICKUP, O_ESTIMATE, O_TOTAL, O_NOTES, O_IMAGE, O_VERSION,
	O_CREATED, O_UPDATED, O_ZONE,
	I_LINE, I_PRODUCT, I_NAME, I_QUANTITY, I_PRICE, I_INSTRUCTIONS, I_TAKEN,
	COLUMNS
};
_Static_assert(COLUMNS == ORDER_ROW_COLUMNS, "what follows an order's columns in a row");

/* The orders of a list are mostly of one shop. */
static struct str zone_of(const struct order_rows *rows, struct str name)
{
	if (rows->n > 1 && str_eq(rows->orders[rows->n - 2].timezone, name))
		return rows->orders[rows->n - 2].timezone;
	return str_dup(rows->arena, name);
}

static enum outcome fill_order(struct order_rows *rows, const struct db_val *v)
{
	struct order *o = &rows->orders[rows->n - 1];
	o->shop_id.v = db_get_uint(&v[O_SHOP]);
	o->customer_id.v = db_get_uint(&v[O_CUSTOMER]);
	o->customer_name = str_dup(rows->arena, db_get_text(&v[O_CUSTOMER_NAME]));
	o->scheduled_pickup_time = db_get_time(&v[O_PICKUP]);
	o->estimated_preparation_minutes = (int)db_get_int(&v[O_ESTIMATE]);
	o->total_amount = db_get_money(&v[O_TOTAL]);
	o->order_notes = str_dup(rows->arena, db_get_text(&v[O_NOTES]));
	o->list_image_url = str_dup(rows->arena, db_get_text(&v[O_IMAGE]));
	o->version = db_get_uint(&v[O_VERSION]);
	o->created_at = db_get_time(&v[O_CREATED]);
	o->updated_at = db_get_time(&v[O_UPDATED]);
	o->timezone = zone_of(rows, db_get_text(&v[O_ZONE]));
	if (order_type_parse(db_get_text(&v[O_TYPE]), &o->type) && order_status_parse(db_get_text(&v[O_STATUS]), &o->status))
		return OC_OK;
	log_error("order %llu has a type or status that is none", (unsigned long long)o->id.v);
	return OC_BAD;
}

/* The order of the row, a new one or the last one. */
static struct order *order_of(struct order_rows *rows, uint64_t id)
{
	if (rows->n == 0 || rows->orders[rows->n - 1].id.v != id) {
		rows->orders = arena_room(rows->arena, rows->orders, rows->n, &rows->cap, sizeof *rows->orders);
		rows->orders[rows->n++] = (struct order){ .id = { id } };
	}
	return &rows->orders[rows->n - 1];
}

static bool is_filled(const struct order *o)
{
	return o->shop_id.v != 0;
}

static void take_item(struct order_rows *rows, const struct db_val *v)
{
	rows->items = arena_room(rows->arena, rows->items, rows->item_n, &rows->item_cap, sizeof *rows->items);
	rows->items[rows->item_n++] = (struct order_item){
		.line = (uint32_t)db_get_uint(&v[I_LINE]), .product_id = { db_get_uint(&v[I_PRODUCT]) },
		.product_name = str_dup(rows->arena, db_get_text(&v[I_NAME])),
		.quantity = (uint32_t)db_get_uint(&v[I_QUANTITY]), .price = db_get_money(&v[I_PRICE]),
		.special_instructions = str_dup(rows->arena, db_get_text(&v[I_INSTRUCTIONS])),
		.stock_taken = db_get_int(&v[I_TAKEN]) != 0,
	};
	/* Lines come in order, as they are clustered, but no server promises it; asking for it would cost a temporary table. */
	for (size_t i = rows->item_n - 1, n = rows->orders[rows->n - 1].item_count; n > 0 && rows->items[i - 1].line > rows->items[i].line; i--, n--) {
		struct order_item later = rows->items[i - 1];
		rows->items[i - 1] = rows->items[i];
		rows->items[i] = later;
	}
	rows->orders[rows->n - 1].item_count++;
}

enum outcome order_rows_take(void *order_rows, const struct db_val *v)
{
	struct order_rows *rows = order_rows;
	rows->is_any = true;
	if (v[O_ID].type == DB_NULL)
		return OC_OK;
	if (!is_filled(order_of(rows, db_get_uint(&v[O_ID]))) && v[O_SHOP].type != DB_NULL) {
		enum outcome oc = fill_order(rows, v);
		if (oc != OC_OK)
			return oc;
	}
	if (v[I_LINE].type != DB_NULL)
		take_item(rows, v);
	return OC_OK;
}

enum outcome order_rows_finish(struct order_rows *rows)
{
	size_t at = 0;
	for (size_t i = 0; i < rows->n; i++) {
		if (!is_filled(&rows->orders[i])) {
			log_error("order %llu has no first line", (unsigned long long)rows->orders[i].id.v);
			return OC_BAD;
		}
		rows->orders[i].items = rows->items ? rows->items + at : NULL;
		at += rows->orders[i].item_count;
	}
	return OC_OK;
}
