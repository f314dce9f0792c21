/* db_change.h - what a change of an order writes beside the order itself, whoever makes it: history, stock that goes back, the message.
 * Owns: that these belong together. Does not own: the verdict (order.c), who may (ep_order.c), the deadline's sweep (relay_expire.c). */
#ifndef PICKUP_DB_CHANGE_H
#define PICKUP_DB_CHANGE_H

#include "db_order.h"

/* Who makes the change; is_system: nobody, and the others mean nothing. */
struct changer { bool is_system; struct user_id user; enum role role; };

/* Writes the change from before to next, as order_judge() gave it, in the transaction that read before; sets next's version and updated_at (now,
 * or before's where that is later). z: the shop's zone, for the message. OC_BUSY: somebody was faster; judge anew what they left. */
must_check enum outcome db_change_write(struct db *db, struct arena *a, struct order *before, struct order *next, const struct changer *by,
	const struct zone *z, instant now);

#endif
