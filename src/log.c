/* log.c - one line per event on standard error.
 * Owns: the line's form, its escaping, the level and the request in hand. Does not own: where lines go.
 * Used by: everything. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define TEXT_MAX 4096
#define REQUEST_MAX 63
#define HEAD_MAX 128
#define CUT_MARK "..."

/* The process's, as standard error is: whoever logs would have to pass them through every layer otherwise. */
static enum log_level max_level = LOG_INFO;
static char request[REQUEST_MAX + 1];

static const char *const level_names[LOG__MAX] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_request(const char *id)
{
	size_t len = strnlen(id, REQUEST_MAX);

	memcpy(request, id, len);
	request[len] = '\0';
}

/* Appends s; a byte that could end, hide or forge a line as \xNN, and so each of also. */
static char *add_escaped(char *to, const char *s, const char *also)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c <= 0x7e && c != '\\' && !strchr(also, c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

static char *add_head(char *to, enum log_level level)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	to += strftime(to, HEAD_MAX / 2, "%Y-%m-%dT%H:%M:%S", &tm);
	to += snprintf(to, HEAD_MAX / 2, ".%03ldZ %s pid=%ld ", now.tv_nsec / 1000000, level_names[level], (long)getpid());
	return to;
}

/* One write, so that lines of several processes don't mix; there is nowhere to report that the log itself is gone. */
static void write_line(const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, line, len);
	while (n < 0 && errno == EINTR);
}

__attribute__((format(printf, 2, 0)))
static void log_va(enum log_level level, const char *fmt, va_list ap)
{
	char text[TEXT_MAX + 1], line[HEAD_MAX + 4 * REQUEST_MAX + 4 * TEXT_MAX + 16], *end;
	int saved = errno, len = vsnprintf(text, sizeof(text), fmt, ap);

	if (len < 0)
		snprintf(text, sizeof(text), "(not printable) %s", fmt);
	else if (len > TEXT_MAX)
		memcpy(text + TEXT_MAX - strlen(CUT_MARK), CUT_MARK, sizeof(CUT_MARK));
	end = add_head(line, level);
	if (request[0]) {
		memcpy(end, "req=", 4);
		end = add_escaped(end + 4, request, " ");
		*end++ = ' ';
	}
	end = add_escaped(end, text, "");
	*end++ = '\n';
	write_line(line, (size_t)(end - line));
	errno = saved;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	log_va(level, fmt, ap);
	va_end(ap);
}

_Noreturn void log_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_ERROR, fmt, ap);
	va_end(ap);
	/* _exit: no atexit handler may answer a client or touch the memory that ran out. */
	_exit(EX_SOFTWARE);
}
