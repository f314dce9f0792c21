/* test_relay_number.c - what of the relay is pure: the order of rows, memory of numbers and messages, pauses, verdicts.
 * Owns: tests of relay_number.c, relay_msg.c, relay_lane.c and push.c without database and network (t/stack/test_relay.py has these).
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leaks.h"
#include "relay.h"

/* Rows as "id:order.version", by id as the database gives them or not; and the order in which they must get numbers. */
static const struct { const char *rows, *wanted; } orders[] = {
	{ "", "" },
	{ "1:7.1", "1:7.1" },
	{ "1:7.1 2:8.1 3:7.2", "1:7.1 2:8.1 3:7.2" },
	{ "3:7.2 1:7.1 2:8.1", "1:7.1 2:8.1 3:7.2" },
	{ "1:7.2 2:7.1", "2:7.1 1:7.2" },
	{ "1:7.3 2:8.1 3:7.1 4:9.1 5:7.2", "3:7.1 2:8.1 5:7.2 4:9.1 1:7.3" },
	{ "1:7.2 2:8.2 3:8.1 4:7.1", "4:7.1 3:8.1 2:8.2 1:7.2" },
	/* new_order and order_update of an order that was confirmed when it was placed */
	{ "1:7.1 2:7.1", "1:7.1 2:7.1" },
	{ "5:7.2 6:7.1 7:7.1", "6:7.1 7:7.1 5:7.2" },
	/* only relative order counts: version 1 was numbered long ago */
	{ "1:7.4 2:7.3", "2:7.3 1:7.4" },
};

static size_t read_rows(const char *text, struct outbox_row *rows)
{
	size_t n = 0;
	unsigned long long id, order, version;
	int used;
	while (sscanf(text, " %llu:%llu.%llu%n", &id, &order, &version, &used) == 3) {
		rows[n++] = (struct outbox_row){ .id = id, .order = { order }, .version = version };
		text += used;
	}
	return n;
}

Test(relay, order_of_rows)
{
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct outbox_row rows[16];
		char got[256] = "";
		size_t n = read_rows(orders[i].rows, rows);
		relay_order_rows(rows, n);
		for (size_t k = 0; k < n; k++)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%llu:%llu.%llu", k ? " " : "", (unsigned long long)rows[k].id,
				(unsigned long long)rows[k].order.v, (unsigned long long)rows[k].version);
		cr_expect_str_eq(got, orders[i].wanted, "%s", orders[i].rows);
	}
	cr_expect(no_leaks());
}

/* Whatever comes: no row is lost, versions ascend within each order, and an order's places stay its own. */
Test(relay, order_of_random_rows)
{
	unsigned seed = 11;
	for (int round = 0; round < 200; round++) {
		struct outbox_row rows[64], by_id[64];
		size_t n = (size_t)rand_r(&seed) % 64 + 1;
		for (size_t i = 0; i < n; i++)
			by_id[i] = rows[i] = (struct outbox_row){ .id = i + 1, .order = { (uint64_t)rand_r(&seed) % 9 + 1 }, .version = (uint64_t)rand_r(&seed) % 5 + 1 };
		relay_order_rows(rows, n);
		uint64_t last[10] = { 0 }, seen = 0;
		for (size_t i = 0; i < n; i++) {
			cr_expect_eq(rows[i].order.v, by_id[i].order.v, "round %d, place %zu", round, i);
			cr_expect(rows[i].version >= last[rows[i].order.v], "round %d, place %zu", round, i);
			last[rows[i].order.v] = rows[i].version;
			seen |= UINT64_C(1) << (rows[i].id - 1);
		}
		cr_expect_eq(seen, n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1, "round %d", round);
	}
}

Test(relay, last_numbers)
{
	struct seq_cache *c = seq_cache_new();
	struct channel shop = { CHANNEL_SHOP, 5 }, customer = { CHANNEL_CUSTOMER, 5 };
	uint64_t last = 99;
	cr_expect(!seq_cache_get(c, shop, &last) && last == 99);
	seq_cache_put(c, shop, 0);
	seq_cache_put(c, customer, 7);
	cr_expect(seq_cache_get(c, shop, &last) && last == 0);
	cr_expect(seq_cache_get(c, customer, &last) && last == 7);
	seq_cache_put(c, shop, 1);
	cr_expect(seq_cache_get(c, shop, &last) && last == 1);
	seq_cache_forget(c);
	cr_expect(!seq_cache_get(c, shop, &last));
	seq_cache_free(c);
	cr_expect(no_leaks());
}

Test(relay, last_numbers_of_many_channels)
{
	struct seq_cache *c = seq_cache_new();
	uint64_t last;
	for (uint64_t id = 1; id <= SEQ_CACHE_MAX; id++) {
		seq_cache_make_room(c, 1);
		seq_cache_put(c, (struct channel){ id % 2 ? CHANNEL_SHOP : CHANNEL_CUSTOMER, id * 1000003 }, id);
	}
	for (uint64_t id = 1; id <= SEQ_CACHE_MAX; id++)
		cr_expect(seq_cache_get(c, (struct channel){ id % 2 ? CHANNEL_SHOP : CHANNEL_CUSTOMER, id * 1000003 }, &last) && last == id);
	/* known ones may change in a full cache; for a new one everything goes */
	seq_cache_put(c, (struct channel){ CHANNEL_SHOP, 1000003 }, 2);
	cr_expect(seq_cache_get(c, (struct channel){ CHANNEL_SHOP, 1000003 }, &last) && last == 2);
	seq_cache_make_room(c, 1);
	cr_expect(!seq_cache_get(c, (struct channel){ CHANNEL_SHOP, 1000003 }, &last));
	seq_cache_free(c);
}

static void add(struct window *w, const char *body)
{
	window_add(w, &(struct pub_row){ w->next, { CHANNEL_SHOP, 3 }, w->next * 10, str_from(body) });
}

Test(relay, newest_messages)
{
	struct window *w = window_new();
	window_reset(w, 41);
	cr_expect_null(window_find(w, 40));
	cr_expect_null(window_find(w, 41));
	add(w, "first");
	add(w, "");
	const struct relay_msg *m = window_find(w, 41);
	cr_assert_not_null(m);
	cr_expect(m->pub_no == 41 && m->seq == 410 && m->channel.id == 3 && m->len == 5);
	cr_expect_str_eq(m->body, "first");
	cr_expect_str_eq(window_find(w, 42)->body, "");
	cr_expect_null(window_find(w, 43));
	for (int i = 0; i < WINDOW_SLOTS - 1; i++)
		add(w, "a longer one, which takes the place of the first");
	cr_expect_null(window_find(w, 41), "the oldest gave way");
	cr_expect_not_null(window_find(w, 42));
	cr_expect_not_null(window_find(w, 41 + WINDOW_SLOTS));
	window_reset(w, 41);
	cr_expect_null(window_find(w, 42));
	window_free(w);
	window_free(NULL);
	cr_expect(no_leaks());
}

/* The whole pause in ms; what is waited is between half of it and all. */
static const struct { enum push_verdict v; unsigned failures; int64_t max_ms, ms; } pauses[] = {
	{ PUSH_RETRY, 1, 5000, 50 }, { PUSH_RETRY, 2, 5000, 100 }, { PUSH_RETRY, 5, 5000, 800 }, { PUSH_RETRY, 8, 5000, 5000 },
	{ PUSH_RETRY, 4000000000, 5000, 5000 }, { PUSH_RETRY, 1, 20, 20 }, { PUSH_RETRY, 4000000000, 600000, 600000 },
	{ PUSH_AWAY, 1, 5000, 50 }, { PUSH_AWAY, 2, 5000, 100 }, { PUSH_AWAY, 10, 5000, 500 }, { PUSH_AWAY, 24, 60000, 500 },
	{ PUSH_AWAY, 25, 60000, 800 }, { PUSH_AWAY, 27, 60000, 3200 }, { PUSH_AWAY, 4000000000, 60000, 60000 }, { PUSH_AWAY, 5, 100, 100 },
};

Test(relay, pauses)
{
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
		for (unsigned random = 0; random < 3000; random += 37) {
			int64_t us = relay_pause_us(pauses[i].v, pauses[i].failures, pauses[i].max_ms, random);
			cr_expect(us >= pauses[i].ms * 500 && us <= pauses[i].ms * 1000, "row %zu: %lld us", i, (long long)us);
		}
}

static const struct { long status; enum push_verdict v; } verdicts[] = {
	{ 200, PUSH_ACCEPTED }, { 201, PUSH_ACCEPTED }, { 202, PUSH_ACCEPTED }, { 299, PUSH_ACCEPTED },
	{ 400, PUSH_REFUSED }, { 403, PUSH_REFUSED }, { 404, PUSH_REFUSED }, { 413, PUSH_REFUSED }, { 499, PUSH_REFUSED },
	{ 408, PUSH_RETRY }, { 429, PUSH_RETRY }, { 500, PUSH_RETRY }, { 503, PUSH_RETRY }, { 507, PUSH_RETRY },
	{ 0, PUSH_RETRY }, { 100, PUSH_RETRY }, { 199, PUSH_RETRY }, { 300, PUSH_RETRY }, { 304, PUSH_RETRY }, { 399, PUSH_RETRY }, { 600, PUSH_RETRY },
};

Test(relay, verdicts)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		cr_expect_eq(push_verdict_of(verdicts[i].status), verdicts[i].v, "%ld", verdicts[i].status);
}

static const struct { const char *url; bool is_good; } urls[] = {
	{ "unix:/run/push/pub.sock", true }, { "http://127.0.0.1:8081", true }, { "http://[::1]:8081", true }, { "http://push.example", true },
	{ "", false }, { "unix:", false }, { "unix:relative", false }, { "http://", false }, { "http://:80", false }, { "https://push.example", false },
	{ "http://push.example/", false }, { "http://push.example/x", false }, { "http://push.example?x", false }, { "http://user@push.example", false },
	{ "/run/push/pub.sock", false }, { "127.0.0.1:8081", false }, { "file:///etc/passwd", false },
};

Test(relay, addresses_of_instances)
{
	struct push_pool *pool = push_pool_new();
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		char why[256] = "";
		struct push *p = push_new(pool, urls[i].url, why, sizeof why);
		cr_expect_eq(p != NULL, urls[i].is_good, "%s", urls[i].url);
		cr_expect_eq(*why == '\0', urls[i].is_good, "%s: %s", urls[i].url, why);
		push_free(p);
	}
	push_pool_free(pool);
}

/* Steps as "seconds cursor"; what is settled when the worker answers at that time. */
static const struct { const char *steps; double at; uint64_t settled; } doubts[] = {
	{ "", 0, 7 },
	{ "", 1000, 7 },
	{ "1 8", 10.9, 7 },
	{ "1 8", 11, 8 },
	{ "1 8 2 9 4 10 6 11", 15.9, 7 },
	{ "1 8 2 9 4 10 6 11", 16, 11 },
	{ "1 8 2 9 4 10 6 11", 100, 11 },
	/* where it was marked, ten seconds later; and that was at least ten seconds ago */
	{ "1 8 9 9 11 10", 18.9, 7 },
	{ "1 8 9 9 11 10", 19, 9 },
	{ "1 8 9 9 11 10 18 11 21.5 12", 21.5, 9 },
	/* sent again */
	{ "1 8 2 9 5 8 6 9", 12, 9 },
	{ "1 8 2 9 5 7", 12, 9 },
};

static void note_steps(struct doubt *d, const char *steps)
{
	double s;
	unsigned long long cursor;
	int used;
	for (; sscanf(steps, " %lf %llu%n", &s, &cursor, &used) == 2; steps += used)
		doubt_note(d, cursor, (int64_t)(s * 1e6));
}

Test(relay, doubt)
{
	for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
		struct doubt d;
		doubt_reset(&d, 7, 0);
		note_steps(&d, doubts[i].steps);
		cr_expect_eq(doubt_heard(&d, "", true, 99, (int64_t)(doubts[i].at * 1e6)), 99);
		uint64_t settled = doubt_settled(&d);
		cr_expect_eq(settled, doubts[i].settled, "%s at %g: %llu", doubts[i].steps, doubts[i].at, (unsigned long long)settled);
	}
}

Test(relay, doubt_lasts_while_nothing_is_heard)
{
	struct doubt d;
	doubt_reset(&d, 7, 0);
	doubt_heard(&d, "17", false, 7, 0);
	doubt_note(&d, 9, 1);
	cr_expect_eq(doubt_heard(&d, "18", false, 9, INT64_C(1000000000)), 7);
}

Test(relay, doubt_of_a_long_busy_time_reaches_back_ten_to_twenty_seconds)
{
	struct doubt d;
	int64_t now = 0;
	doubt_reset(&d, 0, 0);
	/* a message each millisecond, number by number */
	for (uint64_t n = 1; n <= 60000; n++) {
		doubt_note(&d, n, now += 1000);
		if (n % 997 == 0 && n > 20000) {
			uint64_t settled = doubt_settled(&d);
			cr_assert(settled <= n - 10000 && settled + 20001 > n, "%llu at %llu", (unsigned long long)settled, (unsigned long long)n);
		}
	}
}

Test(relay, resumed_doubt_ages)
{
	const instant saved = INT64_C(1800000000000000);
	const int64_t now = INT64_C(5000000000);
	struct push_cursor known = { .pub_no = 20, .marked = 15, .settled = 12, .at = saved, .marked_at = saved - 6000000, .worker = "17" };
	/* how old it is when it is resumed, and when, after that, the same worker answers */
	static const struct { double age, at; uint64_t settled; } rows[] = {
		{ 0, 0, 12 }, { 0, 3.9, 12 }, { 0, 4, 15 }, { 0, 9.9, 15 }, { 0, 10, 20 }, { 4, 0, 15 }, { 4, 6, 20 }, { 10, 0, 20 }, { 1000, 0, 20 },
		/* the wall clock was set back */
		{ -50, 9.9, 12 }, { -50, 10, 20 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct doubt d;
		struct push_cursor again = { .pub_no = 20 };
		doubt_resume(&d, &known, saved + (int64_t)(rows[i].age * 1e6), now);
		doubt_save(&d, &again, saved, now);
		cr_expect(again.marked == 15 && again.settled == 12 && !strcmp(again.worker, "17"));
		cr_expect(again.at == saved - (rows[i].age > 0 ? (instant)(rows[i].age * 1e6) : 0));
		cr_expect_eq(doubt_heard(&d, "17", false, 20, now + (int64_t)(rows[i].at * 1e6)), 20);
		cr_expect_eq(doubt_settled(&d), rows[i].settled, "row %zu", i);
	}
}

/* New connections as "second worker" ("-": unknown), where messages up to 9 were accepted at second 0; what they go on from. */
static const struct { const char *name, *before, *connections; uint64_t from[6]; } connections[] = {
	{ "the same worker", "17", "1 17 2 17", { 9, 9 } },
	{ "another", "17", "1 18 2 18", { 7, 9 } },
	{ "each time another", "17", "1 18 2 19 3 20 4 21 5 22", { 7, 7, 7, 7, 7 } },
	{ "two in turns", "17", "1 18 2 17 3 18 4 17 5 18 6 17", { 7, 7, 7, 7, 9, 9 } },
	{ "the same, then another", "17", "10 17 11 18", { 9, 9 } },
	{ "known first now", "", "1 18 2 18", { 7, 9 } },
	{ "does not say", "", "1 - 2 - 3 - 4 - 5 -", { 7, 7, 7, 9, 9 } },
	{ "says no longer", "17", "1 -", { 7 } },
};

Test(relay, doubt_where_a_new_connection_leads_elsewhere)
{
	for (size_t i = 0; i < sizeof connections / sizeof *connections; i++) {
		struct doubt d;
		const char *at = connections[i].connections;
		char worker[24];
		int second, used;
		doubt_reset(&d, 7, 0);
		cr_assert_eq(doubt_heard(&d, connections[i].before, false, 7, 0), 7);
		doubt_note(&d, 9, 0);
		for (size_t k = 0; sscanf(at, " %d %23s%n", &second, worker, &used) == 2; at += used, k++) {
			uint64_t from = doubt_heard(&d, *worker == '-' ? "" : worker, false, 9, second * INT64_C(1000000));
			cr_expect_eq(from, connections[i].from[k], "%s, connection %zu: %llu", connections[i].name, k, (unsigned long long)from);
		}
	}
}
