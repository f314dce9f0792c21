"""Backup and restore, with the outbox in it: what a restored database publishes, and that nothing given out since the backup is given out again."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from lib import check, proc, tokens
from lib.api import phone
from lib.mariadb import _find

DUMP = ["--single-transaction", "--routines", "--no-tablespaces"]
MARIABACKUP = _find("mariabackup") or _find("mariadb-backup")


@pytest.fixture()
def own(make_api, request):
    own = make_api(f"restore-{len(request.node.name)}", workers=2)
    yield own


class Backup:
    """As an administrator makes it: the database first, then the photos."""

    def __init__(self, api):
        self.api, self.file, self.photos = api, f"{api.dir}/backup.sql", f"{api.dir}/backup-uploads"
        with open(self.file, "wb") as f:
            subprocess.run([_find("mariadb-dump") or _find("mysqldump"), f"--defaults-file={api.dir}/client.cnf", *DUMP, "pickup"],
                           stdout=f, check=True, timeout=60)
        shutil.copytree(api.settings["PICKUP_UPLOAD_DIR"], self.photos)

    def restore(self):
        api = self.api
        api.db.sql("DROP DATABASE pickup; CREATE DATABASE pickup CHARACTER SET utf8mb4", database="")
        with open(self.file, "rb") as f:
            subprocess.run([_find("mariadb"), f"--defaults-file={api.dir}/client.cnf", "pickup"], stdin=f, check=True, timeout=60)
        shutil.rmtree(api.settings["PICKUP_UPLOAD_DIR"])
        shutil.copytree(self.photos, api.settings["PICKUP_UPLOAD_DIR"])


def prepare(api):
    """An option file for the client programs, from the program's own."""
    with open(api.db.option_file) as f:
        text = f.read().replace("[pickup]", "[client]")
    text = "".join(line + "\n" for line in text.splitlines() if not line.startswith("database="))
    with open(os.open(f"{api.dir}/client.cnf", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write(text)


def stop_all(api):
    for process in api.workers.processes:
        proc.stop(process)
    api.workers.processes = []
    proc.stop(api.relay)


def start_all(api):
    api.start_relay()
    for _ in range(2):
        api.workers.start_one()
    proc.wait_for(lambda: api.call("GET", "/readyz").status == 200, 15, "readyz")


def restored(api, *more):
    """Its lease runs out by itself where the relay that held it was killed with the database."""
    def run():
        done = subprocess.run([api.binary, "restored", "--params", api.params, *more], capture_output=True, text=True, timeout=60)
        return done if "at work" not in done.stderr else None
    done = proc.wait_for(run, 10, "the lease to run out", pause=0.2)
    assert done.returncode == 0, done
    return done.stdout


def seqs(api, shop):
    return [(p.seq, p.message["order_id"]) for p in api.push.on("shop", shop.id)]


def heard(api, shop, order):
    """The number of the order's message to its shop, as it was published last."""
    return proc.wait_for(lambda: [seq for seq, id in seqs(api, shop) if id == order["id"]], 10, f"the message of order {order['id']}")[-1]


def register(api):
    number = phone()
    body = {"phone_number": number, "password": "correct horse"}
    return check.ok(api.call("POST", "/api/v1/auth/register", json={"full_name": "New", **body}), 201)["id"], body


def login(api, body):
    return check.ok(api.call("POST", "/api/v1/auth/login", json=body))["access_token"]


def test_the_whole_of_it(own):
    prepare(own)
    shop, customer = own.tools.shop(("1.00", None)), own.tools.user()
    quiet = own.tools.shop(("1.00", None))      # nothing happened there before the backup
    photo = own.photo(customer)
    with_photo = own.place(customer, shop, list_image_url=photo)
    first = own.place(customer, shop)
    heard(own, shop, first)
    # One message has its number and could not be published, and one has none yet, as the relay has gone.
    own.push.answer(*[503] * 100000)
    numbered = own.place(customer, shop)
    numbered_seq = own.wait_events(shop.keeper, "shop", shop.id, 3)[-1]["seq"]
    proc.stop(own.relay, signal.SIGKILL)
    waiting = own.place(customer, shop)
    backup = Backup(own)

    # Life goes on.
    own.push.answer()
    own.start_relay()
    lost = [own.place(customer, shop) for _ in range(5)]
    lost_quiet = own.place(customer, quiet)
    last_seen = max(heard(own, shop, order) for order in lost)
    quiet_seen = heard(own, quiet, lost_quiet)
    stranger, stranger_login = register(own)
    stranger_token = login(own, stranger_login)
    check.ok(own.call("GET", "/api/v1/orders/me", stranger_token))
    assert last_seen == numbered_seq + 1 + 5 and quiet_seen == 1

    # The disk dies.
    stop_all(own)
    backup.restore()
    before = len(own.push.accepted)
    text = restored(own, "--end-tokens")
    assert all(word in text for word in ("ids of orders", "410", "sign"))
    start_all(own)

    # What was not published at the time is published: with its number where it had one, and with a new one otherwise.
    def since():
        return [p for p in own.push.accepted[before:] if p.channel == ("shop", shop.id)]
    again = proc.wait_for(lambda: any(p.message["order_id"] == waiting["id"] for p in since()) and since(), 10, "what waited")
    assert heard(own, shop, numbered) == numbered_seq
    assert [p.message["order_id"] for p in again][-2:] == [numbered["id"], waiting["id"]]
    assert heard(own, shop, waiting) > last_seen + 1000
    assert not {p.message["order_id"] for p in again} & {order["id"] for order in lost}

    # The orders since then are gone, and what is new is taken for nothing that was.
    assert own.call("GET", "/api/v1/orders/me", customer).status == 401
    later = int(time.time()) + 1
    proc.wait_for(lambda: time.time() > later, 5, "another second")
    keeper, customer.token = (tokens.sign(own.key, tokens.claims(id, role, iat=later)) for id, role in
                              ((shop.keeper.id, "shopkeeper"), (customer.id, "customer")))
    shop.keeper.token = keeper
    for order in lost:
        check.problem(own.get(customer, order), 404, "not_found")
    new = own.place(customer, shop)
    assert new["id"] > max(order["id"] for order in lost)
    assert heard(own, shop, new) > last_seen + 1000
    assert heard(own, quiet, own.place(customer, quiet)) > quiet_seen + 1000
    newcomer, _ = register(own)
    assert newcomer > stranger      # whose token is still good as such, for nobody
    check.problem(own.call("GET", f"/api/v1/orders/{new['id']}", stranger_token), 404, "not_found")

    # A subscriber who comes again learns that it must read the lists, and goes on from there.
    gone = check.problem(own.call("GET", f"/api/v1/events/shop/{shop.id}?after={last_seen}", keeper), 410, "gone")
    assert gone["last_seq"] == heard(own, shop, new)
    assert own.events(keeper, "shop", shop.id, after=gone["last_seq"])["events"] == []
    # Also one who had not read all: first what it missed, then the same.
    early = own.events(keeper, "shop", shop.id, after=1)
    assert [e["seq"] for e in early["events"]] == [2, 3] and early["last_seq"] == gone["last_seq"]
    check.problem(own.call("GET", f"/api/v1/events/shop/{shop.id}?after=3", keeper), 410, "gone")

    # The photo is there, and all is well.
    answer = own.client(PICKUP_UPLOAD_ACCEL="")("GET", photo, customer)
    assert answer.status == 200 and own.read(customer, with_photo)["list_image_url"] == photo
    check_all = subprocess.run([own.binary, "check", "--params", own.params], capture_output=True, text=True, timeout=60)
    assert check_all.returncode == 0, check_all.stdout


def test_why_it_must_be_run(own):
    """Without it the numbers are given out again: subscribers who have seen them drop the new messages. (Where this fails the step may be spared.)"""
    prepare(own)
    shop, customer = own.tools.shop(("1.00", None)), own.tools.user()
    heard(own, shop, own.place(customer, shop))
    proc.wait_for(lambda: own.db.sql("SELECT COUNT(*) FROM outbox") == [["0"]], 10, "an empty outbox")
    backup = Backup(own)
    seen = heard(own, shop, own.place(customer, shop))
    stop_all(own)
    backup.restore()
    start_all(own)
    assert heard(own, shop, own.place(customer, shop)) == seen


def test_it_refuses_while_a_relay_is_at_work(own):
    shop, customer = own.tools.shop(("1.00", None)), own.tools.user()
    heard(own, shop, own.place(customer, shop))
    done = subprocess.run([own.binary, "restored", "--params", own.params], capture_output=True, text=True, timeout=60)
    assert done.returncode == 69 and "stop it" in done.stderr and done.stdout == "", done
    assert own.call("GET", "/api/v1/orders/me", customer).status == 200
    proc.stop(own.relay)
    done = subprocess.run([own.binary, "restored", "--params", own.params], capture_output=True, text=True, timeout=60)
    assert done.returncode == 69 and "2 workers run" in done.stderr and done.stdout == "", done
    stop_all(own)
    assert "tokens" not in restored(own, "--ids", "50")
    assert "the next one is" in restored(own, "--ids", "50")      # twice does no harm
    start_all(own)
    assert own.call("GET", "/api/v1/orders/me", customer).status == 200
    assert heard(own, shop, own.place(customer, shop)) > 2 * 10 ** 9


@pytest.mark.skipif(not MARIABACKUP, reason="mariadb-backup is not installed")
def test_from_a_copy_of_the_servers_files(own):
    """mariabackup, while orders go on: the same as from a dump."""
    shop, customer = own.tools.shop(("1.00", None)), own.tools.user()
    folder, data = f"{own.dir}/copy", f"{own.db.dir}/data"
    access = [f"--defaults-file={own.db.config}", f"--socket={own.db.dir}/sock", "--user=root"]

    def run(*argv):
        done = subprocess.run([MARIABACKUP, *argv, f"--target-dir={folder}"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-3000:]

    kept = [own.place(customer, shop) for _ in range(3)]
    own.wait_events(shop.keeper, "shop", shop.id, 3)
    run(*access, "--backup")
    lost = own.place(customer, shop)
    seen = heard(own, shop, lost)
    run("--prepare")

    stop_all(own)
    own.db.kill()
    shutil.rmtree(data)
    os.mkdir(data, 0o700)
    run(f"--defaults-file={own.db.config}", "--copy-back")
    own.db.start()
    restored(own)
    start_all(own)
    assert [own.read(customer, order)["id"] for order in kept] == [order["id"] for order in kept]
    check.problem(own.get(customer, lost), 404, "not_found")
    new = own.place(customer, shop)
    assert new["id"] > lost["id"] and heard(own, shop, new) > seen + 1000
