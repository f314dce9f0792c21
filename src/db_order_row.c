/* db_order_row.c - see db_order_row.h. */
#include "db_order_row.h"

#include <string.h>

#include "arena.h"
#include "log.h"

/* Columns as in ORDER_COLUMNS of db_sql.c. */
enum {
	O_ID, O_SHOP, O_CUSTOMER, O_CUSTOMER_NAME, O_TYPE, O_STATUS, O_PICKUP, O_ESTIMATE, O_TOTAL, O_NOTES, O_IMAGE, O_VERSION,
	O_CREATED, O_UPDATED, O_ACCEPT_BY, O_CANCELLED_BY, O_REASON, O_ITEMS, O_ZONE,
	COLUMNS
};
_Static_assert(COLUMNS == ORDER_ROW_COLUMNS, "what follows an order's columns in a row");

/* The orders of a list are mostly of one shop. */
static struct str zone_of(const struct order_rows *rows, struct str name)
{
	if (rows->n > 0 && str_eq(rows->orders[rows->n - 1].timezone, name))
		return rows->orders[rows->n - 1].timezone;
	return str_dup(rows->arena, name);
}

static size_t count_lines(struct str items_json)
{
	size_t n = 0;
	const char *end = items_json.s + items_json.len;
	for (const char *p = items_json.s; p && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

enum outcome order_rows_take(void *order_rows, const struct db_val *v)
{
	struct order_rows *rows = order_rows;
	rows->is_any = true;
	if (v[O_ID].type == DB_NULL)
		return OC_OK;
	struct order o = {
		.id = { db_get_uint(&v[O_ID]) }, .shop_id = { db_get_uint(&v[O_SHOP]) }, .customer_id = { db_get_uint(&v[O_CUSTOMER]) },
		.customer_name = str_dup(rows->arena, db_get_text(&v[O_CUSTOMER_NAME])),
		.scheduled_pickup_time = db_get_time(&v[O_PICKUP]),
		.estimated_preparation_minutes = (int)db_get_int(&v[O_ESTIMATE]),
		.total_amount = db_get_money(&v[O_TOTAL]),
		.order_notes = str_dup(rows->arena, db_get_text(&v[O_NOTES])),
		.list_image_url = str_dup(rows->arena, db_get_text(&v[O_IMAGE])),
		.version = db_get_uint(&v[O_VERSION]),
		.created_at = db_get_time(&v[O_CREATED]), .updated_at = db_get_time(&v[O_UPDATED]),
		.accept_by = db_get_time(&v[O_ACCEPT_BY]), .cancel_reason = str_dup(rows->arena, db_get_text(&v[O_REASON])),
		.items_json = str_dup(rows->arena, db_get_text(&v[O_ITEMS])),
		.timezone = zone_of(rows, db_get_text(&v[O_ZONE])),
	};
	if (!order_type_parse(db_get_text(&v[O_TYPE]), &o.type) || !order_status_parse(db_get_text(&v[O_STATUS]), &o.status)
		|| !canceller_parse(db_get_text(&v[O_CANCELLED_BY]), &o.cancelled_by)) {
		log_error("order %llu has a type, status or canceller that is none", (unsigned long long)o.id.v);
		return OC_BAD;
	}
	o.item_count = count_lines(o.items_json);
	rows->orders = arena_room(rows->arena, rows->orders, rows->n, &rows->cap, sizeof *rows->orders);
	rows->orders[rows->n++] = o;
	return OC_OK;
}
