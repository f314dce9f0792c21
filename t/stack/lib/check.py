"""What every answer of a kind must look like, in one place."""
import datetime
import re

from . import proc

ORDER = ["id", "shop_id", "customer_id", "customer_name", "order_type", "status", "scheduled_pickup_time",
         "estimated_preparation_minutes", "total_amount", "order_notes", "list_image_url", "has_chitty", "item_count",
         "items", "version", "created_at", "updated_at", "accept_by", "cancelled_by", "cancel_reason"]
ITEM = ["id", "product_id", "product_name", "quantity", "price_at_time_of_order", "special_instructions"]
NEW_ORDER = ["type", "order_id", "customer_name", "order_type", "scheduled_pickup_time", "total_amount", "item_count",
             "has_chitty"]
PICKUP_READY = ["type", "order_id", "shop_id", "status", "estimated_preparation_minutes", "message"]
ORDER_UPDATE = ["type", "order_id", "shop_id", "status", "total_amount", "estimated_preparation_minutes", "updated_at"]

STATUSES = ["pending", "confirmed", "preparing", "ready", "picked_up", "cancelled"]
MAY_GO = {
    "pending": ["confirmed", "cancelled"],
    "confirmed": ["preparing", "ready", "cancelled"],
    "preparing": ["ready", "cancelled"],
    "ready": ["picked_up", "cancelled"],
    "picked_up": [],
    "cancelled": [],
}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_MONEY = re.compile(rb'"(?:total_amount|price_at_time_of_order|price)"\s*:\s*([^,}\]\s]+)')
_LEAK = re.compile(r"\bselect\b.{1,200}\bfrom\b|insert into|update \w+ set|mysql|mariadb|innodb|sqlstate|errno"
                   r"|duplicate entry|/tmp/|/usr/|/run/|/var/|/home/|/etc/|\.[ch]:\d|segfault|0x[0-9a-f]{6}", re.I | re.S)


def ok(response, status=200):
    """A JSON answer with that status; gives its value."""
    assert response.status == status, response
    assert response.media_type == "application/json", response
    money_text(response.body)
    return response.json()


def money_text(raw):
    """Money as it stands in the bytes: plain decimal, at most two places."""
    for amount in _MONEY.findall(raw):
        assert amount == b"null" or re.fullmatch(rb"(0|[1-9]\d*)(\.\d{1,2})?", amount), amount


def problem(response, status, code):
    """An RFC 9457 answer; gives its object."""
    assert response.status == status, response
    assert response.media_type == "application/problem+json", response
    value = response.json()
    assert value["status"] == status and value["code"] == code, value
    for member in ("type", "title", "detail"):
        assert isinstance(value[member], str) and value[member], value
    no_leak(response)
    if status == 401:
        assert (response.header("WWW-Authenticate") or "").startswith("Bearer"), response
    if status == 405:
        assert response.header("Allow"), response
    if status in (429, 503):
        assert re.fullmatch(r"\d+", response.header("Retry-After") or ""), response
    return value


def heeded(ask):
    """The answer, when it was waited for as Retry-After says: a database connection that breaks off after a while passes for a database that hangs, which
    is left alone for a moment."""
    return proc.wait_for(lambda: (answer := ask()).status != 503 and answer, 10, "the database to be asked again", pause=0.1)


def no_leak(response):
    found = _LEAK.search(response.body.decode("utf-8"))
    assert not found, (found, response)


def faults(response):
    """The fields of a validation error, sorted; each with a message."""
    errors = problem(response, 422, "validation_failed")["errors"]
    assert errors, response
    for fault in errors:
        assert set(fault) == {"field", "message"} and isinstance(fault["message"], str) and fault["message"], fault
    return sorted(fault["field"] for fault in errors)


def time(text):
    """A time as answers have it: whole seconds with an offset; gives the datetime."""
    assert _TIME.fullmatch(text), text
    return datetime.datetime.fromisoformat(text)


def order(value):
    """The order object's form; gives it back."""
    assert list(value) == ORDER, list(value)
    assert isinstance(value["items"], list) and value["item_count"] == len(value["items"])
    for item in value["items"]:
        assert list(item) == ITEM, list(item)
    assert value["has_chitty"] is (value["list_image_url"] is not None)
    assert value["status"] in STATUSES and value["order_type"] in ("instant", "pre_order")
    time(value["created_at"])
    time(value["updated_at"])
    return value


def created(response):
    """A placed order with its headers; gives the order."""
    value = order(ok(response, 201))
    assert response.header("Location") == f"/api/v1/orders/{value['id']}", response
    assert re.fullmatch(r'(W/)?"[^"]+"', response.header("ETag") or ""), response
    return value
