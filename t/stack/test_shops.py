"""Opening and changing shops and products over HTTP: who may, what is taken, what is refused."""
import datetime
import decimal

import pytest

from lib import check
from lib.clocked import Clocked
from lib.times import from_now

case = pytest.param
SHOP = ["id", "owner_id", "name", "timezone", "currency", "address", "phone_number", "is_active", "created_at", "updated_at", "opening_hours",
        "exceptions", "lead_minutes", "max_days_ahead", "last_order_minutes", "slot_minutes", "slot_capacity", "paused_until", "pause_reason",
        "pre_orders_while_paused", "accept_within_minutes", "auto_confirm", "default_preparation_minutes", "is_open", "opens_at"]
OFF = {"opening_hours": None, "exceptions": [], "lead_minutes": None, "max_days_ahead": None, "last_order_minutes": None, "slot_minutes": None,
       "slot_capacity": None, "paused_until": None, "pause_reason": None, "pre_orders_while_paused": False, "accept_within_minutes": None,
       "auto_confirm": False, "default_preparation_minutes": None, "is_open": True, "opens_at": None}
HOURS = {"mon": [["09:00", "13:00"], ["17:00", "02:00"]], "sun": []}


def open_shop(api, keeper, **members):
    return api.call("POST", "/api/v1/shops/", keeper, json={"name": "Corner Shop", **members})


@pytest.fixture(scope="module")
def keeper(api):
    return api.tools.user("shopkeeper", "Asha Rao")


@pytest.fixture(scope="module")
def shop(api):
    return api.tools.shop(("60.00", 5))


@pytest.fixture(scope="module")
def at(api):
    """Workers that live where a test says."""
    clocked = Clocked(api, "shops")
    yield clocked
    clocked.stop()


def test_a_shop_is_opened(api, keeper):
    answer = open_shop(api, keeper, name="  Zoë's 🛒 ", timezone="Asia/Kolkata", currency="EUR", address="1 Main St\nPune", phone_number="+91 98450-12345")
    shop = check.ok(answer, 201)
    assert list(shop) == SHOP and answer.header("Location") == f"/api/v1/shops/{shop['id']}"
    assert {**shop, **OFF} == shop, "everything of the calendar is off"
    assert (shop["owner_id"], shop["name"], shop["timezone"], shop["currency"], shop["address"], shop["phone_number"], shop["is_active"]) == (
        keeper.id, "Zoë's 🛒", "Asia/Kolkata", "EUR", "1 Main St\nPune", "+919845012345", True)
    assert check.ok(api.call("GET", answer.header("Location"))) == shop
    assert shop["created_at"].endswith("+05:30")


def test_a_name_is_enough(api, keeper):
    shop = check.ok(open_shop(api, keeper), 201)
    assert (shop["timezone"], shop["currency"], shop["address"], shop["phone_number"]) == ("UTC", "INR", None, None)


def test_a_shop_opens_with_its_calendar(api, keeper):
    shop = check.ok(open_shop(api, keeper, opening_hours=HOURS, slot_minutes=15, slot_capacity=20, auto_confirm=True), 201)
    assert (shop["opening_hours"], shop["slot_minutes"], shop["slot_capacity"], shop["auto_confirm"]) == (HOURS, 15, 20, True)


def test_who_may_open_one(api, world):
    check.problem(open_shop(api, None), 401, "unauthorized")
    check.problem(open_shop(api, world.customer), 403, "forbidden")
    check.problem(open_shop(api, api.tools.token(987654321, "shopkeeper")), 401, "unauthorized")


GOOD = [
    ("name", "Other name"), ("timezone", "Australia/Lord_Howe"), ("currency", "USD"), ("address", None), ("phone_number", "0123456789"),
    ("opening_hours", HOURS), ("opening_hours", {}), ("opening_hours", {"tue": [["00:00", "24:00"]]}), ("opening_hours", None),
    ("exceptions", [{"date": "2026-12-25", "hours": [], "note": "Christmas"}, {"date": "2028-02-29", "hours": [["10:00", "11:00"]], "note": None}]),
    ("exceptions", []), ("lead_minutes", 0), ("lead_minutes", 43200), ("lead_minutes", None), ("max_days_ahead", 0), ("max_days_ahead", None),
    ("last_order_minutes", 30), ("last_order_minutes", None), ("slot_minutes", 1), ("slot_minutes", 1440), ("slot_minutes", None),
    ("slot_capacity", 0), ("slot_capacity", 100000), ("slot_capacity", None), ("pre_orders_while_paused", True), ("accept_within_minutes", 1440),
    ("accept_within_minutes", None), ("auto_confirm", True), ("auto_confirm", False), ("default_preparation_minutes", 15),
    ("default_preparation_minutes", None),
]


@pytest.mark.parametrize("member, value", GOOD)
def test_each_member_is_kept(api, shop, member, value):
    before = check.ok(api.call("GET", f"/api/v1/shops/{shop.id}"))
    after = api.set(shop, **{member: value})
    assert after[member] == value
    changing = {member, "updated_at", "is_open", "opens_at", "created_at"}
    assert {n: v for n, v in after.items() if n not in changing} == {n: v for n, v in before.items() if n not in changing}
    assert check.ok(api.call("GET", f"/api/v1/shops/{shop.id}")) == after


@pytest.mark.parametrize("member, value, field", [
    ("name", "", None), case("name", "x" * 121, None, id="a long name"), ("name", None, None), ("name", 5, None), ("name", "a\nb", None), ("name", "a\u0000b", None),
    ("timezone", "Mars/Olympus", None), ("timezone", "../etc/passwd", None), ("timezone", "", None), ("timezone", None, None), ("timezone", "localtime", None),
    ("currency", "inr", None), ("currency", "RUPEE", None), ("currency", None, None), case("address", "x" * 501, None, id="a long address"), ("phone_number", "call me", None),
    ("is_active", None, None), ("is_active", 1, None),
    ("opening_hours", [], None), ("opening_hours", "9 to 5", None), ("opening_hours", {"monday": []}, "opening_hours.monday"),
    ("opening_hours", {"mon": None}, "opening_hours.mon"), ("opening_hours", {"mon": ["09:00", "13:00"]}, "opening_hours.mon[0]"),
    ("opening_hours", {"mon": [["09:00"]]}, "opening_hours.mon[0]"), ("opening_hours", {"mon": [["9:00", "13:00"]]}, "opening_hours.mon[0]"),
    ("opening_hours", {"mon": [["09:00", "25:00"]]}, "opening_hours.mon[0]"), ("opening_hours", {"mon": [["24:00", "02:00"]]}, "opening_hours.mon[0]"),
    ("opening_hours", {"mon": [["09:00", "09:00"]]}, "opening_hours.mon[0]"), ("opening_hours", {"mon": [[9, 17]]}, "opening_hours.mon[0]"),
    ("opening_hours", {"mon": [["09:00", "13:00"], ["12:59", "14:00"]]}, "opening_hours.mon"),
    ("opening_hours", {"mon": [["10:00", "11:00"]] * 49}, "opening_hours.mon"),
    ("exceptions", {}, None), ("exceptions", [5], "exceptions[0]"), ("exceptions", [{}], "exceptions[0].date"),
    ("exceptions", [{"date": "2026-02-29", "hours": []}], "exceptions[0].date"), ("exceptions", [{"date": "2026-2-1", "hours": []}], "exceptions[0].date"),
    ("exceptions", [{"date": "2026-02-01"}], "exceptions[0].hours"), ("exceptions", [{"date": "2026-02-01", "hours": None}], "exceptions[0].hours"),
    ("exceptions", [{"date": "2026-02-01", "hours": [], "note": "x" * 201}], "exceptions[0].note"),
    ("exceptions", [{"date": "2026-02-01", "hours": []}] * 2, "exceptions"),
    ("lead_minutes", -1, None), ("lead_minutes", 43201, None), ("lead_minutes", "30", None), ("lead_minutes", 1.0, None),
    ("max_days_ahead", 3651, None), ("last_order_minutes", 1441, None), ("slot_minutes", 0, None), ("slot_minutes", 1441, None),
    ("slot_capacity", -1, None), ("accept_within_minutes", 0, None), ("accept_within_minutes", 1441, None), ("auto_confirm", None, None),
    ("default_preparation_minutes", 0, None), ("paused_until", "tomorrow", None), ("paused_until", "2030-01-01T10:00:00", None),
    case("pause_reason", "x" * 201, None, id="a long reason"), ("pre_orders_while_paused", "yes", None),
])
def test_what_is_refused(api, shop, member, value, field):
    before = check.ok(api.call("GET", f"/api/v1/shops/{shop.id}"))
    found = check.faults(api.call("PATCH", f"/api/v1/shops/{shop.id}", shop.keeper, json={member: value}))
    assert (field or member) in found
    assert check.ok(api.call("GET", f"/api/v1/shops/{shop.id}")) == before
    assert (field or member) in check.faults(open_shop(api, shop.keeper, **{member: value}))


def test_all_faults_at_once_and_nothing_changed(api, shop):
    before = check.ok(api.call("GET", f"/api/v1/shops/{shop.id}"))
    answer = api.call("PATCH", f"/api/v1/shops/{shop.id}", shop.keeper, json={
        "name": "", "slot_minutes": 0, "lead_minutes": 5, "opening_hours": {"mon": [["x", "y"], ["09:00", "10:00"]], "fri": 5}, "currency": "?"})
    assert check.faults(answer) == ["currency", "name", "opening_hours.fri", "opening_hours.mon[0]", "slot_minutes"]
    assert check.ok(api.call("GET", f"/api/v1/shops/{shop.id}")) == before
    assert check.faults(api.call("PATCH", f"/api/v1/shops/{shop.id}", shop.keeper, json={})) == ["name"]
    assert check.faults(api.call("POST", "/api/v1/shops/", shop.keeper, json={"timezone": "UTC"})) == ["name"]


def test_who_may_change_one(api, world):
    path = f"/api/v1/shops/{world.shop.id}"
    check.problem(api.call("PATCH", path, json={"name": "Mine"}), 401, "unauthorized")
    check.problem(api.call("PATCH", path, world.customer, json={"name": "Mine"}), 403, "forbidden")
    check.problem(api.call("PATCH", path, world.other.keeper, json={"name": "Mine"}), 403, "forbidden")
    check.problem(api.call("PATCH", "/api/v1/shops/987654321", world.other.keeper, json={"name": "Mine"}), 404, "not_found")
    assert check.ok(api.call("GET", path))["name"] == world.shop.name


def mine(api, who, query=""):
    return [shop["id"] for shop in check.ok(api.call("GET", "/api/v1/shops/me" + query, who))]


def test_whose_shops(api, keeper, world):
    """Those one owns and those that let one in, each once, newest first; nobody else's."""
    other = api.tools.user("shopkeeper")
    first, second = (check.ok(open_shop(api, keeper, name=name), 201) for name in ("First", "Second"))
    helped, closed = (check.ok(open_shop(api, other, name=name), 201) for name in ("Helped", "Closed"))
    for shop in (helped, closed):
        check.ok(api.call("POST", f"/api/v1/shops/{shop['id']}/staff", other, json={"user_id": keeper.id}), 201)
    check.ok(api.call("PATCH", f"/api/v1/shops/{closed['id']}", other, json={"is_active": False}))
    found = mine(api, keeper)
    assert found == sorted(found, reverse=True) and found[:4] == [closed["id"], helped["id"], second["id"], first["id"]]
    assert mine(api, other) == [closed["id"], helped["id"]]
    assert mine(api, api.tools.user()) == [] == mine(api, api.tools.user("admin"))
    check.problem(api.call("GET", "/api/v1/shops/me"), 401, "unauthorized")
    shown = check.ok(api.call("GET", "/api/v1/shops/me", other))
    assert [(s["name"], s["is_active"], s["owner_id"]) for s in shown] == [("Closed", False, other.id), ("Helped", True, other.id)]
    assert list(shown[0]) == SHOP


def test_a_customer_who_helps_finds_the_shop(api):
    shop, helper = api.tools.shop(), api.tools.user()
    check.ok(api.call("POST", f"/api/v1/shops/{shop.id}/staff", shop.keeper, json={"user_id": helper.id}), 201)
    assert mine(api, helper) == [shop.id]
    assert api.call("DELETE", f"/api/v1/shops/{shop.id}/staff/{helper.id}", shop.keeper).status == 204
    assert mine(api, helper) == []


def test_ones_shops_come_in_pages(api):
    keeper = api.tools.user("shopkeeper")
    ids = [check.ok(open_shop(api, keeper), 201)["id"] for _ in range(3)]
    page = api.call("GET", "/api/v1/shops/me?limit=2", keeper)
    assert [shop["id"] for shop in check.ok(page)] == ids[:0:-1]
    following = page.header("Link").split("<")[1].split(">")[0]
    assert following.startswith("/api/v1/shops/me?")
    last = api.call("GET", following, keeper)
    assert [shop["id"] for shop in check.ok(last)] == ids[:1] and last.header("Link") is None
    assert check.faults(api.call("GET", "/api/v1/shops/me?limit=0&cursor=x", keeper)) == ["cursor", "limit"]


def test_a_shop_is_closed_down_and_opened_again(api):
    shop = api.tools.shop()
    assert api.set(shop, is_active=False)["is_active"] is False
    check.problem(api.call("GET", f"/api/v1/shops/{shop.id}"), 404, "not_found")
    check.problem(api.call("PATCH", f"/api/v1/shops/{shop.id}", api.tools.user("shopkeeper"), json={"name": "Mine"}), 404, "not_found")
    check.problem(api.post(api.tools.user(), shop), 404, "not_found")
    assert api.set(shop, is_active=True)["is_active"] is True
    api.place(api.tools.user(), shop)


def test_a_pause_ends_with_its_reason(api):
    shop = api.tools.shop()
    paused = api.set(shop, paused_until=from_now(minutes=30), pause_reason="Too much", pre_orders_while_paused=True)
    assert check.time(paused["paused_until"]) and paused["pause_reason"] == "Too much" and paused["pre_orders_while_paused"]
    over = api.set(shop, paused_until=None)
    assert (over["paused_until"], over["pause_reason"]) == (None, None)
    late = api.set(shop, paused_until=from_now(minutes=-1), pause_reason="Over")
    assert (late["paused_until"], late["pause_reason"]) == (None, None)


def test_a_reason_ends_with_its_pause(api, at):
    shop = api.tools.shop(timezone="UTC")
    at.at("2026-03-02T10:00+00:00")
    at.set(shop, paused_until="2026-03-02T11:00:00Z", pause_reason="The oven is broken")
    assert at.set(shop, paused_until="2026-03-02T11:30:00Z")["pause_reason"] == "The oven is broken"
    at.at("2026-03-02T12:00+00:00")
    assert at.set(shop, paused_until="2026-03-02T13:00:00Z")["pause_reason"] is None


def test_paused_is_not_open(api, at):
    shop = api.tools.shop(timezone="UTC")
    at.at("2026-03-02T10:00+00:00")
    for hours, opens in ((None, "2026-03-02T11:00:00+00:00"), ({"mon": [["09:00", "10:30"]], "tue": [["09:00", "12:00"]]}, "2026-03-03T09:00:00+00:00")):
        paused = at.set(shop, opening_hours=hours, paused_until="2026-03-02T11:00:00Z")
        assert (paused["is_open"], paused["opens_at"]) == (False, opens)
        going_on = at.set(shop, paused_until=None)
        assert (going_on["is_open"], going_on["opens_at"]) == (True, None)


def test_a_long_list_of_exceptions(api):
    """500 days off are taken; what would make everybody's list of shops long is not."""
    shop = api.tools.shop()
    days = [(datetime.date(2030, 1, 1) + datetime.timedelta(n)).isoformat() for n in range(501)]
    closed = [{"date": day, "hours": [], "note": None} for day in days]
    assert api.set(shop, exceptions=closed[:500])["exceptions"] == closed[:500]
    path = f"/api/v1/shops/{shop.id}"
    assert check.faults(api.call("PATCH", path, shop.keeper, json={"exceptions": closed})) == ["exceptions"]
    long = [{**day, "note": "x" * 200} for day in closed]
    assert check.faults(api.call("PATCH", path, shop.keeper, json={"exceptions": long[:200]})) == ["exceptions"]
    assert api.set(shop, exceptions=long[:100])["exceptions"] == long[:100]


def test_hours_that_another_hand_has_spoilt(api):
    """Their shop cannot be shown, the others can; its owner mends it."""
    shops = [api.tools.shop() for _ in range(3)]
    api.db.sql(f"UPDATE shops SET has_rules = 1, opening_hours = '9 to 5' WHERE id = {shops[1].id}")
    listed = [s["id"] for s in check.ok(api.call("GET", f"/api/v1/shops?cursor={shops[2].id + 1}&limit=3"))]
    assert listed == [shops[2].id, shops[0].id]
    assert api.set(shops[1], opening_hours=HOURS)["opening_hours"] == HOURS


def test_defaults_for_all_shops(api):
    """Settings of pickup.params: they hold where a shop has set nothing, and null switches off what they switch on."""
    shop = api.tools.shop()
    call = api.client(PICKUP_SHOP_LEAD_MINUTES="45", PICKUP_SHOP_SLOT_MINUTES="20", PICKUP_SHOP_AUTO_CONFIRM="on",
                      PICKUP_SHOP_PREPARATION_MINUTES="12")
    found = check.ok(call("GET", f"/api/v1/shops/{shop.id}"))
    assert [found[n] for n in ("lead_minutes", "slot_minutes", "auto_confirm", "default_preparation_minutes", "max_days_ahead")] == [45, 20, True, 12, None]
    order = check.created(call("POST", "/api/v1/orders/", api.tools.user(), json={"shop_id": shop.id, "items": [{"product_id": shop.products[0].id, "quantity": 1}]}))
    assert (order["status"], order["estimated_preparation_minutes"]) == ("confirmed", 12)
    api.set(shop, lead_minutes=None, slot_minutes=5, auto_confirm=False)
    found = check.ok(call("GET", f"/api/v1/shops/{shop.id}"))
    assert [found[n] for n in ("lead_minutes", "slot_minutes", "auto_confirm", "default_preparation_minutes")] == [None, 5, False, 12]


# --- products

PRODUCT = ["id", "shop_id", "name", "description", "unit", "price", "stock", "is_active", "created_at", "updated_at"]


def put_on_sale(api, shop, who=None, **members):
    return api.call("POST", f"/api/v1/shops/{shop.id}/products", who or shop.keeper, json={"name": "Rice", "price": 60, **members})


def test_a_product_is_put_on_sale(api, shop):
    answer = put_on_sale(api, shop, name=" Rice ", price=decimal_text("60.50"), stock=7, unit="kg", description="Long\ngrain")
    product = check.ok(answer, 201)
    assert list(product) == PRODUCT and answer.header("Location") == f"/api/v1/products/{product['id']}"
    assert [product[n] for n in PRODUCT[1:8]] == [shop.id, "Rice", "Long\ngrain", "kg", decimal.Decimal("60.5"), 7, True]
    assert check.ok(api.call("GET", answer.header("Location"))) == product
    assert product in check.ok(api.call("GET", f"/api/v1/shops/{shop.id}/products?limit=200"))


def decimal_text(text):
    return float(text)      # as JSON has it; exact for these


def test_a_product_without_more(api, shop):
    product = check.ok(put_on_sale(api, shop), 201)
    assert [product[n] for n in ("description", "unit", "stock", "is_active")] == [None, None, None, True]


@pytest.mark.parametrize("member, value", [
    ("name", "Dal"), ("price", 0), ("price", 99999999), ("stock", 0), ("stock", 2147483647), ("stock", None), ("unit", "piece"), ("unit", None),
    ("description", "Yellow"), ("description", None), ("is_active", False),
])
def test_each_member_of_a_product_is_kept(api, shop, member, value):
    before = check.ok(put_on_sale(api, shop, stock=3, unit="kg", description="x"), 201)
    after = check.ok(api.call("PATCH", f"/api/v1/products/{before['id']}", shop.keeper, json={member: value}))
    assert {**before, member: value, "updated_at": None} == {**after, "updated_at": None}


@pytest.mark.parametrize("member, value", [
    ("name", ""), ("name", None), case("name", "x" * 121, id="a long name"), ("price", -1), ("price", "60"), ("price", 1.001), ("price", 100000000), ("price", None),
    ("stock", -1), ("stock", 2147483648), ("stock", 1.5), ("stock", "7"), case("unit", "x" * 21, id="a long unit"), ("unit", "a\nb"), case("description", "x" * 1001, id="a long description"), ("is_active", None),
])
def test_a_product_that_is_refused(api, shop, member, value):
    before = check.ok(put_on_sale(api, shop), 201)
    path = f"/api/v1/products/{before['id']}"
    assert check.faults(api.call("PATCH", path, shop.keeper, json={member: value, "description": "changed"} if member != "description" else {member: value})) == [member]
    assert check.ok(api.call("GET", path)) == before
    assert check.faults(put_on_sale(api, shop, **{member: value})) == [member]


def test_what_a_product_needs(api, shop):
    path = f"/api/v1/shops/{shop.id}/products"
    assert check.faults(api.call("POST", path, shop.keeper, json={})) == ["name", "price"]
    product = check.ok(put_on_sale(api, shop), 201)
    assert check.faults(api.call("PATCH", f"/api/v1/products/{product['id']}", shop.keeper, json={})) == ["name"]


def test_who_may_sell(api, world):
    product = world.shop.products[0]
    for who, status, code in ((world.customer, 403, "forbidden"), (world.other.keeper, 403, "forbidden")):
        check.problem(put_on_sale(api, world.shop, who), status, code)
        check.problem(api.call("PATCH", f"/api/v1/products/{product.id}", who, json={"price": 1}), status, code)
    check.problem(api.call("PATCH", f"/api/v1/products/{product.id}", json={"price": 1}), 401, "unauthorized")
    check.problem(api.call("PATCH", "/api/v1/products/987654321", world.other.keeper, json={"price": 1}), 404, "not_found")
    check.problem(api.call("POST", "/api/v1/shops/987654321/products", world.other.keeper, json={"name": "x", "price": 1}), 404, "not_found")


def test_what_is_off_sale_its_people_still_see(api, world):
    shop = api.tools.shop(("1.00", None), ("2.00", None))
    off = shop.products[1].id
    check.ok(api.call("PATCH", f"/api/v1/products/{off}", shop.keeper, json={"is_active": False}))
    path = f"/api/v1/shops/{shop.id}/products"
    check.problem(api.call("GET", f"/api/v1/products/{off}"), 404, "not_found")
    assert [p["id"] for p in check.ok(api.call("GET", path))] == [shop.products[0].id]
    assert [p["id"] for p in check.ok(api.call("GET", path + "?include_inactive=true", shop.keeper))] == [off, shop.products[0].id]
    check.problem(api.call("GET", path + "?include_inactive=true"), 401, "unauthorized")
    check.problem(api.call("GET", path + "?include_inactive=true", world.keeper), 403, "forbidden")
    assert check.faults(api.call("GET", path + "?include_inactive=yes")) == ["include_inactive"]


def test_a_price_set_now_is_that_of_the_next_order(api, world):
    shop = api.tools.shop(("60.00", None))
    first = api.place(world.customer, shop)
    check.ok(api.call("PATCH", f"/api/v1/products/{shop.products[0].id}", shop.keeper, json={"price": 75.5}))
    assert [str(o["total_amount"]) for o in (api.read(world.customer, first), api.place(world.customer, shop))] == ["60.0", "75.5"]


def test_stock_counted_anew_to_the_most_there_is(api, world):
    """What a cancelled order gives back has no room there: it can be cancelled all the same."""
    shop = api.tools.shop(("1.00", 10))
    order = api.place(world.customer, shop, [(shop.products[0], 5)])
    check.ok(api.call("PATCH", f"/api/v1/products/{shop.products[0].id}", shop.keeper, json={"stock": 2147483646}))
    assert api.change(shop, order, status="cancelled")["status"] == "cancelled"
    assert api.stock(shop, shop.products[0]) == 2147483647
