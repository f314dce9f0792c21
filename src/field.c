/* field.c - what one declared field accepts, and what people are told where it does not.
 * Owns: bounds, storing, sentences. Does not own: JSON (input.c), query strings (query.c).
 * Used by: input.c, query.c. */
#include <inttypes.h>
#include <string.h>
#include "field.h"
#include "arena.h"
#include "money.h"
#include "timefmt.h"

/* Bytes, so that the struct's own types stay the only ones it is read by. */
static void store(const struct field *d, void *out, const void *value, size_t size)
{
	memcpy((char *)out + d->offset, value, size);
}

bool field_put_int(const struct field *d, int64_t v, void *out)
{
	if (v < d->min || v > d->max)
		return false;
	store(d, out, &v, sizeof(v));
	return true;
}

bool field_put_id(const struct field *d, uint64_t v, void *out)
{
	if (v < 1 || v > INT64_MAX)
		return false;
	store(d, out, &v, sizeof(v));
	return true;
}

static bool length_fits(const struct field *d, struct str v)
{
	int64_t n = (int64_t)str_codepoints(v);

	return n >= d->min && n <= d->max;
}

bool field_put_text(const struct field *d, struct str v, void *out)
{
	if (!length_fits(d, v) || text_has_controls(v))
		return false;
	store(d, out, &v, sizeof(v));
	return true;
}

bool field_put_money(const struct field *d, struct str number, void *out)
{
	money m;

	if (!money_from_number(number, &m) || m < d->min || m > d->max)
		return false;
	store(d, out, &m, sizeof(m));
	return true;
}

bool field_put_time(const struct field *d, struct str v, void *out)
{
	instant t;

	if (!time_parse(v, &t))
		return false;
	store(d, out, &t, sizeof(t));
	return true;
}

bool field_put_date(const struct field *d, struct str v, void *out)
{
	int64_t days;

	if (!date_parse(v, &days))
		return false;
	store(d, out, &days, sizeof(days));
	return true;
}

int field_word(const struct field *d, struct str v)
{
	for (int i = 0; d->words[i]; i++)
		if (str_is(v, d->words[i]))
			return i;
	return -1;
}

bool field_put_word(const struct field *d, struct str v, void *out)
{
	int i = field_word(d, v);

	if (i < 0)
		return false;
	store(d, out, &i, sizeof(i));
	return true;
}

void field_put_bool(const struct field *d, bool v, void *out)
{
	store(d, out, &v, sizeof(v));
}

bool text_has_controls(struct str v)
{
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.s[i];

		if (c < 0x20 ? c != '\n' && c != '\t' : c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < v.len && (unsigned char)v.s[i + 1] < 0xa0)	/* U+0080 to U+009F */
			return true;
	}
	return false;
}

/* "1 to 200", "at most 200" or, where only one will do, "6". */
static void add_bounds(struct buf *b, const struct field *d)
{
	if (d->min == d->max)
		buf_addf(b, "%" PRId64, d->max);
	else if (d->min <= 0)
		buf_addf(b, "at most %" PRId64, d->max);
	else
		buf_addf(b, "%" PRId64 " to %" PRId64, d->min, d->max);
}

static void add_money_bounds(struct buf *b, const struct field *d)
{
	char least[24], most[24];

	money_to_decimal(least, d->min);
	money_to_decimal(most, d->max);
	buf_addf(b, "a number from %s to %s with at most two decimals", least, most);
}

static void add_words(struct buf *b, const struct field *d)
{
	buf_adds(b, "one of: ");
	for (size_t i = 0; d->words[i]; i++) {
		buf_adds(b, i ? ", " : "");
		buf_adds(b, d->words[i]);
	}
}

static void add_kind(struct buf *b, const struct field *d)
{
	switch (d->type) {
	case FIELD_INT:
		buf_addf(b, "an integer from %" PRId64 " to %" PRId64, d->min, d->max);
		break;
	case FIELD_ID:
		buf_adds(b, "a positive integer");
		break;
	case FIELD_TEXT:
		buf_adds(b, "text of ");
		add_bounds(b, d);
		buf_adds(b, d->max == 1 ? " character" : " characters");
		break;
	case FIELD_MONEY:
		add_money_bounds(b, d);
		break;
	case FIELD_TIME:
		buf_adds(b, "a time with a UTC offset, such as 2026-02-26T17:00:00+05:30");
		break;
	case FIELD_DATE:
		buf_adds(b, "a date, such as 2026-12-25");
		break;
	case FIELD_BOOL:
		buf_adds(b, "true or false");
		break;
	case FIELD_ENUM:
	case FIELD_ENUM_SET:
		add_words(b, d);
		break;
	case FIELD_LIST:
		buf_adds(b, "a list of ");
		add_bounds(b, d);
		buf_adds(b, d->max == 1 ? " object" : " objects");
		break;
	case FIELD_SPANS:
		buf_addf(b, "a list of at most %" PRId64 " pairs of times, such as [[\"09:00\",\"13:00\"]]", d->max);
		break;
	case FIELD_OBJECT:
		buf_adds(b, "an object");
		break;
	case FIELD__MAX:
		break;
	}
}

const char *field_wish(struct arena *a, const struct field *d)
{
	struct buf b = BUF_IN(a);

	buf_adds(&b, "must be ");
	if (d->nullable)
		buf_adds(&b, d->type == FIELD_BOOL ? "null, " : "null or ");
	add_kind(&b, d);
	return b.s;
}

const char *field_text_wish(struct arena *a, const struct field *d, struct str v)
{
	static const char controls[] = "must not hold control characters other than new line and tab";

	if (!text_has_controls(v))
		return field_wish(a, d);
	if (length_fits(d, v))
		return controls;
	return arena_printf(a, "%s, and %s", field_wish(a, d), controls);
}
