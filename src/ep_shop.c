/* ep_shop.c - shops and what they have on sale, for everybody to read.
 * Owns: these pages. Does not own: rows (db_shop.c). */
#include "ep.h"

#include "db_shop.h"
#include "problem.h"
#include "render.h"
#include "reply.h"

struct page_input { int64_t limit; uint64_t cursor; };

static const struct field page_fields[] = {
	{ .name = "limit", .type = FIELD_INT, .min = 1, .max = LIMIT_MAX, .offset = offsetof(struct page_input, limit) },
	{ .name = "cursor", .type = FIELD_ID, .offset = offsetof(struct page_input, cursor) },
};
static const struct field_table page_table = { page_fields, sizeof page_fields / sizeof *page_fields, sizeof(struct page_input) };

static enum outcome read_page(struct req *r, struct query *q, struct page_input *in)
{
	struct faults f = FAULTS_IN(r->arena);
	*in = (struct page_input){ .limit = LIMIT_DEFAULT };
	*q = query_parse(r->arena, r->http.query, &f);
	query_fill(q, &page_table, in, &f);
	return f.n ? problem_faults(r, &f) : OC_OK;
}

static void link_further(struct req *r, const struct query *q, uint64_t last_id)
{
	reply_link_next(r, q, arena_printf(r->arena, "%llu", (unsigned long long)last_id));
}

enum outcome ep_shop_list(struct req *r)
{
	struct query q;
	struct page_input in;
	struct shop *shops;
	size_t n;
	enum outcome oc = read_page(r, &q, &in);
	if (oc == OC_OK)
		oc = db_shop_list(r->app->db, r->arena, (struct shop_id){ in.cursor }, (uint64_t)in.limit + 1, &shops, &n);
	if (oc != OC_OK)
		return oc;
	struct buf *b = reply_json(r, 200);
	buf_addc(b, '[');
	for (size_t i = 0; i < n && i < (size_t)in.limit; i++) {
		if (i)
			buf_addc(b, ',');
		render_shop(b, &shops[i], zone_get(r->app->zones, shops[i].timezone));
	}
	buf_addc(b, ']');
	if (n > (size_t)in.limit)
		link_further(r, &q, shops[in.limit - 1].id.v);
	return OC_OK;
}

/* A shop that was closed down is as if it were not there. */
static enum outcome get_open(struct req *r, struct shop *shop)
{
	enum outcome oc = db_shop_get(r->app->db, r->arena, (struct shop_id){ r->ids[0] }, shop);
	return oc == OC_OK && !shop->is_active ? OC_NOT_FOUND : oc;
}

enum outcome ep_shop_get(struct req *r)
{
	struct shop shop;
	enum outcome oc = get_open(r, &shop);
	if (oc == OC_OK)
		render_shop(reply_json(r, 200), &shop, zone_get(r->app->zones, shop.timezone));
	return oc;
}

enum outcome ep_product_list(struct req *r)
{
	struct query q;
	struct page_input in;
	struct shop shop;
	struct product *products;
	size_t n;
	enum outcome oc = read_page(r, &q, &in);
	if (oc == OC_OK)
		oc = get_open(r, &shop);
	if (oc == OC_OK)
		oc = db_product_list(r->app->db, r->arena, shop.id, (struct product_id){ in.cursor }, false, (uint64_t)in.limit + 1, &products, &n);
	if (oc != OC_OK)
		return oc;
	struct buf *b = reply_json(r, 200);
	const struct zone *zone = zone_get(r->app->zones, shop.timezone);
	buf_addc(b, '[');
	for (size_t i = 0; i < n && i < (size_t)in.limit; i++) {
		if (i)
			buf_addc(b, ',');
		render_product(b, &products[i], zone);
	}
	buf_addc(b, ']');
	if (n > (size_t)in.limit)
		link_further(r, &q, products[in.limit - 1].id.v);
	return OC_OK;
}
