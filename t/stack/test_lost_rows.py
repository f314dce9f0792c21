"""A database connection lost, or silent, while a result's rows arrive: 503 and nothing half done, nothing twice."""
import secrets
import time

import pytest

from lib import check, dbproxy
from lib.behind import Behind

DEADLINE = 3.0      # of a request, as set below
SLACK = 20          # what a busy machine may take beside: no limit but the deadline ends anything so soon


@pytest.fixture(scope="module")
def behind(api, scratch):
    made = Behind(api, scratch / "rows", count=1, PICKUP_REQUEST_DEADLINE_MS=str(int(DEADLINE * 1000)), PICKUP_DB_TIMEOUT_S="60")
    yield made
    made.stop()


class Made:
    """A shop whose last product has a name like no other, and an order of all of them."""

    def __init__(self, api, count=3):
        self.shop, self.customer = api.tools.shop(*[("1.00", 10)] * count), api.tools.user()
        self.mark = f"Last{secrets.token_hex(8)}"
        api.tools.change(self.shop.products[-1], name=self.mark)
        self.items = [{"product_id": p.id, "quantity": 2} for p in self.shop.products]
        self.order = api.place(self.customer, self.shop, [(p, 2) for p in self.shop.products])


@pytest.fixture()
def made(api):
    return Made(api)


def get(call, made):
    return call("GET", f"/api/v1/orders/{made.order['id']}", made.customer)


def cancel(call, made):
    return call("PATCH", f"/api/v1/orders/{made.order['id']}", made.shop.keeper, json={"status": "cancelled"})


def place(call, made):
    return call("POST", "/api/v1/orders", made.customer, json={"shop_id": made.shop.id, "items": made.items})


def of_shop(call, made):
    return call("GET", f"/api/v1/orders/shop/{made.shop.id}", made.shop.keeper)


def of_me(call, made):
    return call("GET", "/api/v1/orders/me", made.customer)


def products(call, made):
    return call("GET", f"/api/v1/shops/{made.shop.id}/products?limit=200")


ALL = [get, cancel, place, of_shop, of_me, products]


def state(api, made):
    """Orders of the shop with status and version, and the stock."""
    return (api.db.sql(f"SELECT id, status, version FROM orders WHERE shop_id = {made.shop.id} ORDER BY id"),
            [api.stock(made.shop, p) for p in made.shop.products])


def warm(behind, made):
    """The connection has answered before, so one that breaks passes for stale."""
    for _ in range(3):
        assert check.heeded(lambda: get(behind.call, made)).status == 200


def check_unavailable(answer):
    check.problem(answer, 503, "unavailable")
    assert int(answer.header("Retry-After")) > 0


@pytest.mark.parametrize("ask", ALL)
def test_cut_amid_rows(api, behind, made, ask):
    before = state(api, made)
    warm(behind, made)
    behind.proxy.at_rows(made.mark.encode(), dbproxy.CUT_ROWS)
    check_unavailable(ask(behind.call, made))
    assert behind.proxy.is_done and state(api, made) == before
    again = check.heeded(lambda: ask(behind.call, made))
    assert again.status in (200, 201)
    if ask is cancel:
        assert [api.stock(made.shop, p) for p in made.shop.products] == [10] * 3


def test_many_products(api, behind):
    """As many as make the look at them overrun, were rows handed out twice."""
    made = Made(api, 14)
    before = state(api, made)
    warm(behind, made)
    behind.proxy.at_rows(made.mark.encode(), dbproxy.CUT_ROWS)
    check_unavailable(place(behind.call, made))
    assert behind.proxy.is_done and state(api, made) == before
    check.created(check.heeded(lambda: place(behind.call, made)))


@pytest.mark.parametrize("ask", ALL)
def test_silent_amid_rows(api, behind, made, ask):
    before = state(api, made)
    warm(behind, made)
    behind.proxy.at_rows(made.mark.encode(), dbproxy.HOLD_ROWS)
    begun = time.monotonic()
    check_unavailable(ask(behind.call, made))
    assert DEADLINE * 0.9 <= time.monotonic() - begun < DEADLINE + SLACK
    assert behind.proxy.is_done and state(api, made) == before
    assert check.heeded(lambda: ask(behind.call, made)).status in (200, 201)
