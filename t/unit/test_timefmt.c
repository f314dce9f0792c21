/* test_timefmt.c - instants, civil dates, RFC 3339, dates and times of day, the clocks.
 * Owns: tests of timefmt.c and clock.c. Does not own: zones (test_zone.c).
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "timefmt.h"

#define S INSTANT_SECOND
#define UNTOUCHED INT64_C(-77)

Test(timefmt, parses)
{
	static const struct { const char *in; instant out; } rows[] = {
		{ "1970-01-01T00:00:00Z", 0 }, { "1970-01-01T00:00:00+00:00", 0 }, { "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01t00:00:00z", 0 }, { "1970-01-01T05:30:00+05:30", 0 }, { "1969-12-31T19:00:00-05:00", 0 },
		{ "2026-02-26T17:00:00+05:30", 1772105400 * S }, { "2026-02-26T11:30:00Z", 1772105400 * S },
		{ "1969-12-31T23:59:59.999999Z", -1 }, { "1970-01-01T00:00:00.1Z", 100000 }, { "1970-01-01T00:00:00.000001Z", 1 },
		{ "1970-01-01T00:00:00.0000019999999999999999999999Z", 1 }, { "1970-01-01T00:00:00.123456789+00:01", 123456 - 60 * S },
		{ "2016-12-31T23:59:60Z", 1483228800 * S }, { "2016-12-31T23:59:60.5Z", 1483228800 * S + 500000 },
		{ "2017-01-01T05:29:60+05:30", 1483228800 * S },
		{ "2024-02-29T00:00:00Z", 1709164800 * S }, { "2000-02-29T00:00:00Z", 951782400 * S },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800) * S }, { "9999-12-31T23:59:59.999999Z", INT64_C(253402300800) * S - 1 },
		{ "1970-01-02T23:59:00+23:59", 86400 * S }, { "1969-12-31T00:01:00-23:59", 0 },
		{ "0000-12-31T23:00:00-01:00", UNTOUCHED }, { "0001-01-01T00:00:00+00:01", UNTOUCHED }, { "9999-12-31T23:59:59-00:01", UNTOUCHED },
		{ "9999-12-31T23:59:60Z", UNTOUCHED },
		{ "2026-02-26T17:00:00", UNTOUCHED }, { "2026-02-26 17:00:00Z", UNTOUCHED }, { "2026-02-26T17:00Z", UNTOUCHED },
		{ "2026-02-26", UNTOUCHED }, { "", UNTOUCHED }, { NULL, UNTOUCHED }, { "2026-02-26T17:00:00+0530", UNTOUCHED },
		{ "2026-02-26T17:00:00+05", UNTOUCHED }, { "2026-02-26T17:00:00+05:3", UNTOUCHED }, { "2026-02-26T17:00:00+05:60", UNTOUCHED },
		{ "2026-02-26T17:00:00+24:00", UNTOUCHED }, { "2026-02-26T17:00:00 +05:30", UNTOUCHED }, { "2026-02-26T17:00:00Zx", UNTOUCHED },
		{ "2026-02-26T17:00:00Z ", UNTOUCHED }, { " 2026-02-26T17:00:00Z", UNTOUCHED }, { "2026-02-26T17:00:00.Z", UNTOUCHED },
		{ "2026-02-26T17:00:00,5Z", UNTOUCHED }, { "2026-02-26T17:00:00.5", UNTOUCHED }, { "2026-02-26T17:00:00.5.5Z", UNTOUCHED },
		{ "2026-02-29T00:00:00Z", UNTOUCHED }, { "1900-02-29T00:00:00Z", UNTOUCHED }, { "2026-04-31T00:00:00Z", UNTOUCHED },
		{ "2026-00-01T00:00:00Z", UNTOUCHED }, { "2026-13-01T00:00:00Z", UNTOUCHED }, { "2026-01-00T00:00:00Z", UNTOUCHED },
		{ "2026-01-32T00:00:00Z", UNTOUCHED }, { "2026-01-01T24:00:00Z", UNTOUCHED }, { "2026-01-01T00:60:00Z", UNTOUCHED },
		{ "2026-01-01T00:00:61Z", UNTOUCHED }, { "26-01-01T00:00:00Z", UNTOUCHED }, { "+2026-01-01T00:00:00Z", UNTOUCHED },
		{ "12026-01-01T00:00:00Z", UNTOUCHED }, { "2026-1-1T00:00:00Z", UNTOUCHED }, { "2026/01/01T00:00:00Z", UNTOUCHED },
		{ "2026-01-01T00:00:00\xe2\x88\x92""05:00", UNTOUCHED }, { "2026-01-01T-1:00:00Z", UNTOUCHED }, { "2026-W09-4T00:00:00Z", UNTOUCHED },
		{ "0000-01-01T00:00:00Z", UNTOUCHED }, { "now", UNTOUCHED }, { "1772105400", UNTOUCHED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		instant t = UNTOUCHED;
		bool ok = time_parse(str_from(rows[i].in), &t);

		cr_expect_eq(ok, rows[i].out != UNTOUCHED, "\"%s\"", rows[i].in ? rows[i].in : "(none)");
		cr_expect_eq(t, rows[i].out, "\"%s\" gave %ld", rows[i].in ? rows[i].in : "(none)", (long)t);
	}
}

/* A good text cut anywhere, in memory that ends there; and with a NUL put in. */
Test(timefmt, parses_no_part_of_a_time)
{
	static const char text[] = "2026-02-26T17:00:00.123+05:30";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *cut = malloc(len + !len), holed[sizeof(text)];
		instant t;

		memcpy(cut, text, len);
		cr_expect(!time_parse((struct str){ cut, len }, &t), "%.*s", (int)len, text);
		memcpy(holed, text, sizeof(text));
		holed[len] = '\0';
		cr_expect(!time_parse((struct str){ holed, sizeof(text) - 1 }, &t), "NUL at %zu", len);
		free(cut);
	}
}

/* Every day of the years 0001 to 9999, counted by hand. */
Test(timefmt, civil_dates)
{
	static const int lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t days = civil_to_days(1, 1, 1);

	cr_assert_eq(days, -719162);
	for (int year = 1; year <= 9999; year++)
		for (int month = 1; month <= 12; month++) {
			bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

			for (int day = 1; day <= lengths[month - 1] + (month == 2 && leap); day++, days++) {
				int y, m, d;

				civil_from_days(days, &y, &m, &d);
				if (civil_to_days(year, month, day) != days || y != year || m != month || d != day)
					cr_assert(false, "%d-%d-%d: day %ld, back %d-%d-%d", year, month, day, (long)days, y, m, d);
			}
		}
	cr_assert_eq(days, 2932897);
}

Test(timefmt, wall_agrees_with_libc)
{
	for (int64_t s = -62135596800 + 86400; s < 253402300800 - 86400; s += 12345678901 / 9973) {
		time_t shifted = s + 19800;
		struct wall w;
		struct tm tm;
		instant back;

		time_to_wall(s * S + 654321, 19800, &w);
		gmtime_r(&shifted, &tm);
		cr_assert(w.year == tm.tm_year + 1900 && w.month == tm.tm_mon + 1 && w.day == tm.tm_mday && w.hour == tm.tm_hour
			&& w.minute == tm.tm_min && w.second == tm.tm_sec && w.usec == 654321, "%ld", (long)s);
		cr_assert(time_from_wall(&w, 19800, &back) && back == s * S + 654321, "%ld", (long)s);
	}
}

Test(timefmt, from_wall_refuses)
{
	static const struct wall good = { 2026, 2, 26, 17, 0, 0, 0 };
	static const struct wall bad[] = {
		{ 0, 2, 26, 17, 0, 0, 0 }, { 10000, 2, 26, 17, 0, 0, 0 }, { 2026, 0, 26, 17, 0, 0, 0 }, { 2026, 13, 26, 17, 0, 0, 0 },
		{ 2026, 2, 0, 17, 0, 0, 0 }, { 2026, 2, 29, 17, 0, 0, 0 }, { 2026, 2, 26, 24, 0, 0, 0 }, { 2026, 2, 26, -1, 0, 0, 0 },
		{ 2026, 2, 26, 17, 60, 0, 0 }, { 2026, 2, 26, 17, 0, 61, 0 }, { 2026, 2, 26, 17, 0, 0, 1000000 }, { 2026, 2, 26, 17, 0, 0, -1 },
		{ 1, 1, 1, 0, 0, 0, 0 },	/* with the offset before the first instant */
	};
	instant t = UNTOUCHED;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!time_from_wall(&bad[i], 19800, &t) && t == UNTOUCHED, "row %zu", i);
	cr_expect(time_from_wall(&good, 19800, &t) && t == 1772105400 * S);
}

Test(timefmt, dates)
{
	static const struct { const char *in; int64_t out; } rows[] = {
		{ "1970-01-01", 0 }, { "1969-12-31", -1 }, { "2026-02-26", 20510 }, { "2024-02-29", 19782 }, { "2000-02-29", 11016 },
		{ "0001-01-01", -719162 }, { "9999-12-31", 2932896 },
		{ "2026-02-29", UNTOUCHED }, { "1900-02-29", UNTOUCHED }, { "2100-02-29", UNTOUCHED }, { "2026-04-31", UNTOUCHED }, { "0000-12-31", UNTOUCHED },
		{ "2026-00-01", UNTOUCHED }, { "2026-13-01", UNTOUCHED }, { "2026-01-00", UNTOUCHED }, { "2026-01-32", UNTOUCHED },
		{ "", UNTOUCHED }, { NULL, UNTOUCHED }, { "2026-02-2", UNTOUCHED }, { "2026-2-26", UNTOUCHED }, { "26-02-26", UNTOUCHED }, { "2026-02-26 ", UNTOUCHED },
		{ " 2026-02-26", UNTOUCHED }, { "2026-02-26T00:00:00Z", UNTOUCHED }, { "20260226", UNTOUCHED }, { "2026/02/26", UNTOUCHED },
		{ "+2026-02-26", UNTOUCHED }, { "-2026-02-26", UNTOUCHED }, { "12026-02-26", UNTOUCHED }, { "2026-02-+1", UNTOUCHED }, { "tomorrow", UNTOUCHED },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_IN(a);
		int64_t days = UNTOUCHED;
		bool ok = date_parse(str_from(rows[i].in), &days);

		cr_expect_eq(ok, rows[i].out != UNTOUCHED, "\"%s\"", rows[i].in ? rows[i].in : "(none)");
		cr_expect_eq(days, rows[i].out, "\"%s\" gave %ld", rows[i].in ? rows[i].in : "(none)", (long)days);
		if (ok) {
			date_print(&b, days);
			cr_expect_str_eq(b.s, rows[i].in);
		}
	}
	cr_expect(!date_parse((struct str){ "2026-02\00026", 10 }, &(int64_t){ 0 }));
	arena_free(a);
}

Test(timefmt, dates_outside_are_the_nearest)
{
	static const struct { int64_t days; const char *out; } rows[] = {
		{ -719163, "0001-01-01" }, { INT64_MIN, "0001-01-01" }, { 2932897, "9999-12-31" }, { INT64_MAX, "9999-12-31" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_IN(a);

		date_print(&b, rows[i].days);
		cr_expect_str_eq(b.s, rows[i].out);
	}
	arena_free(a);
}

Test(timefmt, times_of_day)
{
	static const char *const bad[] = {
		"", NULL, "24:01", "25:00", "23:60", "9:00", "09:0", "09:00:00", "0900", "09.00", " 09:00", "09:00 ", "-1:00", "09:-1", "+9:00", "99:99", "noon",
	};
	char text[32];
	int minutes;

	for (int m = 0; m <= 1440; m++) {
		snprintf(text, sizeof(text), "%02d:%02d", m / 60, m % 60);
		cr_expect(time_of_day_parse(str_from(text), &minutes) && minutes == m, "%s", text);
	}
	minutes = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!time_of_day_parse(str_from(bad[i]), &minutes) && minutes == 77, "%s", bad[i] ? bad[i] : "(none)");
}

static const char *print(struct arena *a, instant t, const struct zone *z)
{
	struct buf b = BUF_IN(a);

	time_to_json(&b, t, z);
	return b.s;
}

Test(timefmt, prints)
{
	struct arena *a = arena_new();
	struct zone *kolkata = zone_load(NULL, "Asia/Kolkata"), *new_york = zone_load(NULL, "America/New_York"), *utc = zone_load(NULL, "UTC");
	struct zone *nepal = zone_load(NULL, "Asia/Kathmandu"), *st_johns = zone_load(NULL, "America/St_Johns");

	cr_assert(kolkata && new_york && utc && nepal && st_johns, "this host has no zone data");
	cr_expect_str_eq(print(a, 1772105400 * S, kolkata), "\"2026-02-26T17:00:00+05:30\"");
	cr_expect_str_eq(print(a, 1772105400 * S + 999999, kolkata), "\"2026-02-26T17:00:00+05:30\"");
	cr_expect_str_eq(print(a, 1772105400 * S, utc), "\"2026-02-26T11:30:00+00:00\"");
	cr_expect_str_eq(print(a, 1772105400 * S, NULL), "\"2026-02-26T11:30:00+00:00\"");
	cr_expect_str_eq(print(a, 1772105400 * S, new_york), "\"2026-02-26T06:30:00-05:00\"");
	cr_expect_str_eq(print(a, 1772105400 * S, nepal), "\"2026-02-26T17:15:00+05:45\"");
	cr_expect_str_eq(print(a, 1772105400 * S, st_johns), "\"2026-02-26T08:00:00-03:30\"");
	cr_expect_str_eq(print(a, -1, utc), "\"1969-12-31T23:59:59+00:00\"");
	cr_expect_str_eq(print(a, INSTANT_NONE, kolkata), "null");
	/* Local mean time, +05:53:28 and -04:56:02: the printed pair still names the instant. */
	cr_expect_str_eq(print(a, INT64_C(-5000000000) * S, kolkata), "\"1811-07-23T20:59:40+05:53\"");
	cr_expect_str_eq(print(a, INT64_C(-5000000000) * S, new_york), "\"1811-07-23T10:10:40-04:56\"");
	/* Where the local year has no four digits, UTC. */
	cr_expect_str_eq(print(a, INT64_C(253402300799) * S, kolkata), "\"9999-12-31T23:59:59+00:00\"");
	cr_expect_str_eq(print(a, INT64_C(-62135596800) * S, new_york), "\"0001-01-01T00:00:00+00:00\"");
	cr_expect_str_eq(print(a, INT64_C(-62135596800) * S, utc), "\"0001-01-01T00:00:00+00:00\"");
	zone_free(kolkata);
	zone_free(new_york);
	zone_free(utc);
	zone_free(nepal);
	zone_free(st_johns);
	arena_free(a);
}

Test(timefmt, printed_is_parsed_back)
{
	static const char *const names[] = { "UTC", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct zone *z = zone_load(NULL, names[i]);
		struct arena *a = arena_new();

		cr_assert(z, "%s", names[i]);
		for (int64_t s = -6000000000; s < 250000000000; s += 98765432) {
			struct buf b = BUF_IN(a);
			instant back = UNTOUCHED;

			time_print(&b, s * S + 500000, z);
			cr_assert(time_parse(buf_str(&b), &back) && back == s * S, "%s in %s", b.s, names[i]);
			arena_reset(a);
		}
		arena_free(a);
		zone_free(z);
	}
}

Test(clock, system_and_monotonic)
{
	struct clock c = clock_system();
	instant before = (instant)time(NULL) * S, now = c.now(&c);
	int64_t mono = clock_mono();

	cr_expect(now >= before - S && now <= before + 60 * S);
	cr_expect(clock_mono() >= mono);
}

static int64_t shift_seen(const struct clock *c)
{
	struct clock real = clock_system();
	instant shifted = c->now(c), now = real.now(&real);

	return (shifted - now + S / 2 + 86400 * S) / S - 86400;
}

Test(clock, shifted)
{
	static const struct { const char *text; int64_t shift; } rows[] = {
		{ "60", 60 }, { "-3600\n", -3600 }, { "+5", 5 }, { "0", 0 },
		/* what is no number moves nothing, and is logged */
		{ "", 0 }, { "soon", 0 }, { "60s", 0 }, { "99999999999999999999", 0 }, { "10000000001", 0 }, { "-10000000001", 0 },
		{ "@", 0 }, { "@soon", 0 }, { "@@5", 0 },
	};
	char dir[] = "/tmp/pickup-clock-XXXXXX", file[64];
	struct clock c;

	cr_assert(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/shift", dir);
	c = clock_shifted(file);
	cr_expect_eq(shift_seen(&c), 0, "no file, no shift");
	cr_assert(freopen("/dev/null", "w", stderr));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = fopen(file, "w");

		cr_assert(f && fputs(rows[i].text, f) >= 0 && fclose(f) == 0);
		cr_expect_eq(shift_seen(&c), rows[i].shift, "\"%s\"", rows[i].text);
	}
	unlink(file);
	rmdir(dir);
}

Test(clock, standing)
{
	static const struct { const char *text; instant now; } rows[] = {
		{ "@0", 0 }, { "@1772438399\n", 1772438399 * INSTANT_SECOND }, { "@-1", -INSTANT_SECOND },
	};
	char dir[] = "/tmp/pickup-clock-XXXXXX", file[64];
	struct clock c;

	cr_assert(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/shift", dir);
	c = clock_shifted(file);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = fopen(file, "w");

		cr_assert(f && fputs(rows[i].text, f) >= 0 && fclose(f) == 0);
		cr_expect_eq(c.now(&c), rows[i].now, "\"%s\"", rows[i].text);
	}
	unlink(file);
	rmdir(dir);
}
