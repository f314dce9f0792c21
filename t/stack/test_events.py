"""Notifications without nginx: what the relay publishes, and catching up by GET /api/v1/events/…"""
import signal
import time

import pytest

from lib import check, http, proc
from lib.times import from_now
from lib.together import together

case = pytest.param


@pytest.fixture()
def shop(api):
    return api.tools.shop(("60.00", None))


@pytest.fixture()
def customer(api):
    return api.tools.user(name="Kiran Kumar")


def messages(api, who, kind, channel_id, count):
    """The channel's messages once there are count; there must be no more."""
    events = api.wait_events(who, kind, channel_id, count)
    assert [e["seq"] for e in events] == list(range(1, count + 1))
    return [e["message"] for e in events]


# --- bodies

def test_new_order(api, shop, customer):
    when = from_now(days=1)
    order = api.place(customer, shop, [(shop.products[0], 2), (shop.products[0], 1)], order_type="pre_order", scheduled_pickup_time=when)
    instant = api.place(customer, shop)
    first, second = messages(api, shop.keeper, "shop", shop.id, 2)
    assert list(first) == list(second) == check.NEW_ORDER
    assert first == {"type": "new_order", "order_id": order["id"], "customer_name": "Kiran Kumar", "order_type": "pre_order",
                     "scheduled_pickup_time": when, "total_amount": 180, "item_count": 2, "has_chitty": False}
    assert second == {**first, "order_id": instant["id"], "order_type": "instant", "scheduled_pickup_time": None, "total_amount": 60, "item_count": 1}


def test_order_update_and_pickup_ready(api, shop, customer):
    order = api.place(customer, shop)
    confirmed = api.change(shop, order, status="confirmed", estimated_preparation_minutes=20)
    api.change(shop, order, status="ready", estimated_preparation_minutes=15)
    picked_up = api.change(shop, order, status="picked_up")
    update, ready, last = messages(api, customer, "customer", customer.id, 3)
    assert list(update) == list(last) == check.ORDER_UPDATE and list(ready) == check.PICKUP_READY
    assert update == {"type": "order_update", "order_id": order["id"], "shop_id": shop.id, "status": "confirmed", "total_amount": 60,
                      "estimated_preparation_minutes": 20, "updated_at": confirmed["updated_at"]}
    assert ready == {"type": "pickup_ready", "order_id": order["id"], "shop_id": shop.id, "status": "ready",
                     "estimated_preparation_minutes": 15, "message": "Your order is ready for pickup!"}
    assert last == {**update, "status": "picked_up", "estimated_preparation_minutes": 15, "updated_at": picked_up["updated_at"]}


@pytest.mark.parametrize("steps, types", [
    case(["confirmed", "preparing", "ready", "picked_up"], ["order_update", "order_update", "pickup_ready", "order_update"], id="the whole way"),
    case(["cancelled"], ["order_update"], id="cancelled"), case(["confirmed", "ready"], ["order_update", "pickup_ready"], id="the walk-through"),
])
def test_one_message_a_status(api, shop, customer, steps, types):
    order = api.place(customer, shop)
    for status in steps:
        api.change(shop, order, status=status)
    found = messages(api, customer, "customer", customer.id, len(steps))
    assert [(m["status"], m["type"]) for m in found] == list(zip(steps, types))
    assert all(m["estimated_preparation_minutes"] is None for m in found)
    assert api.last_seq(shop.keeper, "shop", shop.id) == 1


def test_an_estimate_for_a_ready_order_is_an_update(api, shop, customer):
    order = api.bring_to(shop, api.place(customer, shop), "ready")
    api.change(shop, order, estimated_preparation_minutes=3)
    found = messages(api, customer, "customer", customer.id, 3)
    assert (found[2]["type"], found[2]["status"], found[2]["estimated_preparation_minutes"]) == ("order_update", "ready", 3)


def test_a_priced_list(api, shop, customer):
    order = api.place_chitty(customer, shop)
    api.change(shop, order, total_amount=123.45)
    found, = messages(api, customer, "customer", customer.id, 1)
    assert (found["type"], found["total_amount"], found["status"]) == ("order_update", http.loads("123.45"), "pending")


def test_what_changes_nothing_notifies_nobody(api, shop, customer):
    order = api.place(customer, shop)
    api.change(shop, order, status="confirmed")
    api.change(shop, order, status="confirmed")
    api.change(shop, order, status="confirmed", estimated_preparation_minutes=5)
    api.change(shop, order, estimated_preparation_minutes=5)
    api.patch(shop.keeper, order, status="picked_up")
    api.patch(shop.keeper, order, {"If-Match": '"0"'}, status="ready")
    api.patch(customer, order, status="cancelled")
    api.post(customer, shop, items=[])
    api.change(shop, order, status="cancelled")
    assert [m["status"] for m in messages(api, customer, "customer", customer.id, 3)] == ["confirmed", "confirmed", "cancelled"]
    assert len(messages(api, shop.keeper, "shop", shop.id, 1)) == 1


@pytest.mark.parametrize("price, text", [("60.00", b"60.0"), ("0.10", b"0.1"), ("19.99", b"19.99"), ("99999999.99", b"99999999.99")])
def test_money_in_messages_is_exact(api, customer, price, text):
    shop = api.tools.shop((price, None))
    api.place(customer, shop)
    proc.wait_for(lambda: api.push.on("shop", shop.id), 10, "the message")
    body = api.push.on("shop", shop.id)[0].body
    check.money_text(body)
    assert http.loads(body)["total_amount"] == http.loads(price)
    assert b'"total_amount":' + text in body.replace(b" ", b"")


@pytest.mark.parametrize("name", ["Zoë ₹ 🛒", 'O"Brien\\', "عربى", "</script>"])
def test_names_in_messages(api, shop, name):
    api.place(api.tools.user(name=name), shop)
    assert messages(api, shop.keeper, "shop", shop.id, 1)[0]["customer_name"] == name


# --- publishing

def test_what_is_published_is_what_can_be_read(api, shop, customer):
    order = api.bring_to(shop, api.place(customer, shop), "picked_up")
    for kind, who, channel_id, count in (("shop", shop.keeper, shop.id, 1), ("customer", customer, customer.id, 3)):
        proc.wait_for(lambda: len(api.push.on(kind, channel_id)) >= count, 10, "the messages")
        posts = api.push.on(kind, channel_id)
        events = api.events(who, kind, channel_id)["events"]
        assert [(p.seq, p.message) for p in posts] == [(e["seq"], e["message"]) for e in events]
        assert [p.content_type for p in posts] == [f"application/json; seq={n + 1}" for n in range(count)]
        assert all(p.message["order_id"] == order["id"] for p in posts)


def test_order_per_order_and_no_gaps_under_load(api):
    shop, customers = api.tools.shop(), [api.tools.user() for _ in range(4)]

    def whole_life(customer):
        order = api.place(customer, shop)
        for status in ("confirmed", "preparing", "ready", "picked_up"):
            api.change(shop, order, status=status)
        return order["id"]

    orders = together([lambda c=customers[n % 4]: whole_life(c) for n in range(16)])
    news = messages(api, shop.keeper, "shop", shop.id, 16)
    assert sorted(m["order_id"] for m in news) == sorted(orders)
    for customer in customers:
        found = messages(api, customer, "customer", customer.id, 16)
        for order_id in {m["order_id"] for m in found}:
            assert [m["status"] for m in found if m["order_id"] == order_id] == ["confirmed", "preparing", "ready", "picked_up"]


def test_the_relay_is_woken(make_api):
    """It would look once a minute, and once more soon after it has found something."""
    api = make_api("woken", {"PICKUP_RELAY_POLL_MS": "60000"}, workers=1)
    shop, customer = api.tools.shop(), api.tools.user()
    for n in range(1, 5):
        api.place(customer, shop)
        proc.wait_for(lambda: len(api.push.on("shop", shop.id)) == n, 5, "the message")
        time.sleep(0.3)


@pytest.fixture()
def calm(api):
    """Leaves the relay and the stand-in as they were."""
    yield
    api.push.answer()
    if api.relay.poll() is not None:
        api.start_relay()


@pytest.mark.parametrize("statuses", [[500], [503, 503], [507, 500, 502]])
def test_a_refused_publish_is_repeated_with_its_number(api, shop, customer, calm, statuses):
    api.push.answer(*statuses)
    order = api.place(customer, shop)
    api.bring_to(shop, order, "picked_up")
    for kind, channel_id, count in (("shop", shop.id, 1), ("customer", customer.id, 3)):
        proc.wait_for(lambda: len({p.seq for p in api.push.on(kind, channel_id)}) >= count, 15, "the messages")
        seqs = [p.seq for p in api.push.on(kind, channel_id)]
        assert list(dict.fromkeys(seqs)) == list(range(1, count + 1))
    repeated = {}
    for path, content_type, body in api.push.tries:
        repeated.setdefault((path, content_type), set()).add(body)
    assert all(len(bodies) == 1 for bodies in repeated.values())


def test_through_kills_of_the_relay(api, shop, customer, calm):
    """Each number stands for one message, whatever dies; nothing is lost, the order holds."""
    expected = []
    for _ in range(3):
        expected.append(api.place(customer, shop)["id"])
        proc.stop(api.relay, signal.SIGKILL)
        expected += [api.place(customer, shop)["id"] for _ in range(3)]
        api.start_relay()
    proc.wait_for(lambda: len({p.seq for p in api.push.on("shop", shop.id)}) >= len(expected), 20, "the messages")
    by_seq = {}
    for p in api.push.on("shop", shop.id):
        assert by_seq.setdefault(p.seq, p.message) == p.message
    assert [by_seq[n + 1]["order_id"] for n in range(len(expected))] == expected
    events = api.events(shop.keeper, "shop", shop.id)["events"]
    assert [(e["seq"], e["message"]["order_id"]) for e in events] == list(enumerate(expected, 1))


# --- catching up

def test_a_channel_without_events(api, shop, customer):
    for who, kind, channel_id in ((shop.keeper, "shop", shop.id), (customer, "customer", customer.id)):
        path = f"/api/v1/events/{kind}/{channel_id}"
        for query in ("", "?after=0", "?after=41", "?limit=5"):
            value = check.ok(api.call("GET", path + query, who))
            assert value == {"events": [], "last_seq": 0} and list(value) == ["events", "last_seq"]


def test_after_and_limit(api, shop, customer):
    placed = [api.place(customer, shop)["id"] for _ in range(5)]
    api.wait_events(shop.keeper, "shop", shop.id, 5)

    def get(query):
        value = check.ok(api.call("GET", f"/api/v1/events/shop/{shop.id}{query}", shop.keeper))
        assert list(value) == ["events", "last_seq"] and value["last_seq"] == 5
        assert all(list(e) == ["seq", "at", "message"] for e in value["events"])
        assert [e["message"]["order_id"] for e in value["events"]] == [placed[e["seq"] - 1] for e in value["events"]]
        return [e["seq"] for e in value["events"]]

    assert get("") == get("?limit=3") == []
    assert get("?after=0") == [1, 2, 3, 4, 5]
    assert get("?after=2") == [3, 4, 5]
    assert get("?after=4") == get("?after=4&limit=1") == [5]
    assert get("?after=1&limit=2") == [2, 3]
    assert get("?after=5") == get("?after=6") == get("?after=9223372036854775807") == []


def test_the_time_of_an_event_is_in_the_shops_zone(api, customer):
    shop = api.tools.shop(("1.00", None), timezone="America/St_Johns")
    order = api.bring_to(shop, api.place(customer, shop), "confirmed")
    news, = api.wait_events(shop.keeper, "shop", shop.id, 1)
    update, = api.wait_events(customer, "customer", customer.id, 1)
    assert (news["at"], update["at"]) == (order["created_at"], order["updated_at"])
    assert check.time(news["at"]).utcoffset() == check.time(order["created_at"]).utcoffset()


@pytest.mark.parametrize("query, field", [*[case(f"after={v}", "after", id=f"after {v or 'empty'}") for v in
                                            ("", "-1", "abc", "1.5", "1e3", "%2B1", "99999999999999999999", "0x1", "'")],
                                          *[case(f"after=0&limit={v}", "limit", id=f"limit {v or 'empty'}") for v in ("0", "201", "x", "")]])
def test_bad_queries(api, world, query, field):
    assert check.faults(api.call("GET", f"/api/v1/events/shop/{world.shop.id}?{query}", world.keeper)) == [field]


def test_fifty_by_default_two_hundred_at_most(api, shop, customer):
    for _ in range(52):
        api.place(customer, shop)
    api.wait_events(shop.keeper, "shop", shop.id, 52)
    path = f"/api/v1/events/shop/{shop.id}?after=0"
    assert len(check.ok(api.call("GET", path, shop.keeper))["events"]) == 50
    assert len(check.ok(api.call("GET", path + "&limit=200", shop.keeper))["events"]) == 52


def test_older_than_what_is_kept(api, shop, customer):
    for _ in range(4):
        api.place(customer, shop)
    api.wait_events(shop.keeper, "shop", shop.id, 4)
    api.db.sql(f"DELETE FROM events WHERE channel_kind = 1 AND channel_id = {shop.id} AND seq <= 2")
    path = f"/api/v1/events/shop/{shop.id}"
    for after in (0, 1):
        gone = api.call("GET", f"{path}?after={after}", shop.keeper)
        assert check.problem(gone, 410, "gone")["last_seq"] == 4
    for after, seqs in ((2, [3, 4]), (3, [4]), (4, []), (5, [])):
        value = check.ok(api.call("GET", f"{path}?after={after}", shop.keeper))
        assert ([e["seq"] for e in value["events"]], value["last_seq"]) == (seqs, 4)
    assert check.ok(api.call("GET", path, shop.keeper)) == {"events": [], "last_seq": 4}


def test_events_that_are_forgotten_meanwhile(api, shop, customer):
    """As where they go between the two looks that an answer takes."""
    for _ in range(4):
        api.place(customer, shop)
    api.wait_events(shop.keeper, "shop", shop.id, 4)
    api.db.sql(f"DELETE FROM events WHERE channel_kind = 1 AND channel_id = {shop.id} AND seq = 3")
    gone = api.call("GET", f"/api/v1/events/shop/{shop.id}?after=2", shop.keeper)
    assert check.problem(gone, 410, "gone")["last_seq"] == 4


def test_who_may_read_events(api, shop, customer, world):
    ours, theirs = f"/api/v1/events/shop/{shop.id}", f"/api/v1/events/customer/{customer.id}"
    for path, refused in ((ours, (customer, world.other.keeper)), (theirs, (world.stranger, shop.keeper))):
        for target in (path, path + "?after=0"):
            for who in refused:
                check.problem(api.call("GET", target, who), 403, "forbidden")
            check.problem(api.call("GET", target), 401, "unauthorized")
    own_number = api.tools.token(customer.id, "shopkeeper")
    check.problem(api.call("GET", theirs, own_number), 403, "forbidden")
    for kind in ("shop", "customer"):
        assert api.call("GET", f"/api/v1/events/{kind}/999999999", shop.keeper).status in (403, 404)
        for bad in ("0", "-1", "x", "18446744073709551616"):
            check.problem(api.call("GET", f"/api/v1/events/{kind}/{bad}", shop.keeper), 404, "not_found")
