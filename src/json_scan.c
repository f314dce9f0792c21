/* json_scan.c - whether a text is RFC 8259 JSON, strictly.
 * Owns: grammar, surrogate pairs, limits. Does not own: the tree.
 * Used by: json_body.c, because json-c takes NaN, -.5, 1., 'x', raw control characters, overlong UTF-8 and lone surrogates. */
#include <stdint.h>
#include <string.h>
#include "json_scan.h"

struct scan {
	const unsigned char *p, *end;
	const char *why;		/* the first fault */
	bool nul;			/* the string just read held \u0000 */
	bool any_nul;			/* or one before it */
};

static const char not_json[] = "the body is not valid JSON";
static const char cut_off[] = "the body ends in the middle of the JSON value";

static bool fail(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

static bool fail_syntax(struct scan *s)
{
	return fail(s, s->p < s->end ? not_json : cut_off);
}

static bool scan_hex4(struct scan *s, unsigned *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++, s->p++) {
		unsigned c = s->p < s->end ? *s->p : 0, digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10;
		else
			return fail_syntax(s);
		*unit = *unit << 4 | digit;
	}
	return true;
}

/* What follows a backslash. */
static bool scan_escape(struct scan *s)
{
	static const char half[] = "a string holds half of a surrogate pair";
	unsigned unit;

	if (s->p == s->end || !*s->p || !strchr("\"\\/bfnrtu", *s->p))
		return fail_syntax(s);
	if (*s->p++ != 'u')
		return true;
	if (!scan_hex4(s, &unit))
		return false;
	if (unit == 0)
		s->nul = s->any_nul = true;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit > 0xdbff || s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return fail(s, half);
	s->p += 2;
	if (!scan_hex4(s, &unit))
		return false;
	return (unit >= 0xdc00 && unit <= 0xdfff) || fail(s, half);
}

/* From behind the opening quote to behind the closing one. */
static bool scan_string(struct scan *s)
{
	s->nul = false;
	for (;;) {
		s->p += json_plain_run((const char *)s->p, (size_t)(s->end - s->p));
		if (s->p == s->end)
			return fail(s, cut_off);
		if (*s->p < 0x20)
			return fail(s, "a string holds a control character that is not escaped");
		if (*s->p++ == '"')
			return true;
		if (!scan_escape(s))
			return false;
	}
}

static bool scan_digits(struct scan *s)
{
	const unsigned char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > from || fail_syntax(s);
}

static bool scan_number(struct scan *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;			/* a digit after it is then refused as what may not follow a value */
	else if (!scan_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p | 0x20) == 'e') {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		return scan_digits(s);
	}
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t len = strlen(word), left = (size_t)(s->end - s->p);

	if (memcmp(s->p, word, left < len ? left : len) != 0)
		return fail(s, not_json);
	if (left < len)
		return fail(s, cut_off);
	s->p += len;
	return true;
}

/* Any value but an array or an object. */
static bool scan_scalar(struct scan *s)
{
	switch (*s->p) {
	case '"':
		s->p++;
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
		return scan_number(s);
	default:
		return fail(s, not_json);
	}
}

static bool skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
	return s->p < s->end;
}

/* A member's name and its colon. */
static bool scan_name(struct scan *s)
{
	if (!skip_space(s) || *s->p != '"')
		return fail_syntax(s);
	s->p++;
	if (!scan_string(s))
		return false;
	if (s->nul)		/* json-c ends names there: "shop_id\u0000" would pass for "shop_id" */
		return fail(s, "a member's name holds \\u0000");
	if (!skip_space(s) || *s->p != ':')
		return fail_syntax(s);
	s->p++;
	return true;
}

/* Where the scan stands; depth counts what is open, bit i of objects tells what is open at depth i + 1. */
struct nest { unsigned depth, containers; uint32_t objects; };

_Static_assert(JSON_DEPTH_MAX <= 32, "one bit a level");

static bool in_object(const struct nest *n)
{
	return n->objects >> (n->depth - 1) & 1;
}

/* Opens the array or object at s->p; *done where it is empty and so closed again. */
static bool scan_open(struct scan *s, struct nest *n, struct json_shape *shape, bool *done)
{
	bool object = *s->p++ == '{';

	if (n->depth == JSON_DEPTH_MAX)
		return fail(s, "the body is nested too deeply");
	if (++n->containers > JSON_CONTAINERS_MAX)
		return fail(s, "the body holds too many arrays and objects");
	*done = skip_space(s) && *s->p == (object ? '}' : ']');
	if (*done) {
		s->p++;
		return true;
	}
	n->objects = (n->objects & ~(UINT32_C(1) << n->depth)) | (uint32_t)object << n->depth;
	n->depth++;
	if (shape->depth < n->depth)
		shape->depth = n->depth;
	if (!object)
		return true;
	shape->members++;
	return scan_name(s);
}

/* Behind a value: closes what ends here, up to the next comma or the end of the outermost value. */
static bool scan_close(struct scan *s, struct nest *n, struct json_shape *shape)
{
	while (n->depth > 0) {
		bool object = in_object(n);

		if (!skip_space(s))
			return fail(s, cut_off);
		if (*s->p == ',') {
			s->p++;
			shape->members += object;
			return !object || scan_name(s);
		}
		if (*s->p != (object ? '}' : ']'))
			return fail(s, not_json);
		s->p++;
		n->depth--;
	}
	return true;
}

static bool scan_value(struct scan *s, struct json_shape *shape)
{
	struct nest n = { 0 };

	do {
		bool done = true;

		if (!skip_space(s))
			return fail(s, cut_off);
		if (*s->p == '{' || *s->p == '[') {
			if (!scan_open(s, &n, shape, &done))
				return false;
		} else if (!scan_scalar(s)) {
			return false;
		}
		if (done && !scan_close(s, &n, shape))
			return false;
	} while (n.depth > 0);
	return true;
}

const char *json_scan(struct str text, struct json_shape *shape)
{
	struct scan s = { .p = (const unsigned char *)text.s, .why = not_json };

	*shape = (struct json_shape){ 0 };
	if (text.len == 0)
		return "the body is empty";
	if (text.len >= 3 && memcmp(text.s, "\xef\xbb\xbf", 3) == 0)
		return "the body starts with a byte order mark";
	if (!str_is_utf8(text))
		return "the body is not valid UTF-8";
	s.end = s.p + text.len;
	if (!skip_space(&s))
		return "the body is empty";
	shape->object = *s.p == '{';
	if (!scan_value(&s, shape))
		return s.why;
	shape->nul = s.any_nul;
	return skip_space(&s) ? "something follows the JSON value" : NULL;
}
