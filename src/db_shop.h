/* db_shop.h - shops and products, typed. Owns: rows of shops and products. Text is arena memory. */
#ifndef PICKUP_DB_SHOP_H
#define PICKUP_DB_SHOP_H

#include "db.h"
#include "ids.h"

struct shop {
	struct shop_id id;
	struct user_id owner_id;
	struct str name, timezone, currency, address /* or none */, phone_number /* or none */;
	bool is_active;
	instant created_at, updated_at;
};

struct product {
	struct product_id id;
	struct shop_id shop_id;
	struct str name, description /* or none */, unit /* or none */;
	money price;
	bool is_counted;	/* false: stock means nothing */
	int64_t stock;
	bool is_active;
	instant created_at, updated_at;
};

/* OC_OK with *out filled, OC_NOT_FOUND, or db_run's errors. */
must_check enum outcome db_shop_get(struct db *db, struct arena *a, struct shop_id id, struct shop *out);
/* Active shops, newest (highest id) first, with ids below before (0: from the newest), at most limit: an arena array. */
must_check enum outcome db_shop_list(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n);
/* The same with the inactive ones. */
must_check enum outcome db_shop_list_all(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n);
/* Inserts s (id ignored), sets s->id. The owner must exist (the caller has looked). */
must_check enum outcome db_shop_insert(struct db *db, struct shop *s);
/* Writes every column but created_at. OC_NOT_FOUND. */
must_check enum outcome db_shop_update(struct db *db, const struct shop *s);

must_check enum outcome db_product_get(struct db *db, struct arena *a, struct product_id id, struct product *out);
/* As db_shop_list, of one shop; with inactive ones only where all is true. */
must_check enum outcome db_product_list(struct db *db, struct arena *a, struct shop_id shop, struct product_id before, bool all,
	uint64_t limit, struct product **out, size_t *n);
must_check enum outcome db_product_insert(struct db *db, struct product *p);
/* Writes name, description, unit, price, is_active, updated_at, and the stock only where set_stock (orders move it meanwhile). OC_NOT_FOUND. */
must_check enum outcome db_product_update(struct db *db, const struct product *p, bool set_stock);

#endif
