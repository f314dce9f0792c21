/* push.c - the POST of one notification, with libcurl's multi interface.
 * Owns: handles, connections, time-outs. Does not own: repeating, order (relay_lane.c).
 * Used by: relay.c, relay_lane.c. The only includer of curl.h. */
#include "push.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"

#define WAIT_FDS_MAX 4
/* libcurl closes the oldest beyond a few for each handle in use, and a lane's handle is not always in use. */
#define CONNECTIONS_MAX 1000L
/* An idle connection is used again for this long; nginx keeps it for an hour. */
#define IDLE_CONNECTION_S 3500L

struct push_pool { CURLM *multi; };

struct push {
	struct push_pool *pool;
	CURL *easy;
	struct curl_slist *headers;
	char *base;			/* what stands before /pub/ */
	bool in_flight, has_ended;
	bool may_connect, has_connected, is_cut;
	CURLcode result;
	long status;
	char error[CURL_ERROR_SIZE];
	char answer[PUSH_WORKER_SIZE];	/* its start */
	size_t answer_len;
};

enum push_verdict push_verdict_of(long status)
{
	if (status >= 200 && status <= 299)
		return PUSH_ACCEPTED;
	if (status >= 400 && status <= 499 && status != 408 && status != 429)
		return PUSH_REFUSED;
	return PUSH_RETRY;
}

struct push_pool *push_pool_new(void)
{
	struct push_pool *pool = calloc(1, sizeof *pool);
	if (!pool || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(pool->multi = curl_multi_init()))
		log_die("libcurl can't be started");
	curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
	return pool;
}

void push_pool_free(struct push_pool *pool)
{
	if (!pool)
		return;
	curl_multi_cleanup(pool->multi);
	curl_global_cleanup();
	free(pool);
}

void push_pool_work(struct push_pool *pool)
{
	int running, left;
	CURLMsg *m;
	CURLMcode code = curl_multi_perform(pool->multi, &running);
	if (code != CURLM_OK)
		log_error("push: %s", curl_multi_strerror(code));
	while ((m = curl_multi_info_read(pool->multi, &left))) {
		struct push *p = NULL;
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&p) != CURLE_OK || !p)
			continue;
		p->has_ended = true;
		p->result = m->data.result;
	}
}

void push_pool_wait(struct push_pool *pool, const int *fds, size_t n, int64_t us)
{
	struct curl_waitfd extra[WAIT_FDS_MAX];
	unsigned used = 0;
	int64_t ms = us <= 0 ? 0 : (us + 999) / 1000;
	for (size_t i = 0; i < n && used < WAIT_FDS_MAX; i++)
		if (fds[i] >= 0)
			extra[used++] = (struct curl_waitfd){ .fd = fds[i], .events = CURL_WAIT_POLLIN };
	CURLMcode code = curl_multi_poll(pool->multi, extra, used, ms > 60000 ? 60000 : (int)ms, NULL);
	if (code != CURLM_OK)
		log_error("push: %s", curl_multi_strerror(code));
}

static size_t take_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct push *p = ctx;
	size_t room = sizeof p->answer - 1 - p->answer_len, some = size * n < room ? size * n : room;
	memcpy(p->answer + p->answer_len, data, some);
	p->answer_len += some;
	p->answer[p->answer_len] = '\0';
	return size * n;
}

/* libcurl also comes here where a kept connection broke before its answer, and would send again by itself. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct push *p = ctx;
	(void)purpose;
	if (!p->may_connect) {
		p->is_cut = true;
		return CURL_SOCKET_BAD;
	}
	p->has_connected = true;
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

/* Options that stay for the handle's life. */
static bool set_options(struct push *p, const char *socket_path)
{
	CURL *e = p->easy;
	bool ok = !socket_path || curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, socket_path) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PRIVATE, p) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, p->error) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_WRITEDATA, p) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, p) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK;
	return ok && curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S) == CURLE_OK;
}

/* "http://host:port" and no more: a path, a query or a user would silently change where things go. */
static bool is_http_base(const char *url)
{
	return !strncmp(url, "http://", 7) && url[7] && url[7] != ':' && !strpbrk(url + 7, "/?#@");
}

struct push *push_new(struct push_pool *pool, const char *url, char *why, size_t n)
{
	const char *path = !strncmp(url, "unix:/", 6) ? url + 5 : NULL;
	if (!path && !is_http_base(url)) {
		snprintf(why, n, "%s is neither unix:/path nor http://host:port", url);
		return NULL;
	}
	struct push *p = calloc(1, sizeof *p);
	if (!p || !(p->base = strdup(path ? "http://push" : url)) || !(p->easy = curl_easy_init()))
		log_die("no memory for a push instance");
	p->pool = pool;
	if (!set_options(p, path)) {
		snprintf(why, n, "libcurl can't use %s", url);
		push_free(p);
		return NULL;
	}
	return p;
}

void push_free(struct push *p)
{
	if (!p)
		return;
	if (p->in_flight)
		curl_multi_remove_handle(p->pool->multi, p->easy);
	curl_easy_cleanup(p->easy);
	curl_slist_free_all(p->headers);
	free(p->base);
	free(p);
}

/* first: a header, or NULL. */
static void set_headers(struct push *p, const char *first)
{
	/* Without a value: not sent. A body must not wait for 100 Continue. */
	const char *lines[] = { "Expect:", "Accept:", first };
	curl_slist_free_all(p->headers);
	p->headers = NULL;
	for (size_t i = 0; i < sizeof lines / sizeof *lines && lines[i]; i++) {
		struct curl_slist *longer = curl_slist_append(p->headers, lines[i]);
		if (!longer)
			log_die("no memory for a request");
		p->headers = longer;
	}
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
}

static void start(struct push *p, const char *url, int64_t timeout_ms, bool may_connect)
{
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	if (curl_easy_setopt(p->easy, CURLOPT_URL, url) != CURLE_OK || curl_multi_add_handle(p->pool->multi, p->easy) != CURLM_OK)
		log_die("no memory for a request");
	p->error[0] = p->answer[0] = '\0';
	p->answer_len = 0;
	p->status = 0;
	p->may_connect = may_connect;
	p->has_ended = p->has_connected = p->is_cut = false;
	p->in_flight = true;
}

void push_hello(struct push *p, int64_t timeout_ms)
{
	char url[512];
	snprintf(url, sizeof url, "%s/pub/worker", p->base);
	set_headers(p, NULL);
	curl_easy_setopt(p->easy, CURLOPT_HTTPGET, 1L);
	start(p, url, timeout_ms, true);
}

/* Anything but a number would be another service's page, and no text for a table. */
const char *push_worker(const struct push *p)
{
	bool is_number = p->answer_len > 0 && strspn(p->answer, "0123456789") == p->answer_len;
	return p->status == 200 && is_number ? p->answer : "";
}

void push_send(struct push *p, struct channel ch, uint64_t seq, struct str body, int64_t timeout_ms, bool may_connect)
{
	char url[512], type[64];
	snprintf(url, sizeof url, "%s/pub/%s/%llu", p->base, channel_kind_name(ch.kind), (unsigned long long)ch.id);
	snprintf(type, sizeof type, "Content-Type: application/json; seq=%llu", (unsigned long long)seq);
	set_headers(p, type);
	curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, body.s);
	start(p, url, timeout_ms, may_connect);
}

bool push_in_flight(const struct push *p)
{
	return p->in_flight;
}

bool push_has_ended(const struct push *p)
{
	return p->in_flight && p->has_ended;
}

/* Nothing of ours was read, and nobody was there to read it. */
static bool is_away(CURLcode result)
{
	return result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST;
}

enum push_verdict push_take(struct push *p)
{
	if (!p->in_flight || !p->has_ended)
		return PUSH_NONE;
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &p->status);
	push_drop(p);
	if (p->result == CURLE_OK) {
		snprintf(p->error, sizeof p->error, "status %ld", p->status);
		return push_verdict_of(p->status);
	}
	if (!p->error[0])
		snprintf(p->error, sizeof p->error, "%s", curl_easy_strerror(p->result));
	p->status = 0;
	if (p->is_cut)
		return PUSH_CUT;
	return is_away(p->result) ? PUSH_AWAY : PUSH_RETRY;
}

void push_drop(struct push *p)
{
	if (p->in_flight)
		curl_multi_remove_handle(p->pool->multi, p->easy);
	p->in_flight = p->has_ended = false;
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
	return p->error;
}
