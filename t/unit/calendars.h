/* calendars.h - calendars from words, and what comes of them as words, for the tests of the rules.
 * Owns: the words. Hours: "mo 09:00-13:00 17:00-02:00 tu …", "all 09:00-17:00", "" for never open, NULL for always. Exceptions: "2026-12-25 2026-12-31 09:00-12:00",
 * by date, NULL for none. Used by: test_calendar*.c. */
#ifndef PICKUP_T_CALENDARS_H
#define PICKUP_T_CALENDARS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "calendar.h"

#define ITEMS(rows) (sizeof(rows) / sizeof((rows)[0]))
#define OR_NONE(text) ((text) ? (text) : "(none)")

static inline instant at(const char *text)
{
	instant t = INSTANT_NONE;

	cr_assert(!text || time_parse(str_from(text), &t), "%s", OR_NONE(text));
	return t;
}

static inline int64_t date(const char *text)
{
	int64_t days = 0;

	cr_assert(date_parse(str_from(text), &days), "%s", text);
	return days;
}

static inline void free_zone(void *z)
{
	zone_free(z);
}

static inline const struct zone *zone_in(struct arena *a, const char *name)
{
	struct zone *z = zone_load(NULL, name);

	cr_assert(z, "this host has no zone %s", name);
	arena_defer(a, free_zone, z);
	return z;
}

static inline void add_span(struct arena *a, struct spans *s, struct str text)
{
	struct span *v = arena_array(a, s->n + 1, sizeof(*v)), *new = &v[s->n];
	struct str rest;

	cr_assert(time_of_day_parse(str_cut(text, '-', &rest), &new->start) && time_of_day_parse(rest, &new->end), "%.*s", STR_FMT(text));
	if (new->end <= new->start)
		new->end += 1440;
	if (s->n)
		memcpy(v, s->v, s->n * sizeof(*v));
	s->v = v;
	s->n++;
}

static inline void set_week(struct arena *a, struct calendar *c, const char *hours)
{
	static const char *const days[7] = { "mo", "tu", "we", "th", "fr", "sa", "su" };
	struct str rest = str_from(hours), word;
	bool is_set[7] = { false };

	while (rest.len) {
		word = str_cut(rest, ' ', &rest);
		if (word.len < 4)
			for (int i = 0; i < 7; i++)
				is_set[i] = str_is(word, "all") || str_is(word, days[i]);
		else
			for (int i = 0; i < 7; i++)
				if (is_set[i])
					add_span(a, &c->week[i], word);
	}
	for (int i = 0; i < 7; i++)
		cr_assert(spans_are_apart(&c->week[i]), "%s", hours);
}

static inline void set_exceptions(struct arena *a, struct calendar *c, const char *text)
{
	struct exception *v = arena_array(a, strlen(text) + 1, sizeof(*v));
	struct str rest = str_from(text), word;

	while (rest.len) {
		word = str_cut(rest, ' ', &rest);
		if (word.len == sizeof("2026-12-25") - 1)
			cr_assert(date_parse(word, &v[c->exception_count++].date), "%.*s", STR_FMT(word));
		else
			add_span(a, &v[c->exception_count - 1].hours, word);
	}
	c->exceptions = v;
}

/* No limits and no slots. */
static inline struct calendar calendar_of(struct arena *a, const char *zone, const char *hours, const char *exceptions)
{
	struct calendar c = { .zone = zone_in(a, zone), .is_always_open = !hours, .max_days_ahead = -1 };

	if (hours)
		set_week(a, &c, hours);
	if (exceptions)
		set_exceptions(a, &c, exceptions);
	return c;
}

/* "2026-02-26T17:00:00+05:30", or "-" for INSTANT_NONE. */
static inline const char *words_of(struct arena *a, const struct zone *z, instant t)
{
	struct buf b = BUF_IN(a);

	if (t == INSTANT_NONE)
		return "-";
	time_print(&b, t, z);
	return b.s;
}

/* "09:00" */
static inline const char *clock_of(struct arena *a, const struct zone *z, instant t)
{
	return arena_memdup(a, words_of(a, z, t) + 11, 5);
}

/* "(+01:00) 01:00 01:30 (+02:00) 03:00-03:30": the starts, the offset wherever it is another, the end where nothing follows at once. */
static inline const char *words_of_slots(struct arena *a, const struct zone *z, const struct slot *v, size_t n)
{
	struct buf b = BUF_IN(a);
	const char *offset = "";

	for (size_t i = 0; i < n; i++) {
		const char *now = words_of(a, z, v[i].start) + 19;

		if (i > 0)
			buf_adds(&b, " ");
		if (strcmp(now, offset) != 0)
			buf_addf(&b, "(%s) ", now);
		offset = now;
		buf_adds(&b, clock_of(a, z, v[i].start));
		if (i + 1 == n || v[i + 1].start != v[i].end)
			buf_addf(&b, "-%s", clock_of(a, z, v[i].end));
	}
	buf_adds(&b, "");
	return b.s;
}

#endif
