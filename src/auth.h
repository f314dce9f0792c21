/* auth.h - who asks, and whether their account still lets them.
 * Owns: finding the token in a request, refusing what counts no more. Does not own: tokens (jwt.c), the rule (account.c), what an endpoint lets whom do. */
#ifndef PICKUP_AUTH_H
#define PICKUP_AUTH_H

#include "account.h"
#include "app.h"

/* Sets r->who from "Authorization: Bearer …" (RFC 6750 section 2.1); for a subscriber also from ?token=…, and tickets count.
 * OC_OK, or OC_REFUSED with 401 as the reply. */
must_check enum outcome auth_caller(struct req *r, bool is_subscriber);

/* The account as somebody's statement has just found it: OC_OK and r->is_judged, or OC_REFUSED with 401 as the reply. */
must_check enum outcome auth_judge(struct req *r, const struct standing *s);
/* The same with a statement of its own; otherwise the reply stays as it is. is_staff: of some shop. Also db_run's errors. */
must_check enum outcome auth_look(struct req *r, bool *is_staff);

/* Who asks, for statements that look at the account as they look for the shop. */
struct asker auth_asker(const struct req *r);

#endif
