/* test_fcgi_in.c - requests out of FastCGI records: whole, byte by byte, one behind another, and what is none. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi_in.h"
#include "leaks.h"

#define BYTES(lit) lit, sizeof lit - 1
#define BEGIN(id, flags) "\1\1\0" id "\0\10\0\0" "\0\1" flags "\0\0\0\0\0"
#define PARAMS "\1\4\0\1\0\12\3\0" "\1\2A12\0\3URL" "pad" "\1\4\0\1\0\12\0\0" "\200\0\0\1\5Bvalu" "\1\4\0\1\0\1\1\0" "e" "p" "\1\4\0\1\0\0\0\0"
#define BODY "\1\5\0\1\0\2\6\0" "{}" "......" "\1\5\0\1\0\1\0\0" "." "\1\5\0\1\0\0\0\0"
#define OTHER "\1\1\0\2\0\10\1\0" "\0\1\0\0\0\0\0\0" "p" "\1\4\0\2\0\3\0\0" "xyz"
#define MANAGE "\1\11\0\0\0\1\0\0" "x" "\1\62\0\0\0\0\0\0"

struct conn { struct fcgi_in in; int peer; };

static void set_up(struct conn *c, int type)
{
	int fd[2];

	cr_assert_eq(socketpair(AF_UNIX, type, 0, fd), 0);
	fcgi_in_init(&c->in);
	fcgi_in_connect(&c->in, fd[0]);
	c->peer = fd[1];
}

static void tear_down(struct conn *c)
{
	close(c->in.fd);
	close(c->peer);
	fcgi_in_free(&c->in);
}

static void send_all(struct conn *c, const char *s, size_t len)
{
	cr_assert_eq(write(c->peer, s, len), (ssize_t)len);
}

/* The request above, and its body. */
static void expect_request(struct conn *c, bool is_kept)
{
	char body[16];
	int have = 0, n;

	cr_assert(fcgi_in_next(&c->in));
	cr_assert(c->in.params[0] && c->in.params[1] && c->in.params[2] && !c->in.params[3]);
	cr_expect_str_eq(c->in.params[0], "A=12");
	cr_expect_str_eq(c->in.params[1], "=URL");
	cr_expect_str_eq(c->in.params[2], "B=value");
	cr_expect(c->in.request_id == 1 && c->in.is_kept == is_kept);
	while ((n = fcgi_in_read(&c->in, body + have, (int)sizeof body - have)) > 0)
		have += n;
	cr_expect(n == 0 && have == 3 && memcmp(body, "{}.", 3) == 0, "%d, %d bytes", n, have);
	cr_expect_eq(fcgi_in_read(&c->in, body, 1), 0, "the end stays the end");
}

Test(fcgi_in, whole)
{
	static const char text[] = BEGIN("\1", "\0") PARAMS BODY;
	struct conn c;

	set_up(&c, SOCK_STREAM);
	send_all(&c, BYTES(text));
	expect_request(&c, false);
	cr_expect(!fcgi_in_has_more(&c.in));
	tear_down(&c);
	cr_expect(no_leaks());
}

/* Each byte in a read of its own. */
Test(fcgi_in, byte_by_byte)
{
	static const char text[] = BEGIN("\1", "\1") OTHER MANAGE PARAMS BODY;
	struct conn c;

	set_up(&c, SOCK_SEQPACKET);
	for (size_t i = 0; i < sizeof text - 1; i++)
		cr_assert_eq(send(c.peer, text + i, 1, MSG_DONTWAIT), 1, "byte %zu", i);
	expect_request(&c, true);
	tear_down(&c);
}

Test(fcgi_in, one_behind_another)
{
	static const char text[] = BEGIN("\1", "\1") PARAMS BODY;
	struct conn c;

	set_up(&c, SOCK_STREAM);
	for (int i = 0; i < 3; i++)
		send_all(&c, BYTES(text));
	for (int i = 0; i < 3; i++) {
		expect_request(&c, true);
		cr_expect_eq(fcgi_in_has_more(&c.in), i < 2);
	}
	tear_down(&c);
}

/* What is answered to records that are no request of ours. */
Test(fcgi_in, others)
{
	static const char text[] = BEGIN("\1", "\0") OTHER MANAGE PARAMS BODY;
	static const char answers[] =
		"\1\3\0\2\0\10\0\0" "\0\0\0\0\1\0\0\0" "\1\12\0\0\0\22\0\0" "\17\1" "FCGI_MPXS_CONNS0" "\1\13\0\0\0\10\0\0" "\62\0\0\0\0\0\0\0";
	char got[sizeof answers];
	struct conn c;

	set_up(&c, SOCK_STREAM);
	send_all(&c, BYTES(text));
	expect_request(&c, false);
	cr_expect_eq(recv(c.peer, got, sizeof got, MSG_DONTWAIT), (ssize_t)sizeof answers - 1);
	cr_expect(memcmp(got, answers, sizeof answers - 1) == 0);
	tear_down(&c);
}

/* An authorizer, which gets no body; then a request on the same connection. */
Test(fcgi_in, another_role)
{
	static const char text[] = "\1\1\0\1\0\10\0\0\0\2\1\0\0\0\0\0" PARAMS BEGIN("\1", "\0") PARAMS BODY;
	static const char refusal[] = "\1\3\0\1\0\10\0\0" "\0\0\0\0\3\0\0\0";
	char got[sizeof refusal];
	struct conn c;

	set_up(&c, SOCK_STREAM);
	send_all(&c, BYTES(text));
	expect_request(&c, false);
	cr_expect_eq(recv(c.peer, got, sizeof got, MSG_DONTWAIT), (ssize_t)sizeof refusal - 1);
	cr_expect(memcmp(got, refusal, sizeof refusal - 1) == 0);
	fcgi_in_connect(&c.in, -1);
	cr_expect_null(c.in.params);
	tear_down(&c);
}

Test(fcgi_in, no_request)
{
	static const struct { const char *s; size_t len; } rows[] = {
		{ BYTES("") }, { BYTES("GET / HTTP/1.1\r\n\r\n") }, { BYTES("\0\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0") },
		{ BYTES("\1\1\0\1\0\7\0\0\0\1\0\0\0\0\0\0") },		/* a beginning of 7 bytes */
		{ BYTES("\1\1\0\0\0\10\0\0\0\1\0\0\0\0\0\0") },		/* of no request */
		{ BYTES("\1\1\0\1\0\10\0\0\0\4\0\0\0\0\0\0") },		/* for no role */
		{ BYTES(BEGIN("\1", "\0") BEGIN("\1", "\0") PARAMS BODY) },	/* begun twice */
		{ BYTES(BEGIN("\1", "\0") "\1\2\0\1\0\0\0\0") },		/* aborted */
		{ BYTES(BEGIN("\1", "\0") "\1\5\0\1\0\0\0\0") },		/* a body without variables */
		{ BYTES(BEGIN("\1", "\0") "\1\4\0\1\0\1\0\0\1" "\1\4\0\1\0\0\0\0") },
		{ BYTES(BEGIN("\1", "\0") "\1\4\0\1\0\4\0\0\1\2xy" "\1\4\0\1\0\0\0\0") },
		{ BYTES(BEGIN("\1", "\0") "\1\4\0\1\0\4\0\0\377\377\377\377" "\1\4\0\1\0\0\0\0") },
		{ BYTES(BEGIN("\1", "\0") "\1\4\0\1\0\11\0\0\377\377\377\377\377\377\377\377x" "\1\4\0\1\0\0\0\0") },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conn c;
		set_up(&c, SOCK_STREAM);
		send_all(&c, rows[i].s, rows[i].len);
		shutdown(c.peer, SHUT_WR);
		cr_expect(!fcgi_in_next(&c.in), "row %zu", i);
		tear_down(&c);
	}
	cr_expect(no_leaks());
}

/* A request cut off anywhere is none, or has a body that never ends. */
Test(fcgi_in, cut_off)
{
	static const char text[] = BEGIN("\1", "\0") PARAMS BODY;
	char body[16];

	for (size_t len = 0; len < sizeof text - 1; len++) {
		struct conn c;
		int n = 1;
		set_up(&c, SOCK_STREAM);
		send_all(&c, text, len);
		shutdown(c.peer, SHUT_WR);
		if (fcgi_in_next(&c.in)) {
			cr_expect(len >= sizeof(BEGIN("\1", "\0") PARAMS) - 1);
			while (n > 0)
				n = fcgi_in_read(&c.in, body, sizeof body);
			cr_expect(n == -1 && fcgi_in_read(&c.in, body, 1) == -1, "%zu bytes", len);
		}
		tear_down(&c);
	}
}

/* More variables than any web server sends end the connection, not the worker's memory. */
Test(fcgi_in, too_much)
{
	char *record = calloc(1, 8 + 65528);
	struct conn c;

	set_up(&c, SOCK_STREAM);
	pid_t child = fork();
	if (child == 0) {
		memcpy(record, "\1\4\0\1\377\370", 6);
		send_all(&c, BYTES(BEGIN("\1", "\0")));
		for (size_t i = 0; i <= FCGI_IN_PARAMS_MAX / 65528; i++)
			for (size_t at = 0; at < 8 + 65528; )
				at += (size_t)write(c.peer, record + at, 8 + 65528 - at);
		pause();
	}
	cr_expect(!fcgi_in_next(&c.in));
	kill(child, SIGKILL);
	free(record);
	tear_down(&c);
}
