"""Another version under load, and back: new workers beside the old, a migration that the old ones live with, no request refused, no order lost or
doubled, no subscription closed. The other version is built for it: this one with what a later one may add."""
import collections
import contextlib
import os
import shutil
import subprocess
import threading
import time

import pytest

from lib import check, fcgi, nextversion, proc
from lib.api import PATIENT, Tools
from lib.stack import Stack
from lib.subscribe import WebSocket

def install(program, over):
    """As install(1): what runs keeps the old file."""
    shutil.copy2(program, f"{over}.new")
    os.replace(f"{over}.new", over)


@pytest.fixture(scope="module")
def programs(binary, source, scratch):
    """The two versions, and the path at which one of them is installed."""
    folder = scratch / "versions"
    folder.mkdir()
    nextversion.build(binary, source, folder)
    shutil.copy2(binary, folder / "this")
    install(folder / "this", folder / "pickup")
    return folder


@pytest.fixture(scope="module")
def running(programs, source, scratch):
    stack = Stack(programs / "pickup", source, scratch / "upgraded", PATIENT)
    try:
        stack.up()
        yield stack
    finally:
        stack.stop()


class Load:
    """Customers who order, a keeper who confirms, readers of lists, and one subscriber, until told to end. Every answer is counted; whoever gets
    another one than the expected, or none, notes it and goes on."""

    def __init__(self, stack):
        self.stack, self.stop = stack, threading.Event()
        self.shop, self.customers = stack.tools.shop(("2.50", None)), [stack.tools.user() for _ in range(3)]
        self.answers, self.failed = collections.Counter(), []
        self.placed, self.confirmed = collections.deque(), []
        self.messages, self.is_all_placed = [], threading.Event()
        self.threads = [threading.Thread(target=self.loop, args=job) for job in
                        [(self.place, customer) for customer in self.customers] + [(self.confirm,), (self.read,), (self.sign_in,)]]
        self.threads.append(threading.Thread(target=self.listen))

    def __enter__(self):
        self.ws = WebSocket(self.stack.call, f"/ws/shop/{self.shop.id}", self.shop.keeper)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.stop.set()
        for thread in self.threads[:-1]:
            thread.join(180)
        # Nobody places any more: the listener knows how many it waits for.
        self.is_all_placed.set()
        self.threads[-1].join(180)
        assert not any(thread.is_alive() for thread in self.threads)

    def loop(self, job, *args):
        while not self.stop.is_set():
            try:
                job(*args)
            except Exception as e:      # noqa: BLE001 - connections refused and broken off, and what is no answer, count
                self.failed.append(repr(e))

    def ask(self, wanted, method, target, *args, **more):
        answer = self.stack.call(method, target, *args, **more)
        self.answers[method, answer.status] += 1
        if answer.status != wanted:
            self.failed.append(f"{method} {target}: {answer}")
            return None
        return answer.json()

    def place(self, customer):
        order = self.ask(201, "POST", "/api/v1/orders/", customer, json={"shop_id": self.shop.id, "items": [
            {"product_id": self.shop.products[0].id, "quantity": 1}]})
        if order:
            self.placed.append(order["id"])

    def confirm(self):
        if len(self.confirmed) < len(self.placed):
            id = self.placed[len(self.confirmed)]
            self.confirmed.append(id)
            self.ask(200, "PATCH", f"/api/v1/orders/{id}", self.shop.keeper, json={"status": "confirmed"})
        else:
            time.sleep(0.005)

    def read(self):
        self.ask(200, "GET", f"/api/v1/orders/shop/{self.shop.id}?limit=50", self.shop.keeper)

    def sign_in(self):
        self.ask(200, "POST", "/api/v1/auth/login", json={"phone_number": "+919800000001", "password": self.stack.demo_password})
        time.sleep(0.1)

    def missing(self):
        return sorted(set(range(1, len(self.placed) + 1)) - {m.seq for m in self.messages})

    def listen(self):
        """Until each order was heard of, after the end as well."""
        try:
            while not self.is_all_placed.is_set():
                with contextlib.suppress(TimeoutError):
                    self.messages.append(self.ws.receive(0.2))
            while self.missing():
                self.messages.append(self.ws.receive())
        except Exception as e:      # noqa: BLE001
            self.failed.append(f"the subscription, {self.missing()} missing: {e!r}")

    def goes_on(self, count=40):
        """That many more orders, so that each step is one under load."""
        wanted = len(self.placed) + count
        proc.wait_for(lambda: len(self.placed) >= wanted or self.failed, 30, f"{count} more orders")
        assert not self.failed, self.failed[:5]


def is_of(stack, pid):
    """Whether the process is the installed program; one that just ended is not."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samefile(f"/proc/{pid}/exe", stack.binary)
    return False


def drawers(stack):
    """What the worker that takes it has: the route of the next version; counters, where they are not another version's."""
    def ask(path):
        answer = fcgi.request(f"{stack.dir}/fcgi.sock", {"REQUEST_METHOD": "GET", "REQUEST_URI": path, "DOCUMENT_URI": path})[0]
        return int(answer.split()[1])       # Status: …
    return ask(nextversion.ROUTE), ask("/_metrics")


def replace(stack, load):
    """Workers one after the other, then the relay. Gives what drawers() says in the end."""
    before, relay, mixed = stack.worker_pids(), stack.pid("relay"), []
    assert len(before) == 4 and not any(is_of(stack, p) for p in before)
    for n, pid in enumerate(before, 1):
        os.kill(pid, 15)
        proc.wait_for(lambda: not proc.is_alive(pid) and sum(is_of(stack, p) for p in stack.worker_pids()) == n, 10, "a new worker", pause=0.05)
        load.goes_on(10)        # old and new ones
        if n < len(before):
            mixed += [drawers(stack) for _ in range(10)]
    os.kill(relay, 15)
    stack.back("relay", relay)
    load.goes_on()
    assert all(is_of(stack, p) for p in stack.worker_pids() + [stack.pid("relay")])
    # Side by side; an old one says that it can't count any more as soon as it looks at the file.
    routes, counters = (set(answers) for answers in zip(*mixed))
    assert routes == {200, 404} and counters <= {200, 503}
    return {drawers(stack) for _ in range(10)}


def test_another_version_and_back(running, programs, source, scratch):
    later, name = nextversion.migrations(source, scratch / "later-sql")
    coming = Tools(programs / "next", running.tools.params, running.tools.key)
    with open(coming.params) as f:
        settings = f.read()
    with Load(running) as load:
        load.goes_on()
        # Forth. Without its tables it would not serve.
        refused = subprocess.run([programs / "next", "request", "--params", coming.params, "GET", "/api/v1/shops"], capture_output=True, text=True, timeout=120)
        assert refused.returncode and "run: pickup migrate" in refused.stderr, refused
        assert f"applied {name}" in coming.run("migrate", "--dir", later)
        load.goes_on()
        install(programs / "next", programs / "pickup")
        tell(running, f"{settings}fastcgi_param {nextversion.SETTING} 7;\n")
        load.goes_on()
        assert replace(running, load) == {(200, 200)}
        # Back. The tables stay. Workers pass over settings that they don't know; commands want them gone.
        install(programs / "this", programs / "pickup")
        assert replace(running, load) == {(404, 200)}
        tell(running, settings)
        assert f"newer than the files in {source}/sql" in running.tools.run("migrate", "--dir", source / "sql")
        load.goes_on()
        load.end()
        assert not load.failed, (len(load.failed), load.failed[:5], load.answers)
        judge(running, load)
    by = placed_by(running)
    assert set(by) == {"none", "first", nextversion.DRAWER} and min(by.values()) >= 40, by
    check.ok(running.call("GET", "/readyz"))


def tell(stack, settings):
    """Old and new workers alike."""
    with open(stack.tools.params, "w") as f:
        f.write(settings)
    stack.reload("front")


def placed_by(stack):
    """How many orders stand in which drawer."""
    said = subprocess.run(["mariadb", f"--defaults-file={stack.dir}/etc/client.cnf", "-N", "-B", "-e", "SELECT drawer, COUNT(*) FROM orders GROUP BY 1"],
                          capture_output=True, text=True, check=True, timeout=120).stdout
    return {drawer: int(count) for drawer, count in (line.split("\t") for line in said.splitlines())}


def judge(stack, load):
    placed = list(load.placed)
    assert len(placed) == len(set(placed)) > 200
    found, target = [], f"/api/v1/orders/shop/{load.shop.id}?limit=200"
    while target:
        answer = stack.call("GET", target, load.shop.keeper)
        found += check.ok(answer)
        target = answer.next()
    # Each that was answered is there, once, as it was left, and no other.
    assert sorted(o["id"] for o in found) == sorted(placed)
    confirmed = set(load.confirmed)
    assert all(o["status"] == ("confirmed" if o["id"] in confirmed else "pending") for o in found)
    # Each was told once, in one row of numbers; a relay that took over may repeat one with its number.
    told = {}
    for message in load.messages:
        assert told.setdefault(message.seq, message.text) == message.text
    assert sorted(told) == list(range(1, len(placed) + 1))
    assert sorted(m.value["order_id"] for m in {m.seq: m for m in load.messages}.values()) == sorted(placed)
    assert sum(load.answers.values()) > 500, load.answers
