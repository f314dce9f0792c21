/* push_ask.h - the requests to push instances as text (HTTP/1.1, RFC 9112). Pure.
 * Owns: their lines, and which addresses these can be made for. Does not own: the connection and the answer (push.c).
 * Used by: push.c. */
#ifndef PICKUP_PUSH_ASK_H
#define PICKUP_PUSH_ASK_H

#include "event.h"
#include "str.h"

/* Whether url is "http://host:port" and no more: a path, a query or a user would silently change where things go, white space what is
 * asked. */
bool ask_is_base(const char *url);

/* Each appends one whole request to b, for the host of that name. */
/* Which nginx worker is there. */
void ask_worker(struct buf *b, const char *host);
/* A message; seq travels beside it. */
void ask_publish(struct buf *b, const char *host, struct channel ch, uint64_t seq, struct str body);
/* Ends every subscription of the channel, and the connection it is asked on. */
void ask_close(struct buf *b, const char *host, struct channel ch);

#endif
