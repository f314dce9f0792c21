/* http_reply.h - the answer to one request: status, headers, body; written once and whole, or, where it is long, in pieces.
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
	/* http_reply.c's */
	const struct http_io *io;
	bool is_begun, is_broken;	/* the head was written; the rest will not be */
	uint64_t written;		/* bytes of the body, before those that stand in it */
};

/* io is borrowed as long as the answer is made. */
void http_reply_init(struct http_reply *r, struct arena *a, const struct http_io *io);
/* Forgets everything that was set: for the answer that replaces a half-made one. One that has begun can't be replaced: it breaks off. */
void http_reply_clear(struct http_reply *r);
/* Adds "name: value". The value must hold no control character (RFC 9110 section 5.5): an answer never carries a stranger's text in a header. */
void http_reply_header(struct http_reply *r, const char *name, const char *value);
/* Writes what the body holds by now, with the head before it the first time, and empties it: for answers that memory shall not hold as a whole.
 * They have no Content-Length. From here on nothing but more of the body can follow. False: nobody wants more, as the other side is gone, or only
 * the head was asked for. */
must_check bool http_reply_flush(struct http_reply *r);
/* Writes head and body in one go, or what is left after http_reply_flush(), and ends the answer. False: the other side is gone, or the answer
 * broke off: it has no end, and the connection is of no more use. */
bool http_reply_write(struct http_reply *r);
const char *http_status_text(int status);

/* Whether the If-Match or If-None-Match list (RFC 9110 sections 8.8.3, 13.1) holds etag, with or without W/ (a compressing
 * proxy weakens the tag on its way), or is "*". */
bool etag_listed(struct str list, const char *etag);

#endif
