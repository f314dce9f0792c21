"""A worker as a process: told to end while it has a request in hand, what it keeps of a long answer, its one thread."""
import collections
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from lib import check, fcgi, http, proc
from lib.api import Workers, clean_environment
from lib.http import cgi_params


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_a_body_that_is_still_coming(api, binary, scratch):
    workers = Workers(binary, scratch, api.workers.params, name="ending", count=1)
    process, body = workers.processes[0], json.dumps({"phone_number": "+919999999", "password": "not this one"}).encode()
    headers = {"Content-Type": "application/json"}
    params = cgi_params("POST", "/api/v1/auth/login", headers, body)
    try:
        assert b"Status: 401" in fcgi.request(workers.path, params, body)[0]     # and its database is there
        proc.wait_for(lambda: proc.is_asleep(process.pid), 5, "the next accept")
        idle = descriptors(process.pid)
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(60)
            conn.connect(workers.path)
            conn.sendall(struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 0) + b"".join(fcgi._records(4, fcgi._pairs(params)))
                         + struct.pack("!BBHHBB", 1, 5, 1, len(body), 0, 0) + body[:10])
            proc.wait_for(lambda: descriptors(process.pid) > idle and proc.is_asleep(process.pid), 5, "the worker to want the rest")
            process.send_signal(signal.SIGTERM)
            conn.sendall(body[10:] + struct.pack("!BBHHBB", 1, 5, 1, 0, 0, 0))
            assert b"Status: 401" in conn.recv(4096)
        assert process.wait(60) == 0
    finally:
        workers.stop()


BEGIN = struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 0)
KEEP = struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 1)
END_OF_BODY = struct.pack("!BBHHBB", 1, 5, 1, 0, 0, 0)
HEALTH = b"".join(fcgi._records(4, fcgi._pairs(cgi_params("GET", "/healthz", {}, b"")))) + END_OF_BODY


@contextlib.contextmanager
def one_worker(api, binary, scratch, name):
    workers = Workers(binary, scratch, api.workers.params, name=name, count=1)
    process = workers.processes[0]
    try:
        assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]
        proc.wait_for(lambda: proc.is_asleep(process.pid), 5, "the next accept")
        yield workers, process
    finally:
        workers.stop()


@contextlib.contextmanager
def accepted(workers, process):
    """A connection that the worker has taken and heard nothing on."""
    idle = descriptors(process.pid)
    with socket.socket(socket.AF_UNIX) as conn:
        conn.settimeout(60)
        conn.connect(workers.path)
        proc.wait_for(lambda: descriptors(process.pid) > idle and proc.is_asleep(process.pid), 5, "the worker to accept")
        yield conn


@pytest.mark.parametrize("sent", [0, 8, 16, 40, len(BEGIN + HEALTH) - 12])
def test_a_request_that_is_still_coming(api, binary, scratch, sent):
    """Told to end when it has accepted, and has the request's first bytes: it answers, then ends."""
    with one_worker(api, binary, scratch, f"coming{sent}") as (workers, process), accepted(workers, process) as conn:
        request = BEGIN + HEALTH
        conn.sendall(request[:sent])
        proc.wait_for(lambda: proc.is_asleep(process.pid), 5, "the worker to want the rest")
        process.send_signal(signal.SIGTERM)
        time.sleep(0.05)    # what would be wrong happens now
        conn.sendall(request[sent:])
        assert b"Status: 200" in conn.recv(4096)
        conn.close()
        assert process.wait(60) == 0


def test_a_signal_beside_a_connection(api, binary, scratch):
    """Accepted just before the worker is told to end: answered. Not accepted: still there for the next worker."""
    for n in range(8):
        with one_worker(api, binary, scratch, f"beside{n}") as (workers, process), socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(0.3)
            conn.connect(workers.path)
            process.send_signal(signal.SIGTERM)
            conn.sendall(BEGIN + HEALTH)
            try:
                assert b"Status: 200" in conn.recv(4096)
            except TimeoutError:
                pass
            conn.close()
            assert process.wait(60) == 0


@pytest.mark.parametrize("sent", [20])
def test_half_a_request_keeps_no_worker(api, binary, scratch, sent):
    with one_worker(api, binary, scratch, f"half{sent}") as (workers, process), accepted(workers, process) as conn:
        conn.sendall((BEGIN + HEALTH)[:sent])
        assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_idle_worker_ends(api, binary, scratch, how):
    with one_worker(api, binary, scratch, f"idle{how}") as (_, process):
        process.send_signal(how)
        assert process.wait(60) == 0


def test_an_idle_worker_whose_socket_blocks(api, binary, scratch):
    """Others that share the socket may make it block, as systemd does with each worker that it starts: a signal is heard all the same."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(scratch, "blocking.sock"))
        listener.listen()
        process = subprocess.Popen([binary, "serve", "--params", api.workers.params], stdin=listener, stderr=subprocess.DEVNULL,
                                   env=clean_environment())
        try:
            assert b"Status: 200" in fcgi.request(listener.getsockname(), cgi_params("GET", "/healthz", {}, b""))[0]
            os.set_blocking(listener.fileno(), True)
            time.sleep(0.8)     # more than a look around
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()


def test_a_signal_as_it_starts(api, binary, scratch):
    """Whoever is told to end as soon as it can hear of it ends."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(scratch, "starting.sock"))
        listener.listen()
        for _ in range(10):
            process = subprocess.Popen([binary, "serve", "--params", api.workers.params], stdin=listener, stderr=subprocess.DEVNULL,
                                       env=clean_environment())
            try:
                while process.poll() is None and not proc.catches(process.pid, signal.SIGTERM):
                    pass
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()
                process.wait()


def test_a_silent_connection_keeps_no_worker(api, binary, scratch):
    def served():
        with accepted(workers, process):
            assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]
        proc.wait_for(lambda: descriptors(process.pid) == idle and proc.is_asleep(process.pid), 5, "the next accept")

    with one_worker(api, binary, scratch, "silent") as (workers, process):
        idle = descriptors(process.pid)
        assert proc.quickest(served, 3.5) < 3.5
        with accepted(workers, process):
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_what_is_no_request_ends_nothing(api, binary, scratch):
    """Connections that end at once, in the midst, or hold something else."""
    with one_worker(api, binary, scratch, "other") as (workers, process):
        idle = descriptors(process.pid)
        for junk in (b"", b"GET / HTTP/1.1\r\n\r\n", BEGIN, (BEGIN + HEALTH)[:30], b"\0" * 64, b"\1" * 64):
            with socket.socket(socket.AF_UNIX) as conn:
                conn.connect(workers.path)
                conn.sendall(junk)
        assert b"Status: 200" in fcgi.request(workers.path, cgi_params("GET", "/healthz", {}, b""))[0]
        proc.wait_for(lambda: descriptors(process.pid) == idle, 5, "no descriptor left")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_connection_that_is_kept(api, binary, scratch):
    """For whoever wants that: many requests; told to end, the worker does not wait for one more."""
    def told_to_end(n):
        with one_worker(api, binary, scratch, f"kept{n}") as (workers, process), socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(60)
            conn.connect(workers.path)
            for _ in range(3):
                conn.sendall(KEEP + HEALTH)
                answer = b""
                while not answer.endswith(struct.pack("!BBHHBBIB3x", 1, 3, 1, 8, 0, 0, 0, 0)):
                    answer += conn.recv(4096)
                assert b"Status: 200" in answer
            proc.wait_for(lambda: proc.is_asleep(process.pid), 5, "the worker to want another")
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            return time.monotonic() - begun

    # Who waited would wait for two seconds each time.
    assert any(told_to_end(n) < 1 for n in range(10))


def test_a_tcp_socket(api, binary, scratch):
    """As `spawn-fcgi -p` makes one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        log = f"{scratch}/tcp.log"
        process = proc.start([str(binary), "serve", "--params", api.workers.params], log, stdin=listener)
        try:
            for pause in (0, 0, 0.8):     # the last one longer than a look around
                with socket.create_connection(listener.getsockname(), timeout=60) as conn:
                    conn.sendall(BEGIN)
                    time.sleep(pause)
                    conn.sendall(HEALTH)
                    assert b"Status: 200" in conn.recv(4096)
        finally:
            assert proc.stop(process) == 0


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
            check.created(answer.result(60))
        assert process.wait(60) == 0 and api.stock(shop, shop.products[0]) == 4
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
            return len(answer.body)

        orders(1)
        before = private_dirty_kib(pid)
        for _ in range(3):
            assert orders(40) > 2_000_000
        # The answer is out before what it was made in is given back.
        proc.wait_for(lambda: private_dirty_kib(pid) - before < 512, 5, "the memory")
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


def test_what_comes_one_by_one_is_one_workers(api, binary, scratch):
    """So it and its database connection stay warm; the others are there for what comes at once."""
    workers = Workers(binary, scratch, api.workers.params, name="warm", count=4)
    try:
        proc.wait_for(lambda: all(proc.is_asleep(p.pid) for p in workers.processes), 5, "idle workers")
        params = cgi_params("GET", "/healthz", {}, b"")
        for _ in range(300):
            assert b"Status: 200" in fcgi.request(workers.path, params, b"")[0]
            # An answer is there before its worker is done with it: on a busy machine the next request would find it still at its log.
            proc.wait_for(lambda: all(proc.is_asleep(p.pid) for p in workers.processes), 5, "idle workers", pause=0.0005)

        def served():
            with open(workers.log) as f:
                return collections.Counter(line.split("pid=")[1].split()[0] for line in f if "/healthz" in line)

        proc.wait_for(lambda: served().total() == 300, 5, "their lines")
        # A second one steps in where the first still ends with the request before.
        assert sum(n for _, n in served().most_common(2)) > 270, served()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            held = [socket.socket(socket.AF_UNIX) for _ in range(3)]
            for conn in held:
                conn.connect(workers.path)
                conn.sendall(BEGIN)
            assert b"Status: 200" in pool.submit(fcgi.request, workers.path, params, b"").result(60)[0]
            for conn in held:
                conn.close()
    finally:
        workers.stop()


def test_a_worker_is_killed_as_it_is_woken(api, binary, scratch):
    """The connection is cut with it, or answered by another one: nobody waits in vain."""
    workers = Workers(binary, scratch, api.workers.params, name="woken", count=2)
    try:
        for left in reversed(range(15)):
            proc.wait_for(lambda: all(proc.is_asleep(p.pid) for p in workers.processes), 5, "idle workers")
            with socket.socket(socket.AF_UNIX) as conn:
                conn.settimeout(60)
                first = workers.processes[0]
                conn.connect(workers.path)
                first.kill()
                try:
                    conn.sendall(BEGIN + HEALTH)
                    assert conn.recv(4096)[:2] in (b"", b"\1\6")
                except (BrokenPipeError, ConnectionResetError):
                    pass
            first.wait()
            workers.processes.remove(first)
            if left:
                workers.start_one()
    finally:
        workers.stop()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_nobody_can_connect_to(api, binary, scratch, kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        process = proc.start([binary, "serve", "--params", api.workers.params], f"{scratch}/nobody.log", env=clean_environment(), stdin=s)
        assert process.wait(60) == os.EX_OSERR
    assert "standard input is no socket that is listened on" in proc.tail(f"{scratch}/nobody.log")
