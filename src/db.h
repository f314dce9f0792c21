/* db.h - one connection: statements by number, transactions, errors as outcomes. Only db.c, db_deadline.c, db_stmt.c and db_bind.c see mysql.h.
 * Owns: connecting, the statement cache, binding, fetching, replaying, reconnecting (only outside a transaction).
 * Does not own: SQL texts (db_sql.c), what rows mean (db_*.c). */
#ifndef PICKUP_DB_H
#define PICKUP_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf.h"
#include "db_sql.h"
#include "money.h"
#include "outcome.h"
#include "str.h"
#include "timefmt.h"

struct db;
struct arena;

/* One value, in or out. Types as in the signatures: u uint64, i int64, s text or bytes, t instant as DATETIME(6) in UTC, m money as DECIMAL(10,2).
 * Text that comes out is borrowed until the next row, or the end of the query. */
enum db_type { DB_NULL, DB_UINT, DB_INT, DB_TEXT, DB_TIME, DB_MONEY };
struct db_val {
	enum db_type type;
	union { uint64_t u; int64_t i; struct str s; instant t; money m; };
};

static inline struct db_val db_null(void) { return (struct db_val){ .type = DB_NULL }; }
static inline struct db_val db_uint(uint64_t v) { return (struct db_val){ .type = DB_UINT, .u = v }; }
static inline struct db_val db_int(int64_t v) { return (struct db_val){ .type = DB_INT, .i = v }; }
/* none gives NULL */
static inline struct db_val db_text(struct str s) { return s.s ? (struct db_val){ .type = DB_TEXT, .s = s } : db_null(); }
/* INSTANT_NONE gives NULL */
static inline struct db_val db_time(instant t) { return t == INSTANT_NONE ? db_null() : (struct db_val){ .type = DB_TIME, .t = t }; }
static inline struct db_val db_money(money m) { return (struct db_val){ .type = DB_MONEY, .m = m }; }

/* What a column gives where it is NULL: 0, none, INSTANT_NONE. The type must be the signature's. */
static inline uint64_t db_get_uint(const struct db_val *v) { return v->type == DB_UINT ? v->u : 0; }
static inline int64_t db_get_int(const struct db_val *v) { return v->type == DB_INT ? v->i : 0; }
static inline struct str db_get_text(const struct db_val *v) { return v->type == DB_TEXT ? v->s : STR_NONE; }
static inline instant db_get_time(const struct db_val *v) { return v->type == DB_TIME ? v->t : INSTANT_NONE; }
static inline money db_get_money(const struct db_val *v) { return v->type == DB_MONEY ? v->m : 0; }

/* A connection that is not yet made; owned by the caller. conf is borrowed and read at each connect (option file, time-outs). */
struct db *db_new(const struct conf *conf);
void db_free(struct db *db);
/* Connects now. OC_OK or OC_DOWN (logged). Everything below connects by itself where needed, outside a transaction only. */
must_check enum outcome db_connect(struct db *db);
/* Closes; the next use connects afresh. For changed option files and for tools. Not inside a transaction. */
void db_disconnect(struct db *db);
/* A request begins and ends. In between, from its first use of the database on, there are PICKUP_REQUEST_DEADLINE_MS for all of it: then a wait is
 * ended as a lost connection (OC_DOWN), and everything else gives OC_BUSY. A database that hung a moment ago is not waited for again (OC_DOWN
 * at once). Outside of requests nothing of that holds. Ends with the process where it has no timers. */
void db_begin(struct db *db);
void db_end(struct db *db);
/* What was asked of the database since db_begin(), waiting included; transactions that were begun again. */
struct db_used { uint64_t statements, replays; int64_t us; };
struct db_used db_used(const struct db *db);
/* How many connections were made so far: a number that has moved says that this one may lead to another server. */
unsigned db_connections(const struct db *db);
/* Closes, and whether connections made from now on wait for an answer however long it takes. For migrations, whose statements may run for minutes. */
void db_be_patient(struct db *db, bool patient);
/* The server's number and words for the last error, "" before the first; for people. */
const char *db_error_text(const struct db *db);
/* False: the option file can't be read, holds no [pickup] group, or others may read it; why says so. */
must_check bool db_option_file_ok(const char *file, char *why, size_t n);

/* How a statement ended. */
struct db_done { uint64_t affected; uint64_t insert_id; };	/* affected: rows matched, not only rows changed */
/* Called for each row: vals has one entry per letter of the statement's row signature. Anything but OC_OK ends the query with that outcome. */
typedef enum outcome db_row_fn(void *ctx, const struct db_val *vals);

/* Runs statement id with nargs values. Rows go to row (may be NULL where there are none), the rest to done (may be NULL).
 * reps: how often the statement's {…|…} group stands in the text (0 where it has none): args hold the group's values reps times, in place.
 * OC_OK; OC_CONFLICT: duplicate key (1062); OC_BUSY: deadlock or lock wait (1205, 1213, 1180 before commit, 1047, 1020):
 * the transaction is gone, replay it; OC_DOWN: the connection was lost, or the server can't do anything now (a full disk, no memory, a
 * limit reached); OC_BAD: any other error, logged with the statement's name.
 * Outside a transaction a statement is a transaction of its own, and after a lost connection it is tried once more if it only reads and no
 * row of it has come.
 * A row function must not use db (OC_BAD, logged): the connection is still busy with its rows. */
must_check enum outcome db_run(struct db *db, enum sql id, unsigned reps, const struct db_val *args, size_t nargs,
	db_row_fn *row, void *ctx, struct db_done *done);

/* Several statements for one round trip: inside a transaction, db_run() between these two sends its statement and gives OC_OK at once, where
 * the client library can do that and the statement is prepared; rows, done and how it ended come with db_collect(), which gives the first failure,
 * so ctx and done must live until then (args need not). What came behind a failed one may have been executed all the same: return the failure, and
 * the roll-back undoes it. Where the library can't, each statement is waited for as it comes. */
void db_hold(struct db *db);
must_check enum outcome db_collect(struct db *db);
/* Instead of the commit that follows a transaction's work: sends COMMIT behind the statements that are held, as the last of them. Where one of
 * them fails, the others may be committed all the same, and the work may be replayed after that: only where it notices, and that does no harm. */
must_check enum outcome db_commit_along(struct db *db);

/* A transaction: the whole unit of work again on OC_BUSY (jittered back-off, conf.db_replays times and until the request's deadline, then OC_BUSY), and once on a connection that was lost
 * before its first statement got through. work gets ctx and must be repeatable. It commits where work returns OC_OK, else rolls back and
 * passes the outcome on. An error of COMMIT itself whose outcome is unknown is OC_DOWN. */
typedef enum outcome db_work_fn(struct db *db, void *ctx);
#define db_transact(db, work, ctx) db_transact_at((db), (work), (ctx), __FILE__, __LINE__)
must_check enum outcome db_transact_at(struct db *db, db_work_fn *work, void *ctx, const char *file, int line);
/* True while a transaction is open; the worker's loop checks it after each request, and db_abandon() logs the opener and closes the connection. */
bool db_in_transaction(const struct db *db);
void db_abandon(struct db *db);

/* Prepares every statement of db_sql.c and compares parameters and columns with the signatures; reports each that fails. OC_OK, OC_DOWN or OC_BAD. */
must_check enum outcome db_check_statements(struct db *db, void (*report)(void *ctx, const char *statement, const char *why), void *ctx);

/* Text statements for migrations only (DDL can't be prepared everywhere); rows are thrown away. error: MySQL's number, 0 for none.
 * Errors as db_run's, but OC_BAD is not logged: the caller knows which file and line, and db_error_text() has the words. */
must_check enum outcome db_run_text(struct db *db, struct str sql, unsigned *error);

#endif
