/* ep_metrics.c - GET /_metrics: what was done by the processes of this machine, how notifications go, and how the push instances are.
 * Owns: which families there are, what they are called. Does not own: counting (metrics.c), the form (prom.c), who may ask: nginx lets
 * this machine alone come here. */
#include "ep.h"

#include <stdio.h>

#include "db_outbox.h"
#include "problem.h"
#include "prom.h"
#include "push_status.h"
#include "reply.h"
#include "route.h"

/* A push instance on this machine answers at once, or hangs; no worker shall hang with it, nor with all of them. */
#define PUSH_WAIT_MS 300
#define ALL_WAIT_US INT64_C(1000000)
/* While more than that wait, how many does not matter, and counting them would take its time. */
#define ROWS_COUNTED 10000

static const char *const class_names[METRICS_CLASSES] = { "2xx", "3xx", "4xx", "5xx" };

/* ---- requests ---- */

static void add_route(struct buf *b, unsigned row)
{
	size_t n;
	const struct route *routes = route_table(&n);
	bool has_route = row < n;
	prom_label(b, "method", str_from(has_route ? http_method_name(routes[row].method) : "none"));
	prom_label(b, "route", str_from(has_route ? routes[row].path : "none"));
}

static uint64_t requests_of(const struct metrics_row *row, unsigned class)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < METRICS_BUCKETS; i++)
		n += metrics_get(&row->bucket[class][i]);
	return n;
}

#define DURATION "pickup_http_request_duration_seconds"

static void begin_duration(struct buf *b, const char *suffix, unsigned row, unsigned class)
{
	prom_sample(b, DURATION, suffix);
	add_route(b, row);
	prom_label(b, "status", str_from(class_names[class]));
}

static void add_bound(struct buf *b, unsigned i)
{
	char text[24] = "+Inf";
	if (i < METRICS_BUCKETS - 1)
		snprintf(text, sizeof text, "%g", (double)metrics_bounds_us[i] / 1e6);
	prom_label(b, "le", str_from(text));
}

/* The count is that of the buckets, so that they agree whatever was counted meanwhile. */
static void add_durations(struct buf *b, const struct metrics_row *r, unsigned row, unsigned class)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < METRICS_BUCKETS; i++) {
		n += metrics_get(&r->bucket[class][i]);
		begin_duration(b, "_bucket", row, class);
		add_bound(b, i);
		prom_count(b, n);
	}
	begin_duration(b, "_sum", row, class);
	prom_seconds(b, metrics_get(&r->us[class]));
	begin_duration(b, "_count", row, class);
	prom_count(b, n);
}

static bool is_used(const struct metrics_row *r)
{
	for (unsigned c = 0; c < METRICS_CLASSES; c++)
		if (requests_of(r, c))
			return true;
	return false;
}

static void add_requests(struct buf *b, const struct metrics_slot *all)
{
	prom_family(b, DURATION, "histogram", "Time from when the head of a request was read to the end of its answer, in the workers.");
	for (unsigned row = 0; row < METRICS_ROWS; row++)
		for (unsigned c = 0; c < METRICS_CLASSES; c++)
			if (requests_of(&all->rows[row], c))
				add_durations(b, &all->rows[row], row, c);
	prom_family(b, "pickup_http_request_database_seconds_total", "counter", "How much of that was spent on the database, waiting included.");
	for (unsigned row = 0; row < METRICS_ROWS; row++)
		if (is_used(&all->rows[row])) {
			prom_sample(b, "pickup_http_request_database_seconds_total", "");
			add_route(b, row);
			prom_seconds(b, metrics_get(&all->rows[row].db_us));
		}
	prom_family(b, "pickup_http_request_statements_total", "counter", "Statements sent to the database for requests.");
	for (unsigned row = 0; row < METRICS_ROWS; row++)
		if (is_used(&all->rows[row])) {
			prom_sample(b, "pickup_http_request_statements_total", "");
			add_route(b, row);
			prom_count(b, metrics_get(&all->rows[row].statements));
		}
}

/* ---- processes ---- */

/* As others tell it: the version is a label, and the value says nothing. */
static void add_version(struct buf *b)
{
	prom_family(b, "pickup_build_info", "gauge", "1; the version of the worker that answers this.");
	prom_sample(b, "pickup_build_info", "");
	prom_label(b, "version", STR(PACKAGE_VERSION));
	prom_count(b, 1);
}

static void add_processes(struct buf *b, const struct metrics_sum *sum)
{
	const struct metrics_slot *all = &sum->all;
	add_version(b);
	prom_one(b, "pickup_workers", "gauge", "Workers that run on this machine.", sum->workers);
	prom_one(b, "pickup_workers_busy", "gauge", "Workers with a request in hand; one of them answers this.", sum->busy);
	prom_one(b, "pickup_worker_starts_total", "counter", "Workers that were started.", metrics_get(&all->starts[METRICS_WORKER]));
	prom_one(b, "pickup_database_connections_total", "counter", "Connections to the database that workers made.", metrics_get(&all->connections));
	prom_one(b, "pickup_transaction_replays_total", "counter", "Transactions that were begun again after a deadlock or a lock wait.",
		metrics_get(&all->replays));
	prom_one(b, "pickup_relays", "gauge", "Relays that run on this machine, at work or standing by.", sum->relays);
	prom_one(b, "pickup_relay_starts_total", "counter", "Relays that were started on this machine.", metrics_get(&all->starts[METRICS_RELAY]));
	prom_one(b, "pickup_relay_published_total", "counter", "Notifications that push instances took from the relays of this machine.",
		metrics_get(&all->published));
	prom_one(b, "pickup_relay_failures_total", "counter", "Tries to publish that failed and are made again.", metrics_get(&all->failures));
	prom_one(b, "pickup_relay_refused_total", "counter", "Notifications that a push instance refused for good and that were put aside.",
		metrics_get(&all->refused));
	prom_one(b, "pickup_orders_expired_total", "counter", "Orders cancelled as nobody accepted them in time.", metrics_get(&all->expired));
}

/* ---- notifications, as the database knows them ---- */

static uint64_t age_us(const struct req *r, instant since)
{
	return since != INSTANT_NONE && since < r->now ? (uint64_t)(r->now - since) : 0;
}

static void add_age(struct req *r, struct buf *b, const char *name, const char *help, instant since)
{
	prom_family(b, name, "gauge", help);
	prom_sample(b, name, "");
	prom_seconds(b, age_us(r, since));
}

static enum outcome add_notifications(struct req *r, struct buf *b)
{
	struct lease lease;
	uint64_t waiting = 0, refused = 0;
	instant oldest = INSTANT_NONE;
	enum outcome oc = db_lease_get(r->app->db, r->arena, &lease);
	if (oc == OC_OK)
		oc = db_outbox_waiting(r->app->db, ROWS_COUNTED, &waiting, &oldest);
	if (oc == OC_OK)
		oc = db_refusal_count(r->app->db, &refused);
	if (oc != OC_OK)
		return oc;
	prom_one(b, "pickup_relay_lease_held", "gauge", "1: a relay is at work, on whatever machine; 0: nothing is published.", lease.is_held);
	prom_one(b, "pickup_relay_failing", "gauge", "1: the relay at work can't publish to some push instance.", lease.is_failing);
	prom_one(b, "pickup_outbox_rows", "gauge", "Notifications without a number yet; counted up to 10000.", waiting);
	add_age(r, b, "pickup_outbox_oldest_age_seconds", "How long the oldest of these has waited.", oldest);
	prom_one(b, "pickup_push_refusals", "gauge", "Notifications that were put aside and stand in push_refusals.", refused);
	return OC_OK;
}

/* ---- push instances ---- */

struct instance {
	struct str url;
	struct push_status status;
	bool is_asked, has_lag;
	uint64_t behind;
	instant since;
};

#define INSTANCES_MAX 16
struct instances { struct instance v[INSTANCES_MAX]; size_t n; };

static void look_at_instances(struct req *r, struct instances *all, bool has_db)
{
	int64_t until = clock_mono() + ALL_WAIT_US;
	for (struct str rest = str_from(r->app->conf->push_urls); rest.len && all->n < INSTANCES_MAX; ) {
		struct instance *i = &all->v[all->n];
		i->url = str_cut(rest, ' ', &rest);
		if (!i->url.len)
			continue;
		all->n++;
		i->is_asked = clock_mono() < until;
		if (i->is_asked)
			push_status_get(i->url, PUSH_WAIT_MS, &i->status);
		i->has_lag = has_db && db_cursor_lag(r->app->db, i->url, &i->behind, &i->since) == OC_OK;
	}
}

static void begin_instance(struct buf *b, const char *name, const struct instance *i)
{
	prom_sample(b, name, "");
	prom_label(b, "instance", i->url);
}

static void add_lag(struct req *r, struct buf *b, const struct instances *all)
{
	prom_family(b, "pickup_push_backlog", "gauge", "Numbered notifications that a push instance has yet to get.");
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].has_lag) {
			begin_instance(b, "pickup_push_backlog", &all->v[i]);
			prom_count(b, all->v[i].behind);
		}
	prom_family(b, "pickup_push_oldest_age_seconds", "gauge", "How long the oldest of these has waited; known to a fraction of a second.");
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].has_lag) {
			begin_instance(b, "pickup_push_oldest_age_seconds", &all->v[i]);
			prom_seconds(b, age_us(r, all->v[i].since));
		}
}

static const struct { const char *name, *type, *help; } figures[PUSH_FIGURES] = {
	[PUSH_PUBLISHED] = { "pickup_push_published_total", "counter", "Messages published at the push instance since it started." },
	[PUSH_STORED] = { "pickup_push_stored_messages", "gauge", "Messages that it keeps." },
	[PUSH_MEMORY_USED] = { "pickup_push_shared_memory_used_bytes", "gauge", "Its shared memory in use: restart it where that stays above half." },
	[PUSH_MEMORY_LIMIT] = { "pickup_push_shared_memory_limit_bytes", "gauge", "Its shared memory in all (nchan_shared_memory_size)." },
	[PUSH_CHANNELS] = { "pickup_push_channels", "gauge", "Channels that it knows." },
	[PUSH_SUBSCRIBERS] = { "pickup_push_subscribers", "gauge", "Open subscriptions." },
};

static void add_instances(struct buf *b, const struct instances *all)
{
	prom_family(b, "pickup_push_up", "gauge", "1: the push instance answers this machine.");
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].is_asked) {
			begin_instance(b, "pickup_push_up", &all->v[i]);
			prom_count(b, all->v[i].status.status == 200);
		}
	for (size_t f = 0; f < PUSH_FIGURES; f++) {
		prom_family(b, figures[f].name, figures[f].type, figures[f].help);
		for (size_t i = 0; i < all->n; i++)
			if (all->v[i].status.has[f]) {
				begin_instance(b, figures[f].name, &all->v[i]);
				prom_count(b, all->v[i].status.figure[f]);
			}
	}
}

/* ---- the endpoint ---- */

static enum outcome refuse(struct req *r, enum outcome oc)
{
	if (!*r->app->conf->metrics_file)
		return problem_reply(r, PROBLEM_NOT_FOUND, "Nothing is counted here: PICKUP_METRICS_FILE is not set.");
	return problem_reply(r, PROBLEM_UNAVAILABLE, oc == OC_CONFLICT ? "Workers of another version count here now." : "The counters can't be reached; the log says why.");
}

/* Where the database is away, all else is told. */
enum outcome ep_metrics(struct req *r)
{
	struct metrics_sum *sum = arena_alloc(r->arena, sizeof *sum);
	struct instances *all = arena_alloc(r->arena, sizeof *all);
	enum outcome oc = metrics_read(r->app->metrics, sum);
	if (oc != OC_OK)
		return refuse(r, oc);
	struct buf *b = reply_json(r, 200);
	r->reply->content_type = PROM_TYPE;
	add_requests(b, &sum->all);
	add_processes(b, sum);
	bool has_db = add_notifications(r, b) == OC_OK;
	prom_one(b, "pickup_database_up", "gauge", "1: the database answers.", has_db);
	look_at_instances(r, all, has_db);
	if (has_db)
		add_lag(r, b, all);
	add_instances(b, all);
	return OC_OK;
}
