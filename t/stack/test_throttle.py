"""How often passwords may be tried, and that nobody learns from it who has an account; another password."""
import pytest

from lib import check, proc
from lib.api import phone
from lib.clocked import Clocked
from lib.http import FcgiClient
from lib.together import together

PASSWORD, OTHER = "correct horse battery", "another horse battery"
TRIES = 10


@pytest.fixture(scope="module")
def own(make_api):
    """With the settings' defaults, and more workers than tries. Their clock stands: no wait of a second is over before it was seen."""
    made = Clocked(make_api("throttle", {"PICKUP_LOGIN_TRIES": "10"}, workers=1), "throttle", count=14)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def today(own):
    """Whatever another test did with the clock: tokens of the command line are good for an hour of everybody's."""
    own.now()


_addresses = iter(f"10.{a}.{b}.1" for a in range(256) for b in range(256))


class Place:
    """Somewhere to call from: an address that no other test has, or a certain one."""

    def __init__(self, api, address=None, **settings):
        self.address = next(_addresses) if address is None else address
        self.call = FcgiClient(api.workers.path, {**api.settings, **settings, "REMOTE_ADDR": self.address})

    def login(self, number, password=PASSWORD):
        return self.call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": password})

    def register(self, number=None, password=PASSWORD, role="customer"):
        number = number or phone()
        check.ok(self.call("POST", "/api/v1/auth/register", json={
            "full_name": "Kiran Kumar", "phone_number": number, "password": password, "role": role}), 201)
        return number

    def fail(self, number, times):
        for _ in range(times):
            check.problem(self.login(number, "wrong"), 401, "unauthorized")

    def use_up(self, number):
        self.fail(number, TRIES)


def made(api):
    """The number of somebody who has never signed in from anywhere."""
    number = phone()
    api.tools.run("user", "create", "--name", "x", "--phone", number, "--role", "customer", "--password-stdin", stdin=PASSWORD.encode() + b"\n")
    return number


def wait(answer):
    check.problem(answer, 429, "rate_limited")
    return int(answer.header("Retry-After"))


# --- by number

@pytest.mark.parametrize("who", ["made", "registered here", "registered elsewhere", "nobody", "no number"])
def test_each_try_waits_twice_as_long(own, who):
    place = Place(own)
    number = {"made": lambda: made(own), "registered here": place.register, "registered elsewhere": Place(own).register, "nobody": phone,
              "no number": lambda: "call me"}[who]()
    place.use_up(number)
    for expected in (1, 2, 4, 8, 16, 32, 60, 60):
        for password in (PASSWORD, "wrong"):      # the right one waits as well, and waiting costs nothing
            assert wait(place.login(number, password)) == expected
        own.later(expected - 1)
        assert wait(place.login(number)) == 1
        own.later(1)
        place.fail(number, 1)
    own.later(60)
    if who in ("nobody", "no number"):
        place.fail(number, 1)
    else:
        assert place.login(number).status == 200
        place.fail(number, TRIES)
        assert wait(place.login(number)) == 1


def test_a_right_one_ends_it(own):
    number, place = made(own), Place(own)
    for _ in range(3):
        place.fail(number, TRIES - 1)
        assert place.login(number).status == 200


def test_a_quarter_of_an_hour_ends_it(own):
    number, place = phone(), Place(own)
    place.use_up(number)
    wait(place.login(number))
    own.later(15 * 60)
    place.use_up(number)
    assert wait(place.login(number)) == 1


@pytest.mark.parametrize("spelt", ["{0}", " {0} ", "{1} {2}", "{1}-{2}", "{1} ({2})"])
def test_spellings_of_a_number_are_one(own, spelt):
    number = phone()
    Place(own).use_up(number)
    wait(Place(own).login(spelt.format(number, number[:4], number[4:])))


def test_from_everywhere(own):
    """One number from many addresses."""
    number = made(own)
    for _ in range(TRIES):
        Place(own).fail(number, 1)
    assert wait(Place(own).login(number)) == 1


def test_nobody_can_lock_an_owner_out(own):
    home, attacker = Place(own), Place(own)
    registered, signed_in = home.register(), made(own)
    assert home.login(signed_in).status == 200
    for number in (registered, signed_in):
        attacker.use_up(number)
        wait(attacker.login(number))
        attacker = Place(own)
        for _ in range(3):
            assert home.login(number).status == 200
        # nor does that help the attacker
        wait(attacker.login(number))
        # what goes wrong at home is counted there
        home.use_up(number)
        wait(home.login(number))


# --- by address

def test_many_numbers_from_one_address(own):
    place, last = Place(own), made(own)
    for _ in range(TRIES):
        place.fail(phone(), 1)
    assert wait(place.login(last)) == 1
    assert Place(own).login(last).status == 200


def test_an_account_of_ones_own_does_not_help(own):
    """Who tries many numbers can't begin anew by signing in."""
    place = Place(own)
    mine = place.register()
    for _ in range(TRIES):
        place.fail(phone(), 1)
        assert place.login(mine).status == 200
    wait(place.login(phone()))
    assert place.login(mine).status == 200


def test_accounts_from_elsewhere_do_not_help_either(own):
    """Nor by signing in for the first time with accounts that were made for that: each takes back its own try alone."""
    place = Place(own)
    for _ in range(TRIES):
        place.fail(phone(), 1)
        own.later(60)
        assert place.login(made(own)).status == 200
    wait(place.login(phone()))


@pytest.mark.parametrize("one, other, is_same", [
    ("2001:db8:0:7::1", "2001:db8:0:7:ffff::2", True), ("2001:db8:0:8::1", "2001:db8:0:9::1", False),
    ("198.51.100.1", "::ffff:198.51.100.1", True), ("198.51.100.2", "198.51.100.3", False),
])
def test_which_addresses_are_one(own, one, other, is_same):
    for _ in range(TRIES):
        Place(own, one).fail(phone(), 1)
    assert Place(own, other).login(phone(), "wrong").status == (429 if is_same else 401)


@pytest.mark.parametrize("address", ["unix:", "", "garbage", "1.2.3.4, 5.6.7.8"])
def test_without_an_address(own, address):
    """Then only numbers count, and nobody stands for all the others."""
    place, number = Place(own, address), made(own)
    for _ in range(TRIES + 2):
        place.fail(phone(), 1)
    assert place.login(number).status == 200
    place.use_up(number)
    wait(place.login(number))


# --- at once

def test_a_hundred_at_once(own):
    """Not one more than the settings say gets to be compared."""
    for number, place in ((made(own), Place(own)), (phone(), Place(own)), ((home := Place(own)).register(), home)):
        statuses = [a.status for a in together([lambda: place.login(number, "wrong")] * 100)]
        assert (statuses.count(401), statuses.count(429)) == (TRIES, 100 - TRIES)


def test_a_hundred_numbers_at_once(own):
    place = Place(own)
    statuses = [a.status for a in together([lambda: place.login(phone(), "wrong")] * 100)]
    assert (statuses.count(401), statuses.count(429)) == (TRIES, 100 - TRIES)


def test_right_ones_at_once(own):
    """A try counts until it is known to be right, so there may be as many of them as wrong ones."""
    number, place = made(own), Place(own)
    for wrong in range(5):
        place.fail(number, wrong)
        assert {a.status for a in together([lambda: place.login(number)] * (TRIES - wrong))} == {200}


# --- what can be learnt

@pytest.fixture()
def one(own):
    """A worker that nobody else asks."""
    made = Clocked(own.api, "one", count=1)
    yield made
    made.stop()


def costly(api):
    """Where comparing takes its time, so that it can be told from chance."""
    return Place(api, PICKUP_PASSWORD_MEMORY_KIB="65536", PICKUP_PASSWORD_PASSES="2", PICKUP_LOGIN_TRIES="1000000")


def cost(api, call):
    """How long the worker computes for it, in seconds: what else the machine does is not counted, but for what it makes slower."""
    pid, = (process.pid for process in api.workers.processes)

    def computed():
        """Once it waits for the next request: an answer is there before its worker is done."""
        proc.wait_for(lambda: proc.is_asleep(pid), 10, "an idle worker", pause=0.001)
        with open(f"/proc/{pid}/schedstat") as f:
            return int(f.read().split()[0]) / 10 ** 9
    before = computed()
    call()
    return computed() - before


def test_an_unknown_number_costs_as_much(one):
    place = costly(one)
    known = place.register()
    elsewhere = costly(one).register()
    least = dict.fromkeys(("known", "elsewhere", "unknown", "no number"), 60)
    # The least of each comes closer to what it costs with every round.
    for n in range(200):
        for name, number in (("known", known), ("elsewhere", elsewhere), ("unknown", phone()), ("no number", "x")):
            least[name] = min(least[name], cost(one, lambda: check.problem(place.login(number, "wrong"), 401, "unauthorized")))
        if n > 3 and max(least.values()) < 1.2 * min(least.values()):
            break
    assert min(least.values()) > 0.02 and max(least.values()) < 1.2 * min(least.values()), least


def test_refused_before_it_is_compared(one):
    place = costly(one)
    number = place.register()
    compared = min(cost(one, lambda: place.login(number, "wrong")) for _ in range(5))
    one.db.sql(f"UPDATE login_failures SET failures = 2000000 WHERE at = '1970-01-01' + INTERVAL {one.time} SECOND")
    refused = min(cost(one, lambda: wait(place.login(number))) for _ in range(5))
    assert refused < compared / 3, (refused, compared)


def test_nothing_can_be_read_out_of_the_table(own):
    place = Place(own, "203.0.113.77")
    number = place.register()
    place.fail(number, 1)
    place.fail(phone(), 1)
    for kind, subject in own.db.sql("SELECT kind, subject FROM login_failures"):
        assert len(subject) == 32 and set(subject) <= set("0123456789abcdef"), (kind, subject)


def test_hashing_may_take_longer_than_the_database(own):
    """A request's deadline is for the database, not for the hash."""
    place = Place(own, PICKUP_PASSWORD_MEMORY_KIB="262144", PICKUP_PASSWORD_PASSES="4", PICKUP_REQUEST_DEADLINE_MS="300")
    number = place.register()
    answer = place.login(number)
    token = check.ok(answer)["access_token"]
    check.ok(place.call("POST", "/api/v1/auth/password", token, json={"current_password": PASSWORD, "new_password": OTHER}))


# --- settings, and what is old

def test_the_settings(own):
    place = Place(own, PICKUP_LOGIN_TRIES="2", PICKUP_LOGIN_WAIT_MAX_S="3")
    number = phone()
    place.fail(number, 2)
    for expected in (1, 2, 3, 3):
        assert wait(place.login(number)) == expected
        own.later(expected)
        place.fail(number, 1)
    assert Place(own, place.address, PICKUP_LOGIN_TRIES="1000").login(number, "wrong").status == 401


def test_the_relay_forgets(make_api):
    api = make_api("forgets")
    api.db.sql("INSERT INTO login_failures VALUES (1, 'old', 9, UTC_TIMESTAMP(6) - INTERVAL 16 MINUTE), (2, 'old', 9, UTC_TIMESTAMP(6) - INTERVAL 16 MINUTE),"
               " (3, 'old', 9, UTC_TIMESTAMP(6) - INTERVAL 91 DAY), (1, 'new', 9, UTC_TIMESTAMP(6)), (2, 'new', 9, UTC_TIMESTAMP(6)),"
               " (3, 'new', 9, UTC_TIMESTAMP(6) - INTERVAL 89 DAY)")
    proc.stop(api.relay)
    api.start_relay()
    proc.wait_for(lambda: api.db.sql("SELECT COUNT(*) FROM login_failures WHERE subject = 'old'") == [["0"]], 10, "what is old to go")
    assert api.db.sql("SELECT COUNT(*) FROM login_failures") == [["3"]]


# --- another password

class Account:
    """Somebody who has registered and signed in, each from a place of their own."""

    def __init__(self, api):
        self.place = Place(api)
        self.number = self.place.register()
        self.signed_in = check.ok(self.place.login(self.number))
        self.token = self.signed_in["access_token"]

    def renew(self, token=None, place=None, **members):
        body = {"current_password": PASSWORD, "new_password": OTHER, **members}
        return (place or self.place).call("POST", "/api/v1/auth/password", token or self.token, json={n: v for n, v in body.items() if v is not ...})

    def me(self, token):
        return self.place.call("GET", "/api/v1/orders/me", token).status


def test_another_password(own):
    who = Account(own)
    second = who.place.login(who.number).json()["access_token"]
    answer = who.renew()
    value = check.ok(answer)
    assert list(value) == list(who.signed_in) and {**value, "access_token": 0} == {**who.signed_in, "access_token": 0}
    assert answer.header("Cache-Control") == "no-store"
    assert (who.me(value["access_token"]), who.me(who.token), who.me(second)) == (200, 401, 401)
    check.problem(who.place.login(who.number), 401, "unauthorized")
    assert who.place.login(who.number, OTHER).status == 200


def test_it_closes_what_is_open(make_api):
    api = make_api("renewed", {"PICKUP_LOGIN_TRIES": "10"})
    api.relay.kill()
    api.relay.wait()
    who = Account(api)
    check.ok(who.renew())
    assert api.db.sql("SELECT channel_kind, channel_id FROM channel_closes") == [["2", str(who.signed_in["user_id"])]]


@pytest.mark.parametrize("members, expected", [
    ({"current_password": ...}, ["current_password"]), ({"new_password": ...}, ["new_password"]), ({"current_password": ..., "new_password": ...}, ["current_password", "new_password"]),
    ({"current_password": 7}, ["current_password"]), ({"current_password": None}, ["current_password"]), ({"current_password": "x" * 2000}, ["current_password"]),
    ({"current_password": "a\x00"}, ["current_password"]), ({"current_password": ""}, ["current_password"]),
    ({"new_password": "short"}, ["new_password"]), ({"new_password": ""}, ["new_password"]), ({"new_password": 12345678}, ["new_password"]), ({"new_password": "x" * 201}, ["new_password"]),
    ({"new_password": "\x07" * 9}, ["new_password"]), ({"current_password": [], "new_password": "short"}, ["current_password", "new_password"]),
    ({"current_password": "wrong"}, ["current_password"]), ({"current_password": PASSWORD + " "}, ["current_password"]), ({"current_password": PASSWORD.upper()}, ["current_password"]),
])
def test_passwords_that_will_not_do(own, members, expected):
    who = Account(own)
    assert check.faults(who.renew(**members)) == expected
    assert who.me(who.token) == 200 and who.place.login(who.number).status == 200


def test_a_wrong_current_one_is_counted(own):
    """A stolen token is no way around: neither for the thief, nor for the count of log-ins."""
    who, thief = Account(own), Place(own)
    for n in range(TRIES):
        assert check.faults(who.renew(place=thief, current_password=f"guess {n}")) == ["current_password"]
    assert wait(who.renew(place=thief)) == 1
    assert wait(thief.login(who.number)) == 1
    # what can't be a new password is told without a try
    assert check.faults(who.renew(place=thief, new_password="x")) == ["new_password"]
    check.ok(who.renew())


def test_without_a_password(own):
    """Somebody who signs in elsewhere has none to change."""
    number, place = phone(), Place(own)
    user = own.tools.created_id("user", "create", "--name", "x", "--phone", number, "--role", "customer")
    answer = place.call("POST", "/api/v1/auth/password", own.tools.token(user, "customer"), json={"current_password": "", "new_password": OTHER})
    assert check.faults(answer) == ["current_password"]
    unknown = place.call("POST", "/api/v1/auth/password", own.tools.token(10 ** 15, "customer"), json={"current_password": "", "new_password": OTHER})
    check.problem(unknown, 404, "not_found")


def test_two_at_once(own):
    """One of them wins, and its token alone is good."""
    for _ in range(3):
        who = Account(own)
        passwords = [f"another horse {n}" for n in range(5)]
        answers = together([lambda p=p: who.renew(new_password=p) for p in passwords])
        won = [p for p, a in zip(passwords, answers) if a.status == 200]
        assert len(won) == 1 and {a.status for a in answers} <= {200, 401, 422}, answers
        assert [p for p in [PASSWORD, *passwords] if who.place.login(who.number, p).status == 200] == won
        assert [who.me(a.json()["access_token"]) for a in answers if a.status == 200] == [200]


def test_signing_in_with_the_old_one_meanwhile(own):
    """Whatever the old password got, it is void once the new one is set."""
    for _ in range(5):
        who, tokens = Account(own), []

        def sign_in():
            answer = who.place.login(who.number)
            if answer.status == 200:
                tokens.append(answer.json()["access_token"])
            return answer
        answers = together([sign_in] * 4 + [who.renew] + [sign_in] * 4)
        assert {a.status for a in answers} <= {200, 401, 429}
        assert answers[4].status == 200
        for token in tokens:
            assert who.me(token) == 401
        assert who.me(answers[4].json()["access_token"]) == 200
