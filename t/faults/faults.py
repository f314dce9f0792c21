"""What is done to the stack: a table of faults, each a function of a Scene that says whether it happened, chosen by the seed.

Owns: kinds of faults, choosing them, ending what lasts. Does not own: bringing parts back (the supervisor does)."""
import dataclasses
import os
import random
import signal
import threading
import time

import database
import outages
import proxy
from history import Fault
from lib import proc


@dataclasses.dataclass
class Scene:
    """What faults work on. rng is the fault's own, so that the other threads don't disturb the choices."""
    stack: object
    rng: random.Random
    subscribers: list
    strangers: object
    misbehaving: object     # parts.Misbehaving
    disk: object            # parts.Disk
    backlog_shop: int
    backlogs: list          # grows


def processes(stack, part):
    """The ids of what is meant by part, now."""
    if part == "worker":
        return stack.worker_pids()
    if part == "relay":
        return [pid for pid in (stack.pid("relay"), stack.pid("standby")) if pid]
    if part in ("front worker", "push worker"):
        master = stack.pid(part.split()[0])
        return proc.children(master) if master else []
    pid = stack.pid({"push master": "push", "front master": "front", "worker manager": "workers"}.get(part, part))
    return [pid] if pid else []


def born(pid):
    """Tells a process from a later one with the same id; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def send(pid, how):
    try:
        os.kill(pid, how)
        return True
    except ProcessLookupError:
        return False


def some(scene, part, of_all):
    found = processes(scene.stack, part)
    return found if of_all or not found else [scene.rng.choice(found)]


def kill(part, of_all=False):
    def do(scene):
        return any([send(pid, signal.SIGKILL) for pid in some(scene, part, of_all)])
    return do


def freeze(part, of_all=False):
    """SIGSTOP for 0.5 to 3 s. Gives the time in which all that was meant stood still."""
    def do(scene):
        seconds = scene.rng.uniform(0.5, 3)
        frozen = [(pid, born(pid)) for pid in some(scene, part, of_all)]
        frozen = [(pid, since) for pid, since in frozen if since and send(pid, signal.SIGSTOP)]
        began = time.monotonic()
        try:
            time.sleep(seconds)
        finally:
            ended = time.monotonic()
            left = [pid for pid, since in frozen if born(pid) == since]
            for pid in left:
                send(pid, signal.SIGCONT)
        return (began, ended) if left and len(left) == len(frozen) else bool(frozen)
    return do


def reload(part):
    def do(scene):
        return any([send(pid, signal.SIGHUP) for pid in processes(scene.stack, part)])
    return do


def cut_subscribers(scene):
    some_of_them = scene.rng.sample(scene.subscribers, scene.rng.randint(1, len(scene.subscribers)))
    return any([s.cut() for s in some_of_them])


def leave_half_way(scene):
    """A client that goes away in the middle of its request, or after it, or stays and never reads."""
    return scene.strangers.come(scene.rng)


def misbehave(mode):
    """The push instance, as the relay sees it, for 0.5 to 5 s."""
    assert mode in proxy.MODES

    def do(scene):
        scene.misbehaving.behave(mode)
        time.sleep(scene.rng.uniform(0.5, 5))
        scene.misbehaving.behave("pass")
        return True
    return do


def never_read(scene):
    """A subscriber that takes nothing, beside those that do; mostly where much comes."""
    s = scene.rng.choice(scene.subscribers)
    if scene.rng.random() < 0.6:
        s = next(other for other in scene.subscribers if (other.kind, other.channel) == ("shop", scene.backlog_shop))
    return scene.strangers.subscribe_deaf(s.kind, s.channel, s.user)


def close_channels(scene):
    """As where somebody lost a right: all who listen there must come again, twice. True where the rows are there for certain."""
    channels = {(s.kind, s.channel) for s in scene.rng.sample(scene.subscribers, scene.rng.randint(1, len(scene.subscribers)))}
    rows = ", ".join(f"({1 if kind == 'shop' else 2}, {channel}, UTC_TIMESTAMP(6))" for kind, channel in sorted(channels))
    return database.ask(scene.stack, f"INSERT INTO channel_closes (channel_kind, channel_id, at) VALUES {rows}") is not None


@dataclasses.dataclass
class Kind:
    """touches: as in Fault. most: how often in a run of ten minutes, in short ones once, spread over its first 60 %, so that it ends in time. is_away: a time that do gives counts."""
    touches: str
    do: object
    most: object = None
    is_away: bool = False


FAULTS = {
    "kill a worker": Kind("requests", kill("worker")),
    "kill all workers": Kind("requests", kill("worker", of_all=True)),
    "kill the workers' manager": Kind("requests", kill("worker manager")),
    "kill a relay": Kind("relay", kill("relay")),
    "kill both relays": Kind("relay", kill("relay", of_all=True)),
    "kill the push worker": Kind("messages", kill("push worker")),
    "kill the push master": Kind("messages", kill("push master")),
    "kill a front worker": Kind("requests", kill("front worker")),
    "kill the front master": Kind("requests", kill("front master")),
    "kill mariadbd": Kind("database", kill("mariadbd")),
    "freeze a worker": Kind("requests", freeze("worker")),
    "freeze all workers": Kind("requests", freeze("worker", of_all=True)),
    "freeze the workers' manager": Kind("requests", freeze("worker manager")),
    "freeze a relay": Kind("relay", freeze("relay")),
    "freeze both relays": Kind("relay", freeze("relay", of_all=True)),
    "freeze the push worker": Kind("messages", freeze("push worker")),
    "freeze the push master": Kind("messages", freeze("push master")),
    "freeze a front worker": Kind("requests", freeze("front worker")),
    "freeze the front master": Kind("requests", freeze("front master")),
    "freeze mariadbd": Kind("database", freeze("mariadbd"), is_away=True),
    "keep mariadbd away": Kind("database", outages.away, is_away=True),
    "refuse connections to mariadbd": Kind("database", outages.refuse, is_away=True),
    "fill mariadbd's disk": Kind("database", outages.full),
    "pile up 100,000 messages": Kind("relay", outages.pile_up, most=2),
    "push answers 500": Kind("messages", misbehave("500")),
    "push answers 503": Kind("messages", misbehave("503")),
    "push answers 507": Kind("messages", misbehave("507")),
    "push hangs": Kind("messages", misbehave("hang")),
    "push closes after reading": Kind("messages", misbehave("close")),
    "push closes after taking": Kind("messages", misbehave("swallow")),
    "reload front": Kind("requests", reload("front")),
    "reload push": Kind("messages", reload("push")),
    "cut subscribers": Kind("messages", cut_subscribers),
    "close channels": Kind("messages", close_channels),
    "a subscriber never reads": Kind("messages", never_read),
    "clients leave half-way": Kind("clients", leave_half_way),
}
MOST_PART = 0.6     # of a run, in which what takes long to get over may happen
NEVER_TOGETHER = [{k for k in FAULTS if k.startswith("push ")}]


class Mischief:
    """Rounds of one to three faults at once. Counts what happened; says what could not be done (its target was just away)."""

    def __init__(self, scene, kinds, seconds):
        """seconds: how long there will be rounds."""
        self.scene, self.kinds, self.seconds, self.began = scene, kinds, seconds, time.monotonic()
        self.done, self.missed, self.rounds, self.log, self.crash = {k: 0 for k in kinds}, 0, 0, [], None

    def one(self, kind, seed, delay):
        try:
            time.sleep(delay)
            began = time.monotonic()
            done = FAULTS[kind].do(dataclasses.replace(self.scene, rng=random.Random(seed)))
            # Also what hit nothing in the end may have disturbed.
            away = done if FAULTS[kind].is_away and isinstance(done, tuple) else None
            fault = Fault(began, time.monotonic(), kind, FAULTS[kind].touches, away)
            self.log.append(fault)
            if fault.touches == "database":
                threading.Thread(target=self.see_back, args=(fault,), daemon=True).start()
            if done:
                self.done[kind] += 1
            else:
                self.missed += 1
        except BaseException as e:      # noqa: B902: reported by the driver
            self.crash = e

    def see_back(self, fault):
        while not database.answers(self.scene.stack):
            time.sleep(0.05)
        fault.back = time.monotonic()

    def is_due(self, kind):
        most, gone = FAULTS[kind].most, (time.monotonic() - self.began) / self.seconds
        if most and self.seconds < 300:
            most = 1
        return most is None or self.done[kind] < most and self.done[kind] * MOST_PART / most <= gone <= MOST_PART

    def choose(self):
        rng = self.scene.rng
        kinds = [k for k in self.kinds if self.is_due(k)]
        chosen = rng.sample(kinds, min(len(kinds), rng.choices((1, 2, 3), (5, 3, 2))[0]))
        for group in NEVER_TOGETHER:
            for kind in [k for k in chosen if k in group][1:]:
                chosen.remove(kind)
        return chosen

    def round(self):
        """Which kinds, on whom and when is the seed's; how the stack then looks is not."""
        rng, chosen = self.scene.rng, self.choose()
        threads = [threading.Thread(target=self.one, args=(kind, rng.random(), rng.uniform(0, 0.5)), daemon=True) for kind in chosen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.rounds += 1
        return chosen
