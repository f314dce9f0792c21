/* http_reply.h - the answer to one request: status, headers, body, written once and whole.
 * Owns: the head's form, entity tags. Does not own: what stands in the body (render.c, problem.c). */
#ifndef PICKUP_HTTP_REPLY_H
#define PICKUP_HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>
#include "http_req.h"
#include "str.h"

struct http_reply {
	int status;			/* 0: not decided yet */
	const char *content_type;
	struct buf headers;		/* complete lines */
	struct buf body;
	struct str file;		/* instead of body: bytes that lie elsewhere, there until the arena is reset; none: there are none */
	bool is_body_omitted;		/* HEAD, 304: the head as for GET, and no body */
};

void http_reply_init(struct http_reply *r, struct arena *a);
/* Forgets everything that was set: for the answer that replaces a half-made one. */
void http_reply_clear(struct http_reply *r);
/* Adds "name: value". The value must hold no control character (RFC 9110 section 5.5): an answer never carries a stranger's text in a header. */
void http_reply_header(struct http_reply *r, const char *name, const char *value);
/* Writes head and body in one go. False: the other side is gone. */
bool http_reply_write(struct http_reply *r, const struct http_io *io);
const char *http_status_text(int status);

/* Whether the If-Match or If-None-Match list (RFC 9110 sections 8.8.3, 13.1) holds etag, with or without W/ (a compressing
 * proxy weakens the tag on its way), or is "*". */
bool etag_listed(struct str list, const char *etag);

#endif
