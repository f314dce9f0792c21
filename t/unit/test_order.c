/* test_order.c - the rules of an order.
 * Owns: tests of order.c. Does not own: storing and answering.
 * Used by: make check. */
#include <criterion/criterion.h>
#include <string.h>

#include "order.h"

/* The table of the API description, written out a second time: P C R Y U X stand for the statuses in their order. */
static const char *const reach[ORDER_STATUS__MAX] = {
	[ORDER_PENDING] = "CX", [ORDER_CONFIRMED] = "RYX", [ORDER_PREPARING] = "YX", [ORDER_READY] = "UX", [ORDER_PICKED_UP] = "", [ORDER_CANCELLED] = "",
};
static const char letters[ORDER_STATUS__MAX + 1] = "PCRYUX";

Test(order, words)
{
	static const char *const statuses[] = { "pending", "confirmed", "preparing", "ready", "picked_up", "cancelled" };
	enum order_status s = ORDER_STATUS__MAX;
	enum order_type t = ORDER_TYPE__MAX;

	for (enum order_status i = 0; i < ORDER_STATUS__MAX; i++) {
		cr_expect_str_eq(order_status_name(i), statuses[i]);
		cr_expect(order_status_parse(str_from(statuses[i]), &s) && s == i, "%s", statuses[i]);
	}
	cr_expect_str_eq(order_type_name(ORDER_INSTANT), "instant");
	cr_expect_str_eq(order_type_name(ORDER_PRE_ORDER), "pre_order");
	cr_expect(order_type_parse(STR("instant"), &t) && t == ORDER_INSTANT);
	cr_expect(order_type_parse(STR("pre_order"), &t) && t == ORDER_PRE_ORDER);
}

Test(order, other_words_are_refused)
{
	static const char *const bad[] = { NULL, "", "Pending", "READY", "ready ", "pickedup", "picked-up", "canceled", "preorder", "Instant", "0" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum order_status s = ORDER_READY;
		enum order_type t = ORDER_PRE_ORDER;

		cr_expect(!order_status_parse(str_from(bad[i]), &s) && s == ORDER_READY, "%s", bad[i] ? bad[i] : "(none)");
		cr_expect(!order_type_parse(str_from(bad[i]), &t) && t == ORDER_PRE_ORDER, "%s", bad[i] ? bad[i] : "(none)");
	}
}

Test(order, transitions)
{
	for (enum order_status from = 0; from < ORDER_STATUS__MAX; from++) {
		for (enum order_status to = 0; to < ORDER_STATUS__MAX; to++)
			cr_expect_eq(order_may_go(from, to), strchr(reach[from], letters[to]) != NULL, "%s to %s",
				order_status_name(from), order_status_name(to));
		cr_expect_eq(order_is_final(from), from == ORDER_PICKED_UP || from == ORDER_CANCELLED, "%s", order_status_name(from));
	}
}

Test(order, chitty)
{
	cr_expect(!order_has_chitty(&(struct order){ .list_image_url = STR_NONE }));
	cr_expect(order_has_chitty(&(struct order){ .list_image_url = STR("/api/v1/uploads/x") }));
}

/* An order as it is; chitty ones have a total of 0 until the shopkeeper has read the list. */
static struct order an_order(enum order_status status, int minutes, bool chitty, money total)
{
	return (struct order){
		.id = { 15 }, .status = status, .estimated_preparation_minutes = minutes, .total_amount = total, .version = 4, .updated_at = 99,
		.list_image_url = chitty ? STR("/u/1") : STR_NONE,
	};
}

static bool same(const struct order *a, const struct order *b)
{
	return a->id.v == b->id.v && a->status == b->status && a->estimated_preparation_minutes == b->estimated_preparation_minutes
		&& a->total_amount == b->total_amount && a->version == b->version && a->updated_at == b->updated_at
		&& str_eq(a->list_image_url, b->list_image_url);
}

#define NO_STATUS ORDER_STATUS__MAX
#define NO_MINUTES (-1)
#define NO_TOTAL (-1)

static enum change_verdict judge(const struct order *o, enum order_status status, int minutes, money total, struct order *next)
{
	struct order_change c = {
		.has_status = status != NO_STATUS, .status = status != NO_STATUS ? status : 0,
		.has_estimate = minutes != NO_MINUTES, .estimated_preparation_minutes = minutes,
		.has_total = total != NO_TOTAL, .total_amount = total,
	};

	return order_judge(o, &c, next);
}

Test(order, judge_status_alone)
{
	for (enum order_status from = 0; from < ORDER_STATUS__MAX; from++)
		for (enum order_status to = 0; to < ORDER_STATUS__MAX; to++) {
			struct order o = an_order(from, 20, false, 100), next = { .version = 77 };
			enum change_verdict want = from == to ? CHANGE_NOTHING : strchr(reach[from], letters[to]) ? CHANGE_APPLY : CHANGE_INVALID_TRANSITION;

			cr_expect_eq(judge(&o, to, NO_MINUTES, NO_TOTAL, &next), want, "%s to %s", order_status_name(from), order_status_name(to));
			if (want != CHANGE_APPLY) {
				cr_expect_eq(next.version, 77, "the order as it becomes was touched");
				continue;
			}
			o.status = to;
			cr_expect(same(&o, &next), "more than the status changed");
		}
}

Test(order, judge_rows)
{
	static const struct {
		const char *what;
		enum order_status from; int minutes; bool chitty; money total;
		enum order_status to; int to_minutes; money to_total;
		enum change_verdict want;
		enum order_status then; int then_minutes; money then_total;
	} rows[] = {
		{ "confirm with an estimate", ORDER_PENDING, 0, false, 12000, ORDER_CONFIRMED, 20, NO_TOTAL, CHANGE_APPLY, ORDER_CONFIRMED, 20, 12000 },
		{ "an estimate alone", ORDER_CONFIRMED, 20, false, 0, NO_STATUS, 30, NO_TOTAL, CHANGE_APPLY, ORDER_CONFIRMED, 30, 0 },
		{ "the same estimate", ORDER_CONFIRMED, 20, false, 0, NO_STATUS, 20, NO_TOTAL, CHANGE_NOTHING, 0, 0, 0 },
		{ "same status, same estimate", ORDER_CONFIRMED, 20, false, 0, ORDER_CONFIRMED, 20, NO_TOTAL, CHANGE_NOTHING, 0, 0, 0 },
		{ "same status, other estimate", ORDER_CONFIRMED, 20, false, 0, ORDER_CONFIRMED, 25, NO_TOTAL, CHANGE_APPLY, ORDER_CONFIRMED, 25, 0 },
		{ "other status, same estimate", ORDER_CONFIRMED, 20, false, 0, ORDER_READY, 20, NO_TOTAL, CHANGE_APPLY, ORDER_READY, 20, 0 },
		{ "bad status takes the estimate down", ORDER_PENDING, 0, false, 0, ORDER_READY, 20, NO_TOTAL, CHANGE_INVALID_TRANSITION, 0, 0, 0 },
		{ "an estimate with the last status", ORDER_READY, 20, false, 0, ORDER_PICKED_UP, 25, NO_TOTAL, CHANGE_APPLY, ORDER_PICKED_UP, 25, 0 },
		{ "an estimate with cancelling", ORDER_PENDING, 0, false, 0, ORDER_CANCELLED, 5, NO_TOTAL, CHANGE_APPLY, ORDER_CANCELLED, 5, 0 },
		{ "final: same status", ORDER_PICKED_UP, 20, false, 0, ORDER_PICKED_UP, NO_MINUTES, NO_TOTAL, CHANGE_NOTHING, 0, 0, 0 },
		{ "final: same estimate", ORDER_PICKED_UP, 20, false, 0, NO_STATUS, 20, NO_TOTAL, CHANGE_NOTHING, 0, 0, 0 },
		{ "final: all the same", ORDER_CANCELLED, 20, true, 5, ORDER_CANCELLED, 20, 5, CHANGE_NOTHING, 0, 0, 0 },
		{ "final: other estimate", ORDER_PICKED_UP, 20, false, 0, NO_STATUS, 21, NO_TOTAL, CHANGE_INVALID_TRANSITION, 0, 0, 0 },
		{ "final: same status, other estimate", ORDER_PICKED_UP, 20, false, 0, ORDER_PICKED_UP, 21, NO_TOTAL, CHANGE_INVALID_TRANSITION, 0, 0, 0 },
		{ "final: other total", ORDER_CANCELLED, 0, true, 5, NO_STATUS, NO_MINUTES, 6, CHANGE_INVALID_TRANSITION, 0, 0, 0 },
		{ "chitty: a total", ORDER_PENDING, 0, true, 0, NO_STATUS, NO_MINUTES, 9900, CHANGE_APPLY, ORDER_PENDING, 0, 9900 },
		{ "chitty: the same total", ORDER_PENDING, 0, true, 9900, NO_STATUS, NO_MINUTES, 9900, CHANGE_NOTHING, 0, 0, 0 },
		{ "chitty: down to nothing", ORDER_PENDING, 0, true, 9900, NO_STATUS, NO_MINUTES, 0, CHANGE_APPLY, ORDER_PENDING, 0, 0 },
		{ "chitty: all three", ORDER_PENDING, 0, true, 0, ORDER_CONFIRMED, 15, 9900, CHANGE_APPLY, ORDER_CONFIRMED, 15, 9900 },
		{ "no chitty: a total", ORDER_PENDING, 0, false, 100, NO_STATUS, NO_MINUTES, 200, CHANGE_TOTAL_WITHOUT_CHITTY, 0, 0, 0 },
		{ "no chitty: the same total", ORDER_PENDING, 0, false, 100, NO_STATUS, NO_MINUTES, 100, CHANGE_TOTAL_WITHOUT_CHITTY, 0, 0, 0 },
		{ "no chitty: a total and a good status", ORDER_PENDING, 0, false, 100, ORDER_CONFIRMED, NO_MINUTES, 200, CHANGE_TOTAL_WITHOUT_CHITTY, 0, 0, 0 },
		{ "no chitty: a total and a bad status", ORDER_PENDING, 0, false, 100, ORDER_READY, NO_MINUTES, 200, CHANGE_TOTAL_WITHOUT_CHITTY, 0, 0, 0 },
		{ "no chitty: a total on a final order", ORDER_CANCELLED, 0, false, 100, NO_STATUS, NO_MINUTES, 100, CHANGE_TOTAL_WITHOUT_CHITTY, 0, 0, 0 },
		{ "nothing asked for", ORDER_PENDING, 0, false, 100, NO_STATUS, NO_MINUTES, NO_TOTAL, CHANGE_NOTHING, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct order o = an_order(rows[i].from, rows[i].minutes, rows[i].chitty, rows[i].total), next = { .version = 77 };

		cr_expect_eq(judge(&o, rows[i].to, rows[i].to_minutes, rows[i].to_total, &next), rows[i].want, "%s", rows[i].what);
		if (rows[i].want != CHANGE_APPLY) {
			cr_expect_eq(next.version, 77, "%s: touched", rows[i].what);
			continue;
		}
		o.status = rows[i].then;
		o.estimated_preparation_minutes = rows[i].then_minutes;
		o.total_amount = rows[i].then_total;
		cr_expect(same(&o, &next), "%s", rows[i].what);
	}
}

Test(order, a_cancelled_order_says_why)
{
	static const struct {
		const char *what;
		enum order_status from; const char *had;
		enum order_status to; const char *reason;
		enum change_verdict want;
	} rows[] = {
		{ "with a reason", ORDER_PENDING, NULL, ORDER_CANCELLED, "sold out", CHANGE_APPLY },
		{ "without", ORDER_READY, NULL, ORDER_CANCELLED, NULL, CHANGE_APPLY },
		{ "the same again", ORDER_CANCELLED, "sold out", ORDER_CANCELLED, "sold out", CHANGE_NOTHING },
		{ "again, without", ORDER_CANCELLED, "sold out", ORDER_CANCELLED, NULL, CHANGE_NOTHING },
		{ "again, with another", ORDER_CANCELLED, "sold out", ORDER_CANCELLED, "closed", CHANGE_INVALID_TRANSITION },
		{ "again, with one now", ORDER_CANCELLED, NULL, ORDER_CANCELLED, "closed", CHANGE_INVALID_TRANSITION },
		{ "no cancelling", ORDER_PENDING, NULL, ORDER_CONFIRMED, NULL, CHANGE_APPLY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct order o = an_order(rows[i].from, 0, false, 0), next;
		struct order_change c = { .has_status = true, .status = rows[i].to, .by = CANCELLED_BY_SYSTEM };

		o.cancel_reason = rows[i].had ? str_from(rows[i].had) : STR_NONE;
		c.cancel_reason = rows[i].reason ? str_from(rows[i].reason) : STR_NONE;
		cr_assert_eq(order_judge(&o, &c, &next), rows[i].want, "%s", rows[i].what);
		if (rows[i].want != CHANGE_APPLY)
			continue;
		cr_expect_eq(next.cancelled_by, rows[i].to == ORDER_CANCELLED ? CANCELLED_BY_SYSTEM : CANCELLED_BY_NOBODY, "%s", rows[i].what);
		cr_expect(str_eq(next.cancel_reason, c.cancel_reason), "%s", rows[i].what);
	}
}

Test(order, cancellers_by_name)
{
	enum canceller c = CANCELLER__MAX;

	cr_expect(canceller_parse(STR_NONE, &c) && c == CANCELLED_BY_NOBODY);
	cr_expect_null(canceller_name(c));
	cr_expect(canceller_parse(STR("system"), &c) && c == CANCELLED_BY_SYSTEM);
	cr_expect(canceller_parse(STR("shopkeeper"), &c) && c == CANCELLED_BY_SHOPKEEPER);
	cr_expect_str_eq(canceller_name(c), "shopkeeper");
	cr_expect_not(canceller_parse(STR("customer"), &c));
	cr_expect_not(canceller_parse(STR(""), &c));
}
