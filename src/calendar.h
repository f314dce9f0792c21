/* calendar.h - when a shop is open, takes orders, and can be come to: opening hours, exceptions, slots, lead and last order.
 * Owns: struct calendar and its rules. Pure: no HTTP, no SQL, no JSON library, no clock.
 *
 * A span's ends are wall times of the shop's zone, taken as RFC 5545 section 3.3.5 says (zone_from_wall), so a day on which the clock changes
 * may be longer or shorter; open is from the start on, up to but without the end. A date's spans are those that start on it, and a date that the zone
 * skipped has none. Where spans meet or overlap (the evening's runs into the next day's, say) they are one stretch, and the later one is cut to begin
 * where the earlier one ends. */
#ifndef PICKUP_CALENDAR_H
#define PICKUP_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "str.h"
#include "timefmt.h"

struct arena;

#define CALENDAR_HORIZON_DAYS 400	/* nothing here looks further ahead */
#define DAY_MINUTES 1440
#define CALENDAR_GRID_MINUTES 15	/* between two times to propose, where there are no slots */

/* Minutes from the midnight of the date on which it starts: 0 <= start < 1440, start < end <= start + 1440. */
struct span { int start, end; };
struct spans { struct span *v; size_t n; };	/* of one date, by start, none overlapping another; any number, but each costs time */
struct exception { int64_t date; struct spans hours; struct str note; };	/* date: days since 1970; note: or none */

/* All of it borrowed by every function here. */
struct calendar {
	const struct zone *zone;		/* NULL is UTC */
	bool is_always_open;			/* each day from 00:00 to 24:00: week is not looked at, exceptions are */
	struct spans week[7];			/* Monday first */
	const struct exception *exceptions;	/* by date, each date once; they replace that date's spans */
	size_t exception_count;
	int lead_minutes;			/* 0: none */
	int max_days_ahead;			/* local dates; 0: today only; -1: no limit */
	int last_order_minutes;			/* before a stretch ends; 0: to its end */
	int slot_minutes;			/* 0: no slots */
};

/* A part of real time: start <= t < end. */
struct slot { instant start, end; };

/* Sorts the spans of one date by their start. False where two of them overlap; that they meet is fine. */
must_check bool spans_are_apart(const struct spans *s);

/* Whether the shop is open at t. closes (may be NULL) is set only then: when this stretch ends, or INSTANT_NONE: never, or not within CALENDAR_HORIZON_DAYS. */
bool calendar_is_open(const struct calendar *c, instant t, instant *closes);
/* Whether an instant order is taken: open, and no later than last_order_minutes before the stretch ends (that very instant still does). */
bool calendar_takes_instant(const struct calendar *c, instant now);
/* The first instant from now on (now itself, where it does) for which calendar_takes_instant; INSTANT_NONE: none within CALENDAR_HORIZON_DAYS. */
instant calendar_next_instant(const struct calendar *c, instant now);

enum calendar_verdict {
	CALENDAR_OK,
	CALENDAR_TOO_FAR,		/* its local date is more than max_days_ahead after now's */
	CALENDAR_TOO_SOON,		/* before now + lead_minutes, so also: before now */
	CALENDAR_OUTSIDE_HOURS		/* closed then, or later than last_order_minutes before the stretch ends (that very instant still does) */
};
/* Whether an order placed now may be picked up then; the first verdict that holds. Knows nothing of capacities and pauses. */
enum calendar_verdict calendar_judge(const struct calendar *c, instant now, instant pickup);

/* Slots follow one another from each span's start (where it was cut: from there) in real time; the last one ends with the span. False: closed at t, or no slots. */
bool calendar_slot_of(const struct calendar *c, instant t, struct slot *out);
/* The slots that start on that local date, in order, whatever the rules on lead and last order; *out is arena memory. None: *n is 0. */
void calendar_slots(const struct calendar *c, struct arena *a, int64_t date, struct slot **out, size_t *n);

/* Times to propose: the starts of slots, or, where there are none, every CALENDAR_GRID_MINUTES from each span's start; only such as calendar_judge
 * finds CALENDAR_OK, and after now. At most max go to out, ascending; gives how many. For more of them, ask again from behind the last one.
 *
 * The first ones at from or later, on at most so many local dates: from's (or, where the lead ends later, that one's) and those that follow. */
size_t calendar_candidates(const struct calendar *c, instant now, instant from, int days, instant *out, size_t max);
/* The last ones before that instant, on at most so many local dates: the last one that max_days_ahead allows, or before's, and those that precede it. */
size_t calendar_candidates_before(const struct calendar *c, instant now, instant before, int days, instant *out, size_t max);

/* When so many minutes of open time have passed since from (time outside the hours does not count); may be the very end of a stretch.
 * from itself for 0 minutes. INSTANT_NONE: not within CALENDAR_HORIZON_DAYS. */
instant calendar_add_open(const struct calendar *c, instant from, int minutes);

#endif
