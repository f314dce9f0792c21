/* test_zone_cache.c - zones kept by name.
 * Owns: tests of the cache in zone.c. Does not own: loading (test_zone.c).
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "timefmt.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/lsan_interface.h>
#define NO_LEAK() cr_assert(__lsan_do_recoverable_leak_check() == 0, "leak")
#else
#define NO_LEAK() ((void)0)
#endif

#define H(h, m) ((h) * 3600 + (m) * 60)

static instant at(const char *text)
{
	instant t = INSTANT_NONE;

	cr_assert(time_parse(str_from(text), &t), "%s", text);
	return t;
}

/* Log lines come one a datagram. */
static int catch_stderr(void)
{
	int pair[2];

	cr_assert(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	cr_assert(dup2(pair[1], STDERR_FILENO) == STDERR_FILENO);
	return pair[0];
}

static int lines(int fd)
{
	char line[8192];
	int n = 0;

	while (recv(fd, line, sizeof(line), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

Test(zone_cache, keeps_and_complains_once)
{
	int fd = catch_stderr();
	struct zone_cache *c = zone_cache_new(NULL);
	const struct zone *kolkata = zone_get(c, STR("Asia/Kolkata")), *utc = zone_get(c, STR("UTC"));
	instant t = at("2026-07-01T00:00:00Z");

	cr_expect_eq(zone_offset_at(kolkata, t), H(5, 30));
	cr_expect_eq(zone_offset_at(utc, t), 0);
	cr_expect(zone_get(c, STR("Asia/Kolkata")) == kolkata);
	cr_expect(zone_get(c, (struct str){ "Asia/KolkataXXX", 12 }) == kolkata, "names need no NUL");
	cr_expect_eq(lines(fd), 0);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(zone_offset_at(zone_get(c, STR("Nowhere/Land")), t), 0);
	cr_expect_eq(lines(fd), 1, "one line per name");
	cr_expect_eq(zone_offset_at(zone_get(c, STR_NONE), t), 0);
	cr_expect_eq(zone_offset_at(zone_get(c, STR("Asia/Kolkata\0x")), t), 0);
	cr_expect_eq(lines(fd), 2);
	cr_expect(zone_exists(c, STR("Europe/Berlin")) && zone_exists(c, STR("UTC")) && zone_exists(c, STR("Asia/Kolkata")));
	cr_expect(!zone_exists(c, STR("Nowhere/Land")) && !zone_exists(c, STR("Else/Where")) && !zone_exists(c, STR("")));
	cr_expect(!zone_exists(c, STR_NONE) && !zone_exists(c, STR("../UTC")) && !zone_exists(c, STR("UTC\0x")));
	cr_expect_eq(lines(fd), 0, "asking is no complaint");
	zone_cache_free(c);
	zone_cache_free(NULL);
	NO_LEAK();
}

Test(zone_cache, a_zone_outlives_63_others)
{
	struct zone_cache *c = zone_cache_new("");
	const struct zone *berlin;
	char name[32];

	cr_assert(freopen("/dev/null", "w", stderr));
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "Old/%d", i);
		zone_get(c, str_from(name));
	}
	berlin = zone_get(c, STR("Europe/Berlin"));
	for (int i = 0; i < 63; i++) {
		snprintf(name, sizeof(name), "Other/%d", i);
		zone_get(c, str_from(name));
	}
	cr_expect_eq(zone_offset_at(berlin, at("2026-07-01T00:00:00Z")), H(2, 0));
	cr_expect(zone_get(c, STR("Europe/Berlin")) == berlin);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "Third/%d", i);
		zone_get(c, str_from(name));
	}
	cr_expect_eq(zone_offset_at(zone_get(c, STR("Europe/Berlin")), at("2026-07-01T00:00:00Z")), H(2, 0));
	zone_cache_free(c);
	NO_LEAK();
}
