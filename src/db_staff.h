/* db_staff.h - whom a shop's owner has let in, typed.
 * Owns: rows of shop_staff. Does not own: who may let in whom (ep_staff.c), closing channels (db_account.h). Text is arena memory. */
#ifndef PICKUP_DB_STAFF_H
#define PICKUP_DB_STAFF_H

#include "db.h"
#include "ids.h"
#include "person.h"

/* What somebody has to do with a shop. */
struct shop_ties { bool is_owner, is_staff; };
/* OC_OK or OC_NOT_FOUND (no such shop), or db_run's errors. */
must_check enum outcome db_shop_ties(struct db *db, struct shop_id shop, struct user_id user, struct shop_ties *out);

struct staff {
	struct user_id user_id;
	struct str full_name;
	struct str phone_number;	/* none: the owner did not show to know it */
	enum role role;
	instant added_at;
};

/* OC_CONFLICT: is there already. */
must_check enum outcome db_staff_insert(struct db *db, struct shop_id shop, struct user_id user, struct user_id added_by, bool by_phone, instant at);
/* From now on the owner is shown the number of somebody who is there. */
must_check enum outcome db_staff_know_phone(struct db *db, struct shop_id shop, struct user_id user);
/* OC_OK with *out filled, OC_NOT_FOUND. */
must_check enum outcome db_staff_get(struct db *db, struct arena *a, struct shop_id shop, struct user_id user, struct staff *out);
/* By user id, highest first, with ids below before (0: from the highest), at most limit: an arena array. */
must_check enum outcome db_staff_list(struct db *db, struct arena *a, struct shop_id shop, struct user_id before, uint64_t limit,
	struct staff **out, size_t *n);
/* OC_NOT_FOUND: is not there. */
must_check enum outcome db_staff_delete(struct db *db, struct shop_id shop, struct user_id user);

#endif
