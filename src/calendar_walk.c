/* calendar_walk.c - a calendar's spans as parts of real time.
 * Owns: which spans a date has, their order and how they are cut. Does not own: what follows from it (calendar.c). Pure.
 * Used by: calendar.c. */
#include "calendar_walk.h"

#define DAY_SECONDS INT64_C(86400)
#define DATE_LAST INT64_C(2932896)	/* 9999-12-31 */
/* A span may last to the end of the date after its own. So what holds t is of t's date or the one before, and what cuts that is of one before it; a date
 * that the zone skips may lie between. */
#define DATES_BACK 3

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

/* Samoa had no 30 December 2011: its midnight and the next are one instant. Then every span of it is in that gap. */
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

enum kind { KEPT, MOVED, NEVER };

/* The span there in real time. MOVED: its start is a wall time that did not occur, so that it starts later by the clock than it is written. */
static enum kind look_at(const struct walk *w, const struct walk_place *p, struct slot *out)
{
	const struct calendar *c = w->c;
	int64_t midnight = p->date * DAY_SECONDS, start = midnight + p->v[p->i].start * 60;

	out->start = zone_from_wall(c->zone, start);
	out->end = zone_from_wall(c->zone, midnight + p->v[p->i].end * 60);
	if (out->start == (start - zone_offset_at(c->zone, out->start)) * INSTANT_SECOND)
		return KEPT;
	return is_skipped(c, p->date) ? NEVER : MOVED;
}

/* By start, but not yet cut. What starts in a gap of the clock comes to stand among what starts after it; each of the two kinds is in order by itself, so
 * the former, which stand side by side, wait until their turn has come. */
static bool next_span(struct walk *w, struct slot *out)
{
	for (; !w->has_kept && is_at_span(w, &w->next); w->next.i++) {
		enum kind kind = look_at(w, &w->next, &w->kept);

		w->has_kept = kind == KEPT;
		if (kind == MOVED && w->moved_count++ == 0)
			w->moved = w->next;
	}
	if (w->moved_count > 0 && is_at_span(w, &w->moved)) {
		(void)look_at(w, &w->moved, out);
		if (!w->has_kept || out->start <= w->kept.start) {
			w->moved_count--;
			w->moved.i++;
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
