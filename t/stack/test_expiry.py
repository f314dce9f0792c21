"""Orders that nobody confirms in time, orders that confirm themselves, and why an order was cancelled."""
import datetime

import pytest

from lib import check, proc
from lib.clocked import Clocked


@pytest.fixture(scope="module")
def at(api):
    clocked = Clocked(api, "expiry")
    yield clocked
    clocked.stop()


@pytest.fixture(scope="module")
def customer(api):
    return api.tools.user()


@pytest.fixture
def shop(api):
    shop = api.tools.shop(("60.00", 10))
    api.set(shop, accept_within_minutes=15)
    return shop


def overdue(api, order):
    """The order's time has come, in the database's own words."""
    api.db.sql(f"UPDATE order_deadlines SET accept_by = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE order_id = {order['id']}")


def expired(api, who, order):
    return proc.wait_for(lambda: (o := api.read(who, order))["status"] == "cancelled" and o, 30, "the order to expire")


def test_an_order_has_until_then(api, shop, customer):
    order = api.place(customer, shop)
    created = check.time(api.db.sql(f"SELECT DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s+00:00') FROM orders WHERE id = {order['id']}")[0][0])
    assert check.time(order["accept_by"]) - created == datetime.timedelta(minutes=15)
    assert (order["cancelled_by"], order["cancel_reason"]) == (None, None)
    api.set(shop, accept_within_minutes=None)
    assert api.place(customer, shop)["accept_by"] is None


def test_nobody_confirmed_in_time(api, shop, customer):
    order = api.place(customer, shop, [(shop.products[0], 3)])
    assert api.stock(shop, shop.products[0]) == 7
    before = api.last_seq(customer, "customer", customer.id)
    overdue(api, order)
    gone = expired(api, customer, order)
    assert (gone["cancelled_by"], gone["cancel_reason"], gone["version"]) == ("system", "not_accepted_in_time", 2)
    assert api.stock(shop, shop.products[0]) == 10, "the stock is back"
    history = check.ok(api.call("GET", f"/api/v1/orders/{order['id']}/history", customer))
    assert [(h["status"], h["set_by"]) for h in history] == [("pending", {"role": "customer"}), ("cancelled", "system")]
    events = proc.wait_for(lambda: api.events(customer, "customer", customer.id, after=before)["events"], 10, "the message")
    assert [(e["message"]["type"], e["message"]["order_id"], e["message"]["status"]) for e in events] == [("order_update", order["id"], "cancelled")]
    assert api.db.sql(f"SELECT COUNT(*) FROM order_deadlines WHERE order_id = {order['id']}") == [["0"]]
    assert check.problem(api.patch(shop.keeper, order, status="confirmed"), 409, "invalid_transition")["allowed"] == []


@pytest.mark.parametrize("status", ["confirmed", "picked_up", "cancelled"])
def test_one_that_was_decided_stays_as_it_is(api, shop, customer, status):
    order = api.bring_to(shop, api.place(customer, shop), status)
    overdue(api, order)
    proc.wait_for(lambda: api.db.sql(f"SELECT COUNT(*) FROM order_deadlines WHERE order_id = {order['id']}") == [["0"]], 30, "the sweep")
    assert api.read(customer, order) == order


def test_an_order_of_which_nothing_is_left(api, shop, customer):
    order = api.place(customer, shop)
    api.db.sql(f"DELETE FROM orders WHERE id = {order['id']}")
    overdue(api, order)
    proc.wait_for(lambda: api.db.sql(f"SELECT COUNT(*) FROM order_deadlines WHERE order_id = {order['id']}") == [["0"]], 30, "the sweep")


def test_one_that_another_hand_has_spoilt(api, shop, customer):
    """The others' time comes all the same."""
    spoilt, order = api.place(customer, shop), api.place(customer, shop)
    api.db.sql(f"UPDATE orders SET order_type = 'odd' WHERE id = {spoilt['id']}")
    for late in (spoilt, order):
        overdue(api, late)
    expired(api, customer, order)
    api.db.sql(f"UPDATE orders SET order_type = 'instant' WHERE id = {spoilt['id']}")
    expired(api, customer, spoilt)


def test_a_confirm_at_that_very_moment(api, shop, customer):
    """Exactly one wins, whoever that is; stock and history agree."""
    orders = [api.place(customer, shop) for _ in range(8)]
    for order in orders:
        overdue(api, order)
    answers = {}

    def confirm_until_decided():
        while len(answers) < len(orders):
            for order in orders:
                if order["id"] not in answers:
                    answer = api.patch(shop.keeper, order, status="confirmed")
                    if answer.status == 200 or proc_time_is_up(api, order):
                        answers[order["id"]] = answer.status
    confirm_until_decided()
    proc.wait_for(lambda: api.db.sql("SELECT COUNT(*) FROM order_deadlines WHERE accept_by < UTC_TIMESTAMP()") == [["0"]], 30, "the sweep")
    for order in orders:
        now = api.read(customer, order)
        assert now["status"] == ("confirmed" if answers[order["id"]] == 200 else "cancelled"), (now, answers)
        assert now["version"] == 2
    cancelled = sum(status != 200 for status in answers.values())
    assert api.stock(shop, shop.products[0]) == 10 - len(orders) + cancelled


def proc_time_is_up(api, order):
    return api.db.sql(f"SELECT status FROM orders WHERE id = {order['id']}") == [["cancelled"]]


def test_time_when_it_is_closed_does_not_count(at, customer):
    at.now()
    shop = at.tools.shop(timezone="Europe/Berlin")
    at.set(shop, accept_within_minutes=30, opening_hours={d: [["09:00", "17:00"]] for d in ("mon", "tue")})
    at.at("2026-03-02T16:50 Europe/Berlin")
    order = check.created(at.post(customer, shop))
    assert check.time(order["accept_by"]).strftime("%d %H:%M") == "03 09:20"
    at.at("2026-03-02T20:00 Europe/Berlin")
    order = check.created(at.post(customer, shop, order_type="pre_order", scheduled_pickup_time="2026-03-09T12:00:00+01:00"))
    assert order["accept_by"] == "2026-03-03T09:30:00+01:00"


def test_it_confirms_itself(api, shop, customer):
    api.set(shop, auto_confirm=True, default_preparation_minutes=25)
    shop_seq, own_seq = api.last_seq(shop.keeper, "shop", shop.id), api.last_seq(customer, "customer", customer.id)
    order = api.place(customer, shop)
    assert (order["status"], order["estimated_preparation_minutes"], order["version"], order["accept_by"]) == ("confirmed", 25, 1, None)
    new = proc.wait_for(lambda: api.events(shop.keeper, "shop", shop.id, after=shop_seq)["events"], 10, "new_order")
    assert [(e["message"]["type"], e["message"]["order_id"]) for e in new] == [("new_order", order["id"])]
    told = proc.wait_for(lambda: api.events(customer, "customer", customer.id, after=own_seq)["events"], 10, "order_update")
    assert list(told[0]["message"]) == check.ORDER_UPDATE
    assert {**told[0]["message"], "total_amount": 60} == {
        "type": "order_update", "order_id": order["id"], "shop_id": shop.id, "status": "confirmed", "total_amount": 60,
        "estimated_preparation_minutes": 25, "updated_at": order["updated_at"]}
    history = check.ok(api.call("GET", f"/api/v1/orders/{order['id']}/history", shop.keeper))
    assert [(h["status"], h["estimated_preparation_minutes"]) for h in history] == [("confirmed", 25)]
    api.set(shop, default_preparation_minutes=None)
    assert api.place(customer, shop)["estimated_preparation_minutes"] is None
    assert api.change(shop, order, status="ready")["version"] == 2


# --- why it was cancelled

def test_a_reason(api, shop, customer):
    order = api.change(shop, api.place(customer, shop), status="cancelled", cancel_reason="Sold out, sorry 🙏")
    assert (order["cancelled_by"], order["cancel_reason"]) == ("shopkeeper", "Sold out, sorry 🙏")
    assert api.change(shop, order, status="cancelled", cancel_reason="Sold out, sorry 🙏") == order, "a retry"
    assert api.change(shop, order, status="cancelled") == order
    check.problem(api.patch(shop.keeper, order, status="cancelled", cancel_reason="Another"), 409, "invalid_transition")
    assert api.read(customer, order) == order


@pytest.mark.parametrize("reason, kept", [(None, None), ("", None), ("x" * 200, "x" * 200), ("a\nb", "a\nb")])
def test_good_reasons(api, shop, customer, reason, kept):
    assert api.change(shop, api.place(customer, shop), status="cancelled", cancel_reason=reason)["cancel_reason"] == kept


@pytest.mark.parametrize("members", [{"cancel_reason": "x"}, {"status": "confirmed", "cancel_reason": "x"}, {"status": "cancelled", "cancel_reason": "x" * 201},
                                     {"status": "cancelled", "cancel_reason": 5}, {"status": "cancelled", "cancel_reason": "a\x01b"}])
def test_bad_reasons(api, shop, customer, members):
    order = api.place(customer, shop)
    assert check.faults(api.patch(shop.keeper, order, **members)) == ["cancel_reason"]
    assert api.read(customer, order) == order


def test_without_a_reason(api, shop, customer):
    order = api.change(shop, api.place(customer, shop), status="cancelled")
    assert (order["cancelled_by"], order["cancel_reason"]) == ("shopkeeper", None)
