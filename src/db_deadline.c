/* db_deadline.c - how long one request may keep a worker waiting for the database.
 * Owns: the moment, ending a wait then, leaving a database alone that hangs. Does not own: what the caller gets (db.c).
 * Used by: db.c; app.c through db_begin() and db_end(). */
#include <signal.h>
#include <sys/socket.h>

#include "db_internal.h"
#include "clock.h"
#include "log.h"

#define FROM_FIRST_USE (-1)
#define SECOND_US INT64_C(1000000)
/* A failure that took longer is no refusal: something hangs. */
#define HANGS_US INT64_C(250000)
/* So long nobody waits for it again. Long enough that those who queued behind the one that waited are answered, short enough to be back
 * in service within a second of its return. */
#define ALONE_US INT64_C(300000)

/* The client library's own time-outs count whole seconds and start anew with each packet. This ends any wait at once, as a lost connection. */
static int64_t cut(void *ctx, int64_t now)
{
	struct db *db = ctx;

	(void)now;
	db->is_cut = 1;
	if (db->cut_fd >= 0)
		shutdown((int)db->cut_fd, SHUT_RDWR);
	return 0;
}

void db_begin(struct db *db)
{
	if (!db->has_timer)
		deadline_init(&db->timer, SIGRTMIN, cut, db);
	db->has_timer = true;
	db->deadline = FROM_FIRST_USE;
	db->used = (struct db_used){ 0 };
}

void db_end(struct db *db)
{
	if (db->deadline > 0)
		deadline_clear(&db->timer);
	db->deadline = 0;
	/* It may have struck while nobody waited. */
	if (db->is_cut && !db->opener_file)
		db_disconnect(db);
	db->is_cut = 0;
}

void db_deadline_free(struct db *db)
{
	if (db->has_timer)
		deadline_free(&db->timer);
}

bool db_time_left(struct db *db)
{
	int64_t now = clock_mono();

	db->asked_at = now;
	if (db->deadline == FROM_FIRST_USE) {
		db->deadline = now + db->conf->request_deadline_ms * 1000;
		deadline_set(&db->timer, db->deadline);
	}
	return db->deadline == 0 || now < db->deadline;
}

/* Nothing is cut before the library tells its socket, so its own time-out holds, in whole seconds: not for longer than the request has left. */
int64_t db_connect_s(const struct db *db)
{
	int64_t most = db->conf->db_connect_timeout_s, left = (db->deadline - clock_mono() + SECOND_US - 1) / SECOND_US;

	if (db->deadline <= 0 || left > most)
		return most;
	return left > 1 ? left : 1;
}

void db_note_down(struct db *db)
{
	int64_t now = clock_mono();

	if (now - db->asked_at > HANGS_US)
		db->alone_until = now + ALONE_US;
}

bool db_is_left_alone(const struct db *db)
{
	return db->deadline != 0 && clock_mono() < db->alone_until;
}
