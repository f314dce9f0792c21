/* db_account.h - whether somebody's tokens still count, and which subscriptions must be judged anew once they do not.
 * Owns: reading a standing, rows of channel_closes as those write them who take a right away. Does not own: users (db_user.c), closing the
 * channels (the relay's), the rules (account.c). */
#ifndef PICKUP_DB_ACCOUNT_H
#define PICKUP_DB_ACCOUNT_H

#include "account.h"
#include "db.h"
#include "event.h"

/* The columns of STANDING in db_sql.c, from v[0] on. */
#define STANDING_COLUMNS 3
struct standing standing_of_row(const struct db_val *v);
/* A token's iat as these statements compare with it. */
struct db_val iat_value(instant iat);

/* OC_OK, also for somebody unknown. is_staff: in some shop. */
must_check enum outcome db_standing_get(struct db *db, struct user_id id, struct standing *out, bool *is_staff);

/* Subscribers of the channel are to come again. Belongs into the transaction that takes somebody's right away; the relay wants a poke after it. */
must_check enum outcome db_close_channel(struct db *db, struct channel ch, instant at);
/* The same for every channel that the user may have: their own, and those of the shops that are theirs or that they are staff of. */
must_check enum outcome db_close_channels_of(struct db *db, struct user_id id, instant at);

#endif
