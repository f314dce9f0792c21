/* relay_closes.h - which channels are to be closed, and at which push instance when. Pure.
 * Owns: that book. Does not own: the rows (db_close.c), asking (relay_close.c).
 * Used by: relay_close.c, its unit test.
 *
 * A channel is closed twice at each instance. nchan ends the subscriptions that it has; one that is being opened just then was perhaps let
 * in by a judgement from before the row was committed, and is opened after that. So it is closed once more, later than any such
 * judgement may arrive: nginx waits for it as long as fastcgi_read_timeout of /_ws_auth says, 5 s. */
#ifndef PICKUP_RELAY_CLOSES_H
#define PICKUP_RELAY_CLOSES_H

#include "db_close.h"

#define CLOSE_AGAIN_US INT64_C(6000000)
/* How long an instance that is away, hangs or refuses is asked again. Long after that it has no subscribers of then: who listens through a
 * silent one is cut off by the front nginx's proxy_read_timeout, and one that is started again has none. */
#define CLOSE_PATIENCE_US INT64_C(3600000000)
/* Rows beyond wait in the table. */
#define CLOSES_MAX 10000

/* What one instance is to be asked. */
struct close_ask { size_t slot; struct channel channel; };

struct closes;
/* Empty, for no instance; owned by the caller. NULL is fine to free. */
struct closes *closes_new(void);
void closes_free(struct closes *c);
/* Forgets all; from here on for so many instances. */
void closes_reset(struct closes *c, size_t instances);
bool closes_is_empty(const struct closes *c);
/* Each instance is to be asked at once. A row that is known is left as it is; one that names no channel is done. False: there is no room. */
must_check bool closes_add(struct closes *c, const struct close_row *row, int64_t now);
/* When the instance is to be asked next; INT64_MAX: nothing more. */
int64_t closes_due(const struct closes *c, size_t instance);
/* What it is to be asked first of all that is due by now. False: nothing. */
must_check bool closes_next(const struct closes *c, size_t instance, int64_t now, struct close_ask *out);
/* It has closed that channel. */
void closes_answered(struct closes *c, size_t instance, size_t slot, int64_t now);
/* It has not: others that are due go before it, the next time. True: it will not be asked again, all patience is gone. */
must_check bool closes_failed(struct closes *c, size_t instance, size_t slot, int64_t now);
/* Some row has been everywhere. */
bool closes_has_done(const struct closes *c);
/* Ids of such rows, at most max; gives how many. */
size_t closes_done(const struct closes *c, uint64_t *ids, size_t max);
/* These rows are no more. */
void closes_remove(struct closes *c, const uint64_t *ids, size_t n);

#endif
