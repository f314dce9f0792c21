/* clock.c - what time it is.
 * Owns: the system's clocks and the shifted one for tests. Does not own: what an instant means (timefmt.c).
 * Used by: worker, relay, tools. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define SHIFT_MAX INT64_C(10000000000)	/* seconds, some 317 years: no sum can leave the years that an instant holds */

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		log_die("no clock: %s", strerror(errno));
	return (int64_t)ts.tv_sec * INSTANT_SECOND + ts.tv_nsec / 1000;
}

static instant system_now(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_REALTIME);
}

struct clock clock_system(void)
{
	return (struct clock){ .now = system_now };
}

/* False where text is no signed decimal of a sane size; white space may follow it. */
static bool parse_shift(const char *text, int64_t *shift)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || end == text || end[strspn(end, " \t\r\n")] || v > SHIFT_MAX || v < -SHIFT_MAX)
		return false;
	*shift = v;
	return true;
}

/* Before what a standing clock shows. */
#define STANDS '@'

/* A file that isn't there is no shift; one that says nonsense is reported, as a test that relies on it would go astray. */
static int64_t read_shift(const char *file, bool *stands)
{
	char text[64] = "";
	int64_t shift = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*stands = false;
	if (fd < 0) {
		if (errno != ENOENT)
			log_error("clock: can't open %s: %s", file, strerror(errno));
		return 0;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		log_error("clock: can't read %s: %s", file, strerror(errno));
	else if (!parse_shift(text + (*text == STANDS), &shift))
		log_error("clock: %s holds no number of seconds: \"%s\"", file, text);
	else
		*stands = *text == STANDS;
	close(fd);
	return shift;
}

static instant shifted_now(const struct clock *c)
{
	bool stands;
	int64_t seconds = read_shift(c->ctx, &stands);

	return (stands ? 0 : read_clock(CLOCK_REALTIME)) + seconds * INSTANT_SECOND;
}

struct clock clock_shifted(const char *file)
{
	return (struct clock){ .now = shifted_now, .ctx = file };
}

int64_t clock_mono(void)
{
	/* Goes on while the machine sleeps, as the database's clock does: a lease must not outlast it. */
	return read_clock(CLOCK_BOOTTIME);
}
