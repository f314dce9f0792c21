"""Each setting of pickup.params does what its comment says, from a reload of nginx on; the relay takes it within a second or two."""
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import time
import typing

import pytest

from lib import check, directives, mariadb, photos, proc, tokens, wire
from lib.api import phone
from lib.dbproxy import DbProxy
from lib.http import HttpClient
from lib.subscribe import WebSocket
from lib.times import from_now

OPTION, ACCEL, SOCKET = "PICKUP_DB_OPTION_FILE", "PICKUP_UPLOAD_ACCEL", "PICKUP_RELAY_SOCKET"


@dataclasses.dataclass
class Row:
    """What is seen with a setting as it stands, and what with another value. look(at) gives what is seen. along: other settings that hold both times;
    front(at, text): front.conf both times. relay: it is the relay's, which is given the time to notice; "again": it does what this is about as it starts."""
    name: str
    value: str
    look: typing.Callable
    before: object
    after: object
    along: dict = dataclasses.field(default_factory=dict)
    relay: object = None
    front: typing.Callable = None

    def __str__(self):
        return self.name


class At:
    """The stack, and what observers need again and again."""

    def __init__(self, stack, folder):
        self.stack, self.call, self.tools, self.dir, self.folder = stack, stack.call, stack.tools, stack.dir, folder
        self.customer, self.keeper = stack.tools.user(), stack.tools.user("shopkeeper", "Asha Rao")
        self.full, self.wrong, self.talks = wire.Full(), 0, DbProxy(folder / "db.sock", f"{stack.dir}/mariadbd.sock")
        with open(f"{stack.dir}/etc/db.cnf") as f:
            good = f.read()
        here = re.search(r"socket=(.*)", good)[0]
        for name, other in (("nowhere", f"socket={folder}/none.sock"), ("full", f"host=127.0.0.1\nport={self.full.port}"),
                            ("talks", f"socket={folder}/db.sock")):
            mariadb.write_private(f"{folder}/{name}.cnf", good.replace(here, other))
        self.secret, (self.private, public) = b"0123456789abcdef" * 4, tokens.rsa_pair()
        mariadb.write_private(f"{folder}/other.key", self.secret)
        mariadb.write_private(f"{folder}/public.pem", public)
        os.makedirs(f"{folder}/zones/Asia")
        shutil.copy("/usr/share/zoneinfo/Asia/Kolkata", f"{folder}/zones/Asia/Kolkata")
        with socket.socket() as conn:
            conn.bind(("127.0.0.1", 0))
            self.local = HttpClient(("tcp", *conn.getsockname()))
        self.client_argv = ["mariadb", f"--defaults-file={stack.dir}/etc/client.cnf", "-N", "-B"]

    def shop(self):
        return self.tools.shop(("60.00", 1000), keeper=self.keeper)

    def sql(self, statement):
        done = subprocess.run([*self.client_argv, "-e", statement], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextlib.contextmanager
    def locked(self, product):
        """Somebody else has the product's row meanwhile."""
        with mariadb.Session([*self.client_argv, "--unbuffered"]) as other:
            other.tell(f"START TRANSACTION; SELECT id FROM products WHERE id = {product.id} FOR UPDATE")
            yield

    @contextlib.contextmanager
    def frozen(self):
        pid = self.stack.pid("mariadbd")
        proc.freeze(pid)
        try:
            yield
        finally:
            os.kill(pid, 18)

    def post(self, shop, **members):
        return self.stack.post(self.customer, shop, **members)

    def close(self):
        self.full.close()
        self.talks.close()


@pytest.fixture(scope="module")
def at(shipped, scratch):
    folder = scratch / "settings-each"
    folder.mkdir()
    made = At(shipped, folder)
    yield made
    made.close()


# --- what is seen

def timed(ask, most=8.0):
    """(status, seconds) of what ask gives."""
    began = time.monotonic()
    return ask().status, time.monotonic() - began


def waits_for_a_row(at):
    """How long an order waits for a row that somebody else keeps, before 503, in whole seconds."""
    shop = at.shop()
    with at.locked(shop.products[0]):
        status, seconds = timed(lambda: at.post(shop))
    assert status == 503
    return int(seconds)


def waits_for_the_database(ask):
    """The longest of some: a worker that has found it hanging does not try again at once."""
    def look(at):
        return max(int(seconds) for status, seconds in (timed(ask(at)) for _ in range(6)) if status == 503)
    return look


def frozen_longest(at):
    def shops():
        return at.call("GET", "/api/v1/shops")

    proc.wait_for(lambda: all(shops().status == 200 for _ in range(20)), 15, "every worker to have its connection", 0.1)
    with at.frozen():
        return int(max(seconds for status, seconds in (timed(shops) for _ in range(8))))


def sends_together(at):
    """Whether some of an order's statements go to the database before the answer to the one before them."""
    shop = at.shop()
    packets, flights = at.talks.packets, at.talks.flights
    for _ in range(20):
        check.created(at.post(shop))
    return at.talks.packets - packets > at.talks.flights - flights


def signed_in(at):
    return at.stack.login("+919800000001")


def claims_of(at):
    payload = signed_in(at)["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def reads_with(key, algorithm="HS256"):
    """The status with a token of that key, once there was time to look at the files."""
    def look(at):
        token, end = tokens.sign(key(at), tokens.claims(at.customer.id, "customer"), algorithm), time.monotonic() + 1.5
        while (status := at.call("GET", "/api/v1/orders/me", token).status) != 200 and time.monotonic() < end:
            time.sleep(0.1)
        return status
    return look


def ticket_is_signed_by_the_file(at):
    ticket = check.ok(at.call("POST", "/api/v1/auth/ticket", at.customer))["ticket"]
    head, _, mac = ticket.rpartition(".")
    return tokens.b64(hmac.new(at.secret, head.encode(), hashlib.sha256).digest()) == mac


def late_token(at):
    return at.call("GET", "/api/v1/orders/me", tokens.sign(at.stack.key, tokens.claims(at.customer.id, "customer", exp=int(time.time()) - 30))).status


def registered(at):
    number = phone()
    return number, at.call("POST", "/api/v1/auth/register", json={"full_name": "A", "phone_number": number, "password": "correct horse"}).status


def hashed(what):
    def look(at):
        number, status = registered(at)
        assert status == 201
        return int(re.search(rf"\b{what}=(\d+)", at.sql(f"SELECT password_hash FROM users WHERE phone_number = '{number}'"))[1])
    return look


def from_elsewhere(at):
    at.wrong += 1
    address = f"198.51.100.{at.wrong}"
    return lambda number: at.call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": "wrong one"}, headers={"X-Forwarded-For": address})


def wrong_ones(at):
    """How many wrong passwords are taken before there is 429."""
    number, sign_in = registered(at)[0], from_elsewhere(at)
    return next(n for n in range(30) if sign_in(number).status == 429)


def longest_wait(at):
    """What is to be waited for after the third wrong one that was taken: 1, 2 and 4 seconds where nothing shortens it."""
    number, sign_in = registered(at)[0], from_elsewhere(at)
    waits = []
    while len(waits) < 3:
        assert sign_in(number).status == 401
        refused = sign_in(number)
        waits.append(int(refused.header("Retry-After")))
        time.sleep(waits[-1] + 0.1 if len(waits) < 3 else 0)
    return waits[-1]


def body_of(size):
    return lambda at: at.call("POST", "/api/v1/orders", at.customer, body=b'{"x": "' + b"x" * (size - 9) + b'"}').status


def deadline(at):
    shop = at.shop()
    with at.locked(shop.products[0]):
        status, seconds = timed(lambda: at.post(shop))
    return status, seconds > 1


def replayed(at):
    """Whether a key of thirty hours ago is known, once the relay has begun."""
    shop, key = at.shop(), f"k{time.monotonic_ns()}"
    check.created(at.post(shop, headers={"Idempotency-Key": key}))
    at.sql(f"UPDATE idempotency_keys SET created_at = UTC_TIMESTAMP(6) - INTERVAL 30 HOUR WHERE idem_key = '{key}'")
    relay_again(at)
    with contextlib.suppress(AssertionError):
        proc.wait_for(lambda: at.sql(f"SELECT COUNT(*) FROM idempotency_keys WHERE idem_key = '{key}'") == "0", 3, "it to be forgotten", 0.1)
    return at.post(shop, headers={"Idempotency-Key": key}).header("Idempotent-Replayed")


def relay_again(at):
    at.stack.back("relay", at.stack.kill("relay"))


def uploaded(photo):
    return lambda at: at.stack.upload(at.tools.user(), photo).status


def uploaded_twice(at):
    customer = at.tools.user()
    return at.stack.upload(customer).status, at.stack.upload(customer).status


def sent_by_nginx(at):
    """It alone knows when the file was written."""
    customer = at.tools.user()
    answer = at.call("GET", at.stack.photo(customer), customer)
    assert (answer.status, answer.body) == (200, photos.JPEG)
    return answer.header("Last-Modified") is not None


def photo_after_two_days(at):
    shop = at.shop()
    order = at.stack.place_chitty(at.customer, shop)
    at.stack.bring_to(shop, order, "cancelled")
    at.sql(f"UPDATE orders SET updated_at = UTC_TIMESTAMP(6) - INTERVAL 2 DAY WHERE id = {order['id']}")
    name = order["list_image_url"].rpartition("/")[2]
    path, old = f"{at.dir}/uploads/{name[:2]}/{name}", time.time() - 2 * 86400
    os.utime(path, (old, old))
    relay_again(at)
    with contextlib.suppress(AssertionError):
        proc.wait_for(lambda: not os.path.exists(path), 4, "it to be removed", 0.1)
    return os.path.exists(path)


def pre_order(member, **ahead):
    """The status, and code, of an order for that time."""
    def look(at):
        answer = at.post(at.shop(), order_type="pre_order", scheduled_pickup_time=from_now(**ahead))
        return answer.json().get(member)
    return look


def before_closing(at):
    shop = at.shop()
    at.stack.set(shop, opening_hours={day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")})
    at_1750 = re.sub(r"T\d\d:\d\d:\d\d", "T17:50:00", from_now(days=2))
    return at.post(shop, order_type="pre_order", scheduled_pickup_time=at_1750).status


def slots(at):
    return at.call("GET", f"/api/v1/shops/{at.shop().id}/slots?date={from_now(days=2)[:10]}").status


def two_in_a_slot(at):
    shop, when = at.shop(), re.sub(r"T\d\d:\d\d:\d\d", "T12:00:00", from_now(days=2))
    return [at.post(shop, order_type="pre_order", scheduled_pickup_time=when).status for _ in range(2)]


def placed(member):
    return lambda at: at.stack.place(at.customer, at.shop())[member]


def accepts_by(at):
    return at.stack.place(at.customer, at.shop())["accept_by"] is not None


def old_events(at):
    shop = at.shop()
    at.stack.place(at.customer, shop)
    at.stack.wait_events(at.keeper, "shop", shop.id, 1)
    is_over = (f"SELECT (SELECT pub_no FROM push_cursors WHERE instance = 'unix:{at.dir}/pub.sock') >="
               f" (SELECT MAX(pub_no) FROM events WHERE channel_kind = 1 AND channel_id = {shop.id})")
    proc.wait_for(lambda: at.sql(is_over) == "1", 20, "the push instance to have it, for good", 0.1)
    at.sql("UPDATE events SET at = UTC_TIMESTAMP(6) - INTERVAL 2 DAY")      # the newest one that stays keeps those after it
    relay_again(at)
    with contextlib.suppress(AssertionError):
        proc.wait_for(lambda: at.sql(f"SELECT COUNT(*) FROM events WHERE channel_kind = 1 AND channel_id = {shop.id}") == "0", 4, "no events", 0.1)
    return at.call("GET", f"/api/v1/events/shop/{shop.id}?after=0", at.keeper).status


def numbered_soon(at):
    """Whether an order's event is there within a second: three times, as the relay may just be looking."""
    def soon():
        shop = at.shop()
        time.sleep(0.3)
        at.stack.place(at.customer, shop)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            if at.stack.last_seq(at.keeper, "shop", shop.id):
                return True
            time.sleep(0.02)
        return False
    return all([soon() for _ in range(3)])


def arrives(at):
    shop = at.shop()
    with WebSocket(at.call, f"/ws/shop/{shop.id}", at.keeper) as ws:
        at.stack.place(at.customer, shop)
        with contextlib.suppress(TimeoutError):
            return ws.receive(2) is not None
    return False


def tells_requests(at):
    path = f"{at.dir}/log/workers.log"
    with open(path) as f:
        f.seek(0, 2)
        check.ok(at.call("GET", "/api/v1/shops"))
        with contextlib.suppress(AssertionError):       # it is written after the answer
            proc.wait_for(lambda: "/api/v1/shops" in f.read(), 2, "its line", 0.05)
            return True
    return False


def knows_paris(at):
    return at.call("POST", "/api/v1/shops/", at.keeper, json={"name": "A", "timezone": "Europe/Paris"}).status


def told_apart(_, text):
    """Addresses of clients can be made up."""
    return text.replace("\treal_ip_header", "\tset_real_ip_from unix:;\n\treal_ip_header")


def on_a_port(at, text):
    """Asked by at.local, the front knows the address of who asks."""
    return re.sub(r"(\n\s*listen [^;]*;)", rf"\1 listen 127.0.0.1:{at.local.where[2]};", text, count=1)


ROWS = [
    Row(OPTION, "{at.folder}/nowhere.cnf", lambda at: at.call("GET", "/readyz").status, 200, 503),
    Row("PICKUP_DB_CONNECT_TIMEOUT_S", "3", waits_for_the_database(lambda at: lambda: at.call("GET", "/api/v1/shops")), 1, 3,
        along={OPTION: "{at.folder}/full.cnf", "PICKUP_REQUEST_DEADLINE_MS": "15000"}),
    Row("PICKUP_DB_TIMEOUT_S", "4", frozen_longest, 2, 4, along={"PICKUP_REQUEST_DEADLINE_MS": "15000"}),
    Row("PICKUP_DB_LOCK_WAIT_S", "3", waits_for_a_row, 1, 3, along={"PICKUP_DB_REPLAYS": "0", "PICKUP_REQUEST_DEADLINE_MS": "15000"}),
    Row("PICKUP_DB_REPLAYS", "2", waits_for_a_row, 6, 3, along={"PICKUP_REQUEST_DEADLINE_MS": "6500"}),
    Row("PICKUP_DB_PIPELINE", "off", sends_together, True, False, along={OPTION: "{at.folder}/talks.cnf"}),
    Row("PICKUP_TOKEN_ALG", "RS256", reads_with(lambda at: at.private, "RS256"), 401, 200, along={"PICKUP_TOKEN_KEY_FILE": "{at.folder}/public.pem"}),
    Row("PICKUP_TOKEN_KEY_FILE", "{at.folder}/other.key", reads_with(lambda at: at.secret), 401, 200),
    Row("PICKUP_TICKET_KEY_FILE", "{at.folder}/other.key", ticket_is_signed_by_the_file, False, True),
    Row("PICKUP_TOKEN_ISSUER", "https://shop.example", lambda at: claims_of(at).get("iss"), None, "https://shop.example"),
    Row("PICKUP_TOKEN_AUDIENCE", "https://shop.example", lambda at: claims_of(at).get("aud"), None, "https://shop.example"),
    Row("PICKUP_TOKEN_TTL_S", "3600", lambda at: signed_in(at)["expires_in"], 43200, 3600),
    Row("PICKUP_TOKEN_LEEWAY_S", "60", late_token, 401, 200),
    Row("PICKUP_TICKET_TTL_S", "90", lambda at: check.ok(at.call("POST", "/api/v1/auth/ticket", at.customer))["expires_in"], 60, 90),
    Row("PICKUP_REGISTRATION", "off", lambda at: registered(at)[1], 201, 403),
    Row("PICKUP_PASSWORD_MEMORY_KIB", "8192", hashed("m"), 19456, 8192),
    Row("PICKUP_PASSWORD_PASSES", "3", hashed("t"), 2, 3),
    Row("PICKUP_LOGIN_TRIES", "3", wrong_ones, 10, 3, front=told_apart),
    Row("PICKUP_LOGIN_WAIT_MAX_S", "2", longest_wait, 4, 2, along={"PICKUP_LOGIN_TRIES": "1"}, front=told_apart),
    Row("PICKUP_BODY_MAX", "1024", body_of(2000), 422, 413),
    Row("PICKUP_REQUEST_DEADLINE_MS", "300", deadline, (503, True), (503, False)),
    Row("PICKUP_RETRY_AFTER_S", "9", lambda at: at.call("GET", "/api/v1/shops").header("Retry-After"), "5", "9", along={OPTION: "{at.folder}/nowhere.cnf"}),
    Row("PICKUP_IDEMPOTENCY_HOURS", "24", replayed, "true", None, relay="again"),
    Row("PICKUP_UPLOAD_DIR", "", uploaded(photos.JPEG), 201, 503),
    Row(ACCEL, "", sent_by_nginx, True, False),
    Row("PICKUP_UPLOAD_MAX", "65536", uploaded(photos.padded(photos.PNG, 100_000)), 201, 413),
    Row("PICKUP_UPLOADS_WAITING", "1", uploaded_twice, (201, 201), (201, 429)),
    Row("PICKUP_UPLOAD_DAYS", "1", photo_after_two_days, True, False, relay="again"),
    Row("PICKUP_SHOP_LEAD_MINUTES", "120", pre_order("code", hours=1), None, "too_soon"),
    Row("PICKUP_SHOP_MAX_DAYS_AHEAD", "1", pre_order("code", days=5), None, "too_far"),
    Row("PICKUP_SHOP_LAST_ORDER_MINUTES", "30", before_closing, 201, 409),
    Row("PICKUP_SHOP_SLOT_MINUTES", "30", slots, 409, 200),
    Row("PICKUP_SHOP_SLOT_CAPACITY", "1", two_in_a_slot, [201, 201], [201, 409], along={"PICKUP_SHOP_SLOT_MINUTES": "30"}),
    Row("PICKUP_SHOP_ACCEPT_WITHIN_MINUTES", "5", accepts_by, False, True),
    Row("PICKUP_SHOP_AUTO_CONFIRM", "on", placed("status"), "pending", "confirmed"),
    Row("PICKUP_SHOP_PREPARATION_MINUTES", "12", placed("estimated_preparation_minutes"), None, 12, along={"PICKUP_SHOP_AUTO_CONFIRM": "on"}),
    Row("PICKUP_EVENTS_DAYS", "1", old_events, 200, 410, relay="again"),
    Row(SOCKET, "", numbered_soon, True, False, along={"PICKUP_RELAY_POLL_MS": "9000"}, relay=True),
    Row("PICKUP_RELAY_POLL_MS", "9000", numbered_soon, True, False, along={SOCKET: ""}, relay=True),
    Row("PICKUP_PUSH_URLS", "unix:{at.folder}/none.sock", arrives, True, False, relay=True),
    Row("PICKUP_LOG_LEVEL", "warn", tells_requests, True, False),
    Row("PICKUP_LOG_REQUESTS", "failed", tells_requests, True, False),
    Row("PICKUP_METRICS_FILE", "", lambda at: at.local("GET", "/metrics").status, 200, 404, front=on_a_port),
    Row("PICKUP_ZONEINFO", "{at.folder}/zones", knows_paris, 201, 422),
]

# The relay's, which is beside a push instance that a test plays: test_settings_relay.py.
RELAYS = {"PICKUP_RELAY_BATCH", "PICKUP_RELAY_GATHER_MS", "PICKUP_RELAY_LEASE_S", "PICKUP_PUSH_TIMEOUT_MS", "PICKUP_PUSH_RETRY_MAX_MS"}


def read_by_the_relay(at):
    """How often it took changed settings."""
    with open(f"{at.dir}/log/relay.log") as f:
        return f.read().count("was read again")


@contextlib.contextmanager
def settings(at, row, values):
    """nginx and the relay have these values instead of those in the file."""
    def written(text):
        for name, value in values.items():
            text, n = re.subn(rf"^fastcgi_param {name} [^;]*;$", f'fastcgi_param {name} "{value.format(at=at)}";', text, flags=re.M)
            assert n == 1, name
        return text

    times = read_by_the_relay(at)
    with directives.files(at.stack, "front", {"pickup.params": written, "front.conf": lambda text: row.front(at, text) if row.front else text}):
        if row.relay:
            proc.wait_for(lambda: read_by_the_relay(at) > times, 15, "the relay to notice", 0.05)
            times = read_by_the_relay(at)
        yield
    if OPTION in values or "_DB_" in row.name or "DEADLINE" in row.name:     # what hung is left alone for a moment
        proc.wait_for(lambda: all(at.call("GET", "/readyz").status == 200 for _ in range(8)), 15, "the workers to be back at the database", 0.1)
    if row.relay:
        proc.wait_for(lambda: read_by_the_relay(at) > times, 15, "the relay to notice that all is as it was", 0.05)


@pytest.mark.takes_away
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_turning(at, row):
    if row.along or row.front:
        with settings(at, row, row.along):
            assert row.look(at) == row.before, at.stack.tail("workers")
    else:
        assert row.look(at) == row.before, at.stack.tail("workers")
    with settings(at, row, {**row.along, row.name: row.value}):
        assert row.look(at) == row.after, at.stack.tail("workers")


def test_each_has_a_row(source):
    names = re.findall(r"^fastcgi_param (PICKUP_\w+) ", (source / "nginx/pickup.params").read_text(), re.M)
    assert sorted(names) == sorted([row.name for row in ROWS] + list(RELAYS))
