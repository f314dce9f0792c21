"""A stand-in for the push nginx: takes what the relay publishes, records it, fails on request."""
import http.server
import os
import re
import socketserver
import threading

from .http import loads


class Published:
    """One POST that was accepted."""

    def __init__(self, path, content_type, body):
        self.path, self.content_type, self.body = path, content_type, body
        kind, _, self.channel_id = path.rpartition("/")
        self.channel = (kind.rpartition("/")[2], int(self.channel_id))
        self.seq = int(re.search(r"seq=(\d+)", content_type).group(1))
        self.message = loads(body)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = self.server.owner.take(self.path, self.headers.get("Content-Type", ""), body)
        answer = b"queued messages: 1\r\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_DELETE(self):
        status = self.server.owner.close_channel(self.path)
        self.send_response(status)
        self.send_header("Connection", "close")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        answer = b"total published messages: 0\n" if self.path == "/status" else b""
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def address_string(self):
        return "relay"

    def log_message(self, *_):
        pass


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


class FakePush:
    def __init__(self, path):
        self.path = str(path)
        self.accepted, self.tries, self._statuses, self.closed = [], [], [], []
        self._lock = threading.Lock()
        self._server = None
        self.open()

    def open(self):
        self._server = _Server(self.path, _Handler)
        self._server.owner = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, path, content_type, body):
        with self._lock:
            status = self._statuses.pop(0) if self._statuses else 202
            self.tries.append((path, content_type, body))
            if status < 300:
                self.accepted.append(Published(path, content_type, body))
            return status

    def close_channel(self, path):
        """Adds ("shop", 1) to closed."""
        kind, _, channel_id = path.removeprefix("/pub/").partition("/")
        with self._lock:
            self.closed.append((kind, int(channel_id)))
        return 200

    def answer(self, *statuses):
        """The next POSTs get these statuses, later ones 202."""
        with self._lock:
            self._statuses = list(statuses)

    def on(self, kind, channel_id):
        """What was accepted on a channel so far."""
        with self._lock:
            return [p for p in self.accepted if p.channel == (kind, channel_id)]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        if os.path.exists(self.path):
            os.unlink(self.path)
