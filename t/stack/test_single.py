"""The variant for a small host: API, subscriptions and publisher in one nginx."""
import signal
import time

import pytest

from lib import check, proc
from lib.subscribe import EventSource, WebSocket, upgrade


@pytest.fixture(scope="module")
def shop(single):
    return single.tools.shop(("60.00", None))


@pytest.fixture(scope="module")
def customer(single):
    return single.tools.user()


@pytest.fixture()
def serving(single):
    """nginx's process that serves lives on."""
    worker = single.nginx_worker("single")
    yield
    assert single.nginx_worker("single") == worker, single.tail("single")


def test_an_order_and_its_messages(single, shop, customer, serving):
    with WebSocket(single.call, f"/ws/shop/{shop.id}", shop.keeper) as at_the_shop, \
            EventSource(single.call, f"/ws/customer/{customer.id}?token={customer.token}") as at_home:
        order = single.place(customer, shop)
        message = at_the_shop.receive()
        assert (message.seq, message.value["order_id"], list(message.value)) == (1, order["id"], check.NEW_ORDER)
        single.change(shop, order, status="confirmed")
        assert '"order_update"' in at_home.receive()["data"]


def test_refusals(single, shop, customer, serving):
    check.problem(upgrade(single.call, f"/ws/shop/{shop.id}"), 401, "unauthorized")
    check.problem(upgrade(single.call, f"/ws/shop/{shop.id}?token=x.y.z"), 401, "unauthorized")
    check.problem(upgrade(single.call, f"/ws/shop/{shop.id}", customer), 403, "forbidden")
    check.problem(single.call("GET", "/nothing"), 404, "not_found")
    check.problem(single.call("GET", "/api/v1/orders/me"), 401, "unauthorized")
    check.problem(single.call("POST", "/api/v1/orders", customer, body=b'{"x": "' + b"x" * 700_000 + b'"}'), 413, "body_too_large")


def test_nobody_publishes_from_outside(single, shop, serving):
    with WebSocket(single.call, f"/ws/shop/{shop.id}", shop.keeper) as ws:
        for target in (f"/pub/shop/{shop.id}", f"/ws/shop/{shop.id}"):
            for method in ("POST", "PUT", "DELETE"):
                assert single.call(method, target, shop.keeper, body=b"{}").status in (403, 404, 405)
        ws.nothing()


@pytest.mark.parametrize("query, header", [(True, None), (False, "Last-Event-ID"), (False, "If-None-Match")])
def test_resuming_does_no_harm(single, customer, serving, query, header):
    shop, now = single.tools.shop(), int(time.time())
    for _ in range(2):
        target = f"/ws/shop/{shop.id}" + (f"?last_event_id={now}:0" if query else "")
        assert upgrade(single.call, target, shop.keeper, {header: f"{now}:0"} if header else None).status in (101, 400)
    with WebSocket(single.call, f"/ws/shop/{shop.id}", shop.keeper) as ws:
        single.place(customer, shop)
        assert ws.receive().seq == 1


def test_no_worker_answers_the_handshake(single, shop, serving):
    try:
        single.service("workers", "-d")
        proc.wait_for(lambda: single.pid("workers") is None, 10, "the workers to end")
        for _ in range(2):
            check.problem(upgrade(single.call, f"/ws/shop/{shop.id}", shop.keeper), 503, "unavailable")
            check.problem(single.call("GET", "/api/v1/shops"), 503, "unavailable")
    finally:
        single.service("workers", "-u")
        single.ready()


def test_a_reload_closes_and_nothing_is_missed(single, customer):
    """The cost that the configuration names; the clients' rule covers it."""
    shop = single.tools.shop()
    ws = WebSocket(single.call, f"/ws/shop/{shop.id}", shop.keeper)
    single.place(customer, shop)
    assert ws.receive().seq == 1
    single.kill("single", signal.SIGHUP)
    assert ws.closed().code == 1001
    proc.wait_for(lambda: len(proc.children(single.pid("single"))) == 1, 10, "the old process to end")
    single.place(customer, shop)
    assert [e["seq"] for e in single.wait_events(shop.keeper, "shop", shop.id, 2)] == [1, 2]


def test_a_photo(single, shop, customer):
    order = single.place_chitty(customer, shop)
    got = single.call("GET", order["list_image_url"], shop.keeper)
    assert (got.status, got.header("Content-Type"), got.header("Cache-Control")) == (200, "image/jpeg", "private, max-age=3600")
    assert "sandbox" in got.header("Content-Security-Policy") and got.body.startswith(b"\xff\xd8")
    name = order["list_image_url"].rpartition("/")[2]
    check.problem(single.call("GET", f"/_uploads/{name[:2]}/{name}", customer), 404, "not_found")


def test_metrics_are_for_this_machine_alone(single):
    """A Unix socket is a proxy's way to us; t/stack/test_metrics.py has the addresses."""
    check.problem(single.call("GET", "/metrics"), 404, "not_found")
    check.problem(single.call("GET", "/_metrics"), 404, "not_found")


def test_it_is_the_two_in_one(source):
    """Whatever one of the two does, it does as well, but for what leads from one to the other."""
    def directives(name):
        text = (source / f"nginx/{name}.conf").read_text()
        lines = {line.strip().removeprefix("# ").replace(f"pickup/{name}.", "pickup/").replace(f"tmp/{name}-", "tmp/") for line in text.splitlines()}
        return {line for line in lines if line.endswith((";", "{", "; }"))}

    single = directives("single")
    assert {line for line in directives("front") - single if not line.startswith(("proxy_", "map "))} == {
        "worker_processes auto;", "worker_shutdown_timeout 8h;", "worker_connections 8192;", "upstream pickup_push {", "server unix:/run/pickup/sub.sock;",
        "location /ws {", "location = /_quiet { internal; return 204; }", "error_page 502 =503 /_problem/503;", "error_page 504 = /_quiet;"}
    assert {line.split()[0] for line in directives("push") - single} == {"listen", "set_real_ip_from", "real_ip_header", "fastcgi_pass", "fastcgi_param"}
