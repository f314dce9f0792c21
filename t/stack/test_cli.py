"""The command line: verbs of administration, their faults and exit statuses, `pickup conf`."""
import os
import subprocess
import time

import jwt
import pytest

from lib import mariadb, proc
from lib.api import phone
from lib.cli import migrated

USAGE, BAD_DATA, AWAY, CANT_WRITE, CONFIG = 64, 65, 69, 74, 78


@pytest.fixture(scope="module")
def cli(binary, source, scratch):
    yield from migrated(binary, source, scratch / "cli")


# the program

MODES = ["serve", "relay", "migrate", "check", "conf", "user", "shop", "product", "token", "request", "routes", "openapi"]


def test_help_and_version(cli):
    text = cli.good("--help", params="")
    for mode in MODES:
        assert f"\n  {mode} " in text
    assert cli.good("--version", params="").startswith("pickup ")


def test_no_mode_or_an_unknown_one_is_wrong_usage(cli):
    assert "usage: pickup MODE" in cli.bad(USAGE, params="")[0]
    assert cli.bad(USAGE, "cook", params="") == ['pickup: "cook": there is no such mode; see pickup --help']


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_has_help(cli, mode):
    text = cli.good(mode, "--help", params="")
    assert f"pickup {mode}" in text and not text.startswith("  ")


VERBS = {"user create": "name phone role email password-stdin", "user list": "after limit",
         "user change": "name phone role email password-stdin active",
         "shop create": "owner name timezone currency address phone", "shop list": "before limit",
         "shop change": "owner name timezone currency address phone active",
         "product create": "shop name price stock unit description", "product list": "shop before limit",
         "product change": "name price stock unit description active",
         "token create": "user ttl ticket", "check": "db", "conf": ""}


@pytest.mark.parametrize("verb", VERBS)
def test_help_lists_every_option(cli, verb):
    text = cli.good(*verb.split(), "--help", params="")
    assert text.startswith(f"usage: pickup {verb} ")
    for option in VERBS[verb].split() + ["params", "help"]:
        assert f"\n  --{option}" in text, option


def test_a_verb_is_needed(cli):
    assert "usage: pickup user VERB" in cli.bad(USAGE, "user", params="")[0]
    assert cli.bad(USAGE, "user", "eat") == ['pickup user: "eat": there is no such verb; see pickup user --help']


def test_as_plain_cgi_a_query_never_becomes_a_mode(cli):
    """RFC 3875 section 4.4: a query without "=" may arrive as arguments."""
    cgi = {**cli.settings, "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "PATH_INFO": "/healthz", "SERVER_PROTOCOL": "HTTP/1.1"}
    for argv, query in (([], ""), (["user", "list"], "user+list"), (["serve", "--help"], "serve+--help")):
        done = cli.run(*argv, env={**cgi, "QUERY_STRING": query}, params="")
        assert done.stdout.startswith("Status: 200"), done
    assert "full_name" in cli.good("user", "list", env={**cgi, "QUERY_STRING": "a=1"})


def test_standard_output_that_takes_no_more_is_told(cli):
    for argv in (["user", "list"], ["conf"], ["check", "--help"], ["--help"]):
        with open("/dev/full", "w") as full:
            params = [] if argv == ["--help"] else ["--params", cli.params]
            done = subprocess.run([cli.binary, *argv, *params], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == CANT_WRITE and "standard output" in done.stderr, (argv, done)


# options

def test_all_faults_are_told_at_once(cli):
    lines = cli.bad(USAGE, "user", "create", "--phone", "12", "--role", "cook", "--email", "nobody", "--nmae", "x", "--limit=3")
    assert lines == [
        "pickup user create: --phone: must be 5 to 15 digits, with a leading + for an international number",
        "pickup user create: --role: must be customer|shopkeeper|admin",
        "pickup user create: --email: must be an address like name@example.org",
        "pickup user create: --nmae: there is no such option, or more than one that begins so",
        'pickup user create: --limit: there is no such option, or more than one that begins so',
        'pickup user create: "x": unexpected argument',
        "pickup user create: --name: is missing"]


@pytest.mark.parametrize("argv, fault", [
    (["user", "list", "--limit", "0"], "--limit: must be a whole number from 1 to 4294967295"),
    (["user", "list", "--limit", "1e3"], "--limit: must be a whole number from 1 to 4294967295"),
    (["user", "list", "--after", "-1"], "--after: must be an id: a whole number from 0"),
    (["user", "list", "--after", "1", "--after", "2"], "--after: is given twice"),
    (["user", "list", "-x"], "-x: there is no such option"),
    (["user", "list", "7"], '"7": unexpected argument'),
    (["user", "change", "--name", "x"], "ID: is missing"),
    (["user", "change", "0", "--name", "x"], "ID: must be an id: a whole number from 1"),
    (["user", "change", "9223372036854775808", "--name", "x"], "ID: must be an id: a whole number from 1"),
    (["user", "change", "7", "8", "--name", "x"], '"8": unexpected argument'),
    (["user", "change", "7"], "nothing to change: give at least one option (--help lists them)"),
    (["user", "change", "7", "--active", "maybe"], "--active: must be no|yes"),
    (["user", "change", "7", "--name", ""], "--name: must be 1 to 120 characters"),
    (["user", "change", "7", "--name", "a\nb"], "--name: must not contain control characters"),
    (["user", "change", "7", "--name", "\udcff"], "--name: must be valid UTF-8"),
    (["user", "change", "7", "--phone", ""], "--phone: must be 5 to 15 digits, with a leading + for an international number"),
    (["shop", "change", "7", "--currency", "inr"], "--currency: must be three capital letters, like INR"),
    (["shop", "change", "7", "--timezone", "Asia/Atlantis"], "--timezone: must be a time zone's name, like Asia/Kolkata"),
    (["shop", "change", "7", "--timezone", "../../etc/passwd"], "--timezone: must be a time zone's name, like Asia/Kolkata"),
    (["shop", "change", "7", "--timezone", ""], "--timezone: must be a time zone's name, like Asia/Kolkata"),
    (["shop", "change", "7", "--address", "x" * 501], "--address: must be 1 to 500 characters"),
    (["product", "change", "7", "--price", "1.234"], "--price: must be an amount from 0 to 99999999.99 with at most two decimals, like 12.50"),
    (["product", "change", "7", "--price", "100000000"],
     "--price: must be an amount from 0 to 99999999.99 with at most two decimals, like 12.50"),
    (["product", "change", "7", "--price", "12,50"], "--price: must be an amount from 0 to 99999999.99 with at most two decimals, like 12.50"),
    (["product", "change", "7", "--stock", "-1"], "--stock: must be a whole number from 0 to 2147483647, or none (not counted)"),
    (["product", "change", "7", "--stock", "2147483648"], "--stock: must be a whole number from 0 to 2147483647, or none (not counted)"),
    (["product", "change", "7", "--unit", "x" * 21], "--unit: must be 1 to 20 characters"),
    (["product", "change", "7", "--description", "x" * 1001], "--description: must be 1 to 1000 characters"),
    (["token", "create", "--user", "1", "--ttl", "0"], "--ttl: must be a whole number from 1 to 31536000"),
    (["token", "create", "--user", "1", "--ticket=yes"], "--ticket: takes no value"),
    (["check", "all"], '"all": unexpected argument'),
    (["conf", "--db"], "--db: there is no such option, or more than one that begins so"),
])
def test_wrong_usage(cli, argv, fault):
    mode = argv[0] if argv[0] in ("check", "conf") else " ".join(argv[:2])
    assert cli.bad(USAGE, *argv) == [f"pickup {mode}: {fault}"]


def test_a_value_that_needs_one_at_the_end(cli):
    assert cli.bad(USAGE, "user", "list", "--params", cli.params, "--after", params="") == ["pickup user list: --after: needs a value"]


def test_what_may_be_a_password_is_not_repeated(cli):
    lines = cli.bad(USAGE, "user", "create", "--password=hunter2hunter2", "--password-stdin=hunter2hunter2")
    assert "hunter2" not in "\n".join(lines)


def test_faults_of_options_and_settings_come_together(cli):
    bad = f"{cli.dir}/bad.params"
    with open(bad, "w") as f:
        f.write("# a comment\nfastcgi_param PICKUP_BODY_MAX 12;\n")
    lines = cli.bad(USAGE, "shop", "create", "--currency", "x", "--timezone", "Mars/Base", params=bad)
    assert any(line.startswith(f"{bad}:2: ") for line in lines), lines
    for name in ("currency", "timezone", "owner", "name"):
        assert any(line.startswith(f"pickup shop create: --{name}: ") for line in lines), lines


def test_settings_that_are_bad_or_missing(cli):
    bad = cli.write_settings("bad2.params", PICKUP_BODY_MAX="12")
    assert any(line.startswith(f"{bad}:") for line in cli.bad(CONFIG, "user", "list", params=bad))
    cli.bad(CONFIG, "user", "list", params=f"{cli.dir}/nowhere")
    cli.bad(CONFIG, "conf", params=f"{cli.dir}/nowhere")
    cli.bad(CONFIG, "user", "list", env={"PICKUP_BODY_MAX": "x"})


def test_the_database_away(cli):
    away = f"{cli.dir}/away.cnf"
    mariadb.write_private(away, f"[pickup]\nsocket={cli.dir}/nobody\nuser=x\ndatabase=pickup\n")
    params, said = cli.write_settings("away.params", PICKUP_DB_OPTION_FILE=away), []
    for argv in (["user", "create", "--name", "x", "--phone", phone(), "--role", "admin"], ["user", "change", 1, "--name", "x"],
                 ["shop", "create", "--owner", 1, "--name", "x"], ["product", "change", 1, "--price", 1], ["token", "create", "--user", 1]):
        assert proc.quickest(lambda: said.append(cli.bad(AWAY, *argv, params=params)[-1]), 5) < 5 and "can't be reached" in said[-1]


# users

def test_user_create_and_list(cli):
    number = phone()
    spaced = f"({number[:3]}) {number[3:7]}-{number[7:]}".replace("(+", "+").replace(")", "")
    id = cli.id("user", "create", "--name", "  Asha Räo ", "--phone", spaced, "--role", "shopkeeper", "--email", "asha@example.org")
    row = cli.user_row(id)
    assert row.pop("created_at").endswith("+00:00")
    assert row == {"id": str(id), "full_name": "Asha Räo", "phone_number": number, "email": "asha@example.org", "role": "shopkeeper",
                   "is_active": "yes", "has_password": "no"}


def test_a_phone_number_belongs_to_one_user(cli):
    number = phone()
    make = ["user", "create", "--name", "x", "--role", "customer", "--phone"]
    cli.id(*make, number)
    taken = "--phone: another user has this number already"
    assert cli.bad(BAD_DATA, *make, " ".join(number)) == [f"pickup user create: {taken}"]
    other = cli.user()
    before = cli.user_row(other)
    assert cli.bad(BAD_DATA, "user", "change", other, "--phone", number, "--name", "y") == [f"pickup user change: {taken}"]
    assert cli.user_row(other) == before


def test_user_change_changes_what_is_given_and_no_more(cli):
    id = cli.user("--email", "a@b")
    before = cli.user_row(id)
    assert cli.good("user", "change", id, "--role", "admin") == ""
    assert cli.user_row(id) == {**before, "role": "admin"}
    number = phone()
    cli.good("user", "change", "--active", "no", "--name", "Other", "--email", "", "--phone", number, id)
    assert cli.user_row(id) == {**before, "role": "admin", "is_active": "no", "full_name": "Other", "email": "", "phone_number": number}
    cli.good("user", "change", id, "--active", "yes", "--email", "c@d")
    assert cli.user_row(id) == {**before, "role": "admin", "full_name": "Other", "email": "c@d", "phone_number": number}
    cli.good("user", "change", id, "--email", "c@d")		# what holds already is no fault


def test_a_user_that_does_not_exist(cli):
    assert cli.bad(BAD_DATA, "user", "change", 10 ** 9, "--name", "x") == ["pickup user change: ID: there is no user 1000000000"]


def test_password(cli):
    id = cli.id("user", "create", "--name", "x", "--phone", phone(), "--role", "customer", "--password-stdin",
                stdin="correct horse\nbattery\n")
    row = cli.user_row(id)
    assert row["has_password"] == "yes"

    def hash_of():
        return cli.db.sql(f"SELECT password_hash FROM users WHERE id = {id}")[0][0]

    def logs_in(password):
        done = cli.run("request", "--body", '{"phone_number": "%s", "password": "%s"}' % (row["phone_number"], password),
                       "POST", "/api/v1/auth/login")
        return done.returncode == 0

    assert hash_of().startswith("$argon2id$")
    assert logs_in("correct horse") and not logs_in("correct horse\\nbattery")
    first = hash_of()
    cli.good("user", "change", id, "--name", "y")
    assert hash_of() == first
    cli.good("user", "change", id, "--password-stdin", stdin="another one\r\n")
    assert hash_of() != first and logs_in("another one") and not logs_in("correct horse")


@pytest.mark.parametrize("stdin, why", [("short\n", "the password must be 8 to 200 characters"), ("\n", "the password must be 8 to 200"),
                                        ("x" * 201, "the password must be 8 to 200"), ("12345678\x01\n", "the password must not contain control"),
                                        ("", "standard input holds no line")])
def test_bad_passwords(cli, stdin, why):
    number = phone()
    lines = cli.bad(BAD_DATA, "user", "create", "--name", "x", "--phone", number, "--role", "customer", "--password-stdin", stdin=stdin)
    assert lines[0].startswith(f"pickup user create: --password-stdin: {why}") and len(lines) == 1
    assert not cli.db.sql(f"SELECT id FROM users WHERE phone_number = '{number}'")


def test_user_list_is_whole_and_in_order(cli):
    first = cli.user()
    cli.db.sql("INSERT INTO users (full_name, phone_number, role, created_at) SELECT CONCAT('u', seq), CONCAT('99', 100000 + seq),"
               " 'customer', '2026-01-01' FROM seq_1_to_450")
    ids = [int(row["id"]) for row in cli.rows("user", "list", "--after", first)]
    assert len(ids) == 450 and ids == sorted(ids) and ids[0] == first + 1
    assert [int(r["id"]) for r in cli.rows("user", "list", "--after", first, "--limit", 201)] == ids[:201]
    assert [int(r["id"]) for r in cli.rows("user", "list", "--after", first, "--limit", 200)] == ids[:200]
    assert [int(r["id"]) for r in cli.rows("user", "list", "--after", first, "--limit", 1)] == ids[:1]
    assert cli.rows("user", "list", "--after", ids[-1]) == []


def test_cells_cannot_break_a_table(cli):
    id = cli.user()
    cli.db.sql(f"UPDATE users SET full_name = 'a\\tb\\nc\\\\d\\x1b[2J' WHERE id = {id}".replace("\\x1b", "\x1b"))
    assert cli.user_row(id)["full_name"] == "a\\tb\\nc\\\\d\\x1b[2J"


# shops and products

def test_shop_create_list_change(cli):
    owner = cli.user(role="shopkeeper")
    id = cli.id("shop", "create", "--owner", owner, "--name", "Corner", "--timezone", "Asia/Kolkata", "--currency", "EUR",
                "--address", "1 Main Road\nBengaluru", "--phone", "+91 80 2222 3333")

    def row():
        found = cli.rows("shop", "list", "--before", id + 1, "--limit", 1)[0]
        assert found["id"] == str(id)
        return found

    before = row()
    stamps = {"created_at": before["created_at"], "updated_at": before["updated_at"]}
    assert before == {"id": str(id), "owner_id": str(owner), "name": "Corner", "timezone": "Asia/Kolkata", "currency": "EUR",
                      "address": "1 Main Road\\nBengaluru", "phone_number": "+918022223333", "is_active": "yes", **stamps}
    other = cli.user(role="admin")
    cli.good("shop", "change", id, "--active", "no", "--address", "", "--owner", other, "--timezone", "Europe/Berlin")
    after = row()		# a list has inactive shops too
    assert {**after, "updated_at": ""} == {**before, "is_active": "no", "address": "", "owner_id": str(other),
                                           "timezone": "Europe/Berlin", "updated_at": ""}
    cli.good("shop", "change", id, "--phone", "", "--name", "New", "--currency", "USD", "--active", "yes")
    assert {**row(), "updated_at": ""} == {**after, "phone_number": "", "name": "New", "currency": "USD", "is_active": "yes", "updated_at": ""}


def test_shop_defaults(cli):
    id = cli.shop()
    row = cli.rows("shop", "list", "--before", id + 1, "--limit", 1)[0]
    assert (row["timezone"], row["currency"], row["address"], row["phone_number"], row["is_active"]) == ("UTC", "INR", "", "", "yes")


def test_an_owner_must_be_able_to_act(cli):
    customer, gone = cli.user(), cli.user(role="shopkeeper")
    cli.good("user", "change", gone, "--active", "no")
    whys = {10 ** 9: "there is no user 1000000000", gone: f"user {gone} is not active",
            customer: f"user {customer} is a customer; `pickup user change {customer} --role shopkeeper` first"}
    id = cli.shop()
    count = len(cli.rows("shop", "list"))
    for owner, why in whys.items():
        assert cli.bad(BAD_DATA, "shop", "create", "--owner", owner, "--name", "x") == [f"pickup shop create: --owner: {why}"]
        assert cli.bad(BAD_DATA, "shop", "change", id, "--owner", owner) == [f"pickup shop change: --owner: {why}"]
    assert len(cli.rows("shop", "list")) == count
    assert cli.bad(BAD_DATA, "shop", "change", 10 ** 9, "--name", "x") == ["pickup shop change: ID: there is no shop 1000000000"]


def test_product_create_list_change(cli):
    shop = cli.shop()
    id = cli.id("product", "create", "--shop", shop, "--name", "Rice", "--price", "12.5", "--stock", 7, "--unit", "kg", "--description", "Basmati")
    plain = cli.id("product", "create", "--shop", shop, "--name", "Salt", "--price", "0")

    def rows():
        return {int(r["id"]): r for r in cli.rows("product", "list", "--shop", shop)}

    assert list(rows()) == [plain, id]
    before = rows()[id]
    assert {**before, "created_at": "", "updated_at": ""} == {
        "id": str(id), "shop_id": str(shop), "name": "Rice", "price": "12.50", "stock": "7", "unit": "kg", "description": "Basmati",
        "is_active": "yes", "created_at": "", "updated_at": ""}
    assert (rows()[plain]["price"], rows()[plain]["stock"], rows()[plain]["unit"]) == ("0.00", "none", "")

    def change(*argv, **expected):
        old = rows()[id]
        cli.good("product", "change", id, *argv)
        assert {**rows()[id], "updated_at": ""} == {**old, "updated_at": "", **expected}

    change("--price", "99999999.99", price="99999999.99")		# and the stock stays what it is
    change("--stock", "none", stock="none")
    change("--price", "1", price="1.00")
    change("--stock", "0", stock="0")
    change("--active", "no", "--unit", "", "--description", "", "--name", "Rice, old", is_active="no", unit="", description="", name="Rice, old")
    change("--stock", "2147483647", "--active", "yes", stock="2147483647", is_active="yes")


def test_products_of_what_does_not_exist(cli):
    assert cli.bad(BAD_DATA, "product", "create", "--shop", 10 ** 9, "--name", "x", "--price", 1) == [
        "pickup product create: --shop: there is no shop 1000000000"]
    assert cli.bad(BAD_DATA, "product", "list", "--shop", 10 ** 9) == ["pickup product list: --shop: there is no shop 1000000000"]
    assert cli.bad(BAD_DATA, "product", "change", 10 ** 9, "--name", "x") == ["pickup product change: ID: there is no product 1000000000"]


def test_long_lists_are_whole(cli):
    shop, other = cli.shop(), cli.shop()
    for id in (shop, other):
        cli.db.sql(f"INSERT INTO products (shop_id, name, price, is_active, created_at, updated_at) SELECT {id}, CONCAT('p', seq), 1, seq % 2,"
                   " '2026-01-01', '2026-01-01' FROM seq_1_to_401")
    ids = [int(r["id"]) for r in cli.rows("product", "list", "--shop", shop)]
    assert len(ids) == 401 and ids == sorted(ids, reverse=True)
    assert [int(r["id"]) for r in cli.rows("product", "list", "--shop", shop, "--before", ids[99], "--limit", 250)] == ids[100:350]


# tokens

def test_token(cli):
    id = cli.user(role="shopkeeper")
    now = time.time()
    claims = jwt.decode(cli.good("token", "create", "--user", id).strip(), cli.key, algorithms=["HS256"])
    assert claims["sub"] == str(id) and claims["role"] == "shopkeeper" and abs(claims["exp"] - now - 43200) < 30
    claims = jwt.decode(cli.good("token", "create", "--user", id, "--ttl", "90").strip(), cli.key, algorithms=["HS256"])
    assert abs(claims["exp"] - now - 90) < 30


def test_ticket_is_no_token(cli):
    id = cli.user()
    ticket = cli.good("token", "create", "--user", id, "--ticket").strip()
    claims = jwt.decode(ticket, options={"verify_signature": False})
    assert claims["sub"] == str(id) and 0 < claims["exp"] - time.time() <= 61
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(ticket, cli.key, algorithms=["HS256"])
    assert cli.run("request", "--token", ticket, "GET", "/api/v1/orders/me").returncode == 1
    assert cli.run("request", "--token", cli.good("token", "create", "--user", id).strip(), "GET", "/api/v1/orders/me").returncode == 0


def test_no_token_for_the_unknown_or_inactive(cli):
    id = cli.user()
    cli.good("user", "change", id, "--active", "no")
    assert cli.bad(BAD_DATA, "token", "create", "--user", id) == [f"pickup token create: --user: user {id} is not active"]
    assert cli.bad(BAD_DATA, "token", "create", "--user", 10 ** 9) == ["pickup token create: --user: there is no user 1000000000"]


def test_no_token_without_a_key_to_make_it(cli):
    open_to_all = f"{cli.dir}/open.key"
    with open(open_to_all, "wb") as f:
        f.write(cli.key)
    os.chmod(open_to_all, 0o644)
    for path in (open_to_all, f"{cli.dir}/nowhere.key"):
        params = cli.write_settings("key.params", PICKUP_TOKEN_KEY_FILE=path)
        lines = cli.bad(CONFIG, "token", "create", "--user", 1, params=params)
        assert path in lines[-1] and cli.key.decode() not in "\n".join(lines)


# conf

def test_conf_prints_what_is_in_force(cli):
    lines = dict(line.split("=", 1) for line in cli.good("conf").splitlines())
    assert lines["PICKUP_TOKEN_KEY_FILE"] == f"{cli.dir}/token.key" and lines["PICKUP_RELAY_POLL_MS"] == "50"
    lines = dict(line.split("=", 1) for line in cli.good("conf", env={"PICKUP_RELAY_POLL_MS": "77"}).splitlines())
    assert lines["PICKUP_RELAY_POLL_MS"] == "77"


def test_a_right_that_restored_needs(cli):
    cli.db.sql("CREATE USER writer@localhost IDENTIFIED BY 'p'; GRANT SELECT, INSERT, UPDATE, DELETE ON pickup.* TO writer@localhost", database="")
    try:
        mariadb.write_private(f"{cli.dir}/writer.cnf", f"[pickup]\nsocket={cli.dir}/db/sock\nuser=writer\npassword=p\ndatabase=pickup\n")
        said = cli.bad(78, "restored", params=cli.write_settings("writer.params", PICKUP_DB_OPTION_FILE=f"{cli.dir}/writer.cnf"))
    finally:
        cli.db.sql("DROP USER writer@localhost", database="")
    assert "right to ALTER" in said[-1]


@pytest.mark.parametrize("argv", [("user", "list"), ("shop", "list"), ("restored",), ("token", "create", "--user", "1")])
def test_tables_that_are_too_old_are_told_with_their_cure(cli, argv):
    """As after a backup of an older version was restored."""
    cli.db.sql("CREATE DATABASE IF NOT EXISTS older CHARACTER SET utf8mb4; GRANT ALL ON older.* TO pickup@localhost", database="")
    with open(f"{cli.dir}/db/pickup.cnf") as f:
        mariadb.write_private(f"{cli.dir}/older.cnf", f.read().replace("database=pickup", "database=older"))
    params = cli.write_settings("older.params", PICKUP_DB_OPTION_FILE=f"{cli.dir}/older.cnf")
    assert "run `pickup migrate`" in cli.bad(78, *argv, params=params)[-1]
