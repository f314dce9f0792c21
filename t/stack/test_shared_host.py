"""doc/shared-host.md, as it stands there: typed by somebody without rights, in a home directory of their own, with a database that lets them have five
connections. `make check-host` runs it, with the archive that it unpacks in PICKUP_TARBALL."""
import contextlib
import os
import pathlib
import shutil
import tempfile
import time

import pytest

from lib import apache, check, http, mariadb, proc
from lib.api import phone
from lib.host import CONNECTIONS, Host, free_port
from lib.subscribe import WebSocket


@pytest.fixture(scope="module")
def host(source):
    missing = mariadb.missing() + [name for name in ("spawn-fcgi", "multiwatch", "s6-svscan", "pgrep", "curl") if not shutil.which(name)]
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
    Life.reboot = host.block("@reboot")
    said = host.type("./start")
    assert "FAIL" not in said and "relay" in said, said
    assert host.used() == CONNECTIONS - 1
    keeper = account(host.call, "shopkeeper", "Asha Rao")
    Life.customer, Life.keeper = account(host.call, "customer", "Kiran Kumar"), keeper
    Life.shop = check.ok(host.call("POST", "/api/v1/shops/", keeper, json={"name": "Corner Shop", "timezone": "Europe/Berlin", "currency": "EUR"}), 201)["id"]
    Life.bread = check.ok(host.call("POST", f"/api/v1/shops/{Life.shop}/products", keeper, json={"name": "Bread", "price": 4.5}), 201)["id"]
    with WebSocket(host.call, f"/ws/shop/{Life.shop}", keeper) as ws:
        placed = order(host.call)
        message = ws.receive()
        assert (message.seq, message.value["type"], message.value["order_id"]) == (1, "new_order", placed["id"])
        # Settings are taken without closing a subscription.
        host.type("s6-svc -h")
        order(host.call)
        assert ws.receive().seq == 2
    assert host.call("GET", "/order/").status == 200


def test_at_the_limit(host):
    """What the page says of it."""
    params = f"{host.pickup}/etc/pickup.params"
    with host.hold(1):
        said, status = host.person.run([f"{host.pickup}/bin/pickup", "user", "list", "--params", params])
        assert status == 69 and "1226" in said and "max_user_connections" in said, (status, said)
        order(host.call)
    host.shell.type("s6-svc -wD -T 10000 -d service/workers")
    with host.hold(4):
        host.shell.type("s6-svc -wu -T 10000 -u service/workers; sleep 1")
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
    said = host.type("cd ~/pickup-*/ && make -s install", 120)
    assert "nothing to do" in said
    proc.wait_for(lambda: len(workers(host)) == 3 and not set(workers(host)) & set(before), 10, "new workers")
    proc.wait_for(host.is_ready, 10, "readiness", pause=0.1)
    order(host.call)


def workers(host):
    return [pid for pid, what in host.person.processes().items() if what.startswith("bin/pickup serve")]


def test_a_reboot(host):
    host.person.kill(but=[host.shell.process.pid])
    assert os.path.exists(f"{host.pickup}/run/fcgi.sock") and not host.is_ready()
    assert host.cron(Life.reboot, "@reboot")[1] == 0
    proc.wait_for(host.is_ready, 20, "readiness after the reboot", pause=0.1)
    there = set(host.left())
    # As the page says, twice does no harm.
    assert host.cron(Life.reboot, "@reboot")[1] == 0
    time.sleep(1)
    assert set(host.left()) == there
    with WebSocket(host.call, f"/ws/shop/{Life.shop}", Life.keeper) as ws:
        placed = order(host.call)
        message = ws.receive()
        assert (message.seq, message.value["order_id"]) == (Life.orders, placed["id"])
    orders = check.ok(host.call("GET", f"/api/v1/orders/shop/{Life.shop}?limit=200", Life.keeper))
    assert len(orders) == Life.orders


def test_a_worker_and_a_manager_that_die_come_again(host):
    pids = workers(host)
    os.kill(pids[0], 9)
    proc.wait_for(lambda: len(workers(host)) == 3 and pids[0] not in workers(host), 5, "a worker in its place")
    manager = next(pid for pid, what in host.left().items() if "multiwatch" in what.split()[0])
    os.kill(manager, 9)
    proc.wait_for(lambda: len(workers(host)) == 3 and not set(pids) & set(workers(host)), 10, "other workers")
    proc.wait_for(host.is_ready, 10, "readiness", pause=0.1)


def test_stopped_nothing_is_left(host):
    host.type("for part in service/*")
    proc.wait_for(lambda: not host.left(), 10, f"nothing to run: {host.left()}", pause=0.1)
    assert host.used() == 0
    assert not any(name in open(f"{host.pickup}/log/{log}").read() for log in os.listdir(f"{host.pickup}/log") for name in ("eyJ", "shared-host-1"))


@pytest.fixture(scope="module")
def web(host):
    """The host's Apache, run as that user, with a folder in which .htaccess counts."""
    if not apache.program():
        pytest.skip("not installed: apache2")
    host.type("cd ~/pickup && mkdir -p ~/public_html")
    Life.each_minute = host.block("* * * * *")
    assert not host.page, "blocks of the page that nobody typed"
    with apache.running(host.person, f"{host.person.home}/public_html", free_port()) as server:
        yield server


def test_plain_cgi_under_apache(host, web):
    call = http.HttpClient(("tcp", "127.0.0.1", web.port))
    assert check.ok(call("GET", "/healthz"))
    assert call("GET", "/.htaccess").status == 403
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


def test_plain_cgi_at_the_limit(host, web):
    call = http.HttpClient(("tcp", "127.0.0.1", web.port))
    with host.hold(CONNECTIONS):
        answer = call("GET", "/api/v1/shops")
        check.problem(answer, 503, "unavailable")
        assert answer.header("Retry-After")
    proc.wait_for(lambda: call("GET", "/api/v1/shops").status == 200, 5, "connections that are free again", pause=0.1)


def test_messages_of_cron_s_relay(host, web):
    call = http.HttpClient(("tcp", "127.0.0.1", web.port))
    seen = check.ok(call("GET", f"/api/v1/events/shop/{Life.shop}?after=0&limit=200", Life.keeper))["last_seq"]
    placed = order(call)
    assert host.cron(Life.each_minute, "* * * * *") == ("", 0)
    events = check.ok(call("GET", f"/api/v1/events/shop/{Life.shop}?after={seen}&limit=200", Life.keeper))["events"]
    assert placed["id"] in [e["message"]["order_id"] for e in events]
