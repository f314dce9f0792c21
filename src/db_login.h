/* db_login.h - how often passwords were wrong, typed.
 * Owns: rows of login_failures. Does not own: how long the next try waits (account.c), who is told (throttle.c). */
#ifndef PICKUP_DB_LOGIN_H
#define PICKUP_DB_LOGIN_H

#include "account.h"
#include "db.h"

/* What a try to sign in is counted under; digests. */
struct login_subjects {
	struct str number;
	struct str address;		/* or none: it is not known, then there is no pair either */
	struct str pair;		/* the number from that address, or none */
};

/* What was counted. Where the number has signed in from that address before, only the pair counts, else all but that. */
struct login_counts { bool is_known; struct failures number, address, pair; };

/* The counters of a try, which are ours until the transaction ends. */
must_check enum outcome db_login_look(struct db *db, const struct login_subjects *s, instant now, struct login_counts *out);
/* Counts it as a failure: what it is, until it is known to be none. is_known: as it was looked at. */
must_check enum outcome db_login_count(struct db *db, const struct login_subjects *s, bool is_known, instant now);
/* It was none. From now on the number is known to sign in from that address. */
must_check enum outcome db_login_good(struct db *db, const struct login_subjects *s, bool is_known, instant now);
/* Deletes what counts no more, at most limit of each kind; *n: how many. */
must_check enum outcome db_login_prune(struct db *db, instant now, uint64_t limit, uint64_t *n);

#endif
