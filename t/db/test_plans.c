/* test_plans.c - how the server means to find the rows of each statement, with tables as full as a town's shops make them.
 * Owns: what a plan may not hold. Does not own: the statements (db_sql.c). Run it by t/with-mariadb, with -j1. */
#include "db_test.h"

#include <mysql.h>

#include "arena.h"
#include "db_sql.h"

#define GROUPS 3	/* how often a statement's {…|sep} group stands */

/* These walk an index from its end and stop at their LIMIT, so that a walk of all of it is none. */
static const enum sql walks[] = { SQL_USER_LIST, SQL_SHOP_LIST, SQL_OUTBOX_FETCH, SQL_OUTBOX_COUNT, SQL_OUTBOX_SWEEP, SQL_EVENTS_OLDEST,
	SQL_EVENT_DELETE, SQL_EVENTS_FROM, SQL_IDEM_PRUNE };
/* What changed since is found by that, and is not much; that it was placed earlier can't be had from the same index. */
static const enum sql sorts[] = { SQL_LIST_SHOP_SINCE };
/* Tables with a row for each push instance, refusal, migration: read as a whole. */
static const char *const small[] = { "push_cursors", "push_refusals", "schema_migrations", "relay_lease", "tables" };

static MYSQL *my;

static void tell(const char *sql)
{
	cr_assert_eq(mysql_query(my, sql), 0, "%s: %s", sql, mysql_error(my));
	MYSQL_RES *rows = mysql_store_result(my);
	if (rows)
		mysql_free_result(rows);
}

static void fill_tables(void)
{
	static const char *const rows[] = {
		"INSERT INTO users (id, full_name, phone_number, role, created_at) SELECT seq, 'U', CONCAT('+9', seq), 'customer', NOW() FROM seq_1_to_5000",
		"INSERT INTO shops (id, owner_id, name, timezone, created_at, updated_at) SELECT seq, seq, 'S', 'UTC', NOW(), NOW() FROM seq_1_to_500",
		"INSERT INTO products (shop_id, name, price, stock, created_at, updated_at) SELECT 1 + seq MOD 500, 'P', 1, 9, NOW(), NOW() FROM seq_1_to_10000",
		"INSERT INTO orders (shop_id, customer_id, customer_name, status, order_type, created_at, updated_at, scheduled_pickup_time)"
		" SELECT IF(seq MOD 2, 1, 1 + seq MOD 500), 1 + seq MOD 5000, 'C', ELT(1 + seq MOD 3, 'pending', 'confirmed', 'picked_up'),"
		" IF(seq MOD 5, 'instant', 'pre_order'), NOW() - INTERVAL seq SECOND, NOW() - INTERVAL seq SECOND,"
		" IF(seq MOD 5, NULL, NOW() + INTERVAL seq SECOND) FROM seq_1_to_40000",
		"INSERT INTO order_deadlines SELECT seq, NOW() + INTERVAL seq SECOND FROM seq_1_to_5000",
		"INSERT INTO order_items SELECT id, 1, 1, 'P', 1, 1, NULL, 0 FROM orders",
		"INSERT INTO order_history SELECT id, 1, status, NULL, 1, 1, 'customer', NOW() FROM orders",
		"INSERT INTO idempotency_keys (customer_id, idem_key, body_hash, order_id, answer, created_at) SELECT 1 + seq MOD 5000, seq, '', seq, '', NOW() - INTERVAL seq SECOND FROM seq_1_to_20000",
		"INSERT INTO outbox SELECT seq, 1, 1 + seq MOD 500, 1, seq, 1, NOW(), '{}' FROM seq_1_to_20000",
		"INSERT INTO events SELECT 1, 1 + seq MOD 500, 1 + seq DIV 500, seq, seq, 1 + seq MOD 500, NOW(), '{}' FROM seq_1_to_20000",
		"INSERT INTO channel_floors SELECT 2, seq, 1 FROM seq_1_to_5000",
		"INSERT INTO channel_closes SELECT seq, 1, 1 + seq MOD 500, NOW() FROM seq_1_to_5000",
		"INSERT INTO shop_staff SELECT 1 + seq MOD 500, 1 + seq MOD 5000, 1, NOW(), 0 FROM seq_1_to_5000",
		"INSERT INTO login_failures SELECT 1 + seq MOD 3, MD5(seq), 1, NOW() - INTERVAL seq SECOND FROM seq_1_to_20000",
		"INSERT INTO uploads SELECT CONCAT(MD5(seq), '.jpg'), 1 + seq MOD 5000, 1, IF(seq MOD 10, seq, NULL), NOW() - INTERVAL seq SECOND FROM seq_1_to_20000",
		("ANALYZE TABLE login_failures, uploads, shop_staff, users, shops, products, orders, order_items, order_history, order_deadlines, idempotency_keys, outbox, events,"
		" channel_floors, channel_closes"),
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		tell(rows[i]);
}

static void empty_tables(void)
{
	static const char *const tables[] = { "order_items", "order_history", "order_deadlines", "orders", "idempotency_keys", "outbox", "events",
		"channel_floors", "channel_closes", "login_failures", "uploads", "products", "shop_staff", "shops", "users" };
	char sql[64];
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		snprintf(sql, sizeof sql, "DELETE FROM %s", tables[i]);
		tell(sql);
	}
}

/* Not as a test's .init, where what fails is told as a signal, or not at all. */
static void begin(void)
{
	db_free(open_schema());
	my = mysql_init(NULL);
	cr_assert(mysql_real_connect(my, NULL, "root", NULL, "pickup", 0, getenv("PICKUP_TEST_SOCKET"), 0), "%s", mysql_error(my));
	empty_tables();
	fill_tables();
}

static void end(void)
{
	empty_tables();
	mysql_close(my);
}

/* ---- a statement with values ---- */

static const char *value_of(char type)
{
	switch (type) {
	case 's': return "'pending'";
	case 't': return "'2026-01-01'";
	default: return "7";
	}
}

/* One place of text; the value goes where the ? stands. Braces of params go with those of text. */
static void put(struct buf *b, char c, const char **param)
{
	if (c != '?') {
		buf_addc(b, c);
		return;
	}
	while (**param == '{' || **param == '}')
		(*param)++;
	cr_assert(**param, "a ? without a parameter");
	buf_adds(b, value_of(*(*param)++));
}

static void put_group(struct buf *b, const char *text, size_t len, const char **param)
{
	const char *first = *param, *bar = memchr(text, '|', len);
	for (int n = 0; n < GROUPS; n++) {
		*param = first;
		for (const char *c = text; c < bar; c++)
			put(b, *c, param);
		for (const char *c = bar + 1; n < GROUPS - 1 && c < text + len; c++)
			buf_addc(b, *c);
	}
}

static struct str with_values(struct arena *a, const struct sql_statement *s)
{
	struct buf b = BUF_IN(a);
	const char *param = s->params;
	buf_adds(&b, "EXPLAIN ");
	for (const char *c = s->text; *c; c++) {
		if (*c != '{') {
			put(&b, *c, &param);
			continue;
		}
		const char *end = strchr(c, '}');
		put_group(&b, c + 1, (size_t)(end - c - 1), &param);
		c = end;
	}
	return buf_str(&b);
}

/* ---- judging ---- */

static bool is_in(const enum sql *ids, size_t n, enum sql id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Also what the server made itself, of few rows. */
static bool is_small(const char *table)
{
	for (size_t i = 0; i < sizeof small / sizeof *small; i++)
		if (!strcmp(table, small[i]))
			return true;
	return *table == '<';
}

/* A line of the plan: id, select_type, table, type, possible_keys, key, key_len, ref, rows, Extra. */
static const char *fault_of(enum sql id, MYSQL_ROW row)
{
	const char *table = row[2] ? row[2] : "<none>", *type = row[3] ? row[3] : "", *extra = row[9] ? row[9] : "";
	if (is_small(table))
		return NULL;
	if (!strcmp(type, "ALL"))
		return "reads the whole table";
	if (!strcmp(type, "index") && !is_in(walks, sizeof walks / sizeof *walks, id))
		return "reads the whole index";
	if (strstr(extra, "filesort") && !is_in(sorts, sizeof sorts / sizeof *sorts, id))
		return "sorts what an index has in order";
	if (strstr(extra, "temporary"))
		return "copies into a temporary table";
	return NULL;
}

static void judge(enum sql id)
{
	const struct sql_statement *s = &sql_statements[id];
	struct arena *a = arena_new();
	struct str explain = with_values(a, s);
	cr_assert_eq(mysql_real_query(my, explain.s, explain.len), 0, "%s: %s", explain.s, mysql_error(my));
	MYSQL_RES *plan = mysql_store_result(my);
	for (MYSQL_ROW row; plan && (row = mysql_fetch_row(plan)); ) {
		const char *fault = fault_of(id, row);
		cr_expect_null(fault, "%s: %s %s (type %s, key %s, %s rows, %s)", s->name, row[2], fault, row[3], row[5], row[8], row[9]);
	}
	mysql_free_result(plan);
	arena_free(a);
}

/* Not those that look for no rows: INSERTs of values, COMMIT. */
static bool is_explained(enum sql id)
{
	const char *text = sql_statements[id].text;
	bool inserts_values = !strncmp(text, "INSERT", 6) && !strstr(text, " SELECT ");
	/* Once after a disaster, and about everything that there is. */
	bool is_of_all = id == SQL_RESTORED_NEXT_IDS || id == SQL_RESTORED_SKIP_NUMBERS || id == SQL_RESTORED_END_TOKENS;
	return !inserts_values && *text != '{' && id != SQL_COMMIT && !is_of_all;
}

Test(plans, each_statement_finds_its_rows_by_an_index, .init = set_up, .timeout = 60)
{
	begin();
	for (int id = 0; id < SQL__MAX; id++)
		if (is_explained((enum sql)id))
			judge((enum sql)id);
	end();
}

/* That it can be red. */
Test(plans, a_scan_and_a_sort_are_noticed, .init = set_up, .timeout = 60)
{
	begin();
	static const struct { const char *sql, *fault; } bad[] = {
		{ "EXPLAIN SELECT * FROM orders WHERE order_notes = 'x'", "reads the whole table" },
		{ "EXPLAIN SELECT customer_id FROM orders", "reads the whole index" },
		{ "EXPLAIN SELECT * FROM orders WHERE customer_id = 7 ORDER BY total_amount", "sorts what an index has in order" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert_eq(mysql_query(my, bad[i].sql), 0);
		MYSQL_RES *plan = mysql_store_result(my);
		cr_expect_str_eq(fault_of(SQL_ORDER_GET, mysql_fetch_row(plan)), bad[i].fault, "%s", bad[i].sql);
		mysql_free_result(plan);
	}
	end();
}
