/* relay.h - the relay's inside: what its files share.
 * Owns: struct relay. relay.c has the loop and the lease, relay_step.c gives numbers, relay_lane.c publishes, relay_close.c closes channels,
 * relay_prune.c tidies.
 * Used by relay*.c and their unit test only. */
#ifndef PICKUP_RELAY_H
#define PICKUP_RELAY_H

#include "clock.h"
#include "conf.h"
#include "db_outbox.h"
#include "metrics.h"
#include "poke.h"
#include "push.h"
#include "relay_closes.h"
#include "upload.h"

/* ---- messages in memory ---- */

/* A numbered message; body is its own, grows and is used again. */
struct relay_msg {
	uint64_t pub_no;
	struct channel channel;
	uint64_t seq;
	char *body;
	size_t len, cap;
};
void relay_msg_set(struct relay_msg *m, const struct pub_row *row);
void relay_msg_clear(struct relay_msg *m);

/* The newest messages: those with pub_no from first up to, not including, next. A lane that is further behind reads from events. */
#define WINDOW_SLOTS 1024
struct window { uint64_t first, next; struct relay_msg slots[WINDOW_SLOTS]; };
struct window *window_new(void);
void window_free(struct window *w);
/* Empty; the next message will be number next. */
void window_reset(struct window *w, uint64_t next);
/* Takes a copy of the message number w->next; the oldest one gives way. */
void window_add(struct window *w, const struct pub_row *row);
/* NULL: not here. */
const struct relay_msg *window_find(const struct window *w, uint64_t pub_no);

/* ---- numbers ---- */

/* Last seq of channels. */
struct seq_cache;
#define SEQ_CACHE_MAX 10000
struct seq_cache *seq_cache_new(void);
void seq_cache_free(struct seq_cache *c);
void seq_cache_forget(struct seq_cache *c);
/* False: not known. */
must_check bool seq_cache_get(const struct seq_cache *c, struct channel ch, uint64_t *last);
void seq_cache_put(struct seq_cache *c, struct channel ch, uint64_t last);
/* Before n (up to SEQ_CACHE_MAX) new channels are put: forgets them all where these would be too many. */
void seq_cache_make_room(struct seq_cache *c, size_t n);

/* Sorts by id, but the rows of one order by version: they share out among themselves the places that they have. */
void relay_order_rows(struct outbox_row *rows, size_t n);

/* ---- doubt about what was accepted ---- */

/* A push instance that is reloaded has an old and a new nginx worker for a moment. Subscribers may come to the new one while a kept
 * connection still feeds the old one, and neither tells the other (nchan is safe with one worker). So where a new connection leads to
 * another worker, what was published in the last seconds is in doubt and published again: more seconds than such a moment has on a
 * machine that is out of breath. */
#define RELAY_OVERLAP_US INT64_C(10000000)
#define DOUBT_WORKERS 32
#define DOUBT_GUESSES 3
struct doubt {				/* times are monotonic */
	uint64_t settled;		/* see doubt_settled */
	uint64_t marked, top;		/* where the cursor stood at marked_at; the highest that it ever came to */
	int64_t marked_at, top_at;	/* top_at: when it came there */
	int64_t heard_at;		/* the worker's last answer */
	char worker[PUSH_WORKER_SIZE];	/* behind the last connection, "" where it is not known */
	uint64_t known[DOUBT_WORKERS];	/* those that were behind connections before; 0: none */
	int64_t guessed[DOUBT_GUESSES];
	size_t known_i, guess_i;	/* the oldest of these */
};
/* Nothing up to the cursor is in doubt, and no worker is known. */
void doubt_reset(struct doubt *d, uint64_t cursor, int64_t now);
/* From and into what the database remembers; wall is the time there. c->pub_no is not doubt_save's. */
void doubt_resume(struct doubt *d, const struct push_cursor *known, instant wall, int64_t now);
void doubt_save(const struct doubt *d, struct push_cursor *c, instant wall, int64_t now);
/* The cursor has come there, by the worker's answer. Where it was there before, that counts: nothing is in doubt for longer, however
 * often it is sent again. */
void doubt_note(struct doubt *d, uint64_t cursor, int64_t now);
/* Where it stood one to two RELAY_OVERLAP_US before the worker's last answer: had another one been there by then, this one would have
 * been gone. */
uint64_t doubt_settled(struct doubt *d);
/* That worker has answered ("": it does not say who it is), over the connection that was there (is_kept) or a new one. Gives the cursor
 * to go on from: the same, or the settled one. */
uint64_t doubt_heard(struct doubt *d, const char *worker, bool is_kept, uint64_t cursor, int64_t now);

/* ---- lanes ---- */

/* What closes channels at one push instance. */
struct closer {
	struct push *push;		/* its own, beside that of the messages */
	bool is_asking;
	struct close_ask ask;		/* that */
	unsigned failures;		/* in a row */
	int64_t retry_at;
};

/* One push instance: messages in pub_no order, each sent until it is accepted or refused for good. */
struct lane {
	char *url;			/* its name in push_cursors */
	struct push *push;
	struct closer closer;
	bool is_started;		/* cursor was read, or made */
	uint64_t cursor, saved;		/* served up to here; as the database knows it */
	int64_t save_at;		/* when to tell the database */
	struct doubt doubt;
	bool is_connected;		/* to a worker that was asked who it is */
	bool is_asking;			/* what is in flight is that question */
	bool is_asked;			/* whoever is behind the connection, if it is still there */
	int64_t ask_at;			/* with nothing to send: when to ask again, while anything is in doubt */
	unsigned cuts;			/* connections that ended before they took a message, in a row */
	unsigned unanswered;		/* questions, in a row */
	struct relay_msg hand[PUSH_AT_ONCE];	/* from hand_i up to hand_n: in flight, or waiting for the next try, or refused and not yet put aside */
	size_t hand_i, hand_n;
	long refused;			/* status, 0 for none */
	unsigned failures;
	long failed_with;		/* status of the last failure, 0: no answer */
	int64_t retry_at;
	instant failing_since;
	struct arena *page_arena;	/* messages read from events */
	struct pub_row *page;
	size_t page_n, page_i;
	int64_t read_at;
};

/* The pause before try number failures + 1, jittered. PUSH_AWAY: 50 ms steps up to 500 ms for the first tries, since a restarted instance is soon
 * back; else doubled from 50 ms. At most max_ms. */
int64_t relay_pause_us(enum push_verdict v, unsigned failures, int64_t max_ms, unsigned random);

/* ---- the relay ---- */

/* The bound of conf.relay_batch. */
#define RELAY_BATCH_MAX 1000

struct relay {
	struct conf_store *settings;
	const struct conf *conf;	/* of settings */
	struct clock clock;
	struct db *db;
	struct zone_cache *zones;	/* of the host at its start; for messages of orders that expire */
	struct poke_listener *pokes;	/* NULL: none */
	struct metrics *metrics;
	struct push_pool *pool;
	struct lane **lanes;
	size_t lane_n;
	struct arena *arena;		/* one batch */
	struct window *window;
	struct seq_cache *seqs;
	uint64_t head;			/* newest pub_no */
	unsigned random;
	bool is_active;			/* we hold the lease, as far as we know */
	int64_t held_until;		/* monotonic; may not be published later */
	bool in_doubt;			/* what the database holds must be looked at before anything is numbered */
	unsigned connection;		/* of the database, on which it was looked at */
	bool has_more;			/* the outbox held more than was taken */
	size_t numbered;		/* how many the last step took */
	uint64_t done[RELAY_BATCH_MAX];	/* sorted ids of outbox rows that have their numbers, for the next step to delete */
	size_t done_n;
	uint64_t put_aside;
	struct closes *closes;
	uint64_t closes_after;		/* the next look at channel_closes begins behind this id */
	int64_t closes_at, closes_looked;	/* when to look again; when it was looked at last, 0: not yet */
	bool is_db_away;
	int64_t db_pause, db_at;	/* after a failure: not before */
	int64_t db_failed_at;
	bool db_has_worked;		/* since then */
	unsigned db_relapses;		/* failures soon after a success, in a row */
	int64_t lease_at, poll_at, prune_at, expire_at, params_at;
	int64_t forget_at, uploads_at, walk_at;	/* prune_at is the earliest of what there is to be pruned */
	char walked[UPLOAD_NAME_SIZE];	/* the photo that was looked at last */
	int64_t gather_at;		/* not before this: the last step found that many come at once */
};

/* True for OC_OK. Anything else makes the database rest a moment, longer each time; said once. */
bool relay_db_ok(struct relay *r, enum outcome oc);
bool relay_db_ready(const struct relay *r);
/* The lease is ours for certain, at this moment. */
bool relay_may_publish(const struct relay *r);

/* relay_step.c: gives numbers to one batch of the outbox and makes the lanes send. Only with the lease and without doubt. Sets has_more and
 * numbered; in_doubt where it did not end well. The rows are deleted by the next step, in the transaction that it has anyway: a commit
 * costs more than all of them. */
enum outcome relay_step(struct relay *r);
/* How long is gathered from the beginning of a step that took so long and found several. Where the database is short of time a step takes
 * long: the next one leaves it three times as long to the orders themselves. */
int64_t relay_gather_us(const struct relay *r, int64_t took);
/* Forgets what the last step left; the sweep after a doubt finds it. */
void relay_done_forget(struct relay *r);

/* relay_hand.c: what a lane has in hand. */
/* The messages after the cursor that go out together: of each channel one, and none to a customer behind one to a shop, so that whatever
 * becomes of one of them, none of its channel and none of its order has overtaken it. Only with an empty hand. False: there are none, or they can't be read now; without chores the database is not asked. */
bool hand_fill(struct relay *r, struct lane *l, bool chores);
/* The first and the last one; NULL: none. Those between lie between. */
const struct relay_msg *hand_first(const struct lane *l);
const struct relay_msg *hand_last(const struct lane *l);
void hand_drop_first(struct lane *l);
/* Also forgets the page. */
void hand_clear(struct lane *l);

/* relay_lane.c */
/* Makes the lanes those of conf.push_urls; known ones stay as they are. */
void relay_lanes_configure(struct relay *r);
void relay_lanes_free(struct relay *r);
/* Finds each lane's cursor. Before anything is numbered: a new instance starts at the head. */
must_check enum outcome relay_lanes_start(struct relay *r);
/* Forgets what is in hand; the lease is gone. */
void relay_lanes_halt(struct relay *r);
/* Takes answers, sends what may be sent. chores: may also use the database (pages of events, refusals, cursors). */
void relay_lanes_turn(struct relay *r, bool chores);
/* Takes answers only, then writes every cursor: the end. */
void relay_lanes_finish(struct relay *r, int64_t until);
/* When the lanes want their next turn. */
int64_t relay_lanes_due(const struct relay *r);
/* Every lane has published all there is. */
bool relay_lanes_done(const struct relay *r);
/* Some lane has failed so many times in a row. */
bool relay_lanes_failing(const struct relay *r, unsigned times);
/* What is wrong with them, "" for nothing. */
void relay_lanes_state(const struct relay *r, struct buf *out);

/* relay_close.c: all of it with the lease only, but for forget. */
void closer_init(struct closer *k, struct push_pool *pool, const char *url);
void closer_clear(struct closer *k);
/* Looks at the table when that is due, asks the instances, deletes the rows of what is done. */
void relay_close_turn(struct relay *r);
/* Somebody woke us, and not because of a message. */
void relay_close_poked(struct relay *r);
/* The lease is gone, or there are other lanes than before: begins anew. */
void relay_close_forget(struct relay *r);
int64_t relay_close_due(const struct relay *r);
/* The table was looked at, and nothing of it is left. */
bool relay_close_done(const struct relay *r);

/* relay_holder.c: writes who holds the lease, should we get it. Stable for a running machine and socket, where the lock lets one relay live:
 * the next one there takes over at once. */
void relay_name_holder(const struct relay *r, char *name, size_t size);

/* relay_chores.c: what is due of the following; and when the next of them will be. Only with the lease and without doubt. */
void relay_chores(struct relay *r);
int64_t relay_chores_due(const struct relay *r);
/* relay_prune.c: what is old, a small batch; sets prune_at. */
void relay_prune(struct relay *r);
/* relay_uploads.c: photos that nobody needs any more, a few; sets uploads_at. */
void relay_uploads(struct relay *r);
/* relay_expire.c: orders that nobody confirmed in time, a small batch; sets expire_at, and has_more where it cancelled one. */
void relay_expire(struct relay *r);

#endif
