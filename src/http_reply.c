/* http_reply.c - see http_reply.h. */
#include "http_reply.h"

#include <string.h>

#include "arena.h"

void http_reply_init(struct http_reply *r, struct arena *a)
{
	*r = (struct http_reply){ .headers = BUF_IN(a), .body = BUF_IN(a) };
}

void http_reply_clear(struct http_reply *r)
{
	bool is_body_omitted = r->is_body_omitted;
	http_reply_init(r, r->body.arena);
	r->is_body_omitted = is_body_omitted;
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

bool http_reply_write(struct http_reply *r, const struct http_io *io)
{
	struct buf head = BUF_IN(r->body.arena);
	struct str body = r->file.s ? r->file : buf_str(&r->body);
	buf_reserve(&head, r->headers.len + 160);
	buf_adds(&head, "Status: ");
	buf_adduint(&head, (uint64_t)r->status);
	buf_addc(&head, ' ');
	buf_adds(&head, http_status_text(r->status));
	buf_adds(&head, "\r\n");
	if (r->content_type)
		add_line(&head, "Content-Type", r->content_type);
	if (r->status != 304 && r->status != 204) {
		buf_adds(&head, "Content-Length: ");
		buf_adduint(&head, body.len);
		buf_adds(&head, "\r\n");
	}
	buf_addstr(&head, buf_str(&r->headers));
	buf_adds(&head, "\r\n");
	/* The body from where it lies: a list can be megabytes. */
	struct iovec parts[] = { { head.s, head.len }, { (char *)body.s, body.len } };
	return io->write(io->ctx, parts, r->is_body_omitted || body.len == 0 ? 1 : 2);
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
