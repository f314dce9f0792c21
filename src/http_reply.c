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

void http_reply_header(struct http_reply *r, const char *name, const char *value)
{
	buf_adds(&r->headers, name);
	buf_adds(&r->headers, ": ");
	buf_adds(&r->headers, value);
	buf_adds(&r->headers, "\r\n");
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
	struct buf out = BUF_IN(r->body.arena);
	buf_reserve(&out, r->headers.len + r->body.len + 160);
	buf_addf(&out, "Status: %d %s\r\n", r->status, http_status_text(r->status));
	if (r->content_type)
		buf_addf(&out, "Content-Type: %s\r\n", r->content_type);
	if (r->status != 304 && r->status != 204)
		buf_addf(&out, "Content-Length: %zu\r\n", r->body.len);
	buf_addstr(&out, buf_str(&r->headers));
	buf_adds(&out, "\r\n");
	if (!r->is_body_omitted)
		buf_addstr(&out, buf_str(&r->body));
	return io->write(io->ctx, out.s, out.len);
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
