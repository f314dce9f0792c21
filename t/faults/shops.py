"""The shops of a run: what their owners set, and set anew all the time; when customers want to come; deadlines that come early.

Owns: the kinds of shops, the owners, hurrying. Does not own: what must come of a shop's terms (terms.py), the other clients (load.py)."""
import dataclasses
import datetime
import subprocess
import time
import zoneinfo

import database
from history import Hurry, ShopChange
from lib import times
from load import Actor

SLOT_MINUTES = 20
FRONT_S, FRONT_SLOTS = 1.0, 2   # so often the next slot is begun with; so many are asked for at a time
HURRIED, PORTION = 6, 600       # orders at a time, meanwhile and at the end
ALWAYS = {"opening_hours": None, "paused_until": None, "pre_orders_while_paused": False}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# ---- what owners set

def hours(rng, zone):
    """Open as a rule; at times closed for some hours from now, as far as anybody can tell, or paused for a moment."""
    terms, what = dict(ALWAYS), rng.random()
    if what < 0.2:
        opens = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).hour + 4
        terms["opening_hours"] = {day: [[f"{opens % 24:02}:00", f"{(opens + 9) % 24:02}:00"]] for day in DAYS}
    elif what < 0.4:
        terms.update(paused_until=times.from_now(zone, seconds=rng.randint(1, 3)), pre_orders_while_paused=rng.random() < 0.5)
    return terms


def slots(rng, zone):
    return {"slot_minutes": SLOT_MINUTES, "slot_capacity": rng.randint(0, 12)}


def deadlines(rng, zone):
    return {"slot_minutes": SLOT_MINUTES, "slot_capacity": rng.randint(3, 15), "accept_within_minutes": 1 if rng.random() < 0.9 else None}


def confirming(rng, zone):
    return {"auto_confirm": rng.random() < 0.8, "default_preparation_minutes": rng.choice([None, 5, 25])}


@dataclasses.dataclass
class Kind:
    zone: str
    first: dict             # the terms before the first request, and after the last
    terms: object           # gives others; each of them says all that any says
    is_slow: bool = False   # its keepers let orders wait


KINDS = (
    Kind("Asia/Kolkata", ALWAYS, hours),
    Kind("Europe/London", {"slot_minutes": SLOT_MINUTES, "slot_capacity": 5}, slots),
    Kind("America/St_Johns", {"slot_minutes": SLOT_MINUTES, "slot_capacity": 8, "accept_within_minutes": 1}, deadlines, is_slow=True),
    Kind("Australia/Lord_Howe", {"auto_confirm": True, "default_preparation_minutes": 15}, confirming),
)


class Owner(Actor):
    """Sets the terms of one shop, one change after another."""

    def __init__(self, user, shop, kind, call, seed, stop, give_up):
        super().__init__(f"owner of {shop}", seed, stop, give_up)
        self.user, self.shop, self.kind, self.call, self.changes = user, shop, kind, call, []

    def set(self, members):
        """Until the answer comes."""
        change = ShopChange(self.shop, self.user.id, members)
        self.changes.append(change)
        began = time.monotonic()
        while True:
            change.attempts.append(self.call.attempt("PATCH", f"/api/v1/shops/{self.shop}", self.user, members))
            if not self.wants_more(change.attempts[-1], began):
                return
            time.sleep(self.rng.uniform(0.02, 0.3))

    def look(self):
        """As everybody who wants to come the day after tomorrow."""
        date = datetime.datetime.now(zoneinfo.ZoneInfo(self.kind.zone)).date() + datetime.timedelta(days=2)
        self.get(f"/api/v1/shops/{self.shop}/slots?date={date}")

    def live(self):
        while not self.stop.is_set():
            self.set(self.kind.terms(self.rng, self.kind.zone))
            if "slot_minutes" in self.kind.first and self.rng.random() < 0.5:
                self.look()
            self.rest(0.2, 2)
        self.set(self.kind.first)


# ---- when customers want to come

class Front:
    """Wishes for a few slots at a time, and for later ones as time goes: so some are always just filling up."""

    def __init__(self):
        self.began = time.monotonic()
        self.first = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)

    def pickup(self, terms, rng):
        """RFC 3339, or None for an instant order. terms: those that the shop began with."""
        if "slot_minutes" not in terms:
            return times.from_now("UTC", hours=rng.randint(2, 200)) if rng.random() < 0.2 else None
        if rng.random() < 0.3:
            return None
        slot = int((time.monotonic() - self.began) / FRONT_S) + rng.randrange(FRONT_SLOTS)
        return (self.first + datetime.timedelta(minutes=slot * SLOT_MINUTES, seconds=rng.randrange(SLOT_MINUTES * 60))).isoformat()


# ---- deadlines

class Hurrier(Actor):
    """Moves deadlines of orders into the past, in the database: a minute, the least that an owner can set, is long for a run."""

    def __init__(self, stack, seed, stop):
        super().__init__("hurrier", seed, stop)
        self.stack, self.hurries = stack, []

    def ask(self, statement):
        try:
            return database.ask(self.stack, statement, patience=20)
        except subprocess.TimeoutExpired:
            return None

    def move(self, orders):
        to, began = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
        done = self.ask(f"UPDATE order_deadlines SET accept_by = '{to:%Y-%m-%d %H:%M:%S.%f}' WHERE order_id IN ({', '.join(map(str, orders))})")
        self.hurries.append(Hurry(set(orders), to, began, time.monotonic(), done is not None))

    def live(self):
        """The youngest, which keepers look at as well; those that they have confirmed are among them."""
        while not self.stop.is_set():
            found = self.ask("SELECT order_id FROM order_deadlines WHERE accept_by > UTC_TIMESTAMP(6) ORDER BY order_id DESC LIMIT 30")
            orders = [int(row[0]) for row in found or []]
            if orders:
                self.move(self.rng.sample(orders, min(HURRIED, len(orders))))
            self.rest(0.3, 1.5)

    def is_done(self):
        """Whether no deadline is left. Where none is due just now, those of a portion of the orders come."""
        found = self.ask("SELECT order_id, accept_by <= UTC_TIMESTAMP(6) FROM order_deadlines ORDER BY order_id")
        if found and not any(due == "1" for _, due in found):
            self.move([int(order) for order, _ in found[:PORTION]])
        return found == []
