/* relay_lane.c - publishing: one lane a push instance, each at its own pace.
 * Owns: cursors, back-off, what is put aside. Does not own: numbers (relay_step.c), what goes next (relay_hand.c), HTTP (push.c).
 * Used by: relay.c, relay_step.c. */
#include "relay.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

#define CURSOR_PAUSE_US 200000
/* Tries that go on soon where nobody listens: about the ten seconds that a restart may take. */
#define AWAY_SOON 24
/* Answers taken in one turn, where they come at once; then it is the outbox's turn. */
#define ROUNDS_MAX (2 * PUSH_AT_ONCE)
#define INSTANCE_MAX 255	/* push_cursors.instance */
/* An instance that keeps no connection can't be asked and served on the same one, one that does not answer can't be asked. */
#define CUTS_MAX 3
/* With something in doubt and nothing to send. */
#define ASK_PAUSE_US 500000

/* ---- pauses ---- */

int64_t relay_pause_us(enum push_verdict v, unsigned failures, int64_t max_ms, unsigned random)
{
	int64_t ms;
	if (v == PUSH_AWAY && failures <= AWAY_SOON)
		ms = failures < 10 ? (int64_t)failures * 50 : 500;
	else {
		unsigned doublings = v == PUSH_AWAY ? failures - AWAY_SOON + 3 : failures - 1;
		ms = INT64_C(50) << (doublings < 20 ? doublings : 20);
	}
	int64_t us = (ms < max_ms ? ms : max_ms) * 1000;
	return us / 2 + (int64_t)(random % 1000) * us / 2000;
}

/* ---- which lanes there are ---- */

static struct lane *lane_new(struct relay *r, const char *url)
{
	char why[512];
	struct push *push = push_new(r->pool, url, why, sizeof why);
	if (!push) {
		log_error("push: %s; ignored", why);
		return NULL;
	}
	struct lane *l = calloc(1, sizeof *l);
	if (!l || !(l->url = strdup(url)))
		log_die("no memory for a push instance");
	l->push = push;
	closer_init(&l->closer, r->pool, url);
	l->page_arena = arena_new();
	return l;
}

static void lane_free(struct lane *l)
{
	if (!l)
		return;
	push_free(l->push);
	closer_clear(&l->closer);
	for (size_t i = 0; i < PUSH_AT_ONCE; i++)
		relay_msg_clear(&l->hand[i]);
	arena_free(l->page_arena);
	free(l->url);
	free(l);
}

static struct lane *find_lane(struct lane **lanes, size_t n, const char *url)
{
	for (size_t i = 0; i < n; i++)
		if (lanes[i] && !strcmp(lanes[i]->url, url))
			return lanes[i];
	return NULL;
}

/* Moves the lane out of the old ones, or makes it. */
static struct lane *take_lane(struct relay *r, struct lane **old, size_t n, const char *url)
{
	struct lane *l = find_lane(old, n, url);
	for (size_t i = 0; i < n; i++)
		if (old[i] == l)
			old[i] = NULL;
	return l ? l : lane_new(r, url);
}

void relay_lanes_configure(struct relay *r)
{
	char *urls = strdup(r->conf->push_urls), *save = NULL;
	struct lane **old = r->lanes, **lanes = urls ? calloc(strlen(urls) / 2 + 1, sizeof *lanes) : NULL;
	size_t n = 0;
	if (!lanes)
		log_die("no memory for push instances");
	for (char *url = strtok_r(urls, " \t", &save); url; url = strtok_r(NULL, " \t", &save)) {
		struct lane *l = NULL;
		if (strlen(url) > INSTANCE_MAX)
			log_error("push: an address above %d bytes is ignored", INSTANCE_MAX);
		else if (!find_lane(lanes, n, url))
			l = take_lane(r, old, r->lane_n, url);
		if (l)
			lanes[n++] = l;
	}
	for (size_t i = 0; i < r->lane_n; i++)
		lane_free(old[i]);
	free(old);
	free(urls);
	r->lanes = lanes;
	r->lane_n = n;
	relay_close_forget(r);
	if (n == 0)
		log_warn("no push instance is set (PICKUP_PUSH_URLS): notifications are numbered and kept, nobody is told");
}

void relay_lanes_free(struct relay *r)
{
	for (size_t i = 0; i < r->lane_n; i++)
		lane_free(r->lanes[i]);
	free(r->lanes);
	r->lanes = NULL;
	r->lane_n = 0;
}

/* ---- cursors ---- */

static void lane_go_to(struct lane *l, uint64_t cursor)
{
	l->cursor = cursor;
	hand_clear(l);
}

/* A new instance: what was published before it came is not its. In the books at once: found missing again after a crash, it would start
 * at a later head. */
static enum outcome lane_enter(struct relay *r, struct lane *l, struct push_cursor *known)
{
	struct doubt none;
	doubt_reset(&none, r->head, clock_mono());
	known->pub_no = r->head;
	doubt_save(&none, known, r->clock.now(&r->clock), clock_mono());
	log_info("push %s: a new instance, from number %llu on", l->url, (unsigned long long)r->head + 1);
	return db_cursor_set(r->db, str_from(l->url), known);
}

static enum outcome lane_start(struct relay *r, struct lane *l)
{
	struct push_cursor known;
	enum outcome oc = db_cursor_get(r->db, str_from(l->url), &known);
	if (oc == OC_NOT_FOUND)
		oc = lane_enter(r, l, &known);
	if (oc != OC_OK)
		return oc;
	l->saved = known.pub_no;
	/* Both are true: what we published and what was published since by others. */
	if (!l->is_started || l->cursor < known.pub_no) {
		doubt_resume(&l->doubt, &known, r->clock.now(&r->clock), clock_mono());
		lane_go_to(l, known.pub_no);
	}
	if (l->cursor > r->head) {
		log_warn("push %s: its cursor stood at %llu, beyond the last number %llu", l->url, (unsigned long long)l->cursor,
			(unsigned long long)r->head);
		doubt_reset(&l->doubt, r->head, clock_mono());
		lane_go_to(l, r->head);
	}
	l->is_connected = false;
	l->is_started = true;
	return OC_OK;
}

static void lane_halt(struct lane *l)
{
	push_drop(l->push);
	l->is_connected = false;
	l->refused = 0;
	lane_go_to(l, l->cursor);
	l->retry_at = l->read_at = 0;
}

enum outcome relay_lanes_start(struct relay *r)
{
	enum outcome oc = OC_OK;
	for (size_t i = 0; i < r->lane_n && oc == OC_OK; i++) {
		struct lane *l = r->lanes[i];
		/* What is in hand goes on, unless the database knows nothing of it (it was set back). */
		if (hand_first(l) && hand_last(l)->pub_no <= r->head)
			continue;
		lane_halt(l);
		oc = lane_start(r, l);
	}
	return oc;
}

void relay_lanes_halt(struct relay *r)
{
	for (size_t i = 0; i < r->lane_n; i++)
		lane_halt(r->lanes[i]);
}

static void lane_save(struct relay *r, struct lane *l)
{
	struct push_cursor c = { .pub_no = l->cursor };
	doubt_save(&l->doubt, &c, r->clock.now(&r->clock), clock_mono());
	if (relay_db_ok(r, db_cursor_set(r->db, str_from(l->url), &c)))
		l->saved = c.pub_no;
	l->save_at = clock_mono() + CURSOR_PAUSE_US;
}

static void lane_save_if_due(struct relay *r, struct lane *l)
{
	if (l->is_started && l->cursor != l->saved && clock_mono() >= l->save_at && relay_db_ready(r) && relay_may_publish(r))
		lane_save(r, l);
}

/* ---- answers ---- */

static void lane_well(struct lane *l)
{
	if (l->failures)
		log_info("push %s: well again after %u failures", l->url, l->failures);
	l->failures = 0;
	l->retry_at = 0;
}

static void lane_done(struct lane *l)
{
	if (l->cursor == l->saved)
		l->save_at = clock_mono() + CURSOR_PAUSE_US;
	l->cursor = hand_first(l)->pub_no;
	doubt_note(&l->doubt, l->cursor, clock_mono());
	hand_drop_first(l);
	if (push_was_kept(l->push))
		l->cuts = 0;
	else
		l->is_connected = false;
	lane_well(l);
}

/* Somebody is there, and has said who it is, or only that it does not. */
static void lane_heard(struct lane *l)
{
	bool is_kept = l->is_asked && push_was_kept(l->push);
	uint64_t from = doubt_heard(&l->doubt, push_worker(l->push), is_kept, l->cursor, clock_mono());
	l->is_connected = l->is_asked = true;
	if (!hand_first(l))
		lane_well(l);
	if (from == l->cursor)
		return;
	log_info("push %s: another worker; from number %llu on again", l->url, (unsigned long long)from + 1);
	lane_go_to(l, from);
}

static void lane_failed(struct relay *r, struct lane *l, enum push_verdict v)
{
	metrics_add(&metrics_own(r->metrics)->failures, 1);
	l->failed_with = push_status(l->push);
	if (l->failures++ == 0) {
		l->failing_since = r->clock.now(&r->clock);
		if (l->is_asking)
			log_warn("push %s: GET /pub/worker: %s; trying again", l->url, push_reason(l->push));
		else
			log_warn("push %s: number %llu: %s; trying again", l->url, (unsigned long long)hand_first(l)->pub_no, push_reason(l->push));
	}
	l->retry_at = clock_mono() + relay_pause_us(v, l->failures, r->conf->push_retry_max_ms, (unsigned)rand_r(&r->random));
}

static void lane_refused(struct lane *l)
{
	const struct relay_msg *m = hand_first(l);
	l->refused = push_status(l->push);
	log_warn("push %s: number %llu (%s %llu, seq %llu) refused with %ld, put aside", l->url, (unsigned long long)m->pub_no,
		channel_kind_name(m->channel.kind), (unsigned long long)m->channel.id, (unsigned long long)m->seq, l->refused);
}

/* What was refused is in the books before the lane goes on. */
static void lane_put_aside(struct relay *r, struct lane *l)
{
	instant now = r->clock.now(&r->clock);
	if (!relay_db_ok(r, db_refusal_insert(r->db, hand_first(l)->pub_no, str_from(l->url), (unsigned)l->refused, now)) ||
			!relay_db_ok(r, db_refusal_count(r->db, &r->put_aside)))
		return;
	r->prune_at = clock_mono();
	l->refused = 0;
	lane_done(l);
}

/* Any answer shows that somebody is there; whether messages are taken, messages will show. So does silence, in the end. */
static void settle_question(struct relay *r, struct lane *l, enum push_verdict v)
{
	if (push_status(l->push))
		l->unanswered = 0;
	else if (v == PUSH_RETRY)
		l->unanswered++;
	if (push_status(l->push) || l->unanswered >= CUTS_MAX)
		lane_heard(l);
	else
		lane_failed(r, l, v);
}

static void settle_message(struct relay *r, struct lane *l, enum push_verdict v)
{
	switch (v) {
	case PUSH_ACCEPTED:
		metrics_add(&metrics_own(r->metrics)->published, 1);
		lane_done(l);
		break;
	case PUSH_REFUSED:
		metrics_add(&metrics_own(r->metrics)->refused, 1);
		lane_refused(l);
		break;
	case PUSH_RETRY: case PUSH_AWAY:
		/* Answers to those sent with it are not waited for: their turn comes after this one. */
		l->is_connected = l->is_connected && push_status(l->push) && push_was_kept(l->push) && !push_in_flight(l->push);
		lane_failed(r, l, v);
		push_drop(l->push);
		break;
	case PUSH_CUT:
		l->is_connected = false;
		l->cuts++;
		break;
	case PUSH_NONE: case PUSH__MAX:
		break;
	}
}

static void lane_settle(struct relay *r, struct lane *l)
{
	/* What was refused stands in the books before the next verdict is looked at. */
	enum push_verdict v = l->refused ? PUSH_NONE : push_take(l->push);
	if (v == PUSH_NONE)
		return;
	if (l->is_asking) {
		settle_question(r, l, v);
		return;
	}
	if (!push_was_kept(l->push))
		l->is_asked = false;
	settle_message(r, l, v);
}

/* ---- sending ---- */

/* A connection that ends says nothing to a lane at rest: while something is in doubt, whoever is there is asked again and again. */
static int64_t ask_due(const struct lane *l)
{
	struct doubt d = l->doubt;
	if (!l->failures && doubt_settled(&d) >= l->cursor)
		return INT64_MAX;
	return l->ask_at > l->retry_at ? l->ask_at : l->retry_at;
}

static void send_hand(struct relay *r, struct lane *l)
{
	const struct relay_msg *m = hand_first(l);
	push_send(l->push, m->channel, m->seq, (struct str){ m->body, m->len }, r->conf->push_timeout_ms,
		l->cuts >= CUTS_MAX || l->unanswered >= CUTS_MAX);
	/* While one fails, those behind it would be sent again with each try. */
	while (!l->failures && m++ < hand_last(l) && push_add(l->push, m->channel, m->seq, (struct str){ m->body, m->len }))
		continue;
}

static void lane_send(struct relay *r, struct lane *l, bool chores)
{
	if (!l->is_started || push_in_flight(l->push) || l->refused)
		return;
	bool has_msg = hand_first(l) || hand_fill(r, l, chores);
	/* Asked last, since reading may have taken its time. */
	if (clock_mono() < l->retry_at || !relay_may_publish(r) || (!has_msg && clock_mono() < ask_due(l)))
		return;
	l->is_asking = !l->is_connected || !has_msg;
	l->ask_at = clock_mono() + ASK_PAUSE_US;
	/* One that keeps no connection is asked and served on two. */
	if (!l->is_asking)
		send_hand(r, l);
	else
		push_hello(l->push, r->conf->push_timeout_ms);
}

static void lane_chores(struct relay *r, struct lane *l)
{
	if (!l->is_started && relay_db_ready(r))
		(void)relay_db_ok(r, lane_start(r, l));
	if (l->refused && relay_db_ready(r))
		lane_put_aside(r, l);
}

static bool any_ended(const struct relay *r)
{
	for (size_t i = 0; i < r->lane_n; i++)
		if (push_has_ended(r->lanes[i]->push) && !r->lanes[i]->refused)
			return true;
	return false;
}

void relay_lanes_turn(struct relay *r, bool chores)
{
	unsigned rounds = 0;
	push_pool_work(r->pool);
	do {
		for (size_t i = 0; i < r->lane_n; i++) {
			lane_settle(r, r->lanes[i]);
			if (chores && relay_may_publish(r))
				lane_chores(r, r->lanes[i]);
			lane_send(r, r->lanes[i], chores);
		}
		push_pool_work(r->pool);
	} while (any_ended(r) && ++rounds < ROUNDS_MAX);
	for (size_t i = 0; chores && i < r->lane_n; i++)
		lane_save_if_due(r, r->lanes[i]);
}

static bool any_in_flight(const struct relay *r)
{
	for (size_t i = 0; i < r->lane_n; i++)
		if (push_in_flight(r->lanes[i]->push))
			return true;
	return false;
}

void relay_lanes_finish(struct relay *r, int64_t until)
{
	for (;;) {
		for (size_t i = 0; i < r->lane_n; i++) {
			lane_settle(r, r->lanes[i]);
			if (r->lanes[i]->refused && relay_db_ready(r))
				lane_put_aside(r, r->lanes[i]);
		}
		push_pool_work(r->pool);
		if (!any_in_flight(r) || clock_mono() >= until)
			break;
		push_pool_wait(r->pool, NULL, 0, any_ended(r) ? 0 : until - clock_mono());
	}
	for (size_t i = 0; i < r->lane_n; i++) {
		struct lane *l = r->lanes[i];
		if (l->is_started && l->cursor != l->saved && relay_db_ready(r) && relay_may_publish(r))
			lane_save(r, l);
	}
}

/* ---- what others ask ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What needs the database waits for it, or the loop would spin while that is away. */
static int64_t lane_due(const struct relay *r, const struct lane *l)
{
	int64_t due = INT64_MAX;
	if (l->refused || !l->is_started)
		return r->db_at;
	if (push_has_ended(l->push))
		return 0;
	if (l->cursor != l->saved)
		due = later(l->save_at, r->db_at);
	if (hand_first(l))
		return push_in_flight(l->push) ? due : earlier(due, l->retry_at);
	if (!push_in_flight(l->push))
		due = earlier(due, ask_due(l));
	return l->cursor < r->head ? earlier(due, later(l->read_at, r->db_at)) : due;
}

int64_t relay_lanes_due(const struct relay *r)
{
	int64_t due = INT64_MAX;
	for (size_t i = 0; i < r->lane_n; i++)
		due = earlier(due, lane_due(r, r->lanes[i]));
	return due;
}
