/* log.c - one line per event on standard error.
 * Owns: the line's form, its escaping, the level and the request in hand. Does not own: where lines go.
 * Used by: everything. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define TEXT_MAX 4096
#define REQUEST_MAX 63
#define FIELDS_MAX 1024
#define HEAD_MAX 128
#define LOST_MAX 80
#define CUT_MARK "..."
/* Whoever reads the log may pause for so long. */
#define PAUSE_MS 100

/* The process's, as standard error is: whoever logs would have to pass them through every layer otherwise. */
static enum log_level max_level = LOG_INFO;
static char request[REQUEST_MAX + 1];
static bool may_be_lost;
static unsigned long lost;	/* lines, since somebody took one */
/* What each line tells anew and seldom changes: the second it was made for, and the process. */
static struct { time_t second; bool is_made; char time[sizeof("2026-02-26T17:00:00")], pid[24]; } head;

static const char *const level_names[LOG__MAX] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* What may stand in a value without quotes. Ids are hexadecimal; any other one is a stranger's. */
static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == ':';
}

void log_set_request(const char *id)
{
	size_t len = strnlen(id, REQUEST_MAX);

	for (size_t i = 0; i < len; i++)
		request[i] = is_plain(id[i]) ? id[i] : '_';
	request[len] = '\0';
}

static char *add(char *to, const char *s)
{
	size_t len = strlen(s);

	memcpy(to, s, len);
	return to + len;
}

/* Appends s as it may stand within quotes: a byte that could end, hide or forge a line or the text becomes \u00NN, as JSON has it. */
static char *add_escaped(char *to, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c <= 0x7e) {
			if (c == '"' || c == '\\')
				*to++ = '\\';
			*to++ = (char)c;
			continue;
		}
		to = add(to, "\\u00");
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

/* Once a second is seldom enough. */
static void make_head(time_t second)
{
	struct tm tm;

	gmtime_r(&second, &tm);
	if (strftime(head.time, sizeof(head.time), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		head.time[0] = '\0';
	snprintf(head.pid, sizeof(head.pid), " pid=%ld ", (long)getpid());
	head.second = second;
	head.is_made = true;
}

static char *add_head(char *to, enum log_level level)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!head.is_made || head.second != now.tv_sec)
		make_head(now.tv_sec);
	ms = now.tv_nsec / 1000000;
	to = add(add(to, "time="), head.time);
	*to++ = '.';
	*to++ = (char)('0' + ms / 100);
	*to++ = (char)('0' + ms / 10 % 10);
	*to++ = (char)('0' + ms % 10);
	to = add(add(to, "Z level="), level_names[level]);
	to = add(to, head.pid);
	return request[0] ? add(add(add(to, "req="), request), " ") : to;
}

/* Also true where writing would fail: that takes no time. */
static bool is_taken(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	int n;

	if (!may_be_lost)
		return true;
	do
		n = poll(&p, 1, lost ? 0 : PAUSE_MS);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

/* One write, so that lines of several processes don't mix; there is nowhere to report that the log itself is gone. */
static void write_now(const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, line, len);
	while (n < 0 && errno == EINTR);
}

static void tell_lost(void)
{
	char line[HEAD_MAX + REQUEST_MAX + LOST_MAX], *end = add_head(line, LOG_WARN);

	end += snprintf(end, LOST_MAX, "msg=\"%lu lines were lost: nobody took them\"\n", lost);
	lost = 0;
	write_now(line, (size_t)(end - line));
}

/* Who reads the log may hang. Shops and customers shall not hang with it. */
static void write_line(const char *line, size_t len)
{
	if (lost && is_taken())
		tell_lost();
	if (!lost && is_taken())
		write_now(line, len);
	else
		lost++;
}

__attribute__((format(printf, 2, 0)))
static void log_va(enum log_level level, const char *fmt, va_list ap)
{
	char text[TEXT_MAX + 1], line[HEAD_MAX + REQUEST_MAX + 6 * TEXT_MAX + 16], *end;
	int saved = errno, len = vsnprintf(text, sizeof(text), fmt, ap);

	if (len < 0)
		snprintf(text, sizeof(text), "(not printable) %s", fmt);
	else if (len > TEXT_MAX)
		memcpy(text + TEXT_MAX - strlen(CUT_MARK), CUT_MARK, sizeof(CUT_MARK));
	end = add(add_head(line, level), "msg=\"");
	end = add(add_escaped(end, text), "\"\n");
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

void log_for_a_service(void)
{
	struct stat st;

	/* A file takes each line. */
	may_be_lost = fstat(STDERR_FILENO, &st) || !S_ISREG(st.st_mode);
}

bool log_is_on(enum log_level level)
{
	return level <= max_level;
}

void log_fields(enum log_level level, const char *fields, size_t len)
{
	char line[HEAD_MAX + REQUEST_MAX + FIELDS_MAX + 16], *end;
	int saved = errno;

	if (level > max_level)
		return;
	end = add_head(line, level);
	len = len < FIELDS_MAX ? len : FIELDS_MAX;
	memcpy(end, fields, len);
	end[len] = '\n';
	write_line(line, (size_t)(end + len + 1 - line));
	errno = saved;
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
