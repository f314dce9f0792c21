/* test_hours.c - opening hours as JSON: what is kept is what came, and nothing else can be read.
 * Owns: tests of hours.c, and of the field types that it alone uses. Does not own: what hours mean (test_calendar.c). */
#include <criterion/criterion.h>
#include <string.h>

#include "arena.h"
#include "hours.h"

static struct str text_or_none(const char *s)
{
	return s ? str_from(s) : STR_NONE;
}

static void expect_again(struct arena *a, const char *week, const char *exceptions)
{
	struct hours h;
	struct buf b = BUF_IN(a), e = BUF_IN(a);

	cr_assert(hours_parse(a, text_or_none(week), text_or_none(exceptions), &h), "%s %s", week, exceptions);
	cr_assert_eq(h.has_week, week != NULL);
	if (week) {
		hours_print_week(&b, &h.week);
		cr_expect(str_is(buf_str(&b), week), "%s: %s", week, b.s);
	}
	hours_print_exceptions(&e, h.exceptions, h.exception_count);
	cr_expect(str_is(buf_str(&e), exceptions ? exceptions : "[]"), "%s: %s", exceptions, e.s);
}

Test(hours, what_came_is_kept)
{
	struct arena *a = arena_new();

	expect_again(a, NULL, NULL);
	expect_again(a, "{}", NULL);
	expect_again(a, "{\"mon\":[[\"09:00\",\"13:00\"],[\"17:00\",\"02:00\"]],\"sun\":[]}", NULL);
	expect_again(a, "{\"tue\":[[\"00:00\",\"24:00\"]]}", "[]");
	expect_again(a, NULL, "[{\"date\":\"2028-02-29\",\"hours\":[[\"23:59\",\"00:01\"]],\"note\":\"caf\u00e9 \\\"x\\\"\"}]");
	expect_again(a, "{}", "[{\"date\":\"0001-01-01\",\"hours\":[],\"note\":null},{\"date\":\"9999-12-31\",\"hours\":[],\"note\":\"\"}]");
	arena_free(a);
}

Test(hours, an_end_up_to_its_start_is_of_the_next_day)
{
	struct arena *a = arena_new();
	struct hours h;

	cr_assert(hours_parse(a, STR("{\"wed\":[[\"17:00\",\"02:30\"],[\"08:00\",\"09:00\"],[\"10:00\",\"00:00\"]]}"), STR_NONE, &h) == false, "they overlap");
	cr_assert(hours_parse(a, STR("{\"wed\":[[\"17:00\",\"02:30\"],[\"08:00\",\"09:00\"]]}"), STR_NONE, &h));
	const struct spans *s = &h.week.days[2];
	cr_assert_eq(s->n, 2);
	cr_expect(s->v[0].start == 480 && s->v[0].end == 540, "sorted");
	cr_expect(s->v[1].start == 1020 && s->v[1].end == 1440 + 150);
	cr_assert(hours_parse(a, STR("{\"wed\":[[\"10:00\",\"00:00\"]]}"), STR_NONE, &h));
	cr_expect_eq(h.week.days[2].v[0].end, 1440);
	arena_free(a);
}

Test(hours, exceptions_are_sorted_and_each_date_comes_once)
{
	struct arena *a = arena_new();
	struct hours h;

	cr_assert(hours_parse(a, STR_NONE, STR("[{\"date\":\"2026-12-25\",\"hours\":[]},{\"date\":\"2026-01-01\",\"hours\":[]}]"), &h));
	cr_expect(h.exception_count == 2 && h.exceptions[0].date < h.exceptions[1].date);
	cr_expect_not(hours_parse(a, STR_NONE, STR("[{\"date\":\"2026-12-25\",\"hours\":[]},{\"date\":\"2026-12-25\",\"hours\":[]}]"), &h));
	arena_free(a);
}

/* What another hand wrote into the database. */
Test(hours, what_no_request_could_have_set)
{
	static const char *const weeks[] = {
		"", "[]", "{", "{}}", "{\"monday\":[]}", "{\"mon\":null}", "{\"mon\":[[\"9:00\",\"10:00\"]]}",
		"{\"mon\":[[\"09:00\",\"09:00\"]]}", "{\"mon\":[[\"24:00\",\"09:00\"]]}", "{\"mon\":[[\"09:00\",\"24:01\"]]}", "{\"mon\":[[540,600]]}",
		"{\"mon\":[[\"09:00\"]]}", "{\"mon\":[[\"09:00\",\"10:00\",\"11:00\"]]}", "{\"mon\":{}}", "{\"mon\":[{}]}",
	};
	struct arena *a = arena_new();
	struct hours h;

	for (size_t i = 0; i < sizeof weeks / sizeof *weeks; i++)
		cr_expect_not(hours_parse(a, str_from(weeks[i]), STR_NONE, &h), "%s", weeks[i]);
	cr_expect_not(hours_parse(a, STR_NONE, STR("{}"), &h));
	cr_expect_not(hours_parse(a, STR_NONE, STR("[{\"date\":\"2026-02-29\",\"hours\":[]}]"), &h));
	arena_free(a);
}
