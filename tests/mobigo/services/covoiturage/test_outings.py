"""An outing through the services: opened, boarded, alighted, closed and declared, whatever is sent twice or at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from covoiturage.boarding import State
from covoiturage.carpool import Side
from mobigo.services.covoiturage import booking
from mobigo.services.covoiturage.booking import BookingState
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.mine import get_own_money
from mobigo.services.covoiturage.outings import (
    Course,
    Seen,
    cancel_outing,
    close_forgotten,
    close_outing,
    find_current,
    get_outing_of,
    note_position,
    open_outing,
)
from mobigo.services.covoiturage.scanning import alight_by_scan, board_by_scan, show_code, stamp_scan
from mobigo.services.covoiturage.settling import settle
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.store.jobs import JobState, list_jobs
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds import meeting
from tests.worlds.carpools import carpool
from tests.worlds.outings import PLACE_OF, SEVEN, STOPS, minutes

LINE = Course(STOPS, "L6")
HALF_PAST, ARRIVED = SEVEN + minutes(30), SEVEN + minutes(31)


def seen(at, device="phone-d1", place=None):
    return Seen(at, device, place)


@pytest.fixture
def outing(engine):
    return open_outing(engine, "d1", LINE, "baume", seen(SEVEN), "k1", "person:d1").outing


def boarded(engine, keys, outing, at=SEVEN, who="p1", stop="baume", token=None):
    token = token or show_code(engine, keys, outing.id, "d1", Side.BOARD, at).token
    return board_by_scan(engine, keys, who, token, stop, seen(at, f"phone-{who}"))


def alighted(engine, keys, outing, at=HALF_PAST, who="p1", stop="avoudrey", token=None):
    token = token or show_code(engine, keys, outing.id, "d1", Side.ALIGHT, at).token
    return alight_by_scan(engine, keys, who, token, stop, seen(at, f"phone-{who}"))


def closed(engine, outing, at=ARRIVED, **set_down):
    return close_outing(engine, outing.id, "d1", "", set_down, seen(at), "person:d1")


def counts(engine, *tables):
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def test_from_the_first_code_to_the_driver_s_money(engine, keys, outing):
    boarded(engine, keys, outing)
    alighted(engine, keys, outing)
    done = closed(engine, outing)
    assert done.outing.state is State.CLOSED
    assert done.declared.proofs == {f"{outing.id}01": "B"}
    settle(engine, "2026-11", SEVEN + timedelta(days=3))
    money = get_own_money(engine, "d1")
    assert money.owed_cents == 430  # 33 km at 10 cents, and one passenger
    assert money.carpools[0].explanation[-1].startswith("Total versé")
    assert get_own_money(engine, "p1").owing_cents == 150


def test_what_is_sent_twice_happens_once(engine, keys, outing):
    again = open_outing(engine, "d1", LINE, "baume", seen(SEVEN + minutes(1)), "k1", "person:d1")
    assert (again.replayed, again.outing) == (True, outing)
    up = show_code(engine, keys, outing.id, "d1", Side.BOARD, SEVEN).token
    first = boarded(engine, keys, outing, token=up)
    later = boarded(engine, keys, outing, SEVEN + minutes(20), token=up)  # long after the code expired
    assert (first.replayed, later.replayed, later.event) == (False, True, first.event)
    down = show_code(engine, keys, outing.id, "d1", Side.ALIGHT, SEVEN + minutes(30)).token
    assert not alighted(engine, keys, outing, token=down).replayed
    assert alighted(engine, keys, outing, token=down).replayed
    assert not closed(engine, outing).declared.replayed
    assert closed(engine, outing, SEVEN + minutes(40)).declared.replayed
    assert alighted(engine, keys, outing, SEVEN + minutes(50), token=down).replayed
    assert counts(engine, "outing", "carpool", "ride", "outing_event") == [1, 1, 1, 4]


def test_another_body_under_the_same_key_is_refused(engine, outing):
    with pytest.raises(Conflict, match="key_used_otherwise"):
        open_outing(engine, "d1", LINE, "vercel", seen(SEVEN), "k1", "person:d1")
    for key in ("", "é", "a\nb", "k" * 201):
        with pytest.raises(BadInput, match="bad_key"):
            open_outing(engine, "d2", LINE, "vercel", seen(SEVEN), key, "person:d2")


def test_nobody_drives_two_cars_at_once(engine, outing):
    with pytest.raises(Conflict, match="outing_open_already"):
        open_outing(engine, "d1", LINE, "baume", seen(SEVEN), "k2", "person:d1")
    closed(engine, outing)
    assert open_outing(engine, "d1", LINE, "baume", seen(SEVEN + minutes(40)), "k2", "person:d1").outing.id != outing.id


def at_once(n, act):
    """What `act` does `n` times at once, each on a thread that waits for the others."""
    gate = threading.Barrier(n)

    def run(number):
        gate.wait(60)
        try:
            return act(number)
        except (Conflict, BadInput) as error:
            return error.code

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))


def test_who_presses_all_buttons_twice_at_once_has_one_ride_and_one_carpool(engine, keys):
    opened = at_once(4, lambda _: open_outing(engine, "d1", LINE, "baume", seen(SEVEN), "k1", "person:d1"))
    assert len({one.outing.id for one in opened}) == 1
    outing = opened[0].outing
    up = show_code(engine, keys, outing.id, "d1", Side.BOARD, SEVEN).token
    assert sum(not one.replayed for one in at_once(4, lambda _: boarded(engine, keys, outing, token=up))) == 1
    down = show_code(engine, keys, outing.id, "d1", Side.ALIGHT, SEVEN + minutes(30)).token
    assert sum(not one.replayed for one in at_once(4, lambda _: alighted(engine, keys, outing, token=down))) == 1
    ends = at_once(4, lambda _: closed(engine, outing))
    assert sum(not one.declared.replayed for one in ends) == 1
    assert counts(engine, "outing", "carpool", "ride", "outing_event") == [1, 1, 1, 4]


def test_keys_of_two_cars_at_once_leave_one_open(engine):
    opened = at_once(3, lambda n: open_outing(engine, "d1", LINE, "baume", seen(SEVEN), f"k{n}", "person:d1"))
    assert sorted(isinstance(one, str) for one in opened) == [False, True, True]
    assert counts(engine, "outing", "outing_event") == [1, 1]


def test_a_close_that_cannot_be_declared_closes_nothing(engine, keys, outing):
    boarded(engine, keys, outing)
    alighted(engine, keys, outing)
    taken = carpool(outing.id, driver="d9", passengers=("p9",), at=SEVEN - timedelta(hours=1))
    declare(engine, taken, "k9", "person:d9", SEVEN)
    with pytest.raises(Conflict, match="id_taken"):
        closed(engine, outing)
    assert get_outing_of(engine, outing.id, "d1").state is State.OPEN
    assert counts(engine, "carpool", "outing_event") == [1, 3]


# --- refusals --------------------------------------------------------------------------------


def test_a_code_is_refused_when_it_is_old_of_another_side_or_of_another_device(engine, keys, outing):
    up = show_code(engine, keys, outing.id, "d1", Side.BOARD, SEVEN).token
    with pytest.raises(Conflict, match="scan_expired"):
        boarded(engine, keys, outing, SEVEN + minutes(2), token=up)
    with pytest.raises(Conflict, match="boarding_other_side"):
        alighted(engine, keys, outing, SEVEN, token=up)
    with pytest.raises(BadInput, match="scan_unreadable"):
        boarded(engine, keys, outing, token="x" * 40)
    stamped = stamp_scan(keys, up, "phone-p1", SEVEN)
    with pytest.raises(Conflict, match="scan_other_device"):
        board_by_scan(engine, keys, "p2", stamped, "baume", seen(SEVEN, "phone-p2"))
    ride = board_by_scan(engine, keys, "p1", stamped, "baume", seen(SEVEN + minutes(8), "phone-p1"))
    assert ride.event.at == SEVEN  # when it was scanned, though it was sent eight minutes later
    with pytest.raises(Conflict, match="scan_expired"):
        stamp_scan(keys, up, "phone-p1", SEVEN + minutes(3))
    with pytest.raises(BadInput, match="scan_unreadable"):
        stamp_scan(keys, "x", "phone-p1", SEVEN)


def test_what_the_domain_refuses_is_raised_with_its_reason(engine, keys, outing):
    with pytest.raises(BadInput, match="boarding_unknown_stop"):
        boarded(engine, keys, outing, stop="ailleurs")
    with pytest.raises(Conflict, match="boarding_is_driver"):
        boarded(engine, keys, outing, who="d1")
    with pytest.raises(Conflict, match="boarding_not_aboard"):
        alighted(engine, keys, outing)
    boarded(engine, keys, outing)
    with pytest.raises(Conflict, match="boarding_still_aboard"):
        closed(engine, outing)
    assert closed(engine, outing, **{f"{outing.id}01": "vercel"}).declared.proofs == {f"{outing.id}01": "A"}
    with pytest.raises(Conflict, match="boarding_not_open"):
        show_code(engine, keys, outing.id, "d1", Side.BOARD, SEVEN)


def test_an_outing_is_shown_to_its_people_alone_and_steered_by_its_driver(engine, keys, outing):
    boarded(engine, keys, outing)
    assert get_outing_of(engine, outing.id, "p1").id == get_outing_of(engine, outing.id, "d1").id
    for act in (
        lambda: get_outing_of(engine, outing.id, "p2"),
        lambda: get_outing_of(engine, "unknown", "d1"),
        lambda: show_code(engine, keys, outing.id, "p1", Side.BOARD, SEVEN),
        lambda: close_outing(engine, outing.id, "p1", "", {}, seen(SEVEN), "person:p1"),
        lambda: cancel_outing(engine, outing.id, "p1", "", "person:p1", SEVEN),
        lambda: note_position(engine, outing.id, "p2", seen(SEVEN, place=PLACE_OF["pont"])),
    ):
        with pytest.raises(NotFound, match="unknown_carpool"):
            act()


def test_everybody_finds_the_outing_they_are_on_the_way_with(engine, keys, outing):
    assert find_current(engine, "p1", SEVEN) is None
    boarded(engine, keys, outing)
    assert {find_current(engine, who, SEVEN).id for who in ("d1", "p1")} == {outing.id}
    alighted(engine, keys, outing)
    assert find_current(engine, "p1", SEVEN) is None
    closed(engine, outing)
    assert find_current(engine, "d1", SEVEN) is None


def test_positions_are_kept_beside_what_happened_and_make_class_c(engine, keys, outing):
    for who, at, place in (("d1", SEVEN, "baume"), ("d1", SEVEN + minutes(30), "avoudrey")):
        note_position(engine, outing.id, who, seen(at, place=PLACE_OF[place]))
    up = show_code(engine, keys, outing.id, "d1", Side.BOARD, SEVEN).token
    board_by_scan(engine, keys, "p1", up, "baume", seen(SEVEN, "phone-p1", PLACE_OF["baume"]))
    down = show_code(engine, keys, outing.id, "d1", Side.ALIGHT, SEVEN + minutes(30)).token
    alight_by_scan(engine, keys, "p1", down, "avoudrey", seen(SEVEN + minutes(30), "phone-p1", PLACE_OF["avoudrey"]))
    assert closed(engine, outing).declared.proofs == {f"{outing.id}01": "C"}
    with pytest.raises(BadInput, match="place_missing"):
        note_position(engine, outing.id, "d1", seen(SEVEN))


def test_who_had_booked_is_aboard_then_done_and_a_booking_of_another_hour_waits(engine, keys):
    booked = meeting.book(engine, meeting.publish(engine).offer.offer_id).booking
    who = (booked.booking_id, BookingState.CONFIRMED, meeting.ANNA, f"person:{meeting.ANNA}", meeting.NOW)
    booking.move(engine, *who)

    def ridden(at, key):
        outing = open_outing(engine, meeting.ANNA, LINE, "baume", seen(at), key, "person:anna").outing
        states = []
        for act, side, stop in ((board_by_scan, Side.BOARD, "baume"), (alight_by_scan, Side.ALIGHT, "vercel")):
            token = show_code(engine, keys, outing.id, meeting.ANNA, side, at).token
            act(engine, keys, meeting.BEN, token, stop, seen(at, "phone-ben"))
            states.append(booking.get_own_booking(engine, booked.booking_id, meeting.BEN).state)
        close_outing(engine, outing.id, meeting.ANNA, "", {}, seen(at), "person:anna")
        return states

    assert ridden(meeting.SEVEN - timedelta(hours=3), "k1") == [BookingState.CONFIRMED] * 2
    assert ridden(meeting.SEVEN, "k2") == [BookingState.ABOARD, BookingState.DONE]


# --- ends ------------------------------------------------------------------------------------


def test_an_empty_outing_ends_without_a_carpool(engine, outing):
    assert closed(engine, outing).declared is None
    assert counts(engine, "carpool") == [0]


def test_an_outing_is_cancelled_while_it_is_open_and_after_it_is_declared(engine, keys, outing):
    cancelled = cancel_outing(engine, outing.id, "d1", "", "person:d1", SEVEN)
    assert cancelled.state is State.CANCELLED
    with pytest.raises(Conflict, match="cancelled_already"):
        cancel_outing(engine, outing.id, "d1", "", "person:d1", SEVEN)
    with pytest.raises(Conflict, match="boarding_not_open"):
        closed(engine, outing)
    second = open_outing(engine, "d1", LINE, "baume", seen(SEVEN), "k2", "person:d1").outing
    boarded(engine, keys, second)
    alighted(engine, keys, second)
    closed(engine, second)
    settle(engine, "2026-11", SEVEN + timedelta(days=3))
    cancel_outing(engine, second.id, "d1", "erreur", "person:d1", SEVEN + timedelta(days=4))
    assert get_own_money(engine, "d1").owed_cents == 0
    with pytest.raises(Conflict, match="cancelled_already"):
        cancel_outing(engine, second.id, "d1", "erreur", "person:d1", SEVEN + timedelta(days=4))
    with reading(engine) as session:
        told = [one.line.action for one in list_lines(session, AuditFilter(action="covoiturage"), limit=9)]
    assert told == [
        *("covoiturage.cancelled", "covoiturage.declared", "covoiturage.outing_opened"),
        *("covoiturage.outing_cancelled", "covoiturage.outing_opened"),
    ]


def test_an_outing_that_nobody_closes_is_closed_by_a_job_of_its_opening(engine, keys, outing):
    boarded(engine, keys, outing)
    with reading(engine) as session:
        (job,) = list_jobs(session, [JobState.WAITING], 9)
    assert (job.kind, job.payload) == ("covoiturage.close_outing", {"outing_id": outing.id})
    assert job.due == SEVEN + timedelta(hours=12, minutes=1)
    assert close_forgotten(engine, outing.id, job.due).declared.proofs == {f"{outing.id}01": "A"}
    assert close_forgotten(engine, outing.id, job.due) is None
