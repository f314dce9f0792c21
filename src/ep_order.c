/* ep_order.c - one order: read it, change it, its history.
 * Owns: who may see and change it, If-Match. Does not own: transitions (order.c), what a change writes (db_change.c). */
#include "ep.h"

#include "access.h"
#include "auth.h"
#include "db_change.h"
#include "poke.h"
#include "problem.h"
#include "render.h"
#include "reply.h"

static bool is_its_customer(const struct req *r, const struct order_row *row)
{
	return r->who.role == ROLE_CUSTOMER && r->who.sub.v == row->order.customer_id.v;
}

static bool is_of_its_shop(const struct req *r, const struct order_row *row)
{
	return is_of_shop(r->who.role, r->who.sub.v == row->owner_id.v, row->is_staff);
}

/* The order, and whether the asker's account still lets them ask. */
static enum outcome get_order(struct req *r, struct order_row *row)
{
	enum outcome oc = db_order_seen(r->app->db, r->arena, (struct order_id){ r->ids[0] }, r->who.sub, row);
	return oc == OC_OK ? auth_judge(r, &row->asker) : oc;
}

/* Somebody else's order is as if it were not there. */
static enum outcome get_visible(struct req *r, struct order_row *row)
{
	enum outcome oc = get_order(r, row);
	if (oc != OC_OK)
		return oc;
	return is_its_customer(r, row) || is_of_its_shop(r, row) ? OC_OK : OC_NOT_FOUND;
}

static enum outcome reply_order(struct req *r, const struct order *o)
{
	struct buf *b = reply_json(r, 200);
	http_reply_header(r->reply, "ETag", reply_etag(r->arena, o->id, o->version));
	render_order(b, o, zone_get(r->app->zones, o->timezone));
	return OC_OK;
}

enum outcome ep_order_get(struct req *r)
{
	struct order_row row;
	enum outcome oc = get_visible(r, &row);
	if (oc != OC_OK)
		return oc;
	const char *etag = reply_etag(r->arena, row.order.id, row.order.version);
	if (r->http.if_none_match.s && etag_listed(r->http.if_none_match, etag)) {
		r->reply->status = 304;
		http_reply_header(r->reply, "ETag", etag);
		r->reply->is_body_omitted = true;
		return OC_OK;
	}
	return reply_order(r, &row.order);
}

struct change_input { int status; int64_t estimated_preparation_minutes; money total_amount; struct str cancel_reason; };

static const struct field change_fields[] = {
	{ .name = "status", .type = FIELD_ENUM, .words = order_status_words, .offset = offsetof(struct change_input, status) },
	{ .name = "estimated_preparation_minutes", .type = FIELD_INT, .min = 1, .max = ORDER_PREP_MINUTES_MAX,
	  .offset = offsetof(struct change_input, estimated_preparation_minutes) },
	{ .name = "total_amount", .type = FIELD_MONEY, .min = 0, .max = MONEY_MAX, .offset = offsetof(struct change_input, total_amount) },
	{ .name = "cancel_reason", .type = FIELD_TEXT, .nullable = true, .max = ORDER_REASON_MAX, .offset = offsetof(struct change_input, cancel_reason) },
};
enum { F_STATUS, F_ESTIMATE, F_TOTAL, F_REASON };
static const struct field_table change_table = { change_fields, sizeof change_fields / sizeof *change_fields, sizeof(struct change_input) };

struct changing {
	struct req *r;
	struct order_change change;
	struct order_row row;
	struct order next;
	unsigned tries;
	bool is_changed;
};

static enum outcome read_change(struct req *r, struct order_change *out)
{
	struct change_input in = { 0 };
	struct faults f = FAULTS_IN(r->arena);
	struct presence seen = body_fill(r->body, &change_table, &in, &f);
	bool has_status = seen.present & 1u << F_STATUS, has_reason = seen.present & 1u << F_REASON;
	if (has_reason && !(has_status && in.status == ORDER_CANCELLED))
		fault_add(&f, "cancel_reason", "goes with the status cancelled only");
	if (f.n == 0 && seen.present == 0)
		fault_add(&f, "status", "or estimated_preparation_minutes or total_amount must be given");
	if (f.n)
		return problem_faults(r, &f);
	*out = (struct order_change){
		.has_status = has_status, .has_estimate = seen.present & 1u << F_ESTIMATE,
		.has_total = seen.present & 1u << F_TOTAL, .status = (enum order_status)in.status,
		.estimated_preparation_minutes = (int)in.estimated_preparation_minutes, .total_amount = in.total_amount,
		.by = CANCELLED_BY_SHOPKEEPER, .cancel_reason = in.cancel_reason.len ? in.cancel_reason : STR_NONE,
	};
	return OC_OK;
}

static enum outcome refuse_transition(struct req *r, const struct order *o)
{
	struct buf *b = problem_open(r, PROBLEM_INVALID_TRANSITION,
		arena_printf(r->arena, "The order is %s; see allowed.", order_status_name(o->status)));
	size_t n = 0;
	buf_adds(b, ",\"allowed\":[");
	for (int to = 0; to < ORDER_STATUS__MAX; to++)
		if (order_may_go(o->status, (enum order_status)to))
			buf_addf(b, "%s\"%s\"", n++ ? "," : "", order_status_name((enum order_status)to));
	buf_addc(b, ']');
	return problem_close(r);
}

static enum outcome write_change(struct changing *c)
{
	struct req *r = c->r;
	/* Staff are shopkeepers here, whatever they are elsewhere. */
	const struct changer by = { .user = r->who.sub, .role = ROLE_SHOPKEEPER };
	enum outcome oc = db_change_write(r->app->db, r->arena, &c->row.order, &c->next, &by, zone_get(r->app->zones, c->row.order.timezone), r->now);
	c->is_changed = oc == OC_OK;
	return oc;
}

static enum outcome change_once(struct db *db, void *ctx)
{
	struct changing *c = ctx;
	struct req *r = c->r;
	struct order_id id = { r->ids[0] };
	c->is_changed = false;
	/* Guarding by the version is enough nearly always; who lost to somebody faster queues up, rather than lose again and again. */
	enum outcome oc = c->tries++ ? db_order_lock(db, id) : OC_OK;
	if (oc == OC_OK)
		oc = get_order(r, &c->row);
	if (oc == OC_OK && !is_of_its_shop(r, &c->row))
		oc = OC_NOT_FOUND;
	if (oc != OC_OK)
		return oc;
	const struct order *o = &c->row.order;
	if (r->http.if_match.s && !etag_listed(r->http.if_match, reply_etag(r->arena, o->id, o->version)))
		return problem_reply(r, PROBLEM_VERSION_MISMATCH, "Read the order again, then decide.");
	switch (order_judge(o, &c->change, &c->next)) {
	case CHANGE_APPLY:
		return write_change(c);
	case CHANGE_NOTHING:
		c->next = *o;
		return OC_OK;
	case CHANGE_INVALID_TRANSITION:
		return refuse_transition(r, o);
	case CHANGE_TOTAL_WITHOUT_CHITTY:
		break;
	}
	struct faults f = FAULTS_IN(r->arena);
	fault_add(&f, "total_amount", "can only be set on an order with a chitty");
	return problem_faults(r, &f);
}

enum outcome ep_order_change(struct req *r)
{
	struct changing c = { .r = r };
	enum outcome oc = read_change(r, &c.change);
	if (oc != OC_OK)
		return oc;
	oc = db_transact(r->app->db, change_once, &c);
	/* To shopkeepers, who change orders elsewhere, another shop's is as if it were not there; to all others no order is theirs to change. */
	if (oc == OC_NOT_FOUND && r->who.role != ROLE_SHOPKEEPER)
		return access_refuse_others(r);
	if (oc != OC_OK)
		return oc;
	if (c.is_changed)
		poke_send(r->app->poke, r->app->conf->relay_socket);
	return reply_order(r, &c.next);
}

enum outcome ep_order_history(struct req *r)
{
	struct order_row row;
	struct history_entry *entries;
	size_t n;
	enum outcome oc = get_visible(r, &row);
	if (oc == OC_OK)
		oc = db_history_list(r->app->db, r->arena, row.order.id, &entries, &n);
	if (oc != OC_OK)
		return oc;
	struct history_entry creation = history_of_creation(&row.order);
	if (n == 0) {
		entries = &creation;
		n = 1;
	}
	const struct zone *zone = zone_get(r->app->zones, row.order.timezone);
	struct buf *b = reply_json(r, 200);
	for (size_t i = 0; i < n; i++) {
		buf_addc(b, i ? ',' : '[');
		render_history_entry(b, &entries[i], zone, is_of_its_shop(r, &row));
	}
	buf_addc(b, ']');
	return OC_OK;
}
