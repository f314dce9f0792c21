"""The proxy before the push instance does what each mode says, and nothing otherwise."""
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
REQUEST = b"POST /pub/shop/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nmine"


class Instance:
    """Records what comes, and answers each request with ANSWER, one after another."""

    def __init__(self, path):
        self.got, self.connections = b"", []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        got, answered = b"", 0
        while data := sock.recv(65536):
            got, self.got = got + data, self.got + data
            while answered < got.count(b"hello"):
                try:
                    sock.sendall(ANSWER)
                except BrokenPipeError:
                    return
                answered += 1
                time.sleep(0.02)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for sock in self.connections:
            sock.shutdown(socket.SHUT_RDWR)


class Pair:
    def __init__(self, folder):
        self.path = f"{folder}/in"
        self.instance = Instance(f"{folder}/out")
        self.process = subprocess.Popen([sys.executable, HERE / "proxy.py", self.path, f"{folder}/out"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while not (sock := self.connect()):
            time.sleep(0.01)
        sock.close()

    def mode(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == name + "\n"

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(3)
        try:
            sock.connect(self.path)
            return sock
        except OSError:
            return None


@pytest.fixture
def pair():
    with tempfile.TemporaryDirectory(prefix="pickup-p.", dir="/tmp") as folder:
        p = Pair(folder)
        yield p
        p.process.kill()
        p.process.wait()


def test_bytes_pass_unchanged_over_one_connection(pair):
    sock = pair.connect()
    for n in (1, 2, 3):
        sock.sendall(REQUEST[:30])
        sock.sendall(REQUEST[30:])
        assert sock.recv(4096) == ANSWER and pair.instance.got == REQUEST * n


def receive(sock, size):
    data = b""
    while len(data) < size and (more := sock.recv(4096)):
        data += more
    return data


def test_requests_that_do_not_wait_for_answers(pair):
    sock = pair.connect()
    for n in (1, 2):
        sock.sendall(REQUEST * 3 + REQUEST[:30])
        sock.sendall(REQUEST[30:])
        assert receive(sock, 4 * len(ANSWER)) == ANSWER * 4 and pair.instance.got == REQUEST * 4 * n
    pair.mode("507")
    sock.sendall(REQUEST * 2)
    assert receive(sock, 290).count(b"HTTP/1.1 507 ") == 2
    pair.mode("swallow")
    sock.sendall(REQUEST * 2)
    assert receive(sock, 1) == b"" and pair.instance.got == REQUEST * 10


@pytest.mark.parametrize("status", ["500", "503", "507"])
def test_answers_an_error_and_keeps_the_connection(pair, status):
    sock = pair.connect()
    for mode, wanted in ((status, f"HTTP/1.1 {status} ".encode()), ("pass", ANSWER)):
        pair.mode(mode)
        sock.sendall(REQUEST)
        assert sock.recv(4096).startswith(wanted)
    assert pair.instance.got == REQUEST


@pytest.mark.parametrize("mode, passed_on", [("close", b""), ("swallow", REQUEST)])
def test_closes_without_an_answer(pair, mode, passed_on):
    pair.mode(mode)
    sock = pair.connect()
    sock.sendall(REQUEST)
    assert sock.recv(4096) == b"" and pair.instance.got == passed_on


def test_hangs(pair):
    pair.mode("hang")
    sock = pair.connect()
    sock.settimeout(0.3)
    sock.sendall(REQUEST)
    with pytest.raises(TimeoutError):
        sock.recv(4096)
    assert pair.instance.got == b""


def test_is_away_where_the_instance_is(pair):
    sock = pair.connect()
    sock.sendall(REQUEST)
    assert sock.recv(4096) == ANSWER
    pair.instance.close()
    assert sock.recv(4096) == b""
    end = time.monotonic() + 3
    while (other := pair.connect()) and time.monotonic() < end:
        other.close()
        time.sleep(0.01)
    assert other is None
