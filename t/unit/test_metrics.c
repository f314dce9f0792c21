/* test_metrics.c - the shared file of counters: slots outlive their owners, and a stranger's file is left alone.
 * Owns: tests of metrics*.c in one process; those of many are in t/stack/test_metrics.py. Used by: make check. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metrics.h"

static char dir[] = "/tmp/pickup-m.XXXXXX", path[64];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/metrics", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static struct metrics *came(enum metrics_role role, uint64_t meaning)
{
	struct metrics *m = metrics_new(role, meaning);
	metrics_keep(m, path, 0);
	return m;
}

static uint64_t told(struct metrics *m, struct metrics_sum *sum)
{
	cr_assert_eq(metrics_read(m, sum), OC_OK);
	return metrics_get(&sum->all.rows[3].bucket[0][0]);
}

static struct metrics_sum sum;

Test(metrics, a_slot_is_taken_over_with_what_was_counted, .init = make_dir, .fini = remove_dir)
{
	struct metrics *one = came(METRICS_WORKER, 1), *two = came(METRICS_WORKER, 1), *visitor = came(METRICS_VISITOR, 1);
	cr_assert_neq(metrics_own(one), metrics_own(two));
	metrics_request(one, 3, 200, 500, 20, 2);
	metrics_request(two, 3, 204, 1000, 20, 2);
	metrics_set(&metrics_own(one)->in_hand, 1);
	cr_expect_eq(told(visitor, &sum), 2);
	cr_expect(sum.workers == 2 && sum.busy == 1 && sum.relays == 0);
	metrics_free(one);
	cr_expect_eq(told(two, &sum), 2);
	cr_expect(sum.workers == 1 && sum.busy == 0);
	struct metrics *three = came(METRICS_RELAY, 0);
	metrics_add(&metrics_own(three)->published, 5);
	cr_expect_eq(told(visitor, &sum), 2);
	cr_expect(sum.workers == 1 && sum.relays == 1 && metrics_get(&sum.all.published) == 5 && metrics_get(&sum.all.starts[METRICS_WORKER]) == 2);
	metrics_free(two);
	metrics_free(three);
	cr_expect_eq(told(visitor, &sum), 2);
	cr_expect(sum.workers == 0 && sum.relays == 0);
	metrics_free(visitor);
}

Test(metrics, buckets_and_classes, .init = make_dir, .fini = remove_dir)
{
	static const struct { int status; int64_t us; unsigned class, bucket; } cases[] = {
		{ 200, 0, 0, 0 }, { 299, 1000, 0, 0 }, { 304, 1001, 1, 1 }, { 404, 2000000, 2, 7 }, { 503, 2000001, 3, 8 }, { 0, 1, 3, 0 }, { 600, 1, 3, 0 },
	};
	struct metrics *m = came(METRICS_WORKER, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const metrics_count *c = &metrics_own(m)->rows[i].bucket[cases[i].class][cases[i].bucket];
		metrics_request(m, (unsigned)i, cases[i].status, cases[i].us, 0, 0);
		cr_expect_eq(metrics_get(c), 1, "%d", cases[i].status);
	}
	metrics_request(m, 100000, 200, 0, 0, 0);
	cr_expect_eq(metrics_get(&metrics_own(m)->rows[METRICS_ROWS - 1].bucket[0][0]), 1);
	metrics_free(m);
}

Test(metrics, without_a_file_it_counts_for_nobody, .init = make_dir, .fini = remove_dir)
{
	struct metrics *m = metrics_new(METRICS_WORKER, 1), *relay = came(METRICS_RELAY, 0);
	metrics_keep(m, "", 0);
	metrics_request(m, 3, 200, 1, 1, 1);
	cr_expect_eq(metrics_read(m, &sum), OC_NOT_FOUND);
	/* Only workers know what the rows are. */
	cr_expect_eq(access(path, F_OK), -1);
	cr_expect_eq(metrics_read(relay, &sum), OC_NOT_FOUND);
	metrics_keep(m, path, 0);
	cr_expect_eq(told(m, &sum), 0);
	metrics_keep(relay, path, 500000);
	cr_expect_eq(metrics_read(relay, &sum), OC_NOT_FOUND, "too soon");
	metrics_keep(relay, path, 2000000);
	cr_expect_eq(metrics_read(relay, &sum), OC_OK);
	metrics_free(m);
	metrics_free(relay);
}

Test(metrics, another_meaning, .init = make_dir, .fini = remove_dir)
{
	struct metrics *old = came(METRICS_WORKER, 1), *new, *late;
	metrics_request(old, 3, 200, 1, 1, 1);
	cr_expect_eq(told(old, &sum), 1);
	new = came(METRICS_WORKER, 2);
	cr_expect_eq(told(new, &sum), 0, "the one who starts replaces it");
	metrics_keep(old, path, 4000000);
	cr_expect_eq(metrics_read(old, &sum), OC_OK, "not looked yet");
	metrics_keep(old, path, 6000000);
	cr_expect_eq(metrics_read(old, &sum), OC_CONFLICT, "who runs does not");
	late = came(METRICS_VISITOR, 1);
	cr_expect_eq(metrics_read(late, &sum), OC_CONFLICT);
	cr_expect_eq(told(new, &sum), 0);
	metrics_free(old);
	metrics_free(new);
	metrics_free(late);
}

Test(metrics, what_others_may_write_is_not_mapped, .init = make_dir, .fini = remove_dir)
{
	int fd = open(path, O_CREAT | O_RDWR, 0600);
	cr_assert(fd >= 0 && fchmod(fd, 0622) == 0);
	close(fd);
	struct metrics *m = came(METRICS_WORKER, 1);
	cr_expect_eq(metrics_read(m, &sum), OC_DOWN);
	metrics_free(m);
}

/* Killed amid anything, by a signal that nobody can catch. */
Test(metrics, deaths_lose_nothing, .init = make_dir, .fini = remove_dir)
{
	struct metrics *m = came(METRICS_VISITOR, 1);
	uint64_t before = 0;
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		if (child == 0) {
			struct metrics *its = came(METRICS_WORKER, 1);
			for (;;)
				metrics_request(its, 3, 200, 1, 1, 1);
		}
		usleep(5000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		metrics_keep(m, path, (i + 1) * 2000000L);
		uint64_t now = told(m, &sum);
		cr_expect_geq(now, before);
		cr_expect_eq(sum.workers, 0);
		before = now;
	}
	cr_expect_gt(before, 0);
	metrics_free(m);
}
