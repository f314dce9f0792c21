"""/metrics: what all processes of a machine counted, how notifications go, and that nobody from elsewhere reads it."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from lib import check, proc
from lib.api import Workers, clean_environment
from lib.http import Response
from lib.prometheus import Metrics, requests

PLACE = {"method": "POST", "route": "/api/v1/orders"}


@pytest.fixture(scope="module")
def own(make_api):
    own = make_api("metrics", workers=3)
    # It was there before the first worker made the file.
    proc.wait_for(lambda: scrape(own).get("pickup_relays") == 1, 10, "the relay to count")
    return own


@pytest.fixture(scope="module")
def made(own):
    return own.tools.shop(("1.00", None)), own.tools.user()


def scrape(api):
    return Metrics(api.call("GET", "/_metrics"))


def settled(api):
    """With all that was answered until now: an answer is there before its worker has counted it."""
    return proc.wait_for(lambda: (m := scrape(api)).get("pickup_workers_busy") == 1 and m, 10, "no worker but that one to be busy")


def test_it_tells_of_all_workers_together(own, made):
    """Whichever answers: three share the requests, and each tells the same."""
    shop, customer = made
    before = settled(own)
    for _ in range(12):
        own.place(customer, shop)
    check.problem(own.post(customer, shop, quantity=1, items=[]), 422, "validation_failed")
    check.problem(own.call("GET", "/api/v1/orders/999999", customer), 404, "not_found")
    after = settled(own)
    assert requests(after, **PLACE, status="2xx") - requests(before, **PLACE, status="2xx") == 12
    assert requests(after, **PLACE, status="4xx") - requests(before, **PLACE, status="4xx") == 1
    assert requests(after, route="/api/v1/orders/{id}", status="4xx") - requests(before, route="/api/v1/orders/{id}", status="4xx") == 1
    spent = {name: after.get(name, **PLACE) - (before.get(name, **PLACE) or 0)
             for name in ("pickup_http_request_statements_total", "pickup_http_request_database_seconds_total")}
    total = after.sum("pickup_http_request_duration_seconds_sum", **PLACE) - before.sum("pickup_http_request_duration_seconds_sum", **PLACE)
    assert 12 * 4 <= spent["pickup_http_request_statements_total"] <= 12 * 20
    assert 0 < spent["pickup_http_request_database_seconds_total"] < total
    assert after.get("pickup_workers") == 3 and after.get("pickup_relays") == 1
    assert after.get("pickup_worker_starts_total") >= 3 and after.get("pickup_relay_starts_total") >= 1
    assert len({tuple(sorted(scrape(own).counters().keys())) for _ in range(10)}) == 1


def test_the_version(own):
    version = subprocess.run([own.binary, "--version"], capture_output=True, text=True, timeout=120).stdout.split()[1]
    assert scrape(own).get("pickup_build_info", version=version) == 1


def test_paths_of_strangers_make_no_series(own):
    for n in range(5):
        own.call("GET", f"/api/v1/no-such-{n}\"}}\n")
    found = settled(own)
    assert requests(found, route="none", method="none", status="4xx") >= 5 and "no-such" not in found.text


def test_help_and_units(own):
    """Base units, one family a name, each explained."""
    found = scrape(own)
    for family in found.families:
        assert not re.search(r"(_ms|_us|milli|micro|_kb|percent)(_|$)", family.name), family.name
    assert {s.labels["status"] for f in found.families for s in f.samples if "status" in s.labels} <= {"2xx", "3xx", "4xx", "5xx"}
    assert len(found.text) < 200_000


def test_the_page_for_operators_names_what_there_is(own):
    """Its table has each family, and no alarm waits for a name that never comes."""
    with open(f"{own.source}/doc/operating.md") as f:
        page = f.read()
    names = set(re.findall(r"^# TYPE (\S+)", scrape(own).text, re.M))
    assert {n for n in names if n not in page and f"…_{n.removeprefix('pickup_push_')}`" not in page} == set()
    told = set(re.findall(r"\bpickup_[a-z_]+[a-z]", page)) - {n + suffix for n in names for suffix in ("_bucket", "_count", "_sum")}
    assert told <= names, told - names


def test_counters_never_fall_while_workers_die(own, made):
    shop, customer = made
    workers, ended, seen, lock = own.workers, threading.Event(), [], threading.Lock()
    answered = [0]

    def order():
        while not ended.is_set():
            try:
                if own.post(customer, shop).status == 201:
                    with lock:
                        answered[0] += 1
            except (OSError, AssertionError):
                pass    # that worker died with it

    first = settled(own)
    threads = [threading.Thread(target=order) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(12):
            victim = workers.processes.pop(0)
            victim.kill()
            victim.wait()
            workers.start_one()
            for _ in range(4):
                try:
                    seen.append(scrape(own))
                except (OSError, AssertionError):
                    continue
                time.sleep(0.01)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    seen.append(settled(own))
    assert len(seen) > 12
    for before, after in zip([first] + seen, seen):
        now = after.counters()
        for key, value in before.counters().items():
            assert now.get(key, -1) >= value, key
    last = seen[-1]
    # Of what was answered each death takes at most the request in hand.
    told = requests(last, **PLACE, status="2xx") - requests(first, **PLACE, status="2xx")
    assert answered[0] - 12 <= told <= answered[0] + 12, (told, answered)
    assert last.get("pickup_worker_starts_total") - first.get("pickup_worker_starts_total") == 12
    proc.wait_for(lambda: scrape(own).get("pickup_workers") == 3, 5, "three workers")


def test_all_of_them_gone_and_the_sums_are_there(own):
    before = scrape(own)
    for process in own.workers.processes:
        proc.stop(process, signal.SIGKILL)
    own.workers.processes = []
    for _ in range(3):
        own.workers.start_one()
    after = proc.wait_for(lambda: (m := scrape(own)).get("pickup_workers") == 3 and m, 10, "three workers")
    assert all(after.counters().get(key, -1) >= value for key, value in before.counters().items())
    assert after.get("pickup_worker_starts_total") == before.get("pickup_worker_starts_total") + 3


def test_a_worker_that_stands_still_hinders_nobody(own):
    """Its slot stays its own, and whoever comes takes another one."""
    proc.freeze(own.workers.processes[0].pid)
    try:
        own.workers.start_one()
        found = proc.wait_for(lambda: (m := scrape(own)).get("pickup_workers") == 4 and m, 10, "four workers")
        assert found
    finally:
        own.workers.processes[0].send_signal(signal.SIGCONT)
    proc.stop(own.workers.processes.pop())


def test_the_relay_its_lag_and_its_lease(own, made):
    shop, customer = made
    url = own.settings["PICKUP_PUSH_URLS"]
    own.place(customer, shop)
    proc.wait_for(lambda: scrape(own).get("pickup_push_backlog", instance=url) == 0, 10, "all to be published")
    before = scrape(own)
    assert before.get("pickup_relay_lease_held") == 1 and before.get("pickup_database_up") == 1 and before.get("pickup_relay_failing") == 0
    own.place(customer, shop)
    proc.wait_for(lambda: scrape(own).get("pickup_relay_published_total") > before.get("pickup_relay_published_total"), 10, "it to be counted")
    own.push.answer(*[503] * 10000)
    try:
        own.place(customer, shop)
        behind = proc.wait_for(lambda: (m := scrape(own)).get("pickup_push_backlog", instance=url) and
                               m.get("pickup_relay_failures_total") > before.get("pickup_relay_failures_total") and m, 10, "the backlog")
        assert behind.get("pickup_push_up", instance=url) == 1
        proc.wait_for(lambda: scrape(own).get("pickup_push_oldest_age_seconds", instance=url) > 1, 10, "its age")
        # It says how it fares when it renews its lease.
        proc.wait_for(lambda: scrape(own).get("pickup_relay_failing") == 1, 10, "the relay to tell of it")
    finally:
        own.push.answer()
    proc.wait_for(lambda: (m := scrape(own)).get("pickup_push_backlog", instance=url) == m.get("pickup_push_oldest_age_seconds", instance=url) == 0, 15, "all well")
    proc.stop(own.relay, signal.SIGKILL)
    try:
        own.place(customer, shop)
        proc.wait_for(lambda: scrape(own).get("pickup_relay_lease_held") == 0, 10, "the lease to run out")
        gone = proc.wait_for(lambda: (m := scrape(own)).get("pickup_outbox_oldest_age_seconds") > 1 and m, 10, "its age")
        assert gone.get("pickup_outbox_rows") >= 1 and gone.get("pickup_relay_lease_held") == 0 and gone.get("pickup_relays") == 0
        assert gone.get("pickup_relay_published_total") >= before.get("pickup_relay_published_total") + 1
    finally:
        own.start_relay()
    proc.wait_for(lambda: (m := scrape(own)).get("pickup_outbox_rows") == 0 and m.get("pickup_relays") == 1, 10, "the relay")


def test_the_database_is_away(own):
    own.db.kill()
    try:
        away = scrape(own)
        assert away.get("pickup_database_up") == 0 and away.get("pickup_relay_lease_held") is None
        assert requests(away) > 0 and away.get("pickup_workers") >= 1
    finally:
        own.db.start()
    proc.wait_for(lambda: scrape(own).get("pickup_database_up") == 1, 15, "the database")


def test_a_push_instance_that_hangs_holds_nobody_up(own):
    path = f"{own.dir}/hangs.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    try:
        seen = []

        def look(urls):
            seen.append(Metrics(own.client(PICKUP_PUSH_URLS=urls)("GET", "/_metrics")))
        assert proc.quickest(lambda: look(f"unix:{path} http://127.0.0.1:1"), 2) < 2
        found = seen[-1]
        assert found.get("pickup_push_up", instance=f"unix:{path}") == found.get("pickup_push_up", instance="http://127.0.0.1:1") == 0
        # Nor do ten: those that are not asked any more are not called down.
        for n in range(9):
            os.link(path, f"{path}{n}")
        assert proc.quickest(lambda: look(" ".join(f"unix:{path}{n}" for n in range(9))), 3) < 3
        found = seen[-1]
        assert [found.get("pickup_push_up", instance=f"unix:{path}{n}") for n in (0, 8)] == [0, None]
    finally:
        listener.close()


def test_a_file_that_was_deleted_is_made_anew(own):
    os.unlink(own.settings["PICKUP_METRICS_FILE"])
    # Until somebody looks, the old one goes on.
    proc.wait_for(lambda: own.call("GET", "/_metrics").status == 200 and os.path.exists(own.settings["PICKUP_METRICS_FILE"]), 20, "a new file")
    proc.wait_for(lambda: scrape(own).get("pickup_workers") == len(own.workers.processes), 20, "all in the new file")


def test_workers_without_a_request_find_a_new_file_too(own):
    """A gauge that knew none but the busy ones would tell that no worker is free."""
    os.unlink(own.settings["PICKUP_METRICS_FILE"])
    told = f"pickup_workers {len(own.workers.processes)}\n"

    def shell():
        return subprocess.run([own.binary, "request", "GET", "/_metrics", "--params", own.params], capture_output=True, text=True, timeout=120).stdout
    proc.wait_for(lambda: told in shell(), 20, "all in the new file", pause=0.5)


@pytest.fixture()
def alone(own, made):
    """A worker of its own with a file of its own."""
    started = []

    def start(name, before=None):
        path = f"{own.dir}/{name}"
        if before is not None:
            before(path)
        params = f"{own.dir}/{name}.params"
        with open(own.params) as f, open(params, "w") as to:
            to.write(f.read().replace(own.settings["PICKUP_METRICS_FILE"], path))
        workers = Workers(own.binary, own.dir, params, name=f"w-{name}", count=1)
        started.append(workers)
        call = type(own.call)(workers.path, {**own.settings, "PICKUP_METRICS_FILE": path})
        call.log, call.file = workers.log, path
        call.other = lambda file: type(call)(workers.path, {**own.settings, "PICKUP_METRICS_FILE": file})
        return call

    yield start
    for workers in started:
        workers.stop()


def write(text, mode=0o600):
    def do(path):
        with open(path, "wb") as f:
            f.write(text)
        os.chmod(path, mode)
    return do


def test_without_a_file_there_is_nothing(alone):
    call = alone("some")
    check.problem(call.other("")("GET", "/_metrics"), 404, "not_found")
    # It says why only where we look; to whoever asks it is away.
    check.problem(call.other("/proc/nowhere/metrics")("GET", "/_metrics"), 503, "unavailable")
    assert Metrics(call("GET", "/_metrics")).get("pickup_workers") == 1


def test_a_file_of_another_form_is_replaced_by_whoever_starts(alone):
    call = alone("other", write(b"\x07\x00pukcip" + b"x" * 100))
    assert Metrics(call("GET", "/_metrics")).get("pickup_workers") == 1
    assert os.stat(call.file).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name, before", [("key", write(b"secret", 0o600)), ("certificate", write(b"-" * 6000000, 0o600)),
                                          ("writable", write(b"", 0o666)), ("folder", os.mkdir), ("link", lambda path: os.symlink("/etc/passwd", path))])
def test_a_file_that_can_not_be_trusted_is_left_alone(alone, name, before):
    """Requests are answered all the same."""
    call = alone(name, before)
    check.problem(call("GET", "/_metrics"), 503, "unavailable")
    assert call("GET", "/healthz").status == 200
    assert f"metrics: {call.file}" in proc.tail(call.log)
    if os.path.isfile(call.file) and not os.path.islink(call.file):
        with open(call.file, "rb") as f:
            assert set(f.read()) <= set(b"secret-")


def test_another_version_beside_us(alone):
    """While an upgrade lasts the counters are the new one's; the old one says that it has none."""
    call = alone("versions")
    assert call("GET", "/_metrics").status == 200
    with open(call.file, "rb") as f:
        content = f.read()
    changed = content[:16] + b"another." + content[24:]
    write(changed)(f"{call.file}.new")
    os.rename(f"{call.file}.new", call.file)
    proc.wait_for(lambda: call("GET", "/_metrics").status == 503, 10, "the old one to notice")
    assert call("GET", "/healthz").status == 200
    with open(call.file, "rb") as f:
        assert f.read() == changed


def test_the_shell_reads_it_too_and_counts_nothing(own):
    before = scrape(own)
    # An answer is there before its worker is done with it.
    text = proc.wait_for(lambda: "pickup_workers_busy 0" in (t := own.tools.run("request", "GET", "/_metrics")) and t, 5, "idle workers")
    assert f"pickup_worker_starts_total {int(before.get('pickup_worker_starts_total'))}" in text


# --- through nginx

@pytest.fixture(scope="module")
def front(stack):
    """The front also on a TCP port, so that addresses count."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    path = f"{stack.dir}/front.conf"
    with open(path) as f:
        before = f.read()
    with open(path, "w") as f:
        f.write(re.sub(r"(\n\s*listen [^;]*;)", rf"\1 listen 127.0.0.1:{port}; listen 127.0.0.2:{port};", before, count=1))
    stack.reload("front")

    def get(path="/metrics", source="127.0.0.1", headers=None):
        conn = http.client.HTTPConnection("127.0.0.1" if source == "127.0.0.1" else "127.0.0.2", port, timeout=120, source_address=(source, 0))
        try:
            conn.request("GET", path, headers=headers or {})
            answer = conn.getresponse()
            return Response(answer.status, answer.getheaders(), answer.read())
        finally:
            conn.close()

    def answers():
        try:
            return get("/healthz").status == 200
        except OSError:
            return False
    proc.wait_for(answers, 10, "the port")
    yield get
    with open(path, "w") as f:
        f.write(before)
    stack.reload("front")


def test_this_machine_reads_it(stack, front):
    stack.ready()
    found = proc.wait_for(lambda: (m := Metrics(front())).get("pickup_workers") == 4 and m, 10, "four workers")
    url = f"unix:{stack.dir}/pub.sock"
    assert found.get("pickup_push_up", instance=url) == 1
    status = stack.push_status()
    assert found.get("pickup_push_shared_memory_limit_bytes", instance=url) == int(status["shared memory limit"].removesuffix("K")) * 1024
    assert found.get("pickup_push_shared_memory_used_bytes", instance=url) > 0
    assert found.get("pickup_push_subscribers", instance=url) == int(status["subscribers"])
    assert found.get("pickup_push_published_total", instance=url) is not None and found.get("pickup_push_channels", instance=url) is not None


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"])
def test_what_comes_by_a_proxy_does_not(front, header):
    """Whatever it claims: a proxy on this machine lends everybody its own address."""
    for value in ("127.0.0.1", "::1", "for=127.0.0.1"):
        check.problem(front(headers={header: value}), 404, "not_found")
        check.problem(front(source="127.0.0.3", headers={header: value}), 404, "not_found")


def test_others_do_not(front, stack):
    check.problem(front(source="127.0.0.3"), 404, "not_found")
    check.problem(stack.call("GET", "/metrics"), 404, "not_found")
    for path in ("/_metrics", "/_metrics/", "/metrics/", "/metrics/x", "//metrics/../_metrics"):
        check.problem(front(path), 404, "not_found")
