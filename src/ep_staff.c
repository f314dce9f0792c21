/* ep_staff.c - whom a shop's owner lets in: to see and change its orders, to hear of them, nothing else.
 * Owns: who may let in whom. Does not own: what staff may do (account.c says who is of a shop), closing their subscriptions (the relay's). */
#include "ep.h"

#include "access.h"
#include "db_account.h"
#include "db_shop.h"
#include "db_staff.h"
#include "db_user.h"
#include "page.h"
#include "person.h"
#include "problem.h"
#include "render.h"
#include "reply.h"

struct who_input { uint64_t user_id; struct str phone_number; };

static const struct field who_fields[] = {
	{ .name = "user_id", .type = FIELD_ID, .offset = offsetof(struct who_input, user_id) },
	{ .name = "phone_number", .type = FIELD_TEXT, .max = 100, .offset = offsetof(struct who_input, phone_number) },
};
enum { F_USER_ID, F_PHONE };
static const struct field_table who_table = { who_fields, sizeof who_fields / sizeof *who_fields, sizeof(struct who_input) };
/* Without the number, whose + a query would make a space of. */
static const struct field_table who_query_table = { who_fields, F_PHONE, sizeof(struct who_input) };

/* One change of a shop's staff. */
struct staffing {
	struct req *r;
	struct shop shop;
	struct user user;		/* whom it is about */
	bool by_phone;			/* the owner told who it is by their number */
	bool is_changed;
	struct staff staff;
};

/* The shop of the path, if it is theirs. */
static enum outcome get_own_shop(struct req *r, struct shop *out)
{
	enum outcome oc = db_shop_get(r->app->db, r->arena, (struct shop_id){ r->ids[0] }, out);
	return oc == OC_OK ? access_owner(r, out) : oc;
}

/* Whom the body or the query names, once. */
static void read_who(struct req *r, struct who_input *in, struct faults *f)
{
	struct presence seen = { 0 }, asked = { 0 };
	const char *why;
	if (r->body)
		seen = body_fill(r->body, &who_table, in, f);
	if (r->http.method == HTTP_DELETE) {
		struct query q = query_parse(r->arena, r->http.query, f);
		asked = query_fill(&q, &who_query_table, in, f);
	}
	if ((seen.present & 1u << F_PHONE) && !phone_normalise(r->arena, in->phone_number, &in->phone_number, &why))
		fault_add(f, "phone_number", "%s", why);
	int named = (seen.present & 1u << F_USER_ID ? 1 : 0) + (seen.present & 1u << F_PHONE ? 1 : 0) + (asked.present ? 1 : 0);
	if (f->n == 0 && named != 1)
		fault_add(f, "user_id", "or phone_number must be given, and not both");
}

static enum outcome refuse_who(struct staffing *s, const char *why)
{
	struct faults f = FAULTS_IN(s->r->arena);
	fault_add(&f, s->by_phone ? "phone_number" : "user_id", "%s", why);
	return problem_faults(s->r, &f);
}

/* Somebody other than the owner. */
static enum outcome find_who(struct staffing *s)
{
	struct req *r = s->r;
	struct who_input in = { 0 };
	struct faults f = FAULTS_IN(r->arena);
	read_who(r, &in, &f);
	if (f.n)
		return problem_faults(r, &f);
	s->by_phone = in.phone_number.s != NULL;
	enum outcome oc = s->by_phone ? db_user_by_phone(r->app->db, r->arena, in.phone_number, &s->user)
		: db_user_get(r->app->db, r->arena, (struct user_id){ in.user_id }, &s->user);
	if (oc == OC_NOT_FOUND)
		return refuse_who(s, "has no account here");
	if (oc == OC_OK && s->user.id.v == s->shop.owner_id.v)
		return refuse_who(s, "is the shop's owner");
	return oc;
}

static enum outcome add_once(struct db *db, void *ctx)
{
	struct staffing *s = ctx;
	struct req *r = s->r;
	enum outcome oc = db_staff_insert(db, s->shop.id, s->user.id, r->who.sub, s->by_phone, r->now);
	s->is_changed = oc == OC_OK;
	if (oc == OC_CONFLICT)
		oc = s->by_phone ? db_staff_know_phone(db, s->shop.id, s->user.id) : OC_OK;
	if (oc == OC_OK)
		oc = db_staff_get(db, r->arena, s->shop.id, s->user.id, &s->staff);
	/* Was there, and was taken out by another request. */
	return oc == OC_NOT_FOUND ? OC_BUSY : oc;
}

enum outcome ep_staff_add(struct req *r)
{
	struct staffing s = { .r = r };
	enum outcome oc = get_own_shop(r, &s.shop);
	if (oc == OC_OK)
		oc = find_who(&s);
	if (oc == OC_OK && (!s.user.is_active || s.user.role == ROLE_ADMIN))
		oc = refuse_who(&s, "has no account here");
	if (oc == OC_OK)
		oc = db_transact(r->app->db, add_once, &s);
	if (oc == OC_OK)
		render_staff(reply_json(r, s.is_changed ? 201 : 200), &s.staff, zone_get(r->app->zones, s.shop.timezone));
	return oc;
}

static enum outcome remove_once(struct db *db, void *ctx)
{
	struct staffing *s = ctx;
	enum outcome oc = db_staff_delete(db, s->shop.id, s->user.id);
	s->is_changed = oc == OC_OK;
	if (oc == OC_OK)
		oc = db_close_channel(db, (struct channel){ CHANNEL_SHOP, s->shop.id.v }, s->r->now);
	return oc == OC_NOT_FOUND ? OC_OK : oc;
}

/* Who was not let in is not let in now, too: a retry after a lost answer succeeds. */
static enum outcome take_out(struct staffing *s)
{
	struct req *r = s->r;
	enum outcome oc = db_transact(r->app->db, remove_once, s);
	if (oc != OC_OK)
		return oc;
	if (s->is_changed)
		poke_send(r->app->poke, r->app->conf->relay_socket);
	r->reply->status = 204;
	return OC_OK;
}

enum outcome ep_staff_remove(struct req *r)
{
	struct staffing s = { .r = r };
	enum outcome oc = get_own_shop(r, &s.shop);
	if (oc == OC_OK)
		oc = find_who(&s);
	return oc == OC_OK ? take_out(&s) : oc;
}

enum outcome ep_staff_remove_one(struct req *r)
{
	struct staffing s = { .r = r, .user.id = { r->ids[1] } };
	enum outcome oc = get_own_shop(r, &s.shop);
	return oc == OC_OK ? take_out(&s) : oc;
}

static enum outcome reply_page(struct req *r, const struct query *q, const struct shop *shop, const struct staff *staff, size_t n, size_t limit)
{
	struct buf *b = reply_json(r, 200);
	const struct zone *zone = zone_get(r->app->zones, shop->timezone);
	buf_addc(b, '[');
	for (size_t i = 0; i < n && i < limit; i++) {
		if (i)
			buf_addc(b, ',');
		render_staff(b, &staff[i], zone);
	}
	buf_addc(b, ']');
	if (n > limit)
		page_link(r, q, staff[limit - 1].user_id.v);
	return OC_OK;
}

enum outcome ep_staff_list(struct req *r)
{
	struct page_input in;
	struct query q;
	struct shop shop;
	struct staff *staff;
	size_t n;
	enum outcome oc = get_own_shop(r, &shop);
	if (oc == OC_OK)
		oc = page_read(r, false, &q, &in);
	if (oc == OC_OK)
		oc = db_staff_list(r->app->db, r->arena, shop.id, (struct user_id){ in.cursor }, (uint64_t)in.limit + 1, &staff, &n);
	return oc == OC_OK ? reply_page(r, &q, &shop, staff, n, (size_t)in.limit) : oc;
}
