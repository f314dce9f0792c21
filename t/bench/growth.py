"""Measures what must not grow with the work: pages of a shop with a million orders, placing beside ten million orders, the relay with
ten thousand channels, messages beside five thousand open WebSockets. Each beside the same with little, by turns.

Owns: the data, the table. Does not own: the stack (t/stack/lib), the load (bench.py, place.lua)."""
import argparse
import http.client
import os
import re
import resource
import socket
import statistics
import sys
import tempfile
import time

from bench import CUSTOMERS, SHOPS, Bench, cpu
from lib import proc

CHUNK = 500000
MESSAGES = 20000

# Order n of so many, created a millisecond after the one before it. Shop 1 has the first :of_one, the others the rest.
ORDERS = """INSERT INTO orders (id, customer_id, customer_name, shop_id, total_amount, status, order_type, items_json, created_at, updated_at)
 SELECT seq, 21 + seq MOD 2000, 'Customer', IF(seq <= {of_one}, 1, 2 + seq MOD 19), 35.10, 'pending', 'instant',
 ',"product_id":1,"product_name":"Product","quantity":1,"price_at_time_of_order":35.1,"special_instructions":null}}\\n',
 '2020-01-01' + INTERVAL seq * 1000 MICROSECOND, '2020-01-01' + INTERVAL seq * 1000 MICROSECOND FROM seq_{first}_to_{last}"""
LINES = """INSERT INTO order_items (order_id, line, product_id, product_name, quantity, price_at_time_of_order, stock_taken)
 SELECT seq, 1, 1, 'Product', 1, 35.10, 1 FROM seq_{first}_to_{last}"""
BACKLOG = """INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)
 SELECT 2, 100000 + seq MOD {channels}, 1, seq, 1, UTC_TIMESTAMP(6), '{{"type":"order_update","order_id":15,"shop_id":1,"status":"confirmed",\
"total_amount":120.0,"estimated_preparation_minutes":10,"updated_at":"2026-02-26T17:00:00+05:30"}}' FROM seq_1_to_{messages}"""


def dirty_kib(pids):
    """Private memory that was written to."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += int(re.search(r"Private_Dirty: +(\d+)", f.read())[1])
    return total


def middle(values):
    return statistics.median(values)


class Place(Bench):
    """A stack with the harness's shops and customers, and so many orders."""

    def fill(self, orders, of_one):
        self.sql("-e", "SET foreign_key_checks = 0; TRUNCATE orders; TRUNCATE order_items")
        for first in range(1, orders + 1, CHUNK):
            last = min(orders, first + CHUNK - 1)
            print(f"orders {first} to {last}", file=sys.stderr)
            for text in (ORDERS, LINES):
                self.sql("-e", text.format(first=first, last=last, of_one=of_one))
        self.sql("-e", "ANALYZE TABLE orders, order_items")

    def settle(self):
        proc.wait_for(lambda: self.sql("-e", "SELECT COUNT(*) FROM outbox") == "0\n", 600, "an empty outbox", 0.1)

    # ---- pages

    def get(self, connection, target):
        connection.request("GET", target, headers={"Authorization": f"Bearer {self.owners[0]}"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (answer.status, text)
        return answer.getheader("Link")

    def last_page(self, target):
        connection, pages = http.client.HTTPConnection("127.0.0.1", self.port), 0
        while link := self.get(connection, target):
            target, pages = re.match(r'<(?:https?://[^/]+)?([^>]+)>; rel="next"$', link)[1], pages + 1
        connection.close()
        return target, pages + 1

    def time_of(self, targets, times):
        """For each target the middle of its times, taken by turns, in ms."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        took = [[] for _ in targets]
        for _ in range(times):
            for target, of_target in zip(targets, took):
                began = time.monotonic()
                self.get(connection, target)
                of_target.append((time.monotonic() - began) * 1e3)
        connection.close()
        return [middle(t) for t in took]

    # ---- the relay

    def publish(self, channels):
        """CPU us for each of a backlog's messages: the relay's, the push nginx's, the database's; and how many a second."""
        parts = {"relay": self.stack.pid("relay"), "push": self.stack.pid("push"), "db": self.stack.pid("mariadbd")}
        self.sql("-e", BACKLOG.format(channels=channels, messages=MESSAGES))
        before, began = {n: cpu([p]) for n, p in parts.items()}, time.monotonic()
        proc.wait_for(lambda: self.sql("-e", "SELECT (SELECT COUNT(*) FROM outbox) = 0 AND (SELECT MIN(pub_no) FROM push_cursors) = "
                                       "(SELECT MAX(pub_no) FROM events)") == "1\n", 120, "the backlog to be published", 0.3)
        seconds = time.monotonic() - began
        return {**{n: (cpu([p]) - before[n]) * 1e6 / MESSAGES for n, p in parts.items()}, "rate": MESSAGES / seconds}

    # ---- open WebSockets

    def open_socket(self, n):
        """Two for each customer, then the shops in turn, from addresses that each stay below nginx's limit."""
        source = f"127.0.0.{2 + n // 500}"
        if n < 2 * CUSTOMERS:
            return self.subscribe(f"customer/{SHOPS + 1 + n % CUSTOMERS}", self.customers[n % CUSTOMERS], source)
        return self.subscribe(f"shop/{n % SHOPS + 1}", self.owners[n % SHOPS], source)

    def memory(self):
        """Of the push nginx and the front one, in KiB."""
        return tuple(dirty_kib(proc.children(self.stack.pid(part))) for part in ("push", "front"))

    def wait_for_subscribers(self, n):
        proc.wait_for(lambda: self.active() >= n, 30, "the subscriptions", 0.1)

    def active(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.stack.dir}/pub.sock")
            s.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            text = b""
            while more := s.recv(4096):
                text += more
        return int(re.search(rb"subscribers: (\d+)", text)[1])


def with_sockets(place, count):
    """Order to message with one socket and with so many open, by turns as opening goes; memory of a socket."""
    alone = place.notify()
    before, opened = place.memory(), []
    try:
        for n in range(count):
            opened.append(place.open_socket(n))
        place.wait_for_subscribers(count)
        beside, after = place.notify(), place.memory()
    finally:
        for s in opened:
            s.close()
    return alone, beside, [(b - a) / count for a, b in zip(before, after)]


def row(what, little, much, digits=2):
    print(f"| {what} | {little:.{digits}f} | {much:.{digits}f} | {much / little:.2f} |")


def places(few, many, options):
    """Each round by turns: one client at a time, and all of them."""
    took = {(n, c): [] for n in ("few", "many") for c in (1, options.clients)}
    for r in range(options.rounds):
        for clients in (1, options.clients):
            for name, place in (("few", few), ("many", many))[::1 if r % 2 else -1]:
                place.settle()
                found = place.http("place", clients, r + 1)
                assert not found["failed"], found
                took[name, clients].append(found)
    for clients in (1, options.clients):
        of = lambda name, key: middle([f[key] for f in took[name, clients]])
        row(f"placing, clients: {clients}: p50 ms, beside 0 and {options.orders:,} orders", of("few", "p50") / 1e3, of("many", "p50") / 1e3)
        row(f"placing, clients: {clients}: the database's CPU us", of("few", "database"), of("many", "database"), 0)


def pages(many, options):
    for limit in (50, 200):
        first = f"/api/v1/orders/shop/1?limit={limit}"
        last, count = many.last_page(first)
        row(f"first and last of {count:,} pages of {limit}: p50 ms", *many.time_of([first, last], 300))


def relay(few, options):
    took = {channels: [] for channels in (10, 10000)}
    for r in range(options.rounds):
        for channels in sorted(took, reverse=bool(r % 2)):
            took[channels].append(few.publish(channels))
    for key, what in (("relay", "the relay's CPU us for a message, 10 and 10,000 channels"), ("push", "the push nginx's"), ("db", "the database's")):
        row(what, *(middle([t[key] for t in took[c]]) for c in (10, 10000)), 1)


def sockets(few, options):
    alone, beside, memory = with_sockets(few, options.sockets)
    for key in ("p50", "p99"):
        row(f"order to message, {key} ms, beside 0 and {options.sockets:,} open WebSockets", alone[key] / 1e3, beside[key] / 1e3)
    print(f"\nAn open WebSocket: {memory[0]:.1f} KiB of the push nginx, {memory[1]:.1f} KiB of the front one.")


def main():
    parser = argparse.ArgumentParser(prog="t/bench/growth", description=__doc__)
    parser.add_argument("--orders", type=int, default=10000000)
    parser.add_argument("--of-one", type=int, default=1000000, help="how many of them are one shop's")
    parser.add_argument("--sockets", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=16)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="pickup-n.", dir=os.environ.get("TMPDIR", "/tmp")) as scratch:
        stacks = []
        try:
            for name, orders in (("few", 0), ("many", options.orders)):
                os.mkdir(f"{scratch}/{name}")
                stacks.append(Place(options, f"{scratch}/{name}"))
                stacks[-1].start()
                stacks[-1].fill(orders, options.of_one)
            few, many = stacks
            print(f"\n{os.cpu_count()} processors, {options.workers} workers, {options.rounds} rounds of {options.seconds} s: medians\n")
            print("| what | little | much | ratio |\n|---|--:|--:|--:|")
            pages(many, options)
            places(few, many, options)
            relay(few, options)
            sockets(few, options)
        finally:
            for s in stacks:
                s.stack.stop()


if __name__ == "__main__":
    main()
