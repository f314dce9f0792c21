/* calendar_walk.c - a calendar's spans as parts of real time.
 * Owns: which spans a date has, their order and how they are cut. Does not own: what follows from it (calendar.c). Pure.
 * Used by: calendar.c. */
#include "calendar_walk.h"

#define DAY_SECONDS INT64_C(86400)
#define DAY_MINUTES 1440
#define DATE_LAST INT64_C(2932896)	/* 9999-12-31 */
/* A span may last to the end of the date after its own, and a whole day that the zone skips puts it off by one more: so what holds t starts two
 * dates before t's at most, and what cuts that two dates before it. */
#define DATES_BACK 4

static const struct exception *exception_on(const struct calendar *c, int64_t date)
{
	size_t low = 0, high = c->exception_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->exceptions[middle].date < date)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->exception_count && c->exceptions[low].date == date ? &c->exceptions[low] : NULL;
}

/* Samoa had no 30 December 2011: its midnight and the next are one instant. */
static bool is_skipped(const struct calendar *c, int64_t date)
{
	return zone_from_wall(c->zone, date * DAY_SECONDS) >= zone_from_wall(c->zone, (date + 1) * DAY_SECONDS);
}

static struct walk_place first_of(const struct calendar *c, int64_t date)
{
	static const struct span whole_day = { 0, DAY_MINUTES };
	const struct exception *e = exception_on(c, date);
	int weekday = (int)((date % 7 + 7 + 3) % 7);	/* 1970-01-01 was a Thursday */
	const struct spans *s = e ? &e->hours : &c->week[weekday];
	struct walk_place p = { date, s->v, s->n, 0 };

	if (!e && c->is_always_open) {
		p.v = &whole_day;
		p.n = 1;
	}
	if (p.n > 0 && is_skipped(c, date))
		p.n = 0;
	return p;
}

/* Goes on to the next date that has one where this date's have all been seen. False: there is none. */
static bool is_at_span(const struct walk *w, struct walk_place *p)
{
	while (p->i >= p->n) {
		if (p->date >= w->last)
			return false;
		*p = first_of(w->c, p->date + 1);
	}
	return true;
}

/* The span there in real time. Gives whether its start is a wall time that did not occur, so that it starts later by the clock than it is written. */
static bool is_moved(const struct walk *w, const struct walk_place *p, struct slot *out)
{
	int64_t midnight = p->date * DAY_SECONDS, start = midnight + p->v[p->i].start * 60;

	out->start = zone_from_wall(w->c->zone, start);
	out->end = zone_from_wall(w->c->zone, midnight + p->v[p->i].end * 60);
	return out->start != (start - zone_offset_at(w->c->zone, out->start)) * INSTANT_SECOND;
}

static void drop_moved(struct walk *w)
{
	struct slot unused;

	w->moved.i++;
	if (--w->moved_count == 0)
		return;
	while (is_at_span(w, &w->moved) && !is_moved(w, &w->moved, &unused))
		w->moved.i++;
}

/* By start, but not yet cut. What starts in a gap of the clock comes to stand among what starts after it; each of the two kinds is in order by itself, so
 * the former wait until their turn has come. */
static bool next_span(struct walk *w, struct slot *out)
{
	for (; !w->has_kept && is_at_span(w, &w->next); w->next.i++) {
		w->has_kept = !is_moved(w, &w->next, &w->kept);
		if (!w->has_kept && w->moved_count++ == 0)
			w->moved = w->next;
	}
	if (w->moved_count > 0) {
		(void)is_moved(w, &w->moved, out);
		if (!w->has_kept || out->start <= w->kept.start) {
			drop_moved(w);
			return true;
		}
	}
	if (!w->has_kept)
		return false;
	*out = w->kept;
	w->has_kept = false;
	return true;
}

void walk_start_on(struct walk *w, const struct calendar *c, int64_t date, int64_t days)
{
	*w = (struct walk){ .c = c, .last = date + days < DATE_LAST ? date + days : DATE_LAST, .reached = INT64_MIN };
	w->next = first_of(c, date - DATES_BACK);
}

void walk_start(struct walk *w, const struct calendar *c, instant t, int64_t days)
{
	walk_start_on(w, c, zone_date_at(c->zone, t), days);
}

/* A span that ends in or before the gap in which it starts is empty; so is one that lies within another. */
bool walk_next(struct walk *w, struct slot *out)
{
	while (next_span(w, out)) {
		if (out->start < w->reached)
			out->start = w->reached;
		if (out->start < out->end) {
			w->reached = out->end;
			return true;
		}
	}
	return false;
}

instant walk_limit(const struct walk *w)
{
	return zone_from_wall(w->c->zone, (w->last + 1) * DAY_SECONDS);
}
