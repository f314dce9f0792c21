/* sql.c - the statements of one request, again and again, with no HTTP: what the database alone allows.
 * Owns: a load over t/bench/data.sql, its counts and latencies. Does not own: the statements (db_*.c).
 * Used by: t/bench/run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "db_order.h"
#include "db_outbox.h"
#include "event.h"
#include "log.h"
#include "timefmt.h"

enum { SHOPS = 20, PRODUCTS = 50, CUSTOMERS = 2000, ORDERS = 100000, PAGE = 50 };
/* Latencies: each bucket is a 64th above the last. */
enum { BUCKETS = 2048 };

struct tally { uint64_t n, failed, buckets[BUCKETS]; };

/* One connection and what it is asked for. */
struct load {
	struct db *db;
	struct arena *arena;
	struct clock clock;
	struct zone_cache *zones;
	unsigned random;
	uint64_t next_order, step;
};

typedef enum outcome request_fn(struct load *l);

static uint64_t pick(struct load *l, uint64_t n)
{
	return (uint64_t)rand_r(&l->random) % n + 1;
}

static enum outcome place(struct db *db, void *ctx)
{
	struct load *l = ctx;
	uint64_t shop = pick(l, SHOPS), customer = SHOPS + pick(l, CUSTOMERS), first = (shop - 1) * PRODUCTS, one = pick(l, PRODUCTS);
	struct stock_move moves[] = { { { first + one }, 1 }, { { first + one % PRODUCTS + 1 }, 1 } };
	struct place_look look;
	bool is_short;
	stock_moves_sort(moves, 2);
	enum outcome oc = db_place_take(db, l->arena, (struct user_id){ customer }, (struct shop_id){ shop }, moves, 2, &look, &is_short);
	if (oc != OC_OK || is_short || look.product_count != 2)
		return oc == OC_OK ? OC_BAD : oc;
	struct order_item items[2];
	struct order o = {
		.shop_id = { shop }, .customer_id = { customer }, .customer_name = look.customer_name, .type = ORDER_PRE_ORDER, .status = ORDER_PENDING,
		.scheduled_pickup_time = INT64_C(1898335800000000), .order_notes = STR("Will come at 5 PM sharp"), .version = 1, .accept_by = INSTANT_NONE,
		.created_at = l->clock.now(&l->clock), .timezone = look.timezone, .items = items, .item_count = 2,
	};
	o.updated_at = o.created_at;
	for (size_t i = 0; i < 2; i++) {
		const struct place_product *p = &look.products[i];
		items[i] = (struct order_item){ .line = (uint32_t)i + 1, .product_id = p->id, .product_name = p->name, .quantity = 1,
			.price = p->price, .stock_taken = true };
		o.total_amount += p->price;
	}
	struct event_new message = event_new_order(l->arena, &o, zone_get(l->zones, o.timezone));
	return db_place_write(db, &o, &message, 1);
}

static enum outcome request_place(struct load *l)
{
	return db_transact(l->db, place, l);
}

static enum outcome request_list(struct load *l)
{
	struct shop_id shop = { pick(l, SHOPS) };
	struct order_filter f = { 1u << ORDER_PRE_ORDER, 1u << ORDER_PENDING, INSTANT_NONE, ORDER_CURSOR_START, PAGE + 1 };
	struct order_page page;
	struct asker asker = { { shop.v }, true, l->clock.now(&l->clock) };
	return db_orders_of_shop(l->db, l->arena, shop, &asker, &f, &page);
}

/* Every order once. */
static enum outcome change(struct db *db, void *ctx)
{
	struct load *l = ctx;
	struct order_row row;
	enum outcome oc = db_order_seen(db, l->arena, (struct order_id){ l->next_order * 7919 % ORDERS + 1 }, (struct user_id){ 1 }, &row);
	if (oc != OC_OK)
		return oc;
	struct order next = row.order;
	next.status = ORDER_CONFIRMED;
	next.estimated_preparation_minutes = 20;
	next.updated_at = l->clock.now(&l->clock);
	struct db_done done;
	db_hold(db);
	oc = db_order_update(db, &next, &done);
	if (oc != OC_OK)
		return oc;
	next.version++;
	struct history_entry entries[] = { history_of_creation(&row.order), { .version = next.version, .status = next.status,
		.estimated_preparation_minutes = 20, .total_amount = next.total_amount, .set_by = row.owner_id, .set_by_role = ROLE_SHOPKEEPER,
		.at = next.updated_at } };
	oc = db_history_insert(db, next.id, entries, 2);
	if (oc != OC_OK)
		return oc;
	struct event event = event_order_changed(l->arena, &next, false, zone_get(l->zones, next.timezone));
	struct outbox_row message = outbox_row_of(&event, &next);
	oc = db_outbox_insert(db, &message, 1);
	return oc == OC_OK ? db_collect(db) : oc;
}

static enum outcome request_status(struct load *l)
{
	enum outcome oc = db_transact(l->db, change, l);
	l->next_order += l->step;
	return oc;
}

static const struct { const char *name; request_fn *run; } requests[] = {
	{ "place", request_place }, { "list", request_list }, { "status", request_status },
};

static unsigned bucket_of(uint64_t us)
{
	unsigned e = 0;
	while (us >> e > 1)
		e++;
	unsigned b = us ? 64 * e + (unsigned)((us << 6 >> e) - 64) : 0;
	return b < BUCKETS ? b : BUCKETS - 1;
}

static uint64_t bucket_start(unsigned b)
{
	return (UINT64_C(64) + b % 64) << (b / 64) >> 6;
}

static void work(request_fn *run, struct conf_store *settings, unsigned i, unsigned n, int64_t until, struct tally *t)
{
	struct load l = { .db = db_new(conf_get(settings)), .arena = arena_new(), .clock = clock_system(), .zones = zone_cache_new(""),
		.random = i * 7919 + 1, .next_order = i, .step = n };
	if (db_connect(l.db) != OC_OK)
		log_die("no database");
	for (int64_t now = clock_mono(); now < until; ) {
		arena_reset(l.arena);
		t->failed += run(&l) != OC_OK;
		int64_t then = now;
		now = clock_mono();
		t->buckets[bucket_of((uint64_t)(now - then))]++;
		t->n++;
	}
	_exit(0);
}

static uint64_t percentile(const struct tally *all, double part)
{
	uint64_t wanted = (uint64_t)((double)all->n * part), seen = 0;
	unsigned b = 0;
	while (b < BUCKETS - 1 && (seen += all->buckets[b]) <= wanted)
		b++;
	return bucket_start(b);
}

static void report(const struct tally *t, unsigned n, int64_t us)
{
	struct tally all = { 0 };
	for (unsigned i = 0; i < n; i++) {
		all.n += t[i].n;
		all.failed += t[i].failed;
		for (unsigned b = 0; b < BUCKETS; b++)
			all.buckets[b] += t[i].buckets[b];
	}
	printf("{\"n\":%llu,\"us\":%lld,\"p50\":%llu,\"p99\":%llu,\"failed\":%llu}\n", (unsigned long long)all.n, (long long)us,
		(unsigned long long)percentile(&all, 0.5), (unsigned long long)percentile(&all, 0.99), (unsigned long long)all.failed);
}

int main(int argc, char **argv)
{
	request_fn *run = NULL;
	char why[256];
	for (size_t i = 0; argc == 5 && i < sizeof requests / sizeof *requests; i++)
		if (!strcmp(argv[1], requests[i].name))
			run = requests[i].run;
	unsigned n = argc == 5 ? (unsigned)atoi(argv[3]) : 0;
	int64_t seconds = argc == 5 ? atoi(argv[4]) : 0;
	if (!run || n < 1 || n > 256 || seconds < 1) {
		fprintf(stderr, "usage: sql place|list|status OPTION_FILE CONNECTIONS SECONDS\n");
		return 64;
	}
	struct conf_store *settings = conf_new();
	if (!conf_set(settings, STR("PICKUP_DB_OPTION_FILE"), str_from(argv[2]), why, sizeof why))
		log_die("%s", why);
	struct tally *t = mmap(NULL, n * sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		log_die("no memory");
	int64_t began = clock_mono(), until = began + seconds * 1000000;
	for (unsigned i = 0; i < n; i++)
		if (fork() == 0)
			work(run, settings, i, n, until, &t[i]);
	while (wait(NULL) > 0)
		;
	report(t, n, clock_mono() - began);
	conf_free(settings);
	return 0;
}
