/* test_query.c - query strings: decoding, repeated and faulty parameters, declared ones.
 * Owns: a table of parameters. Does not own: bounds of each type (test_input.c). */
#include <criterion/criterion.h>
#include <string.h>
#include "arena.h"
#include "input.h"
#include "money.h"
#include "timefmt.h"
#include "leaks.h"

struct wanted {
	int64_t limit;
	uint64_t id;
	struct str name;
	instant since;
	bool flag;
	int type;
	uint32_t status;
	money price;
};

static const char *const types[] = { "instant", "pre_order", NULL };
static const char *const statuses[] = { "pending", "confirmed", "ready", NULL };

enum { Q_LIMIT, Q_ID, Q_NAME, Q_SINCE, Q_FLAG, Q_TYPE, Q_STATUS, Q_PRICE, Q__MAX };
static const struct field fields[] = {
	[Q_LIMIT] = { .name = "limit", .type = FIELD_INT, .min = 1, .max = 200, .offset = offsetof(struct wanted, limit) },
	[Q_ID] = { .name = "id", .type = FIELD_ID, .offset = offsetof(struct wanted, id) },
	[Q_NAME] = { .name = "name", .type = FIELD_TEXT, .max = 5, .offset = offsetof(struct wanted, name) },
	[Q_SINCE] = { .name = "since", .type = FIELD_TIME, .offset = offsetof(struct wanted, since) },
	[Q_FLAG] = { .name = "flag", .type = FIELD_BOOL, .offset = offsetof(struct wanted, flag) },
	[Q_TYPE] = { .name = "type", .type = FIELD_ENUM, .words = types, .offset = offsetof(struct wanted, type) },
	[Q_STATUS] = { .name = "status", .type = FIELD_ENUM_SET, .words = statuses, .offset = offsetof(struct wanted, status) },
	[Q_PRICE] = { .name = "price", .type = FIELD_MONEY, .max = MONEY_MAX, .offset = offsetof(struct wanted, price) },
};
static const struct field_table table = { fields, Q__MAX, sizeof(struct wanted) };

/* text without its NUL in memory of just that size, so that reading behind it is seen */
static struct query parse(struct arena *a, const char *text, size_t len, struct faults *f)
{
	char *exact = malloc(len ? len : 1);
	struct query q;

	memcpy(exact, text, len);
	q = query_parse(a, (struct str){ exact, len }, f);
	free(exact);
	return q;
}

/* "name=value|name=value" of what was decoded. */
static const char *shown(struct arena *a, const struct query *q)
{
	struct buf b = BUF_IN(a);

	buf_adds(&b, "");
	for (size_t i = 0; i < q->n; i++) {
		buf_adds(&b, i ? "|" : "");
		buf_addstr(&b, q->v[i].name);
		buf_addc(&b, '=');
		if (q->v[i].value.s)
			buf_addstr(&b, q->v[i].value);
		else
			buf_adds(&b, "(none)");
	}
	return q->n ? b.s : "";
}

struct row { const char *text; size_t len; const char *decoded, *field, *message; };
#define OK(lit, d) { "" lit, sizeof(lit) - 1, d, NULL, NULL }
#define BAD(lit, d, f, m) { "" lit, sizeof(lit) - 1, d, f, m }

#define PERCENT "holds a % that two hexadecimal digits do not follow"
#define UTF8 "is not valid UTF-8"
#define CONTROL "must not hold control characters"

static const struct row decoded[] = {
	OK("", ""), OK("&&", ""), OK("a=1", "a=1"), OK("a=1&b=2&a=3", "a=1|b=2|a=3"), OK("&a=1&", "a=1"), OK("a", "a="), OK("a=", "a="),
	OK("=x", "=x"), OK("a=b=c", "a=b=c"), OK("a=%3d%26%3F", "a==&?"), OK("a=1+2%2B3", "a=1 2+3"), OK("a=%2541", "a=%41"),
	OK("%61%62=x", "ab=x"), OK("a=%e0%AE%95", "a=\xe0\xae\x95"), OK("a=\xe0\xae\x95", "a=\xe0\xae\x95"), OK("a;b=1;2", "a;b=1;2"),
	OK("a[]=1", "a[]=1"),
	BAD("a=%", "a=(none)", "a", PERCENT), BAD("a=%4", "a=(none)", "a", PERCENT), BAD("a=%4&b=1", "a=(none)|b=1", "a", PERCENT),
	BAD("a=%zz", "a=(none)", "a", PERCENT), BAD("a=%u0041", "a=(none)", "a", PERCENT), BAD("a=x%4g", "a=(none)", "a", PERCENT),
	BAD("%4=1", "", "query", "a parameter's name " PERCENT), BAD("%ff=1", "", "query", "a parameter's name " UTF8),
	BAD("a%00=1&b=2", "b=2", "query", "a parameter's name " CONTROL),
	BAD("a=%ff", "a=(none)", "a", UTF8), BAD("a=%c0%80", "a=(none)", "a", UTF8), BAD("a=%ed%a0%80", "a=(none)", "a", UTF8),
	BAD("a=\xff", "a=(none)", "a", UTF8),
	BAD("a=x%00y", "a=(none)", "a", CONTROL), BAD("a=%0a", "a=(none)", "a", CONTROL), BAD("a=%09", "a=(none)", "a", CONTROL),
	BAD("a=%7f", "a=(none)", "a", CONTROL), BAD("a=%c2%85", "a=(none)", "a", CONTROL), BAD("a=\r", "a=(none)", "a", CONTROL),
};

Test(query, decodes_once)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++) {
		const struct row *r = &decoded[i];
		struct faults f = FAULTS_IN(a);
		struct query q = parse(a, r->text, r->len, &f);

		cr_expect_str_eq(shown(a, &q), r->decoded, "%s: %s", r->text, shown(a, &q));
		cr_assert(f.n == (r->field ? 1 : 0), "%s: %zu faults", r->text, f.n);
		if (r->field) {
			cr_expect_str_eq(f.v[0].field, r->field);
			cr_expect_str_eq(f.v[0].message, r->message, "%s: %s", r->text, f.v[0].message);
		}
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(query, holds_at_most_64_parameters)
{
	struct arena *a = arena_new();
	struct faults f = FAULTS_IN(a);
	struct buf b = BUF_IN(a);
	struct query q;

	for (int i = 0; i < 64; i++)
		buf_addf(&b, "p%d=%d&", i, i);
	q = query_parse(a, buf_str(&b), &f);
	cr_expect(q.n == 64 && f.n == 0);
	buf_adds(&b, "one=more&and=another");
	q = query_parse(a, buf_str(&b), &f);
	cr_expect(q.n == 64);
	cr_assert(f.n == 1);
	cr_expect_str_eq(f.v[0].message, "must hold at most 64 parameters");
	arena_free(a);
	cr_assert(no_leaks());
}

Test(query, gets_the_first_by_name)
{
	struct arena *a = arena_new();
	struct faults f = FAULTS_IN(a);
	struct query q = query_parse(a, STR("x=1&token=a%2Bb&token=c&e="), &f), none = { 0 };

	cr_expect(str_is(query_get(&q, "token"), "a+b"));
	cr_expect(str_is(query_get(&q, "e"), "") && query_get(&q, "e").s);
	cr_expect(!query_get(&q, "Token").s && !query_get(&q, "toke").s && !query_get(&none, "x").s);
	arena_free(a);
	cr_assert(no_leaks());
}

static struct presence fill(struct arena *a, const char *text, struct wanted *out, struct faults *f)
{
	struct query q = query_parse(a, str_from(text), f);

	return query_fill(&q, &table, out, f);
}

Test(query, fills_declared_parameters)
{
	struct arena *a = arena_new();
	struct faults f = FAULTS_IN(a);
	struct wanted w = { 0 };
	struct presence p = fill(a, "limit=200&id=9223372036854775807&name=a+b&since=1970-01-01T05:30:01%2B05:30&flag=true&type=pre_order"
		"&status=ready&price=12.50&status=pending&status=ready&unknown=1", &w, &f);

	cr_assert(f.n == 0, "%s %s", f.v[0].field, f.v[0].message);
	cr_expect(p.present == (UINT64_C(1) << Q__MAX) - 1 && p.nulls == 0);
	cr_expect(w.limit == 200 && w.id == INT64_MAX && str_is(w.name, "a b") && w.since == 1000000 && w.flag);
	cr_expect(w.type == 1 && w.status == 5 && w.price == 1250);
	arena_free(a);
	cr_assert(no_leaks());
}

struct refusal { const char *text, *field, *message; };

#define LIMIT "must be an integer from 1 to 200"
#define SINCE "must be a time with a UTC offset, such as 2026-02-26T17:00:00+05:30"
#define STATUS "must be one of: pending, confirmed, ready"

static const struct refusal refusals[] = {
	{ "limit=0", "limit", LIMIT }, { "limit=201", "limit", LIMIT }, { "limit=", "limit", LIMIT }, { "limit", "limit", LIMIT },
	{ "limit=-1", "limit", LIMIT }, { "limit=+1", "limit", LIMIT }, { "limit=01", "limit", LIMIT }, { "limit=1.0", "limit", LIMIT },
	{ "limit=1e1", "limit", LIMIT }, { "limit=0x1", "limit", LIMIT }, { "limit=18446744073709551617", "limit", LIMIT },
	{ "limit=1%20", "limit", LIMIT }, { "limit=null", "limit", LIMIT },
	{ "limit=1&limit=1", "limit", "must be given only once" }, { "limit=1&limit=x", "limit", "must be given only once" },
	{ "limit=%zz", "limit", PERCENT },
	{ "id=0", "id", "must be a positive integer" }, { "id=9223372036854775808", "id", "must be a positive integer" },
	{ "name=", "name", "must not be empty" }, { "name=abcdef", "name", "must be text of at most 5 characters" },
	{ "since=2026-02-26", "since", SINCE }, { "since=2026-02-26T17:00:00+05:30", "since", SINCE " (in a query, + is written %2B)" },
	{ "since=", "since", SINCE },
	{ "flag=1", "flag", "must be true or false" }, { "flag=TRUE", "flag", "must be true or false" }, { "flag=", "flag", "must be true or false" },
	{ "type=", "type", "must be one of: instant, pre_order" }, { "type=instant,pre_order", "type", "must be one of: instant, pre_order" },
	{ "status=", "status", STATUS }, { "status=lost", "status", STATUS }, { "status=ready&status=lost&status=found", "status", STATUS },
	{ "status=ready&status=%00", "status", CONTROL },
	{ "price=1.005", "price", "must be a number from 0.00 to 99999999.99 with at most two decimals" },
	{ "price=", "price", "must be a number from 0.00 to 99999999.99 with at most two decimals" },
};

Test(query, refuses_and_leaves_targets_alone)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct faults f = FAULTS_IN(a);
		struct wanted w, before;
		struct presence p;

		memset(&w, 0xa5, sizeof(w));
		memcpy(&before, &w, sizeof(w));
		p = fill(a, r->text, &w, &f);
		cr_expect(p.present == 0, "%s: accepted", r->text);
		cr_expect(memcmp(&w, &before, sizeof(w)) == 0, "%s: a target changed", r->text);
		cr_assert(f.n == 1, "%s: %zu faults", r->text, f.n);
		cr_expect_str_eq(f.v[0].field, r->field);
		cr_expect_str_eq(f.v[0].message, r->message, "%s: %s", r->text, f.v[0].message);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(query, tells_a_missing_one)
{
	static const struct field one = { .name = "date", .type = FIELD_TEXT, .required = true, .min = 10, .max = 10 };
	static const struct field_table needs = { &one, 1, sizeof(struct str) };
	struct arena *a = arena_new();
	struct faults f = FAULTS_IN(a);
	struct query q = query_parse(a, STR_NONE, &f);
	struct str date = STR_NONE;

	cr_expect(query_fill(&q, &needs, &date, &f).present == 0);
	cr_assert(f.n == 1);
	cr_expect_str_eq(f.v[0].field, "date");
	cr_expect_str_eq(f.v[0].message, "is required");
	q = query_parse(a, STR("date=2026"), &f);
	cr_expect(query_fill(&q, &needs, &date, &f).present == 0 && !date.s);
	cr_expect_str_eq(f.v[1].message, "must be text of 10 characters");
	arena_free(a);
	cr_assert(no_leaks());
}
