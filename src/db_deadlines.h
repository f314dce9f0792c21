/* db_deadlines.h - orders that must be confirmed in time, typed. Owns: rows of order_deadlines that are there (db_place.c makes them). */
#ifndef PICKUP_DB_DEADLINES_H
#define PICKUP_DB_DEADLINES_H

#include "db.h"
#include "ids.h"

/* Those whose time has come by then, the longest overdue first, up to limit; *n: how many. */
must_check enum outcome db_deadlines_due(struct db *db, instant now, size_t limit, struct order_id *out, size_t *n);
/* One that is gone already is no fault. */
must_check enum outcome db_deadline_delete(struct db *db, struct order_id id);

#endif
