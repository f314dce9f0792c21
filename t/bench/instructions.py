"""Counts the instructions that a worker executes for each kind of request, with callgrind: a figure that comes out the same on a busy
machine, so that two revisions can be compared. Only the worker's own are counted, libraries included, the kernel's and the servers' not.

Owns: the requests, the table. Does not own: the stack (t/stack/lib), the data (data.sql)."""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "stack"))
from lib import proc, tokens  # noqa: E402
from lib.stack import Stack  # noqa: E402

# Starting costs the same in both, so the difference is that of so many requests, each with its statements prepared.
FEW, MANY = 50, 250
KINDS = ("healthz", "read", "place", "place, with a key", "list", "status", "events")


class Counter:
    def __init__(self, scratch, profile):
        self.scratch, self.profile = scratch, profile
        wrapper = f"{scratch}/pickup"
        with open(wrapper, "w") as f:
            f.write('#!/bin/sh\ncase $1 in serve) exec valgrind --quiet --tool=callgrind --callgrind-out-file='
                    f'"{scratch}/callgrind.%p" "{os.environ["PICKUP_BIN"]}" "$@" ;; esac\nexec "{os.environ["PICKUP_BIN"]}" "$@"\n')
        os.chmod(wrapper, 0o755)
        self.stack = Stack(wrapper, os.environ["PICKUP_SRC"], f"{scratch}/stack", PICKUP_DEMO="off", PICKUP_WORKERS="1", PICKUP_DB_POOL="256M")
        self.next_order = 1

    def start(self):
        self.stack.up()
        with open(f"{HERE}/data.sql") as f:
            self.stack_sql(f)
        self.owners = [self.token(i, "shopkeeper") for i in range(1, 21)]
        self.customer = self.token(21, "customer")

    def stack_sql(self, stdin):
        subprocess.run(["mariadb", f"--defaults-file={self.stack.dir}/etc/client.cnf", "-N", "-B"], stdin=stdin, check=True, stdout=subprocess.DEVNULL)

    def token(self, sub, role):
        return tokens.sign(self.stack.key, tokens.claims(sub, role, exp=int(time.time()) + 86400))

    def request(self, kind, n):
        """The n-th of a kind: method, target, token, status, and what else goes with it."""
        shop = n % 20 + 1
        if kind == "healthz":
            return "GET", "/healthz", None, 200, {}
        if kind == "read":
            return "GET", f"/api/v1/orders/{n + 1}", self.owners[n % 20], 200, {}
        if kind == "list":
            return "GET", f"/api/v1/orders/shop/{shop}?order_type=pre_order&status=pending", self.owners[shop - 1], 200, {}
        if kind == "events":
            return "GET", f"/api/v1/events/shop/{shop}?after=0", self.owners[shop - 1], 200, {}
        if kind == "status":
            order, self.next_order = self.next_order, self.next_order + 1
            return "PATCH", f"/api/v1/orders/{order}", self.owners[(order - 1) % 20], 200, {"json": {"status": "confirmed", "estimated_preparation_minutes": 20}}
        items = [{"product_id": (shop - 1) * 50 + 1 + k, "quantity": 1} for k in range(2)]
        more = {"headers": {"Idempotency-Key": f"{time.monotonic_ns()}"}} if kind != "place" else {}
        return "POST", "/api/v1/orders/", self.customer, 201, {"json": {
            "shop_id": shop, "order_type": "pre_order", "scheduled_pickup_time": "2030-02-26T17:00:00+05:30",
            "order_notes": "Will come at 5 PM sharp", "items": items}, **more}

    def total(self, kind, count):
        """What one worker executes from its start through so many requests to its end."""
        self.stack.service("workers", "-u")
        self.stack.ready()
        for n in range(count):
            method, target, token, status, more = self.request(kind, n)
            answer = self.stack.call(method, target, token=token, **more)
            assert answer.status == status, answer
        self.stack.service("workers", "-wD", "-d")
        found = glob.glob(f"{self.scratch}/callgrind.*")
        assert len(found) == 1, found
        with open(found[0]) as f:
            total = int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M)[1])
        if self.profile and count == MANY:
            shutil.copy(found[0], f"{self.profile}.{kind.replace(', ', '-').replace(' ', '-')}")
        os.remove(found[0])
        return total

    def table(self):
        self.stack.service("workers", "-wD", "-d")
        for left in glob.glob(f"{self.scratch}/callgrind.*"):
            os.remove(left)
        print("| request | instructions |\n|---|--:|")
        found = {}
        for kind in KINDS:
            few, many = self.total(kind, FEW), self.total(kind, MANY)
            found[kind] = (many - few) // (MANY - FEW)
            print(f"| {kind} | {found[kind]:,} |", flush=True)
        return found


def main():
    parser = argparse.ArgumentParser(prog="instructions", description=__doc__)
    parser.add_argument("--profile", metavar="FILE", help="keeps callgrind's data, FILE.place and so on, for callgrind_annotate")
    parser.add_argument("--json", metavar="FILE", help="writes the figures there as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pickup-i.", dir="/tmp") as scratch:
        counter = Counter(scratch, options.profile)
        try:
            counter.start()
            found = counter.table()
        finally:
            counter.stack.stop()
    if options.json:
        with open(options.json, "w") as f:
            json.dump(found, f)


main()
