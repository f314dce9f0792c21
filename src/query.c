/* query.c - query strings: splitting, decoding, declared parameters.
 * Owns: percent-decoding, repeated parameters. Does not own: bounds and sentences (field.c), the fault list (input.c).
 * Used by: endpoints that take a query. */
#include <string.h>
#include "input.h"
#include "arena.h"
#include "field.h"

#define QUERY_PARAMS_MAX 64

/* -1 where c is no hexadecimal digit. */
static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* NULL: *out is the decoded text (arena). Otherwise what is wrong with it. */
static const char *decode(struct arena *a, struct str raw, struct str *out)
{
	char *to = arena_alloc(a, raw.len + 1);

	*out = (struct str){ to, 0 };
	for (size_t i = 0; i < raw.len; i++) {
		int c = (unsigned char)raw.s[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (raw.len - i < 3 || hex(raw.s[i + 1]) < 0 || hex(raw.s[i + 2]) < 0)
				return "holds a % that two hexadecimal digits do not follow";
			c = hex(raw.s[i + 1]) << 4 | hex(raw.s[i + 2]);
			i += 2;
		}
		to[out->len++] = (char)c;
	}
	if (!str_is_utf8(*out))
		return "is not valid UTF-8";
	if (text_has_controls(*out) || memchr(to, '\n', out->len) || memchr(to, '\t', out->len))
		return "must not hold control characters";
	return NULL;
}

/* A faulty value becomes none, so that query_fill can tell it from a missing one. False: the name is faulty, which
 * can't be shown. */
static bool decode_param(struct arena *a, struct str piece, struct query_param *p, struct faults *f)
{
	struct str value, name = str_cut(piece, '=', &value);
	const char *wrong = decode(a, name, &p->name);

	if (wrong) {
		fault_add(f, "query", "a parameter's name %s", wrong);
		return false;
	}
	wrong = decode(a, value, &p->value);
	if (wrong) {
		fault_add(f, p->name.s, "%s", wrong);
		p->value = STR_NONE;
	}
	return true;
}

struct query query_parse(struct arena *a, struct str text, struct faults *f)
{
	struct query q = { 0 };

	while (text.len > 0) {
		struct str piece = str_cut(text, '&', &text);

		if (piece.len == 0)
			continue;
		if (q.n == QUERY_PARAMS_MAX) {
			fault_add(f, "query", "must hold at most %d parameters", QUERY_PARAMS_MAX);
			break;
		}
		if (!q.v)
			q.v = arena_array(a, QUERY_PARAMS_MAX, sizeof(*q.v));
		if (decode_param(a, piece, &q.v[q.n], f))
			q.n++;
	}
	return q;
}

static bool put_digits(const struct field *d, struct str v, void *out)
{
	uint64_t n;

	if (!str_to_uint(v, INT64_MAX, &n))
		return false;
	return d->type == FIELD_ID ? field_put_id(d, n, out) : field_put_int(d, (int64_t)n, out);
}

static bool put_bool(const struct field *d, struct str v, void *out)
{
	bool yes = str_is(v, "true");

	if (!yes && !str_is(v, "false"))
		return false;
	field_put_bool(d, yes, out);
	return true;
}

/* One value of a parameter that comes once. */
static bool put_param(const struct field *d, struct str v, void *out)
{
	switch (d->type) {
	case FIELD_INT:
	case FIELD_ID:
		return put_digits(d, v, out);
	case FIELD_TEXT:
		return v.len > 0 && field_put_text(d, v, out);
	case FIELD_MONEY:
		return field_put_money(d, v, out);
	case FIELD_TIME:
		return field_put_time(d, v, out);
	case FIELD_BOOL:
		return put_bool(d, v, out);
	case FIELD_ENUM:
		return field_put_word(d, v, out);
	case FIELD_DATE:
		return field_put_date(d, v, out);
	case FIELD_ENUM_SET:
	case FIELD_LIST:
	case FIELD_SPANS:
	case FIELD_OBJECT:
	case FIELD__MAX:
		break;
	}
	return false;
}

static void refuse(const struct field *d, struct str v, struct faults *f)
{
	if (d->type == FIELD_TEXT)
		fault_add(f, d->name, "%s", v.len ? field_text_wish(f->arena, d, v) : "must not be empty");
	else if (d->type == FIELD_TIME && memchr(v.s, ' ', v.len))
		fault_add(f, d->name, "%s (in a query, + is written %%2B)", field_wish(f->arena, d));
	else
		fault_add(f, d->name, "%s", field_wish(f->arena, d));
}

/* The values of one row's parameter, gathered. */
struct sent {
	struct str first;
	size_t n;
	bool faulty;		/* told by query_parse */
	bool unknown;		/* ENUM_SET: a value that is none of the words */
	uint32_t bits;
};

static struct sent gather(const struct query *q, const struct field *d)
{
	struct sent s = { 0 };

	for (size_t i = 0; i < q->n; i++) {
		struct str v = q->v[i].value;
		int word;

		if (!str_is(q->v[i].name, d->name))
			continue;
		if (s.n++ == 0)
			s.first = v;
		if (!v.s) {
			s.faulty = true;
		} else if (d->type == FIELD_ENUM_SET) {
			word = field_word(d, v);
			s.unknown |= word < 0;
			s.bits |= word < 0 ? 0 : UINT32_C(1) << word;
		}
	}
	return s;
}

/* Whether the parameter was sent well. */
static bool fill_row(const struct query *q, const struct field *d, void *out, struct faults *f)
{
	struct sent s = gather(q, d);

	if (s.n == 0) {
		if (d->required)
			fault_add(f, d->name, "is required");
		return false;
	}
	if (d->type == FIELD_ENUM_SET) {
		if (s.unknown)
			refuse(d, s.first, f);
		else if (!s.faulty)
			memcpy((char *)out + d->offset, &s.bits, sizeof(s.bits));
		return !s.unknown && !s.faulty;
	}
	if (s.n > 1)
		fault_add(f, d->name, "must be given only once");
	else if (!s.faulty && put_param(d, s.first, out))
		return true;
	else if (!s.faulty)
		refuse(d, s.first, f);
	return false;
}

struct presence query_fill(const struct query *q, const struct field_table *t, void *out, struct faults *f)
{
	struct presence p = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (fill_row(q, &t->fields[i], out, f))
			p.present |= UINT64_C(1) << i;
	return p;
}

struct str query_get(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (str_is(q->v[i].name, name))
			return q->v[i].value;
	return STR_NONE;
}
