/* relay_number.c - what numbering works with in memory.
 * Owns: the order of rows, the last numbers of channels, the newest messages. Does not own: the step from outbox to events (relay_step.c).
 * Used by: relay_step.c, relay.c; the messages by relay_lane.c. */
#include "relay.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

/* ---- last numbers of channels: open addressing, emptied as a whole ---- */

#define CACHE_SLOTS 16384	/* a power of two, well above SEQ_CACHE_MAX */

struct seq_slot { struct channel channel; uint64_t last; };	/* channel.id 0: free */
struct seq_cache { size_t used; struct seq_slot slots[CACHE_SLOTS]; };

_Static_assert(SEQ_CACHE_MAX <= CACHE_SLOTS / 4 * 3, "a probe must end");

struct seq_cache *seq_cache_new(void)
{
	struct seq_cache *c = calloc(1, sizeof *c);
	if (!c)
		log_die("no memory for numbers");
	return c;
}

void seq_cache_free(struct seq_cache *c)
{
	free(c);
}

void seq_cache_forget(struct seq_cache *c)
{
	memset(c, 0, sizeof *c);
}

/* The channel's slot, or the free one where it would go. */
static size_t slot_of(const struct seq_cache *c, struct channel ch)
{
	uint64_t hash = (ch.id * 2 + (ch.kind == CHANNEL_SHOP)) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 40) % CACHE_SLOTS;
	while (c->slots[i].channel.id && (c->slots[i].channel.id != ch.id || c->slots[i].channel.kind != ch.kind))
		i = (i + 1) % CACHE_SLOTS;
	return i;
}

bool seq_cache_get(const struct seq_cache *c, struct channel ch, uint64_t *last)
{
	const struct seq_slot *s = &c->slots[slot_of(c, ch)];
	if (!s->channel.id)
		return false;
	*last = s->last;
	return true;
}

void seq_cache_make_room(struct seq_cache *c, size_t n)
{
	if (c->used + n > SEQ_CACHE_MAX)
		seq_cache_forget(c);
}

void seq_cache_put(struct seq_cache *c, struct channel ch, uint64_t last)
{
	size_t i = slot_of(c, ch);
	c->used += !c->slots[i].channel.id;
	c->slots[i] = (struct seq_slot){ ch, last };
}

/* ---- the newest messages: a ring ---- */

struct window *window_new(void)
{
	struct window *w = calloc(1, sizeof *w);
	if (!w)
		log_die("no memory for messages");
	return w;
}

void window_free(struct window *w)
{
	for (size_t i = 0; w && i < WINDOW_SLOTS; i++)
		relay_msg_clear(&w->slots[i]);
	free(w);
}

void window_reset(struct window *w, uint64_t next)
{
	w->first = w->next = next;
}

void window_add(struct window *w, const struct pub_row *row)
{
	relay_msg_set(&w->slots[w->next % WINDOW_SLOTS], row);
	w->next++;
	if (w->next - w->first > WINDOW_SLOTS)
		w->first++;
}

const struct relay_msg *window_find(const struct window *w, uint64_t pub_no)
{
	return pub_no >= w->first && pub_no < w->next ? &w->slots[pub_no % WINDOW_SLOTS] : NULL;
}

/* ---- the order of rows ---- */

static int by_id(const void *a, const void *b)
{
	const struct outbox_row *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

/* Rows of one order come together, in the order of what happened to it. */
static int by_order(const void *a, const void *b)
{
	const struct outbox_row *x = a, *y = b;
	if (x->order.v != y->order.v)
		return x->order.v > y->order.v ? 1 : -1;
	if (x->version != y->version)
		return x->version > y->version ? 1 : -1;
	return by_id(a, b);
}

/* Places by the order whose row stands there, then as they are. */
struct place { uint64_t order; size_t at; };

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->order != y->order)
		return x->order > y->order ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

/* False: every order's versions ascend already, as they do but for a cluster. */
static bool has_inversion(const struct outbox_row *sorted, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (sorted[i - 1].order.v == sorted[i].order.v && sorted[i - 1].id > sorted[i].id)
			return true;
	return false;
}

void relay_order_rows(struct outbox_row *rows, size_t n)
{
	if (n < 2)
		return;
	struct outbox_row *sorted = calloc(n, sizeof *sorted);
	struct place *places = calloc(n, sizeof *places);
	if (!sorted || !places)
		log_die("no memory for a batch");
	qsort(rows, n, sizeof *rows, by_id);
	memcpy(sorted, rows, n * sizeof *rows);
	qsort(sorted, n, sizeof *sorted, by_order);
	if (has_inversion(sorted, n)) {
		for (size_t i = 0; i < n; i++)
			places[i] = (struct place){ rows[i].order.v, i };
		qsort(places, n, sizeof *places, by_place);
		for (size_t i = 0; i < n; i++)
			rows[places[i].at] = sorted[i];
	}
	free(places);
	free(sorted);
}
