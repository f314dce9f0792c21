/* relay_db.c - when the relay asks the database again that failed it.
 * Owns: pauses, what is said of it. Does not own: what is asked (relay*.c), the connection (db.c).
 * Used by: relay*.c. */
#include "relay.h"

#include "log.h"

#define SECOND_US INT64_C(1000000)

/* A server that refuses one statement may take others in between. That it is there again is true when nothing fails any more for a
 * while; told, and believed, each time, it would fill the log and leave no pause. */
#define RELAPSE_US SECOND_US
#define RELAPSES_MAX 2

static void db_works(struct relay *r)
{
	bool is_believed = r->db_relapses < RELAPSES_MAX || clock_mono() - r->db_failed_at >= RELAPSE_US;
	r->db_has_worked = true;
	r->db_at = 0;
	if (!is_believed)
		return;
	if (r->is_db_away)
		log_info("the database is there again");
	r->is_db_away = false;
	r->db_pause = 0;
}

static void db_fails(struct relay *r)
{
	int64_t now = clock_mono();
	if (now - r->db_failed_at >= RELAPSE_US)
		r->db_relapses = 0;
	else if (r->db_has_worked)
		r->db_relapses++;
	r->db_has_worked = false;
	r->db_failed_at = now;
}

bool relay_db_ok(struct relay *r, enum outcome oc)
{
	if (oc == OC_OK) {
		db_works(r);
		return true;
	}
	db_fails(r);
	if (oc == OC_DOWN && !r->is_db_away) {
		log_warn("the database is away; trying again until it is back");
		r->is_db_away = true;
	} else if (oc != OC_DOWN && oc != OC_CONFLICT && !r->db_pause) {
		log_warn("a statement failed (%s); trying again", db_error_text(r->db));
	}
	int64_t first = oc == OC_BUSY ? SECOND_US / 100 : SECOND_US / 10;
	r->db_pause = r->db_pause ? r->db_pause * 2 : first;
	/* At work again within a second of the database's return. */
	if (r->db_pause > SECOND_US / 2)
		r->db_pause = SECOND_US / 2;
	r->db_at = clock_mono() + r->db_pause;
	return false;
}

bool relay_db_ready(const struct relay *r)
{
	return clock_mono() >= r->db_at;
}
