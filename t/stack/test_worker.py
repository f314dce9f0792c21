"""A worker as a process: told to end while it has a request in hand, what it keeps of a long answer, its one thread."""
import concurrent.futures
import json
import os
import signal
import socket
import struct

import pytest

from lib import check, fcgi, http, proc
from lib.api import Workers
from lib.http import cgi_params


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_waiting(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0] == "S"


def test_a_body_that_is_still_coming(api, binary, scratch):
    workers = Workers(binary, scratch, api.workers.params, name="ending", count=1)
    process, body = workers.processes[0], json.dumps({"phone_number": "+919999999", "password": "not this one"}).encode()
    headers = {"Content-Type": "application/json"}
    params = cgi_params("POST", "/api/v1/auth/login", headers, body)
    try:
        assert b"Status: 401" in fcgi.request(workers.path, params, body)[0]     # and its database is there
        proc.wait_for(lambda: is_waiting(process.pid), 5, "the next accept")
        idle = descriptors(process.pid)
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(10)
            conn.connect(workers.path)
            conn.sendall(struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 0) + b"".join(fcgi._records(4, fcgi._pairs(params)))
                         + struct.pack("!BBHHBB", 1, 5, 1, len(body), 0, 0) + body[:10])
            proc.wait_for(lambda: descriptors(process.pid) > idle and is_waiting(process.pid), 5, "the worker to want the rest")
            process.send_signal(signal.SIGTERM)
            conn.sendall(body[10:] + struct.pack("!BBHHBB", 1, 5, 1, 0, 0, 0))
            assert b"Status: 401" in conn.recv(4096)
        assert process.wait(5) == 0
    finally:
        workers.stop()


def test_an_order_that_is_being_placed(api, binary, scratch):
    """It waits for the database, and is answered before the end."""
    shop, customer = api.tools.shop(("1.00", 5)), api.tools.user()
    workers = Workers(binary, scratch, api.workers.params, name="placing", count=1)
    call, process = http.FcgiClient(workers.path, api.settings), workers.processes[0]
    body = {"shop_id": shop.id, "items": [{"product_id": shop.products[0].id, "quantity": 1}]}
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool, api.db.session() as other:
            other.tell(f"START TRANSACTION; SELECT id FROM products WHERE id = {shop.products[0].id} FOR UPDATE")
            answer = pool.submit(call, "POST", "/api/v1/orders", customer, json=body)
            proc.wait_for(lambda: api.db.status("Innodb_row_lock_current_waits"), 5, "the order to wait for a lock")
            process.send_signal(signal.SIGTERM)
            assert not answer.done() and process.poll() is None
            other.tell("COMMIT")
            check.created(answer.result(10))
        assert process.wait(5) == 0 and api.stock(shop, shop.products[0]) == 4
    finally:
        workers.stop()


def private_dirty_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Private_Dirty:"))


def is_sanitized(binary):
    with open(binary, "rb") as f:
        return b"__asan_init" in f.read()


def test_a_long_answer_does_not_stay(api, binary, scratch):
    """What megabytes of a list took is given back, also after the second one, which an allocator that learns would keep room for."""
    if is_sanitized(binary):
        pytest.skip("a sanitizer keeps what was freed")
    shop, customer = api.tools.shop(("1.00", None)), api.tools.user()
    lines = [{"product_id": shop.products[0].id, "quantity": 1, "special_instructions": "\u20b9" * 200}] * 100
    for _ in range(40):
        check.created(api.call("POST", "/api/v1/orders", customer, json={"shop_id": shop.id, "items": lines}))
    workers = Workers(binary, scratch, api.workers.params, name="long", count=1)
    call, pid = http.FcgiClient(workers.path, api.settings), workers.processes[0].pid
    try:
        def orders(limit):
            answer = call("GET", f"/api/v1/orders/shop/{shop.id}?limit={limit}", shop.keeper)
            assert answer.status == 200
            return len(answer.body), private_dirty_kib(pid)

        _, before = orders(1)
        for _ in range(3):
            length, after = orders(40)
        assert length > 2_000_000 and after - before < 512, (length, before, after)
    finally:
        workers.stop()


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def test_one_thread(api, binary):
    """No thread is made anywhere in the program itself, and none by its libraries. (libcurl makes one for as long as it looks up the name of
    a push instance http://NAME other than localhost; it shares nothing with our code.)"""
    shop, customer = api.tools.shop(("1.00", None)), api.tools.user()
    order = api.place(customer, shop)
    api.change(shop, order, status="confirmed")
    api.wait_events(customer, "customer", customer.id, 1)
    proc.wait_for(lambda: api.push.on("customer", customer.id), 10, "its message")
    assert [threads(p.pid) for p in [api.relay, *api.workers.processes]] == [1] * (1 + len(api.workers.processes))
    if not is_sanitized(binary):
        with open(binary, "rb") as f:
            assert b"pthread_create" not in f.read()
