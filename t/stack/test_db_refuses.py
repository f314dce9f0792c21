"""A database server that answers, and can't do its work: no disk, no memory, a limit reached. 503, nothing half done, none of its words told."""
import contextlib

import pytest

from lib import check

# Disk and files; memory and threads; limits of a shared host; shutting down, read-only, killed, too slow; again from the start.
NUMBERS = [3, 20, 1021, 1026, 1030, 1114, 5, 1037, 1038, 1041, 1135, 1040, 1129, 1203, 1226, 1461, 1615,
           1053, 1290, 1836, 1927, 3024, 3100, 1317, 1969, 1205, 1213, 3101]
WORDS = "zxqwords of the server"


@contextlib.contextmanager
def refusing(api, number, event):
    api.db.sql(f"CREATE TRIGGER refuses BEFORE {event} ON orders FOR EACH ROW"
               f" SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = '{WORDS}'")
    try:
        yield
    finally:
        api.db.sql("DROP TRIGGER refuses")


def check_unavailable(answer):
    check.problem(answer, 503, "unavailable")
    assert int(answer.header("Retry-After")) > 0
    assert WORDS.encode() not in answer.body and b"SQL" not in answer.body


def logged(api):
    with open(api.workers.log, errors="replace") as f:
        return f.read()


@pytest.fixture(scope="module")
def made(api):
    return api.tools.shop(("1.00", 100)), api.tools.user()


@pytest.mark.parametrize("number", NUMBERS)
def test_an_order_is_placed(api, made, number):
    """The stock was taken when it fails."""
    shop, customer = made
    stock, begun = api.stock(shop, shop.products[0]), len(logged(api))
    with refusing(api, number, "INSERT"):
        check_unavailable(api.post(customer, shop, headers={"Idempotency-Key": f"refused-{number}"}))
    assert api.stock(shop, shop.products[0]) == stock
    assert f": {number} {WORDS}" in logged(api)[begun:]
    again = check.heeded(lambda: api.post(customer, shop, headers={"Idempotency-Key": f"refused-{number}"}))
    check.created(again)
    assert not again.header("Idempotent-Replayed") and api.stock(shop, shop.products[0]) == stock - 1


@pytest.mark.parametrize("number", [1021, 1226, 1461, 1205])
def test_an_order_is_changed(api, made, number):
    shop, customer = made
    order = api.place(customer, shop)
    with refusing(api, number, "UPDATE"):
        check_unavailable(api.patch(shop.keeper, order, status="confirmed"))
    assert api.read(customer, order)["status"] == "pending"
    assert api.change(shop, order, status="confirmed")["status"] == "confirmed"


@pytest.mark.parametrize("number", [1021, 1135, 1226])
def test_no_try_after_the_first(api, made, number):
    """What a server can't do it is not asked again and again."""
    shop, customer = made
    api.db.sql("CREATE OR REPLACE TABLE tries (n INT) ENGINE=MyISAM")     # which no roll-back reaches
    api.db.sql("CREATE TRIGGER counts BEFORE INSERT ON orders FOR EACH ROW INSERT INTO tries VALUES (1)")
    try:
        with refusing(api, number, "INSERT"):
            check_unavailable(api.post(customer, shop))
        assert api.db.sql("SELECT COUNT(*) FROM tries") == [["1"]]
    finally:
        api.db.sql("DROP TRIGGER counts")
        api.db.sql("DROP TABLE tries")
