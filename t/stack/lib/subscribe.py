"""Subscribers over WebSocket, EventSource and long polling, without an event loop in the tests."""
import asyncio
import http.client
import re
import threading

import websockets

from . import openapi
from .http import Response, loads

_loop = None
_making = threading.Lock()


def _the_loop():
    """The one background loop of this process. With two, a connection made on the one and read on the other never hears of its end."""
    global _loop
    with _making:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, daemon=True).start()
        return _loop


def _run(coroutine, timeout=60.0):
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, timeout), _the_loop()).result(timeout + 5)


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(status)
        self.response = Response(status, headers, body)


class Closed(Exception):
    """The other side closed. code is 1006 where it said nothing."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class Message:
    """One frame: text, the JSON value, and seq where the frame told it."""

    def __init__(self, frame, has_meta):
        self.meta, self.text = None, frame
        if has_meta:
            self.meta, _, self.text = frame.partition("\n\n")
        found = re.search(r"^content-type: application/json; seq=(\d+)$", self.meta or "", re.M)
        self.seq = int(found.group(1)) if found else None
        self.value = loads(self.text.encode())
        openapi.judge_message(self.value)

    def __repr__(self):
        return f"<{self.seq} {self.text}>"


def upgrade(client, target, token=None, headers=None):
    """The bare answer to a WebSocket handshake: (status, Response). 101 closes at once."""
    conn = client.connection(10)
    try:
        all_headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **(headers or {})}
        if token is not None:
            all_headers["Authorization"] = f"Bearer {getattr(token, 'token', token)}"
        conn.request("GET", target, headers=all_headers)
        answer = conn.getresponse()
        body = b"" if answer.status == 101 else answer.read()
        return Response(answer.status, answer.getheaders(), body)
    finally:
        conn.close()


class WebSocket:
    """An open subscription. target may carry ?token=…; meta asks for ws+meta.nchan."""

    def __init__(self, client, target, token=None, meta=True, headers=None):
        extra = dict(headers or {})
        if token is not None:
            extra["Authorization"] = f"Bearer {getattr(token, 'token', token)}"

        async def connect():
            return await websockets.connect(f"ws://localhost{target}", sock=sock, extra_headers=extra, ping_interval=None, compression=None,
                                            subprotocols=["ws+meta.nchan"] if meta else None, max_size=None, open_timeout=60, close_timeout=2)

        sock = client.socket(None)
        sock.setblocking(False)
        self._meta = meta
        try:
            self._ws = _run(connect())
        except websockets.InvalidStatusCode:
            sock.close()
            again = upgrade(client, target, token, headers)     # the library keeps no body
            raise Refused(again.status, again.headers, again.body) from None
        assert not meta or self._ws.subprotocol == "ws+meta.nchan"

    def receive(self, timeout=60.0):
        """The next Message; Closed where the connection ends first, TimeoutError where nothing comes."""
        try:
            frame = _run(self._ws.recv(), timeout)
        except websockets.ConnectionClosed as e:
            raise Closed(e.rcvd.code if e.rcvd else 1006, e.rcvd.reason if e.rcvd else "") from None
        assert isinstance(frame, str), frame
        return Message(frame, self._meta)

    def take(self, count, timeout=60.0):
        return [self.receive(timeout) for _ in range(count)]

    def closed(self, timeout=60.0):
        """Waits for the end, ignoring messages; gives the Closed."""
        while True:
            try:
                self.receive(timeout)
            except Closed as e:
                return e

    def nothing(self, within=0.3):
        """Fails if a message comes."""
        try:
            raise AssertionError(f"unexpected: {self.receive(within)}")
        except (TimeoutError, asyncio.TimeoutError):
            pass

    def send(self, text):
        _run(self._ws.send(text))

    def close(self):
        _run(self._ws.close())

    def cut(self):
        """Breaks the connection off without a word."""
        _the_loop().call_soon_threadsafe(self._ws.transport.abort)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class EventSource:
    """A subscription by server-sent events."""

    def __init__(self, client, target, token=None, headers=None):
        self._conn = client.connection()
        all_headers = {"Accept": "text/event-stream", **(headers or {})}
        if token is not None:
            all_headers["Authorization"] = f"Bearer {getattr(token, 'token', token)}"
        self._conn.request("GET", target, headers=all_headers)
        self._answer = self._conn.getresponse()
        self.status = self._answer.status
        self.headers = self._answer.getheaders()
        if self.status != 200:
            raise Refused(self.status, self.headers, self._answer.read())
        assert self._answer.getheader("Content-Type").startswith("text/event-stream")

    def receive(self):
        """The fields of the next event that carries data, as a dict; Closed at the end."""
        fields = {}
        while True:
            raw = self._answer.readline()
            if not raw:
                raise Closed(1006, "")
            line = raw.decode().rstrip("\r\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif not line and "data" in fields:
                openapi.judge_message(loads(fields["data"].encode()))
                return fields

    def close(self):
        self._conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class LongPoll(threading.Thread):
    """One long-poll request, running; result() gives its Response."""

    def __init__(self, client, target, token, headers=None):
        super().__init__(daemon=True)
        self._conn = client.connection()
        self._conn.request("GET", target, headers={"Authorization": f"Bearer {token.token}", "Accept": "application/json", **(headers or {})})
        self._response = None
        self.start()

    def run(self):
        try:
            answer = self._conn.getresponse()
            self._response = Response(answer.status, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException) as e:
            self._response = e

    def result(self, timeout=60):
        self.join(timeout)
        assert isinstance(self._response, Response), self._response
        if self._response.status == 200:
            openapi.judge_message(self._response.json())
        return self._response
