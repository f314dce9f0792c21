"""The checker on shops' terms: nothing in a sound history, and each way of breaking one. See test_checker.py."""
import copy
import datetime
import json
import pathlib
import sys
import zoneinfo

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checker  # noqa: E402
import terms  # noqa: E402
from history import Attempt, Change, Database, Fault, History, Hurry, Placement, ShopChange, World  # noqa: E402
from test_checker import AT, MONEY, found  # noqa: E402

KEEPER, CUSTOMER = 3, 7
SLOTS, KITCHEN, QUICK, HOURS = 1, 2, 3, 4
ZONE = "Asia/Kolkata"
CLOSED = {"opening_hours": {"mon": [["21:00", "06:00"]]}, "paused_until": None, "pre_orders_while_paused": False}    # it is 17:00 there


def at(t):
    """An instant by the clock of the attempts."""
    return AT + datetime.timedelta(seconds=t)


def shown(when):
    return when and when.replace(microsecond=0).astimezone(zoneinfo.ZoneInfo(ZONE)).isoformat()


def attempt(t, status, /, **value):
    return Attempt(t - 0.1, t + 0.1, status, json.dumps(value))


class Story:
    """Puts together what a sound run leaves behind."""

    def __init__(self):
        firsts = {SLOTS: {"slot_minutes": 20, "slot_capacity": 2}, KITCHEN: {"accept_within_minutes": 1},
                  QUICK: {"auto_confirm": True, "default_preparation_minutes": 15}, HOURS: {"opening_hours": None}}
        world = World({n: {"timezone": ZONE, "keeper": KEEPER, "name": "Corner", "terms": first} for n, first in firsts.items()},
                      {n: {"shop": n, "name": "Rice", "price": MONEY("60.00"), "stock": 10 if n == KITCHEN else None} for n in firsts},
                      {CUSTOMER: "Kiran"})
        self.history = History(world, [], [], [], epoch=AT.timestamp())
        self.rows = Database([], [], [], [], [], [], [{"id": n, "shop_id": n, "stock": 9 if n == KITCHEN else None} for n in firsts], [], [])
        self.seqs = {}

    def publish(self, kind, channel, order, message):
        seq = self.seqs[kind, channel] = self.seqs.get((kind, channel), 0) + 1
        n = len(self.rows.events) + 1
        self.rows.events.append({"channel_kind": kind, "channel_id": channel, "seq": seq, "pub_no": n, "outbox_id": n, "body": json.dumps(message)})

    def update(self, order, when):
        self.publish(2, CUSTOMER, order, {
            "type": "order_update", "order_id": order["id"], "shop_id": order["shop_id"], "status": order["status"], "total_amount": 60.0,
            "estimated_preparation_minutes": order["estimated_preparation_minutes"], "updated_at": shown(when)})

    def wish(self, shop, pickup, *attempts):
        p = Placement(f"7/{len(self.history.placements)}", CUSTOMER, shop, [(shop, 1)], None, pickup, attempts=list(attempts))
        self.history.placements.append(p)
        return p

    def answer(self, order, p):
        return {**{n: order[n] for n in ("id", "shop_id", "customer_id", "customer_name", "order_type", "status", "estimated_preparation_minutes",
                                         "version", "order_notes", "list_image_url", "cancelled_by", "cancel_reason")},
                **{n: shown(order[n]) for n in ("scheduled_pickup_time", "created_at", "updated_at", "accept_by")},
                "total_amount": 60.0, "item_count": 1,
                "items": [{"product_id": order["shop_id"], "product_name": "Rice", "quantity": 1, "price_at_time_of_order": 60.0}]}

    def place(self, shop, t, pickup=None, status="pending", estimate=None, within=None):
        p = self.wish(shop, pickup)
        order = {"id": len(self.rows.orders) + 1, "shop_id": shop, "customer_id": CUSTOMER, "customer_name": "Kiran", "status": status,
                 "total_amount": MONEY("60.00"), "order_notes": p.marker, "list_image_url": None, "order_type": "pre_order" if pickup else "instant",
                 "scheduled_pickup_time": datetime.datetime.fromisoformat(pickup) if pickup else None, "estimated_preparation_minutes": estimate,
                 "version": 1, "created_at": at(t), "updated_at": at(t), "accept_by": at(t + within) if within else None, "cancelled_by": None,
                 "cancel_reason": None}
        self.rows.orders.append(order)
        self.rows.items.append({"order_id": order["id"], "line": 1, "product_id": shop, "product_name": "Rice", "quantity": 1,
                                "price_at_time_of_order": MONEY("60.00"), "stock_taken": int(shop == KITCHEN)})
        p.attempts.append(attempt(t, 201, **self.answer(order, p)))
        self.publish(1, shop, order, {
            "type": "new_order", "order_id": order["id"], "customer_name": "Kiran", "order_type": order["order_type"],
            "scheduled_pickup_time": shown(order["scheduled_pickup_time"]), "total_amount": 60.0, "item_count": 1, "has_chitty": False})
        if status == "confirmed":
            self.update(order, at(t))
        return order

    def move(self, order, t, status, by, reason=None):
        """by: None for the system, whose changes nobody asked for."""
        self.rows.history.append(checker.creation(order))
        order.update(status=status, version=2, updated_at=at(t))
        if status == "cancelled":
            order.update(cancelled_by="shopkeeper" if by else "system", cancel_reason=reason)
        self.rows.history.append({**checker.creation(order), "version": 2, "at": at(t), "set_by_id": by, "set_by_role": "shopkeeper" if by else None})
        self.update(order, at(t))
        if by:
            members = {"status": status, **({"cancel_reason": reason} if reason else {})}
            self.history.changes.append(Change(order["id"], by, members, None, [attempt(t, 200, **self.answer(order, None))]))

    def set(self, shop, t, **members):
        self.history.shop_changes.append(ShopChange(shop, KEEPER, members, [attempt(t, 200)]))

    def refuse(self, shop, t, code, pickup=None, **members):
        self.wish(shop, pickup, attempt(t, 409, code=code, **members))


def evening(minute):
    """At that minute after eight, in the shops' zone; slots begin at 0, 20 and 40."""
    return f"2026-02-26T{20 + minute // 60}:{minute % 60:02}:00+05:30"


THEN = [evening(20), evening(40), evening(60)]     # behind the slot of the sound history


def sound():
    """Shop 1: a slot of two that fills up, has a place back, is full with one more, and is then cut down to one. Shop 2: one order is confirmed,
    one is not and so has its piece of ten given back; both deadlines are moved. Shop 3 confirms by itself. Shop 4 closes, then pauses."""
    s = Story()
    s.place(SLOTS, 1, evening(5))
    freed = s.place(SLOTS, 2, evening(10))
    s.move(freed, 5, "cancelled", KEEPER, "Sold out")
    s.place(SLOTS, 6, evening(15))
    s.refuse(SLOTS, 7, "slot_full", evening(1), alternatives=THEN)
    s.set(SLOTS, 8, slot_minutes=20, slot_capacity=1)
    s.place(SLOTS, 9, evening(25))
    kept = s.place(KITCHEN, 3, within=60)
    s.move(kept, 4, "confirmed", KEEPER)
    late = s.place(KITCHEN, 4, within=60)
    s.history.hurries.append(Hurry({kept["id"], late["id"]}, at(10), 10.0, 10.2, True))
    s.move(late, 13, "cancelled", None, "not_accepted_in_time")
    s.place(QUICK, 1, status="confirmed", estimate=15)
    s.place(HOURS, 1)
    s.set(HOURS, 10, **CLOSED)
    s.refuse(HOURS, 11, "shop_closed", opens_at="2026-02-26T21:00:00+05:30")
    s.refuse(HOURS, 12, "outside_hours", evening(0), alternatives=[f"2026-02-26T21:{m}:00+05:30" for m in ("00", "15", "30")])
    s.set(HOURS, 13, opening_hours=None, paused_until="2026-02-26T17:00:20+05:30", pre_orders_while_paused=True)
    s.refuse(HOURS, 14, "shop_paused", resumes_at="2026-02-26T17:00:20+05:30")
    s.place(HOURS, 15, evening(0))
    s.place(HOURS, 21)
    return s


def test_nothing_in_a_sound_history():
    s = sound()
    assert checker.check(s.history, s.rows) == {name: [] for name in checker.INVARIANTS}


LET_IN, FULL = "orders are let in, and made, as the shop's terms say", "slots are never oversold"
REFUSED, SWEPT = "refusals have a reason, and say what helps", "the system cancels what was not accepted in time, and nothing else"
REASONS, MESSAGES = "cancelled orders say by whom and why", "one notification a committed change, in order"
STOCK = "stock: start = left + sold - given back"


def refusal(s, code):
    return next(a for p in s.history.placements for a in p.attempts if a.status == 409 and a.value()["code"] == code)


def say(s, code, /, **members):
    a = refusal(s, code)
    a.text = json.dumps({**json.loads(a.text), **members})


def order_of(s, shop, n):
    return [o for o in s.rows.orders if o["shop_id"] == shop][n]


def cancelled_too_late(s):
    """By half a minute; its message says the same minute."""
    entry, = (h for h in s.rows.history if terms.is_by_system(h))
    entry.update(at=at(44.5))


def sweep_the_confirmed(s):
    kept = order_of(s, KITCHEN, 0)
    kept.update(status="cancelled", version=3, cancelled_by="system", cancel_reason="not_accepted_in_time")
    s.rows.history.append({**checker.creation(kept), "version": 3, "at": at(13), "set_by_id": None, "set_by_role": None})
    s.update(kept, at(13))


def never_sweep(s):
    late = order_of(s, KITCHEN, 1)
    s.rows.history[:] = [h for h in s.rows.history if h["order_id"] != late["id"]]
    late.update(status="pending", version=1, cancelled_by=None, cancel_reason=None)


BREAKS = {
    "three in a slot of two": (FULL, lambda s: s.place(SLOTS, 7, evening(0))),
    "a second one at once": (FULL, lambda s: [s.place(SLOTS, 9.01, evening(30))]),
    "a place that was not given back yet": (FULL, lambda s: s.rows.history[1].update(at=at(7))),
    "a slot of none": (FULL, lambda s: s.set(SLOTS, 0.3, slot_minutes=20, slot_capacity=0)),
    "open when it was closed": (LET_IN, lambda s: s.place(HOURS, 12)),
    "paused, and taken": (LET_IN, lambda s: s.place(HOURS, 16)),
    "not confirmed by itself": (LET_IN, lambda s: s.place(QUICK, 5)),
    "another estimate": (LET_IN, lambda s: s.place(QUICK, 5, status="confirmed", estimate=20)),
    "confirmed by itself, where it must not": (LET_IN, lambda s: s.place(HOURS, 5, status="confirmed")),
    "another deadline": (LET_IN, lambda s: order_of(s, KITCHEN, 0).update(accept_by=at(62))),
    "no deadline": (LET_IN, lambda s: order_of(s, KITCHEN, 0).update(accept_by=None)),
    "full, with a place left": (REFUSED, lambda s: s.refuse(SLOTS, 7, "slot_full", evening(20), alternatives=THEN)),
    "full, an instant order": (REFUSED, lambda s: s.refuse(SLOTS, 7, "slot_full", alternatives=[])),
    "no alternatives": (REFUSED, lambda s: say(s, "slot_full", alternatives=[])),
    "an alternative that is no slot": (REFUSED, lambda s: say(s, "slot_full", alternatives=[evening(20), evening(30), evening(40)])),
    "alternatives in disorder": (REFUSED, lambda s: say(s, "slot_full", alternatives=THEN[::-1])),
    "alternatives of another clock": (REFUSED, lambda s: say(s, "slot_full", alternatives=[f"2026-02-26T15:{m}:00+00:00" for m in (10, 30, 50)])),
    "closed when it was open": (REFUSED, lambda s: s.refuse(HOURS, 5, "shop_closed", opens_at="2026-02-26T21:00:00+05:30")),
    "opens at another time": (REFUSED, lambda s: say(s, "shop_closed", opens_at="2026-02-26T22:00:00+05:30")),
    "opens never": (REFUSED, lambda s: say(s, "shop_closed", opens_at=None)),
    "within its hours": (REFUSED, lambda s: s.refuse(HOURS, 12, "outside_hours", "2026-02-26T21:10:00+05:30", alternatives=[
        f"2026-02-26T21:{m}:00+05:30" for m in (15, 30, 45)])),
    "an alternative outside as well": (REFUSED, lambda s: say(s, "outside_hours", alternatives=[evening(0), evening(15), evening(30)])),
    "goes on at another time": (REFUSED, lambda s: say(s, "shop_paused", resumes_at="2026-02-26T17:00:21+05:30")),
    "a pause that pre-orders may outlast, without a word on when": (REFUSED, lambda s: s.refuse(
        HOURS, 14, "shop_paused", "2026-02-26T17:00:19+05:30", resumes_at="2026-02-26T17:00:20+05:30", alternatives=[])),
    "a pause for all, with alternatives": (REFUSED, lambda s: (
        s.set(HOURS, 14, opening_hours=None, paused_until="2026-02-26T17:00:25+05:30", pre_orders_while_paused=False),
        s.refuse(HOURS, 15, "shop_paused", evening(0), resumes_at="2026-02-26T17:00:25+05:30", alternatives=THEN))),
    "the pause was over": (REFUSED, lambda s: s.refuse(HOURS, 21, "shop_paused", resumes_at="2026-02-26T17:00:20+05:30")),
    "an unknown code": (REFUSED, lambda s: say(s, "shop_paused", code="too_soon")),
    "a product that is not short": (REFUSED, lambda s: s.refuse(HOURS, 5, "out_of_stock", items=[{"product_id": HOURS, "available": 1}])),
    "confirmed, then cancelled by the system": (SWEPT, sweep_the_confirmed),
    "answered to be confirmed": (SWEPT, lambda s: s.history.changes.append(Change(
        order_of(s, KITCHEN, 1)["id"], KEEPER, {"status": "confirmed"}, None, [attempt(12.5, 200, status="confirmed", version=2)]))),
    "before its deadline": (SWEPT, lambda s: s.history.hurries.clear()),
    "long after its deadline": (SWEPT, cancelled_too_late),
    "pending for ever": (SWEPT, never_sweep),
    "a deadline that was never swept": (SWEPT, lambda s: s.rows.deadlines.append({"order_id": 6, "accept_by": at(10)})),
    "swept in a shop without deadlines": (SWEPT, lambda s: s.move(s.place(HOURS, 2), 9, "cancelled", None, "not_accepted_in_time")),
    "the system confirms": (SWEPT, lambda s: s.move(s.place(KITCHEN, 5, within=60), 9, "confirmed", None)),
    "the sweep gives nothing back": (STOCK, lambda s: s.rows.products[KITCHEN - 1].update(stock=8)),
    "the sweep gives back twice": (STOCK, lambda s: s.rows.products[KITCHEN - 1].update(stock=10)),
    "no reason": (REASONS, lambda s: order_of(s, KITCHEN, 1).update(cancel_reason=None)),
    "another reason": (REASONS, lambda s: order_of(s, SLOTS, 1).update(cancel_reason="not_accepted_in_time")),
    "somebody else": (REASONS, lambda s: order_of(s, KITCHEN, 1).update(cancelled_by="shopkeeper")),
    "cancelled by the living": (REASONS, lambda s: order_of(s, KITCHEN, 0).update(cancelled_by="shopkeeper")),
    "the sweep says nothing": (MESSAGES, lambda s: s.rows.events.remove(next(
        e for e in s.rows.events if '"cancelled"' in e["body"] and f'"shop_id": {KITCHEN}' in e["body"]))),
    "confirmed by itself, without a word to the customer": (MESSAGES, lambda s: s.rows.events.remove(next(
        e for e in s.rows.events if e["channel_kind"] == 2 and f'"shop_id": {QUICK}' in e["body"]))),
    "confirmed by itself, and told twice": (MESSAGES, lambda s: s.update(order_of(s, QUICK, 0), at(1))),
    "an error of a shop": ("answers have the statuses of the API", lambda s: s.history.shop_changes[0].attempts.append(attempt(8, 500))),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found(name):
    invariant, spoil = BREAKS[name]
    s = copy.deepcopy(sound())
    spoil(s)
    assert invariant in found(s.history, s.rows)


def lose(s, n):
    """The answer to a change of shop 1's terms."""
    a = s.history.shop_changes[n].attempts[0]
    a.status, a.text = None, "ConnectionResetError()"
    s.history.faults.append(Fault(a.began, a.began, "kill a worker", "requests"))


EXCUSED = {
    "a pause for all": lambda s: (
        s.set(HOURS, 22, opening_hours=None, paused_until="2026-02-26T17:00:25+05:30", pre_orders_while_paused=False),
        s.refuse(HOURS, 23, "shop_paused", evening(0), resumes_at="2026-02-26T17:00:25+05:30", alternatives=[])),
    "a pre-order within a pause": lambda s: s.refuse(HOURS, 14, "shop_paused", "2026-02-26T17:00:19+05:30", resumes_at="2026-02-26T17:00:20+05:30",
                                                     alternatives=[f"2026-02-26T17:{m}:00+05:30" for m in (15, 30, 45)]),
    "a third place while more are being given": lambda s: (
        s.set(SLOTS, 6.95, slot_minutes=20, slot_capacity=3), s.place(SLOTS, 7, evening(0))),
    "a second one, as it is not known whether places were taken away": lambda s: (lose(s, 0), s.place(SLOTS, 12, evening(30))),
    "full a moment after a place came back": lambda s: s.refuse(SLOTS, 5.15, "slot_full", evening(1), alternatives=THEN),
    "closed while it closes": lambda s: s.place(HOURS, 10.05),
    "full, of none": lambda s: (s.set(SLOTS, 10, slot_minutes=20, slot_capacity=0), s.refuse(SLOTS, 11, "slot_full", evening(41), alternatives=[])),
    "late, as the database was away": lambda s: (
        cancelled_too_late(s), s.history.faults.append(Fault(11, 13, "keep mariadbd away", "database", None, 14.0))),
    "late, as the relays were dead": lambda s: (cancelled_too_late(s), s.history.faults.append(Fault(11, 11, "kill both relays", "relay"))),
}


@pytest.mark.parametrize("name", EXCUSED)
def test_what_may_be_is_not_found(name):
    s = copy.deepcopy(sound())
    EXCUSED[name](s)
    assert not {LET_IN, FULL, REFUSED, SWEPT, REASONS} & set(found(s.history, s.rows))


@pytest.mark.parametrize("places, is_room", [
    ([(0, 1, 1), (2, 3, 2)], True), ([(0, 1, 2), (2, 3, 1)], False), ([(0, 2, 2), (1, 3, 1)], True), ([(0, 1, 1), (0, 1, 1)], False),
    ([(0, 9, 3), (1, 2, 1), (3, 4, 2)], True), ([(0, 1, 3), (2, 3, 1), (4, 5, 2)], False), ([(0, 1, 0)], False), ([], True)])
def test_one_after_another(places, is_room):
    def place(earliest, latest, most):
        p = terms.Place.__new__(terms.Place)
        p.earliest, p.latest, p.most = earliest, latest, most
        return p
    assert (terms.without_room([place(*p) for p in places]) is None) == is_room


def test_slots_of_a_day_on_which_the_clock_changes():
    london = zoneinfo.ZoneInfo("Europe/London")
    noon = datetime.datetime(2026, 3, 29, 12, 35, tzinfo=london)
    assert terms.slot_of(noon.astimezone(datetime.timezone.utc), 60, london) == datetime.datetime(2026, 3, 29, 12, tzinfo=london)
