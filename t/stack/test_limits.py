"""What nginx's limits count as one: an IPv6 network, and a token in whatever form it comes."""
import contextlib

import pytest

from lib import directives, wire


@pytest.fixture(scope="module", params=["front", "single"])
def served(request):
    """An instance that believes X-Forwarded-For, and limits each thing to next to nothing."""
    stack = request.getfixturevalue("stack" if request.param == "front" else "single")

    def tightened(text):
        text = directives.with_text(text, "set_real_ip_from", "set_real_ip_from unix:;")
        text = directives.with_text(text, "limit_req api", "limit_req zone=api burst=3 nodelay;")
        text = directives.with_text(text, "limit_req_zone api", text_of(text, "limit_req_zone api").replace("rate=100r/s", "rate=1r/s"))
        return directives.with_text(text, "limit_conn token_subscribers", "limit_conn token_subscribers 2;")
    with directives.files(stack, request.param, {f"{request.param}.conf": tightened}):
        yield stack


def text_of(text, name):
    return directives.tunables(text)[name].text


def asked_from(stack, addresses):
    return [stack.call.send("GET", "/api/v1/shops", {"X-Forwarded-For": address}, b"").status for address in addresses]


@pytest.mark.parametrize("pattern, counted_as_one", [
    ("2001:db8:1:1::{:x}", True), ("2001:db8:2:{:x}::1", False), ("2001:db8:3:1:{:x}::", True), ("192.0.2.{}", False), ("::ffff:198.51.100.{}", False)])
def test_who_is_one_client(served, pattern, counted_as_one):
    statuses = asked_from(served, [pattern.format(n) for n in range(1, 13)])
    assert (429 in statuses) == counted_as_one and 200 in statuses, statuses


@pytest.fixture(scope="module")
def shop(served):
    return served.tools.shop(keeper=served.tools.user("shopkeeper", "Asha Rao"))


def encoded(token):
    return f"%{ord(token[0]):02x}{token[1:]}"


# The n-th of several requests with one token.
FORMS = {
    "as it is": lambda target, token, n: (f"{target}?token={token}", {}),
    "in the header": lambda target, token, n: (target, {"Authorization": f"Bearer {token}"}),
    "after a tab": lambda target, token, n: (target, {"Authorization": f"Bearer \t{token}"}),
    "encoded": lambda target, token, n: (f"{target}?token={encoded(token)}", {}),
    "beside another scheme": lambda target, token, n: (f"{target}?token={token}", {"Authorization": f"x|a.b.{n:016}"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_counted(served, shop, form):
    other = served.tools.run("token", "create", "--user", shop.keeper.id, "--ttl", 78).strip()

    def asks(token, n, how=form):
        target, headers = FORMS[how](f"/ws/shop/{shop.id}", token, n)
        return wire.upgrade_head(target, None, **headers)

    with contextlib.ExitStack() as opened:
        seen = [wire.status(wire.heard(conn, 0.3)[0]) for conn in opened.enter_context(wire.held(served, *[asks(shop.keeper.token, n) for n in range(4)]))]
        assert sorted(seen) == [101, 101, 429, 429]
        conn, = opened.enter_context(wire.held(served, asks(other, 0, "as it is")))
        assert wire.status(wire.heard(conn, 0.3)[0]) == 101


@pytest.mark.parametrize("query", ["to%6ben={}", "TOKEN=a.b.c&token={}", "token=a.b.c&token={}"])
def test_only_the_token_that_was_counted_opens_a_channel(served, shop, query):
    raw = wire.upgrade_head(f"/ws/shop/{shop.id}?" + query.format(shop.keeper.token), None)
    assert wire.asked(served, raw)[0] == 401
