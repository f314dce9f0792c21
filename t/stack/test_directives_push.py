"""Each directive of the push nginx that is meant to be turned does what its comment says, from a reload on (which closes all subscriptions)."""
import re
import signal
import time

import pytest

from lib import directives, proc, wire
from lib.http import HttpClient

case = pytest.param


class At:
    def __init__(self, stack, folder):
        self.stack, self.dir = stack, stack.dir
        self.publish = HttpClient(("unix", f"{stack.dir}/pub.sock"))
        self.door = HttpClient(("unix", f"{stack.dir}/sub.sock"))       # the front has time-outs of its own
        self.deaf = wire.Deaf(folder / "deaf.sock")
        self.keeper = stack.tools.user("shopkeeper", "Asha Rao")
        self.shop, self.target = None, None

    def fresh(self):
        """A channel that nobody has heard of yet."""
        self.shop = self.stack.tools.shop(keeper=self.keeper)
        self.target = f"/ws/shop/{self.shop.id}"

    def post(self, n, size):
        for _ in range(n):
            assert self.publish("POST", f"/pub/shop/{self.shop.id}", body=b"x" * size).status in (201, 202)

    def held(self, *requests):
        return wire.held(_Door(self.door), *requests)

    def subscribed(self, **headers):
        """The bytes that ask for a WebSocket."""
        return wire.head(self.target, self.keeper, Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version="13",
                         Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", **headers)

    def status(self, name):
        return next(v for n, v in self.stack.push_status().items() if n.startswith(name))


class _Door:
    def __init__(self, call):
        self.call = call


@pytest.fixture(scope="module")
def shared(stack, scratch):
    folder = scratch / "directives-push"
    folder.mkdir()
    made = At(stack, folder)
    yield made
    made.deaf.close()


@pytest.fixture()
def at(shared):
    shared.fresh()
    return shared


def open_files(at):
    with open(f"/proc/{at.stack.nginx_worker('push')}/limits") as f:
        return int(re.search(r"Max open files\s+(\d+)", f.read())[1])


def forty_get_in(at):
    with at.held(*[at.subscribed()] * 40) as opened:
        return all(wire.status(wire.heard(conn, 0.05)[0]) == 101 for conn in opened)


def logs_nonsense(at):
    """The subscribers' own error log is closed; the publishers' is this one."""
    with open(f"{at.dir}/log/push.log") as f:
        f.seek(0, 2)
        with at.publish.socket() as conn:
            conn.sendall(b"nonsense\r\n\r\n")
            wire.heard(conn, 0.5)
        return "client sent invalid" in f.read()


def stored(at):
    """How many messages nchan has of the channel."""
    return int(re.search(r"queued messages: (\d+)", at.publish("GET", f"/pub/shop/{at.shop.id}").body.decode())[1])


def kept(at):
    at.post(15, 10)
    return stored(at)


def kept_for_three_seconds(at):
    """Five messages; what is over goes with the next one of the channel."""
    at.post(5, 10)
    time.sleep(3)
    at.post(1, 10)
    return stored(at)


def drops_who_does_not_read(at):
    with at.held(at.subscribed()) as (conn,):
        at.post(60, 60000)
        time.sleep(2.5)
        return int(at.status("subscribers")) == 0


def pinged(accept):
    """Whether a subscriber to whom nothing happens hears something within two seconds and a half."""
    def look(at):
        raw = at.subscribed() if accept == "websocket" else wire.head(at.target, at.keeper, Accept=accept)
        with at.held(raw) as (conn,):
            head, _ = wire.heard(conn, 0.3)
            assert wire.status(head) in (101, 200), head
            return wire.heard(conn, 2.2)[0] != b""
    return look


def fourth_subscriber(at):
    with at.held(*[at.subscribed()] * 3):
        with at.held(at.subscribed()) as (conn,):
            return wire.status(wire.heard(conn, 1)[0])


def from_another_page(at):
    with at.held(at.subscribed(Origin="https://other.example")) as (conn,):
        return wire.status(wire.heard(conn, 1)[0])


def nobody_answers(at):
    """The status of a subscription of which a worker must be asked that does not answer; None for none within 2.5 seconds."""
    with at.held(at.subscribed()) as (conn,):
        conn.settimeout(2.3)
        try:
            return wire.status(conn.recv(65536))
        except TimeoutError:
            return None


# name, another value, what is looked at, what is seen, what is seen then. deaf: with a worker that does not answer.
ROWS = [
    ("worker_rlimit_nofile", "worker_rlimit_nofile 17000;", open_files, 20000, 17000),
    ("error_log", "error_log {dir}/log/push.log info;", logs_nonsense, False, True),
    ("worker_connections", "worker_connections 40;", forty_get_in, True, False),
    ("nchan_shared_memory_size", "nchan_shared_memory_size 64M;", lambda at: at.status("shared memory limit"), "131072K", "65536K"),
    ("nchan_message_buffer_length", "nchan_message_buffer_length 3;", kept, 10, 3),
    ("nchan_message_timeout", "nchan_message_timeout 1s;", kept_for_three_seconds, 6, 1),
    ("send_timeout", "send_timeout 1s;", drops_who_does_not_read, False, True),
    ("nchan_websocket_ping_interval", "nchan_websocket_ping_interval 1;", pinged("websocket"), False, True),
    ("nchan_eventsource_ping_interval", "nchan_eventsource_ping_interval 1;", pinged("text/event-stream"), False, True),
    ("nchan_max_channel_subscribers", "nchan_max_channel_subscribers 3;", fourth_subscriber, 101, 403),
    ("nchan_access_control_allow_origin", 'nchan_access_control_allow_origin "https://shop.example";', from_another_page, 101, 403),
    ("fastcgi_read_timeout", "fastcgi_read_timeout 1s;", nobody_answers, None, 503),
]
TAKES_A_RESTART = {"nchan_shared_memory_size"}


def restart(stack):
    stack.back("push", stack.kill("push", signal.SIGTERM))
    proc.wait_for(lambda: len(proc.children(stack.pid("push"))) == 1, 10, "the push nginx")
    proc.wait_for(lambda: answers(stack), 10, "its sockets", pause=0.05)


def answers(stack):
    try:
        return HttpClient(("unix", f"{stack.dir}/pub.sock"))("GET", "/pub/worker").status == 200
    except OSError:
        return False


@pytest.mark.takes_away
@pytest.mark.parametrize("name, value, look, before, after", [case(*row, id=row[0]) for row in ROWS])
def test_turning(at, name, value, look, before, after):
    def deaf(text):
        return re.sub(r"fastcgi_pass unix:\S*/fcgi\.sock;", f"fastcgi_pass unix:{at.deaf.path};", text) if look is nobody_answers else text

    if look is nobody_answers:
        with directives.files(at.stack, "push", {"push.conf": deaf}):
            assert look(at) == before
    else:
        assert look(at) == before
    at.fresh()
    if name in TAKES_A_RESTART:
        conf, text = f"{at.dir}/push.conf", None
        with open(conf) as f:
            text = f.read()
        try:
            with open(conf, "w") as f:
                f.write(directives.with_text(text, name, value))
            restart(at.stack)
            assert look(at) == after
        finally:
            with open(conf, "w") as f:
                f.write(text)
            restart(at.stack)
        return
    with directives.files(at.stack, "push", {"push.conf": lambda text: deaf(directives.with_text(text, name, value.replace("{dir}", at.dir)))}):
        assert look(at) == after


def test_each_that_is_meant_to_be_turned_has_a_row(source):
    marked = directives.tunables((source / "nginx/push.conf").read_text())
    assert sorted(marked) == sorted(row[0] for row in ROWS)
    for directive in marked.values():
        assert directive.default in directive.text, directive
