/* db_close.h - the channels whose subscribers must come again, typed.
 * Owns: rows of channel_closes as the relay reads and deletes them. Does not own: writing them (db_account.c), ending the subscriptions
 * (relay_close.c).
 * Used by: relay_close.c. */
#ifndef PICKUP_DB_CLOSE_H
#define PICKUP_DB_CLOSE_H

#include "arena.h"
#include "db.h"
#include "event.h"

/* kind and id as the table holds them: they may name no channel. */
struct close_row { uint64_t id; struct channel channel; };

/* The first limit rows with an id above after: an arena array. */
must_check enum outcome db_closes_fetch(struct db *db, struct arena *a, uint64_t after, uint64_t limit, struct close_row **out, size_t *n);
/* At most CLOSES_DELETE_MAX at once, in one statement; n 0 is fine. */
#define CLOSES_DELETE_MAX 64
must_check enum outcome db_closes_delete(struct db *db, const uint64_t *ids, size_t n);

#endif
