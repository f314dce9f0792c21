"""Orders against a shop's calendar: hours, lead, days ahead, last order, pause, slots; what is refused and what is offered instead."""
import concurrent.futures
import datetime
import itertools

import pytest

from lib import check
from lib.clocked import Clocked
from lib.together import together

case = pytest.param
BERLIN = "Europe/Berlin"
WEEK = {day: [["09:00", "13:00"], ["17:00", "02:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture(scope="module")
def at(api):
    """Workers that live where a test says; 2026-03-02 is a Monday."""
    clocked = Clocked(api, "hours")
    yield clocked
    clocked.stop()


@pytest.fixture
def shop(at):
    at.now()
    return at.tools.shop(("1.00", None), timezone=BERLIN)


@pytest.fixture(scope="module")
def customer(api):
    return api.tools.user()


def pre_order(at, customer, shop, time):
    return at.post(customer, shop, order_type="pre_order", scheduled_pickup_time=time)


def refused(answer, code):
    problem = check.problem(answer, 409, code)
    for time in problem.get("alternatives", []):
        check.time(time)
    return problem


def test_everything_is_off_at_first(at, shop, customer):
    at.at("2026-03-02T03:00 Europe/Berlin")
    check.created(at.post(customer, shop))
    check.created(pre_order(at, customer, shop, "2031-07-01T04:00:01+02:00"))


def test_instant_orders_keep_the_hours(at, shop, customer):
    at.set(shop, opening_hours=WEEK)
    for time, opens in (("2026-03-02T08:59:59", "2026-03-02T09:00:00+01:00"), ("2026-03-02T13:00", "2026-03-02T17:00:00+01:00"),
                        ("2026-03-03T02:00", "2026-03-03T09:00:00+01:00"), ("2026-03-07T02:00", "2026-03-09T09:00:00+01:00")):
        at.at(f"{time} {BERLIN}")
        problem = refused(at.post(customer, shop), "shop_closed")
        assert problem["opens_at"] == opens, time
        found = check.ok(at.call("GET", f"/api/v1/shops/{shop.id}"))
        assert (found["is_open"], found["opens_at"]) == (False, opens)
    for time in ("2026-03-02T09:00", "2026-03-02T12:59:59", "2026-03-02T17:00", "2026-03-03T01:59:59", "2026-03-07T01:59:59"):
        at.at(f"{time} {BERLIN}")
        check.created(at.post(customer, shop))


def test_the_last_order(at, shop, customer):
    at.set(shop, opening_hours={"mon": [["09:00", "13:00"]]}, last_order_minutes=30)
    at.at("2026-03-02T12:30:00 Europe/Berlin")
    check.created(at.post(customer, shop))
    at.at("2026-03-02T12:30:01 Europe/Berlin")
    assert refused(at.post(customer, shop), "shop_closed")["opens_at"] == "2026-03-09T09:00:00+01:00"
    check.created(pre_order(at, customer, shop, "2026-03-09T12:30:00+01:00"))
    refused(pre_order(at, customer, shop, "2026-03-09T12:30:01+01:00"), "outside_hours")


def test_never_open(at, shop, customer):
    at.set(shop, opening_hours={})
    assert refused(at.post(customer, shop), "shop_closed")["opens_at"] is None
    at.at("2026-03-02T10:00 Europe/Berlin")
    assert refused(pre_order(at, customer, shop, "2026-03-03T10:00:00+01:00"), "outside_hours")["alternatives"] == []


@pytest.mark.parametrize("time, code, alternatives", [
    case("2026-03-02T10:59:00+01:00", "too_soon", ["2026-03-02T11:00:00+01:00", "2026-03-02T11:15:00+01:00", "2026-03-02T11:30:00+01:00"], id="too soon"),
    case("2026-03-02T13:00:00+01:00", "outside_hours", ["2026-03-02T17:00:00+01:00", "2026-03-02T17:15:00+01:00", "2026-03-02T17:30:00+01:00"], id="the end"),
    case("2026-03-03T02:00:00+01:00", "outside_hours", ["2026-03-03T09:00:00+01:00", "2026-03-03T09:15:00+01:00", "2026-03-03T09:30:00+01:00"], id="after midnight"),
    case("2026-03-08T12:00:00+01:00", "outside_hours", ["2026-03-09T09:00:00+01:00", "2026-03-09T09:15:00+01:00", "2026-03-09T09:30:00+01:00"], id="Sunday"),
    case("2026-03-10T10:00:00+01:00", "too_far", ["2026-03-10T01:15:00+01:00", "2026-03-10T01:30:00+01:00", "2026-03-10T01:45:00+01:00"], id="too far"),
    case("2026-03-10T00:00:00+01:00", "too_far", ["2026-03-09T23:15:00+01:00", "2026-03-09T23:30:00+01:00", "2026-03-09T23:45:00+01:00"], id="the next midnight"),
])
def test_pre_orders_that_are_refused(at, shop, customer, time, code, alternatives):
    at.set(shop, opening_hours=WEEK, lead_minutes=60, max_days_ahead=7)
    at.at("2026-03-02T09:59:30 Europe/Berlin")
    problem = refused(pre_order(at, customer, shop, time), code)
    if code != "too_far":
        assert problem["alternatives"] == alternatives
    assert len(problem["alternatives"]) == 3
    for alternative in problem["alternatives"]:
        check.created(pre_order(at, customer, shop, alternative))


@pytest.mark.parametrize("time", ["2026-03-02T11:00:30+01:00", "2026-03-02T12:59:59+01:00", "2026-03-02T23:59:59+01:00", "2026-03-03T01:59:59+01:00",
                                  "2026-03-02T16:00:00Z", "2026-03-09T23:59:59+01:00"])
def test_pre_orders_that_are_taken(at, shop, customer, time):
    at.set(shop, opening_hours=WEEK, lead_minutes=60, max_days_ahead=7)
    at.at("2026-03-02T10:00 Europe/Berlin")
    order = check.created(pre_order(at, customer, shop, time))
    assert check.time(order["scheduled_pickup_time"]) == check.time(time.replace("Z", "+00:00")), "never moved"


def test_a_past_time_is_a_fault_whatever_the_calendar(at, shop, customer):
    at.set(shop, opening_hours={}, lead_minutes=60)
    at.at("2026-03-02T10:00 Europe/Berlin")
    assert check.faults(pre_order(at, customer, shop, "2026-03-02T09:59:00+01:00")) == ["scheduled_pickup_time"]


def test_exceptions(at, shop, customer):
    at.set(shop, opening_hours=WEEK, exceptions=[{"date": "2026-03-03", "hours": [], "note": "Stocktaking"},
                                                {"date": "2026-03-07", "hours": [["10:00", "12:00"]], "note": None}])
    at.at("2026-03-02T10:00 Europe/Berlin")
    check.created(pre_order(at, customer, shop, "2026-03-03T01:00:00+01:00"))    # Monday's
    refused(pre_order(at, customer, shop, "2026-03-03T10:00:00+01:00"), "outside_hours")
    refused(pre_order(at, customer, shop, "2026-03-04T01:00:00+01:00"), "outside_hours")     # would have been Tuesday's
    check.created(pre_order(at, customer, shop, "2026-03-07T11:00:00+01:00"))


def test_a_pause(at, shop, customer):
    at.at("2026-03-02T10:00 Europe/Berlin")
    at.set(shop, paused_until="2026-03-02T11:00:00+01:00", pause_reason="Too much")
    assert refused(at.post(customer, shop), "shop_paused")["resumes_at"] == "2026-03-02T11:00:00+01:00"
    problem = refused(pre_order(at, customer, shop, "2026-03-02T12:00:00+01:00"), "shop_paused")
    assert (problem["resumes_at"], problem["alternatives"]) == ("2026-03-02T11:00:00+01:00", []), "none would do now"
    at.set(shop, pre_orders_while_paused=True)
    check.created(pre_order(at, customer, shop, "2026-03-02T11:00:00+01:00"))
    assert refused(pre_order(at, customer, shop, "2026-03-02T10:59:59+01:00"), "shop_paused")["alternatives"] == [
        f"2026-03-02T11:{minute}:00+01:00" for minute in ("00", "15", "30")]
    assert "alternatives" not in refused(at.post(customer, shop), "shop_paused")
    at.at("2026-03-02T11:00:00 Europe/Berlin")
    check.created(at.post(customer, shop))


def test_a_refusal_takes_nothing_and_a_retry_after_it_is_new(at, customer):
    at.now()
    shop = at.tools.shop(("1.00", 5), timezone=BERLIN)
    at.set(shop, opening_hours={"mon": [["09:00", "13:00"]]})
    at.at("2026-03-02T08:00 Europe/Berlin")
    key = {"Idempotency-Key": "once"}
    refused(at.post(customer, shop, headers=key), "shop_closed")
    assert at.stock(shop, shop.products[0]) == 5
    at.at("2026-03-02T09:30 Europe/Berlin")
    order = check.created(at.post(customer, shop, headers=key))
    assert at.stock(shop, shop.products[0]) == 4
    at.at("2026-03-02T14:00 Europe/Berlin")
    again = at.post(customer, shop, headers=key)
    assert again.header("Idempotent-Replayed") == "true" and check.created(again) == order


def test_what_is_offered_before_is_not_within_the_pause(at, shop, customer):
    at.at("2026-03-02T10:00 Europe/Berlin")
    at.set(shop, max_days_ahead=7, paused_until="2026-03-09T23:50:00+01:00", pre_orders_while_paused=True)
    assert refused(pre_order(at, customer, shop, "2026-03-25T10:00:00+01:00"), "too_far")["alternatives"] == []
    at.set(shop, paused_until="2026-03-09T23:30:00+01:00")
    offered = refused(pre_order(at, customer, shop, "2026-03-25T10:00:00+01:00"), "too_far")["alternatives"]
    assert offered == ["2026-03-09T23:30:00+01:00", "2026-03-09T23:45:00+01:00"]
    for time in offered:
        check.created(pre_order(at, customer, shop, time))


@pytest.mark.parametrize("slots", [{}, {"slot_minutes": 60, "slot_capacity": 1}])
def test_after_a_long_winter(at, shop, customer, slots):
    """What is offered may be months ahead: as far as opens_at looks."""
    at.at("2026-03-02T10:00 Europe/Berlin")
    at.set(shop, opening_hours={}, exceptions=[{"date": "2026-08-20", "hours": [["09:00", "18:00"]]}], **slots)
    assert refused(at.post(customer, shop), "shop_closed")["opens_at"] == "2026-08-20T09:00:00+02:00"
    offered = refused(pre_order(at, customer, shop, "2026-03-25T10:00:00+01:00"), "outside_hours")["alternatives"]
    assert offered[0] == "2026-08-20T09:00:00+02:00" and len(offered) == 3


def test_the_same_day_of_the_next_week(at, shop, customer):
    """A wish for the afternoon, where only mornings are open."""
    at.at("2026-03-02T10:00 Europe/Berlin")
    at.set(shop, opening_hours={"mon": [["09:00", "09:30"]]})
    for hour in ("12", "23"):
        assert refused(pre_order(at, customer, shop, f"2026-03-09T{hour}:30:00+01:00"), "outside_hours")["alternatives"] == [
            "2026-03-16T09:00:00+01:00", "2026-03-16T09:15:00+01:00", "2026-03-23T09:00:00+01:00"]


@pytest.mark.parametrize("slots", [{}, {"slot_minutes": 30, "slot_capacity": 1}])
def test_before_a_holiday(at, shop, customer, slots):
    """Where the last days that can be ordered for are closed, those before them are offered."""
    at.at("2026-03-02T10:00 Europe/Berlin")
    closed = [{"date": f"2026-03-{day}", "hours": []} for day in range(13, 32)]
    at.set(shop, max_days_ahead=28, opening_hours={"thu": [["09:00", "10:00"]]}, exceptions=closed, last_order_minutes=30, **slots)
    ends = ["2026-03-05T09:15:00+01:00", "2026-03-05T09:30:00+01:00", "2026-03-12T09:00:00+01:00", "2026-03-12T09:15:00+01:00", "2026-03-12T09:30:00+01:00"]
    halves = [time for time in ends if time[14:16] != "15"]
    assert refused(pre_order(at, customer, shop, "2026-05-07T09:00:00+02:00"), "too_far")["alternatives"] == (halves if slots else ends)[-3:]


def test_closed_down_while_an_order_waits_its_turn(at, shop, customer):
    at.set(shop, slot_minutes=60, slot_capacity=5)
    at.at("2026-03-02T08:00 Europe/Berlin")
    with at.db.session() as owner, concurrent.futures.ThreadPoolExecutor(1) as pool:
        owner.tell(f"START TRANSACTION; UPDATE pickup.shops SET is_active = 0 WHERE id = {shop.id}")
        waiting = pool.submit(pre_order, at, customer, shop, "2026-03-02T12:00:00+01:00")
        at.db.wait_for_lock()
        owner.tell("COMMIT")
        check.problem(waiting.result(60), 404, "not_found")


# --- slots

def slots(at, shop, date):
    return check.ok(at.call("GET", f"/api/v1/shops/{shop.id}/slots?date={date}"))


def test_slots_of_a_day(at, shop, customer):
    at.set(shop, opening_hours={"mon": [["09:00", "10:00"], ["23:00", "01:00"]]}, slot_minutes=30, slot_capacity=2, lead_minutes=20)
    at.at("2026-03-02T08:30 Europe/Berlin")
    for _ in range(2):
        check.created(pre_order(at, customer, shop, "2026-03-02T09:59:59+01:00"))
    check.created(pre_order(at, customer, shop, "2026-03-02T23:00:00+01:00"))
    at.at("2026-03-02T08:45 Europe/Berlin")
    found = slots(at, shop, "2026-03-02")
    assert all(list(s) == ["start", "end", "state", "left"] for s in found)
    assert [tuple(s.values()) for s in found] == [
        ("2026-03-02T09:00:00+01:00", "2026-03-02T09:30:00+01:00", "too_soon", 2),
        ("2026-03-02T09:30:00+01:00", "2026-03-02T10:00:00+01:00", "full", 0),
        ("2026-03-02T23:00:00+01:00", "2026-03-02T23:30:00+01:00", "open", 1),
        ("2026-03-02T23:30:00+01:00", "2026-03-03T00:00:00+01:00", "open", 2)]
    assert [(s["start"], s["state"]) for s in slots(at, shop, "2026-03-03")] == [
        ("2026-03-03T00:00:00+01:00", "open"), ("2026-03-03T00:30:00+01:00", "open")]
    at.at("2026-03-02T09:00 Europe/Berlin")
    assert slots(at, shop, "2026-03-02")[0]["state"] == "past"
    assert slots(at, shop, "2026-03-04") == []


def test_slots_without_a_capacity(at, shop):
    at.at("2026-03-02T08:30 Europe/Berlin")
    at.set(shop, slot_minutes=360)
    assert [(s["start"][11:16], s["end"][11:16], s["state"], s["left"]) for s in slots(at, shop, "2026-03-02")] == [
        ("00:00", "06:00", "past", None), ("06:00", "12:00", "past", None), ("12:00", "18:00", "open", None), ("18:00", "00:00", "open", None)]


@pytest.mark.parametrize("zone, date, minutes, first, last, count", [
    case(BERLIN, "2026-03-29", 60, "00:00:00+01:00", "23:00:00+02:00", 23, id="the clock goes forward"),
    case(BERLIN, "2026-10-25", 60, "00:00:00+02:00", "23:00:00+01:00", 25, id="and back"),
    case("America/Santiago", "2026-09-06", 60, "01:00:00-03:00", "23:00:00-03:00", 23, id="forward at midnight"),
    case("Australia/Lord_Howe", "2026-04-05", 30, "00:00:00+11:00", "23:30:00+10:30", 49, id="back by half an hour"),
    case("Asia/Kolkata", "2026-03-29", 90, "00:00:00+05:30", "22:30:00+05:30", 16, id="no change"),
])
def test_days_on_which_the_clock_changes(at, zone, date, minutes, first, last, count):
    at.now()
    shop = at.tools.shop(timezone=zone)
    at.set(shop, slot_minutes=minutes, opening_hours={d: [["00:00", "24:00"]] for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")})
    at.at("2026-01-01T00:00+00:00")
    found = slots(at, shop, date)
    assert (len(found), found[0]["start"], found[-1]["start"]) == (count, f"{date}T{first}", f"{date}T{last}")
    assert len({s["start"] for s in found}) == count
    for one, next_one in itertools.pairwise(found):
        assert one["end"] == next_one["start"]
    for slot in found:
        assert check.time(slot["end"]) - check.time(slot["start"]) == datetime.timedelta(minutes=minutes)


@pytest.mark.parametrize("query", ["", "?date=", "?date=2026-02-29", "?date=tomorrow", "?date=2026-03-02T10:00:00Z", "?date=2026-03-02&date=2026-03-03"])
def test_a_date_is_needed(at, shop, query):
    at.set(shop, slot_minutes=30)
    assert check.faults(at.call("GET", f"/api/v1/shops/{shop.id}/slots{query}")) == ["date"]


def test_no_slots(at, shop):
    check.problem(at.call("GET", f"/api/v1/shops/{shop.id}/slots?date=2026-03-02"), 409, "no_slots")
    check.problem(at.call("GET", "/api/v1/shops/987654321/slots?date=2026-03-02"), 404, "not_found")


def test_a_full_slot_offers_the_next_ones(at, shop, customer):
    at.set(shop, opening_hours={"mon": [["09:00", "10:00"]], "tue": [["09:00", "10:00"]]}, slot_minutes=20, slot_capacity=1)
    at.at("2026-03-02T08:00 Europe/Berlin")
    for time in ("2026-03-02T09:05:00+01:00", "2026-03-02T09:40:00+01:00"):
        check.created(pre_order(at, customer, shop, time))
    problem = refused(pre_order(at, customer, shop, "2026-03-02T09:00:00+01:00"), "slot_full")
    assert problem["alternatives"] == ["2026-03-02T09:20:00+01:00", "2026-03-03T09:00:00+01:00", "2026-03-03T09:20:00+01:00"]


def test_a_cancelled_order_frees_its_place(at, shop, customer):
    at.set(shop, slot_minutes=60, slot_capacity=1)
    at.at("2026-03-02T08:00 Europe/Berlin")
    order = check.created(pre_order(at, customer, shop, "2026-03-02T12:00:00+01:00"))
    refused(pre_order(at, customer, shop, "2026-03-02T12:30:00+01:00"), "slot_full")
    at.change(shop, order, status="cancelled")
    check.created(pre_order(at, customer, shop, "2026-03-02T12:30:00+01:00"))
    refused(pre_order(at, customer, shop, "2026-03-02T12:59:59+01:00"), "slot_full")
    check.created(pre_order(at, customer, shop, "2026-03-02T13:00:00+01:00"))


def test_instant_orders_take_no_place(at, shop, customer):
    at.set(shop, slot_minutes=60, slot_capacity=0)
    check.created(at.post(customer, shop))
    refused(pre_order(at, customer, shop, "2031-03-02T12:00:00+01:00"), "slot_full")


def test_a_capacity_below_what_is_taken(at, shop, customer):
    """Orders from before the slots count, and a smaller slot is counted anew."""
    at.at("2026-03-02T08:00 Europe/Berlin")
    for minute in (0, 10, 40):
        check.created(pre_order(at, customer, shop, f"2026-03-02T12:{minute:02}:00+01:00"))
    at.set(shop, slot_minutes=60, slot_capacity=2)
    noon = next(s for s in slots(at, shop, "2026-03-02") if s["start"][11:16] == "12:00")
    assert (noon["state"], noon["left"]) == ("full", 0)
    refused(pre_order(at, customer, shop, "2026-03-02T12:50:00+01:00"), "slot_full")
    at.set(shop, slot_minutes=30)
    check.created(pre_order(at, customer, shop, "2026-03-02T12:50:00+01:00"))
    refused(pre_order(at, customer, shop, "2026-03-02T12:50:00+01:00"), "slot_full")


# --- many at once

def test_five_hundred_for_a_slot_of_twenty(at, shop, api):
    at.set(shop, slot_minutes=30, slot_capacity=20)
    at.at("2026-03-02T08:00 Europe/Berlin")
    customers = [api.tools.user() for _ in range(5)]
    calls = [lambda c=c: at.post(c, shop, order_type="pre_order", scheduled_pickup_time="2026-03-02T12:00:00+01:00")
             for c in itertools.islice(itertools.cycle(customers), 100)]
    answers = [a for _ in range(5) for a in together(calls)]
    assert sorted({a.status for a in answers}) in ([201, 409], [201, 409, 503])
    assert sum(a.status == 201 for a in answers) == 20
    assert at.db.sql(f"SELECT COUNT(*) FROM orders WHERE shop_id = {shop.id}")[0][0] == "20"


def test_cancelling_and_placing_at_once(at, shop, customer):
    """A place that is freed is taken at most once, and never more are taken than there are."""
    at.set(shop, slot_minutes=60, slot_capacity=3)
    at.at("2026-03-02T08:00 Europe/Berlin")
    time = "2026-03-02T12:00:00+01:00"
    held = [check.created(pre_order(at, customer, shop, time)) for _ in range(3)]
    for _ in range(10):
        order = held.pop(0)
        answers = together([lambda: at.patch(shop.keeper, order, status="cancelled")] + [lambda: pre_order(at, customer, shop, time)] * 4)
        check.ok(answers[0])
        new = [check.created(a) for a in answers[1:] if a.status == 201]
        assert len(new) <= 1
        held += new or [check.created(pre_order(at, customer, shop, time))]
        taken = at.db.sql(f"SELECT COUNT(*) FROM orders WHERE shop_id = {shop.id} AND status <> 'cancelled'")[0][0]
        assert taken == "3"
