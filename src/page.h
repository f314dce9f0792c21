/* page.h - lists that are paged by id, newest first: their parameters and the link to the next page.
 * Used by: ep_shop.c, ep_product.c, ep_staff.c. */
#ifndef PICKUP_PAGE_H
#define PICKUP_PAGE_H

#include "app.h"

struct page_input { int64_t limit; uint64_t cursor; /* ids below; 0: from the newest */ bool include_inactive; };

/* Reads limit, cursor and, where has_inactive, include_inactive. OC_OK, or OC_REFUSED with 422 as the reply. */
must_check enum outcome page_read(struct req *r, bool has_inactive, struct query *q, struct page_input *in);
/* Links to what comes after last_id. */
void page_link(struct req *r, const struct query *q, uint64_t last_id);

#endif
