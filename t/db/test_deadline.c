/* test_deadline.c - the database layer against a real server: what a request's deadline ends. Run it by t/with-mariadb, with -j1. */
#include "db_test.h"

#define MS INT64_C(1000)

static enum outcome ping(struct db *db)
{
	return db_run(db, SQL_PING, 0, NULL, 0, NULL, NULL, NULL);
}

/* As an endpoint that computes; the deadline's signal would end one sleep. */
static void pass(int64_t us)
{
	for (int64_t end = clock_mono() + us; clock_mono() < end;)
		usleep(1000);
}

Test(deadline, a_hanging_server_is_cut_and_then_left_alone, .init = set_up)
{
	struct db *db = open_schema();
	enum outcome cut, same, next, back;
	int64_t start, cut_us, rest_us;

	conf.request_deadline_ms = 300;
	cr_assert_eq(ping(db), OC_OK);
	freeze_server();
	db_begin(db);
	start = clock_mono();
	cut = ping(db);
	cut_us = clock_mono() - start;
	start = clock_mono();
	same = ping(db);
	db_end(db);
	db_begin(db);
	next = ping(db);
	db_end(db);
	rest_us = clock_mono() - start;
	cr_assert_eq(kill(server_pid(), SIGCONT), 0);
	pass(300 * MS);
	db_begin(db);
	back = ping(db);
	db_end(db);
	cr_expect_eq(cut, OC_DOWN);
	cr_expect(cut_us >= 299 * MS && cut_us < 900 * MS, "%lld us", (long long)cut_us);
	cr_expect_eq(same, OC_BUSY);
	cr_expect_eq(next, OC_DOWN);
	cr_expect_lt(rest_us, 200 * MS, "%lld us", (long long)rest_us);
	cr_expect_eq(back, OC_OK, "%s", db_error_text(db));
	db_free(db);
	NO_LEAKS();
}

/* It strikes while the server has yet to greet: no question is asked of it afterwards. */
Test(deadline, it_may_strike_while_connecting, .init = set_up)
{
	struct db *db = open_schema(), *fresh = db_new(&conf);
	int64_t start;
	int status;
	pid_t child;

	conf.request_deadline_ms = 200;
	conf.db_connect_timeout_s = 5;
	freeze_server();
	child = fork();
	if (child == 0) {
		pass(500 * MS);
		_exit(kill(server_pid(), SIGCONT));
	}
	db_begin(fresh);
	start = clock_mono();
	cr_expect_eq(ping(fresh), OC_DOWN);
	cr_expect_lt(clock_mono() - start, 1500 * MS);
	cr_expect_eq(ping(fresh), OC_BUSY);
	db_end(fresh);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_expect_eq(ping(fresh), OC_OK, "%s", db_error_text(fresh));
	db_free(fresh);
	db_free(db);
	NO_LEAKS();
}

struct tries { int n; };

static enum outcome always_busy(struct db *db, void *ctx)
{
	(void)db;
	((struct tries *)ctx)->n++;
	return OC_BUSY;
}

Test(deadline, replays_end_with_it, .init = set_up)
{
	struct db *db = open_schema();
	struct tries t = { 0 };
	int64_t start;

	conf.request_deadline_ms = 200;
	conf.db_replays = 50;
	db_begin(db);
	cr_assert_eq(ping(db), OC_OK);
	start = clock_mono();
	cr_expect_eq(db_transact(db, always_busy, &t), OC_BUSY);
	cr_expect_lt(clock_mono() - start, 700 * MS);
	cr_expect(t.n > 2 && t.n < 40, "%d tries", t.n);
	db_end(db);
	db_free(db);
	NO_LEAKS();
}

static enum outcome slow_work(struct db *db, void *ctx)
{
	enum outcome oc = add_user(db, "1", NULL);

	(void)ctx;
	pass(150 * MS);
	return oc;
}

/* It strikes before COMMIT: nothing is committed, and nobody is told otherwise. */
Test(deadline, work_that_took_too_long_does_not_commit, .init = set_up)
{
	struct db *db = open_schema();

	conf.request_deadline_ms = 100;
	cr_assert_eq(ping(db), OC_OK);
	db_begin(db);
	cr_expect_eq(db_transact(db, slow_work, NULL), OC_BUSY);
	db_end(db);
	cr_expect_not(db_in_transaction(db));
	cr_expect_eq(users(db), 0);
	db_free(db);
	NO_LEAKS();
}

Test(deadline, it_may_strike_while_nobody_waits, .init = set_up)
{
	struct db *db = open_schema();

	conf.request_deadline_ms = 100;
	for (int i = 0; i < 2; i++) {
		db_begin(db);
		pass(150 * MS);		/* before the first use nothing counts */
		cr_expect_eq(ping(db), OC_OK, "round %d: %s", i, db_error_text(db));
		pass(150 * MS);
		cr_expect_eq(ping(db), OC_BUSY);
		cr_expect_eq(add_user(db, "1", NULL), OC_BUSY);
		db_end(db);
	}
	/* outside of requests there is none */
	pass(150 * MS);
	cr_expect_eq(users(db), 0);
	text(db, "DO SLEEP(0.3)");
	db_free(db);
	NO_LEAKS();
}

/* A session made for requests of a second does not wait for thirty. */
Test(deadline, lock_waits_are_no_longer, .init = set_up)
{
	struct db *db = open_schema();
	int64_t start;
	int release, status;
	pid_t holder;

	holder = hold_lock(db, &release);
	conf.request_deadline_ms = 600;
	conf.db_lock_wait_s = 30;
	db_disconnect(db);
	start = clock_mono();
	cr_expect_eq(touch(db, 1), OC_BUSY);
	cr_expect_lt(clock_mono() - start, 4000 * MS);
	close(release);
	cr_assert_eq(waitpid(holder, &status, 0), holder);
	db_free(db);
	NO_LEAKS();
}

/* Anybody may send us the timer's signal. */
Test(deadline, a_foreign_signal_is_nothing, .init = set_up)
{
	struct db *db = open_schema();

	db_begin(db);
	cr_assert_eq(ping(db), OC_OK);
	cr_assert_eq(kill(getpid(), SIGRTMIN), 0);
	cr_assert_eq(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_ptr = (void *)1 }), 0);
	cr_expect_eq(ping(db), OC_OK);
	db_end(db);
	db_free(db);
	NO_LEAKS();
}
