/* test_deadline.c - deadlines: none is missed, none strikes where it is not in force, a new one costs no system call. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "deadline.h"
#include "leaks.h"

#define MS INT64_C(1000)
#define LATEST (2000 * MS)	/* for a busy machine */

struct seen {
	struct deadline d;
	volatile sig_atomic_t strikes;
	_Atomic int64_t in_force, wrong, next;
};

static int64_t strike(void *ctx, int64_t now)
{
	struct seen *s = ctx;
	int64_t next = s->next;
	s->strikes++;
	if (!s->in_force || now < s->in_force)
		s->wrong = now;
	s->next = 0;
	if (next)
		s->in_force = next;
	return next;
}

static void begin(struct seen *s)
{
	s->strikes = 0;
	s->in_force = s->wrong = s->next = 0;
	deadline_init(&s->d, SIGRTMIN + 2, strike, s);
}

static void end(struct seen *s)
{
	deadline_free(&s->d);
	cr_expect_eq(s->wrong, 0, "struck where it was not in force");
	cr_expect(no_leaks());
}

static void set(struct seen *s, int64_t at)
{
	s->in_force = at;
	deadline_set(&s->d, at);
}

static void clear(struct seen *s)
{
	deadline_clear(&s->d);
	s->in_force = 0;
}

static void pass(int64_t until)
{
	while (clock_mono() < until)
		continue;
}

static void wait_for(struct seen *s, int strikes)
{
	for (int64_t start = clock_mono(); s->strikes < strikes && clock_mono() < start + LATEST; )
		continue;
	cr_assert_eq(s->strikes, strikes);
}

/* When the timer fires next; 0: never. */
static int64_t timer_at(struct seen *s)
{
	struct itimerspec at;
	cr_assert_eq(timer_gettime(s->d.timer, &at), 0);
	int64_t left = at.it_value.tv_sec * INT64_C(1000000) + at.it_value.tv_nsec / 1000;
	return left ? clock_mono() + left : 0;
}

Test(deadline, strikes_once)
{
	struct seen s;
	begin(&s);
	set(&s, clock_mono() + 20 * MS);
	wait_for(&s, 1);
	pass(clock_mono() + 30 * MS);
	cr_expect_eq(s.strikes, 1);
	set(&s, clock_mono() - 1);
	wait_for(&s, 2);
	end(&s);
}

Test(deadline, cleared)
{
	struct seen s;
	begin(&s);
	set(&s, clock_mono() + 10 * MS);
	clear(&s);
	pass(clock_mono() + 40 * MS);
	cr_expect_eq(s.strikes, 0);
	cr_expect_eq(timer_at(&s), 0, "and nothing wakes us any more");
	end(&s);
}

/* The timer of the first one fires, and waits for the second. */
Test(deadline, later)
{
	struct seen s;
	int64_t start = clock_mono(), found;
	begin(&s);
	set(&s, start + 20 * MS);
	clear(&s);
	set(&s, start + 500 * MS);
	found = timer_at(&s);
	cr_expect(found < start + 100 * MS, "the timer was set anew");
	pass(start + 60 * MS);
	cr_expect(s.strikes == 0 || clock_mono() > start + 500 * MS);
	wait_for(&s, 1);
	end(&s);
}

Test(deadline, earlier)
{
	struct seen s;
	int64_t start = clock_mono();
	begin(&s);
	set(&s, start + 60000 * MS);
	clear(&s);
	set(&s, start + 20 * MS);
	wait_for(&s, 1);
	end(&s);
}

Test(deadline, goes_on)
{
	struct seen s;
	int64_t start = clock_mono();
	begin(&s);
	s.next = start + 50 * MS;
	set(&s, start + 10 * MS);
	wait_for(&s, 2);
	cr_expect_geq(clock_mono(), start + 50 * MS);
	end(&s);
}

/* Anybody may send us the timer's signal. */
Test(deadline, a_foreign_signal_is_nothing)
{
	struct seen s;
	begin(&s);
	set(&s, clock_mono() - 1);
	wait_for(&s, 1);
	cr_assert_eq(kill(getpid(), SIGRTMIN + 2), 0);
	cr_assert_eq(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_ptr = (void *)1 }), 0);
	cr_expect_eq(s.strikes, 1);
	end(&s);
}

/* Each moment of setting and clearing meets the timer sometimes: deadlines of microseconds, some waited for, some cleared about when they are
 * due. The strike itself looks whether it was in force. */
Test(deadline, many_at_random)
{
	struct seen s;
	unsigned random = 7;
	int waited_for = 0;
	int64_t stop = clock_mono() + 1500 * MS;
	begin(&s);
	for (int round = 0; round < 100000 && clock_mono() < stop; round++) {
		int64_t now = clock_mono(), at = now + rand_r(&random) % 100;
		int before = s.strikes;
		set(&s, at);
		if (rand_r(&random) % 2) {
			wait_for(&s, before + 1);
			waited_for++;
		} else {
			pass(now + rand_r(&random) % 100);
		}
		clear(&s);
		cr_assert(s.strikes <= before + 1 && s.wrong == 0, "round %d: %d strikes", round, (int)s.strikes - before);
	}
	cr_expect_gt(waited_for, 100);
	end(&s);
}
