/* db_order_row.h - rows of an order joined with its lines, gathered into orders.
 * Owns: the column order of ORDER_ROW in db_sql.c. Used by: db_order.c, db_list.c. */
#ifndef PICKUP_DB_ORDER_ROW_H
#define PICKUP_DB_ORDER_ROW_H

#include "db.h"
#include "order.h"

#define ORDER_ROW_COLUMNS 22

/* Zeroed but for arena. The rows of an order must come together; one of them at least holds its own columns, others may have NULLs there. A row
 * without an id is none of an order. */
struct order_rows {
	struct arena *arena;
	struct order *orders;
	size_t n, cap;
	struct order_item *items;	/* of all orders, in the order of the rows */
	size_t item_n, item_cap;
	bool is_any;			/* a row came */
};

enum outcome order_rows_take(void *order_rows, const struct db_val *vals);	/* a db_row_fn */
/* Ties each order to its lines; call once, after the last row and before any sorting. OC_BAD, logged: one has lines only. */
must_check enum outcome order_rows_finish(struct order_rows *rows);

#endif
