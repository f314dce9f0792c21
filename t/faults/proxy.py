"""A push instance that misbehaves: stands between relay and push nginx, passes requests and answers on unchanged until told otherwise.

Arguments: the socket to listen on, the socket of the instance. Each line of standard input is the mode from then on, one of MODES; each is
acknowledged by the same line. Where nobody listens at the instance, nobody listens here either. Run by driver.py, as a process of its own."""
import os
import select
import socket
import sys
import threading
import time

MODES = {
    "pass": "as if it were not there",
    "500": "answers so, and passes nothing on",
    "503": "the same",
    "507": "the same",
    "hang": "reads the request and never answers",
    "close": "reads the request and closes",
    "swallow": "passes the request on and closes when the answer comes: it was published, and the relay can't know",
}
REASONS = {"500": "Internal Server Error", "503": "Service Unavailable", "507": "Insufficient Storage"}


class Gone(Exception):
    """A side has closed."""


class Side:
    """A connection's one end, and what has come over it that was not looked at yet."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def size(self):
        """That of the first message, head and body; None where it is not there as a whole."""
        head, end, body = self.data.partition(b"\r\n\r\n")
        if not end:
            return None
        fields = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        length = next((int(value) for name, _, value in fields if name.lower() == b"content-length"), None)
        if length is None and head.startswith(b"HTTP/") and b" 204 " not in head[:14]:
            print(f"proxy: an answer without a length: {head!r}", file=sys.stderr)
            os._exit(1)
        size = len(head) + len(end) + (length or 0)
        return size if size <= len(self.data) else None

    def message(self):
        """One request or answer, as it came."""
        while not (size := self.size()):
            more = self.sock.recv(65536)
            if not more:
                raise Gone
            self.data += more
        found, self.data = self.data[:size], self.data[size:]
        return found

    def messages(self):
        """At least one, and all that came with it."""
        found = [self.message()]
        while self.size():
            found.append(self.message())
        return found


class Proxy:
    def __init__(self, path, target):
        self.path, self.target, self.mode, self.listener = path, target, "pass", None

    def refuse(self, client):
        answer = b"<html>\r\n<body>misbehaving</body>\r\n</html>\r\n"
        head = f"HTTP/1.1 {self.mode} {REASONS[self.mode]}\r\nContent-Type: text/html\r\nContent-Length: {len(answer)}\r\nConnection: keep-alive\r\n\r\n"
        client.sendall(head.encode() + answer)

    def exchange(self, client, server):
        """Requests that came together, as the mode wants it at the moment when they were read."""
        requests, mode = client.messages(), self.mode
        if mode == "hang":
            select.select([client.sock], [], [])
            raise Gone
        if mode == "close":
            raise Gone
        if mode not in REASONS:
            server.sock.sendall(b"".join(requests))
        for _ in requests:
            if mode in REASONS:
                self.refuse(client.sock)
                continue
            answer = server.message()
            if mode == "swallow":
                raise Gone
            client.sock.sendall(answer)

    def serve(self, client, server):
        """A connection here is one there: where one is closed, so is the other."""
        with client, server:
            sides = Side(client), Side(server)
            try:
                while True:
                    ready, _, _ = select.select([client, server], [], [])
                    if server in ready:     # between requests it says nothing but that it closes
                        return
                    self.exchange(*sides)
            except (Gone, OSError):
                pass

    def reach(self):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.target)
            return server
        except OSError:
            server.close()
            return None

    def open(self):
        """Listens as soon as the instance does."""
        while not (probe := self.reach()):
            time.sleep(0.02)
        probe.close()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)

    def shut(self):
        os.unlink(self.path)
        self.listener.close()

    def run(self):
        self.open()
        while True:
            client, _ = self.listener.accept()
            server = self.reach()
            if server:
                threading.Thread(target=self.serve, args=(client, server), daemon=True).start()
            else:
                client.close()
                self.shut()
                self.open()


def main():
    proxy = Proxy(*sys.argv[1:])
    threading.Thread(target=proxy.run, daemon=True).start()
    for line in sys.stdin:
        assert line.strip() in MODES, line
        proxy.mode = line.strip()
        print(proxy.mode, flush=True)


if __name__ == "__main__":
    main()
