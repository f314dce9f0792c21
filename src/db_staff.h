/* db_staff.h - whom a shop's owner has let in, typed. Owns: rows of shop_staff. Does not own: who may let in whom (ep_staff.c). */
#ifndef PICKUP_DB_STAFF_H
#define PICKUP_DB_STAFF_H

#include "db.h"
#include "ids.h"

/* What somebody has to do with a shop. */
struct shop_ties { bool is_owner, is_staff; };
/* OC_OK or OC_NOT_FOUND (no such shop), or db_run's errors. */
must_check enum outcome db_shop_ties(struct db *db, struct shop_id shop, struct user_id user, struct shop_ties *out);

#endif
