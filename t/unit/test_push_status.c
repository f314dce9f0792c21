/* test_push_status.c - what nchan says of itself, and what else may come instead.
 * Owns: tests of push_status.c's reading. Used by: make check. */
#include <criterion/criterion.h>

#include "push_status.h"

static struct push_status parsed(const char *text)
{
	struct push_status s = { 0 };
	push_status_parse(str_from(text), &s);
	return s;
}

Test(push_status, as_nchan_tells_it)
{
	struct push_status s = parsed("total published messages: 42\nstored messages: 7\nshared memory used: 12K\nshared memory limit: 131072K\n"
		"channels: 3\nsubscribers: 2\nredis pending commands: 0\nredis connected servers: 0\ntotal interprocess alerts received: 9\nnchan version: 1.3.6\n");
	static const uint64_t want[PUSH_FIGURES] = {
		[PUSH_PUBLISHED] = 42, [PUSH_STORED] = 7, [PUSH_MEMORY_USED] = 12 * 1024, [PUSH_MEMORY_LIMIT] = 131072 * 1024,
		[PUSH_CHANNELS] = 3, [PUSH_SUBSCRIBERS] = 2,
	};
	for (size_t i = 0; i < PUSH_FIGURES; i++) {
		cr_expect(s.has[i], "%zu", i);
		cr_expect_eq(s.figure[i], want[i], "%zu", i);
	}
}

Test(push_status, carriage_returns_and_a_missing_end)
{
	struct push_status s = parsed("channels: 3\r\nsubscribers:5");
	cr_expect(s.has[PUSH_CHANNELS] && s.figure[PUSH_CHANNELS] == 3);
	cr_expect(s.has[PUSH_SUBSCRIBERS] && s.figure[PUSH_SUBSCRIBERS] == 5);
}

Test(push_status, what_is_no_figure_is_left_out)
{
	static const char *const texts[] = {
		"", "\n\n", "<html>\n", "channels\n", "channels:\n", "channels: -1\n", "channels: 3x\n", "channels: 3K\n", "channels: 99999999999999999999999\n",
		"my channels: 3\n", "shared memory used: K\n", "shared memory used: 1.5K\n", "Channels: 3\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct push_status s = parsed(texts[i]);
		for (size_t f = 0; f < PUSH_FIGURES; f++)
			cr_expect_not(s.has[f], "%s", texts[i]);
	}
}
