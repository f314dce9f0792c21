/* http_req.h - one request as the web server hands it over (CGI/1.1 variables, RFC 3875) and its body.
 * Owns: struct http_io, struct http_req, splitting the path, reading the body. Does not own: JSON, who asks, routes.
 * Used by: worker.c and tool_request.c (which make a http_io), route.c, endpoints. */
#ifndef PICKUP_HTTP_REQ_H
#define PICKUP_HTTP_REQ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "outcome.h"
#include "str.h"

struct arena;

/* Where a request comes from and where its answer goes. */
struct http_io {
	char *const *params;				/* "NAME=value", NULL-terminated; borrowed until the answer is written */
	int (*read)(void *ctx, char *buf, int n);	/* bytes read, 0 at the end, -1 on failure */
	/* The next piece of the answer, or its end, which comes once (n may be 0). Where that does not come, whoever waits must be able to tell. False: the
	 * other side is gone. */
	bool (*write)(void *ctx, const struct iovec *parts, int n, bool is_end);
	void *ctx;
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PATCH, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER, HTTP_METHOD__MAX };
const char *http_method_name(enum http_method m);

#define HTTP_SEGMENTS_MAX 8

/* All text is borrowed from the params; none where the variable is absent. */
struct http_req {
	enum http_method method;
	struct str path;			/* "/api/v1/orders/15", percent-decoded by the web server */
	struct str segments[HTTP_SEGMENTS_MAX];	/* without the empty one that a trailing slash leaves */
	unsigned segment_count;			/* above HTTP_SEGMENTS_MAX: no route matches */
	struct str query;
	struct str content_type, content_length, content_encoding;
	struct str authorization, if_match, if_none_match, idempotency_key, request_id;
	struct str remote_addr;			/* the client's, as the web server knows it */
	struct str channel_kind, channel_id;	/* of the push server's authorisation request */
};

/* Reads the variables in one pass. */
void http_req_parse(const struct http_io *io, struct http_req *out);
/* Whether a body was announced: Content-Length above zero. */
bool http_req_has_body(const struct http_req *r);
/* Whether Content-Type is application/json, with no charset or utf-8 (RFC 9110 section 8.3). */
bool http_req_is_json(const struct http_req *r);
/* Whether the body is as it is, not compressed (RFC 9110 section 8.4). */
bool http_req_is_uncoded(const struct http_req *r);
/* Reads the whole body into the arena. OC_OK; OC_CONFLICT: above max bytes (413); OC_BAD: Content-Length is no number, or the body ended early. */
must_check enum outcome http_req_body(const struct http_req *r, const struct http_io *io, struct arena *a, uint64_t max, struct str *out);
/* Hands the body to take piece by piece, in order, for one that is too long for memory. The same outcomes, and OC_DOWN: take gave false. */
typedef bool http_piece_fn(void *ctx, const char *s, size_t n);
must_check enum outcome http_req_stream(const struct http_req *r, const struct http_io *io, uint64_t max, http_piece_fn *take, void *ctx);

#endif
