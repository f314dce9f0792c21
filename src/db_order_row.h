/* db_order_row.h - rows to orders.
 * Owns: the column order of ORDER_ROW in db_sql.c. Used by: db_order.c, db_list.c. */
#ifndef PICKUP_DB_ORDER_ROW_H
#define PICKUP_DB_ORDER_ROW_H

#include "db.h"
#include "order.h"

#define ORDER_ROW_COLUMNS 19

/* Zeroed but for arena. A row without an id is none of an order. */
struct order_rows {
	struct arena *arena;
	struct order *orders;		/* without items: see db_items_load() */
	size_t n, cap;
	bool is_any;			/* a row came */
};

enum outcome order_rows_take(void *order_rows, const struct db_val *vals);	/* a db_row_fn */

#endif
