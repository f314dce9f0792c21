/* reply.h - what several endpoints answer alike. Owns: entity tags of orders, JSON replies, links to further pages. */
#ifndef PICKUP_REPLY_H
#define PICKUP_REPLY_H

#include "app.h"
#include "ids.h"

/* "15-3": the order and how often it changed. */
const char *reply_etag(struct arena *a, struct order_id id, uint64_t version);
/* Status and Content-Type: application/json; gives the body's buffer. */
struct buf *reply_json(struct req *r, int status);

/* limit, as in every list: 1 to 200, 50 where absent. */
#define LIMIT_MAX 200
#define LIMIT_DEFAULT 50
/* Link: <path?the query as it came, but for cursor=…>; rel="next" (RFC 8288). */
void reply_link_next(struct req *r, const struct query *q, const char *cursor);

#endif
