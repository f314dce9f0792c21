/* test_tzrule.c - the rules in the footers of zone files.
 * Owns: tests of tzrule.c. Does not own: the files (test_zone.c).
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "timefmt.h"
#include "tzrule.h"

#define H(h, m) ((h) * 3600 + (m) * 60)

static instant at(const char *text)
{
	instant t = INSTANT_NONE;

	cr_assert(time_parse(str_from(text), &t), "%s", text);
	return t;
}

static int libc_offset(int64_t s)
{
	time_t t = s;
	struct tm tm;

	cr_assert(localtime_r(&t, &tm));
	return (int)tm.tm_gmtoff;
}

Test(tzrule, parses)
{
	static const char *const good[] = {
		"UTC0", "IST-5:30", "<+0545>-5:45", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EST5EDT,0/0,J365/25", "AAA+24", "AAA-24:59:59",
		"AAA0BBB,J1/-167,365/167:59:59", "EET-2EEST,M3.4.4/50,M10.4.4/50",
	};
	static const char *const bad[] = {
		"", "UTC", "UT0", "0", "-5", "<+05>", "<+05-5", "<+>0", "<5:30>-5", "AAA25", "AAA0:60", "AAA0:00:60", "AAA0:", "AAA0:0:", "AAA--1", "AAA1x",
		"AAA0BBB", "AAA0BBB,", "AAA0BBB,J1", "AAA0BBB,J1,", "AAA0BBB,J0,J1", "AAA0BBB,J1,J366", "AAA0BBB,1,366", "AAA0BBB,M0.1.0,M1.1.0",
		"AAA0BBB,M13.1.0,M1.1.0", "AAA0BBB,M1.0.0,M1.1.0", "AAA0BBB,M1.6.0,M1.1.0", "AAA0BBB,M1.1.7,M1.1.0", "AAA0BBB,M1.1,M1.1.0",
		"AAA0BBB,M1.1.0/168,M1.1.0", "AAA0BBB,M1.1.0/,M1.1.0", "AAA0BBB,M1.1.0,M1.1.0x", "AAA0BBB,M1.1.0,M1.1.0,M1.1.0", "AAA0BB1,J1,J2",
		":Europe/Berlin", "AAA0000000000000000001", "AAA0BBB,J1,J99999999999999999999",
	};
	struct tz_rule r;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(tz_rule_parse(str_from(good[i]), &r), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!tz_rule_parse(str_from(bad[i]), &r), "%s", bad[i]);
	cr_expect(!tz_rule_parse(STR_NONE, &r));
}

Test(tzrule, offsets)
{
	static const struct { const char *rule, *at; int offset; } rows[] = {
		{ "EST5EDT,0/0,J365/25", "2026-01-01T04:59:59Z", H(-4, 0) }, { "EST5EDT,0/0,J365/25", "2026-01-01T05:00:00Z", H(-4, 0) },
		{ "EST5EDT,0/0,J365/25", "2024-12-31T12:00:00Z", H(-4, 0) }, { "EST5EDT,0/0,J365/25", "2026-07-01T00:00:00Z", H(-4, 0) },
		/* J60 is the first of March, with or without a leap day; 59 is the leap day or the first of March. */
		{ "AAA0BBB,J60/0,J365/0", "2024-02-29T23:59:59Z", 0 }, { "AAA0BBB,J60/0,J365/0", "2024-03-01T00:00:00Z", H(1, 0) },
		{ "AAA0BBB,J60/0,J365/0", "2026-02-28T23:59:59Z", 0 }, { "AAA0BBB,J60/0,J365/0", "2026-03-01T00:00:00Z", H(1, 0) },
		{ "AAA0BBB,59/0,J365/0", "2024-02-29T00:00:00Z", H(1, 0) }, { "AAA0BBB,59/0,J365/0", "2026-02-28T23:59:59Z", 0 },
		{ "AAA0BBB,J1/0,J59/0", "2024-02-28T00:00:00Z", 0 }, { "AAA0BBB,J1/0,J59/0", "2024-02-27T22:59:59Z", H(1, 0) },
		/* Thursday after the fourth, at 50 hours: Saturday at two. */
		{ "EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", H(2, 0) }, { "EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", H(3, 0) },
		/* The last Sunday, where the month has four or five; and of December. */
		{ "AAA0BBB,M2.5.0/0,M12.5.0/1", "2026-02-22T00:00:00Z", H(1, 0) }, { "AAA0BBB,M2.5.0/0,M12.5.0/1", "2026-02-21T23:59:59Z", 0 },
		{ "AAA0BBB,M2.5.0/0,M12.5.0/1", "2032-02-29T00:00:00Z", H(1, 0) }, { "AAA0BBB,M2.5.0/0,M12.5.0/1", "2032-02-28T23:59:59Z", 0 },
		{ "AAA0BBB,M2.5.0/0,M12.5.0/1", "2026-12-26T23:59:59Z", H(1, 0) }, { "AAA0BBB,M2.5.0/0,M12.5.0/1", "2026-12-27T00:00:00Z", 0 },
		/* Changes that stand outside their year. */
		{ "AAA0BBB,J1/-24,J100/0", "2025-12-30T23:59:59Z", 0 }, { "AAA0BBB,J1/-24,J100/0", "2025-12-31T00:00:00Z", H(1, 0) },
		{ "AAA0BBB,J200/0,J365/49", "2026-01-01T23:59:59Z", H(1, 0) }, { "AAA0BBB,J200/0,J365/49", "2026-01-02T00:00:00Z", 0 },
		/* South: daylight time over the new year. */
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", H(11, 0) }, { "AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00Z", H(10, 0) },
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", "0001-01-01T00:00:00Z", H(11, 0) }, { "AEST-10AEDT,M10.1.0,M4.1.0/3", "9999-12-31T23:59:59Z", H(11, 0) },
		{ "<+0545>-5:45", "2026-07-01T00:00:00Z", H(5, 45) }, { "AAA4:56:02", "2026-07-01T00:00:00Z", -17762 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tz_rule r;
		int offset;

		cr_assert(tz_rule_parse(str_from(rows[i].rule), &r), "%s", rows[i].rule);
		offset = tz_rule_offset(&r, at(rows[i].at) / INSTANT_SECOND);
		cr_expect_eq(offset, rows[i].offset, "%s at %s: %d", rows[i].rule, rows[i].at, offset);
	}
}

/* libc reads the same rules from TZ. */
Test(tzrule, agrees_with_libc)
{
	static const char *const rules[] = {
		"CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "AAA3BBB,J60,J300", "AAA3BBB,59,300/4:30:15",
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct tz_rule r;

		setenv("TZ", rules[i], 1);
		tzset();
		cr_assert(tz_rule_parse(str_from(rules[i]), &r), "%s", rules[i]);
		for (int64_t s = 0; s < 32503680000; s += 345678)
			cr_assert_eq(tz_rule_offset(&r, s), libc_offset(s), "%s at %ld", rules[i], (long)s);
	}
}
