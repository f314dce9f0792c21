/* http_reply.c - see http_reply.h. */
#include "http_reply.h"

#include <string.h>

#include "arena.h"

void http_reply_init(struct http_reply *r, struct arena *a, const struct http_io *io)
{
	*r = (struct http_reply){ .headers = BUF_IN(a), .body = BUF_IN(a), .io = io };
}

void http_reply_clear(struct http_reply *r)
{
	struct http_reply old = *r;
	http_reply_init(r, old.body.arena, old.io);
	r->is_body_omitted = old.is_body_omitted;
	r->is_begun = r->is_broken = old.is_begun;
	r->written = old.written;
}

static void add_line(struct buf *b, const char *name, const char *value)
{
	buf_adds(b, name);
	buf_adds(b, ": ");
	buf_adds(b, value);
	buf_adds(b, "\r\n");
}

void http_reply_header(struct http_reply *r, const char *name, const char *value)
{
	add_line(&r->headers, name, value);
}

const char *http_status_text(int status)
{
	static const struct { int status; const char *text; } texts[] = {
		{ 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 409, "Conflict" }, { 410, "Gone" }, { 412, "Precondition Failed" },
		{ 413, "Content Too Large" }, { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" }, { 500, "Internal Server Error" }, { 503, "Service Unavailable" },
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Unknown";
}

static struct str body_of(const struct http_reply *r)
{
	return r->file.s ? r->file : buf_str(&r->body);
}

/* is_whole: the body is known to its end. */
static void add_head(const struct http_reply *r, struct buf *head, bool is_whole)
{
	buf_reserve(head, r->headers.len + 160);
	buf_adds(head, "Status: ");
	buf_adduint(head, (uint64_t)r->status);
	buf_addc(head, ' ');
	buf_adds(head, http_status_text(r->status));
	buf_adds(head, "\r\n");
	if (r->content_type)
		add_line(head, "Content-Type", r->content_type);
	if (is_whole && r->status != 304 && r->status != 204) {
		buf_adds(head, "Content-Length: ");
		buf_adduint(head, body_of(r).len);
		buf_adds(head, "\r\n");
	}
	buf_addstr(head, buf_str(&r->headers));
	buf_adds(head, "\r\n");
}

/* The head, where it was not yet written, and the body from where it lies: a list can be megabytes. */
static bool write_on(struct http_reply *r, bool is_end)
{
	struct buf head = BUF_IN(r->body.arena);
	struct str body = body_of(r);
	struct iovec parts[2];
	int n = 0;
	if (!r->is_begun) {
		add_head(r, &head, is_end);
		parts[n++] = (struct iovec){ head.s, head.len };
	}
	if (!r->is_body_omitted && body.len)
		parts[n++] = (struct iovec){ (char *)body.s, body.len };
	return r->io->write(r->io->ctx, parts, n, is_end);
}

bool http_reply_flush(struct http_reply *r)
{
	if (r->is_broken)
		return false;
	r->is_broken = !write_on(r, false);
	r->is_begun = true;
	r->written += r->body.len;
	r->body.len = 0;
	return !r->is_broken && !r->is_body_omitted;
}

bool http_reply_write(struct http_reply *r)
{
	return !r->is_broken && write_on(r, true);
}

bool etag_listed(struct str list, const char *etag)
{
	if (str_is(str_trim(list), "*"))
		return true;
	size_t len = strlen(etag);
	for (size_t i = 0; i < list.len; ) {
		const char *s = list.s + i, *end = list.s + list.len;
		while (s < end && (*s == ' ' || *s == '\t' || *s == ','))
			s++;
		if (end - s >= 2 && s[0] == 'W' && s[1] == '/')
			s += 2;
		const char *stop = s < end && *s == '"' ? memchr(s + 1, '"', (size_t)(end - s - 1)) : NULL;
		if (!stop)
			return false;
		if ((size_t)(stop + 1 - s) == len && memcmp(s, etag, len) == 0)
			return true;
		i = (size_t)(stop + 1 - list.s);
	}
	return false;
}
