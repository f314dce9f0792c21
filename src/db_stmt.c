/* db_stmt.c - prepared statements: expanding, preparing, caching.
 * Owns: struct db_stmt. Does not own: running them (db_run.c), values' buffers (db_bind.c), SQL texts (db_sql.c).
 * Used by: db_run.c, db.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_internal.h"
#include "arena.h"
#include "clock.h"
#include "log.h"

/* More repetitions than this are prepared, used and closed, but for multiples of it up to the other one: what goes in bulk goes in such
 * portions. So a statement has a limited number of prepared forms. */
#define CACHED_REPS_MAX 16
#define CACHED_REPS_BULK 64

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

void db_stmt_free(struct db_stmt *st)
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
			db_stmt_free(st);
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
		db_stmt_free(st);
		st = NULL;
	}
	*out = st;
	return oc;
}

/* Moves the one asked for to the front. */
struct db_stmt *db_stmt_find(struct db *db, enum sql id, unsigned reps)
{
	struct db_stmt **at = &db->cache[id], *st;

	while (*at && (*at)->reps != reps)
		at = &(*at)->next;
	st = *at;
	if (st) {
		*at = st->next;
		st->next = db->cache[id];
		db->cache[id] = st;
	}
	return st;
}

enum outcome db_stmt_get(struct db *db, enum sql id, unsigned reps, struct db_stmt **out, bool *is_cached)
{
	char why[512];
	enum outcome oc = OC_OK;

	*is_cached = reps <= CACHED_REPS_MAX || (reps <= CACHED_REPS_BULK && reps % CACHED_REPS_MAX == 0);
	*out = db_stmt_find(db, id, reps);
	if (*out)
		return OC_OK;
	oc = prepare(db, id, reps, out, why, sizeof why);
	if (oc == OC_OK && *is_cached) {
		(*out)->next = db->cache[id];
		db->cache[id] = *out;
	}
	return oc;
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
		db_stmt_free(st);
	}
	return all;
}
