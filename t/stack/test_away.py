"""The database away in every way while many clients ask: how long anybody waits, and how soon all is as before."""
import contextlib
import os
import signal
import subprocess
import threading
import time

import pytest

from lib import check, proc
from lib.api import Workers

DEADLINE = 1.0      # of a request, as set below; the default is 1.8
SLACK = 20          # what a busy machine may take beside: no limit but the deadline ends anything so soon
FOREVER = "60"      # seconds, those limits
BACK = 1.0          # after the database's return
CLIENTS = 12        # four for each worker


@pytest.fixture(scope="module")
def own(make_api):
    return make_api("away", {"PICKUP_REQUEST_DEADLINE_MS": str(int(DEADLINE * 1000)), "PICKUP_DB_TIMEOUT_S": FOREVER,
                             "PICKUP_DB_CONNECT_TIMEOUT_S": FOREVER, "PICKUP_DB_LOCK_WAIT_S": FOREVER}, durable=True)


@pytest.fixture(scope="module")
def made(own):
    shop, customer = own.tools.shop(("1.00", None)), own.tools.user()
    return shop, customer, own.place(customer, shop)


def root(own):
    """A client that stays connected, so that it can give orders when nobody else gets in."""
    return subprocess.Popen(["mariadb", "--no-defaults", "-S", f"{own.db.dir}/sock", "-u", "root", "-N", "-B", "--unbuffered"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tell(client, sql):
    """The rows' first columns."""
    client.stdin.write(f"{sql};\nSELECT 'end';\n")
    client.stdin.flush()
    return list(iter(lambda: client.stdout.readline().strip(), "end"))


@contextlib.contextmanager
def killed(own):
    own.db.kill()
    yield
    own.db.start()


@contextlib.contextmanager
def frozen(own):
    proc.freeze(own.db.process.pid)
    yield
    own.db.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def refusing(own):
    """Others hold all connections (ten is the least that can be set), and ours are gone."""
    giver, others = root(own), [root(own) for _ in range(10)]
    for other in others:
        tell(other, "DO 0")
    tell(giver, "SET GLOBAL max_connections = 10")
    for connection in tell(giver, "SELECT id FROM information_schema.processlist WHERE user = 'pickup'"):
        tell(giver, f"KILL {connection}")
    try:
        yield
    finally:
        tell(giver, "SET GLOBAL max_connections = 100")
        for client in [giver, *others]:
            client.stdin.close()
            client.wait(120)


class Crowd:
    """Clients that ask all the time, each one thing after the other. answers: (begun, taken, Response)."""

    def __init__(self, calls):
        self.answers, self.is_over = [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(calls, n), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, calls, n):
        while not self.is_over.wait(0.02):
            n += 1
            begun = time.monotonic()
            answer = calls[n % len(calls)]()
            self.answers.append((begun, time.monotonic() - begun, answer))

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(180)
            assert not thread.is_alive()


def calls(own, made):
    shop, customer, order = made
    return [lambda: own.post(customer, shop), lambda: own.get(customer, order), lambda: own.patch(shop.keeper, order, status="confirmed"),
            lambda: own.call("GET", f"/api/v1/orders/shop/{shop.id}", shop.keeper), lambda: own.call("GET", "/readyz"),
            lambda: own.call("POST", "/api/v1/auth/login", json={"phone_number": "+910000000000", "password": "x"})]


@pytest.mark.parametrize("away", [killed, frozen, refusing])
def test_nobody_waits_long(own, made, away):
    shop, customer, _ = made
    processes = [own.relay.pid] + [p.pid for p in own.workers.processes]
    proc.wait_for(lambda: own.call("GET", "/readyz").status == 200, 10, "readyz")
    with away(own):
        begun, crowd = time.monotonic(), Crowd(calls(own, made))
        proc.wait_for(lambda: time.monotonic() > begun + 3 and len(crowd.answers) > 100, 20, "many answers")
        crowd.end()
    for at, taken, answer in crowd.answers:
        check.problem(answer, 503, "unavailable")
        assert taken < DEADLINE + SLACK, (at - begun, taken, answer)
    order = check.created(proc.wait_for(lambda: (a := own.post(customer, shop)).status == 201 and a, BACK, "an order"))
    proc.wait_for(lambda: [p for p in own.push.on("shop", shop.id) if p.message["order_id"] == order["id"]],
                  BACK + 1, "its message")
    assert processes == [own.relay.pid] + [p.pid for p in own.workers.processes if p.poll() is None]
    proc.wait_for(lambda: all(call().status < 500 for call in 2 * calls(own, made)), BACK, "every worker")


def test_a_worker_that_was_there_first(own, made, binary):
    """It waits for its database, and serves once that is there."""
    shop, customer, order = made
    with killed(own):
        early = Workers(binary, own.dir, own.params, name="early", count=1)
        client = type(own.call)(early.path, own.settings)
        for _ in range(3):
            check.problem(client("GET", f"/api/v1/orders/{order['id']}", customer), 503, "unavailable")
        assert client("GET", "/healthz").status == 200
    try:
        proc.wait_for(lambda: client("GET", f"/api/v1/orders/{order['id']}", customer).status == 200, BACK, "an answer")
        assert early.processes[0].poll() is None
    finally:
        early.stop()


def test_the_deadline_is_the_settings(own, made):
    """As after an nginx reload: the next request is under it."""
    _, customer, order = made
    hasty = own.client(PICKUP_REQUEST_DEADLINE_MS="200")
    assert hasty("GET", f"/api/v1/orders/{order['id']}", customer).status == 200
    lock = root(own)
    try:
        tell(lock, "LOCK TABLES pickup.orders WRITE")
        for client, least in ((hasty, 0.2), (own.call, DEADLINE)):
            begun = time.monotonic()
            check.problem(client("GET", f"/api/v1/orders/{order['id']}", customer), 503, "unavailable")
            assert least * 0.9 <= time.monotonic() - begun < least + SLACK
            time.sleep(0.4)     # what hung is not waited for at once
    finally:
        lock.stdin.close()
        lock.wait(120)
    proc.wait_for(lambda: own.get(customer, order).status == 200, 5, "the table")


def test_descriptors_and_connections_do_not_pile_up(own, made):
    """After all that each worker has one connection, and no more open than at first."""
    for _ in range(50):
        own.call("GET", "/readyz")
    connected = own.db.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'pickup'", database="")
    assert int(connected[0][0]) <= len(own.workers.processes) + 1
    for process in own.workers.processes:
        assert len(os.listdir(f"/proc/{process.pid}/fd")) < 12
