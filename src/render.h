/* render.h - structs to JSON text, one function per object, members in the order that clients were promised.
 * Owns: the shape of answers. Does not own: messages (event.c), problems (problem.c). */
#ifndef PICKUP_RENDER_H
#define PICKUP_RENDER_H

#include "db_order.h"
#include "db_shop.h"
#include "db_staff.h"
#include "db_user.h"
#include "order.h"
#include "terms.h"

/* The lines of an order as orders.items_json holds them: each without its id, which needs the order's, from the comma behind that on, and a
 * line feed. */
void render_items_stored(struct buf *b, const struct order_item *items, size_t n);
void render_order(struct buf *b, const struct order *o, const struct zone *z);
void render_user(struct buf *b, const struct user *u);
void render_staff(struct buf *b, const struct staff *s, const struct zone *z);
/* terms: what its rules come to now. */
void render_shop(struct buf *b, const struct shop *s, const struct terms *t, instant now);
void render_product(struct buf *b, const struct product *p, const struct zone *z);
/* has_ids: whether to say who it was by id (customers are not told). */
void render_history_entry(struct buf *b, const struct history_entry *e, const struct zone *z, bool has_ids);

#endif
