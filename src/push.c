/* push.c - POSTs of notifications, several at once, DELETEs of channels, and the question who is there (HTTP/1.1, RFC 9112; section 9.3.2).
 * Owns: kept connections, what is sent and read on them, time-outs. Does not own: making connections (push_connect.c), repeating, order
 * (relay_lane.c, relay_close.c), the requests' text (push_ask.c). Used by: relay*.c. */
#include "push.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "log.h"
#include "push_answer.h"
#include "push_ask.h"
#include "push_connect.h"

/* Longer heads are nobody's that we know. */
#define ANSWER_MAX 4096
#define ADDRESS_MAX 255
#define REASON_SIZE 320

enum phase { PHASE_IDLE, PHASE_CONNECTING, PHASE_SENDING, PHASE_READING, PHASE_ENDED, PHASE_NEXT };

struct push {
	struct push_pool *pool;
	struct push *next;
	char *base, *socket_path;	/* http://host:port; or NULL */
	struct attempt *attempt;	/* in PHASE_CONNECTING */
	int64_t timeout_us, deadline;	/* for an answer */
	int fd;				/* -1: no connection */
	enum phase phase;
	enum push_verdict verdict;	/* in PHASE_ENDED */
	bool may_connect, has_connected, has_head;
	/* What is asked: the requests one after the other, where each of them ends, and how many have had their answer. */
	struct arena *arena;
	struct buf out;
	size_t sent, ends[PUSH_AT_ONCE], asked, answered;
	/* What has come: the head of an answer, then each piece of its body, and perhaps the beginning of the next one. */
	char in[ANSWER_MAX];
	size_t in_len;
	struct answer_head answer;
	uint64_t body_left;
	char start[PUSH_WORKER_SIZE];	/* of the body */
	size_t start_len;
	long status;
	char reason[REASON_SIZE];
};

struct push_pool {
	struct connector *connector;
	struct push *first;
	struct pollfd *fds;
	size_t room;
};

enum push_verdict push_verdict_of(long status)
{
	if (status >= 200 && status <= 299)
		return PUSH_ACCEPTED;
	if (status >= 400 && status <= 499 && status != 408 && status != 429)
		return PUSH_REFUSED;
	return PUSH_RETRY;
}

/* ---- instances ---- */

struct push *push_new(struct push_pool *pool, const char *url, char *why, size_t n)
{
	const char *path = !strncmp(url, "unix:/", 6) ? url + 5 : NULL;
	if ((!path && !ask_is_base(url)) || strlen(url) > ADDRESS_MAX) {
		snprintf(why, n, "%s is neither unix:/path nor http://host:port", url);
		return NULL;
	}
	struct push *p = calloc(1, sizeof *p);
	if (!p || !(p->base = strdup(path ? "http://push" : url)) || (path && !(p->socket_path = strdup(path))))
		log_die("no memory for a push instance");
	p->fd = -1;
	p->arena = arena_new();
	p->pool = pool;
	p->next = pool->first;
	pool->first = p;
	return p;
}

static void hang_up(struct push *p)
{
	attempt_free(p->attempt);
	p->attempt = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void push_free(struct push *p)
{
	if (!p)
		return;
	struct push **at = &p->pool->first;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	hang_up(p);
	arena_free(p->arena);
	free(p->base);
	free(p->socket_path);
	free(p);
}

/* ---- how a request ends ---- */

/* Those behind it are not waited for. */
static void forget_rest(struct push *p)
{
	p->asked = p->answered + 1;
}

__attribute__((format(printf, 3, 4)))
static void end(struct push *p, enum push_verdict v, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(p->reason, sizeof p->reason, fmt, args);
	va_end(args);
	p->verdict = v;
	p->phase = PHASE_ENDED;
}

static void fail(struct push *p, enum push_verdict v, const char *why)
{
	hang_up(p);
	forget_rest(p);
	end(p, v, "%s", why);
}

/* The request whose answer is waited for. */
static bool is_sent(const struct push *p)
{
	return p->sent >= p->ends[p->answered];
}

/* Who accepts what was not sent to its end has not read it. */
static void finish(struct push *p)
{
	enum push_verdict v = push_verdict_of(p->answer.status);
	bool is_whole = is_sent(p);
	if (!p->answer.is_kept || !is_whole) {
		hang_up(p);
		forget_rest(p);
	}
	p->status = p->answer.status;
	end(p, v == PUSH_ACCEPTED && !is_whole ? PUSH_RETRY : v, "status %ld%s", p->status, is_whole ? "" : " before all was sent");
}

static void connect_to(struct push *p)
{
	int64_t left_ms = (p->deadline - clock_mono()) / 1000;
	hang_up(p);
	p->has_connected = true;
	p->sent = 0;
	p->attempt = attempt_start(p->pool->connector, p->base, p->socket_path, left_ms > 1 ? left_ms : 1);
	p->phase = PHASE_CONNECTING;
}

/* The connection has ended before the answer. One that was kept may have ended long before, or because of this request. */
static void lose(struct push *p, const char *why)
{
	bool is_unheard = !p->has_head && p->in_len == 0;
	if (p->has_connected || !is_unheard)
		fail(p, PUSH_RETRY, why);
	else if (p->may_connect)
		connect_to(p);
	else
		fail(p, PUSH_CUT, why);
}

/* ---- sending and reading ---- */

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Where the body ends counts, its text only where it may be a worker's name. */
static void take_body(struct push *p, const char *s, size_t len)
{
	size_t room = sizeof p->start - 1 - p->start_len, extra = 0;
	if (len > p->body_left) {
		extra = len - (size_t)p->body_left;
		len = (size_t)p->body_left;
	}
	/* Something that nobody asked for. */
	if (extra && p->answered + 1 == p->asked)
		p->answer.is_kept = false;
	size_t some = len < room ? len : room;
	memcpy(p->start + p->start_len, s, some);
	p->start_len += some;
	p->start[p->start_len] = '\0';
	if (p->body_left != ANSWER_TO_THE_END)
		p->body_left -= len;
	memmove(p->in, s + len, extra);
	p->in_len = extra;
	if (p->body_left == 0)
		finish(p);
}

static void take_head(struct push *p)
{
	switch (answer_read((struct str){ p->in, p->in_len }, &p->answer)) {
	case ANSWER_MORE:
		if (p->in_len == sizeof p->in)
			fail(p, PUSH_RETRY, "the head of its answer is too long");
		break;
	case ANSWER_BAD:
		fail(p, PUSH_RETRY, "its answer is not HTTP/1.1");
		break;
	case ANSWER_WHOLE:
		p->has_head = true;
		p->body_left = p->answer.length;
		take_body(p, p->in + p->answer.size, p->in_len - p->answer.size);
	}
}

static void read_some(struct push *p)
{
	ssize_t n = recv(p->fd, p->in + p->in_len, sizeof p->in - p->in_len, 0);
	if (n < 0) {
		if (!would_block())
			lose(p, strerror(errno));
		return;
	}
	if (n == 0) {
		if (p->has_head && p->body_left == ANSWER_TO_THE_END)
			finish(p);
		else
			lose(p, "it hung up before its answer was whole");
		return;
	}
	p->in_len += (size_t)n;
	if (p->has_head)
		take_body(p, p->in, p->in_len);
	else
		take_head(p);
}

/* Where the other side takes no more, it may have answered already, as nginx does to a body that is too long. */
static void send_some(struct push *p)
{
	ssize_t n = send(p->fd, p->out.s + p->sent, p->out.len - p->sent, MSG_NOSIGNAL);
	if (n > 0)
		p->sent += (size_t)n;
	if (p->sent == p->out.len || (n < 0 && !would_block()))
		p->phase = PHASE_READING;
	if (p->sent < p->out.len)
		read_some(p);
}

static void take_connection(struct push *p)
{
	char why[REASON_SIZE];
	enum attempt_state state = attempt_take(p->attempt, &p->fd, why, sizeof why);
	if (state == ATTEMPT_GOES_ON)
		return;
	attempt_free(p->attempt);
	p->attempt = NULL;
	if (state == ATTEMPT_MADE) {
		p->phase = PHASE_SENDING;
		send_some(p);
	} else
		fail(p, state == ATTEMPT_AWAY ? PUSH_AWAY : PUSH_RETRY, why);
}

static void forget_answer(struct push *p)
{
	p->deadline = clock_mono() + p->timeout_us;
	p->has_head = false;
	p->start_len = 0;
	p->start[0] = p->reason[0] = '\0';
	p->status = 0;
}

/* The answer to the next request, of which some may have come with the one before. */
static void go_on(struct push *p)
{
	forget_answer(p);
	p->answered++;
	p->phase = p->sent < p->out.len ? PHASE_SENDING : PHASE_READING;
	if (p->in_len)
		take_head(p);
}

static void move(struct push *p)
{
	if (p->phase == PHASE_NEXT)
		go_on(p);
	if (p->phase == PHASE_CONNECTING)
		take_connection(p);
	else if (p->phase == PHASE_SENDING)
		send_some(p);
	else if (p->phase == PHASE_READING)
		read_some(p);
	if (push_in_flight(p) && p->phase != PHASE_ENDED && clock_mono() >= p->deadline)
		fail(p, PUSH_RETRY, "no answer in time");
}

/* ---- the pool ---- */

struct push_pool *push_pool_new(void)
{
	struct push_pool *pool = calloc(1, sizeof *pool);
	if (!pool)
		log_die("no memory for push instances");
	pool->connector = connector_new();
	return pool;
}

void push_pool_free(struct push_pool *pool)
{
	if (!pool)
		return;
	connector_free(pool->connector);
	free(pool->fds);
	free(pool);
}

void push_pool_work(struct push_pool *pool)
{
	connector_work(pool->connector);
	for (struct push *p = pool->first; p; p = p->next)
		move(p);
}

/* What is to be watched: the caller's, then each push's connection. */
static size_t collect_fds(struct push_pool *pool, const struct pollfd *fds, size_t n)
{
	size_t used = n;
	for (const struct push *p = pool->first; p; p = p->next)
		used++;
	if (used > pool->room) {
		struct pollfd *more = realloc(pool->fds, used * sizeof *more);
		if (!more)
			log_die("no memory for push instances");
		pool->fds = more;
		pool->room = used;
	}
	if (n)
		memcpy(pool->fds, fds, n * sizeof *fds);
	used = n;
	for (const struct push *p = pool->first; p; p = p->next)
		if (p->phase == PHASE_SENDING || p->phase == PHASE_READING)
			pool->fds[used++] = (struct pollfd){ .fd = p->fd, .events = p->phase == PHASE_SENDING ? POLLIN | POLLOUT : POLLIN };
	return used;
}

void push_pool_wait(struct push_pool *pool, struct pollfd *fds, size_t n, int64_t us)
{
	int64_t now = clock_mono(), end_at = us > 0 ? now + (us < 60000000 ? us : 60000000) : now;
	for (const struct push *p = pool->first; p; p = p->next)
		if (p->phase != PHASE_IDLE && p->phase != PHASE_ENDED && p->deadline < end_at)
			end_at = p->deadline;
	size_t used = collect_fds(pool, fds, n);
	connector_wait(pool->connector, pool->fds, used, end_at > now ? (int)((end_at - now + 999) / 1000) : 0);
	if (n)
		memcpy(fds, pool->fds, n * sizeof *fds);
}

/* ---- requests ---- */

/* Neither its end has come nor anything that nobody asked for. */
static bool is_quiet(int fd)
{
	char c;
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block();
}

static void ask_anew(struct push *p)
{
	arena_reset(p->arena);
	p->out = BUF_IN(p->arena);
	p->asked = p->answered = 0;
}

/* What was written last is a request. */
static void asked(struct push *p)
{
	p->ends[p->asked++] = p->out.len;
}

/* What was written is to be sent. */
static void start(struct push *p, int64_t timeout_ms, bool may_connect)
{
	asked(p);
	p->timeout_us = timeout_ms * 1000;
	p->may_connect = may_connect;
	p->has_connected = false;
	p->sent = p->in_len = 0;
	forget_answer(p);
	if (p->fd >= 0 && !is_quiet(p->fd))
		hang_up(p);
	if (p->fd >= 0)
		p->phase = PHASE_SENDING;
	else if (may_connect)
		connect_to(p);
	else
		fail(p, PUSH_CUT, "there is no connection");
}

static const char *host_of(const struct push *p)
{
	return p->base + 7;
}

void push_hello(struct push *p, int64_t timeout_ms)
{
	ask_anew(p);
	ask_worker(&p->out, host_of(p));
	start(p, timeout_ms, true);
}

/* Anything but a number would be another service's page, and no text for a table. */
const char *push_worker(const struct push *p)
{
	bool is_number = p->start_len > 0 && strspn(p->start, "0123456789") == p->start_len;
	return p->status == 200 && is_number ? p->start : "";
}

void push_send(struct push *p, struct channel ch, uint64_t seq, struct str body, int64_t timeout_ms, bool may_connect)
{
	ask_anew(p);
	ask_publish(&p->out, host_of(p), ch, seq, body);
	start(p, timeout_ms, may_connect);
}

bool push_add(struct push *p, struct channel ch, uint64_t seq, struct str body)
{
	if (p->phase != PHASE_SENDING || p->may_connect || p->sent || p->asked == PUSH_AT_ONCE)
		return false;
	ask_publish(&p->out, host_of(p), ch, seq, body);
	asked(p);
	return true;
}

void push_close(struct push *p, struct channel ch, int64_t timeout_ms)
{
	ask_anew(p);
	ask_close(&p->out, host_of(p), ch);
	start(p, timeout_ms, true);
}

bool push_in_flight(const struct push *p)
{
	return p->phase != PHASE_IDLE;
}

bool push_has_ended(const struct push *p)
{
	return p->phase == PHASE_ENDED;
}

enum push_verdict push_take(struct push *p)
{
	if (p->phase != PHASE_ENDED)
		return PUSH_NONE;
	p->phase = p->answered + 1 < p->asked ? PHASE_NEXT : PHASE_IDLE;
	return p->verdict;
}

void push_drop(struct push *p)
{
	if (p->phase == PHASE_ENDED ? p->answered + 1 < p->asked : p->phase != PHASE_IDLE)
		hang_up(p);
	p->phase = PHASE_IDLE;
}

bool push_was_kept(const struct push *p)
{
	return !p->has_connected;
}

long push_status(const struct push *p)
{
	return p->status;
}

const char *push_reason(const struct push *p)
{
	return p->reason;
}
