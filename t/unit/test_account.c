/* test_account.c - which tokens count, who is of a shop.
 * Owns: tests of account.c. Does not own: where that is asked. */
#include <criterion/criterion.h>

#include "account.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define T INT64_C(1790000000123456)
#define HOUR (3600 * INSTANT_SECOND)

Test(account, which_tokens_count)
{
	static const struct { struct standing s; instant iat; bool admits; } rows[] = {
		/* nothing is known of them: another issuer's */
		{ { false, false, INSTANT_NONE }, T, true }, { { false, false, INSTANT_NONE }, INSTANT_NONE, true },
		/* never ended */
		{ { true, true, INSTANT_NONE }, T, true }, { { true, true, INSTANT_NONE }, 0, true }, { { true, true, INSTANT_NONE }, INSTANT_NONE, true },
		/* ended: up to that microsecond, and those that do not say when they were made */
		{ { true, true, T }, T + 1, true }, { { true, true, T }, T, false }, { { true, true, T }, T - 1, false },
		{ { true, true, T }, 0, false }, { { true, true, T }, INSTANT_NONE, false },
		/* not active, whatever the token */
		{ { true, false, INSTANT_NONE }, T, false }, { { true, false, INSTANT_NONE }, INSTANT_NONE, false }, { { true, false, T }, T + 1, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(standing_admits(&rows[i].s, rows[i].iat), rows[i].admits, "row %zu", i);
}

Test(account, a_new_token_counts_whatever_was_ended_and_an_ended_one_does_not)
{
	static const instant ends[] = { INSTANT_NONE, 0, T - 1, T, T + 1, T + HOUR };

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct standing s = { true, true, ends[i] };
		instant iat = standing_issue(&s, T);
		cr_expect_geq(iat, T);
		cr_expect(iat == T || iat == ends[i] + 1);
		cr_expect(standing_admits(&s, iat), "row %zu", i);
		/* at that very microsecond, and by a clock that is behind */
		for (instant now = T - 5; now <= T; now += 5) {
			struct standing ended = { true, true, standing_end(&s, now, iat) };
			cr_expect_not(standing_admits(&ended, iat), "row %zu", i);
			cr_expect(standing_admits(&ended, standing_issue(&ended, now)), "row %zu", i);
			cr_expect(ended.tokens_ended_at >= now && ended.tokens_ended_at >= ends[i], "row %zu", i);
		}
	}
}

Test(account, a_token_from_the_far_future_ends_none_of_those_to_come)
{
	struct standing s = { true, true, INSTANT_NONE };

	cr_expect_eq(standing_end(&s, T, T + HOUR), T + HOUR);
	cr_expect_eq(standing_end(&s, T, T + HOUR + 1), T);
	cr_expect_eq(standing_end(&s, T, INSTANT_NONE), T);
}

Test(account, how_long_the_next_try_waits)
{
	static const struct { struct failures f; int64_t tries, max_s, wait; } rows[] = {
		/* none, or not enough of them */
		{ { 0, INSTANT_NONE }, 10, 60, 0 }, { { 99, INSTANT_NONE }, 10, 60, 0 }, { { 0, T }, 10, 60, 0 }, { { 9, T }, 10, 60, 0 }, { { 0, T }, 1, 60, 0 },
		/* twice as long each time, up to the most */
		{ { 10, T }, 10, 60, 1 }, { { 11, T }, 10, 60, 2 }, { { 12, T }, 10, 60, 4 }, { { 15, T }, 10, 60, 32 }, { { 16, T }, 10, 60, 60 },
		{ { 17, T }, 10, 60, 60 }, { { 1000000, T }, 10, 60, 60 }, { { UINT64_MAX, T }, 1, 900, 900 }, { { 1, T }, 1, 60, 1 }, { { 10, T }, 10, 1, 1 },
		{ { 41, T }, 10, 900, 900 }, { { 73, T }, 10, 900, 900 }, { { 74, T }, 10, 900, 900 }, { { 10, T }, 1000000, 60, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t wait = rows[i].wait * INSTANT_SECOND;
		cr_expect_eq(failures_wait(&rows[i].f, T, rows[i].tries, rows[i].max_s), wait, "row %zu", i);
		if (!wait)
			continue;
		/* it goes by */
		cr_expect_eq(failures_wait(&rows[i].f, T + 1, rows[i].tries, rows[i].max_s), wait - 1, "row %zu", i);
		cr_expect_eq(failures_wait(&rows[i].f, T + wait - 1, rows[i].tries, rows[i].max_s), 1, "row %zu", i);
		cr_expect_eq(failures_wait(&rows[i].f, T + wait, rows[i].tries, rows[i].max_s), 0, "row %zu", i);
		/* by a clock that is behind: never longer than that, and not at all where it is far behind */
		cr_expect_eq(failures_wait(&rows[i].f, T - 1, rows[i].tries, rows[i].max_s), wait, "row %zu", i);
		cr_expect_eq(failures_wait(&rows[i].f, T - wait, rows[i].tries, rows[i].max_s), wait, "row %zu", i);
		cr_expect_eq(failures_wait(&rows[i].f, T - wait - 1, rows[i].tries, rows[i].max_s), 0, "row %zu", i);
	}
	/* a quarter of an hour ends it */
	cr_expect_eq(failures_wait(&(struct failures){ 99, T }, T + FAILURES_LAST - 1, 1, 900), 1);
	cr_expect_eq(failures_wait(&(struct failures){ 99, T }, T + FAILURES_LAST, 1, 900), 0);
}

Test(account, who_is_of_a_shop)
{
	static const struct { enum role role; bool is_owner, is_staff, is_of; } rows[] = {
		{ ROLE_SHOPKEEPER, true, false, true }, { ROLE_SHOPKEEPER, false, true, true }, { ROLE_SHOPKEEPER, true, true, true },
		{ ROLE_SHOPKEEPER, false, false, false },
		{ ROLE_CUSTOMER, false, true, true }, { ROLE_CUSTOMER, true, false, false }, { ROLE_CUSTOMER, false, false, false },
		{ ROLE_ADMIN, true, true, false }, { ROLE_ADMIN, false, false, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(is_of_shop(rows[i].role, rows[i].is_owner, rows[i].is_staff), rows[i].is_of, "row %zu", i);
}
