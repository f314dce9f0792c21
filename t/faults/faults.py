"""What is done to the stack: a table of faults, each a function of a Scene that says whether it happened, chosen by the seed.

Owns: kinds of faults, choosing them, ending what lasts. Does not own: bringing parts back (the supervisor does)."""
import os
import signal
import threading
import time

from lib import proc


class Scene:
    """What faults work on. rng is the fault's own, so that the other threads don't disturb the choices."""

    def __init__(self, stack, rng, subscribers, strangers):
        self.stack, self.rng, self.subscribers, self.strangers = stack, rng, subscribers, strangers


def processes(stack, part):
    """The ids of what is meant by part, now."""
    if part == "worker":
        return stack.worker_pids()
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
    """SIGSTOP for 0.5 to 3 s."""
    def do(scene):
        seconds = scene.rng.uniform(0.5, 3)
        frozen = [(pid, born(pid)) for pid in some(scene, part, of_all)]
        frozen = [(pid, since) for pid, since in frozen if since and send(pid, signal.SIGSTOP)]
        try:
            time.sleep(seconds)
        finally:
            for pid, since in frozen:
                if born(pid) == since:
                    send(pid, signal.SIGCONT)
        return bool(frozen)
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


FAULTS = {
    "kill a worker": kill("worker"),
    "kill all workers": kill("worker", of_all=True),
    "kill the workers' manager": kill("worker manager"),
    "kill the relay": kill("relay"),
    "kill the push worker": kill("push worker"),
    "kill the push master": kill("push master"),
    "kill a front worker": kill("front worker"),
    "kill the front master": kill("front master"),
    "kill mariadbd": kill("mariadbd"),
    "freeze a worker": freeze("worker"),
    "freeze all workers": freeze("worker", of_all=True),
    "freeze the relay": freeze("relay"),
    "freeze the push worker": freeze("push worker"),
    "freeze a front worker": freeze("front worker"),
    "freeze mariadbd": freeze("mariadbd"),
    "reload front": reload("front"),
    "reload push": reload("push"),
    "cut subscribers": cut_subscribers,
    "clients leave half-way": leave_half_way,
}


class Mischief:
    """Rounds of one to three faults at once. Counts what happened; says what could not be done (its target was just away)."""

    def __init__(self, scene, kinds):
        self.scene, self.kinds = scene, kinds
        self.done, self.missed, self.rounds, self.log, self.crash = {k: 0 for k in kinds}, 0, 0, [], None

    def one(self, kind, seed, delay):
        import random
        scene = Scene(self.scene.stack, random.Random(seed), self.scene.subscribers, self.scene.strangers)
        try:
            time.sleep(delay)
            began = time.monotonic()
            if FAULTS[kind](scene):
                self.done[kind] += 1
                self.log.append((round(began, 3), round(time.monotonic(), 3), kind))
            else:
                self.missed += 1
        except BaseException as e:      # noqa: B902: reported by the driver
            self.crash = e

    def round(self):
        """Which kinds, on whom and when is the seed's; how the stack then looks is not."""
        rng = self.scene.rng
        chosen = rng.sample(self.kinds, min(len(self.kinds), rng.choices((1, 2, 3), (5, 3, 2))[0]))
        threads = [threading.Thread(target=self.one, args=(kind, rng.random(), rng.uniform(0, 0.5)), daemon=True) for kind in chosen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.rounds += 1
        return chosen
