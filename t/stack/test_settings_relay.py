"""The relay's own settings do what their comments say, from a second or two after the file was changed."""
import signal
import time

import pytest

from lib import proc
from lib.relays import db, folder, make_push, poke, push, relays, server  # noqa: F401 (fixtures)


@pytest.fixture()
def tuned(relays, folder, push):    # noqa: F811
    """tuned(name=…) starts a relay; its turn(NAME=value, …) changes the file under it, and gives back when it has
    noticed. What it is amid then, a look or an attempt, still goes by what was before."""
    def start(name="a", **more):
        path = folder / "pickup.params"

        def turn(**settings):
            before = relay.said().count("was read again")
            path.write_text("".join(f'fastcgi_param PICKUP_{n} "{v}";\n' for n, v in {"PUSH_URLS": push.url, **settings}.items()))
            proc.wait_for(lambda: relay.said().count("was read again") > before, 10, "a relay that read its file", 0.02)

        if not path.exists():
            path.write_text(f'fastcgi_param PICKUP_PUSH_URLS "{push.url}";\n')
        values = {n: None for n in ("push_timeout_ms", "push_retry_max_ms", "relay_lease_s", "relay_poll_ms")}
        relay = relays.start("--params", path, name=name, **{**values, **more})
        relay.turn = turn
        return relay
    return start


def commits(db, push, relay, rows):     # noqa: F811
    """How many transactions it takes to number and publish so many messages of one transaction."""
    before, known = db.server.status("HANDLER_COMMIT"), len(push.known)
    db.notify(*[("shop", 1)] * rows)
    poke(relay)
    push.wait(known + rows)
    db.wait_empty()
    return db.server.status("HANDLER_COMMIT") - before


def test_how_many_rows_at_a_time(db, push, tuned):      # noqa: F811
    relay = tuned()
    assert commits(db, push, relay, 60) < 60
    relay.turn(RELAY_BATCH=1)
    assert commits(db, push, relay, 60) >= 60


def test_how_long_they_are_gathered(db, push, tuned):   # noqa: F811
    def second_waits(relay):
        known = len(push.known)
        db.notify(("shop", 1), ("shop", 2))
        poke(relay)
        push.wait(known + 2)
        began = time.monotonic()
        db.notify(("shop", 1))
        poke(relay)
        push.wait(known + 3)
        return time.monotonic() - began > 0.5

    relay = tuned(relay_poll_ms=60000)
    assert not second_waits(relay)
    relay.turn(RELAY_GATHER_MS=1000)
    assert second_waits(relay)


@pytest.mark.parametrize("lease, least, most", [(5, 2, 8), (15, 8, 25)])
def test_how_long_a_silent_one_keeps_its_place(db, push, tuned, lease, least, most):    # noqa: F811
    first = tuned("a", relay_lease_s=None)
    first.turn(RELAY_LEASE_S=lease)
    tuned("b")
    left = "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) FROM relay_lease"
    proc.wait_for(lambda: least < int(db.value(left)), 15, "a lease of that length", 0.05)
    first.send_signal(signal.SIGKILL)
    began = time.monotonic()
    db.notify(("shop", 1))
    push.wait(1, 30)
    assert least < time.monotonic() - began < most


def test_a_shorter_pause_counts_at_once(db, push, tuned):      # noqa: F811
    def unheard():
        before = len(push.accepted)
        db.notify(("shop", 1))
        time.sleep(1)
        return len(push.accepted) == before

    relay = tuned(relay_lease_s=60)
    relay.turn(RELAY_POLL_MS=60000)
    proc.wait_for(unheard, 8, "a relay that nobody wakes")
    relay.turn(RELAY_POLL_MS=50)
    push.wait(db.order, 1)


def tries_within(db, push, seconds):    # noqa: F811
    before = push.tries
    db.notify(("shop", 1))
    time.sleep(seconds)
    return push.tries - before


def test_how_long_publishing_may_take(db, push, tuned):     # noqa: F811
    push.answer = lambda n, p: "hang"
    relay = tuned(relay_poll_ms=50, push_retry_max_ms=100)
    assert tries_within(db, push, 1.5) == 1, "two seconds by default"
    relay.turn(PUSH_TIMEOUT_MS=200)
    proc.wait_for(lambda: tries_within(db, push, 1.5) > 2, 8, "shorter attempts")


def test_the_longest_pause(db, push, tuned):    # noqa: F811
    push.answer = lambda n, p: 503
    relay = tuned(relay_poll_ms=50)
    tries_within(db, push, 4)
    assert tries_within(db, push, 2) <= 2, "up to five seconds by default"
    relay.turn(PUSH_RETRY_MAX_MS=100)
    proc.wait_for(lambda: tries_within(db, push, 1) > 5, 8, "short pauses")
