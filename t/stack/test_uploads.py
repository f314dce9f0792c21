"""Photos of shopping lists: what is taken, what is kept of it, who may see it, and the order that it is for."""
import io
import os

import pytest

from lib import check, photos
from lib.photos import URL, files, path_of, read
from lib.together import together

case = pytest.param


# --- what is taken

@pytest.mark.parametrize("photo, suffix, kind", [
    case(photos.JPEG, "jpg", "image/jpeg", id="jpeg"), case(photos.PNG, "png", "image/png", id="png"), case(photos.WEBP, "webp", "image/webp", id="webp"),
])
def test_a_photo(api, photo, suffix, kind):
    customer = api.tools.user()
    for claimed in ("image/jpeg", "application/octet-stream", "text/html", None):
        answer = api.upload(customer, photo, {"Content-Type": claimed})
        url = check.ok(answer, 201)["list_image_url"]
        name = url.removeprefix(URL)
        assert answer.header("Location") == url and name == url.rpartition("/")[2]
        digits, _, end = name.partition(".")
        assert len(digits) == 32 and not set(digits) - set("0123456789abcdef") and end == suffix
        got = read(api, customer, url)
        assert (got.status, got.header("Content-Type"), got.header("X-Content-Type-Options")) == (200, kind, "nosniff")
        assert "sandbox" in got.header("Content-Security-Policy") and "private" in got.header("Cache-Control")
        assert os.stat(path_of(api, url)).st_mode & 0o007 == 0
    assert api.db.sql(f"SELECT COUNT(DISTINCT name), MIN(bytes), MAX(order_id) FROM uploads WHERE customer_id = {customer.id}") == [
        ["4", str(len(got.body)), "NULL"]]


def test_what_else_was_in_it_is_gone(api):
    customer = api.tools.user()
    hidden = b"<script>alert('here is 12.97N 77.59E')</script>"
    for photo in (photos.seed("jpeg_exif") + b"PK\3\4" + hidden, photos.png(9, 9, (b"tEXt", b"Comment\0" + hidden), (b"eXIf", b"MM\0*\0\0\0\x08\0\0" + hidden)) + hidden):
        got = read(api, customer, api.photo(customer, photo)).body
        assert b"alert" not in got and b"Maker" not in got and hidden not in got and len(got) < len(photo)
        again = api.photo(customer, got)
        assert read(api, customer, again).body == got


@pytest.mark.parametrize("body", [
    case(b"", id="nothing"), case(b"GIF89a" + b"\0" * 50, id="gif"), case(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"), case(b"%PDF-1.7", id="pdf"),
    case(b"PK\3\4", id="zip"), case(b"{}", id="json"), case(b"\0" * 5000, id="zeros"), case(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", id="heic"),
])
def test_what_is_no_photo(api, world, body):
    before = files(api)
    answer = api.upload(world.customer, body)
    check.problem(answer, 415, "unsupported_media_type")
    assert files(api) == before


@pytest.mark.parametrize("body", [
    case(photos.JPEG[:-1], id="jpeg cut short"), case(photos.JPEG[:20], id="jpeg's beginning"), case(photos.PNG[:-3], id="png cut short"),
    case(photos.PNG.replace(b"IDAT", b"IDBT"), id="png with a wrong check sum"), case(photos.WEBP[:-2], id="webp cut short"),
    case(photos.png(100000, 100000, pixels=b""), id="png bomb"), case(photos.JPEG.replace(b"\x08\x00\x10\x00\x18", b"\x08\xff\xff\xff\xff"), id="jpeg bomb"),
])
def test_what_is_broken_or_a_bomb(api, world, body):
    before = files(api)
    assert check.faults(api.upload(world.customer, body)) == ["body"]
    assert files(api) == before


def test_sizes(api):
    customer, client = api.tools.user(), api.client(PICKUP_UPLOAD_MAX="65536")
    before = files(api)
    for size, status in ((65536, 201), (65537, 413), (3_000_000, 413)):
        answer = client("POST", URL, customer, body=photos.padded(photos.JPEG, size))
        assert answer.status == status, answer
        if status == 413:
            check.problem(answer, 413, "body_too_large")
    assert len(files(api)) == len(before) + 1
    large = photos.png(1500, 1500, pixels=os.urandom(1500 * 4501))
    assert len(large) > 6_000_000
    assert read(api, customer, api.photo(customer, large)).body == large


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "99999999999999999999"])
def test_lengths_that_are_none(api, world, length):
    answer = api.upload(world.customer, photos.JPEG, {"Content-Length": length})
    check.problem(answer, 400, "malformed_request")


def test_a_body_that_ends_early(api, world):
    before = files(api)
    check.problem(api.upload(world.customer, photos.JPEG, {"Content-Length": str(len(photos.JPEG) + 1)}), 400, "malformed_request")
    assert files(api) == before


def test_a_compressed_body(api, world):
    answer = api.upload(world.customer, photos.JPEG, {"Content-Encoding": "gzip"})
    check.problem(answer, 415, "unsupported_media_type")
    assert answer.header("Accept-Encoding") == "identity"


def test_who_may_upload(api, world):
    check.problem(api.upload(None), 401, "unauthorized")
    check.problem(api.upload("x.y.z"), 401, "unauthorized")
    check.problem(api.upload(world.keeper), 403, "forbidden")
    nobody = api.tools.token(999999999, "customer")
    before = files(api)
    check.problem(api.upload(nobody), 401, "unauthorized")
    away = api.tools.user()
    api.tools.change(away, active="no")
    check.problem(api.upload(away), 401, "unauthorized")
    assert files(api) == before


def test_methods(api, world):
    for method, target in (("GET", URL), ("PUT", URL), ("DELETE", URL + "0" * 32 + ".jpg"), ("POST", URL + "0" * 32 + ".jpg")):
        check.problem(api.call(method, target, world.customer), 405, "method_not_allowed")


# --- how many

def test_how_many_may_wait(api):
    shop, customer, client = api.tools.shop(), api.tools.user(), api.client(PICKUP_UPLOADS_WAITING="3")

    def upload():
        return client("POST", URL, customer, body=photos.PNG)

    urls = [check.ok(upload(), 201)["list_image_url"] for _ in range(3)]
    answer = upload()
    check.problem(answer, 429, "rate_limited")
    assert 86000 < int(answer.header("Retry-After")) < 87000
    api.place(customer, shop, list_image_url=urls[0])
    check.ok(upload(), 201)
    check.problem(upload(), 429, "rate_limited")
    check.ok(client("POST", URL, api.tools.user(), body=photos.PNG), 201)


def test_many_at_once_are_not_more(api):
    """Every worker counts before it looks at a body, and again when the photo is to stay."""
    customer, client = api.tools.user(), api.client(PICKUP_UPLOADS_WAITING="3")
    before = files(api)
    answers = together([lambda: client("POST", URL, customer, body=photos.PNG)] * 12)
    assert sorted(a.status for a in answers) == [201] * 3 + [429] * 9
    assert len(files(api)) == len(before) + 3


# --- who sees it

def test_who_may_see_it(api):
    shop, other, customer, stranger = api.tools.shop(), api.tools.shop(), api.tools.user(), api.tools.user()
    url = api.photo(customer)
    for who in (shop.keeper, other.keeper, stranger):
        check.problem(read(api, who, url), 404, "not_found")
    assert read(api, customer, url).status == 200
    api.place(customer, shop, list_image_url=url)
    helper = api.tools.user()
    check.ok(api.call("POST", f"/api/v1/shops/{shop.id}/staff", shop.keeper, json={"user_id": helper.id}), 201)
    for who in (customer, shop.keeper, helper):
        got = read(api, who, url)
        assert got.status == 200 and len(got.body) > 100
        head = api.client(PICKUP_UPLOAD_ACCEL="")("HEAD", url, who)
        assert (head.status, head.body, head.header("Content-Length")) == (200, b"", str(len(got.body)))
    for who in (other.keeper, stranger):
        check.problem(read(api, who, url), 404, "not_found")
    check.problem(read(api, None, url), 401, "unauthorized")
    check.problem(api.call("GET", f"{url}?token={customer.token}"), 401, "unauthorized")


@pytest.mark.parametrize("name", ["0" * 32 + ".jpg", "0" * 32 + ".exe", "0" * 31 + ".jpg", case("x" * 5000, id="a long one"), "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e/tmp", "tmp",
                                  "0" * 32 + ".jpg%00", "0" * 32 + "%00.jpg", ".", "%2f", "a%0d%0aX-Evil:1", "A" * 32 + ".jpg"])
def test_names_that_are_none(api, world, name):
    for accel in ("", "/_uploads/"):
        check.problem(read(api, world.customer, URL + name, accel), 404, "not_found")


def test_capitals_are_no_name(api):
    customer = api.tools.user()
    url = api.photo(customer)
    for wrong in (URL + url.removeprefix(URL).upper(), url[:-4] + ".JPG", url[:-4] + ".png", url + "/x"):
        check.problem(read(api, customer, wrong), 404, "not_found")
    assert read(api, customer, url + "/").status == 200


def test_nginx_is_told_which_file(api):
    customer = api.tools.user()
    url = api.photo(customer)
    name = url.removeprefix(URL)
    answer = api.call("GET", url, customer)
    assert (answer.status, answer.body, answer.header("X-Accel-Redirect")) == (200, b"", f"/_uploads/{name[:2]}/{name}")
    assert answer.header("Content-Type") == "image/jpeg"


def test_a_file_that_is_lost(api):
    customer = api.tools.user()
    url = api.photo(customer)
    os.unlink(path_of(api, url))
    check.problem(read(api, customer, url), 404, "not_found")


# --- the order that it is for

def test_an_order_of_a_photo_alone(api):
    shop, customer = api.tools.shop(("60.00", 5)), api.tools.user()
    url = api.photo(customer)
    order = check.created(api.call("POST", "/api/v1/orders/", customer, json={"shop_id": shop.id, "list_image_url": url}))
    assert (order["list_image_url"], order["has_chitty"], order["items"], order["total_amount"]) == (url, True, [], 0)
    assert api.wait_events(shop.keeper, "shop", shop.id, 1)[0]["message"]["has_chitty"] is True
    assert api.db.sql(f"SELECT order_id FROM uploads WHERE name = '{url.removeprefix(URL)}'") == [[str(order["id"])]]


@pytest.mark.parametrize("items", [0, 1, 16, 17, 100])
def test_its_lines_and_message_are_its_own(api, items):
    """What is written behind the photo's row goes by the order's id."""
    shop, customer = api.tools.shop(*[("1.00", None)] * 3), api.tools.user()
    lines = [(shop.products[n % 3], 1 + n % 9) for n in range(items)]
    for _ in range(2):
        order = api.place_chitty(customer, shop, lines)
        assert len(order["items"]) == items and api.read(shop.keeper, order) == order
        assert [row[0] for row in api.db.sql(f"SELECT order_id FROM order_items WHERE order_id = {order['id']}")] == [str(order["id"])] * items
    found = api.wait_events(shop.keeper, "shop", shop.id, 2)
    assert found[-1]["message"]["order_id"] == order["id"]


@pytest.mark.parametrize("url", ["/x", "x", URL, URL + "x.jpg", "0" * 32 + ".jpg", "http://localhost" + URL + "0" * 32 + ".jpg", URL + "A" * 32 + ".jpg",
                                 URL + "../" + "0" * 32 + ".jpg", URL + "0" * 32 + ".jpg?x", "//evil.example" + URL + "0" * 32 + ".png"])
def test_addresses_that_are_none(api, world, url):
    answer = api.call("POST", "/api/v1/orders/", world.customer, json={"shop_id": world.shop.id, "list_image_url": url, "order_type": "pre_order"})
    assert check.faults(answer) == ["list_image_url", "scheduled_pickup_time"]


def test_photos_that_are_not_to_be_had(api):
    shop, customer, other = api.tools.shop(("60.00", 7)), api.tools.user(), api.tools.user()
    mine, used, theirs = api.photo(customer), api.photo(customer), api.photo(other)
    api.place(customer, shop, list_image_url=used)
    for url in (used, theirs, URL + "0" * 32 + ".jpg"):
        assert check.faults(api.post(customer, shop, list_image_url=url)) == ["list_image_url"]
    assert api.stock(shop, shop.products[0]) == 6
    api.place(customer, shop, list_image_url=mine)
    api.place(other, shop, list_image_url=theirs)
    assert api.last_seq(shop.keeper, "shop", shop.id) <= 3 and len(api.wait_events(shop.keeper, "shop", shop.id, 3)) == 3


def test_what_was_refused_leaves_the_photo_free(api):
    shop, customer = api.tools.shop(("60.00", 1)), api.tools.user()
    url = api.photo(customer)
    check.problem(api.post(customer, shop, [(shop.products[0], 2)], list_image_url=url), 409, "out_of_stock")
    assert check.faults(api.call("POST", "/api/v1/orders/", customer, json={
        "shop_id": shop.id, "list_image_url": url, "items": [{"product_id": 999999999, "quantity": 1}]})) == ["items[0].product_id"]
    api.place(customer, shop, list_image_url=url)


def test_two_orders_at_once_with_one_photo(api):
    shop, customer = api.tools.shop(("60.00", 1000)), api.tools.user()
    for n in range(5):
        url = api.photo(customer)
        answers = together([lambda url=url: api.post(customer, shop, list_image_url=url)] * 6)
        assert sorted(a.status for a in answers) == [201] + [422] * 5
        assert {tuple(check.faults(a)) for a in answers if a.status == 422} == {("list_image_url",)}
        assert api.stock(shop, shop.products[0]) == 1000 - (n + 1)


def test_a_retry_gives_the_first_answer(api):
    shop, customer = api.tools.shop(("60.00", 5)), api.tools.user()
    url, key = api.photo(customer), {"Idempotency-Key": "one"}
    first = api.post(customer, shop, headers=key, list_image_url=url)
    check.created(first)
    for _ in range(2):
        again = api.post(customer, shop, headers=key, list_image_url=url)
        assert (again.status, again.body, again.header("Idempotent-Replayed")) == (201, first.body, "true")
    assert check.faults(api.post(customer, shop, headers={"Idempotency-Key": "two"}, list_image_url=url)) == ["list_image_url"]
    check.problem(api.post(customer, shop, headers=key, list_image_url=api.photo(customer)), 422, "idempotency_key_reused")
    assert api.stock(shop, shop.products[0]) == 4


def test_retries_at_once_are_one_order(api):
    shop, customer = api.tools.shop(("60.00", 1000)), api.tools.user()
    for n in range(5):
        url, key = api.photo(customer), {"Idempotency-Key": f"key-{n}"}
        answers = together([lambda url=url, key=key: api.post(customer, shop, headers=key, list_image_url=url)] * 5)
        assert {(a.status, a.body) for a in answers} == {(201, answers[0].body)}
        assert sum(a.header("Idempotent-Replayed") is None for a in answers) == 1
        assert api.stock(shop, shop.products[0]) == 1000 - (n + 1)


# --- real decoders

def pictures():
    """(name, bytes) as cameras, phones and programs make them."""
    from PIL import Image, PngImagePlugin
    base = Image.effect_noise((123, 77), 90).convert("RGB")
    base.paste((200, 30, 40), (10, 10, 60, 50))
    alpha = base.convert("RGBA")
    alpha.putalpha(base.convert("L"))
    exif = Image.Exif()
    exif[274], exif[271], exif[0x8825] = 6, "Maker", {1: "N", 2: (12.0, 58.0, 1.0)}
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Maker")
    for kind, image, options in (
            ("JPEG", base, {"exif": exif, "comment": b"Maker", "icc_profile": b"Maker" * 50}), ("JPEG", base, {"exif": exif, "progressive": True}),
            ("JPEG", base.convert("L"), {"quality": 30}), ("JPEG", base.convert("CMYK"), {}), ("JPEG", base, {"subsampling": 0, "optimize": True}),
            ("PNG", base, {"pnginfo": texts, "exif": exif}), ("PNG", alpha, {"icc_profile": b"Maker"}), ("PNG", base.quantize(16), {"transparency": 3}),
            ("PNG", base.convert("1"), {}), ("PNG", base.convert("LA"), {}), ("WEBP", base, {"exif": exif.tobytes(), "xmp": b"Maker"}),
            ("WEBP", alpha, {}), ("WEBP", alpha, {"lossless": True, "exif": exif.tobytes()}),
            ("WEBP", base, {"save_all": True, "append_images": [base.rotate(90), base.rotate(180)], "duration": 100})):
        out = io.BytesIO()
        image.save(out, kind, **options)
        yield kind, out.getvalue()


def decoded(data):
    """What a decoder sees: mode, size, pixels of every picture in it, and how it is to be turned."""
    from PIL import Image
    image, found = Image.open(io.BytesIO(data)), []
    for n in range(getattr(image, "n_frames", 1)):
        image.seek(n)
        found.append((image.mode, image.size, image.tobytes(), image.convert("RGBA").tobytes()))
    return found, image.getexif().get(274, 1) if image.format == "JPEG" else None


def test_decoders_see_the_same_picture(api):
    pytest.importorskip("PIL")
    for kind, photo in pictures():
        customer = api.tools.user()
        got = read(api, customer, api.photo(customer, photo)).body
        assert decoded(got) == decoded(photo), kind
        assert b"Maker" not in got


# --- through nginx

def test_a_photo_through_nginx(stack):
    shop, other, customer = stack.tools.shop(), stack.tools.shop(), stack.tools.user()
    large = photos.png(1500, 1500, pixels=os.urandom(1500 * 4501))
    for photo, kind in ((photos.JPEG, "image/jpeg"), (large, "image/png")):
        url = stack.photo(customer, photo)
        stack.place(customer, shop, list_image_url=url)
        for who in (customer, shop.keeper):
            got = stack.call("GET", url, who)
            assert (got.status, got.header("Content-Type"), got.header("X-Content-Type-Options")) == (200, kind, "nosniff"), got
            assert "sandbox" in got.header("Content-Security-Policy") and "private" in got.header("Cache-Control") and got.header("X-Request-Id")
            assert got.header("X-Accel-Redirect") is None and (photo is not large or got.body == large)
            head = stack.call("HEAD", url, who)
            assert (head.status, head.body, head.header("Content-Length")) == (200, b"", str(len(got.body)))
            for parts in ("bytes=0-9", "bytes=99999999-", "bytes=0-1,3-4"):
                whole = stack.call("GET", url, who, headers={"Range": parts})
                assert (whole.status, whole.body) == (200, got.body), whole
            assert stack.call("GET", url, who, headers={"If-None-Match": got.header("ETag")}).status == 304
            for condition in ({"If-Match": '"x"'}, {"If-Unmodified-Since": "Sun, 01 Jan 2017 00:00:00 GMT"}):
                check.problem(stack.call("GET", url, who, headers=condition), 412, "version_mismatch")
        for who in (other.keeper, stack.tools.user()):
            check.problem(stack.call("GET", url, who), 404, "not_found")
        check.problem(stack.call("GET", url), 401, "unauthorized")
        name = url.removeprefix(URL)
        for path in (f"/_uploads/{name[:2]}/{name}", f"/_uploads/{name}", "/_uploads/", "/_uploads/tmp/x", f"/uploads/{name[:2]}/{name}",
                     f"/api/v1/uploads/../../../_uploads/{name[:2]}/{name}"):
            check.problem(stack.call("GET", path, customer), 404, "not_found")
        os.unlink(f"{stack.dir}/uploads/{name[:2]}/{name}")
        check.problem(stack.call("GET", url, customer), 404, "not_found")


def test_too_large_for_nginx(stack):
    customer = stack.tools.user()
    for size in (10 * 1024 * 1024 + 1, 30_000_000):
        check.problem(stack.upload(customer, photos.padded(photos.JPEG, size)), 413, "body_too_large")
    check.ok(stack.upload(customer, photos.padded(photos.JPEG, 10 * 1024 * 1024)), 201)
