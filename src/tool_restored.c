/* tool_restored.c - `pickup restored`: what must be done once after the database was set back to an earlier state.
 * Owns: this verb. Does not own: statements (db_restored.c).
 * Used by: main.c.
 *
 * What was given out after the backup was made is known to clients and no more to the database. Given out again, a number of a channel
 * would be dropped by subscribers who have seen it, and the id of somebody who registered since would make their token somebody else's. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

#include "modes.h"
#include "clock.h"
#include "db_outbox.h"
#include "db_restored.h"
#include "metrics.h"
#include "route.h"
#include "tool_opt.h"

/* More messages than any channel gets in a lifetime, and far below what JavaScript can count. */
#define SEQ_SKIPPED UINT64_C(1000000000)
#define IDS_DEFAULT UINT64_C(1000000)
#define IDS_MAX UINT64_C(1000000000000)

struct restored_opts { bool end_tokens; uint64_t ids; };

#define AT(member) .offset = offsetof(struct restored_opts, member)

static const struct opt restored_opts[] = {
	{ "ids", "N", OPT_UINT, AT(ids), .min = 1, .max = IDS_MAX,
		.help = "so many ids are skipped: more than were given out since the backup; without: 1000000" },
	{ "end-tokens", NULL, OPT_FLAG, AT(end_tokens),
		.help = "everybody signs in again; else tokens count again that were ended after the backup" },
};

/* A relay holds numbers in memory, and would go on with them. */
static int refuse_a_relay(struct call *c)
{
	struct lease l;
	enum outcome oc = db_lease_get(c->db, c->arena, &l);
	if (oc != OC_OK)
		return tool_fail_outcome(c->mode, oc, "relay_lease");
	if (!l.is_held)
		return 0;
	return tool_fail(EX_UNAVAILABLE, c->mode, "a relay is at work (%.*s); stop it and the workers first. Where none is, wait for its lease to run out",
		STR_FMT(l.holder));
}

/* They write, and with the ids that are to be skipped. */
static int refuse_workers(struct call *c)
{
	struct metrics *m = metrics_new(METRICS_VISITOR, route_meaning());
	struct metrics_sum *sum = arena_alloc(c->arena, sizeof *sum);
	metrics_keep(m, c->conf->metrics_file, 0);
	bool may_run = metrics_read(m, sum) != OC_OK || sum->workers == 0;
	metrics_free(m);
	return may_run ? 0 : tool_fail(EX_UNAVAILABLE, c->mode, "%" PRIu64 " workers run on this machine; stop them first, and those of other machines", sum->workers);
}

static int skip_ids(struct call *c, uint64_t n)
{
	struct next_id next[RESTORED_TABLES];
	enum outcome oc = db_restored_next_ids(c->db, next);
	for (size_t i = 0; i < RESTORED_TABLES && oc == OC_OK; i++) {
		oc = db_restored_skip_ids(c->db, next[i].table, next[i].id + n);
		if (oc == OC_BAD)
			return tool_fail(EX_CONFIG, c->mode, "ids of %s: %s; the user of the option file needs the right to ALTER tables, as for `pickup migrate`",
				next[i].table, db_error_text(c->db));
		if (oc == OC_OK)
			printf("ids of %s: the next one is %" PRIu64 "\n", next[i].table, next[i].id + n);
	}
	return tool_fail_outcome(c->mode, oc, "ids");
}

static int skip_numbers(struct call *c)
{
	uint64_t channels;
	enum outcome oc = db_restored_skip_numbers(c->db, SEQ_SKIPPED, &channels);
	if (oc == OC_OK)
		printf("notifications: each channel goes on %" PRIu64 " numbers later; readers get 410 once, and read the lists\n", SEQ_SKIPPED);
	return tool_fail_outcome(c->mode, oc, "channel_floors");
}

static int end_tokens(struct call *c)
{
	struct clock clock = clock_system();
	enum outcome oc = db_restored_end_tokens(c->db, clock.now(&clock));
	if (oc == OC_OK)
		puts("tokens: all of before are ended; everybody signs in again");
	return tool_fail_outcome(c->mode, oc, "users");
}

static int run_restored(struct call *c)
{
	const struct restored_opts *o = c->opts;
	db_be_patient(c->db, true);
	int status = refuse_a_relay(c);
	if (status == 0)
		status = refuse_workers(c);
	/* Ids first: a user who comes while the rest fails must not get somebody's id. */
	if (status == 0)
		status = skip_ids(c, o->ids == OPT_UINT_UNSET ? IDS_DEFAULT : o->ids);
	if (status == 0)
		status = skip_numbers(c);
	if (status == 0 && o->end_tokens)
		status = end_tokens(c);
	return opt_flush(c->mode, status);
}

static const struct verb restored_verbs[] = {
	{ .help = "Once after a backup was restored, before workers and relay are started: numbers and ids that were given out since the backup"
			" are never given out again. Run again it skips once more, and does no other harm.",
		.opts = restored_opts, .n = sizeof restored_opts / sizeof *restored_opts, .run = run_restored },
};

int mode_restored(int argc, char **argv)
{
	static const struct verbs t = { "restored", "What must be done after a backup was restored.", restored_verbs, 1, sizeof(struct restored_opts) };
	return opt_run(&t, argc, argv);
}
