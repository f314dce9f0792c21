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


def read_message(sock, data=b""):
    """One request or answer, head and body, as it came."""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise Gone
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    fields = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    length = next((int(value) for name, _, value in fields if name.lower() == b"content-length"), None)
    if length is None and head.startswith(b"HTTP/") and b" 204 " not in head[:14]:
        print(f"proxy: an answer without a length: {head!r}", file=sys.stderr)
        os._exit(1)
    missing = (length or 0) - len(body)
    while missing > 0:
        more = sock.recv(missing)
        if not more:
            raise Gone
        data, missing = data + more, missing - len(more)
    return data


class Proxy:
    def __init__(self, path, target):
        self.path, self.target, self.mode, self.listener = path, target, "pass", None

    def refuse(self, client):
        answer = b"<html>\r\n<body>misbehaving</body>\r\n</html>\r\n"
        head = f"HTTP/1.1 {self.mode} {REASONS[self.mode]}\r\nContent-Type: text/html\r\nContent-Length: {len(answer)}\r\nConnection: keep-alive\r\n\r\n"
        client.sendall(head.encode() + answer)

    def exchange(self, client, server):
        """One request, as the mode wants it at the moment when it was read."""
        request, mode = read_message(client), self.mode
        if mode in REASONS:
            self.refuse(client)
        elif mode == "hang":
            select.select([client], [], [])
            raise Gone
        elif mode == "close":
            raise Gone
        else:
            server.sendall(request)
            answer = read_message(server)
            if mode == "swallow":
                raise Gone
            client.sendall(answer)

    def serve(self, client, server):
        """A connection here is one there: where one is closed, so is the other."""
        with client, server:
            try:
                while True:
                    ready, _, _ = select.select([client, server], [], [])
                    if server in ready:     # between requests it says nothing but that it closes
                        return
                    self.exchange(client, server)
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
