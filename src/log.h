/* log.h - one line per event on standard error: "time level pid=N [req=ID] text".
 * Owns: the line's form and the escaping of what strangers sent. Does not own: where it goes (the supervisor's).
 * No token, password or key is ever passed to it. */
#ifndef PICKUP_LOG_H
#define PICKUP_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG__MAX };

/* Lines above this level are dropped; the process starts with LOG_INFO. */
void log_set_level(enum log_level level);
/* The request in hand, printed in each line until changed; copied, at most 63 bytes; "" for none. */
void log_set_request(const char *id);
/* Control characters, DEL, backslash and bytes above 0x7e of the finished text are written as \xNN, so a
 * line is always one line of ASCII. Texts above 4 KiB are cut. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
/* Logs and ends the process with status 70 (EX_SOFTWARE). Only for what can't go on: no memory. */
_Noreturn void log_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
