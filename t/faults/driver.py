"""The fault suite: a real stack under load, disturbed at random, then judged by its whole history. Run by t/faults/run.

Owns: the course of a run, its counts. Does not own: clients (load.py), faults (faults.py), what must be true (checker.py)."""
import argparse
import collections
import decimal
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "stack")]

import checker  # noqa: E402
import database  # noqa: E402
import faults  # noqa: E402
import parts  # noqa: E402
import shops  # noqa: E402
import telling  # noqa: E402
from history import Change, History, World  # noqa: E402
from lib import proc, tokens  # noqa: E402
from lib.stack import Stack  # noqa: E402
from load import SCARCE, Customer, Impatient, Keeper, Subscriber  # noqa: E402
from strangers import Strangers  # noqa: E402

CUSTOMERS, KEEPERS, DEVICES = 10, 2, 2     # keepers and subscribers: of each shop
# A server that was killed by a full disk, and finds it full still when it starts, looks again after a minute.
RECOVERY_S = 90
DRAIN_S = 60        # then, to publish what waits; as long again where a backlog was piled up
STANDARD_S = 240    # of disturbance: with start, settling and judging a run of about five minutes


def peak(pid):
    """The most memory that a process had, in MB; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return max(int(line.split()[1]) // 1024 for line in f if line.startswith("VmHWM"))
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return 0


class Run:
    def __init__(self, options, scratch):
        self.options, self.seed = options, options.seed
        self.stack = Stack(os.environ["PICKUP_BIN"], os.environ["PICKUP_SRC"], f"{scratch}/stack", PICKUP_DEMO="off")
        self.stopping, self.give_up, self.closing = threading.Event(), threading.Event(), threading.Event()
        self.results = {}       # check: findings
        self.longest_recovery = 0.0
        self.epoch = time.time() - time.monotonic()     # of the monotonic clock
        self.backlogs, self.misbehaving, self.disk = [], None, None

    # ---- before

    def person(self, role):
        user = self.stack.tools.user(role, f"{role.title()} {random.Random(self.seed).randint(1, 999)}")
        user.token = tokens.sign(self.stack.key, tokens.claims(user.id, role, exp=int(time.time()) + self.options.seconds + 7200))
        return user

    def make_world(self):
        self.world, self.keepers, self.owners = World({}, {}, {}), [], []
        for kind in shops.KINDS:
            self.make_shop(kind)
        users = [self.person("customer") for _ in range(CUSTOMERS + 1)]
        self.world.customers.update({u.id: u.name for u in users})
        front = shops.Front()
        people = [Customer(u, self.world, front, self.call, self.seed, self.stopping, self.give_up) for u in users]
        self.customers, self.strangers = people[:-1], Strangers(people[-1], self.call)
        self.hurrier = shops.Hurrier(self.stack, self.seed, self.stopping)

    def make_shop(self, kind):
        """Of its three products one is not counted, one is plenty and one is scarce."""
        shop = self.stack.tools.shop(("60.00", None), ("0.10", 1000000), ("19.99", SCARCE), timezone=kind.zone, keeper=self.person("shopkeeper"))
        self.stack.set(shop, **kind.first)
        self.world.shops[shop.id] = {"timezone": shop.timezone, "keeper": shop.keeper.id, "name": shop.name, "terms": kind.first}
        for p in shop.products:
            self.world.products[p.id] = {"shop": shop.id, "name": p.name, "price": decimal.Decimal(p.price), "stock": p.stock}
        with_these = (self.call, self.seed, self.stopping, self.give_up)
        self.keepers += [Keeper(shop.keeper, shop.id, *with_these, f" {k + 1}", kind.is_slow) for k in range(KEEPERS)]
        self.owners.append(shops.Owner(shop.keeper, shop.id, kind, *with_these))

    def make_backlog_shop(self):
        """Where nobody orders: its messages are those of a backlog alone."""
        keeper = self.person("shopkeeper")
        self.backlog_shop = self.stack.tools.shop(("1.00", None), keeper=keeper).id
        return Subscriber("shop", self.backlog_shop, keeper, self.call, self.seed, self.closing)

    def make_subscribers(self):
        self.subscribers = [Subscriber("customer", c.user.id, c.user, self.call, self.seed, self.closing)
                            for c in self.customers + [self.strangers.customer]]
        for keeper in self.keepers[::KEEPERS]:
            self.subscribers += [Subscriber("shop", keeper.shop, keeper.user, self.call, self.seed, self.closing, f" {d + 1}") for d in range(DEVICES)]
        self.subscribers.append(self.make_backlog_shop())

    def start(self):
        self.stack.setup()
        self.misbehaving = parts.Misbehaving(self.stack)
        self.disk = parts.Disk(self.stack)
        self.disk.make()
        self.stack.run()
        parts.start_standby(self.stack)
        found = database.ask(self.stack, "SELECT @@innodb_flush_log_at_trx_commit")
        assert found == [["1"]], f"the database is not durable: {found}"
        self.call = Impatient(("unix", self.stack.listen))
        self.make_world()
        self.make_subscribers()
        for subscriber in self.subscribers:
            subscriber.start()
        proc.wait_for(lambda: all(s.story.opened for s in self.subscribers), 20, "subscriptions")
        for actor in self.actors():
            actor.start()

    def actors(self):
        """All that is told to stop by stopping."""
        return self.customers + self.keepers + self.owners + [self.hurrier]

    # ---- meanwhile

    def disturb(self):
        rng = random.Random(self.seed)
        kinds = [k for k in faults.FAULTS if not self.options.only or any(k.startswith(o) for o in self.options.only)]
        if self.disk.why:
            kinds = [k for k in kinds if k != "fill mariadbd's disk"]
            print(f"left out: fill mariadbd's disk, as no file system can be mounted: {self.disk.why}", flush=True)
        scene = faults.Scene(self.stack, rng, self.subscribers, self.strangers, self.misbehaving, self.disk, self.backlog_shop, self.backlogs)
        self.mischief = faults.Mischief(scene, kinds, self.options.seconds)
        end = time.monotonic() + self.options.seconds
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.1, 1.5))
            chosen = self.mischief.round()
            if self.options.verbose:
                print(f"# {self.options.seconds - end + time.monotonic():7.1f} s: {', '.join(chosen)}", flush=True)
            if rng.random() < 0.6 and not self.recover():
                return

    def recover(self):
        began = time.monotonic()
        try:
            proc.wait_for(lambda: self.call.attempt("GET", "/readyz", None).status == 200, RECOVERY_S, "readyz", pause=0.02)
        except AssertionError:
            names = ("front", "push", "relay", "standby", "workers", "mariadbd")
            last = self.call.attempt("GET", "/readyz", None)
            self.results.setdefault("recovers", []).append(
                f"not ready within {RECOVERY_S} s after {[str(f) for f in self.mischief.log[-5:]]}: {last}\n" + "\n".join(f"{p}: {self.stack.pid(p)}\n{self.stack.tail(p)}" for p in names))
            return False
        self.longest_recovery = max(self.longest_recovery, time.monotonic() - began)
        return True

    # ---- after

    def join(self, actors, patience):
        end = time.monotonic() + patience
        for actor in actors:
            actor.join(max(0.0, end - time.monotonic()))
        return [a.name for a in actors if a.is_alive()]

    def last_words(self):
        """Each channel gets one more message, so that what a subscriber missed before it shows."""
        for customer in self.customers + [self.strangers.customer]:
            p = customer.new(key_chance=1)
            p.pickup, p.items = None, [(min(i for i, product in self.world.products.items() if product["shop"] == p.shop), 1)]
            customer.place(p)
            keeper = next(k for k in self.keepers if k.shop == p.shop)
            made = next((a.value()["id"] for a in p.attempts if a.status == 201), None)
            if made:
                keeper.patch(Change(made, keeper.user.id, {"status": "confirmed"}))

    def give_up_later(self):
        timer = threading.Timer(DRAIN_S, self.give_up.set)
        timer.daemon = True
        timer.start()

    def is_drained(self):
        return database.ask(self.stack, "SELECT (SELECT COUNT(*) FROM outbox), (SELECT COALESCE(MAX(pub_no), 0) FROM events)"
                            " - (SELECT COALESCE(MIN(pub_no), 0) FROM push_cursors), (SELECT COUNT(*) FROM channel_closes)") == [["0", "0", "0"]]

    def settle(self):
        """No disturbance any more: everybody ends what they began, and all must be published and heard."""
        late = self.results.setdefault("everything settles", [])
        self.recover()
        self.stopping.set()
        late += [f"{name} still waits for an answer" for name in self.join(self.actors(), 3 * DRAIN_S)]
        self.give_up_later()
        for customer in self.customers:
            customer.ask_again(60)
        self.last_words()
        self.give_up.set()
        try:
            proc.wait_for(self.hurrier.is_done, DRAIN_S, "the deadlines of all orders to come", pause=0.2)
            proc.wait_for(self.is_drained, DRAIN_S * (2 if self.backlogs else 1), "the outbox to be published", pause=0.1)
        except AssertionError as e:
            late.append(f"{e}: {database.ask(self.stack, 'SELECT * FROM relay_lease')}\n{self.stack.tail('relay')}")
        self.peaks = {part: [peak(pid) for pid in faults.processes(self.stack, part)] for part in ("relay", "worker")}
        self.rows = database.read(self.stack)
        last = collections.Counter()
        for event in self.rows.events:
            channel = (checker.KINDS[event["channel_kind"]], event["channel_id"])
            last[channel] = max(last[channel], event["seq"])
        for subscriber in self.subscribers:
            subscriber.target = last[(subscriber.kind, subscriber.channel)]
        self.closing.set()
        self.join(self.subscribers, 20)
        for subscriber in self.subscribers:
            subscriber.target = None
        late += [f"{name} does not end" for name in self.join(self.subscribers, 20)]

    def history(self):
        everybody = self.customers + [self.strangers.customer]
        readers = self.keepers + self.owners + self.subscribers
        return History(self.world, [p for c in everybody for p in c.placements], [c for k in self.keepers for c in k.changes],
                       [s.story for s in self.subscribers], [r for a in readers for r in a.reads], self.mischief.log, self.backlogs,
                       [c for o in self.owners for c in o.changes], self.hurrier.hurries, self.epoch)

    def judge(self):
        crashes = [a for a in self.actors() + self.subscribers if a.crash]
        self.results["clients ran without a fault of their own"] = \
            ["".join(traceback.format_exception(a.crash)) for a in crashes + [self.mischief] if a.crash]
        self.results.setdefault("recovers", [])
        self.results.update(checker.check(self.history(), self.rows))

    def stop(self):
        for event in (self.stopping, self.give_up, self.closing):
            event.set()
        if hasattr(self, "strangers"):
            self.strangers.leave()
        try:
            self.stack.stop()
            assert not self.stack.pid("standby"), "the second relay is left"
            if self.misbehaving:
                self.misbehaving.stop()
            self.results["ends cleanly, logs hold nothing they must not"] = []
        except AssertionError as e:
            self.results["ends cleanly, logs hold nothing they must not"] = [str(e)]
        finally:
            if self.disk:
                self.disk.end()


def whole_run(options, scratch):
    run = Run(options, scratch)
    try:
        run.start()
        run.disturb()
        run.settle()
        run.judge()
    finally:
        run.stop()
    telling.tell(run)
    if options.keep and any(run.results.values()):
        telling.keep(run, options.keep)
    return run.results


def take_options():
    parser = argparse.ArgumentParser(prog="t/faults/run", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randint(1, 10 ** 6), help="what chooses the faults; by default another one each time")
    parser.add_argument("--seconds", type=int, default=STANDARD_S, help=f"how long to disturb ({STANDARD_S})")
    parser.add_argument("--only", action="append", metavar="KIND", help="only faults whose name begins so; may be repeated")
    parser.add_argument("--keep", metavar="DIR", help="where history, rows and logs of a failed run go")
    parser.add_argument("--verbose", action="store_true", help="tells each round")
    return parser.parse_args()


def main():
    options = take_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    scratch = tempfile.mkdtemp(prefix="pickup-f.", dir="/tmp")
    print(f"seed {options.seed}", flush=True)
    try:
        results = whole_run(options, scratch)
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        results = {"the run": ["came to no end"]}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    failed = sum(bool(f) for f in results.values())
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
