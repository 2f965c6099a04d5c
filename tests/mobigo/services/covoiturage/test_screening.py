"""From a label to a decision: what is held is not paid until somebody says so, and by silence never."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.services.covoiturage.declaring import cancel
from mobigo.services.covoiturage.paying import prepare_batch
from mobigo.services.covoiturage.screening import Verdict, decide_case, list_cases, read_case, screen
from mobigo.services.covoiturage.settling import settle
from mobigo.services.ledger.proving import verify
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, get_carpool
from mobigo.store.people.accounts import Identity, add_person
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from socle.geo import LatLon
from tests.worlds.carpools import IBAN, MORNING, carpool
from tests.worlds.decided import declared

MODERATOR = "person:moderator"
LATER = MORNING + timedelta(days=3)
WHY = "vérifié avec les deux personnes"


def two_cars_at_once(engine):
    """One driver in two cars at once, and a carpool of somebody else."""
    declared(
        engine,
        carpool("C1", driver="d1", passengers=("p1",)),
        carpool("C2", driver="d1", passengers=("p2",), at=MORNING + timedelta(minutes=5)),
        carpool("C3", driver="d3", passengers=("p3",)),
    )


def state(engine, carpool_id):
    with reading(engine) as session:
        return get_carpool(session, carpool_id).state


def told(engine, action):
    with reading(engine) as session:
        return [each.line for each in list_lines(session, AuditFilter(action=action), limit=99)]


def test_what_is_held_is_not_decided_however_long_and_the_others_are(engine):
    two_cars_at_once(engine)
    settled = settle(engine, "2026-03", LATER)
    assert (settled.decided, settled.pending, settled.held) == (1, 0, 2)
    years = settle(engine, "2026-03", LATER + timedelta(days=700))
    assert (years.decided, years.held, years.subsidy_cents) == (0, 2, 0)
    assert {state(engine, one) for one in ("C1", "C2")} == {CarpoolState.CLOSED}


def test_what_is_held_keeps_nobody_else_from_being_paid(engine):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    assert [item.item.driver for item in prepare_batch(engine, "2026-03", "person:clerk", LATER).items] == []
    assert prepare_batch(engine, "2026-03", "person:clerk", LATER).kept.carried_over_cents == 430


def test_a_carpool_that_is_released_is_decided_as_any(engine):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    assert decide_case(engine, "C1", Verdict.RELEASED, WHY, MODERATOR, LATER, all_alike=False) == 1
    settled = settle(engine, "2026-03", LATER)
    assert (settled.decided, settled.held, settled.subsidy_cents) == (1, 1, 430)
    assert state(engine, "C1") is CarpoolState.DECIDED
    assert screen(engine, LATER + timedelta(days=1)).n_carpools == 0


def test_a_carpool_that_is_refused_is_cancelled_and_its_promise_comes_back(engine):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    decide_case(engine, "C2", Verdict.REFUSED, WHY, MODERATOR, LATER, all_alike=False)
    assert state(engine, "C2") is CarpoolState.CANCELLED
    assert settle(engine, "2026-03", LATER).decided == 0
    assert verify(engine).findings == ()
    (line,) = told(engine, "covoiturage.hold_decided")
    assert (line.actor, line.subject, line.why) == (MODERATOR, "person:d1", WHY)
    assert dict(line.facts) == {"carpool": "C2", "hold_verdict": "refused", "n": 1}
    assert len(told(engine, "covoiturage.cancelled")) == 1


def test_all_that_waits_for_the_same_reasons_may_be_decided_at_once(engine):
    two_cars_at_once(engine)
    declared(engine, carpool("C4", driver="d1", passengers=("d1",), at=MORNING + timedelta(hours=1)))
    settle(engine, "2026-03", LATER)
    case = read_case(engine, "C1", MODERATOR, LATER)
    assert case.others == ["C2"]  # C4 waits for another reason
    assert decide_case(engine, "C1", Verdict.REFUSED, WHY, MODERATOR, LATER, all_alike=True) == 2
    assert [state(engine, one) for one in ("C1", "C2", "C4")] == ["cancelled", "cancelled", "closed"]


def test_the_list_has_what_waits_longest_first_and_the_reading_of_a_case_is_written_down(engine):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    late = MORNING + timedelta(days=5)
    declared(engine, carpool("C0", driver="d9", passengers=("d9",), at=late), now=late + timedelta(hours=1))
    settle(engine, "2026-03", late + timedelta(days=3))
    n, held = list_cases(engine, 2)
    assert (n, [one.carpool_id for one in held]) == (3, ["C1", "C2"])
    assert [one.carpool_id for one in list_cases(engine, 2, 2)[1]] == ["C0"]
    read_case(engine, "C1", MODERATOR, LATER)
    assert {line.subject for line in told(engine, "covoiturage.hold_read")} == {"person:d1", "person:p1"}


@pytest.mark.parametrize(
    ("carpool_id", "why", "by", "error"),
    [
        ("C1", "  ", MODERATOR, (BadInput, "why_missing")),
        ("C1", "appelé au 06 12 34 56 78", MODERATOR, (BadInput, "why_names_somebody")),
        ("C1", WHY, "person:p1", (Forbidden, "own_carpool")),
        ("C1", WHY, "person:d1", (Forbidden, "own_carpool")),
        ("C3", WHY, MODERATOR, (Conflict, "hold_decided")),
        ("C9", WHY, MODERATOR, (NotFound, "unknown_carpool")),
    ],
)
def test_what_is_refused_changes_nothing(engine, carpool_id, why, by, error):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    with pytest.raises(error[0], match=error[1]):
        decide_case(engine, carpool_id, Verdict.RELEASED, why, by, LATER, all_alike=True)
    assert settle(engine, "2026-03", LATER).held == 2
    assert told(engine, "covoiturage.hold_decided") == []


def test_a_case_is_decided_once(engine):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    decide_case(engine, "C1", Verdict.RELEASED, WHY, MODERATOR, LATER, all_alike=False)
    with pytest.raises(Conflict, match="hold_decided"):
        decide_case(engine, "C1", Verdict.REFUSED, WHY, MODERATOR, LATER, all_alike=False)


def test_what_its_driver_cancels_waits_for_nobody(engine):
    two_cars_at_once(engine)
    settle(engine, "2026-03", LATER)
    cancel(engine, "C1", "person:d1", "", LATER)
    assert [one.carpool_id for one in list_cases(engine, 9)[1]] == ["C2"]


def test_a_couple_with_one_bank_account_is_asked_once(engine, keys):
    with transaction(engine) as session:
        one, other = (
            add_person(session, keys, Identity(name, iban=IBAN), MORNING).pseudonym for name in ("A B", "C D")
        )
    declared(engine, carpool("C1", driver=one, passengers=(other,)))
    assert settle(engine, "2026-03", LATER, keys=keys).held == 1
    decide_case(engine, "C1", Verdict.RELEASED, "un couple, un compte", MODERATOR, LATER, all_alike=False)
    next_day = MORNING + timedelta(days=1)
    declared(engine, carpool("C2", driver=one, passengers=(other,), at=next_day), now=next_day + timedelta(hours=2))
    settled = settle(engine, "2026-03", LATER + timedelta(days=1), keys=keys)
    assert (settled.decided, settled.held) == (2, 0)


def test_a_later_day_shows_more_of_what_was_looked_at_already(engine):
    """Rides of a robot: the tenth tells what the others were; what is decided by then stays decided."""
    for day in range(10):
        begin = MORNING + timedelta(days=day)
        declared(engine, carpool(f"C{day}", at=begin), now=begin + timedelta(hours=2))
        if day == 4:
            assert settle(engine, "2026-03", begin + timedelta(hours=2)).decided == 3
    settled = settle(engine, "2026-03", MORNING + timedelta(days=13))
    assert (settled.decided, settled.held) == (0, 7)


def seen_at(given, start, end):
    """The carpool's passengers were seen where they got on and off."""
    for ride in given["rides"]:
        for one in ride["evidence"]:
            place = start if one["side"] == "board" else end
            one.update(lat=place.lat, lon=place.lon)
    return given


@pytest.mark.parametrize(("metres", "held"), [(12_000, False), (33_000, True)])
def test_kilometres_that_no_street_has_wait_for_people(engine, metres, held):
    start, end = LatLon(47.0, 6.0), LatLon(47.07, 6.0)  # 7.8 km as the crow flies
    declared(engine, seen_at(carpool("C1", metres=metres), start, end))
    asked = []

    def drives(ways):
        asked.extend(ways)
        return [(8_000, 1_800)]

    settled = settle(engine, "2026-03", LATER, drives=drives)
    assert asked == [(start, end)]
    assert (settled.decided, settled.held) == ((0, 1) if held else (1, 0))
    _n, cases = list_cases(engine, 10)
    assert [each.carpool_id for each in cases] == (["C1"] if held else [])


def test_what_was_seen_at_one_end_only_is_not_looked_for_on_streets(engine):
    given = seen_at(carpool("C1"), LatLon(47.0, 6.0), LatLon(47.07, 6.0))
    for one in given["rides"][0]["evidence"]:
        if one["side"] == "alight":
            del one["lat"], one["lon"]
    declared(engine, given)
    assert settle(engine, "2026-03", LATER, drives=lambda ways: [None] * len(ways)).decided == 1
