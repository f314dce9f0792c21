/* event.h - the bodies of the three messages, to the letter as the API description has them.
 * Owns: which message a change causes, its channel and its text. Pure: no HTTP, no SQL. seq is not in it: it travels beside. */
#ifndef PICKUP_EVENT_H
#define PICKUP_EVENT_H

#include <stdint.h>
#include "order.h"

enum channel_kind { CHANNEL_SHOP = 1, CHANNEL_CUSTOMER = 2, CHANNEL_KIND__MAX };

struct channel { enum channel_kind kind; uint64_t id; };

/* "shop", "customer": the words of the paths /ws/…, /api/v1/events/… and /pub/…. */
const char *channel_kind_name(enum channel_kind k);
must_check bool channel_kind_parse(struct str s, enum channel_kind *out);

struct event { struct channel channel; struct str body; };	/* body: arena, JSON text, UTF-8 */

/* new_order, to the shop: its text before and behind the order's id, which is not known before the order is stored. Times in the zone z of
 * the order's shop. */
struct event_new { struct channel channel; struct str head, tail; };
struct event_new event_new_order(struct arena *a, const struct order *o, const struct zone *z);
/* The order_update of an order that was confirmed as it was placed; likewise, to the customer. */
struct event_new event_new_confirmed(struct arena *a, const struct order *o, const struct zone *z);
/* pickup_ready where the status has just become ready, order_update otherwise; to the customer. */
struct event event_order_changed(struct arena *a, const struct order *o, bool became_ready, const struct zone *z);

#endif
