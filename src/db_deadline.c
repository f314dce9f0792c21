/* db_deadline.c - how long one request may keep a worker waiting for the database.
 * Owns: the moment, the timer that ends a wait then, leaving a database alone that hangs. Does not own: what the caller gets (db.c).
 * Used by: db.c; app.c through db_begin() and db_end(). */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "db_internal.h"
#include "clock.h"
#include "log.h"

#define FROM_FIRST_USE (-1)
/* A failure that took longer is no refusal: something hangs. */
#define HANGS_US INT64_C(250000)
/* So long nobody waits for it again. Long enough that those who queued behind the one that waited are answered, short enough to be back
 * in service within a second of its return. */
#define ALONE_US INT64_C(300000)

/* The client library's own time-outs count whole seconds and start anew with each packet. This ends any wait at once, as a lost connection.
 * Anybody may send the signal: only the timer's carries our pointer. */
static void on_deadline(int sig, siginfo_t *info, void *context)
{
	struct db *db = info->si_value.sival_ptr;
	int saved = errno;

	(void)sig;
	(void)context;
	if (info->si_code != SI_TIMER)
		return;
	db->is_cut = 1;
	if (db->cut_fd >= 0)
		shutdown((int)db->cut_fd, SHUT_RDWR);
	errno = saved;
}

static void make_timer(struct db *db)
{
	struct sigaction act = { .sa_sigaction = on_deadline, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_ptr = db };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (sigaction(SIGRTMIN, &act, NULL) || sigprocmask(SIG_UNBLOCK, &set, NULL) || timer_create(CLOCK_MONOTONIC, &event, &db->timer))
		log_die("no timer for the requests' deadline: %s", strerror(errno));
	db->has_timer = true;
}

/* us 0 stops it. */
static void set_timer(struct db *db, int64_t us)
{
	struct itimerspec at = { .it_value = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 } };

	if (timer_settime(db->timer, 0, &at, NULL))
		log_die("the timer of the requests' deadline can't be set: %s", strerror(errno));
}

void db_begin(struct db *db)
{
	if (!db->has_timer)
		make_timer(db);
	db->deadline = FROM_FIRST_USE;
}

void db_end(struct db *db)
{
	if (db->deadline > 0)
		set_timer(db, 0);
	db->deadline = 0;
	/* It may have struck while nobody waited. */
	if (db->is_cut && !db->opener_file)
		db_disconnect(db);
	db->is_cut = 0;
}

void db_deadline_free(struct db *db)
{
	if (db->has_timer)
		timer_delete(db->timer);
}

bool db_time_left(struct db *db)
{
	int64_t now = clock_mono();

	db->asked_at = now;
	if (db->deadline == FROM_FIRST_USE) {
		db->deadline = now + db->conf->request_deadline_ms * 1000;
		set_timer(db, db->conf->request_deadline_ms * 1000);
	}
	return db->deadline == 0 || now < db->deadline;
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
