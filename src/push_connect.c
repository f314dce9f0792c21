/* push_connect.c - see push_connect.h. */
#include "push_connect.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "log.h"

#define WAIT_FDS_MAX 64

struct connector { CURLM *multi; unsigned attempts; };

struct attempt {
	struct connector *connector;
	CURL *easy;
	bool has_ended;
	CURLcode result;
	char error[CURL_ERROR_SIZE];
};

struct connector *connector_new(void)
{
	struct connector *c = calloc(1, sizeof *c);
	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(c->multi = curl_multi_init()))
		log_die("libcurl can't be started");
	return c;
}

void connector_free(struct connector *c)
{
	if (!c)
		return;
	curl_multi_cleanup(c->multi);
	curl_global_cleanup();
	free(c);
}

static void report(CURLMcode code)
{
	if (code != CURLM_OK)
		log_error("push: %s", curl_multi_strerror(code));
}

void connector_work(struct connector *c)
{
	int running, left;
	CURLMsg *m;
	if (!c->attempts)
		return;
	report(curl_multi_perform(c->multi, &running));
	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct attempt *a = NULL;
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&a) != CURLE_OK || !a)
			continue;
		a->has_ended = true;
		a->result = m->data.result;
	}
}

/* libcurl's names for the events are not poll's, and what it finds it does not tell as poll does: that is asked again. */
static void wait_with_attempts(struct connector *c, struct pollfd *fds, size_t n, int ms)
{
	struct curl_waitfd extra[WAIT_FDS_MAX];
	unsigned used = 0;
	for (size_t i = 0; i < n && used < WAIT_FDS_MAX; i++) {
		short events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) | (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
		if (fds[i].fd >= 0)
			extra[used++] = (struct curl_waitfd){ .fd = fds[i].fd, .events = events };
	}
	/* Those beyond wait at most that long. */
	report(curl_multi_poll(c->multi, extra, used, n > used && ms > 100 ? 100 : ms, NULL));
	(void)poll(fds, n, 0);
}

void connector_wait(struct connector *c, struct pollfd *fds, size_t n, int ms)
{
	if (c->attempts)
		wait_with_attempts(c, fds, n, ms);
	else
		(void)poll(fds, n, ms);
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
	(void)ctx;
	(void)purpose;
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

static bool set_options(struct attempt *a, const char *url, const char *socket_path, int64_t timeout_ms)
{
	CURL *e = a->easy;
	bool ok = !socket_path || curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, socket_path) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PRIVATE, a) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, a->error) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
	return ok && curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK;
}

struct attempt *attempt_start(struct connector *c, const char *url, const char *socket_path, int64_t timeout_ms)
{
	struct attempt *a = calloc(1, sizeof *a);
	if (!a || !(a->easy = curl_easy_init()))
		log_die("no memory for a connection");
	a->connector = c;
	if (!set_options(a, url, socket_path, timeout_ms) || curl_multi_add_handle(c->multi, a->easy) != CURLM_OK)
		log_die("no memory for a connection");
	c->attempts++;
	return a;
}

void attempt_free(struct attempt *a)
{
	if (!a)
		return;
	curl_multi_remove_handle(a->connector->multi, a->easy);
	curl_easy_cleanup(a->easy);
	a->connector->attempts--;
	free(a);
}

/* A second descriptor, since libcurl closes its own with the handle. */
static enum attempt_state take_socket(struct attempt *a, int *fd, char *why, size_t n)
{
	curl_socket_t theirs = CURL_SOCKET_BAD;
	if (curl_easy_getinfo(a->easy, CURLINFO_ACTIVESOCKET, &theirs) == CURLE_OK && theirs != CURL_SOCKET_BAD)
		*fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
	if (*fd >= 0)
		return ATTEMPT_MADE;
	snprintf(why, n, "no descriptor for a connection");
	return ATTEMPT_FAILED;
}

enum attempt_state attempt_take(struct attempt *a, int *fd, char *why, size_t n)
{
	*fd = -1;
	if (!a->has_ended)
		return ATTEMPT_GOES_ON;
	if (a->result == CURLE_OK)
		return take_socket(a, fd, why, n);
	snprintf(why, n, "%s", a->error[0] ? a->error : curl_easy_strerror(a->result));
	return a->result == CURLE_COULDNT_CONNECT || a->result == CURLE_COULDNT_RESOLVE_HOST ? ATTEMPT_AWAY : ATTEMPT_FAILED;
}
