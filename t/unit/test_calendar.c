/* test_calendar.c - a shop's calendar: open, slots, verdicts, what to propose.
 * Owns: tests of calendar.c, row by row. Does not own: what must hold in every zone (test_calendar_zones.c).
 * Used by: make check. */
#include "calendars.h"

Test(calendar, spans_apart)
{
	static const struct { struct span v[3]; size_t n; bool apart; } rows[] = {
		{ { { 0 } }, 0, true }, { { { 540, 780 } }, 1, true }, { { { 0, 1440 } }, 1, true },
		{ { { 1020, 1560 }, { 540, 780 } }, 2, true }, { { { 780, 1020 }, { 540, 780 } }, 2, true }, { { { 540, 781 }, { 780, 1020 } }, 2, false },
		{ { { 780, 1020 }, { 540, 781 } }, 2, false }, { { { 540, 780 }, { 540, 780 } }, 2, false }, { { { 540, 780 }, { 600, 610 } }, 2, false },
		{ { { 0, 1 }, { 2, 3 }, { 1, 2 } }, 3, true }, { { { 0, 2 }, { 2, 3 }, { 1, 2 } }, 3, false }, { { { 1439, 2879 }, { 0, 1439 } }, 2, true },
	};

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct span v[3];
		struct spans s = { v, rows[i].n };

		memcpy(v, rows[i].v, sizeof(v));
		cr_expect_eq(spans_are_apart(&s), rows[i].apart, "row %zu", i);
		for (size_t j = 1; j < s.n; j++)
			cr_expect_leq(v[j - 1].start, v[j].start, "row %zu is not sorted", i);
	}
	cr_expect(spans_are_apart(&(struct spans){ NULL, 0 }));
}

/* closes: "-" for never, NULL where it is closed. 2026-02-26 is a Thursday. */
Test(calendar, open)
{
	static const struct { const char *zone, *hours, *exceptions, *at, *closes; } rows[] = {
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, "2026-02-26T08:59:59.999999+05:30", NULL },
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, "2026-02-26T09:00:00+05:30", "2026-02-26T17:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, "2026-02-26T16:59:59.999999+05:30", "2026-02-26T17:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, "2026-02-26T17:00:00+05:30", NULL },
		{ "Asia/Kolkata", "fr 09:00-17:00", NULL, "2026-02-26T09:00:00+05:30", NULL },
		{ "Asia/Kolkata", "", NULL, "2026-02-26T09:00:00+05:30", NULL },
		/* two spans that meet are one stretch, two that don't are not */
		{ "UTC", "all 09:00-13:00 13:00-17:00", NULL, "2026-02-26T10:00:00Z", "2026-02-26T17:00:00+00:00" },
		{ "UTC", "all 09:00-13:00 13:01-17:00", NULL, "2026-02-26T10:00:00Z", "2026-02-26T13:00:00+00:00" },
		/* past midnight */
		{ "UTC", "th 17:00-02:00", NULL, "2026-02-26T23:59:59Z", "2026-02-27T02:00:00+00:00" },
		{ "UTC", "th 17:00-02:00", NULL, "2026-02-27T00:00:00Z", "2026-02-27T02:00:00+00:00" },
		{ "UTC", "th 17:00-02:00", NULL, "2026-02-27T01:59:59.999999Z", "2026-02-27T02:00:00+00:00" },
		{ "UTC", "th 17:00-02:00", NULL, "2026-02-27T02:00:00Z", NULL }, { "UTC", "th 17:00-02:00", NULL, "2026-02-26T01:00:00Z", NULL },
		{ "UTC", "th 17:00-24:00", NULL, "2026-02-26T23:59:59.999999Z", "2026-02-27T00:00:00+00:00" },
		{ "UTC", "th 17:00-24:00 fr 00:00-03:00", NULL, "2026-02-26T23:00:00Z", "2026-02-27T03:00:00+00:00" },
		{ "UTC", "th 17:00-02:00 fr 01:00-03:00", NULL, "2026-02-26T23:00:00Z", "2026-02-27T03:00:00+00:00" },
		{ "UTC", "th 17:00-16:00 fr 01:00-03:00", NULL, "2026-02-27T02:00:00Z", "2026-02-27T16:00:00+00:00" },
		{ "UTC", "th 17:00-16:00 fr 01:00-03:00", NULL, "2026-02-27T15:00:00Z", "2026-02-27T16:00:00+00:00" },
		{ "UTC", "su 20:00-04:00", NULL, "2026-03-02T03:00:00Z", "2026-03-02T04:00:00+00:00" },
		/* exceptions */
		{ "UTC", "all 09:00-17:00", "2026-02-26", "2026-02-26T10:00:00Z", NULL },
		{ "UTC", "all 09:00-17:00", "2026-02-26", "2026-02-25T10:00:00Z", "2026-02-25T17:00:00+00:00" },
		{ "UTC", "all 09:00-17:00", "2026-02-26 10:00-11:00", "2026-02-26T10:00:00Z", "2026-02-26T11:00:00+00:00" },
		{ "UTC", "all 09:00-17:00", "2026-02-26 10:00-11:00", "2026-02-26T09:00:00Z", NULL },
		{ "UTC", "", "2026-02-25 2026-02-26 10:00-11:00 2026-02-27", "2026-02-26T10:00:00Z", "2026-02-26T11:00:00+00:00" },
		{ "UTC", "all 20:00-02:00", "2026-02-26", "2026-02-26T01:00:00Z", "2026-02-26T02:00:00+00:00" },
		{ "UTC", "all 20:00-02:00", "2026-02-26", "2026-02-27T01:00:00Z", NULL },
		{ "UTC", "all 09:00-17:00", "2028-02-29 10:00-11:00", "2028-02-29T09:30:00Z", NULL },
		{ "UTC", "tu 09:00-17:00", NULL, "2028-02-29T09:30:00Z", "2028-02-29T17:00:00+00:00" },
		{ "UTC", "we 09:00-17:00", NULL, "2028-03-01T09:30:00Z", "2028-03-01T17:00:00+00:00" },
		/* always, and for so long that nobody looks */
		{ "Europe/Berlin", NULL, NULL, "2026-02-26T10:00:00Z", "-" }, { "Europe/Berlin", "all 00:00-24:00", NULL, "2026-02-26T10:00:00Z", "-" },
		{ "UTC", "all 12:00-12:00", NULL, "2026-02-26T10:00:00Z", "-" },
		{ "Europe/Berlin", NULL, "2026-12-25", "2026-02-26T10:00:00Z", "2026-12-25T00:00:00+01:00" },
		{ "Europe/Berlin", NULL, "2026-12-25", "2026-12-24T23:00:00Z", NULL }, { "Europe/Berlin", NULL, "2026-12-25", "2026-12-25T23:00:00Z", "-" },
		{ "Europe/Berlin", NULL, "2026-12-25 06:00-24:00", "2026-12-25T10:00:00Z", "-" },
		{ "UTC", "all 00:00-24:00", "2027-02-26", "2026-02-26T10:00:00Z", "2027-02-26T00:00:00+00:00" },
		{ "UTC", "all 00:00-24:00", "2028-02-26", "2026-02-26T10:00:00Z", "-" },
		/* the clock changes */
		{ "Europe/Berlin", "all 01:00-02:30", NULL, "2026-03-29T01:29:59Z", "2026-03-29T03:30:00+02:00" },
		{ "Europe/Berlin", "all 01:00-02:30", NULL, "2026-03-29T01:30:00Z", NULL },
		{ "Europe/Berlin", "all 01:00-02:30", NULL, "2026-10-25T00:00:00Z", "2026-10-25T02:30:00+02:00" },
		{ "Europe/Berlin", "all 01:00-02:30", NULL, "2026-10-25T01:15:00Z", NULL },
		{ "Europe/Berlin", "all 02:30-03:15", NULL, "2026-03-29T01:05:00Z", NULL },
		{ "Europe/Berlin", "all 02:30-02:50 03:00-03:10", NULL, "2026-03-29T01:05:00Z", "2026-03-29T03:10:00+02:00" },
		{ "Europe/Berlin", "all 02:30-02:50 03:00-03:10", NULL, "2026-03-29T01:25:00Z", NULL },
		{ "Europe/Berlin", "all 02:30-02:50 03:00-03:10", NULL, "2026-03-29T01:35:00Z", "2026-03-29T03:50:00+02:00" },
		{ "Pacific/Apia", "fr 09:00-17:00", NULL, "2011-12-30T19:30:00Z", NULL },
		{ "Pacific/Apia", "th 22:00-10:00", NULL, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00+14:00" },
		/* the first and the last year */
		{ "Asia/Kolkata", NULL, NULL, "0001-01-01T00:00:00Z", "-" }, { "America/New_York", NULL, NULL, "0001-01-01T00:00:00Z", "-" },
		{ "America/New_York", NULL, NULL, "9999-12-31T23:59:59.999999Z", "-" }, { "America/New_York", "all 16:00-17:30", NULL, "9999-12-31T22:00:00Z", "9999-12-31T17:30:00-05:00" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct calendar c = calendar_of(a, rows[i].zone, rows[i].hours, rows[i].exceptions);
		instant closes = 77, t = at(rows[i].at);
		bool open = calendar_is_open(&c, t, &closes);

		cr_expect_eq(open, rows[i].closes != NULL, "row %zu: %s at %s", i, OR_NONE(rows[i].hours), rows[i].at);
		cr_expect_eq(calendar_is_open(&c, t, NULL), open);
		if (open && rows[i].closes)
			cr_expect(closes == (rows[i].closes[0] == '-' ? INSTANT_NONE : at(rows[i].closes)), "row %zu: %s at %s closes %s, not %s", i,
				OR_NONE(rows[i].hours), rows[i].at, words_of(a, c.zone, closes), rows[i].closes);
		else
			cr_expect_eq(closes, 77);
	}
	arena_free(a);
}

Test(calendar, slots)
{
	static const struct { const char *zone, *hours, *exceptions; int minutes; const char *date, *slots; } rows[] = {
		{ "Asia/Kolkata", "all 09:00-11:00", NULL, 30, "2026-02-26", "(+05:30) 09:00 09:30 10:00 10:30-11:00" },
		{ "Asia/Kolkata", "all 09:00-10:10", NULL, 30, "2026-02-26", "(+05:30) 09:00 09:30 10:00-10:10" },
		{ "Asia/Kolkata", "all 09:00-10:10", NULL, 71, "2026-02-26", "(+05:30) 09:00-10:10" },
		{ "Asia/Kolkata", "all 09:00-10:10", NULL, 0, "2026-02-26", "" }, { "Asia/Kolkata", "we 09:00-10:10", NULL, 30, "2026-02-26", "" },
		{ "Asia/Kolkata", "th 09:00-09:50 09:50-10:10", NULL, 30, "2026-02-26", "(+05:30) 09:00 09:30 09:50-10:10" },
		{ "Asia/Kolkata", "th 09:00-09:30 17:15-18:00", NULL, 30, "2026-02-26", "(+05:30) 09:00-09:30 17:15 17:45-18:00" },
		{ "Asia/Kathmandu", NULL, NULL, 420, "2026-02-26", "(+05:45) 00:00 07:00 14:00 21:00-00:00" },
		/* past midnight: under the date on which a slot starts */
		{ "UTC", "th 22:30-02:00", NULL, 60, "2026-02-26", "(+00:00) 22:30 23:30-00:30" }, { "UTC", "th 22:30-02:00", NULL, 60, "2026-02-27", "(+00:00) 00:30 01:30-02:00" },
		{ "UTC", "th 22:30-02:00", NULL, 60, "2026-02-25", "" }, { "UTC", "th 22:30-02:00", NULL, 60, "2026-02-28", "" },
		{ "UTC", "th 22:00-02:00 fr 01:00-03:30", NULL, 60, "2026-02-27", "(+00:00) 00:00 01:00 02:00 03:00-03:30" },
		{ "UTC", "th 22:00-02:10 fr 01:00-02:05 03:00-04:00", NULL, 60, "2026-02-27", "(+00:00) 00:00 01:00 02:00-02:10 03:00-04:00" },
		{ "UTC", "th 22:00-02:00", "2026-02-27", 60, "2026-02-27", "(+00:00) 00:00 01:00-02:00" }, { "UTC", "th 22:00-02:00", "2026-02-26", 60, "2026-02-27", "" },
		{ "UTC", "all 09:00-17:00", "2028-02-29 10:00-11:00", 60, "2028-02-29", "(+00:00) 10:00-11:00" },
		{ "UTC", NULL, "2026-02-26 10:00-11:00", 60, "2026-02-26", "(+00:00) 10:00-11:00" },
		/* forward and back, by an hour and by half of one, where offsets are whole hours and where not, north and south */
		{ "Europe/Berlin", "all 01:00-04:00", NULL, 30, "2026-03-29", "(+01:00) 01:00 01:30 (+02:00) 03:00 03:30-04:00" },
		{ "Europe/Berlin", "all 01:00-04:00", NULL, 60, "2026-10-25", "(+02:00) 01:00 02:00 (+01:00) 02:00 03:00-04:00" },
		{ "Europe/Berlin", "all 02:30-04:00", NULL, 30, "2026-10-25", "(+02:00) 02:30 (+01:00) 02:00 02:30 03:00 03:30-04:00" },
		{ "Europe/Berlin", "all 02:30-05:00", NULL, 30, "2026-03-29", "(+02:00) 03:30 04:00 04:30-05:00" },
		{ "America/St_Johns", "all 01:00-04:00", NULL, 60, "2026-03-08", "(-03:30) 01:00 (-02:30) 03:00-04:00" },
		{ "America/St_Johns", "all 00:30-03:00", NULL, 45, "2026-11-01", "(-02:30) 00:30 01:15 (-03:30) 01:00 01:45 02:30-03:00" },
		{ "Australia/Lord_Howe", "all 01:00-03:00", NULL, 30, "2026-04-05", "(+11:00) 01:00 01:30 (+10:30) 01:30 02:00 02:30-03:00" },
		{ "Australia/Lord_Howe", "all 01:00-03:00", NULL, 30, "2026-10-04", "(+10:30) 01:00 01:30 (+11:00) 02:30-03:00" },
		{ "Australia/Adelaide", "all 01:00-04:00", NULL, 60, "2026-04-05", "(+10:30) 01:00 02:00 (+09:30) 02:00 03:00-04:00" },
		/* at midnight */
		{ "America/Santiago", "all 00:00-03:00", NULL, 60, "2026-09-06", "(-03:00) 01:00 02:00-03:00" },
		{ "America/Santiago", "all 22:00-24:00", NULL, 60, "2026-04-04", "(-03:00) 22:00 23:00 (-04:00) 23:00-00:00" },
		{ "America/Santiago", NULL, NULL, 360, "2026-09-06", "(-03:00) 01:00 07:00 13:00 19:00-00:00" },
		{ "Africa/Cairo", "all 00:00-03:00", NULL, 60, "2026-04-24", "(+03:00) 01:00 02:00-03:00" },
		{ "Africa/Cairo", "all 22:00-24:00", NULL, 60, "2026-10-29", "(+03:00) 22:00 23:00 (+02:00) 23:00-00:00" },
		{ "America/Havana", "su 00:00-02:00", NULL, 30, "2024-11-03", "(-04:00) 00:00 00:30 (-05:00) 00:00 00:30 01:00 01:30-02:00" },
		/* back across midnight: Sunday 00:00, and at 00:01 it is Saturday 23:01 again */
		{ "America/St_Johns", "sa 23:00-24:00 su 00:00-01:00", NULL, 30, "2010-11-06", "(-02:30) 23:00 23:30-00:00 (-03:30) 23:30-00:00" },
		{ "America/St_Johns", "sa 23:00-24:00 su 00:00-01:00", NULL, 30, "2010-11-07", "(-02:30) 00:00-23:30 (-03:30) 00:00 00:30-01:00" },
		/* a date without 23:xx, so that Saturday's late hours come to stand after Sunday's first */
		{ "America/Nuuk", "sa 23:10-23:50 su 00:00-00:20", NULL, 10, "2026-03-29", "(-01:00) 00:00 00:10 00:20 00:30 00:40-00:50" },
		{ "America/Nuuk", "sa 23:10-23:50 su 00:00-00:20", NULL, 10, "2026-03-28", "" },
		{ "America/Toronto", "su 23:35-23:40 mo 00:05-00:10 00:31-00:34", NULL, 5, "1919-03-31", "(-04:00) 00:31-00:34 00:35-00:40 01:05-01:10" },
		{ "Europe/Berlin", "all 02:15-02:45 03:00-04:00", NULL, 15, "2026-03-29", "(+02:00) 03:00 03:15 03:30 03:45-04:00" },
		{ "Europe/Berlin", "all 02:30-02:40 02:50-02:55 03:00-03:10 03:45-04:00", NULL, 10, "2026-03-29", "(+02:00) 03:00-03:10 03:30-03:40 03:45 03:55-04:00" },
		{ "Europe/Berlin", "all 02:30-03:15", NULL, 10, "2026-03-29", "" },
		/* a date that never was, and what ran into it */
		{ "Pacific/Apia", NULL, NULL, 60, "2011-12-30", "" }, { "Pacific/Apia", "fr 09:00-11:00", NULL, 60, "2011-12-31", "" },
		{ "Pacific/Apia", "th 22:00-02:00 sa 01:00-03:00", NULL, 60, "2011-12-29", "(-10:00) 22:00 23:00-00:00" },
		{ "Pacific/Apia", "th 22:00-02:00 sa 01:00-03:00", NULL, 60, "2011-12-31", "(+14:00) 00:00 01:00 02:00-03:00" },
		{ "Pacific/Apia", "th 23:00-23:00", NULL, 720, "2011-12-31", "(+14:00) 11:00-23:00" },
		{ "Pacific/Apia", "we 23:45-23:30 th 23:00-23:00", NULL, 720, "2011-12-31", "(+14:00) 11:30-23:00" },
		/* rules that changed: no daylight time since 2019, since 2016, and another one for Ramadan */
		{ "America/Sao_Paulo", "all 00:00-02:00", NULL, 60, "2018-11-04", "(-02:00) 01:00-02:00" }, { "America/Sao_Paulo", "all 00:00-02:00", NULL, 60, "2019-11-03", "(-03:00) 00:00 01:00-02:00" },
		{ "Europe/Istanbul", "all 03:00-05:00", NULL, 60, "2015-11-08", "(+03:00) 03:00 (+02:00) 03:00 04:00-05:00" },
		{ "Europe/Istanbul", "all 03:00-05:00", NULL, 60, "2016-10-30", "(+03:00) 03:00 04:00-05:00" },
		{ "Africa/Casablanca", "all 01:00-04:00", NULL, 60, "2026-02-15", "(+01:00) 01:00 02:00 (+00:00) 02:00 03:00-04:00" },
		{ "Africa/Casablanca", "all 01:00-04:00", NULL, 60, "2026-03-22", "(+00:00) 01:00 (+01:00) 03:00-04:00" },
		{ "UTC", "all 22:00-02:00", NULL, 60, "0001-01-01", "(+00:00) 00:00 01:00-02:00 22:00 23:00-00:00" },
		{ "UTC", "all 22:00-02:00", NULL, 60, "9999-12-31", "(+00:00) 00:00 01:00-02:00 22:00 23:00-23:59" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct calendar c = calendar_of(a, rows[i].zone, rows[i].hours, rows[i].exceptions);
		struct slot *v, found;
		const char *words;
		size_t n;

		c.slot_minutes = rows[i].minutes;
		calendar_slots(&c, a, date(rows[i].date), &v, &n);
		words = words_of_slots(a, c.zone, v, n);
		cr_expect_str_eq(words, rows[i].slots, "row %zu: %s on %s\n  gave %s\n  not  %s", i, rows[i].zone, rows[i].date, words, rows[i].slots);
		for (size_t j = 0; j < n; j++) {
			cr_expect(calendar_slot_of(&c, v[j].start, &found) && found.start == v[j].start && found.end == v[j].end, "row %zu, slot %zu: its start", i, j);
			cr_expect(calendar_slot_of(&c, v[j].end - 1, &found) && found.start == v[j].start && found.end == v[j].end, "row %zu, slot %zu: its end", i, j);
			cr_expect(calendar_is_open(&c, v[j].start, NULL) && calendar_is_open(&c, v[j].end - 1, NULL), "row %zu, slot %zu", i, j);
		}
	}
	arena_free(a);
}

Test(calendar, no_slot_outside)
{
	struct arena *a = arena_new();
	struct calendar c = calendar_of(a, "Asia/Kolkata", "all 09:00-10:10", NULL);
	struct slot s = { 7, 8 };

	cr_expect(!calendar_slot_of(&c, at("2026-02-26T09:30:00+05:30"), &s), "no slots at all");
	c.slot_minutes = 30;
	cr_expect(!calendar_slot_of(&c, at("2026-02-26T08:59:59.999999+05:30"), &s));
	cr_expect(!calendar_slot_of(&c, at("2026-02-26T10:10:00+05:30"), &s));
	cr_expect(s.start == 7 && s.end == 8);
	cr_expect(calendar_slot_of(&c, at("2026-02-26T09:59:59.999999+05:30"), &s) && s.start == at("2026-02-26T09:30:00+05:30"), "the last instant of a slot");
	cr_expect(calendar_slot_of(&c, at("2026-02-26T10:00:00+05:30"), &s) && s.end == at("2026-02-26T10:10:00+05:30"));
	arena_free(a);
}

/* now: Thursday noon in Kolkata unless it is said. */
Test(calendar, verdicts)
{
	static const struct { const char *hours, *exceptions; int lead, days, last; const char *now, *pickup; enum calendar_verdict verdict; } rows[] = {
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2026-02-26T13:00:00+05:30", CALENDAR_OK },
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2026-02-26T12:00:00+05:30", CALENDAR_OK },
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2026-02-26T11:59:59.999999+05:30", CALENDAR_TOO_SOON },
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2026-02-26T16:59:59.999999+05:30", CALENDAR_OK },
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2026-02-26T17:00:00+05:30", CALENDAR_OUTSIDE_HOURS },
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2026-02-27T08:59:59.999999+05:30", CALENDAR_OUTSIDE_HOURS },
		{ "all 09:00-17:00", NULL, 0, -1, 0, NULL, "2036-02-27T09:00:00+05:30", CALENDAR_OK },
		{ "", NULL, 0, -1, 0, NULL, "2026-02-26T13:00:00+05:30", CALENDAR_OUTSIDE_HOURS }, { NULL, NULL, 0, -1, 0, NULL, "9999-12-31T13:00:00+05:30", CALENDAR_OK },
		{ NULL, "2026-02-27", 0, -1, 0, NULL, "2026-02-27T13:00:00+05:30", CALENDAR_OUTSIDE_HOURS },
		/* lead */
		{ NULL, NULL, 30, -1, 0, NULL, "2026-02-26T12:29:59.999999+05:30", CALENDAR_TOO_SOON }, { NULL, NULL, 30, -1, 0, NULL, "2026-02-26T12:30:00+05:30", CALENDAR_OK },
		{ NULL, NULL, INT32_MAX, -1, 0, NULL, "5000-02-26T12:30:00+05:30", CALENDAR_TOO_SOON },
		/* local dates ahead: an hour before midnight in Kolkata it is still 17:30 in UTC */
		{ NULL, NULL, 0, 0, 0, NULL, "2026-02-26T23:59:59.999999+05:30", CALENDAR_OK }, { NULL, NULL, 0, 0, 0, NULL, "2026-02-27T00:00:00+05:30", CALENDAR_TOO_FAR },
		{ NULL, NULL, 0, 1, 0, "2026-02-26T23:00:00+05:30", "2026-02-27T23:59:59+05:30", CALENDAR_OK },
		{ NULL, NULL, 0, 1, 0, "2026-02-26T23:00:00+05:30", "2026-02-28T00:00:00+05:30", CALENDAR_TOO_FAR },
		{ NULL, NULL, 0, 7, 0, "2028-02-28T12:00:00+05:30", "2028-03-06T12:00:00+05:30", CALENDAR_OK },
		{ NULL, NULL, 0, 7, 0, "2028-02-28T12:00:00+05:30", "2028-03-07T00:00:00+05:30", CALENDAR_TOO_FAR },
		{ NULL, NULL, 0, INT32_MAX, 0, "0001-01-02T00:00:00Z", "9999-12-31T12:00:00Z", CALENDAR_OK },
		/* the last order */
		{ "all 09:00-17:00", NULL, 0, -1, 30, NULL, "2026-02-26T16:30:00+05:30", CALENDAR_OK },
		{ "all 09:00-17:00", NULL, 0, -1, 30, NULL, "2026-02-26T16:30:00.000001+05:30", CALENDAR_OUTSIDE_HOURS },
		{ "all 09:00-13:00 13:00-17:00", NULL, 0, -1, 30, NULL, "2026-02-26T12:59:00+05:30", CALENDAR_OK },
		{ "all 09:00-13:00 13:01-17:00", NULL, 0, -1, 30, NULL, "2026-02-26T12:59:00+05:30", CALENDAR_OUTSIDE_HOURS },
		{ "th 17:00-24:00 fr 00:00-01:00", NULL, 0, -1, 60, NULL, "2026-02-27T00:00:00+05:30", CALENDAR_OK },
		{ "th 17:00-24:00", NULL, 0, -1, 60, NULL, "2026-02-26T23:00:00.000001+05:30", CALENDAR_OUTSIDE_HOURS },
		{ "all 09:00-17:00", NULL, 0, -1, 480, NULL, "2026-02-27T09:00:00+05:30", CALENDAR_OK }, { "all 09:00-17:00", NULL, 0, -1, 481, NULL, "2026-02-27T09:00:00+05:30", CALENDAR_OUTSIDE_HOURS },
		{ "all 00:00-24:00", NULL, 0, -1, 1440, NULL, "2026-02-27T09:00:00+05:30", CALENDAR_OK }, { NULL, NULL, 0, -1, INT32_MAX, NULL, "2026-02-27T09:00:00+05:30", CALENDAR_OK },
		{ NULL, "2026-02-28", 0, -1, 1440, NULL, "2026-02-27T00:00:00+05:30", CALENDAR_OK }, { NULL, "2026-02-28", 0, -1, 1440, NULL, "2026-02-27T00:00:01+05:30", CALENDAR_OUTSIDE_HOURS },
		/* which of several */
		{ "", NULL, 30, 0, 0, NULL, "2026-02-27T00:00:00+05:30", CALENDAR_TOO_FAR }, { "", NULL, 30, 0, 0, NULL, "2026-02-26T12:00:00+05:30", CALENDAR_TOO_SOON },
		{ "", NULL, 2000, 0, 0, NULL, "2026-02-27T00:00:00+05:30", CALENDAR_TOO_FAR },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct calendar c = calendar_of(a, "Asia/Kolkata", rows[i].hours, rows[i].exceptions);
		instant now = at(rows[i].now ? rows[i].now : "2026-02-26T12:00:00+05:30"), pickup = at(rows[i].pickup);
		enum calendar_verdict verdict;

		c.lead_minutes = rows[i].lead;
		c.max_days_ahead = rows[i].days;
		c.last_order_minutes = rows[i].last;
		verdict = calendar_judge(&c, now, pickup);
		cr_expect_eq(verdict, rows[i].verdict, "row %zu: %s at %s: %d", i, OR_NONE(rows[i].hours), rows[i].pickup, (int)verdict);
		if (verdict != CALENDAR_TOO_FAR && verdict != CALENDAR_TOO_SOON)
			cr_expect_eq(calendar_takes_instant(&c, pickup), verdict == CALENDAR_OK, "row %zu: an instant order then", i);
	}
	arena_free(a);
}

Test(calendar, next_instant)
{
	static const struct { const char *zone, *hours, *exceptions; int last; const char *now, *next; } rows[] = {
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, 0, "2026-02-26T16:59:59.999999+05:30", "2026-02-26T16:59:59.999999+05:30" },
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, 0, "2026-02-26T17:00:00+05:30", "2026-02-27T09:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, 30, "2026-02-26T16:30:00+05:30", "2026-02-26T16:30:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-17:00", NULL, 30, "2026-02-26T16:31:00+05:30", "2026-02-27T09:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-09:20 10:00-11:00", NULL, 30, "2026-02-26T08:00:00+05:30", "2026-02-26T10:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-09:20 09:20-11:00", NULL, 30, "2026-02-26T08:00:00+05:30", "2026-02-26T09:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-09:20 09:20-09:25 09:25-09:29 13:00-13:10 13:10-13:30", NULL, 30, "2026-02-26T08:00:00+05:30", "2026-02-26T13:00:00+05:30" },
		{ "Asia/Kolkata", "th 09:00-17:00", NULL, 0, "2026-02-26T17:00:00+05:30", "2026-03-05T09:00:00+05:30" },
		{ "Asia/Kolkata", "all 09:00-17:00", "2026-02-26 2026-02-27 2026-02-28 11:00-12:00", 0, "2026-02-26T10:00:00+05:30", "2026-02-28T11:00:00+05:30" },
		{ "Asia/Kolkata", "th 22:00-02:00", NULL, 0, "2026-02-27T01:00:00+05:30", "2026-02-27T01:00:00+05:30" },
		{ "Asia/Kolkata", "", NULL, 0, "2026-02-26T10:00:00+05:30", "-" }, { "Asia/Kolkata", "all 09:00-17:00", NULL, 481, "2026-02-26T10:00:00+05:30", "-" },
		{ "Asia/Kolkata", "", "2027-03-26 11:00-12:00", 0, "2026-02-26T10:00:00+05:30", "2027-03-26T11:00:00+05:30" },
		{ "Asia/Kolkata", "", "2027-04-26 11:00-12:00", 0, "2026-02-26T10:00:00+05:30", "-" },
		{ "Asia/Kolkata", NULL, NULL, INT32_MAX, "2026-02-26T10:00:00+05:30", "2026-02-26T10:00:00+05:30" },
		{ "Asia/Kolkata", NULL, "2026-02-26", 0, "2026-02-26T10:00:00+05:30", "2026-02-27T00:00:00+05:30" },
		{ "Europe/Berlin", "all 02:30-04:00", NULL, 0, "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00" },
		{ "Europe/Berlin", "all 02:30-04:00", NULL, 0, "2026-10-25T02:45:00+01:00", "2026-10-25T02:45:00+01:00" },
		{ "Africa/Cairo", "fr 00:00-03:00", NULL, 0, "2026-04-23T12:00:00+02:00", "2026-04-24T01:00:00+03:00" },
		{ "America/New_York", "all 09:00-17:00", NULL, 0, "9999-12-31T23:00:00Z", "-" }, { "America/New_York", "all 09:00-17:00", NULL, 0, "0001-01-01T00:00:00Z", "0001-01-01T13:56:02Z" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct calendar c = calendar_of(a, rows[i].zone, rows[i].hours, rows[i].exceptions);
		instant now = at(rows[i].now), next, expected = rows[i].next[0] == '-' ? INSTANT_NONE : at(rows[i].next);

		c.last_order_minutes = rows[i].last;
		next = calendar_next_instant(&c, now);
		cr_expect(next == expected, "row %zu: %s at %s: %s", i, OR_NONE(rows[i].hours), rows[i].now, words_of(a, c.zone, next));
		cr_expect_eq(calendar_takes_instant(&c, now), next == now, "row %zu", i);
		if (next != INSTANT_NONE)
			cr_expect(calendar_takes_instant(&c, next), "row %zu", i);
	}
	arena_free(a);
}

static const char *words_of_instants(struct arena *a, const struct zone *z, const instant *v, size_t n)
{
	struct buf b = BUF_IN(a);

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%.11s", i ? " " : "", words_of(a, z, v[i]) + 5);
	buf_adds(&b, "");
	return b.s;
}

/* The next or the last three, on seven dates at most; now is Thursday noon. */
Test(calendar, candidates)
{
	static const struct { const char *hours, *exceptions; int lead, days, last, minutes; const char *wish, *next, *before; } rows[] = {
		{ "all 09:00-17:00", NULL, 0, -1, 0, 0, "02-26T13:05", "02-26T13:15 02-26T13:30 02-26T13:45", "02-26T12:30 02-26T12:45 02-26T13:00" },
		{ "all 09:00-17:00", NULL, 0, -1, 0, 0, "02-26T13:00", "02-26T13:00 02-26T13:15 02-26T13:30", "02-26T12:15 02-26T12:30 02-26T12:45" },
		{ "all 09:10-17:00", NULL, 0, -1, 0, 60, "02-26T15:30", "02-26T16:10 02-27T09:10 02-27T10:10", "02-26T13:10 02-26T14:10 02-26T15:10" },
		{ "all 09:00-09:20 17:00-17:10", NULL, 0, -1, 0, 0, "02-26T18:00", "02-27T09:00 02-27T09:15 02-27T17:00", "02-26T17:00" },
		{ "fr 22:00-02:00", NULL, 0, -1, 0, 90, "02-28T00:00", "02-28T01:00 03-06T22:00 03-06T23:30", "02-27T22:00 02-27T23:30" },
		{ "th 09:00-17:00", NULL, 0, -1, 0, 240, "02-27T00:00", "03-05T09:00 03-05T13:00", "02-26T13:00" },
		{ "th 09:00-17:00", "2026-03-05", 0, -1, 0, 240, "02-27T00:00", "", "02-26T13:00" },
		{ "", NULL, 0, -1, 0, 0, "02-27T00:00", "", "" },
		/* lead: not before now + lead, whatever is wished, and the seven dates are counted from there */
		{ "all 09:00-17:00", NULL, 95, -1, 0, 0, "02-26T12:05", "02-26T13:45 02-26T14:00 02-26T14:15", "" },
		{ "all 09:00-10:00", NULL, 20 * 1440, -1, 0, 30, "02-26T12:05", "03-19T09:00 03-19T09:30 03-20T09:00", "" },
		{ "all 12:00-17:00", NULL, 0, -1, 0, 0, "02-26T12:00", "02-26T12:15 02-26T12:30 02-26T12:45", "" },
		{ "all 12:00-17:00", NULL, 0, -1, 0, 0, "02-25T12:00", "02-26T12:15 02-26T12:30 02-26T12:45", "" },
		/* too far */
		{ "all 09:00-17:00", NULL, 0, 2, 0, 0, "03-20T12:00", "", "02-28T16:15 02-28T16:30 02-28T16:45" },
		{ "all 22:00-02:00", NULL, 0, 1, 0, 60, "02-27T22:30", "02-27T23:00", "02-27T00:00 02-27T01:00 02-27T22:00" },
		{ "all 22:00-02:00", NULL, 0, 1, 0, 60, "03-20T22:30", "", "02-27T01:00 02-27T22:00 02-27T23:00" },
		{ "th 09:00-13:00", NULL, 0, 20, 0, 60, "04-20T12:00", "", "03-12T10:00 03-12T11:00 03-12T12:00" },
		{ "th 09:00-13:00", "2026-03-12", 0, 20, 0, 60, "04-20T12:00", "", "" },
		{ "all 12:00-14:00", NULL, 0, 0, 0, 60, "02-27T12:00", "", "02-26T13:00" },
		/* the last order, by stretches */
		{ "all 09:00-17:00", NULL, 0, -1, 30, 0, "02-26T16:20", "02-26T16:30 02-27T09:00 02-27T09:15", "02-26T15:45 02-26T16:00 02-26T16:15" },
		{ "all 09:00-13:00 13:00-14:00", NULL, 0, -1, 90, 60, "02-27T11:00", "02-27T11:00 02-27T12:00 02-28T09:00", "02-27T09:00 02-27T10:00" },
		{ "all 09:00-13:00 13:20-14:00", NULL, 0, -1, 90, 60, "02-27T11:00", "02-27T11:00 02-28T09:00 02-28T10:00", "02-27T09:00 02-27T10:00" },
		{ "all 00:00-24:00", NULL, 0, -1, 1440, 720, "02-27T00:00", "02-27T00:00 02-27T12:00 02-28T00:00", "" },
		{ NULL, NULL, 0, -1, INT32_MAX, 720, "02-27T00:00", "02-27T00:00 02-27T12:00 02-28T00:00", "" },
		{ NULL, "2026-03-01", 0, -1, 1440, 720, "02-27T12:00", "02-27T12:00 02-28T00:00 03-02T00:00", "02-27T00:00" },
		{ "we 20:00-24:00 th 00:00-24:00 fr 00:00-04:00", NULL, 0, -1, 1900, 0, "02-26T13:00", "03-04T20:00 03-04T20:15", "" },
		/* no more dates than seven, either way */
		{ "th 09:00-17:00", NULL, 0, -1, 0, 240, "03-12T00:00", "03-12T09:00 03-12T13:00", "" },
		{ "th 09:00-17:00", NULL, 0, -1, 0, 240, "03-13T00:00", "03-19T09:00 03-19T13:00", "03-12T09:00 03-12T13:00" },
		/* across 29 February, which is none here */
		{ "all 09:00-10:00", NULL, 0, -1, 0, 60, "02-28T09:00", "02-28T09:00 03-01T09:00 03-02T09:00", "02-27T09:00" },
	};
	struct arena *a = arena_new();
	instant now = at("2026-02-26T12:00:00+05:30");

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct calendar c = calendar_of(a, "Asia/Kolkata", rows[i].hours, rows[i].exceptions);
		instant wish = at(arena_printf(a, "2026-%s:00+05:30", rows[i].wish)), v[4] = { 0, 0, 0, 77 };
		const char *words;
		size_t n;

		c.lead_minutes = rows[i].lead;
		c.max_days_ahead = rows[i].days;
		c.last_order_minutes = rows[i].last;
		c.slot_minutes = rows[i].minutes;
		n = calendar_candidates(&c, now, wish, 7, v, 3);
		words = words_of_instants(a, c.zone, v, n);
		cr_expect_str_eq(words, rows[i].next, "row %zu, next: %s", i, words);
		n = calendar_candidates_before(&c, now, wish, 7, v, 3);
		words = words_of_instants(a, c.zone, v, n);
		cr_expect_str_eq(words, rows[i].before, "row %zu, before: %s", i, words);
		cr_expect_eq(v[3], 77);
		cr_expect_eq(calendar_candidates(&c, now, wish, 7, v, 0) + calendar_candidates(&c, now, wish, 0, v, 3) + calendar_candidates_before(&c, now, wish, 7, v, 0), 0);
	}
	arena_free(a);
}

Test(calendar, add_open)
{
	static const struct { const char *zone, *hours, *exceptions, *from; int minutes; const char *then; } rows[] = {
		{ "UTC", "all 09:00-17:00", NULL, "2026-02-26T10:00:00Z", 10, "2026-02-26T10:10:00Z" }, { "UTC", "all 09:00-17:00", NULL, "2026-02-26T16:50:00Z", 10, "2026-02-26T17:00:00Z" },
		{ "UTC", "all 09:00-17:00", NULL, "2026-02-26T16:50:00.000001Z", 10, "2026-02-27T09:00:00.000001Z" },
		{ "UTC", "all 09:00-17:00", NULL, "2026-02-26T16:50:00Z", 15, "2026-02-27T09:05:00Z" }, { "UTC", "all 09:00-17:00", NULL, "2026-02-26T20:00:00Z", 15, "2026-02-27T09:15:00Z" },
		{ "UTC", "all 09:00-17:00", NULL, "2026-02-26T03:00:00Z", 1440, "2026-02-28T17:00:00Z" }, { "UTC", "all 09:00-17:00", "2026-02-27", "2026-02-26T16:50:00Z", 15, "2026-02-28T09:05:00Z" },
		{ "UTC", "all 09:00-17:00", NULL, "2026-02-26T20:00:00Z", 0, "2026-02-26T20:00:00Z" }, { "UTC", "", NULL, "2026-02-26T20:00:00Z", 0, "2026-02-26T20:00:00Z" },
		{ "UTC", "th 22:00-02:00 fr 01:00-03:00", NULL, "2026-02-26T21:00:00Z", 270, "2026-02-27T02:30:00Z" },
		{ "UTC", "all 09:00-09:01", NULL, "2026-02-26T20:00:00Z", 5, "2026-03-03T09:01:00Z" }, { "UTC", "all 09:00-09:01", NULL, "2026-02-26T20:00:00Z", 401, "-" },
		{ "UTC", "", NULL, "2026-02-26T20:00:00Z", 1, "-" }, { "UTC", NULL, NULL, "2026-02-26T20:00:00Z", 1440, "2026-02-27T20:00:00Z" }, { "UTC", NULL, NULL, "2026-02-26T20:00:00Z", INT32_MAX, "-" },
		{ "Europe/Berlin", "all 01:00-04:00", NULL, "2026-03-29T00:30:00+01:00", 120, "2026-03-29T04:00:00+02:00" },
		{ "Europe/Berlin", "all 01:00-04:00", NULL, "2026-10-25T00:30:00+02:00", 120, "2026-10-25T02:00:00+01:00" },
		{ "UTC", NULL, NULL, "9999-12-31T23:00:00Z", 59, "9999-12-31T23:59:00Z" }, { "UTC", NULL, NULL, "9999-12-31T23:00:00Z", 61, "-" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct calendar c = calendar_of(a, rows[i].zone, rows[i].hours, rows[i].exceptions);
		instant then = calendar_add_open(&c, at(rows[i].from), rows[i].minutes);

		cr_expect(then == (rows[i].then[0] == '-' ? INSTANT_NONE : at(rows[i].then)), "row %zu: %s", i, words_of(a, c.zone, then));
	}
	arena_free(a);
}

/* As many spans as there can be, all of them too short, or one endless stretch of them; each question has an answer in a moment. */
Test(calendar, hostile, .timeout = 30)
{
	struct arena *a = arena_new();
	struct span v[1440];
	struct exception days[800] = { { 0 } };
	struct calendar c = calendar_of(a, "Europe/Berlin", "", NULL);
	instant now = at("2026-02-26T12:00:00Z"), closes, times[3];
	static const struct { int every, last; } rows[] = { { 1, INT32_MAX }, { 1, 1440 }, { 2, INT32_MAX }, { 2, 1440 } };

	for (size_t i = 0; i < ITEMS(days); i++)
		days[i].date = zone_date_at(c.zone, now) + 2 * (int64_t)i;
	for (size_t i = 0; i < ITEMS(rows); i++) {
		struct spans s = { v, (size_t)(1440 / rows[i].every) };
		bool endless = rows[i].every == 1;

		for (int m = 0; m < (int)s.n; m++)
			v[m] = (struct span){ m * rows[i].every, m * rows[i].every + 1 };
		cr_assert(spans_are_apart(&s));
		for (int d = 0; d < 7; d++)
			c.week[d] = s;
		c.exceptions = days;
		c.exception_count = endless ? 0 : ITEMS(days);
		c.slot_minutes = 1;
		c.last_order_minutes = rows[i].last;
		cr_expect_eq(calendar_is_open(&c, now + 86400 * INSTANT_SECOND, &closes), true);
		cr_expect_eq(closes == INSTANT_NONE, endless);
		cr_expect_eq(calendar_next_instant(&c, now) == now, endless && rows[i].last == 1440, "row %zu", i);
		cr_expect_eq(calendar_candidates(&c, now, now, INT32_MAX, times, 3), endless && rows[i].last == 1440 ? 3 : 0, "row %zu", i);
		cr_expect_eq(calendar_candidates_before(&c, now, now + 300 * 86400 * INSTANT_SECOND, INT32_MAX, times, 3), endless && rows[i].last == 1440 ? 3 : 0, "row %zu", i);
		cr_expect_neq(calendar_add_open(&c, now, 1440), INSTANT_NONE);
	}
	arena_free(a);
}
