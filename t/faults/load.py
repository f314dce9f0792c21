"""Customers, shopkeepers and subscribers: threads that use the API as clients do and write down what happened.

Owns: the clients' behaviour. Does not own: what must come of it (checker.py), disturbing (faults.py)."""
import asyncio
import dataclasses
import http.client
import itertools
import json
import random
import sys
import threading
import time

import websockets

from history import Attempt, Change, Placement, Read, Subscription, flat
from lib import http as libhttp
from lib.subscribe import Closed, Refused, WebSocket

SCARCE = 60         # pieces of what is soon sold out
RUSH = 4            # wishes for one slot at once
PATIENCE = 8.0      # seconds that a client waits for an answer
PERSISTENCE = 60.0  # and for which it tries again
NEXT = {"pending": ["confirmed", "cancelled"], "confirmed": ["preparing", "ready", "cancelled"], "preparing": ["ready", "cancelled"],
        "ready": ["picked_up", "cancelled"]}
# Where a subscription can't be opened or breaks off.
CUT = (Closed, Refused, OSError, EOFError, http.client.HTTPException, websockets.WebSocketException, asyncio.TimeoutError)


class Impatient(libhttp.HttpClient):
    """As the clients of the tests, with a time-out of its own; asked, it gives an Attempt instead of raising."""

    def connection(self, timeout=None):
        return super().connection(PATIENCE)

    def attempt(self, method, target, who, value=libhttp.UNSET, headers=None):
        began = time.monotonic()
        try:
            answer = self(method, target, who, json=value, headers=headers)
        except (OSError, http.client.HTTPException) as e:
            return Attempt(began, time.monotonic(), None, repr(e))
        return Attempt(began, time.monotonic(), answer.status, sys.intern(answer.body.decode(errors="replace")),
                       answer.header("Idempotent-Replayed") == "true", answer.header("Retry-After"))


class Actor(threading.Thread):
    """A thread with random numbers of its own. stop: an Event for all of a kind. Its exception, if any, is kept."""

    def __init__(self, name, seed, stop, give_up=None):
        """give_up: the Event after which even an unanswered request is not tried again."""
        super().__init__(name=name, daemon=True)
        self.rng, self.stop, self.give_up, self.crash = random.Random(f"{seed}/{name}"), stop, give_up, None
        self.reads = []

    def get(self, target):
        """Written down, without what it said where that was good; gives the whole Attempt."""
        answer = self.call.attempt("GET", target, self.user)
        self.reads.append(Read(target, [dataclasses.replace(answer, text="") if answer.status == 200 else answer]))
        return answer

    def run(self):
        try:
            self.live()
        except BaseException as e:      # noqa: B902: reported by the driver
            self.crash = e

    def wants_more(self, attempt, began):
        """Whether a retry makes sense: no answer, or one that says "later"."""
        return attempt.is_lost and attempt.status != 500 and not self.give_up.is_set() and time.monotonic() - began < PERSISTENCE

    def rest(self, least, most):
        self.stop.wait(self.rng.uniform(least, most))


# ---- customers

def body_of(p):
    body = {"shop_id": p.shop, "order_notes": p.marker, "items": [{"product_id": i, "quantity": q} for i, q in p.items]}
    return {**body, "order_type": "pre_order", "scheduled_pickup_time": p.pickup} if p.pickup else body


class Customer(Actor):
    def __init__(self, user, world, front, call, seed, stop, give_up):
        """front: a shops.Front, which says when to come."""
        super().__init__(f"customer {user.id}", seed, stop, give_up)
        self.user, self.world, self.front, self.call, self.placements = user, world, front, call, []
        self.numbers = itertools.count(1)

    def new(self, key_chance=0.6, like=None):
        """A wish, not yet uttered; kept. like: one that it shares shop and pickup time with."""
        rng = self.rng
        shop = like.shop if like else rng.choice(sorted(self.world.shops))
        products = [i for i, product in self.world.products.items() if product["shop"] == shop]
        # What is scarce is soon gone: asked for seldom, or nothing else would be tried.
        if rng.random() < 0.85:
            products = [i for i in products if self.world.products[i]["stock"] != SCARCE]
        items = [(i, rng.randint(1, 3)) for i in rng.sample(products, rng.randint(1, len(products)))]
        if rng.random() < 0.05:
            items.append(items[0])
        marker = f"{self.user.id}/{next(self.numbers)}"
        pickup = like.pickup if like else self.front.pickup(self.world.shops[shop]["terms"], rng)
        p = Placement(marker, self.user.id, shop, items, f"key {marker}".replace(" ", "-") if rng.random() < key_chance else None, pickup)
        self.placements.append(p)
        return p

    def post(self, p):
        headers = {"Idempotency-Key": p.key} if p.key else None
        attempt = self.call.attempt("POST", "/api/v1/orders/", self.user, body_of(p), headers)
        p.attempts.append(attempt)
        return attempt

    def place(self, p):
        """With a key: again and again until the answer comes; without: once, as nobody may try blindly."""
        began = time.monotonic()
        while self.wants_more(self.post(p), began) and p.key:
            time.sleep(self.rng.uniform(0.02, 0.3))

    def together(self, wishes):
        threads = [threading.Thread(target=self.place, args=(p,), daemon=True) for p in wishes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def live(self):
        while not self.stop.is_set():
            p = self.new()
            if p.pickup and self.rng.random() < 0.2:
                # A rush for the last places.
                self.together([p] + [self.new(like=p) for _ in range(RUSH - 1)])
            elif p.key and self.rng.random() < 0.15:
                # The impatient finger: the same request from two places at once.
                self.together([p, p])
            else:
                self.place(p)
            self.rest(0, 0.1)

    def ask_again(self, at_most):
        """Afterwards: each lost answer is asked for once more, and of the others some."""
        keyed = [p for p in self.placements if p.key]
        lost = [p for p in keyed if not any(a.status == 201 for a in p.attempts) and any(a.is_lost for a in p.attempts)]
        had = [p for p in keyed if any(a.status == 201 for a in p.attempts)]
        for p in lost + self.rng.sample(had, min(at_most, len(had))):
            self.place(p)


# ---- shopkeepers

class Keeper(Actor):
    def __init__(self, user, shop, call, seed, stop, give_up, name="", is_slow=False):
        super().__init__(f"keeper {user.id}{name}", seed, stop, give_up)
        self.user, self.shop, self.call, self.changes, self.pause = user, shop, call, [], 1.0 if is_slow else 0.1

    def read(self, target):
        answer = self.get(target)
        return json.loads(answer.text) if answer.status == 200 else None

    def wish(self, order):
        """What to do with it: mostly a step that is allowed, at times one that is not, an estimate, or what holds already."""
        rng, what = self.rng, self.rng.random()
        if what < 0.05:
            return {"status": rng.choice(["pending", "picked_up", "preparing"])}
        if what < 0.10:
            return {"status": order["status"]}
        if what < 0.17:
            return {"estimated_preparation_minutes": rng.randint(1, 60)}
        steps = NEXT[order["status"]]
        # Places in slots are wanted back more often.
        members = {"status": "cancelled" if rng.random() < (0.35 if order["scheduled_pickup_time"] else 0.15) else rng.choice(steps[:-1] or steps)}
        if members["status"] == "cancelled" and rng.random() < 0.5:
            members["cancel_reason"] = rng.choice(["Sold out", "The oven is broken"])
        return {**members, "estimated_preparation_minutes": rng.randint(1, 60)} if rng.random() < 0.3 else members

    def patch(self, change):
        """Until the answer comes: setting what holds already is a success."""
        headers = {"If-Match": f'"{change.order}-{change.if_match}"'} if change.if_match else None
        self.changes.append(change)
        began = time.monotonic()
        while True:
            attempt = self.call.attempt("PATCH", f"/api/v1/orders/{change.order}", self.user, change.members, headers)
            change.attempts.append(attempt)
            if not self.wants_more(attempt, began):
                return attempt
            time.sleep(self.rng.uniform(0.02, 0.3))

    def live(self):
        while not self.stop.is_set():
            status = self.rng.choice(list(NEXT))
            orders = self.read(f"/api/v1/orders/shop/{self.shop}?status={status}&limit=20")
            for order in self.rng.sample(orders, min(5, len(orders))) if orders else []:
                tag = order["version"] if self.rng.random() < 0.3 else None
                self.patch(Change(order["id"], self.user.id, self.wish(order), tag))
                self.rest(0, 0.03)
                if self.stop.is_set():
                    break
            self.rest(0, self.pause)


# ---- subscribers

class Subscriber(Actor):
    """Follows the client rule: subscribe, wait for open, read the events after the last number seen, drop what was seen."""

    def __init__(self, kind, channel, user, call, seed, stop, name=""):
        super().__init__(f"subscriber of {kind} {channel}{name}", seed, stop)
        self.kind, self.channel, self.user, self.call = kind, channel, user, call
        self.story = Subscription(self.name, kind, channel)
        self.seen, self.last, self.ws, self.target = set(), 0, None, None

    def trouble(self, what):
        self.story.troubles.append((round(time.monotonic(), 3), what))

    def take(self, seq):
        if seq not in self.seen:
            self.seen.add(seq)
            self.story.taken.append(seq)
            self.last = max(self.last, seq)

    def catch_up(self):
        """Everything after the last number seen; False where no answer comes for long."""
        failures = 0
        while failures < 20:
            answer = self.get(f"/api/v1/events/{self.kind}/{self.channel}?after={self.last}&limit=200")
            if answer.status != 200:
                failures += 1
                self.trouble(f"catching up after {self.last}: {answer.status} {answer.text[:100]}")
                time.sleep(self.rng.uniform(0.05, 0.3))
                continue
            page = answer.value()
            for event in page["events"]:
                self.story.caught.append((len(self.story.opened), event["seq"], sys.intern(flat(event["message"])), answer.ended))
                self.take(event["seq"])
            if not page["events"] or self.last >= page["last_seq"]:
                return True
        return False

    def listen(self):
        while not self.is_done():
            try:
                message = self.ws.receive(0.5)
            except asyncio.TimeoutError:
                continue
            self.story.frames.append((len(self.story.opened), message.seq, sys.intern(message.text), time.monotonic()))
            self.take(message.seq)

    def is_done(self):
        """Told to stop, and has what there is; or gave up on it."""
        return self.stop.is_set() and (self.target is None or self.last >= self.target)

    def live(self):
        while not self.is_done():
            try:
                self.ws = WebSocket(self.call, f"/ws/{self.kind}/{self.channel}", self.user)
                self.story.opened.append(time.monotonic())
                if self.catch_up():
                    self.listen()
            except CUT as e:
                self.trouble(e.response.status if isinstance(e, Refused) else repr(e)[:120])
                time.sleep(self.rng.uniform(0.02, 0.3))
            finally:
                ws, self.ws = self.ws, None
                if ws:
                    ws.cut()

    def cut(self):
        """The connection breaks, as in a tunnel."""
        ws = self.ws
        if ws:
            ws.cut()
        return ws is not None
