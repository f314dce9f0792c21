/* test_account.c - what statements say of an account: standings, ties to shops, channels to close; and that lists and orders look at them.
 * Run it by t/with-mariadb, with -j1. */
#include "db_test.h"

#include "arena.h"
#include "db_account.h"
#include "db_order.h"
#include "db_staff.h"
#include "db_user.h"

#define ENDED INT64_C(1790000000123456)	/* 2026-09-21 14:13:20.123456 */
#define OWNER ((struct user_id){ 1 })
#define STAFF ((struct user_id){ 2 })
#define OTHER ((struct user_id){ 3 })
#define NOBODY ((struct user_id){ 99 })

/* Users 1 to 3; shop 7 of 1, with 2 as staff; shop 8 of 3; order 1 in shop 7, by 3. */
static struct db *open_shops(void)
{
	struct db *db = open_schema();

	text(db, "DELETE FROM shop_staff");
	text(db, "DELETE FROM channel_closes");
	text(db, "DELETE FROM orders");
	for (int id = 1; id <= 3; id++) {
		char sql[200];
		snprintf(sql, sizeof sql, "INSERT INTO users (id, full_name, phone_number, role, created_at) VALUES (%d, 'U', '+%d', 'customer', NOW())", id, id);
		text(db, sql);
	}
	text(db, "INSERT INTO shops (id, owner_id, name, created_at, updated_at) VALUES (7, 1, 'A', NOW(), NOW()), (8, 3, 'B', NOW(), NOW())");
	text(db, "INSERT INTO shop_staff VALUES (7, 2, 1, NOW(), 0)");
	text(db, "INSERT INTO orders (id, shop_id, customer_id, customer_name, status, created_at, updated_at, items_json)"
		" VALUES (1, 7, 3, 'C', 'pending', NOW(), NOW(), '')");
	return db;
}

static void end_tokens(struct db *db, int user)
{
	char sql[100];

	snprintf(sql, sizeof sql, "UPDATE users SET tokens_ended_at = '2026-09-21 14:13:20.123456' WHERE id = %d", user);
	text(db, sql);
}

Test(account, standings, .init = set_up)
{
	struct db *db = open_shops();
	struct standing s;
	bool is_staff;

	cr_assert_eq(db_standing_get(db, STAFF, &s, &is_staff), OC_OK);
	cr_expect(s.is_known && s.is_active && s.tokens_ended_at == INSTANT_NONE && is_staff);
	end_tokens(db, 1);
	cr_assert_eq(db_standing_get(db, OWNER, &s, &is_staff), OC_OK);
	cr_expect(s.is_known && s.is_active && s.tokens_ended_at == ENDED && !is_staff, "to the microsecond");
	text(db, "UPDATE users SET is_active = 0 WHERE id = 3");
	cr_assert_eq(db_standing_get(db, OTHER, &s, &is_staff), OC_OK);
	cr_expect(s.is_known && !s.is_active);
	cr_assert_eq(db_standing_get(db, NOBODY, &s, &is_staff), OC_OK);
	cr_expect(!s.is_known && !is_staff && standing_admits(&s, INSTANT_NONE));
	db_free(db);
}

Test(account, ties_to_a_shop, .init = set_up)
{
	static const struct { struct user_id user; uint64_t shop; bool is_owner, is_staff; } rows[] = {
		{ { 1 }, 7, true, false }, { { 2 }, 7, false, true }, { { 3 }, 7, false, false }, { { 99 }, 7, false, false },
		{ { 3 }, 8, true, false }, { { 2 }, 8, false, false },
	};
	struct db *db = open_shops();
	struct shop_ties ties;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert_eq(db_shop_ties(db, (struct shop_id){ rows[i].shop }, rows[i].user, &ties), OC_OK);
		cr_expect(ties.is_owner == rows[i].is_owner && ties.is_staff == rows[i].is_staff, "row %zu", i);
	}
	cr_expect_eq(db_shop_ties(db, (struct shop_id){ 9 }, OWNER, &ties), OC_NOT_FOUND);
	db_free(db);
}

Test(account, staff, .init = set_up)
{
	const struct shop_id shop = { 7 };
	struct db *db = open_shops();
	struct arena *a = arena_new();
	struct staff *list, one;
	size_t n;

	cr_expect_eq(db_staff_insert(db, shop, STAFF, OWNER, true, ENDED), OC_CONFLICT);
	cr_assert_eq(db_staff_insert(db, shop, OTHER, OWNER, true, ENDED), OC_OK);
	cr_assert_eq(db_staff_get(db, a, shop, OTHER, &one), OC_OK);
	cr_expect(one.user_id.v == 3 && str_is(one.full_name, "U") && str_is(one.phone_number, "+3") && one.role == ROLE_CUSTOMER && one.added_at == ENDED);
	cr_assert_eq(db_staff_get(db, a, shop, STAFF, &one), OC_OK);
	cr_expect_null(one.phone_number.s);
	cr_assert_eq(db_staff_know_phone(db, shop, STAFF), OC_OK);
	cr_assert_eq(db_staff_get(db, a, shop, STAFF, &one), OC_OK);
	cr_expect(str_is(one.phone_number, "+2"));
	/* not that of the next one below */
	cr_expect_eq(db_staff_get(db, a, shop, NOBODY, &one), OC_NOT_FOUND);
	cr_expect_eq(db_staff_get(db, a, shop, OWNER, &one), OC_NOT_FOUND);
	cr_assert_eq(db_staff_list(db, a, shop, (struct user_id){ 0 }, 5, &list, &n), OC_OK);
	cr_assert_eq(n, 2);
	cr_expect(list[0].user_id.v == 3 && list[1].user_id.v == 2);
	cr_assert_eq(db_staff_list(db, a, shop, (struct user_id){ 3 }, 5, &list, &n), OC_OK);
	cr_expect(n == 1 && list[0].user_id.v == 2);
	cr_assert_eq(db_staff_list(db, a, shop, (struct user_id){ 1 }, 5, &list, &n), OC_OK);
	cr_expect_eq(n, 0);
	cr_assert_eq(db_staff_list(db, a, (struct shop_id){ 8 }, (struct user_id){ 0 }, 5, &list, &n), OC_OK);
	cr_expect_eq(n, 0);
	cr_assert_eq(db_staff_delete(db, shop, STAFF), OC_OK);
	cr_expect_eq(db_staff_delete(db, shop, STAFF), OC_NOT_FOUND);
	cr_expect_eq(db_staff_get(db, a, shop, STAFF, &one), OC_NOT_FOUND);
	arena_free(a);
	db_free(db);
}

Test(account, channels_to_close, .init = set_up)
{
	struct db *db = open_shops();

	cr_assert_eq(db_close_channel(db, (struct channel){ CHANNEL_SHOP, 8 }, ENDED), OC_OK);
	cr_expect_eq(ask("SELECT COUNT(*) FROM channel_closes WHERE channel_kind = 1 AND channel_id = 8 AND at = '2026-09-21 14:13:20.123456'"), 1);
	text(db, "DELETE FROM channel_closes");
	text(db, "INSERT INTO shop_staff VALUES (8, 1, 3, NOW(), 0)");
	cr_assert_eq(db_close_channels_of(db, OWNER, ENDED), OC_OK);
	cr_expect_eq(ask("SELECT COUNT(*) FROM channel_closes"), 3);
	cr_expect_eq(ask("SELECT COUNT(*) FROM channel_closes WHERE (channel_kind, channel_id) IN ((2, 1), (1, 7), (1, 8))"), 3);
	text(db, "DELETE FROM channel_closes");
	cr_assert_eq(db_close_channels_of(db, NOBODY, ENDED), OC_OK);
	cr_expect_eq(ask("SELECT COUNT(*) FROM channel_closes"), 1);
	db_free(db);
}

Test(account, an_order_as_somebody_sees_it, .init = set_up)
{
	struct db *db = open_shops();
	struct arena *a = arena_new();
	struct order_row row;
	const struct order_id id = { 1 };

	cr_assert_eq(db_order_seen(db, a, id, STAFF, &row), OC_OK);
	cr_expect(row.order.id.v == 1 && row.owner_id.v == 1 && row.is_staff && row.asker.is_known && row.asker.is_active);
	end_tokens(db, 1);
	cr_assert_eq(db_order_seen(db, a, id, OWNER, &row), OC_OK);
	cr_expect(!row.is_staff && row.asker.tokens_ended_at == ENDED);
	cr_assert_eq(db_order_seen(db, a, id, NOBODY, &row), OC_OK);
	cr_expect(!row.is_staff && !row.asker.is_known);
	cr_expect_eq(db_order_seen(db, a, (struct order_id){ 2 }, OWNER, &row), OC_NOT_FOUND);
	cr_assert_eq(db_order_get(db, a, id, &row), OC_OK);
	cr_expect(row.owner_id.v == 1 && !row.is_staff && !row.asker.is_known);
	arena_free(a);
	db_free(db);
}

static const struct order_filter filters[] = {
	{ 3, 63, INSTANT_NONE, ORDER_CURSOR_START, 10 }, { 1, 1, INSTANT_NONE, ORDER_CURSOR_START, 10 }, { 3, 63, 0, ORDER_CURSOR_START, 10 },
	/* none are found */
	{ 2, 2, INSTANT_NONE, ORDER_CURSOR_START, 10 }, { 2, 63, 0, ORDER_CURSOR_START, 10 },
};

static void expect_list(struct db *db, uint64_t shop, struct asker asker, bool is_theirs, const char *what)
{
	struct arena *a = arena_new();
	struct order_page page;

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		enum outcome oc = db_orders_of_shop(db, a, (struct shop_id){ shop }, &asker, &filters[i], &page);
		cr_expect_eq(oc, is_theirs ? OC_OK : OC_NOT_FOUND, "%s, filter %zu", what, i);
		cr_expect(oc != OC_OK || page.n == (i < 3), "%s, filter %zu: %zu orders", what, i, page.n);
	}
	arena_free(a);
}

Test(account, a_shops_list, .init = set_up)
{
	struct db *db = open_shops();

	expect_list(db, 7, (struct asker){ OWNER, true, INSTANT_NONE }, true, "the owner");
	expect_list(db, 7, (struct asker){ OWNER, false, INSTANT_NONE }, false, "the owner as a customer");
	expect_list(db, 7, (struct asker){ STAFF, false, INSTANT_NONE }, true, "staff as a customer");
	expect_list(db, 7, (struct asker){ STAFF, true, INSTANT_NONE }, true, "staff as a shopkeeper");
	expect_list(db, 7, (struct asker){ OTHER, true, INSTANT_NONE }, false, "another shop's owner");
	expect_list(db, 7, (struct asker){ NOBODY, true, INSTANT_NONE }, false, "nobody");
	expect_list(db, 9, (struct asker){ OWNER, true, INSTANT_NONE }, false, "no such shop");
	end_tokens(db, 1);
	end_tokens(db, 2);
	expect_list(db, 7, (struct asker){ OWNER, true, ENDED + 1 }, true, "the owner's new token");
	expect_list(db, 7, (struct asker){ OWNER, true, ENDED }, false, "the owner's old token");
	expect_list(db, 7, (struct asker){ STAFF, false, ENDED }, false, "staff's old token");
	expect_list(db, 7, (struct asker){ STAFF, false, INSTANT_NONE }, false, "a token that does not say when it was made");
	text(db, "UPDATE users SET is_active = 0");
	expect_list(db, 7, (struct asker){ OWNER, true, ENDED + 1 }, false, "a deactivated owner");
	text(db, "DELETE FROM shop_staff");
	text(db, "UPDATE users SET is_active = 1");
	expect_list(db, 7, (struct asker){ STAFF, true, ENDED + 1 }, false, "no longer staff");
	db_free(db);
}

Test(account, a_customers_list, .init = set_up)
{
	static const struct { struct asker asker; bool is_ended, is_gone; enum outcome oc; } rows[] = {
		{ { { 3 }, false, INSTANT_NONE }, false, false, OC_OK }, { { { 3 }, false, ENDED + 1 }, true, false, OC_OK },
		{ { { 3 }, false, ENDED }, true, false, OC_NOT_FOUND }, { { { 3 }, false, INSTANT_NONE }, true, false, OC_NOT_FOUND },
		{ { { 3 }, false, ENDED + 1 }, false, true, OC_NOT_FOUND }, { { { 99 }, false, ENDED }, false, false, OC_NOT_FOUND },
	};
	struct db *db = open_shops();
	struct arena *a = arena_new();
	struct order_page page;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		text(db, "UPDATE users SET is_active = 1, tokens_ended_at = NULL");
		if (rows[i].is_ended)
			end_tokens(db, 3);
		if (rows[i].is_gone)
			text(db, "UPDATE users SET is_active = 0");
		cr_expect_eq(db_orders_of_customer(db, a, &rows[i].asker, &filters[0], &page), rows[i].oc, "row %zu", i);
		cr_expect_eq(page.n, rows[i].oc == OC_OK, "row %zu", i);
		cr_expect_eq(db_orders_of_customer(db, a, &rows[i].asker, &filters[3], &page), rows[i].oc, "row %zu, none found", i);
		cr_expect_eq(page.n, 0, "row %zu", i);
	}
	arena_free(a);
	db_free(db);
}

static enum outcome update_user(struct db *db, void *ctx)
{
	struct user u;
	struct arena *a = ctx;
	enum outcome oc = db_user_lock(db, a, OWNER, &u);

	cr_expect(u.tokens_ended_at == INSTANT_NONE && u.is_active);
	u.tokens_ended_at = ENDED;
	return oc == OC_OK ? db_user_update(db, &u) : oc;
}

Test(account, a_user_keeps_what_was_ended, .init = set_up)
{
	struct db *db = open_shops();
	struct arena *a = arena_new();
	struct user u;

	cr_assert_eq(db_transact(db, update_user, a), OC_OK);
	cr_assert_eq(db_user_get(db, a, OWNER, &u), OC_OK);
	cr_expect_eq(u.tokens_ended_at, ENDED);
	cr_expect_eq(db_user_lock(db, a, NOBODY, &u), OC_NOT_FOUND);
	arena_free(a);
	db_free(db);
}
