"""The walk through the whole flow, as the README has it, through both nginx, with the demo shops."""
import json

import pytest

from lib import check
from lib.subscribe import WebSocket
from lib.times import from_now

CUSTOMER, KEEPER, OTHER_KEEPER = "+919800000001", "+919800000002", "+919800000003"


@pytest.fixture(scope="module")
def people(stack):
    return {number: stack.login(number) for number in (CUSTOMER, KEEPER, OTHER_KEEPER)}


def test_demo_logins(people):
    assert [(p["token_type"], p["role"]) for p in people.values()] == [("bearer", "customer"), ("bearer", "shopkeeper"), ("bearer", "shopkeeper")]


def test_from_placing_to_picked_up(stack, people):
    customer, keeper = people[CUSTOMER], people[KEEPER]
    when = from_now(days=1)
    with WebSocket(stack.call, "/ws/shop/1", keeper["access_token"]) as at_the_shop, \
            WebSocket(stack.call, f"/ws/customer/{customer['user_id']}", customer["access_token"]) as at_home:
        placed = stack.call("POST", "/api/v1/orders/", customer["access_token"], json={
            "shop_id": 1, "order_type": "pre_order", "scheduled_pickup_time": when, "order_notes": "Will come at 5 PM sharp",
            "items": [{"product_id": 1, "quantity": 2}]})
        order = check.created(placed)
        assert (order["customer_name"], order["status"], order["total_amount"]) == ("Kiran Kumar", "pending", 120)
        path = f"/api/v1/orders/{order['id']}"
        # Bodies to the letter: these members, in this order, with these values and nothing else.
        message = at_the_shop.receive()
        assert message.text.replace(": ", ":").replace(", ", ",") == json.dumps(
            {"type": "new_order", "order_id": order["id"], "customer_name": "Kiran Kumar", "order_type": "pre_order",
             "scheduled_pickup_time": when, "total_amount": 120.0, "item_count": 1, "has_chitty": False}, separators=(",", ":"))
        pending = stack.call("GET", "/api/v1/orders/shop/1?order_type=pre_order&status=pending", keeper["access_token"])
        assert order in check.ok(pending)

        confirmed = check.ok(stack.call("PATCH", path, keeper["access_token"], json={"status": "confirmed", "estimated_preparation_minutes": 20}))
        message = at_home.receive()
        assert message.text.replace(": ", ":").replace(", ", ",") == json.dumps(
            {"type": "order_update", "order_id": order["id"], "shop_id": 1, "status": "confirmed", "total_amount": 120.0,
             "estimated_preparation_minutes": 20, "updated_at": confirmed["updated_at"]}, separators=(",", ":"))

        check.ok(stack.call("PATCH", path, keeper["access_token"], json={"status": "ready"}))
        message = at_home.receive()
        assert message.text == json.dumps(
            {"type": "pickup_ready", "order_id": order["id"], "shop_id": 1, "status": "ready", "estimated_preparation_minutes": 20,
             "message": "Your order is ready for pickup!"}, separators=(",", ":") if '": ' not in message.text else None)

        check.ok(stack.call("PATCH", path, keeper["access_token"], json={"status": "picked_up"}))
        assert (m := at_home.receive()).value["type"] == "order_update" and m.value["status"] == "picked_up"
        at_the_shop.nothing()
    statuses = [e["status"] for e in check.ok(stack.call("GET", path + "/history", keeper["access_token"]))]
    assert statuses == ["pending", "confirmed", "ready", "picked_up"]


def test_the_other_shop_knows_nothing(stack, people):
    order = check.created(stack.call("POST", "/api/v1/orders/", people[CUSTOMER]["access_token"],
                                     json={"shop_id": 1, "items": [{"product_id": 3, "quantity": 1}]}))
    other = people[OTHER_KEEPER]["access_token"]
    check.problem(stack.call("GET", f"/api/v1/orders/{order['id']}", other), 404, "not_found")
    check.problem(stack.call("GET", "/api/v1/orders/shop/1", other), 403, "forbidden")
    assert check.ok(stack.call("GET", "/api/v1/orders/shop/2", other)) == []


def test_the_demo_shops(stack):
    shops = {s["id"]: s for s in check.ok(stack.call("GET", "/api/v1/shops"))}
    assert [(shops[n]["timezone"], shops[n]["currency"]) for n in (1, 2)] == [("Asia/Kolkata", "INR")] * 2
    for n in (1, 2):
        products = check.ok(stack.call("GET", f"/api/v1/shops/{n}/products"))
        assert products and any(p["stock"] is not None for p in products)
