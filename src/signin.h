/* signin.h - from a password that was right to an access token.
 * Owns: that step, and what its answer says. Does not own: passwords (passwd.c), tokens (jwt.c), how often one may try (throttle.c).
 * Used by: ep_auth.c, ep_account.c. */
#ifndef PICKUP_SIGNIN_H
#define PICKUP_SIGNIN_H

#include "app.h"
#include "db_user.h"
#include "passwd.h"
#include "throttle.h"

/* Whether access tokens are made here: OC_OK, or OC_REFUSED with 404 as the reply. */
must_check enum outcome signin_check(struct req *r);
/* As passwd_matches() and passwd_hash(), amid a request: the time that they take, on purpose, is not the database's. */
must_check bool signin_matches(struct req *r, struct str hash, struct str password);
must_check enum outcome signin_hash(struct req *r, struct str password, char out[PASSWD_HASH_SIZE]);
/* 200 with a new access token for the user, whose row is as it was when the password was looked at, and the try was none that failed: OC_NOT_FOUND
 * where that, or whether they may sign in, has changed since. Also db_transact's errors. */
must_check enum outcome signin_reply(struct req *r, const struct user *user, const struct attempt *attempt);
/* The same for a row that a transaction of this request has just had to itself. OC_OK, OC_BAD. */
must_check enum outcome signin_reply_for(struct req *r, const struct user *user);
/* 200 with {"name":token,…,"expires_in":ttl, its last brace still to come; kept by nobody. */
struct buf *signin_reply_token(struct req *r, const char *name, struct str token, int64_t ttl);

#endif
