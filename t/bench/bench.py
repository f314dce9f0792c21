"""Measures placing, listing, changing and the way to an open WebSocket, each beside the same SQL with no HTTP.

Owns: the load, the table. Does not own: the stack (t/stack/lib), the SQL alone (sql.c). Figures are of the machine and the hour; the
ratios of one run can be compared."""
import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "stack"))
from lib import proc, tokens  # noqa: E402
from lib.stack import Stack  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
SHOPS, CUSTOMERS = 20, 2000
ORDER = ('{"shop_id":%d,"order_type":"pre_order","scheduled_pickup_time":"2030-02-26T17:00:00+05:30",'
         '"items":[{"product_id":%d,"quantity":1},{"product_id":%d,"quantity":1}]}')


def cpu(pids):
    """Seconds of processor time that they have used, with all below them."""
    total = 0
    for pid in {p for top in pids for p in [top, *proc.descendants(top)]}:
        try:
            with open(f"/proc/{pid}/stat") as f:
                words = f.read().rpartition(")")[2].split()
            total += int(words[11]) + int(words[12])
        except FileNotFoundError:
            pass
    return total / TICK


class Bench:
    def __init__(self, options, scratch):
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.options, self.scratch = options, scratch
        self.stack = Stack(os.environ["PICKUP_BIN"], os.environ["PICKUP_SRC"], f"{scratch}/stack", PICKUP_DEMO="off", PICKUP_WORKERS=str(options.workers),
                           PICKUP_LISTEN=f"127.0.0.1:{self.port}", PICKUP_DB_POOL="512M", PICKUP_DB_LOG="256M")
        self.rows = []

    def sql(self, *args, stdin=subprocess.DEVNULL):
        return subprocess.run(["mariadb", f"--defaults-file={self.stack.dir}/etc/client.cnf", "-N", "-B", *args], stdin=stdin, check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def start(self):
        self.stack.up()
        with open(f"{HERE}/data.sql") as f:
            self.sql(stdin=f)
        os.mkdir(f"{self.scratch}/tokens")
        for name, role, ids in (("owners", "shopkeeper", range(1, SHOPS + 1)), ("customers", "customer", range(SHOPS + 1, SHOPS + CUSTOMERS + 1))):
            with open(f"{self.scratch}/tokens/{name}", "w") as f:
                f.writelines(tokens.sign(self.stack.key, tokens.claims(i, role, exp=int(time.time()) + 86400)) + "\n" for i in ids)
        self.owners, self.customers = ([line.strip() for line in open(f"{self.scratch}/tokens/{n}")] for n in ("owners", "customers"))

    def settle(self):
        """What was published late or is purged still must not be the next one's cost."""
        proc.wait_for(lambda: self.sql("-e", "SELECT COUNT(*) FROM outbox") == "0\n", 60, "an empty outbox", 0.1)
        with open(f"{HERE}/reset.sql") as f:
            self.sql(stdin=f)
        proc.wait_for(lambda: int(self.sql("-e", "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'").split()[1]) < 2000, 60, "the purge", 0.2)

    def pids(self):
        p = self.stack.pid
        return {"own": [p("workers"), p("relay")], "nginx": [p("front"), p("push")], "database": [p("mariadbd")]}

    def http(self, what, clients, seed):
        script = f"{HERE}/{what}.lua"
        before = {k: cpu(v) for k, v in self.pids().items()}
        end = 'done = function(s, l) io.write(string.format("\\nJSON {\\"n\\":%d,\\"us\\":%d,\\"p50\\":%d,\\"p99\\":%d,\\"failed\\":%d}\\n", s.requests, ' \
              's.duration, l:percentile(50), l:percentile(99), s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout)) end\n'
        with open(script) as f, open(f"{self.scratch}/{what}.lua", "w") as out:
            out.write(f.read() + end)
        text = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{self.options.seconds}s", "--timeout", "10s", "-s", f"{self.scratch}/{what}.lua",
                               f"http://127.0.0.1:{self.port}"], env={**os.environ, "TOKENS": f"{self.scratch}/tokens", "SEED": str(seed)},
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(text.rpartition("JSON ")[2])
        for name, pids in self.pids().items():
            found[name] = (cpu(pids) - before[name]) * 1e6 / max(1, found["n"])
        return found

    def alone(self, what, clients):
        before = cpu(self.pids()["database"])
        found = json.loads(subprocess.run([self.options.sql_program, what, f"{self.stack.dir}/etc/db.cnf", str(clients), str(self.options.seconds)],
                                          check=True, stdout=subprocess.PIPE, text=True).stdout)
        found["database"] = (cpu(self.pids()["database"]) - before) * 1e6 / max(1, found["n"])
        return found

    # ---- the way to a WebSocket

    def dial(self, source="127.0.0.1"):
        s = socket.create_connection(("127.0.0.1", self.port), source_address=(source, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def subscribe(self, channel, token, source="127.0.0.1"):
        s = self.dial(source)
        s.sendall(f"GET /ws/{channel} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += s.recv(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return s

    def notify(self):
        """Seconds from sending an order to its message at the shop's socket, one order at a time."""
        listener, sender, took = self.subscribe("shop/3", self.owners[2]), self.dial(), []
        end = time.monotonic() + self.options.seconds
        while time.monotonic() < end:
            body = ORDER % (3, 101, 102)
            request = (f"POST /api/v1/orders/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.customers[len(took) % CUSTOMERS]}\r\n"
                       f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
            began = time.monotonic()
            sender.sendall(request)
            frame = listener.recv(65536)
            took.append(time.monotonic() - began)
            assert b'"new_order"' in frame, frame
            answer = sender.recv(65536)
            assert answer.startswith(b"HTTP/1.1 201"), answer
        listener.close()
        sender.close()
        took.sort()
        return {"n": len(took), "p50": took[len(took) // 2] * 1e6, "p99": took[len(took) * 99 // 100] * 1e6}

    # ---- all of it

    def round(self, seed):
        found = {}
        for what in ("place", "list", "status"):
            self.settle()
            found[what] = self.http(what, self.options.clients, seed)
            self.settle()
            found[f"{what} alone"] = self.alone(what, self.options.clients)
        self.settle()
        found["place alone, one"] = self.alone("place", 1)
        self.settle()
        found["notify"] = self.notify()
        self.rows.append(found)
        failed = {what: row["failed"] for what, row in found.items() if row.get("failed")}
        assert not failed, f"requests failed: {failed}"

    def middle(self, what, key):
        return statistics.median(r[what][key] for r in self.rows)

    def table(self):
        print(f"\n{os.cpu_count()} processors, {self.options.clients} clients, {self.options.workers} workers, {len(self.rows)} rounds of {self.options.seconds} s: medians\n")
        print("| request | a second | p50 ms | p99 ms | CPU us: own | nginx | database | SQL alone a second | ratio (from, to) |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|")
        for what in ("place", "list", "status"):
            rate = [r[what]["n"] / r[what]["us"] * 1e6 for r in self.rows]
            alone = [r[f"{what} alone"]["n"] / r[f"{what} alone"]["us"] * 1e6 for r in self.rows]
            ratios = sorted(a / b for a, b in zip(rate, alone))
            m = lambda key: self.middle(what, key)
            print(f"| {what} | {statistics.median(rate):.0f} | {m('p50') / 1e3:.2f} | {m('p99') / 1e3:.2f} | {m('own'):.0f} | {m('nginx'):.0f} | {m('database'):.0f} |"
                  f" {statistics.median(alone):.0f} | {statistics.median(ratios):.2f} ({ratios[0]:.2f}, {ratios[-1]:.2f}) |")
        print(f"\nOrder sent to message at a WebSocket, one at a time: p50 {self.middle('notify', 'p50') / 1e3:.2f} ms, p99 {self.middle('notify', 'p99') / 1e3:.2f} ms;"
              f" its SQL alone: p50 {self.middle('place alone, one', 'p50') / 1e3:.2f} ms")


def main():
    parser = argparse.ArgumentParser(prog="make bench BENCH=…", description=__doc__)
    parser.add_argument("sql_program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pickup-n.", dir="/tmp") as scratch:
        bench = Bench(options, scratch)
        try:
            bench.start()
            for n in range(options.rounds):
                print(f"round {n + 1} of {options.rounds}", file=sys.stderr)
                bench.round(n + 1)
            bench.table()
        finally:
            bench.stack.stop()


if __name__ == "__main__":
    main()
