"""Another version under load, and back: new workers beside the old, a migration that the old ones live with, no request refused, no order lost or
doubled, no subscription closed. The other version is this program under another number; its migration adds, as all must."""
import collections
import contextlib
import os
import pathlib
import shutil
import subprocess
import threading
import time

import pytest

from lib import check, proc
from lib.stack import Stack
from lib.subscribe import WebSocket

# Each kind of statement that the rule allows: a column with a default and one without, an index, a table, and rows filled in pieces.
EXPANSION = """-- 999: what a later version might add.
ALTER TABLE orders ADD COLUMN drawer VARCHAR(20) NOT NULL DEFAULT 'none', ADD COLUMN drawn_at DATETIME(6) NULL, ALGORITHM=INSTANT;
ALTER TABLE orders ADD INDEX drawer (drawer, id), ALGORITHM=INPLACE, LOCK=NONE;
ALTER TABLE order_items ADD COLUMN shelf INT NULL, ALGORITHM=INSTANT;
ALTER TABLE outbox ADD COLUMN urgency INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;
ALTER TABLE users ADD COLUMN nickname VARCHAR(40) NULL, ALGORITHM=INSTANT;
CREATE TABLE drawers (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB;
INSERT INTO drawers (order_id) SELECT id FROM orders LIMIT 100;
UPDATE orders SET drawer = 'first' WHERE drawer = 'none' ORDER BY id LIMIT 100;
"""
NUMBER = "9.9.9"


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout.split()[1]


def install(program, over):
    """As install(1): what runs keeps the old file."""
    shutil.copy2(program, f"{over}.new")
    os.replace(f"{over}.new", over)


@pytest.fixture(scope="module")
def programs(binary, scratch):
    """The two versions, and the path at which one of them is installed."""
    folder = scratch / "versions"
    folder.mkdir()
    this = version(binary)
    number = NUMBER[:len(this)].ljust(len(this), "9")
    text = pathlib.Path(binary).read_bytes()
    assert text.count(f"pickup {this}\0".encode()) == 1
    (folder / "other").write_bytes(text.replace(f"pickup {this}\0".encode(), f"pickup {number}\0".encode()))
    (folder / "other").chmod(0o755)
    shutil.copy2(binary, folder / "this")
    install(folder / "this", folder / "pickup")
    assert version(folder / "other") == number != this
    return folder


@pytest.fixture(scope="module")
def running(programs, source, scratch):
    stack = Stack(programs / "pickup", source, scratch / "upgraded")
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
            thread.join(30)
        # Nobody places any more: the listener knows how many it waits for.
        self.is_all_placed.set()
        self.threads[-1].join(30)
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

    def is_all_heard(self):
        return len({m.seq for m in self.messages}) >= len(self.placed)

    def listen(self):
        """Until each order was heard of, after the end as well."""
        try:
            while not self.is_all_placed.is_set() or not self.is_all_heard():
                try:
                    self.messages.append(self.ws.receive(5))
                except TimeoutError:
                    assert not self.is_all_placed.is_set() or self.is_all_heard(), "messages are missing"
        except Exception as e:      # noqa: BLE001
            self.failed.append(f"the subscription: {e!r}")

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


def replace(stack, load):
    """Workers one after the other, then the relay."""
    before, relay = stack.worker_pids(), stack.pid("relay")
    assert len(before) == 4 and not any(is_of(stack, p) for p in before)
    for n, pid in enumerate(before, 1):
        os.kill(pid, 15)
        proc.wait_for(lambda: not proc.is_alive(pid) and sum(is_of(stack, p) for p in stack.worker_pids()) == n, 10, "a new worker", pause=0.05)
        load.goes_on(10)        # old and new ones
    os.kill(relay, 15)
    stack.back("relay", relay)
    load.goes_on()
    assert all(is_of(stack, p) for p in stack.worker_pids() + [stack.pid("relay")])


def test_another_version_and_back(running, programs, source, scratch):
    later = scratch / "later-sql"
    later.mkdir()
    for file in (source / "sql").glob("[0-9]*.sql"):
        (later / file.name).write_bytes(file.read_bytes())
    number = len(list(later.glob("[0-9]*.sql"))) + 1
    (later / f"{number:03}_expansion.sql").write_text(EXPANSION)
    with Load(running) as load:
        load.goes_on()
        # Forth.
        install(programs / "other", programs / "pickup")
        assert f"applied {number:03}_expansion.sql" in running.tools.run("migrate", "--dir", later)
        load.goes_on()
        replace(running, load)
        # Back. The tables stay.
        install(programs / "this", programs / "pickup")
        assert f"newer than the files in {source}/sql" in running.tools.run("migrate", "--dir", source / "sql")
        replace(running, load)
        load.end()
        assert not load.failed, (len(load.failed), load.failed[:5], load.answers)
        judge(running, load)
    check.ok(running.call("GET", "/readyz"))


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
