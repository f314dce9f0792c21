"""Settings: taken with each request, and a bad value never takes anything down."""
import secrets
import subprocess
import time

import pytest

from lib import check, proc, tokens
from lib.api import Workers, phone
from lib.http import FcgiClient
from lib.mariadb import write_private

case = pytest.param


@pytest.fixture(scope="module")
def person(api):
    number = phone()
    check.ok(api.call("POST", "/api/v1/auth/register", json={"full_name": "A", "phone_number": number, "password": "correct horse"}), 201)
    return {"phone_number": number, "password": "correct horse"}


class One:
    """One worker, and what nginx tells it about settings."""

    def __init__(self, api):
        self.api = api
        self.workers = Workers(api.binary, api.dir, api.params, name="one", count=1)

    def call(self, settings=None):
        return FcgiClient(self.workers.path, {**self.api.settings, **(settings or {})})

    def log(self):
        return proc.tail(self.workers.log, 400)


@pytest.fixture()
def one(api):
    one = One(api)
    yield one
    assert one.workers.processes[0].poll() is None, one.log()
    one.workers.stop()


def lifetime(call, person):
    return check.ok(call("POST", "/api/v1/auth/login", json=person))["expires_in"]


def test_a_change_holds_from_the_next_request(one, person):
    assert lifetime(one.call(), person) == 43200
    for seconds in (120, 60, 31536000):
        assert lifetime(one.call({"PICKUP_TOKEN_TTL_S": str(seconds)}), person) == seconds
    assert lifetime(one.call(), person) == 43200


@pytest.mark.parametrize("bad", ["59", "31536001", "abc", "1e3", "-120", "120s", "99999999999999999999999", " ", "0x78", "120.0"])
def test_a_bad_value_leaves_the_last_good_one(one, person, bad):
    assert lifetime(one.call({"PICKUP_TOKEN_TTL_S": "120"}), person) == 120
    for _ in range(2):
        assert lifetime(one.call({"PICKUP_TOKEN_TTL_S": bad}), person) == 120
    assert "PICKUP_TOKEN_TTL_S" in one.log()
    assert lifetime(one.call({"PICKUP_TOKEN_TTL_S": "180"}), person) == 180


def test_an_unknown_setting_breaks_nothing(one, person):
    assert lifetime(one.call({"PICKUP_NO_SUCH_THING": "1", "PICKUP_TOKEN_TTL_S": "120"}), person) == 120


def test_the_life_of_tickets(one, world):
    for seconds in (5, 300, 60):
        answer = one.call({"PICKUP_TICKET_TTL_S": str(seconds)})("POST", "/api/v1/auth/ticket", world.customer)
        assert check.ok(answer)["expires_in"] == seconds


@pytest.mark.parametrize("limit", [1024, 5000, 4194304])
def test_the_longest_body(one, world, limit):
    call = one.call({"PICKUP_BODY_MAX": str(limit)})
    for size, status, code in ((limit, 422, "validation_failed"), (limit + 1, 413, "body_too_large")):
        check.problem(call("POST", "/api/v1/orders", world.customer, body=b'{"x": "' + b"x" * (size - 9) + b'"}'), status, code)


def test_no_registration(one):
    body = {"full_name": "A", "phone_number": phone(), "password": "correct horse"}
    refused = one.call({"PICKUP_REGISTRATION": "off"})("POST", "/api/v1/auth/register", json=body)
    assert refused.status in (403, 404), refused
    check.problem(refused, refused.status, refused.json()["code"])
    assert one.call()("POST", "/api/v1/auth/register", json=body).status == 201


@pytest.mark.parametrize("setting, claim", [("PICKUP_TOKEN_ISSUER", "iss"), ("PICKUP_TOKEN_AUDIENCE", "aud")])
def test_issuer_and_audience(api, one, world, person, setting, claim):
    call = one.call({setting: "https://shop.example"})

    def status(**claims):
        return call("GET", "/api/v1/orders/me", tokens.sign(api.key, tokens.claims(world.customer.id, "customer", **claims))).status

    assert (status(), status(**{claim: "https://other.example"}), status(**{claim: "https://shop.example"})) == (401, 401, 200)
    if claim == "aud":
        assert (status(aud=["x", "https://shop.example"]), status(aud=["x"])) == (200, 401)
    token = check.ok(call("POST", "/api/v1/auth/login", json=person))["access_token"]
    check.ok(call("GET", "/api/v1/orders/me", token))


def test_leeway(api, one, world):
    late = tokens.sign(api.key, tokens.claims(world.customer.id, "customer", exp=int(time.time()) - 30))
    early = tokens.sign(api.key, tokens.claims(world.customer.id, "customer", nbf=int(time.time()) + 30))
    for token in (late, early):
        assert one.call()("GET", "/api/v1/orders/me", token).status == 401
        assert one.call({"PICKUP_TOKEN_LEEWAY_S": "60"})("GET", "/api/v1/orders/me", token).status == 200
    ticket = check.ok(one.call({"PICKUP_TOKEN_LEEWAY_S": "60"})("POST", "/api/v1/auth/ticket", late))
    assert ticket["expires_in"] == 0


def test_another_key_and_a_bad_one(api, one, world):
    other = secrets.token_hex(32).encode()
    write_private(f"{api.dir}/other.key", other)
    write_private(f"{api.dir}/short.key", b"too short")
    fresh = tokens.sign(other, tokens.claims(world.customer.id, "customer"))

    def status(key_file, token):
        return one.call({"PICKUP_TOKEN_KEY_FILE": key_file})("GET", "/api/v1/orders/me", token).status

    assert one.call()("GET", "/api/v1/orders/me", fresh).status == 401
    proc.wait_for(lambda: status(f"{api.dir}/other.key", fresh) == 200, 5, "the new key")
    assert status(f"{api.dir}/other.key", world.customer.token) == 401
    for bad in (f"{api.dir}/short.key", f"{api.dir}/no-such.key", "relative.key"):
        deadline = time.monotonic() + 1.2       # key files are looked at no oftener than once a second
        while time.monotonic() < deadline:
            assert status(bad, fresh) == 200
            time.sleep(0.1)
    assert other.decode() not in one.log() and "too short" not in one.log()


# --- pickup check --params FILE says it before the reload

def run_check(api, text):
    path = f"{api.dir}/checked.params"
    with open(api.params) as f:
        good = f.read()
    with open(path, "w") as f:
        f.write(good + text)
    done = subprocess.run([api.binary, "check", "--params", path], capture_output=True, timeout=120)
    return done.returncode, (done.stdout + done.stderr).decode(), len(good.splitlines()) + 1


def test_check_passes_good_settings(api):
    status, text, _ = run_check(api, "# a comment\nfastcgi_param PICKUP_TOKEN_TTL_S 120;\n")
    assert status == 0, text


@pytest.mark.parametrize("line, word", [
    case("fastcgi_param PICKUP_TOKEN_TTL_S 59;", "PICKUP_TOKEN_TTL_S", id="below its bounds"),
    case("fastcgi_param PICKUP_TOKEN_TTL_S abc;", "PICKUP_TOKEN_TTL_S", id="no number"),
    case("fastcgi_param PICKUP_REGISTRATION maybe;", "PICKUP_REGISTRATION", id="no such word"),
    case("fastcgi_param PICKUP_NO_SUCH_THING 1;", "PICKUP_NO_SUCH_THING", id="unknown"),
    case("fastcgi_param PICKUP_DB_OPTION_FILE /a; ", "PICKUP_DB_OPTION_FILE", id="given twice"),
    case("fastcgi_param PICKUP_TOKEN_TTL_S 120", "", id="no semicolon"), case("nonsense;", "nonsense", id="another directive"),
    case('fastcgi_param PICKUP_TOKEN_ISSUER "x;', "", id="no closing quote"),
])
def test_check_names_bad_lines(api, line, word):
    status, text, number = run_check(api, line + "\n")
    assert status != 0
    assert word in text and str(number) in text, text


# --- through nginx

@pytest.fixture()
def params(stack):
    """Writes lines into the instance's pickup.params and reloads the front nginx; afterwards all is as before."""
    path = f"{stack.dir}/pickup.params"
    with open(path) as f:
        before = f.read()

    def change(old, new):
        assert old in before
        with open(path, "w") as f:
            f.write(before.replace(old, new))
        stack.reload("front")

    yield change
    with open(path, "w") as f:
        f.write(before)
    stack.reload("front")


def test_a_reload_of_nginx_applies_it(stack, params):
    def lifetime():
        return stack.login("+919800000001")["expires_in"]

    assert lifetime() == 43200
    workers = stack.worker_pids()
    params("PICKUP_TOKEN_TTL_S 43200;", "PICKUP_TOKEN_TTL_S 3600;")
    proc.wait_for(lambda: lifetime() == 3600, 10, "the new value", pause=0.05)
    params("PICKUP_TOKEN_TTL_S 43200;", "PICKUP_TOKEN_TTL_S oops;")
    proc.wait_for(lambda: "oops" in stack.tail("workers") or lifetime() is None, 10, "the log to name the bad value", pause=0.05)
    assert lifetime() in (3600, 43200)
    assert stack.worker_pids() == workers
