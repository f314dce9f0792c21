"""The same program as plain CGI: one request, one process."""
import subprocess
import types

import pytest

from lib import check, http, photos
from lib.api import clean_environment


class CgiClient(http.Client):
    def __init__(self, api):
        self.api = api

    def send(self, method, target, headers, body):
        environment = {**clean_environment(), **http.cgi_params(method, target, headers, body), **self.api.settings}
        done = subprocess.run([self.api.binary, "serve"], env=environment, input=body, capture_output=True, timeout=120)
        assert done.returncode == 0, done
        return http.Response.from_cgi(done.stdout)


@pytest.fixture(scope="module")
def cgi(api):
    return CgiClient(api)


def test_an_order_by_cgi(cgi, api, world):
    body = {"shop_id": world.shop.id, "items": [{"product_id": world.shop.products[0].id, "quantity": 2}]}
    order = check.created(cgi("POST", "/api/v1/orders/", world.customer, json=body))
    path = f"/api/v1/orders/{order['id']}"
    assert check.ok(cgi("GET", path, world.customer)) == order == api.read(world.keeper, order)
    after = check.ok(cgi("PATCH", path, world.keeper, json={"status": "confirmed", "estimated_preparation_minutes": 20}))
    assert (after["status"], after["version"]) == ("confirmed", 2)
    assert [o["id"] for o in check.ok(cgi("GET", f"/api/v1/orders/shop/{world.shop.id}?status=confirmed&limit=1", world.keeper))] == [order["id"]]


def test_errors_by_cgi(cgi, world):
    check.problem(cgi("GET", "/api/v1/orders/me"), 401, "unauthorized")
    check.problem(cgi("GET", "/nothing", world.customer), 404, "not_found")
    check.problem(cgi("DELETE", "/api/v1/orders/me", world.customer), 405, "method_not_allowed")
    check.problem(cgi("POST", "/api/v1/orders", world.customer, body=b"{"), 400, "malformed_json")
    check.problem(cgi("POST", "/api/v1/orders", world.customer, body=b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")


def test_a_photo_by_cgi(api):
    """No nginx is there to be told of a file."""
    client, customer = CgiClient(types.SimpleNamespace(binary=api.binary, settings={**api.settings, "PICKUP_UPLOAD_ACCEL": ""})), api.tools.user()
    photo = photos.png(300, 300, pixels=bytes(range(256)) * 1055 + bytes(220))
    url = check.ok(client("POST", photos.URL, customer, body=photo), 201)["list_image_url"]
    answer = client("GET", url, customer)
    assert (answer.status, answer.body, answer.header("Content-Type")) == (200, photo, "image/png")
    check.problem(client("GET", url, api.tools.user()), 404, "not_found")


def test_health_by_cgi(cgi):
    assert cgi("GET", "/healthz").status == 200


def test_one_request_from_the_shell(api, world):
    """pickup request METHOD TARGET prints the answer."""
    out = api.tools.run("request", "GET", f"/api/v1/shops/{world.shop.id}")
    assert world.shop.name in out
