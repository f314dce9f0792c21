/* account.h - what an account's state means for its tokens, for a shop's people, and for the next log-in.
 * Owns: these rules. Pure: no HTTP, no SQL, no JSON library. Used by: auth.c, access.c, throttle.c, endpoints, rows of users, orders and log-ins,
 * tool_user.c. */
#ifndef PICKUP_ACCOUNT_H
#define PICKUP_ACCOUNT_H

#include <stdbool.h>
#include "ids.h"
#include "person.h"
#include "timefmt.h"

/* What the database says of somebody whose token was verified. */
struct standing {
	bool is_known;			/* there is such a user here; tokens of another issuer may name others */
	bool is_active;
	instant tokens_ended_at;	/* tokens issued up to then are void; or INSTANT_NONE */
};

/* Whether a token issued at iat (INSTANT_NONE: it does not say) counts. Of whom nothing is known here, nothing can be said against it. */
bool standing_admits(const struct standing *s, instant iat);
/* What a token that is made now has to say of when that was, to be good although others were ended. */
instant standing_issue(const struct standing *s, instant now);
/* Up to when tokens are void that are ended now: at least the one issued at iat with which that is asked, whatever clock its maker went by. */
instant standing_end(const struct standing *s, instant now, instant iat);

/* Who asks for what is a shop's. */
struct asker {
	struct user_id id;
	bool may_own;			/* they count as the owner of shops that are theirs; else as staff at most */
	instant iat;			/* of the token, or INSTANT_NONE */
};

/* Whether that makes somebody one of a shop's people: its owner, as a shopkeeper, or staff, who may be customers elsewhere. */
bool is_of_shop(enum role role, bool is_owner, bool is_staff);

/* Wrong passwords in a row, and when the last one came; at INSTANT_NONE: none did. */
struct failures { uint64_t n; instant at; };
/* So long after the last one they count as none. */
#define FAILURES_LAST (900 * INSTANT_SECOND)
/* How long the next try has to wait from now, in microseconds: not at all after fewer than tries, then a second, then twice as long each time, up
 * to max_s seconds. */
int64_t failures_wait(const struct failures *f, instant now, int64_t tries, int64_t max_s);

#endif
