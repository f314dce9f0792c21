/* access.h - who may see a shop's lists, events and channel, or a customer's.
 * Owns: that rule, and the words for those who may not. Used by: route.c, endpoints. */
#ifndef PICKUP_ACCESS_H
#define PICKUP_ACCESS_H

#include "app.h"
#include "db_shop.h"
#include "event.h"

/* OC_REFUSED, with that 403 as the reply: what is another's; what only a shop's people do. */
must_check enum outcome access_refuse(struct req *r);
must_check enum outcome access_refuse_others(struct req *r);
/* OC_OK where they are of the shop's people (its owner, or staff), or OC_REFUSED with 403 as the reply: a shop that is not theirs, and one that
 * does not exist, look alike. */
must_check enum outcome access_shop(struct req *r, struct shop_id shop);
/* OC_OK for the shop's owner; OC_REFUSED with 403 for anybody else, or OC_NOT_FOUND where the shop was closed down. */
must_check enum outcome access_owner(struct req *r, const struct shop *shop);
/* OC_OK, or OC_REFUSED with 401 as the reply: the caller has an account here. For what refers to its row; tokens may come from elsewhere. */
must_check enum outcome access_account(struct req *r);
/* The same for a channel: that shop's people, or that customer alone. */
must_check enum outcome access_channel(struct req *r, struct channel ch);

#endif
