/* db_outbox.c - statements of the outbox, the events and the relay's own tables.
 * Owns: which values go in and come out. Does not own: SQL texts (db_sql.c), the rules of numbering (relay_step.c).
 * Used by: order endpoints, event and health endpoints, relay*.c. */
#include "db_outbox.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

/* Rows as they come in. */
struct rows { struct arena *arena; char *items; size_t size, n, cap; };

static void *rows_next(struct rows *rows)
{
	rows->items = arena_room(rows->arena, rows->items, rows->n, &rows->cap, rows->size);
	return rows->items + rows->n++ * rows->size;
}

static struct channel channel_of(const struct db_val *v)
{
	return (struct channel){ (enum channel_kind)db_get_uint(&v[0]), db_get_uint(&v[1]) };
}

/* For statements of one row with one number. */
static enum outcome take_uint(void *ctx, const struct db_val *v)
{
	*(uint64_t *)ctx = db_get_uint(&v[0]);
	return OC_OK;
}

/* So that a statement is prepared for a few counts only, lists of values are filled up with their last one. */
static size_t padded(size_t n)
{
	return n <= 1 ? 1 : n <= 4 ? 4 : (n + 15) / 16 * 16;
}

#define PADDED_MAX 64

/* ---- for workers ---- */

#define OUTBOX_VALUES 7

enum outcome db_outbox_insert(struct db *db, const struct outbox_row *rows, size_t n)
{
	enum { AT_ONCE = 16 };
	struct db_val args[AT_ONCE * OUTBOX_VALUES];
	enum outcome oc = OC_OK;
	for (size_t i = 0; i < n && oc == OC_OK; ) {
		struct db_val *v = args;
		unsigned reps = 0;
		for (; i < n && reps < AT_ONCE; i++, reps++) {
			*v++ = db_uint(rows[i].channel.kind);
			*v++ = db_uint(rows[i].channel.id);
			*v++ = db_uint(rows[i].shop.v);
			*v++ = db_uint(rows[i].order.v);
			*v++ = db_uint(rows[i].version);
			*v++ = db_time(rows[i].at);
			*v++ = db_text(rows[i].body);
		}
		oc = db_run(db, SQL_OUTBOX_INSERT, reps, args, (size_t)(v - args), NULL, NULL, NULL);
	}
	return oc;
}

enum outcome db_outbox_insert_new(struct db *db, const struct event_new *events, size_t n, const struct order *o)
{
	struct db_val args[OUTBOX_NEW_MAX * OUTBOX_VALUES], *v = args;
	for (size_t i = 0; i < n && i < OUTBOX_NEW_MAX; i++) {
		*v++ = db_uint(events[i].channel.kind);
		*v++ = db_uint(events[i].channel.id);
		*v++ = db_uint(o->shop_id.v);
		*v++ = db_uint(o->version);
		*v++ = db_time(o->updated_at);
		*v++ = db_text(events[i].head);
		*v++ = db_text(events[i].tail);
	}
	return db_run(db, SQL_OUTBOX_INSERT_NEW, (unsigned)n, args, (size_t)(v - args), NULL, NULL, NULL);
}

struct waiting { uint64_t *n; instant *oldest; };

static enum outcome take_waiting(void *ctx, const struct db_val *v)
{
	struct waiting *w = ctx;
	*w->n = db_get_uint(&v[0]);
	*w->oldest = db_get_time(&v[1]);
	return OC_OK;
}

enum outcome db_outbox_waiting(struct db *db, uint64_t limit, uint64_t *n, instant *oldest)
{
	struct db_val args[] = { db_uint(limit) };
	struct waiting w = { n, oldest };
	*n = 0;
	*oldest = INSTANT_NONE;
	return db_run(db, SQL_OUTBOX_COUNT, 0, args, 1, take_waiting, &w, NULL);
}

static enum outcome take_event(void *ctx, const struct db_val *v)
{
	struct rows *rows = ctx;
	struct event_row *e = rows_next(rows);
	e->seq = db_get_uint(&v[0]);
	e->at = db_get_time(&v[1]);
	e->timezone = str_dup(rows->arena, db_get_text(&v[2]));
	e->body = str_dup(rows->arena, db_get_text(&v[3]));
	return OC_OK;
}

enum outcome db_events_after(struct db *db, struct arena *a, struct channel ch, uint64_t after, uint64_t limit,
	struct event_row **out, size_t *n)
{
	struct db_val args[] = { db_uint(ch.kind), db_uint(ch.id), db_uint(after), db_uint(limit) };
	struct rows rows = { .arena = a, .size = sizeof **out };
	enum outcome oc = db_run(db, SQL_EVENTS_AFTER, 0, args, 4, take_event, &rows, NULL);
	*out = (struct event_row *)(void *)rows.items;
	*n = rows.n;
	return oc;
}

struct lasts { const struct channel *channels; uint64_t *last; size_t n; };

static enum outcome take_channel_last(void *ctx, const struct db_val *v)
{
	struct lasts *l = ctx;
	struct channel ch = channel_of(v);
	for (size_t i = 0; i < l->n; i++)
		if (l->channels[i].kind == ch.kind && l->channels[i].id == ch.id)
			l->last[i] = db_get_uint(&v[2]);
	return OC_OK;
}

enum outcome db_channels_last(struct db *db, const struct channel *channels, size_t n, uint64_t *last)
{
	struct db_val args[16 * 6];
	enum outcome oc = OC_OK;
	for (size_t i = 0; i < n && oc == OC_OK; ) {
		size_t some = n - i < 16 ? n - i : 16, reps = padded(some);
		struct lasts l = { channels + i, last + i, some };
		for (size_t k = 0; k < reps * 6; k += 2) {
			struct channel ch = channels[i + (k / 6 < some ? k / 6 : some - 1)];
			args[k] = db_uint(ch.kind);
			args[k + 1] = db_uint(ch.id);
		}
		oc = db_run(db, SQL_CHANNEL_LAST, (unsigned)reps, args, reps * 6, take_channel_last, &l, NULL);
		i += some;
	}
	return oc;
}

/* ---- lease ---- */

enum outcome db_lease_take(struct db *db, struct str holder, uint64_t seconds, struct str state)
{
	struct db_val args[] = { db_text(holder), db_uint(seconds), db_text(state), db_text(holder) };
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_LEASE_TAKE, 0, args, 4, NULL, NULL, &done);
	return oc == OC_OK && done.affected == 0 ? OC_CONFLICT : oc;
}

struct lease_ctx { struct arena *arena; struct lease *lease; };

static enum outcome take_lease(void *ctx, const struct db_val *v)
{
	struct lease_ctx *c = ctx;
	struct str state = str_dup(c->arena, db_get_text(&v[2]));
	*c->lease = (struct lease){
		.holder = str_dup(c->arena, db_get_text(&v[0])), .is_held = db_get_int(&v[1]) != 0, .state = state,
		.is_failing = state.len >= 5 && memcmp(state.s, "push ", 5) == 0,
	};
	return OC_OK;
}

enum outcome db_lease_get(struct db *db, struct arena *a, struct lease *out)
{
	struct lease_ctx ctx = { a, out };
	*out = (struct lease){ .state = STR("") };
	return db_run(db, SQL_LEASE_GET, 0, NULL, 0, take_lease, &ctx, NULL);
}

/* ---- outbox ---- */

static enum outcome take_outbox(void *ctx, const struct db_val *v)
{
	struct rows *rows = ctx;
	struct outbox_row *r = rows_next(rows);
	r->id = db_get_uint(&v[0]);
	r->channel = channel_of(v + 1);
	r->shop.v = db_get_uint(&v[3]);
	r->order.v = db_get_uint(&v[4]);
	r->version = db_get_uint(&v[5]);
	r->at = db_get_time(&v[6]);
	r->body = str_dup(rows->arena, db_get_text(&v[7]));
	return OC_OK;
}

enum outcome db_outbox_fetch(struct db *db, struct arena *a, uint64_t limit, struct outbox_row **out, size_t *n)
{
	struct db_val args[] = { db_uint(limit) };
	struct rows rows = { .arena = a, .size = sizeof **out };
	enum outcome oc = db_run(db, SQL_OUTBOX_FETCH, 0, args, 1, take_outbox, &rows, NULL);
	*out = (struct outbox_row *)(void *)rows.items;
	*n = rows.n;
	return oc;
}

enum outcome db_outbox_delete(struct db *db, const uint64_t *ids, size_t n)
{
	struct db_val args[PADDED_MAX];
	enum outcome oc = OC_OK;
	for (size_t i = 0; i < n && oc == OC_OK; ) {
		size_t some = n - i < PADDED_MAX ? n - i : PADDED_MAX, reps = padded(some);
		for (size_t k = 0; k < reps; k++)
			args[k] = db_uint(ids[i + (k < some ? k : some - 1)]);
		oc = db_run(db, SQL_OUTBOX_DELETE, (unsigned)reps, args, reps, NULL, NULL, NULL);
		i += some;
	}
	return oc;
}

enum outcome db_outbox_sweep(struct db *db, uint64_t limit, uint64_t *n)
{
	struct db_val args[] = { db_uint(limit) };
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_OUTBOX_SWEEP, 0, args, 1, NULL, NULL, &done);
	*n = done.affected;
	if (oc == OC_OK && done.affected)
		log_info("%llu notifications had their numbers already", (unsigned long long)done.affected);
	return oc;
}

/* ---- events ---- */

enum outcome db_pub_last(struct db *db, uint64_t *out)
{
	*out = 0;
	return db_run(db, SQL_PUB_LAST, 0, NULL, 0, take_uint, out, NULL);
}

#define EVENT_VALUES 8

enum outcome db_events_insert(struct db *db, const struct outbox_row *rows, const uint64_t *seqs, uint64_t pub_no, size_t n)
{
	struct db_val args[EVENTS_INSERT_MAX * EVENT_VALUES], *v = args;
	if (n == 0 || n > EVENTS_INSERT_MAX)
		return n ? OC_BAD : OC_OK;
	for (size_t i = 0; i < n; i++) {
		*v++ = db_uint(rows[i].channel.kind);
		*v++ = db_uint(rows[i].channel.id);
		*v++ = db_uint(seqs[i]);
		*v++ = db_uint(pub_no + i);
		*v++ = db_uint(rows[i].id);
		*v++ = db_uint(rows[i].shop.v);
		*v++ = db_time(rows[i].at);
		*v++ = db_text(rows[i].body);
	}
	return db_run(db, SQL_EVENT_INSERT, (unsigned)n, args, n * EVENT_VALUES, NULL, NULL, NULL);
}

static enum outcome take_pub(void *ctx, const struct db_val *v)
{
	struct rows *rows = ctx;
	struct pub_row *p = rows_next(rows);
	p->pub_no = db_get_uint(&v[0]);
	p->channel = channel_of(v + 1);
	p->seq = db_get_uint(&v[3]);
	p->body = str_dup(rows->arena, db_get_text(&v[4]));
	return OC_OK;
}

enum outcome db_events_from(struct db *db, struct arena *a, uint64_t after, uint64_t limit, struct pub_row **out, size_t *n)
{
	struct db_val args[] = { db_uint(after), db_uint(limit) };
	struct rows rows = { .arena = a, .size = sizeof **out };
	enum outcome oc = db_run(db, SQL_EVENTS_FROM, 0, args, 2, take_pub, &rows, NULL);
	*out = (struct pub_row *)(void *)rows.items;
	*n = rows.n;
	return oc;
}

/* ---- push instances ---- */

struct cursor_taken { struct push_cursor *out; bool is_found; };

static enum outcome take_cursor(void *ctx, const struct db_val *cols)
{
	struct cursor_taken *t = ctx;
	struct str worker = db_get_text(&cols[5]);
	*t->out = (struct push_cursor){
		.pub_no = db_get_uint(&cols[0]), .marked = db_get_uint(&cols[1]), .settled = db_get_uint(&cols[2]),
		.at = db_get_time(&cols[3]), .marked_at = db_get_time(&cols[4]),
	};
	snprintf(t->out->worker, sizeof t->out->worker, "%.*s", STR_FMT(worker));
	t->is_found = true;
	return OC_OK;
}

enum outcome db_cursor_get(struct db *db, struct str instance, struct push_cursor *out)
{
	struct db_val args[] = { db_text(instance) };
	struct cursor_taken t = { out, false };
	enum outcome oc = db_run(db, SQL_CURSOR_GET, 0, args, 1, take_cursor, &t, NULL);
	return oc == OC_OK && !t.is_found ? OC_NOT_FOUND : oc;
}

enum outcome db_cursor_set(struct db *db, struct str instance, const struct push_cursor *c)
{
	struct db_val args[] = { db_text(instance), db_uint(c->pub_no), db_uint(c->marked), db_uint(c->settled), db_time(c->at),
		db_time(c->marked_at), db_text(str_from(c->worker)) };
	return db_run(db, SQL_CURSOR_SET, 0, args, sizeof args / sizeof *args, NULL, NULL, NULL);
}

struct lag { struct waiting w; bool is_found; };

static enum outcome take_lag(void *ctx, const struct db_val *v)
{
	struct lag *l = ctx;
	l->is_found = true;
	return take_waiting(&l->w, v);
}

enum outcome db_cursor_lag(struct db *db, struct str instance, uint64_t *n, instant *oldest)
{
	struct db_val args[] = { db_text(instance) };
	struct lag l = { { n, oldest }, false };
	*n = 0;
	*oldest = INSTANT_NONE;
	enum outcome oc = db_run(db, SQL_CURSOR_LAG, 0, args, 1, take_lag, &l, NULL);
	return oc == OC_OK && !l.is_found ? OC_NOT_FOUND : oc;
}

enum outcome db_refusal_insert(struct db *db, uint64_t pub_no, struct str instance, unsigned status, instant at)
{
	struct db_val args[] = { db_uint(pub_no), db_text(instance), db_uint(status), db_time(at) };
	return db_run(db, SQL_REFUSAL_INSERT, 0, args, 4, NULL, NULL, NULL);
}

enum outcome db_refusal_count(struct db *db, uint64_t *out)
{
	*out = 0;
	return db_run(db, SQL_REFUSAL_COUNT, 0, NULL, 0, take_uint, out, NULL);
}

/* ---- pruning ---- */

enum outcome db_idem_prune(struct db *db, instant t, uint64_t limit, uint64_t *n)
{
	struct db_val args[] = { db_time(t), db_uint(limit) };
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_IDEM_PRUNE, 0, args, 2, NULL, NULL, &done);
	*n = done.affected;
	return oc;
}

/* The events to go, and the last seq of each of their channels (one entry an event; the newest wins). */
struct prune {
	instant before;
	uint64_t max, last, limit, n;
	bool is_over;
	struct db_val floors[EVENTS_PRUNE_MAX * 3];
};

static enum outcome take_oldest(void *ctx, const struct db_val *v)
{
	struct prune *p = ctx;
	uint64_t pub_no = db_get_uint(&v[0]);
	p->is_over |= pub_no > p->max || db_get_time(&v[4]) >= p->before;
	if (p->is_over)
		return OC_OK;
	for (size_t i = 0; i < 3; i++)
		p->floors[p->n * 3 + i] = db_uint(db_get_uint(&v[1 + i]));
	p->last = pub_no;
	p->n++;
	return OC_OK;
}

/* Floors first: then a channel's last number stands somewhere at each moment. */
static enum outcome prune_work(struct db *db, void *ctx)
{
	struct prune *p = ctx;
	struct db_val pub[] = { db_uint(p->last) }, del[] = { db_uint(p->last), db_uint(p->limit) };
	enum outcome oc = db_run(db, SQL_LEASE_FLOOR, 0, pub, 1, NULL, NULL, NULL);
	for (size_t i = 0; i < p->n && oc == OC_OK; ) {
		struct db_val args[PADDED_MAX * 3];
		size_t some = p->n - i < PADDED_MAX ? p->n - i : PADDED_MAX, reps = padded(some);
		for (size_t k = 0; k < reps; k++)
			memcpy(args + k * 3, p->floors + (i + (k < some ? k : some - 1)) * 3, 3 * sizeof *args);
		oc = db_run(db, SQL_EVENT_FLOOR, (unsigned)reps, args, reps * 3, NULL, NULL, NULL);
		i += some;
	}
	if (oc == OC_OK)
		oc = db_run(db, SQL_REFUSAL_DELETE, 0, pub, 1, NULL, NULL, NULL);
	return oc == OC_OK ? db_run(db, SQL_EVENT_DELETE, 0, del, 2, NULL, NULL, NULL) : oc;
}

enum outcome db_events_prune(struct db *db, instant t, uint64_t max, uint64_t limit, uint64_t *n)
{
	struct prune p = { .before = t, .max = max, .limit = limit < EVENTS_PRUNE_MAX ? limit : EVENTS_PRUNE_MAX };
	struct db_val args[] = { db_uint(p.limit) };
	*n = 0;
	enum outcome oc = db_run(db, SQL_EVENTS_OLDEST, 0, args, 1, take_oldest, &p, NULL);
	if (oc == OC_OK && p.n)
		oc = db_transact(db, prune_work, &p);
	if (oc == OC_OK)
		*n = p.n;
	return oc;
}
