/* relay_step.c - one step of the relay: a batch of outbox rows gets its numbers, seq within the channel and pub_no over all.
 * Owns: what is read, numbered and deleted together. Does not own: the order of rows, what is remembered (relay_number.c), who may (the
 * lease, relay.c), publishing (relay_lane.c). Used by: relay.c. */
#include "relay.h"

#include <stdlib.h>

/* Rows beyond the batch that are looked at, so that a row whose predecessor stands behind it waits for it. Ids and versions of an
 * order disagree only where two database nodes gave ids at the same time, so the predecessor is never far. */
#define LOOK_AHEAD 256
#define GATHER_STRETCHED_US INT64_C(50000)

struct step {
	struct relay *r;
	struct outbox_row *rows;	/* without a number yet */
	size_t n, take;			/* how many there are, and how many of them get theirs now */
	uint64_t *seqs;			/* the numbers of these */
	unsigned tries;
};

/* ---- what was numbered and is still in the outbox ---- */

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static bool is_done(const struct relay *r, uint64_t id)
{
	return r->done_n && bsearch(&id, r->done, r->done_n, sizeof id, by_value);
}

/* Takes the place of what was remembered before, which is deleted. */
static void remember_done(const struct step *s)
{
	struct relay *r = s->r;
	for (size_t i = 0; i < s->take; i++)
		r->done[i] = s->rows[i].id;
	r->done_n = s->take;
	qsort(r->done, r->done_n, sizeof *r->done, by_value);
}

void relay_done_forget(struct relay *r)
{
	r->done_n = 0;
}

/* ---- numbers ---- */

static bool is_same(struct channel a, struct channel b)
{
	return a.kind == b.kind && a.id == b.id;
}

/* Makes the cache, which has room for them, know the last number of every row's channel, or fails. */
static enum outcome learn_channels(struct relay *r, const struct outbox_row *rows, size_t n)
{
	struct channel missing[EVENTS_INSERT_MAX];
	uint64_t last[EVENTS_INSERT_MAX], unused;
	size_t m = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < m && !is_same(missing[k], rows[i].channel))
			k++;
		if (k == m && !seq_cache_get(r->seqs, rows[i].channel, &unused))
			missing[m++] = rows[i].channel;
	}
	if (m == 0)
		return OC_OK;
	enum outcome oc = db_channels_last(r->db, missing, m, last);
	for (size_t i = 0; i < m && oc == OC_OK; i++)
		seq_cache_put(r->seqs, missing[i], last[i]);
	return oc;
}

/* The cache counts on at once: where the step does not end well it must be forgotten. */
static enum outcome give_numbers(struct step *s)
{
	struct relay *r = s->r;
	s->seqs = arena_array(r->arena, s->take + 1, sizeof *s->seqs);
	seq_cache_make_room(r->seqs, s->take);
	for (size_t at = 0; at < s->take; at += EVENTS_INSERT_MAX) {
		size_t end = s->take - at < EVENTS_INSERT_MAX ? s->take : at + EVENTS_INSERT_MAX;
		enum outcome oc = learn_channels(r, s->rows + at, end - at);
		if (oc != OC_OK)
			return oc;
		for (size_t i = at; i < end; i++) {
			if (!seq_cache_get(r->seqs, s->rows[i].channel, &s->seqs[i]))
				return OC_BUSY;
			seq_cache_put(r->seqs, s->rows[i].channel, ++s->seqs[i]);
		}
	}
	return OC_OK;
}

/* Rows for one INSERT, by sizes that are prepared once: 64, 48, 32, 16, or what is left. */
static size_t chunk_size(size_t n)
{
	return n >= EVENTS_INSERT_MAX ? EVENTS_INSERT_MAX : n >= 16 ? n - n % 16 : n;
}

/* ---- the step ---- */

/* Rows that have no number yet, and how many of them are taken. */
static enum outcome find_rows(struct step *s)
{
	struct relay *r = s->r;
	size_t batch = (size_t)r->conf->relay_batch, kept = 0;
	s->take = 0;
	enum outcome oc = db_outbox_fetch(r->db, r->arena, r->done_n + batch + LOOK_AHEAD, &s->rows, &s->n);
	if (oc != OC_OK)
		return oc;
	if (s->n && db_connections(r->db) != r->connection) {
		/* Perhaps another server: one that has yet to hear of our last DELETE, or never will of our numbers. */
		r->in_doubt = true;
		s->n = 0;
		return OC_OK;
	}
	for (size_t i = 0; i < s->n; i++)
		if (!is_done(r, s->rows[i].id))
			s->rows[kept++] = s->rows[i];
	s->n = kept;
	relay_order_rows(s->rows, s->n);
	s->take = s->n < batch ? s->n : batch;
	return s->take <= RELAY_BATCH_MAX ? OC_OK : OC_BAD;
}

/* Deletes what the last step numbered, and writes these numbers. */
static enum outcome write_numbers(struct step *s)
{
	struct relay *r = s->r;
	/* Whoever took over meanwhile and did not yet see our numbers must find the rows. */
	if (!relay_may_publish(r))
		return OC_CONFLICT;
	db_hold(r->db);
	enum outcome oc = r->done_n ? db_outbox_delete(r->db, r->done, r->done_n) : OC_OK;
	for (size_t at = 0, some; at < s->take && oc == OC_OK; at += some) {
		some = chunk_size(s->take - at);
		oc = db_events_insert(r->db, s->rows + at, s->seqs + at, r->head + 1 + at, some);
	}
	/* What is deleted had its numbers before, so either may be done without the other. Of two INSERTs the second would leave a gap. */
	if (oc == OC_OK && chunk_size(s->take) == s->take)
		oc = db_commit_along(r->db);
	return oc == OC_OK ? db_collect(r->db) : oc;
}

static enum outcome step_once(struct db *db, void *ctx)
{
	struct step *s = ctx;
	struct relay *r = s->r;
	(void)db;
	if (s->tries++)
		seq_cache_forget(r->seqs);
	arena_reset(r->arena);
	enum outcome oc = find_rows(s);
	if (oc != OC_OK || r->in_doubt || (s->take == 0 && r->done_n == 0))
		return oc;
	oc = give_numbers(s);
	return oc == OC_OK ? write_numbers(s) : oc;
}

/* The numbers are committed: now others may hear of them. */
static void publish(struct step *s)
{
	struct relay *r = s->r;
	for (size_t i = 0; i < s->take; i++) {
		struct pub_row row = { ++r->head, s->rows[i].channel, s->seqs[i], s->rows[i].body };
		window_add(r->window, &row);
	}
	remember_done(s);
	relay_lanes_turn(r, false);
}

enum outcome relay_step(struct relay *r)
{
	struct step s = { .r = r };

	/* What is not known yet to be empty is looked at again. */
	r->has_more = true;
	r->numbered = 0;
	enum outcome oc = db_transact(r->db, step_once, &s);
	if (oc == OC_OK && !r->in_doubt)
		publish(&s);
	if (oc == OC_OK) {
		r->has_more = r->in_doubt || s.n > s.take;
		r->numbered = s.take;
	}
	r->in_doubt |= oc != OC_OK;
	return oc;
}

int64_t relay_gather_us(const struct relay *r, int64_t took)
{
	int64_t set = r->conf->relay_gather_ms * 1000, stretched = took * 4 < GATHER_STRETCHED_US ? took * 4 : GATHER_STRETCHED_US;
	return set && set < stretched ? stretched : set;
}
