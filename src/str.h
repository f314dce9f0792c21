/* str.h - byte strings with a length, and a buffer that grows in an arena.
 * Owns: struct str, struct buf, JSON string escaping. Used by: everything that reads or writes text. */
#ifndef PICKUP_STR_H
#define PICKUP_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

/* Borrowed text: len bytes at s; s is NULL for "none" (JSON null, SQL NULL, header absent). Not always
 * NUL-terminated: use "%.*s" with STR_FMT. */
struct str { const char *s; size_t len; };

#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
#define STR_FMT(x) (int)(x).len, (x).s ? (x).s : ""

struct str str_from(const char *cstr);			/* NULL gives STR_NONE */
struct str str_dup(struct arena *a, struct str s);	/* arena copy, NUL-terminated; none stays none */
bool str_eq(struct str a, struct str b);		/* none equals only none */
bool str_is(struct str a, const char *cstr);
bool str_is_nocase(struct str a, const char *cstr);	/* ASCII case only */
struct str str_trim(struct str s);			/* without spaces and tabs at both ends */
struct str str_cut(struct str s, char c, struct str *rest);	/* what stands before the first c, or all; *rest: what follows it, or "" */
/* Decimal digits only, no sign, no leading zero but "0" itself, at most max. False leaves *out alone. */
bool str_to_uint(struct str s, uint64_t max, uint64_t *out);
/* How many Unicode code points; the text must be valid UTF-8. */
size_t str_codepoints(struct str s);
bool str_is_utf8(struct str s);

/* A buffer that grows in its arena; s stays NUL-terminated once something was added. */
struct buf { char *s; size_t len, cap; struct arena *arena; };

#define BUF_IN(a) ((struct buf){ .arena = (a) })

void buf_grow(struct buf *b, size_t more);	/* for buf_reserve */

/* Room for more bytes and a NUL. */
static inline void buf_reserve(struct buf *b, size_t more)
{
	if (more >= b->cap - b->len)
		buf_grow(b, more);
}

/* These stand here so that what is appended most, texts whose length the compiler knows, costs a few moves. */
static inline void buf_add(struct buf *b, const char *s, size_t len)
{
	buf_reserve(b, len);
	if (len)
		memcpy(b->s + b->len, s, len);
	b->len += len;
	b->s[b->len] = '\0';
}

static inline void buf_adds(struct buf *b, const char *cstr)
{
	buf_add(b, cstr, strlen(cstr));
}

static inline void buf_addstr(struct buf *b, struct str s)
{
	buf_add(b, s.s, s.len);
}

static inline void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_adduint(struct buf *b, uint64_t v);
extern const char digit_pairs[];	/* "00010203…99" */
/* The two digits of v, which is below 100. Gives what follows them. */
static inline char *put_pair(char *p, unsigned v)
{
	memcpy(p, digit_pairs + 2 * v, 2);
	return p + 2;
}
/* s as a JSON string with its quotes, or null for none. Escapes ", \ and control characters; everything
 * else passes as it is (valid UTF-8 is the caller's duty). RFC 8259 section 7. */
void buf_addjson(struct buf *b, struct str s);
/* How many of the len bytes at p stand for themselves in a JSON string: up to the first ", \ or control character. */
size_t json_plain_run(const char *p, size_t len);
struct str buf_str(const struct buf *b);

#endif
