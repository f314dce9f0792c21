"""Whom a shop's owner lets in: what they may do there, what not, and that it ends."""
import itertools
import time

import pytest

from lib import check, proc
from lib.api import phone
from lib.http import FcgiClient
from lib.subscribe import WebSocket, upgrade
from lib.together import together

case = pytest.param
STAFF = ["user_id", "full_name", "phone_number", "role", "added_at"]


@pytest.fixture(scope="module")
def own(make_api):
    """Without a relay, so that what is to be closed stays to be read."""
    made = make_api("staff")
    made.relay.kill()
    made.relay.wait()
    return made


@pytest.fixture
def shop(own):
    return own.tools.shop()


class People:
    """A user of each kind, with their number."""

    def __init__(self, api, role="customer", name="Ravi Iyer"):
        self.api, self.role, self.name, self.number = api, role, name, phone()
        self.id = api.tools.created_id("user", "create", "--role", role, "--name", name, "--phone", self.number)
        self.token = api.tools.token(self.id, role)


def path(shop, who=None):
    return f"/api/v1/shops/{getattr(shop, 'id', shop)}/staff" + ("" if who is None else f"/{who}")


def add(api, shop, who=None, as_=None, **members):
    return api.call("POST", path(shop), as_ or shop.keeper, json=members or {"user_id": who.id})


def remove(api, shop, who, as_=None):
    return api.call("DELETE", path(shop, who.id), as_ or shop.keeper)


def listed(api, shop, query=""):
    return check.ok(api.call("GET", path(shop) + query, shop.keeper))


def closes(api):
    return [[int(v) for v in row] for row in api.db.sql("SELECT channel_kind, channel_id FROM channel_closes ORDER BY id")]


# --- letting in

@pytest.mark.parametrize("role", ["customer", "shopkeeper"])
@pytest.mark.parametrize("by", ["user_id", "phone_number"])
def test_letting_in(own, shop, role, by):
    who = People(own, role)
    value = check.ok(add(own, shop, **{by: who.id if by == "user_id" else who.number}), 201)
    assert list(value) == STAFF
    # Who is known by an id is not known by number: else anybody with a shop could read everybody's.
    wanted = {"user_id": who.id, "full_name": "Ravi Iyer", "phone_number": who.number if by == "phone_number" else None, "role": role}
    assert {**value, "added_at": 0} == {**wanted, "added_at": 0}
    assert abs(check.time(value["added_at"]).timestamp() - time.time()) < 30 and value["added_at"].endswith("+05:30")
    assert listed(own, shop) == [value]


def test_letting_in_twice(own, shop):
    who = People(own)
    first = check.ok(add(own, shop, who), 201)
    assert check.ok(add(own, shop, who)) == first
    known = check.ok(add(own, shop, phone_number=who.number))
    assert known == {**first, "phone_number": who.number}
    assert check.ok(add(own, shop, who)) == known
    assert listed(own, shop) == [known]


def test_a_number_in_another_spelling(own, shop):
    who = People(own)
    spelt = f"{who.number[:3]} {who.number[3:8]}-{who.number[8:]}"
    assert check.ok(add(own, shop, phone_number=spelt), 201)["user_id"] == who.id


@pytest.mark.parametrize("members, field", [
    case({"x": 1}, "user_id", id="nobody"), case({"user_id": None}, "user_id", id="null"), case({"user_id": "1"}, "user_id", id="text"),
    case({"user_id": 0}, "user_id", id="0"), case({"user_id": -1}, "user_id", id="-1"), case({"user_id": 1.0}, "user_id", id="1.0"),
    case({"user_id": 2 ** 63}, "user_id", id="too large"), case({"user_id": 10 ** 9}, "user_id", id="unknown"), case({"user_id": 2 ** 63 - 1}, "user_id", id="largest"),
    case({"user_id": [1]}, "user_id", id="list"), case({"phone_number": 7}, "phone_number", id="a number"), case({"phone_number": ""}, "phone_number", id="empty"),
    case({"phone_number": "call me"}, "phone_number", id="no number"), case({"phone_number": "+999999999999"}, "phone_number", id="unknown number"),
    case({"phone_number": "9" * 5000}, "phone_number", id="long"), case({"phone_number": "' OR '1'='1"}, "phone_number", id="SQL"),
    case({"phone_number": "+91\x00"}, "phone_number", id="NUL"), case({"user_id": 1, "phone_number": "+911234567"}, "user_id", id="both"),
])
def test_who_is_nobody(own, shop, members, field):
    assert check.faults(add(own, shop, **members)) == [field]
    assert listed(own, shop) == []


def test_both_faults_at_once(own, shop):
    assert check.faults(add(own, shop, user_id="x", phone_number=1)) == ["phone_number", "user_id"]


def test_who_can_not_be_let_in(own, shop):
    gone, admin = People(own), People(own, "admin")
    own.tools.run("user", "change", gone.id, "--active", "no")
    for who in (gone, admin, shop.keeper):
        assert check.faults(add(own, shop, who)) == ["user_id"]
    assert check.faults(add(own, shop, phone_number=gone.number)) == ["phone_number"]
    assert listed(own, shop) == []


def test_only_the_owner_decides(own, shop):
    helper, clerk, new = People(own), People(own, "shopkeeper"), People(own)
    for who in (helper, clerk):
        check.ok(add(own, shop, who), 201)
    others = [helper, clerk, People(own), own.tools.shop().keeper, People(own, "admin")]
    for who in others:
        check.problem(add(own, shop, new, as_=who), 403, "forbidden")
        check.problem(remove(own, shop, helper, as_=who), 403, "forbidden")
        check.problem(own.call("DELETE", path(shop), who, json={"user_id": helper.id}), 403, "forbidden")
        check.problem(own.call("GET", path(shop), who), 403, "forbidden")
    for method, more in (("GET", {}), ("POST", {"json": {}}), ("DELETE", {})):
        check.problem(own.call(method, path(shop), **more), 401, "unauthorized")
        check.problem(own.call(method, path(10 ** 9), shop.keeper, **more), 404, "not_found")
    assert len(listed(own, shop)) == 2
    # staff decide nothing about the shop either, be they shopkeepers elsewhere
    for method, target in (("PATCH", f"/api/v1/shops/{shop.id}"), ("POST", f"/api/v1/shops/{shop.id}/products"), ("PATCH", f"/api/v1/products/{shop.products[0].id}")):
        for who in (helper, clerk):
            assert own.call(method, target, who, json={"name": "Mine", "price": 1}).status in (403, 404, 405)


def test_the_list_in_pages(own, shop):
    people = [People(own) for _ in range(7)]
    for who in people:
        check.ok(add(own, shop, who), 201)
    whole = [s["user_id"] for s in listed(own, shop)]
    assert whole == sorted((p.id for p in people), reverse=True)
    target, found = path(shop) + "?limit=3", []
    while target:
        answer = own.call("GET", target, shop.keeper)
        found.append([s["user_id"] for s in check.ok(answer)])
        target = answer.next()
    assert [len(page) for page in found] == [3, 3, 1] and list(itertools.chain(*found)) == whole
    for query in ("?limit=0", "?limit=201", "?limit=x", "?cursor=0", "?cursor=x", "?cursor=1&cursor=2"):
        assert check.faults(own.call("GET", path(shop) + query, shop.keeper))


# --- what they may do

def subscribe(api, kind, channel, who):
    """The push server's question."""
    return FcgiClient(api.workers.path, {**api.settings, "WS_CHANNEL_KIND": kind, "WS_CHANNEL_ID": str(channel)})("GET", "/_ws_auth", who.token).status


def statuses(api, shop, order, who):
    """What that person gets of the shop: each of it, as a status."""
    call = api.call
    return {
        "order": call("GET", f"/api/v1/orders/{order['id']}", who).status, "history": call("GET", f"/api/v1/orders/{order['id']}/history", who).status,
        "change": api.patch(who, order, estimated_preparation_minutes=7).status, "list": call("GET", f"/api/v1/orders/shop/{shop.id}", who).status,
        "one kind": call("GET", f"/api/v1/orders/shop/{shop.id}?status=pending&order_type=instant", who).status,
        "since": call("GET", f"/api/v1/orders/shop/{shop.id}?updated_since=2020-01-01T00:00:00Z", who).status,
        "bad list": call("GET", f"/api/v1/orders/shop/{shop.id}?limit=0", who).status,
        "events": call("GET", f"/api/v1/events/shop/{shop.id}?after=0", who).status, "channel": subscribe(api, "shop", shop.id, who),
        "bad change": api.patch(who, order, status="x").status, "no JSON": call("PATCH", f"/api/v1/orders/{order['id']}", who, body=b"{").status,
    }


ALL = {"order": 200, "history": 200, "change": 200, "list": 200, "one kind": 200, "since": 200, "bad list": 422, "events": 200, "channel": 204,
       "bad change": 422, "no JSON": 400}
NOTHING = {**{name: 403 for name in ALL}, "order": 404, "history": 404}
# Of a shopkeeper, whose changes are welcome elsewhere.
NO_CHANGE = {**NOTHING, "change": 404, "bad change": 422, "no JSON": 400}


@pytest.mark.parametrize("role", ["customer", "shopkeeper"])
def test_what_they_may_see_and_do(own, shop, role):
    who, none = People(own, role), NOTHING if role == "customer" else NO_CHANGE
    order, other = own.place(own.tools.user(), shop), own.tools.shop()
    foreign = own.place(own.tools.user(), other)
    assert statuses(own, shop, order, who) == none
    check.ok(add(own, shop, who), 201)
    assert statuses(own, shop, order, who) == ALL
    # in that shop only; a customer who is staff somewhere hears what is wrong with a change before whose it is
    assert statuses(own, other, foreign, who) == {**none, "bad change": 422, "no JSON": 400}
    assert remove(own, shop, who).status == 204
    assert statuses(own, shop, order, who) == none


def test_who_set_what(own, shop):
    """Staff are shopkeepers there, whatever they are elsewhere."""
    helper, customer = People(own), own.tools.user()
    check.ok(add(own, shop, helper), 201)
    order = own.place(customer, shop)
    check.ok(own.patch(helper, order, status="confirmed"))
    target = f"/api/v1/orders/{order['id']}/history"
    for who in (helper, shop.keeper):
        entries = check.ok(own.call("GET", target, who))
        assert entries[-1]["set_by"] == {"user_id": helper.id, "role": "shopkeeper"}
    assert check.ok(own.call("GET", target, customer))[-1]["set_by"] == {"role": "shopkeeper"}


def test_a_helper_is_a_customer_all_the_same(own, shop):
    helper = People(own)
    check.ok(add(own, shop, helper), 201)
    for place in (shop, own.tools.shop()):
        order = own.place(helper, place)
        assert own.read(helper, order)["customer_name"] == "Ravi Iyer"
    assert [o["shop_id"] for o in check.ok(own.call("GET", "/api/v1/orders/me", helper))] == [place.id, shop.id]
    # an order elsewhere is theirs to read, not to change
    check.problem(own.patch(helper, order, status="cancelled"), 403, "forbidden")
    assert subscribe(own, "customer", helper.id, helper) == 204


def test_an_owner_as_a_customer_is_not_let_in(own, shop):
    """The token's role counts."""
    token = People.__new__(People)
    token.token = own.tools.token(shop.keeper.id, "customer")
    order = own.place(own.tools.user(), shop)
    assert statuses(own, shop, order, token) == NOTHING


# --- taking out

def bodies(who):
    """The ways to name somebody; none: in the path."""
    return {"path": ("", {}), "query": (f"?user_id={who.id}", {}), "id": ("", {"json": {"user_id": who.id}}), "number": ("", {"json": {"phone_number": who.number}})}


@pytest.mark.parametrize("way", ["path", "query", "id", "number"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_taking_out(own, shop, way, slash):
    who, stays = People(own), People(own)
    for each in (who, stays):
        check.ok(add(own, shop, each), 201)
    own.db.sql("DELETE FROM channel_closes")
    query, more = bodies(who)[way]
    target = path(shop, who.id if way == "path" else None) + slash + query
    answer = own.call("DELETE", target, shop.keeper, **more)
    assert (answer.status, answer.body) == (204, b"")
    assert [s["user_id"] for s in listed(own, shop)] == [stays.id]
    assert closes(own) == [[1, shop.id]]
    # a retry succeeds, and closes nothing
    assert own.call("DELETE", target, shop.keeper, **more).status == 204
    assert closes(own) == [[1, shop.id]]


@pytest.mark.parametrize("query, more, expected", [
    case("", {}, ["user_id"], id="nobody"), case("", {"json": {}}, ["user_id"], id="an empty body"), case("?user_id=0", {}, ["user_id"], id="0"),
    case("?user_id=x", {}, ["user_id"], id="a word"), case("?user_id=1&user_id=2", {}, ["user_id"], id="two"), case("?user_id=999999999", {}, ["user_id"], id="unknown"),
    case("?user_id=1", {"json": {"user_id": 1}}, ["user_id"], id="query and body"), case("?phone_number=%2B911234567", {}, ["user_id"], id="a number in the query"),
    case("", {"json": {"phone_number": "+999999999999"}}, ["phone_number"], id="unknown number"), case("", {"json": {"user_id": "1"}}, ["user_id"], id="text"),
])
def test_taking_out_nobody(own, shop, query, more, expected):
    assert check.faults(own.call("DELETE", path(shop) + query, shop.keeper, **more)) == expected


def test_bodies_of_a_delete(own, shop):
    target = path(shop)
    check.problem(own.call("DELETE", target, shop.keeper, body=b"{"), 400, "malformed_json")
    check.problem(own.call("DELETE", target, shop.keeper, body=b"[1]"), 400, "malformed_json")
    check.problem(own.call("DELETE", target, shop.keeper, body=b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    check.problem(own.call("DELETE", target, shop.keeper, body=b" " * 300000), 413, "body_too_large")
    who = People(own)
    check.ok(add(own, shop, who), 201)
    assert own.call("DELETE", path(shop, who.id), shop.keeper, json={"user_id": 1}).status == 204    # the path says it all
    assert listed(own, shop) == []
    check.problem(own.call("DELETE", path(shop, 0), shop.keeper), 404, "not_found")
    check.problem(own.call("DELETE", path(shop, "x"), shop.keeper), 404, "not_found")


def test_closed_in_the_same_transaction(own, shop):
    """Neither without the other."""
    who = People(own)
    check.ok(add(own, shop, who), 201)
    own.db.sql("CREATE TRIGGER busy BEFORE INSERT ON channel_closes FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")
    try:
        check.problem(remove(own, shop, who), 503, "unavailable")
    finally:
        own.db.sql("DROP TRIGGER busy")
    assert [s["user_id"] for s in listed(own, shop)] == [who.id]
    assert remove(own, shop, who).status == 204


def test_who_is_taken_out_hears_no_more(stack):
    """With all of nginx and nchan; those who stay come again and are let in."""
    shop, helper = stack.tools.shop(), stack.tools.user()
    target = f"/ws/shop/{shop.id}"
    assert upgrade(stack.call, target, helper).status == 403
    check.ok(add(stack, shop, helper), 201)
    sockets = [WebSocket(stack.call, target, helper), WebSocket(stack.call, target, shop.keeper)]
    order = stack.place(stack.tools.user(), shop)
    assert [s.receive().value["order_id"] for s in sockets] == [order["id"]] * 2
    assert stack.call("DELETE", path(shop), shop.keeper, json={"user_id": helper.id}).status == 204
    for socket in sockets:
        socket.closed()
    assert upgrade(stack.call, target, helper).status == 403
    with WebSocket(stack.call, target, shop.keeper) as again:
        order = stack.place(stack.tools.user(), shop)
        assert again.receive().value["order_id"] == order["id"]


# --- at once

def test_letting_in_and_taking_out_at_once(own, shop):
    who = People(own)
    for _ in range(5):
        answers = together([lambda: add(own, shop, who)] * 4 + [lambda: remove(own, shop, who)] * 4)
        assert {a.status for a in answers} <= {200, 201, 204}
        remove(own, shop, who)
        assert sorted(a.status for a in together([lambda: add(own, shop, who)] * 6)) == [200] * 5 + [201]
        assert len(listed(own, shop)) == 1
        remove(own, shop, who)


def test_taken_out_while_changing(own, shop):
    """A change that begins after the answer is refused, whatever was under way."""
    order = own.place(own.tools.user(), shop)
    minutes = itertools.count(1)
    for _ in range(3):
        helper, done = People(own), []
        check.ok(add(own, shop, helper), 201)

        def change():
            found = []
            while not done or sum(begun > done[0] for begun, _ in found) < 3:
                begun = time.monotonic()
                found.append((begun, own.patch(helper, order, estimated_preparation_minutes=1 + next(minutes) % 1440).status))
            return found

        def take_out():
            proc.wait_for(lambda: own.read(shop.keeper, order)["version"] > version + 3, 10, "some changes")
            assert remove(own, shop, helper).status == 204
            done.append(time.monotonic())
            return []
        version = own.read(shop.keeper, order)["version"]
        found = list(itertools.chain(*together([change, change, take_out])))
        assert {status for _, status in found} == {200, 403}
        assert {status for begun, status in found if begun > done[0]} == {403}
