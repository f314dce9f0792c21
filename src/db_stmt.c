/* db_stmt.c - prepared statements: expanding, preparing, caching, running, fetching.
 * Owns: struct db_stmt. Does not own: the connection (db.c), values' buffers (db_bind.c), SQL texts (db_sql.c).
 * Used by: db_*.c through db_run(). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_internal.h"
#include "arena.h"
#include "clock.h"
#include "log.h"

/* More repetitions than this are prepared, used and closed. So a statement has at most so many prepared forms. */
#define CACHED_REPS_MAX 16
/* Kept as well: what goes in bulk goes in portions of this size. */
#define CACHED_REPS_BULK 64
/* A connection that fails within this was stale, and the statement is tried on a new one. Later than that something hangs,
 * and nobody shall wait for it twice. */
#define STALE_US INT64_C(250000)

struct db_stmt {
	struct db_stmt *next;
	const struct sql_statement *sql;
	unsigned reps;
	MYSQL_STMT *st;
	struct side in, out;
	struct db_val *vals;	/* the row in hand */
};

struct call {
	enum sql id;
	unsigned reps;
	const struct db_val *args;
	size_t nargs;
	db_row_fn *row;
	void *ctx;
	struct db_done *done;
	bool was_proven;	/* the connection that it was first sent on */
	bool is_sent;		/* the server may have executed it */
	bool is_answered;	/* the server has: rows may have been handed out */
	int64_t begun;
};

void *db_need(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		log_die("out of memory for a statement");
	return p;
}

/* text with every {body|separator} group standing reps times. Groups without a bar (those of signatures) have no separator. */
static void expand(struct buf *out, const char *text, unsigned reps)
{
	const char *open;

	while ((open = strchr(text, '{')) != NULL) {
		const char *close = strchr(open, '}');
		struct str body, sep;

		if (!close)
			log_die("statement text with an open group: %s", text);
		body = (struct str){ open + 1, (size_t)(close - open - 1) };
		sep = (struct str){ close, 0 };
		for (const char *bar = close; bar > open; bar--)
			if (*bar == '|') {
				body.len = (size_t)(bar - open - 1);
				sep = (struct str){ bar + 1, (size_t)(close - bar - 1) };
				break;
			}
		buf_add(out, text, (size_t)(open - text));
		for (unsigned i = 0; i < reps; i++) {
			if (i)
				buf_addstr(out, sep);
			buf_addstr(out, body);
		}
		text = close + 1;
	}
	buf_adds(out, text);
}

static void stmt_free(struct db_stmt *st)
{
	if (!st)
		return;
	if (st->st)
		mysql_stmt_close(st->st);
	db_side_clear(&st->in);
	db_side_clear(&st->out);
	free(st->vals);
	free(st);
}

void db_stmt_forget(struct db *db)
{
	for (int id = 0; id < SQL__MAX; id++)
		while (db->cache[id]) {
			struct db_stmt *st = db->cache[id];

			db->cache[id] = st->next;
			stmt_free(st);
		}
}

/* Compares what the server says with the signatures. False: why says what differs. */
static bool signatures_hold(struct db_stmt *st, char *why, size_t n)
{
	unsigned long params = mysql_stmt_param_count(st->st);
	unsigned columns = mysql_stmt_field_count(st->st), i = 0;
	MYSQL_RES *meta = columns ? mysql_stmt_result_metadata(st->st) : NULL;
	bool ok = false;

	if (params != st->in.n)
		snprintf(why, n, "%lu parameters, the signature has %u", params, st->in.n);
	else if (columns != st->out.n)
		snprintf(why, n, "%u columns, the signature has %u", columns, st->out.n);
	else if (columns && !meta)
		snprintf(why, n, "no metadata: %s", mysql_stmt_error(st->st));
	else
		ok = true;
	for (; ok && i < columns; i++)
		if (!db_column_fits(st->out.slot[i].type, mysql_fetch_field_direct(meta, i))) {
			snprintf(why, n, "column %u can't be read as '%c'", i + 1, st->out.slot[i].type);
			ok = false;
		}
	if (meta)
		mysql_free_result(meta);
	return ok;
}

/* Sends the text. OC_BAD for a statement that is not as it should be: why says so, and nothing was logged. */
static enum outcome prepare_text(struct db *db, struct db_stmt *st, struct str text, char *why, size_t n)
{
	st->st = mysql_stmt_init(db->my);
	if (!st->st)
		log_die("out of memory for a statement");
	if (mysql_stmt_prepare(st->st, text.s, (unsigned long)text.len)) {
		unsigned error = mysql_stmt_errno(st->st);

		snprintf(why, n, "%u %s", error, mysql_stmt_error(st->st));
		return db_failed(db, error, mysql_stmt_error(st->st), st->sql->name);
	}
	if (!signatures_hold(st, why, n)) {
		log_error("database: %s: %s", st->sql->name, why);
		return OC_BAD;
	}
	return OC_OK;
}

static enum outcome prepare(struct db *db, enum sql id, unsigned reps, struct db_stmt **out, char *why, size_t n)
{
	const struct sql_statement *sql = &sql_statements[id];
	struct arena *a = arena_new();
	struct buf text = BUF_IN(a), types = BUF_IN(a);
	struct db_stmt *st = db_need(1, sizeof *st);
	enum outcome oc;

	st->sql = sql;
	st->reps = reps;
	expand(&text, sql->text, reps);
	expand(&types, sql->params, reps);
	db_side_init(&st->in, buf_str(&types));
	db_side_init(&st->out, str_from(sql->row));
	st->vals = db_need(st->out.n, sizeof *st->vals);
	oc = prepare_text(db, st, buf_str(&text), why, n);
	arena_free(a);
	if (oc != OC_OK) {
		stmt_free(st);
		st = NULL;
	}
	*out = st;
	return oc;
}

static bool is_cached(const struct db_stmt *st)
{
	return st->reps <= CACHED_REPS_MAX || st->reps == CACHED_REPS_BULK;
}

/* The prepared statement, from the cache (the last one used stands first) or afresh. */
static enum outcome get_stmt(struct db *db, enum sql id, unsigned reps, struct db_stmt **out)
{
	struct db_stmt **at = &db->cache[id], *st;
	char why[512];
	enum outcome oc;

	while (*at && (*at)->reps != reps)
		at = &(*at)->next;
	st = *at;
	if (st) {
		*at = st->next;
	} else {
		oc = prepare(db, id, reps, &st, why, sizeof why);
		if (oc != OC_OK)
			return oc;
	}
	if (is_cached(st)) {
		st->next = db->cache[id];
		db->cache[id] = st;
	}
	*out = st;
	return OC_OK;
}

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

static enum outcome execute(struct db *db, struct db_stmt *st, struct call *c)
{
	enum outcome oc;

	if (c->nargs != st->in.n) {
		log_error("database: %s: %zu values for %u parameters", st->sql->name, c->nargs, st->in.n);
		return OC_BAD;
	}
	for (unsigned i = 0; i < st->in.n; i++)
		if (!db_side_put(&st->in, i, &c->args[i])) {
			log_error("database: %s: value %u is no '%c'", st->sql->name, i + 1, st->in.slot[i].type);
			return OC_BAD;
		}
	oc = bind_sides(db, st);
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
	if (c->done)
		*c->done = (struct db_done){ .affected = mysql_stmt_affected_rows(st->st), .insert_id = mysql_stmt_insert_id(st->st) };
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

static enum outcome hand_out(struct db *db, struct db_stmt *st, const struct call *c)
{
	enum outcome oc;

	for (unsigned i = 0; i < st->out.n; i++)
		if (!db_side_get(&st->out, i, &st->vals[i])) {
			log_error("database: %s: column %u holds no valid '%c'", st->sql->name, i + 1, st->out.slot[i].type);
			return OC_BAD;
		}
	if (!c->row)
		return OC_OK;
	db->fetching = st->sql->name;
	oc = c->row(c->ctx, st->vals);
	db->fetching = NULL;
	return oc;
}

/* Rows come as the server sends them and are never stored: the memory of a list is the caller's alone. */
static enum outcome fetch(struct db *db, struct db_stmt *st, const struct call *c)
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
			oc = hand_out(db, st, c);
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

static enum outcome run_once(struct db *db, struct call *c)
{
	const struct sql_statement *sql = &sql_statements[c->id];
	struct db_stmt *st = NULL;
	enum outcome oc = db_ready(db, sql->kind == SQL_WRITES);
	bool cached;

	if (oc == OC_OK)
		oc = get_stmt(db, c->id, c->reps, &st);
	if (oc != OC_OK)
		return oc;
	cached = is_cached(st);
	oc = execute(db, st, c);
	if (oc == OC_OK && st->out.n)
		oc = finish(db, st, fetch(db, st, c));
	/* A lost connection has freed the cached ones. */
	if (!cached)
		stmt_free(st);
	return oc;
}

/* Whether a statement that ended with oc is sent once more, on a new connection: where the connection had gone stale before it. */
static bool may_repeat(const struct db *db, const struct call *c, enum outcome oc)
{
	if (oc != OC_DOWN || db->my)
		return false;	/* not for want of a connection */
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
		.was_proven = db->proven, .begun = clock_mono() };
	enum outcome oc;

	if (!is_well_called(db, &c))
		return OC_BAD;
	oc = run_once(db, &c);
	if (!may_repeat(db, &c, oc))
		return oc;
	log_info("database: %s once more on a new connection", sql_statements[id].name);
	db->doomed = OC_OK;
	return run_once(db, &c);
}

enum outcome db_check_statements(struct db *db, void (*report)(void *ctx, const char *statement, const char *why), void *ctx)
{
	enum outcome all = OC_OK;

	for (int id = 0; id < SQL__MAX; id++) {
		unsigned reps = strchr(sql_statements[id].params, '{') ? 2 : 0;
		struct db_stmt *st = NULL;
		char why[512] = "";
		enum outcome oc = db_ready(db, false);

		if (oc == OC_OK)
			oc = prepare(db, (enum sql)id, reps, &st, why, sizeof why);
		if (oc == OC_DOWN)
			return oc;
		if (oc != OC_OK) {
			report(ctx, sql_statements[id].name, why);
			all = OC_BAD;
		}
		stmt_free(st);
	}
	return all;
}
