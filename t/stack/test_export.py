"""A shop's orders as a file: columns, period, who may; long ones come in pieces, in constant memory, and break off where something breaks."""
import csv
import datetime
import io
import os
import signal
import socket
import struct
import subprocess
import time
import zoneinfo

import pytest

from lib import check, dbproxy, directives, fcgi, http, mariadb, proc
from lib.api import Workers, clean_environment
from lib.together import together

case = pytest.param
COLUMNS = ["id", "created_at", "updated_at", "order_type", "status", "scheduled_pickup_time", "customer_name", "item_count", "items", "total_amount",
           "currency", "order_notes", "has_chitty", "estimated_preparation_minutes", "cancelled_by", "cancel_reason"]
PAGE = 200
DEADLINE = 4    # seconds, of a worker that has one: no page takes so long, however busy the machine


def path(shop):
    return f"/api/v1/orders/shop/{shop.id}/export.csv"


def rows_of(text):
    """The rows as dicts, by the csv module: it knows the format of spreadsheets."""
    assert text.endswith("\r\n")
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert head == COLUMNS and all(len(row) == len(head) for row in rows)
    return [dict(zip(head, row)) for row in rows]


def export(api, who, shop, query=""):
    answer = api.call("GET", path(shop) + query, who)
    assert answer.status == 200 and answer.header("Content-Type") == "text/csv; charset=utf-8", answer
    return rows_of(answer.body.decode())


def ids(rows):
    return [int(row["id"]) for row in rows]


def fill(db, shop, count, first=10 ** 9):
    """So many orders of a shop, a second apart, with two lines each."""
    db.sql("INSERT INTO orders (id, customer_id, customer_name, shop_id, total_amount, status, order_type, items_json, created_at, updated_at)"
           f" SELECT {first} + seq, 1, CONCAT('Customer ', seq), {shop.id}, 35.10, ELT(1 + seq % 3, 'pending', 'ready', 'picked_up'),"
           " IF(seq % 5, 'instant', 'pre_order'),"
           """ ',"product_id":1,"product_name":"Rice","quantity":1,"price_at_time_of_order":35.1,"special_instructions":null}\\n"""
           ""","product_id":2,"product_name":"Dal \\\\"fine\\\\"","quantity":2,"price_at_time_of_order":1.0,"special_instructions":null}\\n',"""
           f" '2020-01-01' + INTERVAL seq SECOND, '2020-01-01' + INTERVAL seq SECOND FROM seq_1_to_{count}")


# --- what is in it

def test_columns(api):
    shop, customer = api.tools.shop(("60.00", None), ("1.50", None), timezone="America/St_Johns"), api.tools.user(name="Kiran Kumar")
    wall = datetime.datetime.now(zoneinfo.ZoneInfo("America/St_Johns")).replace(microsecond=0) + datetime.timedelta(days=2)
    plain = api.place(customer, shop, [(shop.products[0], 2), (shop.products[1], 1)], order_type="pre_order", scheduled_pickup_time=wall.isoformat(),
                      order_notes='Will come\nat "5", sharp')
    chitty = api.place(customer, shop, list_image_url=api.photo(customer))
    plain = api.change(shop, plain, status="confirmed", estimated_preparation_minutes=20)
    chitty = api.change(shop, chitty, total_amount=12.5)
    chitty = api.change(shop, chitty, status="cancelled", cancel_reason="No rice, sorry")
    second, first = export(api, shop.keeper, shop)
    p, q = (product.name for product in shop.products)
    assert first == {
        "id": str(plain["id"]), "created_at": plain["created_at"], "updated_at": plain["updated_at"], "order_type": "pre_order",
        "status": "confirmed",
        "scheduled_pickup_time": plain["scheduled_pickup_time"], "customer_name": "Kiran Kumar", "item_count": "2", "items": f"2 x {p}; 1 x {q}",
        "total_amount": "121.50", "currency": "INR", "order_notes": 'Will come\nat "5", sharp', "has_chitty": "false",
        "estimated_preparation_minutes": "20", "cancelled_by": "", "cancel_reason": ""}
    assert first["created_at"].endswith(wall.isoformat()[-6:]) or first["created_at"][-6:] in ("-03:30", "-02:30")
    assert (second["id"], second["has_chitty"], second["total_amount"], second["scheduled_pickup_time"], second["order_notes"],
            second["estimated_preparation_minutes"], second["items"], second["cancelled_by"],
            second["cancel_reason"]) == (str(chitty["id"]), "true", "12.50", "", "", "", f"1 x {p}", "shopkeeper", "No rice, sorry")


def test_nothing_is_calculated_by_a_spreadsheet(api):
    names = ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", '=1,"2"', "it's, so"]
    shop = api.tools.shop(("1.00", None))
    for name in names:
        customer = api.tools.user(name=name)
        api.place(customer, shop, order_notes=f"\t{name}")
    rows = export(api, shop.keeper, shop)[::-1]
    assert [row["customer_name"] for row in rows] == [f"'{name}" if name[0] in "=+-@" else name for name in names]
    assert [row["order_notes"] for row in rows] == [f"'\t{name}" for name in names]


def test_orders_that_others_wrote(api):
    """Rows from before, or by another program, have their lines in order_items alone; a photo alone has none."""
    shop, customer = api.tools.shop(*[("1.00", None)] * 3), api.tools.user()
    for k in range(5):
        api.place(customer, shop, [(p, n + 1) for n, p in enumerate(shop.products[:k % 3 + 1])])
    check.created(api.call("POST", "/api/v1/orders/", customer, json={"shop_id": shop.id, "list_image_url": api.photo(customer)}))
    before = export(api, shop.keeper, shop)
    assert [row["items"].count(" x ") for row in before] == [0, 2, 1, 3, 2, 1] and before[0]["items"] == ""
    api.db.sql(f"UPDATE orders SET items_json = NULL WHERE shop_id = {shop.id} AND id % 2 = 0")
    assert export(api, shop.keeper, shop) == before


def test_an_empty_one(api):
    shop = api.tools.shop()
    answer = api.call("GET", path(shop), shop.keeper)
    assert answer.body.decode().startswith(",".join(COLUMNS)) and rows_of(answer.body.decode()) == []
    assert answer.header("Content-Disposition") == f'attachment; filename="orders-{shop.id}.csv"'
    assert answer.header("Content-Length") == str(len(answer.body))


@pytest.mark.parametrize("count", [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 1111])
def test_pages_join(api, count):
    shop = api.tools.shop()
    first = 10 ** 10 + count * 10 ** 6
    fill(api.db, shop, count, first)
    answer = api.call("GET", path(shop), shop.keeper)
    rows = rows_of(answer.body.decode())
    assert ids(rows) == list(range(first + count, first, -1))
    assert (answer.header("Content-Length") is None) == (count >= PAGE)
    assert {row["items"] for row in rows} == {'1 x Rice; 2 x Dal "fine"'} and {row["item_count"] for row in rows} == {"2"}
    head = api.call("HEAD", path(shop), shop.keeper)
    assert (head.status, head.body) == (200, b"")
    assert [h for h in head.headers if h[0] != "X-Request-Id"] == [h for h in answer.headers if h[0] != "X-Request-Id"]


def test_orders_of_one_instant(api):
    shop = api.tools.shop()
    fill(api.db, shop, 950, 2 * 10 ** 10)
    api.db.sql(f"UPDATE orders SET created_at = '2026-01-01' WHERE shop_id = {shop.id}")
    assert ids(export(api, shop.keeper, shop)) == list(range(2 * 10 ** 10 + 950, 2 * 10 ** 10, -1))
    assert len(export(api, shop.keeper, shop, "?from=2026-01-01&to=2026-01-01")) == 950
    assert export(api, shop.keeper, shop, "?to=2026-01-01T00:00:00Z") == []


# --- the period

@pytest.fixture(scope="module")
def dated(api):
    """A shop in New York with orders around midnights and around the change of its clock on 2026-03-08 and 2026-11-01; gives it and {time: id}."""
    shop = api.tools.shop(timezone="America/New_York")
    times = ["2026-03-07T23:59:59-05:00", "2026-03-08T00:00:00-05:00", "2026-03-08T23:59:59-04:00", "2026-03-09T00:00:00-04:00",
             "2026-11-01T00:00:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-01T23:59:59-05:00",
             "2026-11-02T00:00:00-05:00"]
    fill(api.db, shop, len(times), 3 * 10 ** 10)
    for n, text in enumerate(times, 1):
        at = datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        api.db.sql(f"UPDATE orders SET created_at = '{at}' WHERE id = {3 * 10 ** 10 + n}")
    return shop, times


@pytest.mark.parametrize("query, wanted", [
    case("", range(9), id="all"),
    case("from=2026-03-08", range(1, 9), id="from a day"), case("to=2026-03-08", range(3), id="to the end of a day"),
    case("from=2026-03-08&to=2026-03-08", [1, 2], id="a day of 23 hours"), case("from=2026-11-01&to=2026-11-01", range(4, 8), id="a day of 25 hours"),
    case("from=2026-03-08T00:00:00-05:00&to=2026-03-09T00:00:00-04:00", [1, 2], id="instants, the end exclusive"),
    case("from=2026-11-01T05:30:00Z&to=2026-11-01T06:30:00Z", [5], id="in the hour that comes twice"),
    case("from=2026-11-01T01:30:00-05:00", [6, 7, 8], id="from an instant"),
    case("from=2026-03-09&to=2026-10-31T23:59:59-04:00", [3], id="a day and an instant"),
    case("from=2026-03-08T05:00:00.5Z&to=2026-03-09", [2, 3], id="fractions"), case("from=2026-03-10&to=2026-03-11", [], id="empty"),
    case("from=0001-01-01&to=9999-12-31", range(9), id="everything"), case("from=9999-12-31", [], id="the far future"),
    case("to=0001-01-01", [], id="the far past"), case("from=2026-03-08T05:00:00Z&to=2026-03-08T05:00:00Z", [], id="no time at all"),
])
def test_period(api, dated, query, wanted):
    shop, times = dated
    rows = export(api, shop.keeper, shop, "?" + query.replace("+", "%2B"))
    assert [row["created_at"] for row in rows] == [times[n] for n in wanted][::-1]


@pytest.mark.parametrize("query, fields", [
    *[(f"{name}={value}", [name]) for name in ("from", "to") for value in
      ("", "yesterday", "2026-02-30", "2026-2-3", "2026-02-26T17:00:00", "20260226", "2026-02-26 ", "1700000000", "2026-02-26T17:00:00+05:30",
       "0000-01-01")],
    ("from=2026-02-02&to=2026-02-01", ["to"]), ("from=2026-02-02&from=2026-02-03", ["from"]), ("from=x&to=y", ["from", "to"]),
    ("from=2026-02-26T17:00:00Z&to=2026-02-26T16:59:59Z", ["to"]),
])
def test_bad_periods(api, world, query, fields):
    assert check.faults(api.call("GET", f"{path(world.shop)}?{query}", world.keeper)) == fields


# --- who may

def test_who_may(api, world):
    for who in (world.customer, world.other.keeper, api.tools.token(world.keeper.id, "admin")):
        for query in ("", "?from=x"):
            check.problem(api.call("GET", path(world.shop) + query, who), 403, "forbidden")
    check.problem(api.call("GET", path(world.shop)), 401, "unauthorized")
    check.problem(api.call("GET", "/api/v1/orders/shop/999999999/export.csv", world.keeper), 403, "forbidden")
    check.problem(api.call("POST", path(world.shop), world.keeper), 405, "method_not_allowed")
    shop, staff = api.tools.shop(), api.tools.user()
    check.problem(api.call("GET", path(shop), staff), 403, "forbidden")
    check.ok(api.call("POST", f"/api/v1/shops/{shop.id}/staff", shop.keeper, json={"user_id": staff.id}), 201)
    assert export(api, staff, shop) == []


# --- by other doors

def test_from_the_shell_and_by_cgi(api):
    shop = api.tools.shop()
    fill(api.db, shop, 500, 4 * 10 ** 10)
    wanted = api.call("GET", path(shop), shop.keeper).body
    printed = api.tools.run("request", "--token", shop.keeper.token, "GET", path(shop)).encode()
    assert printed.partition(b"\r\n\r\n")[2] == wanted + b"\n" or printed.partition(b"\n\n")[2].replace(b"\n", b"\r\n") == wanted + b"\r\n"
    environment = {**clean_environment(), **http.cgi_params("GET", path(shop), {"Authorization": f"Bearer {shop.keeper.token}"}, b""), **api.settings}
    done = subprocess.run([api.binary, "serve"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert done.returncode == 0 and http.Response.from_cgi(done.stdout).body == wanted


# --- breaking off

class Stream:
    """A FastCGI request whose answer is read record by record."""

    def __init__(self, workers, settings, who, target):
        self.conn = socket.socket(socket.AF_UNIX)
        self.conn.settimeout(60)
        self.conn.connect(workers.path)
        params = {**http.cgi_params("GET", target, {"Authorization": f"Bearer {who.token}"}, b""), **settings}
        pairs = fcgi._pairs(params)
        self.conn.sendall(struct.pack("!BBHHBB", 1, 1, 1, 8, 0, 0) + struct.pack("!HB5x", 1, 0) + b"".join(fcgi._records(4, pairs)) +
                          b"".join(fcgi._records(5, b"")))
        self.text, self.is_ended = b"", False

    def record(self):
        """False at the connection's end."""
        try:
            _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", fcgi._exactly(self.conn, 8))
            content = fcgi._exactly(self.conn, length + padding)[:length]
        except (fcgi.Broken, ConnectionResetError):
            return False
        self.text += content if kind == 6 else b""
        self.is_ended |= kind == 3
        return True

    def rest(self):
        while self.record():
            pass
        self.conn.close()
        return self


@pytest.fixture()
def one(api):
    """A worker of its own, behind a gate to the database."""
    folder = f"{api.dir}/export-{time.monotonic_ns()}"
    os.mkdir(folder)
    proxy = dbproxy.DbProxy(f"{folder}/db", f"{api.db.dir}/sock")
    with open(api.db.option_file) as f:
        mariadb.write_private(f"{folder}/pickup.cnf", f.read().replace(f"socket={api.db.dir}/sock", f"socket={proxy.path}"))
    workers = Workers(api.binary, folder, api.params, name="one", count=1)
    yield workers, proxy, {**api.settings, "PICKUP_DB_OPTION_FILE": f"{folder}/pickup.cnf", "PICKUP_REQUEST_DEADLINE_MS": str(DEADLINE * 1000)}
    workers.stop()
    proxy.close()


@pytest.fixture(scope="module")
def long(api):
    """A shop with 20,000 orders; the 19,000th from the end is marked."""
    shop = api.tools.shop()
    fill(api.db, shop, 20000, 5 * 10 ** 10)
    api.db.sql(f"UPDATE orders SET customer_name = 'the marked one' WHERE id = {5 * 10 ** 10 + 1000}")
    return shop


def is_free(workers, settings):
    return b"Status: 200" in fcgi.request(workers.path, {**http.cgi_params("GET", "/healthz", {}, b""), **settings})[0]


def test_the_deadline_holds_for_each_page(one, long):
    """All of it takes longer than one request may, as the client takes its time."""
    workers, _, settings = one
    stream = Stream(workers, settings, long.keeper, path(long))
    assert stream.record()
    time.sleep(DEADLINE + 1)
    assert stream.rest().is_ended and len(rows_of(stream.text.partition(b"\r\n\r\n")[2].decode())) == 20000
    assert is_free(workers, settings)


@pytest.mark.parametrize("what", [dbproxy.CUT_ROWS, dbproxy.HOLD_ROWS])
def test_the_database_goes_amid_the_stream(one, long, what):
    workers, proxy, settings = one
    proxy.at_rows(b"the marked one", what)
    stream = Stream(workers, settings, long.keeper, path(long)).rest()
    assert stream.text.startswith(b"Status: 200") and not stream.is_ended
    assert stream.text.count(b"\r\n") > 18000 and b"problem" not in stream.text and b"the marked one" not in stream.text
    proc.wait_for(lambda: is_free(workers, settings), 5, "the worker")
    assert "end=broken" in proc.tail(workers.log)


def test_the_database_is_away_before_the_first_piece(one, long):
    workers, proxy, settings = one
    proxy.at_rows(b"Customer 20000", dbproxy.HOLD_ROWS)
    answer = http.Response.from_cgi(Stream(workers, settings, long.keeper, path(long)).rest().text)
    check.problem(answer, 503, "unavailable")


def test_a_client_goes_away(one, long):
    workers, _, settings = one
    stream = Stream(workers, settings, long.keeper, path(long))
    assert stream.record()
    stream.conn.close()
    proc.wait_for(lambda: is_free(workers, settings), 5, "the worker")
    assert "end=broken" in proc.tail(workers.log)


def test_a_right_ends_amid_the_stream(api, one):
    workers, proxy, settings = one
    shop = api.tools.shop()
    fill(api.db, shop, 20000, 6 * 10 ** 10)
    stream = Stream(workers, settings, shop.keeper, path(shop))
    assert stream.record()      # the socket takes a few hundred rows more, then the worker waits for us
    api.db.sql(f"UPDATE shops SET owner_id = (SELECT MIN(id) FROM users WHERE role = 'shopkeeper' AND id <> {shop.keeper.id}) WHERE id = {shop.id}")
    stream.rest()
    assert not stream.is_ended and stream.text.count(b"\r\n") < 20000


def test_a_stopped_worker_ends_what_it_began(one, long):
    workers, _, settings = one
    stream = Stream(workers, settings, long.keeper, path(long))
    assert stream.record()
    workers.processes[0].send_signal(signal.SIGTERM)
    assert stream.rest().is_ended


# --- memory

def private_dirty_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Private_Dirty:"))


@pytest.fixture()
def frees(api):
    """The program gives back what it frees."""
    with open(api.binary, "rb") as f:
        if b"__asan_init" in f.read():
            pytest.skip("a sanitizer keeps what was freed")


def test_memory_is_that_of_a_page(frees, one, long):
    workers, _, settings = one
    pid, figures = workers.processes[0].pid, []
    for query in ("?to=2020-01-01T00:20:00Z", "", ""):
        stream, most = Stream(workers, settings, long.keeper, path(long) + query), 0
        while stream.record():
            if len(stream.text) % 7 == 0:
                most = max(most, private_dirty_kib(pid))
        assert stream.is_ended
        figures.append(max(most, private_dirty_kib(pid)))
    assert figures[2] - figures[0] < 512, figures


# --- through nginx

@pytest.fixture(scope="module")
def big(stack):
    """A shop with 40,000 orders behind nginx: some 6 MB."""
    class Sql:
        @staticmethod
        def sql(statement):
            subprocess.run(["mariadb", f"--defaults-file={stack.dir}/etc/client.cnf", "-D", "pickup", "-e", statement], check=True, timeout=60)
    shop = stack.tools.shop()
    fill(Sql, shop, 40000)
    return shop


def open_export(stack, shop):
    conn = stack.call.connection()
    conn.request("GET", path(shop), headers={"Authorization": f"Bearer {shop.keeper.token}"})
    return conn, conn.getresponse()


def test_through_nginx(stack, big):
    assert ids(export(stack, big.keeper, big)) == list(range(10 ** 9 + 40000, 10 ** 9, -1))
    head = stack.call("HEAD", path(big), big.keeper)
    assert head.status == 200 and head.body == b""


def patient(text):
    """For clients that read nothing until a busy machine has done what they wait for."""
    assert text.count("\n\tsend_timeout 15s;") == 1
    return text.replace("\n\tsend_timeout 15s;", "\n\tsend_timeout 300s;")


@pytest.fixture()
def waiting(stack):
    with directives.files(stack, "front", {"front.conf": patient}):
        yield


def test_a_slow_client_keeps_no_worker(stack, big, waiting):
    """Who is kept waiting by one that reads nothing waits for half a minute."""
    opened = [open_export(stack, big) for _ in range(2)]
    began = time.monotonic()
    together([lambda: check.ok(stack.call("GET", "/api/v1/shops"))] * 20)
    assert time.monotonic() - began < 25
    check.problem(stack.call("GET", path(big), big.keeper), 429, "rate_limited")
    for conn, answer in opened:
        assert len(rows_of(answer.read().decode())) == 40000
        conn.close()


@pytest.fixture()
def open_handed(stack):
    """One address may have as many exports as it likes, and all together fewer than there are workers here: bootstrap has twice as many, unless it is
    told otherwise."""
    def change(text):
        assert text.count("limit_conn exports 2;") == text.count("limit_conn all_exports 6;") == 1
        return patient(text.replace("limit_conn exports 2;", "").replace("limit_conn all_exports 6;", f"limit_conn all_exports {len(stack.worker_pids()) - 1};"))

    with directives.files(stack, "front", {"front.conf": change}):
        yield


def test_exports_leave_workers_for_others(stack, big, open_handed):
    """From however many addresses they are asked for."""
    opened = []
    while not opened or opened[-1][1].status == 200:
        assert len(opened) < len(stack.worker_pids())
        opened.append(open_export(stack, big))
    *_, (_, refused) = opened
    check.problem(http.Response(refused.status, refused.getheaders(), refused.read()), 429, "rate_limited")
    assert len(opened) - 1 == len(stack.worker_pids()) - 1
    check.ok(stack.call("GET", "/api/v1/shops"))
    for conn, answer in opened[:-1]:
        assert len(rows_of(answer.read().decode())) == 40000
        conn.close()


@pytest.mark.takes_away
def test_a_worker_is_killed_amid_the_stream(stack, big):
    """The client sees that it is not whole."""
    for _ in range(5):
        conn, answer = open_export(stack, big)
        for pid in stack.worker_pids():
            os.kill(pid, signal.SIGKILL)
        try:
            text = answer.read()
            whole = text.count(b"\r\n") == 40001
        except (http.http.client.IncompleteRead, ConnectionError):
            whole = None
        conn.close()
        stack.ready()
        if whole is None:
            return
        assert whole, f"a part was given as the whole: {answer.status} {len(text)} bytes, the last of them {text[-200:]}"
    pytest.fail("each export was done before the worker was killed")
