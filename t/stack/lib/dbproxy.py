"""Between the program and its database: passes everything on, and does something to a COMMIT, amid rows, or to any packet, where a test wants it."""
import os
import socket
import threading

_COMMIT = b"\x03COMMIT"     # COM_QUERY
_UNANSWERED = {b"\x01", b"\x18", b"\x19"}     # COM_QUIT, COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE

HOLD_ANSWER = "hold answer"     # the server has committed, and its word does not arrive
CUT_ANSWER = "cut answer"       # … and the connection breaks
HOLD_COMMIT = "hold commit"     # the server never hears of it
CUT_COMMIT = "cut commit"       # … and the connection breaks
CUT_ROWS = "cut rows"           # the connection breaks amid a result
HOLD_ROWS = "hold rows"         # no more of a result arrives
MARK_MAX = 30                   # bytes of a mark, less than these


def _exactly(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            return None
        data += piece
    return data


class Gate:
    """Holds what the program says, from the first packet that holds mark (bytes) on, until it is opened."""

    def __init__(self, mark):
        self.mark, self.is_reached, self.is_open = mark, threading.Event(), threading.Event()

    def pass_through(self):
        self.is_reached.set()
        self.is_open.wait(180)


class _Pair:
    """One connection of the program, and ours to the server."""

    def __init__(self, proxy, client):
        self.proxy, self.client, self.what, self.has_answer = proxy, client, None, True
        self.before = b""       # the end of what came of the answer, where a mark may begin
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(proxy.server_path)
        for run in (self._forth, self._back):
            threading.Thread(target=self._guarded, args=(run,), daemon=True).start()

    def _guarded(self, run):
        try:
            run()
        except OSError:
            pass
        self.cut()

    def cut(self):
        for conn in (self.client, self.server):
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _forth(self):
        while (head := _exactly(self.client, 4)) and (packet := _exactly(self.client, int.from_bytes(head[:3], "little"))) is not None:
            gate = self.proxy._take_gate(packet)
            if gate:
                gate.pass_through()
            if packet == _COMMIT:
                self.what = self.proxy._take()
            if self.what == CUT_COMMIT:
                return
            if self.what == HOLD_COMMIT:
                self.proxy.holds.set()
                self.client.recv(1)     # until the program is gone
                return
            if head[3] or packet[:1] not in _UNANSWERED:
                self.proxy._count(self)
            self.before = b""
            self.server.sendall(head + packet)

    def _back(self):
        while data := self.server.recv(65536):
            self.has_answer = True
            if self.what == HOLD_ANSWER:
                self.proxy.holds.set()
                self.proxy.released.wait(180)
            elif self.what == CUT_ANSWER:
                return
            what = self.proxy._take_rows(self.before + data)
            if what:
                self.client.sendall(data[:max(0, (self.before + data).rindex(what[0]) - len(self.before))])
                if what[1] == HOLD_ROWS:
                    self.server.recv(1)     # until the program is gone
                return
            self.client.sendall(data)
            self.before = (self.before + data)[-MARK_MAX:]


class DbProxy:
    """Listens at path. at_commits(what, …): what happens to the next COMMITs; later ones pass. holds: one is being held.
    packets: how many came from programs that the server answers; flights: how many of them after an answer to the one before."""

    def __init__(self, path, server_path):
        self.path, self.server_path = str(path), str(server_path)
        self.holds, self.released = threading.Event(), threading.Event()
        self._lock, self._plan, self._rows, self._gate = threading.Lock(), [], None, None
        self.packets, self.flights = 0, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                _Pair(self, self.listener.accept()[0])
        except OSError:
            pass

    def _count(self, pair):
        with self._lock:
            self.packets += 1
            self.flights += pair.has_answer
            pair.has_answer = False

    def at_commits(self, *plan):
        with self._lock:
            self._plan = list(plan)

    def _take(self):
        with self._lock:
            return self._plan.pop(0) if self._plan else None

    def at_rows(self, mark, what):
        """What happens to the next answer that holds mark (bytes), just before its last mark."""
        with self._lock:
            self._rows = mark, what

    def _take_rows(self, data):
        with self._lock:
            if not self._rows or self._rows[0] not in data:
                return None
            taken, self._rows = self._rows, None
            return taken

    def at(self, mark):
        """A gate for the next packet of the program that holds mark."""
        with self._lock:
            self._gate = Gate(mark)
            return self._gate

    def _take_gate(self, packet):
        with self._lock:
            if not self._gate or self._gate.mark not in packet:
                return None
            taken, self._gate = self._gate, None
            return taken

    @property
    def is_done(self):
        """All that was planned has happened."""
        with self._lock:
            return not self._plan and not self._rows

    def close(self):
        self.released.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
