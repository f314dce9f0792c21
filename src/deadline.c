/* deadline.c - see deadline.h.
 * Owns: the timer and its handler. Does not own: what a deadline means. */
#include "deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "clock.h"
#include "log.h"

/* Shared with a signal's handler. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64 bits at once");

/* First the note, then the timer. Should the handler come in between, it notes that nothing is armed while something is: that costs a
 * call too many later. The other way round a timer that has fired could be noted as armed, and a deadline be missed. */
static bool arm(struct deadline *d, int64_t at)
{
	struct itimerspec spec = { .it_value = { .tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000 } };

	d->armed = at;
	return timer_settime(d->timer, TIMER_ABSTIME, &spec, NULL) == 0;
}

/* Anybody may send the signal: only the timer's carries our pointer. */
static void on_timer(int sig, siginfo_t *info, void *context)
{
	struct deadline *d = info->si_value.sival_ptr;
	int saved = errno;
	int64_t at, now;

	(void)sig;
	(void)context;
	if (info->si_code != SI_TIMER)
		return;
	d->armed = 0;
	at = d->at;
	if (at) {
		now = clock_mono();
		if (now >= at)
			d->at = at = d->strike(d->ctx, now);
		if (at)
			arm(d, at);
	}
	errno = saved;
}

void deadline_init(struct deadline *d, int sig, deadline_fn *strike, void *ctx)
{
	struct sigaction act = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig, .sigev_value.sival_ptr = d };
	sigset_t set;

	*d = (struct deadline){ .strike = strike, .ctx = ctx };
	sigemptyset(&act.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, sig);
	/* The clock of clock_mono(). */
	if (sigaction(sig, &act, NULL) || sigprocmask(SIG_UNBLOCK, &set, NULL) || timer_create(CLOCK_BOOTTIME, &event, &d->timer))
		log_die("no timer for deadlines: %s", strerror(errno));
}

void deadline_free(struct deadline *d)
{
	deadline_clear(d);
	timer_delete(d->timer);
}

void deadline_set(struct deadline *d, int64_t at)
{
	int64_t armed;

	/* Before the look at the timer: if that fires now, it already finds the new one. */
	d->at = at;
	armed = d->armed;
	if ((!armed || armed > at) && !arm(d, at))
		log_die("the timer for deadlines can't be set: %s", strerror(errno));
}

void deadline_clear(struct deadline *d)
{
	d->at = 0;
}
