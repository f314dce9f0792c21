/* render.c - see render.h. Appends to a buffer: a tree of JSON nodes costs twenty times as much. */
#include "render.h"

#include <string.h>

/* Inline, whatever the compiler thinks: then the prefixes' lengths are known to it, and a list consists of prefixes mostly. */
#define PREFIXED static inline __attribute__((always_inline)) void

PREFIXED add_text(struct buf *b, const char *prefix, struct str s)
{
	buf_adds(b, prefix);
	buf_addjson(b, s);
}

PREFIXED add_uint(struct buf *b, const char *prefix, uint64_t v)
{
	buf_adds(b, prefix);
	buf_adduint(b, v);
}

PREFIXED add_money(struct buf *b, const char *prefix, money m)
{
	buf_adds(b, prefix);
	money_to_json(b, m);
}

PREFIXED add_time(struct buf *b, const char *prefix, instant t, const struct zone *z)
{
	buf_adds(b, prefix);
	time_to_json(b, t, z);
}

/* One of our own words, which hold nothing to escape. */
PREFIXED add_word(struct buf *b, const char *prefix, const char *word)
{
	buf_adds(b, prefix);
	buf_addc(b, '"');
	buf_adds(b, word);
	buf_addc(b, '"');
}

/* 0 stands for none. */
PREFIXED add_minutes(struct buf *b, const char *prefix, int minutes)
{
	buf_adds(b, prefix);
	if (minutes)
		buf_adduint(b, (uint64_t)minutes);
	else
		buf_adds(b, "null");
}

PREFIXED add_bool(struct buf *b, const char *prefix, bool v)
{
	buf_adds(b, prefix);
	buf_adds(b, v ? "true" : "false");
}

/* Lines are numbered within their order, so this is unique among all lines and needs no column of its own. */
static uint64_t item_id(const struct order *o, uint32_t line)
{
	_Static_assert(ORDER_LINES_MAX < 128, "a line number fits into the low bits");
	return o->id.v * 128 + line;
}

/* An item without its id. */
static void add_item(struct buf *b, const struct order_item *i)
{
	add_uint(b, ",\"product_id\":", i->product_id.v);
	add_text(b, ",\"product_name\":", i->product_name);
	add_uint(b, ",\"quantity\":", i->quantity);
	add_money(b, ",\"price_at_time_of_order\":", i->price);
	add_text(b, ",\"special_instructions\":", i->special_instructions);
	buf_addc(b, '}');
}

void render_items_stored(struct buf *b, const struct order_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add_item(b, &items[i]);
		buf_addc(b, '\n');
	}
}

static void add_items(struct buf *b, const struct order *o)
{
	for (size_t i = 0; i < o->item_count; i++) {
		add_uint(b, i ? ",{\"id\":" : "{\"id\":", item_id(o, o->items[i].line));
		add_item(b, &o->items[i]);
	}
}

static void add_stored_items(struct buf *b, const struct order *o)
{
	const char *s = o->items_json.s, *end = s + o->items_json.len, *next;
	for (uint32_t line = 1; (next = memchr(s, '\n', (size_t)(end - s))); line++, s = next + 1) {
		add_uint(b, line > 1 ? ",{\"id\":" : "{\"id\":", item_id(o, line));
		buf_add(b, s, (size_t)(next - s));
	}
}

void render_order(struct buf *b, const struct order *o, const struct zone *z)
{
	add_uint(b, "{\"id\":", o->id.v);
	add_uint(b, ",\"shop_id\":", o->shop_id.v);
	add_uint(b, ",\"customer_id\":", o->customer_id.v);
	add_text(b, ",\"customer_name\":", o->customer_name);
	add_word(b, ",\"order_type\":", order_type_name(o->type));
	add_word(b, ",\"status\":", order_status_name(o->status));
	add_time(b, ",\"scheduled_pickup_time\":", o->scheduled_pickup_time, z);
	add_minutes(b, ",\"estimated_preparation_minutes\":", o->estimated_preparation_minutes);
	add_money(b, ",\"total_amount\":", o->total_amount);
	add_text(b, ",\"order_notes\":", o->order_notes);
	add_text(b, ",\"list_image_url\":", o->list_image_url);
	add_bool(b, ",\"has_chitty\":", order_has_chitty(o));
	add_uint(b, ",\"item_count\":", o->item_count);
	buf_adds(b, ",\"items\":[");
	if (o->items_json.s)
		add_stored_items(b, o);
	else
		add_items(b, o);
	add_uint(b, "],\"version\":", o->version);
	add_time(b, ",\"created_at\":", o->created_at, z);
	add_time(b, ",\"updated_at\":", o->updated_at, z);
	add_time(b, ",\"accept_by\":", o->accept_by, z);
	if (o->cancelled_by)
		add_word(b, ",\"cancelled_by\":", canceller_name(o->cancelled_by));
	else
		buf_adds(b, ",\"cancelled_by\":null");
	add_text(b, ",\"cancel_reason\":", o->cancel_reason);
	buf_addc(b, '}');
}

void render_user(struct buf *b, const struct user *u)
{
	add_uint(b, "{\"id\":", u->id.v);
	add_text(b, ",\"full_name\":", u->full_name);
	add_text(b, ",\"phone_number\":", u->phone_number);
	add_text(b, ",\"email\":", u->email);
	add_word(b, ",\"role\":", role_name(u->role));
	add_bool(b, ",\"is_active\":", u->is_active);
	add_time(b, ",\"created_at\":", u->created_at, NULL);
	buf_addc(b, '}');
}

void render_staff(struct buf *b, const struct staff *s, const struct zone *z)
{
	add_uint(b, "{\"user_id\":", s->user_id.v);
	add_text(b, ",\"full_name\":", s->full_name);
	add_text(b, ",\"phone_number\":", s->phone_number);
	add_word(b, ",\"role\":", role_name(s->role));
	add_time(b, ",\"added_at\":", s->added_at, z);
	buf_addc(b, '}');
}

/* As the JSON that is kept, or what stands for none. */
PREFIXED add_kept(struct buf *b, const char *prefix, struct str json, const char *none)
{
	buf_adds(b, prefix);
	if (json.s)
		buf_addstr(b, json);
	else
		buf_adds(b, none);
}

/* What the shop has set, or what holds for it; off stands for null. */
PREFIXED add_number(struct buf *b, const char *prefix, int64_t rule, int64_t holds, int64_t off)
{
	buf_adds(b, prefix);
	if (rule < 0 && holds == off)
		buf_adds(b, "null");
	else
		buf_adduint(b, (uint64_t)(rule < 0 ? holds : rule));
}

/* A pause that is over is not shown any more. */
static void add_pause(struct buf *b, const struct shop *s, const struct terms *t)
{
	bool is_paused = t->paused_until != INSTANT_NONE;
	add_time(b, ",\"paused_until\":", t->paused_until, t->calendar.zone);
	add_text(b, ",\"pause_reason\":", is_paused ? s->rules.pause_reason : STR_NONE);
	add_bool(b, ",\"pre_orders_while_paused\":", t->pre_orders_while_paused);
}

static void add_terms(struct buf *b, const struct shop *s, const struct terms *t)
{
	const struct shop_rules *r = &s->rules;
	add_kept(b, ",\"opening_hours\":", r->opening_hours, "null");
	add_kept(b, ",\"exceptions\":", r->exceptions, "[]");
	add_number(b, ",\"lead_minutes\":", r->lead_minutes, t->calendar.lead_minutes, 0);
	add_number(b, ",\"max_days_ahead\":", r->max_days_ahead, t->calendar.max_days_ahead, -1);
	add_number(b, ",\"last_order_minutes\":", r->last_order_minutes, t->calendar.last_order_minutes, 0);
	add_number(b, ",\"slot_minutes\":", r->slot_minutes, t->calendar.slot_minutes, 0);
	add_number(b, ",\"slot_capacity\":", r->slot_capacity, t->slot_capacity, -1);
	add_pause(b, s, t);
	add_minutes(b, ",\"accept_within_minutes\":", t->accept_within_minutes);
	add_bool(b, ",\"auto_confirm\":", t->auto_confirm);
	add_minutes(b, ",\"default_preparation_minutes\":", t->default_preparation_minutes);
}

void render_shop(struct buf *b, const struct shop *s, const struct terms *t, instant now)
{
	bool is_open = t->paused_until == INSTANT_NONE && calendar_takes_instant(&t->calendar, now);
	instant closed_until = t->paused_until == INSTANT_NONE ? now : t->paused_until;
	add_uint(b, "{\"id\":", s->id.v);
	add_uint(b, ",\"owner_id\":", s->owner_id.v);
	add_text(b, ",\"name\":", s->name);
	add_text(b, ",\"timezone\":", s->timezone);
	add_text(b, ",\"currency\":", s->currency);
	add_text(b, ",\"address\":", s->address);
	add_text(b, ",\"phone_number\":", s->phone_number);
	add_bool(b, ",\"is_active\":", s->is_active);
	add_time(b, ",\"created_at\":", s->created_at, t->calendar.zone);
	add_time(b, ",\"updated_at\":", s->updated_at, t->calendar.zone);
	add_terms(b, s, t);
	add_bool(b, ",\"is_open\":", is_open);
	add_time(b, ",\"opens_at\":", is_open ? INSTANT_NONE : calendar_next_instant(&t->calendar, closed_until), t->calendar.zone);
	buf_addc(b, '}');
}

void render_product(struct buf *b, const struct product *p, const struct zone *z)
{
	add_uint(b, "{\"id\":", p->id.v);
	add_uint(b, ",\"shop_id\":", p->shop_id.v);
	add_text(b, ",\"name\":", p->name);
	add_text(b, ",\"description\":", p->description);
	add_text(b, ",\"unit\":", p->unit);
	add_money(b, ",\"price\":", p->price);
	buf_adds(b, ",\"stock\":");
	if (p->is_counted)
		buf_adduint(b, p->stock > 0 ? (uint64_t)p->stock : 0);
	else
		buf_adds(b, "null");
	add_bool(b, ",\"is_active\":", p->is_active);
	add_time(b, ",\"created_at\":", p->created_at, z);
	add_time(b, ",\"updated_at\":", p->updated_at, z);
	buf_addc(b, '}');
}

void render_history_entry(struct buf *b, const struct history_entry *e, const struct zone *z, bool has_ids)
{
	add_word(b, "{\"status\":", order_status_name(e->status));
	add_minutes(b, ",\"estimated_preparation_minutes\":", e->estimated_preparation_minutes);
	add_money(b, ",\"total_amount\":", e->total_amount);
	if (e->is_by_system) {
		buf_adds(b, ",\"set_by\":\"system\"");
	} else {
		buf_adds(b, ",\"set_by\":{");
		if (has_ids)
			add_uint(b, "\"user_id\":", e->set_by.v);
		add_word(b, has_ids ? ",\"role\":" : "\"role\":", role_name(e->set_by_role));
		buf_addc(b, '}');
	}
	add_time(b, ",\"at\":", e->at, z);
	buf_addc(b, '}');
}
