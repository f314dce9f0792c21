"""Requests and answers, whatever carries them: FastCGI, plain CGI, or HTTP over TCP or a Unix socket."""
import decimal
import http.client
import json
import socket
import urllib.parse

from . import fcgi, openapi

UNSET = object()


def _pairs(pairs):
    """A dict in the order of the text; a name that comes twice is a fault of the server."""
    found = dict(pairs)
    assert len(found) == len(pairs), f"a member twice in {[name for name, _ in pairs]}"
    return found


def loads(text):
    """JSON with members in order and exact decimals."""
    if isinstance(text, (bytes, bytearray)):
        text = bytes(text).decode("utf-8")      # strictly: what is sent must be UTF-8
    return json.loads(text, object_pairs_hook=_pairs, parse_float=decimal.Decimal)


def dumps(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


class Response:
    """A finished answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, list(headers), body

    @classmethod
    def from_cgi(cls, output):
        head, found, body = output.partition(b"\r\n\r\n")
        if not found:
            head, found, body = output.partition(b"\n\n")
        assert found, f"no end of the header in {output[:300]!r}"
        status, headers = 200, []
        for line in head.decode("latin-1").splitlines():
            name, colon, value = line.partition(":")
            assert colon, f"no header line: {line!r}"
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        return cls(status, headers, body)

    def all(self, name):
        return [value for n, value in self.headers if n.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        assert len(values) < 2, f"{name} twice: {values}"
        return values[0] if values else None

    @property
    def media_type(self):
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    def json(self):
        return loads(self.body)

    def next(self):
        """The target of Link rel=next as path and query, or None."""
        for link in ", ".join(self.all("Link")).split(", <"):
            target, _, rest = link.lstrip("<").partition(">")
            if 'rel="next"' in rest or "rel=next" in rest:
                parts = urllib.parse.urlsplit(target)
                return parts.path + ("?" + parts.query if parts.query else "")
        return None

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:1500]!r}>"


class Client:
    """Calls the API, and has each answer judged by the API's description. Subclasses carry: send(method, target, headers, body) gives a Response."""

    def send(self, method, target, headers, body):
        raise NotImplementedError

    def __call__(self, method, target, token=None, json=UNSET, body=None, headers=None):
        """json is sent as application/json unless headers say otherwise; a header whose value is None is left out."""
        all_headers = {}
        if json is not UNSET:
            body = dumps(json)
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        if token is not None:
            all_headers["Authorization"] = f"Bearer {getattr(token, 'token', token)}"
        all_headers.update(headers or {})
        all_headers = {n: v for n, v in all_headers.items() if v is not None}
        body = b"" if body is None else body
        answer = self.send(method, target, all_headers, body)
        openapi.judge(method, target, all_headers, body, answer)
        return answer


def cgi_params(method, target, headers, body):
    """What nginx's stock fastcgi_params make of a request (the path decoded in SCRIPT_NAME, as it came in REQUEST_URI)."""
    path, _, query = target.partition("?")
    params = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "nginx/1.22.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_SCHEME": "http", "SERVER_NAME": "localhost", "SERVER_ADDR": "127.0.0.1", "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "40000", "REDIRECT_STATUS": "200",
        "REQUEST_METHOD": method, "REQUEST_URI": target, "QUERY_STRING": query,
        "SCRIPT_NAME": urllib.parse.unquote_to_bytes(path), "DOCUMENT_URI": urllib.parse.unquote_to_bytes(path),
        "CONTENT_TYPE": "", "CONTENT_LENGTH": str(len(body)) if body or method in ("POST", "PATCH", "PUT") else "",
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        params[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return params


class FcgiClient(Client):
    """Straight to the workers' socket. settings: extra parameters, as nginx's pickup.params gives them."""

    def __init__(self, path, settings=None):
        self.path, self.settings = path, dict(settings or {})

    def send(self, method, target, headers, body):
        params = {**cgi_params(method, target, headers, body), **self.settings}
        out, _, _ = fcgi.request(self.path, params, body)
        return Response.from_cgi(out)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60.0):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class HttpClient(Client):
    """Over HTTP. where: ("unix", path) or ("tcp", host, port); one connection a request."""

    def __init__(self, where):
        self.where = where

    def connection(self, timeout=60.0):
        if self.where[0] == "unix":
            return UnixConnection(self.where[1], timeout)
        return http.client.HTTPConnection(self.where[1], self.where[2], timeout=timeout)

    def socket(self, timeout=60.0):
        """A bare connected socket."""
        conn = self.connection(timeout)
        conn.connect()
        return conn.sock

    def send(self, method, target, headers, body):
        conn = self.connection()
        try:
            conn.putrequest(method, target, skip_accept_encoding=True)
            if body or method in ("POST", "PATCH", "PUT"):
                conn.putheader("Content-Length", str(len(body)))
            for name, value in headers.items():
                if name.lower() != "content-length":
                    conn.putheader(name, value)
            conn.endheaders()
            try:
                conn.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass    # refused before it was read; the answer is there
            answer = conn.getresponse()
            return Response(answer.status, answer.getheaders(), answer.read())
        finally:
            conn.close()
