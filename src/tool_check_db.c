/* tool_check_db.c - `pickup check`: the database and what lies in it.
 * Owns: these points. Does not own: statements (db.c), migrations (migrate.c). Used by: tool_check.c. */
#include "tool_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db_shop.h"
#include "migrate.h"

#define PAGE 200
#define ZONE_SAMPLE "Asia/Kolkata"
/* What relays and workers bear without anybody noticing. */
#define SKEW_MAX (2 * INSTANT_SECOND)

static enum outcome take_text(void *ctx, const struct db_val *vals)
{
	struct check *k = ctx;
	struct str name = db_get_text(&vals[1]);

	k->has_db = name.len > 0;
	if (k->has_db)
		check_ok("database", "%.*s answers, version %.*s", STR_FMT(name), STR_FMT(db_get_text(&vals[0])));
	else
		check_fail(k, "database", "the option file names none of the server's databases, so every request gets 503; add a line: database=NAME");
	return OC_OK;
}

void check_database(struct check *k)
{
	enum outcome oc = db_connect(k->db);

	if (oc == OC_OK)
		oc = db_run(k->db, SQL_SERVER_VERSION, 0, NULL, 0, take_text, k, NULL);
	if (oc != OC_OK)
		check_fail(k, "database", "no answer (%s), so every request gets 503; %s. What lies in it is not checked", db_error_text(k->db),
			check_advice(db_error_text(k->db), "see that it runs and that the option file names its socket or host, user, password and database"));
}

static enum outcome take_time(void *ctx, const struct db_val *vals)
{
	*(instant *)ctx = db_get_time(&vals[0]);
	return OC_OK;
}

void check_clock(struct check *k)
{
	instant there = INSTANT_NONE, before = k->clock.now(&k->clock);
	enum outcome oc = db_run(k->db, SQL_CLOCK, 0, NULL, 0, take_time, &there, NULL);
	instant here = before + (k->clock.now(&k->clock) - before) / 2;
	int64_t ahead = there - here;

	if (oc != OC_OK)
		check_fail(k, "clock", "the database's can't be read (%s)", db_error_text(k->db));
	else if (ahead > SKEW_MAX || ahead < -SKEW_MAX)
		check_fail(k, "clock", "the database's is %" PRId64 " s %s ours; the relay's lease and deadlines are judged by the one, pickup times and tokens by the"
			" other: let both machines follow a time server (timedatectl set-ntp true)", (ahead < 0 ? -ahead : ahead) / INSTANT_SECOND,
			ahead > 0 ? "ahead of" : "behind");
	else
		check_ok("clock", "the database's agrees with ours");
}

void check_schema(struct check *k)
{
	struct migrate_schema s;
	enum outcome oc = migrate_see_schema(k->db, &s);

	k->has_schema = oc == OC_OK && s.applied >= SQL_SCHEMA_NEEDED && !s.taken;
	if (oc != OC_OK)
		check_fail(k, "schema", "can't be read (%s), so requests get 503; %s", db_error_text(k->db),
			check_advice(db_error_text(k->db), "see that the database's user may read it"));
	else if (s.applied < SQL_SCHEMA_NEEDED)
		check_fail(k, "schema", "the tables are older than migration %d or incomplete, and workers refuse to start; run `pickup migrate%s%s`", SQL_SCHEMA_NEEDED,
			k->params ? " --params " : "", k->params ? k->params : "");
	else if (s.taken)
		check_fail(k, "schema", "migration %" PRIu64 " took away what this program uses, and workers refuse to start; install a version that has that file", s.taken);
	else if (s.applied > SQL_SCHEMA_NEEDED)
		check_fail(k, "schema", "the tables are at migration %" PRIu64 ", and this program is the older one, made for %d: right only while versions"
			" change, or after a step back over migrations that took nothing away; else install the program that made them", s.applied, SQL_SCHEMA_NEEDED);
	else
		check_ok("schema", "migration %" PRIu64 ", needed is %d", s.applied, SQL_SCHEMA_NEEDED);
}

struct statements { struct check *k; unsigned denied; char first[512]; };

/* A right that is missing is missing for dozens: one line tells of them. */
static void statement_fault(void *ctx, const char *statement, const char *why)
{
	struct statements *s = ctx;
	char what[80];

	if (strncmp(why, "1142 ", 5) == 0 || strncmp(why, "1143 ", 5) == 0) {
		if (s->denied++ == 0)
			snprintf(s->first, sizeof s->first, "%s", why);
		return;
	}
	snprintf(what, sizeof what, "statement %s", statement);
	check_fail(s->k, what, "%s; the tables are not as the migrations make them: see `pickup migrate`, and what else has changed them", why);
}

void check_statements(struct check *k)
{
	unsigned before = k->faults;
	struct statements s = { .k = k };
	enum outcome oc = db_check_statements(k->db, statement_fault, &s);

	if (s.denied)
		check_fail(k, "statements", "%u of %d are denied to our user of the database, first: %s; GRANT SELECT, INSERT, UPDATE, DELETE on all tables of it",
			s.denied, SQL__MAX, s.first);
	if (oc == OC_OK)
		check_ok("statements", "all %d prepare", SQL__MAX);
	else if (k->faults == before)
		check_fail(k, "statements", "the database went away (%s)", db_error_text(k->db));
}

/* zones */

/* The zones of all active shops, page by page. */
static enum outcome check_shop_zones(struct check *k, struct zone_cache *zones, uint64_t *shops)
{
	struct shop_id before = { 0 };
	struct arena *a = arena_new();
	enum outcome oc = OC_OK;

	for (size_t n = PAGE; oc == OC_OK && n == PAGE; *shops += n) {
		struct shop *v = NULL;
		arena_reset(a);
		n = 0;
		oc = db_shop_list(k->db, a, before, PAGE, &v, &n);
		for (size_t i = 0; i < n; i++) {
			before = v[i].id;
			if (!zone_exists(zones, v[i].timezone))
				check_fail(k, "zones", "shop %" PRIu64 " is in %.*s, for which there is no file; install tzdata, or `pickup shop change %"
					PRIu64 " --timezone …`", v[i].id.v, STR_FMT(v[i].timezone), v[i].id.v);
		}
	}
	arena_free(a);
	return oc;
}

void check_zones(struct check *k)
{
	const char *dir = *k->conf->zoneinfo ? k->conf->zoneinfo : NULL;
	struct zone_cache *zones = zone_cache_new(dir);
	unsigned before = k->faults;
	uint64_t shops = 0;

	if (!zone_exists(zones, STR(ZONE_SAMPLE)))
		check_fail(k, "zones", "no file for " ZONE_SAMPLE " in %s; install tzdata, or set PICKUP_ZONEINFO", dir ? dir : "the host's directories");
	else if (k->has_schema && check_shop_zones(k, zones, &shops) != OC_OK)
		check_fail(k, "zones", "the shops' zones can't be read (%s)", db_error_text(k->db));
	if (k->faults == before)
		check_ok("zones", "" ZONE_SAMPLE " and those of %" PRIu64 " active shops", shops);
	zone_cache_free(zones);
}

