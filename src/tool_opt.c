/* tool_opt.c - options of the command-line verbs.
 * Owns: parsing by table, help texts, running a verb, cells. Does not own: what a verb does (tool_*.c), settings (tool.c).
 * Used by: tool_user.c, tool_shop.c, tool_check.c. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "tool_opt.h"
#include "arena.h"
#include "migrate.h"

/* getopt's values: a row of the table is ROW + its index. */
enum { PARAMS = 256, HELP, ROW };

void opt_fault(struct call *c, const char *name, const char *fmt, ...)
{
	va_list ap;
	char text[512];
	bool is_operand = false;

	for (size_t i = 0; i < c->verb->n; i++)
		if (strcmp(c->verb->opts[i].name, name) == 0)
			is_operand = c->verb->opts[i].is_operand;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	tool_fail(EX_USAGE, c->mode, "%s%s: %s", is_operand ? "" : "--", name, text);
	c->faults++;
}

int opt_flush(const char *mode, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return tool_fail(EX_IOERR, mode, "can't write to standard output: %s", strerror(errno));
}

/* help */

static const char *value_name(struct arena *a, const struct opt *o)
{
	struct buf b = BUF_IN(a);

	if (o->kind != OPT_WORD)
		return o->value;
	for (size_t i = 0; o->words[i]; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", o->words[i]);
	return b.s;
}

/* "--phone P", "ID", "--ticket" */
static const char *opt_form(struct arena *a, const struct opt *o)
{
	if (o->is_operand)
		return o->name;
	if (o->kind == OPT_FLAG)
		return arena_printf(a, "--%s", o->name);
	return arena_printf(a, "--%s %s", o->name, value_name(a, o));
}

static void help_verb(const struct call *c)
{
	const struct verb *v = c->verb;

	printf("usage: pickup %s", c->mode);
	for (size_t i = 0; i < v->n; i++)
		printf(v->opts[i].is_required ? " %s" : " [%s]", opt_form(c->arena, &v->opts[i]));
	printf(" [--params FILE]\n%s\n\n", v->help);
	for (size_t i = 0; i < v->n; i++)
		printf("  %-33s %s\n", opt_form(c->arena, &v->opts[i]), v->opts[i].help);
	printf("  %-33s %s\n", "--params FILE", "the settings: nginx/pickup.params; PICKUP_… in the environment go before it");
	printf("  %-33s %s\n", "--help", "this text");
}

static void help_mode(const struct verbs *t, FILE *to)
{
	fprintf(to, "usage: pickup %s VERB [OPTION…]\n%s\n\n", t->mode, t->help);
	for (size_t i = 0; i < t->n; i++)
		fprintf(to, "  %-8s %s\n", t->v[i].name, t->v[i].help);
	fprintf(to, "\n`pickup %s VERB --help` tells the options of a verb.\n", t->mode);
}

/* values */

/* Any base type's alignment: the target stands in the verb's struct. */
static void *target(const struct call *c, const struct opt *o)
{
	return (char *)c->opts + o->offset;
}

static void unset(const struct call *c, const struct opt *o)
{
	switch (o->kind) {
	case OPT_FLAG: *(bool *)target(c, o) = false; break;
	case OPT_TEXT: *(struct str *)target(c, o) = STR_NONE; break;
	case OPT_UINT: *(uint64_t *)target(c, o) = OPT_UINT_UNSET; break;
	case OPT_WORD: *(int *)target(c, o) = -1; break;
	case OPT_MONEY: *(money *)target(c, o) = -1; break;
	case OPT__MAX: break;
	}
}

static void take_text(struct call *c, const struct opt *o, struct str text)
{
	struct str *out = target(c, o);
	const char *why = "";

	if (!o->rule || (o->is_clearable && text.len == 0))
		*out = text;
	else if (!o->rule(c->arena, text, out, &why))
		opt_fault(c, o->name, "%s", why);
}

static void take_uint(struct call *c, const struct opt *o, struct str text)
{
	uint64_t v;

	if (str_to_uint(text, o->max, &v) && v >= o->min)
		*(uint64_t *)target(c, o) = v;
	else if (o->max == OPT_ID_MAX)
		opt_fault(c, o->name, "must be an id: a whole number from %llu", (unsigned long long)o->min);
	else
		opt_fault(c, o->name, "must be a whole number from %llu to %llu", (unsigned long long)o->min, (unsigned long long)o->max);
}

static void take_word(struct call *c, const struct opt *o, struct str text)
{
	for (int i = 0; o->words[i]; i++) {
		if (str_is(text, o->words[i])) {
			*(int *)target(c, o) = i;
			return;
		}
	}
	opt_fault(c, o->name, "must be %s", value_name(c->arena, o));
}

static void take_value(struct call *c, const struct opt *o, const char *value)
{
	struct str text = str_from(value);

	switch (o->kind) {
	case OPT_FLAG: *(bool *)target(c, o) = true; break;
	case OPT_TEXT: take_text(c, o, text); break;
	case OPT_UINT: take_uint(c, o, text); break;
	case OPT_WORD: take_word(c, o, text); break;
	case OPT_MONEY:
		if (!money_from_number(text, target(c, o)))
			opt_fault(c, o->name, "must be an amount from 0 to 99999999.99 with at most two decimals, like 12.50");
		break;
	case OPT__MAX: break;
	}
}

/* parsing */

static struct option *getopt_table(const struct call *c)
{
	struct option *table = arena_array(c->arena, c->verb->n + 3, sizeof *table);
	size_t n = 0;

	for (size_t i = 0; i < c->verb->n; i++) {
		const struct opt *o = &c->verb->opts[i];
		if (!o->is_operand)
			table[n++] = (struct option){ o->name, o->kind == OPT_FLAG ? no_argument : required_argument, NULL, ROW + (int)i };
	}
	table[n++] = (struct option){ "params", required_argument, NULL, PARAMS };
	table[n] = (struct option){ "help", no_argument, NULL, HELP };
	return table;
}

/* What getopt calls '?' (unknown, ambiguous, or a value that isn't wanted) or ':' (none where one is). The value is not repeated: it may be
 * a password that somebody took for an option. */
static void bad_option(struct call *c, int kind, const char *arg)
{
	int len = (int)strcspn(arg, "=");

	c->faults++;
	if (optopt > 0 && optopt < PARAMS)
		tool_fail(EX_USAGE, c->mode, "-%c: there is no such option", optopt);
	else if (kind == ':')
		tool_fail(EX_USAGE, c->mode, "%.*s: needs a value", len, arg);
	else if (optopt >= PARAMS)
		tool_fail(EX_USAGE, c->mode, "%.*s: takes no value", len, arg);
	else
		tool_fail(EX_USAGE, c->mode, "%.*s: there is no such option, or more than one that begins so", len, arg);
}

/* given: one flag a row, and one more for --params. True: --help was asked for. */
static bool parse_options(struct call *c, int argc, char **argv, bool *given)
{
	const struct option *table = getopt_table(c);
	size_t params = c->verb->n;

	optind = 0;	/* glibc: start afresh */
	opterr = 0;
	for (int k; (k = getopt_long(argc, argv, ":", table, NULL)) != -1; ) {
		size_t row = k >= ROW ? (size_t)(k - ROW) : params;
		if (k == HELP)
			return true;
		if (k == '?' || k == ':') {
			bad_option(c, k, argv[optind - 1]);
			continue;
		}
		if (given[row])
			opt_fault(c, row == params ? "params" : c->verb->opts[row].name, "is given twice");
		else if (row == params)
			c->params = optarg;
		else
			take_value(c, &c->verb->opts[row], optarg);
		given[row] = true;
	}
	return false;
}

static void parse_operands(struct call *c, int argc, char **argv, bool *given)
{
	int next = optind;

	for (size_t i = 0; i < c->verb->n && next < argc; i++) {
		if (c->verb->opts[i].is_operand) {
			take_value(c, &c->verb->opts[i], argv[next++]);
			given[i] = true;
		}
	}
	for (; next < argc; next++) {
		c->faults++;
		tool_fail(EX_USAGE, c->mode, "\"%s\": unexpected argument", argv[next]);
	}
}

static void check_given(struct call *c, const bool *given)
{
	bool has_change = false;

	for (size_t i = 0; i < c->verb->n; i++) {
		const struct opt *o = &c->verb->opts[i];
		if (o->is_required && !given[i])
			opt_fault(c, o->name, "is missing");
		has_change = has_change || (given[i] && !o->is_operand);
	}
	if (c->verb->wants_change && !has_change) {
		c->faults++;
		tool_fail(EX_USAGE, c->mode, "nothing to change: give at least one option (--help lists them)");
	}
}

/* The verb that argv names, or NULL with *status. */
static const struct verb *choose_verb(const struct verbs *t, int argc, char **argv, int *status)
{
	if (!t->v[0].name)
		return t->v;
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		help_mode(t, stdout);
		*status = opt_flush(t->mode, 0);
		return NULL;
	}
	for (size_t i = 0; argc > 1 && i < t->n; i++)
		if (strcmp(argv[1], t->v[i].name) == 0)
			return &t->v[i];
	if (argc > 1)
		*status = tool_fail(EX_USAGE, t->mode, "\"%s\": there is no such verb; see pickup %s --help", argv[1], t->mode);
	else
		help_mode(t, stderr), *status = EX_USAGE;
	return NULL;
}

int opt_parse(const struct verbs *t, int argc, char **argv, struct call *c)
{
	int status = 0, skip;
	bool *given;

	c->verb = choose_verb(t, argc, argv, &status);
	if (!c->verb)
		return status;
	skip = c->verb->name ? 1 : 0;
	c->mode = skip ? arena_printf(c->arena, "%s %s", t->mode, c->verb->name) : t->mode;
	c->opts = arena_alloc(c->arena, t->size);
	given = arena_array(c->arena, c->verb->n + 1, sizeof *given);
	for (size_t i = 0; i < c->verb->n; i++)
		unset(c, &c->verb->opts[i]);
	if (parse_options(c, argc - skip, argv + skip, given)) {
		help_verb(c);
		return opt_flush(c->mode, 0);
	}
	parse_operands(c, argc - skip, argv + skip, given);
	check_given(c, given);
	return -1;
}

/* Without the tables that it knows a verb would end amid its work, by the name of one that is missing. A database that is away is told by the verb. */
static int refuse_old_tables(struct call *c)
{
	if (c->verb->makes_tables || migrate_check_schema(c->db) != OC_CONFLICT)
		return 0;
	return tool_fail(EX_CONFIG, c->mode, "the database's tables are older than this program: run `pickup migrate` with the same --params first");
}

int opt_run(const struct verbs *t, int argc, char **argv)
{
	struct call c = { .arena = arena_new() };
	struct conf_store *settings = NULL;
	int status = opt_parse(t, argc, argv, &c);

	if (status >= 0)
		goto out;
	/* Settings with faults don't hide the faults of options. */
	settings = tool_settings(c.mode, c.params);
	c.conf = settings ? conf_get(settings) : NULL;
	if (c.verb->check)
		c.verb->check(&c);
	status = c.faults ? EX_USAGE : settings ? 0 : EX_CONFIG;
	if (status)
		goto out;
	c.db = db_new(c.conf);
	status = refuse_old_tables(&c);
	if (status == 0)
		status = opt_flush(c.mode, c.verb->run(&c));
out:
	db_free(c.db);
	conf_free(settings);
	arena_free(c.arena);
	return status;
}

/* cells */

void cell_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.s[i];
		if (c == '\t')
			buf_adds(b, "\\t");
		else if (c == '\n')
			buf_adds(b, "\\n");
		else if (c == '\\')
			buf_adds(b, "\\\\");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\x%02x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '\t');
}

void cell_yes(struct buf *b, bool yes)
{
	buf_adds(b, yes ? "yes\t" : "no\t");
}

void cell_time(struct buf *b, instant t)
{
	struct wall w;

	if (t != INSTANT_NONE) {
		time_to_wall(t, 0, &w);
		buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d+00:00", w.year, w.month, w.day, w.hour, w.minute, w.second);
	}
	buf_addc(b, '\t');
}

void cell_end(struct buf *b)
{
	if (b->len > 0 && b->s[b->len - 1] == '\t')
		b->s[b->len - 1] = '\n';
}
