/* relay_doubt.c - which messages a push instance accepted, though perhaps not all of its subscribers can have had them.
 * Owns: where a lane's cursor stood some seconds ago, and the nginx worker behind its connection. Does not own: the cursor, the clock.
 * Used by: relay_lane.c. */
#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLIND_WHILE_US (3 * RELAY_OVERLAP_US)

void doubt_reset(struct doubt *d, uint64_t cursor, int64_t now)
{
	*d = (struct doubt){ .settled = cursor, .marked = cursor, .top = cursor, .marked_at = now, .top_at = now, .heard_at = now };
}

uint64_t doubt_settled(struct doubt *d)
{
	if (d->heard_at - d->top_at >= RELAY_OVERLAP_US)
		d->marked = d->top;
	else if (d->heard_at - d->marked_at < RELAY_OVERLAP_US)
		return d->settled;
	d->settled = d->marked;
	d->marked = d->top;
	d->marked_at = d->top_at;
	return d->settled;
}

void doubt_note(struct doubt *d, uint64_t cursor, int64_t now)
{
	d->heard_at = now;
	if (cursor <= d->top)
		return;
	doubt_settled(d);
	d->top = cursor;
	d->top_at = now;
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
	d->heard_at = d->top_at;
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

/* True where that worker was there before: several take turns. */
static bool was_known(struct doubt *d, const char *worker)
{
	uint64_t id = strtoull(worker, NULL, 10);
	for (size_t i = 0; i < DOUBT_WORKERS; i++)
		if (d->known[i] == id)
			return true;
	d->known[d->known_i] = id;
	d->known_i = (d->known_i + 1) % DOUBT_WORKERS;
	return false;
}

/* Where nothing tells workers apart, or several take turns, each broken connection might be a reload, and one that is broken all the
 * time must not have everything repeated all the time. */
static bool may_guess(struct doubt *d, int64_t now)
{
	int64_t *oldest = &d->guessed[d->guess_i];
	if (*oldest && now - *oldest < BLIND_WHILE_US)
		return false;
	*oldest = now;
	d->guess_i = (d->guess_i + 1) % DOUBT_GUESSES;
	return true;
}

uint64_t doubt_heard(struct doubt *d, const char *worker, bool is_kept, uint64_t cursor, int64_t now)
{
	bool is_same = is_kept || (*worker && !strcmp(worker, d->worker));
	if (is_same)
		d->heard_at = now;
	bool is_new = !is_same && *worker && !was_known(d, worker);
	snprintf(d->worker, sizeof d->worker, "%s", worker);
	uint64_t settled = doubt_settled(d);
	if (is_same || settled >= cursor)
		return cursor;
	/* From here on it is this one's answers that count. */
	d->heard_at = now;
	return is_new || may_guess(d, now) ? settled : cursor;
}
