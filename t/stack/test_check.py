"""`pickup check`: every point found well, and every point found at fault."""
import contextlib
import grp
import http.server
import os
import pwd
import re
import socketserver
import subprocess
import tempfile
import threading
import types

import pytest

from lib import mariadb, proc
from lib.api import Workers, clean_environment
from lib.cli import migrated


class Push(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A push instance as `check` and the relay see it: /status answers what status says, a POST is taken."""
    daemon_threads = True
    status, text = 200, b"total published messages: 7\nsubscribers: 0\n"

    def __init__(self, path):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, text=b""):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                self.answer(*((self.server.status, self.server.text) if self.path == "/status" else (404,)))

            def do_POST(self):
                self.answer(202)

            def address_string(self):
                return "local"

            def log_message(self, *_):
                pass

        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture(scope="module")
def cli(binary, source, scratch):
    yield from migrated(binary, source, scratch / "check")


@pytest.fixture(scope="module")
def running(cli):
    """A relay and a push instance beside the database, so that everything is as it must be."""
    push = Push(f"{cli.dir}/push.sock")
    relay = proc.start([cli.binary, "relay", "--params", cli.params], f"{cli.dir}/relay.log", env=clean_environment())
    try:
        proc.wait_for(lambda: cli.run("check").returncode == 0, 15, "check to find all well")
        yield types.SimpleNamespace(push=push, relay=relay)
    finally:
        proc.stop(relay)
        push.shutdown()
        push.server_close()


def points(done):
    """The printed points as {what: "ok" or the reason}; the exit status must agree. Nothing is said twice."""
    found = {}
    assert done.stderr == ""
    for line in done.stdout.splitlines():
        assert line.startswith(("ok   ", "FAIL ", "warn ")), line
        what, colon, rest = line[5:].partition(": ")
        assert colon and rest, line
        if found.get(what, "ok") == "ok":
            found[what] = rest if line.startswith("FAIL") else "ok"
    assert done.returncode == (0 if set(found.values()) == {"ok"} else 1), done
    return found


def failing(done):
    return {what: why for what, why in points(done).items() if why != "ok"}


def warnings(done):
    points(done)
    return {what: why for what, _, why in (line[5:].partition(": ") for line in done.stdout.splitlines() if line.startswith("warn "))}


ALL = ["settings", "user", "option file", "keys", "uploads", "disk", "metrics", "workers", "database", "clock", "schema", "statements", "writes", "commits", "connections",
       "zones", "relay", "outbox", "push backlog", "refusals", "push", "relay socket"]


def test_check_all_well(cli, running):
    assert list(points(cli.run("check"))) == ALL
    assert list(points(cli.run("check", "--db"))) == ["settings", "option file", "database", "schema", "statements"]


def test_check_tells_every_fault_of_settings(cli, running):
    path = cli.write_settings("faults.params", PICKUP_BODY_MAX="1", PICKUP_LOG_LEVEL="loud", PICKUP_COLOUR="red")
    done = cli.run("check", params=path, env={"PICKUP_RETRY_AFTER_S": "soon", "PICKUP_SOMETHING": "else"})
    assert list(failing(done)) == ["settings"] and list(points(done)) == ALL
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAIL settings: ")]
    assert len(lines) == 4
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if any(name in line for name in ("BODY_MAX", "LOG_LEVEL", "COLOUR")):
                assert any(x.startswith(f"FAIL settings: {path}:{number}: ") for x in lines), (number, lines)
    assert "environment: PICKUP_RETRY_AFTER_S" in lines[-1]
    assert failing(cli.run("check", params=f"{cli.dir}/nowhere"))["settings"].startswith(f"{cli.dir}/nowhere")


def test_check_files(cli, running):
    os.chmod(f"{cli.dir}/token.key", 0o644)
    os.chmod(f"{cli.dir}/db/pickup.cnf", 0o644)
    try:
        found = failing(cli.run("check"))
    finally:
        os.chmod(f"{cli.dir}/token.key", 0o600)
        os.chmod(f"{cli.dir}/db/pickup.cnf", 0o600)
    assert set(found) == {"option file", "database", "keys"} and "token.key" in found["keys"] and "chmod 640 or 600" in found["keys"]
    assert f"chmod o= {cli.dir}/db/pickup.cnf" in found["option file"] and "password" in found["option file"]
    params = cli.write_settings("nofiles.params", PICKUP_DB_OPTION_FILE=f"{cli.dir}/none.cnf", PICKUP_ZONEINFO=f"{cli.dir}/db")
    found = failing(cli.run("check", params=params))
    assert set(found) == {"option file", "database", "zones"} and "tzdata" in found["zones"]


def test_check_the_folder_of_photos(cli, running):
    folder = f"{cli.dir}/photos"
    params = cli.write_settings("photos.params", PICKUP_UPLOAD_DIR=folder)
    assert list(found := failing(cli.run("check", params=params))) == ["uploads"] and folder in found["uploads"]
    os.mkdir(folder, 0o705)
    assert "chmod o=" in failing(cli.run("check", params=params))["uploads"]
    os.chmod(folder, 0o2750)
    done = cli.run("check", params=params)
    assert failing(done) == {} and f"ok   uploads: {folder}" in done.stdout
    with open(f"{folder}/file", "w") as f:
        f.write("x")
    params = cli.write_settings("photos.params", PICKUP_UPLOAD_DIR=f"{folder}/file")
    assert "not a directory" in failing(cli.run("check", params=params))["uploads"]


def test_check_without_a_database_says_so_soon(cli, running):
    option_file = f"{cli.dir}/gone.cnf"
    mariadb.write_private(option_file, f"[pickup]\nsocket={cli.dir}/nobody\nuser=x\npassword=hush-hush\ndatabase=pickup\n")
    params = cli.write_settings("gone.params", PICKUP_DB_OPTION_FILE=option_file)
    runs = []
    assert proc.quickest(lambda: runs.append(cli.run("check", params=params)), 5) < 5
    done = runs[-1]
    assert list(failing(done)) == ["database"] and f"{cli.dir}/nobody" in done.stdout
    assert "relay socket" in points(done) and "schema" not in points(done)
    assert "hush-hush" not in done.stdout + done.stderr


def test_check_an_old_or_broken_schema(cli, running):
    option_file = f"{cli.dir}/empty.cnf"
    cli.db.sql("CREATE DATABASE IF NOT EXISTS empty CHARACTER SET utf8mb4; GRANT ALL ON empty.* TO pickup@localhost", database="")
    with open(f"{cli.dir}/db/pickup.cnf") as f:
        mariadb.write_private(option_file, f.read().replace("database=pickup", "database=empty"))
    params = cli.write_settings("empty.params", PICKUP_DB_OPTION_FILE=option_file)
    found = failing(cli.run("check", "--db", params=params))
    assert list(found) == ["schema"] and f"pickup migrate --params {params}" in found["schema"]
    cli.good("migrate", "--dir", f"{cli.source}/sql", params=params)
    assert failing(cli.run("check", "--db", params=params)) == {}
    cli.db.sql("ALTER TABLE users DROP COLUMN email", database="empty")
    found = failing(cli.run("check", "--db", params=params))
    assert {"statement SQL_USER_GET", "statement SQL_USER_INSERT"} <= set(found) and not any("ORDER" in what for what in found)


def test_check_a_shop_in_an_unknown_zone(cli, running):
    id = cli.shop()
    cli.db.sql(f"UPDATE shops SET timezone = 'Asia/Atlantis' WHERE id = {id}")
    try:
        found = failing(cli.run("check"))
    finally:
        cli.good("shop", "change", id, "--timezone", "UTC")
    assert list(found) == ["zones"] and f"shop {id} is in Asia/Atlantis" in found["zones"]


def test_check_a_backlog_and_refusals(cli, running):
    cli.db.sql("INSERT INTO push_refusals (pub_no, instance, status, at) VALUES (1, 'x', 400, '2026-01-01')")
    try:
        found = failing(cli.run("check"))
    finally:
        cli.db.sql("DELETE FROM push_refusals")
    assert list(found) == ["refusals"] and found["refusals"].startswith("1 notifications")
    proc.stop(running.relay)
    proc.wait_for(lambda: "relay" in failing(cli.run("check")), 10, "the lease to run out")
    cli.db.sql("INSERT INTO outbox (channel_kind, channel_id, shop_id, order_id, order_version, at, body)"
               " VALUES (1, 1, 1, 1, 1, UTC_TIMESTAMP(6) - INTERVAL 60 SECOND, '{}')")
    try:
        found = failing(cli.run("check"))
        assert set(found) == {"relay", "outbox", "relay socket"} and found["outbox"].startswith("1 notifications wait, the oldest for 6")
        assert "start `pickup relay --params" in found["relay"]
    finally:
        cli.db.sql("DELETE FROM outbox")
        running.relay = proc.start([cli.binary, "relay", "--params", cli.params], f"{cli.dir}/relay.log", env=clean_environment())
    proc.wait_for(lambda: cli.run("check").returncode == 0, 15, "check to find all well")


@contextlib.contextmanager
def server_set(cli, **variables):
    """Global variables of the server, and back."""
    before = {name: cli.db.sql(f"SELECT @@GLOBAL.{name}", database="")[0][0] for name in variables}
    try:
        for name, value in variables.items():
            cli.db.sql(f"SET GLOBAL {name} = {value}", database="")
        yield
    finally:
        for name, value in before.items():
            cli.db.sql(f"SET GLOBAL {name} = {value}", database="")


def test_check_commits_that_a_crash_undoes(cli, running):
    """What a site may choose is told, and is no fault."""
    for value, words in ((0, "crash of the database"), (2, "crash of the machine")):
        with server_set(cli, innodb_flush_log_at_trx_commit=value):
            done = cli.run("check")
            assert done.returncode == 0 and list(warnings(done)) == ["commits"]
            assert words in warnings(done)["commits"] and f"innodb_flush_log_at_trx_commit is {value}" in warnings(done)["commits"]
    with server_set(cli, innodb_flush_log_at_trx_commit=1):
        assert warnings(cli.run("check")) == {}


def test_check_a_server_that_takes_no_writes(cli, running):
    with server_set(cli, read_only=1):
        found = failing(cli.run("check"))
    assert "read-only" in found["writes"] and "no order can be placed" in found["writes"] and not {"database", "schema", "statements"} & set(found)
    proc.wait_for(lambda: cli.run("check").returncode == 0, 15, "check to find all well")


def test_check_rights_that_are_missing(cli, running):
    """One line, however many statements are concerned."""
    cli.db.sql("CREATE USER reader@localhost IDENTIFIED BY 'p'; GRANT SELECT ON pickup.* TO reader@localhost", database="")
    try:
        option_file = f"{cli.dir}/reader.cnf"
        mariadb.write_private(option_file, f"[pickup]\nsocket={cli.dir}/db/sock\nuser=reader\npassword=p\ndatabase=pickup\n")
        done = cli.run("check", params=cli.write_settings("reader.params", PICKUP_DB_OPTION_FILE=option_file))
    finally:
        cli.db.sql("DROP USER reader@localhost", database="")
    found = failing(done)
    assert set(found) == {"statements", "writes"} and done.stdout.count("FAIL statement") == 1
    assert "GRANT SELECT, INSERT, UPDATE, DELETE" in found["statements"]


def test_check_says_what_to_do_about_a_database_that_lets_nobody_in(cli, running):
    with open(f"{cli.dir}/db/pickup.cnf") as f:
        good = f.read()
    for change, words in ((("password=", "password=x"), "password is another one"), (("user=pickup", "user=who"), "does not know this user"),
                          (("database=pickup", "database=nope"), "no right on that database"), (("database=pickup\n", ""), "add a line: database="),
                          (("socket=", "host=127.0.0.1\nport=1\n#"), "nothing listens there"), (("socket=", "host=no.such.invalid\n#"), "no machine of that name")):
        mariadb.write_private(f"{cli.dir}/shut.cnf", good.replace(*change))
        done = cli.run("check", params=cli.write_settings("shut.params", PICKUP_DB_OPTION_FILE=f"{cli.dir}/shut.cnf"))
        found = failing(done)
        assert list(found) == ["database"] and words in found["database"] and "503" in found["database"], (change, found)
        assert "p# w" not in done.stdout


def test_check_workers_of_this_machine(cli, running):
    """One that has gone is told of, and more than the database lets in."""
    path = f"{cli.dir}/counted"
    params = cli.write_settings("counted.params", PICKUP_METRICS_FILE=path)
    workers = Workers(cli.binary, cli.dir, params, name="counted", count=3)
    try:
        proc.wait_for(lambda: "ok   workers: 3 run" in cli.run("check", params=params).stdout, 10, "three workers")
        cli.db.sql("ALTER USER pickup@localhost WITH MAX_USER_CONNECTIONS 2", database="")
        try:
            assert "gives this user 2, and the 3 workers" in failing(cli.run("check", params=params))["connections"]
        finally:
            cli.db.sql("ALTER USER pickup@localhost WITH MAX_USER_CONNECTIONS 0", database="")
        assert failing(cli.run("check", params=params)) == {}
    finally:
        workers.stop()
    found = failing(cli.run("check", params=params))
    assert list(found) == ["workers"] and "none runs" in found["workers"]


def test_check_a_server_that_is_not_nchans(cli, running):
    running.push.text = b"Active connections: 1\n"
    try:
        assert "some other server" in failing(cli.run("check"))["push"]
    finally:
        del running.push.text


def test_check_push_instances(cli, running):
    running.push.status = 404
    try:
        found = failing(cli.run("check"))
    finally:
        running.push.status = 200
    assert list(found) == ["push"] and "404" in found["push"]
    params = cli.write_settings("push.params", PICKUP_PUSH_URLS=f"unix:{cli.dir}/push.sock unix:{cli.dir}/nobody http://127.0.0.1:1")
    done = cli.run("check", params=params)
    lines = [line for line in done.stdout.splitlines() if " push: " in line]
    assert [line[:4] for line in lines] == ["ok  ", "FAIL", "FAIL"], lines
    assert f"{cli.dir}/nobody" in lines[1] and "127.0.0.1:1" in lines[2]
    assert "PICKUP_PUSH_URLS" in failing(cli.run("check", params=cli.write_settings("push.params", PICKUP_PUSH_URLS="")))["push"]


def test_check_a_relay_socket_nobody_listens_on(cli, running):
    params = cli.write_settings("socket.params", PICKUP_RELAY_SOCKET=f"{cli.dir}/none.sock")
    assert list(failing(cli.run("check", params=params))) == ["relay socket"]
    assert points(cli.run("check", params=cli.write_settings("socket.params", PICKUP_RELAY_SOCKET="")))["relay socket"] == "ok"


@pytest.mark.parametrize("name, words", [("900_later.sql", "older"), ("900_contract_later.sql", "took away")])
def test_check_a_newer_schema(cli, running, name, words):
    cli.db.sql(f"INSERT INTO schema_migrations (number, name, checksum, statements_done, in_doubt, applied_at) VALUES (900, '{name}', REPEAT('0', 64), 1, 0, UTC_TIMESTAMP())")
    try:
        found = failing(cli.run("check"))
    finally:
        cli.db.sql("DELETE FROM schema_migrations WHERE number = 900")
    assert list(found) == ["schema"] and "migration 900" in found["schema"] and words in found["schema"]


@pytest.mark.parametrize("seconds, words", [(60, "ahead of"), (-90, "behind")])
def test_check_clocks_that_differ(cli, running, seconds, words):
    cli.db.sql(f"SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP() + {seconds}'")
    try:
        found = failing(cli.run("check"))
    finally:
        cli.db.sql("SET GLOBAL init_connect = ''")
    assert words in found["clock"] and "timedatectl" in found["clock"]
    # The server's clock stands from the connection on.
    told, = re.findall(r"\bis (\d+) s", found["clock"])
    assert abs(int(told) - abs(seconds)) < 20, found


def test_check_what_an_instance_has_yet_to_get(cli, running):
    """Numbered, and not there: the outbox does not show it."""
    url = cli.settings["PICKUP_PUSH_URLS"]
    proc.wait_for(lambda: cli.db.sql(f"SELECT 1 FROM push_cursors WHERE instance = '{url}'"), 10, "the cursor")
    proc.stop(running.relay)
    cli.db.sql("INSERT INTO events (channel_kind, channel_id, seq, pub_no, outbox_id, shop_id, at, body)"
               " SELECT 1, 1, 1, pub_no + 1, 1, 1, UTC_TIMESTAMP(6) - INTERVAL 90 SECOND, '{}' FROM push_cursors")
    try:
        found = failing(cli.run("check"))
        assert re.search(re.escape(url) + r" has yet to get 1 notifications, the oldest since (9\d|1\d\d)\b", found["push backlog"]), found
    finally:
        cli.db.sql("DELETE FROM events")
        running.relay = proc.start([cli.binary, "relay", "--params", cli.params], f"{cli.dir}/relay.log", env=clean_environment())
    proc.wait_for(lambda: cli.run("check").returncode == 0, 15, "check to find all well")


def test_check_a_push_socket_that_everybody_may_use(cli, running):
    with tempfile.TemporaryDirectory(prefix="pickup-c.", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        push = Push(f"{folder}/push.sock")
        os.chmod(f"{folder}/push.sock", 0o666)
        try:
            params = cli.write_settings("open.params", PICKUP_PUSH_URLS=f"unix:{folder}/push.sock")
            assert f"chmod o= {folder}" in failing(cli.run("check", params=params))["push"]
            os.chmod(folder, 0o750)
            assert failing(cli.run("check", params=params)) == {}
        finally:
            push.shutdown()
            push.server_close()


def test_check_the_file_of_counters(cli, running):
    def found(path):
        return points(cli.run("check", params=cli.write_settings("metrics.params", PICKUP_METRICS_FILE=path)))["metrics"]

    assert found("") == found(f"{cli.dir}/to-be-made") == "ok"
    assert "install -d" in found(f"{cli.dir}/no-such/metrics")
    path = f"{cli.dir}/counters"
    mariadb.write_private(path, "something else")
    assert "file of counters" in found(path)
    mariadb.write_private(path, b"\x07\x00pukcip and more")
    assert "another version" in found(path)
    os.chmod(path, 0o666)
    assert "rm it" in found(path)


def is_root():
    return os.geteuid() == 0


@contextlib.contextmanager
def passable(path):
    """Others may pass all folders down to this one, as on a real machine."""
    folders = []
    while len(path) > 4:
        folders.append((path, os.stat(path).st_mode & 0o7777))
        path = os.path.dirname(path)
    try:
        for folder, mode in folders:
            os.chmod(folder, mode | 0o011)
        yield
    finally:
        for folder, mode in folders:
            os.chmod(folder, mode)


@pytest.mark.skipif(not is_root(), reason="only root may be somebody else")
def test_check_as_somebody_who_may_not(cli, running):
    """The service's own user is who counts, and what it may not do is told with the command for it."""
    folder = f"{cli.dir}/roots"
    os.mkdir(folder, 0o750)
    params = cli.write_settings("user.params", PICKUP_UPLOAD_DIR=folder, PICKUP_METRICS_FILE=f"{folder}/metrics")
    with passable(f"{cli.dir}/db"):
        done = subprocess.run([cli.binary, "check", "--params", params], capture_output=True, text=True, timeout=60, env=clean_environment(),
                              user=65534, group=65534, extra_groups=[])
    found = failing(done)
    assert {"option file", "keys", "uploads", "metrics", "database"} <= set(found), found
    assert "Permission denied" in found["uploads"] and "install -d" in found["metrics"]


@pytest.mark.skipif(not is_root(), reason="only root may be somebody else")
def test_check_by_root_says_who_should_ask(cli, running):
    """The relay's socket is the service's: root would find all files well that it may not read."""
    os.chown(f"{cli.dir}/relay.sock", 65534, 65534)
    try:
        done = cli.run("check")
    finally:
        os.chown(f"{cli.dir}/relay.sock", 0, 0)
    assert failing(done) == {} and f"sudo -u {pwd.getpwuid(65534).pw_name} pickup check --params {cli.params}\n" in done.stdout


def test_check_a_disk_without_room(cli, running):
    """In a file system of its own, where that can be had."""
    folder = f"{cli.dir}/small"
    os.mkdir(folder, 0o700)
    params = cli.write_settings("small.params", PICKUP_UPLOAD_DIR=folder)
    done = subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=4m,mode=0700 none {folder} || exit 99; exec {cli.binary} check --params {params}"],
                          capture_output=True, text=True, timeout=60, env=clean_environment())
    if done.returncode not in (0, 1) or not done.stdout:
        pytest.skip(f"no file system of its own: {done.stderr.strip()}")
    found = failing(done)
    assert list(found) == ["disk"] and folder in found["disk"] and "photos" in found["disk"]
    done = subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=400m,mode=0700,nr_inodes=100 none {folder} && exec {cli.binary} check --params {params}"],
                          capture_output=True, text=True, timeout=60, env=clean_environment())
    assert "more files fit" in failing(done)["disk"]


@pytest.mark.skipif(not is_root(), reason="only root's nginx has workers of another user")
def test_check_photos_that_nginx_may_not_read(stack):
    """The nginx behind the push socket is who counts."""
    def uploads(params):
        done = subprocess.run([stack.binary, "check", "--params", params], capture_output=True, text=True, timeout=60, env=clean_environment())
        return points(done)["uploads"]

    with open(f"{stack.dir}/push.conf") as f:
        before = f.read()
    nobody = pwd.getpwuid(65534)
    folder = f"{stack.dir}/photos"
    os.mkdir(folder, 0o750)
    with open(f"{stack.dir}/pickup.params") as f:
        text = re.sub(r"PICKUP_UPLOAD_DIR .*;", f"PICKUP_UPLOAD_DIR {folder};", f.read())
    with open(f"{stack.dir}/read.params", "w") as f:
        f.write(text)
    assert uploads(f"{stack.dir}/read.params") == "ok"      # it runs as we do
    try:
        with open(f"{stack.dir}/push.conf", "w") as f:
            f.write(re.sub(r"(?m)^user .*;", f"user {nobody.pw_name} {grp.getgrgid(nobody.pw_gid).gr_name};", before))
        master = stack.pid("push")
        stack.reload("push")
        proc.wait_for(lambda: any(os.stat(f"/proc/{p}").st_uid == 65534 for p in proc.children(master)) and len(proc.children(master)) == 1, 10, "its worker")
        with passable(stack.dir):
            assert f"may not look into {folder}" in uploads(f"{stack.dir}/read.params")
            os.chown(folder, 0, nobody.pw_gid)
            assert uploads(f"{stack.dir}/read.params") == "ok"
        assert "may not look into" in uploads(f"{stack.dir}/read.params")
    finally:
        with open(f"{stack.dir}/push.conf", "w") as f:
            f.write(before)
        stack.reload("push")
    stack.ready()
