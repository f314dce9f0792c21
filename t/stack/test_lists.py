"""A shop's orders and a customer's own: filters, pages, who may read."""
import datetime
import types
import urllib.parse

import pytest

from lib import check, proc
from lib.times import from_now
from lib.together import together

case = pytest.param


def shop_path(shop):
    return f"/api/v1/orders/shop/{shop.id}"


def orders(api, who, target):
    return [check.order(o) for o in check.ok(api.call("GET", target, who))]


def ids(api, who, target):
    return [o["id"] for o in orders(api, who, target)]


@pytest.fixture(scope="module")
def busy(api):
    """A shop with one order in each status and type, oldest first."""
    shop, customer = api.tools.shop(), api.tools.user()
    placed = []
    for status in check.STATUSES:
        for order_type in ("instant", "pre_order"):
            members = {"scheduled_pickup_time": from_now(days=1)} if order_type == "pre_order" else {}
            order = api.place(customer, shop, order_type=order_type, **members)
            placed.append(api.bring_to(shop, order, status))
    return types.SimpleNamespace(shop=shop, customer=customer, orders=placed)


# --- what is in a list

def test_nothing_yet(api):
    shop, customer = api.tools.shop(), api.tools.user()
    for query in ("", "?updated_since=2001-01-01T00:00:00Z"):
        assert check.ok(api.call("GET", shop_path(shop) + query, shop.keeper)) == []
    assert check.ok(api.call("GET", "/api/v1/orders/me", customer)) == []


def test_whole_orders_newest_first(api, busy):
    newest_first = busy.orders[::-1]
    assert orders(api, busy.shop.keeper, shop_path(busy.shop)) == newest_first
    assert orders(api, busy.customer, "/api/v1/orders/me") == newest_first


def test_lines_come_in_their_order(api):
    shop, customer = api.tools.shop(*[("1.00", None)] * 5), api.tools.user()
    placed = [api.place(customer, shop, [(p, n + 1) for n, p in enumerate(shop.products[k:] + shop.products[:k])]) for k in range(3)]
    assert orders(api, shop.keeper, shop_path(shop)) == placed[::-1]


def test_orders_that_others_wrote(api):
    """Rows from before, or by another program, have their lines in order_items alone."""
    shop, customer = api.tools.shop(*[("1.00", 500)] * 3), api.tools.user()
    hard = 'Über "x" \\ \u2028 \n'
    placed = [api.place(customer, shop, [(p, n + 1) for n, p in enumerate(shop.products[:k % 3 + 1])]) for k in range(70)]
    placed.append(check.created(api.call("POST", "/api/v1/orders/", customer, json={
        "shop_id": shop.id, "list_image_url": api.photo(customer), "items": [{"product_id": shop.products[0].id, "quantity": 1, "special_instructions": hard}]})))
    placed.append(check.created(api.call("POST", "/api/v1/orders/", customer, json={"shop_id": shop.id, "list_image_url": api.photo(customer)})))
    assert placed[-2]["items"][0]["special_instructions"] == hard
    for others in ("id % 2 = 0", "TRUE"):
        api.db.sql(f"UPDATE orders SET items_json = NULL WHERE shop_id = {shop.id} AND {others}")
        for query in ("?limit=100", "?limit=100&status=pending&order_type=instant"):
            assert orders(api, shop.keeper, shop_path(shop) + query) == placed[::-1]
        assert orders(api, customer, "/api/v1/orders/me?limit=100") == placed[::-1]
        assert [check.ok(api.get(customer, o)) for o in placed[-5:]] == placed[-5:]
    stock = api.stock(shop, shop.products[0])
    api.change(shop, placed[0], status="cancelled")
    assert api.stock(shop, shop.products[0]) == stock + 1


def test_only_ones_own(api, world):
    shop, customers = api.tools.shop(), [api.tools.user() for _ in range(2)]
    placed = [api.place(customers[n % 2], shop) for n in range(4)]
    elsewhere = api.place(customers[0], world.other)
    assert ids(api, customers[0], "/api/v1/orders/me") == [elsewhere["id"], placed[2]["id"], placed[0]["id"]]
    assert ids(api, customers[1], "/api/v1/orders/me") == [placed[3]["id"], placed[1]["id"]]
    assert ids(api, shop.keeper, shop_path(shop)) == [o["id"] for o in placed[::-1]]


# --- filters

@pytest.mark.parametrize("query, wanted", [
    case("order_type=pre_order&status=pending", lambda o: o["order_type"] == "pre_order" and o["status"] == "pending", id="of one type and status"),
    case("order_type=instant", lambda o: o["order_type"] == "instant", id="instant"),
    *[case(f"status={s}", lambda o, s=s: o["status"] == s, id=s) for s in check.STATUSES],
    case("status=ready&status=cancelled", lambda o: o["status"] in ("ready", "cancelled"), id="two statuses"),
    case("status=ready&order_type=instant&status=pending&status=ready",
         lambda o: o["order_type"] == "instant" and o["status"] in ("ready", "pending"), id="a status twice, with a type"),
    case("&".join(f"status={s}" for s in check.STATUSES), lambda o: True, id="every status"),
    case("status=%70ending", lambda o: o["status"] == "pending", id="percent-encoded"),
    case("", lambda o: True, id="empty query"),
])
@pytest.mark.parametrize("whose", ["shop", "me"])
def test_filters(api, busy, whose, query, wanted):
    expected = [o for o in busy.orders[::-1] if wanted(o)]
    if whose == "shop":
        assert orders(api, busy.shop.keeper, f"{shop_path(busy.shop)}?{query}") == expected
    else:
        assert orders(api, busy.customer, f"/api/v1/orders/me?{query}") == expected


@pytest.mark.parametrize("query, field", [
    case("status=done", "status", id="unknown status"), case("status=", "status", id="empty status"),
    case("status=pending&status=foo", "status", id="one bad of two"), case("status=pending,ready", "status", id="a list"),
    case("status=PENDING", "status", id="capitals"), case("status='%20OR%201=1--", "status", id="SQL"),
    case("order_type=later", "order_type", id="unknown type"), case("order_type=", "order_type", id="empty type"),
    *[case(f"limit={v}", "limit", id=f"limit {v or 'empty'}") for v in
      ("0", "201", "-1", "abc", "", "1.5", "1e1", "99999999999999999999999", "0x10", "%2B1", "+1", "1%00")],
    *[case(f"updated_since={v}", "updated_since", id=f"since {v or 'empty'}") for v in
      ("", "yesterday", "2026-02-26", "2026-02-26T17:00:00", "2026-02-26%2017:00:00Z", "2026-02-30T00:00:00Z", "1700000000")],
])
@pytest.mark.parametrize("whose", ["shop", "me"])
def test_bad_queries(api, world, whose, query, field):
    path, who = (shop_path(world.shop), world.keeper) if whose == "shop" else ("/api/v1/orders/me", world.customer)
    assert check.faults(api.call("GET", f"{path}?{query}", who)) == [field]


def test_all_faults_at_once(api, world):
    answer = api.call("GET", f"{shop_path(world.shop)}?status=x&order_type=y&limit=0&updated_since=z", world.keeper)
    assert check.faults(answer) == ["limit", "order_type", "status", "updated_since"]


@pytest.mark.parametrize("query", ["status=%zz", "status=%ff", "limit=1&limit=2", "%00=1&status=%", "status=" + "x" * 5000])
def test_broken_queries_are_refused(api, world, query):
    check.problem(api.call("GET", f"{shop_path(world.shop)}?{query}", world.keeper), 422, "validation_failed")


# --- updated_since

def quoted(text):
    return urllib.parse.quote(text, safe="")


def test_updated_since_is_inclusive(api):
    shop, customer = api.tools.shop(), api.tools.user()
    placed = [api.place(customer, shop) for _ in range(3)]
    proc.wait_for(lambda: datetime.datetime.now(datetime.timezone.utc) >= check.time(placed[2]["updated_at"]) + datetime.timedelta(seconds=1),
                  5, "the next second")
    changed = api.change(shop, placed[0], status="confirmed")
    newer = api.place(customer, shop)
    assert changed["updated_at"] > placed[2]["updated_at"]
    for path, who in ((shop_path(shop), shop.keeper), ("/api/v1/orders/me", customer)):
        def since(time):
            return ids(api, who, f"{path}?updated_since={quoted(time)}")
        whole = [newer["id"], placed[2]["id"], placed[1]["id"], placed[0]["id"]]
        assert since(placed[0]["updated_at"]) == whole
        assert since(changed["updated_at"]) == [newer["id"], placed[0]["id"]]
        assert since(from_now(minutes=5)) == []
        assert since("2001-01-01T00:00:00Z") == whole
        both = f"{path}?updated_since={quoted(changed['updated_at'])}&status=confirmed&order_type=instant"
        assert ids(api, who, both) == [placed[0]["id"]]


# --- pages

def walk(api, who, target, between=lambda: None):
    """All ids by following Link; and how many were on each page."""
    seen, sizes = [], []
    while target:
        answer = api.call("GET", target, who)
        page = [check.order(o)["id"] for o in check.ok(answer)]
        seen, sizes, target = seen + page, sizes + [len(page)], answer.next()
        assert len(sizes) < 100
        between()
    return seen, sizes


@pytest.mark.parametrize("whose", ["shop", "me"])
@pytest.mark.parametrize("limit, sizes", [(1, [1] * 12), (5, [5, 5, 2]), (6, [6, 6]), (11, [11, 1]), (12, [12]), (200, [12])])
def test_pages(api, busy, whose, limit, sizes):
    path, who = (shop_path(busy.shop), busy.shop.keeper) if whose == "shop" else ("/api/v1/orders/me", busy.customer)
    assert walk(api, who, f"{path}?limit={limit}") == ([o["id"] for o in busy.orders[::-1]], sizes)


def test_pages_keep_the_filter(api, busy):
    wanted = [o["id"] for o in busy.orders[::-1] if o["status"] in ("pending", "ready") and o["order_type"] == "instant"]
    target = f"{shop_path(busy.shop)}?limit=1&status=pending&order_type=instant&status=ready&updated_since=2001-01-01T00:00:00Z"
    assert walk(api, busy.shop.keeper, target) == (wanted, [1] * len(wanted))


@pytest.mark.parametrize("query", ["", "&status=pending", "&updated_since=2001-01-01T00:00:00Z", "&order_type=instant"])
@pytest.mark.parametrize("whose", ["shop", "me"])
def test_pages_are_stable_while_orders_come_in(api, whose, query):
    shop, customer = api.tools.shop(), api.tools.user()
    placed = [api.place(customer, shop)["id"] for _ in range(6)]
    path, who = (shop_path(shop), shop.keeper) if whose == "shop" else ("/api/v1/orders/me", customer)
    seen, _ = walk(api, who, f"{path}?limit=2{query}", between=lambda: api.place(customer, shop))
    assert seen == placed[::-1]


def test_orders_of_the_same_instant_are_paged_once_each(api):
    shop, customer = api.tools.shop(), api.tools.user()
    placed = [a.json()["id"] for a in together([lambda: api.post(customer, shop)] * 12)]
    api.db.sql(f"UPDATE orders SET created_at = '2026-01-01 00:00:00', updated_at = '2026-01-01 00:00:00' WHERE shop_id = {shop.id}")
    for path, who in ((shop_path(shop), shop.keeper), ("/api/v1/orders/me", customer)):
        seen, sizes = walk(api, who, f"{path}?limit=5")
        assert (sorted(seen), sizes) == (sorted(placed), [5, 5, 2])


def test_fifty_by_default_two_hundred_at_most(api):
    shop, customer = api.tools.shop(), api.tools.user()
    placed = [api.place(customer, shop)["id"] for _ in range(53)]
    for path, who in ((shop_path(shop), shop.keeper), ("/api/v1/orders/me", customer)):
        assert walk(api, who, path) == (placed[::-1], [50, 3])
        assert ids(api, who, f"{path}?limit=200") == placed[::-1]


def test_a_bent_cursor_is_refused(api, busy):
    answer = api.call("GET", f"{shop_path(busy.shop)}?limit=1", busy.shop.keeper)
    path, _, query = answer.next().partition("?")
    ours = {n: v for n, v in urllib.parse.parse_qsl(query) if n != "limit"}
    assert ours, answer
    for name, value in ours.items():
        for bent in ("", "x", value[:-1] + "~", value + "0" * 400, "'", "-1"):
            target = path + "?" + urllib.parse.urlencode({**ours, "limit": 1, name: bent})
            answer = api.call("GET", target, busy.shop.keeper)
            assert answer.status in (200, 422), answer
            if answer.status == 422:
                check.problem(answer, 422, "validation_failed")


# --- who

def test_who_may_list(api, busy, world):
    path = shop_path(busy.shop)
    for who in (world.other.keeper, busy.customer):
        for query in ("", "?updated_since=2001-01-01T00:00:00Z", "?status=lost", "?limit=0&x=1"):
            check.problem(api.call("GET", path + query, who), 403, "forbidden")
    check.problem(api.call("GET", path), 401, "unauthorized")
    check.problem(api.call("GET", path + "?status=lost", busy.shop.keeper), 422, "validation_failed")
    check.problem(api.call("GET", "/api/v1/orders/me"), 401, "unauthorized")
    check.problem(api.call("GET", "/api/v1/orders/me", busy.shop.keeper), 403, "forbidden")
    for shop_id in ("999999999", "9223372036854775807"):
        for query in ("", "?updated_since=2001-01-01T00:00:00Z", "?status=lost"):
            check.problem(api.call("GET", f"/api/v1/orders/shop/{shop_id}{query}", world.keeper), 403, "forbidden")
    for shop_id in ("0", "abc", "-1", "18446744073709551616"):
        check.problem(api.call("GET", f"/api/v1/orders/shop/{shop_id}", world.keeper), 404, "not_found")
