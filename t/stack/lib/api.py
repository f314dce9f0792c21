"""The API without nginx: a private database, workers on a FastCGI socket, a relay, and a stand-in for the push nginx."""
import dataclasses
import itertools
import os
import secrets
import signal
import socket
import subprocess

from . import check, logs, photos, proc, tokens
from .fakepush import FakePush
from .http import FcgiClient
from .mariadb import Server, write_private

_numbers = itertools.count(1)
_run = secrets.randbelow(10 ** 6)


def phone():
    """A number that nobody in this run has yet."""
    return f"+91{_run:06}{next(_numbers):06}"


@dataclasses.dataclass
class User:
    id: int
    role: str
    name: str
    token: str


@dataclasses.dataclass
class Product:
    id: int
    name: str
    price: str
    stock: object


@dataclasses.dataclass
class Shop:
    id: int
    name: str
    timezone: str
    keeper: User
    products: list


class Tools:
    """The program's command line against one params file."""

    def __init__(self, binary, params, key):
        self.binary, self.params, self.key = binary, params, key

    def run(self, *argv, stdin=None):
        done = subprocess.run([self.binary, *map(str, argv), "--params", self.params], capture_output=True, timeout=60,
                              **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        assert done.returncode == 0, (argv, done.returncode, done.stdout, done.stderr)
        return done.stdout.decode()

    def created_id(self, *argv):
        words = self.run(*argv).split()
        assert words and words[-1].isdigit(), words
        return int(words[-1])

    def token(self, user_id, role):
        return tokens.sign(self.key, tokens.claims(user_id, role))

    def user(self, role="customer", name="Kiran Kumar"):
        user_id = self.created_id("user", "create", "--role", role, "--name", name, "--phone", phone())
        return User(user_id, role, name, self.token(user_id, role))

    def product(self, shop, name="Rice", price="60.00", stock=None):
        argv = ["product", "create", "--shop", shop.id, "--name", name, "--price", price]
        product = Product(self.created_id(*argv, *(["--stock", stock] if stock is not None else [])), name, price, stock)
        shop.products.append(product)
        return product

    def change(self, thing, **options):
        """Changes a User, Shop or Product: price="1.00", active="no", …"""
        argv = [type(thing).__name__.lower(), "change", thing.id]
        for name, value in options.items():
            argv += [f"--{name}", value]
        self.run(*argv)

    def shop(self, *products, timezone="Asia/Kolkata", keeper=None, name="Corner Shop"):
        """A shop with a keeper of its own. products: (price, stock) each; stock None is not counted."""
        keeper = keeper or self.user("shopkeeper", "Asha Rao")
        shop_id = self.created_id("shop", "create", "--owner", keeper.id, "--name", name, "--timezone", timezone)
        shop = Shop(shop_id, name, timezone, keeper, [])
        for n, (price, stock) in enumerate(products or [("60.00", None)]):
            self.product(shop, f"Product {n + 1}", price, stock)
        return shop


class Calls:
    """What tests do all the time with an API. call: a Client; tools: Tools."""

    def __init__(self, call, tools):
        self.call, self.tools = call, tools

    def post(self, customer, shop, items=None, headers=None, **members):
        """POST an order; items: (product, quantity) each, by default one of the first product."""
        items = [(shop.products[0], 1)] if items is None else items
        body = {"shop_id": shop.id, "items": [{"product_id": p.id, "quantity": q} for p, q in items], **members}
        return self.call("POST", "/api/v1/orders/", customer, json=body, headers=headers)

    def place(self, customer, shop, items=None, **members):
        """A placed order, checked."""
        return check.created(self.post(customer, shop, items, **members))

    def get(self, who, order):
        return self.call("GET", f"/api/v1/orders/{order['id']}", who)

    def read(self, who, order):
        """The order as it is now, checked."""
        return check.order(check.ok(self.get(who, order)))

    def patch(self, who, order, headers=None, **members):
        return self.call("PATCH", f"/api/v1/orders/{order['id']}", who, json=members, headers=headers)

    def change(self, shop, order, **members):
        """A change by the shop's keeper that must succeed; gives the order."""
        return check.order(check.ok(self.patch(shop.keeper, order, **members)))

    def set(self, shop, **members):
        """A change of the shop by its keeper that must succeed; gives the shop object."""
        return check.ok(self.call("PATCH", f"/api/v1/shops/{shop.id}", shop.keeper, json=members))

    def bring_to(self, shop, order, status):
        """Takes a pending order to status by allowed steps."""
        steps = {"pending": [], "confirmed": ["confirmed"], "preparing": ["confirmed", "preparing"],
                 "ready": ["confirmed", "ready"], "picked_up": ["confirmed", "ready", "picked_up"],
                 "cancelled": ["cancelled"]}[status]
        for step in steps:
            order = self.change(shop, order, status=step)
        return order

    def stock(self, shop, product):
        """What is left, as everybody can read it."""
        products = check.ok(self.call("GET", f"/api/v1/shops/{shop.id}/products?limit=200"))
        return next(p["stock"] for p in products if p["id"] == product.id)

    def events(self, who, kind, channel_id, after=0, limit=200):
        return check.ok(self.call("GET", f"/api/v1/events/{kind}/{channel_id}?after={after}&limit={limit}", who))

    def last_seq(self, who, kind, channel_id):
        return check.ok(self.call("GET", f"/api/v1/events/{kind}/{channel_id}", who))["last_seq"]

    def wait_events(self, who, kind, channel_id, count):
        """The channel's events from the start, once there are at least count."""
        def enough():
            found = self.events(who, kind, channel_id)["events"]
            return found if len(found) >= count else None
        return proc.wait_for(enough, 10, f"{count} events on {kind} {channel_id}")

    def upload(self, customer, photo=photos.JPEG, headers=None):
        """The answer to a photo."""
        return self.call("POST", "/api/v1/uploads/", customer, body=photo, headers={"Content-Type": "image/jpeg", **(headers or {})})

    def photo(self, customer, photo=photos.JPEG):
        """The address of an uploaded photo, for list_image_url."""
        return check.ok(self.upload(customer, photo), 201)["list_image_url"]

    def place_chitty(self, customer, shop, items=None):
        """A placed order with a photo beside its items, checked."""
        return self.place(customer, shop, items, list_image_url=self.photo(customer))


# Limits that only tests of them are to reach. nginx waits for 20 seconds.
PATIENT = {"PICKUP_REQUEST_DEADLINE_MS": "15000", "PICKUP_DB_TIMEOUT_S": "15", "PICKUP_DB_CONNECT_TIMEOUT_S": "15", "PICKUP_DB_LOCK_WAIT_S": "14"}


class Workers:
    """`pickup serve` processes that share one listening socket."""

    def __init__(self, binary, dir, params, name="fcgi", count=3, options=()):
        self.binary, self.dir, self.params, self.options = binary, str(dir), params, list(options)
        self.path, self.log = f"{dir}/{name}.sock", f"{dir}/{name}.log"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(511)
        self.processes = []
        for _ in range(count):
            self.start_one()

    def start_one(self):
        self.processes.append(proc.start([self.binary, "serve", "--params", self.params, *self.options], self.log,
                                         env=clean_environment(), stdin=self.listener))

    def stop(self):
        """Those still running must end well: leaks that a sanitizer finds show in the status."""
        self.listener.close()
        for process in self.processes:
            # One that was started a moment ago is not the program's yet, and ends as anything would.
            proc.wait_for(lambda: process.poll() is not None or proc.catches(process.pid, signal.SIGTERM), 10, "a worker to take signals")
        statuses = [proc.stop(process) for process in self.processes if process.poll() is None]
        self.processes = []
        if os.path.exists(self.path):
            os.unlink(self.path)
        assert not any(statuses), (statuses, proc.tail(self.log))


def clean_environment():
    """Ours without settings, so that only files decide."""
    return {n: v for n, v in os.environ.items() if not n.startswith("PICKUP_")}


def write_params(path, settings):
    with open(path, "w") as f:
        for name, value in settings.items():
            f.write(f'fastcgi_param {name} "{value}";\n')


class Api(Calls):
    """Everything but nginx, under dir. settings: more PICKUP_ settings."""

    def __init__(self, binary, source, dir, settings=None, workers=3, durable=False, fake_push=True):
        self.binary, self.source, self.dir = str(binary), str(source), str(dir)
        self.count, self.durable, self.fake_push = workers, durable, fake_push
        self.db, self.push, self.workers, self.relay = None, None, None, None
        self.key = secrets.token_hex(32).encode()
        self.params = f"{dir}/pickup.params"
        self.settings = {
            "PICKUP_DB_OPTION_FILE": f"{dir}/db/pickup.cnf", "PICKUP_TOKEN_KEY_FILE": f"{dir}/token.key",
            "PICKUP_RELAY_SOCKET": f"{dir}/relay.sock", "PICKUP_PUSH_URLS": f"unix:{dir}/push.sock",
            "PICKUP_UPLOAD_DIR": f"{dir}/uploads", "PICKUP_METRICS_FILE": f"{dir}/metrics",
            "PICKUP_RELAY_POLL_MS": "100", "PICKUP_PUSH_RETRY_MAX_MS": "100", "PICKUP_RELAY_LEASE_S": "6",
            # A busy machine's database may take its time, but where that is what a test is about.
            **PATIENT,
            # All of a run come from one address, and try many a wrong password.
            "PICKUP_PASSWORD_MEMORY_KIB": "8192", "PICKUP_PASSWORD_PASSES": "1", "PICKUP_LOGIN_TRIES": "1000000", **(settings or {})}
        super().__init__(None, Tools(self.binary, self.params, self.key))

    def up(self):
        write_private(f"{self.dir}/token.key", self.key)
        os.mkdir(f"{self.dir}/uploads", 0o700)
        write_params(self.params, self.settings)
        self.db = Server(f"{self.dir}/db", self.durable)
        self.db.start()
        self.db.create()
        self.tools.run("migrate", "--dir", f"{self.source}/sql")
        if self.fake_push:
            self.push = FakePush(f"{self.dir}/push.sock")
        self.start_relay()
        self.workers = Workers(self.binary, self.dir, self.params, count=self.count)
        self.call = FcgiClient(self.workers.path, self.settings)

    def start_relay(self):
        self.relay = proc.start([self.binary, "relay", "--params", self.params], f"{self.dir}/relay.log",
                                env=clean_environment())

    def client(self, **settings):
        """The same workers with other settings for these requests, as after an nginx reload."""
        return FcgiClient(self.workers.path, {**self.settings, **settings})

    def stop(self):
        try:
            if self.workers:
                self.workers.stop()
        finally:
            if self.relay:
                proc.stop(self.relay)
            if self.push:
                self.push.close()
            if self.db:
                self.db.kill()
        logs.judge(self.dir)
