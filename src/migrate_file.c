/* migrate_file.c - the files sql/NNN_name.sql.
 * Owns: which files count, their order, their statements. Does not own: what is applied (migrate.c).
 * Used by: migrate.c. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "migrate_file.h"
#include "arena.h"
#include "log.h"

#define FILE_LARGEST ((size_t)16 << 20)

/* A place in a text. */
struct cursor { const char *p, *end; unsigned line; };

static bool at(const struct cursor *c, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(c->end - c->p) >= n && memcmp(c->p, what, n) == 0;
}

static void step(struct cursor *c, size_t n)
{
	for (; n > 0 && c->p < c->end; n--)
		c->line += *c->p++ == '\n';
}

/* "-- " to the end of the line (MySQL wants a blank after it), or "#". */
static bool skip_line_comment(struct cursor *c)
{
	const char *nl;

	if (!at(c, "#") && !(at(c, "--") && (c->end - c->p == 2 || (unsigned char)c->p[2] <= ' ')))
		return false;
	nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
	c->p = nl ? nl : c->end;
	return true;
}

/* Over a quoted text. A doubled quote is two texts side by side, which comes to the same. False: it is never closed. */
static bool skip_quoted(struct cursor *c)
{
	char quote = *c->p;

	step(c, 1);
	while (c->p < c->end && *c->p != quote)
		step(c, *c->p == '\\' && quote != '`' ? 2 : 1);
	if (c->p == c->end)
		return false;
	step(c, 1);
	return true;
}

static bool skip_block_comment(struct cursor *c)
{
	step(c, 2);
	while (c->p < c->end && !at(c, "*/"))
		step(c, 1);
	if (c->p == c->end)
		return false;
	step(c, 2);
	return true;
}

/* At a ";": whether nothing but blanks and a comment follows on its line. */
static bool ends_line(const struct cursor *at_semicolon)
{
	struct cursor c = *at_semicolon;

	step(&c, 1);
	while (c.p < c.end && (*c.p == ' ' || *c.p == '\t' || *c.p == '\r'))
		step(&c, 1);
	return c.p == c.end || *c.p == '\n' || skip_line_comment(&c);
}

/* Moves to the ";" that ends the statement, or to the end. *code: the line of its first word, 0 where there is none. A comment that opens
 * with an exclamation mark is code to a server. False: a quote or comment, opened at c->line, is never closed. */
static bool next_end(struct cursor *c, unsigned *code)
{
	*code = 0;
	while (c->p < c->end && !(*c->p == ';' && ends_line(c))) {
		struct cursor start = *c;
		bool is_comment = at(c, "/*") && !at(c, "/*!") && !at(c, "/*M!"), closed = true;

		if (skip_line_comment(c))
			continue;
		if (!is_comment && (unsigned char)*c->p > ' ' && !*code)
			*code = c->line;
		if (at(c, "/*"))
			closed = skip_block_comment(c);
		else if (strchr("'\"`", *c->p) && *c->p)
			closed = skip_quoted(c);
		else
			step(c, 1);
		if (!closed) {
			*c = start;
			return false;
		}
	}
	return true;
}

bool migration_split(struct arena *a, struct str text, struct migration_statement **out, size_t *n, unsigned *line)
{
	struct cursor c = { text.s, text.s + text.len, 1 };
	size_t cap = 1;

	for (size_t i = 0; i < text.len; i++)
		cap += text.s[i] == ';';
	*out = arena_array(a, cap, sizeof **out);
	*n = 0;
	while (c.p < c.end) {
		const char *from = c.p;
		unsigned code;

		if (!next_end(&c, &code)) {
			*line = c.line;
			return false;
		}
		if (code)
			(*out)[(*n)++] = (struct migration_statement){ { from, (size_t)(c.p - from) }, code };
		step(&c, 1);
	}
	return true;
}

/* NNN_name.sql. False: something else. */
static bool parse_name(const char *name, unsigned *number)
{
	size_t len = strlen(name), word = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	if (strspn(name, "0123456789") != 3 || name[3] != '_' || len < 9 || word != len - 4 || strcmp(name + word, ".sql") != 0)
		return false;
	*number = (unsigned)strtoul(name, NULL, 10);
	return true;
}

static bool read_file(struct arena *a, const char *path, struct str *out)
{
	FILE *f = fopen(path, "re");
	struct buf b = BUF_IN(a);
	char part[16384];
	bool ok = f != NULL;
	size_t n;

	while (ok && (n = fread(part, 1, sizeof part, f)) > 0) {
		buf_add(&b, part, n);
		if (b.len > FILE_LARGEST) {
			errno = EFBIG;
			ok = false;
		}
	}
	if (!ok || ferror(f)) {
		log_error("migrate: %s: %s", path, strerror(errno));
		ok = false;
	}
	if (f)
		fclose(f);
	*out = buf_str(&b);
	return ok;
}

static const char *checksum_of(struct arena *a, struct str text)
{
	unsigned char hash[crypto_generichash_BYTES];
	char *hex = arena_alloc(a, 2 * sizeof hash + 1);

	if (sodium_init() < 0)
		log_die("libsodium can't start");
	crypto_generichash(hash, sizeof hash, (const unsigned char *)text.s, text.len, NULL, 0);
	return sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
}

static bool load_one(struct arena *a, const char *dir, const char *name, struct migration *m)
{
	const char *path = arena_printf(a, "%s/%s", dir, name);
	struct str text;
	unsigned line;

	if (!read_file(a, path, &text))
		return false;
	if (!text.len)
		text = STR("");
	if (memchr(text.s, '\0', text.len) || !str_is_utf8(text)) {
		log_error("migrate: %s: not UTF-8 text", path);
		return false;
	}
	m->name = arena_strdup(a, name);
	m->checksum = checksum_of(a, text);
	if (!migration_split(a, text, &m->statements, &m->n, &line)) {
		log_error("migrate: %s:%u: a quote or comment opens here and is never closed", path, line);
		return false;
	}
	return true;
}

/* The names, put in their places; highest tells the last one. */
static enum outcome collect(struct arena *a, DIR *d, const char *dir, const char **names, unsigned *highest)
{
	const struct dirent *e;
	unsigned number;

	*highest = 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		if (!parse_name(e->d_name, &number) || !number) {
			log_error("migrate: %s/%s: not named NNN_name.sql, from 001 on", dir, e->d_name);
			return OC_BAD;
		}
		if (names[number]) {
			log_error("migrate: %s: %s and %s have the same number", dir, names[number], e->d_name);
			return OC_CONFLICT;
		}
		names[number] = arena_strdup(a, e->d_name);
		if (number > *highest)
			*highest = number;
	}
	return OC_OK;
}

enum outcome migration_load(struct arena *a, const char *dir, struct migration **out, size_t *n)
{
	const char **names = arena_array(a, 1000, sizeof *names);
	DIR *d = opendir(dir);
	unsigned highest = 0;
	enum outcome oc;

	*n = 0;
	if (!d) {
		log_error("migrate: %s: %s", dir, strerror(errno));
		return OC_BAD;
	}
	oc = collect(a, d, dir, names, &highest);
	closedir(d);
	if (oc == OC_OK && !highest) {
		log_error("migrate: %s: no migrations", dir);
		oc = OC_BAD;
	}
	*out = arena_array(a, highest, sizeof **out);
	for (unsigned i = 1; oc == OC_OK && i <= highest; i++) {
		if (!names[i]) {
			log_error("migrate: %s: number %03u is missing, though there is %s", dir, i, names[highest]);
			return OC_CONFLICT;
		}
		if (!load_one(a, dir, names[i], &(*out)[i - 1]))
			return OC_BAD;
	}
	if (oc == OC_OK)
		*n = highest;
	return oc;
}
