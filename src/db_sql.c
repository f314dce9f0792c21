/* db_sql.c - the text of every SQL statement.
 * Owns: the texts and their signatures. Does not own: running them (db.c), what their rows mean (db_*.c).
 * Common subset of MySQL 8 and MariaDB 10.6+. db_check_statements() holds each row against a real server. */
#include "db_sql.h"

/* struct order behind its id, with its shop's zone; loaded by db_order_row.c. */
#define ORDER_COLUMNS \
	" o.shop_id, o.customer_id, o.customer_name, o.order_type, o.status, o.scheduled_pickup_time," \
	" o.estimated_preparation_minutes, o.total_amount, o.order_notes, o.list_image_url, o.version," \
	" o.created_at, o.updated_at, o.accept_by, o.cancelled_by, o.cancel_reason, o.items_json, s.timezone"
#define ORDER_ROW "uuussstimssutttssss"

/* The ids of the page in d, then their orders, in any order: the loader sorts. */
#define LIST_SELECT "SELECT STRAIGHT_JOIN d.id," ORDER_COLUMNS " FROM "
#define LIST_PAGE_HEAD "(SELECT id FROM ("
#define LIST_PAGE_TAIL ") u ORDER BY created_at DESC, id DESC LIMIT ?) d"
#define LIST_ORDERS " LEFT JOIN orders o ON o.id = d.id"
/* Who asks, beside the shop s: t where they are staff, v where their token counts no more. user, user, iat */
#define ASKER " LEFT JOIN shop_staff t ON t.shop_id = s.id AND t.user_id = ?" \
	" LEFT JOIN users v ON v.id = ? AND (v.is_active = 0 OR v.tokens_ended_at >= ?)"
/* shop, owner */
#define OF_SHOP " WHERE s.id = ? AND (s.owner_id = ? OR t.user_id IS NOT NULL) AND v.id IS NULL"
/* Without a row where the asker is none of the shop's people, and then no page is looked for. Else at least with one. */
#define LIST_SHOP_HEAD LIST_SELECT "shops s" ASKER " LEFT JOIN " LIST_PAGE_HEAD
#define LIST_SHOP_TAIL LIST_PAGE_TAIL " ON TRUE" LIST_ORDERS OF_SHOP
/* What comes after the cursor (created_at, id); the first condition is the one that an index can use. */
#define AFTER_CURSOR " created_at <= ? AND (created_at < ? OR id < ?)"
#define NEWEST_FIRST " ORDER BY created_at DESC, id DESC LIMIT ?"

#define USER_COLUMNS "id, full_name, phone_number, email, password_hash, role, is_active, created_at, tokens_ended_at"
#define USER_ROW "usssssitt"
/* struct standing; loaded by db_account.c. */
#define STANDING " v.id, v.is_active, v.tokens_ended_at"
#define STANDING_ROW "uit"
#define SHOP_COLUMNS \
	"id, owner_id, name, timezone, currency, address, phone_number, is_active, created_at, updated_at," \
	" opening_hours, exceptions, lead_minutes, max_days_ahead, last_order_minutes, slot_minutes, slot_capacity," \
	" accept_within_minutes, default_preparation_minutes, auto_confirm, paused_until, pause_reason, pre_orders_while_paused"
#define SHOP_ROW "uusssssittssiiiiiiiitsi"
#define PRODUCT_COLUMNS "id, shop_id, name, description, unit, price, stock, is_active, created_at, updated_at"
#define PRODUCT_ROW "uusssmiitt"

#define READS(id, p, r, ...) [id] = { #id, __VA_ARGS__, p, r, SQL_READS }
#define WRITES(id, p, ...) [id] = { #id, __VA_ARGS__, p, "", SQL_WRITES }

const struct sql_statement sql_statements[SQL__MAX] = {
	/* full_name, phone_number, email, password_hash, role, created_at */
	WRITES(SQL_USER_INSERT, "ssssst",
		"INSERT INTO users (full_name, phone_number, email, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?, ?)"),
	READS(SQL_USER_BY_PHONE, "s", USER_ROW,
		"SELECT " USER_COLUMNS " FROM users WHERE phone_number = ?"),
	READS(SQL_USER_GET, "u", USER_ROW,
		"SELECT " USER_COLUMNS " FROM users WHERE id = ?"),
	READS(SQL_USER_LOCK, "u", USER_ROW,
		"SELECT " USER_COLUMNS " FROM users WHERE id = ? FOR UPDATE"),
	/* after id, limit */
	READS(SQL_USER_LIST, "uu", USER_ROW,
		"SELECT " USER_COLUMNS " FROM users WHERE id > ? ORDER BY id LIMIT ?"),
	/* full_name, phone_number, email, password_hash, role, is_active, tokens_ended_at; id */
	WRITES(SQL_USER_UPDATE, "sssssitu",
		"UPDATE users SET full_name = ?, phone_number = ?, email = ?, password_hash = ?, role = ?, is_active = ?, tokens_ended_at = ?"
		" WHERE id = ?"),
	READS(SQL_STANDING_GET, "u", STANDING_ROW "i",
		"SELECT" STANDING ", EXISTS(SELECT 1 FROM shop_staff t WHERE t.user_id = v.id) FROM users v WHERE v.id = ?"),
	/* channel_kind, channel_id, at */
	WRITES(SQL_CLOSE_CHANNEL, "uut",
		"INSERT INTO channel_closes (channel_kind, channel_id, at) VALUES (?, ?, ?)"),
	/* user, at; at, user; at, user */
	WRITES(SQL_CLOSE_CHANNELS_OF, "uttutu",
		"INSERT INTO channel_closes (channel_kind, channel_id, at) SELECT 2, ?, ?"
		" UNION ALL SELECT 1, id, ? FROM shops WHERE owner_id = ? UNION ALL SELECT 1, shop_id, ? FROM shop_staff WHERE user_id = ?"),

	/* subject of a number from an address */
	READS(SQL_LOGIN_KNOWN, "s", "uut",
		"SELECT kind, failures, at FROM login_failures WHERE kind = 3 AND subject = ? FOR UPDATE"),
	/* kind, subject, at: rows that are ours from here on, new ones with no failures */
	WRITES(SQL_LOGIN_ENSURE, "{ust}",
		"INSERT INTO login_failures (kind, subject, failures, at) VALUES {(?, ?, 0, ?)|, } ON DUPLICATE KEY UPDATE failures = failures"),
	/* kind, subject */
	READS(SQL_LOGIN_LOOK, "{us}", "uut",
		"SELECT kind, failures, at FROM login_failures WHERE {(kind = ? AND subject = ?)| OR } FOR UPDATE"),
	/* up to when failures count as none, at; kind, subject. failures is set by the old at. */
	WRITES(SQL_LOGIN_COUNT, "tt{us}",
		"UPDATE login_failures SET failures = IF(at <= ?, 1, failures + 1), at = ? WHERE {(kind = ? AND subject = ?)| OR }"),
	/* subject of a number from an address, at */
	WRITES(SQL_LOGIN_REMEMBER, "st",
		"INSERT INTO login_failures (kind, subject, failures, at) VALUES (3, ?, 0, ?) ON DUPLICATE KEY UPDATE failures = 0, at = VALUES(at)"),
	/* kind, subject */
	WRITES(SQL_LOGIN_FORGET, "us", "DELETE FROM login_failures WHERE kind = ? AND subject = ?"),
	/* kind, subject */
	WRITES(SQL_LOGIN_TAKE_BACK, "us", "UPDATE login_failures SET failures = failures - 1 WHERE kind = ? AND subject = ? AND failures > 0"),
	/* kind, older than, limit */
	WRITES(SQL_LOGIN_PRUNE, "utu", "DELETE FROM login_failures WHERE kind = ? AND at < ? LIMIT ?"),

	READS(SQL_SHOP_GET, "u", SHOP_ROW,
		"SELECT " SHOP_COLUMNS " FROM shops WHERE id = ?"),
	/* Nobody else writes it, or counts its slots this way, until the transaction ends. */
	READS(SQL_SHOP_GET_LOCKED, "u", SHOP_ROW,
		"SELECT " SHOP_COLUMNS " FROM shops WHERE id = ? FOR UPDATE"),
	/* before id, lowest is_active wanted, limit */
	READS(SQL_SHOP_LIST, "uiu", SHOP_ROW,
		"SELECT " SHOP_COLUMNS " FROM shops WHERE id < ? AND is_active >= ? ORDER BY id DESC LIMIT ?"),
	/* owner, before id; staff, before id; limit */
	READS(SQL_SHOP_LIST_OF, "uuuuu", SHOP_ROW,
		"SELECT " SHOP_COLUMNS " FROM (SELECT id AS one FROM shops WHERE owner_id = ? AND id < ?"
		" UNION SELECT shop_id FROM shop_staff WHERE user_id = ? AND shop_id < ?) mine JOIN shops ON id = one ORDER BY one DESC LIMIT ?"),
	/* owner_id, name, timezone, currency, address, phone_number, created_at, updated_at */
	WRITES(SQL_SHOP_INSERT, "ussssstt",
		"INSERT INTO shops (owner_id, name, timezone, currency, address, phone_number, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
	/* owner_id, name, timezone, currency, address, phone_number, is_active, updated_at; id */
	WRITES(SQL_SHOP_UPDATE, "usssssitu",
		"UPDATE shops SET owner_id = ?, name = ?, timezone = ?, currency = ?, address = ?, phone_number = ?, is_active = ?,"
		" updated_at = ? WHERE id = ?"),
	/* user; shop */
	READS(SQL_SHOP_TIES, "uu", "uu",
		"SELECT s.owner_id, t.user_id FROM shops s LEFT JOIN shop_staff t ON t.shop_id = s.id AND t.user_id = ? WHERE s.id = ?"),
	/* shop, user, added_by, added_at, by_phone */
	WRITES(SQL_STAFF_INSERT, "uuuti",
		"INSERT INTO shop_staff (shop_id, user_id, added_by, added_at, by_phone) VALUES (?, ?, ?, ?, ?)"),
	/* shop, user */
	WRITES(SQL_STAFF_KNOW_PHONE, "uu", "UPDATE shop_staff SET by_phone = 1 WHERE shop_id = ? AND user_id = ?"),
	/* shop, user ids up to, limit */
	READS(SQL_STAFF_LIST, "uuu", "usssti",
		"SELECT t.user_id, u.full_name, u.phone_number, u.role, t.added_at, t.by_phone FROM shop_staff t JOIN users u ON u.id = t.user_id"
		" WHERE t.shop_id = ? AND t.user_id <= ? ORDER BY t.user_id DESC LIMIT ?"),
	/* shop, user */
	WRITES(SQL_STAFF_DELETE, "uu", "DELETE FROM shop_staff WHERE shop_id = ? AND user_id = ?"),
	/* has_rules, then as in SHOP_COLUMNS; id */
	WRITES(SQL_SHOP_RULES_UPDATE, "issiiiiiiiitsiu",
		"UPDATE shops SET has_rules = ?, opening_hours = ?, exceptions = ?, lead_minutes = ?, max_days_ahead = ?, last_order_minutes = ?,"
		" slot_minutes = ?, slot_capacity = ?, accept_within_minutes = ?, default_preparation_minutes = ?, auto_confirm = ?,"
		" paused_until = ?, pause_reason = ?, pre_orders_while_paused = ? WHERE id = ?"),
	READS(SQL_PRODUCT_GET, "u", PRODUCT_ROW,
		"SELECT " PRODUCT_COLUMNS " FROM products WHERE id = ?"),
	READS(SQL_PRODUCT_GET_LOCKED, "u", PRODUCT_ROW,
		"SELECT " PRODUCT_COLUMNS " FROM products WHERE id = ? FOR UPDATE"),
	/* shop_id, before id, lowest is_active wanted, limit */
	READS(SQL_PRODUCT_LIST, "uuiu", PRODUCT_ROW,
		"SELECT " PRODUCT_COLUMNS " FROM products WHERE shop_id = ? AND id < ? AND is_active >= ? ORDER BY id DESC LIMIT ?"),
	/* shop_id, name, description, unit, price, stock, created_at, updated_at */
	WRITES(SQL_PRODUCT_INSERT, "usssmitt",
		"INSERT INTO products (shop_id, name, description, unit, price, stock, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
	/* name, description, unit, price, stock, is_active, updated_at; id. stock only where it is meant to change: */
	WRITES(SQL_PRODUCT_UPDATE, "sssmiiitu",
		"UPDATE products SET name = ?, description = ?, unit = ?, price = ?, stock = IF(?, ?, stock), is_active = ?, updated_at = ?"
		" WHERE id = ?"),

	/* customer; product ids; shop. One row a product found, or one with NULLs; none: no such shop. */
	READS(SQL_PLACE_LOOK, "u{u}u", "siisiusmiit",
		"SELECT s.timezone, s.is_active, s.has_rules, c.full_name, c.is_active, p.id, p.name, p.price, p.stock, p.is_active, c.tokens_ended_at"
		" FROM shops s LEFT JOIN users c ON c.id = ?"
		" LEFT JOIN products p FORCE INDEX (PRIMARY) ON p.id IN ({?|, }) AND p.shop_id = s.id WHERE s.id = ?"),
	/* The same for the usual case, a third cheaper without outer joins: no row for a product that is not there, or none at all. customer;
	 * product ids; shop, twice */
	READS(SQL_PLACE_LOOK_WHOLE, "u{u}uu", "siisiusmiit",
		"SELECT s.timezone, s.is_active, s.has_rules, c.full_name, c.is_active, p.id, p.name, p.price, p.stock, p.is_active, c.tokens_ended_at"
		" FROM shops s JOIN users c JOIN products p FORCE INDEX (PRIMARY)"
		" WHERE c.id = ? AND p.id IN ({?|, }) AND p.shop_id = ? AND s.id = ?"),
	/* (id, quantity) each; (id, quantity) each: the counted ones that have enough; how many those were must be looked at */
	WRITES(SQL_STOCK_TAKE, "{uu}{uu}",
		"UPDATE products SET stock = stock - CASE id {WHEN ? THEN ?| } END WHERE {(id = ? AND stock >= ?)| OR }"),
	/* (id, quantity) each; ids. No more than the column holds: the shop may have counted anew meanwhile, and cancelling must not fail for it. */
	WRITES(SQL_STOCK_GIVE, "{uu}{u}",
		"UPDATE products SET stock = LEAST(stock + CASE id {WHEN ? THEN ?| } END, 2147483647) WHERE id IN ({?|, }) AND stock IS NOT NULL"),
	WRITES(SQL_ORDER_INSERT, "uussstimsssttt",
		"INSERT INTO orders (shop_id, customer_id, customer_name, order_type, status, scheduled_pickup_time,"
		" estimated_preparation_minutes, total_amount, order_notes, list_image_url, items_json, accept_by, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
	/* of the order that this transaction has just inserted */
	WRITES(SQL_ITEM_INSERT, "{uusumsi}",
		"INSERT INTO order_items (order_id, line, product_id, product_name, quantity, price_at_time_of_order,"
		" special_instructions, stock_taken) VALUES {(LAST_INSERT_ID(), ?, ?, ?, ?, ?, ?, ?)|, }"),
	/* accept_by; of that order as well */
	WRITES(SQL_DEADLINE_INSERT, "t", "INSERT INTO order_deadlines (order_id, accept_by) VALUES (LAST_INSERT_ID(), ?)"),
	/* channel_kind, channel_id, shop_id, order_version, at, body up to the order's id and behind it; of that order as well */
	WRITES(SQL_OUTBOX_INSERT_NEW, "{uuuutss}",
		"INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)"
		" VALUES {(?, ?, ?, LAST_INSERT_ID(), ?, ?, CONCAT(?, LAST_INSERT_ID(), ?))|, }"),
	/* shop, from, to (exclusive): places that are taken in that time */
	READS(SQL_SLOT_COUNT, "utt", "u",
		"SELECT COUNT(*) FROM orders FORCE INDEX (shop_pickup)"
		" WHERE shop_id = ? AND scheduled_pickup_time >= ? AND scheduled_pickup_time < ? AND status <> 'cancelled'"),
	/* the same, one row for each pickup time, in order */
	READS(SQL_SLOT_COUNTS, "utt", "tu",
		"SELECT scheduled_pickup_time, COUNT(*) FROM orders FORCE INDEX (shop_pickup)"
		" WHERE shop_id = ? AND scheduled_pickup_time >= ? AND scheduled_pickup_time < ? AND status <> 'cancelled'"
		" GROUP BY scheduled_pickup_time"),
	/* channel_kind, channel_id, shop_id, order_id, order_version, at, body */
	WRITES(SQL_OUTBOX_INSERT, "{uuuuuts}",
		"INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)"
		" VALUES {(?, ?, ?, ?, ?, ?, ?)|, }"),
	READS(SQL_IDEM_GET, "us", "sus" STANDING_ROW,
		"SELECT k.body_hash, k.order_id, k.answer," STANDING " FROM idempotency_keys k LEFT JOIN users v ON v.id = k.customer_id"
		" WHERE k.customer_id = ? AND k.idem_key = ?"),
	WRITES(SQL_IDEM_REPLAYED, "us",
		"UPDATE idempotency_keys SET replays = replays + 1 WHERE customer_id = ? AND idem_key = ?"),
	WRITES(SQL_IDEM_INSERT, "ussust",
		"INSERT INTO idempotency_keys (customer_id, idem_key, body_hash, order_id, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)"),

	READS(SQL_ORDER_GET, "u", ORDER_ROW "u",
		"SELECT o.id," ORDER_COLUMNS ", s.owner_id FROM orders o JOIN shops s ON s.id = o.shop_id WHERE o.id = ?"),
	/* asker, asker; id */
	READS(SQL_ORDER_SEEN, "uuu", ORDER_ROW "uu" STANDING_ROW,
		"SELECT o.id," ORDER_COLUMNS ", s.owner_id, t.user_id," STANDING " FROM orders o JOIN shops s ON s.id = o.shop_id"
		" LEFT JOIN shop_staff t ON t.shop_id = o.shop_id AND t.user_id = ? LEFT JOIN users v ON v.id = ? WHERE o.id = ?"),
	/* order ids; lines in any order: the loader sorts */
	READS(SQL_ITEM_LIST, "{u}", "uuusumsi",
		"SELECT order_id, line, product_id, product_name, quantity, price_at_time_of_order, special_instructions, stock_taken"
		" FROM order_items WHERE order_id IN ({?|, })"),
	READS(SQL_ORDER_LOCK, "u", "u", "SELECT id FROM orders WHERE id = ? FOR UPDATE"),
	/* status, estimate, total, cancelled_by, cancel_reason, updated_at; id, version as read */
	WRITES(SQL_ORDER_UPDATE, "simsstuu",
		"UPDATE orders SET status = ?, estimated_preparation_minutes = ?, total_amount = ?, cancelled_by = ?, cancel_reason = ?,"
		" updated_at = ?, version = version + 1 WHERE id = ? AND version = ?"),
	/* accept_by up to, limit */
	READS(SQL_DEADLINES_DUE, "tu", "u", "SELECT order_id FROM order_deadlines WHERE accept_by <= ? ORDER BY accept_by LIMIT ?"),
	WRITES(SQL_DEADLINE_DELETE, "u", "DELETE FROM order_deadlines WHERE order_id = ?"),
	/* order_id, version, status, estimate, total, set_by_id, set_by_role, at */
	WRITES(SQL_HISTORY_INSERT, "{uusimust}",
		"INSERT INTO order_history (order_id, version, status, estimated_preparation_minutes, total_amount, set_by_id,"
		" set_by_role, at) VALUES {(?, ?, ?, ?, ?, ?, ?, ?)|, }"),
	READS(SQL_HISTORY_LIST, "u", "usimust",
		"SELECT version, status, estimated_preparation_minutes, total_amount, set_by_id, set_by_role, at"
		" FROM order_history WHERE order_id = ? ORDER BY version"),
	/* One (status, order_type), the commonest question, without the detour over ids: asker twice, iat, shop, owner, shop, status, order_type,
	 * cursor time twice, cursor id, limit. No row where there is no order, or the asker is none of the shop's people. */
	READS(SQL_LIST_SHOP_ONE, "uutuuussttuu", ORDER_ROW,
		"SELECT STRAIGHT_JOIN o.id," ORDER_COLUMNS " FROM shops s" ASKER " JOIN orders o FORCE INDEX (shop_list)"
		OF_SHOP " AND o.shop_id = ? AND o.status = ? AND o.order_type = ?"
		" AND o.created_at <= ? AND (o.created_at < ? OR o.id < ?) ORDER BY o.created_at DESC, o.id DESC LIMIT ?"),
	/* asker twice, iat; for each (status, order_type): shop, status, order_type, cursor time twice, cursor id, limit; then limit, shop, owner */
	READS(SQL_LIST_SHOP, "uut{ussttuu}uuu", ORDER_ROW,
		LIST_SHOP_HEAD "{(SELECT id, created_at FROM orders FORCE INDEX (shop_list)"
		" WHERE shop_id = ? AND status = ? AND order_type = ? AND" AFTER_CURSOR NEWEST_FIRST ")| UNION ALL }" LIST_SHOP_TAIL),
	/* asker twice, iat; for each (status, order_type), orders placed since: shop, status, order_type, since, cursor time twice, cursor id, limit; then
	 * older ones changed since: shop, since, since, statuses, order_types (comma-separated), cursor time twice, cursor id, limit; then limit,
	 * shop, owner */
	READS(SQL_LIST_SHOP_SINCE, "uut{usst" "ttuu}" "uttssttuuuuu", ORDER_ROW,
		LIST_SHOP_HEAD "{(SELECT id, created_at FROM orders FORCE INDEX (shop_list)"
		" WHERE shop_id = ? AND status = ? AND order_type = ? AND created_at >= ? AND" AFTER_CURSOR NEWEST_FIRST ")| UNION ALL }"
		" UNION ALL (SELECT id, created_at FROM orders FORCE INDEX (shop_updated)"
		" WHERE shop_id = ? AND updated_at >= ? AND created_at < ? AND FIND_IN_SET(status, ?) AND FIND_IN_SET(order_type, ?) AND"
		AFTER_CURSOR NEWEST_FIRST ")" LIST_SHOP_TAIL),
	/* customer, statuses, order_types (comma-separated), since, cursor time twice, cursor id, limit, limit; customer, iat. At least a row for a
	 * customer who is known and whose token counts, none for others. */
	READS(SQL_LIST_CUSTOMER, "usstttuuuut", ORDER_ROW,
		LIST_SELECT "users v LEFT JOIN " LIST_PAGE_HEAD "(SELECT id, created_at FROM orders FORCE INDEX (customer_created)"
		" WHERE customer_id = ? AND FIND_IN_SET(status, ?) AND FIND_IN_SET(order_type, ?) AND updated_at >= ? AND"
		AFTER_CURSOR NEWEST_FIRST ")" LIST_PAGE_TAIL " ON TRUE" LIST_ORDERS " LEFT JOIN shops s ON s.id = o.shop_id"
		" WHERE v.id = ? AND v.is_active <> 0 AND (v.tokens_ended_at IS NULL OR v.tokens_ended_at < ?)"),

	READS(SQL_UPLOAD_CUSTOMER, "u", "i", "SELECT is_active FROM users WHERE id = ? FOR UPDATE"),
	READS(SQL_UPLOAD_WAITING, "u", "ut",
		"SELECT COUNT(*), MIN(created_at) FROM uploads WHERE customer_id = ? AND order_id IS NULL"),
	/* name, customer_id, bytes, created_at */
	WRITES(SQL_UPLOAD_INSERT, "suut", "INSERT INTO uploads (name, customer_id, bytes, created_at) VALUES (?, ?, ?, ?)"),
	READS(SQL_UPLOAD_GET, "s", "uu",
		"SELECT u.customer_id, o.shop_id FROM uploads u LEFT JOIN orders o ON o.id = u.order_id WHERE u.name = ?"),
	/* name, customer: for the order that this transaction has just inserted */
	WRITES(SQL_UPLOAD_USE, "su",
		"UPDATE uploads SET order_id = LAST_INSERT_ID() WHERE name = ? AND customer_id = ? AND order_id IS NULL"),
	/* older than, limit */
	READS(SQL_UPLOAD_UNUSED, "tu", "s",
		"SELECT name FROM uploads FORCE INDEX (waiting) WHERE order_id IS NULL AND created_at < ? ORDER BY created_at LIMIT ?"),
	/* names */
	READS(SQL_UPLOAD_LOOK, "{s}", "sust",
		"SELECT u.name, u.order_id, o.status, o.updated_at FROM uploads u LEFT JOIN orders o ON o.id = u.order_id WHERE u.name IN ({?|, })"),
	/* name, order_id or 0 */
	WRITES(SQL_UPLOAD_DELETE, "su", "DELETE FROM uploads WHERE name = ? AND COALESCE(order_id, 0) = ?"),

	/* kind, channel, after, limit */
	READS(SQL_EVENTS_AFTER, "uuuu", "utss",
		"SELECT e.seq, e.at, s.timezone, e.body FROM events e JOIN shops s ON s.id = e.shop_id"
		" WHERE e.channel_kind = ? AND e.channel_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?"),
	/* for each channel: kind, channel, three times */
	READS(SQL_CHANNEL_LAST, "{uuuuuu}", "uuu",
		"{SELECT CAST(? AS UNSIGNED), CAST(? AS UNSIGNED),"
		" GREATEST(COALESCE((SELECT MAX(seq) FROM events WHERE channel_kind = ? AND channel_id = ?), 0),"
		" COALESCE((SELECT last_seq FROM channel_floors WHERE channel_kind = ? AND channel_id = ?), 0))| UNION ALL }"),

	/* holder, seconds, state; holder: matches the row where the lease was ours or had run out */
	WRITES(SQL_LEASE_TAKE, "suss",
		"UPDATE relay_lease SET holder = ?, expires_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND, state = ?"
		" WHERE id = 1 AND (holder = ? OR expires_at <= UTC_TIMESTAMP(6))"),
	READS(SQL_LEASE_GET, "", "sisu",
		"SELECT holder, expires_at > UTC_TIMESTAMP(6), state, last_pub_no FROM relay_lease WHERE id = 1"),
	READS(SQL_OUTBOX_FETCH, "u", "uuuuuuts",
		"SELECT id, channel_kind, channel_id, shop_id, order_id, order_version, at, body FROM outbox ORDER BY id LIMIT ?"),
	WRITES(SQL_OUTBOX_DELETE, "{u}", "DELETE FROM outbox WHERE id IN ({?|, })"),
	/* at most this many are counted */
	READS(SQL_OUTBOX_COUNT, "u", "ut",
		"SELECT COUNT(*), MIN(at) FROM (SELECT at FROM outbox ORDER BY id LIMIT ?) o"),
	READS(SQL_PUB_LAST, "", "u",
		"SELECT GREATEST(COALESCE((SELECT MAX(pub_no) FROM events), 0),"
		" COALESCE((SELECT last_pub_no FROM relay_lease WHERE id = 1), 0))"),
	/* channel_kind, channel_id, seq, pub_no, outbox_id, shop_id, at, body */
	WRITES(SQL_EVENT_INSERT, "{uuuuuuts}",
		"INSERT INTO events (channel_kind, channel_id, seq, pub_no, outbox_id, shop_id, at, body)"
		" VALUES {(?, ?, ?, ?, ?, ?, ?, ?)|, }"),
	/* How many of the newest events. at guards against ids that a reset table gives again: */
	WRITES(SQL_OUTBOX_SWEEP, "u",
		"DELETE o FROM outbox o JOIN (SELECT outbox_id, at FROM events ORDER BY pub_no DESC LIMIT ?) e"
		" ON e.outbox_id = o.id AND e.at = o.at"),
	/* after pub_no, limit */
	READS(SQL_EVENTS_FROM, "uu", "uuuus",
		"SELECT pub_no, channel_kind, channel_id, seq, body FROM events WHERE pub_no > ? ORDER BY pub_no LIMIT ?"),
	READS(SQL_CURSOR_GET, "s", "uuutts", "SELECT pub_no, marked_no, settled_no, at, marked_at, worker FROM push_cursors WHERE instance = ?"),
	/* instance; how many it has yet to get, and since when the first of these waits */
	READS(SQL_CURSOR_LAG, "s", "ut",
		"SELECT CAST(l.last - LEAST(c.pub_no, l.last) AS UNSIGNED), e.at FROM (SELECT GREATEST(COALESCE((SELECT MAX(pub_no) FROM events), 0),"
		" COALESCE((SELECT last_pub_no FROM relay_lease WHERE id = 1), 0)) last) l JOIN push_cursors c ON c.instance = ?"
		" LEFT JOIN events e ON e.pub_no = c.pub_no + 1"),
	/* instance, pub_no, marked_no, settled_no, at, marked_at, worker */
	WRITES(SQL_CURSOR_SET, "suuutts",
		"INSERT INTO push_cursors (instance, pub_no, marked_no, settled_no, at, marked_at, worker) VALUES (?, ?, ?, ?, ?, ?, ?)"
		" ON DUPLICATE KEY UPDATE pub_no = VALUES(pub_no), marked_no = VALUES(marked_no), settled_no = VALUES(settled_no),"
		" at = VALUES(at), marked_at = VALUES(marked_at), worker = VALUES(worker)"),
	/* pub_no, instance, status, at; a repeat changes nothing */
	WRITES(SQL_REFUSAL_INSERT, "usut",
		"INSERT INTO push_refusals (pub_no, instance, status, at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE at = at"),
	READS(SQL_REFUSAL_COUNT, "", "u", "SELECT COUNT(*) FROM push_refusals"),
	/* older than, limit */
	WRITES(SQL_IDEM_PRUNE, "tu", "DELETE FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?"),
	READS(SQL_EVENTS_OLDEST, "u", "uuuut",
		"SELECT pub_no, channel_kind, channel_id, seq, at FROM events ORDER BY pub_no LIMIT ?"),
	/* kind, channel, last_seq */
	WRITES(SQL_EVENT_FLOOR, "{uuu}",
		"INSERT INTO channel_floors (channel_kind, channel_id, last_seq) VALUES {(?, ?, ?)|, }"
		" ON DUPLICATE KEY UPDATE last_seq = GREATEST(last_seq, VALUES(last_seq))"),
	/* up to this pub_no, limit */
	WRITES(SQL_EVENT_DELETE, "uu", "DELETE FROM events WHERE pub_no <= ? ORDER BY pub_no LIMIT ?"),
	/* up to this pub_no */
	WRITES(SQL_REFUSAL_DELETE, "u", "DELETE FROM push_refusals WHERE pub_no <= ?"),
	/* pub_no of the newest event that was pruned */
	WRITES(SQL_LEASE_FLOOR, "u", "UPDATE relay_lease SET last_pub_no = GREATEST(last_pub_no, ?) WHERE id = 1"),
	/* after id, limit */
	READS(SQL_CLOSES_FETCH, "uu", "uuu",
		"SELECT id, channel_kind, channel_id FROM channel_closes WHERE id > ? ORDER BY id LIMIT ?"),
	WRITES(SQL_CLOSES_DELETE, "{u}", "DELETE FROM channel_closes WHERE id IN ({?|, })"),

	WRITES(SQL_COMMIT, "", "COMMIT"),
	READS(SQL_PING, "", "i", "SELECT 1"),
	READS(SQL_CLOCK, "", "t", "SELECT UTC_TIMESTAMP(6)"),
	/* name of the database: "" for none */
	READS(SQL_SERVER_VERSION, "", "ss", "SELECT VERSION(), COALESCE(DATABASE(), '')"),
	/* innodb_flush_log_at_trx_commit, log_bin, sync_binlog, max_connections, the account's own limit or 0 */
	READS(SQL_SERVER_SETTINGS, "", "uuuuu",
		"SELECT CAST(@@innodb_flush_log_at_trx_commit AS UNSIGNED), CAST(@@log_bin AS UNSIGNED), CAST(@@sync_binlog AS UNSIGNED),"
		" CAST(@@max_connections AS UNSIGNED), CAST(@@max_user_connections AS UNSIGNED)"),
	/* Touches no row; a server that takes no writes says so all the same. */
	WRITES(SQL_WRITE_PROBE, "", "UPDATE relay_lease SET state = state WHERE id = 0"),
	/* known; the newest that is applied, the newest that took something away, complete or not, and is not known (takes_away() in migrate.c) */
	READS(SQL_SCHEMA_VERSION, "u", "uu",
		"SELECT COALESCE(MAX(CASE WHEN applied_at IS NOT NULL THEN number END), 0),"
		" COALESCE(MAX(CASE WHEN number > ? AND SUBSTRING(name, 4, 10) = '_contract_' THEN number END), 0) FROM schema_migrations"),

	/* What a dump says of AUTO_INCREMENT may be beyond the last row, or be missing. */
#define NEXT_ID(table) "SELECT '" table "', CAST(GREATEST((SELECT COALESCE(MAX(id), 0) + 1 FROM " table ")," \
	" COALESCE((SELECT auto_increment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '" table "'), 0)) AS UNSIGNED)"
	READS(SQL_RESTORED_NEXT_IDS, "", "su",
		NEXT_ID("users") " UNION ALL " NEXT_ID("shops") " UNION ALL " NEXT_ID("products") " UNION ALL " NEXT_ID("orders")
		" UNION ALL " NEXT_ID("outbox") " UNION ALL " NEXT_ID("channel_closes")),
	/* how many. Also of channels that had no message yet: after the backup they may have had some. */
	WRITES(SQL_RESTORED_SKIP_NUMBERS, "u",
		"INSERT INTO channel_floors (channel_kind, channel_id, last_seq) SELECT l.kind, l.id, l.last + ? FROM"
		" (SELECT a.kind, a.id, MAX(a.last) last FROM (SELECT channel_kind kind, channel_id id, MAX(seq) last FROM events GROUP BY channel_kind, channel_id"
		" UNION ALL SELECT channel_kind, channel_id, last_seq FROM channel_floors"
		" UNION ALL SELECT 1, id, 0 FROM shops UNION ALL SELECT 2, id, 0 FROM users) a GROUP BY a.kind, a.id) l"
		" ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq)"),
	WRITES(SQL_RESTORED_END_TOKENS, "t", "UPDATE users SET tokens_ended_at = ?"),

	READS(SQL_MIGRATIONS_EXIST, "", "u",
		"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'"),
	/* seconds to wait; held until the connection closes. One database's lock on this server only: in a cluster, migrate on one node at a time. */
	READS(SQL_MIGRATIONS_LOCK, "u", "i", "SELECT GET_LOCK(CONCAT('pickup.', LEFT(SHA2(DATABASE(), 256), 32)), ?)"),
	READS(SQL_MIGRATION_LIST, "", "ussuii",
		"SELECT number, name, checksum, statements_done, in_doubt, applied_at IS NOT NULL FROM schema_migrations ORDER BY number"),
	/* number, name, checksum */
	WRITES(SQL_MIGRATION_BEGIN, "uss",
		"INSERT INTO schema_migrations (number, name, checksum, statements_done, in_doubt) VALUES (?, ?, ?, 0, 1)"),
	/* name, checksum; number, statements done */
	WRITES(SQL_MIGRATION_RESUME, "ssuu",
		"UPDATE schema_migrations SET name = ?, checksum = ?, in_doubt = 1"
		" WHERE number = ? AND statements_done = ? AND applied_at IS NULL"),
	/* number, statements done before */
	WRITES(SQL_MIGRATION_STEP, "uu",
		"UPDATE schema_migrations SET statements_done = statements_done + 1"
		" WHERE number = ? AND statements_done = ? AND applied_at IS NULL"),
	/* number, statements done */
	WRITES(SQL_MIGRATION_FAILED, "uu",
		"UPDATE schema_migrations SET in_doubt = 0 WHERE number = ? AND statements_done = ? AND applied_at IS NULL"),
	/* number, statements done */
	WRITES(SQL_MIGRATION_DONE, "uu",
		"UPDATE schema_migrations SET in_doubt = 0, applied_at = UTC_TIMESTAMP(6)"
		" WHERE number = ? AND statements_done = ? AND applied_at IS NULL"),
};

const char *const sql_restored_skip_ids[2] = { "ALTER TABLE ", " AUTO_INCREMENT = " };

const char sql_migrations_create[] =
	"CREATE TABLE IF NOT EXISTS schema_migrations ("
	"number INT UNSIGNED NOT NULL, "
	"name VARCHAR(200) NOT NULL, "
	"checksum CHAR(64) NOT NULL, "
	"statements_done INT UNSIGNED NOT NULL, "	/* of the file, in order */
	"in_doubt TINYINT NOT NULL, "			/* the next statement may have been executed without being counted */
	"applied_at DATETIME(6) NULL, "			/* NULL until all are done */
	"PRIMARY KEY (number)"
	") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

_Static_assert(sizeof sql_statements / sizeof *sql_statements == SQL__MAX, "one row a statement");
