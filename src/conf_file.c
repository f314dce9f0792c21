/* conf_file.c - the reader of the params file.
 * Owns: nginx's word syntax (ngx_conf_read_token is the model: the same file must give both of us the same values).
 * Does not own: the table of settings. Used by: conf.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf_file.h"
#include "arena.h"

#define FILE_MAX (1024u * 1024u)
#define PIECE 16384
#define WORDS_MAX 4	/* fastcgi_param NAME value if_not_empty */

enum token { TOKEN_WORD, TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_EOF, TOKEN_BAD };

struct word { struct str text; bool has_variable; unsigned line; };

struct reader {
	const char *p, *end;
	unsigned line;
	struct arena *arena;
	const char *why;	/* of a TOKEN_BAD */
};

struct directive { struct word word[WORDS_MAX]; size_t n; unsigned line; };

enum outcome conf_file_read(struct arena *a, const char *file, struct str *text, char *why, size_t n)
{
	FILE *f = fopen(file, "re");

	if (!f) {
		snprintf(why, n, "can't be opened: %s", strerror(errno));
		return OC_NOT_FOUND;
	}
	struct buf b = BUF_IN(a);
	size_t part;
	do {
		buf_reserve(&b, PIECE);
		part = fread(b.s + b.len, 1, PIECE, f);
		b.len += part;
	} while (part && b.len <= FILE_MAX);
	bool is_read = !ferror(f);
	int err = errno;
	fclose(f);
	if (!is_read) {
		snprintf(why, n, "can't be read: %s", strerror(err));
		return OC_NOT_FOUND;
	}
	if (b.len > FILE_MAX) {
		snprintf(why, n, "is larger than 1 MiB");
		return OC_NOT_FOUND;
	}
	*text = buf_str(&b);
	return OC_OK;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves on by one byte, counting lines. */
static void step(struct reader *r)
{
	if (*r->p == '\n')
		r->line++;
	r->p++;
}

static void skip_blank(struct reader *r)
{
	while (r->p < r->end && (is_space(*r->p) || *r->p == '#')) {
		if (*r->p == '#')
			while (r->p < r->end && *r->p != '\n')
				step(r);
		else
			step(r);
	}
}

/* nginx knows \" \' \\ \t \r \n; before any other character the backslash stays, and only keeps that character from ending the word. */
static struct str unescape(struct arena *a, const char *s, size_t len)
{
	char *out = arena_alloc(a, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		if (c == '\\' && i + 1 < len) {
			switch (s[i + 1]) {
			case '"': case '\'': case '\\': c = s[++i]; break;
			case 't': c = '\t'; i++; break;
			case 'r': c = '\r'; i++; break;
			case 'n': c = '\n'; i++; break;
			default: break;
			}
		}
		out[n++] = c;
	}
	return (struct str){ out, n };
}

/* Finds the end of the word that starts at r->p; quote is 0 for a bare one. False: the file ended before the closing quote. */
static bool scan_word(struct reader *r, char quote, struct word *w)
{
	bool after_dollar = false;

	for (; r->p < r->end; step(r)) {
		char c = *r->p;
		if (c == '\\') {
			after_dollar = false;
			step(r);
			if (r->p == r->end)
				return !quote;
			continue;
		}
		if (quote ? c == quote : is_space(c) || c == ';' || (c == '{' && !after_dollar))
			return true;
		after_dollar = c == '$';
		w->has_variable |= c == '$';
	}
	return !quote;
}

static enum token read_word(struct reader *r, struct word *w)
{
	char quote = *r->p == '"' || *r->p == '\'' ? *r->p : 0;

	*w = (struct word){ .line = r->line };
	if (quote)
		step(r);
	const char *start = r->p;
	if (!scan_word(r, quote, w)) {
		r->why = "a quote is opened here and never closed";
		return TOKEN_BAD;
	}
	w->text = unescape(r->arena, start, (size_t)(r->p - start));
	if (!quote)
		return TOKEN_WORD;
	step(r);
	if (r->p < r->end && !is_space(*r->p) && *r->p != ';' && *r->p != '{') {
		r->why = "a closing quote must be followed by a space or \";\"";
		return TOKEN_BAD;
	}
	return TOKEN_WORD;
}

static enum token next_token(struct reader *r, struct word *w)
{
	skip_blank(r);
	w->line = r->line;
	if (r->p == r->end)
		return TOKEN_EOF;
	switch (*r->p) {
	case ';': step(r); return TOKEN_END;
	case '{': step(r); return TOKEN_OPEN;
	case '}': step(r); return TOKEN_CLOSE;
	default: return read_word(r, w);
	}
}

static void fault(const struct conf_events *ev, unsigned line, const char *why)
{
	ev->fault(ev->ctx, line, why);
}

/* One complete directive outside any block. */
static void judge(const struct directive *d, struct arena *a, const struct conf_events *ev)
{
	const struct word *w = d->word;

	if (!str_is(w[0].text, "fastcgi_param")) {
		struct str s = w[0].text;
		if (s.len > 40)
			s.len = 40;
		fault(ev, d->line, arena_printf(a, "\"%.*s\" has no place here: only fastcgi_param lines have", STR_FMT(s)));
	} else if (d->n < 3 || d->n > 4) {
		fault(ev, d->line, "fastcgi_param takes a name and a value");
	} else if (d->n == 4 && !str_is(w[3].text, "if_not_empty")) {
		fault(ev, d->line, "after the value only if_not_empty may follow");
	} else if (w[1].text.len < 7 || memcmp(w[1].text.s, "PICKUP_", 7) != 0) {
		return;
	} else if (w[2].has_variable) {
		fault(ev, w[2].line, arena_printf(a, "%.*s holds a \"$\": settings can't use variables", STR_FMT(w[1].text)));
	} else {
		bool is_dropped = d->n == 4 && w[2].text.len == 0;
		ev->take(ev->ctx, w[1].line, w[1].text, is_dropped ? STR_NONE : w[2].text);
	}
}

static void add_word(struct directive *d, const struct word *w)
{
	if (d->n == 0)
		d->line = w->line;
	if (d->n < WORDS_MAX)
		d->word[d->n] = *w;
	d->n++;
}

/* After a malformed word: on to the ";" that ends its directive, or to the end. */
static void skip_directive(struct reader *r)
{
	while (r->p < r->end && *r->p != ';')
		step(r);
	if (r->p < r->end)
		step(r);
}

void conf_file_parse(struct arena *a, struct str text, const struct conf_events *ev)
{
	struct reader r = { .p = text.s, .end = text.s + text.len, .line = 1, .arena = a };
	struct directive d = { .n = 0 };
	unsigned depth = 0;
	struct word w;

	for (;;) {
		enum token t = next_token(&r, &w);
		if (t == TOKEN_WORD) {
			add_word(&d, &w);
			continue;
		}
		if (t == TOKEN_EOF) {
			if (d.n)
				fault(ev, d.line, "the file ends before the \";\" of this line");
			else if (depth)
				fault(ev, w.line, "the file ends before a \"}\"");
			return;
		}
		if (t == TOKEN_BAD) {
			fault(ev, w.line, r.why);
			skip_directive(&r);
		} else if (t == TOKEN_OPEN) {
			fault(ev, d.n ? d.line : w.line, "blocks have no place here: only fastcgi_param lines have");
			depth++;
		} else if (t == TOKEN_CLOSE) {
			if (depth == 0 || d.n)
				fault(ev, w.line, "unexpected \"}\"");
			depth -= depth > 0;
		} else if (d.n == 0) {
			fault(ev, w.line, "unexpected \";\"");
		} else if (depth == 0) {
			judge(&d, a, ev);
		}
		d.n = 0;
	}
}
