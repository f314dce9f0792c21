/* http_req.c - CGI variables to struct http_req; the body.
 * Owns: the names of the variables. Does not own: meaning. See http_req.h. */
#include "http_req.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "arena.h"
#include "conf.h"

static const char *const method_names[HTTP_METHOD__MAX] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PATCH] = "PATCH",
	[HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "other",
};

/* The variables that are looked at. The path's candidates come later in this list the less they are wanted. */
enum {
	PATH_INFO, DOCUMENT_URI, SCRIPT_NAME, REQUEST_URI,
	REQUEST_METHOD, QUERY_STRING, CONTENT_TYPE, CONTENT_LENGTH, HTTP_CONTENT_ENCODING,
	HTTP_AUTHORIZATION, HTTP_IF_MATCH, HTTP_IF_NONE_MATCH, HTTP_IDEMPOTENCY_KEY,
	REQUEST_ID, REMOTE_ADDR, WS_CHANNEL_KIND, WS_CHANNEL_ID,
	VARIABLE__MAX
};

#define NAME(n) [n] = { #n, sizeof #n - 1 }
static const struct str variables[VARIABLE__MAX] = {
	NAME(PATH_INFO), NAME(DOCUMENT_URI), NAME(SCRIPT_NAME), NAME(REQUEST_URI),
	NAME(REQUEST_METHOD), NAME(QUERY_STRING), NAME(CONTENT_TYPE), NAME(CONTENT_LENGTH), NAME(HTTP_CONTENT_ENCODING),
	NAME(HTTP_AUTHORIZATION), NAME(HTTP_IF_MATCH), NAME(HTTP_IF_NONE_MATCH), NAME(HTTP_IDEMPOTENCY_KEY),
	NAME(REQUEST_ID), NAME(REMOTE_ADDR), NAME(WS_CHANNEL_KIND), NAME(WS_CHANNEL_ID),
};

const char *http_method_name(enum http_method m)
{
	return method_names[m];
}

static enum http_method method_parse(struct str s)
{
	for (int m = 0; m < HTTP_OTHER; m++)
		if (str_is(s, method_names[m]))
			return (enum http_method)m;
	return HTTP_OTHER;
}

static void take_variable(const char *entry, struct str found[VARIABLE__MAX])
{
	/* Most are settings: not ours. */
	const char *eq = conf_is_setting(entry) ? NULL : strchr(entry, '=');
	if (!eq)
		return;
	size_t len = (size_t)(eq - entry);
	for (int v = 0; v < VARIABLE__MAX; v++)
		if (variables[v].len == len && memcmp(variables[v].s, entry, len) == 0) {
			found[v] = str_from(eq + 1);
			return;
		}
}

/* PATH_INFO is what plain CGI servers give; behind nginx it is empty, and DOCUMENT_URI holds the decoded path. */
static struct str path_of(const struct str found[VARIABLE__MAX])
{
	for (int v = PATH_INFO; v <= REQUEST_URI; v++) {
		if (found[v].len == 0)
			continue;
		struct str path = found[v];
		const char *end = memchr(path.s, '?', path.len);
		if (v == REQUEST_URI && end)
			path.len = (size_t)(end - path.s);
		return path;
	}
	return STR("/");
}

static void split_path(struct http_req *r)
{
	const char *s = r->path.s, *end = s + r->path.len;
	while (s < end && *s == '/') {
		const char *start = ++s;
		while (s < end && *s != '/')
			s++;
		if (s == end && s == start)
			return;
		if (r->segment_count < HTTP_SEGMENTS_MAX)
			r->segments[r->segment_count] = (struct str){ start, (size_t)(s - start) };
		r->segment_count++;
	}
}

void http_req_parse(const struct http_io *io, struct http_req *out)
{
	struct str found[VARIABLE__MAX] = { 0 };
	for (char *const *p = io->params; *p; p++)
		take_variable(*p, found);
	*out = (struct http_req){
		.method = method_parse(found[REQUEST_METHOD]),
		.path = path_of(found),
		.query = found[QUERY_STRING],
		.content_type = found[CONTENT_TYPE],
		.content_length = found[CONTENT_LENGTH],
		.content_encoding = found[HTTP_CONTENT_ENCODING],
		.authorization = found[HTTP_AUTHORIZATION],
		.if_match = found[HTTP_IF_MATCH],
		.if_none_match = found[HTTP_IF_NONE_MATCH],
		.idempotency_key = found[HTTP_IDEMPOTENCY_KEY],
		.request_id = found[REQUEST_ID],
		.remote_addr = found[REMOTE_ADDR],
		.channel_kind = found[WS_CHANNEL_KIND],
		.channel_id = found[WS_CHANNEL_ID],
	};
	split_path(out);
}

bool http_req_has_body(const struct http_req *r)
{
	return r->content_length.len > 0 && !str_is(r->content_length, "0");
}

static bool is_utf8_charset(struct str parameter)
{
	const char *eq = parameter.len ? memchr(parameter.s, '=', parameter.len) : NULL;
	if (!eq)
		return parameter.len == 0;
	struct str name = str_trim((struct str){ parameter.s, (size_t)(eq - parameter.s) });
	struct str value = str_trim((struct str){ eq + 1, parameter.len - (size_t)(eq + 1 - parameter.s) });
	return !str_is_nocase(name, "charset") || str_is_nocase(value, "utf-8") || str_is_nocase(value, "\"utf-8\"");
}

bool http_req_is_json(const struct http_req *r)
{
	struct str rest, type = str_trim(str_cut(r->content_type, ';', &rest));
	if (!str_is_nocase(type, "application/json"))
		return false;
	while (rest.len) {
		struct str parameter = str_trim(str_cut(rest, ';', &rest));
		if (!is_utf8_charset(parameter))
			return false;
	}
	return true;
}

bool http_req_is_uncoded(const struct http_req *r)
{
	return r->content_encoding.len == 0 || str_is_nocase(r->content_encoding, "identity");
}

/* How long the body is said to be. */
static enum outcome body_length(const struct http_req *r, uint64_t max, uint64_t *len)
{
	*len = 0;
	if (r->content_length.len && !str_to_uint(r->content_length, INT64_MAX, len))
		return OC_BAD;
	return *len > max ? OC_CONFLICT : OC_OK;
}

enum outcome http_req_body(const struct http_req *r, const struct http_io *io, struct arena *a, uint64_t max, struct str *out)
{
	uint64_t len;
	enum outcome oc = body_length(r, max, &len);
	if (oc != OC_OK)
		return oc;
	char *body = arena_alloc(a, len + 1);
	for (uint64_t have = 0; have < len; ) {
		uint64_t want = len - have < 1 << 20 ? len - have : 1 << 20;
		int n = io->read(io->ctx, body + have, (int)want);
		if (n <= 0)
			return OC_BAD;
		have += (uint64_t)n;
	}
	*out = (struct str){ body, len };
	return OC_OK;
}

/* Fills the piece, or up to the body's end. */
static bool read_piece(const struct http_io *io, char *piece, size_t size)
{
	for (size_t have = 0; have < size; ) {
		int n = io->read(io->ctx, piece + have, (int)(size - have));
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

enum outcome http_req_stream(const struct http_req *r, const struct http_io *io, uint64_t max, http_piece_fn *take, void *ctx)
{
	char piece[1 << 16];
	uint64_t left;
	enum outcome oc = body_length(r, max, &left);
	while (oc == OC_OK && left > 0) {
		size_t size = left < sizeof piece ? (size_t)left : sizeof piece;
		if (!read_piece(io, piece, size))
			return OC_BAD;
		if (!take(ctx, piece, size))
			return OC_DOWN;
		left -= size;
	}
	return oc;
}
