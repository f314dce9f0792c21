/* ep_list.c - lists of orders, newest first, in pages.
 * Owns: the query's parameters, the cursor's text. Does not own: how a page is found (db_list.c). */
#include "ep.h"

#include "access.h"
#include "auth.h"
#include "db_order.h"
#include "problem.h"
#include "render.h"
#include "reply.h"

struct list_input { uint32_t types, statuses; instant updated_since; int64_t limit; struct str cursor; };

static const struct field list_fields[] = {
	{ .name = "order_type", .type = FIELD_ENUM_SET, .words = order_type_words, .offset = offsetof(struct list_input, types) },
	{ .name = "status", .type = FIELD_ENUM_SET, .words = order_status_words, .offset = offsetof(struct list_input, statuses) },
	{ .name = "updated_since", .type = FIELD_TIME, .offset = offsetof(struct list_input, updated_since) },
	{ .name = "limit", .type = FIELD_INT, .min = 1, .max = LIMIT_MAX, .offset = offsetof(struct list_input, limit) },
	{ .name = "cursor", .type = FIELD_TEXT, .min = 1, .max = 50, .offset = offsetof(struct list_input, cursor) },
};
static const struct field_table list_table = { list_fields, sizeof list_fields / sizeof *list_fields, sizeof(struct list_input) };

/* "1772107200000000-15": created_at in microseconds and the id of the page's last order. */
static bool cursor_parse(struct str s, struct order_cursor *out)
{
	uint64_t created_at, id;
	struct str tail, head = str_cut(s, '-', &tail);
	if (!str_to_uint(head, (uint64_t)ORDER_CURSOR_START.created_at, &created_at) || !str_to_uint(tail, INT64_MAX, &id))
		return false;
	*out = (struct order_cursor){ (instant)created_at, id };
	return true;
}

static void read_filter(struct req *r, struct query *q, struct order_filter *out, struct faults *f)
{
	struct list_input in = { .updated_since = INSTANT_NONE, .limit = LIMIT_DEFAULT };
	*q = query_parse(r->arena, r->http.query, f);
	query_fill(q, &list_table, &in, f);
	*out = (struct order_filter){
		.types = in.types ? in.types : (1u << ORDER_TYPE__MAX) - 1,
		.statuses = in.statuses ? in.statuses : (1u << ORDER_STATUS__MAX) - 1,
		.updated_since = in.updated_since, .after = ORDER_CURSOR_START, .limit = (unsigned)in.limit,
	};
	if (in.cursor.s && !cursor_parse(in.cursor, &out->after))
		fault_add(f, "cursor", "must come from a Link header");
}

/* A usual order of two lines: so a page is not moved about while it grows. */
#define ORDER_ROOM 1024

/* The page was asked for with one order more than its limit: whether that one is there tells whether to link further. */
static enum outcome reply_page(struct req *r, const struct query *q, struct order_page page, unsigned limit)
{
	size_t n = page.n < limit ? page.n : limit;
	struct buf *b = reply_json(r, 200);
	buf_reserve(b, n * ORDER_ROOM);
	buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		render_order(b, &page.orders[i], zone_get(r->app->zones, page.orders[i].timezone));
	}
	buf_addc(b, ']');
	if (page.n > limit) {
		const struct order *last = &page.orders[n - 1];
		reply_link_next(r, q, arena_printf(r->arena, "%lld-%llu", (long long)last->created_at, (unsigned long long)last->id.v));
	}
	return OC_OK;
}

/* The page's statement tells whose the shop is as well. Who may not see it hears that rather than what was wrong with the query. */
enum outcome ep_orders_of_shop(struct req *r)
{
	struct shop_id shop = { r->ids[0] };
	struct faults f = FAULTS_IN(r->arena);
	struct query q;
	struct order_filter filter;
	struct order_page page;
	struct asker asker = auth_asker(r);
	if (r->who.role == ROLE_ADMIN)
		return access_refuse(r);
	read_filter(r, &q, &filter, &f);
	if (f.n) {
		enum outcome seen = access_shop(r, shop);
		return seen == OC_OK ? problem_faults(r, &f) : seen;
	}
	unsigned limit = filter.limit++;
	enum outcome oc = db_orders_of_shop(r->app->db, r->arena, shop, &asker, &filter, &page);
	if (oc == OC_NOT_FOUND)
		return access_refuse(r);
	r->is_judged = oc == OC_OK;
	return oc == OC_OK ? reply_page(r, &q, page, limit) : oc;
}

enum outcome ep_orders_of_me(struct req *r)
{
	struct faults f = FAULTS_IN(r->arena);
	struct query q;
	struct order_filter filter;
	struct order_page page;
	struct asker asker = auth_asker(r);
	read_filter(r, &q, &filter, &f);
	if (f.n)
		return problem_faults(r, &f);
	unsigned limit = filter.limit++;
	enum outcome oc = db_orders_of_customer(r->app->db, r->arena, &asker, &filter, &page);
	r->is_judged = oc == OC_OK;
	return oc == OC_OK || oc == OC_NOT_FOUND ? reply_page(r, &q, page, limit) : oc;
}
