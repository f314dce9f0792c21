/* access.h - who may see a shop's lists, events and channel, or a customer's.
 * Owns: that rule. Used by: ep_list.c, ep_events.c, ep_auth.c. */
#ifndef PICKUP_ACCESS_H
#define PICKUP_ACCESS_H

#include "app.h"
#include "event.h"

/* OC_REFUSED, with that 403 as the reply. */
must_check enum outcome access_refuse(struct req *r);
/* OC_OK, or OC_REFUSED with 403 as the reply: a shop that is not theirs, and one that does not exist, look alike. */
must_check enum outcome access_shop(struct req *r, struct shop_id shop);
/* The same for a channel: that shop's people, or that customer alone. */
must_check enum outcome access_channel(struct req *r, struct channel ch);

#endif
