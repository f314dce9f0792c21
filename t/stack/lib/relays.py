"""`pickup relay` between a real database and a push instance that misbehaves on demand: what it takes to test that.

Owns: the push instance, relays, short words for what stands in their tables; fixtures, to be imported."""
import collections
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from . import dbproxy, mariadb, proc

KINDS = {"shop": 1, "customer": 2}
Post = collections.namedtuple("Post", "channel seq body headers")


class Push:
    """A push instance on a Unix socket. worker: who it says it is, None: it does not; a callable: says it, or gives a status, "hang" or
    "close". keeps: a connection for so many requests.
    answer(n, path) says what happens to the n-th request (from 1): a status; "hang": no answer;
    "close": read, then closed; "drop": closed while it is being read. on_delete(n, path): the same of channels to be closed."""

    def __init__(self, path, answer=None):
        self.path, self.answer = str(path), answer or (lambda n, p: 201)
        self.on_delete, self.deletes, self.closed = (lambda n, p: 200), 0, []
        self.lock = threading.Lock()
        self.tries, self.accepted, self.known, self.connections = 0, [], set(), 0
        self.listener, self.open, self.worker, self.keeps = None, set(), "17", 10**9

    @property
    def url(self):
        return f"unix:{self.path}"

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
        return self

    def stop(self):
        listener, self.listener = self.listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            os.unlink(self.path)
        with self.lock:
            for c in self.open:
                c.close()
            self.open.clear()

    def _accept(self, listener):
        while True:
            try:
                c, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(c)
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _tell_worker(self, c):
        """False: the connection ends."""
        what = self.worker() if callable(self.worker) else self.worker or 404
        if what == "hang":
            c.recv(1)
        if what in ("hang", "close"):
            return False
        status, text = (what, b"no") if isinstance(what, int) else (200, what.encode("latin-1"))
        c.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
        return True

    def _close_channel(self, c, path, headers):
        """Each is asked on a connection of its own. closed: (when, channel)."""
        assert headers["connection"] == "close"
        with self.lock:
            self.deletes += 1
            what = self.on_delete(self.deletes, path)
        if what == "hang":
            c.recv(1)
        if isinstance(what, str):
            return
        kind, channel = re.fullmatch(r"/pub/(shop|customer)/([1-9][0-9]*)", path).groups()
        if what in (200, 404):
            with self.lock:
                self.closed.append((time.monotonic(), (kind, int(channel))))
        c.sendall(b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n" % what)

    def _serve(self, c):
        try:
            buffer, served = b"", 0
            while self.listener and served < self.keeps:
                served += 1
                while b"\r\n\r\n" not in buffer:
                    more = c.recv(65536)
                    if not more:
                        return
                    buffer += more
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                first, *lines = head.decode().split("\r\n")
                if first == "GET /pub/worker HTTP/1.1":
                    if not self._tell_worker(c):
                        return
                    continue
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                if first.startswith("DELETE "):
                    self._close_channel(c, first.split()[1], headers)
                    return
                with self.lock:
                    self.tries += 1
                    what = self.answer(self.tries, first.split()[1])
                if what == "drop":
                    return
                need = int(headers["content-length"])
                while len(buffer) < need:
                    buffer += c.recv(65536)
                body, buffer = buffer[:need], buffer[need:]
                if what == "hang":
                    c.recv(1)
                    return
                if what == "close":
                    return
                method, path, _ = first.split()
                kind, channel = re.fullmatch(r"/pub/(shop|customer)/([1-9][0-9]*)", path).groups()
                kind_of, _, seq = headers["content-type"].partition("; seq=")
                assert (method, kind_of) == ("POST", "application/json")
                if 200 <= what < 300:
                    with self.lock:
                        self.accepted.append(Post((kind, int(channel)), int(seq), body.decode(), headers))
                        self.known.add(self.accepted[-1][:2])
                c.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 3\r\n\r\nok\n" % what)
        except OSError:
            pass
        finally:
            c.close()
            with self.lock:
                self.open.discard(c)

    def cut(self):
        """Every connection ends, as where nginx's worker gives way to a new one."""
        with self.lock:
            for c in self.open:
                c.shutdown(socket.SHUT_RDWR)

    def wait(self, n, patience=15):
        """n different messages have arrived; gives them, and fails unless numbers, order and repeats are right."""
        proc.wait_for(lambda: len(self.known) >= n, patience, f"{n} messages")
        return first_ones(list(self.accepted))


def first_ones(posts):
    """Posts without repeats. Each channel counts 1, 2, 3 …; what is repeated carries the same seq and body."""
    known, last, out = {}, collections.defaultdict(int), []
    for p in posts:
        key = (p.channel, p.seq)
        if key in known:
            assert known[key] == p.body, f"{key} was repeated with another body"
            continue
        assert p.seq == last[p.channel] + 1, f"{p.channel}: {p.seq} came after {last[p.channel]}"
        known[key] = p.body
        last[p.channel] = p.seq
        out.append(p)
    return out


class Relays:
    def __init__(self, binary, server, folder):
        self.binary, self.server, self.folder = binary, server, folder
        self.started = []

    def start(self, *args, name="a", wait=True, **settings):
        """A relay; settings by their names without PICKUP_, in small letters. wait: until it has found its place."""
        path = self.folder / f"{name}.poke"
        values = {"db_option_file": self.server.option_file, "relay_socket": path, "relay_poll_ms": 50, "relay_lease_s": 6, "log_level": "debug",
                  "push_timeout_ms": 15000, "db_timeout_s": 15, "db_connect_timeout_s": 15, "push_retry_max_ms": 200, **settings}
        env = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
        env.update({f"PICKUP_{k.upper()}": str(v) for k, v in values.items() if v is not None})
        log = self.folder / f"{name}.log"
        before = log.stat().st_size if log.exists() else 0
        r = proc.start([self.binary, "relay", *args], log, env)
        r.said = lambda: log.read_bytes()[before:].decode()  # what it wrote to its log
        r.poke_path = str(path)
        self.started.append(r)
        if wait:
            proc.wait_for(lambda: r.poll() is not None or re.search("publishing, as|standing by", r.said()), 10, "a relay")
        return r

    def stop(self):
        for r in self.started:
            proc.stop(r, signal.SIGKILL)


def poke(relay):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", relay.poke_path)


@pytest.fixture(scope="module")
def server(request, binary, source, scratch):
    if mariadb.missing():
        pytest.skip(f"not installed: {', '.join(mariadb.missing())}")
    s = mariadb.Server(scratch / request.module.__name__.replace("test_", ""), durable=True)
    try:
        s.start()
        s.create()
        subprocess.run([binary, "migrate", "--dir", source / "sql"], check=True, stdout=subprocess.DEVNULL, timeout=30,
                       env={"PATH": os.environ["PATH"], "PICKUP_DB_OPTION_FILE": s.option_file})
        yield s
    finally:
        s.kill()


@pytest.fixture
def db(server):
    """Empty tables, and short words for what tests do with them."""
    server.sql("DELETE FROM outbox; DELETE FROM events; DELETE FROM channel_floors; DELETE FROM push_cursors; DELETE FROM push_refusals;"
               "DELETE FROM idempotency_keys; DELETE FROM channel_closes; UPDATE relay_lease SET holder='', expires_at='2000-01-01', last_pub_no=0, state=''")
    return Database(server)


class Database:
    def __init__(self, server):
        self.server, self.sql, self.order = server, server.sql, 0

    def value(self, statement):
        return self.sql(statement)[0][0]

    def notify(self, *channels, version=1, order=None, id=None):
        """Outbox rows in one transaction, one a channel ("shop", 1); each an order of its own unless order says which."""
        rows = []
        for kind, channel in channels:
            self.order += 1
            o = order or self.order
            body = '{"type":"new_order","order_id":%d,"version":%d}' % (o, version)
            rows.append(f"({id or 'NULL'}, {KINDS[kind]}, {channel}, 1, {o}, {version}, UTC_TIMESTAMP(6), '{body}')")
        self.sql("INSERT INTO outbox (id, channel_kind, channel_id, shop_id, order_id, order_version, at, body) VALUES " + ",".join(rows))

    def backlog(self, n, channels=7):
        self.sql(f"SET max_recursive_iterations={n + 1}; INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)"
                 f" WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {n})"
                 f" SELECT 1, 1 + i % {channels}, 1, 1000000 + i, 1, UTC_TIMESTAMP(6), CONCAT('{{\"order_id\":', i, '}}') FROM s")

    def close(self, *channels):
        """Rows for channels whose subscribers must come again, in one transaction."""
        rows = ",".join(f"({KINDS[kind]}, {channel}, UTC_TIMESTAMP(6))" for kind, channel in channels)
        self.sql("INSERT INTO channel_closes (channel_kind, channel_id, at) VALUES " + rows)

    def left_to_close(self):
        return int(self.value("SELECT COUNT(*) FROM channel_closes"))

    def wait_empty(self, patience=10):
        proc.wait_for(lambda: self.value("SELECT COUNT(*) FROM outbox") == "0", patience, "an empty outbox", 0.03)

    def wait_cursor(self, push, n):
        proc.wait_for(lambda: self.sql(f"SELECT pub_no FROM push_cursors WHERE instance = '{push.url}'") == [[str(n)]], 5, f"cursor {n}", 0.03)


@pytest.fixture
def folder(scratch):
    path = scratch / f"relay-{time.monotonic_ns()}"
    path.mkdir()
    return path


@pytest.fixture
def relays(binary, server, folder):
    r = Relays(binary, server, folder)
    yield r
    r.stop()


@pytest.fixture
def make_push(folder):
    made = []

    def make(name="p", answer=None, start=True):
        p = Push(folder / name, answer)
        made.append(p)
        return p.start() if start else p

    yield make
    for p in made:
        p.stop()


@pytest.fixture
def push(make_push):
    return make_push()


def seqs(posts):
    return [p.seq for p in posts]



@pytest.fixture
def through(server, folder):
    """Ways to the database with gates in them, by name: the gate-keeper and its option file."""
    made = []

    def make(name):
        proxy = dbproxy.DbProxy(folder / f"{name}.db", f"{server.dir}/sock")
        made.append(proxy)
        with open(server.option_file) as f:
            mariadb.write_private(f"{folder}/{name}.cnf", f.read().replace(f"socket={server.dir}/sock", f"socket={proxy.path}"))
        return proxy, f"{folder}/{name}.cnf"

    yield make
    for proxy in made:
        proxy.close()
