/* gate.h - whether a shop takes an order now, by its calendar, its pause and its slots; and the 409 where it does not.
 * Owns: the order in which these are asked, the refusals and their alternatives. Does not own: the calendar (calendar.h), the transaction
 * (ep_place.c). */
#ifndef PICKUP_GATE_H
#define PICKUP_GATE_H

#include "app.h"
#include "order.h"
#include "terms.h"

enum gate { GATE_OPEN, GATE_CLOSED, GATE_PAUSED, GATE_TOO_FAR, GATE_TOO_SOON, GATE_OUTSIDE_HOURS, GATE_SLOT_FULL, GATE__MAX };

/* Everything but places in slots. pickup: of a pre_order. */
enum gate gate_judge(const struct terms *t, instant now, enum order_type type, instant pickup);
/* Whether the slot that pickup falls into has no place left. In a transaction that holds the shop locked it stays so. */
must_check enum outcome gate_is_full(struct db *db, struct shop_id shop, const struct terms *t, instant pickup, bool *is_full);
/* Makes the 409 for a verdict other than GATE_OPEN: for a pre_order with the next three times that would do, as far as can be told now. Outside
 * the transaction, so that nobody waits for it. Gives OC_REFUSED, or the database's outcome. */
enum outcome gate_refuse(struct req *r, struct shop_id shop, const struct terms *t, enum gate verdict, instant pickup);

#endif
