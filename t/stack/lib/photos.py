"""Photos to upload, made without a library for pictures, and where those are that were uploaded."""
import os
import pathlib
import struct
import zlib

_CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus" / "image"


def seed(name):
    """One of t/corpus/image."""
    return (_CORPUS / name).read_bytes()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=16, height=8, *more, pixels=None):
    """An RGB picture; more: (type, data) of chunks before its pixels. pixels: instead of black ones, as they are."""
    rows = (b"\0" + b"\0" * 3 * width) * height if pixels is None else pixels
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(_chunk(*m) for m in more)
            + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b""))


def padded(photo, size):
    """The photo with something behind its end, size bytes in all."""
    return photo + b"\0" * (size - len(photo))


JPEG, PNG, WEBP = seed("jpeg"), seed("png"), seed("webp")

URL = "/api/v1/uploads/"


def folder(api):
    return api.settings["PICKUP_UPLOAD_DIR"]


def files(api):
    """Every file of the folder, by path below it."""
    return sorted(os.path.relpath(f"{base}/{name}", folder(api)) for base, _, names in os.walk(folder(api)) for name in names)


def path_of(api, url):
    name = url.removeprefix(URL)
    return f"{folder(api)}/{name[:2]}/{name}"


def read(api, who, url, accel=""):
    """What the worker itself sends."""
    return api.client(PICKUP_UPLOAD_ACCEL=accel)("GET", url, who)
