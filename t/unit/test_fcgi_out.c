/* test_fcgi_out.c - answers as FastCGI records: what was put in comes out, in records as long as may be, also where the socket takes little
 * at a time. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi_out.h"
#include "leaks.h"

#define PARTS 3

/* The parts' lengths; how many records hold them. */
static const struct { size_t len[PARTS]; int n, records; unsigned id; } answers[] = {
	{ { 0 }, 0, 0, 1 },
	{ { 0, 0 }, 2, 0, 1 },
	{ { 1 }, 1, 1, 1 },
	{ { 100, 0, 7 }, 3, 1, 0xabcd },
	{ { 120, FCGI_OUT_MAX - 120 }, 2, 1, 1 },
	{ { 120, FCGI_OUT_MAX - 119 }, 2, 2, 0xffff },
	{ { FCGI_OUT_MAX - 1, 1, 1 }, 3, 2, 256 },
	{ { 120, 36000 }, 2, 1, 1 },
	{ { 99, 3 * FCGI_OUT_MAX }, 2, 4, 1 },
	{ { 150, 9000000, 5 }, 3, 138, 2 },
};

static char *make_text(size_t len)
{
	char *s = malloc(len + 1);
	unsigned x = 1;
	cr_assert(s);
	for (size_t i = 0; i < len; i++)
		s[i] = (char)((x = x * 1103515245 + 12345) >> 16);
	return s;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* The answer's other end. */
struct reader { int fd; pid_t writer; bool interrupts; };

static pid_t start_writer(int fd[2], size_t row, const char *text, bool is_interrupted)
{
	struct sigaction act = { .sa_handler = on_alarm };
	int small = 4096;
	struct iovec parts[PARTS];
	const char *s = text;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	sigaction(SIGALRM, &act, NULL);
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child)
		return child;
	if (is_interrupted)
		setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	for (int i = 0; i < answers[row].n; s += answers[row].len[i++])
		parts[i] = (struct iovec){ (char *)s, answers[row].len[i] };
	_exit(fcgi_out_write(fd[1], answers[row].id, parts, answers[row].n, true) ? 0 : 1);
}

/* The writer's wait is broken off before each read. By us and not by its own timer, under which a slow one would never get on. */
static void take(const struct reader *r, unsigned char *to, size_t len)
{
	for (ssize_t n; len > 0; to += n, len -= (size_t)n) {
		if (r->interrupts)
			kill(r->writer, SIGALRM);
		n = read(r->fd, to, len);
		cr_assert_gt(n, 0, "%zu bytes are missing", len);
	}
}

static void expect_head(const struct reader *r, size_t row, unsigned type, size_t *len)
{
	unsigned char h[8];
	take(r, h, sizeof h);
	*len = (size_t)h[4] << 8 | h[5];
	cr_assert(h[0] == 1 && h[1] == type && h[6] == 0, "row %zu: version %u, type %u, padding %u", row, h[0], h[1], h[6]);
	cr_assert_eq((unsigned)(h[2] << 8 | h[3]), answers[row].id, "row %zu", row);
}

static void check(size_t row, bool is_interrupted)
{
	size_t total = 0, have = 0, len;
	for (int i = 0; i < answers[row].n; i++)
		total += answers[row].len[i];
	char *text = make_text(total), *got = malloc(total + 1);
	int fd[2], records = 0, status;
	pid_t child = start_writer(fd, row, text, is_interrupted);
	struct reader r = { fd[0], child, is_interrupted };
	close(fd[1]);
	for (expect_head(&r, row, 6, &len); len > 0; expect_head(&r, row, 6, &len), records++) {
		cr_assert(have + len <= total, "row %zu: too much", row);
		take(&r, (unsigned char *)got + have, len);
		have += len;
	}
	unsigned char body[8], more;
	expect_head(&r, row, 3, &len);
	cr_assert_eq(len, sizeof body);
	take(&r, body, sizeof body);
	cr_expect(memcmp(body, (char[8]){ 0 }, 8) == 0, "row %zu: not complete with status 0", row);
	cr_expect_eq(read(fd[0], &more, 1), 0, "row %zu: something follows", row);
	cr_expect(have == total && memcmp(got, text, total) == 0, "row %zu: another text, %zu of %zu bytes", row, have, total);
	cr_expect_eq(records, answers[row].records, "row %zu: %d records", row, records);
	cr_assert(waitpid(child, &status, 0) == child && status == 0, "row %zu: %d", row, status);
	close(fd[0]);
	free(text);
	free(got);
}

Test(fcgi_out, whole)
{
	for (size_t row = 0; row < sizeof answers / sizeof *answers; row++)
		check(row, false);
	cr_expect(no_leaks());
}

Test(fcgi_out, little_by_little)
{
	for (size_t row = 0; row < sizeof answers / sizeof *answers; row++)
		check(row, true);
	cr_expect(no_leaks());
}

/* One system call for what a socket takes at once. */
Test(fcgi_out, one_call)
{
	int fd[2];
	struct iovec parts[] = { { (char[120]){ 0 }, 120 }, { make_text(100000), 100000 } };
	char *got = malloc(200000);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);	/* where each call makes a message */
	cr_assert(fcgi_out_write(fd[0], 1, parts, 2, true));
	cr_expect_eq(recv(fd[1], got, 200000, MSG_DONTWAIT), 120 + 100000 + 2 * 8 + 8 + 16);
	cr_expect_eq(recv(fd[1], got, 200000, MSG_DONTWAIT), -1);
	free(got);
	free(parts[1].iov_base);
	cr_expect(no_leaks());
}

/* Pieces go out as they come, and the end when it is told. */
Test(fcgi_out, in_pieces)
{
	static const char wanted[] = "\1\6\0\7\0\3\0\0abc" "\1\6\0\7\0\2\0\0de" "\1\6\0\7\0\0\0\0" "\1\3\0\7\0\10\0\0\0\0\0\0\0\0\0\0";
	struct iovec first = { (char[]){ "abc" }, 3 }, next = { (char[]){ "de" }, 2 };
	char got[100];
	int fd[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	cr_assert(fcgi_out_write(fd[0], 7, &first, 1, false));
	cr_expect_eq(recv(fd[1], got, sizeof got, MSG_DONTWAIT | MSG_PEEK), 8 + 3);
	cr_assert(fcgi_out_write(fd[0], 7, NULL, 0, false));
	cr_assert(fcgi_out_write(fd[0], 7, &next, 1, false));
	cr_assert(fcgi_out_write(fd[0], 7, NULL, 0, true));
	cr_expect_eq(recv(fd[1], got, sizeof got, MSG_DONTWAIT), sizeof wanted - 1);
	cr_expect_arr_eq(got, wanted, sizeof wanted - 1);
	close(fd[0]);
	close(fd[1]);
}

Test(fcgi_out, nobody_there)
{
	int fd[2];
	struct iovec part = { (char[]){ "x" }, 1 };
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	close(fd[1]);
	cr_expect_not(fcgi_out_write(fd[0], 1, &part, 1, true));
	cr_expect_eq(errno, EPIPE);
}
