/* test_event.c - the bodies of the three messages, to the letter.
 * Owns: tests of event.c. Does not own: the outbox and the relay.
 * Used by: make check. */
#include <criterion/criterion.h>
#include <string.h>

#include "arena.h"
#include "event.h"

static instant at(const char *text)
{
	instant t = INSTANT_NONE;

	cr_assert(time_parse(str_from(text), &t), "%s", text);
	return t;
}

/* The order of the API description's examples. */
static struct order the_order(void)
{
	return (struct order){
		.id = { 15 }, .shop_id = { 2 }, .customer_id = { 7 }, .customer_name = STR("Kiran Kumar"), .type = ORDER_PRE_ORDER,
		.status = ORDER_PENDING, .scheduled_pickup_time = at("2026-02-26T11:30:00Z"), .total_amount = 12000, .item_count = 3,
		.updated_at = at("2026-02-26T06:05:00.999999Z"), .version = 1,
	};
}

static struct zone *kolkata(void)
{
	struct zone *z = zone_load(NULL, "Asia/Kolkata");

	cr_assert(z, "this host has no zone data");
	return z;
}

static void expect(struct event e, enum channel_kind kind, uint64_t id, const char *body)
{
	cr_expect_eq(e.channel.kind, kind);
	cr_expect_eq(e.channel.id, id);
	cr_expect(str_is(e.body, body), "\n got %.*s\nwant %s", STR_FMT(e.body), body);
}

/* What the database makes of it once the order has its id. */
static struct event with_id(struct arena *a, struct event_new e, const char *id)
{
	struct buf b = BUF_IN(a);

	buf_addstr(&b, e.head);
	buf_adds(&b, id);
	buf_addstr(&b, e.tail);
	return (struct event){ e.channel, buf_str(&b) };
}

Test(event, new_order)
{
	struct arena *a = arena_new();
	struct zone *z = kolkata();
	struct order o = the_order();

	expect(with_id(a, event_new_order(a, &o, z), "15"), CHANNEL_SHOP, 2,
		"{\"type\":\"new_order\",\"order_id\":15,\"customer_name\":\"Kiran Kumar\",\"order_type\":\"pre_order\","
		"\"scheduled_pickup_time\":\"2026-02-26T17:00:00+05:30\",\"total_amount\":120.0,\"item_count\":3,\"has_chitty\":false}");
	o.type = ORDER_INSTANT;
	o.scheduled_pickup_time = INSTANT_NONE;
	o.customer_name = STR("R\xc3\xa4ni \"the\\boss\"\n");
	o.list_image_url = STR("/api/v1/uploads/9");
	o.item_count = 0;
	o.total_amount = 0;
	expect(with_id(a, event_new_order(a, &o, z), "18446744073709551615"), CHANNEL_SHOP, 2,
		"{\"type\":\"new_order\",\"order_id\":18446744073709551615,\"customer_name\":\"R\xc3\xa4ni \\\"the\\\\boss\\\"\\n\",\"order_type\":\"instant\","
		"\"scheduled_pickup_time\":null,\"total_amount\":0.0,\"item_count\":0,\"has_chitty\":true}");
	zone_free(z);
	arena_free(a);
}

Test(event, pickup_ready)
{
	struct arena *a = arena_new();
	struct zone *z = kolkata();
	struct order o = the_order();

	o.status = ORDER_READY;
	o.estimated_preparation_minutes = 15;
	expect(event_order_changed(a, &o, true, z), CHANNEL_CUSTOMER, 7,
		"{\"type\":\"pickup_ready\",\"order_id\":15,\"shop_id\":2,\"status\":\"ready\",\"estimated_preparation_minutes\":15,"
		"\"message\":\"Your order is ready for pickup!\"}");
	o.estimated_preparation_minutes = 0;
	expect(event_order_changed(a, &o, true, z), CHANNEL_CUSTOMER, 7,
		"{\"type\":\"pickup_ready\",\"order_id\":15,\"shop_id\":2,\"status\":\"ready\",\"estimated_preparation_minutes\":null,"
		"\"message\":\"Your order is ready for pickup!\"}");
	zone_free(z);
	arena_free(a);
}

Test(event, order_update)
{
	static const enum order_status statuses[] = { ORDER_CONFIRMED, ORDER_PREPARING, ORDER_READY, ORDER_PICKED_UP, ORDER_CANCELLED };
	struct arena *a = arena_new();
	struct zone *z = kolkata();
	struct order o = the_order();

	o.estimated_preparation_minutes = 20;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		o.status = statuses[i];
		expect(event_order_changed(a, &o, false, z), CHANNEL_CUSTOMER, 7, arena_printf(a,
			"{\"type\":\"order_update\",\"order_id\":15,\"shop_id\":2,\"status\":\"%s\",\"total_amount\":120.0,"
			"\"estimated_preparation_minutes\":20,\"updated_at\":\"2026-02-26T11:35:00+05:30\"}", order_status_name(statuses[i])));
	}
	o.estimated_preparation_minutes = 0;
	o.total_amount = 12025;
	expect(event_order_changed(a, &o, false, NULL), CHANNEL_CUSTOMER, 7,
		"{\"type\":\"order_update\",\"order_id\":15,\"shop_id\":2,\"status\":\"cancelled\",\"total_amount\":120.25,"
		"\"estimated_preparation_minutes\":null,\"updated_at\":\"2026-02-26T06:05:00+00:00\"}");
	zone_free(z);
	arena_free(a);
}

Test(event, channel_kinds)
{
	static const char *const bad[] = { NULL, "", "shops", "Shop", "user", "0", "1" };
	enum channel_kind k = CHANNEL_KIND__MAX;

	cr_expect_str_eq(channel_kind_name(CHANNEL_SHOP), "shop");
	cr_expect_str_eq(channel_kind_name(CHANNEL_CUSTOMER), "customer");
	cr_expect(channel_kind_parse(STR("shop"), &k) && k == CHANNEL_SHOP);
	cr_expect(channel_kind_parse(STR("customer"), &k) && k == CHANNEL_CUSTOMER);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		k = CHANNEL_SHOP;
		cr_expect(!channel_kind_parse(str_from(bad[i]), &k) && k == CHANNEL_SHOP, "%s", bad[i] ? bad[i] : "(none)");
	}
}

/* The same text as of a change that confirms it. */
Test(event, confirmed_as_it_was_placed)
{
	struct arena *a = arena_new();
	struct zone *z = kolkata();
	struct order o = the_order();

	o.status = ORDER_CONFIRMED;
	o.estimated_preparation_minutes = 20;
	expect(with_id(a, event_new_confirmed(a, &o, z), "15"), CHANNEL_CUSTOMER, 7, event_order_changed(a, &o, false, z).body.s);
	zone_free(z);
	arena_free(a);
}
