/* push_status.c - see push_status.h. One question on a connection of its own, so no library: a worker that is asked now and then shall not
 * keep what libcurl takes. */
#include "push_status.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

#define ANSWER_MAX 8192
#define ASKED "GET /status HTTP/1.0\r\nHost: push\r\nConnection: close\r\n\r\n"

struct asking { int fd; int64_t until; struct push_status *out; };

static bool fail(struct asking *a, const char *why)
{
	snprintf(a->out->why, sizeof a->out->why, "%s", why);
	return false;
}

static bool wait_for(struct asking *a, short events)
{
	struct pollfd p = { .fd = a->fd, .events = events };
	for (int64_t left; (left = a->until - clock_mono()) > 0; ) {
		int n = poll(&p, 1, (int)(left / 1000 + 1));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return fail(a, strerror(errno));
	}
	return fail(a, "no answer in time");
}

static bool connect_to(struct asking *a, const struct sockaddr *address, socklen_t size)
{
	int error = 0;
	a->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return fail(a, strerror(errno));
	if (connect(a->fd, address, size) == 0)
		return true;
	if (errno != EINPROGRESS)
		return fail(a, strerror(errno));
	if (!wait_for(a, POLLOUT))
		return false;
	getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof error });
	return error == 0 || fail(a, strerror(error));
}

static bool connect_unix(struct asking *a, struct str path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (path.len >= sizeof address.sun_path)
		return fail(a, strerror(ENAMETOOLONG));
	memcpy(address.sun_path, path.s, path.len);
	return connect_to(a, (const struct sockaddr *)&address, sizeof address);
}

/* "host", "host:port", "[v6]:port". */
static bool connect_tcp(struct asking *a, struct str at)
{
	char name[256], *host = name, *port, *end;
	struct addrinfo *found, hints = { .ai_socktype = SOCK_STREAM };
	snprintf(name, sizeof name, "%.*s", STR_FMT(at));
	end = *name == '[' ? strchr(name, ']') : NULL;
	if (end) {
		*end++ = '\0';
		host++;
	}
	port = strchr(end ? end : name, ':');
	if (port)
		*port++ = '\0';
	int rc = getaddrinfo(host, port ? port : "80", &hints, &found);
	if (rc != 0)
		return fail(a, gai_strerror(rc));
	bool ok = connect_to(a, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return ok;
}

static bool begins(struct str s, const char *with)
{
	return s.len >= strlen(with) && memcmp(s.s, with, strlen(with)) == 0;
}

static bool open_connection(struct asking *a, struct str url)
{
	if (begins(url, "unix:"))
		return connect_unix(a, (struct str){ url.s + 5, url.len - 5 });
	return begins(url, "http://") ? connect_tcp(a, (struct str){ url.s + 7, url.len - 7 }) : fail(a, "no address of an instance");
}

/* All of the answer, up to its end; false: it did not come. */
static bool ask(struct asking *a, char *buf, size_t size, size_t *len)
{
	*len = 0;
	if (send(a->fd, ASKED, sizeof ASKED - 1, MSG_NOSIGNAL) != (ssize_t)sizeof ASKED - 1)
		return fail(a, strerror(errno));
	while (*len < size) {
		if (!wait_for(a, POLLIN))
			return false;
		ssize_t n = recv(a->fd, buf + *len, size - *len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return fail(a, strerror(errno));
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return *len > 0 || fail(a, "it closes the connection");
}

/* "HTTP/1.1 200 …" */
static bool take_answer(struct asking *a, struct str answer)
{
	uint64_t status;
	if (!begins(answer, "HTTP/1.") || answer.len < 12 || !str_to_uint((struct str){ answer.s + 9, 3 }, 999, &status))
		return fail(a, "no HTTP");
	a->out->status = (int)status;
	char *body = memmem(answer.s, answer.len, "\r\n\r\n", 4);
	if (status == 200 && body)
		push_status_parse((struct str){ body + 4, answer.len - (size_t)(body + 4 - answer.s) }, a->out);
	return true;
}

void push_status_get(struct str url, int64_t timeout_ms, struct push_status *out)
{
	struct asking a = { .fd = -1, .until = clock_mono() + timeout_ms * 1000, .out = out };
	char buf[ANSWER_MAX];
	size_t len;
	*out = (struct push_status){ 0 };
	if (open_connection(&a, url) && ask(&a, buf, sizeof buf, &len))
		(void)take_answer(&a, (struct str){ buf, len });
	if (a.fd >= 0)
		close(a.fd);
}

static const struct { const char *name; enum push_figure is; uint64_t unit; } figures[] = {
	{ "total published messages", PUSH_PUBLISHED, 1 }, { "stored messages", PUSH_STORED, 1 },
	{ "shared memory used", PUSH_MEMORY_USED, 1024 }, { "shared memory limit", PUSH_MEMORY_LIMIT, 1024 },
	{ "channels", PUSH_CHANNELS, 1 }, { "subscribers", PUSH_SUBSCRIBERS, 1 },
};

/* "name: 12", and "12K" where the unit is that. */
static void take_line(struct str line, struct push_status *out)
{
	struct str rest, name = str_cut(line, ':', &rest);
	uint64_t n;
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
		if (!str_is(str_trim(name), figures[i].name))
			continue;
		struct str value = str_trim(rest);
		if (figures[i].unit > 1 && value.len && value.s[value.len - 1] == 'K')
			value.len--;
		if (!str_to_uint(value, UINT64_MAX / 1024, &n))
			return;
		out->has[figures[i].is] = true;
		out->figure[figures[i].is] = n * figures[i].unit;
	}
}

void push_status_parse(struct str text, struct push_status *out)
{
	while (text.len) {
		struct str rest, line = str_cut(text, '\n', &rest);
		if (line.len && line.s[line.len - 1] == '\r')
			line.len--;
		take_line(line, out);
		text = rest;
	}
}
