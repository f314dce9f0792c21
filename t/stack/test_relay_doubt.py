"""What `pickup relay` sends again, or finds again, where nobody can know what became of it."""
import itertools
import os
import signal
import threading

import pytest

from lib import proc
from lib.relays import db, folder, make_push, poke, push, relays, seqs, server, through  # noqa: F401 (fixtures)


def test_a_clean_end_leaves_nothing_to_repeat(db, relays, push):
    for n in range(1, 4):
        r = relays.start(push_urls=push.url)
        db.notify(*[("shop", 1)] * 20)
        push.wait(20 * n)
        db.wait_empty()
        assert proc.stop(r) == 0
        assert db.value("SELECT expires_at <= UTC_TIMESTAMP(6) FROM relay_lease") == "1"
        assert not os.path.exists(r.poke_path)
    assert len(push.accepted) == 60


@pytest.mark.parametrize("before, after, repeats", [
    pytest.param("17", "17", False, id="the same"), pytest.param("17", "18", True, id="another"),
    pytest.param(None, None, True, id="unknown"), pytest.param("17", None, True, id="unknown now"),
    pytest.param("\xff\0", "\xff\0", True, id="no number"), pytest.param("9" * 5000, "9" * 5000, False, id="a long number")])
def test_the_next_relay_repeats_the_last_seconds_to_another_worker(db, relays, push, before, after, repeats):
    """Perhaps the one before fed a worker that was on its way out, and new subscribers were at the next one already."""
    push.worker = before
    r = relays.start(push_urls=push.url)
    db.notify(*[("shop", 1)] * 3)
    push.wait(3)
    assert proc.stop(r) == 0
    push.worker = after
    relays.start(push_urls=push.url)
    db.notify(("shop", 1))
    push.wait(4)
    assert seqs(push.accepted) == ([1, 2, 3, 1, 2, 3, 4] if repeats else [1, 2, 3, 4])


@pytest.mark.parametrize("when", ["idle", "before the answer"])
@pytest.mark.parametrize("worker", ["17", "18", None])
def test_another_worker_gets_the_last_seconds_first(db, relays, make_push, when, worker):
    def answer(n, path):
        if n == 5:
            push.worker = worker
            return "close" if when != "idle" else 201
        return 201

    push = make_push(answer=answer)
    r = relays.start(push_urls=push.url)
    for n in range(1, 5):
        db.notify(("shop", 1))
        push.wait(n)
    db.wait_cursor(push, 4)
    assert push.connections == 1
    if when == "idle":
        push.worker = worker
        push.cut()
    db.notify(("shop", 1))
    push.wait(5)
    assert seqs(push.accepted) == [1, 2, 3, 4] + ([1, 2, 3, 4] if worker != "17" else []) + [5] and push.connections == 2
    db.wait_cursor(push, 5)
    assert db.value("SELECT settled_no FROM push_cursors") == "0"
    assert proc.stop(r) == 0


def test_another_worker_is_noticed_in_silence(db, relays, push):
    """Nothing more is to be sent, and a subscriber who was there already would wait for ever."""
    relays.start(push_urls=push.url)
    db.notify(("shop", 1))
    push.wait(1)
    push.worker = "18"
    push.cut()
    proc.wait_for(lambda: len(push.accepted) == 2, 5, "it again")
    assert seqs(push.accepted) == [1, 1]


def test_the_next_relay_asks_in_silence(db, relays, push):
    r = relays.start(push_urls=push.url)
    db.notify(("shop", 1))
    push.wait(1)
    proc.stop(r, signal.SIGKILL)
    push.worker = "18"
    relays.start(push_urls=push.url)
    proc.wait_for(lambda: len(push.accepted) == 2, 5, "it again")


@pytest.mark.parametrize("answer", [500, 503, 301, 204, 400, "close", "hang"])
def test_who_does_not_say_is_served_all_the_same(db, relays, push, answer):
    push.worker = lambda: answer
    relays.start(push_urls=push.url, push_timeout_ms=100)
    db.notify(*[("shop", 1)] * 3)
    push.wait(3)


@pytest.mark.parametrize("keeps", [1, 2, 7])
def test_workers_that_take_turns(db, relays, push, keeps):
    turns = itertools.cycle(["17", "18"])
    push.worker, push.keeps = lambda: next(turns), keeps
    relays.start(push_urls=push.url)
    db.notify(*[("shop", 1)] * 40)
    push.wait(40)
    assert len(push.accepted) <= 40 + 5 * 40


def test_a_connection_that_was_opened_by_a_message_is_not_known(db, relays, make_push):
    """An instance that keeps none is served unasked; here, at a message that it refuses, another worker takes over and keeps it."""
    def answer(n, path):
        if not push.keeps == 1 or len(push.known) < 6:
            return 201
        push.keeps, push.worker = 10**9, "18"
        return 503

    push = make_push(answer=answer)
    relays.start(push_urls=push.url)
    push.keeps = 1
    for n in range(1, 7):
        db.notify(("shop", 1))
        push.wait(n)
    db.notify(("shop", 1))
    push.wait(7)
    assert seqs(push.accepted)[-7:] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("worker, most", [("17", 60), (None, 60 + 3 * 60)])
@pytest.mark.parametrize("keeps", [1, 2, 7])
def test_an_instance_that_keeps_no_connection_for_long(db, relays, push, keeps, worker, most):
    """Not everything again for each message."""
    push.keeps, push.worker = keeps, worker
    relays.start(push_urls=push.url)
    for n in range(1, 7):
        db.notify(*[("shop", 1)] * 10)
        push.wait(10 * n)
    assert len(push.accepted) <= most


def test_many_instances_each_keep_their_connection(db, relays, make_push):
    all = [make_push(f"p{n}") for n in range(9)]
    relays.start(push_urls=" ".join(p.url for p in all))
    for n in range(1, 21):
        db.notify(("shop", 1))
        for p in all:
            p.wait(n)
    assert [(p.connections, len(p.accepted)) for p in all] == [(1, 20)] * 9


def test_relays_that_follow_each_other_quickly_get_on(db, relays, push):
    """What one relay leaves in doubt is not in doubt anew for the next."""
    push.worker = None
    db.sql(f"INSERT INTO push_cursors VALUES ('{push.url}', 0, 0, 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), '')")
    for n in range(1, 9):
        r = relays.start(push_urls=push.url)
        db.notify(("shop", 1))
        push.wait(n)
        db.wait_cursor(push, n)
        proc.stop(r, signal.SIGKILL)
        db.sql("UPDATE push_cursors SET at = at - INTERVAL 6 SECOND, marked_at = marked_at - INTERVAL 6 SECOND")
    assert len(push.accepted) <= 8 + 8 * 2


def test_a_poke_counts_though_the_database_is_away(db, relays, push):
    r = relays.start(push_urls=push.url, relay_poll_ms=60000, relay_lease_s=30)
    db.notify(("shop", 1))
    poke(r)
    push.wait(1)
    db.notify(("shop", 1))
    db.server.kill()
    poke(r)
    proc.wait_for(lambda: "the database is away" in r.said(), 5, "the relay to notice")
    db.server.start()
    push.wait(2, 5)


def test_an_end_waits_for_the_answer(db, relays, make_push):
    """SIGTERM with a message under way: its answer is taken, so it is not sent again."""
    gate = threading.Event()
    push = make_push(answer=lambda n, p: gate.wait(60) and 201)
    r = relays.start(push_urls=push.url)
    db.notify(("shop", 1))
    proc.wait_for(lambda: push.tries, 5, "it to be under way")
    r.send_signal(signal.SIGTERM)
    proc.wait_for(lambda: "ending" in r.said(), 5, "the relay to hear of it")
    gate.set()
    assert r.wait(60) == 0
    assert db.sql("SELECT pub_no FROM push_cursors") == [["1"]]
    relays.start(push_urls=push.url)
    db.notify(("shop", 1))
    push.wait(2)
    assert push.tries == 2


def test_numbers_given_while_the_lease_changes_hands(db, relays, push, through):
    """The first relay stops short of its INSERT and comes through when the second has read the last number, but not yet the outbox."""
    (way_a, a_file), (way_b, b_file) = through("a"), through("b")
    a = relays.start(push_urls=push.url, name="a", db_option_file=a_file, db_timeout_s=20, relay_lease_s=2)
    db.notify(("shop", 1))
    db.wait_cursor(push, 1)
    relays.start(push_urls=push.url, name="b", db_option_file=b_file, db_timeout_s=20, relay_lease_s=12)
    insert, sweep = way_a.at(b'"order_id":%d,' % (db.order + 1)), way_b.at(b"DELETE o FROM outbox")
    db.notify(("shop", 1))
    assert insert.is_reached.wait(60) and sweep.is_reached.wait(60)
    insert.is_open.set()
    proc.wait_for(lambda: "another relay has taken over" in a.said(), 5, "the first relay to hear of it")
    sweep.is_open.set()
    push.wait(2)
    assert db.sql("SELECT pub_no FROM events ORDER BY 1") == [["1"], ["2"]]


def test_numbers_that_a_failover_forgot_are_given_again(db, relays, push):
    """Another server, which never heard of them: the rows that are still there must not go as if they had theirs."""
    r = relays.start(push_urls=push.url, relay_poll_ms=60000, relay_gather_ms=1000, relay_lease_s=60)
    db.notify(("shop", 9))
    poke(r)
    push.wait(1)
    db.wait_empty()
    # While the relay gathers, and before the next step deletes them: it stands still meanwhile, unless we came too late for that.
    for n in range(3, 103, 2):
        db.notify(("shop", 1), ("shop", 2))
        poke(r)
        push.wait(n)
        proc.freeze(r.pid)
        if db.value("SELECT COUNT(*) FROM outbox") == "2":
            break
        r.send_signal(signal.SIGCONT)
    connections = db.sql("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user NOT LIKE 'system%'")
    db.sql(f"DELETE FROM events WHERE pub_no > {n - 2};" + ";".join(f"KILL {c[0]}" for c in connections))
    r.send_signal(signal.SIGCONT)
    proc.wait_for(lambda: db.sql("SELECT COUNT(*), COUNT(DISTINCT outbox_id) FROM events") == [[str(n)] * 2], 10, "their events", 0.05)
    db.wait_empty()
