/* test_migrate.c - migrations against a real server; run it by t/with-mariadb, with -j1 (one database for all tests).
 * PICKUP_TEST_SQLDIR names the directory of the real files; without it: sql/ in the source tree (automake's $srcdir, or here). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "db.h"
#include "log.h"
#include "migrate.h"
#include "migrate_file.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define NO_LEAKS() cr_assert(__lsan_do_recoverable_leak_check() == 0, "leaks")
#else
#define NO_LEAKS() ((void)0)
#endif

static struct conf conf;
static struct arena *a;
static char dir[] = "/tmp/pk-sql-XXXXXX";

__attribute__((format(printf, 1, 2))) static void shell(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	cr_assert_eq(system(cmd), 0, "%s", cmd);
}

/* What a query prints, in the arena. */
static const char *query(const char *sql)
{
	char cmd[4096], part[4096];
	struct buf b = BUF_IN(a);
	size_t n;
	FILE *f;

	snprintf(cmd, sizeof cmd, "mariadb --no-defaults -N -r -S '%s' -u root pickup -e \"%s\"", getenv("PICKUP_TEST_SOCKET"), sql);
	f = popen(cmd, "r");
	cr_assert_not_null(f);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&b, part, n);
	cr_assert_eq(pclose(f), 0, "%s", sql);
	while (b.len && b.s[b.len - 1] == '\n')
		b.s[--b.len] = '\0';
	return b.len ? b.s : "";
}

static const char *real_dir(void)
{
	const char *given = getenv("PICKUP_TEST_SQLDIR"), *srcdir = getenv("srcdir");

	return given ? given : arena_printf(a, "%s/sql", srcdir ? srcdir : ".");
}

static void empty_database(void)
{
	query("DROP DATABASE pickup; CREATE DATABASE pickup CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
}

static void set_up(void)
{
	conf = (struct conf){ .db_option_file = getenv("PICKUP_TEST_OPTION_FILE"), .db_connect_timeout_s = 1, .db_timeout_s = 2,
		.db_lock_wait_s = 1, .db_replays = 10, .request_deadline_ms = 60000 };
	cr_assert_not_null(conf.db_option_file, "run by t/with-mariadb");
	a = arena_new();
	cr_assert_not_null(mkdtemp(dir));
	empty_database();
}

static void tear_down(void)
{
	shell("rm -rf %s", dir);
	arena_free(a);
}

static void put_file(const char *name, const char *content)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(content, f);
	cr_assert_eq(fclose(f), 0);
}

/* Copies the real files with numbers up to last. */
static void copy_real(unsigned last)
{
	for (unsigned i = 1; i <= last; i++)
		shell("cp -f '%s'/%03u_*.sql %s/", real_dir(), i, dir);
}

/* Runs a migration; out gets what it printed. */
static enum outcome run_in(const char *from, bool dry_run, const char **out)
{
	char file[] = "/tmp/pk-out-XXXXXX", part[4096];
	int fd = mkstemp(file), kept = dup(STDOUT_FILENO);
	struct db *db = db_new(&conf);
	enum outcome oc;
	ssize_t n;

	/* at once: this process may be killed */
	unlink(file);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	oc = migrate_run(db, from, dry_run);
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	n = pread(fd, part, sizeof part - 1, 0);
	part[n > 0 ? n : 0] = '\0';
	if (out)
		*out = arena_strdup(a, part);
	close(fd);
	db_free(db);
	return oc;
}

static enum outcome migrate(void)
{
	return run_in(dir, false, NULL);
}

/* The whole schema as text, the record of migrations included but for its times. */
static const char *schema(void)
{
	return query("SELECT table_name, column_name, ordinal_position, column_default, is_nullable, column_type, collation_name FROM"
		" information_schema.columns WHERE table_schema = 'pickup' ORDER BY 1, 3;"
		" SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics"
		" WHERE table_schema = 'pickup' ORDER BY 1, 2, 3;"
		" SELECT constraint_name, table_name, referenced_table_name FROM information_schema.referential_constraints"
		" WHERE constraint_schema = 'pickup' ORDER BY 1;"
		" SELECT number, name, checksum, statements_done, applied_at IS NOT NULL FROM schema_migrations ORDER BY 1");
}

/* Applying. */

Test(migrate, fresh_and_again, .init = set_up, .fini = tear_down)
{
	struct db *db = db_new(&conf);
	const char *out, *before;

	cr_expect_eq(migrate_check_schema(db), OC_CONFLICT, "an empty database is too old");
	cr_assert_eq(run_in(real_dir(), false, &out), OC_OK);
	cr_expect(strncmp(out, "applied 001_shop_system.sql (", 29) == 0, "%s", out);
	cr_expect_eq(migrate_check_schema(db), OC_OK);
	before = schema();
	cr_expect_neq(strlen(before), 0);
	cr_assert_eq(run_in(real_dir(), false, &out), OC_OK);
	cr_expect(strncmp(out, "nothing to do", 13) == 0, "%s", out);
	cr_expect_str_eq(schema(), before);
	db_free(db);
	NO_LEAKS();
}

Test(migrate, an_older_schema_is_told, .init = set_up, .fini = tear_down)
{
	struct db *db = db_new(&conf);

	copy_real(SQL_SCHEMA_NEEDED - 1);
	cr_assert_eq(migrate(), OC_OK);
	cr_expect_eq(migrate_check_schema(db), OC_CONFLICT);
	db_free(db);
}

/* The shop as it was, with a hundred thousand orders, learns pre-orders; killed again and again meanwhile. */
Test(migrate, orders_keep_their_meaning, .init = set_up, .fini = tear_down, .timeout = 120)
{
	const char *sums, *want, *count = "SELECT COUNT(*), SUM(id), SUM(shop_id), SUM(customer_id), SUM(total_amount), MIN(created_at),"
		" COUNT(DISTINCT status) FROM orders";
	unsigned kills = 0;
	int status;

	cr_assert_eq(run_in(real_dir(), false, NULL), OC_OK);
	want = schema();
	empty_database();
	copy_real(1);
	cr_assert_eq(migrate(), OC_OK);
	query("INSERT INTO orders (shop_id, customer_id, customer_name, status, total_amount, order_notes, created_at, updated_at)"
		" SELECT seq % 20 + 1, seq % 2000 + 1, 'Kiran Kumar', ELT(seq % 6 + 1, 'pending', 'confirmed', 'preparing', 'ready', 'picked_up', 'cancelled'),"
		" seq / 100, 'note', '2020-01-01' + INTERVAL seq SECOND, '2020-01-01' + INTERVAL seq SECOND FROM seq_1_to_100000");
	sums = query(count);
	shell("cp -f '%s'/*.sql %s/", real_dir(), dir);
	/* Each run gets a little further than the one before. */
	for (unsigned ms = 1;; ms += ms / 3 + 1) {
		pid_t child = fork();

		if (child == 0) {
			log_set_level(LOG_ERROR);
			_exit(migrate() == OC_OK ? 0 : 1);
		}
		for (unsigned waited = 0; waited < ms && waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT | WNOHANG) == 0; waited++)
			usleep(1000);
		kill(child, SIGKILL);
		cr_assert_eq(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			break;
		kills++;
	}
	cr_expect_eq(WEXITSTATUS(status), 0);
	cr_log_info("killed %u times", kills);
	cr_expect_geq(kills, 3);
	cr_expect_str_eq(query(count), sums);
	cr_expect_str_eq(query("SELECT COUNT(*) FROM orders WHERE order_type = 'instant' AND scheduled_pickup_time IS NULL AND"
		" estimated_preparation_minutes IS NULL AND version = 1"), "100000");
	cr_expect_str_eq(schema(), want);
	NO_LEAKS();
}

/* Brings the database to where statement upto (counted over all files) was executed last, and counted or not. */
static void stop_after(const struct migration *m, size_t n, size_t upto, bool counted)
{
	struct db *db = db_new(&conf);
	unsigned error;

	cr_assert_eq(db_run_text(db, str_from(sql_migrations_create), &error), OC_OK);
	for (size_t f = 0, k = 0; f < n && k < upto; f++) {
		size_t done = 0;

		for (; done < m[f].n && k < upto; done++, k++)
			cr_assert_eq(db_run_text(db, m[f].statements[done].text, &error), OC_OK);
		query(arena_printf(a, "INSERT INTO schema_migrations VALUES (%zu, '%s', '%s', %zu, 1, %s)", f + 1, m[f].name, m[f].checksum,
			k == upto && !counted ? done - 1 : done, k < upto ? "NOW(6)" : "NULL"));
	}
	db_free(db);
}

Test(migrate, may_be_stopped_at_any_statement, .init = set_up, .fini = tear_down, .timeout = 120)
{
	struct migration *m;
	size_t n, total = 0;
	const char *want;

	cr_assert_eq(migration_load(a, real_dir(), &m, &n), OC_OK);
	for (size_t f = 0; f < n; f++)
		total += m[f].n;
	cr_assert_eq(run_in(real_dir(), false, NULL), OC_OK);
	want = schema();
	for (size_t upto = 0; upto <= total; upto++)
		for (int counted = 0; counted < 2; counted++) {
			const char *out;

			empty_database();
			stop_after(m, n, upto, counted);
			cr_assert_eq(run_in(real_dir(), false, &out), OC_OK, "after %zu, %s", upto, counted ? "counted" : "not counted");
			cr_assert_str_eq(schema(), want, "after %zu, %s", upto, counted ? "counted" : "not counted");
		}
	NO_LEAKS();
}

Test(migrate, only_the_statement_in_doubt_may_exist_already, .init = set_up, .fini = tear_down)
{
	log_set_level(LOG_ERROR);
	put_file("001_a.sql", "CREATE TABLE a (i INT);\nCREATE TABLE b (i INT);\nCREATE TABLE c (i INT);\n");
	query("CREATE TABLE b (j INT)");
	cr_expect_eq(migrate(), OC_BAD);
	cr_expect_str_eq(query("SELECT statements_done, in_doubt, applied_at IS NULL FROM schema_migrations"), "1\t0\t1");
	cr_expect_eq(migrate(), OC_BAD, "it was refused, not in doubt");
	query("UPDATE schema_migrations SET in_doubt = 1; CREATE TABLE c (j INT)");
	cr_expect_eq(migrate(), OC_BAD, "b is in doubt, c is not");
	cr_expect_str_eq(query("SELECT statements_done, in_doubt FROM schema_migrations"), "2\t0");
	query("DROP TABLE c");
	cr_expect_eq(migrate(), OC_OK);
	cr_expect_str_eq(query("SELECT statements_done, in_doubt, applied_at IS NULL FROM schema_migrations"), "3\t0\t0");
	NO_LEAKS();
}

/* No DDL: counted in the transaction that did it, so it happens once. */
Test(migrate, rows_are_written_once, .init = set_up, .fini = tear_down)
{
	log_set_level(LOG_ERROR);
	put_file("001_a.sql", "CREATE TABLE a (i INT);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2), ('x');\nINSERT INTO a VALUES (4);\n");
	cr_expect_eq(migrate(), OC_BAD);
	cr_expect_str_eq(query("SELECT GROUP_CONCAT(i) FROM a"), "1");
	cr_expect_eq(migrate(), OC_BAD);
	cr_expect_str_eq(query("SELECT GROUP_CONCAT(i) FROM a"), "1");
	NO_LEAKS();
}

Test(migrate, a_file_that_failed_at_its_first_statement_may_be_mended, .init = set_up, .fini = tear_down)
{
	log_set_level(LOG_ERROR);
	put_file("001_a.sql", "CREATE TABEL a (i INT);\nCREATE TABLE b (i INT);\n");
	cr_expect_eq(migrate(), OC_BAD);
	put_file("001_a.sql", "CREATE TABLE a (i INT);\nCREATE TABEL b (i INT);\n");
	cr_expect_eq(migrate(), OC_BAD);
	put_file("001_a.sql", "CREATE TABLE a (i INT);\nCREATE TABLE b (i INT);\n");
	cr_expect_eq(migrate(), OC_CONFLICT, "one of its statements was applied");
	NO_LEAKS();
}

Test(migrate, two_at_once, .init = set_up, .fini = tear_down)
{
	pid_t child[4];
	int status;

	for (int i = 0; i < 4; i++) {
		child[i] = fork();
		if (child[i] == 0)
			_exit(run_in(real_dir(), false, NULL) == OC_OK ? 0 : 1);
	}
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(waitpid(child[i], &status, 0), child[i]);
		cr_expect_eq(status, 0, "the one that started as number %d: %d", i, status);
	}
	cr_expect_str_eq(query("SELECT COUNT(*), SUM(applied_at IS NOT NULL) FROM schema_migrations"),
		arena_printf(a, "%d\t%d", SQL_SCHEMA_NEEDED, SQL_SCHEMA_NEEDED));
	NO_LEAKS();
}

Test(migrate, a_dry_run_changes_nothing, .init = set_up, .fini = tear_down)
{
	const char *out, *before;

	cr_expect_eq(run_in(real_dir(), true, &out), OC_OK);
	cr_expect(strncmp(out, "would apply 001_shop_system.sql (", 33) == 0, "%s", out);
	cr_expect_not_null(strstr(out, "\nwould apply 002_add_pre_order_fields.sql (1 statement)\n"), "%s", out);
	cr_expect_str_eq(query("SHOW TABLES"), "");
	copy_real(1);
	cr_assert_eq(migrate(), OC_OK);
	before = schema();
	cr_expect_eq(run_in(real_dir(), true, &out), OC_OK);
	cr_expect(strncmp(out, "would apply 002_add", 19) == 0, "%s", out);
	cr_expect_str_eq(schema(), before);
	NO_LEAKS();
}

Test(migrate, what_does_not_fit_is_refused, .init = set_up, .fini = tear_down)
{
	const char *before;

	log_set_level(LOG_ERROR);
	put_file("001_a.sql", "CREATE TABLE a (i INT);\n");
	put_file("002_b.sql", "CREATE TABLE b (i INT);\n");
	put_file("README", "no migration");
	put_file("demo.sql", "no migration either");
	cr_assert_eq(migrate(), OC_OK);
	before = schema();

	put_file("001_a.sql", "CREATE TABLE a (i INT);\n-- a word more\n");
	cr_expect_eq(migrate(), OC_CONFLICT, "changed");
	cr_expect_eq(run_in(dir, true, NULL), OC_CONFLICT, "changed, dry");
	put_file("001_a.sql", "CREATE TABLE a (i INT);\n");
	cr_expect_eq(migrate(), OC_OK, "and put back");

	put_file("004_d.sql", "CREATE TABLE d (i INT);\n");
	cr_expect_eq(migrate(), OC_CONFLICT, "003 is missing");
	put_file("003_c.sql", "CREATE TABLE c (i INT);\n");
	put_file("003_cc.sql", "CREATE TABLE cc (i INT);\n");
	cr_expect_eq(migrate(), OC_CONFLICT, "003 is there twice");
	shell("rm %s/003* %s/004*", dir, dir);
	cr_expect_str_eq(schema(), before);

	put_file("3_c.sql", "");
	cr_expect_eq(migrate(), OC_BAD, "a malformed name");
	shell("rm %s/3_c.sql", dir);
	put_file("003_c.sql", "CREATE TABLE c (t TEXT DEFAULT 'x);\n");
	cr_expect_eq(migrate(), OC_BAD, "an open quote");
	cr_expect_str_eq(schema(), before);
	shell("rm %s/003*", dir);
	cr_expect_eq(run_in("/nonexistent", false, NULL), OC_BAD);
	shell("rm %s/001* %s/002*", dir, dir);
	cr_expect_eq(migrate(), OC_BAD, "no files");
	cr_expect_str_eq(schema(), before);
	NO_LEAKS();
}

/* Gone back to, also from one whose last migration did not come to its end. */
Test(migrate, an_earlier_version_leaves_a_newer_schema, .init = set_up, .fini = tear_down)
{
	const char *before, *out;

	log_set_level(LOG_ERROR);
	put_file("001_a.sql", "CREATE TABLE a (i INT);\n");
	put_file("002_b.sql", "CREATE TABLE b (i INT);\n");
	put_file("003_c.sql", "CREATE TABLE c (i INT);\nCREATE TABLE c (i INT);\n");
	cr_assert_eq(migrate(), OC_BAD);
	before = schema();
	shell("rm %s/003*", dir);
	cr_expect_eq(run_in(dir, false, &out), OC_OK);
	cr_expect(strncmp(out, "nothing to do: the database is at 003_c.sql, newer", 50) == 0, "%s", out);
	cr_expect_eq(run_in(dir, true, NULL), OC_OK);
	shell("rm %s/002*", dir);
	cr_expect_eq(migrate(), OC_OK, "two versions back");
	cr_expect_str_eq(schema(), before);
	put_file("001_a.sql", "CREATE TABLE a (i BIGINT);\n");
	cr_expect_eq(migrate(), OC_CONFLICT, "another program's tables");
	NO_LEAKS();
}

/* Begun is enough: a part of it may be gone. */
Test(migrate, an_earlier_version_stops_where_something_was_taken_away, .init = set_up, .fini = tear_down)
{
	struct db *db = db_new(&conf);
	char adds[40], takes[40];

	log_set_level(LOG_ERROR);
	copy_real(SQL_SCHEMA_NEEDED);
	snprintf(adds, sizeof adds, "%03d_adds_contract_d.sql", SQL_SCHEMA_NEEDED + 1);
	snprintf(takes, sizeof takes, "%03d_contract_d.sql", SQL_SCHEMA_NEEDED + 2);
	put_file(adds, "CREATE TABLE d (i INT);\n");
	cr_assert_eq(migrate(), OC_OK);
	cr_expect_eq(migrate_check_schema(db), OC_OK, "so it is not named");
	cr_expect_eq(run_in(real_dir(), false, NULL), OC_OK);
	put_file(takes, "DROP TABLE d;\nDROP TABLE d;\n");
	cr_assert_eq(migrate(), OC_BAD);
	cr_expect_eq(migrate_check_schema(db), OC_CONFLICT);
	cr_expect_eq(run_in(real_dir(), false, NULL), OC_CONFLICT);
	cr_expect_eq(run_in(real_dir(), true, NULL), OC_CONFLICT);
	db_free(db);
	NO_LEAKS();
}

/* A long transaction holds the table: the migration waits for it, in turns. */
Test(migrate, waits_for_a_busy_table, .init = set_up, .fini = tear_down)
{
	char cmd[512];
	FILE *f;

	conf.db_replays = 0;
	put_file("001_a.sql", "CREATE TABLE a (i INT);\n");
	cr_assert_eq(migrate(), OC_OK);
	put_file("002_b.sql", "ALTER TABLE a ADD COLUMN j INT;\n");
	snprintf(cmd, sizeof cmd, "exec mariadb --no-defaults -S '%s' -u root pickup >/dev/null", getenv("PICKUP_TEST_SOCKET"));
	f = popen(cmd, "w");
	fputs("BEGIN; INSERT INTO a VALUES (1); SELECT SLEEP(2.5); COMMIT;\n", f);
	fflush(f);
	for (int i = 0; i < 500 && strcmp(query("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"), "1") != 0; i++)
		usleep(10000);
	cr_expect_eq(migrate(), OC_OK);
	pclose(f);
	cr_expect_str_eq(query("SELECT i, j IS NULL FROM a"), "1\t1");
	NO_LEAKS();
}
