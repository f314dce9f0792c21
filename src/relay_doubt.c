/* relay_doubt.c - which messages a push instance accepted, though perhaps not all of its subscribers can have had them.
 * Owns: where a lane's cursor stood some seconds ago, and the nginx worker behind its connection. Does not own: the cursor, the clock.
 * Used by: relay_lane.c. */
#include "relay.h"

#include <stdio.h>
#include <string.h>

#define BLIND_WHILE_US (3 * RELAY_OVERLAP_US)

void doubt_reset(struct doubt *d, uint64_t cursor, int64_t now)
{
	*d = (struct doubt){ .settled = cursor, .marked = cursor, .top = cursor, .marked_at = now, .top_at = now };
}

static void pass(struct doubt *d, int64_t now)
{
	if (now - d->top_at >= RELAY_OVERLAP_US)
		d->marked = d->top;
	else if (now - d->marked_at < RELAY_OVERLAP_US)
		return;
	d->settled = d->marked;
	d->marked = d->top;
	d->marked_at = d->top_at;
}

void doubt_note(struct doubt *d, uint64_t cursor, int64_t now)
{
	if (cursor <= d->top)
		return;
	pass(d, now);
	d->top = cursor;
	d->top_at = now;
}

uint64_t doubt_settled(struct doubt *d, int64_t now)
{
	pass(d, now);
	return d->settled;
}

static int64_t age(instant then, instant now)
{
	return now > then ? now - then : 0;
}

void doubt_resume(struct doubt *d, const struct push_cursor *known, instant wall, int64_t now)
{
	*d = (struct doubt){
		.settled = known->settled, .marked = known->marked, .top = known->pub_no,
		.marked_at = now - age(known->marked_at, wall), .top_at = now - age(known->at, wall),
	};
	memcpy(d->worker, known->worker, sizeof d->worker);
}

void doubt_save(const struct doubt *d, struct push_cursor *c, instant wall, int64_t now)
{
	c->settled = d->settled;
	c->marked = d->marked;
	c->marked_at = wall - (now - d->marked_at);
	c->at = wall - (now - d->top_at);
	memcpy(c->worker, d->worker, sizeof c->worker);
}

/* Where nothing tells workers apart, each broken connection might be a reload, and one that is broken all the time must not have
 * everything repeated all the time. */
static bool may_guess(struct doubt *d, int64_t now)
{
	int64_t *oldest = &d->guessed[d->guess_i];
	if (*oldest && now - *oldest < BLIND_WHILE_US)
		return false;
	*oldest = now;
	d->guess_i = (d->guess_i + 1) % DOUBT_GUESSES;
	return true;
}

uint64_t doubt_connected(struct doubt *d, const char *worker, uint64_t cursor, int64_t now)
{
	bool is_same = *worker && !strcmp(worker, d->worker);
	snprintf(d->worker, sizeof d->worker, "%s", worker);
	if (is_same || doubt_settled(d, now) >= cursor)
		return cursor;
	return *worker || may_guess(d, now) ? d->settled : cursor;
}
