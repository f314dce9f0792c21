"""A FastCGI 1.0 client, responder role: one request a connection over a Unix socket."""
import socket
import struct

_BEGIN, _END, _PARAMS, _STDIN, _STDOUT, _STDERR = 1, 3, 4, 5, 6, 7
_RESPONDER = 1


class Broken(Exception):
    """The worker hung up, or did not speak FastCGI."""


def _length(n):
    return bytes([n]) if n < 128 else struct.pack("!I", n | 0x80000000)


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _pairs(params):
    out = bytearray()
    for name, value in params.items():
        name, value = _bytes(name), _bytes(value)
        out += _length(len(name)) + _length(len(value)) + name + value
    return bytes(out)


def _records(kind, content):
    """The stream's records, with the empty one that ends it."""
    for at in range(0, len(content), 65528):
        piece = content[at:at + 65528]
        yield struct.pack("!BBHHBB", 1, kind, 1, len(piece), 0, 0) + piece
    yield struct.pack("!BBHHBB", 1, kind, 1, 0, 0, 0)


def _exactly(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise Broken(f"connection closed with {n - len(data)} bytes of a record missing")
        data += piece
    return data


def request(path, params, body=b"", timeout=60.0, pause=None):
    """Sends one request to the socket at path; gives (standard output, standard error, application status). pause is called before each record of
    the body."""
    with socket.socket(socket.AF_UNIX) as conn:
        conn.settimeout(timeout)
        conn.connect(str(path))
        try:
            conn.sendall(struct.pack("!BBHHBB", 1, _BEGIN, 1, 8, 0, 0) + struct.pack("!HB5x", _RESPONDER, 0)
                         + b"".join(_records(_PARAMS, _pairs(params))))
            for record in _records(_STDIN, body):
                if pause:
                    pause()
                conn.sendall(record)
        except BrokenPipeError:
            pass    # a worker may refuse a body without reading it all; its answer is there to read
        streams = {_STDOUT: b"", _STDERR: b""}
        while True:
            _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", _exactly(conn, 8))
            content = _exactly(conn, length + padding)[:length]
            if kind == _END:
                status, protocol = struct.unpack("!IB3x", content)
                if protocol != 0:
                    raise Broken(f"protocol status {protocol}")
                return streams[_STDOUT], streams[_STDERR], status
            if kind in streams:
                streams[kind] += content
