/* db_list.c - pages of orders, newest first; see db_order.h.
 * Each wanted (status, order_type) is one walk along an index that is sorted already; the server merges the walks and
 * stops at the page's length. So the last page costs what the first one does. */
#include "db_order.h"

#include <stdlib.h>

#include "arena.h"
#include "db_account.h"
#include "db_order_row.h"

static int newest_first(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	if (x->created_at != y->created_at)
		return x->created_at < y->created_at ? 1 : -1;
	return (x->id.v < y->id.v) - (x->id.v > y->id.v);
}

/* Mostly they come so already. */
static void sort(struct order_page *page)
{
	for (size_t i = 1; i < page->n; i++)
		if (newest_first(&page->orders[i - 1], &page->orders[i]) > 0) {
			qsort(page->orders, page->n, sizeof *page->orders, newest_first);
			return;
		}
}

static enum outcome run_list(struct db *db, struct arena *a, enum sql id, unsigned reps, const struct db_val *args, size_t n,
	struct order_page *out, bool *is_any)
{
	struct order_rows rows = { .arena = a };
	enum outcome oc = db_run(db, id, reps, args, n, order_rows_take, &rows, NULL);
	if (oc != OC_OK)
		return oc;
	*is_any = rows.is_any;
	*out = (struct order_page){ rows.orders, rows.n };
	sort(out);
	return db_items_load(db, a, out->orders, out->n, false);
}

/* "pending,ready" for FIND_IN_SET. */
static struct str names_of(struct arena *a, uint32_t set, int count, const char *(*name)(int))
{
	struct buf b = BUF_IN(a);
	buf_reserve(&b, 64);
	for (int i = 0; i < count; i++) {
		if (!(set & 1u << i))
			continue;
		if (b.len)
			buf_addc(&b, ',');
		buf_adds(&b, name(i));
	}
	return buf_str(&b);
}

static const char *status_name(int s) { return order_status_name((enum order_status)s); }
static const char *type_name(int t) { return order_type_name((enum order_type)t); }

static struct str statuses_of(struct arena *a, const struct order_filter *f)
{
	return names_of(a, f->statuses, ORDER_STATUS__MAX, status_name);
}

static struct str types_of(struct arena *a, const struct order_filter *f)
{
	return names_of(a, f->types, ORDER_TYPE__MAX, type_name);
}

static struct db_val *put_page(struct db_val *v, const struct order_filter *f)
{
	*v++ = db_time(f->after.created_at);
	*v++ = db_time(f->after.created_at);
	*v++ = db_uint(f->after.id);
	*v++ = db_uint(f->limit);
	return v;
}

#define COMBINATIONS_MAX (ORDER_TYPE__MAX * ORDER_STATUS__MAX)
#define COMBINATION_VALUES 8
#define OLDER_VALUES 9
#define ASKER_VALUES 3

static struct db_val *put_asker(struct db_val *v, const struct asker *asker)
{
	*v++ = db_uint(asker->id.v);
	*v++ = db_uint(asker->id.v);
	*v++ = iat_value(asker->iat);
	return v;
}

/* Nobody owns a shop as user 0. */
static struct db_val *put_shop(struct db_val *v, struct shop_id shop, const struct asker *asker)
{
	*v++ = db_uint(shop.v);
	*v++ = db_uint(asker->may_own ? asker->id.v : 0);
	return v;
}

/* Values for each wanted (status, order_type); gives how many those are. */
static unsigned put_combinations(struct db_val **v, struct shop_id shop, const struct order_filter *f)
{
	unsigned reps = 0;
	for (int s = 0; s < ORDER_STATUS__MAX; s++) {
		for (int t = 0; t < ORDER_TYPE__MAX; t++) {
			if (!(f->statuses & 1u << s) || !(f->types & 1u << t))
				continue;
			*(*v)++ = db_uint(shop.v);
			*(*v)++ = db_text(str_from(status_name(s)));
			*(*v)++ = db_text(str_from(type_name(t)));
			if (f->updated_since != INSTANT_NONE)
				*(*v)++ = db_time(f->updated_since);
			*v = put_page(*v, f);
			reps++;
		}
	}
	return reps;
}

static enum outcome list_one(struct db *db, struct arena *a, struct shop_id shop, const struct asker *asker, const struct order_filter *f,
	struct order_page *out, bool *is_any)
{
	struct db_val args[ASKER_VALUES + 2 + COMBINATION_VALUES], *v = args;
	v = put_asker(v, asker);
	v = put_shop(v, shop, asker);
	(void)put_combinations(&v, shop, f);
	return run_list(db, a, SQL_LIST_SHOP_ONE, 0, args, (size_t)(v - args), out, is_any);
}

/* One status and one type, and none of the values that updated_since adds. */
static bool is_one(const struct order_filter *f)
{
	return f->updated_since == INSTANT_NONE && !(f->statuses & (f->statuses - 1)) && !(f->types & (f->types - 1));
}

enum outcome db_orders_of_shop(struct db *db, struct arena *a, struct shop_id shop, const struct asker *asker, const struct order_filter *f,
	struct order_page *out)
{
	bool is_theirs;
	if (is_one(f)) {
		enum outcome oc = list_one(db, a, shop, asker, f, out, &is_theirs);
		/* Of an empty list the other statement knows whose it is. */
		if (oc != OC_OK || is_theirs)
			return oc;
	}
	struct db_val args[ASKER_VALUES + COMBINATIONS_MAX * COMBINATION_VALUES + OLDER_VALUES + 3], *v = args;
	v = put_asker(v, asker);
	unsigned reps = put_combinations(&v, shop, f);
	enum sql id = SQL_LIST_SHOP;
	if (f->updated_since != INSTANT_NONE) {
		id = SQL_LIST_SHOP_SINCE;
		*v++ = db_uint(shop.v);
		*v++ = db_time(f->updated_since);
		*v++ = db_time(f->updated_since);
		*v++ = db_text(statuses_of(a, f));
		*v++ = db_text(types_of(a, f));
		v = put_page(v, f);
	}
	*v++ = db_uint(f->limit);
	v = put_shop(v, shop, asker);
	enum outcome oc = run_list(db, a, id, reps, args, (size_t)(v - args), out, &is_theirs);
	return oc == OC_OK && !is_theirs ? OC_NOT_FOUND : oc;
}

enum outcome db_orders_of_customer(struct db *db, struct arena *a, const struct asker *asker, const struct order_filter *f, struct order_page *out)
{
	instant since = f->updated_since == INSTANT_NONE ? 0 : f->updated_since;
	struct db_val args[] = {
		db_uint(asker->id.v), db_text(statuses_of(a, f)), db_text(types_of(a, f)), db_time(since),
		db_time(f->after.created_at), db_time(f->after.created_at), db_uint(f->after.id), db_uint(f->limit), db_uint(f->limit),
		db_uint(asker->id.v), iat_value(asker->iat),
	};
	bool is_any;
	enum outcome oc = run_list(db, a, SQL_LIST_CUSTOMER, 0, args, sizeof args / sizeof *args, out, &is_any);
	return oc == OC_OK && !is_any ? OC_NOT_FOUND : oc;
}
