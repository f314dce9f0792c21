/* fcgi_in.c - see fcgi_in.h. */
#include "fcgi_in.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "str.h"

struct record { unsigned type, id; size_t content, padding; };

static bool fail(struct fcgi_in *in)
{
	in->is_broken = true;
	return false;
}

/* Reads more, where nothing is left of what was read. */
static bool fill(struct fcgi_in *in)
{
	ssize_t n;

	if (in->at < in->end)
		return true;
	do
		n = read(in->fd, in->buf, sizeof in->buf);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return fail(in);
	in->at = 0;
	in->end = (size_t)n;
	return true;
}

/* At most n bytes, at least one where n is not 0; NULL for to throws them away. 0: there are none. */
static size_t take_some(struct fcgi_in *in, void *to, size_t n)
{
	if (n == 0 || !fill(in))
		return 0;
	if (n > in->end - in->at)
		n = in->end - in->at;
	if (to)
		memcpy(to, in->buf + in->at, n);
	in->at += n;
	return n;
}

static bool take_all(struct fcgi_in *in, void *to, size_t n)
{
	for (size_t have = 0, some; have < n; have += some) {
		some = take_some(in, to ? (char *)to + have : NULL, n - have);
		if (some == 0)
			return false;
	}
	return true;
}

static bool take_header(struct fcgi_in *in, struct record *r)
{
	FCGI_Header h;

	if (!take_all(in, NULL, in->padding) || !take_all(in, &h, sizeof h) || h.version != FCGI_VERSION_1)
		return fail(in);
	*r = (struct record){ .type = h.type, .id = (unsigned)h.requestIdB1 << 8 | h.requestIdB0,
		.content = (size_t)h.contentLengthB1 << 8 | h.contentLengthB0, .padding = h.paddingLength };
	in->padding = r->padding;
	return true;
}

/* Never waits: nobody who does not listen shall hold us up. */
static bool answer(struct fcgi_in *in, unsigned char type, unsigned id, const void *content, unsigned char len)
{
	unsigned char s[64] = { FCGI_VERSION_1, type, (unsigned char)(id >> 8), (unsigned char)id, 0, len };

	memcpy(s + FCGI_HEADER_LEN, content, len);
	return send(in->fd, s, FCGI_HEADER_LEN + (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == FCGI_HEADER_LEN + len || fail(in);
}

/* One request at a time. */
static bool begin(struct fcgi_in *in, const struct record *r)
{
	static const FCGI_EndRequestBody busy = { .protocolStatus = FCGI_CANT_MPX_CONN }, unknown = { .protocolStatus = FCGI_UNKNOWN_ROLE };
	FCGI_BeginRequestBody b;

	if (r->id == FCGI_NULL_REQUEST_ID || r->content != sizeof b)
		return fail(in);
	if (!take_all(in, &b, sizeof b))
		return false;
	if (in->has_begun)
		return r->id == in->request_id ? fail(in) : answer(in, FCGI_END_REQUEST, r->id, &busy, sizeof busy);
	if (b.roleB1 != 0 || b.roleB0 != FCGI_RESPONDER)
		return answer(in, FCGI_END_REQUEST, r->id, &unknown, sizeof unknown);
	in->request_id = r->id;
	in->is_kept = b.flags & FCGI_KEEP_CONN;
	in->has_begun = 1;
	return true;
}

/* A record of no request. The one value that is known is told, asked for or not. */
static bool manage(struct fcgi_in *in, const struct record *r)
{
	static const unsigned char values[] = "\17\1" FCGI_MPXS_CONNS "0";
	FCGI_UnknownTypeBody unknown = { .type = (unsigned char)r->type };

	if (!take_all(in, NULL, r->content))
		return false;
	if (r->type == FCGI_GET_VALUES)
		return answer(in, FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, values, sizeof values - 1);
	return answer(in, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID, &unknown, sizeof unknown);
}

/* The request's next record, which must be of that stream; it is then the one in hand. */
static bool next_record(struct fcgi_in *in, unsigned type)
{
	struct record r;

	while (take_header(in, &r)) {
		if (r.type == FCGI_BEGIN_REQUEST) {
			if (!begin(in, &r))
				return false;
		} else if (r.id == FCGI_NULL_REQUEST_ID) {
			if (!manage(in, &r))
				return false;
		} else if (!in->has_begun || r.id != in->request_id) {
			if (!take_all(in, NULL, r.content))	/* of one that was refused, or has had its answer */
				return false;
		} else if (r.type != type) {
			return fail(in);
		} else {
			in->content = r.content;
			in->is_ended = r.content == 0;
			return true;
		}
	}
	return false;
}

/* The length at *p, one byte or four. */
static bool take_length(const unsigned char **p, const unsigned char *end, size_t *len)
{
	const unsigned char *s = *p;
	size_t size = s < end && *s & 0x80 ? 4 : 1;

	if ((size_t)(end - s) < size)
		return false;
	*len = size == 1 ? s[0] : (size_t)(s[0] & 0x7f) << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | s[3];
	*p = s + size;
	return true;
}

/* Turns the stream of names and values into "NAME=value" where it lies: the two lengths before each are what '=' and NUL need, or more. */
static bool split(struct fcgi_in *in, const struct buf *stream)
{
	const unsigned char *from = (const unsigned char *)stream->s, *end = from + stream->len;
	char *to = stream->s;
	size_t n = 0, cap = 0, name, value;

	in->params = NULL;
	for (;;) {
		in->params = arena_room(in->arena, in->params, n, &cap, sizeof *in->params);
		in->params[n] = NULL;
		if (from == end)
			return true;
		if (!take_length(&from, end, &name) || !take_length(&from, end, &value) || name > (size_t)(end - from) ||
		    value > (size_t)(end - from) - name)
			return fail(in);
		in->params[n++] = to;
		memmove(to, from, name);
		to[name] = '=';
		memmove(to + name + 1, from + name, value);
		to += name + value + 2;
		to[-1] = '\0';
		from += name + value;
	}
}

void fcgi_in_init(struct fcgi_in *in)
{
	in->arena = arena_new();
	fcgi_in_connect(in, -1);
}

void fcgi_in_free(struct fcgi_in *in)
{
	arena_free(in->arena);
}

void fcgi_in_connect(struct fcgi_in *in, int fd)
{
	arena_reset(in->arena);
	in->params = NULL;
	in->fd = fd;
	in->content = in->padding = in->at = in->end = 0;
	in->has_begun = 0;
	in->is_ended = in->is_broken = false;
}

bool fcgi_in_next(struct fcgi_in *in)
{
	struct buf stream = BUF_IN(in->arena);

	in->has_begun = 0;
	arena_reset(in->arena);
	buf_reserve(&stream, 4096);	/* nearly always all of it */
	do {
		if (!next_record(in, FCGI_PARAMS))
			return false;
		if (in->content > FCGI_IN_PARAMS_MAX - stream.len)
			return fail(in);
		buf_reserve(&stream, in->content);
		if (!take_all(in, stream.s + stream.len, in->content))
			return false;
		stream.len += in->content;
	} while (!in->is_ended);
	in->content = 0;
	in->is_ended = false;
	return split(in, &stream);
}

int fcgi_in_read(struct fcgi_in *in, void *to, int n)
{
	size_t want = (size_t)n;

	while (in->content == 0 && !in->is_ended && !in->is_broken)
		if (!next_record(in, FCGI_STDIN))
			return -1;
	if (in->is_broken || in->is_ended)
		return in->is_ended ? 0 : -1;
	want = take_some(in, to, want < in->content ? want : in->content);
	in->content -= want;
	return want ? (int)want : -1;
}

bool fcgi_in_has_more(const struct fcgi_in *in)
{
	return in->end - in->at > in->padding;
}
