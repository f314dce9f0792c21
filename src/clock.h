/* clock.h - the one place that asks what time it is; tests put another clock in.
 * Owns: struct clock. Used by: worker, relay, tools (which pass instants down). */
#ifndef PICKUP_CLOCK_H
#define PICKUP_CLOCK_H

#include "timefmt.h"

struct clock { instant (*now)(const struct clock *c); const void *ctx; };

/* The system's CLOCK_REALTIME. */
struct clock clock_system(void);
/* The system's clock moved by the seconds (a signed decimal) that FILE holds at each call, or, after an @, one that stands at so many seconds since
 * 1970; for tests. FILE is borrowed. */
struct clock clock_shifted(const char *file);
/* Monotonic microseconds, for durations and deadlines only. */
int64_t clock_mono(void);

#endif
