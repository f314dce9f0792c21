/* test_str.c - str and buf.
 * Owns: their tests. Does not own: what is written with them.
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "leaks.h"
#include "str.h"

/* str */

Test(str, equality)
{
	cr_expect(str_eq(STR("a"), STR("a")));
	cr_expect(!str_eq(STR("a"), STR("b")));
	cr_expect(!str_eq(STR("a"), STR("ab")));
	cr_expect(str_eq(STR_NONE, STR_NONE));
	cr_expect(!str_eq(STR_NONE, STR("")));
	cr_expect(!str_eq(STR(""), STR_NONE));
	cr_expect(str_is(STR("ready"), "ready"));
	cr_expect(!str_is(STR("ready"), "read"));
	cr_expect(!str_is(STR_NONE, ""));
	cr_expect(str_is(STR_NONE, NULL));
	cr_expect(str_is_nocase(STR("Content-TYPE"), "content-type"));
	cr_expect(!str_is_nocase(STR("content_type"), "content-type"));
	cr_expect(!str_is_nocase(STR("\xc3\x84"), "\xc3\xa4"), "only ASCII has a case here");
	cr_expect(!str_is_nocase(STR("@"), "`"));
	cr_expect(!str_is_nocase(STR_NONE, ""));
}

Test(str, dup_and_from)
{
	struct arena *a = arena_new();
	struct str s = { "abcdef", 3 }, d = str_dup(a, s);

	cr_expect(str_is(d, "abc") && d.s != s.s && d.s[3] == '\0');
	cr_expect(str_dup(a, STR_NONE).s == NULL);
	cr_expect(str_dup(a, STR("")).s != NULL);
	cr_expect(str_from(NULL).s == NULL);
	cr_expect_eq(str_from("abc").len, 3);
	arena_free(a);
}

Test(str, trim)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", "" }, { " ", "" }, { " \t ", "" }, { "a", "a" }, { " a b\t", "a b" }, { "\na\n", "\na\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(str_is(str_trim(str_from(rows[i].in)), rows[i].out), "row %zu: \"%s\"", i, rows[i].in);
	cr_expect(str_trim(STR_NONE).s == NULL);
}

Test(str, to_uint)
{
	static const struct { const char *in; uint64_t max; bool ok; uint64_t v; } rows[] = {
		{ "0", UINT64_MAX, true, 0 }, { "7", 7, true, 7 }, { "8", 7, false, 0 }, { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 }, { "99999999999999999999", UINT64_MAX, false, 0 },
		{ "", UINT64_MAX, false, 0 }, { "00", UINT64_MAX, false, 0 }, { "01", UINT64_MAX, false, 0 }, { "+1", UINT64_MAX, false, 0 },
		{ "-1", UINT64_MAX, false, 0 }, { " 1", UINT64_MAX, false, 0 }, { "1 ", UINT64_MAX, false, 0 }, { "1.0", UINT64_MAX, false, 0 },
		{ "0x1", UINT64_MAX, false, 0 }, { "1e1", UINT64_MAX, false, 0 }, { "999", 999, true, 999 }, { "1000", 999, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 12345;
		bool ok = str_to_uint(str_from(rows[i].in), rows[i].max, &v);

		cr_expect_eq(ok, rows[i].ok, "\"%s\"", rows[i].in);
		cr_expect_eq(v, rows[i].ok ? rows[i].v : 12345, "\"%s\" gave %lu", rows[i].in, (unsigned long)v);
	}
	cr_expect(!str_to_uint(STR_NONE, 9, &(uint64_t){ 0 }));
}

Test(str, utf8)
{
	static const struct { const char *in; bool ok; size_t points; } rows[] = {
		{ "", true, 0 }, { "abc", true, 3 }, { "\xc3\xa4", true, 1 }, { "\xe2\x82\xb9 120", true, 5 }, { "\xf0\x9f\x8d\x95", true, 1 },
		{ "\xef\xbf\xbf", true, 1 }, { "\xf4\x8f\xbf\xbf", true, 1 }, { "\xed\x9f\xbf", true, 1 }, { "\xee\x80\x80", true, 1 },
		{ "\x80", false, 0 }, { "a\xff", false, 0 }, { "\xc0\x80", false, 0 }, { "\xc1\xbf", false, 0 }, { "\xe0\x80\x80", false, 0 },
		{ "\xe0\x9f\xbf", false, 0 }, { "\xed\xa0\x80", false, 0 }, { "\xed\xbf\xbf", false, 0 }, { "\xf0\x8f\xbf\xbf", false, 0 },
		{ "\xf4\x90\x80\x80", false, 0 }, { "\xf5\x80\x80\x80", false, 0 }, { "\xc3", false, 0 }, { "\xe2\x82", false, 0 },
		{ "\xf0\x9f\x8d", false, 0 }, { "\xc3(", false, 0 }, { "\xe2\x28\xa1", false, 0 }, { "\xf0\x9f\x8d""A", false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* A copy that ends where the text does: reading on is caught. */
		size_t len = strlen(rows[i].in);
		char *exact = malloc(len + !len);

		memcpy(exact, rows[i].in, len);
		cr_expect_eq(str_is_utf8((struct str){ exact, len }), rows[i].ok, "row %zu", i);
		if (rows[i].ok)
			cr_expect_eq(str_codepoints((struct str){ exact, len }), rows[i].points, "row %zu", i);
		free(exact);
	}
}

/* buf */

Test(buf, grows_and_stays_terminated)
{
	struct arena *a = arena_new();
	struct buf b = BUF_IN(a);
	size_t len = 0;

	cr_expect(str_is(buf_str(&b), ""));
	for (int i = 0; i < 20000; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		buf_adduint(&b, 7);
		len += 2;
		if (i % 100 == 0)
			(void)arena_alloc(a, 3);	/* something in the way of growing in place */
		cr_assert(b.len == len && b.s[len] == '\0' && b.len < b.cap);
	}
	for (size_t i = 0; i < 20000; i++)
		cr_assert(b.s[2 * i] == (char)('a' + i % 26) && b.s[2 * i + 1] == '7');
	arena_free(a);
	cr_assert(no_leaks());
}

Test(buf, adds)
{
	struct arena *a = arena_new();
	struct buf b = BUF_IN(a), exact = BUF_IN(a);

	buf_adds(&b, "a");
	buf_addstr(&b, STR("bc"));
	buf_addstr(&b, STR_NONE);
	buf_add(&b, "def", 2);
	buf_addf(&b, "[%05d]", 42);
	buf_adduint(&b, 0);
	buf_addc(&b, ' ');
	buf_adduint(&b, UINT64_MAX);
	cr_expect_str_eq(b.s, "abcde[00042]0 18446744073709551615");
	for (int i = 0; i < 1000; i++)
		buf_addf(&exact, "%0*d", i % 97 + 1, 1);
	cr_expect_eq(exact.len, strlen(exact.s));
	arena_free(a);
}

Test(buf, numbers_of_every_length)
{
	struct arena *a = arena_new();
	char want[32];

	for (uint64_t power = 1; power; power = power > UINT64_MAX / 10 ? 0 : power * 10)
		for (uint64_t v = power - 1; v <= power + 1; v++) {
			struct buf b = BUF_IN(a);
			buf_adduint(&b, v);
			buf_adduint(&b, power / 9 * 7);
			snprintf(want, sizeof want, "%llu", (unsigned long long)v);
			cr_expect_eq(strncmp(b.s, want, strlen(want)), 0, "%s", b.s);
			snprintf(want, sizeof want, "%llu", (unsigned long long)(power / 9 * 7));
			cr_expect_str_eq(b.s + b.len - strlen(want), want, "%s", b.s);
			cr_expect_eq(b.len, strlen(b.s));
		}
	arena_free(a);
}

Test(buf, json_rows)
{
	static const struct { const char *in, *out; } rows[] = {
		{ NULL, "null" }, { "", "\"\"" }, { "Kiran Kumar", "\"Kiran Kumar\"" },
		{ "\"", "\"\\\"\"" }, { "a\\b", "\"a\\\\b\"" }, { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"" }, { "</script>", "\"</script>\"" },
		{ "\xe0\xa4\x95 \xf0\x9f\x8d\x95", "\"\xe0\xa4\x95 \xf0\x9f\x8d\x95\"" },
		{ "12345678\"", "\"12345678\\\"\"" }, { "1234567\"8", "\"1234567\\\"8\"" },
		{ "eight or more, then\na line", "\"eight or more, then\\na line\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *a = arena_new();
		struct buf b = BUF_IN(a);

		buf_addjson(&b, str_from(rows[i].in));
		cr_expect_str_eq(b.s, rows[i].out, "row %zu: %s", i, b.s);
		arena_free(a);
	}
}

/* Each byte at each place of texts up to 20 bytes, against the rule written the slow way. */
Test(buf, json_every_byte_everywhere)
{
	struct arena *a = arena_new();

	for (size_t len = 1; len <= 20; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned c = 0; c < 256; c++) {
				char *text = malloc(len), want[64];
				struct buf b = BUF_IN(a);
				size_t w = 0;

				memset(text, (int)(0x80 + at), len);	/* neighbours with the high bit, for carries */
				text[at] = (char)c;
				want[w++] = '"';
				for (size_t i = 0; i < len; i++) {
					unsigned char d = (unsigned char)text[i];
					const char *found = strchr("\bb\ff\nn\rr\tt\"\"\\\\", d);

					if (d && d < 0x80 && (d < 0x20 || d == '"' || d == '\\') && found)
						w += (size_t)sprintf(want + w, "\\%c", found[1]);
					else if (d < 0x20)
						w += (size_t)sprintf(want + w, "\\u%04x", d);
					else
						want[w++] = (char)d;
				}
				want[w++] = '"';
				buf_addjson(&b, (struct str){ text, len });
				cr_assert(b.len == w && memcmp(b.s, want, w) == 0, "len %zu at %zu byte %u", len, at, c);
				free(text);
				arena_reset(a);
			}
	arena_free(a);
}
