/* fuzz_query.c - any bytes as a query string: split, decoded, filled into a struct with a field of each type.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "input.h"
#include "money.h"
#include "timefmt.h"

struct wanted {
	int64_t limit;
	uint64_t id;
	struct str text;
	money amount;
	instant time;
	bool flag;
	int word;
	uint32_t set;
};

static const char *const words[] = { "a", "b", "c", NULL };
static const struct field fields[] = {
	{ .name = "n", .type = FIELD_INT, .min = 1, .max = 200, .offset = offsetof(struct wanted, limit) },
	{ .name = "id", .type = FIELD_ID, .required = true, .offset = offsetof(struct wanted, id) },
	{ .name = "s", .type = FIELD_TEXT, .max = 9, .offset = offsetof(struct wanted, text) },
	{ .name = "m", .type = FIELD_MONEY, .max = MONEY_MAX, .offset = offsetof(struct wanted, amount) },
	{ .name = "t", .type = FIELD_TIME, .offset = offsetof(struct wanted, time) },
	{ .name = "b", .type = FIELD_BOOL, .offset = offsetof(struct wanted, flag) },
	{ .name = "w", .type = FIELD_ENUM, .words = words, .offset = offsetof(struct wanted, word) },
	{ .name = "e", .type = FIELD_ENUM_SET, .words = words, .offset = offsetof(struct wanted, set) },
};
static const struct field_table table = { fields, sizeof(fields) / sizeof(fields[0]), sizeof(struct wanted) };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_clean(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.s[i] < 0x20 || s.s[i] == 0x7f)
			return false;
	return str_is_utf8(s);
}

static void check_query(const struct query *q, const struct faults *f)
{
	bool faulty = false;

	must(q->n <= 64);
	for (size_t i = 0; i < q->n; i++) {
		must(q->v[i].name.s && is_clean(q->v[i].name));
		must(!q->v[i].value.s || is_clean(q->v[i].value));
		faulty |= !q->v[i].value.s;
	}
	must(!faulty || f->n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct faults f = FAULTS_IN(a);
	struct query q = query_parse(a, (struct str){ (const char *)data, size }, &f);
	struct wanted w = { .limit = 1, .id = 1 };
	struct presence p;

	check_query(&q, &f);
	p = query_fill(&q, &table, &w, &f);
	must(p.nulls == 0 && p.present >> table.n == 0);
	must((p.present & 2) || f.n > 0);
	must(w.limit >= 1 && w.limit <= 200 && w.id >= 1 && w.id <= INT64_MAX && w.word >= 0 && w.word <= 2 && w.set < 8);
	must(w.amount >= 0 && w.amount <= MONEY_MAX && str_codepoints(w.text) <= 9);
	must(!(p.present & 4) || w.text.len > 0);
	for (size_t i = 0; i < f.n; i++)
		must(f.v[i].message[0] && is_clean(str_from(f.v[i].field)) && is_clean(str_from(f.v[i].message)));
	arena_free(a);
	return 0;
}
