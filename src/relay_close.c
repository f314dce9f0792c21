/* relay_close.c - ends the subscriptions of channels that stand in channel_closes: whoever subscribes again is judged anew.
 * Owns: looking at that table, asking the push instances, deleting what all of them have done. Does not own: what is due when
 * (relay_closes.c), HTTP (push.c), messages (relay_lane.c), with which this shares nothing but the loop: it asks on connections of its own.
 * Used by: relay.c, relay_lane.c.
 *
 * A row is deleted after each instance has done it twice. A relay that takes over knows nothing of what was done before and begins with all of
 * them again, so they are done at least so often. No message is lost by it: nchan forgets what it kept for the channel, and who comes
 * again catches up by number. */
#include "relay.h"

#include <stdlib.h>

#include "log.h"

#define PAGE_ROWS 256
/* Between two looks, however often we are woken. */
#define LOOK_PAUSE_US INT64_C(50000)
/* And however seldom the outbox is polled: a poke may have come with that of a message. */
#define LOOK_LATEST_US INT64_C(1000000)
#define NOT_FOUND 404		/* a channel that nobody used lately */

void closer_init(struct closer *k, struct push_pool *pool, const char *url)
{
	char why[512];
	*k = (struct closer){ .push = push_new(pool, url, why, sizeof why) };
}

void closer_clear(struct closer *k)
{
	push_free(k->push);
}

void relay_close_forget(struct relay *r)
{
	for (size_t i = 0; i < r->lane_n; i++) {
		struct push *push = r->lanes[i]->closer.push;
		push_drop(push);
		r->lanes[i]->closer = (struct closer){ .push = push };
	}
	closes_reset(r->closes, r->lane_n);
	r->closes_after = 0;
	r->closes_at = r->closes_looked = 0;
}

/* ---- the table ---- */

/* Pages, since rows that an instance keeps waiting stand before the new ones; then from the first again, as ids are no order of commits. */
static void look(struct relay *r)
{
	struct close_row *rows;
	size_t n, taken = 0;
	int64_t now = clock_mono();
	arena_reset(r->arena);
	if (!relay_db_ok(r, db_closes_fetch(r->db, r->arena, r->closes_after, PAGE_ROWS, &rows, &n)))
		return;
	while (taken < n && closes_add(r->closes, &rows[taken], now))
		taken++;
	bool is_more = n == PAGE_ROWS && taken == n;
	r->closes_after = is_more ? rows[n - 1].id : 0;
	r->closes_looked = now;
	int64_t pause = r->conf->relay_poll_ms * 1000;
	r->closes_at = is_more ? now : now + (pause < LOOK_LATEST_US ? pause : LOOK_LATEST_US);
}

void relay_close_poked(struct relay *r)
{
	if (r->closes_at > r->closes_looked + LOOK_PAUSE_US)
		r->closes_at = r->closes_looked + LOOK_PAUSE_US;
}

static void tidy(struct relay *r)
{
	uint64_t ids[CLOSES_DELETE_MAX];
	size_t n = closes_done(r->closes, ids, CLOSES_DELETE_MAX);
	if (!n || !relay_db_ok(r, db_closes_delete(r->db, ids, n)))
		return;
	closes_remove(r->closes, ids, n);
	log_info("%zu channels were closed: who subscribes again is judged anew", n);
}

/* ---- the instances ---- */

static void failed(struct relay *r, struct lane *l, size_t instance, enum push_verdict v)
{
	struct closer *k = &l->closer;
	const char *kind = channel_kind_name(k->ask.channel.kind);
	unsigned long long id = k->ask.channel.id;
	if (k->failures++ == 0)
		log_warn("push %s: DELETE /pub/%s/%llu: %s; trying again", l->url, kind, id, push_reason(k->push));
	k->retry_at = clock_mono() + relay_pause_us(v, k->failures, r->conf->push_retry_max_ms, (unsigned)rand_r(&r->random));
	if (closes_failed(r->closes, instance, k->ask.slot, clock_mono()))
		log_warn("push %s: subscribers of %s %llu could not be made to come again; given up", l->url, kind, id);
}

static void settle(struct relay *r, struct lane *l, size_t instance)
{
	struct closer *k = &l->closer;
	enum push_verdict v = push_take(k->push);
	if (v == PUSH_NONE)
		return;
	k->is_asking = false;
	if (v != PUSH_ACCEPTED && push_status(k->push) != NOT_FOUND) {
		failed(r, l, instance, v);
		return;
	}
	if (k->failures)
		log_info("push %s: closes channels again after %u failures", l->url, k->failures);
	k->failures = 0;
	closes_answered(r->closes, instance, k->ask.slot, clock_mono());
}

static void ask(struct relay *r, struct lane *l, size_t instance)
{
	struct closer *k = &l->closer;
	int64_t now = clock_mono();
	if (k->is_asking || (k->failures && now < k->retry_at) || !closes_next(r->closes, instance, now, &k->ask))
		return;
	k->is_asking = true;
	push_close(k->push, k->ask.channel, r->conf->push_timeout_ms);
}

void relay_close_turn(struct relay *r)
{
	if (clock_mono() >= r->closes_at && relay_db_ready(r))
		look(r);
	for (size_t i = 0; i < r->lane_n && !closes_is_empty(r->closes); i++) {
		settle(r, r->lanes[i], i);
		ask(r, r->lanes[i], i);
	}
	if (closes_has_done(r->closes) && relay_db_ready(r))
		tidy(r);
}

/* ---- what others ask ---- */

static int64_t closer_due(const struct relay *r, size_t instance)
{
	const struct closer *k = &r->lanes[instance]->closer;
	if (push_has_ended(k->push))
		return 0;
	if (k->is_asking)
		return INT64_MAX;
	int64_t due = closes_due(r->closes, instance);
	return k->failures && k->retry_at > due ? k->retry_at : due;
}

int64_t relay_close_due(const struct relay *r)
{
	int64_t due = closes_has_done(r->closes) ? 0 : r->closes_at;
	if (due < r->db_at)
		due = r->db_at;
	for (size_t i = 0; i < r->lane_n && !closes_is_empty(r->closes); i++) {
		int64_t at = closer_due(r, i);
		due = at < due ? at : due;
	}
	return due;
}

bool relay_close_done(const struct relay *r)
{
	return r->closes_looked && !r->closes_after && closes_is_empty(r->closes);
}
