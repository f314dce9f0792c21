/* ep_place.c - POST /api/v1/orders: one transaction that reads prices, takes stock, writes the order, its lines and its
 * notification, and remembers the answer for a retry.
 * Owns: the order of these steps and their refusals. Does not own: the statements (db_place.c), the message (event.c). */
#include "ep.h"

#include <sodium.h>
#include <string.h>

#include "auth.h"
#include "db_order.h"
#include "db_outbox.h"
#include "event.h"
#include "gate.h"
#include "log.h"
#include "poke.h"
#include "problem.h"
#include "render.h"
#include "reply.h"
#include "upload.h"

struct line_input { uint64_t product_id; int64_t quantity; struct str special_instructions; };
struct place_input {
	uint64_t shop_id;
	int order_type;
	instant scheduled_pickup_time;
	struct str order_notes, list_image_url;
	struct input_list items;
};

#define IMAGE_URL_MAX 255

static const struct field line_fields[] = {
	{ .name = "product_id", .type = FIELD_ID, .required = true, .offset = offsetof(struct line_input, product_id) },
	{ .name = "quantity", .type = FIELD_INT, .required = true, .min = 1, .max = ORDER_QUANTITY_MAX,
	  .offset = offsetof(struct line_input, quantity) },
	{ .name = "special_instructions", .type = FIELD_TEXT, .nullable = true, .max = ORDER_INSTRUCTIONS_MAX,
	  .offset = offsetof(struct line_input, special_instructions) },
};
static const struct field_table line_table = { line_fields, sizeof line_fields / sizeof *line_fields, sizeof(struct line_input) };

static const struct field place_fields[] = {
	{ .name = "shop_id", .type = FIELD_ID, .required = true, .offset = offsetof(struct place_input, shop_id) },
	{ .name = "order_type", .type = FIELD_ENUM, .words = order_type_words, .offset = offsetof(struct place_input, order_type) },
	{ .name = "scheduled_pickup_time", .type = FIELD_TIME, .nullable = true,
	  .offset = offsetof(struct place_input, scheduled_pickup_time) },
	{ .name = "order_notes", .type = FIELD_TEXT, .nullable = true, .max = ORDER_NOTES_MAX,
	  .offset = offsetof(struct place_input, order_notes) },
	{ .name = "list_image_url", .type = FIELD_TEXT, .nullable = true, .min = 1, .max = IMAGE_URL_MAX,
	  .offset = offsetof(struct place_input, list_image_url) },
	{ .name = "items", .type = FIELD_LIST, .nullable = true, .max = ORDER_LINES_MAX, .list = &line_table,
	  .offset = offsetof(struct place_input, items) },
};
enum { F_SHOP_ID, F_ORDER_TYPE, F_PICKUP, F_NOTES, F_IMAGE, F_ITEMS };
static const struct field_table place_table = { place_fields, sizeof place_fields / sizeof *place_fields, sizeof(struct place_input) };

/* A request on its way to an order. */
struct placing {
	struct req *r;
	struct place_input in;
	struct stock_move moves[ORDER_LINES_MAX];	/* each product once, sorted */
	size_t move_count;
	struct str key;			/* Idempotency-Key, or none */
	struct str body_hash;		/* hexadecimal; only with a key */
	bool is_key_known;		/* the key has had its answer, and the reply is made of it */
	struct place_look look;
	bool is_short;			/* the last try was refused for want of stock */
	struct terms terms;		/* where rules were looked at */
	enum gate gate;			/* what they said in the last try */
	struct order order;
	struct str answer;
};

static const struct line_input *lines_of(const struct placing *p)
{
	return p->in.items.v;
}

static bool is_faulty(const struct faults *f, const char *field)
{
	size_t len = strlen(field);
	for (size_t i = 0; i < f->n; i++)
		if (strncmp(f->v[i].field, field, len) == 0)
			return true;
	return false;
}

/* The rules between members; those of single members are in the tables. */
static void check_rules(struct placing *p, const struct presence *seen, struct faults *f)
{
	bool has_time = seen->present & 1u << F_PICKUP;
	if (p->in.order_type == ORDER_PRE_ORDER && !has_time && !is_faulty(f, "scheduled_pickup_time"))
		fault_add(f, "scheduled_pickup_time", "is required for a pre_order");
	if (p->in.order_type == ORDER_PRE_ORDER && has_time && p->in.scheduled_pickup_time <= p->r->now)
		fault_add(f, "scheduled_pickup_time", "must be in the future");
	if (p->in.order_type == ORDER_INSTANT && has_time)
		fault_add(f, "scheduled_pickup_time", "is only for an order whose order_type is pre_order");
	if (p->in.items.n == 0 && !p->in.list_image_url.s && !is_faulty(f, "items"))
		fault_add(f, "items", "must hold 1 to %d lines where there is no list_image_url", ORDER_LINES_MAX);
}

/* Whose photo it is, and whether it is free, only the transaction can tell. */
static void check_photo(const struct placing *p, struct faults *f)
{
	struct upload_name name;
	if (p->in.list_image_url.s && !upload_url_parse(p->in.list_image_url, &name))
		fault_add(f, "list_image_url", "must be an address that the upload endpoint gave");
}

static bool is_key_good(struct str key)
{
	if (key.len < 1 || key.len > 255)
		return false;
	for (size_t i = 0; i < key.len; i++)
		if (key.s[i] < '!' || key.s[i] > '~')
			return false;
	return true;
}

static enum outcome take_key(struct placing *p)
{
	struct req *r = p->r;
	uint8_t hash[32];
	p->key = r->http.idempotency_key;
	if (!p->key.s)
		return OC_OK;
	if (!is_key_good(p->key)) {
		struct faults f = FAULTS_IN(r->arena);
		fault_add(&f, "Idempotency-Key", "must be 1 to 255 visible ASCII characters");
		return problem_faults(r, &f);
	}
	body_hash(r->body, hash);
	char *hex = arena_alloc(r->arena, 2 * sizeof hash + 1);
	sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
	p->body_hash = str_from(hex);
	return OC_OK;
}

static enum outcome reply_created(struct req *r, struct order_id id, struct str answer)
{
	r->reply->status = 201;
	r->reply->content_type = "application/json";
	http_reply_header(r->reply, "Location", arena_printf(r->arena, "/api/v1/orders/%llu", (unsigned long long)id.v));
	http_reply_header(r->reply, "ETag", reply_etag(r->arena, id, 1));
	buf_addstr(&r->reply->body, answer);
	return OC_OK;
}

/* The first answer again, where this key has had one. OC_NOT_FOUND: it has not. */
static enum outcome replay(struct placing *p)
{
	struct req *r = p->r;
	struct idem_row row;
	enum outcome oc = db_idem_get(r->app->db, r->arena, r->who.sub, p->key, &row);
	if (oc != OC_OK)
		return oc;
	p->is_key_known = true;
	oc = auth_judge(r, &row.customer);
	if (oc != OC_OK)
		return oc;
	if (!str_eq(row.body_hash, p->body_hash))
		return problem_reply(r, PROBLEM_IDEMPOTENCY_KEY_REUSED, "Use a new key for a new order.");
	oc = db_idem_replayed(r->app->db, r->who.sub, p->key);
	if (oc != OC_OK)
		return oc;
	http_reply_clear(r->reply);
	http_reply_header(r->reply, "Idempotent-Replayed", "true");
	return reply_created(r, row.order_id, row.answer);
}

static void gather_moves(struct placing *p)
{
	for (size_t i = 0; i < p->in.items.n; i++)
		p->move_count = stock_move_add(p->moves, p->move_count, (struct product_id){ lines_of(p)[i].product_id }, (uint32_t)lines_of(p)[i].quantity);
	stock_moves_sort(p->moves, p->move_count);
}

static const struct place_product *find_product(const struct placing *p, uint64_t id)
{
	for (size_t i = 0; i < p->look.product_count; i++)
		if (p->look.products[i].id.v == id)
			return &p->look.products[i];
	return NULL;
}

static enum outcome refuse_shop(struct req *r)
{
	return problem_reply(r, PROBLEM_NOT_FOUND, "There is no such shop.");
}

/* The fault of what was looked at. */
static enum outcome judge_look(struct placing *p, enum outcome oc)
{
	if (oc == OC_NOT_FOUND || (oc == OC_OK && !p->look.is_shop_active))
		return refuse_shop(p->r);
	if (oc == OC_OK && (!p->look.customer_name.s || !p->look.is_customer_active))
		return problem_reply(p->r, PROBLEM_UNAUTHORIZED, "This account does not exist or is not active.");
	return oc == OC_OK ? auth_judge(p->r, &(struct standing){ true, true, p->look.customer_tokens_ended_at }) : oc;
}

/* Takes the stock before anything is judged: that spares a round trip, and what is refused is rolled back. */
static enum outcome take(struct placing *p)
{
	return judge_look(p, db_place_take(p->r->app->db, p->r->arena, p->r->who.sub, (struct shop_id){ p->in.shop_id }, p->moves, p->move_count,
		&p->look, &p->is_short));
}

/* Prices every line as the shop does at this moment. */
static enum outcome make_order(struct placing *p)
{
	struct req *r = p->r;
	struct faults f = FAULTS_IN(r->arena);
	struct order *o = &p->order;
	*o = (struct order){
		.shop_id = { p->in.shop_id }, .customer_id = r->who.sub, .customer_name = p->look.customer_name,
		.type = (enum order_type)p->in.order_type, .status = ORDER_PENDING,
		.scheduled_pickup_time = p->in.scheduled_pickup_time,
		.order_notes = p->in.order_notes, .list_image_url = p->in.list_image_url, .version = 1,
		.accept_by = INSTANT_NONE, .created_at = r->now, .updated_at = r->now, .timezone = p->look.timezone,
		.items = arena_array(r->arena, p->in.items.n + 1, sizeof *o->items), .item_count = p->in.items.n,
	};
	for (size_t i = 0; i < o->item_count; i++) {
		const struct line_input *line = &lines_of(p)[i];
		const struct place_product *product = find_product(p, line->product_id);
		if (!product || !product->is_on_sale) {
			fault_add(&f, arena_printf(r->arena, "items[%zu].product_id", i), "is not on sale in this shop");
			continue;
		}
		o->items[i] = (struct order_item){
			.line = (uint32_t)i + 1, .product_id = product->id, .product_name = product->name,
			.quantity = (uint32_t)line->quantity, .price = product->price,
			.special_instructions = line->special_instructions, .stock_taken = product->is_counted,
		};
		if (!money_add_line(&o->total_amount, product->price, (uint32_t)line->quantity)) {
			fault_add(&f, "items", "must not cost more than 99999999.99 together");
			break;
		}
	}
	if (f.n)
		return problem_faults(r, &f);
	struct buf stored = BUF_IN(r->arena);
	render_items_stored(&stored, o->items, o->item_count);
	o->items_json = stored.len ? buf_str(&stored) : STR("");
	return OC_OK;
}

/* The shop's rules, in the transaction that writes. Where slots have a limit, those who want a place in one of this shop's queue up here: so
 * none is given twice, also while the owner changes the slots. */
static enum outcome look_at_rules(struct placing *p)
{
	struct req *r = p->r;
	struct db *db = r->app->db;
	struct shop shop;
	bool is_pre_order = p->in.order_type == ORDER_PRE_ORDER, is_full = false;
	enum outcome oc = db_shop_get(db, r->arena, p->order.shop_id, &shop);
	if (oc == OC_OK)
		oc = terms_of(r->app, r->arena, &shop, r->now, &p->terms);
	if (oc == OC_OK && is_pre_order && terms_have_places(&p->terms)) {
		oc = db_shop_get_locked(db, r->arena, p->order.shop_id, &shop);
		if (oc == OC_OK)
			oc = terms_of(r->app, r->arena, &shop, r->now, &p->terms);
	}
	if (oc != OC_OK)
		return oc;
	/* Closed down since the first look, perhaps while this one stood in the queue. */
	if (!shop.is_active)
		return refuse_shop(r);
	p->gate = gate_judge(&p->terms, r->now, p->order.type, p->in.scheduled_pickup_time);
	if (p->gate == GATE_OPEN && is_pre_order)
		oc = gate_is_full(db, p->order.shop_id, &p->terms, p->in.scheduled_pickup_time, &is_full);
	if (is_full)
		p->gate = GATE_SLOT_FULL;
	return oc == OC_OK && p->gate != GATE_OPEN ? OC_CONFLICT : oc;
}

/* What the rules make of an order that they let in. */
static void apply_terms(struct placing *p)
{
	struct order *o = &p->order;
	const struct terms *t = &p->terms;
	if (t->auto_confirm) {
		o->status = ORDER_CONFIRMED;
		o->estimated_preparation_minutes = t->default_preparation_minutes;
	} else if (t->accept_within_minutes) {
		o->accept_by = calendar_add_open(&t->calendar, o->created_at, t->accept_within_minutes);
	}
}

static enum outcome pass_gate(struct placing *p)
{
	if (!p->look.has_rules && !terms_have_defaults(p->r->app->conf))
		return OC_OK;
	enum outcome oc = look_at_rules(p);
	if (oc == OC_OK)
		apply_terms(p);
	return oc;
}

/* After the roll-back, so that it sees none of what this order had taken: names every short product. OC_BUSY: none is short any more. */
static enum outcome refuse_stock(struct placing *p)
{
	struct req *r = p->r;
	size_t named = 0;
	enum outcome oc = judge_look(p, db_place_look(r->app->db, r->arena, r->who.sub, (struct shop_id){ p->in.shop_id }, p->moves, p->move_count, &p->look));
	if (oc != OC_OK)
		return oc;
	struct buf *b = problem_open(r, PROBLEM_OUT_OF_STOCK, "Order less of the products in items, or none.");
	buf_adds(b, ",\"items\":[");
	for (size_t i = 0; i < p->move_count; i++) {
		const struct place_product *product = find_product(p, p->moves[i].id.v);
		if (!product || !product->is_counted || product->stock >= (int64_t)p->moves[i].quantity)
			continue;
		buf_addf(b, "%s{\"product_id\":%llu,\"available\":%lld}", named++ ? "," : "",
			(unsigned long long)product->id.v, (long long)(product->stock > 0 ? product->stock : 0));
	}
	buf_addc(b, ']');
	return named ? problem_close(r) : OC_BUSY;
}

static enum outcome refuse_photo(struct req *r)
{
	struct faults f = FAULTS_IN(r->arena);
	fault_add(&f, "list_image_url", "must be a photo of yours that serves no other order");
	return problem_faults(r, &f);
}

/* The order, its lines, its notification and, with a key, the answer. */
static enum outcome write_order(struct placing *p)
{
	struct req *r = p->r;
	const struct zone *zone = zone_get(r->app->zones, p->order.timezone);
	bool is_confirmed = p->order.status == ORDER_CONFIRMED;
	struct event_new messages[OUTBOX_NEW_MAX] = { [0] = event_new_order(r->arena, &p->order, zone) };
	if (is_confirmed)
		messages[1] = event_new_confirmed(r->arena, &p->order, zone);
	enum outcome oc = db_place_write(r->app->db, &p->order, messages, is_confirmed ? 2 : 1);
	if (oc == OC_NOT_FOUND)
		return refuse_photo(r);
	if (oc != OC_OK)
		return oc;
	struct buf answer = BUF_IN(r->arena);
	render_order(&answer, &p->order, zone);
	p->answer = buf_str(&answer);
	if (!p->key.s)
		return OC_OK;
	struct idem_row row = { .body_hash = p->body_hash, .order_id = p->order.id, .answer = p->answer };
	oc = db_idem_insert(r->app->db, r->who.sub, p->key, &row, r->now);
	/* The original committed meanwhile. InnoDB tells so a moment before others can read it: once more, from the start, until they can. */
	return oc == OC_CONFLICT ? OC_BUSY : oc;
}

static enum outcome place_once(struct db *db, void *ctx)
{
	struct placing *p = ctx;
	(void)db;
	http_reply_clear(p->r->reply);
	p->is_short = false;
	p->gate = GATE_OPEN;
	enum outcome oc = p->key.s ? replay(p) : OC_NOT_FOUND;
	if (oc != OC_NOT_FOUND)
		return oc;
	oc = take(p);
	if (oc == OC_OK)
		oc = make_order(p);
	if (oc == OC_OK)
		oc = pass_gate(p);
	if (oc == OC_OK && p->is_short)
		oc = OC_CONFLICT;
	return oc == OC_OK ? write_order(p) : oc;
}

/* Stock that comes back between the refusal and the second look is tried for again, but not for ever. */
static enum outcome transact(struct placing *p)
{
	enum outcome oc = OC_BUSY;
	for (int tries = 0; tries < 3 && oc == OC_BUSY; tries++) {
		oc = db_transact(p->r->app->db, place_once, p);
		if (oc == OC_CONFLICT && p->gate != GATE_OPEN)
			return gate_refuse(p->r, p->order.shop_id, &p->terms, p->gate, p->in.scheduled_pickup_time);
		if (oc != OC_CONFLICT || !p->is_short)
			return oc;
		oc = refuse_stock(p);
	}
	return oc;
}

static enum outcome place(struct placing *p)
{
	struct faults f = FAULTS_IN(p->r->arena);
	struct presence seen = body_fill(p->r->body, &place_table, &p->in, &f);
	check_rules(p, &seen, &f);
	check_photo(p, &f);
	if (f.n)
		return problem_faults(p->r, &f);
	gather_moves(p);
	enum outcome oc = transact(p);
	if (oc != OC_OK || p->is_key_known)
		return oc;
	poke_send(p->r->app->poke, p->r->app->conf->relay_socket);
	return reply_created(p->r, p->order.id, p->answer);
}

/* A retry is refused for what happened since the original (its time has passed), or for what that, still under way, has done (it took
 * the last piece): so after a refusal the key is looked up once more. */
static enum outcome place_with_key(struct placing *p)
{
	enum outcome oc = place(p);
	if (p->is_key_known || oc != OC_REFUSED)
		return oc;
	struct http_reply refusal = *p->r->reply;
	enum outcome again = replay(p);
	if (again != OC_NOT_FOUND)
		return again;
	*p->r->reply = refusal;
	return oc;
}

enum outcome ep_order_place(struct req *r)
{
	struct placing p = { .r = r, .in.scheduled_pickup_time = INSTANT_NONE };
	enum outcome oc = take_key(&p);
	if (oc != OC_OK)
		return oc;
	return p.key.s ? place_with_key(&p) : place(&p);
}
