/* order.c - the rules of an order: which status may follow which, what a change comes to.
 * Owns: the words and the transition table. Does not own: storing (db_order.c), messages (event.c). Pure.
 * Used by: the order endpoints, event.c, rendering, the database layer. */
#include "order.h"

const char *const order_type_words[ORDER_TYPE__MAX + 1] = {
	[ORDER_INSTANT] = "instant",
	[ORDER_PRE_ORDER] = "pre_order",
};

const char *const order_status_words[ORDER_STATUS__MAX + 1] = {
	[ORDER_PENDING] = "pending",
	[ORDER_CONFIRMED] = "confirmed",
	[ORDER_PREPARING] = "preparing",
	[ORDER_READY] = "ready",
	[ORDER_PICKED_UP] = "picked_up",
	[ORDER_CANCELLED] = "cancelled",
};

static const char *const cancellers[CANCELLER__MAX] = {
	[CANCELLED_BY_SHOPKEEPER] = "shopkeeper",
	[CANCELLED_BY_SYSTEM] = "system",
};

/* [from][to]. From confirmed straight to ready is the walk-through of the API description. */
static const bool may_go[ORDER_STATUS__MAX][ORDER_STATUS__MAX] = {
	[ORDER_PENDING] = { [ORDER_CONFIRMED] = true, [ORDER_CANCELLED] = true },
	[ORDER_CONFIRMED] = { [ORDER_PREPARING] = true, [ORDER_READY] = true, [ORDER_CANCELLED] = true },
	[ORDER_PREPARING] = { [ORDER_READY] = true, [ORDER_CANCELLED] = true },
	[ORDER_READY] = { [ORDER_PICKED_UP] = true, [ORDER_CANCELLED] = true },
};

const char *order_type_name(enum order_type t)
{
	return order_type_words[t];
}

const char *order_status_name(enum order_status s)
{
	return order_status_words[s];
}

bool order_type_parse(struct str s, enum order_type *out)
{
	for (enum order_type t = 0; t < ORDER_TYPE__MAX; t++)
		if (str_is(s, order_type_words[t])) {
			*out = t;
			return true;
		}
	return false;
}

bool order_status_parse(struct str s, enum order_status *out)
{
	for (enum order_status v = 0; v < ORDER_STATUS__MAX; v++)
		if (str_is(s, order_status_words[v])) {
			*out = v;
			return true;
		}
	return false;
}

const char *canceller_name(enum canceller c)
{
	return cancellers[c];
}

bool canceller_parse(struct str s, enum canceller *out)
{
	*out = CANCELLED_BY_NOBODY;
	if (!s.s)
		return true;
	for (enum canceller c = CANCELLED_BY_SHOPKEEPER; c < CANCELLER__MAX; c++)
		if (str_is(s, cancellers[c])) {
			*out = c;
			return true;
		}
	return false;
}

bool order_may_go(enum order_status from, enum order_status to)
{
	return may_go[from][to];
}

bool order_is_final(enum order_status s)
{
	for (enum order_status to = 0; to < ORDER_STATUS__MAX; to++)
		if (may_go[s][to])
			return false;
	return true;
}

bool order_has_chitty(const struct order *o)
{
	return o->list_image_url.s != NULL;
}

enum change_verdict order_judge(const struct order *o, const struct order_change *c, struct order *next)
{
	bool status = c->has_status && c->status != o->status;
	bool estimate = c->has_estimate && c->estimated_preparation_minutes != o->estimated_preparation_minutes;
	bool total = c->has_total && c->total_amount != o->total_amount;
	bool reason = c->cancel_reason.s && !str_eq(c->cancel_reason, o->cancel_reason);

	if (c->has_total && !order_has_chitty(o))
		return CHANGE_TOTAL_WITHOUT_CHITTY;
	if (status && !order_may_go(o->status, c->status))
		return CHANGE_INVALID_TRANSITION;
	if (!status && !estimate && !total && !reason)
		return CHANGE_NOTHING;
	if (order_is_final(o->status))
		return CHANGE_INVALID_TRANSITION;
	*next = *o;
	if (status)
		next->status = c->status;
	if (status && c->status == ORDER_CANCELLED) {
		next->cancelled_by = c->by;
		next->cancel_reason = c->cancel_reason;
	}
	if (estimate)
		next->estimated_preparation_minutes = c->estimated_preparation_minutes;
	if (total)
		next->total_amount = c->total_amount;
	return CHANGE_APPLY;
}
