"""Who subscribes in tests of the push nginx: fixtures, to be imported."""
import pytest

from . import check
from .subscribe import upgrade


@pytest.fixture(scope="module")
def shop(stack):
    return stack.tools.shop(("60.00", None))


@pytest.fixture(scope="module")
def customer(stack):
    return stack.tools.user(name="Kiran Kumar")


@pytest.fixture()
def fresh(stack):
    """A shop whose channel nobody used yet."""
    return stack.tools.shop(("60.00", None))


@pytest.fixture(autouse=True)
def unharmed(stack, request):
    """Whatever a client does, nginx's processes live on; tests that reload or kill say so."""
    front, push = stack.pid("front"), stack.nginx_worker("push")
    yield
    if "takes_away" not in request.keywords:
        assert (stack.pid("front"), stack.nginx_worker("push")) == (front, push), stack.tail("push")


def ticket(stack, who):
    return check.ok(stack.call("POST", "/api/v1/auth/ticket", who))["ticket"]


def channel(thing):
    return f"/ws/{'shop' if hasattr(thing, 'keeper') else 'customer'}/{thing.id}"


def refusals(stack, target, token=None):
    """The answers to the three kinds of subscriber."""
    bearer = {"Authorization": f"Bearer {getattr(token, 'token', token)}"} if token is not None else {}
    return [upgrade(stack.call, target, token), stack.call("GET", target, headers={"Accept": "text/event-stream", **bearer}),
            stack.call("GET", target, headers=bearer)]
