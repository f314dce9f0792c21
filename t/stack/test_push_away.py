"""Subscriptions while parts are reloaded, killed or refuse: nothing is missed."""
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from lib import check, proc
from lib.api import clean_environment
from lib.http import loads
from lib.subscribers import channel, customer, fresh, refusals, shop, unharmed  # noqa: F401 (fixtures)
from lib.subscribe import Closed, EventSource, Refused, WebSocket

takes_away = pytest.mark.takes_away


def test_a_front_reload_closes_nothing(stack, fresh, customer):
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws, EventSource(stack.call, channel(fresh), fresh.keeper) as source:
        before = set(proc.children(stack.pid("front")))
        stack.reload("front")
        proc.wait_for(lambda: set(proc.children(stack.pid("front"))) - before, 10, "new worker processes")
        stack.ready()
        order = stack.place(customer, fresh)
        assert ws.receive().value["order_id"] == order["id"]
        assert loads(source.receive()["data"].encode())["order_id"] == order["id"]


def caught_up(stack, shop, seen):
    """What a client knows after the documented steps: open, catch up after the last seen, drop repeats. Gives (socket, {seq: message})."""
    def connect():
        try:
            return WebSocket(stack.call, channel(shop), shop.keeper)
        except (Refused, OSError, EOFError):
            return None
    ws = proc.wait_for(connect, 20, "a subscription", pause=0.05)
    known = dict(seen)
    for event in stack.events(shop.keeper, "shop", shop.id, after=max(known, default=0))["events"]:
        known.setdefault(event["seq"], event["message"])
    return ws, known


def until_complete(stack, shop, placed, ws, known):
    """Reads and catches up until every order is known; then numbers and order must be right."""
    deadline = time.monotonic() + 20
    while len(known) < len(placed):
        assert time.monotonic() < deadline, (known, placed)
        try:
            message = ws.receive(1)
            known.setdefault(message.seq, message.value)
        except Closed:
            ws, known = caught_up(stack, shop, known)
        except TimeoutError:
            for event in stack.events(shop.keeper, "shop", shop.id, after=max(known, default=0))["events"]:
                known.setdefault(event["seq"], event["message"])
    assert [known[n + 1]["order_id"] for n in range(len(placed))] == placed
    ws.close()


@takes_away
def test_a_push_reload_closes_with_1001_and_nothing_is_missed(stack, fresh, customer):
    ws = WebSocket(stack.call, channel(fresh), fresh.keeper)
    placed = [stack.place(customer, fresh)["id"]]
    seen = {1: ws.receive().value}
    old = stack.nginx_worker("push")
    stack.reload("push")
    assert ws.closed().code == 1001
    placed += [stack.place(customer, fresh)["id"] for _ in range(3)]
    proc.wait_for(lambda: old not in proc.children(stack.pid("push")), 10, "the old worker process to end")
    ws, known = caught_up(stack, fresh, seen)
    placed.append(stack.place(customer, fresh)["id"])
    until_complete(stack, fresh, placed, ws, known)


@takes_away
@pytest.mark.parametrize("part", ["relay", "push", "workers", "front", "mariadbd"])
def test_nothing_is_lost_when_a_part_is_killed(stack, fresh, customer, part):
    """kill -9; the part is back within seconds, every order that was answered is published, once per number, in order."""
    ws = WebSocket(stack.call, channel(fresh), fresh.keeper)
    placed = [stack.place(customer, fresh)["id"] for _ in range(2)]
    seen = {m.seq: m.value for m in ws.take(2)}
    stack.place(customer, stack.tools.shop())       # something under way elsewhere
    last = stack.post(customer, fresh)
    pid = stack.kill(part)
    if last.status == 201:
        placed.append(last.json()["id"])
    stack.back(part, pid)
    stack.ready()
    ws.close()
    ws, known = caught_up(stack, fresh, seen)
    placed += [stack.place(customer, fresh)["id"] for _ in range(2)]
    until_complete(stack, fresh, placed, ws, known)


@takes_away
def test_one_worker_dies_and_sockets_stay(stack, fresh, customer):
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        os.kill(stack.worker_pids()[0], signal.SIGKILL)
        placed = [stack.post(customer, fresh) for _ in range(6)]
        assert sum(a.status == 201 for a in placed) >= 5
        good = [a.json()["id"] for a in placed if a.status == 201]
        assert [m.value["order_id"] for m in ws.take(len(good))] == good


def test_no_worker_answers_the_handshake(stack, fresh, customer):
    """Refused cleanly, nginx lives on, open sockets stay."""
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        try:
            stack.service("workers", "-d")
            proc.wait_for(lambda: stack.pid("workers") is None, 10, "the workers to end")
            for _ in range(2):
                for answer in refusals(stack, channel(fresh), fresh.keeper):
                    check.problem(answer, 503, "unavailable")
            check.problem(stack.call("GET", "/api/v1/shops"), 503, "unavailable")
        finally:
            stack.service("workers", "-u")
            stack.ready()
        order = stack.place(customer, fresh)
        assert ws.receive().value["order_id"] == order["id"]


def test_workers_with_a_full_queue(stack, fresh, customer):
    """All stopped, and their queue full: nginx answers 503 and lives on."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    stopped = [stack.pid("workers")] + proc.descendants(stack.pid("workers"))
    waiting = []
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        try:
            proc.freeze(*stopped)
            while len(waiting) < 6000:
                conn = socket.socket(socket.AF_UNIX)
                conn.setblocking(False)
                waiting.append(conn)
                try:
                    conn.connect(f"{stack.dir}/fcgi.sock")
                except BlockingIOError:
                    break
            else:
                pytest.skip("the queue is longer than a test can fill")
            for answer in refusals(stack, channel(fresh), fresh.keeper):
                check.problem(answer, 503, "unavailable")
        finally:
            for conn in waiting:
                conn.close()
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        stack.ready()
        order = stack.place(customer, fresh)
        assert ws.receive().value["order_id"] == order["id"]


def sql(stack, statements):
    done = subprocess.run(["mariadb", f"--defaults-file={stack.dir}/etc/client.cnf", "-N", "-B", "-e", statements], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=True)
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


@pytest.fixture()
def narrow(stack):
    """A push nginx that takes messages of 400 bytes at most."""
    path, limit = f"{stack.dir}/push.conf", "client_max_body_size 64k;"
    with open(path) as f:
        whole = f.read()
    assert limit in whole

    def reload(text):
        with open(path, "w") as f:
            f.write(text)
        old = proc.children(stack.pid("push"))
        stack.reload("push")
        proc.wait_for(lambda: (now := proc.children(stack.pid("push"))) and not set(now) & set(old), 15, "the new configuration", pause=0.05)

    reload(whole.replace(limit, "client_max_body_size 400;"))
    yield
    reload(whole)
    sql(stack, "DELETE FROM push_refusals")


@takes_away
def test_a_message_that_the_push_nginx_refuses_for_good(stack, fresh, narrow):
    """413: put aside for an admin to see, and nobody else waits. Its reader finds it by catching up."""
    short, long = stack.tools.user(name="Kiran"), stack.tools.user(name="\u20b9" * 120)
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        placed = [stack.place(who, fresh)["id"] for who in (short, long, short, long, short)]
        got = ws.take(3)
        assert [(m.seq, m.value["order_id"]) for m in got] == [(1, placed[0]), (3, placed[2]), (5, placed[4])]
    events = stack.events(fresh.keeper, "shop", fresh.id)["events"]
    assert [e["message"]["order_id"] for e in events] == placed
    assert sql(stack, "SELECT r.instance, r.status, e.seq FROM push_refusals r JOIN events e ON e.pub_no = r.pub_no ORDER BY 3") == [
        [f"unix:{stack.dir}/pub.sock", "413", seq] for seq in ("2", "4")]
    ready = stack.call("GET", "/readyz")
    assert (ready.status, ready.json()["put_aside"]) == (200, 2)
    found = subprocess.run([stack.binary, "check", "--params", f"{stack.dir}/pickup.params"], capture_output=True, timeout=120, env=clean_environment())
    assert found.returncode == 1 and b"FAIL refusals: 2 notifications were refused" in found.stdout, found.stdout
