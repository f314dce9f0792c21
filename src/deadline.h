/* deadline.h - a moment after which something is cut off, in a program that sets a new one for each request.
 * Owns: the timer, its signal. Does not own: what is cut off. Used by: worker.c, db_deadline.c.
 * Setting and clearing cost no system call as a rule: the timer is left as it is where it fires early enough, and its handler looks at what
 * is in force by then: it waits on, or does nothing. So a deadline is never missed, and never hits what came after it. */
#ifndef PICKUP_DEADLINE_H
#define PICKUP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* What happens at the deadline, now by clock_mono(): in a signal's handler, so only what is safe there. Gives the next deadline, or 0. */
typedef int64_t deadline_fn(void *ctx, int64_t now);

struct deadline {
	_Atomic int64_t at;		/* in force, by clock_mono(); 0: none */
	_Atomic int64_t armed;		/* when the timer fires; 0: nobody counts on it */
	deadline_fn *strike;
	void *ctx;
	timer_t timer;
};

/* Takes the signal sig for it; whatever system call it interrupts goes on. d must stay where it is until deadline_free(). Ends the
 * process where there is no timer to be had. */
void deadline_init(struct deadline *d, int sig, deadline_fn *strike, void *ctx);
void deadline_free(struct deadline *d);
/* In place of the one in force. A moment that has passed strikes at once. */
void deadline_set(struct deadline *d, int64_t at);
/* From here on nothing strikes. */
void deadline_clear(struct deadline *d);

#endif
