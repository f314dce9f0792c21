/* tool_check.c - `pickup check` and `pickup conf`: whether everything is as it must be, one line a point.
 * Owns: these modes, the order of the points, the form of their lines. Does not own: what each point looks at (tool_check_*.c).
 * Used by: main.c. */
#include "tool_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "log.h"
#include "modes.h"
#include "tool_opt.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

extern char **environ;

void check_ok(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("ok   %s: ", what);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

void check_fail(struct check *k, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("FAIL %s: ", what);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	k->faults++;
}

void check_warn(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("warn %s: ", what);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

/* settings */

static void setting_fault(void *ctx, const char *file, unsigned line, const char *why)
{
	if (line)
		check_fail(ctx, "settings", "%s:%u: %s", file, line, why);
	else
		check_fail(ctx, "settings", "%s: %s", file, why);
}

/* PICKUP_ variables that are no settings belong to scripts around us. */
static void take_environment(struct check *k)
{
	size_t n;
	const struct setting *table = conf_table(&n);
	char why[512];

	for (char **e = environ; *e; e++) {
		struct str name = { *e, strcspn(*e, "=") };
		for (size_t i = 0; i < n; i++)
			if (str_is(name, table[i].name) && !conf_set(k->settings, name, str_from(*e + name.len + 1), why, sizeof why))
				check_fail(k, "settings", "environment: %s", why);
	}
}

static void check_settings(struct check *k)
{
	unsigned before = k->faults;

	if (k->params && conf_load(k->settings, k->params, setting_fault, k) != OC_OK && k->faults == before)
		check_fail(k, "settings", "%s: can't be read", k->params);
	take_environment(k);
	if (k->faults == before)
		check_ok("settings", "%s", k->params ? k->params : "defaults and environment (no --params)");
}

/* the modes */

static const struct point {
	void (*run)(struct check *k);
	bool is_of_db;				/* also with --db */
	enum { NEEDS_NOTHING, NEEDS_DB, NEEDS_SCHEMA } needs;
} points[] = {
	{ check_settings, true, NEEDS_NOTHING },
	{ check_user, false, NEEDS_NOTHING },
	{ check_option_file, true, NEEDS_NOTHING },
	{ check_keys, false, NEEDS_NOTHING },
	{ check_uploads, false, NEEDS_NOTHING },
	{ check_disk, false, NEEDS_NOTHING },
	{ check_metrics, false, NEEDS_NOTHING },
	{ check_workers, false, NEEDS_NOTHING },
	{ check_database, true, NEEDS_NOTHING },
	{ check_clock, false, NEEDS_DB },
	{ check_schema, true, NEEDS_DB },
	{ check_statements, true, NEEDS_SCHEMA },
	{ check_writes, false, NEEDS_SCHEMA },
	{ check_server, false, NEEDS_DB },
	{ check_zones, false, NEEDS_NOTHING },
	{ check_relay, false, NEEDS_SCHEMA },
	{ check_outbox, false, NEEDS_SCHEMA },
	{ check_backlog, false, NEEDS_SCHEMA },
	{ check_refusals, false, NEEDS_SCHEMA },
	{ check_push, false, NEEDS_NOTHING },
	{ check_relay_socket, false, NEEDS_NOTHING },
};

static void check_all(struct check *k, bool only_db)
{
	for (size_t i = 0; i < COUNT(points); i++) {
		const struct point *p = &points[i];
		if (only_db && !p->is_of_db)
			continue;
		if ((p->needs == NEEDS_DB && !k->has_db) || (p->needs == NEEDS_SCHEMA && !k->has_schema))
			continue;
		p->run(k);
		fflush(stdout);
	}
}

struct check_opts { bool only_db; };

static const struct opt check_opts[] = {
	{ "db", NULL, OPT_FLAG, .offset = offsetof(struct check_opts, only_db),
		.help = "only settings, option file, database, schema and statements" },
};

int mode_check(int argc, char **argv)
{
	static const struct verb verb = {
		NULL, "Prints a line a point: `ok   what`, or `FAIL what: why, and what to do`; `warn what` where that is no fault. Ends with 1 where one"
			" fails.",
		.opts = check_opts, .n = COUNT(check_opts)
	};
	static const struct verbs t = { "check", "", &verb, 1, sizeof(struct check_opts) };
	struct call c = { .arena = arena_new() };
	struct clock clock = clock_system();
	int status = opt_parse(&t, argc, argv, &c);

	if (status < 0 && c.faults)
		status = EX_USAGE;
	if (status < 0) {
		/* The points tell all of it. */
		log_set_level(LOG_NONE);
		struct check k = { .arena = c.arena, .params = c.params, .settings = conf_new(), .clock = clock, .now = clock.now(&clock) };
		k.conf = conf_get(k.settings);
		k.db = db_new(k.conf);
		check_all(&k, ((struct check_opts *)c.opts)->only_db);
		db_free(k.db);
		conf_free(k.settings);
		status = opt_flush("check", k.faults ? 1 : 0);
	}
	arena_free(c.arena);
	return status;
}

int mode_conf(int argc, char **argv)
{
	static const struct verb verb = { NULL, "Prints NAME=value of every setting in force.", .opts = NULL };
	static const struct verbs t = { "conf", "", &verb, 1, 1 };
	struct call c = { .arena = arena_new() };
	struct conf_store *settings = NULL;
	int status = opt_parse(&t, argc, argv, &c);

	if (status < 0) {
		settings = tool_settings("conf", c.params);
		status = c.faults ? EX_USAGE : settings ? 0 : EX_CONFIG;
		if (status == 0) {
			struct buf out = BUF_IN(c.arena);
			conf_dump(settings, &out);
			fwrite(out.s, 1, out.len, stdout);
			status = opt_flush("conf", 0);
		}
	}
	conf_free(settings);
	arena_free(c.arena);
	return status;
}
