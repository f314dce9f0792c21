"""Placing an order and reading it."""
import datetime
import zoneinfo

import pytest

from lib import check, http
from lib.times import from_now, in_zone
from lib.together import together

case = pytest.param
ABSENT = object()


def body(world, **members):
    """A good order for the shared shop, changed by members; ABSENT leaves one out."""
    whole = {"shop_id": world.shop.id, "items": [{"product_id": world.shop.products[0].id, "quantity": 1}], **members}
    return {n: v for n, v in whole.items() if v is not ABSENT}


def line(world, **members):
    """A good line, changed by members."""
    whole = {"product_id": world.shop.products[0].id, "quantity": 1, **members}
    return {n: v for n, v in whole.items() if v is not ABSENT}


def send(api, world, whole):
    return api.call("POST", "/api/v1/orders/", world.customer, json=whole)


# --- what a good order gives

def test_the_seeds_order(api):
    shop = api.tools.shop(("60.00", None))
    kiran = api.tools.user(name="Kiran Kumar")
    when = from_now(days=2)
    answer = api.call("POST", "/api/v1/orders/", kiran, json={
        "shop_id": shop.id, "order_type": "pre_order", "scheduled_pickup_time": when,
        "order_notes": "Will come at 5 PM sharp", "items": [{"product_id": shop.products[0].id, "quantity": 2}]})
    order = check.created(answer)
    item = order["items"][0]
    assert {**order, "items": None, "created_at": None, "updated_at": None} == {
        "id": order["id"], "shop_id": shop.id, "customer_id": kiran.id, "customer_name": "Kiran Kumar",
        "order_type": "pre_order", "status": "pending", "scheduled_pickup_time": when,
        "estimated_preparation_minutes": None, "total_amount": 120, "order_notes": "Will come at 5 PM sharp",
        "list_image_url": None, "has_chitty": False, "item_count": 1, "items": None, "version": 1,
        "created_at": None, "updated_at": None, "accept_by": None, "cancelled_by": None, "cancel_reason": None}
    assert {**item, "id": None} == {"id": None, "product_id": shop.products[0].id, "product_name": "Product 1",
                                    "quantity": 2, "price_at_time_of_order": 60, "special_instructions": None}
    assert isinstance(item["id"], int)
    assert order["created_at"] == order["updated_at"]
    age = datetime.datetime.now(datetime.timezone.utc) - check.time(order["created_at"])
    assert datetime.timedelta(seconds=-2) < age < datetime.timedelta(seconds=30)


def test_an_instant_order_is_the_default(api, world):
    order = check.created(send(api, world, body(world)))
    assert (order["order_type"], order["scheduled_pickup_time"], order["order_notes"]) == ("instant", None, None)


@pytest.mark.parametrize("members", [
    case({"order_type": "instant"}, id="type said"),
    case({"scheduled_pickup_time": None}, id="null time"),
    case({"order_notes": None}, id="null notes"),
    case({"list_image_url": None}, id="null list_image_url"),
    case({"total_amount": 0.01, "status": "ready", "customer_id": 1, "version": 9, "id": 7, "nonsense": [{}]},
         id="unknown members"),
])
def test_accepted_bodies(api, world, members):
    order = check.created(send(api, world, body(world, **members)))
    assert (order["order_type"], order["status"], order["total_amount"], order["customer_id"], order["version"]) == (
        "instant", "pending", 60, world.customer.id, 1)


@pytest.mark.parametrize("members", [
    case({"special_instructions": None}, id="null instructions"),
    case({"price": 0.01, "price_at_time_of_order": "free", "product_name": 7}, id="the client's price"),
])
def test_accepted_lines(api, world, members):
    order = check.created(send(api, world, body(world, items=[line(world, **members)])))
    assert (order["total_amount"], order["items"][0]["price_at_time_of_order"]) == (60, 60)


def test_the_same_product_on_two_lines(api, world):
    order = check.created(send(api, world, body(world, items=[line(world, special_instructions="raw"), line(world, quantity=3)])))
    assert [(i["quantity"], i["special_instructions"]) for i in order["items"]] == [(1, "raw"), (3, None)]
    assert (order["item_count"], order["total_amount"]) == (2, 240)


def test_what_was_ordered_stays_as_it_was(api):
    shop = api.tools.shop(("10.00", None))
    customer = api.tools.user()
    order = api.place(customer, shop)
    api.tools.change(shop.products[0], price="99.00", name="Other", active="no")
    api.tools.change(customer, name="Someone Else")
    assert api.read(customer, order) == order


# --- money

@pytest.mark.parametrize("price, quantity, total", [
    case("60.00", 2, 120, id="whole"),
    case("0.10", 3, "0.3", id="no float noise"),
    case("19.99", 3, "59.97", id="two decimals"),
    case("0.01", 999, "9.99", id="many cents"),
    case("1.15", 100, 115, id="cents to whole"),
    case("0.00", 5, 0, id="free"),
    case("100100.10", 999, "99999999.9", id="near the top"),
    case("99999999.99", 1, "99999999.99", id="the top"),
])
def test_money_is_exact(api, price, quantity, total):
    shop = api.tools.shop((price, None))
    customer = api.tools.user()
    answer = api.post(customer, shop, [(shop.products[0], quantity)])
    order = check.created(answer)
    decimal = http.loads(str(total))
    assert order["total_amount"] == decimal and order["items"][0]["price_at_time_of_order"] == http.loads(price)
    assert check.ok(api.get(customer, order))["total_amount"] == decimal


@pytest.mark.parametrize("items", [case([(0, 2)], id="one line"), case([(0, 1), (1, 1)], id="two lines")])
def test_a_total_above_the_top(api, items):
    shop = api.tools.shop(("99999999.99", None), ("0.01", None))
    answer = api.post(api.tools.user(), shop, [(shop.products[p], q) for p, q in items])
    assert check.faults(answer)


# --- times

@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe",
                                  "Pacific/Chatham", "America/St_Johns"])
def test_times_are_in_the_shops_zone(api, zone):
    shop = api.tools.shop(("1.00", None), timezone=zone)
    customer = api.tools.user()
    year = datetime.datetime.now().year + 1
    for sent in (f"{year}-01-15T23:30:00Z", f"{year}-07-15T01:30:00+05:30", f"{year}-03-29T00:59:59.999999-09:30"):
        order = api.place(customer, shop, order_type="pre_order", scheduled_pickup_time=sent)
        assert order["scheduled_pickup_time"] == in_zone(sent, zone)
        created = check.time(order["created_at"])
        assert created.utcoffset() == created.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()


YEAR = datetime.datetime.now().year + 1


@pytest.mark.parametrize("sent, same", [
    case(f"{YEAR}-02-26T17:00:00+05:30", f"{YEAR}-02-26T17:00:00+05:30", id="offset"),
    case(f"{YEAR}-02-26T11:30:00Z", f"{YEAR}-02-26T17:00:00+05:30", id="Z"),
    case(f"{YEAR}-02-26t11:30:00z", f"{YEAR}-02-26T17:00:00+05:30", id="small letters"),
    case(f"{YEAR}-02-26T11:30:00.987Z", f"{YEAR}-02-26T17:00:00+05:30", id="fraction is cut"),
    case(f"{YEAR}-02-26T11:30:00.123456789Z", f"{YEAR}-02-26T17:00:00+05:30", id="long fraction"),
    case(f"{YEAR}-02-25T18:30:00-17:00", f"{YEAR}-02-26T17:00:00+05:30", id="far offset"),
    case(f"{YEAR}-06-30T23:59:60Z", f"{YEAR}-07-01T05:30:00+05:30", id="leap second is the next"),
    case("2096-02-29T00:00:00Z", "2096-02-29T05:30:00+05:30", id="leap day"),
])
def test_good_pickup_times(api, world, sent, same):
    order = check.created(send(api, world, body(world, order_type="pre_order", scheduled_pickup_time=sent)))
    assert order["scheduled_pickup_time"] == same


@pytest.mark.parametrize("sent", [
    case(ABSENT, id="absent"), case(None, id="null"), case("", id="empty"),
    case(f"{YEAR}-02-26T17:00:00", id="naive"), case(f"{YEAR}-02-26 17:00:00+05:30", id="space for T"),
    case(f"{YEAR}-02-26", id="date only"), case("17:00:00Z", id="time only"), case(f"{YEAR}-02-26T17:00Z", id="no seconds"),
    case(f"{YEAR}-02-30T17:00:00Z", id="30 February"), case("2097-02-29T17:00:00Z", id="no leap year"),
    case(f"{YEAR}-13-01T17:00:00Z", id="month 13"), case(f"{YEAR}-00-01T17:00:00Z", id="month 0"),
    case(f"{YEAR}-01-01T24:00:00Z", id="hour 24"), case(f"{YEAR}-01-01T17:60:00Z", id="minute 60"),
    case(f"{YEAR}-01-01T17:00:61Z", id="second 61"), case(f"{YEAR}-01-01T17:00:00+24:00", id="offset 24:00"),
    case(f"{YEAR}-01-01T17:00:00+05:60", id="offset minute 60"), case(f"{YEAR}-01-01T17:00:00+0530", id="offset without colon"),
    case(f"{YEAR}-01-01T17:00:00.Z", id="empty fraction"), case(f"{YEAR}-1-1T17:00:00Z", id="short fields"),
    case(f" {YEAR}-01-01T17:00:00Z", id="space before"), case(f"{YEAR}-01-01T17:00:00Zx", id="more after"),
    case("99999-01-01T00:00:00Z", id="year 99999"), case("tomorrow", id="a word"),
    case(1893456000, id="number"), case(True, id="true"), case([], id="array"), case({}, id="object"),
    case("2001-01-01T00:00:00Z", id="long past"),
])
def test_bad_pickup_times(api, world, sent):
    answer = send(api, world, body(world, order_type="pre_order", scheduled_pickup_time=sent))
    assert check.faults(answer) == ["scheduled_pickup_time"]


def test_a_second_ago_is_the_past_and_a_minute_ahead_is_not(api, world):
    for seconds, status in ((-1, 422), (60, 201)):
        answer = send(api, world, body(world, order_type="pre_order", scheduled_pickup_time=from_now(seconds=seconds)))
        assert answer.status == status, answer


def test_the_end_of_time_breaks_nothing(api, world):
    for sent in ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z"):
        answer = send(api, world, body(world, order_type="pre_order", scheduled_pickup_time=sent))
        assert answer.status in (201, 422), answer


def test_an_instant_order_with_a_time(api, world):
    for members in ({}, {"order_type": "instant"}):
        answer = send(api, world, body(world, scheduled_pickup_time=from_now(hours=3), **members))
        assert check.faults(answer) == ["scheduled_pickup_time"]


# --- bounds

NUMBERS = [case("1", id="text"), case(1.0, id="1.0"), case(True, id="true"), case(None, id="null"), case([], id="array"),
           case({}, id="object"), case(0, id="0"), case(-1, id="-1"), case(10 ** 19, id="above 64 bits"),
           case(10 ** 40, id="huge"), case(-10 ** 40, id="huge below 0"), case(ABSENT, id="absent"), case(1.5, id="1.5")]


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("member", ["product_id", "quantity"])
def test_bad_numbers_in_a_line(api, world, member, value):
    answer = send(api, world, body(world, items=[line(world), line(world, **{member: value})]))
    assert check.faults(answer) == [f"items[1].{member}"]


@pytest.mark.parametrize("value", NUMBERS)
def test_bad_shop_ids(api, world, value):
    assert check.faults(send(api, world, body(world, shop_id=value))) == ["shop_id"]


@pytest.mark.parametrize("number", ["1e0", "10e-1", "1.00", "-0"])
def test_integers_are_written_as_integers(api, world, number):
    raw = f'{{"shop_id": {world.shop.id}, "items": [{{"product_id": {world.shop.products[0].id}, "quantity": {number}}}]}}'
    answer = api.call("POST", "/api/v1/orders/", world.customer, body=raw.encode())
    assert check.faults(answer) == ["items[0].quantity"]


@pytest.mark.parametrize("quantity, status", [(1, 201), (999, 201), (1000, 422)])
def test_quantity_bounds(api, world, quantity, status):
    assert send(api, world, body(world, items=[line(world, quantity=quantity)])).status == status


@pytest.mark.parametrize("count, status", [(1, 201), (100, 201), (101, 422)])
def test_line_count_bounds(api, world, count, status):
    answer = send(api, world, body(world, items=[line(world)] * count))
    if status == 201:
        assert check.created(answer)["item_count"] == count
    else:
        assert check.faults(answer) == ["items"]


@pytest.mark.parametrize("items", [case(ABSENT, id="absent"), case([], id="empty"), case(None, id="null"), case({}, id="object"),
                                   case("x", id="text"), case(1, id="number")])
def test_no_items(api, world, items):
    assert check.faults(send(api, world, body(world, items=items))) == ["items"]


@pytest.mark.parametrize("element", [None, 1, "x", [], True])
def test_a_line_that_is_no_object(api, world, element):
    fields = check.faults(send(api, world, body(world, items=[line(world), element])))
    assert fields == ["items[1]"], fields


@pytest.mark.parametrize("value", ["", "INSTANT", "preorder", "pre-order", " instant", 1, True, [], {}])
def test_bad_order_types(api, world, value):
    assert check.faults(send(api, world, body(world, order_type=value))) == ["order_type"]


TEXTS = [case("notes", "order_notes", 1000, id="notes"), case("instructions", "special_instructions", 200, id="instructions")]


def with_text(world, where, value):
    if where == "notes":
        return body(world, order_notes=value)
    return body(world, items=[line(world, special_instructions=value)])


def text_of(order, where):
    return order["order_notes"] if where == "notes" else order["items"][0]["special_instructions"]


@pytest.mark.parametrize("where, member, longest", TEXTS)
@pytest.mark.parametrize("character", ["x", "é", "₹", "🛒", "ا", "\u0301", "\u200d"])
def test_text_length_is_in_characters(api, world, where, member, longest, character):
    order = check.created(send(api, world, with_text(world, where, character * longest)))
    assert text_of(order, where) == character * longest
    fields = check.faults(send(api, world, with_text(world, where, character * (longest + 1))))
    assert [f.rpartition(".")[2] for f in fields] == [member]


@pytest.mark.parametrize("where, member, longest", TEXTS)
@pytest.mark.parametrize("text", [
    case("'; DROP TABLE orders; -- \" \\ \\' %s %n ? :1 ` # /*", id="SQL"), case("<script>alert(1)</script>&amp;", id="HTML"),
    case("line one\nline\ttwo", id="newline and tab"), case("\u202eevil\u202c عربى עברית", id="right to left"),
    case("👩‍👩‍👧‍👦 🇮🇳", id="joined emoji"), case('quotes " and \\ / solidus', id="quotes"), case("\ufeff\u2028\u2029\uffff", id="odd spaces"),
    case("%00 %0a +&=#", id="percents"), case("  padded  ", id="spaces kept"), case("null", id="the word null"),
])
def test_text_comes_back_as_it_was(api, world, where, member, longest, text):
    order = check.created(send(api, world, with_text(world, where, text)))
    assert text_of(order, where) == text
    assert text_of(api.read(world.keeper, order), where) == text


@pytest.mark.parametrize("where, member, longest", TEXTS)
@pytest.mark.parametrize("character", ["\x00", "\x01", "\x08", "\x0b", "\r", "\x1b", "\x1f", "\x7f", "\x85"],
                         ids=lambda c: f"U+{ord(c):04X}")
def test_control_characters(api, world, where, member, longest, character):
    fields = check.faults(send(api, world, with_text(world, where, f"a{character}b")))
    assert [f.rpartition(".")[2] for f in fields] == [member]


@pytest.mark.parametrize("where, member, longest", TEXTS)
@pytest.mark.parametrize("value", [1, True, [], {}, 1.5])
def test_text_of_another_type(api, world, where, member, longest, value):
    fields = check.faults(send(api, world, with_text(world, where, value)))
    assert [f.rpartition(".")[2] for f in fields] == [member]


@pytest.mark.parametrize("value", ["", 1, True, []])
def test_a_photo_that_is_no_address(api, world, value):
    assert check.faults(send(api, world, body(world, list_image_url=value))) == ["list_image_url"]


def test_all_faults_at_once(api, world):
    answer = send(api, world, {
        "shop_id": "1", "order_type": "later", "scheduled_pickup_time": "soon", "order_notes": 7, "list_image_url": 8,
        "items": [line(world, quantity=0), line(world), line(world, product_id="x", quantity=2.0, special_instructions="y" * 201), 5]})
    assert check.faults(answer) == sorted([
        "shop_id", "order_type", "scheduled_pickup_time", "order_notes", "list_image_url", "items[0].quantity",
        "items[2].product_id", "items[2].quantity", "items[2].special_instructions", "items[3]"])


def test_two_faults_in_one_text_are_still_one_answer(api, world):
    answer = send(api, world, body(world, items=[line(world, quantity=0)] * 100, order_notes="\x01" * 2000))
    assert len(set(check.faults(answer))) == 101


# --- shops and products

def test_an_unknown_shop(api, world):
    for shop_id in (10 ** 9, 2 ** 63 - 1):
        check.problem(send(api, world, body(world, shop_id=shop_id)), 404, "not_found")


@pytest.mark.parametrize("which", ["unknown", "largest", "another shop's", "not on sale"])
def test_products_that_can_not_be_ordered(api, world, which):
    product_id = {"unknown": 10 ** 9, "largest": 2 ** 63 - 1, "another shop's": world.other.products[0].id}.get(which)
    if which == "not on sale":
        gone = api.tools.product(world.shop, "Gone", "1.00")
        world.shop.products.remove(gone)
        api.tools.change(gone, active="no")
        product_id = gone.id
    answer = send(api, world, body(world, items=[line(world), line(world, product_id=product_id)]))
    assert check.faults(answer) == ["items[1].product_id"]


# --- stock

def test_stock_is_taken_and_given_back(api):
    shop = api.tools.shop(("1.00", 5), ("1.00", None))
    counted, uncounted = shop.products
    order = api.place(api.tools.user(), shop, [(counted, 2), (uncounted, 999), (counted, 1)])
    assert (api.stock(shop, counted), api.stock(shop, uncounted)) == (2, None)
    api.change(shop, order, status="cancelled")
    assert (api.stock(shop, counted), api.stock(shop, uncounted)) == (5, None)


@pytest.mark.parametrize("status", ["pending", "confirmed", "preparing", "ready"])
def test_cancelling_gives_stock_back_from_every_status(api, status):
    shop = api.tools.shop(("1.00", 3))
    order = api.bring_to(shop, api.place(api.tools.user(), shop, [(shop.products[0], 3)]), status)
    assert api.stock(shop, shop.products[0]) == 0
    api.change(shop, order, status="cancelled")
    api.change(shop, order, status="cancelled")
    assert api.stock(shop, shop.products[0]) == 3


def test_too_little_stock_names_every_short_product_and_takes_nothing(api):
    shop = api.tools.shop(("1.00", 5), ("1.00", 1), ("1.00", 0), ("1.00", None))
    enough, one, none, uncounted = shop.products
    customer = api.tools.user()
    answer = api.post(customer, shop, [(enough, 5), (one, 2), (none, 1), (uncounted, 9)])
    items = check.problem(answer, 409, "out_of_stock")["items"]
    assert sorted((i["product_id"], i["available"]) for i in items) == [(one.id, 1), (none.id, 0)]
    assert all(set(i) == {"product_id", "available"} for i in items)
    assert [api.stock(shop, p) for p in shop.products] == [5, 1, 0, None]
    assert check.ok(api.call("GET", "/api/v1/orders/me", customer)) == []


def test_two_lines_together_are_too_much(api):
    shop = api.tools.shop(("1.00", 3))
    product = shop.products[0]
    answer = api.post(api.tools.user(), shop, [(product, 2), (product, 2)])
    assert check.problem(answer, 409, "out_of_stock")["items"] == [{"product_id": product.id, "available": 3}]
    api.place(api.tools.user(), shop, [(product, 2), (product, 1)])
    assert api.stock(shop, product) == 0


def test_nobody_gets_the_last_one_twice(api):
    shop = api.tools.shop(("1.00", 7))
    customers = [api.tools.user() for _ in range(4)]
    answers = together([lambda c=customers[n % 4]: api.post(c, shop) for n in range(32)])
    assert sorted(a.status for a in answers) == [201] * 7 + [409] * 25
    for answer in answers:
        if answer.status == 409:
            check.problem(answer, 409, "out_of_stock")
    assert api.stock(shop, shop.products[0]) == 0


def test_orders_of_the_same_products_in_opposite_order(api):
    shop = api.tools.shop(*[("1.00", 1000)] * 4)
    customers = [api.tools.user() for _ in range(4)]
    lines = [(p, 1) for p in shop.products]
    answers = together([lambda n=n: api.post(customers[n % 4], shop, lines if n % 2 else lines[::-1]) for n in range(32)])
    assert [a.status for a in answers] == [201] * 32
    assert [api.stock(shop, p) for p in shop.products] == [968] * 4


# --- who

def test_only_customers_order(api, world):
    for who in (world.keeper, world.other.keeper, api.tools.token(world.customer.id, "admin")):
        answer = api.call("POST", "/api/v1/orders/", who, json=body(world))
        check.problem(answer, 403, "forbidden")
    check.problem(api.call("POST", "/api/v1/orders/", json=body(world)), 401, "unauthorized")


def test_who_may_read_an_order(api, world):
    order = api.place(world.customer, world.shop)
    assert api.read(world.customer, order) == api.read(world.keeper, order) == order
    for who in (world.stranger, world.other.keeper, api.tools.token(world.customer.id, "shopkeeper")):
        check.problem(api.get(who, order), 404, "not_found")
    check.problem(api.get(None, order), 401, "unauthorized")


@pytest.mark.parametrize("order_id", ["0", "-1", "1.0", "abc", "1x", "+1", "0x1", "01", "999999999", "9223372036854775807",
                                      "9223372036854775808", "18446744073709551616", "1" * 300, "%2e%2e", "1;1", "'", "%27"])
def test_orders_that_are_not_there(api, world, order_id):
    check.problem(api.call("GET", f"/api/v1/orders/{order_id}", world.customer), 404, "not_found")


# --- ETag

def test_if_none_match(api, world):
    order = api.place(world.customer, world.shop)
    etag = api.get(world.customer, order).header("ETag")

    def get(value):
        return api.call("GET", f"/api/v1/orders/{order['id']}", world.customer, headers={"If-None-Match": value})

    strong = etag.removeprefix("W/")
    for value in (etag, strong, f"W/{strong}", f'"other", {etag}', f'"other",{etag}', "*"):
        answer = get(value)
        assert (answer.status, answer.body, answer.header("ETag")) == (304, b"", etag), value
    for value in ('"other"', '"', "", "nonsense"):
        assert get(value).status == 200, value


def test_the_etag_changes_with_each_change_only(api, world):
    answer = api.post(world.customer, world.shop)
    order = check.created(answer)
    seen = [answer.header("ETag"), api.get(world.customer, order).header("ETag")]
    assert seen[0] == seen[1] == api.get(world.keeper, order).header("ETag")
    changed = api.patch(world.keeper, order, status="confirmed")
    assert changed.header("ETag") not in (None, seen[0])
    assert changed.header("ETag") == api.get(world.customer, order).header("ETag")
    assert api.patch(world.keeper, order, status="confirmed").header("ETag") == changed.header("ETag")
