/* calendar_walk.h - a calendar's spans as parts of real time, one after the other.
 * Owns: struct walk. Used by: calendar.c. Pure. */
#ifndef PICKUP_CALENDAR_WALK_H
#define PICKUP_CALENDAR_WALK_H

#include "calendar.h"

/* A span: v[i] of that date. */
struct walk_place { int64_t date; const struct span *v; size_t n, i; };

/* A plain value: a copy walks on by itself from where the original stands. */
struct walk {
	const struct calendar *c;
	int64_t last;			/* no spans of later dates */
	struct walk_place next;		/* not looked at yet */
	struct slot kept;		/* looked at, but not given yet */
	bool has_kept;
	struct walk_place moved;	/* the first of those behind next that start in a gap of the clock and were not given yet */
	size_t moved_count;
	instant reached;		/* the end of what was given */
};

/* To the first span of any that matters at t or later: those of some dates before t's give what it is cut by. Ends with the spans of the date that is
 * so many days after t's. */
void walk_start(struct walk *w, const struct calendar *c, instant t, int64_t days);
/* The same for a local date instead of an instant. */
void walk_start_on(struct walk *w, const struct calendar *c, int64_t date, int64_t days);
/* The next part: never empty, never before the end of the one before it. False: no more. */
must_check bool walk_next(struct walk *w, struct slot *out);
/* The end of the last date: what lasts until then may go on. */
instant walk_limit(const struct walk *w);

#endif
