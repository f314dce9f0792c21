/* test_calendar_zones.c - wall times as instants, and what must hold of a calendar in every zone.
 * Owns: tests of zone_from_wall and zone_date_at, and of calendar.c at every change of every clock. Does not own: single cases (test_calendar.c).
 * Used by: make check. */
#include "calendars.h"
#include "zones.h"

#define S INSTANT_SECOND
#define MINUTE (60 * S)
#define DAY_SECONDS INT64_C(86400)
#define YEAR_1900 INT64_C(-2208988800)
#define YEAR_2015 INT64_C(1420070400)
#define YEAR_2035 INT64_C(2051222400)
#define YEAR_2040 INT64_C(2208988800)

static int64_t wall_seconds(const char *text)
{
	struct arena *a = arena_new();
	instant t = at(arena_printf(a, "%sZ", text));

	arena_free(a);
	return t / S;
}

Test(zones, from_wall)
{
	static const struct { const char *zone, *wall, *instant; } rows[] = {
		{ "UTC", "2026-02-26T11:30:00", "2026-02-26T11:30:00Z" }, { "Asia/Kolkata", "2026-02-26T17:00:00", "2026-02-26T11:30:00Z" },
		{ "Asia/Kathmandu", "2026-02-26T17:15:00", "2026-02-26T11:30:00Z" }, { "America/St_Johns", "2026-02-26T08:00:00", "2026-02-26T11:30:00Z" },
		/* twice: the first; never: with the offset before */
		{ "Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z" }, { "Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z" }, { "Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:59:59Z" },
		{ "Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", "2026-10-25T01:59:59", "2026-10-24T23:59:59Z" }, { "Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T00:00:00Z" },
		{ "Europe/Berlin", "2026-10-25T02:59:59", "2026-10-25T00:59:59Z" }, { "Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z" },
		{ "Europe/Berlin", "2100-03-28T02:30:00", "2100-03-28T01:30:00Z" }, { "Europe/Berlin", "9998-10-25T02:30:00", "9998-10-25T00:30:00Z" },
		/* the example of RFC 5545 */
		{ "America/New_York", "2007-11-04T01:30:00", "2007-11-04T05:30:00Z" }, { "America/New_York", "2007-03-11T02:30:00", "2007-03-11T07:30:00Z" },
		{ "Australia/Lord_Howe", "2026-04-05T01:30:00", "2026-04-04T14:30:00Z" }, { "Australia/Lord_Howe", "2026-04-05T01:59:59", "2026-04-04T14:59:59Z" },
		{ "Australia/Lord_Howe", "2026-04-05T02:00:00", "2026-04-04T15:30:00Z" }, { "Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z" },
		{ "America/Santiago", "2026-09-06T00:00:00", "2026-09-06T04:00:00Z" }, { "America/Santiago", "2026-09-06T00:30:00", "2026-09-06T04:30:00Z" },
		{ "America/Santiago", "2026-04-04T23:30:00", "2026-04-05T02:30:00Z" }, { "America/Santiago", "2026-04-05T00:00:00", "2026-04-05T04:00:00Z" },
		{ "Africa/Cairo", "2026-04-24T00:00:00", "2026-04-23T22:00:00Z" }, { "Africa/Cairo", "2026-10-29T23:00:00", "2026-10-29T20:00:00Z" },
		{ "America/Sao_Paulo", "2018-11-04T00:30:00", "2018-11-04T03:30:00Z" }, { "America/Sao_Paulo", "2019-11-03T00:30:00", "2019-11-03T03:30:00Z" },
		{ "Europe/Istanbul", "2015-11-08T03:30:00", "2015-11-08T00:30:00Z" }, { "Europe/Istanbul", "2016-10-30T03:30:00", "2016-10-30T00:30:00Z" },
		/* a day and more */
		{ "Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z" }, { "Pacific/Apia", "2011-12-30T00:00:00", "2011-12-30T10:00:00Z" },
		{ "Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z" }, { "Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z" },
		{ "UTC", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z" }, { "UTC", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		const struct zone *z = zone_in(a, rows[i].zone);
		instant t = zone_from_wall(z, wall_seconds(rows[i].wall));

		cr_expect(t == at(rows[i].instant), "%s: %s is %s", rows[i].zone, rows[i].wall, words_of(a, NULL, t));
	}
	cr_expect_eq(zone_from_wall(NULL, -1), -S);
	arena_free(a);
}

Test(zones, date_at)
{
	static const struct { const char *zone, *at, *date; } rows[] = {
		{ "UTC", "1970-01-01T00:00:00Z", "1970-01-01" }, { "UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31" }, { "Asia/Kolkata", "2026-02-26T18:29:59.999999Z", "2026-02-26" },
		{ "Asia/Kolkata", "2026-02-26T18:30:00Z", "2026-02-27" }, { "America/St_Johns", "2026-02-26T03:29:59Z", "2026-02-25" }, { "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29" },
		{ "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++)
		cr_expect_eq(zone_date_at(zone_in(a, rows[i].zone), at(rows[i].at)), date(rows[i].date), "%s at %s", rows[i].zone, rows[i].at);
	cr_expect_eq(zone_date_at(NULL, -1), -1);
	arena_free(a);
}

static int offset_at(const struct zone *z, int64_t s)
{
	return zone_offset_at(z, s * S);
}

/* The first second of what is in force at high, where another offset is in force at low. */
static int64_t change_between(const struct zone *z, int64_t low, int64_t high)
{
	int after = offset_at(z, high);

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		*(offset_at(z, middle) == after ? &high : &low) = middle;
	}
	return high;
}

/* Calls fn with each change of the clock, as far as they are a day apart. */
static void for_each_change(const struct zone *z, int64_t from, int64_t to, void (*fn)(const struct zone *z, int64_t change, void *ctx), void *ctx)
{
	int before = offset_at(z, from);

	for (int64_t s = from; s < to; s += DAY_SECONDS) {
		int after = offset_at(z, s);

		if (after != before)
			fn(z, change_between(z, s - DAY_SECONDS, s), ctx);
		before = after;
	}
}

struct seen { const char *zone; size_t count; };

static void check_wall(const struct zone *z, int64_t wall, int64_t expected, struct seen *seen)
{
	instant t = zone_from_wall(z, wall);

	seen->count++;
	if (t != expected * S)
		cr_assert(false, "%s: wall time %ld is %ld, not %ld", seen->zone, (long)wall, (long)(t / S), (long)expected);
}

static void check_change(const struct zone *z, int64_t change, void *ctx)
{
	int before = offset_at(z, change - 1), after = offset_at(z, change);
	int64_t first = change + (before < after ? before : after), last = change + (before < after ? after : before) - 1;
	struct seen *seen = ctx;

	/* From the first to the last second that come twice or never, the offset before counts in both cases. */
	check_wall(z, first - 1, first - 1 - before, seen);
	check_wall(z, first, first - before, seen);
	check_wall(z, first + (last - first) / 3, first + (last - first) / 3 - before, seen);
	check_wall(z, last, last - before, seen);
	check_wall(z, last + 1, last + 1 - after, seen);
}

static void check_changes(const char *name, void *ctx)
{
	struct zone *z = zone_load(NULL, name);
	struct seen *seen = ctx;

	cr_assert(z, "%s", name);
	seen->zone = name;
	for_each_change(z, YEAR_1900, YEAR_2040, check_change, seen);
	zone_free(z);
}

Test(zones, every_change, .timeout = 600)
{
	struct seen seen = { .count = 0 };

	if (for_each_zone(check_changes, &seen) == 0)
		cr_skip_test("no list of zones on this host");
	cr_expect_gt(seen.count, 100000, "%zu", seen.count);
}

/* The clock at t shows that wall time, so it does occur: at t, or, where the clock was changed less than a day before, at an earlier twin. */
static void check_twin(const struct zone *z, int64_t t, struct seen *seen)
{
	int64_t wall = t + offset_at(z, t), twin = wall - offset_at(z, t - DAY_SECONDS);

	check_wall(z, wall, twin + offset_at(z, twin) == wall ? twin : t, seen);
}

/* Hours far from a change are all alike, so of them one a day will do. */
static void check_hours(const char *name, void *ctx)
{
	struct zone *z = zone_load(NULL, name);
	struct seen *seen = ctx;

	cr_assert(z, "%s", name);
	seen->zone = name;
	for (int64_t day = YEAR_2015, i = 0; day < YEAR_2035; day += DAY_SECONDS, i++) {
		bool quiet = offset_at(z, day - 2 * DAY_SECONDS) == offset_at(z, day + 3 * DAY_SECONDS);

		for (int64_t hour = quiet ? i % 24 : 0; hour < (quiet ? i % 24 + 1 : 24); hour++)
			check_twin(z, day + hour * 3600, seen);
	}
	zone_free(z);
}

Test(zones, every_hour, .timeout = 600)
{
	struct seen seen = { .count = 0 };

	if (for_each_zone(check_hours, &seen) == 0)
		cr_skip_test("no list of zones on this host");
	cr_expect_gt(seen.count, 2000000);
}

/* Calendars, at the dates around each change */

#define DATES_AROUND 5

static int by_start(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* The slots of these dates, in real time: where the clock goes back across midnight, a date's do not follow one another. */
static size_t slots_of(const struct calendar *c, struct arena *a, int64_t first, struct slot **out)
{
	struct slot *all = NULL, *v;
	size_t n, count = 0;

	for (int64_t d = first; d < first + DATES_AROUND; d++) {
		calendar_slots(c, a, d, &v, &n);
		all = arena_grow(a, all, count * sizeof(*all), (count + n) * sizeof(*all));
		if (n)
			memcpy(all + count, v, n * sizeof(*all));
		count += n;
	}
	if (count)
		qsort(all, count, sizeof(*all), by_start);
	*out = all;
	return count;
}

static void check_slot_of(const struct calendar *c, const struct slot *s, const char *zone)
{
	const instant inside[] = { s->start, s->end - 1 };
	struct slot found;

	for (size_t i = 0; i < 2; i++)
		if (!calendar_slot_of(c, inside[i], &found) || found.start != s->start || found.end != s->end)
			cr_assert(false, "%s: %ld does not lie in its slot", zone, (long)inside[i]);
}

/* Always open: from the first midnight to the last. */
static void check_tiles(const struct calendar *c, struct arena *a, int64_t first, const char *zone)
{
	instant end = zone_from_wall(c->zone, first * DAY_SECONDS);
	struct slot *v;
	size_t n = slots_of(c, a, first, &v);

	cr_assert(n > 0, "%s", zone);
	for (size_t i = 0; i < n; end = v[i++].end)
		if (v[i].start != end || v[i].end <= end || v[i].end - end > c->slot_minutes * MINUTE)
			cr_assert(false, "%s: at %ld a slot lasts from %ld to %ld", zone, (long)end, (long)v[i].start, (long)v[i].end);
	cr_assert(end == zone_from_wall(c->zone, (first + DATES_AROUND) * DAY_SECONDS), "%s: slots end at %ld", zone, (long)end);
	for (size_t i = 0; i < n; i += 7)
		check_slot_of(c, &v[i], zone);
}

/* Written anew: what is said of one instant, looking at each span alone. */
static bool is_within_span(const struct calendar *c, instant t)
{
	int64_t date = zone_date_at(c->zone, t);

	for (int64_t d = date - 2; d <= date + 1; d++) {
		const struct spans *s = &c->week[(d % 7 + 7 + 3) % 7];
		int64_t midnight = d * DAY_SECONDS;

		if (zone_from_wall(c->zone, midnight) == zone_from_wall(c->zone, midnight + DAY_SECONDS))
			continue;
		for (size_t i = 0; i < s->n; i++)
			if (zone_from_wall(c->zone, midnight + s->v[i].start * 60) <= t && t < zone_from_wall(c->zone, midnight + s->v[i].end * 60))
				return true;
	}
	return false;
}

/* Open where a span says so, and then in a slot. Every 113 minutes, not always the same ones. */
static void check_open(const struct calendar *c, int64_t change, size_t turn, const char *zone)
{
	for (instant t = (change - DAY_SECONDS + (int64_t)(turn % 113) * 60) * S; t < (change + DAY_SECONDS) * S; t += 113 * MINUTE) {
		bool open = calendar_is_open(c, t, NULL);
		struct slot s;

		if (open != is_within_span(c, t) || calendar_slot_of(c, t, &s) != open || (open && (s.start > t || s.end <= t)))
			cr_assert(false, "%s at %ld: %s", zone, (long)t, open ? "open" : "closed");
		if ((calendar_next_instant(c, t) == t) != calendar_takes_instant(c, t))
			cr_assert(false, "%s at %ld: when next", zone, (long)t);
	}
}

static void check_candidates(const struct calendar *c, int64_t change, const char *zone)
{
	instant now = (change - 2 * DAY_SECONDS) * S, from = (change - 7200) * S, v[40];
	size_t n = calendar_candidates(c, now, from, 2, v, 20);

	n += calendar_candidates_before(c, now, from, 2, v + n, 20);
	cr_assert(n > 0, "%s", zone);
	for (size_t i = 0; i < n; i++)
		if (calendar_judge(c, now, v[i]) != CALENDAR_OK)
			cr_assert(false, "%s: %ld would not do", zone, (long)v[i]);
}

struct around { const char *zone; struct calendar always, hours; size_t count; };

static void check_around(const struct zone *z, int64_t change, void *ctx)
{
	static const int minutes[] = { 60, 15, 90, 7, 1440, 45, 20, 240 };
	struct around *r = ctx;
	struct arena *a = arena_new();

	r->always.zone = r->hours.zone = z;
	r->always.slot_minutes = r->hours.slot_minutes = minutes[r->count++ % ITEMS(minutes)];
	r->hours.last_order_minutes = r->count % 3 * 25;
	check_tiles(&r->always, a, zone_date_at(z, change * S) - 2, r->zone);
	check_open(&r->hours, change, r->count, r->zone);
	check_candidates(&r->hours, change, r->zone);
	arena_free(a);
}

static void check_calendars(const char *name, void *ctx)
{
	struct zone *z = zone_load(NULL, name);
	struct around *r = ctx;

	cr_assert(z, "%s", name);
	r->zone = name;
	for_each_change(z, YEAR_2015, YEAR_2035, check_around, r);
	check_around(z, YEAR_2015 + (int64_t)(r->count % 7300) * DAY_SECONDS, r);
	zone_free(z);
}

Test(calendar, around_every_change, .timeout = 600)
{
	struct arena *a = arena_new();
	struct around r = {
		.always = calendar_of(a, "UTC", NULL, NULL),
		.hours = calendar_of(a, "UTC", "mo 00:00-01:30 02:00-24:00 tu 22:00-02:15 we 02:30-09:00 th 10:00-09:00 fr 08:00-12:00 23:30-24:00 "
			"sa 00:00-00:45 01:10-03:00 12:00-00:30 su 00:00-00:20 01:15-01:45 02:20-02:40 03:00-03:10 16:00-05:00", NULL),
	};

	if (for_each_zone(check_calendars, &r) == 0)
		cr_skip_test("no list of zones on this host");
	cr_expect_gt(r.count, 4000);
	arena_free(a);
}

/* Zones that go back across midnight, or skip a date, did so earlier. */
Test(calendar, around_rare_changes)
{
	static const struct { const char *zone, *at; } rows[] = {
		{ "Pacific/Apia", "2011-12-30T10:00:00Z" }, { "Pacific/Kwajalein", "1993-08-21T12:00:00Z" }, { "Pacific/Kiritimati", "1994-12-31T10:00:00Z" },
		{ "Pacific/Kwajalein", "1969-09-30T13:00:00Z" }, { "America/St_Johns", "2010-11-07T02:31:00Z" }, { "America/St_Johns", "1988-04-03T03:31:00Z" },
		{ "America/Toronto", "1919-03-31T04:30:00Z" }, { "Antarctica/Troll", "2026-03-29T01:00:00Z" }, { "Antarctica/Casey", "2018-03-10T17:00:00Z" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct around r = { .zone = rows[i].zone, .always = calendar_of(a, "UTC", NULL, NULL), .count = i };
		const struct zone *z = zone_in(a, rows[i].zone);
		int64_t change = at(rows[i].at) / S;

		r.hours = calendar_of(a, "UTC", "all 00:00-00:20 00:25-01:10 02:10-02:50 03:00-08:00 22:50-23:10 23:30-02:05", NULL);
		cr_expect_neq(offset_at(z, change - 1), offset_at(z, change), "%s does not change at %s", rows[i].zone, rows[i].at);
		check_around(z, change, &r);
	}
	arena_free(a);
}
