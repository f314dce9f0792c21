"""Subscriptions through both nginx: who may, what arrives, and what must do no harm."""
import os
import socket
import time

import pytest

from lib import check, proc
from lib.http import HttpClient, loads
from lib.subscribers import channel, customer, fresh, refusals, shop, ticket, unharmed  # noqa: F401 (fixtures)
from lib.subscribe import EventSource, LongPoll, Refused, WebSocket, upgrade
from lib.together import together

case = pytest.param


# --- a client that never reads: begun first, as its end takes ten seconds

@pytest.fixture(scope="module")
def not_reading(stack):
    """A WebSocket of which nobody reads while 12 MB are published to it; gives (socket, memory in use before)."""
    shop = stack.tools.shop()
    before = memory(stack)
    conn = stack.call.socket(10)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    conn.sendall(f"GET {channel(shop)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {shop.keeper.token}\r\n\r\n".encode())
    assert conn.recv(12) == b"HTTP/1.1 101"
    publisher = HttpClient(("unix", f"{stack.dir}/pub.sock"))
    for _ in range(200):
        assert publisher("POST", f"/pub/shop/{shop.id}", body=b"x" * 60000).status in (201, 202)
    yield conn, before
    conn.close()


def memory(stack):
    """KiB of shared memory in use by nchan."""
    text = next(v for n, v in stack.push_status().items() if n.startswith("shared memory used"))
    number = float(text.rstrip("KMGi B"))
    return number * (1024 if "M" in text else 1)


def test_a_client_that_does_not_read_begins(stack, not_reading):
    assert memory(stack) > not_reading[1] + 4096


# --- what arrives

def test_websocket(stack, shop, customer):
    with WebSocket(stack.call, channel(shop), shop.keeper) as at_the_shop, WebSocket(stack.call, channel(customer), customer) as at_home:
        first = stack.last_seq(shop.keeper, "shop", shop.id)
        order = stack.place(customer, shop)
        stack.bring_to(shop, order, "picked_up")
        news = at_the_shop.receive()
        assert list(news.value) == check.NEW_ORDER and news.value["order_id"] == order["id"]
        assert news.seq == first + 1
        updates = at_home.take(3)
        assert [list(m.value) for m in updates] == [check.ORDER_UPDATE, check.PICKUP_READY, check.ORDER_UPDATE]
        assert [m.value["status"] for m in updates] == ["confirmed", "ready", "picked_up"]
        assert [m.seq - updates[0].seq for m in updates] == [0, 1, 2]
        events = stack.events(customer, "customer", customer.id)["events"]
        assert [(e["seq"], e["message"]) for e in events[-3:]] == [(m.seq, m.value) for m in updates]
        at_the_shop.nothing()
        at_home.nothing(0.05)


def test_a_plain_websocket_gets_the_bare_body(stack, shop, customer):
    with WebSocket(stack.call, channel(shop), shop.keeper, meta=False) as ws:
        order = stack.place(customer, shop)
        message = ws.receive()
        assert list(message.value) == check.NEW_ORDER and message.value["order_id"] == order["id"]


@pytest.mark.parametrize("asked, given", [("ws+meta.nchan", "ws+meta.nchan"), ("ws+meta.nchan, other", "ws+meta.nchan"),
                                          ("other, ws+meta.nchan", "ws+meta.nchan"), ("other,ws+meta.nchan,more", "ws+meta.nchan"),
                                          ("other", None), ("ws+meta.nchan.old", None)])
def test_the_subprotocol_among_others(stack, shop, asked, given):
    """What is asked for is given wherever it stands in the list; what is not known is not answered with an empty header."""
    answer = upgrade(stack.call, channel(shop), shop.keeper, {"Sec-WebSocket-Protocol": asked})
    assert (answer.status, answer.header("Sec-WebSocket-Protocol")) == (101, given)


def test_event_source(stack, shop, customer):
    with EventSource(stack.call, channel(shop), shop.keeper) as source:
        order = stack.place(customer, shop)
        data = loads(source.receive()["data"].encode())
        assert list(data) == check.NEW_ORDER and data["order_id"] == order["id"]


def test_long_polling(stack, fresh, customer):
    poll = LongPoll(stack.call, channel(fresh), fresh.keeper)
    proc.wait_for(lambda: subscribers(stack, fresh) == 1, 10, "the subscription")
    order = stack.place(customer, fresh)
    answer = poll.result()
    assert answer.status == 200 and answer.media_type == "application/json", answer
    assert list(answer.json()) == check.NEW_ORDER and answer.json()["order_id"] == order["id"]


def subscribers(stack, shop):
    """How many nchan counts on a shop's channel."""
    answer = HttpClient(("unix", f"{stack.dir}/pub.sock"))("GET", f"/pub/shop/{shop.id}", headers={"Accept": "application/json"})
    return answer.json()["subscribers"] if answer.status == 200 else 0


def test_every_device_gets_every_message(stack, fresh, customer):
    sockets = [WebSocket(stack.call, channel(fresh), fresh.keeper) for _ in range(5)]
    placed = [stack.place(customer, fresh)["id"] for _ in range(3)]
    for ws in sockets:
        messages = ws.take(3)
        assert [(m.seq, m.value["order_id"]) for m in messages] == list(enumerate(placed, 1))
        ws.close()


def test_order_under_load(stack, fresh):
    customers = [stack.tools.user() for _ in range(4)]
    sockets = [WebSocket(stack.call, channel(c), c) for c in customers]
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as at_the_shop:
        def whole_life(customer):
            stack.bring_to(fresh, stack.place(customer, fresh), "picked_up")
        together([lambda c=customers[n % 4]: whole_life(c) for n in range(12)])
        assert [m.seq for m in at_the_shop.take(12)] == list(range(1, 13))
    for ws in sockets:
        messages = ws.take(9)
        assert [m.seq for m in messages] == list(range(1, 10))
        for order_id in {m.value["order_id"] for m in messages}:
            assert [m.value["status"] for m in messages if m.value["order_id"] == order_id] == ["confirmed", "ready", "picked_up"]
        ws.close()


# --- who may

@pytest.mark.parametrize("how", ["header", "query", "ticket in the query", "ticket in the header", "with a trailing slash"])
@pytest.mark.parametrize("kind", ["shop", "customer"])
def test_ways_to_show_a_token(stack, shop, customer, kind, how):
    thing, who = (shop, shop.keeper) if kind == "shop" else (customer, customer)
    target, token = channel(thing), None
    if how in ("header", "with a trailing slash"):
        token = who
    elif how == "query":
        target += f"?token={who.token}"
    elif how == "ticket in the query":
        target += f"?token={ticket(stack, who)}"
    else:
        token = ticket(stack, who)
    if how == "with a trailing slash":
        target += "/"
    with WebSocket(stack.call, target, token) as ws:
        order = stack.place(customer, shop)
        if kind == "customer":
            stack.change(shop, order, status="confirmed")
        assert ws.receive().value["order_id"] == order["id"]


def spoiled(stack, who):
    """Tokens that open nothing."""
    good, other = ticket(stack, who), stack.tools
    return {"garbage": "x.y.z", "empty": "", "bent": who.token[:-5] + "AAAAA", "bent ticket": good[:-5] + "AAAAA",
            "expired": other.run("token", "create", "--user", who.id, "--ttl", 1).strip(),
            "expired ticket": other.run("token", "create", "--user", who.id, "--ticket", "--ttl", 1).strip()}


def test_no_or_bad_tokens(stack, shop, customer):
    bad = spoiled(stack, shop.keeper)
    time.sleep(2.1)     # the one thing that only time brings: both tokens of a second run out
    for thing in (shop, customer):
        for answer in refusals(stack, channel(thing)):
            check.problem(answer, 401, "unauthorized")
        for name, token in bad.items():
            for answer in refusals(stack, f"{channel(thing)}?token={token}") + refusals(stack, channel(thing), token):
                check.problem(answer, 401, "unauthorized")


def test_another_ones_channel(stack, shop, customer, fresh):
    stranger = stack.tools.user()
    pairs = [(shop, customer), (shop, fresh.keeper), (shop, stranger), (customer, stranger), (customer, shop.keeper),
             (customer, stack.tools.token(customer.id, "shopkeeper"))]
    for thing, who in pairs:
        for answer in refusals(stack, channel(thing), who) + refusals(stack, f"{channel(thing)}?token={ticket(stack, who)}"):
            check.problem(answer, 403, "forbidden")
    for answer in refusals(stack, "/ws/shop/999999999", shop.keeper):
        assert answer.status in (403, 404) and answer.media_type == "application/problem+json", answer


def test_a_refused_websocket_says_why(stack, shop):
    with pytest.raises(Refused) as refused:
        WebSocket(stack.call, channel(shop))
    check.problem(refused.value.response, 401, "unauthorized")


def test_the_last_token_does_not_win_over_the_right_one(stack, shop, customer):
    """Two tokens in one address: never more than one of them allows."""
    for query in (f"token={customer.token}&token=x", f"token=x&token={customer.token}"):
        assert upgrade(stack.call, f"{channel(shop)}?{query}").status in (401, 403)


def test_no_token_is_ever_logged(stack, shop, customer):
    tokens = [shop.keeper.token, ticket(stack, shop.keeper), customer.token]
    for token in tokens:
        upgrade(stack.call, f"{channel(shop)}?token={token}")
        upgrade(stack.call, f"{channel(shop)}?last_event_id=1:0&token={token}")
        upgrade(stack.call, f"/ws/shop/0?token={token}")
        stack.call("POST", f"{channel(shop)}?token={token}", json={})
    time_to_flush = time.monotonic() + 1.5     # the access log is buffered for a second
    proc.wait_for(lambda: time.monotonic() > time_to_flush, 5)
    for name in os.listdir(f"{stack.dir}/log"):
        with open(f"{stack.dir}/log/{name}", errors="replace") as f:
            text = f.read()
        for token in tokens:
            assert token not in text and token.rpartition(".")[2] not in text, name


# --- resuming by nchan's ids: ignored or refused, and harmless

RESUMES = {
    "?last_event_id=": lambda now: (f"?last_event_id={now}:0", {}),
    "?last_event_id= of the past": lambda now: (f"?last_event_id={now - 100}:0", {}),
    "?last_event_id= of the future": lambda now: (f"?last_event_id={now + 100}:0", {}),
    "Last-Event-ID": lambda now: ("", {"Last-Event-ID": f"{now}:0"}),
    "If-None-Match": lambda now: ("", {"If-None-Match": "0", "If-Modified-Since": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))}),
    "If-None-Match alone": lambda now: ("", {"If-None-Match": f"{now}:0"}),
    "all": lambda now: (f"?last_event_id={now}:0", {"Last-Event-ID": f"{now}:0", "If-None-Match": "0",
                                                    "If-Modified-Since": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))}),
    "malformed": lambda now: ("?last_event_id=:::,,%00x", {"Last-Event-ID": "-1:[1],,", "If-None-Match": '"'}),
}


@pytest.mark.parametrize("resume", [case(f, id=name) for name, f in RESUMES.items()])
@pytest.mark.parametrize("door", ["front", "push"])
def test_resuming_does_no_harm(stack, fresh, customer, door, resume):
    client = stack.call if door == "front" else HttpClient(("unix", f"{stack.dir}/sub.sock"))
    worker = stack.nginx_worker("push")
    for used in (False, True):
        for _ in range(2):
            query, headers = resume(int(time.time()))
            for accept in ("websocket", "text/event-stream"):
                if accept == "websocket":
                    assert upgrade(client, channel(fresh) + query, fresh.keeper, headers).status in (101, 400)
                else:
                    try:
                        EventSource(client, channel(fresh) + query, fresh.keeper, headers).close()
                    except Refused as e:
                        assert e.response.status == 400
        if not used:
            with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
                order = stack.place(customer, fresh)
                assert ws.receive().value["order_id"] == order["id"]
    assert stack.nginx_worker("push") == worker


def test_an_old_message_does_not_come_again(stack, fresh, customer):
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        stack.place(customer, fresh)
        message_id = ws.receive().meta.partition("\n")[0].partition("id: ")[2]
        assert message_id
    for query, headers in ((f"?last_event_id={int(time.time()) - 60}:0", {}), (f"?last_event_id={message_id}", {}), ("", {"Last-Event-ID": "1:0"})):
        with WebSocket(stack.call, channel(fresh) + query, fresh.keeper, headers=headers) as ws:
            ws.nothing(0.15)


# --- publishing from outside

def test_nobody_publishes_from_outside(stack, fresh):
    forged = b'{"type":"new_order","order_id":1}'
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        for target in (f"/pub/shop/{fresh.id}", f"/pub/shop/{fresh.id}/", channel(fresh), channel(fresh) + f"?token={fresh.keeper.token}", "/status",
                       f"/ws/../pub/shop/{fresh.id}", f"//pub/shop/{fresh.id}", f"/ws/shop/..%2f..%2fpub/shop/{fresh.id}"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                answer = stack.call(method, target, fresh.keeper, body=forged)
                assert answer.status in (400, 403, 404, 405), (method, target, answer)
                assert answer.media_type == "application/problem+json", answer
            if not target.startswith("/ws/shop") or ".." in target:
                assert stack.call("GET", target, fresh.keeper).status in (400, 404)
        check.problem(stack.call("POST", f"/pub/shop/{fresh.id}", body=forged), 404, "not_found")
        ws.nothing()


def test_the_subscribers_door_publishes_nothing(stack, fresh):
    """Even behind the front: the publishers' path is not served on the subscribers' socket."""
    client = HttpClient(("unix", f"{stack.dir}/sub.sock"))
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as ws:
        for method in ("POST", "PUT", "DELETE"):
            assert client(method, f"/pub/shop/{fresh.id}", body=b"{}").status == 404
            assert client(method, channel(fresh), fresh.keeper, body=b"{}").status in (403, 405)
        ws.nothing()


def test_a_client_that_speaks_is_shown_the_door(stack, fresh):
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as other:
        talker = WebSocket(stack.call, channel(fresh), fresh.keeper)
        talker.send('{"type":"new_order"}')
        assert talker.closed().code == 1008
        other.nothing()


def test_the_sockets_directory_is_the_protection(stack):
    assert os.stat(stack.dir).st_mode & 0o007 == 0


def test_a_delete_closes_every_socket_of_a_channel(stack, fresh):
    sockets = [WebSocket(stack.call, channel(fresh), fresh.keeper) for _ in range(20)]
    answer = HttpClient(("unix", f"{stack.dir}/pub.sock"))("DELETE", f"/pub/shop/{fresh.id}")
    assert answer.status == 200
    assert [ws.closed().code for ws in sockets] == [1001] * 20


def test_a_client_that_does_not_read_is_dropped(stack, not_reading):
    """Its memory comes back within send_timeout and a little."""
    conn, before = not_reading
    proc.wait_for(lambda: memory(stack) < before + 2048, 30, f"memory to come back to {before} KiB: {memory(stack)}", pause=0.1)
