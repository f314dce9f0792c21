/* ep.h - the endpoints, one function each; route.c names them. Each reads the request, applies rules, asks the database and
 * writes the reply. Outcome: OC_OK with a reply, OC_REFUSED with a problem as the reply, or what the lower layer said. */
#ifndef PICKUP_EP_H
#define PICKUP_EP_H

#include "app.h"

enum outcome ep_register(struct req *r);	/* ep_auth.c */
enum outcome ep_login(struct req *r);
enum outcome ep_ticket(struct req *r);
enum outcome ep_subscribe(struct req *r);	/* asked by the push server before it lets a subscriber in */
enum outcome ep_logout_all(struct req *r);	/* ep_account.c */
enum outcome ep_password(struct req *r);
enum outcome ep_order_place(struct req *r);	/* ep_place.c */
enum outcome ep_order_get(struct req *r);	/* ep_order.c */
enum outcome ep_order_change(struct req *r);
enum outcome ep_order_history(struct req *r);
enum outcome ep_orders_of_shop(struct req *r);	/* ep_list.c */
enum outcome ep_orders_of_me(struct req *r);
enum outcome ep_orders_export(struct req *r);	/* ep_export.c */
enum outcome ep_events_of_shop(struct req *r);	/* ep_events.c */
enum outcome ep_events_of_customer(struct req *r);
enum outcome ep_shop_list(struct req *r);	/* ep_shop.c */
enum outcome ep_shops_of_me(struct req *r);
enum outcome ep_shop_get(struct req *r);
enum outcome ep_shop_create(struct req *r);
enum outcome ep_shop_change(struct req *r);
enum outcome ep_slots(struct req *r);		/* ep_slots.c */
enum outcome ep_product_list(struct req *r);	/* ep_product.c */
enum outcome ep_product_get(struct req *r);
enum outcome ep_product_create(struct req *r);
enum outcome ep_product_change(struct req *r);
enum outcome ep_staff_list(struct req *r);	/* ep_staff.c */
enum outcome ep_staff_add(struct req *r);
enum outcome ep_staff_remove(struct req *r);
enum outcome ep_staff_remove_one(struct req *r);
enum outcome ep_upload_add(struct req *r);	/* ep_upload.c */
enum outcome ep_upload_get(struct req *r);
enum outcome ep_healthz(struct req *r);		/* ep_health.c */
enum outcome ep_readyz(struct req *r);
enum outcome ep_metrics(struct req *r);		/* ep_metrics.c */
enum outcome ep_openapi(struct req *r);		/* ep_openapi.c */

#endif
