"""What happened in a run, as the checker reads it: plain data, no sockets, no processes."""
import dataclasses
import json
import decimal


def flat(value):
    """A JSON value as a text that is the same where the value is."""
    return json.dumps(value, default=float)


@dataclasses.dataclass(slots=True)
class Attempt:
    """One request. status None: no answer came. Times are of the monotonic clock."""
    began: float
    ended: float
    status: object
    text: str               # the answer's body, or what went wrong
    replayed: bool = False
    retry_after: object = None
    is_left: bool = False   # the client went away by itself

    @property
    def is_lost(self):
        """Whether the request was carried out can't be told from this."""
        return self.status is None or self.status >= 500

    def value(self):
        return json.loads(self.text, parse_float=decimal.Decimal)

    def __str__(self):
        return f"[{self.began:.3f}..{self.ended:.3f}] {self.status or 'lost'}{' replayed' if self.replayed else ''}: {self.text[:400]}"


@dataclasses.dataclass(slots=True)
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


@dataclasses.dataclass(slots=True)
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


@dataclasses.dataclass(slots=True)
class ShopChange:
    """One wish of an owner: all that this shop's owner ever sets, so that what is in force is what the last of them said."""
    shop: int
    keeper: int
    members: dict
    attempts: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return "\n  ".join([f"change of shop {self.shop} by {self.keeper}: {self.members}"] + [str(a) for a in self.attempts])


@dataclasses.dataclass(slots=True)
class Hurry:
    """Deadlines that were moved, in the database. Those of orders that were decided meanwhile may have been gone already."""
    orders: set
    to: object              # the instant
    began: float
    ended: float
    is_certain: bool        # else the answer was lost

    def __str__(self):
        return f"[{self.began:.3f}..{self.ended:.3f}] deadlines moved to {self.to}{'' if self.is_certain else ', perhaps'}: {sorted(self.orders)}"


@dataclasses.dataclass(slots=True)
class Read:
    """One request that changes nothing. The text of a good answer is not kept."""
    target: str
    attempts: list

    def __str__(self):
        return f"GET {self.target}\n  {self.attempts[0]}"


@dataclasses.dataclass(slots=True)
class Subscription:
    """A subscriber's life. Frames and caught-up events carry the number of the connection (from 1) they came on or during."""
    name: str
    kind: str                   # shop, customer
    channel: int
    opened: list = dataclasses.field(default_factory=list)      # when
    frames: list = dataclasses.field(default_factory=list)      # (connection, seq, text, when)
    caught: list = dataclasses.field(default_factory=list)      # (connection, seq, message as a flat text, when)
    taken: list = dataclasses.field(default_factory=list)       # seqs in the order in which they were accepted
    troubles: list = dataclasses.field(default_factory=list)    # (when, text)


@dataclasses.dataclass(slots=True)
class World:
    """What was there before the first request."""
    shops: dict         # id: {"timezone", "keeper", "name", "terms" (what was set before)}
    products: dict      # id: {"shop", "name", "price" (Decimal), "stock" (None: not counted)}
    customers: dict     # id: name


@dataclasses.dataclass(slots=True)
class Fault:
    """What was done to the stack."""
    began: float
    ended: float
    kind: str
    touches: str            # requests: those under way may be lost or late; database; relay; messages
    away: object = None     # (from, to), in which nothing can have been had from the database
    back: object = None     # when a fault of the database was over and it answered again

    def __str__(self):
        return f"{self.began:.3f}..{self.ended:.3f} {self.kind}"


MADE_UP = 10 ** 12      # orders and customers from here on are those of a backlog


@dataclasses.dataclass(slots=True)
class Backlog:
    """Outbox rows that no order made, written in one transaction: of the made-up orders from first on. Every tenth is for the shop."""
    shop: int
    first: int
    count: int
    is_certain: bool = False    # else the answer was lost: all or none are there

    def channel(self, order):
        return ("shop", self.shop) if order % 10 == 0 else ("customer", MADE_UP + order % 2000)

    def body(self, order):
        return f'{{"type":"order_update","order_id":{order},"shop_id":{self.shop},"status":"confirmed"}}'

    def statement(self):
        """Columns in the order of what channel() and body() say."""
        n = f"({self.first} + seq)"
        before, after = self.body("|").split("|")
        return (f"INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)"
                f" SELECT IF({n} % 10 = 0, 1, 2), IF({n} % 10 = 0, {self.shop}, {MADE_UP} + {n} % 2000), {self.shop}, {n}, 1, UTC_TIMESTAMP(6),"
                f" CONCAT('{before}', {n}, '{after}') FROM seq_0_to_{self.count - 1} ORDER BY seq")


@dataclasses.dataclass(slots=True)
class History:
    world: World
    placements: list
    changes: list
    subscriptions: list
    reads: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)
    backlogs: list = dataclasses.field(default_factory=list)
    shop_changes: list = dataclasses.field(default_factory=list)
    hurries: list = dataclasses.field(default_factory=list)
    epoch: float = 0.0          # of the monotonic clock, in seconds since 1970

    def clock(self, when):
        """An instant of the database on the clock of the attempts."""
        return when.timestamp() - self.epoch


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
    deadlines: list
