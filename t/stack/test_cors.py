"""Web pages of other origins (CORS): none may read the API's answers as nginx's files stand; those named may, whatever the answer is."""
import subprocess
import time
import types

import pytest

from lib import check, directives, proc, wire
from lib.subscribe import EventSource, LongPoll

SHOP, LOCAL = "https://shop.example", "http://127.0.0.1:8080"
HEADERS = "authorization,content-type,idempotency-key,if-match,if-none-match"
PATHS = ["/api/v1/orders/", "/api/v1/shops", "/api/v1/auth/login", "/api/v1/uploads/", "/api/v1/orders/shop/1/export.csv", "/api/v1/nothing?x=/ws/"]


@pytest.fixture(scope="module", params=["front", "single"])
def at(request):
    """Both ways to set nginx up."""
    stack = request.getfixturevalue("stack" if request.param == "front" else "single")
    shop, customer = stack.tools.shop(("60.00", None)), stack.tools.user()
    return types.SimpleNamespace(stack=stack, call=stack.call, part=request.param, shop=shop, customer=customer, order=stack.place_chitty(customer, shop))


@pytest.fixture(scope="module")
def on(at):
    """The line turned; and limits and time-outs that tests reach."""
    def how(text):
        text = directives.with_text(text, "default", f'default "{SHOP} {LOCAL}";').replace("zone=auth burst=600", "zone=auth burst=2")
        return text.replace("proxy_read_timeout 75s", "proxy_read_timeout 3s")
    with directives.files(at.stack, at.part, {f"{at.part}.conf": how}):
        yield at


def asked(at, method, target, origin=SHOP, token=None, body=b"", **headers):
    """The answer to a page's request, with as many of each header as came."""
    headers = {"Origin": origin, "Authorization": token and f"Bearer {token.token}", **{n.replace("_", "-"): v for n, v in headers.items()}}
    return at.call.send(method, target, {n: v for n, v in headers.items() if v is not None}, body)


def preflight(at, target, origin=SHOP, method="POST"):
    return asked(at, "OPTIONS", target, origin, Access_Control_Request_Method=method, Access_Control_Request_Headers=HEADERS)


def cors(answer):
    return [(name, value) for name, value in answer.headers if name.lower().startswith("access-control-")]


def lets_in(answer, origin=SHOP):
    """For that origin alone, told once, without cookies."""
    assert answer.header("Access-Control-Allow-Origin") == origin, answer
    assert not answer.all("Access-Control-Allow-Credentials")
    assert answer.all("Vary").count("Origin") == 1, answer
    exposed = (answer.header("Access-Control-Expose-Headers") or "").split(", ")
    assert answer.header("Access-Control-Allow-Methods") or {"ETag", "Link", "Location", "Retry-After", "Idempotent-Replayed", "X-Request-Id", "Content-Disposition", "Date"} <= set(exposed)
    return answer


def has(status, answer):
    assert answer.status == status, answer
    return answer


# The first, as the others leave it turned on.
@pytest.mark.parametrize("path", PATHS)
def test_off(at, path):
    for answer in (preflight(at, path), asked(at, "GET", path), asked(at, "GET", path, token=at.customer)):
        assert not cors(answer) and "Origin" not in answer.all("Vary"), answer
    answer = preflight(at, path)
    if "nothing" in path:
        check.problem(answer, 404, "not_found")
    else:
        check.problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("origin", [SHOP, LOCAL])
@pytest.mark.parametrize("path", PATHS)
def test_a_preflight(on, path, origin):
    for method in ("GET", "PATCH", "DELETE"):
        answer = lets_in(preflight(on, path, origin, method), origin)
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("Access-Control-Allow-Methods") == "GET, HEAD, POST, PATCH, DELETE"
        assert set(HEADERS.split(",")) <= set(answer.header("Access-Control-Allow-Headers").lower().split(", "))
        assert int(answer.header("Access-Control-Max-Age")) > 0


def test_other_questions_for_options(on):
    """What is no preflight is what it was; and nothing but the API has one."""
    answer = lets_in(asked(on, "OPTIONS", "/api/v1/orders"))
    check.problem(answer, 405, "method_not_allowed")
    assert [name for name, _ in cors(answer)] == ["Access-Control-Allow-Origin", "Access-Control-Expose-Headers"]
    for path in ("/healthz", "/readyz", "/metrics", "/order/", "/lib/api.js", "/", "/nothing", "/apis", "/x/api/v1/shops", f"/ws/shop/{on.shop.id}", "/pub/shop/1"):
        assert preflight(on, path).status in (404, 405)
    for path in ("/healthz", "/readyz", "/metrics", "/order/", "/lib/api.js", "/", "/nothing", "/apis"):
        answer = asked(on, "GET", path)
        assert not cors(answer) and "Origin" not in answer.all("Vary"), answer


def test_methods_are_those_of_the_api(on, binary):
    routes = subprocess.run([binary, "routes"], capture_output=True, text=True, check=True).stdout
    has = {line.split("\t")[0] for line in routes.splitlines() if "\t/api/v1/" in line}
    assert has <= set(preflight(on, "/api/v1/shops").header("Access-Control-Allow-Methods").split(", "))


@pytest.mark.parametrize("origin", [
    None, "", "null", "*", "shop.example", "https://shop.example.evil.example", "https://evilshop.example", "https://evil.example/https://shop.example",
    "https://shopxexample", "http://shop.example", "https://shop.example/", "https://shop.example:443", "https://shop.exampl", "HTTPS://SHOP.EXAMPLE",
    "https://Shop.example", f"{SHOP} {LOCAL}", f"{SHOP},{LOCAL}", f"{SHOP}|{SHOP}", "x://y |x://y", f"https://evil.example {SHOP}", ".*", "http://127.0.0.1", "://"])
def test_another_origin(on, origin):
    """The answer is as without CORS, but caches are told."""
    for answer in (preflight(on, "/api/v1/orders", origin), asked(on, "GET", "/api/v1/shops", origin), asked(on, "GET", on.order["list_image_url"], origin, on.customer)):
        assert not cors(answer) and answer.all("Vary").count("Origin") == 1, answer
    assert preflight(on, "/api/v1/orders", origin).status == 405


@pytest.mark.parametrize("pair", [(SHOP, "https://evil.example"), ("https://evil.example", SHOP)])
def test_two_origins_at_a_time(on, pair):
    """No browser does that; nginx before 1.23 looks at the first one, later ones join them."""
    raw = wire.head("/api/v1/shops", Origin=f"{pair[0]}\r\nOrigin: {pair[1]}", Connection="close")
    with on.call.socket() as conn:
        assert wire.exchange(conn, raw).header("Access-Control-Allow-Origin") in {None, SHOP} - ({SHOP} if pair[0] != SHOP else set())


def test_answers(on):
    lets_in(has(200, asked(on, "GET", "/api/v1/shops")))
    lets_in(has(200, asked(on, "GET", "/api/v1/shops", Accept_Encoding="gzip")))
    lets_in(has(200, asked(on, "GET", "/api/v1/openapi.json", LOCAL)), LOCAL)
    order = lets_in(has(200, asked(on, "GET", f"/api/v1/orders/{on.order['id']}", token=on.customer)))
    lets_in(has(304, asked(on, "GET", f"/api/v1/orders/{on.order['id']}", token=on.customer, If_None_Match=order.header("ETag"))))
    lets_in(has(200, asked(on, "HEAD", "/api/v1/shops")))
    export = lets_in(has(200, asked(on, "GET", f"/api/v1/orders/shop/{on.shop.id}/export.csv?from=2026-01-01&to=2026-01-02", token=on.shop.keeper)))
    assert export.header("Content-Disposition")


def test_a_photo(on):
    got = lets_in(has(200, asked(on, "GET", on.order["list_image_url"], token=on.customer)))
    assert got.body.startswith(b"\xff\xd8") and "sandbox" in got.header("Content-Security-Policy") and got.header("Cache-Control") == "private, max-age=3600"
    lets_in(has(304, asked(on, "GET", on.order["list_image_url"], token=on.customer, If_Modified_Since=got.header("Last-Modified"))))


def test_refusals(on):
    check.problem(lets_in(asked(on, "GET", "/api/v1/orders/me")), 401, "unauthorized")
    check.problem(lets_in(asked(on, "GET", "/api/v1/nothing")), 404, "not_found")
    check.problem(lets_in(asked(on, "GET", "/api/v1/uploads/nothing", token=on.customer)), 404, "not_found")
    check.problem(lets_in(asked(on, "DELETE", "/api/v1/orders", token=on.customer)), 405, "method_not_allowed")
    check.problem(lets_in(asked(on, "POST", "/api/v1/orders", token=on.customer, body=b" " * 700_000)), 413, "body_too_large")


def test_too_many_requests(on):
    answers = [asked(on, "POST", "/api/v1/auth/login", body=b"{", Content_Type="application/json") for _ in range(60)]
    assert {lets_in(answer).status for answer in answers} == {400, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    check.problem(refused, 429, "rate_limited")
    # What a page has not asked for is not counted.
    assert {preflight(on, "/api/v1/auth/login").status for _ in range(60)} == {204}


def test_no_worker_answers(on):
    try:
        on.stack.service("workers", "-d")
        proc.wait_for(lambda: on.stack.pid("workers") is None, 10, "the workers to end")
        check.problem(lets_in(asked(on, "GET", "/api/v1/shops")), 503, "unavailable")
        assert lets_in(preflight(on, "/api/v1/shops")).status == 204
    finally:
        on.stack.service("workers", "-u")
        on.stack.ready()


def test_subscriptions(on):
    """nchan lets any origin in, and says so itself; its refusals are told to those that are named."""
    target = f"/ws/shop/{on.shop.id}"
    for origin in (SHOP, "https://evil.example"):
        with EventSource(on.call, target, on.shop.keeper, {"Origin": origin}) as events:
            assert [v for n, v in events.headers if n.lower() == "access-control-allow-origin"] == ["*"]
    check.problem(lets_in(asked(on, "GET", target)), 401, "unauthorized")
    check.problem(lets_in(asked(on, "GET", target, token=on.customer)), 403, "forbidden")
    check.problem(lets_in(asked(on, "POST", target, token=on.shop.keeper)), 405, "method_not_allowed")
    assert not cors(asked(on, "GET", target, "https://evil.example"))


def test_a_long_poll(on):
    shop = on.stack.tools.shop(("60.00", None))

    def poll():
        return LongPoll(on.call, f"/ws/shop/{shop.id}", shop.keeper, {"Origin": SHOP})

    if on.part == "front":      # in the single one it ends with a message alone
        lets_in(has(204, poll().result()))
    waiting = poll()
    time.sleep(0.3)
    on.stack.place(on.customer, shop)
    assert has(200, waiting.result()).header("Access-Control-Allow-Origin") == "*"
