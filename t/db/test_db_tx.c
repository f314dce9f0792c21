/* test_db_tx.c - the database layer against a real server: transactions, locks, lost connections. Run it by t/with-mariadb, with -j1. */
#include "db_test.h"

/* SQL by a client program, beside the connection under test. */
static void beside(const char *sql)
{
	char cmd[1024];

	snprintf(cmd, sizeof cmd, "mariadb --no-defaults -S '%s' -u root pickup -e \"%s\" >/dev/null", getenv("PICKUP_TEST_SOCKET"), sql);
	cr_assert_eq(system(cmd), 0, "%s", sql);
}

struct unit { const char *phones[3]; enum outcome end; int tries; };

static enum outcome add_all(struct db *db, void *ctx)
{
	struct unit *u = ctx;

	u->tries++;
	for (int i = 0; i < 3 && u->phones[i]; i++) {
		enum outcome oc = add_user(db, u->phones[i], NULL);

		if (oc != OC_OK)
			return oc;
	}
	return u->end;
}

static enum outcome nested(struct db *db, void *ctx)
{
	struct unit u = { { "5" }, OC_OK, 0 };

	*(enum outcome *)ctx = db_transact(db, add_all, &u);
	return OC_OK;
}

Test(db_tx, transactions_commit_or_leave_nothing, .init = set_up)
{
	struct db *db = open_schema();
	struct unit good = { { "1", "2" }, OC_OK, 0 }, refused = { { "3", "4" }, OC_REFUSED, 0 }, twice = { { "3", "1" }, OC_OK, 0 },
		empty = { { NULL }, OC_OK, 0 };
	enum outcome inner = OC_OK;

	cr_expect_eq(db_transact(db, add_all, &good), OC_OK);
	cr_expect_eq(users(db), 2);
	cr_expect_eq(db_transact(db, add_all, &refused), OC_REFUSED);
	cr_expect_eq(users(db), 2);
	cr_expect_eq(db_transact(db, add_all, &twice), OC_CONFLICT);
	cr_expect_eq(twice.tries, 1);
	cr_expect_eq(users(db), 2);
	cr_expect_eq(db_transact(db, add_all, &empty), OC_OK);
	cr_expect_eq(db_transact(db, nested, &inner), OC_OK);
	cr_expect_eq(inner, OC_BAD, "a transaction in a transaction");
	cr_expect_not(db_in_transaction(db));
	/* single statements between transactions commit by themselves: another connection sees them */
	cr_expect_eq(add_user(db, "9", NULL), OC_OK);
	beside("INSERT INTO users (full_name, phone_number, role, created_at) SELECT 'x', '10', 'y', NOW() FROM users WHERE phone_number = '9'");
	cr_expect_eq(users(db), 4);
	db_free(db);
	NO_LEAKS();
}

struct lock_pair { uint64_t first, second; int to_peer, from_peer; bool met; int tries; };

/* Locks the first, meets the peer once, locks the second. */
static enum outcome cross(struct db *db, void *ctx)
{
	struct lock_pair *p = ctx;
	enum outcome oc = touch(db, p->first);
	char c = 'x';

	p->tries++;
	if (oc == OC_OK && !p->met) {
		p->met = true;
		if (write(p->to_peer, &c, 1) != 1 || read(p->from_peer, &c, 1) != 1)
			return OC_REFUSED;
	}
	return oc == OC_OK ? touch(db, p->second) : oc;
}

Test(db_tx, a_deadlock_is_replayed, .init = set_up)
{
	struct db *db = open_schema();
	struct db_done user, shop, a, b;
	const struct db_val price[] = { db_text(STR("p")), db_null(), db_null(), db_money(1), db_null(), db_time(0), db_time(0) };
	struct db_val v[8];
	int ab[2], ba[2], status;
	pid_t child;
	struct lock_pair p;

	cr_assert_eq(add_user(db, "1", &user), OC_OK);
	cr_assert_eq(db_run(db, SQL_SHOP_INSERT, 0, (struct db_val[]){ db_uint(user.insert_id), db_text(STR("s")), db_text(STR("UTC")), db_text(STR("INR")),
		db_null(), db_null(), db_time(0), db_time(0) }, 8, NULL, NULL, &shop), OC_OK);
	v[0] = db_uint(shop.insert_id);
	memcpy(v + 1, price, sizeof price);
	cr_assert_eq(db_run(db, SQL_PRODUCT_INSERT, 0, v, 8, NULL, NULL, &a), OC_OK);
	cr_assert_eq(db_run(db, SQL_PRODUCT_INSERT, 0, v, 8, NULL, NULL, &b), OC_OK);
	cr_assert(pipe(ab) == 0 && pipe(ba) == 0);
	db_disconnect(db);
	child = fork();
	if (child == 0) {
		struct lock_pair c = { b.insert_id, a.insert_id, ba[1], ab[0], false, 0 };
		enum outcome oc = db_transact(db, cross, &c);

		_exit(oc == OC_OK ? c.tries : 100 + (int)oc);
	}
	p = (struct lock_pair){ a.insert_id, b.insert_id, ab[1], ba[0], false, 0 };
	cr_expect_eq(db_transact(db, cross, &p), OC_OK);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < 100, "the other one: %d", WEXITSTATUS(status));
	cr_expect_geq(p.tries + WEXITSTATUS(status), 3, "one of the two had to try again");
	db_free(db);
	NO_LEAKS();
}

static enum outcome ignore_busy(struct db *db, void *ctx)
{
	struct unit *u = ctx;

	u->tries++;
	(void)!add_user(db, "50", NULL);
	(void)!touch(db, 1);
	return OC_OK;
}

/* A lock wait times out: busy after the replays; work that overlooks it can't commit its other half. */
Test(db_tx, a_lock_wait_ends_busy_and_commits_nothing, .init = set_up)
{
	struct db *db = open_schema();
	struct unit u = { { NULL }, OC_OK, 0 };
	int release, status;
	unsigned before;
	pid_t holder;

	conf.db_replays = 1;
	holder = hold_lock(db, &release);
	before = users(db);
	cr_expect_eq(db_transact(db, ignore_busy, &u), OC_BUSY);
	cr_expect_eq(u.tries, 2);
	cr_expect_eq(users(db), before);
	cr_expect_eq(touch(db, 1), OC_BUSY, "a statement of its own");
	close(release);
	cr_assert_eq(waitpid(holder, &status, 0), holder);
	cr_expect_eq(status, 0);
	cr_expect_eq(db_transact(db, ignore_busy, &u), OC_OK);
	cr_expect_eq(users(db), before + 1);
	db_free(db);
	NO_LEAKS();
}

/* The server was restarted while the connection was idle: nobody notices. */
Test(db_tx, a_stale_connection_is_replaced, .init = set_up)
{
	struct db *db = open_schema();
	struct unit u = { { "1", "2" }, OC_OK, 0 };

	cr_assert_eq(users(db), 0);
	restart_server();
	cr_expect_eq(users(db), 0, "a read");
	cr_assert_eq(db_transact(db, add_all, &u), OC_OK);
	restart_server();
	u = (struct unit){ { "3", "4" }, OC_OK, 0 };
	cr_expect_eq(db_transact(db, add_all, &u), OC_OK, "a transaction");
	restart_server();
	cr_expect_eq(add_user(db, "5", NULL), OC_OK, "a write of its own, in another mode");
	restart_server();
	cr_expect_eq(add_user(db, "6", NULL), OC_OK, "a write of its own, in the same mode");
	cr_expect_eq(users(db), 6);
	db_free(db);
	NO_LEAKS();
}

/* The connection dies while the server executes a write of its own: it may have been done, so it is not sent again. */
Test(db_tx, a_write_that_was_sent_is_not_repeated, .init = set_up)
{
	struct db *db = open_schema();

	text(db, "CREATE OR REPLACE TABLE hits (i INT) ENGINE=Aria TRANSACTIONAL=0");
	text(db, "CREATE TRIGGER suicide BEFORE INSERT ON users FOR EACH ROW BEGIN INSERT INTO hits VALUES (1); KILL CONNECTION_ID(); END");
	cr_expect_eq(users(db), 0);
	cr_expect_eq(add_user(db, "1", NULL), OC_DOWN);
	cr_expect_eq(ask("SELECT COUNT(*) FROM hits"), 1);
	text(db, "DROP TRIGGER suicide");
	text(db, "DROP TABLE hits");
	db_free(db);
	NO_LEAKS();
}

/* What a server says that can't do its work, or not now; is_kept: another connection would hear the same. */
static const struct { unsigned error; enum outcome oc; bool is_kept; } told[] = {
	{ 1021, OC_DOWN, true }, { 1114, OC_DOWN, true }, { 1030, OC_DOWN, true }, { 1026, OC_DOWN, true }, { 3, OC_DOWN, true },
	{ 20, OC_DOWN, true }, { 1016, OC_DOWN, true }, { 1024, OC_DOWN, true }, { 1028, OC_DOWN, true },	/* disk, files */
	{ 1037, OC_DOWN, true }, { 1038, OC_DOWN, true }, { 1041, OC_DOWN, true }, { 1135, OC_DOWN, true }, { 5, OC_DOWN, true },	/* memory, threads */
	{ 1206, OC_DOWN, true }, { 1637, OC_DOWN, true }, { 1226, OC_DOWN, true },	/* limits */
	{ 1461, OC_DOWN, false }, { 1615, OC_DOWN, false },	/* prepared statements: they go with the connection */
	{ 1040, OC_DOWN, false }, { 1203, OC_DOWN, false }, { 1129, OC_DOWN, false }, { 1130, OC_DOWN, false },	/* not let in */
	{ 1290, OC_DOWN, false }, { 1792, OC_DOWN, false }, { 1836, OC_DOWN, false }, { 3100, OC_DOWN, false },	/* read-only, left its group */
	{ 1053, OC_DOWN, false }, { 1077, OC_DOWN, false }, { 3032, OC_DOWN, false }, { 3168, OC_DOWN, false },	/* ends, is off line */
	{ 1927, OC_DOWN, false }, { 3169, OC_DOWN, false }, { 4031, OC_DOWN, false },	/* connection killed */
	{ 1317, OC_DOWN, false }, { 1969, OC_DOWN, false }, { 3024, OC_DOWN, false },	/* statement killed, or ran too long */
	{ 1205, OC_BUSY, true }, { 1213, OC_BUSY, true }, { 1020, OC_BUSY, true }, { 1047, OC_BUSY, true }, { 1180, OC_BUSY, true },
	{ 3101, OC_BUSY, true }, { 1412, OC_BUSY, true },	/* again, from the start */
	{ 1062, OC_CONFLICT, true }, { 1054, OC_BAD, true }, { 1146, OC_BAD, true }, { 1064, OC_BAD, true },
	{ 1142, OC_BAD, true }, { 1366, OC_BAD, true }, { 1406, OC_BAD, true }, { 1452, OC_BAD, true },	/* our own fault */
};

Test(db_tx, errors_of_the_server_are_told_apart, .init = set_up)
{
	struct db *db = open_schema();

	conf.db_replays = 2;
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		unsigned e = told[i].error;
		struct unit u = { { "1", "2" }, OC_OK, 0 }, next = { { "1" }, OC_REFUSED, 0 };
		char sql[512];
		unsigned connections;

		snprintf(sql, sizeof sql, "CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON users FOR EACH ROW IF NEW.phone_number = '2' THEN"
			" SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %u, MESSAGE_TEXT = 'made up'; END IF", e);
		text(db, sql);
		connections = db_connections(db);
		cr_expect_eq(db_transact(db, add_all, &u), told[i].oc, "%u in a transaction", e);
		cr_expect_eq(u.tries, told[i].oc == OC_BUSY ? 3 : 1, "%u: %d tries", e, u.tries);
		cr_expect_not_null(strstr(db_error_text(db), "made up"));
		cr_expect_eq(add_user(db, "2", NULL), told[i].oc, "%u to a statement of its own", e);
		cr_expect_eq(db_transact(db, add_all, &next), OC_REFUSED, "%u: used again", e);
		cr_expect_eq(db_connections(db) == connections, told[i].is_kept, "%u: %u connections more", e, db_connections(db) - connections);
		cr_expect_eq(users(db), 0, "%u: nothing half done", e);
	}
	text(db, "DROP TRIGGER fails");
	db_free(db);
	NO_LEAKS();
}

/* Too many prepared statements, ours among them: they are freed, and what was asked is done. */
Test(db_tx, statements_are_given_back_where_there_are_too_many, .init = set_up)
{
	struct db *db = open_schema();
	unsigned connections;
	struct unit u = { { "1" }, OC_OK, 0 };
	long before;

	cr_assert_eq(users(db), 0);
	before = ask("SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Prepared_stmt_count'");
	cr_assert_geq(before, 1);
	beside("SET GLOBAL max_prepared_stmt_count = 1");
	connections = db_connections(db);
	/* The server frees those of a connection that was closed when it comes to it, which may be after the next one wants its own. */
	enum outcome oc = OC_DOWN;
	for (int i = 0; i < 100 && oc == OC_DOWN; i++)
		oc = db_run(db, SQL_PING, 0, NULL, 0, NULL, NULL, NULL);
	cr_expect_eq(oc, OC_OK, "%s", db_error_text(db));
	cr_expect_gt(db_connections(db), connections);
	/* Others hold them all: no way. */
	beside("SET GLOBAL max_prepared_stmt_count = 0");
	cr_expect_eq(db_transact(db, add_all, &u), OC_DOWN);
	cr_expect_leq(u.tries, 1);
	beside("SET GLOBAL max_prepared_stmt_count = 16382");
	cr_expect_eq(db_transact(db, add_all, &u), OC_OK, "%s", db_error_text(db));
	db_free(db);
	NO_LEAKS();
}

#define MANY 20000	/* rows: far more than lie in a socket's buffers */

struct seen { const char *kill; unsigned n; uint64_t last; bool is_twice; bool is_cut; };

/* Has the server end the connection, or the statement, at the first row. */
static enum outcome cut_at_first(void *ctx, const struct db_val *v)
{
	struct seen *s = ctx;
	uint64_t id = db_get_uint(&v[0]);

	if (!s->is_cut)
		beside(s->kill);
	s->is_cut = true;
	s->is_twice |= id <= s->last;
	s->last = id;
	s->n++;
	return OC_OK;
}

static enum outcome read_many(struct db *db, void *ctx)
{
	return db_run(db, SQL_USER_LIST, 0, (struct db_val[]){ db_uint(0), db_uint(MANY) }, 2, cut_at_first, ctx, NULL);
}

#define KILL_US(how) "SELECT CONCAT('" how "', id) INTO @kill FROM information_schema.processlist WHERE user = 'pickup' LIMIT 1; EXECUTE IMMEDIATE @kill"

/* The connection breaks amid the rows, or an error comes there: each is handed out once, and the caller hears that there were more. */
Test(db_tx, a_statement_whose_rows_have_begun_is_not_repeated, .init = set_up)
{
	static const char *const kills[] = { KILL_US("KILL "), KILL_US("KILL QUERY ") };
	struct db *db = open_schema();

	text(db, "INSERT INTO users (full_name, phone_number, role, created_at) SELECT REPEAT('x', 60), seq, 'customer', NOW() FROM seq_1_to_20000");
	for (int i = 0; i < 4; i++) {
		struct seen s = { .kill = kills[i / 2] };

		cr_assert_gt(users(db), 0, "the connection has answered before");
		cr_expect_eq(i % 2 ? db_transact(db, read_many, &s) : read_many(db, &s), OC_DOWN, "%d", i);
		cr_expect(s.n > 0 && s.n < MANY, "%d: %u rows", i, s.n);
		cr_expect_not(s.is_twice, "%d", i);
	}
	text(db, "DELETE FROM users");
	db_free(db);
	NO_LEAKS();
}

static enum outcome kill_between(struct db *db, void *ctx)
{
	struct unit *u = ctx;
	enum outcome oc = add_user(db, "1", NULL);

	u->tries++;
	if (oc == OC_OK && u->tries == 1)
		restart_server();
	return oc == OC_OK ? add_user(db, "2", NULL) : oc;
}

Test(db_tx, a_connection_lost_in_a_transaction_is_down_and_not_replayed, .init = set_up)
{
	struct db *db = open_schema();
	struct unit u = { { NULL }, OC_OK, 0 };

	cr_expect_eq(db_transact(db, kill_between, &u), OC_DOWN);
	cr_expect_eq(u.tries, 1);
	cr_expect_not(db_in_transaction(db));
	cr_expect_eq(users(db), 0, "connects again by itself");
	db_free(db);
	NO_LEAKS();
}

static enum outcome kill_before_commit(struct db *db, void *ctx)
{
	struct unit *u = ctx;
	enum outcome oc = add_user(db, "1", NULL);

	if (oc == OC_OK && u->tries++ == 0)
		restart_server();
	return oc;
}

Test(db_tx, commit_is_never_repeated, .init = set_up)
{
	struct db *db = open_schema();
	struct unit u = { { NULL }, OC_OK, 0 };

	cr_expect_eq(db_transact(db, kill_before_commit, &u), OC_DOWN);
	cr_expect_eq(u.tries, 1);
	db_free(db);
	NO_LEAKS();
}

/* A server that hangs holds nobody longer than the time-outs. */
Test(db_tx, a_hanging_server_is_down_in_time, .init = set_up)
{
	struct db *db = open_schema(), *fresh = db_new(&conf);
	int64_t start;
	enum outcome kept_oc, fresh_oc;
	int64_t kept_us, fresh_us;

	cr_assert_eq(users(db), 0);
	freeze_server();
	start = clock_mono();
	kept_oc = db_run(db, SQL_PING, 0, NULL, 0, NULL, NULL, NULL);
	kept_us = clock_mono() - start;
	start = clock_mono();
	fresh_oc = db_connect(fresh);
	fresh_us = clock_mono() - start;
	cr_assert_eq(kill(server_pid(), SIGCONT), 0);
	cr_expect_eq(kept_oc, OC_DOWN);
	cr_expect_eq(fresh_oc, OC_DOWN);
	cr_expect_lt(kept_us, INT64_C(3500000), "%lld us", (long long)kept_us);
	cr_expect_lt(fresh_us, INT64_C(2500000), "%lld us", (long long)fresh_us);
	cr_expect_eq(users(db), 0);
	db_free(db);
	db_free(fresh);
	NO_LEAKS();
}

Test(db_tx, no_server_is_down_at_once, .init = set_up)
{
	char file[] = "/tmp/pk-option-XXXXXX";
	int fd = mkstemp(file);
	struct db *db = db_new(&conf);
	int64_t start = clock_mono();

	dprintf(fd, "[pickup]\nsocket=/tmp/there-is-no-such-socket\n");
	close(fd);
	conf.db_option_file = file;
	cr_expect_eq(db_connect(db), OC_DOWN);
	cr_expect_eq(db_run(db, SQL_PING, 0, NULL, 0, NULL, NULL, NULL), OC_DOWN);
	cr_expect_lt(clock_mono() - start, INT64_C(500000));
	/* no file, a file for another program: never the server that the library would find by default */
	conf.db_option_file = "";
	cr_expect_eq(db_connect(db), OC_DOWN);
	conf.db_option_file = "/tmp/there-is-no-such-file";
	cr_expect_eq(db_connect(db), OC_DOWN);
	cr_expect_not_null(strstr(db_error_text(db), "No such file"));
	unlink(file);
	db_free(db);
	NO_LEAKS();
}

static enum outcome left_open(struct db *db, void *ctx)
{
	(void)ctx;
	cr_expect_eq(add_user(db, "1", NULL), OC_OK);
	cr_expect(db_in_transaction(db));
	db_abandon(db);
	cr_expect_not(db_in_transaction(db));
	return OC_REFUSED;
}

Test(db_tx, an_abandoned_transaction_is_gone, .init = set_up)
{
	struct db *db = open_schema();

	cr_expect_eq(db_transact(db, left_open, NULL), OC_REFUSED);
	cr_expect_eq(users(db), 0);
	db_free(db);
	NO_LEAKS();
}

/* What the server has counted since it started: statements, and among them SETs; prepares, resets and closes of statements. */
struct counts { long questions, set, prepare, reset, close; };

static struct counts server_counts(void)
{
	struct counts c = { 0, 0, 0, 0, 0 };
	char cmd[512];
	FILE *f;

	snprintf(cmd, sizeof cmd, "mariadb --no-defaults -N -S '%s' -u root -e \"SHOW GLOBAL STATUS WHERE Variable_name IN"
		" ('Questions', 'Com_set_option', 'Com_stmt_prepare', 'Com_stmt_reset', 'Com_stmt_close')\"", getenv("PICKUP_TEST_SOCKET"));
	f = popen(cmd, "r");
	cr_assert_not_null(f);
	cr_assert_eq(fscanf(f, "Com_set_option %ld Com_stmt_close %ld Com_stmt_prepare %ld Com_stmt_reset %ld Questions %ld",
		&c.set, &c.close, &c.prepare, &c.reset, &c.questions), 5);
	pclose(f);
	return c;
}

/* A statement is one round trip and a transaction one more; changing between them, and nothing else, costs one. */
Test(db_tx, round_trips_are_counted, .init = set_up)
{
	struct db *db = open_schema();
	struct unit u = { { "1", "2" }, OC_REFUSED, 0 };
	struct counts idle = { 0 }, before, after;
	unsigned n = 0;

	/* warm, and in the transactions' mode */
	users(db);
	cr_assert_eq(db_transact(db, add_all, &u), OC_REFUSED);
	/* What asking costs, once all that was asked before has been counted. */
	long asking = -1;
	before = server_counts();
	for (int i = 0; i < 50 && asking != before.questions - idle.questions; i++) {
		asking = i ? before.questions - idle.questions : -1;
		idle = before;
		before = server_counts();
	}
	for (int i = 0; i < 100; i++)
		cr_assert_eq(db_transact(db, add_all, &u), OC_REFUSED);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(db_run(db, SQL_USER_LIST, 0, (struct db_val[]){ db_uint(0), db_uint(10) }, 2, count_row, &n, NULL), OC_OK);
	after = server_counts();
	cr_expect_eq(after.questions - before.questions - asking, 100 * 3 + 1 + 100);
	cr_expect_eq(after.set - before.set, 1);
	cr_expect_eq(after.prepare - before.prepare, 0);
	cr_expect_eq(after.reset - before.reset, 0);
	cr_expect_eq(after.close - before.close, 0);
	db_free(db);
	NO_LEAKS();
}
