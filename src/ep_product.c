/* ep_product.c - products: everybody reads what is on sale, the shop's owner puts them there and changes them.
 * Owns: what can be sent about a product, who may. Does not own: rows (db_shop.c), stock that orders move (db_place.c). */
#include "ep.h"

#include "access.h"
#include "auth.h"
#include "db_shop.h"
#include "page.h"
#include "person.h"
#include "problem.h"
#include "render.h"
#include "reply.h"

/* What is off sale, only the shop's people are shown. */
static enum outcome admit(struct req *r, const struct page_input *in, const struct shop *shop)
{
	if (!in->include_inactive)
		return shop->is_active ? OC_OK : OC_NOT_FOUND;
	enum outcome oc = auth_caller(r, false);
	return oc == OC_OK ? access_shop(r, shop->id) : oc;
}

enum outcome ep_product_list(struct req *r)
{
	struct query q;
	struct page_input in;
	struct shop shop;
	struct product *products;
	size_t n;
	enum outcome oc = page_read(r, true, &q, &in);
	if (oc == OC_OK)
		oc = db_shop_get(r->app->db, r->arena, (struct shop_id){ r->ids[0] }, &shop);
	if (oc == OC_OK)
		oc = admit(r, &in, &shop);
	if (oc == OC_OK)
		oc = db_product_list(r->app->db, r->arena, shop.id, (struct product_id){ in.cursor }, in.include_inactive, (uint64_t)in.limit + 1,
			&products, &n);
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
		page_link(r, &q, products[in.limit - 1].id.v);
	return OC_OK;
}

struct product_input { struct str name, description, unit; money price; int64_t stock; bool is_active; };

#define AT(member) .name = #member, .offset = offsetof(struct product_input, member)
#define TEXT_MAX 4096		/* generous: person.c has the real bounds, and better sentences */

static const struct field fields[] = {
	{ AT(name), .type = FIELD_TEXT, .max = TEXT_MAX },
	{ AT(price), .type = FIELD_MONEY, .max = MONEY_MAX },
	{ AT(stock), .type = FIELD_INT, .nullable = true, .max = INT32_MAX },
	{ AT(unit), .type = FIELD_TEXT, .nullable = true, .max = TEXT_MAX },
	{ AT(description), .type = FIELD_TEXT, .nullable = true, .max = TEXT_MAX },
	{ AT(is_active), .type = FIELD_BOOL },
};
enum { F_NAME, F_PRICE, F_STOCK, F_UNIT, F_DESCRIPTION, F_ACTIVE };
static const struct field_table table = { fields, sizeof fields / sizeof *fields, sizeof(struct product_input) };

struct writing { struct req *r; struct product_input in; struct presence seen; struct product product; struct shop shop; };

static bool was_sent(const struct writing *w, unsigned field)
{
	return w->seen.present & UINT64_C(1) << field;
}

static bool was_null(const struct writing *w, unsigned field)
{
	return w->seen.nulls & UINT64_C(1) << field;
}

static void apply_rule(struct writing *w, person_rule *rule, unsigned field, struct str *text, struct faults *f)
{
	const char *why;
	if (was_sent(w, field) && !rule(w->r->arena, *text, text, &why))
		fault_add(f, fields[field].name, "%s", why);
}

static enum outcome read_product(struct writing *w, bool is_new)
{
	struct req *r = w->r;
	struct faults f = FAULTS_IN(r->arena);
	w->seen = body_fill(r->body, &table, &w->in, &f);
	apply_rule(w, name_normalise, F_NAME, &w->in.name, &f);
	apply_rule(w, unit_normalise, F_UNIT, &w->in.unit, &f);
	apply_rule(w, description_normalise, F_DESCRIPTION, &w->in.description, &f);
	for (unsigned field = F_NAME; is_new && field <= F_PRICE; field++)
		if (!body_has(r->body, fields[field].name))
			fault_add(&f, fields[field].name, "is required");
	if (f.n == 0 && !w->seen.present && !w->seen.nulls)
		fault_add(&f, "name", "or another member must be given");
	return f.n ? problem_faults(r, &f) : OC_OK;
}

static void apply_text(const struct writing *w, unsigned field, struct str sent, struct str *to)
{
	if (was_sent(w, field))
		*to = sent;
	else if (was_null(w, field))
		*to = STR_NONE;
}

static void apply(struct writing *w)
{
	struct product *p = &w->product;
	apply_text(w, F_NAME, w->in.name, &p->name);
	apply_text(w, F_UNIT, w->in.unit, &p->unit);
	apply_text(w, F_DESCRIPTION, w->in.description, &p->description);
	if (was_sent(w, F_PRICE))
		p->price = w->in.price;
	if (was_sent(w, F_STOCK))
		p->stock = w->in.stock;
	if (was_sent(w, F_STOCK) || was_null(w, F_STOCK))
		p->is_counted = was_sent(w, F_STOCK);
	if (was_sent(w, F_ACTIVE))
		p->is_active = w->in.is_active;
}

static enum outcome get_own_shop(struct writing *w, struct shop_id id)
{
	enum outcome oc = db_shop_get(w->r->app->db, w->r->arena, id, &w->shop);
	return oc == OC_OK ? access_owner(w->r, &w->shop) : oc;
}

static enum outcome reply_product(struct writing *w, int status)
{
	render_product(reply_json(w->r, status), &w->product, zone_get(w->r->app->zones, w->shop.timezone));
	return OC_OK;
}

enum outcome ep_product_create(struct req *r)
{
	struct writing w = { .r = r };
	enum outcome oc = read_product(&w, true);
	if (oc == OC_OK)
		oc = get_own_shop(&w, (struct shop_id){ r->ids[0] });
	if (oc != OC_OK)
		return oc;
	w.product = (struct product){ .shop_id = w.shop.id, .is_active = true, .created_at = r->now, .updated_at = r->now };
	apply(&w);
	oc = db_product_insert(r->app->db, &w.product);
	if (oc != OC_OK)
		return oc;
	http_reply_header(r->reply, "Location", arena_printf(r->arena, "/api/v1/products/%llu", (unsigned long long)w.product.id.v));
	return reply_product(&w, 201);
}

static enum outcome change_once(struct db *db, void *ctx)
{
	struct writing *w = ctx;
	struct req *r = w->r;
	enum outcome oc = db_product_get_locked(db, r->arena, (struct product_id){ r->ids[0] }, &w->product);
	if (oc == OC_OK)
		oc = get_own_shop(w, w->product.shop_id);
	if (oc != OC_OK)
		return oc;
	apply(w);
	w->product.updated_at = r->now > w->product.updated_at ? r->now : w->product.updated_at;
	return db_product_update(db, &w->product, was_sent(w, F_STOCK) || was_null(w, F_STOCK));
}

enum outcome ep_product_change(struct req *r)
{
	struct writing w = { .r = r };
	enum outcome oc = read_product(&w, false);
	if (oc == OC_OK)
		oc = db_transact(r->app->db, change_once, &w);
	return oc == OC_OK ? reply_product(&w, 200) : oc;
}

enum outcome ep_product_get(struct req *r)
{
	struct writing w = { .r = r };
	enum outcome oc = db_product_get(r->app->db, r->arena, (struct product_id){ r->ids[0] }, &w.product);
	if (oc == OC_OK)
		oc = db_shop_get(r->app->db, r->arena, w.product.shop_id, &w.shop);
	if (oc != OC_OK)
		return oc;
	return w.product.is_active && w.shop.is_active ? reply_product(&w, 200) : OC_NOT_FOUND;
}
