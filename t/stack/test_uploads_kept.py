"""Photos: what happens where the disk, the database or a worker fails, and what is removed in time."""
import concurrent.futures
import os
import subprocess
import time

import pytest

from lib import check, fcgi, photos, proc
from lib.api import Workers
from lib.behind import Behind
from lib.http import FcgiClient, Response, cgi_params
from lib.photos import URL, files, folder, path_of, read


# --- what fails

def test_a_folder_that_is_not_there(api, world):
    for settings in ({"PICKUP_UPLOAD_DIR": f"{api.dir}/nothing"}, {"PICKUP_UPLOAD_DIR": ""}):
        client = api.client(**settings)
        check.problem(client("POST", URL, world.customer, body=photos.PNG), 503, "unavailable")
        url = api.photo(api.tools.user())
        check.problem(client("GET", url, world.stranger), 404, "not_found")
    customer = api.tools.user()
    url = api.photo(customer)
    check.problem(api.client(PICKUP_UPLOAD_DIR=f"{api.dir}/nothing", PICKUP_UPLOAD_ACCEL="")("GET", url, customer), 503, "unavailable")
    assert read(api, customer, url).status == 200


@pytest.fixture()
def full(api):
    """A worker whose folder is a file system of 2 MiB."""
    room = f"{api.dir}/room"
    os.makedirs(room, exist_ok=True)
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", room], capture_output=True).returncode:
        pytest.skip("no file system of our own can be had here")
    script = f"{api.dir}/full.sh"
    with open(script, "w") as f:
        f.write(f"#!/bin/sh\nexec unshare -rm sh -c 'mount -t tmpfs -o size=2m none {room} && exec {api.binary} \"$0\" \"$@\"' \"$@\"\n")
    os.chmod(script, 0o700)
    workers = Workers(script, api.dir, api.params, name="full", count=1)
    yield FcgiClient(workers.path, {**api.settings, "PICKUP_UPLOAD_DIR": room, "PICKUP_UPLOAD_ACCEL": ""})
    workers.stop()


def test_a_full_disk(api, full):
    customer = api.tools.user()
    def noise(n):
        return photos.png(n, 100, pixels=os.urandom(100 * (3 * n + 1)))
    check.problem(full("POST", URL, customer, body=noise(8000)), 503, "unavailable")    # while it comes
    check.problem(full("POST", URL, customer, body=noise(4500)), 503, "unavailable")    # while it is cleaned
    for _ in range(2):
        small = noise(1000)
        url = check.ok(full("POST", URL, customer, body=small), 201)["list_image_url"]
        assert full("GET", url, customer).body == small
    assert api.db.sql(f"SELECT COUNT(*) FROM uploads WHERE customer_id = {customer.id}") == [["2"]]
    check.problem(full("POST", URL, customer, body=noise(4500)), 503, "unavailable")
    # nothing was left of those that failed: there is room for more
    for _ in range(2):
        check.ok(full("POST", URL, customer, body=noise(1000)), 201)


def age(path, seconds):
    at = time.time() - seconds
    os.utime(path, (at, at))


def put_file(path, seconds):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write("x")
    age(path, seconds)


def relay_again(api):
    """A relay begins with a walk over all files."""
    proc.stop(api.relay)
    api.start_relay()


def test_a_photo_that_takes_its_time(api):
    """The database's time is counted from its first question on; what a photo's way takes is none of it."""
    customer, settings = api.tools.user(), {**api.settings, "PICKUP_REQUEST_DEADLINE_MS": "100"}
    photo = photos.padded(photos.JPEG, 70000)
    headers = {"Authorization": f"Bearer {customer.token}"}
    params = {**cgi_params("POST", URL, headers, photo), **settings}
    answer = Response.from_cgi(fcgi.request(api.workers.path, params, photo, pause=lambda: time.sleep(0.1))[0])    # what must be too long
    assert answer.status == 201, answer


def test_a_kill_between_the_file_and_its_row(api, scratch):
    customer = api.tools.user()
    before = files(api)
    behind = Behind(api, scratch / "uploads-behind", count=1)
    gate = behind.proxy.at(b".jpg")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        lost = pool.submit(behind.call, "POST", URL, customer, body=photos.JPEG)
        assert gate.is_reached.wait(60)
        left, = set(files(api)) - set(before)
        behind.kill()
        with pytest.raises((fcgi.Broken, OSError)):
            lost.result(60)
    gate.is_open.set()
    behind.stop()
    left = f"{folder(api)}/{left}"
    assert api.db.sql(f"SELECT COUNT(*) FROM uploads WHERE customer_id = {customer.id}") == [["0"]]
    age(left, 3000)
    other = f"{folder(api)}/ff/{'f' * 32}.jpg"      # the walk's last one
    put_file(other, 3700)
    relay_again(api)
    proc.wait_for(lambda: not os.path.exists(other), 20, "the walk to end")
    assert os.path.exists(left)     # it might be on its way still
    age(left, 3700)
    relay_again(api)
    proc.wait_for(lambda: not os.path.exists(left), 20, "the file to be removed")


def test_two_workers_with_the_last_free_place(api, scratch):
    """The later one waits until the earlier one's photo is there, and counts it."""
    customer = api.tools.user()
    limit = {"PICKUP_UPLOADS_WAITING": "1", "PICKUP_DB_LOCK_WAIT_S": "20", "PICKUP_DB_TIMEOUT_S": "30", "PICKUP_REQUEST_DEADLINE_MS": "20000"}
    before = files(api)
    behind = Behind(api, scratch / "uploads-place", count=1, **limit)
    gate = behind.proxy.at(b".jpg")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(behind.call, "POST", URL, customer, body=photos.JPEG)
        assert gate.is_reached.wait(60)
        second = pool.submit(api.client(**limit), "POST", URL, customer, body=photos.JPEG)
        api.db.wait_for_lock(or_when=second.done)
        gate.is_open.set()
        assert (first.result(60).status, second.result(60).status) == (201, 429)
    behind.stop()
    assert len(files(api)) == len(before) + 1


# --- what is removed in time

def test_what_waits_too_long_is_removed(api):
    customer = api.tools.user()
    old, new = api.photo(customer), api.photo(customer)
    api.db.sql(f"UPDATE uploads SET created_at = UTC_TIMESTAMP() - INTERVAL 85800 SECOND WHERE name = '{new.removeprefix(URL)}';"
               f"UPDATE uploads SET created_at = UTC_TIMESTAMP() - INTERVAL 86410 SECOND WHERE name = '{old.removeprefix(URL)}'")
    relay_again(api)
    proc.wait_for(lambda: not os.path.exists(path_of(api, old)), 20, "the file to be removed")
    check.problem(read(api, customer, old), 404, "not_found")
    assert check.faults(api.post(customer, api.tools.shop(), list_image_url=old)) == ["list_image_url"]
    assert read(api, customer, new).status == 200


def test_photos_of_orders_long_done_are_removed(api):
    """Those of others stay, however old; so do those whose order was finished only now."""
    shop, customer = api.tools.shop(), api.tools.user()
    kept, gone = [], []
    for status, days, is_kept in (("picked_up", 91, False), ("cancelled", 91, False), ("picked_up", 89, True), ("ready", 400, True), ("pending", 400, True)):
        order = api.place_chitty(customer, shop)
        api.bring_to(shop, order, status)
        api.db.sql(f"UPDATE orders SET updated_at = UTC_TIMESTAMP() - INTERVAL {days} DAY WHERE id = {order['id']};"
                   f"UPDATE uploads SET created_at = UTC_TIMESTAMP() - INTERVAL 400 DAY WHERE order_id = {order['id']}")
        age(path_of(api, order["list_image_url"]), 400 * 86400)
        (kept if is_kept else gone).append(order)
    relay_again(api)
    proc.wait_for(lambda: not any(os.path.exists(path_of(api, o["list_image_url"])) for o in gone), 20, "the files to be removed")
    for order in kept:
        assert read(api, shop.keeper, order["list_image_url"]).status == 200
    for order in gone:
        check.problem(read(api, shop.keeper, order["list_image_url"]), 404, "not_found")
        assert api.read(customer, order)["list_image_url"] == order["list_image_url"]


def test_what_crashes_left_is_removed(api):
    """Also what has no name of ours to be on its way, but nothing that is young, and nothing in other folders."""
    names = [f"{folder(api)}/{p}" for p in ("00/" + "0" * 32 + ".jpg", "ff/" + "f" * 32 + ".webp", "tmp/" + "a" * 32 + ".jpg", "tmp/x")]
    safe = [f"{folder(api)}/{p}" for p in ("aa/" + "a" * 32 + ".jpg", "tmp/young", "ab/README", "other/" + "0" * 32 + ".jpg")]
    for path in names + safe:
        put_file(path, 3700 if path not in safe[:2] else 3000)
    relay_again(api)
    proc.wait_for(lambda: not any(os.path.exists(p) for p in names), 30, "what was left to be removed")
    assert all(os.path.exists(p) for p in safe)
