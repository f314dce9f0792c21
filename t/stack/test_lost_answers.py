"""What was committed and never told: a worker killed, or its database connection broken, at the COMMIT of an order with a key."""
import concurrent.futures
import secrets

import pytest

from lib import check, dbproxy, fcgi, proc
from lib.behind import Behind
from lib.together import together

MANY = 100
REPLAYED = "Idempotent-Replayed"


@pytest.fixture()
def key():
    return secrets.token_hex(16)


@pytest.fixture()
def made(api):
    return api.tools.shop(("1.00", 100), ("2.50", 100)), api.tools.user()


@pytest.fixture()
def behind(api, scratch):
    made = Behind(api, scratch / f"behind-{secrets.token_hex(3)}")
    yield made
    made.stop()


def place(call, made, key):
    shop, customer = made
    body = {"shop_id": shop.id, "items": [{"product_id": p.id, "quantity": 2} for p in shop.products]}
    return call("POST", "/api/v1/orders/", customer, json=body, headers={"Idempotency-Key": key} if key else None)


def count(api, made):
    """What the database holds of the shop: orders, lines, keys, pieces gone of each product, notifications."""
    shop, customer = made
    proc.wait_for(lambda: api.db.sql(f"SELECT COUNT(*) FROM outbox WHERE shop_id = {shop.id}") == [["0"]], 10, "the relay")
    orders, lines, keys, events = map(int, api.db.sql(
        f"SELECT (SELECT COUNT(*) FROM orders WHERE shop_id = {shop.id}),"
        f" (SELECT COUNT(*) FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.shop_id = {shop.id}),"
        f" (SELECT COUNT(*) FROM idempotency_keys WHERE customer_id = {customer.id}),"
        f" (SELECT COUNT(*) FROM events WHERE shop_id = {shop.id})")[0])
    gone = [100 - int(row[0]) for row in api.db.sql(f"SELECT stock FROM products WHERE shop_id = {shop.id} ORDER BY id")]
    return orders, lines, keys, gone, events


NONE, ONE = (0, 0, 0, [0, 0], 0), (1, 2, 1, [2, 2], 1)


def retry_at_once(api, made, key, replayed):
    """A hundred retries elsewhere: one order for all, and how many of the answers were the first one's again."""
    answers = together([lambda: place(api.call, made, key)] * MANY)
    assert {a.status for a in answers} == {201}, [a for a in answers if a.status != 201][:3]
    assert len({a.body for a in answers}) == 1
    assert sum(a.header(REPLAYED) == "true" for a in answers) == replayed
    assert api.db.sql(f"SELECT id FROM orders WHERE shop_id = {made[0].id}") == [[str(answers[0].json()["id"])]]
    # Each waited for a commit of its own, and so for the disk to have the first one's.
    assert api.db.sql(f"SELECT replays FROM idempotency_keys WHERE customer_id = {made[1].id}") == [[str(replayed)]]
    assert count(api, made) == ONE


def test_killed_between_commit_and_answer(api, behind, made, key):
    behind.proxy.at_commits(dbproxy.HOLD_ANSWER)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        lost = pool.submit(place, behind.call, made, key)
        assert behind.proxy.holds.wait(60)
        behind.kill()
        with pytest.raises((fcgi.Broken, ConnectionError)):
            lost.result(60)
    assert count(api, made) == ONE
    retry_at_once(api, made, key, replayed=MANY)


def test_killed_before_the_commit_while_others_wait_for_it(api, behind, made, key):
    """The others come while the first one's key is there and not committed."""
    behind.proxy.at_commits(dbproxy.HOLD_COMMIT)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lost = pool.submit(place, behind.call, made, key)
        assert behind.proxy.holds.wait(60)
        others = pool.submit(retry_at_once, api, made, key, MANY - 1)
        proc.wait_for(lambda: api.db.status("Innodb_row_lock_current_waits"), 10, "one that waits for the key")
        behind.kill()
        with pytest.raises((fcgi.Broken, ConnectionError)):
            lost.result(60)
        others.result(180)


@pytest.mark.parametrize("what, then", [(dbproxy.CUT_ANSWER, ONE), (dbproxy.CUT_COMMIT, NONE)])
def test_the_connection_breaks_there(api, behind, made, key, what, then):
    """The worker lives, and may not guess."""
    behind.proxy.at_commits(what)
    answer = place(behind.call, made, key)
    check.problem(answer, 503, "unavailable")
    assert answer.header("Retry-After")
    assert count(api, made) == then
    again = check.heeded(lambda: place(behind.call, made, key))
    check.created(again)
    assert again.header(REPLAYED) == ("true" if then == ONE else None)
    assert place(behind.call, made, key).body == again.body and count(api, made) == ONE
    assert all(process.poll() is None for process in behind.workers.processes)


def test_without_a_key_it_is_never_placed_again(api, behind, made):
    behind.proxy.at_commits(dbproxy.CUT_ANSWER)
    check.problem(place(behind.call, made, None), 503, "unavailable")
    orders, lines, keys, gone, events = ONE
    assert count(api, made) == (orders, lines, 0, gone, events)


def test_connections_break_under_a_hundred(api, behind, made, key):
    """First two that were never heard of, then those whose word is lost."""
    behind.proxy.at_commits(dbproxy.CUT_COMMIT, dbproxy.CUT_COMMIT, *[dbproxy.CUT_ANSWER] * 3)
    answers = together([lambda: place(behind.call, made, key)] * MANY)
    for answer in answers:
        if answer.status != 201:
            check.problem(answer, 503, "unavailable")
    assert behind.proxy.is_done and count(api, made) == ONE
    good = [a for a in answers if a.status == 201] + [check.heeded(lambda: place(behind.call, made, key)), place(api.call, made, key)]
    assert len({a.body for a in good}) == 1
    assert len(good) > 2 and all(a.header(REPLAYED) == "true" for a in good)
