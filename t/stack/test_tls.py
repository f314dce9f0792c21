"""HTTPS by the steps that the configuration tells, in both set-ups; and what the access log says of a request."""
import json
import pathlib
import re
import shutil
import ssl
import subprocess
import time

import pytest

from lib import directives, proc, wire


@pytest.fixture(scope="module", params=["front", "single"])
def served(request):
    """(instance, name of its nginx) after the steps: HTTPS at front.sock, the redirect at plain.sock."""
    stack = request.getfixturevalue("stack" if request.param == "front" else "single")
    wire.certificate(f"{stack.dir}/etc/tls")
    steps = {f"{request.param}.conf": lambda text: directives.with_tls(text, f"unix:{stack.dir}/front.sock", f"unix:{stack.dir}/plain.sock")}
    with directives.files(stack, request.param, steps):
        yield stack


def over_tls(stack, raw, **how):
    with wire.tls(f"{stack.dir}/front.sock", **how) as conn:
        return wire.exchange(conn, raw)


def plain(stack, raw):
    with wire.unix(f"{stack.dir}/plain.sock") as conn:
        return wire.exchange(conn, raw)


def test_the_api_and_the_pages_by_https(served):
    answer = over_tls(served, wire.head("/api/v1/shops", Connection="close"))
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.header("Strict-Transport-Security") is None, "nobody is bound before the admin says so"
    assert over_tls(served, wire.head("/order/", Connection="close")).status == 200


def test_subscriptions_by_https(served):
    keeper = served.tools.user("shopkeeper", "Asha Rao")
    shop = served.tools.shop(keeper=keeper)
    with wire.tls(f"{served.dir}/front.sock") as conn:
        conn.sendall(wire.upgrade_head(f"/ws/shop/{shop.id}", keeper))
        assert wire.answered(conn) == 101


@pytest.mark.parametrize("version, is_spoken", [(ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                                                (ssl.TLSVersion.TLSv1_3, True)], ids=lambda v: getattr(v, "name", v))
def test_which_versions_are_spoken(served, version, is_spoken):
    try:
        with wire.tls(f"{served.dir}/front.sock", version) as conn:
            spoken = conn.version() == version.name.replace("_", ".")
    except (ssl.SSLError, ConnectionError):
        spoken = False
    assert spoken == is_spoken


def test_forward_secrecy(served):
    with wire.tls(f"{served.dir}/front.sock", ssl.TLSVersion.TLSv1_2) as conn:
        assert conn.cipher()[0].startswith("ECDHE-") and not conn.cipher()[0].endswith("SHA")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        wire.tls(f"{served.dir}/front.sock", ssl.TLSVersion.TLSv1_2, ciphers="AES128-GCM-SHA256:AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")


def test_nothing_of_a_session_is_left_to_the_client(served):
    """A ticket would be as good as the key that all of them have in common; and what is sent before the handshake is done can be sent twice."""
    with wire.tls(f"{served.dir}/front.sock", ssl.TLSVersion.TLSv1_2) as conn:
        assert not conn.session.has_ticket
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    done = subprocess.run(["openssl", "s_client", "-unix", f"{served.dir}/front.sock", "-tls1_3", "-ign_eof"], input="GET / HTTP/1.0\n\n", capture_output=True, text=True, timeout=120)
    assert "Max Early Data: 0\n" in done.stdout


def test_http_2(served):
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    done = subprocess.run(["curl", "-sSk", "--unix-socket", f"{served.dir}/front.sock", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}",
                           "https://localhost/api/v1/shops"], capture_output=True, text=True, timeout=120)
    assert done.stdout == "2 200", done


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_comes_without_it_is_sent_there(served, method):
    answer = plain(served, wire.head("/api/v1/shops?limit=2", method=method, Connection="close", Content_Length="0"))
    assert (answer.status, answer.header("Location")) == (308, "https://localhost/api/v1/shops?limit=2")


def test_who_renews_the_certificate_comes_without_it(served):
    folder = pathlib.Path(served.dir, "acme/.well-known/acme-challenge")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "word").write_text("the answer")
    answer = plain(served, wire.head("/.well-known/acme-challenge/word", Connection="close"))
    assert (answer.status, answer.body) == (200, b"the answer")


@pytest.mark.parametrize("length, body, status", [("Content-Length: 3000000", b"", 308), ("Transfer-Encoding: chunked", b"x\r\n", 400)], ids=["large", "broken"])
def test_who_comes_without_it_with_a_body(served, length, body, status):
    head = f"POST /ws/shop/1?token=a.b.in-no-log HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}\r\n\r\n".encode()
    with wire.unix(f"{served.dir}/plain.sock") as conn:
        conn.sendall(head + body)
        assert wire.answered(conn) == status
    assert "in-no-log" not in served.tail("front") + served.tail("single")


def test_http_where_https_is_spoken(served):
    with wire.unix(f"{served.dir}/front.sock") as conn:
        answer = wire.exchange(conn, wire.head("/api/v1/shops", Connection="close"))
    assert (answer.status, answer.media_type) == (400, "application/problem+json")


# --- the log

LINE = re.compile(r'\S+ \[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\] [0-9a-f]{32} "[A-Z]+ \S+ HTTP/\d\.\d" \d{3} \d+ \d+\.\d{3}s '
                  r"upstream (\d{3}|-) (\d+\.\d{3}|-) (\d+\.\d{3}|-) (\d+\.\d{3}|-)\n")


def test_a_line_of_the_log(stack):
    customer = stack.tools.user()
    asked = [stack.call("GET", f"/api/v1/orders/me?limit=1&token={customer.token}", customer), stack.call("GET", f"/nothing?token={customer.token}", customer)]
    def logged():
        with open(f"{stack.dir}/log/access.log") as f:
            return f.read()
    # It is buffered for a second.
    text = proc.wait_for(lambda: all(answer.header("X-Request-Id") in logged() for answer in asked) and logged(), 5, "its lines")
    assert customer.token not in text and customer.token.rpartition(".")[2][:16] not in text and "?" not in text
    for answer, status, upstream in zip(asked, (200, 404), (r"upstream 200( \d+\.\d{3}){3}\n", "upstream - - - -\n")):
        line, = [line for line in text.splitlines(True) if answer.header("X-Request-Id") in line]
        assert LINE.fullmatch(line) and f" {status} " in line and re.search(upstream, line), line


def test_a_line_is_a_line(stack):
    """Whatever stands in a path."""
    raw = b'GET /in-one-line"%0a%0d\xff\\\'? HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    with stack.call.socket() as conn:
        mark = wire.exchange(conn, raw).header("X-Request-Id")

    def logged():
        with open(f"{stack.dir}/log/access.log", "rb") as f:
            return [line for line in f.read().splitlines(True) if b"in-one-line" in line]
    line, = proc.wait_for(logged, 5, "its line")
    assert LINE.fullmatch(line.decode("ascii")) and mark in line.decode("ascii")


def test_a_limit_tells_no_address(stack):
    """What nginx writes of a refused request holds its query."""
    token = json.dumps(time.monotonic_ns())
    def narrow(text):
        """Too narrow for thirty requests, however long a busy machine takes for them."""
        assert text.count("zone=api:10m rate=100r/s;") == 1
        return directives.with_text(text, "limit_req api", "limit_req zone=api burst=1 nodelay;").replace("zone=api:10m rate=100r/s;", "zone=api:10m rate=1r/m;")

    with directives.files(stack, "front", {"front.conf": narrow}):
        seen = [stack.call.send("GET", f"/api/v1/orders/me?token={token}", {}, b"").status for _ in range(30)]
    assert 429 in seen and token not in stack.tail("front")
