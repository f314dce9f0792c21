/* tzrule.h - the POSIX TZ rule in the footer of a TZif file: offsets after the last transition (RFC 9636 section 3.3.1).
 * Owns: struct tz_rule. Used by: zone.c. Pure. */
#ifndef PICKUP_TZRULE_H
#define PICKUP_TZRULE_H

#include <stdbool.h>
#include <stdint.h>
#include "outcome.h"
#include "str.h"

/* A day of each year and a time on it: Jn (1 to 365, 29 February never counted), n (0 to 365), Mm.w.d. */
struct tz_day {
	enum { TZ_DAY_JULIAN, TZ_DAY_OF_YEAR, TZ_DAY_OF_WEEK } kind;
	int n;			/* JULIAN, OF_YEAR */
	int month, week, weekday;	/* OF_WEEK: week 5 is the last; weekday 0 is Sunday */
	int seconds;		/* from that day's midnight; -167 to 167 hours */
};

struct tz_rule {
	int standard;		/* seconds east of UTC */
	bool has_daylight;	/* the rest only then */
	int daylight;
	struct tz_day start, end;	/* start in standard time, end in daylight time */
};

/* "CET-1CEST,M3.5.0,M10.5.0/3". A daylight time without its days is refused: RFC 9636 gives it no meaning. */
must_check bool tz_rule_parse(struct str s, struct tz_rule *out);
/* Seconds east of UTC at so many seconds since 1970 (in UTC); years as far as an instant goes. */
int tz_rule_offset(const struct tz_rule *r, int64_t seconds);

#endif
