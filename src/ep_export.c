/* ep_export.c - a shop's orders as one file for spreadsheets, newest first; in pieces, so that memory and a worker's patience are those of a page.
 * Owns: the period that is asked for, the columns, the way from page to page. Does not own: cells (csv.c), how a page is found (db_list.c).
 *
 * The database's deadline of a request holds for each page. What goes wrong before the first piece was written is a problem as ever; after it
 * the answer breaks off, so that nobody takes half of the orders for all. */
#include "ep.h"

#include "access.h"
#include "auth.h"
#include "csv.h"
#include "db_order.h"
#include "db_shop.h"
#include "log.h"
#include "problem.h"
#include "reply.h"

#define DAY_S 86400

struct export_input { struct str from, to; };

static const struct field export_fields[] = {
	{ .name = "from", .type = FIELD_TEXT, .min = 1, .max = 50, .offset = offsetof(struct export_input, from) },
	{ .name = "to", .type = FIELD_TEXT, .min = 1, .max = 50, .offset = offsetof(struct export_input, to) },
};
static const struct field_table export_table = { export_fields, sizeof export_fields / sizeof *export_fields, sizeof(struct export_input) };

/* What is exported: orders placed from <= created_at < to. */
struct export {
	struct req *req;
	const struct shop *shop;
	const struct zone *zone;
	instant from, to;
	struct arena *arena;		/* of one page; borrowed */
};

/* ---- the period ---- */

/* A date of the shop's calendar, so many days later (true), or an instant; none leaves *out alone. */
static bool read_bound(const char *name, struct str s, const struct zone *z, int later, instant *out, struct faults *f)
{
	int64_t date;
	if (date_parse(s, &date)) {
		*out = zone_from_wall(z, (date + later) * DAY_S);
		return true;
	}
	if (s.s && !time_parse(s, out))
		fault_add(f, name, "must be a date (2026-02-26) or a time with its offset (2026-02-26T17:00:00+05:30; in a query, + is written %%2B)");
	return false;
}

static enum outcome read_period(struct req *r, struct export *e)
{
	struct export_input in = { 0 };
	struct faults f = FAULTS_IN(r->arena);
	struct query q = query_parse(r->arena, r->http.query, &f);
	query_fill(&q, &export_table, &in, &f);
	e->from = INT64_MIN;
	e->to = ORDER_CURSOR_START.created_at;
	read_bound("from", in.from, e->zone, 0, &e->from, &f);
	bool is_day = read_bound("to", in.to, e->zone, 1, &e->to, &f);
	if (!f.n && (e->to < e->from || (is_day && e->to == e->from)))
		fault_add(&f, "to", "must not be before from");
	/* What the database can't compare with. Nothing was ordered then. */
	if (e->to < 0)
		e->to = 0;
	if (e->to > ORDER_CURSOR_START.created_at)
		e->to = ORDER_CURSOR_START.created_at;
	return f.n ? problem_faults(r, &f) : OC_OK;
}

/* ---- columns ---- */

struct line { struct csv *csv; const struct export *e; const struct order *o; struct str items; };

static void put_time(struct csv *c, instant t, const struct zone *z)
{
	struct buf *b = csv_plain(c);
	if (t != INSTANT_NONE)
		time_print(b, t, z);
}

static void put_word(struct csv *c, const char *word) { buf_adds(csv_plain(c), word); }

static void put_id(const struct line *l) { buf_adduint(csv_plain(l->csv), l->o->id.v); }
static void put_created_at(const struct line *l) { put_time(l->csv, l->o->created_at, l->e->zone); }
static void put_updated_at(const struct line *l) { put_time(l->csv, l->o->updated_at, l->e->zone); }
static void put_type(const struct line *l) { put_word(l->csv, order_type_name(l->o->type)); }
static void put_status(const struct line *l) { put_word(l->csv, order_status_name(l->o->status)); }
static void put_pickup(const struct line *l) { put_time(l->csv, l->o->scheduled_pickup_time, l->e->zone); }
static void put_customer(const struct line *l) { csv_text(l->csv, l->o->customer_name); }
static void put_item_count(const struct line *l) { buf_adduint(csv_plain(l->csv), l->o->item_count); }
static void put_items(const struct line *l) { csv_text(l->csv, l->items); }
static void put_currency(const struct line *l) { csv_text(l->csv, l->e->shop->currency); }
static void put_notes(const struct line *l) { csv_text(l->csv, l->o->order_notes); }
static void put_cancel_reason(const struct line *l) { csv_text(l->csv, l->o->cancel_reason); }
static void put_has_chitty(const struct line *l) { put_word(l->csv, order_has_chitty(l->o) ? "true" : "false"); }

static void put_total(const struct line *l)
{
	char text[24];
	money_to_decimal(text, l->o->total_amount);
	put_word(l->csv, text);
}

static void put_estimate(const struct line *l)
{
	struct buf *b = csv_plain(l->csv);
	if (l->o->estimated_preparation_minutes)
		buf_adduint(b, (uint64_t)l->o->estimated_preparation_minutes);
}

static void put_canceller(const struct line *l)
{
	struct buf *b = csv_plain(l->csv);
	if (l->o->cancelled_by)
		buf_adds(b, canceller_name(l->o->cancelled_by));
}

static const struct { const char *name; void (*put)(const struct line *l); } columns[] = {
	{ "id", put_id }, { "created_at", put_created_at }, { "updated_at", put_updated_at }, { "order_type", put_type }, { "status", put_status },
	{ "scheduled_pickup_time", put_pickup }, { "customer_name", put_customer }, { "item_count", put_item_count }, { "items", put_items },
	{ "total_amount", put_total }, { "currency", put_currency }, { "order_notes", put_notes }, { "has_chitty", put_has_chitty },
	{ "estimated_preparation_minutes", put_estimate }, { "cancelled_by", put_canceller }, { "cancel_reason", put_cancel_reason },
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* ---- lines ---- */

/* "2 x Rice; 1 x Dal" */
static void add_item(struct buf *b, uint64_t quantity, struct str name)
{
	if (b->len)
		buf_adds(b, "; ");
	buf_adduint(b, quantity);
	buf_adds(b, " x ");
	buf_addstr(b, name);
}

/* One of render_items_stored()'s: an object without its first member, from the comma behind that on. */
static bool add_stored_item(struct arena *a, struct buf *b, struct str stored)
{
	struct buf object = BUF_IN(a);
	struct body *body;
	const char *why;
	int64_t quantity;
	buf_addc(&object, '{');
	if (stored.len)
		buf_add(&object, stored.s + 1, stored.len - 1);
	if (body_parse(a, buf_str(&object), &body, &why) != OC_OK || !body_integer(body, "quantity", &quantity))
		return false;
	add_item(b, (uint64_t)quantity, body_text(body, "product_name"));
	return true;
}

static enum outcome list_items(struct arena *a, const struct order *o, struct str *out)
{
	struct buf b = BUF_IN(a);
	struct str rest = o->items_json;
	for (size_t i = 0; !rest.s && i < o->item_count; i++)
		add_item(&b, o->items[i].quantity, o->items[i].product_name);
	while (rest.len)
		if (!add_stored_item(a, &b, str_cut(rest, '\n', &rest))) {
			log_error("order %llu has a line that can't be read", (unsigned long long)o->id.v);
			return OC_BAD;
		}
	*out = buf_str(&b);
	return OC_OK;
}

static enum outcome write_order(const struct export *e, const struct order *o)
{
	struct csv csv = { .out = &e->req->reply->body };
	struct line line = { &csv, e, o, STR_NONE };
	enum outcome oc = list_items(e->arena, o, &line.items);
	for (size_t i = 0; i < COLUMNS && oc == OC_OK; i++)
		columns[i].put(&line);
	csv_end_row(&csv);
	return oc;
}

/* ---- pages ---- */

static void write_head(const struct export *e)
{
	struct http_reply *reply = e->req->reply;
	struct csv csv = { .out = &reply->body };
	reply->status = 200;
	reply->content_type = "text/csv; charset=utf-8";
	http_reply_header(reply, "Content-Disposition",
		arena_printf(e->req->arena, "attachment; filename=\"orders-%llu.csv\"", (unsigned long long)e->shop->id.v));
	for (size_t i = 0; i < COLUMNS; i++)
		put_word(&csv, columns[i].name);
	csv_end_row(&csv);
}

/* The orders after the filter's cursor, which moves on behind them. *is_more: there may be others. */
static enum outcome write_page(const struct export *e, struct order_filter *filter, bool *is_more)
{
	struct req *r = e->req;
	struct asker asker = auth_asker(r);
	struct order_page page;
	arena_reset(e->arena);
	/* Judged with each page: who loses the right meanwhile gets no more. */
	enum outcome oc = db_orders_of_shop(r->app->db, e->arena, e->shop->id, &asker, filter, &page);
	*is_more = oc == OC_OK && page.n == filter->limit;
	for (size_t i = 0; oc == OC_OK && i < page.n; i++) {
		if (page.orders[i].created_at < e->from) {
			*is_more = false;
			break;
		}
		oc = write_order(e, &page.orders[i]);
		filter->after = (struct order_cursor){ page.orders[i].created_at, page.orders[i].id.v };
	}
	return oc;
}

static enum outcome write_pages(const struct export *e)
{
	struct order_filter filter = {
		.types = (1u << ORDER_TYPE__MAX) - 1, .statuses = (1u << ORDER_STATUS__MAX) - 1, .updated_since = INSTANT_NONE,
		.after = { e->to, 0 }, .limit = LIMIT_MAX,
	};
	struct db *db = e->req->app->db;
	bool is_more;
	write_head(e);
	enum outcome oc = write_page(e, &filter, &is_more);
	while (oc == OC_OK && is_more && http_reply_flush(e->req->reply)) {
		db_end(db);
		db_begin(db);
		oc = write_page(e, &filter, &is_more);
	}
	return oc;
}

enum outcome ep_orders_export(struct req *r)
{
	struct shop_id id = { r->ids[0] };
	struct shop shop;
	struct export e = { .req = r, .shop = &shop, .arena = r->app->piece_arena };
	enum outcome oc = access_shop(r, id);
	if (oc == OC_OK)
		oc = db_shop_get(r->app->db, r->arena, id, &shop);
	if (oc != OC_OK)
		return oc;
	e.zone = zone_get(r->app->zones, shop.timezone);
	oc = read_period(r, &e);
	if (oc == OC_OK)
		oc = write_pages(&e);
	arena_reset(e.arena);
	return oc;
}
