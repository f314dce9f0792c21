#!/usr/bin/python3
"""inside.py - a client of the service, run on the machine that is tested: with what Debian's python3 and python3-websockets have.
    inside.py walk        registers, opens a shop, orders, hears of it, takes a photo; prints one JSON object
    inside.py load        orders until a line comes in, with a WebSocket open all the time; prints one JSON object"""
import asyncio
import base64
import http.client
import json
import os
import sys
import threading
import time

import websockets

HOST = "127.0.0.1"
# The smallest PNG there is, of one pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class Refused(Exception):
    pass


def ask(method, path, body=None, token=None, kind="application/json", expected=(200, 201), connection=None):
    c = connection or http.client.HTTPConnection(HOST, timeout=30)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = kind
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    c.request(method, path, body, headers)
    answer = c.getresponse()
    content = answer.read()
    if answer.status not in expected:
        raise Refused(f"{method} {path}: {answer.status} {content[:300]!r}")
    return json.loads(content) if "json" in answer.getheader("Content-Type", "") else content


def person(role):
    phone = f"+9198{int.from_bytes(os.urandom(4), 'big') % 10**8:08d}"
    ask("POST", "/api/v1/auth/register", {"full_name": role, "phone_number": phone, "password": "walk-through-1", "role": role})
    return ask("POST", "/api/v1/auth/login", {"phone_number": phone, "password": "walk-through-1"})["access_token"]


def open_shop():
    keeper, customer = person("shopkeeper"), person("customer")
    shop = ask("POST", "/api/v1/shops/", {"name": "Corner Store", "timezone": "Asia/Kolkata", "currency": "INR"}, keeper)["id"]
    product = ask("POST", f"/api/v1/shops/{shop}/products", {"name": "Rice", "price": 60, "stock": 10**6, "unit": "kg"}, keeper)["id"]
    return keeper, customer, shop, product


def order(customer, shop, product, **more):
    return ask("POST", "/api/v1/orders/", {"shop_id": shop, "order_type": "instant", "items": [{"product_id": product, "quantity": 1}]}, customer,
               **more)


async def walk():
    keeper, customer, shop, product = open_shop()
    async with websockets.connect(f"ws://{HOST}/ws/shop/{shop}?token={keeper}") as socket:
        placed = await asyncio.to_thread(order, customer, shop, product)
        heard = json.loads(await asyncio.wait_for(socket.recv(), 10))
    assert heard["type"] == "new_order" and heard["order_id"] == placed["id"], heard
    photo = ask("POST", "/api/v1/uploads/", PNG, customer, "image/png")["list_image_url"]
    picture = ask("GET", photo if photo.startswith("/") else "/" + photo.split("/", 3)[3], token=customer)
    assert picture.startswith(b"\x89PNG"), picture[:20]
    assert b"<html" in ask("GET", "/order/")
    return {"order": placed["id"], "message": heard["type"]}


class Load:
    """Clients that order and look, each over one connection, and one that listens."""
    def __init__(self):
        self.keeper, self.customer, self.shop, self.product = open_shop()
        self.is_over = False
        self.placed, self.answers, self.failures, self.slowest = [], 0, [], 0.0

    def client(self):
        connection = None
        while not self.is_over:
            begun = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection(HOST, timeout=30)
                self.placed.append(order(self.customer, self.shop, self.product, connection=connection)["id"])
                ask("GET", f"/api/v1/orders/{self.placed[-1]}", token=self.customer, connection=connection)
                self.answers += 2
            except Exception as e:  # whatever went wrong is what is counted
                self.failures.append(f"{time.monotonic() - begun:.3f} s: {e!r}")
                connection = None
                time.sleep(0.05)
            self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(0.01)

    async def listen(self):
        heard, closed = set(), 0
        async with websockets.connect(f"ws://{HOST}/ws/shop/{self.shop}?token={self.keeper}") as socket:
            print("ready", flush=True)
            quiet_since = None
            while quiet_since is None or time.monotonic() < quiet_since + 3:
                try:
                    message = json.loads(await asyncio.wait_for(socket.recv(), 0.5))
                    heard.add(message["order_id"])
                except asyncio.TimeoutError:
                    pass
                except websockets.ConnectionClosed:
                    closed += 1
                    break
                if self.is_over and quiet_since is None:
                    quiet_since = time.monotonic()
        return heard, closed

    def run(self):
        clients = [threading.Thread(target=self.client) for _ in range(4)]
        listener = threading.Thread(target=lambda: setattr(self, "outcome", asyncio.run(self.listen())))
        listener.start()
        time.sleep(0.5)
        for c in clients:
            c.start()
        sys.stdin.readline()
        self.is_over = True
        for thread in (*clients, listener):
            thread.join()
        heard, closed = self.outcome
        return {"placed": len(self.placed), "answers": self.answers, "failures": self.failures[:5], "failed": len(self.failures),
                "unheard": len(set(self.placed) - heard), "closed": closed, "slowest_s": round(self.slowest, 3)}


if __name__ == "__main__":
    result = asyncio.run(walk()) if sys.argv[1] == "walk" else Load().run()
    print(json.dumps(result), flush=True)
