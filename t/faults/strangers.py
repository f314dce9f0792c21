"""Clients that don't behave: leave half-way, or never read. Used by faults.py.

Owns: their connections. Does not own: what must come of what they asked for (checker.py)."""
import json
import threading
import time

from history import Attempt
from load import body_of

DEAF_AT_ONCE = 12


def head_of(method, target, user, fields):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {user.token}"] + [f"{n}: {v}" for n, v in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Strangers:
    """Clients that leave half-way, or wait and never read. What they asked for stands among the placements."""

    def __init__(self, customer, call):
        self.customer, self.call, self.lock, self.held, self.deaf = customer, call, threading.Lock(), [], []

    def come(self, rng):
        with self.lock:
            p = self.customer.new(key_chance=0)
        how = rng.choice(["half the body", "whole, then gone", "whole, never read"])
        p.is_cut = how == "half the body"
        body = json.dumps(body_of(p)).encode()
        head = head_of("POST", "/api/v1/orders/", self.customer.user, {"Content-Type": "application/json", "Content-Length": len(body)})
        began = time.monotonic()
        try:
            sock = self.call.socket()
            sock.sendall(head + (body[:len(body) // 2] if p.is_cut else body))
        except OSError as e:
            p.attempts.append(Attempt(began, time.monotonic(), None, repr(e), is_left=True))
            return False
        p.attempts.append(Attempt(began, time.monotonic(), None, how, is_left=True))
        if how == "whole, never read":
            self.held.append(sock)
        else:
            sock.close()
        return True

    def subscribe_deaf(self, kind, channel, user):
        """Opens a WebSocket and reads nothing after the status line. The oldest of them goes when there are many. False: not let in."""
        fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        try:
            sock = self.call.socket()
            sock.sendall(head_of("GET", f"/ws/{kind}/{channel}", user, fields))
            if sock.recv(12) != b"HTTP/1.1 101":
                sock.close()
                return False
        except OSError:
            return False
        self.deaf.append(sock)
        if len(self.deaf) > DEAF_AT_ONCE:
            self.deaf.pop(0).close()
        return True

    def leave(self):
        for sock in self.held + self.deaf:
            sock.close()
