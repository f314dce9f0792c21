/* reply.c - see reply.h. */
#include "reply.h"

#include <ctype.h>

const char *reply_etag(struct arena *a, struct order_id id, uint64_t version)
{
	struct buf b = BUF_IN(a);
	buf_addc(&b, '"');
	buf_adduint(&b, id.v);
	buf_addc(&b, '-');
	buf_adduint(&b, version);
	buf_addc(&b, '"');
	return b.s;
}

struct buf *reply_json(struct req *r, int status)
{
	r->reply->status = status;
	r->reply->content_type = "application/json";
	return &r->reply->body;
}

/* RFC 3986 section 2.3: unreserved characters stay, everything else is %XX. */
static void add_encoded(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.s[i];
		if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

void reply_link_next(struct req *r, const struct query *q, const char *cursor)
{
	struct buf b = BUF_IN(r->arena);
	buf_addc(&b, '<');
	for (unsigned i = 0; i < r->http.segment_count; i++) {
		buf_addc(&b, '/');
		add_encoded(&b, r->http.segments[i]);
	}
	buf_addc(&b, '?');
	for (size_t i = 0; i < q->n; i++) {
		if (str_is(q->v[i].name, "cursor"))
			continue;
		add_encoded(&b, q->v[i].name);
		buf_addc(&b, '=');
		add_encoded(&b, q->v[i].value);
		buf_addc(&b, '&');
	}
	buf_addf(&b, "cursor=%s>; rel=\"next\"", cursor);
	http_reply_header(r->reply, "Link", b.s);
}
