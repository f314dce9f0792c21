/* db_test.h - what the tests of the database layer share: a connection's settings, the schema, a few rows, the server itself.
 * Used by: t/db/test_db*.c, each a program of its own, run by t/with-mariadb. They share its one database: so they run with -j1. */
#ifndef PICKUP_DB_TEST_H
#define PICKUP_DB_TEST_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "db.h"
#include "log.h"
#include "migrate.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define NO_LEAKS() cr_assert(__lsan_do_recoverable_leak_check() == 0, "leaks")
#define WATCHED 1
#else
#define NO_LEAKS() ((void)0)
#define WATCHED 0
#endif

static struct conf conf;

static inline void set_up(void)
{
	conf = (struct conf){ .db_option_file = getenv("PICKUP_TEST_OPTION_FILE"), .db_connect_timeout_s = 1, .db_timeout_s = 2,
		.db_lock_wait_s = 1, .db_replays = 10, .request_deadline_ms = 60000 };
	cr_assert_not_null(conf.db_option_file, "run by t/with-mariadb");
	log_set_level(getenv("PICKUP_TEST_VERBOSE") ? LOG_DEBUG : LOG_ERROR);
}

static inline void text(struct db *db, const char *sql)
{
	unsigned error;

	cr_assert_eq(db_run_text(db, str_from(sql), &error), OC_OK, "%s: %s", sql, db_error_text(db));
}

/* The directory of the migrations: PICKUP_TEST_SQLDIR, else sql/ in the source tree (automake's $srcdir, or here). */
static inline const char *sql_dir(void)
{
	static char path[4096];
	const char *given = getenv("PICKUP_TEST_SQLDIR"), *srcdir = getenv("srcdir");

	snprintf(path, sizeof path, "%s/sql", srcdir ? srcdir : ".");
	return given ? given : path;
}

/* A database with the program's schema, emptied of what tests write. */
static inline struct db *open_schema(void)
{
	struct db *db = db_new(&conf);
	int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);

	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	cr_assert_eq(migrate_run(db, sql_dir(), false), OC_OK);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(null);
	text(db, "DELETE FROM products");
	text(db, "DELETE FROM shops");
	text(db, "DELETE FROM users");
	text(db, "DELETE FROM idempotency_keys");
	text(db, "DELETE FROM outbox");
	text(db, "DELETE FROM push_cursors");
	return db;
}

static inline enum outcome add_user(struct db *db, const char *phone, struct db_done *done)
{
	const struct db_val v[] = { db_text(STR("Kiran Kumar")), db_text(str_from(phone)), db_null(), db_null(), db_text(STR("customer")),
		db_time(INT64_C(1700000000123456)) };

	return db_run(db, SQL_USER_INSERT, 0, v, 6, NULL, NULL, done);
}

static inline enum outcome count_row(void *ctx, const struct db_val *vals)
{
	(void)vals;
	++*(unsigned *)ctx;
	return OC_OK;
}

static inline unsigned users(struct db *db)
{
	unsigned n = 0;

	cr_assert_eq(db_run(db, SQL_USER_LIST, 0, (struct db_val[]){ db_uint(0), db_uint(1000000) }, 2, count_row, &n, NULL), OC_OK);
	return n;
}

/* The number that a query gives. */
static inline long ask(const char *sql)
{
	char cmd[1024];
	long n = -1;
	FILE *f;

	snprintf(cmd, sizeof cmd, "mariadb --no-defaults -N -S '%s' -u root pickup -e \"%s\"", getenv("PICKUP_TEST_SOCKET"), sql);
	f = popen(cmd, "r");
	cr_assert_not_null(f);
	cr_assert_eq(fscanf(f, "%ld", &n), 1);
	pclose(f);
	return n;
}

static inline pid_t server_pid(void)
{
	FILE *f = fopen(getenv("PICKUP_TEST_SERVER_PID"), "r");
	int pid = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid;
}

/* Whether every thread of the process is stopped. */
static inline int is_stopped(int pid)
{
	char path[64], line[512];
	int is_all = 1;
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/stat", pid, entry->d_name);
		FILE *f = fopen(path, "r");
		const char *state = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
		is_all &= state && state[1] && state[2] == 'T';
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
	return tasks && is_all;
}

/* Stops the server as SIGSTOP does: a thread on another core may go on for a moment after the signal was sent. */
static inline void freeze_server(void)
{
	int64_t limit = clock_mono() + INT64_C(10000000);

	cr_assert_eq(kill(server_pid(), SIGSTOP), 0);
	while (!is_stopped(server_pid()) && clock_mono() < limit)
		usleep(1000);
	cr_assert_lt(clock_mono(), limit);
}

/* Kills the server and waits until the new one answers. */
static inline void restart_server(void)
{
	struct db *db = db_new(&conf);
	int64_t limit = clock_mono() + INT64_C(20000000);

	cr_assert_eq(kill(server_pid(), SIGKILL), 0);
	log_set_level(LOG_ERROR);
	do {
		usleep(20000);
		fflush(stderr);
	} while (db_connect(db) != OC_OK && clock_mono() < limit);
	cr_assert_lt(clock_mono(), limit);
	db_free(db);
}

/* A write to one product. */
static inline enum outcome touch_only(struct db *db, uint64_t id, struct db_done *done)
{
	return db_run(db, SQL_PRODUCT_UPDATE, 0, (struct db_val[]){ db_text(STR("p")), db_null(), db_null(), db_money(1), db_int(0),
		db_int(0), db_int(1), db_time(0), db_uint(id) }, 9, NULL, NULL, done);
}

/* The same, where it is there. */
static inline enum outcome touch(struct db *db, uint64_t id)
{
	struct db_done done;
	enum outcome oc = touch_only(db, id, &done);

	return oc == OC_OK && done.affected != 1 ? OC_NOT_FOUND : oc;
}

struct holder { int to_parent, from_parent; };

static inline enum outcome hold(struct db *db, void *ctx)
{
	struct holder *h = ctx;
	enum outcome oc = touch(db, 1);
	char c = 'x';

	return oc == OC_OK && write(h->to_parent, &c, 1) == 1 && read(h->from_parent, &c, 1) >= 0 ? oc : OC_REFUSED;
}

/* A process that holds a row lock on product 1 until *release is closed. */
static inline pid_t hold_lock(struct db *db, int *release)
{
	int up[2], down[2];
	pid_t child;
	char c;

	text(db, "INSERT INTO users (id, full_name, phone_number, role, created_at) VALUES (1, 'x', 'x', 'x', NOW())");
	text(db, "INSERT INTO shops (id, owner_id, name, created_at, updated_at) VALUES (1, 1, 'x', NOW(), NOW())");
	text(db, "INSERT INTO products (id, shop_id, name, price, created_at, updated_at) VALUES (1, 1, 'x', 1, NOW(), NOW())");
	cr_assert(pipe(up) == 0 && pipe(down) == 0);
	child = fork();
	if (child == 0) {
		struct holder h = { up[1], down[0] };

		close(down[1]);
		_exit(db_transact(db_new(&conf), hold, &h) == OC_OK ? 0 : 1);
	}
	close(down[0]);
	close(up[1]);
	cr_assert_eq(read(up[0], &c, 1), 1);
	close(up[0]);
	*release = down[1];
	return child;
}

#endif
