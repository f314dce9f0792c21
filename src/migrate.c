/* migrate.c - applies the migrations that a database lacks, one statement at a time.
 * Owns: schema_migrations, resuming. Does not own: the files (migrate_file.c), SQL texts (db_sql.c).
 * Used by: tool_migrate.c; worker, relay and check (migrate_check_schema).
 *
 * DDL commits by itself, so between a statement and the row that counts it the process may die. The row says that the next statement
 * is in doubt from before it is sent until the server's refusal is known: run again, "exists already" (and "is gone
 * already") counts as done for that one statement. Statements that are no DDL are counted in their own transaction, and never in doubt. */
#include <stdio.h>

#include "migrate.h"
#include "arena.h"
#include "clock.h"
#include "log.h"
#include "migrate_file.h"

#define LOCK_WAIT_S 60
#define TABLE_WAIT_US (INT64_C(60) * 1000000)

/* A row of schema_migrations. */
struct record {
	uint64_t number, done;
	struct str name, checksum;
	bool in_doubt, is_applied;
};

struct run {
	struct db *db;
	struct arena *arena;
	const char *dir;
	bool dry_run;
	struct migration *files;
	size_t n;
	struct record *records;		/* in order of number */
	size_t n_records, cap_records;
};

static enum outcome take_uint(void *ctx, const struct db_val *vals)
{
	*(uint64_t *)ctx = db_get_uint(&vals[0]);
	return OC_OK;
}

static enum outcome take_int(void *ctx, const struct db_val *vals)
{
	*(int64_t *)ctx = db_get_int(&vals[0]);
	return OC_OK;
}

static enum outcome take_record(void *ctx, const struct db_val *vals)
{
	struct run *r = ctx;
	struct record *rec;

	r->records = arena_room(r->arena, r->records, r->n_records, &r->cap_records, sizeof *r->records);
	rec = &r->records[r->n_records++];
	rec->number = db_get_uint(&vals[0]);
	rec->name = str_dup(r->arena, db_get_text(&vals[1]));
	rec->checksum = str_dup(r->arena, db_get_text(&vals[2]));
	rec->done = db_get_uint(&vals[3]);
	rec->in_doubt = db_get_int(&vals[4]) != 0;
	rec->is_applied = db_get_int(&vals[5]) != 0;
	return OC_OK;
}

/* What the database knows; nothing, in an empty one. */
static enum outcome load_records(struct run *r)
{
	uint64_t exists = 0;
	enum outcome oc = db_run(r->db, SQL_MIGRATIONS_EXIST, 0, NULL, 0, take_uint, &exists, NULL);

	if (oc == OC_OK && exists)
		oc = db_run(r->db, SQL_MIGRATION_LIST, 0, NULL, 0, take_record, r, NULL);
	return oc;
}

/* NNN_contract_what.sql takes away what versions before it used; each other file only adds. */
static bool takes_away(struct str name)
{
	static const char mark[] = "_contract_";
	size_t at = sizeof "NNN" - 1;

	return name.len >= at + sizeof mark - 1 && memcmp(name.s + at, mark, sizeof mark - 1) == 0;
}

static enum outcome compare_one(const struct run *r, size_t i)
{
	const struct record *rec = &r->records[i];
	const struct migration *m;

	if (rec->number != i + 1) {
		log_error("migrate: the database has migration %03u, but not %03zu", (unsigned)rec->number, i + 1);
		return OC_CONFLICT;
	}
	/* Of a later version, which was gone back from: where it added only, perhaps not all it meant to, that is as good as nothing. */
	if (rec->number > r->n && takes_away(rec->name)) {
		log_error("migrate: the database has %.*s, which took away what this version uses; go back no further than to the version of that file",
			STR_FMT(rec->name));
		return OC_CONFLICT;
	}
	if (rec->number > r->n)
		return OC_OK;
	m = &r->files[i];
	if (!str_is(rec->checksum, m->checksum) && (rec->is_applied || rec->done)) {
		log_error("migrate: %s/%s was changed after %s; put it back as it was, and write a new file for the change", r->dir, m->name,
			rec->is_applied ? "it was applied" : "some of its statements were applied");
		return OC_CONFLICT;
	}
	if (!rec->is_applied && i + 1 < r->n_records) {
		log_error("migrate: the database has a migration after %03zu, which is not complete", i + 1);
		return OC_CONFLICT;
	}
	return OC_OK;
}

static enum outcome compare(const struct run *r)
{
	enum outcome oc = OC_OK;

	for (size_t i = 0; i < r->n_records && oc == OC_OK; i++)
		oc = compare_one(r, i);
	return oc;
}

/* Runs a guarded write. No row: somebody else moved on meanwhile. */
static enum outcome note(struct db *db, enum sql id, const struct db_val *args, size_t n)
{
	struct db_done done = { 0, 0 };
	enum outcome oc = db_run(db, id, 0, args, n, NULL, NULL, &done);

	if (oc == OC_OK && !done.affected)
		oc = OC_CONFLICT;
	if (oc == OC_CONFLICT)
		log_error("migrate: another migration of this database is at work; run again when it is done");
	return oc;
}

struct step {
	const struct migration *m;
	uint64_t number, index;
	bool in_doubt;		/* an earlier run, or an earlier try, may have executed it */
	unsigned error;
};

static bool says_done_already(unsigned error)
{
	switch (error) {
	case 1050:	/* table */
	case 1060:	/* column */
	case 1061:	/* key */
	case 1826:	/* foreign key */
	case 1051:	/* no such table to drop */
	case 1091:	/* no such column or key to drop */
		return true;
	default:
		return false;
	}
}

static enum outcome step_work(struct db *db, void *ctx)
{
	struct step *s = ctx;
	enum outcome oc = db_run_text(db, s->m->statements[s->index].text, &s->error);

	if (oc != OC_OK && !(s->in_doubt && says_done_already(s->error)))
		return oc == OC_CONFLICT ? OC_BAD : oc;
	s->error = 0;
	s->in_doubt = true;
	return note(db, SQL_MIGRATION_STEP, (struct db_val[]){ db_uint(s->number), db_uint(s->index) }, 2);
}

/* A busy table (its metadata lock is held by long transactions) is asked for again and again, a second each time, so that
 * those who come after us get their turn in between. */
static enum outcome run_step(struct run *r, struct step *s)
{
	int64_t start = clock_mono();
	enum outcome oc;

	do
		oc = db_transact(r->db, step_work, s);
	while (oc == OC_BUSY && clock_mono() - start < TABLE_WAIT_US);
	if (oc == OC_OK || !s->error)
		return oc;
	log_error("migrate: %s/%s:%u: %s", r->dir, s->m->name, s->m->statements[s->index].line, db_error_text(r->db));
	/* Refused for certain: when it is run again, an "exists already" will be a fault. */
	if (oc == OC_BAD
		&& note(r->db, SQL_MIGRATION_FAILED, (struct db_val[]){ db_uint(s->number), db_uint(s->index) }, 2) != OC_OK)
		log_error("migrate: this failure could not be recorded");
	return oc;
}

static enum outcome begin(struct run *r, struct step *s, const struct record *rec)
{
	const struct db_val name = db_text(str_from(s->m->name)), checksum = db_text(str_from(s->m->checksum));

	if (!rec)
		return note(r->db, SQL_MIGRATION_BEGIN, (struct db_val[]){ db_uint(s->number), name, checksum }, 3);
	s->index = rec->done;
	/* A file that was mended after its first statement failed: what that one left, if anything, is not this one's. */
	s->in_doubt = rec->in_doubt && str_is(rec->checksum, s->m->checksum);
	return note(r->db, SQL_MIGRATION_RESUME,
		(struct db_val[]){ name, checksum, db_uint(s->number), db_uint(rec->done) }, 4);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static enum outcome apply(struct run *r, size_t i)
{
	const struct record *rec = i < r->n_records ? &r->records[i] : NULL;
	struct step s = { .m = &r->files[i], .number = i + 1 };
	enum outcome oc = begin(r, &s, rec);

	for (; oc == OC_OK && s.index < s.m->n; s.index++) {
		oc = run_step(r, &s);
		s.in_doubt = false;
	}
	if (oc == OC_OK)
		oc = note(r->db, SQL_MIGRATION_DONE, (struct db_val[]){ db_uint(s.number), db_uint(s.index) }, 2);
	if (oc == OC_OK)
		printf("applied %s (%zu statement%s%s)\n", s.m->name, s.m->n, plural(s.m->n), rec ? ", resumed" : "");
	fflush(stdout);
	return oc;
}

static void announce(const struct run *r, size_t i)
{
	const struct migration *m = &r->files[i];

	if (i < r->n_records)
		printf("would resume %s (%zu statement%s, %u done)\n", m->name, m->n, plural(m->n), (unsigned)r->records[i].done);
	else
		printf("would apply %s (%zu statement%s)\n", m->name, m->n, plural(m->n));
}

static enum outcome apply_all(struct run *r)
{
	enum outcome oc = load_records(r);
	size_t pending = 0;

	if (oc == OC_OK)
		oc = compare(r);
	for (size_t i = 0; oc == OC_OK && i < r->n; i++) {
		if (i < r->n_records && r->records[i].is_applied)
			continue;
		pending++;
		if (r->dry_run)
			announce(r, i);
		else
			oc = apply(r, i);
	}
	if (oc == OC_OK && r->n_records > r->n)
		printf("nothing to do: the database is at %.*s, newer than the files in %s\n", STR_FMT(r->records[r->n_records - 1].name), r->dir);
	else if (oc == OC_OK && !pending)
		printf("nothing to do: %s is the newest, and applied\n", r->files[r->n - 1].name);
	return oc;
}

/* One at a time on this server. Where the lock is lost with its connection, or two run on two nodes of a cluster, the guards of
 * note() stop the later one; nothing is harmed. */
static enum outcome lock(struct run *r)
{
	int64_t got = 0;
	struct db_val wait = db_uint(LOCK_WAIT_S);
	enum outcome oc = db_run(r->db, SQL_MIGRATIONS_LOCK, 0, &wait, 1, take_int, &got, NULL);

	if (oc == OC_OK && got != 1) {
		log_error("migrate: another migration of this database is at work, and was not done in %d seconds", LOCK_WAIT_S);
		oc = OC_BUSY;
	}
	return oc;
}

static enum outcome create_table(struct run *r)
{
	unsigned error;
	enum outcome oc = db_run_text(r->db, str_from(sql_migrations_create), &error);

	if (oc == OC_BAD)
		log_error("migrate: can't create schema_migrations: %s", db_error_text(r->db));
	return oc;
}

enum outcome migrate_run(struct db *db, const char *dir, bool dry_run)
{
	struct run r = { .db = db, .arena = arena_new(), .dir = dir, .dry_run = dry_run };
	enum outcome oc = migration_load(r.arena, dir, &r.files, &r.n);

	if (oc == OC_OK) {
		/* On a table of a million rows a statement may run for minutes. */
		db_be_patient(db, true);
		oc = dry_run ? OC_OK : lock(&r);
		if (oc == OC_OK && !dry_run)
			oc = create_table(&r);
		if (oc == OC_OK)
			oc = apply_all(&r);
		/* Closing gives the lock back. */
		db_be_patient(db, false);
	}
	arena_free(r.arena);
	return oc;
}

static enum outcome take_schema(void *ctx, const struct db_val *vals)
{
	struct migrate_schema *s = ctx;

	s->applied = db_get_uint(&vals[0]);
	s->taken = db_get_uint(&vals[1]);
	return OC_OK;
}

enum outcome migrate_see_schema(struct db *db, struct migrate_schema *s)
{
	uint64_t exists = 0;
	const struct db_val needed = db_uint(SQL_SCHEMA_NEEDED);
	enum outcome oc = db_run(db, SQL_MIGRATIONS_EXIST, 0, NULL, 0, take_uint, &exists, NULL);

	*s = (struct migrate_schema){ 0, 0 };
	if (oc == OC_OK && exists)
		oc = db_run(db, SQL_SCHEMA_VERSION, 0, &needed, 1, take_schema, s, NULL);
	return oc;
}

enum outcome migrate_check_schema(struct db *db)
{
	struct migrate_schema s;
	enum outcome oc = migrate_see_schema(db, &s);

	if (oc == OC_OK && s.applied < SQL_SCHEMA_NEEDED) {
		log_error("database: its schema is at %03u, this program needs %03d; run: pickup migrate", (unsigned)s.applied, SQL_SCHEMA_NEEDED);
		oc = OC_CONFLICT;
	} else if (oc == OC_OK && s.taken) {
		log_error("database: its migration %03u took away what this program uses; install a version that has that file", (unsigned)s.taken);
		oc = OC_CONFLICT;
	}
	return oc;
}
