/* db_change.c - see db_change.h. */
#include "db_change.h"

#include "arena.h"
#include "db_outbox.h"

static enum outcome give_stock_back(struct db *db, const struct order *o)
{
	struct stock_move moves[ORDER_LINES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < o->item_count && i < ORDER_LINES_MAX; i++)
		if (o->items[i].stock_taken)
			n = stock_move_add(moves, n, o->items[i].product_id, o->items[i].quantity);
	stock_moves_sort(moves, n);
	return n ? db_stock_give(db, moves, n) : OC_OK;
}

/* The entry of this change, and before the first change that of the creation, which nobody has written yet. */
static enum outcome write_history(struct db *db, const struct order *before, const struct order *next, const struct changer *by)
{
	struct history_entry entries[2], *e = entries;
	if (before->version == 1)
		*e++ = history_of_creation(before);
	*e++ = (struct history_entry){
		.version = next->version, .status = next->status,
		.estimated_preparation_minutes = next->estimated_preparation_minutes, .total_amount = next->total_amount,
		.is_by_system = by->is_system, .set_by = by->user, .set_by_role = by->role, .at = next->updated_at,
	};
	return db_history_insert(db, next->id, entries, (size_t)(e - entries));
}

enum outcome db_change_write(struct db *db, struct arena *a, struct order *before, struct order *next, const struct changer *by,
	const struct zone *z, instant now)
{
	/* A clock that was set back must not let updated_at go back: readers poll by it. */
	next->updated_at = now > before->updated_at ? now : before->updated_at;
	struct db_done update = { 0 };
	bool has_new_status = next->status != before->status, gives_back = has_new_status && next->status == ORDER_CANCELLED;
	enum outcome oc = gives_back ? db_items_load(db, a, before, 1, true) : OC_OK;
	if (oc != OC_OK)
		return oc;
	db_hold(db);
	oc = db_order_update(db, next, &update);
	next->version++;
	if (oc == OC_OK)
		oc = write_history(db, before, next, by);
	if (oc == OC_OK && gives_back)
		oc = give_stock_back(db, before);
	struct event event = event_order_changed(a, next, has_new_status && next->status == ORDER_READY, z);
	struct outbox_row message = outbox_row_of(&event, next);
	if (oc == OC_OK)
		oc = db_outbox_insert(db, &message, 1);
	if (oc == OC_OK)
		oc = db_collect(db);
	/* Somebody was faster, and may have written that entry of the history. */
	return (oc == OC_OK || oc == OC_CONFLICT) && update.affected != 1 ? OC_BUSY : oc;
}
