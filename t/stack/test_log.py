"""The workers' log: a line for each request, for programs; strangers' bytes can't forge one, and secrets never stand in it."""
import fcntl
import os
import re
import socket
import subprocess

import pytest

from lib import check, proc
from lib.api import Workers, clean_environment, phone
from lib.http import FcgiClient, cgi_params
from lib import fcgi

HEAD = r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(?:error|warn|info|debug) pid=\d+ "
# A key, and a value that needs no quotes, or has them with JSON's escapes in it.
FIELD = re.compile(r'([a-z_]+)=([^\s"=]*|"(?:[^"\\\x00-\x1f]|\\["\\]|\\u[0-9a-f]{4})*")(?: |$)')


def fields(line):
    """A line of logfmt as a dict; fails where it is none."""
    assert re.match(HEAD, line), line
    found, at = {}, 0
    while at < len(line):
        match = FIELD.match(line, at)
        assert match, f"no logfmt at {at}: {line}"
        assert match[1] not in found, line
        found[match[1]] = match[2]
        at = match.end()
    return found


@pytest.fixture()
def one(api):
    """One worker with a log of its own."""
    workers = Workers(api.binary, api.dir, api.params, name="logged", count=1)
    open(workers.log, "w").close()
    yield workers
    workers.stop()


def lines(one):
    with open(one.log, "rb") as f:
        text = f.read()
    assert all(c == 10 or 32 <= c <= 126 for c in text), text
    return [fields(line) for line in text.decode().splitlines()]


def last(one, n=1):
    """The n-th last line about a request; written after the answer."""
    return [line for line in lines(one) if line.get("event") == "request"][-n]


def logged(one, count):
    """All lines about requests, once there are so many."""
    return proc.wait_for(lambda: (f := [line for line in lines(one) if line.get("event") == "request"])[count - 1:] and f, 5, f"{count} lines")


def test_a_line_for_each_request(api, one, world):
    call = FcgiClient(one.path, {**api.settings, "REQUEST_ID": "00112233445566778899aabbccddeeff"})
    body = {"shop_id": world.shop.id, "items": [{"product_id": world.shop.products[0].id, "quantity": 1}]}
    answer = call("POST", "/api/v1/orders/", world.customer, json=body)
    order = check.ok(answer, 201)
    check.ok(call("GET", f"/api/v1/orders/{order['id']}", world.customer))
    assert call("HEAD", "/healthz").status == 200
    check.problem(call("GET", "/nowhere/at/all?x=1"), 404, "not_found")
    place, read, health, nowhere = logged(one, 4)
    assert all(line["req"] == "00112233445566778899aabbccddeeff" and line["level"] == "info" for line in (place, read, health, nowhere))
    told = ("method", "route", "status", "user")
    assert [place[k] for k in told] == ["POST", "/api/v1/orders", "201", str(world.customer.id)]
    assert [read[k] for k in told] == ["GET", "/api/v1/orders/{id}", "200", str(world.customer.id)]
    assert [health[k] for k in told] == ["HEAD", "/healthz", "200", "0"]
    assert [nowhere[k] for k in told] == ["GET", "none", "404", "0"]
    assert int(place["bytes"]) == len(answer.body)
    assert int(place["us"]) > int(place["db_us"]) > 0 and int(place["us"]) >= sum(int(place[k]) for k in ("read_us", "db_us", "write_us"))
    assert int(place["write_us"]) > 0 and int(place["statements"]) >= 4
    assert int(read["statements"]) == 1 and (health["statements"], health["db_us"]) == ("0", "0")


def test_which_requests_are_logged(api, one, world):
    def call(which, *argv, **more):
        return FcgiClient(one.path, {**api.settings, "PICKUP_LOG_REQUESTS": which, **more})(*argv)

    assert call("none", "GET", "/healthz").status == 200
    assert call("failed", "GET", "/healthz").status == 200
    check.problem(call("failed", "GET", "/nowhere"), 404, "not_found")
    nobody = {"PICKUP_DB_OPTION_FILE": f"{api.dir}/nobody.cnf"}
    check.problem(call("none", "GET", "/api/v1/shops", **nobody), 503, "unavailable")
    check.problem(call("failed", "GET", "/api/v1/shops", **nobody), 503, "unavailable")
    assert call("all", "GET", "/healthz", PICKUP_LOG_LEVEL="warn").status == 200
    assert call("all", "GET", "/healthz").status == 200
    assert [(line["route"], line["status"]) for line in logged(one, 2)] == [("/api/v1/shops", "503"), ("/healthz", "200")]


HOSTILE = b'a" b=c level=error msg="x\\\n\r\t\x00\x1b[2J\x7f\x80\xff time=2026-01-01T00:00:00.000Z'


@pytest.mark.parametrize("where", ["REQUEST_ID", "DOCUMENT_URI", "REQUEST_METHOD", "REMOTE_ADDR", "HTTP_AUTHORIZATION", "CONTENT_TYPE", "QUERY_STRING", "PICKUP_RETRY_AFTER_S"])
def test_what_strangers_send_forges_nothing(api, one, where):
    """Each line is logfmt, in ASCII, and tells only what we say."""
    hostile = HOSTILE.replace(b"\0", b"")
    params = {**cgi_params("GET", "/api/v1/orders/me", {}, b""), **api.settings, where: hostile}
    fcgi.request(one.path, params, b"")
    line = logged(one, 1)[0]
    assert line["status"] in ("200", "401", "404", "405") and line["level"] == "info" and line.get("b") is None
    for other in lines(one):
        assert set(other) <= {"time", "level", "pid", "req", "event", "method", "route", "status", "bytes", "user", "us", "read_us", "db_us", "write_us", "statements", "msg"}


def test_no_secret_stands_in_it(api, one, world):
    call = FcgiClient(one.path, api.settings)
    number = phone()
    check.ok(call("POST", "/api/v1/auth/register", json={"full_name": "A", "phone_number": number, "password": "horse battery"}), 201)
    check.ok(call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": "horse battery"}))
    call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": "horse buttery"})
    ticket = check.ok(call("POST", "/api/v1/auth/ticket", world.customer))["ticket"]
    call("GET", f"/_ws_auth?token={ticket}")
    call("GET", f"/api/v1/orders/me?token={world.customer.token}")
    call("GET", f"/api/v1/{world.customer.token}", world.customer)
    logged(one, 7)
    with open(one.log) as f:
        text = f.read()
    for secret in (number, "horse", ticket, world.customer.token, world.customer.token.split(".")[2], "eyJ"):
        assert secret not in text, secret


@pytest.mark.parametrize("how", ["2>&-", ">&- 2>&-", "2>/dev/full", "2>&0"])
def test_where_the_log_has_no_place_requests_are_answered(api, how):
    """FastCGI's managers may close both outputs. Then no line may land in the file or connection that would have got the number."""
    path = f"{api.dir}/closed.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(8)
        worker = subprocess.Popen(["sh", "-c", f'exec "$@" {how}', "sh", api.binary, "serve", "--params", api.params], stdin=listener, env=clean_environment())
    try:
        proc.wait_for(lambda: proc.catches(worker.pid, 15), 10, "the worker to take signals")
        call = FcgiClient(path, api.settings)
        for _ in range(3):
            check.ok(call("GET", "/api/v1/shops"))
        assert call("GET", "/_metrics").status == 200
        for number in (1, 2):
            if f"{'' if number == 1 else 2}>&-" in how.split():
                assert os.readlink(f"/proc/{worker.pid}/fd/{number}") == "/dev/null"
    finally:
        assert proc.stop(worker) == 0
        os.unlink(path)


def test_a_reader_that_hangs_holds_nobody_up(api):
    """Lines that it does not take are lost and counted."""
    path = f"{api.dir}/hangs-log.sock"
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 8192)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(8)
        worker = subprocess.Popen([api.binary, "serve", "--params", api.params], stdin=listener, stderr=writing, env=clean_environment())
    os.close(writing)
    text = b""
    try:
        call = FcgiClient(path, api.settings)
        for _ in range(100):
            assert call("GET", "/healthz").status == 200
        text = os.read(reading, 1 << 16)
        assert call("GET", "/readyz").status == 200
    finally:
        assert proc.stop(worker) == 0
        os.unlink(path)
        while more := os.read(reading, 1 << 16):
            text += more
        os.close(reading)
    found = [fields(line) for line in text.decode().splitlines()]
    told = next(line["msg"] for line in found if "lost" in line.get("msg", ""))
    requests = [line for line in found if line.get("event") == "request"]
    assert int(told.strip('"').split()[0]) + len(requests) == 101 and requests[-1]["route"] == "/readyz"
