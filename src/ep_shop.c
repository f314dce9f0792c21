/* ep_shop.c - shops: everybody reads them, a shopkeeper opens one, its owner changes it.
 * Owns: what of a shop is shown, who may change it. Does not own: what can be sent (shop_input.c), rows (db_shop.c). */
#include "ep.h"

#include "access.h"
#include "account.h"
#include "db_shop.h"
#include "page.h"
#include "problem.h"
#include "render.h"
#include "reply.h"
#include "shop_input.h"

static enum outcome add_shop(struct req *r, struct buf *b, const struct shop *shop)
{
	struct terms terms;
	enum outcome oc = terms_of(r->app, r->arena, shop, r->now, &terms);
	if (oc == OC_OK)
		render_shop(b, shop, &terms, r->now);
	return oc;
}

/* While a calendar is read it takes twenty times the room of its text. A shop whose hours are none (logged) is left out: the others are shown. */
static void add_shops(struct req *r, struct buf *b, const struct shop *shops, size_t n)
{
	struct arena *each = arena_new();
	struct terms terms;
	size_t shown = 0;
	for (size_t i = 0; i < n; i++) {
		if (terms_of(r->app, each, &shops[i], r->now, &terms) == OC_OK) {
			if (shown++)
				buf_addc(b, ',');
			render_shop(b, &shops[i], &terms, r->now);
		}
		arena_reset(each);
	}
	arena_free(each);
}

/* shops: at most one more than the page holds, which says that there is another page. */
static enum outcome reply_page(struct req *r, const struct query *q, const struct page_input *in, const struct shop *shops, size_t n)
{
	struct buf *b = reply_json(r, 200);
	buf_addc(b, '[');
	add_shops(r, b, shops, n < (size_t)in->limit ? n : (size_t)in->limit);
	buf_addc(b, ']');
	if (n > (size_t)in->limit)
		page_link(r, q, shops[in->limit - 1].id.v);
	return OC_OK;
}

enum outcome ep_shop_list(struct req *r)
{
	struct query q;
	struct page_input in;
	struct shop *shops;
	size_t n;
	enum outcome oc = page_read(r, false, &q, &in);
	if (oc == OC_OK)
		oc = db_shop_list(r->app->db, r->arena, (struct shop_id){ in.cursor }, (uint64_t)in.limit + 1, &shops, &n);
	return oc == OC_OK ? reply_page(r, &q, &in, shops, n) : oc;
}

enum outcome ep_shops_of_me(struct req *r)
{
	const struct user_id nobody = { 0 };
	struct user_id owner = is_of_shop(r->who.role, true, false) ? r->who.sub : nobody;
	struct user_id staff = is_of_shop(r->who.role, false, true) ? r->who.sub : nobody;
	struct query q;
	struct page_input in;
	struct shop *shops;
	size_t n;
	enum outcome oc = page_read(r, false, &q, &in);
	if (oc == OC_OK)
		oc = db_shop_list_of(r->app->db, r->arena, owner, staff, (struct shop_id){ in.cursor }, (uint64_t)in.limit + 1, &shops, &n);
	return oc == OC_OK ? reply_page(r, &q, &in, shops, n) : oc;
}

/* A shop that was closed down is as if it were not there. */
enum outcome ep_shop_get(struct req *r)
{
	struct shop shop;
	enum outcome oc = db_shop_get(r->app->db, r->arena, (struct shop_id){ r->ids[0] }, &shop);
	if (oc != OC_OK || !shop.is_active)
		return oc == OC_OK ? OC_NOT_FOUND : oc;
	return add_shop(r, reply_json(r, 200), &shop);
}

struct writing { struct req *r; struct shop_input in; struct shop shop; };

static enum outcome create_once(struct db *db, void *ctx)
{
	struct writing *w = ctx;
	struct req *r = w->r;
	w->shop = (struct shop){
		.owner_id = r->who.sub, .timezone = STR("UTC"), .currency = STR("INR"), .is_active = true, .created_at = r->now,
		.updated_at = r->now, .rules = SHOP_RULES_NONE,
	};
	shop_input_apply(&w->in, &w->shop, r->now);
	enum outcome oc = db_shop_insert(db, &w->shop);
	return oc == OC_OK && shop_input_has_rules(&w->in) ? db_shop_update_rules(db, &w->shop) : oc;
}

enum outcome ep_shop_create(struct req *r)
{
	struct writing w = { .r = r };
	enum outcome oc = shop_input_read(r, true, &w.in);
	if (oc == OC_OK)
		oc = access_account(r);
	if (oc == OC_OK)
		oc = db_transact(r->app->db, create_once, &w);
	if (oc != OC_OK)
		return oc;
	http_reply_header(r->reply, "Location", arena_printf(r->arena, "/api/v1/shops/%llu", (unsigned long long)w.shop.id.v));
	return add_shop(r, reply_json(r, 201), &w.shop);
}

static enum outcome change_once(struct db *db, void *ctx)
{
	struct writing *w = ctx;
	struct req *r = w->r;
	enum outcome oc = db_shop_get_locked(db, r->arena, (struct shop_id){ r->ids[0] }, &w->shop);
	if (oc == OC_OK)
		oc = access_owner(r, &w->shop);
	if (oc != OC_OK)
		return oc;
	shop_input_apply(&w->in, &w->shop, r->now);
	w->shop.updated_at = r->now > w->shop.updated_at ? r->now : w->shop.updated_at;
	oc = db_shop_update(db, &w->shop);
	return oc == OC_OK && shop_input_has_rules(&w->in) ? db_shop_update_rules(db, &w->shop) : oc;
}

enum outcome ep_shop_change(struct req *r)
{
	struct writing w = { .r = r };
	enum outcome oc = shop_input_read(r, false, &w.in);
	if (oc == OC_OK)
		oc = db_transact(r->app->db, change_once, &w);
	return oc == OC_OK ? add_shop(r, reply_json(r, 200), &w.shop) : oc;
}
