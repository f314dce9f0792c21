"""Health, and what clients see while the database or the publisher is away."""
import os
import signal
import time

import pytest

from lib import check, proc
from lib.api import Workers, clean_environment


@pytest.fixture(scope="module")
def own(make_api):
    """A set whose parts these tests may break."""
    return make_api("health", {"PICKUP_REQUEST_DEADLINE_MS": "1800", "PICKUP_DB_TIMEOUT_S": "60", "PICKUP_DB_CONNECT_TIMEOUT_S": "60"}, workers=2, durable=True)


@pytest.fixture()
def mended(own):
    """What a test took away is back afterwards."""
    yield
    if own.db.process is None:
        own.db.start()
    own.db.process.send_signal(signal.SIGCONT)
    if own.relay.poll() is not None:
        own.start_relay()
    ready(own)


def ready(own):
    """Whichever worker answers: each leaves a database that hung alone for a moment."""
    proc.wait_for(lambda: all(own.call("GET", "/readyz").status == 200 for _ in range(10)), 20, f"readyz: {own.call('GET', '/readyz')}")


@pytest.fixture(scope="module")
def made(own):
    shop, customer = own.tools.shop(("1.00", 1000)), own.tools.user()
    return shop, customer, own.place(customer, shop)


def test_all_is_well(own):
    ready(own)
    for path in ("/healthz", "/readyz", "/healthz/", "/readyz/"):
        assert own.call("GET", path).status == 200


def calls(own, made):
    """One request of each kind that needs the database."""
    shop, customer, order = made
    return [lambda: own.post(customer, shop), lambda: own.get(customer, order), lambda: own.patch(shop.keeper, order, status="confirmed"),
            lambda: own.call("GET", f"/api/v1/orders/shop/{shop.id}", shop.keeper), lambda: own.call("GET", "/api/v1/orders/me", customer),
            lambda: own.call("GET", f"/api/v1/orders/{order['id']}/history", customer), lambda: own.call("GET", f"/api/v1/shops/{shop.id}/products"),
            lambda: own.call("GET", f"/api/v1/events/customer/{customer.id}?after=0", customer), lambda: own.call("GET", "/api/v1/shops"),
            lambda: own.call("POST", "/api/v1/auth/login", json={"phone_number": "+910000000000", "password": "x"})]


def test_the_database_is_away(own, made, mended):
    shop, customer, _ = made
    own.db.kill()
    for call in calls(own, made):
        check.problem(call(), 503, "unavailable")
    assert own.call("GET", "/healthz").status == 200
    down = check.problem(own.call("GET", "/readyz"), 503, "unavailable")
    assert "database" in str(down)
    check.problem(own.call("GET", "/api/v1/orders/me"), 401, "unauthorized")
    check.problem(own.call("GET", "/api/v1/nothing", customer), 404, "not_found")
    own.db.start()
    ready(own)
    for call in calls(own, made):
        assert call().status < 500
    own.place(customer, shop)


def test_the_database_hangs(own, made, mended):
    """Frozen, not gone: an answer comes at the deadline, long before the time-outs."""
    proc.freeze(own.db.process.pid)
    began = time.monotonic()
    shop, customer, order = made
    check.problem(own.get(customer, order), 503, "unavailable")
    assert time.monotonic() - began < 30
    assert own.call("GET", "/healthz").status == 200
    own.db.process.send_signal(signal.SIGCONT)
    ready(own)
    own.place(customer, shop)


def test_nothing_is_lost_while_the_publisher_is_away(own, made, mended):
    shop, customer, _ = made
    ready(own)
    own.wait_events(shop.keeper, "shop", shop.id, 1)
    before = own.last_seq(shop.keeper, "shop", shop.id)
    own.push.close()
    order = own.place(customer, shop)
    own.push.open()
    proc.wait_for(lambda: [p for p in own.push.on("shop", shop.id) if p.message["order_id"] == order["id"]], 15, "the message")
    assert own.last_seq(shop.keeper, "shop", shop.id) >= before + 1


def test_the_relay_is_away(own, made, mended):
    shop, customer, _ = made
    ready(own)
    proc.stop(own.relay, signal.SIGKILL)
    down = proc.wait_for(lambda: (a := own.call("GET", "/readyz")).status == 503 and a, 20, "readyz to notice")
    assert "publisher" in str(check.problem(down, 503, "unavailable")) and "database" not in str(down.json()["detail"])
    own.place(customer, shop)
    assert own.call("GET", "/healthz").status == 200
    own.start_relay()
    ready(own)


def test_workers_die_and_others_go_on(own, made):
    shop, customer, _ = made
    victim = own.workers.processes.pop(0)
    proc.stop(victim, signal.SIGKILL)
    for _ in range(5):
        own.place(customer, shop)
    own.workers.start_one()


def test_a_worker_ends_quietly_on_sigterm(own, made):
    shop, customer, _ = made
    extra = Workers(own.binary, own.dir, own.params, name="extra", count=1)
    client = type(own.call)(extra.path, own.settings)
    assert client("GET", "/healthz").status == 200
    status = proc.stop(extra.processes[0])
    extra.stop()
    assert status == 0, proc.tail(extra.log)


def test_an_old_schema_is_refused(own, binary):
    """Workers say which command mends it and do not start."""
    own.db.sql("CREATE DATABASE IF NOT EXISTS empty CHARACTER SET utf8mb4; GRANT ALL ON empty.* TO pickup@localhost", database="")
    option_file = f"{own.dir}/empty.cnf"
    with open(own.db.option_file) as f:
        text = f.read().replace("database=pickup", "database=empty")
    with os.fdopen(os.open(option_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    process = proc.start([binary, "serve", "--params", own.params], f"{own.dir}/old.log", stdin=own.workers.listener,
                         env={**clean_environment(), "PICKUP_DB_OPTION_FILE": option_file})
    try:
        assert process.wait(60) != 0
        assert "pickup migrate" in proc.tail(f"{own.dir}/old.log")
    finally:
        proc.stop(process)


def test_a_worker_that_may_not_start_takes_its_time(own, binary):
    """Its manager starts it again at once: without a pause that costs all cores, and lines in the log without end."""
    begun = time.monotonic()
    process = proc.start([binary, "serve", "--params", own.params], f"{own.dir}/absent.log", stdin=own.workers.listener,
                         env={**clean_environment(), "PICKUP_TOKEN_KEY_FILE": f"{own.dir}/absent"})
    try:
        proc.wait_for(lambda: "absent" in proc.tail(f"{own.dir}/absent.log"), 10, "the reason")
        assert process.wait(60) != 0 and time.monotonic() - begun >= 0.9
    finally:
        proc.stop(process)


def test_a_worker_that_may_not_start_and_is_told_to_end(own, binary):
    """Its pause is no reason to wait. What heeded nothing would take all of it each time."""
    def told_to_end():
        log = f"{own.dir}/absent-{time.monotonic_ns()}.log"
        process = proc.start([binary, "serve", "--params", own.params], log, stdin=own.workers.listener,
                             env={**clean_environment(), "PICKUP_TOKEN_KEY_FILE": f"{own.dir}/absent"})
        try:
            proc.wait_for(lambda: "absent" in proc.tail(log), 10, "the reason", pause=0.001)
            process.terminate()
            process.wait(60)
            open(f"{log}.ended", "w").close()
            return os.stat(f"{log}.ended").st_mtime - os.stat(log).st_mtime     # since it gave the reason
        finally:
            proc.stop(process)
    assert any(told_to_end() < 0.5 for _ in range(20))


@pytest.mark.parametrize("which", ["PICKUP_DB_OPTION_FILE", "PICKUP_TOKEN_KEY_FILE"])
def test_secrets_that_others_may_read_are_refused(own, binary, which):
    readable = f"{own.dir}/readable-{which}"
    with open(own.settings[which]) as f, open(readable, "w") as copy:
        copy.write(f.read())
    os.chmod(readable, 0o644)
    process = proc.start([binary, "serve", "--params", own.params], f"{own.dir}/readable.log", stdin=own.workers.listener,
                         env={**clean_environment(), which: readable})
    try:
        assert process.wait(60) != 0
        assert readable in proc.tail(f"{own.dir}/readable.log")
    finally:
        proc.stop(process)
