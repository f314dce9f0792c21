"""doc/shared-host.md, as it stands there: typed by somebody without rights, in a home directory of their own, with a database that lets them have five
connections. `make check-host` runs it, with the archive that it unpacks in PICKUP_TARBALL."""
import functools
import gzip
import os
import pathlib
import shutil
import stat
import tempfile
import time

import pytest

from lib import apache, check, http, mariadb, proc
from lib.api import phone
from lib.host import CONNECTIONS, Host, free_port
from lib.subscribe import WebSocket


PROCESSES = 13


@pytest.fixture(scope="module")
def host(source):
    missing = mariadb.missing() + [name for name in ("spawn-fcgi", "multiwatch", "s6-supervise", "pgrep", "curl") if not shutil.which(name)]
    missing += [path for path in ("/usr/sbin/nginx", "/usr/lib/nginx/modules/ngx_nchan_module.so") if not os.path.exists(path)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pickup-h.", dir="/tmp"))
    folder.chmod(0o711)
    try:
        host = Host(source, folder, os.environ["PICKUP_TARBALL"])
        try:
            host.up()
            yield host
        finally:
            host.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def web(host):
    """What runs the host's Apache, as that user, with a folder in which .htaccess counts."""
    if not apache.program():
        pytest.skip("not installed: apache2")
    return functools.partial(apache.running, host.person, f"{host.person.home}/public_html", free_port())


class Life:
    """What was made in the first test, and must be there in the next ones."""
    orders = 0


def account(call, role, name):
    number = phone()
    check.ok(call("POST", "/api/v1/auth/register", json={"full_name": name, "phone_number": number, "password": "shared-host-1", "role": role}), 201)
    return check.ok(call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": "shared-host-1"}))["access_token"]


def order(call):
    Life.orders += 1
    return check.created(call("POST", "/api/v1/orders/", Life.customer, json={"shop_id": Life.shop, "items": [{"product_id": Life.bread, "quantity": 1}]}))


def test_from_the_archive_to_a_message(host):
    said = host.set_up()
    assert "applied 001_" in said
    Life.cron = host.block("@reboot")
    said = host.type("./start")
    assert "FAIL" not in said and "relay" in said, said
    assert host.used() == CONNECTIONS - 1
    keeper = account(host.call, "shopkeeper", "Asha Rao")
    Life.customer, Life.keeper = account(host.call, "customer", "Kiran Kumar"), keeper
    Life.shop = check.ok(host.call("POST", "/api/v1/shops/", keeper, json={"name": "Corner Shop", "timezone": "Europe/Berlin", "currency": "EUR"}), 201)["id"]
    Life.bread = check.ok(host.call("POST", f"/api/v1/shops/{Life.shop}/products", keeper, json={"name": "Bread", "price": 4.5}), 201)["id"]
    with WebSocket(host.call, f"/ws/shop/{Life.shop}", keeper) as ws:
        heard(ws, order(host.call))
        # Settings are taken without closing a subscription.
        host.type("s6-svc -h")
        order(host.call)
        assert ws.receive().seq == 2
    assert host.call("GET", "/order/").status == 200
    settled(host)


def heard(ws, placed):
    message = ws.receive()
    assert (message.seq, message.value["type"], message.value["order_id"]) == (Life.orders, "new_order", placed["id"])


def settled(host):
    """All that the page counts, and nothing else; gives their ids."""
    seen = [set()]

    def is_settled():
        before, seen[0] = seen[0], set(host.left())
        return before == seen[0] and len(before) == PROCESSES and host.is_ready()
    proc.wait_for(is_settled, 15, f"{PROCESSES} processes that stay", pause=0.2)
    return seen[0]


def test_others_on_the_host_are_kept_out(host):
    """By the folder's mode; what is secret has such a mode itself."""
    assert stat.S_IMODE(os.stat(host.pickup).st_mode) == 0o700
    for name, mode in (("etc", 0o700), ("run", 0o700), ("log", 0o700), ("tmp", 0o700), ("uploads", 0o700), ("etc/token.key", 0o600), ("etc/db.cnf", 0o600)):
        assert stat.S_IMODE(os.stat(f"{host.pickup}/{name}").st_mode) == mode, name
    # The port is open to all of the machine.
    check.problem(host.call("GET", "/metrics"), 404, "not_found")


def test_the_host_s_apache_before_it(host, request):
    host.type("mkdir -p ~/public_html")
    with request.getfixturevalue("web")() as server:
        call = http.HttpClient(("tcp", "127.0.0.1", server.port))
        with WebSocket(call, f"/ws/shop/{Life.shop}", Life.keeper) as ws:
            heard(ws, order(call))
        assert call("GET", "/order/?shop=1").status == 200 and call("GET", "/").status == 404
        # Each client is itself, and what it claims to be does not count.
        assert call("GET", "/api/v1/shops?limit=1", headers={"X-Forwarded-For": "192.0.2.7"}).status == 200
        assert host.call("GET", "/api/v1/shops?limit=2", headers={"X-Forwarded-For": "192.0.2.7, 192.0.2.8"}).status == 200
    # (Logged within a second.)
    log = f"{host.pickup}/log/access.log"
    proc.wait_for(lambda: "192.0.2.8 " in open(log).read(), 5, "the log", pause=0.1)
    assert "192.0.2.7" not in open(log).read()


def test_at_the_limit(host):
    """What the page says of it."""
    params = f"{host.pickup}/etc/pickup.params"
    with host.hold(1):
        said, status = host.person.run([f"{host.pickup}/bin/pickup", "user", "list", "--params", params])
        assert status == 69 and "1226" in said and "max_user_connections" in said, (status, said)
        order(host.call)
    host.shell.type("s6-svc -wD -T 10000 -d service/workers")
    with host.hold(4):
        host.shell.type("s6-svc -wu -T 10000 -u service/workers; sleep 0.3")
        answer = host.call("GET", "/api/v1/shops")
        check.problem(answer, 503, "unavailable")
        assert answer.header("Retry-After")
    proc.wait_for(host.is_ready, 10, "workers that found their connections", pause=0.1)
    # All three; one may have been asked only now.
    proc.wait_for(lambda: [host.call("GET", "/api/v1/shops").status for _ in range(12)] == [200] * 12, 15, "each worker's connection", pause=0.3)
    order(host.call)


def test_another_version(host):
    before = workers(host)
    assert len(before) == 3
    said = host.type("cd ~/pickup-*/ && ./pickup migrate")
    assert "nothing to do" in said
    proc.wait_for(lambda: len(workers(host)) == 3 and not set(workers(host)) & set(before), 10, "new workers")
    proc.wait_for(host.is_ready, 10, "readiness", pause=0.1)
    order(host.call)


def workers(host):
    return [pid for pid, what in host.person.processes().items() if what.startswith("bin/pickup serve")]


def test_a_reboot(host):
    host.person.kill(but=[host.shell.process.pid])
    assert os.path.exists(f"{host.pickup}/run/fcgi.sock") and not host.is_ready()
    assert host.cron(Life.cron, "@reboot") == ("", 0)
    there = settled(host)
    # As the page says, twice does no harm, and makes no log grow.
    assert host.cron(Life.cron, "@reboot") == ("", 0)
    time.sleep(0.5)
    assert settled(host) == there and not os.path.getsize(f"{host.pickup}/log/s6.log")
    with WebSocket(host.call, f"/ws/shop/{Life.shop}", Life.keeper) as ws:
        heard(ws, order(host.call))
    orders = check.ok(host.call("GET", f"/api/v1/orders/shop/{Life.shop}?limit=200", Life.keeper))
    assert len(orders) == Life.orders


def test_what_dies_comes_again(host):
    pids = workers(host)
    for pid in pids[:2]:
        os.kill(pid, 9)
    proc.wait_for(lambda: len(workers(host)) == 3 and not set(pids[:2]) & set(workers(host)), 5, "workers in their places")
    pids = workers(host)
    manager = next(pid for pid, what in host.left().items() if "multiwatch" in what.split()[0])
    os.kill(manager, 9)
    proc.wait_for(lambda: len(workers(host)) == 3 and not set(pids) & set(workers(host)), 10, "other workers")
    settled(host)


def test_supervisors_that_die_come_again_with_cron(host):
    """And what they kept goes, and with it its connections and ports."""
    before = settled(host)
    for pid, what in host.left().items():
        if "s6-supervise" in what.split()[0]:
            os.kill(pid, 9)
    proc.wait_for(lambda: len(host.left()) == PROCESSES - 4, 5, "the supervisors' end", pause=0.02)
    assert host.is_ready()
    assert host.cron(Life.cron, "@reboot") == ("", 0)
    proc.wait_for(lambda: not before & set(host.left()), 15, "nothing of before", pause=0.1)
    settled(host)
    order(host.call)
    assert host.used() == CONNECTIONS - 1


def test_logs_end_somewhere(host):
    log = f"{host.pickup}/log/access.log"
    said = open(log).read()
    assert said and host.cron(Life.cron, "@weekly") == ("", 0)
    assert os.path.getsize(log) == 0 and gzip.open(f"{log}.gz", "rt").read().startswith(said)
    order(host.call)
    proc.wait_for(lambda: "POST /api/v1/orders/" in open(log).read(), 5, "the log to go on", pause=0.1)
    assert "\0" not in open(log).read()


def test_stopped_nothing_is_left(host):
    host.type("for part in service/*")
    proc.wait_for(lambda: not host.left(), 10, f"nothing to run: {host.left()}", pause=0.1)
    assert host.used() == 0
    opened = {".gz": gzip.open}
    for log in pathlib.Path(host.pickup, "log").iterdir():
        with opened.get(log.suffix, open)(log, "rt") as f:
            assert not any(secret in f.read() for secret in ("eyJ", "shared-host-1")), log


@pytest.fixture(scope="module")
def cgi(host, web):
    """A client of the variant at the page's end."""
    host.type("cd ~/pickup && mkdir -p ~/public_html")
    Life.each_minute = host.block("* * * * *")
    assert not host.page, "blocks of the page that nobody typed"
    with web() as server:
        yield http.HttpClient(("tcp", "127.0.0.1", server.port))


def test_plain_cgi_under_apache(host, cgi):
    call = cgi
    assert check.ok(call("GET", "/healthz"))
    assert call("GET", "/.htaccess").status == 403
    # Named directly, a way to what nginx alone asks elsewhere.
    assert call("GET", "/pickup.cgi/_metrics").status == 404
    check.problem(call("GET", "/api/v1/orders/me"), 401, "unauthorized")
    first = order(call)
    read = call("GET", f"/api/v1/orders/{first['id']}", Life.customer)
    assert check.ok(read) == first
    # Conditions are the program's to judge, not Apache's.
    assert call("GET", f"/api/v1/orders/{first['id']}", Life.customer, headers={"If-None-Match": read.header("ETag")}).status == 304
    changed = call("PATCH", f"/api/v1/orders/{first['id']}", Life.keeper, json={"status": "confirmed"}, headers={"If-Match": read.header("ETag")})
    assert check.ok(changed)["status"] == "confirmed"
    check.problem(call("PATCH", f"/api/v1/orders/{first['id']}", Life.keeper, json={"status": "ready"}, headers={"If-Match": read.header("ETag")}), 412, "version_mismatch")
    check.problem(call("POST", "/api/v1/orders/", Life.customer, json={"shop_id": Life.shop, "items": []}), 422, "validation_failed")
    listed = call("GET", f"/api/v1/orders/shop/{Life.shop}?limit=1", Life.keeper)
    assert check.ok(listed)[0]["id"] == first["id"] and listed.next().startswith("/api/v1/orders/shop/")
    assert len(check.ok(call("GET", listed.next(), Life.keeper))) == 1
    # A query without "=", which CGI makes into arguments.
    assert check.ok(call("GET", f"/api/v1/shops/{Life.shop}?--help"))["id"] == Life.shop


def test_plain_cgi_at_the_limit(host, cgi):
    call = cgi
    with host.hold(CONNECTIONS):
        answer = call("GET", "/api/v1/shops")
        check.problem(answer, 503, "unavailable")
        assert answer.header("Retry-After")
    proc.wait_for(lambda: call("GET", "/api/v1/shops").status == 200, 5, "connections that are free again", pause=0.1)


def test_messages_of_cron_s_relay(host, cgi):
    call = cgi
    seen = check.ok(call("GET", f"/api/v1/events/shop/{Life.shop}?after=0&limit=200", Life.keeper))["last_seq"]
    placed = order(call)
    assert host.cron(Life.each_minute, "* * * * *") == ("", 0)
    events = check.ok(call("GET", f"/api/v1/events/shop/{Life.shop}?after={seen}&limit=200", Life.keeper))["events"]
    assert placed["id"] in [e["message"]["order_id"] for e in events]
