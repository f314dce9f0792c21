/* order.h - the rules of an order: types, statuses, who may set what, which message results.
 * Owns: the transition table. Pure: no HTTP, no SQL, no JSON library. */
#ifndef PICKUP_ORDER_H
#define PICKUP_ORDER_H

#include <stdbool.h>
#include "ids.h"
#include "money.h"
#include "str.h"
#include "timefmt.h"

enum order_type { ORDER_INSTANT, ORDER_PRE_ORDER, ORDER_TYPE__MAX };
enum order_status {
	ORDER_PENDING, ORDER_CONFIRMED, ORDER_PREPARING, ORDER_READY, ORDER_PICKED_UP, ORDER_CANCELLED,
	ORDER_STATUS__MAX
};

#define ORDER_LINES_MAX 100
#define ORDER_QUANTITY_MAX 999
#define ORDER_NOTES_MAX 1000
#define ORDER_INSTRUCTIONS_MAX 200
#define ORDER_PREP_MINUTES_MAX 1440
#define ORDER_REASON_MAX 200

/* Who cancelled an order; nobody, as long as it is not cancelled. */
enum canceller { CANCELLED_BY_NOBODY, CANCELLED_BY_SHOPKEEPER, CANCELLED_BY_SYSTEM, CANCELLER__MAX };
/* The cancel_reason of an order whose accept_by has passed. */
#define ORDER_NOT_ACCEPTED "not_accepted_in_time"

/* The words, in the enums' order, NULL at the end. */
extern const char *const order_type_words[], *const order_status_words[];
const char *order_type_name(enum order_type t);
const char *order_status_name(enum order_status s);
must_check bool order_type_parse(struct str s, enum order_type *out);
must_check bool order_status_parse(struct str s, enum order_status *out);
const char *canceller_name(enum canceller c);	/* NULL for nobody */
must_check bool canceller_parse(struct str s, enum canceller *out);	/* none is nobody */

/* Whether the table lets an order go from one status to the other. The same status: false. */
bool order_may_go(enum order_status from, enum order_status to);
/* Whether nothing can follow: picked_up, cancelled. */
bool order_is_final(enum order_status s);

struct order_item {
	uint32_t line;			/* from 1 */
	struct product_id product_id;
	struct str product_name;
	uint32_t quantity;
	money price;			/* at the time of the order */
	struct str special_instructions;	/* or none */
	bool stock_taken;		/* the shop counted this product when it was ordered */
};

struct order {
	struct order_id id;
	struct shop_id shop_id;
	struct user_id customer_id;
	struct str customer_name;
	enum order_type type;
	enum order_status status;
	instant scheduled_pickup_time;	/* or INSTANT_NONE */
	int estimated_preparation_minutes;	/* 0 for none */
	money total_amount;
	struct str order_notes;		/* or none */
	struct str list_image_url;	/* or none */
	uint64_t version;		/* from 1 */
	instant created_at, updated_at;
	instant accept_by;		/* or INSTANT_NONE: nobody needs to confirm it in time */
	enum canceller cancelled_by;
	struct str cancel_reason;	/* or none */
	struct str timezone;		/* the shop's */
	struct str items_json;		/* the lines as render.h stores them; none: not so stored, they are in items alone */
	struct order_item *items;	/* NULL: not loaded */
	size_t item_count;
};

bool order_has_chitty(const struct order *o);

/* What a shopkeeper, or the system, asks for; has_* tell which members were sent. */
struct order_change {
	bool has_status, has_estimate, has_total;
	enum order_status status;
	int estimated_preparation_minutes;
	money total_amount;
	enum canceller by;		/* counts where the status is cancelled */
	struct str cancel_reason;	/* or none; only where the status is cancelled */
};

enum change_verdict {
	CHANGE_APPLY,			/* *next holds the order as it becomes (version and updated_at not yet moved) */
	CHANGE_NOTHING,			/* everything asked for already holds */
	CHANGE_INVALID_TRANSITION,	/* order_may_go says no, or the order is final */
	CHANGE_TOTAL_WITHOUT_CHITTY	/* a total for an order whose price the shop's list decides */
};
/* Judges the change against the order as it is. An estimate, a total or a given reason that differs, on a final order: CHANGE_INVALID_TRANSITION. */
enum change_verdict order_judge(const struct order *o, const struct order_change *c, struct order *next);

#endif
