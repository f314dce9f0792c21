/* db_shop.h - shops and products, typed. Owns: rows of shops and products. Text is arena memory. */
#ifndef PICKUP_DB_SHOP_H
#define PICKUP_DB_SHOP_H

#include "db.h"
#include "ids.h"

/* A number that the shop has never set (the settings' default holds), and one that it has switched off. */
#define RULE_UNSET (-2)
#define RULE_OFF (-1)

/* What a shop has set for itself; what that comes to with the defaults: terms.h. */
struct shop_rules {
	struct str opening_hours, exceptions;	/* JSON as the API takes it, or none */
	int64_t lead_minutes, max_days_ahead, last_order_minutes, slot_minutes, slot_capacity;	/* or RULE_UNSET, RULE_OFF */
	int64_t accept_within_minutes, default_preparation_minutes;
	int64_t auto_confirm;		/* 0, 1 or RULE_UNSET */
	instant paused_until;		/* or INSTANT_NONE; may be over */
	struct str pause_reason;	/* or none */
	bool pre_orders_while_paused;
};
/* Nothing set. */
#define SHOP_RULES_NONE ((struct shop_rules){ .lead_minutes = RULE_UNSET, .max_days_ahead = RULE_UNSET, .last_order_minutes = RULE_UNSET, \
	.slot_minutes = RULE_UNSET, .slot_capacity = RULE_UNSET, .accept_within_minutes = RULE_UNSET, \
	.default_preparation_minutes = RULE_UNSET, .auto_confirm = RULE_UNSET, .paused_until = INSTANT_NONE })

struct shop {
	struct shop_id id;
	struct user_id owner_id;
	struct str name, timezone, currency, address /* or none */, phone_number /* or none */;
	bool is_active;
	instant created_at, updated_at;
	struct shop_rules rules;
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
/* The same, and it stays as it is until the transaction ends: whoever else wants it so waits. */
must_check enum outcome db_shop_get_locked(struct db *db, struct arena *a, struct shop_id id, struct shop *out);
/* Active shops, newest (highest id) first, with ids below before (0: from the newest), at most limit: an arena array. */
must_check enum outcome db_shop_list(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n);
/* The same with the inactive ones. */
must_check enum outcome db_shop_list_all(struct db *db, struct arena *a, struct shop_id before, uint64_t limit, struct shop **out, size_t *n);
/* The same, inactive ones as well, of that owner, and those that let that person in (either may be nobody: id 0). */
must_check enum outcome db_shop_list_of(struct db *db, struct arena *a, struct user_id owner, struct user_id staff, struct shop_id before,
	uint64_t limit, struct shop **out, size_t *n);
/* Inserts s (id ignored), sets s->id. The owner must exist (the caller has looked). */
must_check enum outcome db_shop_insert(struct db *db, struct shop *s);
/* Writes every column but created_at and the rules. OC_NOT_FOUND. */
must_check enum outcome db_shop_update(struct db *db, const struct shop *s);
/* Writes the rules alone. OC_NOT_FOUND. */
must_check enum outcome db_shop_update_rules(struct db *db, const struct shop *s);

/* How many orders are to be picked up from one instant to another (exclusive): for whoever holds the shop locked, no other comes meanwhile. */
must_check enum outcome db_slot_count(struct db *db, struct shop_id shop, instant from, instant to, uint64_t *out);
/* The same by pickup time, in order: an arena array. */
struct slot_count { instant pickup; uint64_t taken; };
must_check enum outcome db_slot_counts(struct db *db, struct arena *a, struct shop_id shop, instant from, instant to,
	struct slot_count **out, size_t *n);

must_check enum outcome db_product_get(struct db *db, struct arena *a, struct product_id id, struct product *out);
must_check enum outcome db_product_get_locked(struct db *db, struct arena *a, struct product_id id, struct product *out);
/* As db_shop_list, of one shop; with inactive ones only where all is true. */
must_check enum outcome db_product_list(struct db *db, struct arena *a, struct shop_id shop, struct product_id before, bool all,
	uint64_t limit, struct product **out, size_t *n);
must_check enum outcome db_product_insert(struct db *db, struct product *p);
/* Writes name, description, unit, price, is_active, updated_at, and the stock only where set_stock (orders move it meanwhile). OC_NOT_FOUND. */
must_check enum outcome db_product_update(struct db *db, const struct product *p, bool set_stock);

#endif
