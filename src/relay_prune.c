/* relay_prune.c - forgets what is old: idempotency keys, events and their refusals, wrong passwords, photos (relay_uploads.c), a small batch at a time.
 * Owns: how much at once and how often. Does not own: the statements and that numbers go on (db_outbox.c).
 * Used by: relay.c, with the lease. */
#include "relay.h"

#include "db_login.h"
#include "log.h"

#define BATCH_ROWS 200
#define PRUNE_PAUSE_US INT64_C(60000000)
#define PRUNE_MORE_US INT64_C(100000)
/* While something is put aside: an admin who has deleted the rows wants to see them gone from our state. */
#define PRUNE_LOOK_US INT64_C(2000000)

/* Nothing is forgotten that a lane has yet to publish, be it far behind. Durable cursors: a crash must not move one behind a gap. */
static uint64_t published_by_all(const struct relay *r)
{
	uint64_t all = r->head;
	for (size_t i = 0; i < r->lane_n; i++) {
		uint64_t saved = r->lanes[i]->is_started ? r->lanes[i]->saved : 0;
		all = saved < all ? saved : all;
	}
	return all;
}

static void forget(struct relay *r)
{
	instant now = r->clock.now(&r->clock);
	instant keys_before = now - r->conf->idempotency_hours * 3600 * INSTANT_SECOND;
	instant events_before = now - r->conf->events_days * 86400 * INSTANT_SECOND;
	uint64_t keys = 0, events = 0, logins = 0;

	if (relay_db_ok(r, db_idem_prune(r->db, keys_before, BATCH_ROWS, &keys)))
		(void)relay_db_ok(r, db_events_prune(r->db, events_before, published_by_all(r), BATCH_ROWS, &events));
	if (relay_db_ready(r))
		(void)relay_db_ok(r, db_login_prune(r->db, now, BATCH_ROWS, &logins));
	if (r->put_aside && relay_db_ready(r))
		(void)relay_db_ok(r, db_refusal_count(r->db, &r->put_aside));
	if (keys + events)
		log_debug("pruned %llu idempotency keys and %llu events", (unsigned long long)keys, (unsigned long long)events);
	bool is_more = keys == BATCH_ROWS || events == BATCH_ROWS || logins >= BATCH_ROWS;
	r->forget_at = clock_mono() + (is_more ? PRUNE_MORE_US : r->put_aside ? PRUNE_LOOK_US : PRUNE_PAUSE_US);
}

void relay_prune(struct relay *r)
{
	if (clock_mono() >= r->forget_at)
		forget(r);
	if (clock_mono() >= r->uploads_at && relay_db_ready(r))
		relay_uploads(r);
	r->prune_at = r->forget_at < r->uploads_at ? r->forget_at : r->uploads_at;
}
