/* throttle.h - how often passwords may be tried.
 * Owns: what a try is counted under, refusing it. Does not own: how long it waits (account.c), counting (db_login.c). Used by: signin.c,
 * ep_auth.c, ep_account.c. */
#ifndef PICKUP_THROTTLE_H
#define PICKUP_THROTTLE_H

#include "app.h"
#include "db_login.h"

/* A try to prove who one is by a password; made by throttle_begin(). */
struct attempt { struct login_subjects subjects; bool is_known; };

/* The addresses that count as one: an IPv4 address, also one that IPv6 wraps, or the network of an IPv6 one, as most get a whole /64. *out: in the
 * arena. False: that is no address (a Unix socket's client has none). */
must_check bool throttle_address(struct arena *a, struct str remote, struct str *out);

/* Counts the try as a failure before it is looked at, so that many at once do not get through together. number: what was sent for one. OC_OK; or
 * OC_REFUSED with 429 as the reply, and nothing counted. Also db_transact's errors. */
must_check enum outcome throttle_begin(struct req *r, struct str number, struct attempt *out);
/* It was none: takes it back, in the transaction of what follows from that. */
must_check enum outcome throttle_good(struct db *db, const struct attempt *a, instant now);
/* Somebody's first password was set by this request: their number is known from this address, as if it had signed in. In its transaction. */
must_check enum outcome throttle_welcome(struct db *db, struct req *r, struct str number);

#endif
