/* timefmt.h - instants, RFC 3339, dates, and time zones from the host's TZif files.
 * Owns: parsing and printing times. Pure but for zone_load, which reads one file.
 * Every function takes the time it needs; nothing here asks a clock (clock.h does). */
#ifndef PICKUP_TIMEFMT_H
#define PICKUP_TIMEFMT_H

#include <stdbool.h>
#include <stdint.h>
#include "outcome.h"
#include "str.h"

/* Microseconds since 1970-01-01T00:00:00Z; years 0001 to 9999. */
typedef int64_t instant;
#define INSTANT_NONE INT64_MIN		/* SQL NULL, JSON null */
#define INSTANT_SECOND INT64_C(1000000)

/* Broken-down proleptic Gregorian wall time. */
struct wall { int year, month, day, hour, minute, second, usec; };

/* RFC 3339 section 5.6 date-time with a UTC offset or Z ("T" and "Z" in either case, never a space for T).
 * Fractions beyond microseconds are cut. Second 60 is taken as the next second. False: anything else, a naive time or a
 * date that does not exist. "-00:00" (unknown local offset) is accepted as UTC. */
must_check bool time_parse(struct str s, instant *out);
must_check bool time_from_wall(const struct wall *w, int offset_seconds, instant *out);
void time_to_wall(instant t, int offset_seconds, struct wall *w);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. Any year that int holds with room to spare. */
int64_t civil_to_days(int year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);

/* "2026-02-26", a date that exists, of the years 0001 to 9999, as days since 1970-01-01. False leaves *days alone. */
must_check bool date_parse(struct str s, int64_t *days);
/* The same the other way round; what is outside these years is given as the nearest date of them. Adds no quotes. */
void date_print(struct buf *b, int64_t days);
/* "09:00" as minutes from midnight; "00:00" to "24:00". False leaves *minutes alone. */
must_check bool time_of_day_parse(struct str s, int *minutes);

struct zone;	/* one loaded time zone; immutable */

/* Reads NAME from the zone directories (dir, or, where dir is NULL, $TZDIR, /usr/share/zoneinfo, /usr/lib/zoneinfo,
 * /usr/share/lib/zoneinfo). TZif versions 1 to 4 with the POSIX footer for times after the last transition
 * (RFC 9636). Owned by the caller. NULL: no such zone, a name with ".." or a leading "/", or a malformed file. "UTC" always works. */
must_check struct zone *zone_load(const char *dir, const char *name);
void zone_free(struct zone *z);
/* Seconds east of UTC in force at t. z NULL is UTC, here and below. */
int zone_offset_at(const struct zone *z, instant t);
/* Days since 1970-01-01 of the local date at t. */
int64_t zone_date_at(const struct zone *z, instant t);
/* The instant at which that zone's clock shows so many seconds since 1970-01-01T00:00:00, as RFC 5545 section 3.3.5 has it: the first one where it does so
 * twice; where it never does, the one that the offset before the gap leads to. Any date that an instant may have, and some days more. */
instant zone_from_wall(const struct zone *z, int64_t local_seconds);

/* A few zones kept by name, so that a request does not read files. Owned by the worker. */
struct zone_cache;
struct zone_cache *zone_cache_new(const char *dir);	/* dir as for zone_load, copied; "" is NULL */
void zone_cache_free(struct zone_cache *c);
/* Borrowed until the cache is freed or 64 other zones were asked for. Unknown zones: UTC's, and one log line per name. */
const struct zone *zone_get(struct zone_cache *c, struct str name);
/* Whether NAME can be loaded: for checking input. */
must_check bool zone_exists(struct zone_cache *c, struct str name);

/* "2026-02-26T17:00:00+05:30": whole seconds (rounded down), the zone's offset at t; UTC is "+00:00". Offsets with seconds
 * (before 1900) are rounded to minutes. Adds no quotes. */
void time_print(struct buf *b, instant t, const struct zone *z);
/* The same as a JSON string, or null for INSTANT_NONE. */
void time_to_json(struct buf *b, instant t, const struct zone *z);

#endif
