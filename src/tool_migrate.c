/* tool_migrate.c - `pickup migrate`: brings the database's tables up to date.
 * Owns: this verb. Does not own: the work (migrate.c).
 * Used by: main.c. */
#include <stddef.h>
#include <sysexits.h>

#include "modes.h"
#include "migrate.h"
#include "tool_opt.h"

/* Where the installation puts sql/; the build sets it. */
#ifndef PICKUP_SQLDIR
#define PICKUP_SQLDIR "sql"
#endif

struct migrate_opts {
	struct str dir;
	bool dry_run;
};

#define AT(member) .offset = offsetof(struct migrate_opts, member)

static const struct opt migrate_opts[] = {
	{ "dir", "DIR", OPT_TEXT, AT(dir), .help = "directory of NNN_name.sql files; without: " PICKUP_SQLDIR },
	{ "dry-run", NULL, OPT_FLAG, AT(dry_run), .help = "only say what would be applied" },
};

static int run_migrate(struct call *c)
{
	const struct migrate_opts *o = c->opts;
	const char *dir = o->dir.s ? str_dup(c->arena, o->dir).s : PICKUP_SQLDIR;
	enum outcome oc = migrate_run(c->db, dir, o->dry_run);

	if (oc == OC_CONFLICT)
		return tool_fail(EX_DATAERR, c->mode, "the database and the files in %s do not fit together; the lines above say how", dir);
	if (oc == OC_BAD)
		return tool_fail(EX_DATAERR, c->mode, "stopped; the lines above say where. What was applied stays; mend it and run again");
	return tool_fail_outcome(c->mode, oc, dir);
}

static const struct verb migrate_verbs[] = {
	{ .help = "Apply the migrations that the database lacks.", .opts = migrate_opts,
		.n = sizeof migrate_opts / sizeof *migrate_opts, .run = run_migrate, .makes_tables = true },
};

int mode_migrate(int argc, char **argv)
{
	static const struct verbs t = { "migrate", "Apply the migrations that the database lacks.", migrate_verbs, 1,
		sizeof(struct migrate_opts) };

	return opt_run(&t, argc, argv);
}
