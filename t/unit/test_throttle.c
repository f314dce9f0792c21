/* test_throttle.c - which addresses count as one.
 * Owns: tests of throttle_address(). Does not own: counting (t/db/test_login.c), refusing (t/stack/test_throttle.py). */
#include <criterion/criterion.h>

#include "throttle.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool is_same(const char *a, const char *b)
{
	struct arena *arena = arena_new();
	struct str x, y;

	cr_assert(throttle_address(arena, str_from(a), &x), "%s", a);
	cr_assert(throttle_address(arena, str_from(b), &y), "%s", b);
	bool same = str_eq(x, y);
	arena_free(arena);
	return same;
}

Test(throttle, addresses)
{
	static const struct { const char *a, *b; bool is_same; } rows[] = {
		{ "192.0.2.1", "192.0.2.1", true }, { "192.0.2.1", "192.0.2.2", false }, { "192.0.2.1", "192.0.3.1", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true }, { "192.0.2.1", "::ffff:c000:201", true }, { "192.0.2.2", "::ffff:c000:201", false },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true }, { "2001:DB8:1:2::1", "2001:0db8:0001:0002::", true },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", false }, { "2001:db8:1:2::1", "2001:db8:2:2::1", false },
		{ "::1", "::2", true }, { "::1", "127.0.0.1", false }, { "::192.0.2.1", "192.0.2.1", false }, { "0.0.0.0", "::", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(is_same(rows[i].a, rows[i].b), rows[i].is_same, "%s %s", rows[i].a, rows[i].b);
}

Test(throttle, what_is_no_address)
{
	static const struct str bad[] = {
		{ NULL, 0 }, { "", 0 }, { "unix:", 5 }, { "localhost", 9 }, { "192.0.2", 7 }, { "192.0.2.1:80", 12 }, { "192.0.2.256", 11 }, { " 192.0.2.1", 10 },
		{ "[::1]", 5 }, { "::1%lo", 6 }, { "fe80::1%eth0", 12 }, { "2001:db8::1/64", 14 }, { ":::", 3 }, { "192.0.2.1\0x", 11 }, { "\xff", 1 },
	};
	struct arena *arena = arena_new();
	struct str out = STR("as it was");

	for (size_t i = 0; i < COUNT(bad); i++)
		if (i != 13)	/* NULs end texts that come from a web server */
			cr_expect_not(throttle_address(arena, bad[i], &out), "%.*s", STR_FMT(bad[i]));
	cr_expect(str_is(out, "as it was"));
	arena_free(arena);
}
