/* csv.c - see csv.h. */
#include "csv.h"

struct buf *csv_plain(struct csv *c)
{
	if (c->has_cell)
		buf_addc(c->out, ',');
	c->has_cell = true;
	return c->out;
}

static bool holds_any(struct str s, const char *of)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.s[i] && strchr(of, s.s[i]))
			return true;
	return false;
}

/* Wide forms, which spreadsheets of East Asian locales read as = + - @. */
static bool begins_wide(struct str s)
{
	static const char *const wide[] = { "\uff1d", "\uff0b", "\uff0d", "\uff20" };
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (s.len >= 3 && memcmp(s.s, wide[i], 3) == 0)
			return true;
	return false;
}

/* Spaces before it are skipped by some. */
static bool is_formula(struct str s)
{
	while (s.len && *s.s == ' ')
		s = (struct str){ s.s + 1, s.len - 1 };
	return holds_any((struct str){ s.s, s.len ? 1 : 0 }, "=+-@\t\r\n") || begins_wide(s);
}

static void add_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	if (is_formula(s))
		buf_addc(b, '\'');
	while (s.len) {
		const char *quote = memchr(s.s, '"', s.len);
		size_t run = quote ? (size_t)(quote - s.s) + 1 : s.len;
		buf_add(b, s.s, run);
		if (quote)
			buf_addc(b, '"');
		s = (struct str){ s.s + run, s.len - run };
	}
	buf_addc(b, '"');
}

void csv_text(struct csv *c, struct str s)
{
	struct buf *b = csv_plain(c);
	if (holds_any(s, ",\"\r\n")) {
		add_quoted(b, s);
		return;
	}
	if (is_formula(s))
		buf_addc(b, '\'');
	buf_addstr(b, s);
}

void csv_end_row(struct csv *c)
{
	buf_adds(c->out, "\r\n");
	c->has_cell = false;
}
