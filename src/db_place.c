/* db_place.c - what placing an order reads and writes; see db_order.h. */
#include "db_order.h"

#include <stdlib.h>

#include "arena.h"
#include "db_account.h"
#include "db_outbox.h"
#include "log.h"
#include "upload.h"

/* Statements are kept prepared up to this many repetitions; longer lists go in pieces. */
#define PIECE 16

struct look_rows { struct arena *arena; struct place_look *look; size_t room; bool is_seen; };

static enum outcome take_look(void *ctx, const struct db_val *v)
{
	struct look_rows *rows = ctx;
	struct place_look *look = rows->look;
	if (!rows->is_seen) {
		rows->is_seen = true;
		look->timezone = str_dup(rows->arena, db_get_text(&v[0]));
		look->is_shop_active = db_get_int(&v[1]) != 0;
		look->has_rules = db_get_int(&v[2]) != 0;
		look->customer_name = str_dup(rows->arena, db_get_text(&v[3]));
		look->is_customer_active = db_get_int(&v[4]) != 0;
		look->customer_tokens_ended_at = db_get_time(&v[10]);
	}
	if (v[5].type == DB_NULL)
		return OC_OK;
	if (look->product_count == rows->room) {
		log_error("database: more products than were asked for");
		return OC_BAD;
	}
	look->products[look->product_count++] = (struct place_product){
		.id = { db_get_uint(&v[5]) }, .name = str_dup(rows->arena, db_get_text(&v[6])), .price = db_get_money(&v[7]),
		.is_counted = v[8].type != DB_NULL, .stock = db_get_int(&v[8]), .is_on_sale = db_get_int(&v[9]) != 0,
	};
	return OC_OK;
}

size_t stock_move_add(struct stock_move *moves, size_t n, struct product_id id, uint32_t quantity)
{
	for (size_t i = 0; i < n; i++) {
		if (moves[i].id.v == id.v) {
			moves[i].quantity += quantity;
			return n;
		}
	}
	moves[n] = (struct stock_move){ id, quantity };
	return n + 1;
}

static int by_product(const void *a, const void *b)
{
	const struct stock_move *x = a, *y = b;
	return (x->id.v > y->id.v) - (x->id.v < y->id.v);
}

void stock_moves_sort(struct stock_move *moves, size_t n)
{
	qsort(moves, n, sizeof *moves, by_product);
}

/* Rows go to rows, which must live until they have come. */
static enum outcome look(struct db *db, enum sql sql, struct user_id customer, struct shop_id shop, const struct stock_move *moves, size_t n,
	struct look_rows *rows)
{
	size_t at = 0;
	do {
		struct db_val args[PIECE + 3], *v = args;
		*v++ = db_uint(customer.v);
		size_t reps = 0;
		for (; reps < PIECE && at < n; reps++)
			*v++ = db_uint(moves[at++].id.v);
		if (reps == 0) {
			*v++ = db_uint(0);
			reps = 1;
		}
		*v++ = db_uint(shop.v);
		if (sql == SQL_PLACE_LOOK_WHOLE)
			*v++ = db_uint(shop.v);
		enum outcome oc = db_run(db, sql, (unsigned)reps, args, (size_t)(v - args), take_look, rows, NULL);
		if (oc != OC_OK)
			return oc;
	} while (at < n);
	return OC_OK;
}

static struct look_rows look_rows_for(struct arena *a, size_t n, struct place_look *out)
{
	*out = (struct place_look){ .products = arena_array(a, n + 1, sizeof *out->products) };
	return (struct look_rows){ .arena = a, .look = out, .room = n };
}

enum outcome db_place_look(struct db *db, struct arena *a, struct user_id customer, struct shop_id shop,
	const struct stock_move *moves, size_t n, struct place_look *out)
{
	struct look_rows rows = look_rows_for(a, n, out);
	enum outcome oc = look(db, SQL_PLACE_LOOK, customer, shop, moves, n, &rows);
	if (oc != OC_OK)
		return oc;
	return rows.is_seen ? OC_OK : OC_NOT_FOUND;
}

/* One piece: (id, quantity) for the CASE, then what the WHERE wants: (id, quantity) again, or ids alone. */
static enum outcome move_piece(struct db *db, enum sql sql, const struct stock_move *moves, size_t n, struct db_done *done)
{
	struct db_val args[PIECE * 4], *v = args;
	for (size_t i = 0; i < n; i++) {
		*v++ = db_uint(moves[i].id.v);
		*v++ = db_uint(moves[i].quantity);
	}
	for (size_t i = 0; i < n; i++) {
		*v++ = db_uint(moves[i].id.v);
		if (sql == SQL_STOCK_TAKE)
			*v++ = db_uint(moves[i].quantity);
	}
	return db_run(db, sql, (unsigned)n, args, (size_t)(v - args), NULL, NULL, done);
}

#define PIECES_MAX ((ORDER_LINES_MAX + PIECE - 1) / PIECE)

enum outcome db_place_take(struct db *db, struct arena *a, struct user_id customer, struct shop_id shop,
	const struct stock_move *moves, size_t n, struct place_look *out, bool *is_short)
{
	struct look_rows rows = look_rows_for(a, n, out);
	struct db_done taken[PIECES_MAX] = { 0 };
	enum outcome oc = OC_OK;
	db_hold(db);
	/* First taken, then looked at: what was taken is ours until the end, so the look sees it as counted, and equal numbers mean the same
	 * products. The other way round one that is counted only from this moment on could stand for another that is short. */
	for (size_t i = 0; i * PIECE < n && oc == OC_OK; i++)
		oc = move_piece(db, SQL_STOCK_TAKE, moves + i * PIECE, n - i * PIECE < PIECE ? n - i * PIECE : PIECE, &taken[i]);
	if (oc == OC_OK && n)
		oc = look(db, SQL_PLACE_LOOK_WHOLE, customer, shop, moves, n, &rows);
	if (oc == OC_OK)
		oc = db_collect(db);
	/* Something is not there: the longer question tells what. */
	if (oc == OC_OK && (n == 0 || out->product_count < n))
		oc = db_place_look(db, a, customer, shop, moves, n, out);
	if (oc != OC_OK)
		return oc;
	size_t counted = 0, moved = 0;
	for (size_t i = 0; i < out->product_count; i++)
		counted += out->products[i].is_counted;
	for (size_t i = 0; i < PIECES_MAX; i++)
		moved += taken[i].affected;
	*is_short = moved != counted;
	return OC_OK;
}

enum outcome db_stock_give(struct db *db, const struct stock_move *moves, size_t n)
{
	enum outcome oc = OC_OK;
	for (size_t at = 0; at < n && oc == OC_OK; at += PIECE)
		oc = move_piece(db, SQL_STOCK_GIVE, moves + at, n - at < PIECE ? n - at : PIECE, NULL);
	return oc;
}

#define ITEM_VALUES 7

static enum outcome insert_items(struct db *db, const struct order *o)
{
	for (size_t at = 0; at < o->item_count; ) {
		struct db_val args[PIECE * ITEM_VALUES], *v = args;
		unsigned reps = 0;
		for (; reps < PIECE && at < o->item_count; reps++, at++) {
			const struct order_item *i = &o->items[at];
			*v++ = db_uint(i->line);
			*v++ = db_uint(i->product_id.v);
			*v++ = db_text(i->product_name);
			*v++ = db_uint(i->quantity);
			*v++ = db_money(i->price);
			*v++ = db_text(i->special_instructions);
			*v++ = db_int(i->stock_taken);
		}
		enum outcome oc = db_run(db, SQL_ITEM_INSERT, reps, args, (size_t)(v - args), NULL, NULL, NULL);
		if (oc != OC_OK)
			return oc;
	}
	return OC_OK;
}

static enum outcome insert_order(struct db *db, const struct order *o, struct db_done *done)
{
	struct db_val args[] = {
		db_uint(o->shop_id.v), db_uint(o->customer_id.v), db_text(o->customer_name),
		db_text(str_from(order_type_name(o->type))), db_text(str_from(order_status_name(o->status))),
		db_time(o->scheduled_pickup_time),
		o->estimated_preparation_minutes ? db_int(o->estimated_preparation_minutes) : db_null(),
		db_money(o->total_amount), db_text(o->order_notes), db_text(o->list_image_url), db_text(o->items_json),
		db_time(o->accept_by), db_time(o->created_at), db_time(o->updated_at),
	};
	return db_run(db, SQL_ORDER_INSERT, 0, args, sizeof args / sizeof *args, NULL, NULL, done);
}

/* Takes the order's photo, where it has one; done->affected is 0 where that is not to be had. Of two orders at once the later one waits. */
static enum outcome use_photo(struct db *db, const struct order *o, struct db_done *done)
{
	struct upload_name name;
	done->affected = 1;
	if (!upload_url_parse(o->list_image_url, &name))
		return OC_OK;
	struct db_val args[] = { db_text(str_from(name.s)), db_uint(o->customer_id.v) };
	return db_run(db, SQL_UPLOAD_USE, 0, args, 2, NULL, NULL, done);
}

static enum outcome insert_deadline(struct db *db, const struct order *o)
{
	struct db_val args[] = { db_time(o->accept_by) };
	return o->accept_by == INSTANT_NONE ? OC_OK : db_run(db, SQL_DEADLINE_INSERT, 0, args, 1, NULL, NULL, NULL);
}

/* The messages come last: their INSERT makes ids of its own, and LAST_INSERT_ID() is then one of these. */
enum outcome db_place_write(struct db *db, struct order *o, const struct event_new *messages, size_t n)
{
	struct db_done done, photo;
	db_hold(db);
	enum outcome oc = insert_order(db, o, &done);
	if (oc == OC_OK)
		oc = use_photo(db, o, &photo);
	if (oc == OC_OK)
		oc = insert_items(db, o);
	if (oc == OC_OK)
		oc = insert_deadline(db, o);
	if (oc == OC_OK)
		oc = db_outbox_insert_new(db, messages, n, o);
	if (oc == OC_OK)
		oc = db_collect(db);
	if (oc == OC_OK && photo.affected != 1)
		return OC_NOT_FOUND;
	if (oc == OC_OK)
		o->id = (struct order_id){ done.insert_id };
	return oc;
}

struct idem_rows { struct arena *arena; struct idem_row *out; bool is_seen; };

static enum outcome take_idem(void *ctx, const struct db_val *v)
{
	struct idem_rows *rows = ctx;
	rows->is_seen = true;
	*rows->out = (struct idem_row){
		str_dup(rows->arena, db_get_text(&v[0])), { db_get_uint(&v[1]) }, str_dup(rows->arena, db_get_text(&v[2])), standing_of_row(&v[3]),
	};
	return OC_OK;
}

enum outcome db_idem_get(struct db *db, struct arena *a, struct user_id customer, struct str key, struct idem_row *out)
{
	struct idem_rows rows = { a, out, false };
	struct db_val args[] = { db_uint(customer.v), db_text(key) };
	enum outcome oc = db_run(db, SQL_IDEM_GET, 0, args, 2, take_idem, &rows, NULL);
	if (oc != OC_OK)
		return oc;
	return rows.is_seen ? OC_OK : OC_NOT_FOUND;
}

enum outcome db_idem_replayed(struct db *db, struct user_id customer, struct str key)
{
	struct db_val args[] = { db_uint(customer.v), db_text(key) };
	return db_run(db, SQL_IDEM_REPLAYED, 0, args, 2, NULL, NULL, NULL);
}

enum outcome db_idem_insert(struct db *db, struct user_id customer, struct str key, const struct idem_row *row, instant now)
{
	struct db_val args[] = {
		db_uint(customer.v), db_text(key), db_text(row->body_hash), db_uint(row->order_id.v), db_text(row->answer), db_time(now),
	};
	return db_run(db, SQL_IDEM_INSERT, 0, args, sizeof args / sizeof *args, NULL, NULL, NULL);
}
