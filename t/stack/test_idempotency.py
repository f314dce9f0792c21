"""Idempotency-Key: a retry is safe, one after the other and all at once."""
import datetime
import secrets

import pytest

from lib import check, http
from lib.clocked import Clocked
from lib.together import together

case = pytest.param
REPLAYED = "Idempotent-Replayed"


@pytest.fixture()
def key():
    return secrets.token_hex(16)


@pytest.fixture(scope="module")
def shop(api):
    return api.tools.shop(("60.00", None))


@pytest.fixture(scope="module")
def customer(api):
    return api.tools.user()


def place(api, customer, shop, key, items=None, **members):
    return api.post(customer, shop, items, {"Idempotency-Key": key}, **members)


def mine(api, customer):
    return check.ok(api.call("GET", "/api/v1/orders/me?limit=200", customer))


def test_a_retry_gives_the_first_answer(api, shop, key):
    customer = api.tools.user()
    first = place(api, customer, shop, key, order_notes="x")
    check.created(first)
    assert first.header(REPLAYED) is None
    for _ in range(3):
        again = place(api, customer, shop, key, order_notes="x")
        assert (again.status, again.body, again.header(REPLAYED)) == (201, first.body, "true")
        assert [again.header(n) for n in ("Location", "ETag", "Content-Type")] == [first.header(n) for n in ("Location", "ETag", "Content-Type")]
    assert len(mine(api, customer)) == 1
    assert len(api.wait_events(shop.keeper, "shop", shop.id, 1)) >= 1


def test_the_first_answer_stays_as_it_was(api, key):
    shop, customer = api.tools.shop(("10.00", 1)), api.tools.user()
    first = place(api, customer, shop, key)
    api.bring_to(shop, check.created(first), "ready")
    api.tools.change(shop.products[0], price="99.00", active="no")
    again = place(api, customer, shop, key)
    assert (again.status, again.body, again.header(REPLAYED)) == (201, first.body, "true")


def test_a_retry_after_the_wished_time(api, shop, customer, key):
    """What would be refused now was accepted then."""
    at = Clocked(api, "wished", count=1)
    try:
        wish = datetime.datetime.fromtimestamp(at.time + 1, datetime.timezone.utc)
        wished = {"order_type": "pre_order", "scheduled_pickup_time": wish.isoformat()}
        first = place(at, customer, shop, key, **wished)
        check.created(first)
        at.later(2)
        again = place(at, customer, shop, key, **wished)
        assert (again.status, again.body, again.header(REPLAYED)) == (201, first.body, "true")
        assert check.faults(place(at, customer, shop, key + "2", **wished)) == ["scheduled_pickup_time"]
    finally:
        at.stop()


@pytest.mark.parametrize("change", [
    case(lambda raw: raw.replace(b", ", b" ,\n\t").replace(b": ", b":"), id="white space"),
    case(lambda raw: http.dumps(dict(reversed(http.loads(raw).items()))), id="order of members"),
    case(lambda raw: raw.replace(b"sharp", b"\\u0073har\\u0070"), id="escapes"),
])
def test_the_same_value_in_other_words(api, shop, customer, key, change):
    raw = http.dumps({"shop_id": shop.id, "order_notes": "5 PM sharp", "items": [{"product_id": shop.products[0].id, "quantity": 1}]})
    answers = [api.call("POST", "/api/v1/orders", customer, body=b, headers={"Idempotency-Key": key}) for b in (raw, change(raw))]
    assert answers[0].body == answers[1].body and answers[1].header(REPLAYED) == "true", answers


@pytest.mark.parametrize("members", [{"order_notes": "other"}, {"nonsense": 1}, {"order_type": "instant"}])
def test_another_body_with_that_key(api, shop, customer, key, members):
    first = check.created(place(api, customer, shop, key))
    check.problem(place(api, customer, shop, key, **members), 422, "idempotency_key_reused")
    assert check.created(place(api, customer, shop, key)) == first


def test_keys_are_each_customers_own(api, shop, key):
    orders = [check.created(place(api, api.tools.user(), shop, key))["id"] for _ in range(3)]
    assert len(set(orders)) == 3


def test_keys_differ_by_case_and_each_makes_an_order(api, shop, customer):
    key = secrets.token_hex(8)
    orders = [check.created(place(api, customer, shop, k))["id"] for k in (key + "a", key + "A", key, key + "a.")]
    assert len(set(orders)) == 4


def test_without_a_key_each_is_an_order(api, shop, customer):
    assert api.place(customer, shop)["id"] != api.place(customer, shop)["id"]


@pytest.mark.parametrize("key", [case("x" + secrets.token_hex(6), id="short"), case(secrets.token_hex(127) + "x", id="255 characters"),
                                 case("".join(map(chr, range(0x21, 0x7f))), id="every visible character")])
def test_good_keys(api, shop, key):
    customer = api.tools.user()
    first = check.created(place(api, customer, shop, key))
    assert place(api, customer, shop, key).json() == first


@pytest.mark.parametrize("key", [case("", id="empty"), case("x" * 256, id="256 characters"), case("a b", id="space inside"), case("a\tb", id="tab"),
                                 case("a\x7f", id="DEL"), case("a\x01", id="control"), case("é", id="not ASCII"), case("x" * 5000, id="very long")])
def test_bad_keys(api, shop, key):
    customer = api.tools.user()
    check.problem(place(api, customer, shop, key), 422, "validation_failed")
    assert mine(api, customer) == []


def test_refusals_are_not_stored(api, key):
    shop, customer = api.tools.shop(("1.00", 0)), api.tools.user()
    for _ in range(2):
        check.problem(place(api, customer, shop, key), 409, "out_of_stock")
    check.problem(place(api, customer, shop, key, order_type="x"), 422, "validation_failed")
    api.tools.change(shop.products[0], stock=1)
    answer = place(api, customer, shop, key)
    check.created(answer)
    assert answer.header(REPLAYED) is None
    again = place(api, customer, shop, key)
    assert (again.status, again.header(REPLAYED)) == (201, "true")


def test_a_hundred_at_once_are_one_order(api, key):
    shop, customer = api.tools.shop(("1.00", 100)), api.tools.user()
    answers = together([lambda: place(api, customer, shop, key)] * 100)
    assert {a.status for a in answers} == {201}, [a for a in answers if a.status != 201][:3]
    assert len({a.body for a in answers}) == 1
    assert sorted(a.header(REPLAYED) or "" for a in answers) == [""] + ["true"] * 99
    assert len(mine(api, customer)) == 1 and api.stock(shop, shop.products[0]) == 99
    check.created(place(api, customer, shop, key + "next"))
    events = api.wait_events(shop.keeper, "shop", shop.id, 2)
    assert len(events) == 2


def test_different_bodies_at_once_are_one_order(api, key):
    shop, customer = api.tools.shop(("1.00", 100)), api.tools.user()
    answers = together([lambda n=n: place(api, customer, shop, key, order_notes=f"note {n % 8}") for n in range(32)])
    good = [a for a in answers if a.status == 201]
    assert len(good) == 4 and len({a.body for a in good}) == 1
    for answer in answers:
        if answer.status != 201:
            check.problem(answer, 422, "idempotency_key_reused")
    assert len(mine(api, customer)) == 1 and api.stock(shop, shop.products[0]) == 99


def test_the_original_commits_at_this_moment(api, shop, key):
    """The database knows the key already, and lets nobody read it yet."""
    customer = api.tools.user()
    api.db.sql("CREATE OR REPLACE TABLE tries (n INT) ENGINE=MyISAM;\n"     # which no roll-back reaches
               "DELIMITER //\n"
               "CREATE TRIGGER taken BEFORE INSERT ON idempotency_keys FOR EACH ROW BEGIN INSERT INTO tries VALUES (1); IF (SELECT COUNT(*) FROM tries) < 3"
               " THEN SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062, MESSAGE_TEXT = 'Duplicate entry'; END IF; END//\n"
               "DELIMITER ;\n")
    try:
        check.created(place(api, customer, shop, key))
        assert api.db.sql("SELECT COUNT(*) FROM tries") == [["3"]] and len(mine(api, customer)) == 1
    finally:
        api.db.sql("DROP TRIGGER taken")
        api.db.sql("DROP TABLE tries")
