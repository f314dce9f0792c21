"""Many who want the same thing at the same moment, at eight workers."""
import itertools
import random
import threading

import pytest

from lib import check, http, proc
from lib.api import User, Workers, phone
from lib.together import together

case = pytest.param
CUSTOMERS = 200


@pytest.fixture(scope="module")
def many(api):
    """The shared set's database under more workers: their client."""
    workers = Workers(api.binary, api.dir, api.params, name="many", count=8)
    yield http.FcgiClient(workers.path, api.settings)
    workers.stop()


@pytest.fixture(scope="module")
def customers(api):
    """Made at once: the command line would take seconds."""
    phones = [phone() for _ in range(CUSTOMERS)]
    api.db.sql("INSERT INTO users (full_name, phone_number, role, created_at) VALUES "
               + ", ".join(f"('Kiran Kumar', '{p}', 'customer', UTC_TIMESTAMP(6))" for p in phones))
    found = dict(api.db.sql(f"SELECT phone_number, id FROM users WHERE phone_number BETWEEN '{phones[0]}' AND '{phones[-1]}'"))
    return [User(int(found[p]), "customer", "Kiran Kumar", api.tools.token(int(found[p]), "customer")) for p in phones]


def place(call, customer, shop, lines, headers=None):
    body = {"shop_id": shop.id, "items": [{"product_id": p.id, "quantity": q} for p, q in lines]}
    return call("POST", "/api/v1/orders/", customer, json=body, headers=headers)


def rows(api, query):
    return [[int(v) for v in row] for row in api.db.sql(query)]


def notifications(api, shop):
    """How many the shop's changes made, once all have their numbers."""
    proc.wait_for(lambda: rows(api, f"SELECT COUNT(*) FROM outbox WHERE shop_id = {shop.id}") == [[0]], 10, "the relay")
    return rows(api, f"SELECT COUNT(*) FROM events WHERE shop_id = {shop.id}")[0][0]


# --- stock

@pytest.mark.parametrize("stocks, lines", [
    case([20], [[(0, 1)]], id="one product"),
    case([20, 20], [[(0, 1), (1, 1)], [(1, 1), (0, 1)]], id="two products, either first"),
    case([20, 1000], [[(0, 1), (1, 3)], [(1, 1), (0, 1)]], id="two, of which one is short"),
    case([40, 60], [[(0, 2), (1, 3)]], id="more than one of each"),
])
def test_two_hundred_for_the_last_twenty(api, many, customers, stocks, lines):
    shop = api.tools.shop(*[("1.00", n) for n in stocks])
    wishes = list(itertools.islice(itertools.cycle([[(shop.products[p], q) for p, q in wish] for wish in lines]), CUSTOMERS))
    answers = together([lambda c=c, w=w: place(many, c, shop, w) for c, w in zip(customers, wishes)])
    sold = [check.created(a) for a in answers if a.status == 201]
    assert len(sold) == 20, sorted(a.status for a in answers)
    for answer in answers:
        if answer.status != 201:
            items = check.problem(answer, 409, "out_of_stock")["items"]
            assert items and {i["product_id"] for i in items} <= {p.id for p in shop.products}
    left = [n - sum(i["quantity"] for o in sold for i in o["items"] if i["product_id"] == p.id) for n, p in zip(stocks, shop.products)]
    assert rows(api, f"SELECT stock FROM products WHERE shop_id = {shop.id} ORDER BY id") == [[n] for n in left] and min(left) >= 0
    assert rows(api, f"SELECT COUNT(*) FROM orders WHERE shop_id = {shop.id}") == [[20]]
    assert sorted(rows(api, f"SELECT id FROM orders WHERE shop_id = {shop.id}")) == sorted([o["id"]] for o in sold)
    assert notifications(api, shop) == 20


def test_a_storm_of_orders_and_cancellations(api, many, customers):
    """The same products in every order, given back meanwhile: none fails, and the books balance."""
    shop, dice = api.tools.shop(*[("1.00", 1000)] * 6), random.Random(5)

    def one(customer, orders):
        placed = []
        for lines in orders:
            order = check.created(place(many, customer, shop, lines, {"Idempotency-Key": f"storm-{len(placed)}"}))
            placed.append(order)
            if len(placed) % 3 == 0:
                check.ok(many("PATCH", f"/api/v1/orders/{order['id']}", shop.keeper, json={"status": "cancelled"}))
        return [o for n, o in enumerate(placed, 1) if n % 3]

    def wish():
        return [(p, dice.randrange(1, 4)) for p in dice.sample(shop.products, dice.randrange(2, 7))]

    kept = together([lambda c=c, w=[wish() for _ in range(18)]: one(c, w) for c in customers[:16]])
    taken = {p.id: 0 for p in shop.products}
    for item in (i for orders in kept for o in orders for i in o["items"]):
        taken[item["product_id"]] += item["quantity"]
    assert [api.stock(shop, p) for p in shop.products] == [1000 - taken[p.id] for p in shop.products]
    assert notifications(api, shop) == 16 * 18 + 16 * 6


def test_a_deadlock_is_nobodys_trouble(api, many, customers):
    """Another program locks the order's products the other way round, and has done more: the server gives up the order's transaction."""
    shop, ballast = api.tools.shop(("1.00", 10), ("1.00", 10)), api.tools.shop(*[("1.00", 1)] * 20)
    first, second = shop.products

    def break_in(other):
        other.tell(f"UPDATE products SET stock = 1 WHERE id = {second.id}")
        held.set()
        proc.wait_for(lambda: api.db.status("Innodb_row_lock_current_waits"), 5, "the order to wait for a lock")
        other.tell(f"UPDATE products SET stock = 2 WHERE id = {first.id}")
        other.tell("COMMIT")

    def order():
        assert held.wait(60)
        return place(many, customers[0], shop, [(first, 1), (second, 1)])

    held, before = threading.Event(), api.db.status("Innodb_deadlocks")
    with api.db.session() as other:
        other.tell("SET SESSION tx_isolation = 'READ-COMMITTED'; START TRANSACTION")    # no locks on what does not match
        other.tell(f"UPDATE products SET description = 'x' WHERE shop_id = {ballast.id}")
        answer = together([lambda: break_in(other), order])[1]
    assert api.db.status("Innodb_deadlocks") == before + 1
    check.created(answer)
    assert rows(api, f"SELECT stock FROM products WHERE shop_id = {shop.id} ORDER BY id") == [[1], [0]]
    assert rows(api, f"SELECT COUNT(*) FROM orders WHERE shop_id = {shop.id}") == [[1]] and notifications(api, shop) == 1


# --- one order, two shopkeepers

def history(api, order):
    return rows(api, f"SELECT COUNT(*) FROM order_history WHERE order_id = {order['id']}")[0][0]


@pytest.mark.parametrize("start, wishes, guarded", [
    case("ready", ("picked_up", "cancelled"), False, id="picked up or cancelled"),
    case("ready", ("picked_up", "cancelled"), True, id="picked up or cancelled, If-Match"),
    case("pending", ("confirmed", "cancelled"), True, id="confirmed or cancelled, If-Match"),
    case("confirmed", ("preparing", "ready"), True, id="preparing or ready, If-Match"),
])
def test_of_two_shopkeepers_one_wins(api, many, customers, start, wishes, guarded):
    shop, customer = api.tools.shop(("1.00", 10)), customers[1]
    for _ in range(4):
        order = api.bring_to(shop, api.place(customer, shop), start)
        etag = api.get(customer, order).header("ETag")
        stock, told, entries = api.stock(shop, shop.products[0]), notifications(api, shop), history(api, order)
        headers = {"If-Match": etag} if guarded else None
        answers = together([lambda s=s: many("PATCH", f"/api/v1/orders/{order['id']}", shop.keeper, json={"status": s}, headers=headers)
                            for s in wishes])
        end = api.read(customer, order)
        assert sorted(a.status for a in answers) == [200, 412 if guarded else 409]
        for answer, wish in zip(answers, wishes):
            if answer.status == 200:
                assert check.ok(answer) == end and end["status"] == wish
            else:
                check.problem(answer, *((412, "version_mismatch") if guarded else (409, "invalid_transition")))
        assert end["version"] == order["version"] + 1
        assert history(api, order) == (entries + 1 if entries else 2)
        assert notifications(api, shop) == told + 1
        assert api.stock(shop, shop.products[0]) == stock + (end["status"] == "cancelled")
