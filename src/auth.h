/* auth.h - who asks. Owns: finding the token in a request. Does not own: tokens (jwt.c), what an endpoint lets whom do. */
#ifndef PICKUP_AUTH_H
#define PICKUP_AUTH_H

#include "app.h"

/* Sets r->who from "Authorization: Bearer …" (RFC 6750 section 2.1); for a subscriber also from ?token=…, and tickets count.
 * OC_OK, or OC_REFUSED with 401 as the reply. */
must_check enum outcome auth_caller(struct req *r, bool is_subscriber);

#endif
