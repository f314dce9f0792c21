"""Registering, signing in, tickets, and every token that must not pass."""
import json
import time

import jwt as pyjwt
import pytest

from lib import check, proc, tokens
from lib.api import Workers, phone, write_params
from lib.clocked import Clocked
from lib.http import FcgiClient
from lib.mariadb import write_private
from lib.together import together

case = pytest.param
PASSWORD = "correct horse 🐴 battery"


def person(**members):
    whole = {"full_name": "Kiran Kumar", "phone_number": phone(), "password": PASSWORD, **members}
    return {n: v for n, v in whole.items() if v is not ...}


def register(api, **members):
    return api.call("POST", "/api/v1/auth/register", json=person(**members))


def login(api, number, password=PASSWORD):
    return api.call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": password})


# --- register

@pytest.mark.parametrize("members, role", [
    case({}, "customer", id="customer by default"), case({"role": "customer"}, "customer", id="customer"),
    case({"role": "shopkeeper"}, "shopkeeper", id="shopkeeper"), case({"email": "kiran@example.com"}, "customer", id="with e-mail"),
    case({"email": None}, "customer", id="null e-mail"),
])
def test_register(api, members, role):
    number = phone()
    answer = register(api, phone_number=number, **members)
    user = check.ok(answer, 201)
    assert isinstance(user["id"], int)
    assert (user["full_name"], user["phone_number"], user["email"], user["role"]) == (
        "Kiran Kumar", number, members.get("email"), role)
    assert b"password" not in answer.body and PASSWORD.encode() not in answer.body and b"argon" not in answer.body


@pytest.mark.parametrize("members, field", [
    *[case({name: ...}, name, id=f"no {name}") for name in ("full_name", "phone_number", "password")],
    *[case({name: None}, name, id=f"{name} null") for name in ("full_name", "phone_number", "password")],
    *[case({name: 7}, name, id=f"{name} a number") for name in ("full_name", "phone_number", "password", "email", "role")],
    *[case({name: ""}, name, id=f"{name} empty") for name in ("full_name", "phone_number", "password", "role")],
    case({"role": "admin"}, "role", id="an admin"), case({"role": "owner"}, "role", id="an unknown role"),
    case({"full_name": "a\x00b"}, "full_name", id="NUL in the name"), case({"full_name": "x" * 5000}, "full_name", id="a very long name"),
    case({"phone_number": "call me"}, "phone_number", id="no number"), case({"phone_number": "1' OR '1'='1"}, "phone_number", id="SQL"),
    case({"phone_number": "9" * 500}, "phone_number", id="a very long number"),
    case({"email": "x" * 5000 + "@example.com"}, "email", id="a very long e-mail"),
])
def test_bad_registrations(api, members, field):
    assert check.faults(register(api, **members)) == [field]


def test_all_faults_at_once(api):
    answer = api.call("POST", "/api/v1/auth/register", json={"full_name": 1, "email": 2, "role": "king"})
    assert check.faults(answer) == ["email", "full_name", "password", "phone_number", "role"]


@pytest.mark.parametrize("name", ["Zoë ₹ 🛒", "عربى", "O'Brien\\; DROP TABLE users; --", "名前"])
def test_names_of_all_kinds(api, name):
    number = phone()
    assert check.ok(register(api, full_name=name, phone_number=number), 201)["full_name"] == name
    token = check.ok(login(api, number))["access_token"]
    assert api.place(token, api.tools.shop())["customer_name"] == name


def test_a_number_is_taken_once(api):
    number = phone()
    answers = together([lambda: register(api, phone_number=number)] * 8)
    assert sorted(a.status for a in answers) == [201] + [409] * 7
    for answer in answers:
        if answer.status == 409:
            check.problem(answer, 409, "phone_taken")


# --- login

@pytest.mark.parametrize("role", ["customer", "shopkeeper"])
def test_login(api, role):
    number = phone()
    user = check.ok(register(api, phone_number=number, role=role), 201)
    value = check.ok(login(api, number))
    assert {**value, "access_token": 0, "expires_in": 0} == {
        "access_token": 0, "token_type": "bearer", "expires_in": 0, "role": role, "user_id": user["id"]}
    claims = pyjwt.decode(value["access_token"], api.key, algorithms=["HS256"])
    assert (claims["sub"], claims["role"]) == (str(user["id"]), role)
    assert abs(claims["exp"] - time.time() - value["expires_in"]) < 5 and value["expires_in"] >= 60
    path = "/api/v1/orders/me"
    assert api.call("GET", path, value["access_token"]).status == (200 if role == "customer" else 403)


def test_failed_logins_say_nothing(api):
    number = phone()
    register(api, phone_number=number)
    wrong = [login(api, number, "wrong"), login(api, phone(), PASSWORD), login(api, number, PASSWORD + " "),
             login(api, number, PASSWORD.upper())]
    bodies = {json.dumps(check.problem(a, 401, "unauthorized"), sort_keys=True) for a in wrong}
    assert len(bodies) == 1


@pytest.mark.parametrize("body, fields", [
    case({}, ["password", "phone_number"], id="empty"), case({"phone_number": 1, "password": []}, ["password", "phone_number"], id="types"),
    case({"phone_number": "+910000000000"}, ["password"], id="no password"),
])
def test_bad_logins(api, body, fields):
    assert check.faults(api.call("POST", "/api/v1/auth/login", json=body)) == fields


# --- tickets

def test_a_ticket_opens_nothing_else(api, world):
    value = check.ok(api.call("POST", "/api/v1/auth/ticket", world.customer))
    assert set(value) == {"ticket", "expires_in"} and value["expires_in"] == 60
    order = api.place(world.customer, world.shop)
    for method, path in (("GET", "/api/v1/orders/me"), ("GET", f"/api/v1/orders/{order['id']}"), ("POST", "/api/v1/auth/ticket"),
                         ("POST", "/api/v1/orders"), ("GET", f"/api/v1/events/customer/{world.customer.id}"),
                         ("GET", f"/api/v1/orders/{order['id']}/history")):
        check.problem(api.call(method, path, value["ticket"]), 401, "unauthorized")


def test_a_ticket_needs_a_token(api):
    check.problem(api.call("POST", "/api/v1/auth/ticket"), 401, "unauthorized")


@pytest.mark.parametrize("kind", ["customer", "keeper"])
def test_a_ticket_with_or_without_a_body(api, world, kind):
    who = getattr(world, kind)
    for more in ({}, {"json": {}}):
        assert check.ok(api.call("POST", "/api/v1/auth/ticket", who, **more))["ticket"]


# --- tokens

def with_claims(**claims):
    """Signed with the right key, but for these claims; None leaves one out."""
    return lambda api, user: tokens.sign(api.key, tokens.claims(user.id, "customer", **claims))


def raw(header, key=True, **claims):
    """With any header, signed with HMAC-SHA256 and the right key, or not at all."""
    return lambda api, user: tokens.by_hand(header, tokens.claims(user.id, "customer", **claims), api.key if key else None)


def bent(change):
    """A good token, bent."""
    return lambda api, user: change(user.token)


def flip(token, part):
    """One bit of a part's first byte changed."""
    parts = token.split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    return ".".join(parts)


def other_payload(token):
    head, _, mac = token.split(".")
    return f"{head}.{tokens.b64(json.dumps(tokens.claims(1, 'admin')).encode())}.{mac}"


HS256 = {"alg": "HS256", "typ": "JWT"}
BAD = {
    "none": raw({"alg": "none"}, key=False), "None": raw({"alg": "None"}, key=False), "NONE": raw({"alg": "NONE"}, key=False),
    "none with a good signature": raw({"alg": "none"}), "none with typ": raw({"alg": "none", "typ": "JWT"}, key=False),
    "no alg": raw({"typ": "JWT"}), "empty alg": raw({"alg": ""}), "alg null": raw({"alg": None}), "alg a number": raw({"alg": 256}),
    "hs256": raw({"alg": "hs256"}), "unsigned": raw(HS256, key=False),
    "RS256 in the header": raw({"alg": "RS256"}), "ES256 in the header": raw({"alg": "ES256"}),
    "HS384": lambda api, user: tokens.sign(api.key, tokens.claims(user.id, "customer"), "HS384"),
    "HS512": lambda api, user: tokens.sign(api.key, tokens.claims(user.id, "customer"), "HS512"),
    "another key": lambda api, user: tokens.sign(b"x" * 64, tokens.claims(user.id, "customer")),
    "the empty key": lambda api, user: tokens.by_hand(HS256, tokens.claims(user.id, "customer"), b""),
    "signed with RSA": lambda api, user: tokens.sign(tokens.rsa_pair()[0], tokens.claims(user.id, "customer"), "RS256"),
    "expired": with_claims(exp=int(time.time()) - 60), "expired long ago": with_claims(exp=1), "exp 0": with_claims(exp=0),
    "exp below 0": with_claims(exp=-1), "no exp": with_claims(exp=None), "exp text": raw(HS256, exp="4102444800"),
    "exp null": lambda api, user: tokens.by_hand(HS256, {"sub": str(user.id), "role": "customer", "exp": None}, api.key),
    "not yet": with_claims(nbf=int(time.time()) + 3600),
    "no sub": with_claims(sub=None), "sub a number": lambda api, user: tokens.by_hand(HS256, {**tokens.claims(1, "customer"), "sub": user.id}, api.key),
    "sub 0": with_claims(sub="0"), "sub below 0": with_claims(sub="-1"), "sub empty": with_claims(sub=""), "sub a word": with_claims(sub="admin"),
    "sub with a space": with_claims(sub=" 1"), "sub 1e3": with_claims(sub="1e3"), "sub too large": with_claims(sub="18446744073709551617"),
    "sub SQL": with_claims(sub="1 OR 1=1"),
    "no role": with_claims(role=None), "unknown role": with_claims(role="king"), "role empty": with_claims(role=""),
    "role a list": with_claims(role=["customer"]), "role with NUL": with_claims(role="customer\x00x"),
    "header changed": bent(lambda t: flip(t, 0)), "payload changed": bent(lambda t: flip(t, 1)), "signature changed": bent(lambda t: flip(t, 2)),
    "another payload": bent(other_payload), "no signature": bent(lambda t: t.rpartition(".")[0]),
    "empty signature": bent(lambda t: t.rpartition(".")[0] + "."), "half a signature": bent(lambda t: t[:-20]),
    "four parts": bent(lambda t: t + ".x"), "payload only": bent(lambda t: t.split(".")[1]), "dots": bent(lambda t: ".."),
    "garbage": bent(lambda t: "garbage"), "not base64": bent(lambda t: "§" + t), "very long": bent(lambda t: t + "A" * 20000),
    "payload no JSON": lambda api, user: tokens.by_hand(HS256, b"{", api.key),
    "payload an array": lambda api, user: tokens.by_hand(HS256, b"[]", api.key),
    "payload deep": lambda api, user: tokens.by_hand(HS256, b"[" * 3000, api.key),
    "payload no UTF-8": lambda api, user: tokens.by_hand(HS256, b'{"sub":"\xff"}', api.key),
}


@pytest.mark.parametrize("make", [case(make, id=name) for name, make in BAD.items()])
def test_bad_tokens(api, world, make):
    token = make(api, world.customer)
    answer = api.call("GET", "/api/v1/orders/me", headers={"Authorization": f"Bearer {token}"})
    check.problem(answer, 401, "unauthorized")
    assert token.encode() not in answer.body or len(token) < 5


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic a2lyYW46cGFzc3dvcmQ=", "Token {}", "{}", "Bearer{}", "Bearer {} x",
                                   "Bearer {},{}", "Bearer token={}", 'Bearer "{}"'])
def test_bad_authorization_headers(api, world, value):
    answer = api.call("GET", "/api/v1/orders/me", headers={"Authorization": value.replace("{}", world.customer.token)})
    check.problem(answer, 401, "unauthorized")


def test_the_query_is_no_place_for_a_token_here(api, world):
    check.problem(api.call("GET", f"/api/v1/orders/me?token={world.customer.token}"), 401, "unauthorized")


@pytest.mark.parametrize("value", ["Bearer {}", "bearer {}", "BEARER {}"])
def test_the_scheme_in_any_case(api, world, value):
    answer = api.call("GET", "/api/v1/orders/me", headers={"Authorization": value.replace("{}", world.customer.token)})
    check.ok(answer)


@pytest.mark.parametrize("claims", [
    case({"iat": 1, "jti": "x", "name": "Kiran", "iss": "https://login.example", "aud": ["a"]}, id="other claims"),
    case({"nbf": int(time.time()) - 5}, id="nbf in the past"), case({"exp": 4102444800}, id="the year 2100"),
])
def test_good_tokens(api, world, claims):
    check.ok(api.call("GET", "/api/v1/orders/me", with_claims(**claims)(api, world.customer)))


def test_a_token_runs_out(api, world):
    """Good before exp, refused at it."""
    at = Clocked(api, "runs-out", count=1)
    try:
        token = with_claims(exp=at.time + 2)(api, world.customer)
        check.ok(at.call("GET", "/api/v1/orders/me", token))
        at.later(1)
        check.ok(at.call("GET", "/api/v1/orders/me", token))
        at.later(1)
        check.problem(at.call("GET", "/api/v1/orders/me", token), 401, "unauthorized")
    finally:
        at.stop()


# --- a site's own login: RS256 and ES256

@pytest.fixture(scope="module", params=["RS256", "ES256"])
def site(request, api):
    """Workers that take another login's tokens; gives (client, algorithm, private key, public key)."""
    name = request.param
    private, public = tokens.rsa_pair() if name == "RS256" else tokens.ec_pair()
    write_private(f"{api.dir}/{name}.pem", public)
    settings = {**api.settings, "PICKUP_TOKEN_ALG": name, "PICKUP_TOKEN_KEY_FILE": f"{api.dir}/{name}.pem"}
    write_params(f"{api.dir}/{name}.params", settings)
    workers = Workers(api.binary, api.dir, f"{api.dir}/{name}.params", name=name, count=1)
    yield FcgiClient(workers.path, settings), name, private, public
    workers.stop()


def me(call, token):
    return call("GET", "/api/v1/orders/me", token)


def test_tokens_of_another_login(site, world):
    call, name, private, _ = site
    check.ok(me(call, tokens.sign(private, tokens.claims(world.customer.id, "customer"), name)))
    check.problem(me(call, tokens.sign(private, tokens.claims(world.customer.id, "customer", exp=1), name)), 401, "unauthorized")


def test_the_public_key_is_no_secret(site, world):
    """RFC 8725, section 2.1: a token of HMAC with the public key as its secret."""
    call, name, _, public = site
    for key in (public, public.strip(), public.replace(b"\n", b"")):
        for alg in ("HS256", name):
            token = tokens.by_hand({"alg": alg, "typ": "JWT"}, tokens.claims(world.customer.id, "customer"), key)
            check.problem(me(call, token), 401, "unauthorized")


def test_other_keys_and_algorithms(api, site, world):
    call, name, _, _ = site
    who = tokens.claims(world.customer.id, "customer")
    rsa, ec = tokens.rsa_pair()[0], tokens.ec_pair()[0]
    for token in (world.customer.token, tokens.sign(rsa, who, "RS256"), tokens.sign(ec, who, "ES256"),
                  tokens.sign(rsa, who, "PS256"), tokens.sign(rsa, who, "RS512"), tokens.by_hand({"alg": "none"}, who)):
        check.problem(me(call, token), 401, "unauthorized")


def test_the_right_key_but_another_algorithm_of_its_kind(site, world):
    """A P-256 key has none; an RSA key has several."""
    call, name, private, _ = site
    for alg in ("RS384", "RS512", "PS256") if name == "RS256" else ():
        check.problem(me(call, tokens.sign(private, tokens.claims(world.customer.id, "customer"), alg)), 401, "unauthorized")


def test_tickets_beside_another_login(api, site, world):
    """With a secret of their own, tickets work there too, and open nothing else."""
    call, name, private, _ = site
    write_private(f"{api.dir}/ticket.key", b"t" * 64)
    call = FcgiClient(call.path, {**call.settings, "PICKUP_TICKET_KEY_FILE": f"{api.dir}/ticket.key"})
    token = tokens.sign(private, tokens.claims(world.customer.id, "customer"), name)
    ticket = proc.wait_for(lambda: (a := call("POST", "/api/v1/auth/ticket", token)).status == 200 and a, 5, "the new key").json()["ticket"]
    check.problem(me(call, ticket), 401, "unauthorized")
