"""What happened in a run, as the checker reads it: plain data, no sockets, no processes."""
import dataclasses
import json
import decimal


@dataclasses.dataclass
class Attempt:
    """One request. status None: no answer came. Times are of the monotonic clock."""
    began: float
    ended: float
    status: object
    text: str               # the answer's body, or what went wrong
    replayed: bool = False

    @property
    def is_lost(self):
        """Whether the request was carried out can't be told from this."""
        return self.status is None or self.status >= 500

    def value(self):
        return json.loads(self.text, parse_float=decimal.Decimal)

    def __str__(self):
        return f"[{self.began:.3f}..{self.ended:.3f}] {self.status or 'lost'}{' replayed' if self.replayed else ''}: {self.text[:400]}"


@dataclasses.dataclass
class Placement:
    """One wish of a customer: all its attempts carry the same body and key. The marker stands in order_notes."""
    marker: str
    customer: int
    shop: int
    items: list             # (product id, quantity)
    key: object = None      # None: without Idempotency-Key, and so tried once
    pickup: object = None   # the instant of a pre-order, RFC 3339
    is_cut: bool = False    # the request was never sent to its end
    attempts: list = dataclasses.field(default_factory=list)

    def __str__(self):
        lines = [f"placement {self.marker}: customer {self.customer}, shop {self.shop}, items {self.items}, key {self.key}"]
        return "\n  ".join(lines + [str(a) for a in self.attempts])


@dataclasses.dataclass
class Change:
    """One wish of a shopkeeper."""
    order: int
    keeper: int
    members: dict
    if_match: object = None     # the version that the tag named
    attempts: list = dataclasses.field(default_factory=list)

    def __str__(self):
        lines = [f"change of order {self.order} by {self.keeper}: {self.members}, if {self.if_match}"]
        return "\n  ".join(lines + [str(a) for a in self.attempts])


@dataclasses.dataclass
class Subscription:
    """A subscriber's life. Frames and caught-up events carry the number of the connection (from 1) they came on or during."""
    name: str
    kind: str                   # shop, customer
    channel: int
    opened: list = dataclasses.field(default_factory=list)      # when
    frames: list = dataclasses.field(default_factory=list)      # (connection, seq, text, when)
    caught: list = dataclasses.field(default_factory=list)      # (connection, seq, message as a value, when)
    taken: list = dataclasses.field(default_factory=list)       # seqs in the order in which they were accepted
    troubles: list = dataclasses.field(default_factory=list)    # (when, text)


@dataclasses.dataclass
class World:
    """What was there before the first request."""
    shops: dict         # id: {"timezone", "keeper", "name"}
    products: dict      # id: {"shop", "name", "price" (Decimal), "stock" (None: not counted)}
    customers: dict     # id: name


@dataclasses.dataclass
class History:
    world: World
    placements: list
    changes: list
    subscriptions: list


@dataclasses.dataclass
class Database:
    """The rows at the end, as dicts by column name; numbers are int, money Decimal, texts str, instants aware datetimes."""
    orders: list
    items: list
    history: list
    keys: list
    events: list
    outbox: list
    products: list
    refusals: list
