"""Clients and servers that misbehave on purpose, to see what nginx makes of them."""
import contextlib
import datetime
import pathlib
import socket
import ssl
import struct
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .http import Response
from .mariadb import write_private


def head(target, token=None, method="GET", **headers):
    """The bytes of a request's header."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"] + ([f"Authorization: Bearer {token.token}"] if token else [])
    return "\r\n".join(lines + [f"{n.replace('_', '-')}: {v}" for n, v in headers.items()]).encode() + b"\r\n\r\n"


def upgrade_head(target, token, **headers):
    return head(target, token, Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version="13", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", **headers)


def heard(conn, seconds):
    """What comes within that time; ends with the connection. (bytes, whether it ended)."""
    data, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        conn.settimeout(left)
        try:
            piece = conn.recv(65536)
        except TimeoutError:
            break
        except ConnectionResetError:
            return data, True
        if not piece:
            return data, True
        data += piece
    return data, False


def status(data):
    """The status of the answer that begins the bytes; None where there is none."""
    return int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/") else None


def answered(conn):
    """The status of the answer that comes, however long that takes."""
    data = b""
    while b"\r\n" not in data and (piece := conn.recv(65536)):
        data += piece
    return status(data)


def asked(stack, raw, seconds=2.5):
    """(status, whether the connection ended) after so long at most, for a client that sends that and no more."""
    with stack.call.socket() as conn:
        conn.sendall(raw)
        data, ended = b"", False
        end = time.monotonic() + seconds
        while not data and not ended and time.monotonic() < end:
            data, ended = heard(conn, 0.05)
        if not ended and not data:
            return None, False
        return status(data), ended


@contextlib.contextmanager
def held(stack, *requests):
    """Connections on which these bytes were sent, open meanwhile; a moment later, when nginx has them."""
    with contextlib.ExitStack() as all_of_them:
        opened = []
        for raw in requests:
            conn = all_of_them.enter_context(stack.call.socket())
            conn.sendall(raw)
            opened.append(conn)
        time.sleep(0.2)
        yield opened


class Deaf:
    """A server on a Unix socket that takes connections, and neither reads nor answers."""

    def __init__(self, path):
        self.path = str(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(512)

    def close(self):
        self.listener.close()


class Full:
    """A TCP port that takes no more connections, and refuses none: whoever connects waits."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = []
        for _ in range(4):
            conn = socket.socket()
            conn.setblocking(False)
            conn.connect_ex(("127.0.0.1", self.port))
            self.waiting.append(conn)

    def close(self):
        for conn in [*self.waiting, self.listener]:
            conn.close()


class Talkative:
    """A FastCGI worker that answers each request with size bytes. sent: how many answers it got rid of."""

    def __init__(self, path, size):
        self.path, self.size, self.sent = str(path), size, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=(self.listener.accept()[0],), daemon=True).start()

    def _answer(self, conn):
        def record(kind, data):
            return struct.pack(">BBHHBB", 1, kind, 1, len(data), 0, 0) + data
        with contextlib.suppress(OSError), conn:
            conn.recv(65536)
            conn.sendall(record(6, b"Content-Type: text/csv\r\n\r\n"))
            for _ in range(self.size // 32768):
                conn.sendall(record(6, b"x" * 32768))
            conn.sendall(record(6, b"") + record(3, b"\0" * 8))
            self.sent += 1

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def free_port6():
    """A port of ::1 on which nobody listens; None where there is no IPv6."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            return listener.getsockname()[1]
    except OSError:
        return None


def unix(path):
    """A connection to a Unix socket."""
    conn = socket.socket(socket.AF_UNIX)
    conn.settimeout(60)
    conn.connect(str(path))
    return conn


def tls(path, version=None, protocols=("http/1.1",), session=None, ciphers="ALL:@SECLEVEL=0"):
    """A TLS connection over the Unix socket; the certificate is not judged. version: the only one that the client speaks. session: (context, session)
    of an earlier connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.set_alpn_protocols(list(protocols))
    if version:
        context.minimum_version = context.maximum_version = version
    if session:
        context = session[0]
    conn = unix(path)
    try:
        return context.wrap_socket(conn, server_hostname="localhost", session=session and session[1])
    except OSError:
        conn.close()
        raise


def exchange(conn, raw):
    """The Response to a request with "Connection: close" on a connection."""
    conn.sendall(raw)
    data, _ = heard(conn, 60)
    top, _, body = data.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    return Response(int(lines[0].split()[1]), [tuple(line.split(": ", 1)) for line in lines[1:]], body)


def certificate(folder):
    """A certificate for localhost that nobody has signed, where tls.conf looks for one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    write_private(folder / "privkey.pem", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
