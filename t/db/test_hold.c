/* test_hold.c - several statements for one round trip, against a real server. Run it by t/with-mariadb, with -j1. */
#include "db_test.h"
#include "arena.h"
#include "db_order.h"

struct job {
	const char *phones[3];		/* users to add */
	unsigned lists;			/* how often the users are listed behind that */
	enum outcome end;		/* what the work gives where all went well */
	bool leaves;			/* without collecting */
	const char *key;		/* an idempotency key to add behind the users */
	bool commits_along;
	void (*amid)(void);		/* called before they are sent, and */
	void (*behind)(void);		/* before their answers are read; in the first try */
	int tries;
	struct db_done done[3];
	unsigned rows, rows_before;
};

static enum outcome send_all(struct db *db, struct job *j)
{
	enum outcome oc = OC_OK;

	for (int i = 0; i < 3 && j->phones[i] && oc == OC_OK; i++)
		oc = add_user(db, j->phones[i], &j->done[i]);
	if (oc == OC_OK && j->key)
		oc = db_idem_insert(db, (struct user_id){ 1 }, str_from(j->key), &(struct idem_row){ .body_hash = STR("hash"), .order_id = { 1 }, .answer = STR("answer") },
			INT64_C(1700000000123456));
	for (unsigned i = 0; i < j->lists && oc == OC_OK; i++)
		oc = db_run(db, SQL_USER_LIST, 0, (struct db_val[]){ db_uint(0), db_uint(100) }, 2, count_row, &j->rows, NULL);
	return oc;
}

static enum outcome work(struct db *db, void *ctx)
{
	struct job *j = ctx;
	enum outcome oc;

	j->rows = 0;
	if (j->tries++ == 0 && j->amid)
		j->amid();
	db_hold(db);
	oc = send_all(db, j);
	j->rows_before = j->rows;
	if (j->tries == 1 && j->behind)
		j->behind();
	if (oc == OC_OK && j->commits_along)
		oc = db_commit_along(db);
	if (oc == OC_OK && !j->leaves)
		oc = db_collect(db);
	return oc == OC_OK ? j->end : oc;
}

static void warm_up(struct db *db)
{
	struct job j = { .phones = { "0" }, .lists = 1, .end = OC_REFUSED };

	cr_assert_eq(db_transact(db, work, &j), OC_REFUSED);
}

/* Prepares the statements, which what is held together need. */
static struct db *warm(bool pipelined)
{
	struct db *db;

	conf.db_pipeline = pipelined;
	db = open_schema();
	warm_up(db);
	cr_assert_eq(users(db), 0);
	return db;
}

Test(hold, rows_and_counts_come_with_the_answers, .init = set_up)
{
	for (int pipelined = 0; pipelined < 2; pipelined++) {
		struct db *db = warm(pipelined);
		struct job j = { .phones = { "1" }, .lists = 1 };

		cr_expect_eq(db_transact(db, work, &j), OC_OK);
		cr_expect_eq(j.rows_before, pipelined ? 0 : 1, "waited for: %d", pipelined);
		cr_expect_eq(j.rows, 1);
		cr_expect_eq(j.done[0].affected, 1);
		cr_expect_eq((long)j.done[0].insert_id, ask("SELECT id FROM users"));
		db_free(db);
	}
	NO_LEAKS();
}

Test(hold, the_same_statement_many_times, .init = set_up)
{
	for (int pipelined = 0; pipelined < 2; pipelined++) {
		struct db *db = warm(pipelined);
		struct job j = { .phones = { "1", "2", "3" }, .lists = 12 };

		cr_expect_eq(db_transact(db, work, &j), OC_OK);
		cr_expect_eq(j.rows, 12 * 3);
		cr_expect(j.done[0].insert_id < j.done[1].insert_id && j.done[1].insert_id < j.done[2].insert_id);
		cr_expect_eq(users(db), 3);
		db_free(db);
	}
	NO_LEAKS();
}

Test(hold, nothing_is_prepared_yet, .init = set_up)
{
	struct job j = { .phones = { "1" }, .lists = 1 };
	struct db *db;

	conf.db_pipeline = true;
	db = open_schema();
	cr_expect_eq(db_transact(db, work, &j), OC_OK);
	cr_expect_eq(j.rows, 1);
	db_free(db);
	NO_LEAKS();
}

Test(hold, the_first_failure_counts_and_nothing_stays, .init = set_up)
{
	for (int pipelined = 0; pipelined < 2; pipelined++) {
		struct db *db = warm(pipelined);
		struct job j = { .phones = { "1", "1", "2" }, .lists = 1 };

		cr_expect_eq(db_transact(db, work, &j), OC_CONFLICT);
		cr_expect_eq(j.tries, 1);
		cr_expect_eq(j.rows, 0, "nobody is handed the rows behind a failure");
		cr_expect_eq(users(db), 0);
		j = (struct job){ .phones = { "1" }, .lists = 1 };
		cr_expect_eq(db_transact(db, work, &j), OC_OK, "the connection is as good as before");
		cr_expect_eq(users(db), 1);
		db_free(db);
	}
	NO_LEAKS();
}

/* The second time it is prepared. */
Test(hold, a_commit_goes_along, .init = set_up)
{
	for (int pipelined = 0; pipelined < 2; pipelined++) {
		struct db *db = warm(pipelined);
		struct job first = { .phones = { "1" }, .commits_along = true }, second = { .phones = { "2", "3" }, .lists = 1, .commits_along = true };

		cr_expect_eq(db_transact(db, work, &first), OC_OK);
		cr_expect_eq(users(db), 1);
		cr_expect_eq(db_transact(db, work, &second), OC_OK);
		cr_expect_eq(second.rows, 3);
		cr_expect_eq(second.tries, 1);
		cr_expect_eq(ask("SELECT COUNT(*) FROM users"), 3, "another connection sees them");
		db_free(db);
	}
	NO_LEAKS();
}

Test(hold, what_fails_beside_a_commit, .init = set_up)
{
	struct db *db = warm(true);
	struct job first = { .phones = { "1" }, .key = "a", .commits_along = true }, second = { .phones = { "1" }, .key = "b", .commits_along = true },
		third = { .phones = { "3" }, .end = OC_REFUSED }, fourth = { .phones = { "4" } };

	cr_expect_eq(db_transact(db, work, &first), OC_OK);
	cr_expect_eq(db_transact(db, work, &second), OC_CONFLICT);
	cr_expect_eq(ask("SELECT COUNT(*) FROM idempotency_keys"), 2, "the others were committed");
	/* and the next ones are as any other */
	cr_expect_eq(db_transact(db, work, &third), OC_REFUSED);
	cr_expect_eq(ask("SELECT COUNT(*) FROM users"), 1);
	cr_expect_eq(db_transact(db, work, &fourth), OC_OK);
	cr_expect_eq(ask("SELECT COUNT(*) FROM users"), 2);
	db_free(db);
	NO_LEAKS();
}

Test(hold, work_that_leaves_amid_it, .init = set_up)
{
	struct db *db = warm(true);
	struct job refused = { .phones = { "1" }, .lists = 1, .end = OC_REFUSED, .leaves = true }, forgot = { .phones = { "1" }, .leaves = true },
		j = { .phones = { "1" }, .lists = 1 };
	int out = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	cr_expect_eq(db_transact(db, work, &refused), OC_REFUSED);
	cr_expect_eq(refused.rows, 0, "it has gone, and is handed nothing");
	cr_expect_eq(refused.done[0].affected, 0);
	dup2(null, STDERR_FILENO);
	cr_expect_eq(db_transact(db, work, &forgot), OC_BAD, "a mistake in the program commits nothing");
	dup2(out, STDERR_FILENO);
	close(out);
	close(null);
	cr_expect_eq(users(db), 0);
	cr_expect_eq(db_transact(db, work, &j), OC_OK);
	cr_expect_eq(users(db), 1);
	db_free(db);
	NO_LEAKS();
}

/* The server was restarted while the connection was idle: nobody notices. */
Test(hold, a_stale_connection_is_replaced, .init = set_up)
{
	struct db *db = warm(true);
	struct job j = { .phones = { "1" }, .lists = 1, .amid = restart_server };

	cr_expect_eq(db_transact(db, work, &j), OC_OK);
	cr_expect_eq(j.rows, 1);
	cr_expect_eq(users(db), 1);
	db_free(db);
	NO_LEAKS();
}

/* Restarted when they were sent: they may have come to it, but nothing of the transaction can have been committed. */
Test(hold, a_connection_lost_before_the_first_answer, .init = set_up)
{
	struct db *db = warm(true);
	struct job j = { .phones = { "1" }, .lists = 1, .behind = restart_server };
	enum outcome oc = db_transact(db, work, &j);

	/* the restart takes longer than a connection that fails at once, and what hangs is not tried twice */
	cr_expect(oc == OC_DOWN || (oc == OC_OK && j.tries == 2), "%d after %d", oc, j.tries);
	cr_expect_eq(users(db), oc == OC_OK);
	db_free(db);
	NO_LEAKS();
}

static enum outcome two_parts(struct db *db, void *ctx)
{
	enum outcome oc = add_user(db, "9", NULL);

	return oc == OC_OK ? work(db, ctx) : oc;
}

Test(hold, a_connection_lost_in_a_transaction_is_down_and_not_replayed, .init = set_up)
{
	struct db *db = warm(true);
	struct job early = { .phones = { "1" }, .lists = 1, .amid = restart_server }, late = { .phones = { "1" }, .lists = 1, .behind = restart_server };

	cr_expect_eq(db_transact(db, two_parts, &early), OC_DOWN);
	cr_expect_eq(early.tries, 1);
	warm_up(db);
	cr_expect_eq(db_transact(db, two_parts, &late), OC_DOWN);
	cr_expect_eq(late.tries, 1);
	cr_expect_eq(users(db), 0);
	db_free(db);
	NO_LEAKS();
}

Test(hold, a_hanging_server_is_down_in_time, .init = set_up)
{
	struct db *db = warm(true);
	struct job j = { .phones = { "1" }, .lists = 1, .amid = freeze_server };
	int64_t begun = clock_mono();

	conf.request_deadline_ms = 300;
	db_begin(db);
	cr_expect_eq(db_transact(db, work, &j), OC_DOWN);
	db_end(db);
	cr_expect_lt(clock_mono() - begun, INT64_C(1900000), "before the two seconds that the client library would wait");
	cr_expect_eq(j.tries, 1);
	cr_assert_eq(kill(server_pid(), SIGCONT), 0);
	db_free(db);
	NO_LEAKS();
}

static enum outcome touch_held(struct db *db, void *ctx)
{
	struct db_done done = { 0 };
	unsigned n = 0;
	enum outcome oc;

	++*(int *)ctx;
	db_hold(db);
	oc = touch_only(db, 1, &done);
	if (oc == OC_OK)
		oc = db_run(db, SQL_USER_LIST, 0, (struct db_val[]){ db_uint(0), db_uint(100) }, 2, count_row, &n, NULL);
	return oc == OC_OK ? db_collect(db) : oc;
}

Test(hold, a_lock_wait_is_replayed, .init = set_up)
{
	struct db *db;
	int release, tries = 0;
	pid_t holder;

	conf.db_pipeline = true;
	conf.db_replays = 2;
	db = open_schema();
	holder = hold_lock(db, &release);
	cr_expect_eq(db_transact(db, touch_held, &tries), OC_BUSY);
	cr_expect_eq(tries, 3);
	close(release);
	cr_assert_eq(waitpid(holder, NULL, 0), holder);
	cr_expect_eq(db_transact(db, touch_held, &tries), OC_OK);
	db_free(db);
	NO_LEAKS();
}

/* While an order waits for product 1, of which the shop keeps no count, the shop begins to count it; product 2 has none left. */
struct taking { struct arena *arena; struct place_look look; bool is_short; };

static enum outcome take_two(struct db *db, void *ctx)
{
	struct taking *t = ctx;
	const struct stock_move moves[] = { { { 1 }, 1 }, { { 2 }, 1 } };
	enum outcome oc = db_place_take(db, t->arena, (struct user_id){ 1 }, (struct shop_id){ 1 }, moves, 2, &t->look, &t->is_short);

	return oc == OC_OK ? OC_REFUSED : oc;
}

static const char count_it[] = "BEGIN; UPDATE products SET stock = 5 WHERE id = 1; SELECT SLEEP(0.5); COMMIT";

Test(hold, a_product_that_is_counted_from_now_on_stands_for_no_other, .init = set_up)
{
	for (int pipelined = 0; pipelined < 2; pipelined++) {
		struct db *db = warm(pipelined);
		struct taking t = { .arena = arena_new() };
		char cmd[1024];
		FILE *shop;

		text(db, "INSERT INTO users (id, full_name, phone_number, role, created_at) VALUES (1, 'x', 'x', 'x', NOW())");
		text(db, "INSERT INTO shops (id, owner_id, name, created_at, updated_at) VALUES (1, 1, 'x', NOW(), NOW())");
		text(db, "INSERT INTO products (id, shop_id, name, price, stock, created_at, updated_at)"
			" VALUES (1, 1, 'x', 1, NULL, NOW(), NOW()), (2, 1, 'x', 1, 0, NOW(), NOW())");
		cr_assert_eq(db_transact(db, take_two, &t), OC_REFUSED, "and now it is prepared");
		cr_expect(t.is_short);
		snprintf(cmd, sizeof cmd, "mariadb --no-defaults -S '%s' -u root pickup -e '%s' >/dev/null", getenv("PICKUP_TEST_SOCKET"), count_it);
		shop = popen(cmd, "r");
		cr_assert_not_null(shop);
		while (ask("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'") == 0)
			usleep(1000);
		cr_expect_eq(db_transact(db, take_two, &t), OC_REFUSED);
		cr_expect(t.is_short, "product 2 is, pipelined: %d", pipelined);
		cr_assert_eq(pclose(shop), 0);
		arena_free(t.arena);
		db_free(db);
	}
	NO_LEAKS();
}
