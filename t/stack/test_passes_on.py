"""What nginx tells the parts behind it, and what it keeps to itself; in both set-ups."""
import re

import pytest

from lib import check, directives, proc, wire


@pytest.fixture(scope="module", params=["front", "single"])
def part(request):
    return request.param


@pytest.fixture(scope="module")
def served(part, request):
    """As a proxy's neighbour: it believes X-Forwarded-For."""
    stack = request.getfixturevalue("stack" if part == "front" else "single")
    believes = {f"{part}.conf": lambda text: directives.with_text(text, "set_real_ip_from", "set_real_ip_from unix:;")}
    with directives.files(stack, part, believes):
        yield stack


@pytest.mark.parametrize("target", ["/api/v1/orders/me", "/ws/shop/1"])
def test_the_workers_log_names_the_request(served, target):
    mark = served.call.send("GET", target, {"X-Request-Id": "somebody-elses"}, b"").header("X-Request-Id")
    assert re.fullmatch("[0-9a-f]{32}", mark)
    proc.wait_for(lambda: f" req={mark} " in served.tail("workers"), 5, "the line of the log")


def test_wrong_passwords_are_counted_for_the_client(served):
    """And not for the proxy, whose address all clients have in common."""
    def tries(address, number):
        return served.call.send("POST", "/api/v1/auth/login", {"Content-Type": "application/json", "X-Forwarded-For": address},
                                b'{"phone_number": "+91990000%04d", "password": "wrong"}' % number).status
    assert [tries("203.0.113.7", n) for n in range(11)] == [401] * 10 + [429]
    assert tries("203.0.113.8", 100) == 401


@pytest.mark.parametrize("path", ["/_uploads/", "/_uploads/x", "/_problem/404", "/_quiet", "/_ws_auth", "/_metrics", "/pub/shop/1", "/pub/worker", "/status",
                                  "/%5fws_auth", "//_ws_auth", "/api/../_metrics", "/ws/../pub/worker"])
def test_nobody_gets_in_from_outside(served, path):
    check.problem(served.call.send("GET", path, {}, b""), 404, "not_found")


@pytest.mark.parametrize("raw, status", [
    (b"GET /ws/shop/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\nConnection: close\r\n\r\n", 413),
    (b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n", 501),
    (b"GET /healthz HTTP/3.0\r\nHost: x\r\nConnection: close\r\n\r\n", 505),
    (b"TRACE /api/v1/shops HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
    (b"GET /order/ HTTP/1.1\r\nHost: x\r\nIf-Match: \"x\"\r\nConnection: close\r\n\r\n", 412),
    (b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    (b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
], ids=["a subscriber's body", "coding", "version", "TRACE", "condition", "two lengths", "length and chunks"])
def test_its_own_refusals(served, raw, status):
    with served.call.socket() as conn:
        answer = wire.exchange(conn, raw)
    assert (answer.status, answer.media_type, answer.json()["status"]) == (status, "application/problem+json", status)
    assert {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer"}.items() \
        <= dict(answer.headers).items()


@pytest.mark.parametrize("target, is_kept", [("/api/v1/openapi.json", True), ("/api/v1/orders/me", False)])
def test_what_is_compressed_says_so(served, target, is_kept):
    """A cache must not give it to who can't read it."""
    answer = served.call.send("GET", target, {"Accept-Encoding": "gzip"}, b"")
    assert (answer.header("Vary") == "Accept-Encoding") == is_kept


def test_a_failure_tells_no_subscribers_token(served, part):
    """The lines about what could not be reached hold the address."""
    nowhere = re.compile(r"(fastcgi_pass |server )unix:\S*/(fcgi|sub)\.sock;")

    def cut(text):
        return nowhere.sub(rf"\1unix:{served.dir}/nobody.sock;", text)
    for cut_off in {part, "push" if part == "front" else part}:
        with directives.files(served, cut_off, {f"{cut_off}.conf": cut}):
            check.problem(served.call.send("GET", "/ws/shop/1?token=a.b.in-no-log", {}, b""), 503, "unavailable")
        assert "in-no-log" not in served.tail(cut_off)


def test_what_nchan_refuses(stack):
    shop = stack.tools.shop(keeper=stack.tools.user("shopkeeper", "Asha Rao"))
    handshake = {"Authorization": f"Bearer {shop.keeper.token}", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "12"}
    check.problem(stack.call.send("GET", f"/ws/shop/{shop.id}", handshake, b""), 400, "malformed_request")
    with directives.files(stack, "push", {"push.conf": lambda text: directives.with_text(text, "nchan_max_channel_subscribers", "nchan_max_channel_subscribers 1;")}):
        with wire.held(stack, wire.upgrade_head(f"/ws/shop/{shop.id}", shop.keeper)):
            check.problem(stack.call.send("GET", f"/ws/shop/{shop.id}", {"Authorization": f"Bearer {shop.keeper.token}"}, b""), 403, "forbidden")
