/* db_sql.h - every SQL statement of the program by number; the texts stand in db_sql.c and nowhere else.
 * Owns: the enum and the table's form. */
#ifndef PICKUP_DB_SQL_H
#define PICKUP_DB_SQL_H

enum sql {
	/* who */
	SQL_USER_INSERT, SQL_USER_BY_PHONE, SQL_USER_GET, SQL_USER_LOCK, SQL_USER_LIST, SQL_USER_UPDATE,
	SQL_STANDING_GET, SQL_CLOSE_CHANNEL, SQL_CLOSE_CHANNELS_OF,
	/* how often passwords were wrong */
	SQL_LOGIN_KNOWN, SQL_LOGIN_ENSURE, SQL_LOGIN_LOOK, SQL_LOGIN_COUNT, SQL_LOGIN_REMEMBER, SQL_LOGIN_FORGET, SQL_LOGIN_TAKE_BACK, SQL_LOGIN_PRUNE,
	/* shops and products */
	SQL_SHOP_GET, SQL_SHOP_GET_LOCKED, SQL_SHOP_LIST, SQL_SHOP_LIST_OF, SQL_SHOP_INSERT, SQL_SHOP_UPDATE, SQL_SHOP_RULES_UPDATE,
	SQL_SHOP_TIES, SQL_STAFF_INSERT, SQL_STAFF_KNOW_PHONE, SQL_STAFF_LIST, SQL_STAFF_DELETE,
	SQL_PRODUCT_GET, SQL_PRODUCT_GET_LOCKED, SQL_PRODUCT_LIST, SQL_PRODUCT_INSERT, SQL_PRODUCT_UPDATE,
	/* placing */
	SQL_PLACE_LOOK, SQL_PLACE_LOOK_WHOLE, SQL_STOCK_TAKE, SQL_ORDER_INSERT, SQL_ITEM_INSERT, SQL_DEADLINE_INSERT, SQL_OUTBOX_INSERT_NEW, SQL_OUTBOX_INSERT,
	SQL_IDEM_GET, SQL_IDEM_REPLAYED, SQL_IDEM_INSERT,
	SQL_SLOT_COUNT, SQL_SLOT_COUNTS,
	/* reading and changing */
	SQL_ORDER_GET, SQL_ORDER_SEEN, SQL_ITEM_LIST, SQL_ORDER_LOCK, SQL_ORDER_UPDATE, SQL_DEADLINES_DUE, SQL_DEADLINE_DELETE, SQL_STOCK_GIVE,
	SQL_HISTORY_INSERT, SQL_HISTORY_LIST,
	SQL_LIST_SHOP_ONE, SQL_LIST_SHOP, SQL_LIST_SHOP_SINCE, SQL_LIST_CUSTOMER,
	/* photos */
	SQL_UPLOAD_CUSTOMER, SQL_UPLOAD_WAITING, SQL_UPLOAD_INSERT, SQL_UPLOAD_GET, SQL_UPLOAD_USE, SQL_UPLOAD_UNUSED, SQL_UPLOAD_LOOK, SQL_UPLOAD_DELETE,
	/* events */
	SQL_CHANNEL_LAST, SQL_EVENTS_AFTER,
	/* relay */
	SQL_LEASE_TAKE, SQL_LEASE_GET, SQL_OUTBOX_FETCH, SQL_OUTBOX_DELETE, SQL_OUTBOX_COUNT,
	SQL_PUB_LAST, SQL_EVENT_INSERT, SQL_OUTBOX_SWEEP, SQL_EVENTS_FROM,
	SQL_CURSOR_GET, SQL_CURSOR_LAG, SQL_CURSOR_SET, SQL_REFUSAL_INSERT, SQL_REFUSAL_COUNT,
	SQL_IDEM_PRUNE, SQL_EVENTS_OLDEST, SQL_EVENT_FLOOR, SQL_LEASE_FLOOR, SQL_EVENT_DELETE, SQL_REFUSAL_DELETE,
	SQL_CLOSES_FETCH, SQL_CLOSES_DELETE,
	/* health */
	SQL_COMMIT, SQL_PING, SQL_CLOCK, SQL_SERVER_VERSION, SQL_SERVER_SETTINGS, SQL_WRITE_PROBE, SQL_SCHEMA_VERSION,
	/* a database that was set back */
	SQL_RESTORED_NEXT_IDS, SQL_RESTORED_SKIP_NUMBERS, SQL_RESTORED_END_TOKENS,
	/* migrations */
	SQL_MIGRATIONS_EXIST, SQL_MIGRATIONS_LOCK, SQL_MIGRATION_LIST,
	SQL_MIGRATION_BEGIN, SQL_MIGRATION_RESUME, SQL_MIGRATION_STEP, SQL_MIGRATION_FAILED, SQL_MIGRATION_DONE,
	SQL__MAX
};

/* In text, every {…|sep} group stands reps times, separated by sep (the same reps for every group of a statement).
 * params and row: one letter a value, u uint64, i int64, s text, t instant, m money; braces in params stand around what a group takes. */
struct sql_statement {
	const char *name;
	const char *text;
	const char *params;
	const char *row;	/* "" for none */
	enum { SQL_READS, SQL_WRITES } kind;
};

extern const struct sql_statement sql_statements[SQL__MAX];

/* Creates the table that records the migrations, where it is missing. Not a row of the table: DDL is run as text. */
extern const char sql_migrations_create[];

/* Before the table, before the id. DDL as well. */
extern const char *const sql_restored_skip_ids[2];

/* The newest migration that these statements need. */
#define SQL_SCHEMA_NEEDED 7

#endif
