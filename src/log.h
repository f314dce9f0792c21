/* log.h - one line per event on standard error, in logfmt: time=… level=… pid=… [req=…] msg="…", or other fields instead of msg.
 * Owns: the line's form and the escaping of what strangers sent. Does not own: where it goes (the supervisor's).
 * No token, password or key is ever passed to it. */
#ifndef PICKUP_LOG_H
#define PICKUP_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_NONE = -1, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG__MAX };

/* Lines above this level are dropped, all with LOG_NONE; the process starts with LOG_INFO. */
void log_set_level(enum log_level level);
/* For services: a line that nobody takes is lost after a moment, and those behind it at once, until somebody takes them again and is told how many
 * they were. */
void log_for_a_service(void);
/* The request in hand, printed in each line until changed; copied, at most 63 bytes, what is neither letter, digit nor one of - . : as _; "" for none. */
void log_set_request(const char *id);
/* The finished text stands in quotes: quotes and backslashes in it with a backslash, control characters, DEL and bytes above 0x7e as
 * \u00NN, so a line is always one line of ASCII. Texts above 4 KiB are cut. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
/* Whether lines of that level are written. */
bool log_is_on(enum log_level level);
/* A line with these "name=value" fields in place of a text; up to 1 KiB, and nothing a stranger sent: they are written as they are. */
void log_fields(enum log_level level, const char *fields, size_t len);
/* Logs and ends the process with status 70 (EX_SOFTWARE). Only for what can't go on: no memory. */
_Noreturn void log_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
