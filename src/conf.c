/* conf.c - the store of the settings in force.
 * Owns: the base (defaults, file, environment), what a request lays over it, last good values, logging a fault once.
 * Does not own: the table and its bounds (conf_value.c), the syntax of the file (conf_file.c). Used by: worker, relay, tools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "arena.h"
#include "conf_file.h"
#include "conf_value.h"
#include "log.h"

#define WHY_MAX 512
#define FAULTS_KEPT 64

/* One text that was in force once. */
struct text { struct text *next; char s[]; };

struct conf_store {
	struct conf live, base;
	bool is_pinned[CONF_SETTINGS];	/* by conf_set, which stands above the file */
	struct text *texts;		/* kept until the end: whoever borrowed one can't be left with a dangling pointer, and values are few */
	char *seen;			/* the PICKUP_ entries that live was made from, each with its NUL */
	size_t seen_len, seen_cap;
	char *faults[FAULTS_KEPT];	/* entries whose fault was logged */
	size_t fault_n;
};

static void *need(void *p)
{
	if (!p)
		log_die("no memory for the settings");
	return p;
}

static const char *intern(struct conf_store *s, struct str v)
{
	struct text *t;

	for (t = s->texts; t; t = t->next)
		if (str_is(v, t->s))
			return t->s;
	t = need(malloc(sizeof *t + v.len + 1));
	memcpy(t->s, v.s, v.len);
	t->s[v.len] = '\0';
	t->next = s->texts;
	s->texts = t;
	return t->s;
}

static int64_t *int_field(const struct setting *t, struct conf *c) { return (int64_t *)(void *)((char *)c + t->offset); }
static bool *bool_field(const struct setting *t, struct conf *c) { return (bool *)(void *)((char *)c + t->offset); }
static const char **text_field(const struct setting *t, struct conf *c) { return (const char **)(void *)((char *)c + t->offset); }

/* Makes the setting the same in to as in from. True where it differed. */
static bool copy_field(const struct setting *t, struct conf *to, const struct conf *from)
{
	size_t size = t->type == SETTING_BOOL ? sizeof(bool) :
		t->type == SETTING_INT || t->type == SETTING_WORD ? sizeof(int64_t) : sizeof(char *);
	char *dst = (char *)to + t->offset;
	const char *src = (const char *)from + t->offset;

	/* equal texts are one address: they are interned */
	if (memcmp(dst, src, size) == 0)
		return false;
	memcpy(dst, src, size);
	return true;
}

/* Reads the value into its field of c. False: why says what is wrong with it, c is as it was. */
static bool take_value(struct conf_store *s, const struct setting *t, struct str v, struct conf *c, char *why, size_t n)
{
	int64_t number;

	if (!conf_value_parse(t, v, &number, why, n))
		return false;
	switch (t->type) {
	case SETTING_INT: case SETTING_WORD: *int_field(t, c) = number; break;
	case SETTING_BOOL: *bool_field(t, c) = number != 0; break;
	case SETTING_TEXT: case SETTING_PATH: case SETTING_URLS: *text_field(t, c) = intern(s, v); break;
	}
	return true;
}

static void set_defaults(struct conf_store *s, struct conf *c)
{
	char why[WHY_MAX];

	for (size_t i = 0; i < CONF_SETTINGS; i++)
		if (!take_value(s, &conf_rows[i], str_from(conf_rows[i].fallback), c, why, sizeof why))
			log_die("default of a setting: %s", why);
}

struct conf_store *conf_new(void)
{
	struct conf_store *s = need(calloc(1, sizeof *s));

	set_defaults(s, &s->base);
	s->live = s->base;
	return s;
}

void conf_free(struct conf_store *s)
{
	if (!s)
		return;
	free(s->seen);
	for (size_t i = 0; i < s->fault_n; i++)
		free(s->faults[i]);
	while (s->texts) {
		struct text *t = s->texts;
		s->texts = t->next;
		free(t);
	}
	free(s);
}

const struct conf *conf_get(const struct conf_store *s)
{
	return &s->live;
}

bool conf_set(struct conf_store *s, struct str name, struct str value, char *why, size_t n)
{
	const struct setting *t = conf_find(name);

	if (!t) {
		conf_value_unknown(name, why, n);
		return false;
	}
	if (!take_value(s, t, value, &s->base, why, n))
		return false;
	s->is_pinned[t - conf_rows] = true;
	copy_field(t, &s->live, &s->base);
	s->seen_len = 0;
	return true;
}

struct loading {
	struct conf_store *store;
	struct conf next;		/* becomes the base */
	bool is_given[CONF_SETTINGS];
	bool is_faulty;
	const char *file;
	conf_report *report;
	void *ctx;
};

static void load_fault(void *ctx, unsigned line, const char *why)
{
	struct loading *l = ctx;

	l->is_faulty = true;
	l->report(l->ctx, l->file, line, why);
}

static void load_take(void *ctx, unsigned line, struct str name, struct str value)
{
	struct loading *l = ctx;
	const struct setting *t = conf_find(name);
	char why[WHY_MAX];

	if (!t) {
		conf_value_unknown(name, why, sizeof why);
		load_fault(l, line, why);
		return;
	}
	size_t i = (size_t)(t - conf_rows);
	if (l->is_given[i]) {
		snprintf(why, sizeof why, "%s: given a second time", t->name);
		load_fault(l, line, why);
		return;
	}
	l->is_given[i] = true;
	if (value.s && !take_value(l->store, t, value, &l->next, why, sizeof why)) {
		copy_field(t, &l->next, &l->store->base);
		load_fault(l, line, why);
	}
}

enum outcome conf_load(struct conf_store *s, const char *file, conf_report *report, void *ctx)
{
	struct loading l = { .store = s, .file = file, .report = report, .ctx = ctx };
	struct conf_events ev = { .take = load_take, .fault = load_fault, .ctx = &l };
	struct arena *a = arena_new();
	struct str text;
	char why[WHY_MAX];
	enum outcome oc = conf_file_read(a, file, &text, why, sizeof why);

	if (oc != OC_OK) {
		report(ctx, file, 0, why);
		arena_free(a);
		return oc;
	}
	set_defaults(s, &l.next);
	conf_file_parse(a, text, &ev);
	arena_free(a);
	for (size_t i = 0; i < CONF_SETTINGS; i++)
		if (!s->is_pinned[i])
			copy_field(&conf_rows[i], &s->base, &l.next);
	for (size_t i = 0; i < CONF_SETTINGS; i++)
		copy_field(&conf_rows[i], &s->live, &s->base);
	s->seen_len = 0;
	return l.is_faulty ? OC_REFUSED : OC_OK;
}

/* Logs the fault of an entry, once while the process lives (or until many others came in between). */
static void log_once(struct conf_store *s, const char *entry, const char *why)
{
	for (size_t i = 0; i < s->fault_n; i++)
		if (strcmp(s->faults[i], entry) == 0)
			return;
	if (s->fault_n == FAULTS_KEPT)
		while (s->fault_n)
			free(s->faults[--s->fault_n]);
	s->faults[s->fault_n++] = need(strdup(entry));
	log_warn("fastcgi_param ignored: %s", why);
}

static bool is_as_seen(const struct conf_store *s, char *const *params)
{
	size_t at = 0;

	for (; *params; params++)
		if (conf_is_setting(*params)) {
			if (at == s->seen_len || strcmp(*params, s->seen + at) != 0)
				return false;
			at += strlen(*params) + 1;
		}
	return at == s->seen_len;
}

static void remember(struct conf_store *s, const char *entry)
{
	size_t size = strlen(entry) + 1;

	if (s->seen_cap - s->seen_len < size) {
		s->seen_cap = 2 * (s->seen_len + size);
		s->seen = need(realloc(s->seen, s->seen_cap));
	}
	memcpy(s->seen + s->seen_len, entry, size);
	s->seen_len += size;
}

static void take_entry(struct conf_store *s, const char *entry, struct conf *next)
{
	const char *eq = strchrnul(entry, '=');
	struct str name = { entry, (size_t)(eq - entry) };
	struct str value = str_from(*eq ? eq + 1 : eq);
	const struct setting *t = conf_find(name);
	char why[WHY_MAX];

	if (!t) {
		conf_value_unknown(name, why, sizeof why);
		log_once(s, entry, why);
	} else if (!take_value(s, t, value, next, why, sizeof why)) {
		copy_field(t, next, &s->live);
		log_once(s, entry, why);
	}
}

bool conf_from_params(struct conf_store *s, char *const *params)
{
	struct conf next = s->base;
	bool has_changed = false;

	if (is_as_seen(s, params))
		return false;
	s->seen_len = 0;
	for (; *params; params++)
		if (conf_is_setting(*params)) {
			take_entry(s, *params, &next);
			remember(s, *params);
		}
	for (size_t i = 0; i < CONF_SETTINGS; i++)
		has_changed |= copy_field(&conf_rows[i], &s->live, &next);
	return has_changed;
}

void conf_dump(const struct conf_store *s, struct buf *out)
{
	struct conf c = s->live;

	for (size_t i = 0; i < CONF_SETTINGS; i++) {
		const struct setting *t = &conf_rows[i];
		buf_addf(out, "%s=", t->name);
		switch (t->type) {
		case SETTING_INT: buf_addf(out, "%lld", (long long)*int_field(t, &c)); break;
		case SETTING_WORD: buf_adds(out, t->words[*int_field(t, &c)]); break;
		case SETTING_BOOL: buf_adds(out, *bool_field(t, &c) ? "on" : "off"); break;
		case SETTING_TEXT: case SETTING_PATH: case SETTING_URLS: buf_adds(out, *text_field(t, &c)); break;
		}
		buf_addc(out, '\n');
	}
}
