/* test_body.c - body_parse takes RFC 8259 JSON and nothing else; body_hash tells values apart, not spellings.
 * Owns: tables of texts. Does not own: declared fields (test_input.c). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "arena.h"
#include "input.h"
#include "leaks.h"

static enum outcome parse(struct arena *a, const char *s, size_t len, struct body **out, const char **why)
{
	/* a copy of just that size, so that reading behind it is seen */
	char *exact = malloc(len ? len : 1);
	enum outcome oc;

	memcpy(exact, s, len);
	oc = body_parse(a, (struct str){ exact, len }, out, why);
	free(exact);
	return oc;
}

struct text { const char *s; size_t len; const char *why; };	/* why: a piece of the reason */
#define T(lit) { "" lit, sizeof(lit) - 1, NULL }
#define BAD(lit, piece) { "" lit, sizeof(lit) - 1, piece }

#define OPEN8 "[[[[[[[["
#define SHUT8 "]]]]]]]]"

static const struct text good[] = {
	T("{}"), T(" \t\r\n{ } \n"), T("{\"a\":1}"), T("{\"\":null}"), T("{\"a\" : [ ] , \"b\" : { } }"),
	T("{\"a\":[1,2,[3,{\"b\":[]}],4],\"c\":5}"), T("{\"a\":{\"a\":{\"a\":1}}}"), T("{\"a\":[{\"b\":1},{\"b\":2}]}"),
	T("{\"a\":{\"b\":1},\"c\":[1,2]}"), T("{\"a\":[1,2],\"b\":{\"c\":1,\"d\":2}}"),
	T("{\"a\":true,\"b\":false,\"c\":null}"),
	T("{\"a\":[0,-0,1,10,-1,0.0,-0.0,1.5,1e5,1E5,1e+5,1e-5,1.25e10,0e0,100]}"),
	T("{\"a\":[1e400,-1e400,1e-400,123456789012345678901234567890,-9223372036854775809,18446744073709551616]}"),
	T("{\"a\":1e99999999999999999999}"),
	T("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\uFFFF\\u0000\"}"),
	T("{\"a\":\"\\ud83d\\ude00 \\uDBFF\\uDFFF\"}"),
	T("{\"a\":\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf \x7f\"}"),
	T("{\"\xe0\xae\x95\":1,\"\\u0061\":2}"), T("{\"a\":1,\"A\":2}"), T("{\"a\":\"'\",\"b\":\"NaN // /* */ ,]\"}"),
	T("{\"a\":" OPEN8 OPEN8 OPEN8 "[[[[[[[" "1" "]]]]]]]" SHUT8 SHUT8 SHUT8 "}"),
};

static const struct text bad[] = {
	BAD("", "empty"), BAD(" \n", "empty"), BAD("\xef\xbb\xbf{}", "byte order mark"),
	/* no object */
	BAD("[]", "not a JSON object"), BAD("12", "not a JSON object"), BAD("\"a\"", "not a JSON object"),
	BAD("null", "not a JSON object"), BAD("true", "not a JSON object"), BAD("[{}]", "not a JSON object"),
	/* cut off */
	BAD("{", "middle"), BAD("{\"", "middle"), BAD("{\"a", "middle"), BAD("{\"a\"", "middle"), BAD("{\"a\":", "middle"),
	BAD("{\"a\":1", "middle"), BAD("{\"a\":1,", "middle"), BAD("{\"a\":[", "middle"), BAD("{\"a\":tr", "middle"),
	BAD("{\"a\":-", "middle"), BAD("{\"a\":1.", "middle"), BAD("{\"a\":1e", "middle"), BAD("{\"a\":1e+", "middle"),
	BAD("{\"a\":\"\\", "middle"), BAD("{\"a\":\"\\u12", "middle"), BAD("nul", "middle"), BAD("[", "middle"),
	/* something behind it */
	BAD("{} x", "follows"), BAD("{}{}", "follows"), BAD("{},", "follows"), BAD("{}}", "follows"), BAD("{}\0", "follows"),
	BAD("{} // x", "follows"), BAD("1 2", "follows"),
	/* what json-c would take, or other parsers do */
	BAD("{'a':1}", "not valid JSON"), BAD("{\"a\":'b'}", "not valid JSON"), BAD("{a:1}", "not valid JSON"),
	BAD("{\"a\":NaN}", "not valid JSON"), BAD("{\"a\":nan}", "not valid JSON"), BAD("{\"a\":-NaN}", "not valid JSON"),
	BAD("{\"a\":Infinity}", "not valid JSON"), BAD("{\"a\":-Infinity}", "not valid JSON"),
	BAD("{\"a\":1/**/}", "not valid JSON"), BAD("{/**/}", "not valid JSON"), BAD("{\"a\":1//x\n}", "not valid JSON"),
	BAD("{\"a\":[1,]}", "not valid JSON"), BAD("{\"a\":1,}", "not valid JSON"), BAD("{,\"a\":1}", "not valid JSON"),
	BAD("{\"a\":[,1]}", "not valid JSON"), BAD("{\"a\":[1,,2]}", "not valid JSON"), BAD("{\"a\":[1 2]}", "not valid JSON"),
	BAD("{\"a\":1 \"b\":2}", "not valid JSON"), BAD("{\"a\" 1}", "not valid JSON"), BAD("{\"a\"}", "not valid JSON"),
	BAD("{\"a\":}", "not valid JSON"), BAD("{\"a\"::1}", "not valid JSON"), BAD("{1:1}", "not valid JSON"),
	BAD("{\"a\":[}]", "not valid JSON"), BAD("{\"a\":[1}", "not valid JSON"), BAD("{\"a\":1]", "not valid JSON"),
	BAD("{\"a\":TRUE}", "not valid JSON"), BAD("{\"a\":Null}", "not valid JSON"), BAD("{\"a\":nulll}", "not valid JSON"),
	BAD("{\"a\":truefalse}", "not valid JSON"), BAD("{\"a\":tru}", "not valid JSON"),
	/* numbers */
	BAD("{\"a\":01}", "not valid JSON"), BAD("{\"a\":-01}", "not valid JSON"), BAD("{\"a\":00}", "not valid JSON"),
	BAD("{\"a\":+1}", "not valid JSON"), BAD("{\"a\":.5}", "not valid JSON"), BAD("{\"a\":-.5}", "not valid JSON"),
	BAD("{\"a\":1.}", "not valid JSON"), BAD("{\"a\":1.e3}", "not valid JSON"), BAD("{\"a\":1e}", "not valid JSON"),
	BAD("{\"a\":1e+}", "not valid JSON"), BAD("{\"a\":-}", "not valid JSON"), BAD("{\"a\":1.5.5}", "not valid JSON"),
	BAD("{\"a\":1e5e5}", "not valid JSON"), BAD("{\"a\":1-2}", "not valid JSON"), BAD("{\"a\":0x10}", "not valid JSON"),
	BAD("{\"a\":1_000}", "not valid JSON"), BAD("{\"a\":1e5.5}", "not valid JSON"),
	/* white space is four characters */
	BAD("{\v}", "not valid JSON"), BAD("{\f}", "not valid JSON"), BAD("{\xc2\xa0}", "not valid JSON"),
	BAD("{\"a\":\0""1}", "not valid JSON"),
	/* strings */
	BAD("{\"a\":\"\t\"}", "not escaped"), BAD("{\"a\":\"\n\"}", "not escaped"), BAD("{\"a\":\"\0\"}", "not escaped"),
	BAD("{\"a\":\"\x1f\"}", "not escaped"), BAD("{\"\x01\":1}", "not escaped"),
	BAD("{\"a\":\"\\x41\"}", "not valid JSON"), BAD("{\"a\":\"\\'\"}", "not valid JSON"), BAD("{\"a\":\"\\\0\"}", "not valid JSON"),
	BAD("{\"a\":\"\\u12G4\"}", "not valid JSON"), BAD("{\"a\":\"\\u123\"}", "not valid JSON"), BAD("{\"a\":\"\\U0041\"}", "not valid JSON"),
	BAD("{\"a\":\"\\ud800\"}", "surrogate"), BAD("{\"a\":\"\\ud800x\"}", "surrogate"), BAD("{\"a\":\"\\udc00\"}", "surrogate"),
	BAD("{\"a\":\"\\ud800\\ud800\"}", "surrogate"), BAD("{\"a\":\"\\ud800\\u0041\"}", "surrogate"),
	BAD("{\"a\":\"\\ud800\\n\"}", "surrogate"), BAD("{\"a\":\"\\udc00\\udc00\"}", "surrogate"), BAD("{\"a\":\"\\ud800\\ue000\"}", "surrogate"),
	 BAD("{\"\\udfff\":1}", "surrogate"),
	/* UTF-8 */
	BAD("{\"a\":\"\xff\"}", "UTF-8"), BAD("{\"a\":\"\x80\"}", "UTF-8"), BAD("{\"a\":\"\xc0\x80\"}", "UTF-8"),
	BAD("{\"a\":\"\xc1\xbf\"}", "UTF-8"), BAD("{\"a\":\"\xe0\x9f\xbf\"}", "UTF-8"), BAD("{\"a\":\"\xed\xa0\x80\"}", "UTF-8"),
	BAD("{\"a\":\"\xf0\x8f\xbf\xbf\"}", "UTF-8"), BAD("{\"a\":\"\xf4\x90\x80\x80\"}", "UTF-8"), BAD("{\"a\":\"\xc2\"}", "UTF-8"),
	BAD("{\"a\":\"\xe2\x82\"}", "UTF-8"), BAD("{\"a\":\"\xf5\x80\x80\x80\"}", "UTF-8"), BAD("{\"\xff\":1}", "UTF-8"),
	/* names */
	BAD("{\"a\":1,\"a\":1}", "twice"), BAD("{\"a\":1,\"\\u0061\":2}", "twice"), BAD("{\"x\":[{\"b\":1,\"c\":{},\"b\":{}}]}", "twice"),
	BAD("{\"shop_id\\u0000x\":1}", "u0000"),
	/* one level more than allowed */
	BAD("{\"a\":" OPEN8 OPEN8 OPEN8 OPEN8 "1" SHUT8 SHUT8 SHUT8 SHUT8 "}", "nested"),
};

Test(body, takes_json)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct body *b = NULL;
		const char *why = "";
		enum outcome oc = parse(a, good[i].s, good[i].len, &b, &why);

		cr_expect(oc == OC_OK && b, "row %zu: %s: refused: %s", i, good[i].s, why);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(body, refuses_all_else)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct body *b = NULL;
		const char *why = NULL;
		enum outcome oc = parse(a, bad[i].s, bad[i].len, &b, &why);

		cr_expect(oc == OC_REFUSED && !b, "row %zu: taken: %s", i, bad[i].s);
		cr_expect(why && strstr(why, bad[i].why), "row %zu: %s: %s", i, bad[i].s, why ? why : "(no reason)");
	}
	arena_free(a);
	cr_assert(no_leaks());
}

/* n times the text between { "a": [ and ] }, with commas. */
static struct str repeat(struct arena *a, const char *s, size_t n)
{
	struct buf b = BUF_IN(a);

	buf_adds(&b, "{\"a\":[");
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? "," : "");
		buf_adds(&b, s);
	}
	buf_adds(&b, "]}");
	return buf_str(&b);
}

Test(body, holds_only_so_many_arrays_and_objects)
{
	struct arena *a = arena_new();
	struct body *b;
	const char *why;

	cr_expect(body_parse(a, repeat(a, "{}", 16382), &b, &why) == OC_OK);	/* and two around them */
	cr_expect(body_parse(a, repeat(a, "[]", 16383), &b, &why) == OC_REFUSED);
	cr_expect(why && strstr(why, "too many"));
	arena_free(a);
	cr_assert(no_leaks());
}

static void hash_of(struct arena *a, const char *s, uint8_t hash[32])
{
	struct body *b;
	const char *why;

	cr_assert(body_parse(a, str_from(s), &b, &why) == OC_OK, "%s: %s", s, why);
	body_hash(b, hash);
}

struct pair { const char *x, *y; };

static const struct pair alike[] = {
	{ "{}", " { } " },
	{ "{\"a\":1,\"b\":[2,{\"c\":3,\"d\":4}]}", "{ \"b\" : [ 2 , { \"d\" : 4, \"c\" : 3 } ],\n\"a\" : 1 }" },
	{ "{\"a\":\"A\\/\\u00e9\\n\"}", "{\"\\u0061\":\"\\u0041/\xc3\xa9\\u000a\"}" },
	{ "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}" },
	{ "{\"a\":1.50}", "{\"a\":1.5}" }, { "{\"a\":1.5}", "{\"a\":15e-1}" }, { "{\"a\":1.5}", "{\"a\":0.15E+1}" },
	{ "{\"a\":1.5}", "{\"a\":0.0015e3}" }, { "{\"a\":120}", "{\"a\":120.00}" }, { "{\"a\":120}", "{\"a\":1.2e2}" },
	{ "{\"a\":0}", "{\"a\":-0.00e7}" }, { "{\"a\":-12.30}", "{\"a\":-1230e-2}" }, { "{\"a\":100.01}", "{\"a\":10001e-2}" },
};

static const struct pair apart[] = {
	{ "{}", "{\"a\":null}" }, { "{\"a\":null}", "{\"a\":false}" }, { "{\"a\":false}", "{\"a\":true}" },
	{ "{\"a\":0}", "{\"a\":false}" }, { "{\"a\":1}", "{\"a\":\"1\"}" }, { "{\"a\":1}", "{\"b\":1}" },
	{ "{\"a\":1}", "{\"a\":-1}" }, { "{\"a\":1}", "{\"a\":10}" }, { "{\"a\":1}", "{\"a\":0.1}" }, { "{\"a\":1}", "{\"a\":1e1}" },
	{ "{\"a\":10.1}", "{\"a\":1.01}" }, { "{\"a\":101}", "{\"a\":10.1}" }, { "{\"a\":1e5}", "{\"a\":1e-5}" },
	{ "{\"a\":9007199254740993}", "{\"a\":9007199254740992}" }, { "{\"a\":0.1}", "{\"a\":0.1000000000000000000000001}" },
	{ "{\"a\":1e400}", "{\"a\":1e401}" }, { "{\"a\":18446744073709551614}", "{\"a\":18446744073709551615}" },
	{ "{\"a\":[1,2]}", "{\"a\":[2,1]}" }, { "{\"a\":[1,2]}", "{\"a\":[12]}" }, { "{\"a\":[[1],2]}", "{\"a\":[1,[2]]}" },
	{ "{\"a\":[]}", "{\"a\":{}}" }, { "{\"a\":\"\"}", "{\"a\":null}" }, { "{\"a\":\"x\"}", "{\"a\":\"x\\u0000\"}" },
	{ "{\"a\":\"x\",\"b\":\"\"}", "{\"a\":\"\",\"b\":\"x\"}" }, { "{\"ab\":\"c\"}", "{\"a\":\"bc\"}" },
	{ "{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":1,\"c\":2,\"b\":{}}" }, { "{\"a\":\"x\"}", "{\"a\":\"X\"}" },
	{ "{\"a\":\"\xc3\xa9\"}", "{\"a\":\"e\xcc\x81\"}" },	/* code points, not looks */
};

Test(body, hash_is_the_same_for_the_same_value)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
		uint8_t x[32], y[32];

		hash_of(a, alike[i].x, x);
		hash_of(a, alike[i].y, y);
		cr_expect(memcmp(x, y, 32) == 0, "%s and %s", alike[i].x, alike[i].y);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(body, hash_tells_values_apart)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		uint8_t x[32], y[32];

		hash_of(a, apart[i].x, x);
		hash_of(a, apart[i].y, y);
		cr_expect(memcmp(x, y, 32) != 0, "%s and %s", apart[i].x, apart[i].y);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

/* The same bytes through Python's hashlib.blake2b(digest_size=32) gave this. Hashes are stored beside answers: one that changes with a release turns retries into refusals. */
Test(body, hash_stays_what_it_was)
{
	static const char was[] = "9eabc2641761ac96ca7139039060aa03d1d1e06d3a7282b171047100a0d1ab4a";
	struct arena *a = arena_new();
	uint8_t hash[32];
	char text[65];

	hash_of(a, "{\"shop_id\":1,\"order_type\":\"pre_order\",\"x\":[null,true,-1.50,0,{\"k\":\"v\"}]}", hash);
	for (int i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	cr_expect_str_eq(text, was);
	arena_free(a);
	cr_assert(no_leaks());
}

/* ---- single members ---- */

Test(body, single_members)
{
	static const char text[] = "{\"t\":\"x\",\"e\":\"\",\"n\":null,\"i\":-7,\"d\":1.0,\"b\":true,\"big\":18446744073709551616,\"low\":-9223372036854775809,"
		"\"l\":[1,[\"deep\"],\"x\",{\"y\":\"y\"},null,\"\"],\"o\":{\"x\":\"x\"}}";
	struct arena *a = arena_new();
	struct body *b;
	const char *why;
	int64_t v = 99;

	cr_assert_eq(parse(a, text, sizeof text - 1, &b, &why), OC_OK);
	cr_expect(body_has(b, "n") && body_has(b, "t") && !body_has(b, "x") && !body_has(b, "") && !body_has_nul(b));
	cr_expect(str_is(body_text(b, "t"), "x") && str_is(body_text(b, "e"), ""));
	cr_expect(!body_text(b, "n").s && !body_text(b, "i").s && !body_text(b, "l").s && !body_text(b, "o").s && !body_text(b, "x").s);
	cr_expect(!body_integer(b, "t", &v) && !body_integer(b, "n", &v) && !body_integer(b, "d", &v) && !body_integer(b, "b", &v) && !body_integer(b, "x", &v));
	cr_expect_eq(v, 99);
	cr_expect(body_integer(b, "i", &v) && v == -7);
	cr_expect(body_integer(b, "big", &v) && v == INT64_MAX);
	cr_expect(body_integer(b, "low", &v) && v == INT64_MIN);
	cr_expect(body_names(b, "t", "x") && body_names(b, "l", "x") && body_names(b, "l", "") && body_names(b, "e", ""));
	cr_expect(!body_names(b, "l", "deep") && !body_names(b, "l", "y") && !body_names(b, "l", "1") && !body_names(b, "o", "x") && !body_names(b, "n", "") && !body_names(b, "x", ""));
	cr_assert_eq(parse(a, "{\"a\":[\"\\u0000\",\"b\"]}", 20, &b, &why), OC_OK);
	cr_expect(body_has_nul(b));
	arena_free(a);
	cr_assert(no_leaks());
}
