"""Errors: their form, the rows of the table of statuses, and what must never get through."""
import gzip
import json
from urllib.parse import quote

import pytest

from lib import check, http

case = pytest.param

# Every path with the methods it serves.
PATHS = {
    "/api/v1/orders": ["POST"], "/api/v1/orders/{order}": ["GET", "PATCH"], "/api/v1/orders/me": ["GET"],
    "/api/v1/orders/shop/{shop}": ["GET"], "/api/v1/orders/{order}/history": ["GET"],
    "/api/v1/auth/register": ["POST"], "/api/v1/auth/login": ["POST"], "/api/v1/auth/ticket": ["POST"],
    "/api/v1/auth/logout-all": ["POST"], "/api/v1/auth/password": ["POST"],
    "/api/v1/events/shop/{shop}": ["GET"], "/api/v1/events/customer/{customer}": ["GET"],
    "/api/v1/shops": ["GET"], "/api/v1/shops/{shop}": ["GET"], "/api/v1/shops/{shop}/products": ["GET"], "/api/v1/shops/{shop}/staff": ["GET", "POST", "DELETE"],
    "/healthz": ["GET"], "/readyz": ["GET"],
}


@pytest.fixture(scope="module")
def at(api, world):
    """A path of the table with real ids."""
    order = api.place(world.customer, world.shop)
    return lambda path: path.format(order=order["id"], shop=world.shop.id, customer=world.customer.id)


# A shop's own people change it there, where that is served.
MAYBE = {(path, method) for path in PATHS if path.startswith("/api/v1/shops") for method in ("POST", "PATCH")}


def walk(served, *skip):
    return [case(path, method, id=f"{method} {path}") for path, methods in PATHS.items() if path not in skip
            for method in ("GET", "POST", "PATCH", "PUT", "DELETE", "PROPFIND")
            if (method in methods) == served and (path, method) not in MAYBE]


@pytest.mark.parametrize("path, method", walk(False))
def test_method_not_allowed(api, world, at, path, method):
    for target in (at(path), at(path) + "/"):
        answer = api.call(method, target, world.customer, **({"json": {}} if method in ("POST", "PATCH", "PUT") else {}))
        check.problem(answer, 405, "method_not_allowed")
        allow = {m.strip() for m in answer.header("Allow").split(",")}
        assert set(PATHS[path]) <= allow and method not in allow, allow


# But for what would end the tokens that all tests share.
@pytest.mark.parametrize("path, method", walk(True, "/api/v1/auth/logout-all"))
def test_a_trailing_slash_never_matters(api, world, at, path, method):
    for who in (None, world.customer, world.keeper):
        bare, slash = [api.call(method, target, who, **({"body": b"{"} if method != "GET" else {})) for target in (at(path), at(path) + "/")]
        assert (bare.status, bare.media_type) == (slash.status, slash.media_type)
        if bare.media_type == "application/json" and "ticket" not in path:
            assert bare.json() == slash.json()


def test_a_trailing_slash_before_a_query(api, world):
    path = f"/api/v1/orders/shop/{world.shop.id}"
    bare, slash = (api.call("GET", f"{p}?limit=3&status=pending", world.keeper) for p in (path, path + "/"))
    assert check.ok(bare) == check.ok(slash)


PUBLIC = ("/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/shops", "/api/v1/shops/{shop}", "/api/v1/shops/{shop}/products",
          "/healthz", "/readyz")


@pytest.mark.parametrize("path, method", walk(True, *PUBLIC))
def test_no_token(api, at, path, method):
    more = {"json": {}} if method != "GET" else {}
    check.problem(api.call(method, at(path), **more), 401, "unauthorized")
    check.problem(api.call(method, at(path), "x.y.z", **more), 401, "unauthorized")


@pytest.mark.parametrize("path", [p for p in PUBLIC if p.startswith("/api/v1/shops")] + ["/healthz"])
def test_public_paths_need_no_token(api, at, path):
    check.ok(api.call("GET", at(path)))


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/api/v1/", "/api/v2/orders", "/API/v1/orders", "/api/v1/Orders", "/api/v1/order", "/x" * 500,
                                  "/api/v1/orders/1/2", "/api/v1/orders/1/history/1", "/api/v1/orders/shop", "/api/v1/orders/shop/1/2",
                                  "/api/v1/auth", "/api/v1/auth/logout", "/api/v1/events/shop", "/api/v1/events/user/1", "/api/v1/../../etc/passwd",
                                  "/healthz/x", "/.git/config", "/api/v1/orders/1%27--", "/%f0%9f%9b%92", "/%ff"])
def test_paths_that_are_not_there(api, world, path):
    for who in (None, world.customer, world.keeper):
        check.problem(api.call("GET", path, who), 404, "not_found")


# --- bodies

JSON_PATHS = [("POST", "/api/v1/orders", "customer"), ("PATCH", "/api/v1/orders/{order}", "keeper"),
              ("POST", "/api/v1/auth/register", None), ("POST", "/api/v1/auth/login", None)]
json_path = pytest.mark.parametrize("method, path, who", [case(*p, id=p[0] + " " + p[1]) for p in JSON_PATHS])


def send(api, world, at, row, body, content_type="application/json"):
    method, path, who = row
    return api.call(method, at(path), who and getattr(world, who), body=body, headers={"Content-Type": content_type})


@json_path
@pytest.mark.parametrize("content_type", [None, "", "text/plain", "text/json", "application/jsonx", "application/x-www-form-urlencoded",
                                          "multipart/form-data; boundary=x", "json", "text/plain; a=application/json", "*/*"])
def test_unsupported_media_type(api, world, at, method, path, who, content_type):
    check.problem(send(api, world, at, (method, path, who), b"{}", content_type), 415, "unsupported_media_type")


@json_path
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8",
                                          "Application/JSON", 'application/json; charset="utf-8"'])
def test_supported_media_types(api, world, at, method, path, who, content_type):
    check.problem(send(api, world, at, (method, path, who), b"{}", content_type), 422, "validation_failed")


@json_path
def test_a_coded_body_is_refused_for_what_it_is(api, world, at, method, path, who):
    """RFC 9110 section 15.5.16: 415, and which codings would do."""
    def answer(coding, body):
        return api.call(method, at(path), who and getattr(world, who), body=body, headers={"Content-Type": "application/json", "Content-Encoding": coding})

    for coding, body in (("gzip", gzip.compress(b"{}")), ("gzip", b"{}"), ("identity, br", b"{}")):
        check.problem(answer(coding, body), 415, "unsupported_media_type")
        assert answer(coding, body).header("Accept-Encoding") == "identity"
    for coding in ("identity", "Identity", ""):
        check.problem(answer(coding, b"{}"), 422, "validation_failed")


MALFORMED = {
    "empty": b"", "space": b"  \n", "null": b"null", "number": b"1", "text": b'"x"', "array": b"[]", "array of objects": b"[{}]", "true": b"true",
    "cut off": b'{"shop_id": 1', "no braces": b'"shop_id": 1', "single quotes": b"{'shop_id': 1}", "bare names": b"{shop_id: 1}",
    "comma at the end": b'{"shop_id": 1,}', "comma in front": b'{,"shop_id": 1}', "comment": b'{"shop_id": 1 /* x */}', "line comment": b'{} // x',
    "NaN": b'{"shop_id": NaN}', "Infinity": b'{"shop_id": -Infinity}', "hexadecimal": b'{"shop_id": 0x1}', "leading zero": b'{"shop_id": 01}',
    "plus sign": b'{"shop_id": +1}', "point first": b'{"shop_id": .5}', "point last": b'{"shop_id": 1.}', "exponent alone": b'{"shop_id": 1e}',
    "True": b'{"shop_id": True}', "two values": b"{}{}", "more after": b"{} x", "NUL after": b"{}\0", "NUL before": b"\0{}", "NUL inside": b'{"a": "x\0y"}',
    "newline in a string": b'{"a": "x\ny"}', "bad escape": b'{"a": "\\x41"}', "short \\u": b'{"a": "\\u12"}', "lone high surrogate": b'{"order_notes": "\\ud83d"}',
    "lone low surrogate": b'{"order_notes": "\\ude00"}', "surrogates in the wrong order": b'{"order_notes": "\\ude00\\ud83d"}',
    "byte order mark": b"\xef\xbb\xbf{}", "UTF-16": "{}".encode("utf-16"), "Latin-1": b'{"order_notes": "caf\xe9"}', "0xff": b'{"order_notes": "\xff"}',
    "overlong": b'{"order_notes": "\xc0\xaf"}', "UTF-8 surrogate": b'{"order_notes": "\xed\xa0\x80"}', "above U+10FFFF": b'{"order_notes": "\xf4\x90\x80\x80"}',
    "cut-off UTF-8": b'{"order_notes": "\xe2\x82"}', "bad UTF-8 in a name": b'{"\xff": 1}',
    "deep arrays": b'{"items": ' + b"[" * 50000 + b"]" * 50000 + b"}", "deep objects": b'{"a":' * 30000 + b"1" + b"}" * 30000, "open arrays": b"[" * 100000,
    "open objects": b'{"a":' * 40000, "XML": b"<order/>", "form": b"shop_id=1",
}


@pytest.mark.parametrize("body", [case(b, id=n) for n, b in MALFORMED.items()])
def test_malformed_json(api, world, at, body):
    for row in JSON_PATHS:
        check.problem(send(api, world, at, row, body), 400, "malformed_json")


@pytest.mark.parametrize("body", [
    case(b' \t\r\n{ "status" : "confirmed" }\r\n', id="white space"), case(b'{"\\u0073tatus": "confirme\\u0064"}', id="escaped letters"),
    case(b'{"x": "\\ud83d\\ude00", "status": "confirmed"}', id="a pair of surrogates"), case(b'{"x": "\\u0000", "status": "confirmed"}', id="NUL in an unknown member"),
    case(b'{"x": [1e400, -0.0e-999, 123456789012345678901234567890], "status": "confirmed"}', id="odd numbers in an unknown member"),
])
def test_odd_but_good_json(api, world, body):
    order = api.place(world.customer, world.shop)
    answer = api.call("PATCH", f"/api/v1/orders/{order['id']}", world.keeper, body=body)
    assert check.ok(answer)["status"] == "confirmed"


def test_a_body_too_large(api, world, at):
    limit = 262144
    for row in JSON_PATHS:
        for size in (limit + 1, 3 * limit):
            check.problem(send(api, world, at, row, b'{"x": "' + b"x" * (size - 9) + b'"}'), 413, "body_too_large")
        check.problem(send(api, world, at, row, b'{"x": "' + b"x" * (limit - 9) + b'"}'), 422, "validation_failed")


def test_many_members_and_long_numbers(api, world):
    wide = json.dumps({f"member{n}": n for n in range(9000)}).encode()
    long_number = b'{"shop_id": ' + b"9" * 100000 + b"}"
    many_items = b'{"shop_id": 1, "items": [' + b",".join([b"{}"] * 50000) + b"]}"
    for body in (wide, long_number):
        assert check.faults(api.call("POST", "/api/v1/orders", world.customer, body=body))
    answer = api.call("POST", "/api/v1/orders", world.customer, body=many_items)
    assert answer.status in (400, 422) and len(answer.body) < 100000, answer    # RFC 8259, section 9: limits may be set
    check.problem(answer, answer.status, answer.json()["code"])


# --- text that must stay text

NASTY = ["'", '"', "\\", "';--", "1 OR 1=1", "' UNION SELECT password_hash FROM users --", "%s%n%x", "$(reboot)", "`id`", "../../etc/passwd", "{{7*7}}",
         "🛒", "\u202e", "x" * 3000, "%00", "\r\nSet-Cookie: a=b"]


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_nothing_gets_through_a_path_or_query(api, world, nasty):
    for target in (f"/api/v1/orders/{quote(nasty, safe='')}", f"/api/v1/orders/shop/{quote(nasty, safe='')}",
                   f"/api/v1/events/shop/{world.shop.id}?after={quote(nasty, safe='')}", f"/api/v1/orders/me?status={quote(nasty, safe='')}",
                   f"/api/v1/shops/{quote(nasty, safe='')}/products", f"/api/v1/orders/me?{quote(nasty, safe='')}=1"):
        answer = api.call("GET", target, world.customer)
        assert answer.status < 500 and answer.header("Set-Cookie") is None, answer
        if answer.status >= 400:
            check.problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_nothing_gets_through_a_body(api, world, at, nasty):
    for row in JSON_PATHS:
        for member in ("shop_id", "order_type", "status", "items", "phone_number", "scheduled_pickup_time", nasty):
            answer = send(api, world, at, row, http.dumps({member: nasty}))
            check.problem(answer, 422, "validation_failed")


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_nothing_gets_through_a_header(api, world, nasty):
    for header in ("Idempotency-Key", "If-Match", "If-None-Match", "X-Request-Id", "Accept", "Accept-Language", "X-Forwarded-For", "Cookie", "Host"):
        answer = api.call("GET", "/api/v1/orders/me", world.customer, headers={header: nasty})
        assert answer.status < 500 and answer.header("Set-Cookie") is None, answer


def test_errors_of_the_table_have_stable_words(api, world, at):
    """One request each for what a client programs against, as a whole."""
    order = api.place(world.customer, world.shop)
    rows = [
        (api.call("POST", "/api/v1/orders", world.customer, body=b"{"), 400, "malformed_json"),
        (api.call("GET", "/api/v1/orders/me"), 401, "unauthorized"),
        (api.call("GET", at("/api/v1/orders/shop/{shop}"), world.customer), 403, "forbidden"),
        (api.call("GET", "/api/v1/orders/999999999", world.customer), 404, "not_found"),
        (api.call("DELETE", f"/api/v1/orders/{order['id']}", world.customer), 405, "method_not_allowed"),
        (api.patch(world.keeper, order, status="picked_up"), 409, "invalid_transition"),
        (api.patch(world.keeper, order, {"If-Match": '"0"'}, status="confirmed"), 412, "version_mismatch"),
        (api.call("POST", "/api/v1/orders", world.customer, body=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type"),
        (api.call("POST", "/api/v1/orders", world.customer, json={}), 422, "validation_failed"),
    ]
    for answer, status, code in rows:
        check.problem(answer, status, code)
    titles = {answer.json()["type"]: answer.json()["title"] for answer, _, _ in rows}
    assert len(titles) == len(rows) or set(titles) == {"about:blank"}
