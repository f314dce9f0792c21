/* fuzz_time.c - any bytes as an RFC 3339 time: what is accepted comes back unchanged from printing and parsing.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "timefmt.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Any offset that the rest of the input asks for. */
static void check_wall(instant t, int offset)
{
	struct wall w;
	instant back;

	time_to_wall(t, offset, &w);
	must(w.month >= 1 && w.month <= 12 && w.day >= 1 && w.day <= 31 && w.hour >= 0 && w.hour <= 23);
	must(w.minute >= 0 && w.minute <= 59 && w.second >= 0 && w.second <= 59 && w.usec >= 0 && w.usec <= 999999);
	if (time_from_wall(&w, offset, &back))
		must(back == t);
	else
		must(w.year < 1 || w.year > 9999);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	instant t, again;

	if (time_parse((struct str){ (const char *)data, size }, &t)) {
		struct arena *a = arena_new();
		struct zone *utc = zone_load(NULL, "UTC");
		struct buf b = BUF_IN(a);
		instant part = t % INSTANT_SECOND;

		must(utc && t != INSTANT_NONE);
		time_print(&b, t, utc);
		must(time_parse(buf_str(&b), &again));
		must(again == t - (part < 0 ? part + INSTANT_SECOND : part));
		check_wall(t, 0);
		check_wall(t, (int)(data[size - 1] * 680) - 86400);
		zone_free(utc);
		arena_free(a);
	}
	return 0;
}
