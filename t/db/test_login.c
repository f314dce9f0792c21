/* test_login.c - how often passwords were wrong: counting, locking, forgetting. Run it by t/with-mariadb, with -j1. */
#include "db_test.h"

#include "db_login.h"

#define NOW INT64_C(1790000000123456)
#define MINUTE (60 * INSTANT_SECOND)

static const struct login_subjects here = { STR("n"), STR("a"), STR("p") }, elsewhere = { STR("n"), STR("b"), STR("q") },
	other = { STR("m"), STR("a"), STR("r") }, nowhere = { STR("n"), STR_NONE, STR_NONE };

static struct db *open_counters(void)
{
	struct db *db = open_schema();

	text(db, "DELETE FROM login_failures");
	return db;
}

struct trying { const struct login_subjects *s; instant now; struct login_counts counts; bool is_good, only_looks; };

static enum outcome try_once(struct db *db, void *ctx)
{
	struct trying *t = ctx;
	enum outcome oc = db_login_look(db, t->s, t->now, &t->counts);

	if (oc != OC_OK || t->only_looks)
		return oc;
	return t->is_good ? db_login_good(db, t->s, t->counts.is_known, t->now) : db_login_count(db, t->s, t->counts.is_known, t->now);
}

static void fail_at(struct db *db, const struct login_subjects *s, instant now)
{
	struct trying t = { .s = s, .now = now };

	cr_assert_eq(db_transact(db, try_once, &t), OC_OK);
}

static void pass(struct db *db, const struct login_subjects *s)
{
	struct trying t = { .s = s, .now = NOW, .is_good = true };

	cr_assert_eq(db_transact(db, try_once, &t), OC_OK);
}

static struct login_counts look(struct db *db, const struct login_subjects *s)
{
	struct trying t = { .s = s, .now = NOW, .only_looks = true };

	cr_assert_eq(db_transact(db, try_once, &t), OC_OK);
	return t.counts;
}

#define EXPECT(s, known, by_number, by_address, by_pair) do { \
	struct login_counts c = look(db, &(s)); \
	cr_expect(c.is_known == (known) && c.number.n == (by_number) && c.address.n == (by_address) && c.pair.n == (by_pair), \
		"%d %llu %llu %llu", c.is_known, (unsigned long long)c.number.n, (unsigned long long)c.address.n, (unsigned long long)c.pair.n); \
} while (0)

Test(login, counted_by_number_and_by_address, .init = set_up)
{
	struct db *db = open_counters();

	EXPECT(here, false, 0, 0, 0);
	for (int i = 0; i < 3; i++)
		fail_at(db, &here, NOW);
	EXPECT(here, false, 3, 3, 0);
	EXPECT(elsewhere, false, 3, 0, 0);
	EXPECT(other, false, 0, 3, 0);
	EXPECT(nowhere, false, 3, 0, 0);
	fail_at(db, &elsewhere, NOW);
	fail_at(db, &other, NOW);
	fail_at(db, &nowhere, NOW);
	EXPECT(here, false, 5, 4, 0);
	cr_expect_eq(look(db, &here).number.at, NOW);
	db_free(db);
}

Test(login, a_right_one_ends_it_and_makes_the_pair_known, .init = set_up)
{
	struct db *db = open_counters();

	for (int i = 0; i < 3; i++)
		fail_at(db, &here, NOW);
	pass(db, &here);
	EXPECT(here, true, 0, 0, 0);
	EXPECT(elsewhere, false, 0, 0, 0);
	/* of the address its own try is taken back, and no more */
	EXPECT(other, false, 0, 2, 0);
	/* from then on it is counted by itself, and leaves the others alone */
	fail_at(db, &here, NOW);
	fail_at(db, &elsewhere, NOW);
	fail_at(db, &other, NOW);
	EXPECT(here, true, 0, 0, 1);
	EXPECT(elsewhere, false, 1, 1, 0);
	EXPECT(other, false, 1, 3, 0);
	pass(db, &here);
	EXPECT(here, true, 0, 0, 0);
	EXPECT(elsewhere, false, 1, 1, 0);
	EXPECT(other, false, 1, 3, 0);
	/* where no address is known, nothing is remembered */
	pass(db, &nowhere);
	EXPECT(nowhere, false, 0, 0, 0);
	EXPECT(elsewhere, false, 0, 1, 0);
	db_free(db);
}

Test(login, a_quarter_of_an_hour_later_it_begins_anew, .init = set_up)
{
	struct db *db = open_counters();

	for (int i = 0; i < 3; i++)
		fail_at(db, &here, NOW - 15 * MINUTE + 1);
	fail_at(db, &here, NOW);
	EXPECT(here, false, 4, 4, 0);
	text(db, "DELETE FROM login_failures");
	for (int i = 0; i < 3; i++)
		fail_at(db, &here, NOW - 15 * MINUTE);
	fail_at(db, &here, NOW);
	EXPECT(here, false, 1, 1, 0);
	db_free(db);
}

Test(login, what_is_refused_is_not_counted, .init = set_up)
{
	struct db *db = open_counters();

	fail_at(db, &here, NOW);
	for (int i = 0; i < 3; i++)
		look(db, &here);
	EXPECT(here, false, 1, 1, 0);
	db_free(db);
}

static enum outcome hold_counter(struct db *db, void *ctx)
{
	struct holder *h = ctx;
	struct login_counts counts;
	char c = 'x';
	enum outcome oc = db_login_look(db, &here, NOW, &counts);

	return oc == OC_OK && write(h->to_parent, &c, 1) == 1 && read(h->from_parent, &c, 1) >= 0 ? oc : OC_REFUSED;
}

/* Also where there was no row before: nobody else looks until the first one has counted. */
Test(login, one_looks_at_a_time, .init = set_up)
{
	struct db *db = open_counters();
	struct trying t = { .s = &elsewhere, .now = NOW };
	int up[2], down[2];
	char c;

	conf.db_replays = 0;
	cr_assert(pipe(up) == 0 && pipe(down) == 0);
	pid_t child = fork();
	if (child == 0) {
		struct holder h = { up[1], down[0] };
		close(down[1]);
		_exit(db_transact(db_new(&conf), hold_counter, &h) == OC_OK ? 0 : 1);
	}
	close(down[0]);
	cr_assert_eq(read(up[0], &c, 1), 1);
	cr_expect_eq(db_transact(db, try_once, &t), OC_BUSY, "the number's row is somebody's");
	close(down[1]);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_expect_eq(db_transact(db, try_once, &t), OC_OK);
	db_free(db);
}

Test(login, pruned, .init = set_up)
{
	struct db *db = open_counters();
	uint64_t n;

	text(db, "INSERT INTO login_failures VALUES (1, 'old', 5, '2026-09-21 13:58:20.123455'), (1, 'new', 5, '2026-09-21 13:58:20.123456'),"
		" (2, 'old', 5, '2026-09-21 13:58:20'), (2, 'new', 5, '2026-09-21 14:13:20'), (3, 'old', 0, '2026-06-23 14:13:20'),"
		" (3, 'new', 5, '2026-06-23 14:13:21'), (3, 'newer', 5, '2026-09-21 14:13:20')");
	cr_assert_eq(db_login_prune(db, NOW, 10, &n), OC_OK);
	cr_expect_eq(n, 3);
	cr_expect_eq(ask("SELECT COUNT(*) FROM login_failures WHERE subject = 'old'"), 0);
	cr_expect_eq(ask("SELECT COUNT(*) FROM login_failures"), 4);
	text(db, "UPDATE login_failures SET at = '2020-01-01'");
	cr_assert_eq(db_login_prune(db, NOW, 1, &n), OC_OK);
	cr_expect_eq(n, 3, "one of each kind");
	cr_assert_eq(db_login_prune(db, NOW, 1, &n), OC_OK);
	cr_expect_eq(n, 1);
	db_free(db);
}
