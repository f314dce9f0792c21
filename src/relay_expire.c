/* relay_expire.c - cancels the orders that nobody confirmed in time.
 * Owns: when it looks, and that a deadline is forgotten with the order's decision. Does not own: what a change writes (db_change.c).
 * Used by: relay_chores.c, with the lease. Two relays at once, or one that comes late, do no harm: the order is judged, and its version guarded, in
 * the transaction that cancels it; whoever confirmed it before has won, whoever comes after finds it cancelled. */
#include "relay.h"

#include "db_change.h"
#include "db_deadlines.h"
#include "log.h"

#define EXPIRE_ROWS 10
#define EXPIRE_PAUSE_US INT64_C(5000000)

struct expiry { struct relay *relay; struct order_id id; instant now; bool is_cancelled; };

static enum outcome cancel(struct expiry *e, struct order_row *row)
{
	struct relay *r = e->relay;
	const struct order_change change = {
		.has_status = true, .status = ORDER_CANCELLED, .by = CANCELLED_BY_SYSTEM, .cancel_reason = STR(ORDER_NOT_ACCEPTED),
	};
	const struct changer system = { .is_system = true };
	struct order next;
	if (order_judge(&row->order, &change, &next) != CHANGE_APPLY)
		return OC_OK;
	enum outcome oc = db_change_write(r->db, r->arena, &row->order, &next, &system, zone_get(r->zones, row->order.timezone), e->now);
	e->is_cancelled = oc == OC_OK;
	return oc;
}

static enum outcome expire_once(struct db *db, void *ctx)
{
	struct expiry *e = ctx;
	struct order_row row;
	e->is_cancelled = false;
	enum outcome oc = db_order_lock(db, e->id);
	if (oc == OC_OK)
		oc = db_order_get(db, e->relay->arena, e->id, &row);
	if (oc == OC_OK && row.order.status == ORDER_PENDING)
		oc = cancel(e, &row);
	if (oc == OC_OK || oc == OC_NOT_FOUND)
		oc = db_deadline_delete(db, e->id);
	return oc;
}

/* OC_OK, also where others change this order just now, or where it cannot be read (logged): the next look finds it again, and the others' time comes
 * all the same. Counts it where it is decided. */
static enum outcome expire(struct relay *r, struct order_id id, instant now, size_t *decided)
{
	struct expiry e = { r, id, now, false };
	enum outcome oc = db_transact(r->db, expire_once, &e);
	if (oc == OC_OK && e.is_cancelled) {
		log_info("order %llu was not accepted in time", (unsigned long long)id.v);
		r->has_more = true;
		metrics_add(&metrics_own(r->metrics)->expired, 1);
	}
	*decided += oc == OC_OK;
	return oc == OC_BUSY || oc == OC_BAD ? OC_OK : oc;
}

void relay_expire(struct relay *r)
{
	struct order_id due[EXPIRE_ROWS];
	size_t n = 0, decided = 0;
	instant now = r->clock.now(&r->clock);
	enum outcome oc = db_deadlines_due(r->db, now, EXPIRE_ROWS, due, &n);
	for (size_t i = 0; i < n && oc == OC_OK && relay_may_publish(r); i++) {
		oc = expire(r, due[i], now, &decided);
		arena_reset(r->arena);
	}
	(void)relay_db_ok(r, oc);
	r->expire_at = clock_mono() + (n == EXPIRE_ROWS && decided ? 0 : EXPIRE_PAUSE_US);
}
