/* db.c - the connection: connecting, transactions, errors as outcomes.
 * Owns: struct db, the session's modes, replaying a unit of work. Does not own: statements (db_stmt.c), SQL texts (db_sql.c), deadlines
 * (db_deadline.c).
 * Used by: db_*.c, migrate.c, worker and tools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "db_internal.h"
#include "clock.h"
#include "log.h"

/* What each error means for the caller; every other one is OC_BAD. The transaction of an OC_BUSY is gone, or is given up; after an
 * OC_DOWN the connection is given up as well. */
static const struct { unsigned error; enum outcome oc; } verdicts[] = {
	{ 1062, OC_CONFLICT },	/* duplicate key */
	{ 1205, OC_BUSY },	/* lock wait time-out */
	{ 1213, OC_BUSY },	/* deadlock, or a cluster's certification failed */
	{ 3101, OC_BUSY },	/* group replication's certification failed */
	{ 1020, OC_BUSY },	/* row changed since it was read (snapshot isolation) */
	{ 1412, OC_BUSY },	/* table changed since the transaction began */
	{ 1047, OC_BUSY },	/* cluster node not ready */
	{ 1180, OC_BUSY },	/* error during commit, told to a statement before it */
	{ 1040, OC_DOWN }, { 1203, OC_DOWN },	/* too many connections, of all or of the user */
	{ 1129, OC_DOWN }, { 1130, OC_DOWN }, { 1044, OC_DOWN }, { 1045, OC_DOWN }, { 1049, OC_DOWN },	/* not let in, no such database */
	{ 1053, OC_DOWN }, { 1077, OC_DOWN }, { 3032, OC_DOWN }, { 3168, OC_DOWN },	/* server shuts down, is off line */
	{ 1152, OC_DOWN }, { 1158, OC_DOWN }, { 1159, OC_DOWN }, { 1160, OC_DOWN }, { 1161, OC_DOWN }, { 1184, OC_DOWN },	/* network, at the server's side */
	{ 1927, OC_DOWN }, { 3169, OC_DOWN }, { 4031, OC_DOWN },	/* killed; closed for idleness */
	{ 1317, OC_DOWN }, { 1969, OC_DOWN }, { 3024, OC_DOWN },	/* statement killed, or ran too long */
	{ 1290, OC_DOWN }, { 1792, OC_DOWN }, { 1836, OC_DOWN },	/* server became read-only: a fail-over; the next connect finds the new one */
	{ 3100, OC_DOWN },	/* replication refuses the transaction: a node that left its group */
	{ 1243, OC_DOWN },	/* our statements are unknown: a proxy changed servers under us */
	{ 1461, OC_DOWN }, { 1615, OC_DOWN },	/* too many prepared statements, or to be prepared again: ours go with the connection */
	{ 2001, OC_DOWN }, { 2002, OC_DOWN }, { 2003, OC_DOWN }, { 2004, OC_DOWN }, { 2005, OC_DOWN },	/* can't connect */
	{ 2006, OC_DOWN }, { 2012, OC_DOWN }, { 2013, OC_DOWN }, { 2026, OC_DOWN }, { 2027, OC_DOWN }, { 2055, OC_DOWN },	/* lost */
	{ 2014, OC_DOWN },	/* out of sync: nothing on this connection can be trusted */
	{ 5013, OC_DOWN }, { 5014, OC_DOWN }, { 5015, OC_DOWN },	/* libmariadb's own for reading, writing, unpacking */
};

/* The server is in want of something: OC_DOWN, but the connection is as good as the next one would be. */
static const unsigned wants[] = {
	1021, 1114,	/* disk full; table full, also told of a full disk */
	1030, 1015, 1016, 1023, 1024, 1026, 1028,	/* engine; locking, opening, closing, reading, writing, sorting a file */
	1037, 1038, 1041, 1257,	/* memory */
	1135, 1206, 1637,	/* threads, locks, transactions */
	1226,		/* the account's queries, updates or connections for this hour */
};
/* Smaller numbers are told of the server's own files and memory: 3 can't write, 5 no memory, 20 disk full. */
#define FIRST_OF_SQL 1000

#define ER_DEADLOCK 1213

static bool is_in_want(unsigned error)
{
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
		if (wants[i] == error)
			return true;
	return error > 0 && error < FIRST_OF_SQL;
}

static enum outcome verdict_of(unsigned error)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		if (verdicts[i].error == error)
			return verdicts[i].oc;
	return is_in_want(error) ? OC_DOWN : OC_BAD;
}

struct db *db_new(const struct conf *conf)
{
	struct db *db = calloc(1, sizeof *db);

	if (!db)
		log_die("out of memory for a database connection");
	db->conf = conf;
	db->cut_fd = -1;
	db->random = (unsigned)clock_mono() ^ ((unsigned)getpid() << 16);
	return db;
}

/* The connection first: statements closed after it send nothing, so a dead server holds nobody up. */
static void close_connection(struct db *db)
{
	db->cut_fd = -1;
	if (db->my)
		mysql_close(db->my);
	db->my = NULL;
	db->proven = false;
	db->flight_n = 0;
	db_stmt_forget(db);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_deadline_free(db);
	close_connection(db);
	free(db);
}

void db_disconnect(struct db *db)
{
	if (db->opener_file)
		db_abandon(db);
	close_connection(db);
}

void db_be_patient(struct db *db, bool patient)
{
	db_disconnect(db);
	db->patient = patient;
}

enum outcome db_failed(struct db *db, unsigned error, const char *text, const char *doing)
{
	enum outcome oc = verdict_of(error);

	snprintf(db->error_text, sizeof db->error_text, "%u %s", error, text);
	if (oc == OC_BAD)
		log_error("database: %s: %s", doing, db->error_text);
	if (oc == OC_BUSY)
		log_debug("database: %s: %s", doing, db->error_text);
	if (oc == OC_DOWN && is_in_want(error)) {
		log_warn("database: %s: %s", doing, db->error_text);
	} else if (oc == OC_DOWN) {
		log_warn("database: %s: %s; connection closed%s", doing, db->error_text, db->is_cut ? " at the request's deadline" : "");
		db_note_down(db);
		close_connection(db);
	}
	if (db->opener_file && (oc == OC_BUSY || oc == OC_DOWN))
		db->doomed = oc;
	return oc;
}

const char *db_error_text(const struct db *db)
{
	return db->error_text;
}

void db_answered(struct db *db)
{
	db->proven = true;
	db->answered = db->opener_file != NULL;
}

/* The isolation level has another name in each server: a comment that opens with M! is read by MariaDB alone, one with !80000 by
 * MySQL 8 alone. One statement, so one round trip. */
static enum outcome set_session(struct db *db)
{
	char sql[512];
	/* What waits longer than its request holds its other locks for nobody. */
	int64_t deadline_s = (db->conf->request_deadline_ms + 999) / 1000;
	int64_t wait_s = db->conf->db_lock_wait_s < deadline_s ? db->conf->db_lock_wait_s : deadline_s;
	int n = snprintf(sql, sizeof sql,
		"SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci, time_zone = '+00:00', sql_mode = 'TRADITIONAL', autocommit = 1,"
		" /*M! tx_isolation = 'READ-COMMITTED', */ /*!80000 transaction_isolation = 'READ-COMMITTED', */"
		" innodb_lock_wait_timeout = %lld, lock_wait_timeout = %lld",
		(long long)wait_s, (long long)wait_s);

	if (!mysql_real_query(db->my, sql, (unsigned long)n)) {
		db->autocommit = true;
		return OC_OK;
	}
	(void)db_failed(db, mysql_errno(db->my), mysql_error(db->my), "session settings");
	close_connection(db);
	return OC_DOWN;
}

static void set_options(struct db *db)
{
	const struct conf *c = db->conf;
	unsigned connect_s = (unsigned)db_connect_s(db), off = 0;
	/* A lock wait must end by the server's own word: ended by ours, it would cost the connection. */
	int64_t answer = c->db_timeout_s > c->db_lock_wait_s ? c->db_timeout_s : c->db_lock_wait_s + 1;
	unsigned answer_s = db->patient ? 0 : (unsigned)answer;

	mysql_options(db->my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(db->my, MYSQL_OPT_READ_TIMEOUT, &answer_s);
	mysql_options(db->my, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
	mysql_options(db->my, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(db->my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db->my, MYSQL_READ_DEFAULT_FILE, c->db_option_file);
	mysql_options(db->my, MYSQL_READ_DEFAULT_GROUP, "pickup");
}

enum outcome db_connect(struct db *db)
{
	if (db->my)
		return OC_OK;
	if (db_is_left_alone(db)) {
		snprintf(db->error_text, sizeof db->error_text, "the server hung a moment ago");
		return OC_DOWN;
	}
	/* The client library overlooks a missing file, and would go to whatever server it finds by default. */
	if (!db_option_file_ok(db->conf->db_option_file, db->error_text, sizeof db->error_text)) {
		log_error("database: can't connect: %s", db->error_text);
		return OC_DOWN;
	}
	db->my = mysql_init(NULL);
	if (!db->my)
		log_die("out of memory for a database connection");
	set_options(db);
	/* CLIENT_FOUND_ROWS: a guarded UPDATE counts the rows that matched, also where nothing changed. */
	if (!mysql_real_connect(db->my, NULL, NULL, NULL, NULL, 0, NULL, CLIENT_FOUND_ROWS)) {
		snprintf(db->error_text, sizeof db->error_text, "%u %s", mysql_errno(db->my), mysql_error(db->my));
		if (!db->is_away_told)
			log_error("database: can't connect: %s", db->error_text);
		db->is_away_told = true;
		db_note_down(db);
		close_connection(db);
		return OC_DOWN;
	}
	db->is_away_told = false;
	db->connections++;
	db->cut_fd = db->my->net.fd;
	/* It may have struck while there was no socket to cut. */
	if (db->is_cut) {
		snprintf(db->error_text, sizeof db->error_text, "the request's deadline has passed");
		log_warn("database: connected, but %s; connection closed", db->error_text);
		db_note_down(db);
		close_connection(db);
		return OC_DOWN;
	}
	return set_session(db);
}

struct db_used db_used(const struct db *db)
{
	return db->used;
}

unsigned db_connections(const struct db *db)
{
	return db->connections;
}

/* Whether the server has closed our idle connection, or said something unasked, which is its farewell. Asks only the kernel. */
static bool peer_left(const struct db *db)
{
	char c;
	ssize_t n = recv(db->my->net.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

	return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static bool is_too_late(struct db *db)
{
	if (db_time_left(db))
		return false;
	snprintf(db->error_text, sizeof db->error_text, "the request's deadline has passed");
	return true;
}

enum outcome db_ready(struct db *db, bool writes)
{
	bool alone = !db->opener_file;
	enum outcome oc;

	if (db->doomed != OC_OK)
		return db->doomed;
	if (is_too_late(db)) {
		db->doomed = alone ? OC_OK : OC_BUSY;
		return OC_BUSY;
	}
	/* A write of its own can't be repeated once it was sent, so a stale connection must be noticed before. */
	if (db->my && alone && writes && db->proven && peer_left(db)) {
		log_info("database: the server closed an idle connection; connecting again");
		close_connection(db);
	}
	oc = db_connect(db);
	if (oc == OC_OK && db->autocommit != alone) {
		if (mysql_autocommit(db->my, alone))
			return db_failed(db, mysql_errno(db->my), mysql_error(db->my), "autocommit");
		db->autocommit = alone;
	}
	if (oc == OC_DOWN && !alone)
		db->doomed = oc;
	return oc;
}

bool db_in_transaction(const struct db *db)
{
	return db->opener_file != NULL;
}

static void end_transaction(struct db *db)
{
	db->opener_file = NULL;
	db->answered = false;
	db->doomed = OC_OK;
	db->is_holding = false;
}

void db_abandon(struct db *db)
{
	if (db->opener_file)
		log_error("database: transaction of %s:%d was left open; connection closed", db->opener_file, db->opener_line);
	end_transaction(db);
	db->fetching = NULL;
	close_connection(db);
}

static void roll_back(struct db *db)
{
	if (!db->my || !db->answered || !mysql_rollback(db->my))
		return;
	/* Closing rolls back as well. */
	(void)db_failed(db, mysql_errno(db->my), mysql_error(db->my), "ROLLBACK");
	close_connection(db);
}

/* A deadlock told at COMMIT (a cluster does that) undid the transaction for certain. After any other error the transaction may
 * stand or not: it is never replayed, and the connection goes. */
static enum outcome commit(struct db *db)
{
	if (!db->answered)
		return OC_OK;
	/* Cut before it was asked: nothing was committed for certain. */
	if (is_too_late(db))
		return OC_BUSY;
	bool is_refused = mysql_commit(db->my);
	/* is_too_late() has noted when it was asked. */
	db->used.us += clock_mono() - db->asked_at;
	if (!is_refused)
		return OC_OK;
	if (mysql_errno(db->my) == ER_DEADLOCK)
		return db_failed(db, ER_DEADLOCK, mysql_error(db->my), "COMMIT");
	snprintf(db->error_text, sizeof db->error_text, "%u %s", mysql_errno(db->my), mysql_error(db->my));
	log_error("database: COMMIT: %s; its outcome is unknown", db->error_text);
	db_note_down(db);
	close_connection(db);
	return OC_DOWN;
}

static enum outcome try_work(struct db *db, db_work_fn *work, void *ctx, const char *file, int line)
{
	enum outcome oc;

	db->opener_file = file;
	db->opener_line = line;
	db->answered = db->is_holding = db->is_stale = false;
	db->doomed = OC_OK;
	oc = work(db, ctx);
	if (db->is_holding) {
		if (oc == OC_OK)
			log_error("database: transaction of %s:%d ends amid its statements", file, line);
		oc = oc == OC_OK ? OC_BAD : oc;
		db_drop(db);
	}
	if (db->doomed != OC_OK)
		oc = db->doomed;
	if (oc == OC_OK)
		oc = commit(db);
	if (oc != OC_OK)
		roll_back(db);
	end_transaction(db);
	return oc;
}

/* Half to all of 2, 4, 8 … 64 ms: those who collided must not meet again. */
static void back_off(struct db *db, unsigned replay)
{
	long us = 2000L << (replay < 5 ? replay : 5);
	struct timespec t = { 0, 0 };

	us = us / 2 + (long)(rand_r(&db->random) % (unsigned)(us / 2));
	t.tv_nsec = us * 1000;
	nanosleep(&t, NULL);
}

enum outcome db_transact_at(struct db *db, db_work_fn *work, void *ctx, const char *file, int line)
{
	if (db->opener_file || db->fetching) {
		log_error("database: transaction of %s:%d inside %s", file, line, db->fetching ? db->fetching : db->opener_file);
		return OC_BAD;
	}
	bool was_stale = false;
	for (unsigned replay = 0;;) {
		enum outcome oc = try_work(db, work, ctx, file, line);

		if (oc != OC_BUSY)
			return oc;
		if (db->is_stale && !was_stale) {
			was_stale = true;
			continue;
		}
		if (replay >= (unsigned)db->conf->db_replays || is_too_late(db)) {
			log_warn("database: transaction of %s:%d given up after %u replays: %s", file, line, replay, db->error_text);
			return oc;
		}
		back_off(db, replay++);
		db->used.replays++;
	}
}

/* Reads whatever rows a text statement gives, so that the connection can be used again. */
static int drain(MYSQL *my)
{
	MYSQL_RES *res = mysql_field_count(my) ? mysql_use_result(my) : NULL;

	if (res) {
		while (mysql_fetch_row(res))
			continue;
		mysql_free_result(res);
	}
	return mysql_errno(my) != 0;
}

enum outcome db_run_text(struct db *db, struct str sql, unsigned *error)
{
	enum outcome oc;

	*error = 0;
	if (db->fetching) {
		log_error("database: text statement inside %s", db->fetching);
		return OC_BAD;
	}
	oc = db_ready(db, true);
	if (oc != OC_OK)
		return oc;
	if (!mysql_real_query(db->my, sql.s, (unsigned long)sql.len) && !drain(db->my)) {
		db_answered(db);
		return OC_OK;
	}
	*error = mysql_errno(db->my);
	if (verdict_of(*error) == OC_BAD) {
		db_answered(db);
		snprintf(db->error_text, sizeof db->error_text, "%u %s", *error, mysql_error(db->my));
		return OC_BAD;
	}
	oc = db_failed(db, *error, mysql_error(db->my), "text statement");
	if (db->my)
		db_answered(db);
	return oc;
}

/* Whether a line of the file is [pickup], blanks aside. */
static bool has_group(FILE *f)
{
	char line[4096];
	bool found = false;

	while (!found && fgets(line, sizeof line, f)) {
		char *s = line + strspn(line, " \t");

		s[strcspn(s, " \t\r\n")] = '\0';
		found = strcmp(s, "[pickup]") == 0;
	}
	return found;
}

bool db_option_file_ok(const char *file, char *why, size_t n)
{
	FILE *f = *file ? fopen(file, "re") : NULL;
	struct stat st;
	bool ok = false;

	if (!*file)
		snprintf(why, n, "PICKUP_DB_OPTION_FILE is not set");
	else if (!f)
		snprintf(why, n, "%s: %s", file, strerror(errno));
	else if (fstat(fileno(f), &st) != 0)
		snprintf(why, n, "%s: %s", file, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(why, n, "%s: not a regular file", file);
	else if (st.st_mode & S_IRWXO)
		snprintf(why, n, "%s: others may use it, and the password of the database in it; chmod o= %s", file, file);
	else if (!has_group(f))
		snprintf(why, n, "%s: no [pickup] group", file);
	else
		ok = true;
	if (f)
		fclose(f);
	return ok;
}
