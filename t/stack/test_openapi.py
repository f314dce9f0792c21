"""The description of the API: well-formed, complete, served; that answers keep to it is judged in every test (lib/openapi.py)."""
import json
import os
import re
import shutil
import subprocess

import pytest

from lib import check, openapi
from lib.http import Response

case = pytest.param


@pytest.fixture(scope="module")
def text(binary):
    return subprocess.run([binary, "openapi"], check=True, capture_output=True, timeout=120).stdout


@pytest.fixture(scope="module")
def description(text):
    return openapi.Description(text)


# --- the document

def test_a_linter_finds_nothing(source, text):
    packages = os.path.join(os.environ.get("PICKUP_DEPS_CACHE", source / ".deps-cache"), "lint", "node_modules")
    if not shutil.which("node") or not os.path.isdir(packages):
        pytest.skip("no linter: ./bootstrap deps installs it")
    done = subprocess.run(["node", source / "t/openapi/lint.js"], input=text, capture_output=True, timeout=60,
                          env={**os.environ, "NODE_PATH": packages})
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (0, "", "")


SECURITY = {"public": [], "signed in": [{"bearer": []}], "customer": [{"bearer": ["customer"]}], "shopkeeper": [{"bearer": ["shopkeeper"]}],
            "the shop's people": [{"bearer": []}]}
PARAMETER = re.compile(r"\{\w+\}")


def test_it_has_every_route_and_no_other(binary, description):
    """Method, path, who may, what for. A route that begins with an underscore is for the servers among themselves: nginx lets nobody else there."""
    printed = subprocess.run([binary, "routes"], check=True, capture_output=True, text=True, timeout=120).stdout
    rows = [line.split("\t") for line in printed.splitlines()]
    served = {(method, PARAMETER.sub("{id}", path)): (SECURITY[who], summary) for method, path, who, summary in rows if not path.startswith("/_")}
    # What is public may show more to those who sign in.
    described = {(o.method, PARAMETER.sub("{id}", o.path)): ([] if {} in o.security else o.security, o.summary) for o in description.operations}
    assert described == served


def test_it_has_every_error_code_and_no_other(source, description):
    ours = re.findall(r'^\t\[PROBLEM_\w+\] = \{ \d{3}, "(\w+)"', (source / "src/problem.c").read_text(), re.M)
    of_nginx = re.findall(r'"code":"(\w+)"', (source / "nginx/problems.conf").read_text())
    assert len(ours) > 20 and len(of_nginx) > 10
    schemas = description.document["components"]
    assert set(schemas["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(ours) | set(of_nginx)


def test_every_error_code_is_an_answer_of_something(description):
    def words(value):
        """The codes that a problem's schema lets through."""
        code = value["content"]["application/problem+json"]["schema"]["properties"]["code"]
        return code.get("enum", [code.get("const")])

    found = {word for o in description.operations for r in o.operation["responses"].values() if "application/problem+json" in
             (response := description.schemas.resolve(r)).get("content", {}) for word in words(response)}
    assert found == set(description.document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])


def closed(value):
    """Every schema of an object within, with whether it is closed."""
    if isinstance(value, dict):
        if value.get("type") == "object" and "properties" in value:
            yield value
        for inner in value.values():
            yield from closed(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from closed(inner)


def test_objects_of_answers_are_closed_and_those_of_requests_open(description):
    requests = {"Registration", "Login", "OrderPlacement", "LinePlacement", "OrderChange", "ShopChange", "ExceptionSetting", "ProductChange",
                "StaffChoice", "PasswordChange"}
    for name, schema in description.document["components"]["schemas"].items():
        for found in closed(schema):
            assert (found.get("additionalProperties") is False) != (name in requests), name
            assert name in requests or set(found["required"]) <= set(found["properties"]), name


# --- what every operation refuses

def attempt(api, operation, who, body=None, **headers):
    """The operation with the examples of its parameters, and with one of its body where none is given."""
    target, more = operation.address()
    if body is None and operation.request:
        body = json.dumps(next(iter(operation.examples.values())), default=float).encode()
    return api.call(operation.method, target, who, body=body, headers={**more, **headers})


def people(operation, customer, keeper):
    """Who may do it, as far as a role tells, and who may not."""
    wants = operation.security[0].get("bearer") if operation.security else None
    return (customer, keeper) if wants == ["customer"] else (keeper, customer if wants == ["shopkeeper"] else None)


def test_without_a_token(api, description):
    asking = [o for o in description.operations if o.security and {} not in o.security]
    assert len(asking) > 20
    for operation in asking:
        for who in (None, "x.y.z"):
            check.problem(attempt(api, operation, who), 401, "unauthorized")


def test_with_the_wrong_role(api, world, description):
    wrong = [(o, who) for o in description.operations if (who := people(o, world.customer, world.keeper)[1])]
    assert len(wrong) > 10
    for operation, who in wrong:
        check.problem(attempt(api, operation, who), 403, "forbidden")


def test_bodies_that_are_none(api, world, description):
    taking = [o for o in description.operations if o.request]
    assert len(taking) > 10
    for operation in taking:
        who, _ = people(operation, world.customer, world.keeper)
        for body in (b"{", b"[]", b"null", b'{"a": 1, "a": 2}'):
            check.problem(attempt(api, operation, who, body), 400, "malformed_json")
        check.problem(attempt(api, operation, who, b"{}", **{"Content-Type": "text/plain"}), 415, "unsupported_media_type")
        check.problem(attempt(api, operation, who, b'{"x": "' + b"x" * 300000 + b'"}'), 413, "body_too_large")


def test_while_the_database_is_away(make_api, description):
    made = make_api("openapi-away")
    customer, keeper = made.tools.user(), made.tools.user("shopkeeper")
    check.ok(made.call("GET", "/api/v1/shops"))
    made.db.kill()
    for operation in description.operations:
        if operation.id not in ("getHealth", "getDescription"):
            check.problem(attempt(made, operation, people(operation, customer, keeper)[0]), 503, "unavailable")


# --- served

def test_everybody_may_read_it(api, world, text):
    for target in ("/api/v1/openapi.json", "/api/v1/openapi.json/", "/api/v1/openapi.json?x=1"):
        for who in (None, world.customer, "x.y.z"):
            answer = api.call("GET", target, who)
            assert (answer.status, answer.media_type, answer.body) == (200, "application/json", text)


def test_it_is_not_sent_twice(api, text):
    first = api.call("GET", "/api/v1/openapi.json")
    tag = first.header("ETag")
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = api.call("GET", "/api/v1/openapi.json", headers={"If-None-Match": known})
        assert (answer.status, answer.body, answer.header("ETag"), answer.media_type) == (304, b"", tag, "")
    assert api.call("GET", "/api/v1/openapi.json", headers={"If-None-Match": '"0"'}).body == text
    head = api.call("HEAD", "/api/v1/openapi.json")
    assert (head.status, head.body, head.header("Content-Length"), head.header("ETag")) == (200, b"", str(len(text)), tag)


def test_nginx_serves_it(stack, text):
    answer = stack.call("GET", "/api/v1/openapi.json")
    assert (answer.status, answer.body) == (200, text)


# --- that a wrong answer would be noticed

@pytest.fixture(scope="module")
def good(api, world):
    """A placed order's answer."""
    answer = api.post(world.customer, world.shop)
    check.created(answer)
    return answer


def bent(answer, of_answer=201, headers=None, **members):
    """The answer with other members (... leaves one out), another status, or other headers (None leaves one out)."""
    value = {n: v for n, v in {**answer.json(), **members}.items() if v is not ...}
    kept = [(n, v) for n, v in answer.headers if n not in (headers or {})] + [(n, v) for n, v in (headers or {}).items() if v is not None]
    return Response(of_answer, kept, json.dumps(value, default=float).encode())


ORDER = b'{"shop_id": 1, "items": [{"product_id": 1, "quantity": 1}]}'


@pytest.mark.parametrize("change", [
    case({}, id="as it is"),
    case({"secret": 1}, id="an undocumented member"), case({"version": ...}, id="a member less"),
    case({"id": "7"}, id="a text for a number"), case({"status": "lost"}, id="an undocumented word"), case({"total_amount": None}, id="null"),
    case({"created_at": "2026-02-26T17:00:00Z"}, id="a time without the shop's offset"), case({"items": [{"id": 1}]}, id="within a list"),
    case({"of_answer": 200}, id="an undocumented status"), case({"headers": {"Location": None}}, id="a header less"),
    case({"headers": {"ETag": "bare"}}, id="a header's form"), case({"headers": {"X-Debug": "1"}}, id="an undocumented header"),
    case({"headers": {"Content-Type": "text/plain"}}, id="the content type"),
])
def test_a_bent_answer_is_noticed(good, description, change):
    def judge():
        description.judge("POST", "/api/v1/orders/", {}, ORDER, bent(good, **change))

    if change:
        with pytest.raises(AssertionError, match="not as documented"):
            judge()
    else:
        judge()


def test_the_order_of_members_is_noticed(good, description):
    value = good.json()
    answer = Response(201, good.headers, json.dumps({"version": value.pop("version"), **value}, default=float).encode())
    with pytest.raises(AssertionError, match="order of members"):
        description.judge("POST", "/api/v1/orders", {}, ORDER, answer)


@pytest.mark.parametrize("method, target, body", [
    ("POST", "/api/v1/orders", b'{"shop_id": 1, "items": [{"product_id": 1, "quantity": 1000}]}'),
    ("POST", "/api/v1/orders", b'{"shop_id": 1, "items": []}'), ("POST", "/api/v1/orders", b'{"items": [{"product_id": 1, "quantity": 1}]}'),
    ("POST", "/api/v1/orders/teapot", b"{}"), ("PUT", "/api/v1/orders", b"{}"),
])
def test_a_request_that_should_have_been_refused_is_noticed(good, description, method, target, body):
    with pytest.raises(AssertionError, match="not as documented"):
        description.judge(method, target, {}, body, good)


def test_a_bent_message_is_noticed(description):
    message = {"type": "pickup_ready", "order_id": 15, "shop_id": 2, "status": "ready", "estimated_preparation_minutes": 15,
               "message": "Your order is ready for pickup!"}
    description.judge_message(message)
    for wrong in ({**message, "seq": 1}, {**message, "status": "confirmed"}, {"order_id": 15, **message}, {**message, "type": "order_update"},
                  {**message, "type": "pickup"}):
        with pytest.raises(AssertionError):
            description.judge_message(wrong)
