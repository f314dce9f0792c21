"""Judges what comes of a shop's terms: who is let in, places in slots, deadlines. Part of the checker: functions over its Case.

Owns: which terms were in force when; hours, pauses, slots and deadlines, written down anew from the contract. Does not own: the rest of an order's
life (checker.py), what owners set (shops.py)."""
import collections
import datetime

from timing import Spans

# For so long after its end a request without an answer may still be carried out: workers stand still, a database waits for room on its disk.
LATE_S = 30.0
SWEEP_S = 30.0          # the API's: from a deadline until the order is no longer pending
MARGIN_S = 2.0
# From the end of an outage until somebody sweeps again: the supervisor's pace, the lease of who was killed, a database that recovers.
AFTERMATH_S = 10.0
NEVER = float("inf")


class Terms:
    """What can have been in force in a shop: the answers to its owner tell."""

    def __init__(self, first, changes):
        """first: the terms before the first request. Each change sets all that is ever set."""
        self.said = [(-NEVER, -NEVER, True, first)]
        for change in changes:
            for a in (a for a in change.attempts if a.status == 200 or a.is_lost):
                is_certain = a.status == 200
                self.said.append((a.began, a.ended if is_certain else a.ended + LATE_S, is_certain, change.members))

    def between(self, began, ended):
        """All that can have been in force at a moment between them: not what something later had certainly replaced before."""
        since = max(earliest for earliest, latest, is_certain, _ in self.said if is_certain and latest < began)
        found = []
        for earliest, latest, _, members in self.said:
            if earliest <= ended and latest >= since and members not in found:
                found.append(members)
        return found


def of_shops(history):
    return {shop: Terms(facts["terms"], [c for c in history.shop_changes if c.shop == shop]) for shop, facts in history.world.shops.items()}


def placed(case, order):
    """From when to when it can have been placed."""
    wish = case.wishes.get(order["order_notes"])
    signs = [a.ended for a in wish.attempts if a.status == 201] if wish else []
    # Keepers know it from an answer.
    signs += [c.attempts[0].began for c in case.changes_of.get(order["id"], []) if c.attempts]
    return case.recorded.clock(order["created_at"]), min(signs, default=NEVER)


# ---- who is let in

def is_open(terms, when, zone):
    """Each day has the same one span here."""
    week = terms.get("opening_hours")
    if not week:
        return True
    (opens, closes), = week["mon"]
    local = when.astimezone(zone)
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (opens, closes)]
    return (local.hour * 60 + local.minute - minutes[0]) % 1440 < (minutes[1] - minutes[0]) % 1440


def paused_until(terms, now):
    """When a pause that holds then ends, or None."""
    until = terms.get("paused_until") and datetime.datetime.fromisoformat(terms["paused_until"])
    return until if until and until > now else None


def lets_in(terms, now, pickup, zone):
    """Whether the terms take an order that is placed now, wherever there are places left."""
    pause = paused_until(terms, now)
    if pause and (not pickup or not terms["pre_orders_while_paused"] or pickup < pause):
        return False
    return is_open(terms, pickup or now, zone)


def makes_of_it(terms, now):
    """(status, estimate, accept_by) of an order that is placed now."""
    if terms.get("auto_confirm"):
        return "confirmed", terms.get("default_preparation_minutes"), None
    within = terms.get("accept_within_minutes")
    return "pending", None, now + datetime.timedelta(minutes=within) if within else None


def let_in(case):
    """Each order was taken by terms that were in force, and is what they make of it."""
    for order in case.db.orders:
        created, first = order["created_at"], case.versions[order["id"]][0]
        found = (first["status"], first["estimated_preparation_minutes"], order["accept_by"])
        zone = case.zone(order["shop_id"])
        possible = case.terms[order["shop_id"]].between(*case.placed[order["id"]])
        if not any(lets_in(t, created, order["scheduled_pickup_time"], zone) and makes_of_it(t, created) == found for t in possible):
            yield f"an order that no terms let in, or that they make something else of: {found}\n{case.order_text(order['id'])}\n  terms {possible}"


# ---- places in slots

def slot_of(when, minutes, zone):
    """The start of the slot of a shop that is always open: from local midnight on, in real time."""
    midnight = datetime.datetime.combine(when.astimezone(zone).date(), datetime.time(), zone).astimezone(datetime.timezone.utc)
    length = datetime.timedelta(minutes=minutes)
    return midnight + (when - midnight) // length * length


def slot_minutes(terms):
    """None where the shop has no slots; they are always as long."""
    found = {members.get("slot_minutes") for _, _, _, members in terms.said}
    assert len(found) == 1, f"slots of {found} minutes in one shop"
    return found.pop()


class Place:
    """An order's place in its slot: taken between two times, under one of these capacities; perhaps given back between two others."""

    def __init__(self, case, order):
        self.order, (self.earliest, self.latest) = order, case.placed[order["id"]]
        self.most = max(terms["slot_capacity"] for terms in case.terms[order["shop_id"]].between(self.earliest, self.latest))
        self.back_earliest = self.back_latest = NEVER
        last = case.versions[order["id"]][-1]
        if last["status"] == "cancelled":
            self.back_earliest = case.recorded.clock(last["at"])
            answers = [a.ended for c in case.changes_of.get(order["id"], []) for a in c.attempts
                       if a.status == 200 and a.value()["version"] == last["version"]]
            self.back_latest = min(answers, default=self.back_earliest + LATE_S)

    def is_surely_taken(self, when):
        return self.latest <= when and (self.back_earliest > when or self.back_earliest == NEVER)

    def can_be_taken(self, began, ended):
        return self.earliest <= ended and self.back_latest >= began


def places(case):
    """{(shop, start of a slot): [Place]} of all orders that ever had one."""
    found = collections.defaultdict(list)
    for shop, terms in case.terms.items():
        minutes = slot_minutes(terms)
        for order in (o for o in case.db.orders if minutes and o["shop_id"] == shop and o["scheduled_pickup_time"]):
            found[shop, slot_of(order["scheduled_pickup_time"], minutes, case.zone(shop))].append(Place(case, order))
    return found


def without_room(taken):
    """One of these places, all taken at once, and how many it makes, if they can't have been taken one after another, each as one of no more than its
    capacity; else None. Whoever can have come last, and had the most room, is taken to have done so."""
    left = list(taken)
    while left:
        begin = max(p.earliest for p in left)
        last = max((p for p in left if p.latest >= begin or p.earliest == begin), key=lambda p: p.most)
        if last.most < len(left):
            return last, len(left)
        left.remove(last)
    return None


def slots(case):
    """At no time more than its capacity are taken of a slot, under the terms in force when each was placed."""
    for (shop, start), all_of_it in places(case).items():
        for when in sorted({p.latest for p in all_of_it}):
            taken = [p for p in all_of_it if p.is_surely_taken(when)]
            found = without_room(taken)
            if found:
                texts = "\n".join(f"{case.order_text(p.order['id'])}\n  placed {p.earliest:.3f}..{p.latest:.3f}, at most {p.most} places"
                                  for p in taken)
                yield f"shop {shop}, slot of {start}: {found[1]} places at {when:.3f}, no room for order {found[0].order['id']}\n{texts}"
                break


# ---- refusals

class Refusal:
    """A 409 for a placement, with what can have been in force meanwhile."""

    def __init__(self, case, wish, attempt):
        self.case, self.wish, self.a, self.value = case, wish, attempt, attempt.value()
        self.zone = case.zone(wish.shop)
        self.pickup = datetime.datetime.fromisoformat(wish.pickup) if wish.pickup else None
        self.terms = case.terms[wish.shop].between(attempt.began, attempt.ended)
        self.began, self.ended = (datetime.datetime.fromtimestamp(t + case.recorded.epoch, datetime.timezone.utc)
                                  for t in (attempt.began, attempt.ended))

    def times(self, name):
        """Those of a member, each as the shop's clock shows it; ValueError where one is not."""
        given = self.value[name] if isinstance(self.value[name], list) else [self.value[name]]
        found = [datetime.datetime.fromisoformat(text) for text in given]
        if any(t.astimezone(self.zone).isoformat() != text for t, text in zip(found, given)):
            raise ValueError
        return found

    def alternatives(self, terms):
        """Three of them, ascending, from the wished time on, at which these terms let the order in."""
        found = self.times("alternatives")
        return len(found) == 3 and found[0] >= self.pickup and all(a < b for a, b in zip(found, found[1:])) and \
            all(lets_in(terms, self.began, t, self.zone) for t in found)


def is_sold_out(refusal, terms):
    wanted = collections.Counter()
    for product, quantity in refusal.wish.items:
        wanted[product] += quantity
    return bool(refusal.value["items"]) and all(0 <= short["available"] < wanted[short["product_id"]] for short in refusal.value["items"])


def is_closed(refusal, terms):
    opens, = refusal.times("opens_at")
    return not refusal.pickup and not is_open(terms, refusal.began, refusal.zone) and opens > refusal.ended and \
        f"{opens:%H:%M}" == terms["opening_hours"]["mon"][0][0] and opens - refusal.began < datetime.timedelta(days=1)


def is_paused(refusal, terms):
    pause, (resumes,) = paused_until(terms, refusal.began), refusal.times("resumes_at")
    if pause != resumes or lets_in(terms, refusal.began, refusal.pickup, refusal.zone):
        return False
    if not refusal.pickup:
        return "alternatives" not in refusal.value
    return refusal.alternatives(terms) if terms["pre_orders_while_paused"] else refusal.value["alternatives"] == []


def is_outside(refusal, terms):
    return refusal.pickup and not is_open(terms, refusal.pickup, refusal.zone) and refusal.alternatives(terms)


def is_full(refusal, terms):
    """So many can have been taken of that slot; the alternatives are starts of others, where there can be any."""
    capacity, minutes = terms.get("slot_capacity"), terms.get("slot_minutes")
    if not refusal.pickup or capacity is None:
        return False
    taken = refusal.case.places.get((refusal.wish.shop, slot_of(refusal.pickup, minutes, refusal.zone)), [])
    return sum(p.can_be_taken(refusal.a.began, refusal.a.ended) for p in taken) >= capacity and \
        (refusal.value["alternatives"] == [] if capacity == 0 else refusal.alternatives(terms)) and \
        all(slot_of(t, minutes, refusal.zone) == t for t in refusal.times("alternatives"))


REFUSALS = {"out_of_stock": is_sold_out, "shop_closed": is_closed, "shop_paused": is_paused, "outside_hours": is_outside, "slot_full": is_full}


def refused(case):
    """Each refusal is one that the terms of that moment give, and says what helps."""
    for wish in case.placements:
        for a in (a for a in wish.attempts if a.status == 409):
            refusal, judge = Refusal(case, wish, a), REFUSALS.get(a.value().get("code"))
            try:
                is_right = judge and any(judge(refusal, terms) for terms in refusal.terms)
            except (KeyError, ValueError, TypeError) as e:
                is_right, a.text = False, f"{a.text} ({e!r})"
            if not is_right:
                yield f"refused for no reason, or without what helps\n{wish}\n  terms {refusal.terms}"


# ---- deadlines

def is_by_system(entry):
    return entry["set_by_id"] is None and entry["set_by_role"] is None


def outages(history):
    """When nobody can have swept, or nothing can have been written."""
    return Spans([(f.began, (f.ended if f.touches == "relay" else f.back or NEVER) + AFTERMATH_S)
                  for f in history.faults if f.touches in ("database", "relay")])


def swept(case, order, hurries):
    """What is wrong with an order that the system changed."""
    path, changes = case.versions[order["id"]], case.changes_of.get(order["id"], [])
    if [is_by_system(h) for h in path[-2:]] != [False, True] or any(is_by_system(h) for h in path[:-2]) or \
            [h["status"] for h in path[-2:]] != ["pending", "cancelled"]:
        yield "the system did something else than cancel what was pending"
    if any(a.value()["status"] not in ("pending", "cancelled") for c in changes for a in c.attempts if a.status == 200):
        yield "cancelled by the system, though it was answered to be confirmed"
    if order["accept_by"] is None:
        yield "cancelled by the system without a deadline"
    elif path[-1]["at"] < min([order["accept_by"]] + [h.to for h in hurries]):
        yield "cancelled by the system before its deadline"


def hurries_of(history):
    found = collections.defaultdict(list)
    for hurry in history.hurries:
        for order_id in hurry.orders:
            found[order_id].append(hurry)
    return found


def lateness(case, order, hurries, away):
    """(How long the order was pending after its deadline, outages not counted; the deadline; the decision), None where nobody decided."""
    decided = next((h["at"] for h in case.versions[order["id"]] if h["status"] != "pending"), None)
    if decided is None:
        return None
    due = min([case.recorded.clock(order["accept_by"])] + [h.ended for h in hurries if h.is_certain])
    left = case.recorded.clock(decided)
    return left - due - away.length(due, left), due, left


def overdue(case, order, hurries, away):
    """What is wrong with how long it was pending."""
    found = lateness(case, order, hurries, away)
    if found is None:
        yield "is pending still, though all deadlines have come"
    elif found[0] > SWEEP_S + MARGIN_S:
        yield f"was pending for {found[0]:.1f} s after its deadline, outages not counted: from {found[1]:.3f} to {found[2]:.3f}"


def deadlines(case):
    """The system cancels what was not confirmed in time, soon, and nothing else; no deadline is left over."""
    hurries, away = hurries_of(case.recorded), outages(case.recorded)
    for order in case.db.orders:
        of_it = hurries.get(order["id"], [])
        wrong = list(swept(case, order, of_it)) if any(map(is_by_system, case.versions[order["id"]])) else []
        if order["accept_by"]:
            wrong += overdue(case, order, of_it, away)
        for what in wrong:
            asked = "\n".join(map(str, of_it + case.changes_of.get(order["id"], [])))
            yield f"{what}\n{case.order_text(order['id'])}\n{asked}"
    for row in case.db.deadlines:
        yield f"a deadline is left over: {row}"


def reasons(case):
    """A cancelled order says by whom and why, as they said; another says nothing."""
    for order in case.db.orders:
        last, wanted = case.versions[order["id"]][-1], {(None, None)}
        if order["status"] == "cancelled" and is_by_system(last):
            wanted = {("system", "not_accepted_in_time")}
        elif order["status"] == "cancelled":
            wanted = {("shopkeeper", c.members.get("cancel_reason")) for c in case.changes_of.get(order["id"], [])
                      if c.members.get("status") == "cancelled"}
        if (order["cancelled_by"], order["cancel_reason"]) not in wanted:
            yield f"cancelled by {order['cancelled_by']}, {order['cancel_reason']!r} instead of one of {wanted}\n{case.order_text(order['id'])}"
