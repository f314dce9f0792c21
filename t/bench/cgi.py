"""Measures what a request costs as plain CGI under Apache, beside FastCGI under nginx, both as doc/shared-host.md sets them up.

Owns: the load, the table. Does not own: the set-up (t/stack/lib/host.py, apache.py). Figures are of the machine and the hour; the ratios of one
run can be compared. Commits are durable; the limit of connections is lifted, so that none of the requests is refused."""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "stack"))
from lib import apache, openapi, proc  # noqa: E402
from lib.api import Tools  # noqa: E402
from lib.host import Host, free_port  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
SCRIPT = """wrk.method, wrk.body = "%s", '%s'
wrk.headers["Authorization"], wrk.headers["Content-Type"] = "Bearer %s", "application/json"
done = function(s, l) io.write(string.format("\\nRESULT %%d %%d %%d %%d %%d\\n", s.requests, s.duration, l:percentile(50), l:percentile(99),
	s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout)) end
"""


def cpu(pids):
    """Seconds of processor time of these and of all that they have outlived: a CGI process counts for who waited for it."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as f:
                total += sum(int(n) for n in f.read().rpartition(")")[2].split()[11:15])
        except FileNotFoundError:
            pass
    return total / TICK


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.host = Host(pathlib.Path(os.environ["PICKUP_SRC"]), folder, os.environ["PICKUP_TARBALL"], connections=100, durable=True)

    def fill(self):
        with open(f"{self.host.pickup}/etc/token.key", "rb") as f:
            self.tools = Tools(f"{self.host.pickup}/bin/pickup", f"{self.host.pickup}/etc/pickup.params", f.read().rstrip(b"\n"))
        self.shop, self.customer = self.tools.shop(("60.00", None)), self.tools.user()
        body = f'{{"shop_id":{self.shop.id},"items":[{{"product_id":{self.shop.products[0].id},"quantity":1}}]}}'
        order = self.host.call("POST", "/api/v1/orders/", self.customer, body=body.encode()).json()
        self.requests = {"read an order": ("GET", f"/api/v1/orders/{order['id']}", ""), "place an order": ("POST", "/api/v1/orders/", body),
                         "healthz: no database": ("GET", "/healthz", "")}

    def measure(self, what, port):
        """Requests a second, p50 and p99 in ms, microseconds of CPU a request: ours with the web server's, and the database's."""
        method, target, body = self.requests[what]
        script = self.folder / "load.lua"
        script.write_text(SCRIPT % (method, body, self.customer.token))
        ours, database = list(self.host.left()), [self.host.db.process.pid]
        before = cpu(ours), cpu(database)
        text = subprocess.run(["wrk", "-t1", f"-c{self.options.clients}", f"-d{self.options.seconds}s", "--timeout", "10s", "-s", script,
                               f"http://127.0.0.1:{port}{target}"], check=True, capture_output=True, text=True).stdout
        n, us, p50, p99, failed = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", text).groups())
        assert n and not failed, text
        return n / us * 1e6, p50 / 1e3, p99 / 1e3, (cpu(ours) - before[0]) / n * 1e6, (cpu(database) - before[1]) / n * 1e6

    def rounds(self, port):
        found = {what: [] for what in self.requests}
        for _ in range(self.options.rounds):
            for what in self.requests:
                found[what].append(self.measure(what, port))
        return {what: [statistics.median(column) for column in zip(*rows)] for what, rows in found.items()}

    def run(self):
        host = self.host
        host.up()
        host.set_up()
        host.block("@reboot")
        host.type("./start")
        self.fill()
        fast = self.rounds(host.port)
        for start in ("s6-svc -h", "mkdir -p ~/public_html", "cd ~/pickup-*/ && ./pickup"):
            host.block(start)
        host.type("for part in service/*")
        proc.wait_for(lambda: not host.left(), 10, "nothing to run", pause=0.1)
        host.type("cd ~/pickup && mkdir -p ~/public_html")
        with apache.running(host.person, f"{host.person.home}/public_html", free_port(), processes=self.options.clients) as server:
            slow = self.rounds(server.port)
        print("| request | by | a second | p50 ms | p99 ms | CPU us: own and web server | database |\n|---|---|--:|--:|--:|--:|--:|")
        for what in self.requests:
            for by, row in (("FastCGI", fast[what]), ("CGI", slow[what])):
                print(f"| {what} | {by} | {row[0]:.0f} | {row[1]:.1f} | {row[2]:.1f} | {row[3]:.0f} | {row[4]:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4, help="at once; as many as the connections of the page leave to CGI")
    options = parser.parse_args()
    openapi.use(os.environ["PICKUP_BIN"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pickup-b.", dir="/tmp"))
    folder.chmod(0o711)
    bench = Bench(options, folder)
    try:
        bench.run()
    finally:
        bench.host.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
