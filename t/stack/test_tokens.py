"""Which tokens count: those of an active user, made after the last time that all of theirs were ended. Everywhere, and at once."""
import json
import time

import jwt as pyjwt
import pytest

from lib import check, tokens
from lib.api import Workers, phone, write_params
from lib.http import FcgiClient
from lib.mariadb import write_private
from lib.subscribe import Refused, WebSocket
from lib.together import together

case = pytest.param
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def own(make_api):
    """Its relay and users are nobody else's."""
    return make_api("tokens")


class Person:
    """Registered, and signed in where somebody asks for a token."""

    def __init__(self, api, role="customer"):
        self.api, self.number, self.role = api, phone(), role
        self.id = check.ok(api.call("POST", "/api/v1/auth/register", json={
            "full_name": "Kiran Kumar", "phone_number": self.number, "password": PASSWORD, "role": role}), 201)["id"]
        self.token = self.login()

    def login(self, password=PASSWORD):
        body = {"phone_number": self.number, "password": password}
        return check.ok(self.api.call("POST", "/api/v1/auth/login", json=body))["access_token"]

    def deactivate(self):
        self.api.tools.run("user", "change", self.id, "--active", "no")

    def activate(self):
        self.api.tools.run("user", "change", self.id, "--active", "yes")


class Scene:
    """A customer with an order at a shopkeeper's shop."""

    def __init__(self, api):
        self.api, self.customer, self.keeper = api, Person(api), Person(api, "shopkeeper")
        self.shop = api.tools.shop(keeper=self.keeper)
        self.placed = api.post(self.customer, self.shop, headers={"Idempotency-Key": f"k{self.customer.id}"})
        self.order = check.created(self.placed)

    def calls(self, role, token):
        """What that person may do, each as a call that gives its answer."""
        call, order, shop = self.api.call, self.order["id"], self.shop.id

        def placing(**more):
            return call("POST", "/api/v1/orders", token, json={
                "shop_id": shop, "items": [{"product_id": self.shop.products[0].id, "quantity": 1}], **more.pop("members", {})}, **more)
        both = {
            "ticket": lambda: call("POST", "/api/v1/auth/ticket", token), "read": lambda: call("GET", f"/api/v1/orders/{order}", token),
            "head": lambda: call("HEAD", f"/api/v1/orders/{order}", token),
            "history": lambda: call("GET", f"/api/v1/orders/{order}/history", token),
            "not modified": lambda: call("GET", f"/api/v1/orders/{order}", token, headers={"If-None-Match": f'"{order}-1"'}),
        }
        if role == "customer":
            return {
                **both, "place": placing, "my list": lambda: call("GET", "/api/v1/orders/me", token),
                "an empty list": lambda: call("GET", "/api/v1/orders/me?status=picked_up", token),
                "a retry": lambda: placing(headers={"Idempotency-Key": f"k{self.customer.id}"}),
                "my events": lambda: call("GET", f"/api/v1/events/customer/{self.customer.id}?after=0", token),
                "subscribe": lambda: subscribe(self.api, "customer", self.customer.id, token),
            }
        return {
            **both, "change": lambda: self.api.patch(token, self.order, estimated_preparation_minutes=7),
            "list": lambda: call("GET", f"/api/v1/orders/shop/{shop}", token),
            "one kind": lambda: call("GET", f"/api/v1/orders/shop/{shop}?status=pending&order_type=instant", token),
            "an empty list": lambda: call("GET", f"/api/v1/orders/shop/{shop}?status=picked_up&order_type=instant", token),
            "since": lambda: call("GET", f"/api/v1/orders/shop/{shop}?updated_since=2020-01-01T00:00:00Z", token),
            "events": lambda: call("GET", f"/api/v1/events/shop/{shop}?after=0", token),
            "subscribe": lambda: subscribe(self.api, "shop", shop, token),
        }

    def faulty_calls(self, role, token):
        """Refused whoever asks, but not for the same reason."""
        call, order, shop = self.api.call, self.order["id"], self.shop.id
        both = {"unknown order": lambda: call("GET", "/api/v1/orders/999999999", token)}
        if role == "customer":
            return {
                **both, "no JSON": lambda: call("POST", "/api/v1/orders", token, body=b"{"), "no members": lambda: call("POST", "/api/v1/orders", token, json={}),
                "no shop": lambda: call("POST", "/api/v1/orders", token, json={"shop_id": 10 ** 9, "items": [{"product_id": 1, "quantity": 1}]}),
                "no product": lambda: call("POST", "/api/v1/orders", token, json={"shop_id": shop, "items": [{"product_id": 10 ** 9, "quantity": 1}]}),
                "bad key": lambda: call("POST", "/api/v1/orders", token, json={}, headers={"Idempotency-Key": "a b"}),
                "not theirs": lambda: self.api.patch(token, self.order, status="cancelled"), "bad query": lambda: call("GET", "/api/v1/orders/me?limit=0", token),
            }
        return {
            **both, "no JSON": lambda: call("PATCH", f"/api/v1/orders/{order}", token, body=b"{"),
            "no media type": lambda: call("PATCH", f"/api/v1/orders/{order}", token, body=b"{}", headers={"Content-Type": "text/plain"}),
            "no members": lambda: self.api.patch(token, self.order), "bad query": lambda: call("GET", f"/api/v1/orders/shop/{shop}?limit=0", token),
            "no transition": lambda: self.api.patch(token, self.order, status="picked_up"),
            "stale": lambda: self.api.patch(token, self.order, {"If-Match": '"x"'}, status="confirmed"),
            "another shop": lambda: call("GET", "/api/v1/orders/shop/999999", token),
            "no order": lambda: self.api.patch(token, {"id": 10 ** 9}, status="confirmed"),
            "no customer": lambda: call("POST", "/api/v1/orders", token, json={}), "no customer's list": lambda: call("GET", "/api/v1/orders/me", token),
        }


def subscribe(api, kind, channel, token):
    """The push server's question."""
    return FcgiClient(api.workers.path, {**api.settings, "WS_CHANNEL_KIND": kind, "WS_CHANNEL_ID": str(channel)})(
        "GET", "/_ws_auth", token)


def expect(calls, *statuses):
    for name, call in calls.items():
        answer = call()
        assert answer.status in statuses, (name, answer)
        if 401 in statuses and name != "head":
            check.problem(answer, 401, "unauthorized")


@pytest.mark.parametrize("role", ["customer", "shopkeeper"])
@pytest.mark.parametrize("how", ["deactivated", "ended", "password"])
def test_everywhere_and_at_once(own, role, how):
    scene = Scene(own)
    who = scene.customer if role == "customer" else scene.keeper
    ticket = own.call("POST", "/api/v1/auth/ticket", who).json()["ticket"]
    channel = ("customer", who.id) if role == "customer" else ("shop", scene.shop.id)
    expect(scene.calls(role, who.token), 200, 201, 204, 304)
    expect(scene.faulty_calls(role, who.token), 400, 403, 404, 409, 412, 415, 422)
    assert subscribe(own, *channel, ticket).status == 204
    orders = own.db.sql("SELECT COUNT(*), SUM(version), SUM(updated_at) FROM orders")
    if how == "deactivated":
        who.deactivate()
    elif how == "ended":
        assert own.call("POST", "/api/v1/auth/logout-all", who).status == 204
    else:
        own.tools.run("user", "change", who.id, "--password-stdin", stdin=b"another horse battery\n")
    expect(scene.calls(role, who.token), 401)
    expect(scene.faulty_calls(role, who.token), 401)
    assert subscribe(own, *channel, ticket).status == 401
    check.problem(own.call("POST", "/api/v1/auth/logout-all", who), 401, "unauthorized")
    assert own.db.sql("SELECT COUNT(*), SUM(version), SUM(updated_at) FROM orders") == orders
    if how == "deactivated":
        check.problem(own.call("POST", "/api/v1/auth/login", json={"phone_number": who.number, "password": PASSWORD}), 401, "unauthorized")
        who.activate()
        expect(scene.calls(role, who.token), 401)    # what ended stays so
    new = who.login("another horse battery" if how == "password" else PASSWORD)
    expect(scene.calls(role, new), 200, 201, 204, 304)
    expect(scene.calls(role, who.token), 401)


def test_of_the_others_nothing_ends(own):
    one, other = Scene(own), Scene(own)
    assert own.call("POST", "/api/v1/auth/logout-all/", one.customer).status == 204
    expect(other.calls("customer", other.customer.token), 200, 201, 204, 304)
    expect(one.calls("shopkeeper", one.keeper.token), 200, 204, 304)


def test_all_of_them_end(own):
    who = Person(own)
    several = [who.token] + [who.login() for _ in range(3)] + [own.tools.token(who.id, "customer")]
    assert all(own.call("GET", "/api/v1/orders/me", t).status == 200 for t in several)
    answer = own.call("POST", "/api/v1/auth/logout-all", several[2])
    assert (answer.status, answer.body) == (204, b"")
    for token in several:
        check.problem(own.call("GET", "/api/v1/orders/me", token), 401, "unauthorized")


def test_a_token_says_when_it_was_made(own):
    """In whole seconds, which every library takes; the rest beside it."""
    who = Person(own)
    for make in (who.login, lambda: own.tools.run("token", "create", "--user", who.id).strip()):
        before = time.time()
        claims = pyjwt.decode(make(), own.key, algorithms=["HS256"])
        assert isinstance(claims["iat"], int) and 0 <= claims.get("iat_us", 0) < 10 ** 6, claims
        assert before <= claims["iat"] + claims.get("iat_us", 0) / 1e6 + 1e-6 and claims["iat"] <= time.time(), claims


@pytest.mark.parametrize("turns", [20])
def test_signing_in_right_after(own, turns):
    """In the same second, and as fast as it goes: the new token counts, the old one does not."""
    who = Person(own)
    token = who.token
    for _ in range(turns):
        assert own.call("POST", "/api/v1/auth/logout-all", token).status == 204
        new = own.tools.run("token", "create", "--user", who.id).strip() if _ % 5 == 0 else who.login()
        assert own.call("GET", "/api/v1/orders/me", new).status == 200
        assert own.call("GET", "/api/v1/orders/me", token).status == 401
        token = new


def test_signing_in_meanwhile(own):
    """Each of many tokens is void where its log-in was answered before all were ended, and good where it began afterwards."""
    who = Person(own)
    for _ in range(3):
        token, times = who.login(), []

        def sign_in():
            begun = time.monotonic()
            new = who.login()
            return begun, time.monotonic(), new

        def end():
            begun = time.monotonic()
            answer = own.call("POST", "/api/v1/auth/logout-all", token)
            times.append((begun, time.monotonic()))
            assert answer.status == 204
        found = together([sign_in, sign_in, end, sign_in, sign_in])
        begun, ended = times[0]
        for signed_in in [f for f in found if f] + [sign_in()]:
            status = own.call("GET", "/api/v1/orders/me", signed_in[2]).status
            if signed_in[0] > ended:
                assert status == 200
            if signed_in[1] < begun:
                assert status == 401
        assert own.call("GET", "/api/v1/orders/me", token).status == 401


def test_two_at_once_end_them_once(own):
    who = Person(own)
    statuses = sorted(a.status for a in together([lambda: own.call("POST", "/api/v1/auth/logout-all", who.token)] * 6))
    assert statuses[0] == 204 and set(statuses) <= {204, 401}
    assert own.call("GET", "/api/v1/orders/me", who.login()).status == 200


def test_a_clock_that_was_ahead(own):
    """What was ended by a clock ahead of this one: who signs in now still gets a good token, and ends it."""
    who = Person(own)
    own.db.sql(f"UPDATE users SET tokens_ended_at = UTC_TIMESTAMP(6) + INTERVAL 10 MINUTE WHERE id = {who.id}")
    for _ in range(3):
        check.problem(own.call("GET", "/api/v1/orders/me", who.token), 401, "unauthorized")
        who.token = who.login()
        assert own.call("GET", "/api/v1/orders/me", who.token).status == 200
        ticket = own.call("POST", "/api/v1/auth/ticket", who.token).json()["ticket"]
        assert subscribe(own, "customer", who.id, ticket).status == 204
        assert own.call("POST", "/api/v1/auth/logout-all", who.token).status == 204
        assert subscribe(own, "customer", who.id, ticket).status == 401


def closes(api):
    return sorted((int(kind), int(channel)) for kind, channel in api.db.sql("SELECT channel_kind, channel_id FROM channel_closes"))


@pytest.fixture
def no_relay(make_api, request):
    """Without one, so that what is to be closed stays to be read."""
    made = make_api(f"closes{abs(hash(request.node.name)) % 10 ** 6}")
    made.relay.kill()
    made.relay.wait()
    made.db.sql("DELETE FROM channel_closes")
    return made


def test_what_is_to_be_closed(no_relay):
    api = no_relay
    keeper, customer = Person(api, "shopkeeper"), Person(api)
    shops = [api.tools.shop(keeper=keeper).id for _ in range(2)]
    foreign = api.tools.shop().id
    api.db.sql(f"INSERT INTO shop_staff VALUES ({foreign}, {keeper.id}, 1, NOW(), 0)")
    wanted = {keeper.id: sorted([(2, keeper.id), (1, shops[0]), (1, shops[1]), (1, foreign)]), customer.id: [(2, customer.id)]}
    for who in (keeper, customer):
        for act in (lambda: api.call("POST", "/api/v1/auth/logout-all", who), who.deactivate,
                    lambda: api.tools.run("user", "change", who.id, "--active", "yes", "--password-stdin", stdin=b"another horse\n")):
            api.db.sql("DELETE FROM channel_closes")
            act()
            assert closes(api) == wanted[who.id]
    # what takes nothing away closes nothing
    api.db.sql("DELETE FROM channel_closes")
    api.tools.run("user", "change", customer.id, "--name", "Other", "--active", "yes")
    api.call("POST", "/api/v1/auth/logout-all", "x.y.z")
    assert closes(api) == []


def test_another_owner_of_a_shop(no_relay):
    api = no_relay
    shop, other = api.tools.shop(), api.tools.user("shopkeeper")
    api.tools.run("shop", "change", shop.id, "--name", "Other", "--owner", shop.keeper.id)
    assert closes(api) == []
    api.tools.run("shop", "change", shop.id, "--owner", other.id)
    assert closes(api) == [(1, shop.id)]
    check.problem(api.call("GET", f"/api/v1/orders/shop/{shop.id}", shop.keeper), 403, "forbidden")
    check.ok(api.call("GET", f"/api/v1/orders/shop/{shop.id}", other))


def test_open_subscriptions_end(stack):
    """With all of nginx and nchan: who lost the right hears nothing more, and is not let in again with what they had."""
    shop, customer = stack.tools.shop(), stack.tools.user()
    ticket = stack.call("POST", "/api/v1/auth/ticket", shop.keeper).json()["ticket"]
    sockets = [WebSocket(stack.call, f"/ws/shop/{shop.id}", shop.keeper), WebSocket(stack.call, f"/ws/shop/{shop.id}?token={ticket}"),
               WebSocket(stack.call, f"/ws/customer/{shop.keeper.id}", stack.tools.token(shop.keeper.id, "customer"))]
    others = WebSocket(stack.call, f"/ws/customer/{customer.id}", customer)
    assert stack.call("POST", "/api/v1/auth/logout-all", shop.keeper).status == 204
    for socket in sockets:
        socket.closed()
    for target, token in ((f"/ws/shop/{shop.id}", shop.keeper), (f"/ws/shop/{shop.id}?token={ticket}", None)):
        with pytest.raises(Refused) as refused:
            WebSocket(stack.call, target, token)
        assert refused.value.response.status == 401
    others.nothing()
    others.close()
    new = stack.tools.run("token", "create", "--user", shop.keeper.id).strip()
    with WebSocket(stack.call, f"/ws/shop/{shop.id}", new) as again:
        order = stack.place(customer, shop)
        assert again.receive().value["order_id"] == order["id"]


# --- tokens of another login

@pytest.fixture(scope="module")
def site(own):
    private, public = tokens.ec_pair()
    write_private(f"{own.dir}/site.pem", public)
    settings = {**own.settings, "PICKUP_TOKEN_ALG": "ES256", "PICKUP_TOKEN_KEY_FILE": f"{own.dir}/site.pem"}
    write_params(f"{own.dir}/site.params", settings)
    workers = Workers(own.binary, own.dir, f"{own.dir}/site.params", name="site", count=1)
    call = FcgiClient(workers.path, settings)
    yield lambda method, path, user, role="customer", **more: call(
        method, path, tokens.sign(private, tokens.claims(user, role, **more), "ES256"))
    workers.stop()


def test_somebody_whom_only_the_other_login_knows(site):
    """Nothing here speaks against them, and nothing can be ended for them here."""
    unknown = 9 * 10 ** 17
    for more in ({}, {"iat": int(time.time())}):
        assert check.ok(site("GET", "/api/v1/orders/me", unknown, **more)) == []
        assert site("GET", f"/api/v1/events/customer/{unknown}", unknown, **more).status == 200
        check.problem(site("GET", "/api/v1/orders/shop/1", unknown, "shopkeeper", **more), 403, "forbidden")
        check.problem(site("GET", "/api/v1/orders/1", unknown, **more), 404, "not_found")
        check.problem(site("POST", "/api/v1/auth/logout-all", unknown, **more), 404, "not_found")


def test_the_other_logins_tokens_end_here(own, site):
    user, before = own.tools.user().id, int(time.time())
    assert site("GET", "/api/v1/orders/me", user).status == 200
    assert site("POST", "/api/v1/auth/logout-all", user, iat=before).status == 204
    after = time.time() + 1
    check.problem(site("GET", "/api/v1/orders/me", user, iat=before), 401, "unauthorized")
    check.problem(site("GET", "/api/v1/orders/me", user), 401, "unauthorized")      # one that does not say when it was made
    assert site("GET", "/api/v1/orders/me", user, iat=int(after) + 1).status == 200
    assert site("GET", "/api/v1/orders/me", user, iat=after + 1.25).status == 200
    # ended with one from the far future: that must not end all those to come
    site("POST", "/api/v1/auth/logout-all", user, iat=4102444000)
    assert site("GET", "/api/v1/orders/me", user, iat=time.time() + 2).status == 200
    own.tools.run("user", "change", user, "--active", "no")
    check.problem(site("GET", "/api/v1/orders/me", user, iat=4102444000), 401, "unauthorized")


@pytest.mark.parametrize("iat", ["1790000000", None, True, [1], {"a": 1}])
def test_iat_that_is_no_number(api, world, iat):
    token = tokens.by_hand({"alg": "HS256", "typ": "JWT"}, {**tokens.claims(world.customer.id, "customer"), "iat": iat}, api.key)
    check.problem(api.call("GET", "/api/v1/orders/me", token), 401, "unauthorized")


@pytest.mark.parametrize("text", ["1e999999999", "-1e999999999", "0.000000000000000000001", "253402300800", "9" * 400, "-0", "1.5e9"])
def test_iat_of_all_sizes(own, text):
    who = Person(own)
    payload = json.dumps(tokens.claims(who.id, "customer"))[:-1] + f', "iat": {text}}}'
    token = tokens.by_hand({"alg": "HS256", "typ": "JWT"}, payload.encode(), own.key)
    assert own.call("GET", "/api/v1/orders/me", token).status == 200
    assert own.call("POST", "/api/v1/auth/logout-all", who.token).status == 204
    assert own.call("GET", "/api/v1/orders/me", token).status == (200 if text in ("1e999999999", "253402300800", "9" * 400) else 401)
