/* db_internal.h - what db.c (connection, transactions), db_deadline.c, db_stmt.c (statements), db_run.c (running them) and db_bind.c
 * (their values) share. Owns: struct db, struct db_stmt, struct side. Used by these five only; nobody else sees mysql.h. */
#ifndef PICKUP_DB_INTERNAL_H
#define PICKUP_DB_INTERNAL_H

#include <mysql.h>
#include <signal.h>

#include "db.h"
#include "deadline.h"

/* my_bool in libmariadb and older libmysqlclient, bool in newer ones. */
typedef __typeof__(*((MYSQL_BIND *)0)->is_null) db_flag;

/* A statement that was sent and whose answer is still to be read. */
struct db_stmt;
struct flight { struct db_stmt *st; db_row_fn *row; void *ctx; struct db_done *done; };
#define FLIGHTS_MAX 8

struct db {
	const struct conf *conf;
	MYSQL *my;			/* NULL: not connected */
	unsigned connections;		/* made so far */
	struct db_used used;
	bool is_away_told;		/* the log knows that there is none to be had */
	bool patient;			/* no time-out for answers */
	bool autocommit;		/* the session's mode, switched only where the other one is wanted */
	bool proven;			/* the server answered a statement on this connection: if it breaks now, it went stale */
	bool is_stale;			/* it did, before the open transaction got through: that is begun once more, whatever the settings say of replays */
	bool is_holding;		/* between db_hold() and db_collect() */
	bool commits_along;		/* the last of what is held is COMMIT */
	const char *opener_file;	/* of the open transaction; NULL: none */
	int opener_line;
	bool answered;			/* the server answered a statement of the open transaction: it may hold changes */
	enum outcome doomed;		/* the open transaction is gone (OC_BUSY, OC_DOWN): it can't commit, whatever its work says */
	const char *fetching;		/* statement whose rows are being handed out; NULL: none */
	struct db_stmt *cache[SQL__MAX];
	/* db_run.c's */
	struct flight flights[FLIGHTS_MAX];
	unsigned flight_n;
	enum outcome landed;		/* how those that were read early ended: the first failure */
	int64_t held_at;		/* when the transaction's first one was sent on a connection that may have gone stale; 0: it was not */
	unsigned random;
	char error_text[512];
	/* db_deadline.c's */
	struct deadline timer;		/* strikes at deadline */
	bool has_timer;
	int64_t deadline;		/* of the request in hand; 0: none, negative: counts from its first use of the database */
	int64_t asked_at;		/* when the server was last asked something */
	int64_t alone_until;		/* it hung a moment ago: no request waits for it before */
	volatile sig_atomic_t cut_fd;	/* the connection's socket, for the signal handler; negative: none */
	volatile sig_atomic_t is_cut;	/* the deadline has struck */
};

/* Connected, and in the mode that the next statement needs: inside or outside a transaction. */
must_check enum outcome db_ready(struct db *db, bool writes);
/* Sorts a server's or client's error: logs it, closes a lost connection, dooms the open transaction where it is gone. */
enum outcome db_failed(struct db *db, unsigned error, const char *text, const char *doing);
/* Whether there is time for another question, which the caller asks at once; the first one starts the request's clock. */
must_check bool db_time_left(struct db *db);
/* How many seconds connecting may take now. */
must_check int64_t db_connect_s(const struct db *db);
/* The database is away: refused at once, or hanging? Told by when it was asked. */
void db_note_down(struct db *db);
must_check bool db_is_left_alone(const struct db *db);
void db_deadline_free(struct db *db);
/* The server answered: the connection is proven, the transaction may hold changes. */
void db_answered(struct db *db);

/* Where a value lies between us and the client library. */
struct slot {
	char type;		/* the signature's letter */
	db_flag null, cut;
	unsigned long len;
	union { uint64_t u; int64_t i; MYSQL_TIME t; };
	void *kept;		/* a text's buffer that stays; a long text may have another one for the while of a statement */
	size_t kept_size;
};

/* All values of a statement's one side, parameters or columns: the library's descriptions, and what they point to. Texts (and
 * money, which travels as text) have a buffer each that grows. */
struct side {
	unsigned n;
	bool moved;		/* a buffer moved: the library, which keeps a copy of bind, must be told */
	bool is_large;		/* a buffer is larger than what is kept */
	MYSQL_BIND *bind;
	struct slot *slot;
};

/* n * size zeroed bytes, at least one; ends the process where there is no memory. */
void *db_need(size_t n, size_t size);
void db_side_init(struct side *s, struct str types);
void db_side_clear(struct side *s);
/* Gives back what a long text took. */
void db_side_shrink(struct side *s);
/* Value i from v, or into v (texts stay in the side). False: not what the signature says. */
must_check bool db_side_put(struct side *s, unsigned i, const struct db_val *v);
must_check bool db_side_get(const struct side *s, unsigned i, struct db_val *v);
/* Room for the whole of a text that was cut. False: it is no text. */
must_check bool db_side_grow(struct side *s, unsigned i);
/* Whether a column of this kind can be read as the signature says, so that two swapped columns do not pass. */
must_check bool db_column_fits(char type, const MYSQL_FIELD *f);

/* A prepared form of a statement. */
struct db_stmt {
	struct db_stmt *next;
	const struct sql_statement *sql;
	unsigned reps;
	MYSQL_STMT *st;
	struct side in, out;
	struct db_val *vals;	/* the row in hand */
};
/* The one from the cache, or NULL: asks the server nothing. */
struct db_stmt *db_stmt_find(struct db *db, enum sql id, unsigned reps);
/* That, or prepared afresh; is_cached: it stays the cache's, else it is the caller's to free. */
must_check enum outcome db_stmt_get(struct db *db, enum sql id, unsigned reps, struct db_stmt **out, bool *is_cached);
void db_stmt_free(struct db_stmt *st);
/* Reads the answers that nobody waits for any more. */
void db_drop(struct db *db);
/* Frees every cached statement. With the connection closed before, that costs no round trip. */
void db_stmt_forget(struct db *db);

#endif
