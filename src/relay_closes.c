/* relay_closes.c - see relay_closes.h. */
#include "relay_closes.h"

#include <stdlib.h>

#include "log.h"

#define NEVER INT64_MAX

/* A row, or a free place (id 0). */
struct slot { struct close_row row; int64_t since; size_t left; };	/* left: instances that have yet to be asked */
struct turn { int64_t due; bool is_again; };

struct closes {
	size_t instances;
	struct slot *slots;
	struct turn *turns;	/* of slot s at instance i: [s * instances + i] */
	size_t n, cap;		/* places in use, some of them free */
	size_t rows, done;	/* rows in them, and those of these that have been everywhere */
};

struct closes *closes_new(void)
{
	struct closes *c = calloc(1, sizeof *c);
	if (!c)
		log_die("no memory for channels to be closed");
	return c;
}

void closes_free(struct closes *c)
{
	if (!c)
		return;
	free(c->slots);
	free(c->turns);
	free(c);
}

void closes_reset(struct closes *c, size_t instances)
{
	free(c->slots);
	free(c->turns);
	*c = (struct closes){ .instances = instances };
}

bool closes_is_empty(const struct closes *c)
{
	return c->rows == 0;
}

static struct turn *turn_of(const struct closes *c, size_t instance, size_t slot)
{
	return &c->turns[slot * c->instances + instance];
}

static bool is_known(const struct closes *c, uint64_t id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->slots[i].row.id == id)
			return true;
	return false;
}

static void grow(struct closes *c)
{
	size_t cap = c->cap ? c->cap * 2 : 16;
	struct slot *slots = realloc(c->slots, cap * sizeof *slots);
	struct turn *turns = realloc(c->turns, cap * (c->instances + 1) * sizeof *turns);
	if (!slots || !turns)
		log_die("no memory for channels to be closed");
	c->slots = slots;
	c->turns = turns;
	c->cap = cap;
}

static size_t free_slot(struct closes *c)
{
	for (size_t s = 0; s < c->n && c->rows < c->n; s++)
		if (!c->slots[s].row.id)
			return s;
	if (c->n == c->cap)
		grow(c);
	return c->n++;
}

static bool is_channel(struct channel ch)
{
	return (ch.kind == CHANNEL_SHOP || ch.kind == CHANNEL_CUSTOMER) && ch.id;
}

bool closes_add(struct closes *c, const struct close_row *row, int64_t now)
{
	if (is_known(c, row->id))
		return true;
	if (c->rows == CLOSES_MAX)
		return false;
	size_t s = free_slot(c);
	bool is_asked = is_channel(row->channel);
	c->slots[s] = (struct slot){ *row, now, is_asked ? c->instances : 0 };
	for (size_t i = 0; i < c->instances; i++)
		*turn_of(c, i, s) = (struct turn){ is_asked ? now : NEVER, false };
	c->rows++;
	c->done += c->slots[s].left == 0;
	return true;
}

/* The slot whose turn is first. n: none. */
static size_t first_turn(const struct closes *c, size_t instance)
{
	size_t first = c->n;
	int64_t due = NEVER;
	for (size_t s = 0; s < c->n; s++) {
		if (!c->slots[s].row.id || turn_of(c, instance, s)->due >= due)
			continue;
		due = turn_of(c, instance, s)->due;
		first = s;
	}
	return first;
}

int64_t closes_due(const struct closes *c, size_t instance)
{
	size_t s = c->rows > c->done ? first_turn(c, instance) : c->n;
	return s < c->n ? turn_of(c, instance, s)->due : NEVER;
}

bool closes_next(const struct closes *c, size_t instance, int64_t now, struct close_ask *out)
{
	size_t s = c->rows > c->done ? first_turn(c, instance) : c->n;
	if (s == c->n || turn_of(c, instance, s)->due > now)
		return false;
	*out = (struct close_ask){ s, c->slots[s].row.channel };
	return true;
}

static void end_turns(struct closes *c, size_t instance, size_t slot)
{
	turn_of(c, instance, slot)->due = NEVER;
	c->done += --c->slots[slot].left == 0;
}

void closes_answered(struct closes *c, size_t instance, size_t slot, int64_t now)
{
	if (turn_of(c, instance, slot)->is_again)
		end_turns(c, instance, slot);
	else
		*turn_of(c, instance, slot) = (struct turn){ now + CLOSE_AGAIN_US, true };
}

bool closes_failed(struct closes *c, size_t instance, size_t slot, int64_t now)
{
	turn_of(c, instance, slot)->due = now;
	if (now - c->slots[slot].since < CLOSE_PATIENCE_US)
		return false;
	end_turns(c, instance, slot);
	return true;
}

bool closes_has_done(const struct closes *c)
{
	return c->done > 0;
}

size_t closes_done(const struct closes *c, uint64_t *ids, size_t max)
{
	size_t n = 0;
	for (size_t s = 0; s < c->n && n < max && c->done; s++)
		if (c->slots[s].row.id && c->slots[s].left == 0)
			ids[n++] = c->slots[s].row.id;
	return n;
}

void closes_remove(struct closes *c, const uint64_t *ids, size_t n)
{
	for (size_t k = 0; k < n; k++)
		for (size_t s = 0; s < c->n; s++) {
			if (c->slots[s].row.id != ids[k])
				continue;
			c->done -= c->slots[s].left == 0;
			c->rows--;
			c->slots[s].row.id = 0;
		}
	if (c->rows == 0)
		c->n = 0;
}
