/* db_order.h - orders, their lines, history and idempotency keys, typed.
 * Owns: rows of these. Does not own: rules (order.c), messages (event.c), which statements make a unit of work (ep_*.c).
 * Text is arena memory. Every function gives db_run's outcomes beside those named. */
#ifndef PICKUP_DB_ORDER_H
#define PICKUP_DB_ORDER_H

#include "account.h"
#include "db.h"
#include "event.h"
#include "ids.h"
#include "order.h"
#include "person.h"

/* An order as read, and whose shop it is; and where that was asked, whether the asker is staff there, and how their account stands. */
struct order_row { struct order order; struct user_id owner_id; bool is_staff; struct standing asker; };

/* Sets items and item_count of those orders that have no items_json, or of all. */
must_check enum outcome db_items_load(struct db *db, struct arena *a, struct order *orders, size_t n, bool is_all);

/* What is to be rendered is there; its lines as rows may not be. OC_OK or OC_NOT_FOUND. */
must_check enum outcome db_order_get(struct db *db, struct arena *a, struct order_id id, struct order_row *out);
/* The same for somebody, with all of order_row. */
must_check enum outcome db_order_seen(struct db *db, struct arena *a, struct order_id id, struct user_id asker, struct order_row *out);

/* What the shop says about an order to be placed. */
struct place_product {
	struct product_id id;
	struct str name;
	money price;
	bool is_counted;
	int64_t stock;
	bool is_on_sale;
};
struct place_look {
	struct str timezone;
	bool is_shop_active;
	bool has_rules;				/* the shop has set some rule of its own: see struct shop_rules */
	struct str customer_name;		/* none: no such customer */
	bool is_customer_active;
	instant customer_tokens_ended_at;	/* or INSTANT_NONE */
	struct place_product *products;		/* those of ids that are this shop's */
	size_t product_count;
};
struct stock_move { struct product_id id; uint32_t quantity; };	/* of one product; each product once */
/* What the shop says about the products of moves, whose number n may be 0. OC_OK or OC_NOT_FOUND (no such shop). */
must_check enum outcome db_place_look(struct db *db, struct arena *a, struct user_id customer, struct shop_id shop,
	const struct stock_move *moves, size_t n, struct place_look *out);
/* Takes them where they are counted, then the same: stock is what is left. Of which shop they are is not asked, so whoever finds fault with
 * what was looked at rolls back. is_short: some counted one has less than that: roll back as well. */
must_check enum outcome db_place_take(struct db *db, struct arena *a, struct user_id customer, struct shop_id shop,
	const struct stock_move *moves, size_t n, struct place_look *out, bool *is_short);
/* Gives back to products that are still counted, up to the most that can be. n from 1. */
must_check enum outcome db_stock_give(struct db *db, const struct stock_move *moves, size_t n);
/* Adds quantity of a product to the moves, one entry a product; gives the new count. moves has room for one more. */
size_t stock_move_add(struct stock_move *moves, size_t n, struct product_id id, uint32_t quantity);
/* By product, so that two units of work lock products in the same order. */
void stock_moves_sort(struct stock_move *moves, size_t n);

/* Inserts the order, its lines, its deadline where it has one, and its messages (n of them, 1 or 2), and makes its photo its own; sets o->id.
 * OC_NOT_FOUND: the photo that list_image_url names is not the customer's, or another order's already: roll back. */
must_check enum outcome db_place_write(struct db *db, struct order *o, const struct event_new *messages, size_t n);
/* Waits until nobody else is changing the order; it is ours until the transaction ends. An order that is not there is no fault. */
must_check enum outcome db_order_lock(struct db *db, struct order_id id);
/* Writes status, estimate, total, why it was cancelled and updated_at where the version is still o->version; done->affected says whether it was. */
must_check enum outcome db_order_update(struct db *db, const struct order *o, struct db_done *done);

struct history_entry {
	uint64_t version;
	enum order_status status;
	int estimated_preparation_minutes;	/* 0 for none */
	money total_amount;
	bool is_by_system;
	struct user_id set_by;
	enum role set_by_role;
	instant at;
};
/* The order's state as an entry of its version, set by its customer when it was created. */
struct history_entry history_of_creation(const struct order *o);
must_check enum outcome db_history_insert(struct db *db, struct order_id id, const struct history_entry *entries, size_t n);
/* Oldest first; none for an order that never changed. */
must_check enum outcome db_history_list(struct db *db, struct arena *a, struct order_id id, struct history_entry **out, size_t *n);

/* A place in a list that is sorted by created_at and id, newest first: what comes after it. */
struct order_cursor { instant created_at; uint64_t id; };
#define ORDER_CURSOR_START ((struct order_cursor){ INT64_C(253402300799999999), INT64_MAX })	/* 9999-12-31 */

struct order_filter {
	uint32_t types, statuses;	/* bit sets of enum order_type, order_status; never empty */
	instant updated_since;		/* or INSTANT_NONE */
	struct order_cursor after;
	unsigned limit;			/* 1 to 1000 */
};
struct order_page { struct order *orders; size_t n; };
/* OC_NOT_FOUND: there is no such shop whose people the asker is one of, or the asker's token counts no more. */
must_check enum outcome db_orders_of_shop(struct db *db, struct arena *a, struct shop_id shop, const struct asker *asker, const struct order_filter *f,
	struct order_page *out);
/* The asker's own. OC_NOT_FOUND, with an empty page: their token counts no more, or nothing is known of them here. */
must_check enum outcome db_orders_of_customer(struct db *db, struct arena *a, const struct asker *asker, const struct order_filter *f, struct order_page *out);

/* The first answer to a key; and, as read, how the customer's account stands. */
struct idem_row { struct str body_hash; struct order_id order_id; struct str answer; struct standing customer; };
/* OC_OK or OC_NOT_FOUND. */
must_check enum outcome db_idem_get(struct db *db, struct arena *a, struct user_id customer, struct str key, struct idem_row *out);
/* Counts a replay, for the sake of the commit: InnoDB shows others a row before its own commit is on disk, and what is committed after it
 * is on disk after it. */
must_check enum outcome db_idem_replayed(struct db *db, struct user_id customer, struct str key);
/* OC_CONFLICT: the key is there already. */
must_check enum outcome db_idem_insert(struct db *db, struct user_id customer, struct str key, const struct idem_row *row, instant now);

#endif
