/* tool.c - what the command-line modes share: settings, one-line failures.
 * Owns: the order of settings' sources, the sentences and exit statuses of failures. Does not own: options of a mode.
 * Used by: tool_*.c, relay.c, worker.c. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tool.h"

#include "log.h"

#define WHY_MAX 512

static void print_fault(void *ctx, const char *file, unsigned line, const char *why)
{
	(void)ctx;
	if (line)
		fprintf(stderr, "%s:%u: %s\n", file, line, why);
	else
		fprintf(stderr, "%s: %s\n", file, why);
}

/* The environment's value of each setting. Other PICKUP_ names there are not ours to judge. False: one of them is bad, and was printed. */
static bool take_environment(struct conf_store *s, const char *mode)
{
	size_t n;
	const struct setting *table = conf_table(&n);
	char why[WHY_MAX];
	bool is_good = true;

	for (char **entry = environ; *entry; entry++) {
		const char *eq = strchrnul(*entry, '=');
		struct str name = { *entry, (size_t)(eq - *entry) };
		for (size_t i = 0; *eq && i < n; i++)
			if (str_is(name, table[i].name) && !conf_set(s, name, str_from(eq + 1), why, sizeof why)) {
				tool_fail(EX_CONFIG, mode, "environment: %s", why);
				is_good = false;
			}
	}
	return is_good;
}

struct conf_store *tool_settings(const char *mode, const char *params_file)
{
	struct conf_store *s = conf_new();
	bool is_good = !params_file || conf_load(s, params_file, print_fault, NULL) == OC_OK;

	/* both are read in any case, so that every fault is told at once */
	is_good &= take_environment(s, mode);
	if (is_good)
		return s;
	conf_free(s);
	return NULL;
}

struct conf_store *tool_service_settings(const char *mode, const char *params_file)
{
	struct conf_store *s = conf_new();

	log_for_a_service();
	if (params_file && conf_load(s, params_file, print_fault, NULL) == OC_NOT_FOUND) {
		conf_free(s);
		return NULL;
	}
	if (!take_environment(s, mode))
		fprintf(stderr, "pickup %s: the defaults stand in for the bad values\n", mode);
	return s;
}

int tool_fail(int status, const char *mode, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "pickup %s: ", mode);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

int tool_fail_outcome(const char *mode, enum outcome oc, const char *doing)
{
	static const struct { int status; const char *text; } ends[OC__MAX] = {
		[OC_OK] = { EX_OK, "nothing failed" },
		[OC_NOT_FOUND] = { EX_DATAERR, "there is no such thing" },
		[OC_CONFLICT] = { EX_DATAERR, "that is taken already, or was changed meanwhile" },
		[OC_BUSY] = { EX_UNAVAILABLE, "the database is too busy, try again" },
		[OC_DOWN] = { EX_UNAVAILABLE, "the database can't be reached" },
		[OC_REFUSED] = { EX_DATAERR, "that was refused" },
		[OC_BAD] = { EX_SOFTWARE, "something that must not happen; the lines above say what" },
	};

	if (oc == OC_OK)
		return EX_OK;
	if (oc >= OC__MAX)
		oc = OC_BAD;
	return tool_fail(ends[oc].status, mode, "%s: %s", doing, ends[oc].text);
}
