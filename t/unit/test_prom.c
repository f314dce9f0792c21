/* test_prom.c - Prometheus' text: families, labels and what may stand in them, values in seconds.
 * Owns: tests of prom.c. Used by: make check. The whole of /metrics is read by another parser in t/stack/test_metrics.py. */
#include <criterion/criterion.h>

#include "arena.h"
#include "prom.h"

static void is_text(struct buf *b, const char *want)
{
	cr_expect_str_eq(b->s, want, "%s", b->s);
	b->len = 0;
}

Test(prom, families_and_values)
{
	struct arena *a = arena_new();
	struct buf b = BUF_IN(a);
	prom_one(&b, "x_total", "counter", "What x is.", UINT64_MAX);
	is_text(&b, "# HELP x_total What x is.\n# TYPE x_total counter\nx_total 18446744073709551615\n");
	static const struct { uint64_t us; const char *text; } seconds[] = {
		{ 0, "s 0.000000\n" }, { 1, "s 0.000001\n" }, { 999999, "s 0.999999\n" }, { 1000000, "s 1.000000\n" }, { 86400000001, "s 86400.000001\n" },
	};
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		prom_sample(&b, "s", "");
		prom_seconds(&b, seconds[i].us);
		is_text(&b, seconds[i].text);
	}
	arena_free(a);
}

Test(prom, labels)
{
	struct arena *a = arena_new();
	struct buf b = BUF_IN(a);
	prom_sample(&b, "h", "_bucket");
	prom_label(&b, "route", STR("/x/{id}"));
	prom_label(&b, "le", STR("0.5"));
	prom_count(&b, 3);
	is_text(&b, "h_bucket{route=\"/x/{id}\",le=\"0.5\"} 3\n");
	prom_sample(&b, "h", "");
	prom_label(&b, "l", STR("a\"b\\c\nd}"));
	prom_label(&b, "m", STR(""));
	prom_count(&b, 0);
	is_text(&b, "h{l=\"a\\\"b\\\\c\\nd}\",m=\"\"} 0\n");
	arena_free(a);
}
