"""Reading shops and products: public, paged as orders are."""
import pytest

from lib import check, http

SHOP = {"id", "name", "timezone", "currency", "address", "phone_number"}
PRODUCT = {"id", "name", "price", "stock", "unit", "description"}


def walk(api, target):
    seen, sizes = [], []
    while target:
        answer = api.call("GET", target)
        page = check.ok(answer)
        seen, sizes, target = seen + page, sizes + [len(page)], answer.next()
        assert len(sizes) < 100
    return seen, sizes


def products(api, shop):
    return walk(api, f"/api/v1/shops/{shop.id}/products?limit=200")[0]


def test_a_shop(api):
    shop = api.tools.shop(timezone="Asia/Kathmandu", name="Zoë's 🛒 \"Corner\"")
    value = check.ok(api.call("GET", f"/api/v1/shops/{shop.id}"))
    assert SHOP <= set(value)
    assert (value["id"], value["name"], value["timezone"], value["currency"], value["address"], value["phone_number"]) == (
        shop.id, 'Zoë\'s 🛒 "Corner"', "Asia/Kathmandu", "INR", None, None)
    assert value in walk(api, "/api/v1/shops?limit=200")[0]


def test_a_shop_is_seen_alike_by_all(api, world):
    path = f"/api/v1/shops/{world.shop.id}"
    assert len({api.call("GET", path, who).body for who in (None, world.customer, world.other.keeper)}) == 1


@pytest.mark.parametrize("shop_id", ["0", "-1", "x", "999999999", "9223372036854775808", "1.0", "%27"])
@pytest.mark.parametrize("more", ["", "/products"])
def test_no_such_shop(api, shop_id, more):
    check.problem(api.call("GET", f"/api/v1/shops/{shop_id}{more}"), 404, "not_found")


def test_shops_are_paged(api):
    made = [api.tools.shop(keeper=None).id for _ in range(3)]
    whole = [s["id"] for s in walk(api, "/api/v1/shops?limit=200")[0]]
    one_by_one, sizes = walk(api, "/api/v1/shops?limit=3")
    assert [s["id"] for s in one_by_one] == whole and set(sizes[:-1]) <= {3}
    assert set(made) <= set(whole) and len(whole) == len(set(whole))


def test_closed_shops_are_not_listed(api):
    shop = api.tools.shop()
    api.tools.change(shop, active="no")
    assert shop.id not in [s["id"] for s in walk(api, "/api/v1/shops?limit=200")[0]]


def test_products(api):
    shop = api.tools.shop(("60.00", None), ("0.10", 0), ("99999999.99", 2147483647))
    found = {p["id"]: p for p in products(api, shop)}
    assert len(found) == 3
    for product in shop.products:
        value = found[product.id]
        assert PRODUCT <= set(value)
        assert (value["name"], value["price"], value["stock"], value["unit"], value["description"]) == (
            product.name, http.loads(product.price), product.stock, None, None)


def test_what_is_not_on_sale_is_not_shown(api):
    shop = api.tools.shop(("1.00", None), ("2.00", None))
    api.tools.change(shop.products[0], active="no")
    assert [p["id"] for p in products(api, shop)] == [shop.products[1].id]
    api.tools.change(shop.products[1], active="no")
    assert products(api, shop) == []


def test_what_is_left(api):
    shop = api.tools.shop(("1.00", 5))
    api.place(api.tools.user(), shop, [(shop.products[0], 3)])
    assert products(api, shop)[0]["stock"] == 2


@pytest.mark.parametrize("limit, sizes", [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (200, [5])])
def test_products_are_paged(api, limit, sizes):
    shop = api.tools.shop(*[("1.00", None)] * 5)
    found, pages = walk(api, f"/api/v1/shops/{shop.id}/products?limit={limit}")
    assert sorted(p["id"] for p in found) == sorted(p.id for p in shop.products) and pages == sizes


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "1.5", "99999999999999999999"])
def test_bad_limits(api, world, limit):
    for path in ("/api/v1/shops", f"/api/v1/shops/{world.shop.id}/products"):
        assert check.faults(api.call("GET", f"{path}?limit={limit}")) == ["limit"]
