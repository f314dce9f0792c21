/* test_relay_closes.c - the book of channels to be closed: who is asked what and when, and when a row is done.
 * Owns: tests of relay_closes.c. Used by: make check; with real instances by t/stack/test_closes.py. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "leaks.h"
#include "relay_closes.h"

#define MS INT64_C(1000)

/* A life of the book, second by second: "s+id" a row comes (shop id), "s?i" instance i is asked for all that is due, "s!i" it does what it was asked,
 * "s-i" it fails, "s=" rows that are done are taken out. What was told of it, in order. */
static const struct { const char *name; size_t instances; const char *steps, *told; } lives[] = {
	{ "nothing", 1, "0?0 9=", "" },
	{ "one row, asked twice", 1, "0+7 0!0 0= 5!0 6!0 6=", "7:0 7:0 done7" },
	{ "not before six seconds have passed since the answer", 1, "0+7 3!0 8!0 9!0 9=", "7:0 7:0 done7" },
	{ "two rows, in their order", 1, "0+7 1+8 1!0 1!0 7!0 7!0 7=", "7:0 8:0 7:0 8:0 done7 done8" },
	{ "a new row goes before those that are asked again later", 1, "0+7 0!0 5+8 5!0 6!0 6= 11!0 11=", "7:0 8:0 7:0 done7 8:0 done8" },
	{ "two instances, each at its own pace", 2, "0+7 0!0 6!0 6= 6!1 11!1 12!1 12=", "7:0 7:0 7:1 7:1 done7" },
	{ "none: there is nobody to be asked", 0, "0+7 0=", "done7" },
	{ "a row that is known", 1, "0+7 0+7 0!0 0!0 0+7 6!0 6!0 6=", "7:0 7:0 done7" },
	{ "and one that comes again after it was done", 1, "0+7 0!0 6!0 6= 6+7 6!0", "7:0 7:0 done7 7:0" },
	{ "what fails is asked again", 1, "0+7 0-0 1-0 2!0 8!0 8=", "7:0 7:0 7:0 7:0 done7" },
	{ "behind the others", 1, "0+7 0+8 1-0 1!0 1!0", "7:0 8:0 7:0" },
	{ "for an hour", 1, "0+7 3599-0 3600-0 3600= 3601?0", "7:0 7:0 gone7 done7" },
	{ "one that closed it is not asked for longer because of another", 2, "0+7 0!0 6!0 3600-1 3600=", "7:0 7:0 7:1 gone7 done7" },
	{ "an hour before the second time, too", 1, "0+7 0!0 3600-0 3600=", "7:0 7:0 gone7 done7" },
	{ "no channel", 1, "0+0 0?0 0=", "done1000" },
	{ "a place is used again", 1, "0+7 0+8 0!0 0!0 6!0 6= 7+9 7!0 7!0 13!0 13=", "7:0 8:0 7:0 done7 8:0 9:0 9:0 done9 done8" },
};

struct told { char text[512]; };

__attribute__((format(printf, 2, 3)))
static void tell(struct told *t, const char *fmt, ...)
{
	size_t len = strlen(t->text);
	va_list args;
	if (len)
		t->text[len++] = ' ';
	va_start(args, fmt);
	vsnprintf(t->text + len, sizeof t->text - len, fmt, args);
	va_end(args);
}

static void do_ask(struct closes *c, struct told *t, int64_t now, size_t instance, char how)
{
	struct close_ask ask;
	bool is_due = closes_due(c, instance) <= now;
	cr_expect_eq(closes_next(c, instance, now, &ask), is_due);
	if (!is_due)
		return;
	tell(t, "%llu:%zu", (unsigned long long)ask.channel.id, instance);
	if (how == '!')
		closes_answered(c, instance, ask.slot, now);
	else if (how == '-' && closes_failed(c, instance, ask.slot, now))
		tell(t, "gone%llu", (unsigned long long)ask.channel.id);
}

static void do_step(struct closes *c, struct told *t, int64_t now, char how, uint64_t n)
{
	uint64_t ids[8];
	struct close_row row = { n ? n : 1000, { CHANNEL_SHOP, n } };
	if (how == '+')
		cr_expect(closes_add(c, &row, now));
	else if (how != '=')
		do_ask(c, t, now, n, how);
	else {
		size_t done = closes_done(c, ids, 8);
		cr_expect_eq(closes_has_done(c), done > 0);
		for (size_t i = 0; i < done; i++)
			tell(t, "done%llu", (unsigned long long)ids[i]);
		closes_remove(c, ids, done);
		cr_expect_not(closes_has_done(c));
	}
}

static void live(struct closes *c, struct told *t, const char *steps)
{
	long long second;
	unsigned long long n;
	char how;
	for (int used; sscanf(steps, " %lld%c%n", &second, &how, &used) == 2; steps += used) {
		n = 0;
		if (how != '=') {
			steps += used;
			cr_assert_eq(sscanf(steps, "%llu%n", &n, &used), 1);
		}
		do_step(c, t, second * 1000 * MS, how, n);
	}
}

Test(closes, lives)
{
	for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
		struct closes *c = closes_new();
		struct told t = { "" };
		closes_reset(c, lives[i].instances);
		live(c, &t, lives[i].steps);
		cr_expect_str_eq(t.text, lives[i].told, "%s: %s", lives[i].name, t.text);
		closes_free(c);
	}
	cr_expect(no_leaks());
}

Test(closes, as_many_as_there_is_room_for)
{
	struct closes *c = closes_new();
	uint64_t ids[100];
	size_t n, taken = 0;
	closes_reset(c, 1);
	for (uint64_t id = 1; id <= CLOSES_MAX; id++)
		cr_assert(closes_add(c, &(struct close_row){ id, { CHANNEL_CUSTOMER, id } }, 0));
	cr_expect_not(closes_add(c, &(struct close_row){ CLOSES_MAX + 1, { CHANNEL_SHOP, 1 } }, 0));
	cr_expect(closes_add(c, &(struct close_row){ 5, { CHANNEL_SHOP, 1 } }, 0), "one that is known needs none");
	struct close_ask ask;
	for (int64_t now = 0; now <= CLOSE_AGAIN_US; now += CLOSE_AGAIN_US)
		while (closes_next(c, 0, now, &ask))
			closes_answered(c, 0, ask.slot, now);
	while ((n = closes_done(c, ids, 100))) {
		closes_remove(c, ids, n);
		taken += n;
	}
	cr_expect_eq(taken, CLOSES_MAX);
	cr_expect(closes_is_empty(c));
	closes_free(c);
	cr_expect(no_leaks());
}

Test(closes, forgotten)
{
	struct closes *c = closes_new();
	closes_reset(c, 2);
	cr_assert(closes_add(c, &(struct close_row){ 1, { CHANNEL_SHOP, 1 } }, 0));
	closes_reset(c, 3);
	cr_expect(closes_is_empty(c) && !closes_has_done(c));
	cr_expect_eq(closes_due(c, 2), INT64_MAX);
	cr_assert(closes_add(c, &(struct close_row){ 1, { CHANNEL_SHOP, 1 } }, 0));
	cr_expect_eq(closes_due(c, 2), 0);
	closes_free(c);
	closes_free(NULL);
	cr_expect(no_leaks());
}
