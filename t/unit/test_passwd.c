/* test_passwd.c - password hashes: round trip, cost, what is no hash, and that an unknown user costs the same.
 * Owns: nothing. Covers: passwd.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "leaks.h"
#include "passwd.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* the cheapest settings there are */
static const struct conf cheap = { .password_memory_kib = 8192, .password_passes = 1 };

Test(passwd, round_trip)
{
	static const struct str rows[] = {
		{ "correct horse battery staple", 28 }, { "", 0 }, { "caf\xc3\xa9", 5 }, { "a\0b", 3 }, { " leading and trailing ", 22 },
	};
	char hash[PASSWD_HASH_SIZE], again[PASSWD_HASH_SIZE];

	for (size_t i = 0; i < COUNT(rows); i++) {
		cr_assert_eq(passwd_hash(&cheap, rows[i], hash), OC_OK);
		cr_assert_eq(passwd_hash(&cheap, rows[i], again), OC_OK);
		cr_expect_str_neq(hash, again, "every hash has a salt of its own");
		cr_expect(passwd_matches(&cheap, str_from(hash), rows[i]), "row %zu", i);
		cr_expect_not(passwd_matches(&cheap, str_from(hash), STR("something else")), "row %zu", i);
		cr_expect_not(passwd_matches(&cheap, str_from(hash), (struct str){ rows[i].s, rows[i].len + 1 }), "row %zu, and its NUL", i);
	}
	cr_assert(no_leaks());
}

Test(passwd, cost_is_the_settings)
{
	struct conf c = { .password_memory_kib = 9216, .password_passes = 3 };
	char hash[PASSWD_HASH_SIZE];

	cr_assert_eq(passwd_hash(&c, STR("x"), hash), OC_OK);
	cr_expect(strncmp(hash, "$argon2id$v=19$m=9216,t=3,p=1$", 30) == 0, "%s", hash);
	cr_expect(passwd_matches(&cheap, str_from(hash), STR("x")), "a hash carries its own cost");
}

Test(passwd, not_terminated)
{
	char hash[PASSWD_HASH_SIZE], longer[PASSWD_HASH_SIZE + 8];

	cr_assert_eq(passwd_hash(&cheap, STR("x"), hash), OC_OK);
	snprintf(longer, sizeof longer, "%sjunk", hash);
	cr_expect(passwd_matches(&cheap, (struct str){ longer, strlen(hash) }, STR("x")));
	cr_expect_not(passwd_matches(&cheap, str_from(longer), STR("x")));
}

static double seconds(const struct conf *c, struct str hash)
{
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	cr_expect_not(passwd_matches(c, hash, STR("wrong")));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* The best of a few tries: others use the machine too. */
static double best(const struct conf *c, struct str hash)
{
	double least = seconds(c, hash);

	for (int i = 0; i < 4; i++) {
		double s = seconds(c, hash);
		least = s < least ? s : least;
	}
	return least;
}

Test(passwd, what_is_no_hash_costs_the_same)
{
	const struct conf c = { .password_memory_kib = 19456, .password_passes = 2 };
	char hash[PASSWD_HASH_SIZE], junk[200];

	cr_assert_eq(passwd_hash(&c, STR("right"), hash), OC_OK);
	memset(junk, 'a', sizeof junk);
	memcpy(junk, "$argon2id$", 10);
	const struct str rows[] = {
		STR_NONE, STR(""), STR("x"), STR("$2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"), { junk, sizeof junk }, { junk, PASSWD_HASH_SIZE },
		{ hash, PASSWD_HASH_SIZE }, { "$argon2id$v=19\0m", 16 },
	};
	double real = best(&c, str_from(hash));
	for (size_t i = 0; i < COUNT(rows); i++) {
		double s = best(&c, rows[i]);
		cr_expect(s > real * 0.5 && s < real * 2, "row %zu: %.1f ms against %.1f ms", i, s * 1e3, real * 1e3);
	}
	cr_assert(no_leaks());
}
