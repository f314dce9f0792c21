/* db_run.c - running prepared statements: values in, rows out, once more where the connection was stale, several at once.
 * Owns: struct flight. Does not own: preparing and the cache (db_stmt.c), the connection (db.c), values' buffers (db_bind.c).
 * Used by: db_*.c through db_run(), db_hold() and db_collect(). */
#include <string.h>

#include "db_internal.h"
#include "clock.h"
#include "log.h"

/* A connection that fails within this was stale, and the statement is tried on a new one. Later than that something hangs,
 * and nobody shall wait for it twice. */
#define STALE_US INT64_C(250000)

struct call {
	enum sql id;
	unsigned reps;
	const struct db_val *args;
	size_t nargs;
	db_row_fn *row;
	void *ctx;
	struct db_done *done;
	bool was_proven;	/* the connection that it was first sent on */
	bool is_first;		/* nothing was on its way before it */
	bool is_sent;		/* the server may have executed it */
	bool is_answered;	/* the server has: rows may have been handed out */
	int64_t begun;
};

/* An error among a result's rows stands on the connection alone: libmariadb leaves the statement's own at 0. */
static enum outcome stmt_failed(struct db *db, struct db_stmt *st)
{
	unsigned error = mysql_stmt_errno(st->st);

	if (error)
		return db_failed(db, error, mysql_stmt_error(st->st), st->sql->name);
	return db_failed(db, mysql_errno(db->my), mysql_error(db->my), st->sql->name);
}

/* The library keeps its own copy of the descriptions, so it needs them again only where a buffer moved. */
static enum outcome bind_sides(struct db *db, struct db_stmt *st)
{
	if (st->in.moved && mysql_stmt_bind_param(st->st, st->in.bind))
		return stmt_failed(db, st);
	st->in.moved = false;
	if (st->out.moved && mysql_stmt_bind_result(st->st, st->out.bind))
		return stmt_failed(db, st);
	st->out.moved = false;
	return OC_OK;
}

static enum outcome put_values(struct db *db, struct db_stmt *st, const struct call *c)
{
	if (c->nargs != st->in.n) {
		log_error("database: %s: %zu values for %u parameters", st->sql->name, c->nargs, st->in.n);
		return OC_BAD;
	}
	for (unsigned i = 0; i < st->in.n; i++)
		if (!db_side_put(&st->in, i, &c->args[i])) {
			log_error("database: %s: value %u is no '%c'", st->sql->name, i + 1, st->in.slot[i].type);
			return OC_BAD;
		}
	return bind_sides(db, st);
}

static void take_done(struct db_stmt *st, struct db_done *done)
{
	if (done)
		*done = (struct db_done){ .affected = mysql_stmt_affected_rows(st->st), .insert_id = mysql_stmt_insert_id(st->st) };
}

static enum outcome execute(struct db *db, struct db_stmt *st, struct call *c)
{
	enum outcome oc = put_values(db, st, c);

	if (oc != OC_OK)
		return oc;
	c->is_sent = true;
	if (mysql_stmt_execute(st->st)) {
		oc = stmt_failed(db, st);
		if (db->my)
			db_answered(db);
		return oc;
	}
	db_answered(db);
	c->is_answered = true;
	take_done(st, c->done);
	return OC_OK;
}

/* Reads once more, into larger buffers, the texts that did not fit. */
static enum outcome refetch(struct db *db, struct db_stmt *st)
{
	struct side *s = &st->out;

	for (unsigned i = 0; i < s->n; i++) {
		if (s->slot[i].null || !s->slot[i].cut)
			continue;
		if (!db_side_grow(s, i)) {
			log_error("database: %s: column %u does not fit '%c'", st->sql->name, i + 1, s->slot[i].type);
			return OC_BAD;
		}
		if (mysql_stmt_fetch_column(st->st, &s->bind[i], i, 0))
			return stmt_failed(db, st);
	}
	return bind_sides(db, st);
}

static enum outcome hand_out(struct db *db, struct db_stmt *st, db_row_fn *row, void *ctx)
{
	enum outcome oc;

	for (unsigned i = 0; i < st->out.n; i++)
		if (!db_side_get(&st->out, i, &st->vals[i])) {
			log_error("database: %s: column %u holds no valid '%c'", st->sql->name, i + 1, st->out.slot[i].type);
			return OC_BAD;
		}
	if (!row)
		return OC_OK;
	db->fetching = st->sql->name;
	oc = row(ctx, st->vals);
	db->fetching = NULL;
	return oc;
}

/* Rows come as the server sends them and are never stored: the memory of a list is the caller's alone. */
static enum outcome fetch(struct db *db, struct db_stmt *st, db_row_fn *row, void *ctx)
{
	enum outcome oc = OC_OK;

	while (oc == OC_OK) {
		int rc = mysql_stmt_fetch(st->st);

		if (rc == MYSQL_NO_DATA)
			break;
		if (rc != 0 && rc != MYSQL_DATA_TRUNCATED)
			return stmt_failed(db, st);
		if (rc == MYSQL_DATA_TRUNCATED)
			oc = refetch(db, st);
		if (oc == OC_OK)
			oc = hand_out(db, st, row, ctx);
	}
	return oc;
}

/* Throws away what is left of a result, so that the connection can be used again. */
static enum outcome finish(struct db *db, struct db_stmt *st, enum outcome oc)
{
	if (!db->my || !mysql_stmt_free_result(st->st))
		return oc;
	return stmt_failed(db, st);
}

/* A lost connection has freed its statements. */
static void tidy(struct db *db, struct db_stmt *st)
{
	if (!db->my)
		return;
	db_side_shrink(&st->in);
	db_side_shrink(&st->out);
}

/* Asks and waits for the answer. */
static enum outcome ask(struct db *db, struct call *c)
{
	struct db_stmt *st = NULL;
	bool is_cached;
	enum outcome oc = db_stmt_get(db, c->id, c->reps, &st, &is_cached);

	if (oc != OC_OK)
		return oc;
	oc = execute(db, st, c);
	if (oc == OC_OK && st->out.n)
		oc = finish(db, st, fetch(db, st, c->row, c->ctx));
	/* Where the connection was lost that is none of the freed. */
	if (!is_cached)
		db_stmt_free(st);
	else
		tidy(db, st);
	return oc;
}

/* ---- several at once ---- */

/* What the client library's own bulk calls are made of; libmysqlclient has nothing like it. */
#ifdef HAVE_STRUCT_ST_MARIADB_METHODS_DB_READ_EXECUTE_RESPONSE
static bool can_hold(const struct db *db)
{
	return db->is_holding && db->opener_file && db->conf->db_pipeline;
}

static bool send_alone(struct db *db, struct db_stmt *st)
{
	db_flag on = 1, off = 0;
	bool ok;

	mysql_optionsv(db->my, MARIADB_OPT_SKIP_READ_RESPONSE, &on);
	ok = !mysql_stmt_execute(st->st);
	mysql_optionsv(db->my, MARIADB_OPT_SKIP_READ_RESPONSE, &off);
	return ok;
}

static bool read_answer(struct db *db, struct db_stmt *st)
{
	return !db->my->methods->db_read_execute_response(st->st);
}
#else
static bool can_hold(const struct db *db)
{
	(void)db;
	return false;
}

static bool send_alone(struct db *db, struct db_stmt *st)
{
	(void)db;
	return !mysql_stmt_execute(st->st);
}

static bool read_answer(struct db *db, struct db_stmt *st)
{
	(void)db;
	(void)st;
	return true;
}
#endif

/* A connection that had gone stale before the transaction's first statement took nothing with it: all of it can be tried again. */
static enum outcome lost(struct db *db, enum outcome oc)
{
	if (oc != OC_DOWN || db->my || !db->held_at || db->answered || clock_mono() - db->held_at > STALE_US)
		return oc;
	log_info("database: once more on a new connection");
	db->is_stale = true;
	db->doomed = OC_BUSY;
	return OC_BUSY;
}

static enum outcome read_flight(struct db *db, const struct flight *f)
{
	bool is_wanted = db->landed == OC_OK;
	enum outcome oc;

	if (!read_answer(db, f->st)) {
		oc = lost(db, stmt_failed(db, f->st));
		if (db->my)
			db_answered(db);
		return oc;
	}
	db_answered(db);
	take_done(f->st, f->done);
	if (!f->st->out.n)
		return OC_OK;
	return finish(db, f->st, is_wanted ? fetch(db, f->st, f->row, f->ctx) : OC_OK);
}

/* Reads the answers to all that is on its way; with the connection it is gone. */
static enum outcome land(struct db *db)
{
	for (unsigned i = 0; i < db->flight_n; i++) {
		struct db_stmt *st = db->flights[i].st;
		enum outcome oc = read_flight(db, &db->flights[i]);

		if (db->landed == OC_OK)
			db->landed = oc;
		tidy(db, st);
	}
	db->flight_n = 0;
	return db->landed;
}

static bool is_flying(const struct db *db, const struct db_stmt *st)
{
	for (unsigned i = 0; i < db->flight_n; i++)
		if (db->flights[i].st == st)
			return true;
	return false;
}

/* Sends, and does not wait. What is not prepared yet, or is on its way already, waits for those before it and its own answer. */
static enum outcome launch(struct db *db, struct call *c)
{
	struct db_stmt *st = db_stmt_find(db, c->id, c->reps);
	enum outcome oc;

	if (!st || is_flying(db, st) || db->flight_n == FLIGHTS_MAX) {
		oc = land(db);
		return oc == OC_OK ? ask(db, c) : oc;
	}
	oc = put_values(db, st, c);
	if (oc != OC_OK)
		return oc;
	if (c->is_first)
		db->held_at = c->was_proven && !db->answered ? c->begun : 0;
	c->is_sent = true;
	if (!send_alone(db, st)) {
		oc = stmt_failed(db, st);
		return c->is_first ? oc : lost(db, oc);
	}
	db->flights[db->flight_n++] = (struct flight){ st, c->row, c->ctx, c->done };
	return OC_OK;
}

void db_hold(struct db *db)
{
	db->is_holding = true;
	db->commits_along = false;
	db->landed = OC_OK;
}

enum outcome db_commit_along(struct db *db)
{
	enum outcome oc = db_run(db, SQL_COMMIT, 0, NULL, 0, NULL, NULL, NULL);

	db->commits_along = oc == OC_OK;
	return oc;
}

enum outcome db_collect(struct db *db)
{
	int64_t begun = clock_mono();
	enum outcome oc = land(db);

	db->used.us += clock_mono() - begun;
	/* Nothing is left to be committed. */
	if (oc == OC_OK && db->commits_along)
		db->answered = false;
	db->is_holding = false;
	return oc;
}

void db_drop(struct db *db)
{
	/* Whoever asked has gone, and with it the room for what it asked for. */
	for (unsigned i = 0; i < db->flight_n; i++)
		db->flights[i].row = NULL, db->flights[i].done = NULL;
	land(db);
	db->is_holding = false;
}

/* ---- one ---- */

static enum outcome run_once(struct db *db, struct call *c)
{
	enum outcome oc = db_ready(db, sql_statements[c->id].kind == SQL_WRITES);

	if (oc != OC_OK)
		return oc;
	return can_hold(db) ? launch(db, c) : ask(db, c);
}

/* Whether a statement that ended with oc is sent once more, on a new connection: where the connection had gone stale before it. */
static bool may_repeat(const struct db *db, const struct call *c, enum outcome oc)
{
	if (oc != OC_DOWN || db->my)
		return false;	/* not for want of a connection */
	if (!c->is_first)
		return false;	/* others were lost with it */
	if (!c->was_proven)
		return false;	/* the connection was new already */
	if (c->is_answered)
		return false;	/* its rows would be handed out twice */
	if (db->answered)
		return false;	/* what the transaction did before it went with the connection */
	if (clock_mono() - c->begun > STALE_US)
		return false;	/* the server hangs, and would again */
	if (db->opener_file)
		return true;	/* nothing of the transaction can have been committed */
	return !c->is_sent || sql_statements[c->id].kind != SQL_WRITES;	/* a write of its own may have been done */
}

static bool is_well_called(const struct db *db, const struct call *c)
{
	const struct sql_statement *sql = &sql_statements[c->id];

	if (db->fetching)
		log_error("database: %s inside the rows of %s", sql->name, db->fetching);
	else if ((c->reps > 0) != (strchr(sql->params, '{') != NULL))
		log_error("database: %s with %u repetitions", sql->name, c->reps);
	else
		return true;
	return false;
}

enum outcome db_run(struct db *db, enum sql id, unsigned reps, const struct db_val *args, size_t nargs,
	db_row_fn *row, void *ctx, struct db_done *done)
{
	struct call c = { .id = id, .reps = reps, .args = args, .nargs = nargs, .row = row, .ctx = ctx, .done = done,
		.was_proven = db->proven, .is_first = db->flight_n == 0, .begun = clock_mono() };
	enum outcome oc;

	if (!is_well_called(db, &c))
		return OC_BAD;
	oc = run_once(db, &c);
	if (may_repeat(db, &c, oc)) {
		log_info("database: %s once more on a new connection", sql_statements[id].name);
		db->doomed = OC_OK;
		oc = run_once(db, &c);
	}
	db->used.statements++;
	db->used.us += clock_mono() - c.begun;
	return oc;
}

