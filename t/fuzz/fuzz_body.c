/* fuzz_body.c - any bytes as a JSON body: parsed, hashed, filled into a struct with a field of each type.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "input.h"
#include "money.h"
#include "timefmt.h"

struct line { uint64_t id; int64_t quantity; struct str words; };
struct order_like {
	uint64_t id;
	int64_t count;
	struct str text;
	money amount;
	instant time;
	bool flag;
	int word;
	struct input_list lines;
};

static const char *const words[] = { "instant", "pre_order", NULL };
static const struct field line_fields[] = {
	{ .name = "id", .type = FIELD_ID, .required = true, .offset = offsetof(struct line, id) },
	{ .name = "n", .type = FIELD_INT, .required = true, .min = 1, .max = 999, .offset = offsetof(struct line, quantity) },
	{ .name = "s", .type = FIELD_TEXT, .nullable = true, .max = 5, .offset = offsetof(struct line, words) },
};
static const struct field_table line_table = { line_fields, 3, sizeof(struct line) };
static const struct field fields[] = {
	{ .name = "id", .type = FIELD_ID, .required = true, .offset = offsetof(struct order_like, id) },
	{ .name = "n", .type = FIELD_INT, .nullable = true, .min = -9, .max = 9, .offset = offsetof(struct order_like, count) },
	{ .name = "s", .type = FIELD_TEXT, .min = 1, .max = 9, .offset = offsetof(struct order_like, text) },
	{ .name = "m", .type = FIELD_MONEY, .max = MONEY_MAX, .offset = offsetof(struct order_like, amount) },
	{ .name = "t", .type = FIELD_TIME, .nullable = true, .offset = offsetof(struct order_like, time) },
	{ .name = "b", .type = FIELD_BOOL, .nullable = true, .offset = offsetof(struct order_like, flag) },
	{ .name = "w", .type = FIELD_ENUM, .words = words, .offset = offsetof(struct order_like, word) },
	{ .name = "l", .type = FIELD_LIST, .max = 4, .list = &line_table, .offset = offsetof(struct order_like, lines) },
};
static const struct field_table table = { fields, sizeof(fields) / sizeof(fields[0]), sizeof(struct order_like) };

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* White space around a value changes nothing. */
static void check_hash(struct arena *a, const struct body *b, struct str text)
{
	struct buf spaced = BUF_IN(a);
	struct body *again;
	const char *why;
	uint8_t hash[32], same[32];

	buf_adds(&spaced, " \t\r\n");
	buf_addstr(&spaced, text);
	buf_adds(&spaced, "\n ");
	must(body_parse(a, buf_str(&spaced), &again, &why) == OC_OK);
	body_hash(b, hash);
	body_hash(again, same);
	must(memcmp(hash, same, sizeof(hash)) == 0);
}

static void check_lines(const struct input_list *l)
{
	const struct line *v = l->v;

	must(l->n <= 4);
	for (size_t i = 0; i < l->n; i++) {
		must(v[i].id >= 1 && v[i].id <= INT64_MAX && v[i].quantity >= 1 && v[i].quantity <= 999);
		must(!v[i].words.s || (str_codepoints(v[i].words) <= 5 && str_is_utf8(v[i].words)));
	}
}

static void check_fill(struct arena *a, const struct body *b)
{
	struct order_like o = { .id = 1, .text = STR("x") };
	struct faults f = FAULTS_IN(a);
	struct presence p = body_fill(b, &table, &o, &f);

	must((p.present & p.nulls) == 0 && (p.present | p.nulls) >> table.n == 0);
	must((p.present & 1) || f.n > 0);
	must(o.id >= 1 && o.id <= INT64_MAX && o.count >= -9 && o.count <= 9);
	must(str_codepoints(o.text) >= 1 && str_codepoints(o.text) <= 9 && str_is_utf8(o.text));
	must(o.amount >= 0 && o.amount <= MONEY_MAX && o.word >= 0 && o.word <= 1);
	check_lines(&o.lines);
	for (size_t i = 0; i < f.n; i++)
		must(f.v[i].message[0] && str_is_utf8(str_from(f.v[i].field)) && str_is_utf8(str_from(f.v[i].message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = { (const char *)data, size };
	struct body *b;
	const char *why = NULL;

	if (body_parse(a, text, &b, &why) == OC_OK) {
		check_hash(a, b, text);
		check_fill(a, b);
	} else {
		/* the strict scanner passed what json-c then refused */
		must(why && strcmp(why, "the body could not be read") != 0);
	}
	arena_free(a);
	return 0;
}
