/* test_csv.c - cells and rows of comma-separated values. */
#include <criterion/criterion.h>
#include <string.h>

#include "arena.h"
#include "csv.h"
#include "leaks.h"

static const struct { const char *text, *cell; } cells[] = {
	{ "", "" }, { "Rice", "Rice" }, { "Kiran Kumar", "Kiran Kumar" }, { " ", " " }, { "Ärger 米 \U0001F35A", "Ärger 米 \U0001F35A" }, { "it's", "it's" },
	/* RFC 4180, 2.6 and 2.7 */
	{ ",", "\",\"" }, { "a,b", "\"a,b\"" }, { "\"", "\"\"\"\"" }, { "a \"b\" c", "\"a \"\"b\"\" c\"" }, { "\"\"", "\"\"\"\"\"\"" },
	{ "a\nb", "\"a\nb\"" }, { "a\rb", "\"a\rb\"" }, { "\n", "\"'\n\"" }, { "a\r\nb,\"c\"", "\"a\r\nb,\"\"c\"\"\"" },
	{ "a\tb", "a\tb" }, { "a;b", "a;b" },
	/* what a spreadsheet would calculate */
	{ "=1+1", "'=1+1" }, { "+1", "'+1" }, { "-1", "'-1" }, { "@SUM(A1)", "'@SUM(A1)" }, { "\tx", "'\tx" }, { "\rx", "\"'\rx\"" },
	{ "=", "'=" }, { "-", "'-" }, { "=\"a\",b", "\"'=\"\"a\"\",b\"" }, { "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0" },
	{ "\n=1", "\"'\n=1\"" }, { " =1", "' =1" }, { "  @x,", "\"'  @x,\"" }, { " \tx", "' \tx" },
	{ "\uff1d1", "'\uff1d1" }, { "\uff0b1", "'\uff0b1" }, { "\uff0d1", "'\uff0d1" }, { " \uff20x", "' \uff20x" }, { "\uff11", "\uff11" },
	{ "a=1", "a=1" }, { "1-2", "1-2" }, { "a =1", "a =1" }, { "  ", "  " }, { "'=1", "'=1" }, { "'", "'" },
};

Test(csv, cells)
{
	struct arena *a = arena_new();
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		struct buf b = BUF_IN(a);
		struct csv c = { .out = &b };
		csv_text(&c, str_from(cells[i].text));
		csv_end_row(&c);
		cr_expect_eq(b.len, strlen(cells[i].cell) + 2, "%s", cells[i].text);
		cr_expect(!strncmp(b.s, cells[i].cell, strlen(cells[i].cell)) && !strcmp(b.s + b.len - 2, "\r\n"), "%s: %s", cells[i].text, b.s);
	}
	arena_free(a);
	cr_expect(no_leaks());
}

Test(csv, rows)
{
	struct arena *a = arena_new();
	struct buf b = BUF_IN(a);
	struct csv c = { .out = &b };
	csv_text(&c, STR("a"));
	csv_text(&c, STR_NONE);
	csv_text(&c, STR("b,"));
	csv_end_row(&c);
	csv_plain(&c);
	buf_adduint(csv_plain(&c), 42);
	csv_text(&c, STR(""));
	csv_end_row(&c);
	csv_end_row(&c);
	csv_text(&c, STR("z"));
	cr_expect_str_eq(b.s, "a,,\"b,\"\r\n,42,\r\n\r\nz");
	csv_text(&c, (struct str){ "x\0,", 3 });
	cr_expect(b.len == strlen("a,,\"b,\"\r\n,42,\r\n\r\nz") + 6 && !memcmp(b.s + b.len - 6, ",\"x\0,\"", 6), "a NUL is a byte like others");
	arena_free(a);
	cr_expect(no_leaks());
}
