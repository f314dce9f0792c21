"""Channels whose subscribers lost a right: the relay makes them come again, and they are judged anew."""
import signal
import subprocess
import time

import pytest

from lib import check, proc
from lib.relays import db, folder, make_push, poke, push, relays, server  # noqa: F401 (fixtures)
from lib.subscribe import EventSource, LongPoll, Refused, WebSocket
from lib.subscribers import channel, customer, fresh  # noqa: F401 (fixtures)

SOON = 1.5      # "within about a second"
AGAIN = 6       # after so many seconds a channel is closed once more
NOT_AGAIN = AGAIN - 0.5     # until then it was the first time


def wait_closed(push, n, patience):
    proc.wait_for(lambda: len(push.closed) >= n, patience, f"{n} channels to be closed: {push.closed}", 0.01)
    return [channel for _, channel in push.closed]


# --- the relay and instances that misbehave

def test_twice_and_then_the_row_goes(db, relays, make_push):
    one, other = make_push("one"), make_push("other")
    other.on_delete = lambda n, path: 404       # nobody used the channel there
    r = relays.start(push_urls=f"{one.url} {other.url}", relay_poll_ms=60000)
    db.close(("shop", 7), ("customer", 9))
    poke(r)
    for p in (one, other):
        assert wait_closed(p, 2, SOON) == [("shop", 7), ("customer", 9)]
    assert db.left_to_close() == 2
    for p in (one, other):
        assert wait_closed(p, 4, AGAIN + SOON)[2:] == [("shop", 7), ("customer", 9)]
        assert p.closed[2][0] - p.closed[0][0] >= AGAIN
    proc.wait_for(lambda: db.left_to_close() == 0, SOON, "the rows to go")
    assert (one.deletes, other.deletes) == (4, 4)


def test_a_poke_is_enough(db, relays, push):
    """Each begins right after a look, so that without it the next one were a second away."""
    r = relays.start(push_urls=push.url, relay_poll_ms=60000)
    with db.server.session() as session:
        def closed(channel, is_poked):
            """When."""
            session.tell(f"INSERT INTO channel_closes (channel_kind, channel_id, at) VALUES (1, {channel}, UTC_TIMESTAMP(6))")
            if is_poked:
                poke(r)
            return proc.wait_for(lambda: [at for at, which in push.closed if which == ("shop", channel)], SOON, "the channel to be closed")[0]
        assert any(-closed(2 * n, False) + closed(2 * n + 1, True) < 0.5 for n in range(1, 20))


@pytest.mark.parametrize("poll_ms", [500, 60000])
def test_without_a_poke(db, relays, push, poll_ms):
    relays.start(push_urls=push.url, relay_poll_ms=poll_ms)
    wait_first_look(db, push)
    db.close(("shop", 7))
    wait_closed(push, 2, SOON)


def wait_first_look(db, push):
    """One that stood in the table before was closed."""
    db.close(("shop", 1))
    wait_closed(push, 1, SOON)


def test_killed_in_between(db, relays, push):
    """A relay that takes over begins anew: at least twice, whatever happens."""
    r = relays.start(push_urls=push.url)
    db.close(("shop", 7))
    wait_closed(push, 1, SOON)
    proc.stop(r, signal.SIGKILL)
    assert db.left_to_close() == 1
    db.close(("shop", 8))
    began = time.monotonic()
    relays.start(push_urls=push.url)
    assert wait_closed(push, 3, SOON)[1:] == [("shop", 7), ("shop", 8)]
    proc.wait_for(lambda: db.left_to_close() == 0, AGAIN + SOON, "the rows to go")
    assert time.monotonic() - began >= AGAIN and push.deletes == 5


def test_only_the_relay_that_publishes(db, relays, push):
    relays.start(push_urls=push.url, name="a")
    relays.start(push_urls=push.url, name="b")
    db.close(("shop", 7))
    wait_closed(push, 1, SOON)
    proc.wait_for(lambda: db.left_to_close() == 0, AGAIN + SOON, "the row to go")
    assert push.deletes == 2


def test_an_instance_that_is_away_or_hangs_holds_up_nobody(db, relays, push, make_push):
    away, hangs, refuses = make_push("away", start=False), make_push("hangs"), make_push("refuses")
    hangs.on_delete = lambda n, path: 200 if awake else "hang"
    refuses.on_delete = lambda n, path: 200 if awake else (405, 500, "close")[n % 3]
    awake = []
    relays.start(push_urls=f"{away.url} {hangs.url} {refuses.url} {push.url}", push_timeout_ms=3000)
    db.close(("shop", 7))
    wait_closed(push, 1, SOON)
    db.close(("shop", 8))
    proc.wait_for(lambda: ("shop", 8) in [channel for _, channel in push.closed], SOON, "the other one to be closed")
    for n in range(40):
        db.notify(("shop", 7), ("customer", 1))
        for p in (push, hangs, refuses):
            p.wait(2 * n + 2)
    wait_closed(push, 4, AGAIN + SOON)
    proc.wait_for(lambda: hangs.deletes > 2 and refuses.deletes > 2, 5, "others to be asked again")
    assert db.left_to_close() == 2 and push.deletes == 4
    awake.append(True)
    away.start()
    for p in (away, hangs, refuses):
        assert sorted(wait_closed(p, 2, SOON)) == [("shop", 7), ("shop", 8)]
    proc.wait_for(lambda: db.left_to_close() == 0, AGAIN + SOON, "the rows to go")
    assert push.deletes == 4, "who has done it is asked no more"


def test_many_at_once_beside_messages(db, relays, push):
    relays.start(push_urls=push.url)
    wait_first_look(db, push)
    closed = []
    push.answer = lambda n, path: closed.append(len(push.closed)) or 201
    with db.server.session() as session:
        session.tell("INSERT INTO channel_closes (channel_kind, channel_id, at) SELECT 2, seq, UTC_TIMESTAMP(6) FROM seq_1_to_1000")
        for n in range(1, 21):
            session.tell("INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)"
                         f" VALUES (1, 1, 1, {n}, 1, UTC_TIMESTAMP(6), '{{}}')")
            push.wait(n)
    assert closed[0] < 1001, "the first message waited until all were closed"
    assert set(wait_closed(push, 1001, 15)[1:]) >= {("customer", n) for n in range(1, 1001)}
    proc.wait_for(lambda: db.left_to_close() == 0, AGAIN + 15, "the rows to go")
    assert push.deletes == 2002


def test_rows_of_no_channel_go(db, relays, push):
    db.sql("INSERT INTO channel_closes (channel_kind, channel_id, at) VALUES (0, 1, NOW()), (3, 1, NOW()), (255, 1, NOW()), (1, 0, NOW())")
    relays.start(push_urls=push.url)
    proc.wait_for(lambda: db.left_to_close() == 0, SOON, "the rows to go")
    assert push.deletes == 0


def test_without_instances_there_are_no_subscribers(db, relays):
    relays.start(push_urls="")
    db.close(("shop", 7))
    proc.wait_for(lambda: db.left_to_close() == 0, SOON, "the row to go")


def test_the_database_is_killed_meanwhile(db, relays, push):
    relays.start(push_urls=push.url, relay_lease_s=2)
    db.close(("shop", 7))
    wait_closed(push, 1, SOON)
    db.server.kill()
    time.sleep(2.5)     # the lease runs out meanwhile: whoever gets it begins anew
    db.server.start()
    proc.wait_for(lambda: db.left_to_close() == 0, AGAIN + 5, "the row to go")
    assert push.deletes == 3


def test_once_waits_for_the_second_time(db, relays, push):
    db.close(("shop", 7))
    began = time.monotonic()
    r = relays.start("--once", push_urls=push.url, wait=False)
    assert r.wait(AGAIN + 60) == 0 and time.monotonic() - began >= AGAIN
    assert (push.deletes, db.left_to_close()) == (2, 0)


def test_once_gives_up_where_it_can_not(db, relays, push):
    push.on_delete = lambda n, path: 500
    db.close(("shop", 7))
    assert relays.start("--once", push_urls=push.url, wait=False).wait(60) == 69
    assert db.left_to_close() == 1


# --- with both nginx

def sql(stack, statement):
    done = subprocess.run(["mariadb", f"--defaults-file={stack.dir}/etc/client.cnf", "-N", "-B", "-D", "pickup", "-e", statement],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def close(stack, thing):
    kind = 1 if hasattr(thing, "keeper") else 2
    sql(stack, f"INSERT INTO channel_closes (channel_kind, channel_id, at) VALUES ({kind}, {thing.id}, UTC_TIMESTAMP(6))")


def next_after(ws, seen):
    """The first message that the client has not seen; what it has may come again."""
    while True:
        message = ws.receive()
        if message.seq > seen:
            return message


def test_every_kind_of_subscriber_comes_again(stack, fresh, customer):
    """Those of other channels stay, and nothing is missed."""
    other = stack.tools.shop(("60.00", None))
    sockets = [WebSocket(stack.call, channel(fresh), fresh.keeper) for _ in range(20)]
    poll = LongPoll(stack.call, channel(fresh), fresh.keeper)
    with EventSource(stack.call, channel(fresh), fresh.keeper) as source, WebSocket(stack.call, channel(other), other.keeper) as elsewhere, \
            WebSocket(stack.call, channel(customer), customer) as at_home:
        first = stack.place(customer, fresh)
        assert [ws.receive().seq for ws in sockets] == [1] * 20
        source.receive()
        assert poll.result().status == 200
        poll = LongPoll(stack.call, channel(fresh), fresh.keeper)
        close(stack, fresh)
        began = time.monotonic()
        assert [ws.closed().code for ws in sockets] == [1001] * 20
        assert time.monotonic() - began < NOT_AGAIN
        assert poll.result().status == 410
        with pytest.raises(Exception):
            source.receive()
        missed = stack.place(customer, fresh)
        with WebSocket(stack.call, channel(fresh), fresh.keeper) as again:
            events = stack.wait_events(fresh.keeper, "shop", fresh.id, 2)
            assert [(e["seq"], e["message"]["order_id"]) for e in events] == [(1, first["id"]), (2, missed["id"])]
            third = stack.place(customer, fresh)
            message = next_after(again, 2)
            assert (message.seq, message.value["order_id"]) == (3, third["id"])
            assert again.closed().code == 1001, "once more, for who was let in before and opened after that"
        with WebSocket(stack.call, channel(fresh), fresh.keeper) as last:
            proc.wait_for(lambda: sql(stack, "SELECT COUNT(*) FROM channel_closes") == ["0"], 5, "the row to go")
            stack.change(fresh, first, status="confirmed")
            fourth, there = stack.place(customer, fresh), stack.place(customer, other)
            assert next_after(last, 3).value["order_id"] == fourth["id"]
            last.nothing()
            assert elsewhere.receive().value["order_id"] == there["id"]
            assert at_home.receive().value["order_id"] == first["id"]
    check.ok(stack.call("GET", "/readyz"))


def refused(stack, target, who, status, code):
    with pytest.raises(Refused) as refusal:
        WebSocket(stack.call, target, who)
    check.problem(refusal.value.response, status, code)


def test_who_lost_the_right_is_not_let_in_again(stack, fresh):
    successor = stack.tools.user("shopkeeper")
    ws = WebSocket(stack.call, channel(fresh), fresh.keeper)
    # Which writes the row.
    stack.tools.run("shop", "change", fresh.id, "--owner", successor.id)
    assert ws.closed(NOT_AGAIN).code == 1001
    refused(stack, channel(fresh), fresh.keeper, 403, "forbidden")
    WebSocket(stack.call, channel(fresh), successor).close()


def test_whoever_loses_a_right_is_cut_off_at_once(stack, fresh):
    """By every way to lose it; whoever keeps it comes again."""
    helper, customer, keeper, at = stack.tools.user(), stack.tools.user(), fresh.keeper, f"/api/v1/shops/{fresh.id}/staff"
    check.ok(stack.call("POST", at, keeper, json={"user_id": helper.id}), 201)
    of_helper, of_keeper = WebSocket(stack.call, channel(fresh), helper), WebSocket(stack.call, channel(fresh), keeper)
    assert stack.call("DELETE", f"{at}/{helper.id}", keeper).status == 204
    assert (of_helper.closed(NOT_AGAIN).code, of_keeper.closed(NOT_AGAIN).code) == (1001, 1001)
    refused(stack, channel(fresh), helper, 403, "forbidden")
    of_keeper = WebSocket(stack.call, channel(fresh), keeper)
    of_customer = WebSocket(stack.call, channel(customer), customer)
    assert stack.call("POST", "/api/v1/auth/logout-all", keeper).status == 204
    assert of_keeper.closed(NOT_AGAIN).code == 1001
    refused(stack, channel(fresh), keeper, 401, "unauthorized")
    stack.tools.run("user", "change", customer.id, "--active", "no")
    assert of_customer.closed(NOT_AGAIN).code == 1001
    refused(stack, channel(customer), customer, 401, "unauthorized")


@pytest.mark.takes_away
def test_a_push_instance_that_is_killed_meanwhile(stack, fresh, customer):
    ws = WebSocket(stack.call, channel(fresh), fresh.keeper)
    pid = stack.kill("push")
    close(stack, fresh)
    ws.closed()
    stack.back("push", pid)
    proc.wait_for(lambda: sql(stack, "SELECT COUNT(*) FROM channel_closes") == ["0"], 2 * AGAIN + 5, "the row to go")
    with WebSocket(stack.call, channel(fresh), fresh.keeper) as again:
        stack.place(customer, fresh)
        assert again.receive().seq == 1


def test_with_one_nginx(single):
    shop = single.tools.shop(("60.00", None))
    ws = WebSocket(single.call, channel(shop), shop.keeper)
    close(single, shop)
    assert ws.closed(NOT_AGAIN).code == 1001
