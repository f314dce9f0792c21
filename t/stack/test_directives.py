"""Each directive of the front nginx that is meant to be turned does what its comment says, from a reload on."""
import contextlib
import dataclasses
import os
import re
import ssl
import threading
import time
import typing
import zlib

import pytest

from lib import check, directives, photos, proc, wire
from lib.http import HttpClient
from lib.subscribe import LongPoll, Refused, WebSocket

CORES = len(os.sched_getaffinity(0))


@dataclasses.dataclass
class Row:
    """One directive: what is seen with it as it stands, and what with another value. look(at) gives what is seen; along: other changes that
    hold both times, {file: {old text: new text}}; secure: over HTTPS."""
    file: str
    name: str
    value: str
    look: typing.Callable
    before: object
    after: object
    along: dict = dataclasses.field(default_factory=dict)
    secure: bool = False

    def __str__(self):
        return f"{self.file} {self.name}"


class At:
    """The stack, and what observers need again and again."""

    def __init__(self, stack, folder):
        self.stack, self.call, self.dir = stack, stack.call, stack.dir
        self.shop, self.customer, self.other = stack.tools.shop(("60.00", None)), stack.tools.user(), stack.tools.user()
        for _ in range(5):
            stack.place(self.customer, self.shop)
        self.order = stack.place_chitty(self.customer, self.shop)
        self.deaf, self.full = wire.Deaf(folder / "deaf.sock"), wire.Full()
        self.port6 = wire.free_port6()
        self.talkative = wire.Talkative(folder / "talkative.sock", 4 << 20)
        self.channel = f"/ws/shop/{self.shop.id}"
        self.export = f"/api/v1/orders/shop/{self.shop.id}/export.csv?from=2026-01-01&to=2026-01-02"
        # What is asked here is asked of nginx, not of the API.
        self.get = lambda target, token=None, **headers: stack.call.send(
            "GET", target, {**({"Authorization": f"Bearer {token.token}"} if token else {}), **headers}, b"")

    def close(self):
        for thing in (self.deaf, self.full, self.talkative):
            thing.close()


@pytest.fixture(scope="module")
def at(stack, scratch):
    folder = scratch / "directives"
    folder.mkdir()
    made = At(stack, folder)
    yield made
    made.close()


# --- what is seen

def processes(at):
    return len(directives._serving(at.stack, "front"))


def open_files(at):
    with open(f"/proc/{proc.children(at.stack.pid('front'))[-1]}/limits") as f:
        return int(re.search(r"Max open files\s+(\d+)", f.read())[1])


def ends_after_a_reload(at):
    ws = WebSocket(at.call, at.channel, at.shop.keeper)
    try:
        directives.reload(at.stack, "front")
        return ws.closed(2.5).code == 1006
    except TimeoutError:
        return False
    finally:
        ws.cut()


def logs_nonsense(at):
    with open(f"{at.dir}/log/front.log") as f:
        f.seek(0, 2)
        wire.asked(at.stack, b"nonsense\r\n\r\n")
        return "client sent invalid" in f.read()


def hundred_stay(at):
    try:
        with wire.held(at.stack, *[b"GET"] * 100) as opened:
            return not any(wire.heard(conn, 0.01)[1] for conn in opened)
    except BrokenPipeError:
        return False


def by_ipv6(at):
    """Whether it is answered at a port of ::1."""
    if not at.port6:
        pytest.skip("needs IPv6")
    try:
        return HttpClient(("tcp", "::1", at.port6))("GET", "/healthz").status == 200
    except ConnectionRefusedError:
        return False


def logged(at, seconds, **headers):
    """The line of a request in the access log, once it is there."""
    mark = at.get("/api/v1/shops", **{n.replace("_", "-"): v for n, v in headers.items()}).header("X-Request-Id")
    end = time.monotonic() + seconds
    while True:
        with open(f"{at.dir}/log/access.log") as f:
            found = [line for line in f if mark in line]
        if found or time.monotonic() > end:
            return found[0] if found else None
        time.sleep(0.05)


def stays_open(at):
    return not wire.asked(at.stack, wire.head("/healthz"), 0.3)[1] and not ended_after(at, wire.head("/healthz"))


def ended_after(at, raw, seconds=2.5):
    with at.call.socket() as conn:
        conn.sendall(raw)
        return wire.heard(conn, seconds)[1]


def answers_on_a_connection(at):
    with at.call.socket() as conn:
        conn.sendall(wire.head("/healthz") * 5)
        return wire.heard(conn, 0.7)[0].count(b"HTTP/1.1 200")


def slow_reader_gets_all(at):
    with at.call.socket() as conn:
        conn.sendall(wire.head("/api/v1/openapi.json") * 29 + wire.head("/api/v1/openapi.json", Connection="close"))
        time.sleep(2.5)
        return wire.heard(conn, 10)[0].count(b"HTTP/1.1 200") == 30


def at_once(at, n, raw):
    """The statuses of n requests that are all there before one is answered: none is late because another took its time."""
    with contextlib.ExitStack() as opened:
        conns = [opened.enter_context(at.call.socket()) for _ in range(n)]
        for conn in conns:
            conn.sendall(raw)
        return [wire.status(conn.recv(65536)) for conn in conns]


def sign_ins(at, n):
    return at_once(at, n, wire.head("/api/v1/auth/login", method="POST", Content_Type="application/json", Content_Length="1") + b"{")


def reads(at, n, token=None):
    return at_once(at, n, wire.head("/api/v1/orders/me", token))


def refills(ask):
    """Whether after a second, when a burst is used up, more than a few of a hundred pass."""
    def look(at):
        assert 429 in ask(at, 150)
        time.sleep(1)
        return sum(status != 429 for status in ask(at, 100)) > 12
    return look


def beside_four_others(at, token=None):
    waiting = wire.head("/api/v1/orders/", token, "POST", Content_Type="application/json", Content_Length="10")
    with wire.held(at.stack, *[waiting] * 4):
        return at.get("/api/v1/orders/me", token or at.customer).status, at.get("/api/v1/orders/me", at.other).status


def beside_four_photos(at):
    with wire.held(at.stack, *[wire.head("/api/v1/uploads/", method="POST", Content_Length="10")] * 4):
        return at.get("/api/v1/uploads/x", at.customer).status, at.get("/api/v1/orders/me", at.customer).status


def posted(at, size, target="/api/v1/orders/"):
    return at.call.send("POST", target, {"Content-Type": "application/json", "Authorization": f"Bearer {at.customer.token}"},
                        b'{"x": "' + b"x" * (size - 9) + b'"}').status


def goes_to_disk(at):
    with open(f"{at.dir}/log/front.log") as f:
        f.seek(0, 2)
        posted(at, 30_000)
        return "a client request body is buffered to a temporary file" in f.read()


def seconds_to(expected, target, method="GET", size=0, most=2.6):
    """Rounded down, to an answer with that status; None where it takes longer."""
    def look(at):
        began = time.monotonic()
        raw = wire.head(target, at.customer, method, **({"Content_Length": str(size), "Content_Type": "application/json"} if size else {}))
        with at.call.socket() as conn:
            conn.sendall(raw)
            conn.settimeout(most)
            with contextlib.suppress(TimeoutError):
                conn.sendall(b" " * size)
                if wire.status(conn.recv(65536)) == expected:
                    return int(time.monotonic() - began)
    return look


def coding(target, token=None):
    return lambda at: at.get(target(at), token and token(at), **{"Accept-Encoding": "gzip"}).header("Content-Encoding")


def photo(at):
    return at.call.send("POST", "/api/v1/uploads/", {"Content-Type": "image/png", "Authorization": f"Bearer {at.other.token}"},
                        photos.png(64, 64, pixels=None) + b"\0" * 5000).status


def sent_to_nobody(at):
    """Whether a worker is rid of an export although its client reads nothing."""
    before = at.talkative.sent
    with wire.held(at.stack, wire.head(at.export, at.shop.keeper)):
        end = time.monotonic() + 2
        while at.talkative.sent == before and time.monotonic() < end:
            time.sleep(0.02)
        return at.talkative.sent > before


def exports_at_once(at):
    with contextlib.ExitStack() as opened:
        for n in range(12):
            conn = opened.enter_context(at.call.socket())
            conn.sendall(wire.head(at.export, at.shop.keeper))
            if wire.heard(conn, 0.15)[0]:
                return n


def subscriptions(at):
    """How many of six are let in; and one with another token."""
    def let_in(who):
        try:
            opened.append(WebSocket(at.call, at.channel, who))
            return True
        except Refused as e:
            check.problem(e.response, 429, "rate_limited")
            return False
    opened = []
    try:
        return sum(let_in(at.shop.keeper) for _ in range(6)), let_in(at.stack.tools.run("token", "create", "--user", at.shop.keeper.id, "--ttl", 77).strip())
    finally:
        for ws in opened:
            ws.close()


def long_poll_ends(at):
    poll = LongPoll(at.call, f"/ws/customer/{at.customer.id}", at.customer)
    poll.join(2.5)
    return None if poll.is_alive() else poll.result().status


def is_small(at):
    """Smaller by far than what the least effort gives."""
    whole = at.get("/lib/api.js").body
    return len(at.get("/lib/api.js", **{"Accept-Encoding": "gzip"}).body) < 0.95 * len(zlib.compress(whole, 1))


def speaks_1_2(at):
    try:
        wire.tls(f"{at.dir}/front.sock", ssl.TLSVersion.TLSv1_2).close()
        return True
    except ssl.SSLError:
        return False


def resumes(at):
    first = wire.tls(f"{at.dir}/front.sock", ssl.TLSVersion.TLSv1_2)
    wire.exchange(first, wire.head("/healthz", Connection="close"))
    session = first.session
    with contextlib.suppress(OSError):
        first.unwrap()      # what ended without a word is not taken up again
    first.close()
    time.sleep(2.2)
    with wire.tls(f"{at.dir}/front.sock", ssl.TLSVersion.TLSv1_2, session=(first.context, session)) as again:
        return again.session_reused


def streams(at):
    """What the server's SETTINGS frame says (RFC 9113 section 6.5)."""
    with wire.tls(f"{at.dir}/front.sock", protocols=["h2"]) as conn:
        assert conn.selected_alpn_protocol() == "h2"
        conn.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        frame, _ = wire.heard(conn, 0.3)
        assert frame[3] == 4, frame
        settings = frame[9:9 + int.from_bytes(frame[:3], "big")]
        return {settings[n + 1]: int.from_bytes(settings[n + 2:n + 6], "big") for n in range(0, len(settings), 6)}[3]


def hsts(at):
    with wire.tls(f"{at.dir}/front.sock") as conn:
        api = wire.exchange(conn, wire.head("/api/v1/shops", Connection="close"))
    with wire.tls(f"{at.dir}/front.sock") as conn:
        page = wire.exchange(conn, wire.head("/order/", Connection="close"))
    assert api.header("Strict-Transport-Security") == page.header("Strict-Transport-Security")
    return api.header("Strict-Transport-Security")


def lets_a_page_in(at):
    """What a page of another origin is told before it asks, and to whom the answer is given."""
    page = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    return at.call.send("OPTIONS", "/api/v1/orders", page, b"").status, at.get("/api/v1/shops", **page).header("Access-Control-Allow-Origin")


# --- the table

def front(*rest, **more):
    return Row("front.conf", *rest, **more)


def upstream(server, at_where="fcgi.sock"):
    """Another server instead of the workers (or the push instance)."""
    return {"front.conf": {re.compile(rf"server unix:\S*/{at_where};"): f"server {server};"}}


DEAF, FULL, TALKATIVE = upstream("unix:{at.deaf.path}"), upstream("127.0.0.1:{at.full.port}"), upstream("unix:{at.talkative.path}")
SHORT_BURST = {"front.conf": {"zone=auth burst=600 nodelay": "zone=auth burst=60 nodelay"}}
ONLY_API = {"front.conf": {"# limit_req zone=api burst=400": "limit_req zone=api burst=60"}}
ONLY_TOKENS = {"front.conf": {"# limit_req zone=api_tokens burst=100": "limit_req zone=api_tokens burst=60"}}
MANY_EACH = {"front.conf": {**DEAF["front.conf"], "limit_conn exports 2;": "limit_conn exports 100;"}}

ROWS = [
    front("worker_processes", f"worker_processes {CORES + 1};", processes, CORES, CORES + 1),
    front("worker_rlimit_nofile", "worker_rlimit_nofile 9000;", open_files, 20000, 9000),
    front("worker_shutdown_timeout", "worker_shutdown_timeout 1s;", ends_after_a_reload, False, True),
    front("error_log", "error_log {at.dir}/log/front.log info;", logs_nonsense, False, True),
    front("worker_connections", "worker_connections 32;", hundred_stay, True, False),
    front("access_log", "access_log {at.dir}/log/access.log pickup buffer=64k flush=1h;", lambda at: logged(at, 2.5) is not None, True, False),
    front("keepalive_timeout", "keepalive_timeout 1s;", stays_open, True, False),
    front("keepalive_requests", "keepalive_requests 3;", answers_on_a_connection, 5, 3),
    front("client_header_timeout", "client_header_timeout 1s;", lambda at: ended_after(at, b"GET / HTTP/1.1\r\n"), False, True),
    front("client_body_timeout", "client_body_timeout 1s;", lambda at: ended_after(at, wire.head(
        "/api/v1/orders/", at.customer, "POST", Content_Length="9", Content_Type="application/json") + b"{"), False, True),
    front("send_timeout", "send_timeout 1s;", slow_reader_gets_all, True, False),
    front("large_client_header_buffers", "large_client_header_buffers 4 32k;", lambda at: at.get("/api/v1/shops", X="x" * 20000).status, 431, 200),
    front("set_real_ip_from", "set_real_ip_from unix:;", lambda at: logged(at, 3, X_Forwarded_For="198.51.100.1, 203.0.113.9").split()[0], "unix:", "203.0.113.9"),
    front("real_ip_recursive", "real_ip_recursive on;", lambda at: logged(at, 3, X_Forwarded_For="198.51.100.1, 203.0.113.9").split()[0], "203.0.113.9", "198.51.100.1",
          along={"front.conf": {"# set_real_ip_from 10.0.0.7;": "set_real_ip_from unix:; set_real_ip_from 203.0.113.9;"}}),
    front("on", 'on "max-age=31536000";', hsts, None, "max-age=31536000", secure=True),
    front("default", 'default "https://a.example https://shop.example";', lets_a_page_in, (405, None), (204, "https://shop.example")),
    front("limit_req_zone auth", "limit_req_zone $client_net zone=auth:10m rate=2r/s;", refills(sign_ins), True, False, along=SHORT_BURST),
    front("limit_req_zone api", "limit_req_zone $client_net zone=api:10m rate=2r/s;", refills(reads), True, False, along=ONLY_API),
    front("limit_req_zone api_tokens", "limit_req_zone $token_mark zone=api_tokens:10m rate=2r/s;", refills(lambda at, n: reads(at, n, at.customer)), True, False,
          along=ONLY_TOKENS),
    front("client_max_body_size", "client_max_body_size 1k;", lambda at: posted(at, 2000), 422, 413),
    front("client_body_buffer_size", "client_body_buffer_size 8k;", goes_to_disk, False, True),
    front("listen", "listen [::1]:{at.port6} default_server backlog=4096;", by_ipv6, False, True),
    front("limit_conn requests", "limit_conn requests 3;", beside_four_others, (200, 200), (429, 429)),
    front("limit_conn token_requests", "limit_conn token_requests 3;", lambda at: beside_four_others(at, at.customer), (200, 200), (429, 200)),
    front("fastcgi_connect_timeout", "fastcgi_connect_timeout 1s;", seconds_to(503, "/api/v1/shops"), 2, 1, along=FULL),
    front("fastcgi_send_timeout", "fastcgi_send_timeout 1s;", seconds_to(503, "/api/v1/orders/", "POST", 500_000), None, 1, along=DEAF),
    front("fastcgi_read_timeout", "fastcgi_read_timeout 1s;", seconds_to(503, "/api/v1/shops"), None, 1, along=DEAF),
    front("limit_req api", "limit_req zone=api burst=5 nodelay;", lambda at: 429 in reads(at, 200), False, True),
    front("limit_req api_tokens", "limit_req zone=api_tokens burst=5 nodelay;", lambda at: (429 in reads(at, 100, at.customer), 429 in reads(at, 100)),
          (False, False), (True, False)),
    front("gzip", "gzip on;", coding(lambda at: "/api/v1/orders/me", lambda at: at.customer), None, "gzip"),
    front("gzip_min_length", "gzip_min_length 100;", coding(lambda at: f"/api/v1/shops/{at.shop.id}"), None, "gzip"),
    front("gzip (2)", "gzip off;", coding(lambda at: "/api/v1/openapi.json"), "gzip", None),
    front("limit_req auth", "limit_req zone=auth burst=5 nodelay;", lambda at: 429 in sign_ins(at, 100), False, True),
    front("client_max_body_size (2)", "client_max_body_size 1k;", photo, 201, 413),
    front("fastcgi_max_temp_file_size", "fastcgi_max_temp_file_size 0;", sent_to_nobody, True, False, along=TALKATIVE),
    front("limit_conn uploads", "limit_conn uploads 3;", beside_four_photos, (404, 200), (429, 200)),
    front("limit_conn exports", "limit_conn exports 4;", exports_at_once, 2, 4, along=DEAF),
    front("limit_conn all_exports", "limit_conn all_exports 3;", exports_at_once, 6, 3, along=MANY_EACH),
    front("limit_conn subscribers", "limit_conn subscribers 2;", subscriptions, (6, True), (2, False)),
    front("limit_conn token_subscribers", "limit_conn token_subscribers 2;", subscriptions, (6, True), (2, True)),
    front("proxy_connect_timeout", "proxy_connect_timeout 1s;", seconds_to(204, "/ws/shop/1"), 2, 1, along=upstream("127.0.0.1:{at.full.port}", "sub.sock")),
    front("proxy_read_timeout", "proxy_read_timeout 1s;", long_poll_ends, None, 204),
    Row("pages.conf", "gzip_comp_level", "gzip_comp_level 1;", is_small, True, False),
    Row("pages.conf", "gzip_min_length", "gzip_min_length 1m;", coding(lambda at: "/lib/api.js"), "gzip", None),
    Row("tls.conf", "ssl_protocols", "ssl_protocols TLSv1.3;", speaks_1_2, True, False, secure=True),
    Row("tls.conf", "ssl_session_timeout", "ssl_session_timeout 1s;", resumes, True, False, secure=True),
    Row("tls.conf", "http2_max_concurrent_streams", "http2_max_concurrent_streams 9;", streams, 128, 9, secure=True),
]


def replaced(at, text, changes):
    for old, new in changes.items():
        new = new.format(at=at)
        text, n = old.subn(new, text) if isinstance(old, re.Pattern) else (text.replace(old, new), text.count(old))
        assert n == 1, (old, n)
    return text


def changes(at, row, value=None):
    """{file: how it is changed}, for directives.files."""
    found = {}
    for name in {row.file, "front.conf", *row.along}:
        def how(text, name=name):
            if value is not None and name == row.file:
                text = directives.with_text(text, row.name, value.format(at=at) if "{at." in value else value)
            text = replaced(at, text, row.along.get(name, {}))
            return directives.with_tls(text, f"unix:{at.dir}/front.sock", f"unix:{at.dir}/plain.sock") if row.secure and name == "front.conf" else text
        found[name] = how
    return found


@pytest.fixture(scope="module")
def certificate(stack):
    wire.certificate(f"{stack.dir}/etc/tls")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_turning(at, certificate, row):
    if row.along or row.secure:
        with directives.files(at.stack, "front", changes(at, row)):
            assert row.look(at) == row.before
    else:
        assert row.look(at) == row.before
    with directives.files(at.stack, "front", changes(at, row, row.value)):
        assert row.look(at) == row.after


@pytest.mark.parametrize("file", ["front.conf", "pages.conf", "tls.conf", "fastcgi.conf", "problems.conf"])
def test_each_that_is_meant_to_be_turned_has_a_row(source, file):
    marked = directives.tunables((source / "nginx" / file).read_text())
    assert sorted(marked) == sorted(row.name for row in ROWS if row.file == file)
    for directive in marked.values():
        assert directive.default in directive.text or directive.is_off and directive.default == "off", directive


def test_the_single_one_has_the_same(source):
    """What one nginx for everything has to be turned stands there with the same words as in the two."""
    def marked(name):
        text = (source / "nginx" / name).read_text()
        lines = text.split("\n")
        return {d.name: (lines[d.line - 1].strip(), d.text.replace("single.log", "front.log")) for d in directives.tunables(text).values()}

    front_ones, push_ones, single = marked("front.conf"), marked("push.conf"), marked("single.conf")
    only_there = {"worker_connections", "fastcgi_read_timeout (2)", "send_timeout (2)"}
    for name, lines in single.items():
        if name not in only_there:
            assert lines in (front_ones.get(name), push_ones.get(name)), name
    assert single["fastcgi_read_timeout (2)"] == push_ones["fastcgi_read_timeout"] and single["send_timeout (2)"] == push_ones["send_timeout"]
    of_two_alone = {"worker_processes", "worker_shutdown_timeout", "proxy_connect_timeout", "proxy_read_timeout"}
    assert set(front_ones) | set(push_ones) - of_two_alone == (set(single) - only_there) | {"worker_connections"} | of_two_alone


def test_a_reload_while_requests_run(at):
    """No request fails and no socket closes, whatever is turned."""
    stop, seen, faults = threading.Event(), [], []

    def ask():
        while not stop.is_set():
            try:
                seen.append(at.get("/api/v1/orders/me", at.customer).status)
            except Exception as e:      # noqa: BLE001 (whatever it is, the test tells)
                faults.append(repr(e))

    with WebSocket(at.call, at.channel, at.shop.keeper) as ws:
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for seconds in (20, 21, 22, 23):
                with directives.files(at.stack, "front", {"front.conf": lambda text, s=seconds: directives.with_text(text, "send_timeout", f"send_timeout {s}s;")}):
                    time.sleep(0.1)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        order = at.stack.place(at.customer, at.shop)
        assert ws.receive().value["order_id"] == order["id"]
    assert not faults and set(seen) == {200} and len(seen) > 50, (faults[:3], set(seen), len(seen))
