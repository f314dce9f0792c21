/* str.c - byte strings with a length, growing buffers, JSON string escaping.
 * Owns: comparing, checking and appending text. Does not own: memory (arena.c), JSON as a whole (input.c, render.c).
 * Used by: everything that reads or writes text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"
#include "arena.h"
#include "log.h"

#define BUF_FIRST 256

struct str str_from(const char *cstr)
{
	return cstr ? (struct str){ cstr, strlen(cstr) } : STR_NONE;
}

struct str str_dup(struct arena *a, struct str s)
{
	return s.s ? (struct str){ arena_memdup(a, s.s, s.len), s.len } : STR_NONE;
}

bool str_eq(struct str a, struct str b)
{
	if (!a.s || !b.s)
		return !a.s && !b.s;
	return a.len == b.len && memcmp(a.s, b.s, a.len) == 0;
}

bool str_is(struct str a, const char *cstr)
{
	return str_eq(a, str_from(cstr));
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool str_is_nocase(struct str a, const char *cstr)
{
	struct str b = str_from(cstr);

	if (!a.s || !b.s)
		return !a.s && !b.s;
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.s[i]) != lower(b.s[i]))
			return false;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(s.s[0])) {
		s.s++;
		s.len--;
	}
	while (s.len && is_blank(s.s[s.len - 1]))
		s.len--;
	return s;
}

struct str str_cut(struct str s, char c, struct str *rest)
{
	const char *at = s.len ? memchr(s.s, c, s.len) : NULL;

	if (!at) {
		*rest = STR("");
		return s;
	}
	*rest = (struct str){ at + 1, s.len - (size_t)(at - s.s) - 1 };
	return (struct str){ s.s, (size_t)(at - s.s) };
}

bool str_to_uint(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0 || (s.len > 1 && s.s[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.s[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v) || v > max)
			return false;
	}
	*out = v;
	return true;
}

size_t str_codepoints(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.s[i] & 0xc0) != 0x80;
	return n;
}

/* The length of the well-formed sequence at p (RFC 3629 section 4), 0 for none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;	/* what the second byte may be */
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;		/* shorter forms exist */
	else if (p[0] == 0xed)
		high = 0x9f;		/* surrogates */
	else if (p[0] == 0xf0)
		low = 0x90;		/* shorter forms exist */
	else if (p[0] == 0xf4)
		high = 0x8f;		/* beyond U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

#define EACH_BYTE(v) (UINT64_C(0x0101010101010101) * (v))

/* The eight bytes at p, as most are. */
static bool is_ascii(const char *p)
{
	uint64_t x;

	memcpy(&x, p, 8);
	return !(x & EACH_BYTE(0x80));
}

bool str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.s;

	for (size_t i = 0, n; i < s.len; i += n) {
		n = i + 8 <= s.len && is_ascii(s.s + i) ? 8 : utf8_sequence(p + i, s.len - i);
		if (!n)
			return false;
	}
	return true;
}

void buf_grow(struct buf *b, size_t more)
{
	size_t need, cap;

	if (__builtin_add_overflow(b->len, more, &need) || __builtin_add_overflow(need, 1, &need)
	    || need > SIZE_MAX / 16)
		log_die("out of memory: a buffer of %zu bytes and %zu more", b->len, more);
	cap = b->cap ? b->cap * 2 : BUF_FIRST;
	if (cap < need)
		cap = need;
	b->s = arena_grow(b->arena, b->s, b->cap, cap);
	b->cap = cap;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	buf_reserve(b, 64);
	len = vsnprintf(b->s + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (len < 0)
		log_die("a text can't be formatted: \"%s\"", fmt);
	if ((size_t)len >= b->cap - b->len) {
		buf_reserve(b, (size_t)len);
		vsnprintf(b->s + b->len, b->cap - b->len, fmt, again);
	}
	va_end(again);
	b->len += (size_t)len;
}

const char digit_pairs[] =
	"00010203040506070809" "10111213141516171819" "20212223242526272829" "30313233343536373839" "40414243444546474849"
	"50515253545556575859" "60616263646566676869" "70717273747576777879" "80818283848586878889" "90919293949596979899";

static unsigned count_digits(uint64_t v)
{
	unsigned n = 1;

	for (; v >= 100; v /= 100)
		n += 2;
	return n + (v >= 10);
}

void buf_adduint(struct buf *b, uint64_t v)
{
	unsigned n = count_digits(v);
	char *end;

	buf_reserve(b, n);
	b->len += n;
	end = b->s + b->len;
	*end = '\0';
	for (; v >= 10; v /= 100)
		put_pair(end -= 2, (unsigned)(v % 100));
	if (n % 2)
		end[-1] = (char)('0' + v);
}

#define HAS_BELOW(x, n) (((x) - EACH_BYTE(n)) & ~(x) & EACH_BYTE(0x80))

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

static bool has_escape(const char *p)
{
	uint64_t x;

	memcpy(&x, p, 8);
	return HAS_BELOW(x, 0x20) | HAS_BELOW(x ^ EACH_BYTE('"'), 1) | HAS_BELOW(x ^ EACH_BYTE('\\'), 1);
}

/* Eight bytes at a time, the last of which may overlap: most names and notes hold nothing to escape. */
static bool is_plain(struct str s)
{
	size_t i = 0;

	if (s.len < 8) {
		while (i < s.len && !needs_escape((unsigned char)s.s[i]))
			i++;
		return i == s.len;
	}
	for (; i + 8 < s.len; i += 8)
		if (has_escape(s.s + i))
			return false;
	return !has_escape(s.s + s.len - 8);
}

size_t json_plain_run(const char *p, size_t len)
{
	size_t i = 0;

	while (i + 8 <= len && !has_escape(p + i))
		i += 8;
	while (i < len && !needs_escape((unsigned char)p[i]))
		i++;
	return i;
}

static void add_escaped(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char names[0x20] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };

	if (c >= 0x20)
		buf_add(b, (char[]){ '\\', (char)c }, 2);
	else if (names[c])
		buf_add(b, (char[]){ '\\', names[c] }, 2);
	else
		buf_add(b, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

static void add_runs(struct buf *b, struct str s)
{
	for (;;) {
		size_t run = json_plain_run(s.s, s.len);

		buf_add(b, s.s, run);
		if (run == s.len)
			return;
		add_escaped(b, (unsigned char)s.s[run]);
		s.s += run + 1;
		s.len -= run + 1;
	}
}

void buf_addjson(struct buf *b, struct str s)
{
	if (!s.s) {
		buf_add(b, "null", 4);
		return;
	}
	buf_reserve(b, s.len + 2);	/* all of it, where nothing is escaped */
	buf_addc(b, '"');
	if (is_plain(s))
		buf_add(b, s.s, s.len);
	else
		add_runs(b, s);
	buf_addc(b, '"');
}

struct str buf_str(const struct buf *b)
{
	return (struct str){ b->s ? b->s : "", b->len };
}
