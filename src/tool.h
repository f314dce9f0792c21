/* tool.h - what the command-line modes share: settings, one-line failures.
 * Owns: the order of settings' sources, the form of failures. Does not own: options (tool_opt.h).
 * Used by: tool_*.c, relay.c, worker.c. */
#ifndef PICKUP_TOOL_H
#define PICKUP_TOOL_H

#include "conf.h"

/* The settings, from lowest to highest: defaults, --params FILE, PICKUP_… in the process environment (so plain CGI and the shell can set them).
 * Owned by the caller (conf_free). NULL: the file can't be read or holds a fault; each was printed to standard error as "file:line: why". */
must_check struct conf_store *tool_settings(const char *mode, const char *params_file);

/* The same for what must keep running: a worker that is started again while the file holds a bad value prints the fault and starts with the
 * default in its place. NULL: the file can't be read. */
must_check struct conf_store *tool_service_settings(const char *mode, const char *params_file);

/* "pickup MODE: text" on standard error; gives status back, so that callers can write return tool_fail(…). */
int tool_fail(int status, const char *mode, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The exit status and sentence for an outcome of the database layer. */
int tool_fail_outcome(const char *mode, enum outcome oc, const char *doing);

#endif
