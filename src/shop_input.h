/* shop_input.h - what can be sent about a shop, when it is opened and when it is changed.
 * Owns: the declared members, their rules, how they are laid over a shop. Does not own: who may (ep_shop.c). */
#ifndef PICKUP_SHOP_INPUT_H
#define PICKUP_SHOP_INPUT_H

#include "app.h"
#include "db_shop.h"
#include "hours.h"

struct shop_input {
	struct presence seen;		/* bits as the table's rows */
	struct str name, timezone, currency, address, phone_number;
	bool is_active;
	struct hours_week opening_hours;
	struct input_list exceptions;
	int64_t lead_minutes, max_days_ahead, last_order_minutes, slot_minutes, slot_capacity;
	int64_t accept_within_minutes, default_preparation_minutes;
	bool auto_confirm;
	instant paused_until;
	struct str pause_reason;
	bool pre_orders_while_paused;
	struct str week_text, exceptions_text;	/* as they are kept */
};

/* From the request's body, with every fault found. is_new: a name is required; else at least one member. OC_OK, or OC_REFUSED with the reply. */
must_check enum outcome shop_input_read(struct req *r, bool is_new, struct shop_input *in);
/* What was sent replaces what the shop has; the rest stays. A pause that is over by now has lost its reason. */
void shop_input_apply(const struct shop_input *in, struct shop *s, instant now);
/* Whether any of the shop's rules is among it. */
bool shop_input_has_rules(const struct shop_input *in);

#endif
