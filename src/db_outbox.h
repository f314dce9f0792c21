/* db_outbox.h - the outbox, the numbered events, the relay's lease and cursors, typed.
 * Owns: rows of outbox, events, channel_floors, relay_lease, push_cursors, push_refusals. Text is arena memory.
 * Does not own: who numbers and when (relay_step.c), which message a change causes (event.c). */
#ifndef PICKUP_DB_OUTBOX_H
#define PICKUP_DB_OUTBOX_H

#include "arena.h"
#include "db.h"
#include "event.h"
#include "ids.h"

/* ---- for workers ---- */

/* A notification not yet numbered. */
struct outbox_row {
	uint64_t id;		/* the database's */
	struct channel channel;
	struct shop_id shop;
	struct order_id order;
	uint64_t version;	/* of the order, after the change */
	instant at;
	struct str body;
};

/* The event of the change that has just made the order what it is; body borrowed. */
static inline struct outbox_row outbox_row_of(const struct event *e, const struct order *o)
{
	return (struct outbox_row){
		.channel = e->channel, .shop = o->shop_id, .order = o->id, .version = o->version, .at = o->updated_at, .body = e->body,
	};
}

/* Inserts n rows (ids ignored) in one statement; belongs into the transaction of the change. n 0 is fine. */
must_check enum outcome db_outbox_insert(struct db *db, const struct outbox_row *rows, size_t n);
/* The rows (n, 1 or 2) of an order that this transaction has just inserted, whose id only the database may know yet. */
#define OUTBOX_NEW_MAX 2
must_check enum outcome db_outbox_insert_new(struct db *db, const struct event_new *events, size_t n, const struct order *o);
/* For `pickup check`: how many rows wait (counted up to limit) and since when the oldest does (INSTANT_NONE: none waits). */
must_check enum outcome db_outbox_waiting(struct db *db, uint64_t limit, uint64_t *n, instant *oldest);

/* A numbered event as its readers see it. */
struct event_row {
	uint64_t seq;
	instant at;
	struct str timezone;	/* of the order's shop */
	struct str body;
};

/* Events of the channel with a seq above after, oldest first, at most limit: an arena array. */
must_check enum outcome db_events_after(struct db *db, struct arena *a, struct channel ch, uint64_t after, uint64_t limit,
	struct event_row **out, size_t *n);

/* last[i]: the newest seq ever given in channels[i], 0 for none. */
must_check enum outcome db_channels_last(struct db *db, const struct channel *channels, size_t n, uint64_t *last);

/* ---- for the relay; lease_get and refusal_count for health and `pickup check`, too ---- */

struct lease {
	struct str holder;	/* "" for nobody yet; none: the table has lost its row */
	bool is_held;		/* it has not run out */
	struct str state;	/* what the relay wants known; "" for all well; begins with "push " where an instance fails */
	bool is_failing;	/* the latter */
};

/* OC_OK: ours for so many seconds from now, with this state for all to read (0 gives it back); OC_CONFLICT: somebody else's. */
must_check enum outcome db_lease_take(struct db *db, struct str holder, uint64_t seconds, struct str state);
must_check enum outcome db_lease_get(struct db *db, struct arena *a, struct lease *out);

/* The first limit rows by id: an arena array. */
must_check enum outcome db_outbox_fetch(struct db *db, struct arena *a, uint64_t limit, struct outbox_row **out, size_t *n);
must_check enum outcome db_outbox_delete(struct db *db, const uint64_t *ids, size_t n);
/* Deletes what is among the newest limit events already; *n: how many. */
must_check enum outcome db_outbox_sweep(struct db *db, uint64_t limit, uint64_t *n);

/* The newest pub_no, 0 for none. */
must_check enum outcome db_pub_last(struct db *db, uint64_t *out);

/* The most rows that db_events_insert takes. */
#define EVENTS_INSERT_MAX 64
/* rows[i] becomes event seqs[i] of its channel and pub_no + i over all, all of them or none. OC_CONFLICT: one of the numbers is taken. */
must_check enum outcome db_events_insert(struct db *db, const struct outbox_row *rows, const uint64_t *seqs, uint64_t pub_no, size_t n);

/* A numbered event as it is published. */
struct pub_row {
	uint64_t pub_no;
	struct channel channel;
	uint64_t seq;
	struct str body;
};

/* Events with a pub_no above after, oldest first, at most limit: an arena array. */
must_check enum outcome db_events_from(struct db *db, struct arena *a, uint64_t after, uint64_t limit, struct pub_row **out, size_t *n);

/* How far a push instance was served, as it was at that time, by which nginx worker ("": it did not say); where that stood at an earlier
 * time; and up to where there was no doubt of it. */
#define PUSH_WORKER_SIZE 24
struct push_cursor { uint64_t pub_no, marked, settled; instant at, marked_at; char worker[PUSH_WORKER_SIZE]; };
/* OC_NOT_FOUND: an instance that was never seen. */
must_check enum outcome db_cursor_get(struct db *db, struct str instance, struct push_cursor *out);
must_check enum outcome db_cursor_set(struct db *db, struct str instance, const struct push_cursor *c);
/* How many numbered notifications an instance has yet to get, as far as its cursor tells, which follows by a fraction of a second; and since
 * when the first of them waits (INSTANT_NONE: none). OC_NOT_FOUND: an instance that was never seen. */
must_check enum outcome db_cursor_lag(struct db *db, struct str instance, uint64_t *n, instant *oldest);
/* A notification that an instance refused for good; a repeat changes nothing. */
must_check enum outcome db_refusal_insert(struct db *db, uint64_t pub_no, struct str instance, unsigned status, instant at);
must_check enum outcome db_refusal_count(struct db *db, uint64_t *out);

/* Deletes at most limit keys created before t; *n: how many. */
must_check enum outcome db_idem_prune(struct db *db, instant t, uint64_t limit, uint64_t *n);
/* Deletes at most limit (up to EVENTS_PRUNE_MAX) of the oldest events: those from before t with a pub_no up to max. Channels and the log
 * keep their last numbers; refusals of these events go with them. *n: how many. */
#define EVENTS_PRUNE_MAX 256
must_check enum outcome db_events_prune(struct db *db, instant t, uint64_t max, uint64_t limit, uint64_t *n);

#endif
