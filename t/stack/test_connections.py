"""A worker and the web server's connections: long answers, slow readers, bodies that nobody read, signals under load, deadlines that outlive
their request."""
import concurrent.futures
import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from lib import check, fcgi, http, proc
from lib.api import Workers, clean_environment
from lib.http import Response, cgi_params

BEGIN = struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 0)
KEEP = struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 1)
END_OF_BODY = struct.pack("!BBHHBB", 1, 5, 1, 0, 0, 0)
END = struct.pack("!BBHHBBIB3x", 1, 3, 1, 8, 0, 0, 0, 0)


def params_of(params):
    return b"".join(fcgi._records(4, fcgi._pairs(params)))


HEALTH = params_of(cgi_params("GET", "/healthz", {}, b"")) + END_OF_BODY


def answer_of(data):
    """The standard output in the records of one whole answer."""
    out, at, ended = b"", 0, False
    while at < len(data):
        version, kind, request, length, padding, _ = struct.unpack_from("!BBHHBB", data, at)
        assert (version, request, ended and kind != 3) == (1, 1, False), (version, kind, request, at)
        if kind == 3:
            assert data[at:] == END and ended
            return out
        ended = length == 0
        assert kind == 6
        out += data[at + 8:at + 8 + length]
        at += 8 + length + padding
    raise AssertionError(f"no end of the request in {len(data)} bytes")


def receive(conn, end=None):
    """All that comes until the connection's end, or until end; a reset is an error."""
    data = bytearray()
    while end is None or not data.endswith(end):
        piece = conn.recv(65536)
        if not piece:
            break
        data += piece
    return bytes(data)


@contextlib.contextmanager
def workers_of(api, binary, scratch, name, count=1):
    workers = Workers(binary, scratch, api.workers.params, name=name, count=count)
    try:
        assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]
        yield workers
    finally:
        workers.stop()


@contextlib.contextmanager
def connected(path, timeout=60):
    with socket.socket(socket.AF_UNIX) as conn:
        conn.settimeout(timeout)
        conn.connect(path)
        yield conn


@pytest.fixture(scope="module")
def long_list(api):
    """A shop whose list is some megabytes, and what a plain CGI process answers for it."""
    shop, customer = api.tools.shop(("1.00", None)), api.tools.user()
    lines = [{"product_id": shop.products[0].id, "quantity": 1, "special_instructions": "\u20b9" * 200}] * 100
    for _ in range(30):
        check.created(api.call("POST", "/api/v1/orders", customer, json={"shop_id": shop.id, "items": lines}))
    params = {**cgi_params("GET", f"/api/v1/orders/shop/{shop.id}?limit=30", {"Authorization": f"Bearer {shop.keeper.token}"}, b""), **api.settings}
    done = subprocess.run([api.binary, "serve"], env={**clean_environment(), **params}, input=b"", capture_output=True, timeout=120)
    assert done.returncode == 0 and len(done.stdout) > 1_500_000, done.stderr
    return params, done.stdout


def test_a_long_answer_byte_for_byte(api, binary, scratch, long_list):
    params, wanted = long_list
    with workers_of(api, binary, scratch, "whole") as workers:
        for _ in range(3):
            with connected(workers.path) as conn:
                conn.sendall(BEGIN + params_of(params) + END_OF_BODY)
                got = answer_of(receive(conn))
            assert got == wanted
            answer = Response.from_cgi(got)
            assert int(answer.header("Content-Length")) == len(answer.body) and len(answer.json()) == 30


def test_a_client_that_reads_slowly(api, binary, scratch, long_list):
    """Longer than it may take for its request: the answer comes whole."""
    params, wanted = long_list
    with workers_of(api, binary, scratch, "slow") as workers, connected(workers.path) as conn:
        conn.sendall(BEGIN + params_of(params) + END_OF_BODY)
        data, begun = bytearray(), time.monotonic()
        while time.monotonic() < begun + 6:
            data += conn.recv(30_000)
            time.sleep(0.1)
        assert answer_of(bytes(data) + receive(conn)) == wanted


def test_head_has_no_body(api, binary, scratch, long_list):
    params, wanted = long_list
    with workers_of(api, binary, scratch, "head") as workers, connected(workers.path) as conn:
        conn.sendall(BEGIN + params_of({**params, "REQUEST_METHOD": "HEAD"}) + END_OF_BODY)
        assert answer_of(receive(conn)) == wanted.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_a_client_that_leaves(api, binary, scratch, long_list):
    """In the midst of its answer: the worker says so and goes on."""
    params, _ = long_list
    with workers_of(api, binary, scratch, "leaves") as workers:
        with connected(workers.path) as conn:
            conn.sendall(BEGIN + params_of(params) + END_OF_BODY)
            conn.recv(1000)
        assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]
        with open(workers.log) as f:
            assert "end=client_gone" in f.read()


def large_order(api, length=700_000):
    customer, body = api.tools.user(), json.dumps({"x": "x" * length}).encode()
    params = {**cgi_params("POST", "/api/v1/orders", {"Content-Type": "application/json", "Authorization": f"Bearer {customer.token}"}, body),
              **api.settings}
    return params, b"".join(fcgi._records(5, body))


@contextlib.contextmanager
def over_tcp(api, binary, scratch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = proc.start([str(binary), "serve", "--params", api.workers.params], f"{scratch}/unread.log", stdin=listener)
        try:
            yield lambda: socket.create_connection(listener.getsockname(), timeout=60)
        finally:
            assert proc.stop(process) == 0


@pytest.mark.parametrize("over", ["unix", "tcp"])
def test_a_body_that_nobody_reads(api, binary, scratch, over):
    """Refused for its length (413): the answer comes whole, though the client goes on sending, and no reset destroys it."""
    params, body = large_order(api)
    with contextlib.ExitStack() as on:
        if over == "tcp":
            connect = on.enter_context(over_tcp(api, binary, scratch))
        else:
            path = on.enter_context(workers_of(api, binary, scratch, "unread")).path
        for n in range(10):
            with connect() if over == "tcp" else connected(path) as conn:
                conn.sendall(BEGIN + params_of(params))
                conn.sendall(body[:n * 60_000])
                if n % 2:
                    time.sleep(0.02)    # the refusal is out, and the rest of the body still to come
                conn.sendall(body[n * 60_000:])     # no EPIPE
                assert b"Status: 413" in answer_of(receive(conn))


def test_a_body_that_never_ends(api, binary, scratch):
    """The answer is not waited for, and the rest keeps the worker no longer than any silence."""
    params, body = large_order(api)
    def refused():
        assert b"Status: 413" in answer_of(receive(conn))       # and the end of the connection

    def held_up():
        with connected(workers.path) as other:
            other.sendall(BEGIN + params_of(params) + body[:1000])
            assert b"Status: 413" in answer_of(receive(other))
            assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]

    with workers_of(api, binary, scratch, "endless") as workers:
        for _ in range(10):
            with connected(workers.path) as conn:
                conn.sendall(BEGIN + params_of(params) + body[:1000])
                if proc.quickest(refused, 1, tries=1) < 1:
                    break
        else:
            pytest.fail("each refusal was late")
        assert proc.quickest(held_up, 3.5) < 3.5


@pytest.mark.parametrize("length", [600_000, 700_000, 700_100])
def test_a_kept_connection_after_a_body_that_nobody_read(api, binary, scratch, length):
    params, body = large_order(api, length)
    with workers_of(api, binary, scratch, "kept-unread") as workers, connected(workers.path) as conn:
        for _ in range(3):
            conn.sendall(KEEP + params_of(params) + body)
            assert b"Status: 413" in answer_of(receive(conn, END))
            conn.sendall(KEEP + HEALTH)
            assert b"Status: 200" in answer_of(receive(conn, END))


def test_a_kept_connection_and_a_body_that_never_ends(api, binary, scratch):
    """Read before the answer is out, but not for longer than any silence; then it is closed."""
    params, body = large_order(api)
    def refused():
        with connected(workers.path) as conn:
            conn.sendall(KEEP + params_of(params) + body[:1000])
            assert b"Status: 413" in answer_of(receive(conn))

    with workers_of(api, binary, scratch, "kept-endless") as workers:
        assert proc.quickest(refused, 3.5) < 3.5


def test_deadlines_of_one_request_never_cut_the_next(api, binary, scratch, make_api):
    """The timers go on through many requests, and strike none: each is far shorter than its deadline, but all together are not."""
    other = make_api("short", {"PICKUP_REQUEST_DEADLINE_MS": "4000"}, workers=1)
    shop, customer = other.tools.shop(("1.00", None)), other.tools.user()
    stop, orders = time.monotonic() + 10, []
    while time.monotonic() < stop:
        orders.append(other.place(customer, shop))
        time.sleep(random.random() / 20)
    assert len(orders) > 20
    with open(other.workers.log) as f:
        log = f.read()
    assert "deadline" not in log and "connection closed" not in log, log[-2000:]


def test_a_request_that_comes_slowly_after_others(api, binary, scratch):
    """The timer that was set for an earlier one fires while it is read: it is still within its own time."""
    with workers_of(api, binary, scratch, "slowly") as workers, connected(workers.path) as conn:
        request = BEGIN + HEALTH
        time.sleep(0.5)
        conn.sendall(request[:20])
        time.sleep(2)
        conn.sendall(request[20:])
        assert b"Status: 200" in answer_of(receive(conn))


def name_of(pid, descriptor):
    with contextlib.suppress(FileNotFoundError):
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")
    return ""


def test_a_second_signal_after_a_reconnect(api, binary, scratch):
    """The first one closed what the worker waits on, and something that the request opens may have its number: the second one must not touch that."""
    shop, customer = api.tools.shop(("1.00", 5)), api.tools.user()
    body = json.dumps({"shop_id": shop.id, "items": [{"product_id": shop.products[0].id, "quantity": 1}]}).encode()
    params = {**cgi_params("POST", "/api/v1/orders", {"Content-Type": "application/json", "Authorization": f"Bearer {customer.token}"}, body),
              **api.settings}
    own = "SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist WHERE user <> 'root'"
    before = int(api.db.sql(own)[0][0])
    workers = Workers(binary, scratch, api.workers.params, name="second", count=1)
    process = workers.processes[0]

    def opened(what):
        return sum(name_of(process.pid, n).startswith(what) for n in os.listdir(f"/proc/{process.pid}/fd"))

    try:
        connection = proc.wait_for(lambda: (int(api.db.sql(own)[0][0]) > before) and int(api.db.sql(own)[0][0]), 5, "the worker's connection")
        sockets = opened("socket:")
        with connected(workers.path) as conn, api.db.session() as other:
            conn.sendall(BEGIN + params_of(params) + struct.pack("!BBHHBB", 1, 5, 1, len(body), 0, 0) + body[:10])
            proc.wait_for(lambda: opened("socket:") > sockets, 5, "the worker to accept")
            other.tell(f"START TRANSACTION; SELECT id FROM products WHERE id = {shop.products[0].id} FOR UPDATE")
            process.send_signal(signal.SIGTERM)
            proc.wait_for(lambda: not opened("anon_inode:[eventpoll]"), 5, "the worker to accept no more")
            api.db.sql(f"KILL {connection}")
            conn.sendall(body[10:] + END_OF_BODY)
            proc.wait_for(lambda: int(api.db.sql(own)[0][0]) > connection, 5, "a new connection")
            process.send_signal(signal.SIGINT)
            other.tell("COMMIT")
            assert b"Status: 201" in answer_of(receive(conn))
        assert process.wait(60) == 0
    finally:
        workers.stop()


ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def test_workers_told_to_end_under_load(api, binary, scratch):
    """All the time, by several signals at once, others started in their places: each request is answered, each order made once, each worker ends
    well. Whatever a signal meets, it breaks nothing off."""
    shop, customer = api.tools.shop(("1.00", None)), api.tools.user()
    workers = Workers(binary, scratch, api.workers.params, name="storm", count=3)
    call, stop, ended = http.FcgiClient(workers.path, api.settings), threading.Event(), 0
    body = {"shop_id": shop.id, "items": [{"product_id": shop.products[0].id, "quantity": 1}]}

    def place():
        placed = []
        while not stop.is_set():
            placed.append(check.created(call("POST", "/api/v1/orders/", customer, json=body))["id"])
        return placed

    def list_them():
        count = 0
        while not stop.is_set():
            assert call("GET", f"/api/v1/orders/shop/{shop.id}?limit=200", shop.keeper).status == 200
            count += 1
        return count

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            places, lists = [pool.submit(place) for _ in range(3)], pool.submit(list_them)
            try:
                for n in range(40):
                    workers.start_one()
                    process = workers.processes.pop(0)
                    time.sleep(random.random() / 20)
                    for how in random.sample(ENDS, n % len(ENDS) + 1):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(process.pid, how)
                    assert process.wait(60) == 0
                    ended += 1
            finally:
                stop.set()
            placed = [order for future in places for order in future.result(180)]
            assert lists.result(180) > 0
        assert ended == 40 and len(placed) == len(set(placed)) > 40
        assert int(api.db.sql(f"SELECT COUNT(*) FROM orders WHERE shop_id = {shop.id}")[0][0]) == len(placed)
        with open(workers.log) as f:
            log = f.read()
        assert "level=error" not in log and "level=warn" not in log, [line for line in log.splitlines() if "level=error" in line or "level=warn" in line]
    finally:
        workers.stop()
