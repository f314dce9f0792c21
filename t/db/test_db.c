/* test_db.c - the database layer against a real server: statements, values, rows. Run it by t/with-mariadb, with -j1. */
#include "db_test.h"

static void fail_report(void *ctx, const char *statement, const char *why)
{
	++*(int *)ctx;
	fprintf(stderr, "%s: %s\n", statement, why);
}

Test(db, every_statement_prepares_as_its_signature_says, .init = set_up)
{
	struct db *db = open_schema();
	int faults = 0;

	cr_expect_eq(db_check_statements(db, fail_report, &faults), OC_OK);
	cr_expect_eq(faults, 0);
	db_free(db);
	NO_LEAKS();
}

static void swallow_report(void *ctx, const char *statement, const char *why)
{
	(void)why;
	if (strcmp(statement, "SQL_CURSOR_GET") == 0)
		++*(int *)ctx;
}

Test(db, a_statement_that_does_not_fit_is_reported, .init = set_up)
{
	struct db *db = open_schema();
	int faults = 0;

	text(db, "RENAME TABLE push_cursors TO elsewhere");
	cr_expect_eq(db_check_statements(db, swallow_report, &faults), OC_BAD);
	cr_expect_eq(faults, 1);
	/* the right count of columns, the wrong kind */
	text(db, "CREATE TABLE push_cursors (instance VARCHAR(255) NOT NULL PRIMARY KEY, pub_no VARCHAR(20) NOT NULL)");
	cr_expect_eq(db_check_statements(db, swallow_report, &faults), OC_BAD);
	cr_expect_eq(faults, 2);
	text(db, "DROP TABLE push_cursors");
	text(db, "RENAME TABLE elsewhere TO push_cursors");
	db_free(db);
	NO_LEAKS();
}

struct got_user { int n; uint64_t id; char name[64], phone[32]; bool email_none; instant at; int64_t active; };

static enum outcome take_user(void *ctx, const struct db_val *v)
{
	struct got_user *g = ctx;
	struct str name = db_get_text(&v[1]), phone = db_get_text(&v[2]);

	g->n++;
	g->id = db_get_uint(&v[0]);
	snprintf(g->name, sizeof g->name, "%.*s", STR_FMT(name));
	snprintf(g->phone, sizeof g->phone, "%.*s", STR_FMT(phone));
	g->email_none = db_get_text(&v[3]).s == NULL;
	g->active = db_get_int(&v[6]);
	g->at = db_get_time(&v[7]);
	return OC_OK;
}

Test(db, values_come_back_as_they_went_in, .init = set_up)
{
	static const instant times[] = { 0, INT64_C(1700000000123456), INT64_C(951782399999999), INT64_C(-62135596800000000) + 86400 * INSTANT_SECOND,
		INT64_C(253402300799999999) };
	struct db *db = open_schema();

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char phone[20];
		struct db_done done;
		struct got_user g = { 0 };

		snprintf(phone, sizeof phone, "+%zu", 5550000 + i);
		cr_assert_eq(db_run(db, SQL_USER_INSERT, 0, (struct db_val[]){ db_text(STR("Zo\xc3\xab \xf0\x9f\x98\x80 'x'")), db_text(str_from(phone)),
			db_null(), db_null(), db_text(STR("customer")), db_time(times[i]) }, 6, NULL, NULL, &done), OC_OK);
		cr_assert_eq(done.affected, 1);
		cr_assert_eq(db_run(db, SQL_USER_GET, 0, (struct db_val[]){ db_uint(done.insert_id) }, 1, take_user, &g, NULL), OC_OK);
		cr_expect_eq(g.n, 1);
		cr_expect_eq(g.id, done.insert_id);
		cr_expect_str_eq(g.name, "Zo\xc3\xab \xf0\x9f\x98\x80 'x'");
		cr_expect_str_eq(g.phone, phone);
		cr_expect(g.email_none);
		cr_expect_eq(g.active, 1);
		cr_expect_eq(g.at, times[i], "row %zu: %lld", i, (long long)g.at);
	}
	db_free(db);
	NO_LEAKS();
}

struct got_text { struct str hash, answer; int n; };

static enum outcome compare_text(void *ctx, const struct db_val *v)
{
	struct got_text *g = ctx;

	struct str hash = db_get_text(&v[0]), answer = db_get_text(&v[2]);

	g->n++;
	cr_assert(str_eq(hash, g->hash), "%zu bytes", hash.len);
	cr_assert(str_eq(answer, g->answer), "%zu bytes", answer.len);
	return OC_OK;
}

/* Bytes that are no UTF-8 (the key), and texts from nothing to far above the first buffer, up and down. */
Test(db, long_texts_and_bytes, .init = set_up)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 257, 2000, 300, 70000, 5, 1000000, 0, 256 };
	struct db *db = open_schema();
	char *answer = malloc(1000000), key[255];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (char)(255 - i);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct got_text g = { STR("hash"), { answer, sizes[i] }, 0 };
		const struct db_val row[] = { db_uint(7), db_text((struct str){ key, sizeof key - i }), db_text(g.hash), db_uint(1),
			db_text(g.answer), db_time(0) };

		memset(answer, 'a' + (int)i, sizes[i]);
		cr_assert_eq(db_run(db, SQL_IDEM_INSERT, 0, row, 6, NULL, NULL, NULL), OC_OK, "%zu: %s", sizes[i], db_error_text(db));
		cr_assert_eq(db_run(db, SQL_IDEM_GET, 0, row, 2, compare_text, &g, NULL), OC_OK);
		cr_assert_eq(g.n, 1, "%zu", sizes[i]);
	}
	free(answer);
	db_free(db);
	NO_LEAKS();
}

static enum outcome take_product(void *ctx, const struct db_val *v)
{
	*(money *)ctx = db_get_money(&v[5]);
	cr_expect_eq(v[6].type, DB_NULL);
	return OC_OK;
}

Test(db, money_is_exact, .init = set_up)
{
	static const money amounts[] = { 0, 1, 10, 99, 100, 12050, 9999999999 };
	struct db *db = open_schema();
	struct db_done user, shop, product;

	cr_assert_eq(add_user(db, "1", &user), OC_OK);
	cr_assert_eq(db_run(db, SQL_SHOP_INSERT, 0, (struct db_val[]){ db_uint(user.insert_id), db_text(STR("s")), db_text(STR("UTC")), db_text(STR("INR")),
		db_null(), db_null(), db_time(0), db_time(0) }, 8, NULL, NULL, &shop), OC_OK);
	for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
		money m = -1;

		cr_assert_eq(db_run(db, SQL_PRODUCT_INSERT, 0, (struct db_val[]){ db_uint(shop.insert_id), db_text(STR("p")), db_null(), db_null(),
			db_money(amounts[i]), db_null(), db_time(0), db_time(0) }, 8, NULL, NULL, &product), OC_OK);
		cr_assert_eq(db_run(db, SQL_PRODUCT_GET, 0, (struct db_val[]){ db_uint(product.insert_id) }, 1, take_product, &m, NULL), OC_OK);
		cr_expect_eq(m, amounts[i], "%lld: %lld", (long long)amounts[i], (long long)m);
	}
	db_free(db);
	NO_LEAKS();
}

struct got_outbox { uint64_t last; unsigned n; };

static enum outcome take_outbox(void *ctx, const struct db_val *v)
{
	struct got_outbox *g = ctx;
	struct str body = db_get_text(&v[7]);
	char want[32];

	snprintf(want, sizeof want, "body %u", (unsigned)db_get_uint(&v[4]));
	cr_expect(str_is(body, want), "%.*s", STR_FMT(body));
	cr_expect_gt(db_get_uint(&v[0]), g->last);
	g->last = db_get_uint(&v[0]);
	g->n++;
	return OC_OK;
}

/* Every count of repetitions, those that are cached and those that are not; groups in the middle of the parameters. */
Test(db, groups_repeat, .init = set_up)
{
	struct db *db = open_schema();

	for (unsigned reps = 1; reps <= 40; reps += reps < 18 ? 1 : 11) {
		struct db_val v[40 * 7], ids[40];
		char bodies[40][32];
		struct db_done done;
		struct got_outbox g = { 0, 0 };

		for (unsigned i = 0; i < reps; i++) {
			snprintf(bodies[i], sizeof bodies[i], "body %u", i);
			memcpy(&v[i * 7], (struct db_val[]){ db_uint(1), db_uint(2), db_uint(3), db_uint(i), db_uint(1), db_time(0),
				db_text(str_from(bodies[i])) }, 7 * sizeof *v);
		}
		cr_assert_eq(db_run(db, SQL_OUTBOX_INSERT, reps, v, (size_t)reps * 7, NULL, NULL, &done), OC_OK);
		cr_expect_eq(done.affected, reps);
		cr_assert_eq(db_run(db, SQL_OUTBOX_FETCH, 0, (struct db_val[]){ db_uint(100) }, 1, take_outbox, &g, NULL), OC_OK);
		cr_expect_eq(g.n, reps);
		for (unsigned i = 0; i < reps; i++)
			ids[i] = db_uint(done.insert_id + i);
		cr_assert_eq(db_run(db, SQL_OUTBOX_DELETE, reps, ids, reps, NULL, NULL, &done), OC_OK);
		cr_expect_eq(done.affected, reps);
	}
	db_free(db);
	NO_LEAKS();
}

Test(db, affected_counts_rows_that_matched, .init = set_up)
{
	struct db *db = open_schema();
	struct db_done done;
	const struct db_val user[] = { db_text(STR("Kiran Kumar")), db_text(STR("77")), db_null(), db_null(), db_text(STR("customer")), db_int(1) };
	struct db_val v[8];

	cr_assert_eq(add_user(db, "77", &done), OC_OK);
	memcpy(v, user, sizeof user);
	v[6] = db_null();
	v[7] = db_uint(done.insert_id);
	cr_assert_eq(db_run(db, SQL_USER_UPDATE, 0, v, 8, NULL, NULL, &done), OC_OK);
	cr_expect_eq(done.affected, 1);
	v[7] = db_uint(done.insert_id + 1000000);
	cr_assert_eq(db_run(db, SQL_USER_UPDATE, 0, v, 8, NULL, NULL, &done), OC_OK);
	cr_expect_eq(done.affected, 0);
	db_free(db);
}

Test(db, wrong_calls_are_refused, .init = set_up)
{
	struct db *db = open_schema();

	log_set_level(LOG_ERROR);
	cr_expect_eq(db_run(db, SQL_USER_GET, 0, (struct db_val[]){ db_int(1) }, 1, NULL, NULL, NULL), OC_BAD, "i for u");
	cr_expect_eq(db_run(db, SQL_USER_GET, 0, (struct db_val[]){ db_text(STR("1")) }, 1, NULL, NULL, NULL), OC_BAD, "s for u");
	cr_expect_eq(db_run(db, SQL_USER_GET, 0, NULL, 0, NULL, NULL, NULL), OC_BAD, "too few");
	cr_expect_eq(db_run(db, SQL_USER_GET, 1, (struct db_val[]){ db_uint(1) }, 1, NULL, NULL, NULL), OC_BAD, "no group to repeat");
	cr_expect_eq(db_run(db, SQL_OUTBOX_DELETE, 0, NULL, 0, NULL, NULL, NULL), OC_BAD, "a group never");
	cr_expect_eq(add_user(db, "a text too long for its column", NULL), OC_BAD, "strict mode");
	cr_expect_eq(add_user(db, "1", NULL), OC_OK, "usable afterwards");
	cr_expect_eq(add_user(db, "1", NULL), OC_CONFLICT);
	db_free(db);
	NO_LEAKS();
}

struct stopper { unsigned n, stop; enum outcome oc; struct db *inner; enum outcome inner_oc; };

static enum outcome stop_at(void *ctx, const struct db_val *v)
{
	struct stopper *s = ctx;

	(void)v;
	if (s->inner)
		s->inner_oc = db_run(s->inner, SQL_PING, 0, NULL, 0, NULL, NULL, NULL);
	return ++s->n == s->stop ? s->oc : OC_OK;
}

Test(db, a_row_function_may_end_the_query_but_not_use_the_connection, .init = set_up)
{
	struct db *db = open_schema();
	struct stopper s = { 0, 2, OC_REFUSED, NULL, OC_OK };
	const struct db_val page[] = { db_uint(0), db_uint(1000) };

	for (int i = 0; i < 50; i++) {
		char phone[20];

		snprintf(phone, sizeof phone, "%d", i);
		cr_assert_eq(add_user(db, phone, NULL), OC_OK);
	}
	cr_expect_eq(db_run(db, SQL_USER_LIST, 0, page, 2, stop_at, &s, NULL), OC_REFUSED);
	cr_expect_eq(s.n, 2);
	cr_expect_eq(users(db), 50, "the rest of the rows was thrown away");
	s = (struct stopper){ 0, 1, OC_NOT_FOUND, db, OC_OK };
	cr_expect_eq(db_run(db, SQL_USER_LIST, 0, page, 2, stop_at, &s, NULL), OC_NOT_FOUND);
	cr_expect_eq(s.inner_oc, OC_BAD);
	cr_expect_eq(users(db), 50);
	db_free(db);
	NO_LEAKS();
}

static long memory_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kib = 0, n;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Private_Dirty: %ld", &n) == 1)
			kib += n;
	if (f)
		fclose(f);
	return kib;
}

static enum outcome mixed(struct db *db, void *ctx)
{
	struct db_val v[3 * 7];
	unsigned i = *(unsigned *)ctx, reps = 1 + i % 3;
	enum outcome oc;

	for (unsigned k = 0; k < reps; k++)
		memcpy(&v[k * 7], (struct db_val[]){ db_uint(1), db_uint(2), db_uint(3), db_uint(k), db_uint(1), db_time(0), db_text(STR("body")) },
			7 * sizeof *v);
	oc = db_run(db, SQL_OUTBOX_INSERT, reps, v, (size_t)reps * 7, NULL, NULL, NULL);
	return oc == OC_OK && i % 5 == 0 ? OC_REFUSED : oc;
}

Test(db, memory_stays_flat, .init = set_up)
{
	struct db *db = open_schema();
	unsigned rounds = WATCHED ? 5000 : 100000, n = 0;
	long at_start = 0, at_end;

	for (unsigned i = 0; i < rounds; i++) {
		if (i == rounds / 10)
			at_start = memory_kib();
		cr_assert_eq(db_run(db, SQL_USER_LIST, 0, (struct db_val[]){ db_uint(0), db_uint(5) }, 2, count_row, &n, NULL), OC_OK);
		if (i % 10 == 0)
			cr_assert_eq(db_transact(db, mixed, &i), i % 5 ? OC_OK : OC_REFUSED);
		if (i % 100 == 0)
			text(db, "DELETE FROM outbox");
	}
	at_end = memory_kib();
	/* a sanitizer's quarantine is no measure */
	cr_expect(WATCHED || at_end <= at_start + 64, "%ld KiB, then %ld KiB", at_start, at_end);
	db_free(db);
	NO_LEAKS();
}

Test(db, option_files_are_checked, .init = set_up)
{
	static const struct { const char *text; mode_t mode; bool ok; } rows[] = {
		{ "[pickup]\nuser=x\n", 0600, true },
		{ "# c\n[client]\n\n  [pickup] \r\n", 0640, true },
		{ "[pickup]\n", 0644, false },
		{ "[pickup]\n", 0602, false },
		{ "[client]\nuser=[pickup]\n", 0600, false },
		{ "#[pickup]\n", 0600, false },
		{ "", 0600, false },
	};
	char why[256];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char file[] = "/tmp/pk-option-XXXXXX";
		int fd = mkstemp(file);

		dprintf(fd, "%s", rows[i].text);
		fchmod(fd, rows[i].mode);
		close(fd);
		*why = '\0';
		cr_expect_eq(db_option_file_ok(file, why, sizeof why), rows[i].ok, "row %zu: %s", i, why);
		cr_expect(rows[i].ok || *why, "row %zu gives no reason", i);
		unlink(file);
	}
	cr_expect_not(db_option_file_ok("/nonexistent/x", why, sizeof why));
	cr_expect_not(db_option_file_ok("", why, sizeof why));
	cr_expect_not(db_option_file_ok("/tmp", why, sizeof why));
}
