/* ep_openapi.c - the description of the API, for everybody. Does not own: what it says (api/). */
#include "ep.h"

#include "openapi.h"
#include "reply.h"

enum outcome ep_openapi(struct req *r)
{
	http_reply_header(r->reply, "ETag", openapi_etag);
	http_reply_header(r->reply, "Cache-Control", "no-cache");
	if (r->http.if_none_match.s && etag_listed(r->http.if_none_match, openapi_etag)) {
		r->reply->status = 304;
		r->reply->is_body_omitted = true;
	} else {
		buf_add(reply_json(r, 200), openapi_text, openapi_len);
	}
	return OC_OK;
}
