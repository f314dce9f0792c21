"""The checker finds nothing in a sound history, and each way of breaking one."""
import copy
import datetime
import decimal
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checker  # noqa: E402
from history import MADE_UP, Attempt, Backlog, Change, Database, Fault, History, Placement, Read, Subscription, World, flat  # noqa: E402

AT = datetime.datetime(2026, 2, 26, 11, 30, 0, 250000, tzinfo=datetime.timezone.utc)
TEXT = "2026-02-26T17:00:00+05:30"
MONEY = decimal.Decimal


def order_row(order_id, marker, status, version):
    return {"id": order_id, "shop_id": 1, "customer_id": 7, "customer_name": "Kiran", "status": status, "total_amount": MONEY("120.00"),
            "order_notes": marker, "list_image_url": None, "order_type": "instant", "scheduled_pickup_time": None,
            "estimated_preparation_minutes": None, "version": version, "created_at": AT, "updated_at": AT,
            "accept_by": None, "cancelled_by": "shopkeeper" if status == "cancelled" else None, "cancel_reason": None}


def entry(order_id, version, status):
    return {"order_id": order_id, "version": version, "status": status, "estimated_preparation_minutes": None, "total_amount": MONEY("120.00"),
            "set_by_id": 7 if version == 1 else 3, "set_by_role": "customer" if version == 1 else "shopkeeper", "at": AT}


def answer(order_id, marker, status="pending", version=1):
    return json.dumps({
        "id": order_id, "shop_id": 1, "customer_id": 7, "customer_name": "Kiran", "order_type": "instant", "status": status,
        "scheduled_pickup_time": None, "estimated_preparation_minutes": None, "total_amount": 120.0, "order_notes": marker,
        "list_image_url": None, "has_chitty": False, "item_count": 1, "version": version, "created_at": TEXT, "updated_at": TEXT, "accept_by": None,
        "cancelled_by": "shopkeeper" if status == "cancelled" else None, "cancel_reason": None,
        "items": [{"id": order_id * 128 + 1, "product_id": 5, "product_name": "Rice", "quantity": 2, "price_at_time_of_order": 60.0,
                   "special_instructions": None}]})


def new_order(order_id):
    return json.dumps({"type": "new_order", "order_id": order_id, "customer_name": "Kiran", "order_type": "instant", "scheduled_pickup_time": None,
                       "total_amount": 120.0, "item_count": 1, "has_chitty": False})


def update(order_id, status):
    return json.dumps({"type": "order_update", "order_id": order_id, "shop_id": 1, "status": status, "total_amount": 120.0,
                       "estimated_preparation_minutes": None, "updated_at": TEXT})


def ready(order_id):
    return json.dumps({"type": "pickup_ready", "order_id": order_id, "shop_id": 1, "status": "ready", "estimated_preparation_minutes": None,
                       "message": "Your order is ready for pickup!"})


def event(pub_no, kind, channel, seq, body):
    return {"channel_kind": kind, "channel_id": channel, "seq": seq, "pub_no": pub_no, "outbox_id": pub_no + 100, "body": body}


def lost():
    return Attempt(0, 1, None, "ConnectionResetError()")


def away_answer():
    return Attempt(20.5, 22.1, 503, '{"code": "unavailable"}', retry_after="5")


def pile():
    """Shop 9's channel has one of the made-up orders, 2,000 channels of customers have the others."""
    batch = Backlog(9, MADE_UP, 3, True)
    return batch, [event(6 + n, 1 if n == 0 else 2, batch.channel(MADE_UP + n)[1], 1, batch.body(MADE_UP + n)) for n in range(3)]


def sound():
    """Order 1 with a key, its first answer lost, made ready; order 2 without, cancelled; a refused one; one that was cut off; one while the database
    was away. Three messages were piled up."""
    batch, piled = pile()
    world = World({1: {"timezone": "Asia/Kolkata", "keeper": 3, "name": "Corner", "terms": {}}},
                  {5: {"shop": 1, "name": "Rice", "price": MONEY("60.00"), "stock": 10}}, {7: "Kiran"})
    placements = [
        Placement("7/1", 7, 1, [(5, 2)], "key-1", attempts=[lost(), Attempt(1, 2, 201, answer(1, "7/1"), True), Attempt(2, 3, 201, answer(1, "7/1"), True)]),
        Placement("7/2", 7, 1, [(5, 2)], attempts=[Attempt(0, 1, 201, answer(2, "7/2"))]),
        Placement("7/3", 7, 1, [(5, 9)], "key-3", attempts=[Attempt(0, 1, 409, '{"code": "out_of_stock", "items": [{"product_id": 5, "available": 8}]}')]),
        Placement("7/4", 7, 1, [(5, 2)], is_cut=True, attempts=[Attempt(30, 31, None, "half the body", is_left=True)]),
        Placement("7/5", 7, 1, [(5, 2)], attempts=[away_answer()])]
    changes = [
        Change(1, 3, {"status": "confirmed"}, 1, [Attempt(3, 4, 200, answer(1, "7/1", "confirmed", 2))]),
        Change(1, 3, {"status": "ready"}, None, [lost(), Attempt(5, 6, 200, answer(1, "7/1", "ready", 3))]),
        Change(2, 3, {"status": "cancelled"}, None, [lost()]),
        Change(2, 3, {"status": "ready"}, None, [Attempt(5, 6, 409, "{}")])]
    rows = Database(
        orders=[order_row(1, "7/1", "ready", 3), order_row(2, "7/2", "cancelled", 2)],
        items=[{"order_id": n, "line": 1, "product_id": 5, "product_name": "Rice", "quantity": 2, "price_at_time_of_order": MONEY("60.00"),
                "stock_taken": 1} for n in (1, 2)],
        history=[entry(1, 1, "pending"), entry(1, 2, "confirmed"), entry(1, 3, "ready"), entry(2, 1, "pending"), entry(2, 2, "cancelled")],
        keys=[{"customer_id": 7, "idem_key": "key-1", "order_id": 1, "answer": answer(1, "7/1")}],
        events=[event(1, 1, 1, 1, new_order(1)), event(2, 1, 1, 2, new_order(2)), event(3, 2, 7, 1, update(1, "confirmed")),
                event(4, 2, 7, 2, update(2, "cancelled")), event(5, 2, 7, 3, ready(1)), *piled],
        outbox=[], products=[{"id": 5, "shop_id": 1, "stock": 8}], refusals=[], deadlines=[])
    subscription = Subscription("customer 7", "customer", 7, [1.0, 2.0], [(1, 1, update(1, "confirmed"), 1.1), (2, 2, update(2, "cancelled"), 2.2),
                                (2, 2, update(2, "cancelled"), 2.3), (2, 3, ready(1), 2.4)], [(2, 2, flat(json.loads(update(2, "cancelled"))), 2.1)], [1, 2, 3])
    reads = [Read("/api/v1/orders/shop/1", [Attempt(5, 6, 200, "")]), Read("/api/v1/orders/shop/1", [away_answer()])]
    faults = [Fault(0.5, 0.5, "kill a worker", "requests"), Fault(20, 23, "freeze mariadbd", "database", (20.01, 22.9), 23.0)]
    return History(world, placements, changes, [subscription], reads, faults, [batch], epoch=AT.timestamp() - 0.5), rows


def found(history, rows):
    return [name for name, findings in checker.check(history, rows).items() if findings]


def test_nothing_in_a_sound_history():
    assert checker.check(*sound()) == {name: [] for name in checker.INVARIANTS}


BREAKS = {
    "an order vanished": ("answered orders exist once, as answered", lambda h, d: d.orders.pop()),
    "a line vanished": ("answered orders exist once, as answered", lambda h, d: d.items.pop()),
    "another quantity": ("no order but those asked for, none twice", lambda h, d: d.items[0].update(quantity=3)),
    "the order twice": ("no order but those asked for, none twice", lambda h, d: d.orders.append(order_row(3, "7/1", "pending", 1))),
    "nobody's order": ("no order but those asked for, none twice", lambda h, d: d.orders.append(order_row(3, "9/9", "pending", 1))),
    "a refused order exists": ("no order but those asked for, none twice", lambda h, d: d.orders.append(order_row(3, "7/3", "pending", 1))),
    "half a request counts": ("no order but those asked for, none twice", lambda h, d: d.orders.append(order_row(3, "7/4", "pending", 1))),
    "a wrong total": ("lines, totals and taken stock are right", lambda h, d: d.orders[0].update(total_amount=MONEY("119.00"))),
    "a wrong price": ("lines, totals and taken stock are right", lambda h, d: d.items[0].update(price_at_time_of_order=MONEY("1"))),
    "the key is lost": ("orders are found again by their keys", lambda h, d: d.keys.clear()),
    "the key leads elsewhere": ("orders are found again by their keys", lambda h, d: d.keys[0].update(order_id=2)),
    "the order is not found by its key": ("orders are found again by their keys", lambda h, d: h.placements[0].attempts.__delitem__(slice(1, 3))),
    "another answer to a replay": ("orders are found again by their keys", lambda h, d: setattr(h.placements[0].attempts[2], "text", answer(1, "7/1", version=2))),
    "placed by both attempts": ("orders are found again by their keys", lambda h, d: [setattr(a, "replayed", False) for a in h.placements[0].attempts]),
    "a forbidden step": ("histories are paths of the transition table", lambda h, d: d.history[1].update(status="picked_up")),
    "a version is missing": ("histories are paths of the transition table", lambda h, d: d.history.pop(1)),
    "the order is elsewhere": ("histories are paths of the transition table", lambda h, d: d.orders[0].update(status="picked_up")),
    "a change undone": ("changes stand as answered, none but those asked for", lambda h, d: (d.history.pop(2), d.orders[0].update(status="confirmed", version=2))),
    "a change by nobody": ("changes stand as answered, none but those asked for", lambda h, d: h.changes.pop(2)),
    "a refused change counts": ("changes stand as answered, none but those asked for", lambda h, d: setattr(h.changes[2].attempts[0], "status", 409)),
    "If-Match ignored": ("changes stand as answered, none but those asked for", lambda h, d: setattr(h.changes[1], "if_match", 1)),
    "oversold": ("stock: start = left + sold - given back", lambda h, d: d.products[0].update(stock=-1)),
    "taken twice": ("stock: start = left + sold - given back", lambda h, d: d.products[0].update(stock=6)),
    "not given back": ("stock: start = left + sold - given back", lambda h, d: d.products[0].update(stock=6)),
    "a notification is missing": ("one notification a committed change, in order", lambda h, d: d.events.pop(4)),
    "a notification twice": ("one notification a committed change, in order", lambda h, d: d.events.append(event(9, 2, 7, 4, ready(1)))),
    "of what is not there": ("one notification a committed change, in order", lambda h, d: d.events.append(event(9, 1, 1, 3, new_order(9)))),
    "another text": ("one notification a committed change, in order", lambda h, d: d.events[4].update(body=ready(1).replace("Your", "My"))),
    "in another order": ("one notification a committed change, in order", lambda h, d: (d.events[2].update(pub_no=5), d.events[4].update(pub_no=3))),
    "a gap on a channel": ("numbers have no gap, nothing is left over", lambda h, d: d.events[4].update(seq=4)),
    "a gap over all": ("numbers have no gap, nothing is left over", lambda h, d: d.events[4].update(pub_no=9)),
    "one outbox row, two numbers": ("numbers have no gap, nothing is left over", lambda h, d: d.events[4].update(outbox_id=104)),
    "left in the outbox": ("numbers have no gap, nothing is left over", lambda h, d: d.outbox.append({"id": 1})),
    "put aside": ("numbers have no gap, nothing is left over", lambda h, d: d.refusals.append({"pub_no": 1})),
    "published, not committed": ("what was published was committed; repeats are the same", lambda h, d: h.subscriptions[0].frames.append((2, 4, ready(1), 3.0))),
    "a repeat with another text": ("what was published was committed; repeats are the same", lambda h, d: h.subscriptions[0].frames.append((2, 2, ready(1), 3.0))),
    "another event than the frame": ("what was published was committed; repeats are the same", lambda h, d: h.subscriptions[0].caught.append((2, 1, "{}", 3.0))),
    "never heard": ("subscribers end with each message once", lambda h, d: h.subscriptions[0].taken.remove(2)),
    "heard twice": ("subscribers end with each message once", lambda h, d: h.subscriptions[0].taken.append(3)),
    "a gap on a connection": ("live messages come in order, without a gap", lambda h, d: h.subscriptions[0].frames.append((2, 5, "", 3.0))),
    "a backlog has a hole": ("a backlog is numbered whole and in order", lambda h, d: d.events.pop()),
    "half of a transaction": ("a backlog is numbered whole and in order", lambda h, d: (setattr(h.backlogs[0], "is_certain", False), d.events.pop())),
    "of a backlog twice": ("a backlog is numbered whole and in order", lambda h, d: d.events.append({**d.events[-1], "seq": 2, "pub_no": 9})),
    "a backlog on another channel": ("a backlog is numbered whole and in order", lambda h, d: d.events[-1].update(channel_id=7, seq=4)),
    "a backlog's text changed": ("a backlog is numbered whole and in order", lambda h, d: d.events[-1].update(body=d.events[-1]["body"].replace("confirmed", "ready"))),
    "a backlog out of order": ("a backlog is numbered whole and in order", lambda h, d: (h.backlogs.append(Backlog(9, MADE_UP + 4000, 3, True)), d.events.extend(
        {**e, "seq": 0, "pub_no": 9 + n, "body": h.backlogs[1].body(MADE_UP + 4000 + n)} for n, e in enumerate(d.events[5:8])))),
    "a backlog that nobody piled up": ("a backlog is numbered whole and in order", lambda h, d: h.backlogs.clear()),
    "too late": ("answers come in time, from a worker", lambda h, d: setattr(h.placements[1].attempts[0], "began", -20.0) or h.faults.pop(0)),
    "a late 503": ("answers come in time, from a worker", lambda h, d: setattr(h.placements[4].attempts[0], "ended", 24.6)),
    "lost for no reason": ("answers come in time, from a worker", lambda h, d: h.faults.pop(0)),
    "no worker for no reason": ("answers come in time, from a worker", lambda h, d: setattr(h.placements[4].attempts[0], "text", '"The service behind this server does not answer."')),
    "503 long after": ("503 only while the database is away", lambda h, d: setattr(h.reads[1], "attempts", [Attempt(26.1, 26.2, 503, "", retry_after="5")])),
    "503 without a word on when": ("503 says when to come again", lambda h, d: setattr(h.placements[4].attempts[0], "retry_after", None)),
    "201 without the database": ("without the database each answer is 503", lambda h, d: setattr(h.placements[4].attempts[0], "status", 201) or
                                 setattr(h.placements[4].attempts[0], "text", answer(1, "7/5"))),
    "a late list": ("answers come in time, from a worker", lambda h, d: setattr(h.reads[1].attempts[0], "ended", 24.6)),
    "an error instead of a list": ("answers have the statuses of the API", lambda h, d: setattr(h.reads[0].attempts[0], "status", 500)),
    "lost without the database": ("without the database each answer is 503", lambda h, d: setattr(h.placements[4].attempts[0], "status", None)),
    "500 without the database": ("without the database each answer is 503", lambda h, d: setattr(h.placements[4].attempts[0], "status", 500)),
    "an error": ("answers have the statuses of the API", lambda h, d: h.changes[3].attempts.append(Attempt(7, 8, 500, "{}"))),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found(name):
    invariant, spoil = BREAKS[name]
    history, rows = copy.deepcopy(sound())
    spoil(history, rows)
    assert invariant in found(history, rows)


EXCUSED = {
    "503 just after the database's return": lambda h: setattr(h.reads[1], "attempts", [Attempt(25.9, 26.0, 503, "", retry_after="5")]),
    "503 as it never came back": lambda h: (setattr(h.reads[1], "attempts", [Attempt(99, 99.5, 503, "", retry_after="5")]), setattr(h.faults[1], "back", None)),
    "late, as a worker was frozen": lambda h: (setattr(h.placements[4].attempts[0], "ended", 27.0), h.faults.append(Fault(21, 24, "freeze a worker", "requests"))),
    "lost, as a worker was killed": lambda h: (setattr(h.placements[4].attempts[0], "status", None), h.faults.append(Fault(21, 21, "kill a worker", "requests"))),
    "a transaction of a backlog that never was": lambda h: h.backlogs.append(Backlog(9, MADE_UP + 4000, 3)),
    "201 just when the database came back": lambda h: setattr(h.placements[1], "attempts", [Attempt(22.8, 23.0, 201, answer(2, "7/2"))]),
}


@pytest.mark.parametrize("name", EXCUSED)
def test_what_may_be_is_not_found(name):
    history, rows = copy.deepcopy(sound())
    EXCUSED[name](history)
    assert found(history, rows) == []
