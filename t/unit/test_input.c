/* test_input.c - declared fields: what each type takes, where it lands, what people are told.
 * Owns: a table with one row of each type. Does not own: the JSON grammar (test_body.c). */
#include <criterion/criterion.h>
#include <string.h>
#include "arena.h"
#include "input.h"
#include "money.h"
#include "timefmt.h"
#include "leaks.h"

struct sub { uint64_t id; int64_t quantity; struct str words; struct input_list deep; };
struct all {
	int64_t count;
	uint64_t id;
	struct str text, code;
	money amount;
	instant time;
	bool flag;
	int word;
	struct input_list list;
	int64_t must;
	struct str canary;
};

static const char *const words[] = { "instant", "pre_order", NULL };

static const struct field deep_fields[] = {
	{ .name = "id", .type = FIELD_ID, .required = true, .offset = 0 },
};
static const struct field_table deep = { deep_fields, 1, sizeof(uint64_t) };

enum { SUB_ID, SUB_QUANTITY, SUB_WORDS, SUB_DEEP };
static const struct field sub_fields[] = {
	[SUB_ID] = { .name = "id", .type = FIELD_ID, .required = true, .offset = offsetof(struct sub, id) },
	[SUB_QUANTITY] = { .name = "quantity", .type = FIELD_INT, .required = true, .min = 1, .max = 999,
		.offset = offsetof(struct sub, quantity) },
	[SUB_WORDS] = { .name = "words", .type = FIELD_TEXT, .nullable = true, .max = 5, .offset = offsetof(struct sub, words) },
	[SUB_DEEP] = { .name = "deep", .type = FIELD_LIST, .max = 3, .list = &deep, .offset = offsetof(struct sub, deep) },
};
static const struct field_table sub = { sub_fields, 4, sizeof(struct sub) };

enum { F_COUNT, F_ID, F_TEXT, F_CODE, F_AMOUNT, F_TIME, F_FLAG, F_WORD, F_LIST, F_MUST, F__MAX };
static const struct field fields[] = {
	[F_COUNT] = { .name = "count", .type = FIELD_INT, .nullable = true, .min = -5, .max = 999, .offset = offsetof(struct all, count) },
	[F_ID] = { .name = "id", .type = FIELD_ID, .offset = offsetof(struct all, id) },
	[F_TEXT] = { .name = "text", .type = FIELD_TEXT, .min = 1, .max = 4, .offset = offsetof(struct all, text) },
	[F_CODE] = { .name = "code", .type = FIELD_TEXT, .nullable = true, .max = 1, .offset = offsetof(struct all, code) },
	[F_AMOUNT] = { .name = "amount", .type = FIELD_MONEY, .min = 1, .max = MONEY_MAX, .offset = offsetof(struct all, amount) },
	[F_TIME] = { .name = "time", .type = FIELD_TIME, .nullable = true, .offset = offsetof(struct all, time) },
	[F_FLAG] = { .name = "flag", .type = FIELD_BOOL, .nullable = true, .offset = offsetof(struct all, flag) },
	[F_WORD] = { .name = "word", .type = FIELD_ENUM, .words = words, .offset = offsetof(struct all, word) },
	[F_LIST] = { .name = "items", .type = FIELD_LIST, .min = 1, .max = 3, .list = &sub, .offset = offsetof(struct all, list) },
	[F_MUST] = { .name = "must", .type = FIELD_INT, .min = 0, .max = INT64_MAX, .required = true, .offset = offsetof(struct all, must) },
};
static const struct field_table table = { fields, F__MAX, sizeof(struct all) };

/* The members, without braces, beside "must": 1. */
static struct presence fill(struct arena *a, const char *members, struct all *out, struct faults *f)
{
	const char *text = arena_printf(a, "{%s%s\"must\":1}", members, *members ? "," : "");
	struct body *b;
	const char *why;

	cr_assert(body_parse(a, str_from(text), &b, &why) == OC_OK, "%s: %s", text, why);
	return body_fill(b, &table, out, f);
}

static struct all blank(void)
{
	struct all v;

	memset(&v, 0xa5, sizeof(v));
	return v;
}

struct row {
	const char *member;
	int field;
	const char *fault;	/* NULL: accepted */
	size_t offset;		/* accepted integers: where, and what */
	int64_t value;
};
#define IS(f, m, v) { m, F_##f, NULL, 0, v }

#define COUNT "must be null or an integer from -5 to 999"
#define TEXT "must be text of 1 to 4 characters"
#define AMOUNT "must be a number from 0.01 to 99999999.99 with at most two decimals"
#define TIME "must be null or a time with a UTC offset, such as 2026-02-26T17:00:00+05:30"
#define CONTROL "must not hold control characters other than new line and tab"
#define LIST "must be a list of 1 to 3 objects"
#define WORD "must be one of: instant, pre_order"

static const struct row accepted[] = {
	IS(COUNT, "\"count\":1", 1), IS(COUNT, "\"count\":-5", -5), IS(COUNT, "\"count\":999", 999), IS(COUNT, "\"count\":-0", 0),
	IS(ID, "\"id\":1", 1), IS(ID, "\"id\":9223372036854775807", INT64_MAX),
	IS(AMOUNT, "\"amount\":0.01", 1), IS(AMOUNT, "\"amount\":120", 12000), IS(AMOUNT, "\"amount\":120.5", 12050),
	IS(AMOUNT, "\"amount\":120.50", 12050), IS(AMOUNT, "\"amount\":1.205e2", 12050), IS(AMOUNT, "\"amount\":1.2300", 123),
	IS(AMOUNT, "\"amount\":99999999.99", MONEY_MAX), IS(AMOUNT, "\"amount\":0.29", 29), IS(AMOUNT, "\"amount\":4.35", 435),
	IS(TIME, "\"time\":\"1970-01-01T00:00:01Z\"", 1000000), IS(TIME, "\"time\":\"1970-01-01T05:30:00+05:30\"", 0),
	IS(FLAG, "\"flag\":true", 1), IS(FLAG, "\"flag\":false", 0),
	IS(WORD, "\"word\":\"instant\"", 0), IS(WORD, "\"word\":\"pre_\\u006frder\"", 1),
};

static const struct row refused[] = {
	{ "\"count\":1000", F_COUNT, COUNT, 0, 0 }, { "\"count\":-6", F_COUNT, COUNT, 0, 0 },
	{ "\"count\":18446744073709551615", F_COUNT, COUNT, 0, 0 }, { "\"count\":18446744073709551617", F_COUNT, COUNT, 0, 0 },
	{ "\"count\":-99999999999999999999", F_COUNT, COUNT, 0, 0 },
	{ "\"count\":2.0", F_COUNT, COUNT ", written without point or exponent", 0, 0 },
	{ "\"count\":1e2", F_COUNT, COUNT ", written without point or exponent", 0, 0 },
	{ "\"count\":\"2\"", F_COUNT, COUNT ", not text", 0, 0 }, { "\"count\":true", F_COUNT, COUNT ", not true or false", 0, 0 },
	{ "\"count\":[2]", F_COUNT, COUNT ", not a list", 0, 0 }, { "\"count\":{}", F_COUNT, COUNT ", not an object", 0, 0 },
	{ "\"id\":0", F_ID, "must be a positive integer", 0, 0 }, { "\"id\":-1", F_ID, "must be a positive integer", 0, 0 },
	{ "\"id\":9223372036854775808", F_ID, "must be a positive integer", 0, 0 },
	{ "\"id\":18446744073709551616", F_ID, "must be a positive integer", 0, 0 },
	{ "\"id\":null", F_ID, "must be a positive integer, not null", 0, 0 },
	{ "\"id\":1.5", F_ID, "must be a positive integer, written without point or exponent", 0, 0 },
	{ "\"text\":\"\"", F_TEXT, TEXT, 0, 0 }, { "\"text\":\"abcde\"", F_TEXT, TEXT, 0, 0 },
	{ "\"text\":null", F_TEXT, TEXT ", not null", 0, 0 }, { "\"text\":1", F_TEXT, TEXT ", not a number", 0, 0 },
	{ "\"text\":1.5", F_TEXT, TEXT ", not a number", 0, 0 },
	{ "\"text\":\"a\\u0000\"", F_TEXT, CONTROL, 0, 0 }, { "\"text\":\"\\u0001\"", F_TEXT, CONTROL, 0, 0 },
	{ "\"text\":\"\\r\"", F_TEXT, CONTROL, 0, 0 }, { "\"text\":\"\\u001f\"", F_TEXT, CONTROL, 0, 0 },
	{ "\"text\":\"\x7f\"", F_TEXT, CONTROL, 0, 0 }, { "\"text\":\"\xc2\x80\"", F_TEXT, CONTROL, 0, 0 },
	{ "\"text\":\"\\u009f\"", F_TEXT, CONTROL, 0, 0 },
	{ "\"text\":\"abcd\\b\"", F_TEXT, TEXT ", and " CONTROL, 0, 0 },
	{ "\"code\":\"ab\"", F_CODE, "must be null or text of at most 1 character", 0, 0 },
	{ "\"amount\":0", F_AMOUNT, AMOUNT, 0, 0 }, { "\"amount\":-1", F_AMOUNT, AMOUNT, 0, 0 }, { "\"amount\":1.005", F_AMOUNT, AMOUNT, 0, 0 },
	{ "\"amount\":100000000", F_AMOUNT, AMOUNT, 0, 0 }, { "\"amount\":1e400", F_AMOUNT, AMOUNT, 0, 0 },
	{ "\"amount\":0.010000000000000000000000001", F_AMOUNT, AMOUNT, 0, 0 },
	{ "\"amount\":99999999999999999999999", F_AMOUNT, AMOUNT, 0, 0 },
	{ "\"amount\":\"120.00\"", F_AMOUNT, AMOUNT ", not text", 0, 0 },
	{ "\"time\":\"2026-02-26T17:00:00\"", F_TIME, TIME, 0, 0 }, { "\"time\":\"\"", F_TIME, TIME, 0, 0 },
	{ "\"time\":\"2026-02-30T17:00:00Z\"", F_TIME, TIME, 0, 0 }, { "\"time\":\"2026-02-26T17:00:00Z\\u0000\"", F_TIME, TIME, 0, 0 },
	{ "\"time\":1772105400", F_TIME, TIME ", not a number", 0, 0 },
	{ "\"flag\":\"true\"", F_FLAG, "must be null, true or false without quotes", 0, 0 },
	{ "\"flag\":1", F_FLAG, "must be null, true or false, not a number", 0, 0 },
	{ "\"word\":\"Instant\"", F_WORD, WORD, 0, 0 }, { "\"word\":\"\"", F_WORD, WORD, 0, 0 }, { "\"word\":\"instant\\u0000\"", F_WORD, WORD, 0, 0 },
	{ "\"word\":null", F_WORD, WORD ", not null", 0, 0 }, { "\"word\":0", F_WORD, WORD ", not a number", 0, 0 },
	{ "\"items\":[]", F_LIST, LIST, 0, 0 }, { "\"items\":[{},{},{},{}]", F_LIST, LIST, 0, 0 }, { "\"items\":{}", F_LIST, LIST ", not an object", 0, 0 },
	{ "\"items\":\"x\"", F_LIST, LIST ", not text", 0, 0 }, { "\"items\":null", F_LIST, LIST ", not null", 0, 0 },
};

static int64_t integer_at(const struct all *v, int field)
{
	switch (field) {
	case F_COUNT: return v->count;
	case F_ID: return (int64_t)v->id;
	case F_AMOUNT: return v->amount;
	case F_TIME: return v->time;
	case F_FLAG: return v->flag;
	case F_WORD: return v->word;
	default: cr_assert_fail("no integer in field %d", field); return 0;
	}
}

Test(input, takes_values)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		const struct row *r = &accepted[i];
		struct all out = { 0 };
		struct faults f = FAULTS_IN(a);
		struct presence p = fill(a, r->member, &out, &f);

		cr_expect(f.n == 0, "%s: %s", r->member, f.n ? f.v[0].message : "");
		cr_expect(p.present == (UINT64_C(1) << r->field | UINT64_C(1) << F_MUST) && !p.nulls, "%s", r->member);
		cr_expect(integer_at(&out, r->field) == r->value, "%s: %lld", r->member, (long long)integer_at(&out, r->field));
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, refuses_values_and_leaves_targets_alone)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct row *r = &refused[i];
		struct all out = blank(), before = blank();
		struct faults f = FAULTS_IN(a);
		struct presence p = fill(a, r->member, &out, &f);

		before.must = 1;
		cr_expect(p.present == UINT64_C(1) << F_MUST && !p.nulls, "%s: accepted", r->member);
		cr_expect(memcmp(&out, &before, sizeof(out)) == 0, "%s: a target changed", r->member);
		cr_assert(f.n == 1, "%s: %zu faults", r->member, f.n);
		cr_expect_str_eq(f.v[0].field, fields[r->field].name);
		cr_expect_str_eq(f.v[0].message, r->fault, "%s: %s", r->member, f.v[0].message);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, text_counts_code_points)
{
	static const struct { const char *member, *text; size_t len; } rows[] = {
		{ "\"text\":\"abcd\"", "abcd", 4 }, { "\"text\":\"\xe0\xae\x95\xe0\xae\x95\xe0\xae\x95\xe0\xae\x95\"", "\xe0\xae\x95\xe0\xae\x95\xe0\xae\x95\xe0\xae\x95", 12 },
		{ "\"text\":\"\\ud83d\\ude00\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8 }, { "\"text\":\"\\n\\t \"", "\n\t ", 3 },
		{ "\"text\":\"\xc2\xa0\xc3\x80\"", "\xc2\xa0\xc3\x80", 4 }, { "\"text\":\"\\u2028\"", "\xe2\x80\xa8", 3 },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct all out = { 0 };
		struct faults f = FAULTS_IN(a);

		fill(a, rows[i].member, &out, &f);
		cr_expect(f.n == 0, "%s: %s", rows[i].member, f.n ? f.v[0].message : "");
		cr_expect(out.text.len == rows[i].len && !memcmp(out.text.s, rows[i].text, rows[i].len), "%s", rows[i].member);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, null_absent_and_empty_differ)
{
	struct arena *a = arena_new();
	struct all out = blank(), before = blank();
	struct faults f = FAULTS_IN(a);
	struct presence p = fill(a, "\"count\":null,\"code\":\"\",\"time\":null,\"flag\":null", &out, &f);

	before.must = 1;
	before.code = out.code;
	cr_expect(f.n == 0);
	cr_expect(p.nulls == (UINT64_C(1) << F_COUNT | UINT64_C(1) << F_TIME | UINT64_C(1) << F_FLAG));
	cr_expect(p.present == (UINT64_C(1) << F_CODE | UINT64_C(1) << F_MUST));
	cr_expect(out.code.s && out.code.len == 0);
	cr_expect(memcmp(&out, &before, sizeof(out)) == 0, "a null changed a target");
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, unknown_members_are_ignored_and_missing_ones_told)
{
	struct arena *a = arena_new();
	struct all out = blank(), before = blank();
	struct faults f = FAULTS_IN(a);
	struct body *b;
	const char *why;

	cr_assert(body_parse(a, STR("{\"price\":[{\"x\":\"\\u0000\"}],\"Count\":1,\"\":2}"), &b, &why) == OC_OK);
	cr_expect(body_fill(b, &table, &out, &f).present == 0);
	cr_expect(memcmp(&out, &before, sizeof(out)) == 0);
	cr_assert(f.n == 1);
	cr_expect_str_eq(f.v[0].field, "must");
	cr_expect_str_eq(f.v[0].message, "is required");
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, lists_land_in_order)
{
	struct arena *a = arena_new();
	struct all out = { 0 };
	struct faults f = FAULTS_IN(a);
	struct presence p = fill(a, "\"items\":[{\"id\":7,\"quantity\":2,\"words\":\"hot\"},{\"quantity\":999,\"id\":8,\"words\":null,\"deep\":[{\"id\":5}]}]",
		&out, &f);
	const struct sub *v = out.list.v;

	cr_assert(f.n == 0 && out.list.n == 2 && p.present & UINT64_C(1) << F_LIST);
	cr_expect(v[0].id == 7 && v[0].quantity == 2 && str_is(v[0].words, "hot") && v[0].deep.n == 0);
	cr_expect(v[1].id == 8 && v[1].quantity == 999 && !v[1].words.s && v[1].deep.n == 1);
	cr_expect(*(const uint64_t *)v[1].deep.v == 5);
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, every_fault_is_told_with_its_path)
{
	static const struct fault want[] = {
		{ "count", COUNT ", not text" },
		{ "text", TEXT },
		{ "items[0].id", "is required" },
		{ "items[0].quantity", "must be an integer from 1 to 999" },
		{ "items[1]", "must be an object" },
		{ "items[2].deep[1].id", "must be a positive integer, not text" },
		{ "items[2].deep[2]", "must be an object" },
	};
	struct arena *a = arena_new();
	struct all out = blank(), before = blank();
	struct faults f = FAULTS_IN(a);
	struct presence p = fill(a, "\"items\":[{\"quantity\":0},null,{\"id\":1,\"quantity\":1,\"deep\":[{\"id\":1},{\"id\":\"2\"},3]}],"
		"\"count\":\"1\",\"text\":\"\"", &out, &f);

	before.must = 1;
	cr_expect(p.present == UINT64_C(1) << F_MUST);
	cr_expect(memcmp(&out, &before, sizeof(out)) == 0, "a target changed");
	cr_assert(f.n == sizeof(want) / sizeof(want[0]), "%zu faults", f.n);
	for (size_t i = 0; i < f.n; i++) {
		cr_expect_str_eq(f.v[i].field, want[i].field);
		cr_expect_str_eq(f.v[i].message, want[i].message);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, a_list_with_one_missing_member_is_not_taken)
{
	struct arena *a = arena_new();
	struct all out = { 0 };
	struct faults f = FAULTS_IN(a);
	struct presence p = fill(a, "\"items\":[{\"id\":1,\"quantity\":1},{\"id\":2}]", &out, &f);

	cr_expect(p.present == UINT64_C(1) << F_MUST && !out.list.v && out.list.n == 0);
	cr_assert(f.n == 1);
	cr_expect_str_eq(f.v[0].field, "items[1].quantity");
	cr_expect_str_eq(f.v[0].message, "is required");
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, an_integer_may_need_all_of_int64)
{
	static const struct field wide = { .name = "n", .type = FIELD_INT, .min = INT64_MIN + 1, .max = INT64_MAX };
	static const struct field_table one = { &wide, 1, sizeof(int64_t) };
	static const struct { const char *text; bool good; int64_t value; } rows[] = {
		{ "{\"n\":9223372036854775807}", true, INT64_MAX }, { "{\"n\":9223372036854775808}", false, 0 },
		{ "{\"n\":99999999999999999999}", false, 0 }, { "{\"n\":-9223372036854775807}", true, -INT64_MAX },
		{ "{\"n\":-9223372036854775809}", false, 0 },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults f = FAULTS_IN(a);
		int64_t n = 0;
		struct body *b;
		const char *why;

		cr_assert(body_parse(a, str_from(rows[i].text), &b, &why) == OC_OK);
		cr_expect((body_fill(b, &one, &n, &f).present == 1) == rows[i].good, "%s", rows[i].text);
		cr_expect(n == rows[i].value, "%s: %lld", rows[i].text, (long long)n);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(input, faults_are_bounded)
{
	struct arena *a = arena_new();
	struct faults f = FAULTS_IN(a);

	for (int i = 0; i < FAULTS_MAX + 50; i++)
		fault_add(&f, "x", "fault %d of %s", i, "many");
	cr_assert(f.n == FAULTS_MAX);
	cr_expect_str_eq(f.v[0].message, "fault 0 of many");
	cr_expect_str_eq(f.v[FAULTS_MAX - 1].message, "fault 199 of many");
	arena_free(a);
	cr_assert(no_leaks());
}
