"""A sector's morning: who waits where for which school, and a plan that serves everybody or names who it leaves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from fleet.check import broken_promises
from fleet.search import Budget
from scolaire.generator import draw_sector
from scolaire.plans import rides_of
from scolaire.pupils import StopStatus
from scolaire.runs import make_morning, plan_morning, school_plan
from scolaire.ways import places_of, straight_matrix
from socle.errors import BadInput

SECTOR = draw_sector(3, n_pupils=240)
MATRIX = straight_matrix(places_of(SECTOR))


def planned(sector, weekday=0, *, mixed=True, steps=600):
    morning = make_morning(sector, MATRIX, weekday, mixed=mixed)
    outcome = plan_morning(morning.problem, Budget(steps=steps), 1)
    assert broken_promises(morning.problem, outcome.plan) == ()
    return morning, outcome, school_plan(morning, outcome, 1, "un secteur")


@pytest.mark.parametrize("mixed", [False, True])
def test_every_pupil_is_seated_and_served_or_named(mixed):
    _, _, told = planned(SECTOR, mixed=mixed)
    rides = [ride for run in told.runs for ride in rides_of(run)]
    carried = Counter(told.riders[ride.rider].pupil_id for ride in rides)
    assert all(ride.run.halts[ride.down].school == told.riders[ride.rider].school for ride in rides)
    named = {each.pupil_id for each in told.not_served}
    monday = {
        SECTOR.pupils[pupil].pupil_id for pupil, home in SECTOR.plannable if SECTOR.pupils[pupil].homes[home].days & 1
    }
    assert set(carried) | named >= monday
    assert not set(carried) & named
    assert set(carried.values()) == {1}
    assert len(carried) > len(monday) // 2


def test_a_plan_of_one_school_at_a_time_keeps_every_rule_of_mixed_load_as_well():
    _, single, _ = planned(SECTOR, mixed=False)
    assert broken_promises(make_morning(SECTOR, MATRIX, 0, mixed=True).problem, single.plan) == ()


def test_wednesday_is_not_tuesday():
    only_tuesday = tuple(replace(pupil, homes=(replace(pupil.homes[0], days=0b0000010),)) for pupil in SECTOR.pupils)
    first_homes = tuple((pupil, home) for pupil, home in SECTOR.plannable if home == 0)
    sector = replace(SECTOR, pupils=only_tuesday, plannable=first_homes)
    nobody, outcome, told = planned(sector, weekday=2)
    assert nobody.demands == outcome.plan.routes == ()
    assert told.runs == ()
    assert make_morning(sector, MATRIX, 1, mixed=True).demands


def test_more_pupils_at_a_stop_than_a_coach_holds_are_fetched_by_several():
    small = tuple(replace(each, seats=5, wheelchair_places=1, count=None) for each in SECTOR.vehicle_types)
    sector = replace(SECTOR, vehicle_types=small)
    morning = make_morning(sector, MATRIX, 0, mixed=True)
    assert all(
        len(each.pupils) <= 6 and request.load[0] <= 5
        for each, request in zip(morning.demands, morning.problem.requests, strict=True)
    )
    whole = make_morning(SECTOR, MATRIX, 0, mixed=True)
    assert sum(len(each.pupils) for each in morning.demands) == sum(len(each.pupils) for each in whole.demands)


def test_a_stop_that_is_not_validated_is_not_used():
    closed = tuple(replace(stop, status=StopStatus.CLOSED) for stop in SECTOR.stops)
    morning = make_morning(replace(SECTOR, stops=closed), MATRIX, 0, mixed=True)
    assert morning.demands == ()
    assert len(morning.without_stop) > 0


def test_coaches_are_as_small_as_their_pupils_allow_and_no_type_is_used_more_often_than_there_are():
    morning, outcome, _ = planned(SECTOR, mixed=True)
    types = morning.problem.vehicle_types
    used = [types[route.vehicle_type] for route in outcome.plan.routes]
    assert min(each.places[0] for each in used) < max(each.places[0] for each in types)
    one_each = tuple(replace(each, count=1) for each in SECTOR.vehicle_types)
    _, few, _ = planned(replace(SECTOR, vehicle_types=one_each), mixed=True)
    assert max(Counter(route.vehicle_type for route in few.plan.routes).values()) == 1


def test_a_sector_without_vehicles_is_refused():
    with pytest.raises(BadInput, match="sector_without_vehicles"):
        make_morning(replace(SECTOR, vehicle_types=()), MATRIX, 0, mixed=True)
