/* event.c - the bodies of the three messages.
 * Owns: which message a change causes, its channel, its text. Does not own: storing and sending (db_outbox.c, relay.c). Pure.
 * Used by: the order endpoints, inside the transaction that stores the message. */
#include "event.h"

#define BODY_ROOM 320	/* most bodies in one piece */

static const char *const kind_names[CHANNEL_KIND__MAX] = {
	[CHANNEL_SHOP] = "shop",
	[CHANNEL_CUSTOMER] = "customer",
};

const char *channel_kind_name(enum channel_kind k)
{
	return kind_names[k];
}

bool channel_kind_parse(struct str s, enum channel_kind *out)
{
	for (enum channel_kind k = CHANNEL_SHOP; k < CHANNEL_KIND__MAX; k++)
		if (str_is(s, kind_names[k])) {
			*out = k;
			return true;
		}
	return false;
}


/* The names of statuses and types hold nothing to escape. */
static void add_word(struct buf *b, const char *word)
{
	buf_addc(b, '"');
	buf_adds(b, word);
	buf_addc(b, '"');
}

static void add_minutes(struct buf *b, int minutes)
{
	if (minutes > 0)
		buf_adduint(b, (uint64_t)minutes);
	else
		buf_addstr(b, STR("null"));
}

struct event_new event_new_order(struct arena *a, const struct order *o, const struct zone *z)
{
	struct buf b = BUF_IN(a);

	buf_reserve(&b, BODY_ROOM);
	buf_addstr(&b, STR(",\"customer_name\":"));
	buf_addjson(&b, o->customer_name);
	buf_addstr(&b, STR(",\"order_type\":"));
	add_word(&b, order_type_name(o->type));
	buf_addstr(&b, STR(",\"scheduled_pickup_time\":"));
	time_to_json(&b, o->type == ORDER_PRE_ORDER ? o->scheduled_pickup_time : INSTANT_NONE, z);
	buf_addstr(&b, STR(",\"total_amount\":"));
	money_to_json(&b, o->total_amount);
	buf_addstr(&b, STR(",\"item_count\":"));
	buf_adduint(&b, o->item_count);
	buf_addstr(&b, order_has_chitty(o) ? STR(",\"has_chitty\":true}") : STR(",\"has_chitty\":false}"));
	return (struct event_new){ { CHANNEL_SHOP, o->shop_id.v }, STR("{\"type\":\"new_order\",\"order_id\":"), buf_str(&b) };
}

/* What stands before the order's id. */
static struct str head_of(bool became_ready)
{
	return became_ready ? STR("{\"type\":\"pickup_ready\",\"order_id\":") : STR("{\"type\":\"order_update\",\"order_id\":");
}

static void add_shop_and_status(struct buf *b, const struct order *o)
{
	buf_addstr(b, STR(",\"shop_id\":"));
	buf_adduint(b, o->shop_id.v);
	buf_addstr(b, STR(",\"status\":"));
	add_word(b, order_status_name(o->status));
}

static void add_pickup_ready(struct buf *b, const struct order *o)
{
	add_shop_and_status(b, o);
	buf_addstr(b, STR(",\"estimated_preparation_minutes\":"));
	add_minutes(b, o->estimated_preparation_minutes);
	buf_addstr(b, STR(",\"message\":\"Your order is ready for pickup!\"}"));
}

static void add_order_update(struct buf *b, const struct order *o, const struct zone *z)
{
	add_shop_and_status(b, o);
	buf_addstr(b, STR(",\"total_amount\":"));
	money_to_json(b, o->total_amount);
	buf_addstr(b, STR(",\"estimated_preparation_minutes\":"));
	add_minutes(b, o->estimated_preparation_minutes);
	buf_addstr(b, STR(",\"updated_at\":"));
	time_to_json(b, o->updated_at, z);
	buf_addc(b, '}');
}

struct event_new event_new_confirmed(struct arena *a, const struct order *o, const struct zone *z)
{
	struct buf b = BUF_IN(a);

	buf_reserve(&b, BODY_ROOM);
	add_order_update(&b, o, z);
	return (struct event_new){ { CHANNEL_CUSTOMER, o->customer_id.v }, head_of(false), buf_str(&b) };
}

struct event event_order_changed(struct arena *a, const struct order *o, bool became_ready, const struct zone *z)
{
	struct buf b = BUF_IN(a);

	buf_reserve(&b, BODY_ROOM);
	buf_addstr(&b, head_of(became_ready));
	buf_adduint(&b, o->id.v);
	if (became_ready)
		add_pickup_ready(&b, o);
	else
		add_order_update(&b, o, z);
	return (struct event){ { CHANNEL_CUSTOMER, o->customer_id.v }, buf_str(&b) };
}
