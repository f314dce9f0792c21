/* calendar.c - when a shop is open, takes orders, and can be come to.
 * Owns: what follows from a shop's hours and limits. Does not own: the hours in real time (calendar_walk.c), capacities, pauses (the endpoints). Pure.
 * Used by: gate.c, ep_place.c, ep_slots.c, render.c. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "calendar_walk.h"

#define MINUTE (60 * INSTANT_SECOND)
#define DAY (1440 * MINUTE)
/* How far local midnight may lie before and after UTC's: RFC 9636 section 3.2 */
#define AHEAD_MAX (26 * 60 * MINUTE)
#define BEHIND_MAX (25 * 60 * MINUTE)

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

bool spans_are_apart(const struct spans *s)
{
	if (s->n > 1)
		qsort(s->v, s->n, sizeof(s->v[0]), by_start);
	for (size_t i = 1; i < s->n; i++)
		if (s->v[i].start < s->v[i - 1].end)
			return false;
	return true;
}

/* The part that holds t, or else the first one after it; *w then stands behind it. */
static bool find_part(const struct calendar *c, instant t, int64_t days, struct walk *w, struct slot *part)
{
	walk_start(w, c, t, days);
	while (walk_next(w, part))
		if (part->end > t)
			return true;
	return false;
}

/* Where the stretch ends of which a part ends there, before which *w stands; not looked for any further than to enough. Walks a copy. */
static instant stretch_end(const struct walk *w, instant end, instant enough)
{
	struct walk ahead = *w;
	struct slot part;

	if (w->c->is_always_open && w->c->exception_count == 0)
		return enough;
	while (end < enough && walk_next(&ahead, &part) && part.start == end)
		end = part.end;
	return end;
}

bool calendar_is_open(const struct calendar *c, instant t, instant *closes)
{
	struct walk w;
	struct slot part;
	instant end;

	if (!find_part(c, t, closes ? CALENDAR_HORIZON_DAYS : 1, &w, &part) || part.start > t)
		return false;
	if (closes) {
		end = stretch_end(&w, part.end, INT64_MAX);
		*closes = end >= walk_limit(&w) ? INSTANT_NONE : end;
	}
	return true;
}

/* Within the part behind which *w stands. */
static bool is_in_time(const struct calendar *c, const struct walk *w, instant t, const struct slot *part)
{
	instant needed = t + c->last_order_minutes * MINUTE;

	return stretch_end(w, part->end, needed) >= needed;
}

bool calendar_takes_instant(const struct calendar *c, instant now)
{
	struct walk w;
	struct slot part;

	return find_part(c, now, CALENDAR_HORIZON_DAYS, &w, &part) && part.start <= now && is_in_time(c, &w, now, &part);
}

/* What is left of the stretch that holds now may be too short, and so may any other be; of each only the first part counts. */
instant calendar_next_instant(const struct calendar *c, instant now)
{
	instant end = INSTANT_NONE, start, needed;
	struct walk w;
	struct slot part;

	walk_start(&w, c, now, CALENDAR_HORIZON_DAYS);
	while (walk_next(&w, &part)) {
		if (part.end <= now || part.start < end)
			continue;
		start = part.start > now ? part.start : now;
		needed = start + c->last_order_minutes * MINUTE;
		end = stretch_end(&w, part.end, needed);
		if (end >= needed)
			return start;
	}
	return INSTANT_NONE;
}

enum calendar_verdict calendar_judge(const struct calendar *c, instant now, instant pickup)
{
	if (c->max_days_ahead >= 0 && zone_date_at(c->zone, pickup) - zone_date_at(c->zone, now) > c->max_days_ahead)
		return CALENDAR_TOO_FAR;
	if (pickup < now + c->lead_minutes * MINUTE)
		return CALENDAR_TOO_SOON;
	return calendar_takes_instant(c, pickup) ? CALENDAR_OK : CALENDAR_OUTSIDE_HOURS;
}

bool calendar_slot_of(const struct calendar *c, instant t, struct slot *out)
{
	int64_t length = c->slot_minutes * MINUTE;
	struct walk w;
	struct slot part;

	if (length <= 0 || !find_part(c, t, 1, &w, &part) || part.start > t)
		return false;
	out->start = t - (t - part.start) % length;
	out->end = part.end - out->start > length ? out->start + length : part.end;
	return true;
}

/* The first of start, start + step, … that is not before that instant. */
static instant first_step(instant start, int64_t step, instant not_before)
{
	return start >= not_before ? start : start + (not_before - start + step - 1) / step * step;
}

/* The clock may go back across midnight, so that a date comes twice, with another between: each slot's own start decides. */
void calendar_slots(const struct calendar *c, struct arena *a, int64_t date, struct slot **out, size_t *n)
{
	int64_t length = c->slot_minutes * MINUTE;
	instant earliest = date * DAY - AHEAD_MAX, latest = (date + 1) * DAY + BEHIND_MAX;
	struct walk w;
	struct slot part;
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	if (length <= 0)
		return;
	walk_start_on(&w, c, date, 1);
	while (walk_next(&w, &part))
		for (instant t = first_step(part.start, length, earliest); t < part.end && t < latest; t += length) {
			if (zone_date_at(c->zone, t) != date)
				continue;
			*out = arena_room(a, *out, *n, &cap, sizeof(**out));
			(*out)[(*n)++] = (struct slot){ t, part.end - t > length ? t + length : part.end };
		}
}

/* What to propose: on these local dates, from <= t < before; the first max of them, or the last. */
struct wanted {
	const struct calendar *c;
	int64_t first_date, last_date;
	instant from, before;
	bool is_last;
	instant *out;
	size_t max, n;
};

static bool is_full(const struct wanted *q)
{
	return q->n == q->max && !q->is_last;
}

static void propose(struct wanted *q, instant t)
{
	int64_t date = zone_date_at(q->c->zone, t);

	if (date < q->first_date || date > q->last_date)
		return;
	if (q->n == q->max) {
		memmove(q->out, q->out + 1, (q->max - 1) * sizeof(*q->out));
		q->n--;
	}
	q->out[q->n++] = t;
}

static void propose_in(struct wanted *q, const struct slot *part, instant stretch)
{
	int64_t step = (q->c->slot_minutes > 0 ? q->c->slot_minutes : CALENDAR_GRID_MINUTES) * MINUTE;
	instant last = stretch - q->c->last_order_minutes * MINUTE;

	for (instant t = first_step(part->start, step, q->from); t < part->end && t < q->before && t <= last && !is_full(q); t += step)
		propose(q, t);
}

static int64_t at_most_horizon(int days)
{
	return days < CALENDAR_HORIZON_DAYS ? days : CALENDAR_HORIZON_DAYS;
}

/* Looks two dates beyond the last one, and as many as last_order_minutes may be, so that the ends of the stretches are seen. */
static size_t collect(struct wanted *q)
{
	int64_t days = q->last_date - q->first_date, more = at_most_horizon(2 + q->c->last_order_minutes / 1440);
	instant end = INSTANT_NONE;
	struct walk w;
	struct slot part;

	if (q->max == 0 || days < 0)
		return 0;
	walk_start_on(&w, q->c, q->first_date, days + more);
	while (!is_full(q) && walk_next(&w, &part) && part.start < q->before) {
		if (part.start >= end)
			end = stretch_end(&w, part.end, INT64_MAX);
		if (part.end > q->from)
			propose_in(q, &part, end);
	}
	return q->n;
}

static int64_t last_date_allowed(const struct calendar *c, instant now)
{
	return c->max_days_ahead < 0 ? INT64_MAX : zone_date_at(c->zone, now) + c->max_days_ahead;
}

static instant first_allowed(const struct calendar *c, instant now)
{
	return c->lead_minutes > 0 ? now + c->lead_minutes * MINUTE : now + 1;
}

size_t calendar_candidates(const struct calendar *c, instant now, instant from, int days, instant *out, size_t max)
{
	instant allowed = first_allowed(c, now);
	struct wanted q = { .c = c, .from = from > allowed ? from : allowed, .before = INT64_MAX, .out = out, .max = max };

	q.first_date = zone_date_at(c->zone, q.from);
	q.last_date = q.first_date + at_most_horizon(days) - 1;
	if (q.last_date > last_date_allowed(c, now))
		q.last_date = last_date_allowed(c, now);
	return collect(&q);
}

size_t calendar_candidates_before(const struct calendar *c, instant now, instant before, int days, instant *out, size_t max)
{
	struct wanted q = { .c = c, .from = first_allowed(c, now), .before = before, .is_last = true, .out = out, .max = max };
	int64_t earliest = zone_date_at(c->zone, q.from);

	q.last_date = zone_date_at(c->zone, before);
	if (q.last_date > last_date_allowed(c, now))
		q.last_date = last_date_allowed(c, now);
	q.first_date = q.last_date - at_most_horizon(days) + 1;
	if (q.first_date < earliest)
		q.first_date = earliest;
	return collect(&q);
}

instant calendar_add_open(const struct calendar *c, instant from, int minutes)
{
	int64_t left = minutes * MINUTE;
	struct walk w;
	struct slot part;

	if (left <= 0)
		return from;
	walk_start(&w, c, from, CALENDAR_HORIZON_DAYS);
	while (walk_next(&w, &part)) {
		instant start = part.start > from ? part.start : from;

		if (part.end - start >= left)
			return start + left;
		if (part.end > start)
			left -= part.end - start;
	}
	return INSTANT_NONE;
}
