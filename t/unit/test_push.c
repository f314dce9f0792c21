/* test_push.c - what becomes of a request, whatever the other side does: it is this process too, on a socket of its own.
 * Owns: tests of push.c and push_connect.c. Used by: make check; with real instances by t/stack/test_relay.py. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "leaks.h"
#include "push.h"

#define WHILE_MS 5000
#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"
#define BIG 4000000
#define SMALL 5
#define PATIENCE_MS 200		/* where time is to run out */

struct place {
	char dir[32], path[64];
	int listener, fd;	/* fd: the instance's end of the connection */
	struct push_pool *pool;
	struct push *push;
	char *body;
};

static struct place place_new(void)
{
	struct place at = { .dir = "/tmp/pickup-push.XXXXXX", .fd = -1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char url[80], why[200];
	cr_assert(mkdtemp(at.dir));
	snprintf(at.path, sizeof at.path, "%s/s", at.dir);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", at.path);
	snprintf(url, sizeof url, "unix:%s", at.path);
	at.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(at.listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(at.listener, 5), 0);
	at.pool = push_pool_new();
	at.push = push_new(at.pool, url, why, sizeof why);
	at.body = calloc(1, BIG);
	cr_assert(at.push && at.body);
	return at;
}

static void place_free(struct place *at)
{
	push_free(at->push);
	push_pool_free(at->pool);
	if (at->fd >= 0)
		close(at->fd);
	if (at->listener >= 0)
		close(at->listener);
	unlink(at->path);
	rmdir(at->dir);
	free(at->body);
}

static void begin(struct place *at, size_t len, int64_t timeout_ms, bool may_connect)
{
	push_send(at->push, (struct channel){ CHANNEL_SHOP, 12 }, 7, (struct str){ at->body, len }, timeout_ms, may_connect);
	push_pool_work(at->pool);
}

/* A turn of the relay's loop, and the instance's accept. */
static void turn(struct place *at)
{
	push_pool_wait(at->pool, NULL, 0, 10000);
	push_pool_work(at->pool);
	if (at->fd < 0)
		at->fd = accept4(at->listener, NULL, NULL, SOCK_NONBLOCK);
}

/* The instance reads so much. */
static void hear(struct place *at, size_t wanted)
{
	static const char head[] = "POST /pub/shop/12 HTTP/1.1\r\nHost: push\r\nContent-Type: application/json; seq=7\r\n";
	char buf[65536];
	size_t got = 0;
	int64_t until = clock_mono() + WHILE_MS * 1000;
	while (got < wanted && clock_mono() < until) {
		turn(at);
		ssize_t n = at->fd < 0 ? -1 : recv(at->fd, buf, sizeof buf, 0);
		if (n > 0 && got == 0)
			cr_expect_eq(strncmp(buf, head, sizeof head - 1), 0);
		got += n > 0 ? (size_t)n : 0;
	}
	cr_expect_geq(got, wanted);
}

static void say(struct place *at, const char *text, size_t piece)
{
	for (size_t len = strlen(text); len; ) {
		size_t some = len < piece ? len : piece;
		cr_expect_eq(send(at->fd, text, some, MSG_NOSIGNAL), (ssize_t)some);
		text += some;
		len -= some;
		if (len)
			turn(at);
	}
}

static void hang_up(struct place *at)
{
	close(at->fd);
	at->fd = -1;
}

static enum push_verdict verdict(struct place *at)
{
	int64_t until = clock_mono() + WHILE_MS * 1000;
	while (!push_has_ended(at->push) && clock_mono() < until)
		turn(at);
	return push_take(at->push);
}

/* What the instance says after it has read so much of a body of that length, and whether it hangs up then; the verdict, and whether the
 * next message goes over the same connection. */
static const struct { const char *answer; size_t piece, body, read; bool hangs_up; enum push_verdict v; long status; bool is_kept; } answers[] = {
	{ ACCEPTED, 999, SMALL, SMALL, false, PUSH_ACCEPTED, 202, true },
	{ ACCEPTED, 1, SMALL, SMALL, false, PUSH_ACCEPTED, 202, true },
	{ ACCEPTED, 999, BIG, BIG, false, PUSH_ACCEPTED, 202, true },
	{ ACCEPTED, 999, SMALL, SMALL, true, PUSH_ACCEPTED, 202, false },
	{ "HTTP/1.1 100 Continue\r\n\r\n" ACCEPTED, 999, SMALL, SMALL, false, PUSH_ACCEPTED, 202, true },
	{ "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 999, SMALL, SMALL, false, PUSH_REFUSED, 413, true },
	{ "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 999, SMALL, SMALL, false, PUSH_RETRY, 500, true },
	/* before all was sent */
	{ "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 999, BIG, 1, false, PUSH_REFUSED, 413, false },
	{ "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 999, BIG, 1, true, PUSH_REFUSED, 413, false },
	{ ACCEPTED, 999, BIG, 1, false, PUSH_RETRY, 202, false },
	/* what ends, or who does not keep, the connection */
	{ "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 999, SMALL, SMALL, false, PUSH_ACCEPTED, 202, false },
	{ "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 999, SMALL, SMALL, false, PUSH_ACCEPTED, 202, false },
	{ "HTTP/1.0 202 Accepted\r\n\r\nabc", 999, SMALL, SMALL, true, PUSH_ACCEPTED, 202, false },
	{ "HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\nabc", 999, SMALL, SMALL, true, PUSH_RETRY, 0, false },
	{ "HTTP/1.1 2", 999, SMALL, SMALL, true, PUSH_RETRY, 0, false },
	{ "", 999, SMALL, SMALL, true, PUSH_RETRY, 0, false },
	/* what is no answer, and more than the answer */
	{ "SSH-2.0-x\r\n", 999, SMALL, SMALL, false, PUSH_RETRY, 0, false },
	{ ACCEPTED ACCEPTED, 999, SMALL, SMALL, false, PUSH_ACCEPTED, 202, false },
};

Test(push, answers)
{
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct place at = place_new();
		begin(&at, answers[i].body, WHILE_MS, true);
		hear(&at, answers[i].read);
		say(&at, answers[i].answer, answers[i].piece);
		if (answers[i].hangs_up)
			hang_up(&at);
		cr_expect_eq(verdict(&at), answers[i].v, "%zu: %s", i, push_reason(at.push));
		cr_expect_eq(push_status(at.push), answers[i].status, "%zu: %ld", i, push_status(at.push));
		cr_expect_not(push_was_kept(at.push));
		begin(&at, SMALL, WHILE_MS, false);
		cr_expect_eq(push_has_ended(at.push), !answers[i].is_kept, "%zu", i);
		if (push_has_ended(at.push))
			cr_expect_eq(push_take(at.push), PUSH_CUT, "%zu", i);
		place_free(&at);
	}
}

/* A connection that is open, over which one message went. */
static struct place place_kept(void)
{
	struct place at = place_new();
	begin(&at, SMALL, WHILE_MS, true);
	hear(&at, SMALL);
	say(&at, ACCEPTED, 999);
	cr_assert_eq(verdict(&at), PUSH_ACCEPTED);
	return at;
}

/* What the instance does with the kept connection, before or after it has read the second message. */
static const struct { const char *says; bool is_before, may_connect; enum push_verdict v; } kept[] = {
	{ NULL, true, false, PUSH_CUT },
	{ NULL, false, false, PUSH_CUT },
	{ "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n", true, false, PUSH_CUT },
	{ ACCEPTED, true, false, PUSH_CUT },
	{ "HTTP/1.1 202", false, false, PUSH_RETRY },
	{ NULL, true, true, PUSH_ACCEPTED },
	{ NULL, false, true, PUSH_ACCEPTED },
};

Test(push, a_kept_connection_that_ends)
{
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		struct place at = place_kept();
		if (!kept[i].is_before) {
			begin(&at, SMALL, WHILE_MS, kept[i].may_connect);
			hear(&at, SMALL);
		}
		if (kept[i].says)
			say(&at, kept[i].says, 999);
		hang_up(&at);
		if (kept[i].is_before)
			begin(&at, SMALL, WHILE_MS, kept[i].may_connect);
		if (kept[i].may_connect) {
			hear(&at, SMALL);
			say(&at, ACCEPTED, 999);
		}
		cr_expect_eq(verdict(&at), kept[i].v, "%zu: %s", i, push_reason(at.push));
		cr_expect_eq(push_was_kept(at.push), !kept[i].may_connect, "%zu", i);
		cr_expect_lt(accept4(at.listener, NULL, NULL, SOCK_NONBLOCK), 0, "%zu: another connection", i);
		place_free(&at);
	}
}

Test(push, silence_ends_in_time)
{
	struct place at = place_kept();
	int64_t begun = clock_mono();
	begin(&at, SMALL, PATIENCE_MS, false);
	cr_expect_eq(verdict(&at), PUSH_RETRY);
	cr_expect_geq(clock_mono() - begun, PATIENCE_MS * 1000);
	place_free(&at);
}

Test(push, nobody_listens)
{
	struct place at = place_new();
	close(at.listener);
	at.listener = -1;
	begin(&at, SMALL, WHILE_MS, true);
	cr_expect_eq(verdict(&at), PUSH_AWAY);
	begin(&at, SMALL, WHILE_MS, false);
	cr_expect_eq(verdict(&at), PUSH_CUT);
	place_free(&at);
}

static const struct { const char *answer, *worker; bool hangs_up; } workers[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n4711", "4711", false },
	{ "HTTP/1.0 200 OK\r\n\r\n4711", "4711", true },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n47 1", "", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", false },
	{ "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\n4711", "", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n4711471147114711471147114711471147114711", "47114711471147114711471", false },
};

Test(push, who_is_there)
{
	for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
		struct place at = place_new();
		char asked[100] = "";
		push_hello(at.push, WHILE_MS);
		while (at.fd < 0 || recv(at.fd, asked, sizeof asked - 1, 0) < 0)
			turn(&at);
		cr_expect_str_eq(asked, "GET /pub/worker HTTP/1.1\r\nHost: push\r\n\r\n");
		say(&at, workers[i].answer, 7);
		if (workers[i].hangs_up)
			hang_up(&at);
		cr_expect_neq(verdict(&at), PUSH_NONE);
		cr_expect_str_eq(push_worker(at.push), workers[i].worker, "%zu: %s", i, push_worker(at.push));
		place_free(&at);
	}
}

/* A channel is closed on a connection of its own, whoever is behind the one of before. */
Test(push, channels_are_closed)
{
	static const struct { const char *answer; enum push_verdict v; long status; } closes[] = {
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", PUSH_ACCEPTED, 200 },
		{ "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", PUSH_REFUSED, 404 },
		{ "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", PUSH_RETRY, 500 },
	};
	struct place at = place_new();
	for (size_t i = 0; i < sizeof closes / sizeof closes[0]; i++) {
		char asked[200] = "";
		push_close(at.push, (struct channel){ CHANNEL_CUSTOMER, 12 }, WHILE_MS);
		while (at.fd < 0 || recv(at.fd, asked, sizeof asked - 1, 0) < 0)
			turn(&at);
		cr_expect_str_eq(asked, "DELETE /pub/customer/12 HTTP/1.1\r\nHost: push\r\nConnection: close\r\n\r\n");
		say(&at, closes[i].answer, 7);
		cr_expect_eq(verdict(&at), closes[i].v);
		cr_expect_eq(push_status(at.push), closes[i].status);
		cr_expect_not(push_was_kept(at.push));
		hang_up(&at);
	}
	place_free(&at);
}

/* A listener that lets nobody in any more; its address. */
static int full_listener(char *url, size_t n, int fillers[3])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(fd, 0), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	for (int i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, len);
	}
	snprintf(url, n, "http://127.0.0.1:%d", ntohs(address.sin_port));
	return fd;
}

/* Signals and pokes come by such descriptors. */
Test(push, what_is_ready_is_told_while_a_connection_is_made)
{
	int fillers[3], pair[2];
	char url[60], why[200];
	int listener = full_listener(url, sizeof url, fillers);
	struct push_pool *pool = push_pool_new();
	struct push *p = push_new(pool, url, why, sizeof why);
	cr_assert(p);
	cr_assert_eq(pipe(pair), 0);
	push_send(p, (struct channel){ CHANNEL_SHOP, 1 }, 1, STR("x"), PATIENCE_MS, true);
	struct pollfd fds[] = { { .fd = -1, .events = POLLIN }, { .fd = pair[0], .events = POLLIN } };
	while (!push_has_ended(p)) {
		push_pool_work(pool);
		push_pool_wait(pool, fds, 2, 10000);
		cr_expect_not(fds[1].revents);
	}
	cr_expect_eq(push_take(p), PUSH_RETRY);
	push_send(p, (struct channel){ CHANNEL_SHOP, 1 }, 1, STR("x"), WHILE_MS, true);
	push_pool_work(pool);
	cr_assert_eq(write(pair[1], "x", 1), 1);
	push_pool_wait(pool, fds, 2, INT64_C(1000) * WHILE_MS);
	cr_expect_not(push_has_ended(p));
	cr_expect_eq(fds[0].revents, 0);
	cr_expect_eq(fds[1].revents, POLLIN);
	push_free(p);
	push_pool_free(pool);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(listener);
	close(pair[0]);
	close(pair[1]);
}

/* ---- several at once ---- */

#define REFUSED "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
#define FAILED "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
#define CLOSING "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define LONG "HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n12345678901234567890"

/* Three messages go out; what the instance says to all of them, and the verdicts up to the first that is none. */
static const struct { const char *answers; bool hangs_up; enum push_verdict v[3]; bool is_kept; } several[] = {
	{ ACCEPTED ACCEPTED ACCEPTED, false, { PUSH_ACCEPTED, PUSH_ACCEPTED, PUSH_ACCEPTED }, true },
	{ ACCEPTED LONG ACCEPTED, false, { PUSH_ACCEPTED, PUSH_ACCEPTED, PUSH_ACCEPTED }, true },
	{ ACCEPTED ACCEPTED ACCEPTED, true, { PUSH_ACCEPTED, PUSH_ACCEPTED, PUSH_ACCEPTED }, false },
	{ ACCEPTED REFUSED ACCEPTED, false, { PUSH_ACCEPTED, PUSH_REFUSED, PUSH_ACCEPTED }, true },
	{ ACCEPTED FAILED ACCEPTED, false, { PUSH_ACCEPTED, PUSH_RETRY, PUSH_ACCEPTED }, true },
	{ ACCEPTED, true, { PUSH_ACCEPTED, PUSH_CUT, PUSH_NONE }, false },
	{ ACCEPTED "HTTP/1.1 20", true, { PUSH_ACCEPTED, PUSH_RETRY, PUSH_NONE }, false },
	{ ACCEPTED "SSH-2.0-x\r\n", false, { PUSH_ACCEPTED, PUSH_RETRY, PUSH_NONE }, false },
	{ ACCEPTED CLOSING ACCEPTED, false, { PUSH_ACCEPTED, PUSH_ACCEPTED, PUSH_NONE }, false },
	{ ACCEPTED "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n" ACCEPTED, false, { PUSH_ACCEPTED, PUSH_ACCEPTED, PUSH_NONE }, false },
	/* more than was asked for */
	{ ACCEPTED ACCEPTED ACCEPTED ACCEPTED, false, { PUSH_ACCEPTED, PUSH_ACCEPTED, PUSH_ACCEPTED }, false },
};

static void begin_three(struct place *at)
{
	struct channel ch = { CHANNEL_SHOP, 12 };
	push_send(at->push, ch, 7, STR("one"), WHILE_MS, false);
	cr_expect(push_add(at->push, ch, 8, STR("two")));
	cr_expect(push_add(at->push, ch, 9, STR("three")));
	push_pool_work(at->pool);
}

static void check_several(size_t i, size_t piece)
{
	struct place at = place_kept();
	begin_three(&at);
	hear(&at, 300);
	say(&at, several[i].answers, piece);
	if (several[i].hangs_up)
		hang_up(&at);
	for (size_t k = 0; k < 3 && several[i].v[k] != PUSH_NONE; k++) {
		cr_expect(push_in_flight(at.push), "%zu: %zu", i, k);
		cr_expect_eq(verdict(&at), several[i].v[k], "%zu: %zu: %s", i, k, push_reason(at.push));
		cr_expect(push_was_kept(at.push));
	}
	cr_expect_not(push_in_flight(at.push), "%zu", i);
	begin(&at, SMALL, WHILE_MS, false);
	cr_expect_eq(push_has_ended(at.push), !several[i].is_kept, "%zu", i);
	place_free(&at);
}

Test(push, several_at_once)
{
	for (size_t i = 0; i < sizeof several / sizeof several[0]; i++) {
		check_several(i, 999);
		check_several(i, 1);
	}
}

Test(push, several_in_order)
{
	char got[2000] = "", *p = got;
	struct place at = place_kept();
	begin_three(&at);
	for (ssize_t n; strstr(got, "three") == NULL; p += n > 0 ? n : 0) {
		turn(&at);
		n = recv(at.fd, p, (size_t)(got + sizeof got - 1 - p), 0);
	}
	cr_expect_str_eq(got,
		"POST /pub/shop/12 HTTP/1.1\r\nHost: push\r\nContent-Type: application/json; seq=7\r\nContent-Length: 3\r\n\r\none"
		"POST /pub/shop/12 HTTP/1.1\r\nHost: push\r\nContent-Type: application/json; seq=8\r\nContent-Length: 3\r\n\r\ntwo"
		"POST /pub/shop/12 HTTP/1.1\r\nHost: push\r\nContent-Type: application/json; seq=9\r\nContent-Length: 5\r\n\r\nthree");
	place_free(&at);
}

Test(push, each_answer_of_several_has_its_time)
{
	struct place at = place_kept();
	struct channel ch = { CHANNEL_SHOP, 12 };
	push_send(at.push, ch, 7, STR("one"), PATIENCE_MS, false);
	cr_expect(push_add(at.push, ch, 8, STR("two")));
	push_pool_work(at.pool);
	hear(&at, 200);
	say(&at, ACCEPTED, 999);
	cr_expect_eq(verdict(&at), PUSH_ACCEPTED);
	int64_t begun = clock_mono();
	cr_expect_eq(verdict(&at), PUSH_RETRY);
	cr_expect_geq(clock_mono() - begun, PATIENCE_MS * 900);
	cr_expect_not(push_in_flight(at.push));
	place_free(&at);
}

Test(push, no_more_than_fits_and_none_on_a_new_connection)
{
	struct channel ch = { CHANNEL_SHOP, 12 };
	struct place at = place_kept();
	push_send(at.push, ch, 7, STR("one"), WHILE_MS, false);
	for (size_t n = 1; n < PUSH_AT_ONCE; n++)
		cr_expect(push_add(at.push, ch, 7, STR("more")));
	cr_expect_not(push_add(at.push, ch, 7, STR("too many")));
	push_drop(at.push);
	cr_expect_not(push_add(at.push, ch, 7, STR("nothing is in flight")));
	push_send(at.push, ch, 7, STR("one"), WHILE_MS, true);
	cr_expect_not(push_add(at.push, ch, 7, STR("while connecting")));
	place_free(&at);
	at = place_kept();
	begin_three(&at);
	cr_expect_not(push_add(at.push, ch, 7, STR("after those were sent")));
	place_free(&at);
}

/* Answers that nobody waits for must not be taken for those of the next message. */
Test(push, dropped_amid_several)
{
	struct place at = place_kept();
	begin_three(&at);
	hear(&at, 300);
	say(&at, ACCEPTED, 999);
	while (!push_has_ended(at.push))
		turn(&at);
	push_drop(at.push);
	cr_expect_not(push_in_flight(at.push));
	begin(&at, SMALL, WHILE_MS, false);
	cr_expect_eq(push_take(at.push), PUSH_CUT);
	place_free(&at);
}
