/* fuzz_calendar.c - any bytes as a shop's calendar and a moment: what is said of the moment, its slot, the next one and the deadlines fit together.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "calendar.h"

#define MINUTE (60 * INSTANT_SECOND)
#define DAY (1440 * MINUTE)

static const char *const zones[] = {
	"UTC", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Africa/Casablanca", "Pacific/Apia",
	"America/St_Johns", "America/Nuuk", "America/Havana", "Asia/Kathmandu", "Antarctica/Troll", "Pacific/Kwajalein", "America/Sao_Paulo", "Europe/Istanbul",
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What is left of the input; zeros where nothing is. */
struct bytes { const uint8_t *p; size_t left; };

static unsigned take(struct bytes *b, int n)
{
	unsigned v = 0;

	for (; n > 0; n--) {
		v = v << 8 | (b->left ? *b->p : 0);
		b->p += b->left > 0;
		b->left -= b->left > 0;
	}
	return v;
}

static struct spans take_spans(struct bytes *b, struct arena *a)
{
	struct spans s = { NULL, take(b, 1) % 8 };

	s.v = arena_array(a, s.n + 1, sizeof(*s.v));
	for (size_t i = 0; i < s.n; i++) {
		s.v[i].start = (int)(take(b, 2) % 1440);
		s.v[i].end = s.v[i].start + 1 + (int)(take(b, 2) % 1440);
	}
	if (!spans_are_apart(&s))
		s.n = 1;
	return s;
}

static struct calendar take_calendar(struct bytes *b, struct arena *a, int64_t date)
{
	struct calendar c = { .is_always_open = take(b, 1) % 4 == 0, .max_days_ahead = (int)(take(b, 1) % 100) - 1, .exception_count = take(b, 1) % 16 };
	struct exception *e = arena_array(a, c.exception_count + 1, sizeof(*e));

	c.lead_minutes = (int)take(b, 1);
	c.last_order_minutes = (int)take(b, 2) / 16;
	c.slot_minutes = (int)take(b, 2) % 1441;
	for (int i = 0; i < 7; i++)
		c.week[i] = take_spans(b, a);
	date -= 5;
	for (size_t i = 0; i < c.exception_count; i++) {
		date += 1 + take(b, 1) % 8;
		e[i] = (struct exception){ date, take_spans(b, a), STR_NONE };
	}
	c.exceptions = e;
	return c;
}

static void check_slots(const struct calendar *c, struct arena *a, instant t)
{
	int64_t date = zone_date_at(c->zone, t);
	struct slot *v, found;
	bool seen = false;
	size_t n;

	calendar_slots(c, a, date, &v, &n);
	for (size_t i = 0; i < n; i++) {
		must(v[i].start < v[i].end && v[i].end - v[i].start <= c->slot_minutes * MINUTE && zone_date_at(c->zone, v[i].start) == date);
		must(i == 0 || v[i - 1].end <= v[i].start);
		must(calendar_slot_of(c, v[i].start, &found) && found.start == v[i].start && found.end == v[i].end);
		must(calendar_slot_of(c, v[i].end - 1, &found) && found.start == v[i].start && found.end == v[i].end);
		seen |= v[i].start <= t && t < v[i].end;
	}
	if (!calendar_slot_of(c, t, &found))
		must(!seen && (c->slot_minutes == 0 || !calendar_is_open(c, t, NULL)));
	else
		must(found.start <= t && t < found.end && (seen || zone_date_at(c->zone, found.start) != date));
}

static void check_open(const struct calendar *c, instant t)
{
	instant closes = t, next = calendar_next_instant(c, t), deadline;

	if (calendar_is_open(c, t, &closes)) {
		must(closes == INSTANT_NONE || (closes > t && calendar_is_open(c, closes - 1, NULL)));
		must(closes == INSTANT_NONE || !calendar_is_open(c, closes, NULL));
		deadline = calendar_add_open(c, t, 1);
		must(deadline == INSTANT_NONE || deadline >= t + MINUTE);
		must(closes == INSTANT_NONE || closes - t < MINUTE || deadline == t + MINUTE);
	} else {
		must(!calendar_takes_instant(c, t) && closes == t);
	}
	must(next == INSTANT_NONE || (next >= t && next <= t + 403 * DAY && calendar_takes_instant(c, next)));
	must((next == t) == calendar_takes_instant(c, t));
	must(next <= t || !calendar_takes_instant(c, next - 1));
}

static void check_candidates(const struct calendar *c, instant now, instant wish)
{
	instant v[8];
	size_t n = calendar_candidates(c, now, wish, 10, v, 4);

	for (size_t i = 0; i < n; i++)
		must(v[i] >= wish && v[i] > now && (i == 0 || v[i] > v[i - 1]) && calendar_judge(c, now, v[i]) == CALENDAR_OK);
	n = calendar_candidates_before(c, now, wish, 10, v, 4);
	for (size_t i = 0; i < n; i++)
		must(v[i] < wish && v[i] > now && (i == 0 || v[i] > v[i - 1]) && calendar_judge(c, now, v[i]) == CALENDAR_OK);
}

/* The first bytes: a zone, and a moment in the years 1 to 9999, mostly in ours. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct zone *z = zone_load(NULL, zones[take(&b, 1) % (sizeof(zones) / sizeof(zones[0]))]);
	bool is_near = take(&b, 1) % 8 != 0;
	int64_t minutes = take(&b, 4);
	instant t = is_near ? minutes % (80 * 525960) * MINUTE : minutes * MINUTE + INT64_C(-62135596800) * INSTANT_SECOND;
	struct arena *a = arena_new();
	struct calendar c = take_calendar(&b, a, zone_date_at(z, t));

	c.zone = z;
	check_slots(&c, a, t);
	check_open(&c, t);
	check_candidates(&c, t, t + (int64_t)take(&b, 2) * MINUTE);
	arena_free(a);
	zone_free(z);
	return 0;
}
