/* metrics.h - what the workers and the relay of this machine have done, counted in a small file that all of them map.
 * Owns: the file's form, who counts where, the sums. Does not own: what the rows are (route.c), the text (ep_metrics.c).
 *
 * Each process has a slot of its own, and holds it by a lock that the kernel takes back, whatever ended the process. The next process
 * goes on with what stands in the slot: nothing is ever carried anywhere, so no death can lose or double what was counted, and sums
 * never fall. Each slot has one writer, of aligned words: who reads needs no lock, and may find a request in one counter and not yet in
 * another, never half a number. */
#ifndef PICKUP_METRICS_H
#define PICKUP_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "outcome.h"

typedef _Atomic uint64_t metrics_count;

/* Where a request's row is its route. */
#define METRICS_ROWS 64
/* 2xx to 5xx; what is none of them counts as 5xx. */
#define METRICS_CLASSES 4
#define METRICS_BUCKETS 9
/* Upper bounds of all buckets but the last, which has none. */
extern const int64_t metrics_bounds_us[METRICS_BUCKETS - 1];

struct metrics_row {
	metrics_count bucket[METRICS_CLASSES][METRICS_BUCKETS];	/* requests, each in one */
	metrics_count us[METRICS_CLASSES];
	metrics_count db_us, statements;			/* of all classes */
};

enum metrics_role { METRICS_VISITOR, METRICS_WORKER, METRICS_RELAY };

/* What one process counts. */
struct metrics_slot {
	metrics_count role, in_hand;				/* as they are; all others only grow */
	metrics_count starts[METRICS_RELAY + 1];
	metrics_count connections, replays;			/* of the database; of transactions */
	metrics_count published, failures, refused, expired;	/* the relay's */
	struct metrics_row rows[METRICS_ROWS];
};

/* A slot has one writer. */
static inline void metrics_add(metrics_count *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline void metrics_set(metrics_count *c, uint64_t n) { atomic_store_explicit(c, n, memory_order_relaxed); }
static inline uint64_t metrics_get(const metrics_count *c) { return atomic_load_explicit(c, memory_order_relaxed); }

struct metrics;

/* meaning: a number that stands for what the rows are. A worker makes the file where it is missing, and as it starts replaces one whose rows mean
 * something else, but none that is no file of counters; others take what is there. A visitor (a tool) reads, and counts nowhere. Owned by the caller. */
struct metrics *metrics_new(enum metrics_role role, uint64_t meaning);
void metrics_free(struct metrics *m);
/* Before each request, or now and then: goes to the file at path ("" for none) where it is not there yet, and looks every few seconds whether it
 * is still the one. path is compared by its address, and borrowed until the next call. now: clock_mono(). */
void metrics_keep(struct metrics *m, const char *path, int64_t now);
/* Where this process counts. Without a file that is memory of its own, which nobody reads. */
struct metrics_slot *metrics_own(struct metrics *m);
/* A finished request. */
void metrics_request(struct metrics *m, unsigned row, int status, int64_t us, int64_t db_us, uint64_t statements);

/* All slots together, and how many processes have one now. busy: workers with a request in hand. */
struct metrics_sum { struct metrics_slot all; uint64_t workers, busy, relays; };
/* OC_OK; OC_NOT_FOUND: no file; OC_CONFLICT: another version's, so that ours is of no use; OC_BAD: no file of counters; OC_DOWN: it can't be used. */
must_check enum outcome metrics_read(struct metrics *m, struct metrics_sum *out);

#endif
