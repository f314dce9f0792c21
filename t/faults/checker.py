"""Judges a run: a pure function over the recorded history and the final database. Each invariant yields findings, texts that hold the evidence.

Owns: what must be true. Does not own: recording (load.py), reading the database (database.py)."""
import collections
import datetime
import decimal
import json
import zoneinfo

import terms
import timing
from history import MADE_UP, flat

MAY_GO = {
    "pending": {"confirmed", "cancelled"},
    "confirmed": {"preparing", "ready", "cancelled"},
    "preparing": {"ready", "cancelled"},
    "ready": {"picked_up", "cancelled"},
    "picked_up": set(),
    "cancelled": set(),
}
KINDS = {1: "shop", 2: "customer"}


class Case:
    """History and database with the indexes that several invariants use."""

    def __init__(self, history, database):
        self.recorded = history
        self.world, self.placements, self.changes = history.world, history.placements, history.changes
        self.subscriptions, self.db = history.subscriptions, database
        self.orders = {o["id"]: o for o in database.orders}
        self.by_marker = group(database.orders, lambda o: o["order_notes"])
        self.items = group(database.items, lambda i: i["order_id"])
        self.versions = {}
        entries = group(database.history, lambda h: h["order_id"])
        for order in database.orders:
            self.versions[order["id"]] = sorted(entries.get(order["id"], []), key=lambda h: h["version"]) or [creation(order)]
        self.channels = group(database.events, lambda e: (KINDS[e["channel_kind"]], e["channel_id"]))
        for events in self.channels.values():
            events.sort(key=lambda e: e["seq"])
        self.wishes = {p.marker: p for p in history.placements}
        self.changes_of = group(history.changes, lambda c: c.order)
        self.terms = terms.of_shops(history)
        self.placed = {order["id"]: terms.placed(self, order) for order in database.orders}
        self.places = terms.places(self)

    def order_text(self, order_id):
        order = self.orders.get(order_id)
        lines = [f"database: {order}"] + [f"  line {i}" for i in self.items.get(order_id, [])]
        return "\n  ".join(lines + [f"  history {h}" for h in self.versions.get(order_id, [])])

    def local(self, order, when):
        """An instant as answers and messages of that order print it."""
        return when and when.replace(microsecond=0).astimezone(self.zone(order["shop_id"])).isoformat()

    def zone(self, shop):
        return zoneinfo.ZoneInfo(self.world.shops[shop]["timezone"])


def group(rows, key):
    found = collections.defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def creation(order):
    """The entry that nobody has written for an order that never changed."""
    return {"order_id": order["id"], "version": 1, "status": order["status"], "total_amount": order["total_amount"],
            "estimated_preparation_minutes": order["estimated_preparation_minutes"], "set_by_id": order["customer_id"],
            "set_by_role": "customer", "at": order["created_at"]}


def differences(wanted, found):
    return {name: (value, found.get(name)) for name, value in wanted.items() if found.get(name) != value}


# ---- orders

def lines_of(rows):
    return [(i["product_id"], i["product_name"], i["quantity"], i["price_at_time_of_order"]) for i in sorted(rows, key=lambda i: i["line"])]


def as_placed(case, order):
    """The members of the answer to its creation, from the rows."""
    first = case.versions[order["id"]][0]
    return {"id": order["id"], "shop_id": order["shop_id"], "customer_id": order["customer_id"], "customer_name": order["customer_name"],
            "order_type": order["order_type"], "status": first["status"], "scheduled_pickup_time": case.local(order, order["scheduled_pickup_time"]),
            "estimated_preparation_minutes": first["estimated_preparation_minutes"], "total_amount": first["total_amount"],
            "order_notes": order["order_notes"], "item_count": len(case.items.get(order["id"], [])), "version": 1,
            "created_at": case.local(order, order["created_at"]), "updated_at": case.local(order, order["created_at"]),
            "accept_by": case.local(order, order["accept_by"]), "cancelled_by": None, "cancel_reason": None}


def answered_orders(case):
    """Every order that was answered 201 exists once, as it was answered."""
    for p in case.placements:
        for attempt in (a for a in p.attempts if a.status == 201):
            value = attempt.value()
            order = case.orders.get(value["id"])
            if order is None:
                yield f"answered 201, but there is no order {value['id']}\n{p}"
                continue
            wrong = differences(as_placed(case, order), value)
            lines = [(i["product_id"], i["product_name"], i["quantity"], i["price_at_time_of_order"]) for i in value["items"]]
            if lines != lines_of(case.items.get(order["id"], [])):
                wrong["items"] = (lines_of(case.items.get(order["id"], [])), lines)
            if wrong:
                yield f"order {order['id']} was answered otherwise than it is: {wrong} (in the database, in the answer)\n{p}\n{case.order_text(order['id'])}"


def wished(case, p):
    return {"customer_id": p.customer, "shop_id": p.shop, "order_type": "pre_order" if p.pickup else "instant",
            "customer_name": case.world.customers[p.customer],
            "scheduled_pickup_time": datetime.datetime.fromisoformat(p.pickup) if p.pickup else None}


def wished_orders(case):
    """No other order exists, except one whose answer was lost; none exists twice; each is what was asked for."""
    for order in case.db.orders:
        if order["order_notes"] not in case.wishes:
            yield f"an order that nobody placed\n{case.order_text(order['id'])}"
    for p in case.placements:
        found = case.by_marker.get(p.marker, [])
        answers = {a.value()["id"] for a in p.attempts if a.status == 201}
        texts = "\n".join(case.order_text(o["id"]) for o in found)
        if len(found) > 1:
            yield f"{len(found)} orders of one placement\n{p}\n{texts}"
        if len(answers) > 1:
            yield f"one placement, answered with several orders {sorted(answers)}\n{p}"
        if answers and answers != {o["id"] for o in found}:
            yield f"answered with {sorted(answers)}, found {[o['id'] for o in found]}\n{p}\n{texts}"
        if found and (p.is_cut or not any(a.status == 201 or a.is_lost for a in p.attempts)):
            yield f"an order of a request that was {'never sent to its end' if p.is_cut else 'refused'}\n{p}\n{texts}"
        for order in found:
            wrong = differences(wished(case, p), order)
            lines = [(i["product_id"], i["quantity"]) for i in sorted(case.items.get(order["id"], []), key=lambda i: i["line"])]
            if lines != [tuple(i) for i in p.items]:
                wrong["items"] = (p.items, lines)
            if wrong:
                yield f"not what was asked for: {wrong}\n{p}\n{texts}"


def totals(case):
    """Lines carry the shop's names and prices, totals are their sums, counted stock was taken for each."""
    for order in case.db.orders:
        rows = case.items.get(order["id"], [])
        if not rows:
            yield f"an order without lines\n{case.order_text(order['id'])}"
        if sum((i["quantity"] * i["price_at_time_of_order"] for i in rows), decimal.Decimal(0)) != order["total_amount"]:
            yield f"the total is not the sum of the lines\n{case.order_text(order['id'])}"
        for item in rows:
            product = case.world.products[item["product_id"]]
            wrong = differences({"product_name": product["name"], "price_at_time_of_order": product["price"],
                                 "stock_taken": int(product["stock"] is not None)}, item)
            if wrong or product["shop"] != order["shop_id"]:
                yield f"line {item} is not of product {product}\n{case.order_text(order['id'])}"
    for order_id in set(case.items) - set(case.orders):
        yield f"lines without an order: {case.items[order_id]}"


def keys(case):
    """What has a key is found again by it, with the first answer; each key leads to the order it placed."""
    kept = {(k["customer_id"], k["idem_key"]): k for k in case.db.keys}
    for p in (p for p in case.placements if p.key):
        good = [a for a in p.attempts if a.status == 201]
        found = case.by_marker.get(p.marker, [])
        key = kept.pop((p.customer, p.key), None)
        if found and not good:
            yield f"an order whose answer was lost was not found again by its key\n{p}\n{case.order_text(found[0]['id'])}"
        if bool(found) != bool(key):
            yield f"the order is {'' if found else 'not '}there, its key is {'' if key else 'not '}\n{p}"
        elif key and key["order_id"] != found[0]["id"]:
            yield f"the key leads to order {key['order_id']}\n{p}\n{case.order_text(found[0]['id'])}"
        if len({a.text for a in good}) > 1 or key and good and good[0].text != key["answer"]:
            yield f"a replay is not the first answer\n{p}\nkept: {key}"
        if sum(not a.replayed for a in good) > 1:
            yield f"placed more than once, by the answers\n{p}"
    for key in kept.values():
        yield f"a key that nobody sent: {key}"


# ---- changes

STATE = ("status", "estimated_preparation_minutes", "total_amount")


def histories(case):
    """Each status history is a path of the transition table, without a gap, that ends where the order is."""
    for order in case.db.orders:
        path = case.versions[order["id"]]
        text = case.order_text(order["id"])
        if [h["version"] for h in path] != list(range(1, order["version"] + 1)):
            yield f"versions {[h['version'] for h in path]} of an order at {order['version']}\n{text}"
        if path[0]["status"] not in ("pending", "confirmed"):
            yield f"begins as {path[0]['status']}\n{text}"
        for old, new in zip(path, path[1:]):
            if new["status"] != old["status"] and new["status"] not in MAY_GO[old["status"]]:
                yield f"from {old['status']} to {new['status']}\n{text}"
            if all(old[n] == new[n] for n in STATE):
                yield f"version {new['version']} changes nothing\n{text}"
            if not MAY_GO[old["status"]]:
                yield f"a change of what is over\n{text}"
            if new["at"] < old["at"]:
                yield f"goes back in time\n{text}"
        if any(path[-1][n] != order[n] for n in STATE):
            yield f"does not end where the order is\n{text}"
    for order_id in {h["order_id"] for h in case.db.history} - set(case.orders):
        yield f"history without an order {order_id}"


def fits(change, entry, before):
    """Whether that change leads from the entry before to this one."""
    wanted = {**{n: before[n] for n in STATE}, **change.members}
    return entry["set_by_id"] == change.keeper and all(entry[n] == wanted[n] for n in STATE) and \
        change.if_match in (None, before["version"])


def changes(case):
    """Every change that was answered with success stands as answered, and nothing changed that nobody asked for (what the system does is judged
    in terms.py)."""
    for c in case.changes:
        for a in (a for a in c.attempts if a.status == 200):
            value, path = a.value(), case.versions.get(c.order, [])
            entry = next((h for h in path if h["version"] == value["version"]), None)
            wrong = differences({n: entry[n] for n in STATE}, value) if entry else "no such version"
            if wrong or any(value[n] != v for n, v in c.members.items()):
                yield f"a change was answered otherwise than it stands: {wrong}\n{c}\n{case.order_text(c.order)}"
            if c.if_match is not None and value["version"] not in (c.if_match, c.if_match + 1):
                yield f"If-Match named version {c.if_match}, and the answer is {value['version']}\n{c}"
    for order_id, path in case.versions.items():
        free = [c for c in case.changes_of[order_id] if any(a.status == 200 or a.is_lost for a in c.attempts)]
        for before, entry in ((b, e) for b, e in zip(path, path[1:]) if not terms.is_by_system(e)):
            makers = [c for c in free if fits(c, entry, before)]
            if not makers:
                yield f"version {entry['version']} was asked for by nobody\n{case.order_text(order_id)}\n" + "\n".join(map(str, case.changes_of[order_id]))
                continue
            named = [c for c in makers if any(a.status == 200 and a.value()["version"] == entry["version"] for a in c.attempts)]
            free.remove((named or makers)[0])


def stock(case):
    """Stock is never negative, and what was there is what is left and what was sold and not given back."""
    sold = collections.Counter()
    for order in case.db.orders:
        if order["status"] != "cancelled":
            for item in case.items.get(order["id"], []):
                sold[item["product_id"]] += item["quantity"]
    left = {p["id"]: p["stock"] for p in case.db.products}
    for product_id, product in case.world.products.items():
        start, now = product["stock"], left.get(product_id)
        if start is None or now is None:
            if start != now:
                yield f"product {product_id}: {start} at the start, {now} now"
        elif now < 0 or start != now + sold[product_id]:
            yield f"product {product_id} ({product['name']}): {start} at the start, {now} left, {sold[product_id]} sold and not given back"


# ---- notifications

def messages_of(case, order, before, entry):
    """The messages that this history entry must have caused, after the one before it (None: the creation): (channel, message) each."""
    head = {"order_id": order["id"], "shop_id": order["shop_id"], "status": entry["status"]}
    if before and entry["status"] == "ready" and before["status"] != "ready":
        return [(("customer", order["customer_id"]), {
            "type": "pickup_ready", **head, "estimated_preparation_minutes": entry["estimated_preparation_minutes"],
            "message": "Your order is ready for pickup!"})]
    update = (("customer", order["customer_id"]), {
        "type": "order_update", **head, "total_amount": entry["total_amount"],
        "estimated_preparation_minutes": entry["estimated_preparation_minutes"], "updated_at": case.local(order, entry["at"])})
    if before:
        return [update]
    new = (("shop", order["shop_id"]), {
        "type": "new_order", "order_id": order["id"], "customer_name": order["customer_name"], "order_type": order["order_type"],
        "scheduled_pickup_time": case.local(order, order["scheduled_pickup_time"]), "total_amount": entry["total_amount"],
        "item_count": len(case.items.get(order["id"], [])), "has_chitty": order["list_image_url"] is not None})
    # One that confirmed itself.
    return [new] + [update] * (entry["status"] == "confirmed")


def parsed(text):
    return json.loads(text, parse_float=decimal.Decimal)


def notifications(case):
    """Each committed change has one notification, in the order in which it happened; nothing else is notified."""
    by_order = group(sorted(case.db.events, key=lambda e: e["pub_no"]), lambda e: parsed(e["body"])["order_id"])
    for order in case.db.orders:
        path, found = case.versions[order["id"]], by_order.pop(order["id"], [])
        wanted = [message for before, entry in zip([None] + path, path) for message in messages_of(case, order, before, entry)]
        given = [((KINDS[e["channel_kind"]], e["channel_id"]), parsed(e["body"])) for e in found]
        if wanted != given or any(list(w[1]) != list(g[1]) for w, g in zip(wanted, given)):
            lines = [f"wanted {w}" for w in wanted] + [f"found {e}" for e in found]
            yield f"order {order['id']}: {len(wanted)} changes, {len(given)} notifications, or not these\n  " + "\n  ".join(lines)
    for order_id, events in ((o, e) for o, e in by_order.items() if o < MADE_UP):
        yield f"notifications of an order {order_id} that is not there: {events}"


def backlog(case):
    """What was piled up is numbered once, on its channel and in its order, as it was written; a transaction of it wholly or, where its end is unknown,
    not at all."""
    found = collections.defaultdict(list)
    for channel, events in case.channels.items():
        rows = [(e, order) for e in events for order in [parsed(e["body"])["order_id"]] if order >= MADE_UP]
        if any(a >= b for (_, a), (_, b) in zip(rows, rows[1:])):
            yield f"a backlog of channel {channel} is not in its order"
        for event, order in rows:
            found[order].append((channel, event["body"]))
    for batch in case.recorded.backlogs:
        orders = range(batch.first, batch.first + batch.count)
        given = {order: found.pop(order) for order in orders if order in found}
        if len(given) < batch.count and (given or batch.is_certain):
            yield f"{len(given)} messages of {batch}; the first that is missing: {next(o for o in orders if o not in given)}"
        wrong = {order: what for order, what in given.items() if what != [(batch.channel(order), batch.body(order))]}
        if wrong:
            order, what = next(iter(wrong.items()))
            yield f"{len(wrong)} messages otherwise than piled up: {batch.channel(order)} {batch.body(order)} became {what}"
    if found:
        yield f"{len(found)} messages of a backlog that was not piled up: {next(iter(found.items()))}"


def numbers(case):
    """Numbers have no gap, on any channel and over all; all was numbered, nothing put aside."""
    for channel, events in case.channels.items():
        seqs = [e["seq"] for e in events]
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"channel {channel}: not 1 to {len(seqs)} but {gaps(seqs)}"
    pubs = sorted(e["pub_no"] for e in case.db.events)
    if pubs != list(range(1, len(pubs) + 1)):
        yield f"pub_no: not 1 to {len(pubs)} but {gaps(pubs)}"
    for outbox_id, n in collections.Counter(e["outbox_id"] for e in case.db.events).items():
        if n > 1:
            yield f"outbox row {outbox_id} has {n} numbers: {[e for e in case.db.events if e['outbox_id'] == outbox_id]}"
    for row in case.db.outbox:
        yield f"still in the outbox: {row}"
    for row in case.db.refusals:
        yield f"put aside: {row}"


def gaps(numbers_seen):
    """What is unusual in a list that should be 1, 2, 3 …"""
    seen = collections.Counter(numbers_seen)
    top = max(seen, default=0)
    return {"missing": [n for n in range(1, top + 1) if n not in seen][:20], "twice": [n for n, k in seen.items() if k > 1][:20],
            "not in order": [(a, b) for a, b in zip(numbers_seen, numbers_seen[1:]) if b <= a][:20], "last": top}


def published(case):
    """Nothing is published that was not committed; a repeat carries the same number and text."""
    for s in case.subscriptions:
        texts = {e["seq"]: e["body"] for e in case.channels.get((s.kind, s.channel), [])}
        for connection, seq, text, _ in s.frames:
            if texts.get(seq) != text:
                yield f"{s.name}, connection {connection}: frame {seq} is {text!r}, committed is {texts.get(seq)!r}"
        for connection, seq, message, _ in s.caught:
            if seq not in texts or flat(parsed(texts[seq])) != message:
                yield f"{s.name}, connection {connection}: event {seq} is {message!r}, committed is {texts.get(seq)!r}"


def subscribers(case):
    """Who follows the client rule ends with each message exactly once, in order."""
    for s in case.subscriptions:
        wanted = list(range(1, len(case.channels.get((s.kind, s.channel), [])) + 1))
        if s.taken != wanted:
            missing = [n for n in wanted if n not in set(s.taken)]
            after = next((n for n in s.taken if missing and n > missing[0]), None)
            yield f"{s.name}: wanted 1 to {len(wanted)}, has {gaps(s.taken)}\n  {life(s, after)}"


def live(case):
    """What is new to a subscriber comes live without a gap: it had subscribed before it caught up. What it has seen may come again, and
    such a repetition may break off."""
    for s in case.subscriptions:
        caught = sorted(((when, seq) for _, seq, _, when in s.caught), reverse=True)
        last = 0
        for connection, seq, text, when in s.frames:
            while caught and caught[-1][0] <= when:
                last = max(last, caught.pop()[1])
            if seq > last + 1:
                yield f"{s.name}, connection {connection}: {seq} came after {last}: {text}\n  {life(s, seq)}"
            last = max(seq, last)


def life(s, around=None):
    """What a subscriber heard, around a number or at the end."""
    heard = sorted([(when, f"frame {q} on {c}") for c, q, _, when in s.frames] + [(when, f"caught {q} on {c}") for c, q, _, when in s.caught]
                   + [(when, f"open {n}") for n, when in enumerate(s.opened, 1)] + [(when, f"trouble: {what}") for when, what in s.troubles])
    near = [n for n, (_, what) in enumerate(heard) if what.startswith((f"frame {around} ", f"caught {around} "))]
    at = near[0] if near else len(heard)
    return "\n  ".join(f"{when:.3f} {what}" for when, what in heard[max(0, at - 25):at + 15])


def statuses(case):
    """No answer but those that the API describes."""
    allowed = {"place": {None, 201, 409, 502, 503, 504}, "change": {None, 200, 409, 412, 502, 503, 504}, "read": {None, 200, 502, 503, 504}}
    for what, wishes in (("place", case.placements), ("change", case.changes), ("read", case.recorded.shop_changes + case.recorded.reads)):
        for wish in wishes:
            for a in wish.attempts:
                if a.status not in allowed[what]:
                    yield f"an unexpected answer {a.status}\n{wish}"


INVARIANTS = {
    "answered orders exist once, as answered": answered_orders,
    "no order but those asked for, none twice": wished_orders,
    "lines, totals and taken stock are right": totals,
    "orders are found again by their keys": keys,
    "histories are paths of the transition table": histories,
    "changes stand as answered, none but those asked for": changes,
    "stock: start = left + sold - given back": stock,
    "orders are let in, and made, as the shop's terms say": terms.let_in,
    "slots are never oversold": terms.slots,
    "refusals have a reason, and say what helps": terms.refused,
    "the system cancels what was not accepted in time, and nothing else": terms.deadlines,
    "cancelled orders say by whom and why": terms.reasons,
    "one notification a committed change, in order": notifications,
    "numbers have no gap, nothing is left over": numbers,
    "a backlog is numbered whole and in order": backlog,
    "what was published was committed; repeats are the same": published,
    "subscribers end with each message once": subscribers,
    "live messages come in order, without a gap": live,
    "answers have the statuses of the API": statuses,
    "answers come in time, from a worker": lambda case: timing.in_time(case.recorded),
    "503 only while the database is away": lambda case: timing.again(case.recorded),
    "503 says when to come again": lambda case: timing.says_when(case.recorded),
    "without the database each answer is 503": lambda case: timing.away(case.recorded),
}


def check(history, database):
    """{invariant: [finding, …]}, with an empty list where it holds."""
    case = Case(history, database)
    return {name: list(invariant(case)) for name, invariant in INVARIANTS.items()}
