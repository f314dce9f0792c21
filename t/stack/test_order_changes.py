"""Changing an order, and its history."""
import pytest

from lib import check, http
from lib.together import together

case = pytest.param


# --- the table of transitions

@pytest.fixture(scope="module")
def shop(api):
    """One shop for the table; its orders are each test's own."""
    return api.tools.shop(("60.00", None))


@pytest.fixture(scope="module")
def customer(api):
    return api.tools.user()


@pytest.mark.parametrize("target", check.STATUSES)
@pytest.mark.parametrize("status", check.STATUSES)
def test_transition(api, shop, customer, status, target):
    before = api.bring_to(shop, api.place(customer, shop), status)
    etag = api.get(customer, before).header("ETag")
    answer = api.patch(shop.keeper, before, status=target)
    if target == status:
        assert check.ok(answer) == before and answer.header("ETag") == etag
    elif target in check.MAY_GO[status]:
        after = check.order(check.ok(answer))
        by = "shopkeeper" if target == "cancelled" else None
        assert {**after, "updated_at": None} == {**before, "status": target, "version": before["version"] + 1, "updated_at": None, "cancelled_by": by}
        assert check.time(after["updated_at"]) >= check.time(before["updated_at"])
        assert answer.header("ETag") != etag
        assert api.read(customer, before) == after
    else:
        assert sorted(check.problem(answer, 409, "invalid_transition")["allowed"]) == sorted(check.MAY_GO[status])
        assert api.read(customer, before) == before
        assert api.get(customer, before).header("ETag") == etag


# --- estimates

@pytest.mark.parametrize("minutes", [1, 20, 1440])
def test_good_estimates(api, shop, customer, minutes):
    order = api.place(customer, shop)
    after = api.change(shop, order, estimated_preparation_minutes=minutes)
    assert (after["estimated_preparation_minutes"], after["status"], after["version"]) == (minutes, "pending", 2)
    assert api.change(shop, order, estimated_preparation_minutes=minutes) == after


@pytest.mark.parametrize("minutes", [0, -1, 1441, 10 ** 20, "20", 20.0, 20.5, True, None, [], {}])
def test_bad_estimates(api, shop, customer, minutes):
    order = api.place(customer, shop)
    answer = api.patch(shop.keeper, order, estimated_preparation_minutes=minutes)
    assert check.faults(answer) == ["estimated_preparation_minutes"]
    assert api.read(customer, order) == order


def test_status_and_estimate_are_one_change(api, shop, customer):
    order = api.place(customer, shop)
    after = api.change(shop, order, status="confirmed", estimated_preparation_minutes=20)
    assert (after["status"], after["estimated_preparation_minutes"], after["version"]) == ("confirmed", 20, 2)


@pytest.mark.parametrize("status", ["picked_up", "cancelled"])
def test_an_estimate_for_a_finished_order(api, shop, customer, status):
    order = api.change(shop, api.place(customer, shop), estimated_preparation_minutes=15)
    order = api.bring_to(shop, order, status)
    answer = api.patch(shop.keeper, order, estimated_preparation_minutes=16)
    assert check.problem(answer, 409, "invalid_transition")["allowed"] == []
    assert api.change(shop, order, estimated_preparation_minutes=15) == order


def test_a_refused_status_takes_the_estimate_with_it(api, shop, customer):
    order = api.place(customer, shop)
    check.problem(api.patch(shop.keeper, order, status="picked_up", estimated_preparation_minutes=5), 409, "invalid_transition")
    assert api.read(customer, order) == order


# --- totals

@pytest.mark.parametrize("text", ["0", "0.01", "0.1", "120", "120.0", "120.50", "59.97", "99999999.99"])
def test_good_totals(api, shop, customer, text):
    order = api.place_chitty(customer, shop)
    answer = api.call("PATCH", f"/api/v1/orders/{order['id']}", shop.keeper, body=b'{"total_amount": %s}' % text.encode())
    after = check.order(check.ok(answer))
    assert (after["total_amount"], after["version"], after["has_chitty"]) == (http.loads(text), 2, True)
    assert api.read(customer, order) == after


@pytest.mark.parametrize("text", ["-1", "-0.01", "100000000", "99999999.999", "1.234", "0.001", "1e20", '"12"', "true", "null", "[]", "{}"])
def test_bad_totals(api, shop, customer, text):
    order = api.place_chitty(customer, shop)
    answer = api.call("PATCH", f"/api/v1/orders/{order['id']}", shop.keeper, body=b'{"total_amount": %s}' % text.encode())
    assert check.faults(answer) == ["total_amount"]


@pytest.mark.parametrize("total", [5, 60, 0])
def test_a_total_without_a_chitty(api, shop, customer, total):
    order = api.place(customer, shop)
    assert check.faults(api.patch(shop.keeper, order, total_amount=total)) == ["total_amount"]
    assert check.faults(api.patch(shop.keeper, order, status="confirmed", total_amount=total)) == ["total_amount"]
    assert api.read(customer, order) == order


# --- bodies

@pytest.mark.parametrize("members", [case({}, id="empty"), case({"state": "ready", "order_notes": "x"}, id="only unknown members")])
def test_nothing_to_change(api, shop, customer, members):
    answer = api.patch(shop.keeper, api.place(customer, shop), **members)
    check.problem(answer, 422, "validation_failed")
    assert answer.json()["errors"]


@pytest.mark.parametrize("status", ["", "done", "READY", " ready", "picked-up", 1, True, None, [], {}])
def test_bad_statuses(api, shop, customer, status):
    order = api.place(customer, shop)
    assert check.faults(api.patch(shop.keeper, order, status=status)) == ["status"]


def test_all_faults_at_once(api, shop, customer):
    answer = api.patch(shop.keeper, api.place(customer, shop), status="x", estimated_preparation_minutes=0, total_amount="1")
    assert check.faults(answer) == ["estimated_preparation_minutes", "status", "total_amount"]


def test_unknown_members_are_ignored(api, shop, customer):
    order = api.place(customer, shop)
    after = api.change(shop, order, status="confirmed", order_notes="x", version=77, customer_id=1)
    assert {**after, "updated_at": None} == {**order, "status": "confirmed", "version": 2, "updated_at": None}


# --- who

def test_who_may_change(api, shop, customer, world):
    order = api.place(customer, shop)
    check.problem(api.patch(customer, order, status="cancelled"), 403, "forbidden")
    check.problem(api.patch(None, order, status="cancelled"), 401, "unauthorized")
    check.problem(api.patch(world.other.keeper, order, status="cancelled"), 404, "not_found")
    check.problem(api.patch(shop.keeper, {"id": 10 ** 9}, status="cancelled"), 404, "not_found")
    assert api.patch(world.stranger, order, status="cancelled").status in (403, 404)
    assert api.read(customer, order) == order


# --- If-Match

def test_if_match(api, shop, customer):
    order = api.place(customer, shop)
    old = api.get(customer, order).header("ETag")
    current = api.patch(shop.keeper, order, {"If-Match": old}, status="confirmed").header("ETag")
    for value in (old, '"other"', f'{old}, "other"'):
        for members in ({"status": "preparing"}, {"status": "confirmed"}, {"status": "pending"}):
            check.problem(api.patch(shop.keeper, order, {"If-Match": value}, **members), 412, "version_mismatch")
    assert api.read(customer, order)["version"] == 2
    assert api.patch(shop.keeper, order, {"If-Match": "*"}, status="confirmed").status == 200
    assert api.patch(shop.keeper, order, {"If-Match": f'"other", {current}'}, status="preparing").status == 200


def test_of_two_with_the_same_if_match_one_wins(api, shop, customer):
    order = api.place(customer, shop)
    etag = api.get(customer, order).header("ETag")
    answers = together([lambda m=m: api.patch(shop.keeper, order, {"If-Match": etag}, estimated_preparation_minutes=m)
                        for m in range(1, 17)])
    assert sorted(a.status for a in answers) == [200] + [412] * 15
    winner = next(a for a in answers if a.status == 200)
    assert api.read(customer, order) == winner.json() and winner.json()["version"] == 2


# --- at once

def test_the_same_change_by_many_happens_once(api, shop, customer):
    order = api.place(customer, shop)
    answers = together([lambda: api.patch(shop.keeper, order, status="confirmed")] * 16)
    assert {check.ok(a)["version"] for a in answers} == {2}
    assert len(history(api, customer, order)) == 2


def test_many_different_changes_all_happen(api, shop, customer):
    order = api.place(customer, shop)
    answers = together([lambda m=m: api.patch(shop.keeper, order, estimated_preparation_minutes=m) for m in range(1, 151)])
    assert {check.ok(a)["version"] for a in answers} == set(range(2, 152))
    assert [e["estimated_preparation_minutes"] for e in history(api, customer, order)][0] is None


def test_picked_up_or_cancelled_but_not_both(api):
    shop, customer = api.tools.shop(("1.00", 10)), api.tools.user()
    for _ in range(4):
        order = api.bring_to(shop, api.place(customer, shop), "ready")
        before = api.stock(shop, shop.products[0])
        answers = together([lambda s=s: api.patch(shop.keeper, order, status=s) for s in ("picked_up", "cancelled") * 4])
        end = api.read(customer, order)
        assert end["version"] == order["version"] + 1
        for answer, asked in zip(answers, ("picked_up", "cancelled") * 4):
            if asked == end["status"]:
                assert check.ok(answer) == end
            else:
                check.problem(answer, 409, "invalid_transition")
        assert api.stock(shop, shop.products[0]) == before + (end["status"] == "cancelled")


# --- history

def history(api, who, order):
    return check.ok(api.call("GET", f"/api/v1/orders/{order['id']}/history", who))


MEMBERS = ["status", "estimated_preparation_minutes", "total_amount", "set_by", "at"]


def test_history(api, shop, customer):
    order = api.place(customer, shop)
    first = history(api, shop.keeper, order)
    assert first == [{"status": "pending", "estimated_preparation_minutes": None, "total_amount": 60,
                      "set_by": {"user_id": customer.id, "role": "customer"}, "at": order["created_at"]}]
    assert list(first[0]) == MEMBERS
    api.change(shop, order, status="confirmed", estimated_preparation_minutes=20)
    api.change(shop, order, status="confirmed")
    api.patch(shop.keeper, order, status="picked_up")
    order = api.change(shop, order, status="ready")
    entries = history(api, shop.keeper, order)
    assert [list(e) for e in entries] == [MEMBERS] * 3
    assert entries[0] == first[0]
    assert [(e["status"], e["estimated_preparation_minutes"], e["total_amount"]) for e in entries] == [
        ("pending", None, 60), ("confirmed", 20, 60), ("ready", 20, 60)]
    assert [e["set_by"] for e in entries[1:]] == [{"user_id": shop.keeper.id, "role": "shopkeeper"}] * 2
    assert entries[-1]["at"] == order["updated_at"]
    assert entries == sorted(entries, key=lambda e: check.time(e["at"]))


def test_the_customer_reads_history_without_ids(api, shop, customer):
    order = api.bring_to(shop, api.place(customer, shop), "ready")
    keepers, own = history(api, shop.keeper, order), history(api, customer, order)
    assert [e["set_by"]["role"] for e in own] == [e["set_by"]["role"] for e in keepers]
    assert all(e["set_by"].get("user_id") is None for e in own)
    assert [{**e, "set_by": None} for e in own] == [{**e, "set_by": None} for e in keepers]


def test_history_of_a_priced_list(api, shop, customer):
    order = api.place_chitty(customer, shop)
    api.change(shop, order, total_amount=99.5)
    entries = history(api, shop.keeper, order)
    assert [(e["status"], e["total_amount"]) for e in entries] == [("pending", 60), ("pending", http.loads("99.5"))]


def test_who_may_read_history(api, shop, customer, world):
    path = f"/api/v1/orders/{api.place(customer, shop)['id']}/history"
    for who in (world.stranger, world.other.keeper):
        check.problem(api.call("GET", path, who), 404, "not_found")
    check.problem(api.call("GET", path), 401, "unauthorized")
    check.problem(api.call("GET", "/api/v1/orders/999999999/history", shop.keeper), 404, "not_found")
