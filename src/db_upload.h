/* db_upload.h - rows of uploaded photos, typed. Owns: rows of uploads. Does not own: files (upload_store.c); the order that takes a photo
 * (db_place.c). Every function gives db_run's outcomes beside those named. */
#ifndef PICKUP_DB_UPLOAD_H
#define PICKUP_DB_UPLOAD_H

#include "db.h"
#include "ids.h"
#include "upload.h"

/* Whose it is, and the shop of its order, 0 for none. */
struct upload_row { struct user_id customer_id; struct shop_id shop_id; };
/* OC_OK or OC_NOT_FOUND. */
must_check enum outcome db_upload_get(struct db *db, const struct upload_name *name, struct upload_row *out);

/* How many photos of the customer no order has taken yet, and since when the oldest waits (INSTANT_NONE: none does). */
must_check enum outcome db_uploads_waiting(struct db *db, struct user_id customer, uint64_t *n, instant *oldest);
/* Inside a transaction: nobody else adds a photo of this customer until it ends. OC_NOT_FOUND: there is no such account, or it is not active. */
must_check enum outcome db_upload_lock(struct db *db, struct user_id customer);
must_check enum outcome db_upload_insert(struct db *db, const struct upload_name *name, struct user_id customer, uint64_t bytes, instant now);

/* The most names that these two take. */
#define UPLOADS_AT_ONCE 16
/* Names of photos that have waited since before t, the oldest first, at most UPLOADS_AT_ONCE. */
must_check enum outcome db_uploads_unused(struct db *db, instant t, struct upload_name *out, size_t *n);
/* What has become of a photo. */
struct upload_fate { struct order_id order_id; bool is_known, is_done; };	/* order_id 0: it waits; is_done: the order was finished before t */
must_check enum outcome db_uploads_look(struct db *db, const struct upload_name *names, size_t n, instant t, struct upload_fate *out);
/* OC_CONFLICT: that is not its order any more. */
must_check enum outcome db_upload_delete(struct db *db, const struct upload_name *name, struct order_id order);

#endif
