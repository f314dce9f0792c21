"""`pickup relay` between a real database and a push instance that misbehaves on demand."""
import collections
import random
import re
import signal
import threading
import time

import pytest

from lib import proc
from lib.relays import db, first_ones, folder, make_push, poke, push, relays, server  # noqa: F401 (fixtures)


def test_numbers_count_per_channel_from_one(db, relays, push):
    relays.start(push_urls=push.url)
    db.notify(("shop", 1), ("customer", 1), ("shop", 1), ("shop", 2))
    db.notify(("customer", 1), ("shop", 1))
    got = [(p.channel, p.seq) for p in push.wait(6)]
    assert got == [(("shop", 1), 1), (("customer", 1), 1), (("shop", 1), 2), (("shop", 2), 1), (("customer", 1), 2), (("shop", 1), 3)]
    assert push.connections == 1 and len(push.accepted) == 6
    assert push.accepted[0].body == '{"type":"new_order","order_id":1,"version":1}'
    assert "expect" not in push.accepted[0].headers
    db.wait_empty()
    assert db.sql("SELECT pub_no FROM events ORDER BY pub_no") == [[str(i)] for i in range(1, 7)]
    db.wait_cursor(push, 6)


def test_a_poke_is_enough_and_so_is_none(db, relays, push):
    db.notify(("shop", 1))
    asleep = relays.start(push_urls=push.url, relay_poll_ms=60000)
    push.wait(1)
    db.wait_empty()     # it has had its first look
    db.notify(("shop", 1))
    time.sleep(0.15)
    assert len(push.accepted) == 1, "nobody woke it"
    poke(asleep)
    push.wait(2, 5)
    proc.stop(asleep)
    relays.start(push_urls=push.url, relay_poll_ms=50)
    db.notify(("shop", 1))
    push.wait(3)


def test_what_comes_in_quick_succession_is_gathered(db, relays, push):
    r = relays.start(push_urls=push.url, relay_poll_ms=60000, relay_gather_ms=1000)
    begun = time.monotonic()
    db.notify(("shop", 1), ("shop", 2))
    poke(r)
    push.wait(2)
    db.notify(("shop", 1))
    poke(r)
    push.wait(3)
    assert time.monotonic() - begun >= 1, "two had come at once, so the third was waited for"
    def alone():
        n = len(push.known) + 1
        db.notify(("shop", 1))
        poke(r)
        push.wait(n)
    alone()     # the last one came with others
    assert proc.quickest(alone, 0.8) < 0.8, "who comes alone is not kept waiting: that would take a second"


def test_killed_at_any_moment(db, relays, make_push):
    push = make_push(answer=lambda n, p: 201 if n % 40 else "close")
    rng = random.Random(7)
    settings = dict(push_urls=push.url, relay_batch=8, relay_poll_ms=10)
    stop, total = threading.Event(), [0]

    def orders():
        while not stop.is_set():
            db.notify(("shop", 1), ("customer", 1 + total[0] % 3), ("shop", 2))
            total[0] += 3

    writer = threading.Thread(target=orders)
    writer.start()
    try:
        for _ in range(14):
            r = relays.start(wait=False, **settings)
            time.sleep(0.03 + rng.random() * 0.12)
            proc.stop(r, signal.SIGKILL)
    finally:
        stop.set()
        writer.join()
    relays.start(**settings)
    got = push.wait(total[0])
    db.wait_empty()
    assert len(got) == total[0]
    assert db.sql("SELECT MAX(pub_no), COUNT(*), COUNT(DISTINCT outbox_id) FROM events") == [[str(total[0])] * 3]
    orders_of = collections.defaultdict(list)
    for p in got:
        orders_of[p.channel].append(int(re.search(r'order_id":(\d+)', p.body).group(1)))
    assert all(ids == sorted(ids) for ids in orders_of.values())


def test_a_crash_between_numbering_and_deleting(db, relays, push):
    db.notify(("shop", 1), ("shop", 1), ("shop", 2))
    db.sql("INSERT INTO events SELECT channel_kind, channel_id, 1, channel_id, id, shop_id, at, body FROM outbox WHERE order_id <> 2;"
           f"INSERT INTO push_cursors VALUES ('{push.url}', 1, 1, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), '')")
    relays.start(push_urls=push.url)
    db.wait_empty()
    proc.wait_for(lambda: len(push.accepted) >= 2, 5, "the rest")
    assert [(p.channel, p.seq) for p in push.accepted] == [(("shop", 2), 1), (("shop", 1), 2)]


def test_troubles_are_retried_in_order(db, relays, make_push):
    troubles = {2: 500, 3: 503, 5: "hang", 7: "close", 9: "drop", 10: 408, 11: 429, 12: 302, 14: 507, 15: "close", 16: 500}
    push = make_push(answer=lambda n, p: troubles.get(n, 202))
    relays.start(push_urls=push.url, push_timeout_ms=200, push_retry_max_ms=100)
    for _ in range(4):
        db.notify(("shop", 1), ("customer", 5), ("shop", 1))
    got = push.wait(12)
    assert len(got) == 12 and push.tries >= 12 + len(troubles)
    assert db.value("SELECT COUNT(*) FROM push_refusals") == "0"


def test_refused_for_good_is_put_aside(db, relays, make_push):
    push = make_push(answer=lambda n, p: 413 if p == "/pub/shop/13" else 201)
    relays.start(push_urls=push.url)
    db.notify(("shop", 1), ("shop", 13), ("shop", 1))
    proc.wait_for(lambda: len(push.accepted) == 2, 5, "the others")
    assert [(p.channel, p.seq) for p in push.accepted] == [(("shop", 1), 1), (("shop", 1), 2)]
    assert db.sql("SELECT pub_no, instance, status FROM push_refusals") == [["2", push.url, "413"]]
    db.wait_cursor(push, 3)
    proc.wait_for(lambda: db.value("SELECT state FROM relay_lease") == "1 put aside", 5, "the state", 0.05)


def test_what_was_put_aside_can_be_cleared(db, relays, make_push):
    """By an admin, without a restart; and it is forgotten with its event, but not before."""
    push = make_push(answer=lambda n, p: 413 if p == "/pub/shop/13" else 201)
    relays.start(push_urls=push.url)
    db.notify(("shop", 13), ("shop", 1))
    proc.wait_for(lambda: db.value("SELECT state FROM relay_lease") == "1 put aside", 5, "the state", 0.05)
    db.sql("DELETE FROM push_refusals")
    # The pruning that looks is up to a minute away for what was refused just now.
    relays.stop()
    relays.start(push_urls=push.url)
    db.notify(("shop", 13), ("shop", 13), ("shop", 1))
    proc.wait_for(lambda: db.value("SELECT state FROM relay_lease") == "2 put aside", 5, "the state", 0.05)
    db.wait_cursor(push, 5)
    relays.stop()
    db.sql("UPDATE events SET at = at - INTERVAL 31 DAY WHERE pub_no <= 3")
    relays.start(push_urls=push.url)
    proc.wait_for(lambda: db.value("SELECT COUNT(*) FROM events") == "2", 5, "no old events", 0.03)
    assert db.sql("SELECT pub_no FROM push_refusals") == [["4"]]
    proc.wait_for(lambda: db.value("SELECT state FROM relay_lease") == "1 put aside", 5, "the state", 0.05)
    db.sql("DELETE FROM push_refusals")
    proc.wait_for(lambda: db.value("SELECT state FROM relay_lease") == "", 5, "all well", 0.05)


def test_state_names_the_failing_instance(db, relays, make_push):
    push = make_push(answer=lambda n, p: 503 if not fixed else 200)
    fixed = []
    relays.start(push_urls=push.url)
    assert db.value("SELECT state FROM relay_lease") == ""
    db.notify(("shop", 1))
    state = proc.wait_for(lambda: db.value("SELECT state FROM relay_lease"), 5, "a state", 0.05)
    assert re.fullmatch(r"push unix:\S+: 503 since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, 1 behind", state)
    fixed.append(True)
    push.wait(1)
    proc.wait_for(lambda: db.value("SELECT state FROM relay_lease") == "", 5, "all well", 0.05)


def test_the_state_is_that_of_the_last_try_that_ended(db, relays, make_push):
    """Also while the next one is waited for."""
    push = make_push(answer=lambda n, p: 503 if n == 1 else "hang")
    relays.start(push_urls=push.url, push_timeout_ms=60000)
    db.notify(("shop", 1))
    proc.wait_for(lambda: push.tries == 2, 5, "the next try")
    at = db.value("SELECT expires_at FROM relay_lease")
    proc.wait_for(lambda: db.value("SELECT expires_at FROM relay_lease") != at, 5, "the state to be written")
    assert re.fullmatch(r"push unix:\S+: 503 since \S+Z, 1 behind", db.value("SELECT state FROM relay_lease"))


def test_one_relay_works_another_takes_over(db, relays, push):
    a = relays.start(push_urls=push.url, name="a", relay_lease_s=2)
    b = relays.start(push_urls=push.url, name="b", relay_lease_s=15)
    assert "standing by" in b.said() and "publishing" not in b.said()
    db.notify(("shop", 1))
    push.wait(1)
    with open("/proc/sys/kernel/random/boot_id") as f:  # two machines of one name are two
        assert re.fullmatch(f"[^/]+/{f.read(8)}:.*/a.poke", db.value("SELECT holder FROM relay_lease"))
    proc.stop(a, signal.SIGKILL)
    db.notify(("shop", 1))
    push.wait(2)
    assert db.value("SELECT holder FROM relay_lease").endswith("b.poke")
    a = relays.start(push_urls=push.url, name="a")
    proc.wait_for(lambda: "standing by" in a.said(), 5, "a to stand by")
    assert proc.stop(b) == 0
    assert db.value("SELECT holder LIKE '%/b.poke' AND expires_at > UTC_TIMESTAMP(6) FROM relay_lease") == "0", "it was given back"
    db.notify(("shop", 1))
    push.wait(3)


def test_a_paused_relay_finds_itself_replaced(db, relays, push):
    a = relays.start(push_urls=push.url, name="a")
    db.notify(("shop", 1))
    push.wait(1)
    db.wait_empty()
    proc.freeze(a.pid)
    db.sql("UPDATE relay_lease SET expires_at = '2000-01-01'")
    relays.start(push_urls=push.url, name="b")
    db.notify(("shop", 1), ("shop", 2))
    push.wait(3)
    db.wait_empty()
    a.send_signal(signal.SIGCONT)
    poke(a)
    proc.wait_for(lambda: "standing by" in a.said(), 5, "a to stand by")
    db.notify(("shop", 1))
    assert len(push.wait(4)) == 4
    assert db.value("SELECT holder FROM relay_lease").endswith("b.poke")


def test_numbers_taken_by_another_are_not_given_again(db, relays, push):
    # With a lease of minutes: a renewal would show it the new number before it gives one.
    r = relays.start(push_urls=push.url, relay_poll_ms=60000, relay_lease_s=300)
    db.notify(("shop", 1))
    poke(r)
    push.wait(1)
    db.wait_empty()
    db.sql("INSERT INTO events VALUES (1, 1, 2, 2, 999999999, 1, UTC_TIMESTAMP(6), '{\"order_id\":0}')")
    db.notify(("shop", 1))
    poke(r)
    got = push.wait(3)
    assert [p.body for p in got][1] == '{"order_id":0}' and got[2].seq == 3
    assert "taken already" in r.said()


def test_an_insert_that_commits_late_is_not_numbered_twice(db, relays, push):
    """What a lost connection had sent may still be executed, also while the relay looks where the numbers stand."""
    sessions = "SELECT id FROM information_schema.processlist WHERE "
    r = relays.start(push_urls=push.url, relay_poll_ms=60000, relay_lease_s=300, db_timeout_s=20, db_lock_wait_s=15)
    db.notify(("shop", 1))
    poke(r)
    push.wait(1)
    db.wait_empty()
    # Of the tables that it looks at, only this one can be locked without holding up the late INSERT and what sweeps the outbox.
    holder = threading.Thread(target=db.server._client, args=("LOCK TABLES relay_lease WRITE; SELECT SLEEP(25)", "pickup"), daemon=True)
    holder.start()
    proc.wait_for(lambda: db.sql(sessions + "info LIKE 'SELECT SLEEP%'"), 5, "the lock")
    db.sql("KILL " + db.value(sessions + "user = 'pickup'"))
    db.notify(("shop", 1))
    poke(r)
    proc.wait_for(lambda: db.sql(sessions + "state LIKE 'Waiting for table metadata lock'"), 5, "the relay to look")
    db.sql("INSERT INTO events SELECT channel_kind, channel_id, 2, 2, id, shop_id, at, body FROM outbox")
    db.sql("KILL " + db.value(sessions + "state = 'User sleep'"))
    holder.join()
    db.notify(("shop", 1))
    poke(r)
    push.wait(3)
    db.wait_empty()
    assert db.sql("SELECT COUNT(*), COUNT(DISTINCT outbox_id), MAX(pub_no) FROM events") == [["3", "3", "3"]]


def test_one_socket_one_relay(db, relays, push):
    relays.start(push_urls=push.url)
    second = relays.start(push_urls=push.url, wait=False)
    assert second.wait(60) == 73
    assert "another relay listens" in second.said()
    db.notify(("shop", 1))
    push.wait(1)


def test_a_dead_instance_holds_up_nobody(db, relays, push, make_push):
    dead = make_push("dead", start=False)
    hung = make_push("hung", answer=lambda n, p: "hang" if not awake else 200)
    awake = []
    relays.start(push_urls=f"{dead.url} {hung.url} {push.url}", push_timeout_ms=300)
    db.backlog(1500)
    assert len(push.wait(1500)) == 1500
    db.wait_empty()
    assert not hung.accepted
    dead.start()
    awake.append(True)
    db.notify(("shop", 1))
    for p in (push, dead, hung):
        assert len(p.wait(1501)) == 1501
    assert [p.body for p in first_ones(dead.accepted)] == [p.body for p in first_ones(push.accepted)]


def test_a_restarted_instance_is_served_soon(db, relays, push):
    r = relays.start(push_urls=push.url, push_retry_max_ms=60000)
    db.notify(("shop", 1))
    push.wait(1)
    push.stop()
    db.notify(("shop", 1))
    proc.wait_for(lambda: "trying again" in r.said(), 5, "a failure")
    push.start()
    push.wait(2, 5)     # not the minute that a try may be away


def test_settings_are_read_again(db, relays, folder, push, make_push):
    late, params = make_push("late"), folder / "params"
    params.write_text(f"fastcgi_param PICKUP_PUSH_URLS \"{push.url}\";\nfastcgi_param PICKUP_RELAY_BATCH nonsense;\n")
    r = relays.start("--params", params, push_urls=None)
    db.notify(("shop", 1))
    push.wait(1)
    params.write_text(f"fastcgi_param PICKUP_PUSH_URLS \"{push.url} {late.url}\";\nfastcgi_param PICKUP_RELAY_LEASE_S 0;\n")
    proc.wait_for(lambda: "a new instance" in r.said().partition(late.url)[2], 5, "a new lane")
    db.notify(("shop", 1))
    push.wait(2)
    proc.wait_for(lambda: late.accepted, 5, "its first message")
    assert [p.seq for p in late.accepted] == [2], "it starts where it was added"
    assert r.poll() is None and "PICKUP_RELAY_LEASE_S" in r.said()


def test_the_database_is_killed_meanwhile(db, relays, push):
    r = relays.start(push_urls=push.url, relay_lease_s=2)
    for n in (1, 2):
        db.backlog(3000)
        proc.wait_for(lambda: len(push.known) > 3000 * n - 2900, 5, "it to be at work", 0.001)
        db.server.kill()
        proc.wait_for(lambda: r.said().count("the database is away") == n, 5, "the relay to notice")
        if n == 2:
            time.sleep(1.8)  # the lease runs out meanwhile
        db.server.start()
        assert len(push.wait(3000 * n)) == 3000 * n
        # A server that is back in no time is never found away by a connect.
        assert r.said().count("can't connect") <= n == r.said().count("the database is away")
    db.wait_empty()
    assert db.sql("SELECT MAX(pub_no), COUNT(*), COUNT(DISTINCT outbox_id) FROM events") == [["6000"] * 3]
    assert r.poll() is None and r.said().count("the database is there again") == 2
    assert proc.stop(r) == 0


def test_several_are_deleted_without_waiting_for_more(db, relays, push):
    relays.start(push_urls=push.url, relay_poll_ms=60000)
    db.notify(*[("shop", 1)] * 5)
    poke(relays.started[-1])
    push.wait(5)
    db.wait_empty(5)


def test_numbered_and_not_yet_deleted_when_killed(db, relays, push):
    for n in range(1, 6):
        relays.start(push_urls=push.url)
        db.notify(*[("shop", 1 + i % 3) for i in range(40)])
        push.wait(40 * n)
        relays.stop()
    relays.start(push_urls=push.url)
    db.wait_empty()
    assert db.sql("SELECT MAX(pub_no), COUNT(*), COUNT(DISTINCT outbox_id) FROM events") == [["200"] * 3]


def test_a_failure_amid_messages_that_go_together_costs_no_order(db, relays, push):
    """Every seventh is not taken: of each channel, what was heard first comes in order, and nothing is missing."""
    push.answer = lambda n, path: 500 if n % 7 == 0 else "close" if n % 31 == 0 else 507 if n % 17 == 0 else 201
    for _ in range(10):
        db.notify(*[("shop", 1 + i % 11) for i in range(30)])
    relays.start(push_urls=push.url, push_retry_max_ms=100)
    proc.wait_for(lambda: len({(p.channel, p.seq) for p in push.accepted}) == 300, 30, "all of them", 0.05)
    for channel in {p.channel for p in push.accepted}:
        first = list(dict.fromkeys(p.seq for p in push.accepted if p.channel == channel))
        assert first == sorted(first), (channel, first)


def test_what_is_refused_amid_messages_that_go_together_is_put_aside(db, relays, push):
    push.answer = lambda n, path: 413 if path == "/pub/shop/3" else 201
    for _ in range(10):
        db.notify(*[("shop", 1 + i % 5) for i in range(10)])
    relays.start(push_urls=push.url)
    db.wait_cursor(push, 100)
    assert db.sql("SELECT COUNT(*), COUNT(DISTINCT pub_no) FROM push_refusals") == [["20", "20"]]
    assert len(push.accepted) == 80 and push.tries == 100


def test_an_order_is_heard_of_in_order_on_both_its_channels(db, relays, push):
    failing = iter([503, 503])
    push.answer = lambda n, path: next(failing, 201) if path == "/pub/shop/1" else 201
    db.notify(("shop", 1), order=77)
    db.notify(("customer", 3), order=77, version=2)
    relays.start(push_urls=push.url)
    push.wait(2)
    assert [p.channel for p in push.accepted] == [("shop", 1), ("customer", 3)]


def test_what_fails_again_and_again_repeats_nothing_else(db, relays, push):
    push.answer = lambda n, path: 503 if path == "/pub/shop/1" and n < 40 else 201
    db.notify(*[("shop", 1 + i) for i in range(16)])
    relays.start(push_urls=push.url, push_retry_max_ms=100)
    proc.wait_for(lambda: ("shop", 1) in {p.channel for p in push.accepted}, 20, "the one that failed", 0.05)
    push.wait(16)
    assert max(collections.Counter(p.channel for p in push.accepted).values()) <= 2


@pytest.mark.parametrize("last", [201, 413])
def test_told_to_end_with_several_in_flight(db, relays, push, last):
    r, held = relays.start(push_urls=push.url, relay_poll_ms=60000, push_timeout_ms=20000, relay_lease_s=60), threading.Event()
    db.notify(("shop", 5))
    poke(r)
    push.wait(1)
    push.answer = lambda n, path: last if path != "/pub/shop/1" or not held.wait(60) else 201
    db.notify(*[("shop", 1 + i) for i in range(4)])
    poke(r)
    proc.wait_for(lambda: push.tries > 1, 5, "the first of four", 0.02)
    r.send_signal(signal.SIGTERM)
    held.set()
    assert r.wait(60) == 0
    assert db.sql("SELECT pub_no FROM push_cursors") == [["5"]]
    assert db.value("SELECT COUNT(*) FROM push_refusals") == ("3" if last == 413 else "0")


def test_once(db, relays, push):
    db.notify(*[("shop", 1)] * 300)
    r = relays.start("--once", push_urls=push.url, wait=False)
    assert r.wait(60) == 0
    assert len(push.wait(300)) == 300 == len(push.accepted) and db.value("SELECT COUNT(*) FROM outbox") == "0"
    push.stop()
    db.notify(("shop", 1))
    r = relays.start("--once", push_urls=push.url, wait=False)
    assert r.wait(60) == 69
    push.start()
    assert relays.start("--once", push_urls=push.url, wait=False).wait(60) == 0
    push.wait(301)


@pytest.mark.parametrize("batch", [1, 2, 200])
def test_versions_of_an_order_ascend(db, relays, push, batch):
    base = int(db.value("SELECT AUTO_INCREMENT FROM information_schema.tables WHERE table_schema = 'pickup' AND table_name = 'outbox'")) + 10
    db.notify(("customer", 1), order=7000, version=3, id=base)
    db.notify(("shop", 1))
    db.notify(("customer", 1), order=7000, version=2, id=base + 10)
    db.notify(("shop", 1), order=7000, version=1, id=base + 20)
    relays.start(push_urls=push.url, relay_batch=batch)
    got = [re.search(r'order_id":(\d+),"version":(\d+)', p.body).groups() for p in push.wait(4)]
    assert [v for o, v in got if o == "7000"] == ["1", "2", "3"]


def test_old_things_are_forgotten_and_numbers_go_on(db, relays, push):
    relays.start(push_urls=push.url)
    db.notify(("shop", 1), ("shop", 1), ("customer", 4))
    push.wait(3)
    db.wait_cursor(push, 3)
    db.wait_empty()
    relays.stop()
    db.sql("UPDATE events SET at = at - INTERVAL 31 DAY; UPDATE push_cursors SET at = at - INTERVAL 31 DAY;"
           "INSERT INTO idempotency_keys (customer_id, idem_key, body_hash, order_id, answer, created_at)"
           " VALUES (1, 'old', '', 1, '', UTC_TIMESTAMP(6) - INTERVAL 3 DAY), (1, 'new', '', 2, '', UTC_TIMESTAMP(6))")
    r = relays.start(push_urls=push.url)
    proc.wait_for(lambda: db.value("SELECT COUNT(*) FROM events") == "0", 5, "no old events", 0.03)
    assert db.sql("SELECT idem_key FROM idempotency_keys") == [["new"]]
    assert db.sql("SELECT * FROM channel_floors ORDER BY 1") == [["1", "1", "2"], ["2", "4", "1"]]
    proc.stop(r, signal.SIGKILL)
    relays.start(push_urls=push.url)
    db.notify(("shop", 1), ("customer", 4))
    push.wait(5)
    assert db.sql("SELECT seq, pub_no FROM events ORDER BY pub_no") == [["3", "4"], ["2", "5"]]


def test_events_that_an_instance_has_yet_to_get_are_kept(db, relays, push, make_push):
    dead = make_push("dead", start=False)
    relays.start(push_urls=f"{push.url} {dead.url}")
    db.notify(("shop", 1), ("shop", 1))
    push.wait(2)
    db.wait_empty()
    relays.stop()
    db.sql("UPDATE events SET at = at - INTERVAL 31 DAY; UPDATE push_cursors SET at = at - INTERVAL 31 DAY;"
           "INSERT INTO idempotency_keys (customer_id, idem_key, body_hash, order_id, answer, created_at)"
           " VALUES (1, 'old', '', 1, '', '2000-01-01')")
    relays.start(push_urls=f"{push.url} {dead.url}")
    db.notify(("shop", 1))
    push.wait(3)
    proc.wait_for(lambda: db.value("SELECT COUNT(*) FROM idempotency_keys") == "0", 5, "a pruning", 0.03)
    relays.stop()
    relays.start(push_urls=f"{push.url} {dead.url}")
    dead.start()
    assert len(dead.wait(3)) == 3


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def test_a_backlog_needs_no_memory(db, relays, push):
    db.backlog(20000, channels=50)
    r = relays.start(push_urls=push.url)
    push.wait(4000)
    early = rss_kib(r.pid)
    assert len(push.wait(20000, 30)) == 20000
    db.wait_empty()
    assert rss_kib(r.pid) < early + 2048
    assert len(push.accepted) == 20000


def test_wrong_use_is_told(relays, server, folder):
    for args, status, words in (((("--nonsense",)), 64, "not understood"), (("--params", folder / "none"), 78, "none"), (("--help",), 0, "usage")):
        r = relays.start(*args, wait=False, push_urls="")
        assert r.wait(60) == status and words in r.said()
    r = relays.start(wait=False, db_option_file=folder / "none")
    assert r.wait(60) == 78


def test_old_tables_are_refused(db, relays, push):
    db.sql("UPDATE schema_migrations SET applied_at = NULL ORDER BY number DESC LIMIT 1")
    try:
        r = relays.start(push_urls=push.url, wait=False)
        assert r.wait(60) == 78
        assert "migrate" in r.said()
    finally:
        db.sql("UPDATE schema_migrations SET applied_at = UTC_TIMESTAMP(6) WHERE applied_at IS NULL")
