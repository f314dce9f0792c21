"""What the front nginx adds: its own refusals in the same form, headers, bodies that come in pieces, limits."""
import json
import os
import subprocess

import pytest

from lib import check, directives
from lib.http import Response
from lib.together import together


def exchange(stack, raw, timeout=60):
    """Bytes as they are, ending in a request after which the server closes; gives its Response."""
    with stack.call.socket(timeout) as conn:
        conn.sendall(raw)
        data = b""
        while piece := conn.recv(65536):
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return Response(int(lines[0].split()[1]), [tuple(line.split(": ", 1)) for line in lines[1:]], body)


@pytest.fixture(scope="module")
def made(stack):
    shop = stack.tools.shop(("60.00", None))
    return shop, stack.tools.user()


@pytest.mark.parametrize("path", ["/", "/x", "/api", "/api/v1", "/api/v1/nothing", "/pub/shop/1", "/status", "/_ws_auth", "/ws", "/ws/", "/ws/shop/0",
                                  "/ws/shop/x", "/ws/user/1", "/ws/shop/1/2", "/ws/shop/01", "/_problem/404", "/index.html", "/.git/config"])
def test_not_found(stack, path):
    for method in ("GET", "POST"):
        check.problem(stack.call(method, path, **({"json": {}} if method == "POST" else {})), 404, "not_found")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/shops"])
def test_a_trailing_slash_never_matters(stack, path):
    assert stack.call("GET", path).status == stack.call("GET", path + "/").status == 200


def test_no_such_method(stack, made):
    for path in ("/api/v1/orders", "/api/v1/orders/me", "/healthz"):
        check.problem(stack.call("DELETE", path, made[1]), 405, "method_not_allowed")


@pytest.mark.parametrize("size", [262145, 600_000, 3_000_000])
def test_a_body_too_large(stack, made, size):
    answer = stack.call("POST", "/api/v1/orders", made[1], body=b'{"x": "' + b"x" * (size - 9) + b'"}')
    check.problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("raw, status", [
    (b"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    (b"GET /api/v1/orders/me HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    (b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\nConnection: close\r\n\r\n", 400),
    (b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 100000 + b"\r\n\r\n", 431),
    (b"GET /api/v1/../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
], ids=["NUL in the path", "no host", "bad length", "long address", "long header", "above the root"])
def test_broken_requests(stack, raw, status):
    answer = exchange(stack, raw)
    assert answer.status == status and answer.media_type == "application/problem+json", answer
    assert answer.json()["status"] == status


def test_nothing_of_the_path_gets_into_a_header(stack):
    """A line's end in it would begin another one."""
    for path in ("/order%0a?Set-Cookie:%20a", "/board%0a", "/order%0d%0aSet-Cookie:%20a", "/board%0aSet-Cookie:%20a"):
        check.problem(stack.call("GET", path), 404, "not_found")
    answer = stack.call("GET", "/order?shop=1")
    assert (answer.status, answer.header("Location")) == (301, "/order/?shop=1")


def test_no_part_of_a_page(stack):
    """nginx's own answer to a part that is not there is HTML."""
    for part in ("bytes=0-1", "bytes=99999999-"):
        answer = stack.call("GET", "/lib/api.js", headers={"Range": part})
        assert answer.status == 200 and len(answer.body) > 1000


def test_a_body_in_chunks(stack, made):
    shop, customer = made
    body = json.dumps({"shop_id": shop.id, "items": [{"product_id": shop.products[0].id, "quantity": 2}]}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[n:n + 7]), body[n:n + 7]) for n in range(0, len(body), 7)) + b"0\r\n\r\n"
    answer = exchange(stack, b"POST /api/v1/orders/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                             b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % customer.token.encode() + chunks)
    assert answer.status == 201, answer


def test_headers_for_browsers_and_people(stack, made):
    for path in ("/api/v1/shops", "/nothing", "/healthz"):
        answer = stack.call("GET", path)
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("X-Request-Id")
        assert "nginx/" not in (answer.header("Server") or "")


def test_a_head_request_has_no_body(stack, made):
    shop, customer = made
    order = stack.place(customer, shop)
    answer = stack.call("HEAD", f"/api/v1/orders/{order['id']}", customer)
    assert answer.status in (200, 405) and answer.body == b""


def test_if_none_match_through_nginx(stack, made):
    shop, customer = made
    order = stack.place(customer, shop)
    etag = stack.get(customer, order).header("ETag")
    assert not etag.startswith("W/")
    again = stack.call("GET", f"/api/v1/orders/{order['id']}", customer, headers={"If-None-Match": etag, "Accept-Encoding": "gzip"})
    assert (again.status, again.body) == (304, b"")


def test_links_can_be_followed(stack, made):
    shop, customer = made
    placed = [stack.place(customer, shop)["id"] for _ in range(3)]
    target, seen = f"/api/v1/orders/shop/{shop.id}?limit=1", []
    while target and len(seen) < 50:
        answer = stack.call("GET", target, shop.keeper)
        seen += [o["id"] for o in check.ok(answer)]
        target = answer.next()
    assert seen[:3] == placed[::-1] and len(seen) == len(set(seen))


def slowly_drained(text):
    """With a zone of its own, of which next to nothing has drained before a busy machine has asked too often."""
    zone = "limit_req_zone $client_net zone=auth:10m rate=30r/s;"
    assert zone in text
    return text.replace(zone, f"{zone} limit_req_zone $client_net zone=auth_slowly:1m rate=1r/m;").replace("limit_req zone=auth ", "limit_req zone=auth_slowly ")


def test_too_many_sign_ins(stack):
    """The limit of the address lets a burst through, then says 429 until it has drained."""
    def many():
        return [stack.call("POST", "/api/v1/auth/login", body=b"{") for _ in range(160)]
    with directives.files(stack, "front", {"front.conf": slowly_drained}):
        answers = [a for part in together([many] * 4) for a in part]
        refused = [a for a in answers if a.status == 429]
        assert 0 < len(refused) <= 640 - 600 and {a.status for a in answers} == {400, 429}
        check.problem(refused[0], 429, "rate_limited")
        assert stack.call("GET", "/api/v1/shops").status == 200


def test_what_is_stored_lies_on_a_disk(source):
    """Not in /run, which is memory, and small."""
    for name in ("front", "push", "single"):
        places = [line.split()[1] for line in (source / "nginx" / f"{name}.conf").read_text().splitlines() if "_temp_path " in line and "#" not in line]
        assert len(places) == 5 and all(place.startswith("/var/lib/pickup/") for place in places), places


@pytest.mark.parametrize("part", ["front", "push", "single"])
def test_nginx_has_nothing_to_remark(stack, part):
    nginx = os.readlink(f"/proc/{stack.pid('front')}/exe")
    done = subprocess.run([nginx, "-t", "-p", stack.dir, "-e", f"{stack.dir}/log/remarks.log", "-c", f"{stack.dir}/{part}.conf"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "[warn]" not in done.stderr, done.stderr
