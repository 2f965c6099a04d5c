"""Periods: the week of a sector, whose days and directions have runs of their own and coaches in common."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from scolaire.checking import broken_promises
from scolaire.generator import draw_sector
from scolaire.outings import days_of, periods_of, waits_of
from scolaire.periods import Asked, plan_week
from scolaire.plans import Direction, bell_of, rides_of
from scolaire.pupils import FRIDAY, WEDNESDAY, Home, LeftOut, Regime
from scolaire.ways import Ways, places_of, straight_matrix
from socle.errors import BadInput
from socle.geo import LatLon

SECTOR = draw_sector(3, n_pupils=160)
MATRIX = straight_matrix(places_of(SECTOR))
WAYS = Ways(places_of(SECTOR), MATRIX)
ASKED = Asked(steps=400)


def planned(sector=SECTOR, asked=ASKED, **more):
    plan = plan_week(sector, MATRIX, asked, "la semaine", **more)
    assert broken_promises(plan, WAYS) == ()
    return plan


PLAN = planned()


def carried(plan, period):
    return {plan.riders[ride.rider].pupil_id for run in plan.runs_of(period) for ride in rides_of(run)}


def test_every_pupil_is_seated_and_served_or_named_on_every_day_in_both_directions():
    for direction in (Direction.TO_SCHOOL, Direction.FROM_SCHOOL):
        for day in range(7):
            going = {
                SECTOR.pupils[pupil].pupil_id
                for pupil, home in SECTOR.plannable
                if days_of(SECTOR.pupils[pupil], home)[direction is Direction.FROM_SCHOOL] >> day & 1
            }
            periods = [
                index for index, one in enumerate(PLAN.periods) if one.direction is direction and one.days >> day & 1
            ]
            assert len(periods) == bool(going)
            for period in periods:
                named = {one.pupil_id for one in PLAN.not_served if one.period in (period, None)}
                assert carried(PLAN, period) | named == going
                assert not carried(PLAN, period) & named


def test_wednesday_is_not_tuesday():
    noon = next(index for index, one in enumerate(PLAN.periods) if one.period_id.startswith("midi"))
    assert PLAN.periods[noon].days == WEDNESDAY
    with_lessons = {rider.pupil_id for rider in PLAN.riders if PLAN.schools[rider.school].bell_wednesday_s is not None}
    assert carried(PLAN, noon) <= with_lessons
    for run in PLAN.runs_of(noon):
        for halt in run.halts:
            if halt.school is not None:
                bell = bell_of(PLAN.schools[halt.school], PLAN.periods[noon])
                assert bell + PLAN.schools[halt.school].wait_min_s <= halt.leaves_s
                assert halt.leaves_s <= bell + PLAN.schools[halt.school].wait_max_s


def test_who_waits_at_the_same_stop_from_two_homes_has_one_seat_on_days_that_are_planned_as_one():
    shared = next(pupil for pupil in SECTOR.pupils if len(pupil.homes) == 2)
    first, second = shared.homes
    shared = replace(shared, homes=(first, replace(second, position=first.position)))
    plan = planned(replace(SECTOR, pupils=(shared,), plannable=((0, 0), (0, 1))), Asked(steps=1))
    assert any(one.days & first.days and one.days & second.days for one in plan.periods)
    for period in range(len(plan.periods)):
        assert [ride.rider for run in plan.runs_of(period) for ride in rides_of(run)] == [0]


def test_two_homes_two_days():
    two = [index for index, pupil in enumerate(SECTOR.pupils) if len(pupil.homes) == 2]
    assert two
    for pupil in two:
        told = SECTOR.pupils[pupil]
        rider = next(index for index, one in enumerate(PLAN.riders) if one.pupil_id == told.pupil_id)
        stops = {}
        for run in PLAN.runs:
            for ride in rides_of(run):
                if ride.rider == rider:
                    for day in range(7):
                        if PLAN.periods[run.period].days >> day & 1:
                            stops[PLAN.periods[run.period].direction, day] = ride.stop
        for direction in Direction:
            for one in PLAN.riders[rider].waits:
                for day in range(7):
                    if one.direction is direction and one.days >> day & 1:
                        assert stops[direction, day] == one.stop


def test_boarders_go_on_monday_and_come_back_on_friday():
    pupil = replace(SECTOR.pupils[0], regime=Regime.BOARDER, homes=(replace(SECTOR.pupils[0].homes[0], days=1),))
    assert days_of(pupil, 0) == (1, FRIDAY)
    week = replace(pupil, homes=(replace(pupil.homes[0], days=0b11111),))
    assert days_of(week, 0) == (1, FRIDAY)
    sunday = replace(pupil, homes=(replace(pupil.homes[0], days=0b1000000),))
    assert days_of(sunday, 0) == (0b1000000, 0b1000000)


def test_days_of_equal_demand_are_one_period_and_saturday_is_one_when_pupils_go():
    always = tuple(
        replace(one, regime=Regime.DAY, homes=(Home(one.homes[0].position, 0b111011),)) for one in SECTOR.pupils
    )
    sector = replace(SECTOR, pupils=always, plannable=tuple((pupil, 0) for pupil in range(len(always))))
    assert [(one.period_id, one.days) for one in periods_of(waits_of(sector))] == [
        ("matin-lu-ma-je-ve-sa", 0b111011),
        ("soir-lu-ma-je-ve", 0b011011),
        ("midi-sa", 0b100000),
    ]


def test_vehicles_are_those_of_the_largest_period_and_a_circuit_is_of_one_type():
    n_runs = Counter(run.period for run in PLAN.runs)
    assert len(PLAN.circuits) == max(n_runs.values())
    assert all(len({run.vehicle_type for run in runs}) == 1 for runs in PLAN.circuits.values())
    first = {ride.rider: run.circuit_id for run in PLAN.runs_of(0) for ride in rides_of(run)}
    others = [
        (first[ride.rider], run.circuit_id)
        for run in PLAN.runs
        if run.period and PLAN.periods[run.period].direction is Direction.TO_SCHOOL
        for ride in rides_of(run)
        if ride.rider in first
    ]
    same = sum(one == other for one, other in others)
    assert same > len(others) // 2


def test_the_steps_of_a_plan_make_it_again():
    again = planned(asked=replace(ASKED, steps=None, steps_of=PLAN.making.steps_of))
    assert again == PLAN


def test_few_vehicles_leave_pupils_out_by_name_and_small_ones_drive_when_large_ones_do_not_suffice():
    kinds = (
        replace(SECTOR.vehicle_types[0], seats=30, wheelchair_places=2, count=2),
        replace(SECTOR.vehicle_types[1], seats=15, wheelchair_places=1, count=1),
    )
    few = planned(replace(SECTOR, vehicle_types=kinds))
    assert {one.why for one in few.not_served} == {"no_vehicle"}
    assert {run.vehicle_type for run in few.runs} == {0, 1}


def test_a_ride_limit_that_nobody_can_meet_is_named_and_serves_everybody_else():
    far = max(SECTOR.schools, key=lambda school: sum(one.school_id == school.school_id for one in SECTOR.pupils))
    schools = tuple(replace(one, ride_max_s=60) if one is far else one for one in SECTOR.schools)
    plan = planned(replace(SECTOR, schools=schools))
    named = {one.pupil_id for one in plan.not_served if one.why == "ride_limit_unmeetable"}
    of_far = {one.pupil_id for one in SECTOR.pupils if one.school_id == far.school_id}
    assert named
    assert named <= of_far
    assert {one.pupil_id for one in plan.riders} - named == {
        plan.riders[ride.rider].pupil_id for run in plan.runs for ride in rides_of(run)
    } - named


def test_who_was_left_out_with_one_home_is_named_on_its_days_alone():
    pupil = next(index for index, one in enumerate(SECTOR.pupils) if len(one.homes) == 2)
    told = SECTOR.pupils[pupil]
    homes = (replace(told.homes[0], line=8), replace(told.homes[1], line=9))
    pupils = (*SECTOR.pupils[:pupil], replace(told, homes=homes), *SECTOR.pupils[pupil + 1 :])
    kept = tuple(one for one in SECTOR.plannable if one != (pupil, 1))
    out = (LeftOut(told.pupil_id, 9, "home_far"), LeftOut("nobody", 99, "days_ambiguous"))
    plan = planned(replace(SECTOR, pupils=pupils, plannable=kept, left_out=out))
    named = [one for one in plan.not_served if one.why == "home_far"]
    assert named
    for one in named:
        assert plan.periods[one.period].days & homes[1].days
        assert not plan.periods[one.period].days & homes[0].days
    assert [(one.why, one.period) for one in plan.not_served if one.pupil_id == "nobody"] == [("days_ambiguous", None)]


def test_each_lot_has_its_share():
    lots = sorted({kind.lot for kind in SECTOR.vehicle_types})
    shared = planned(asked=replace(ASKED, shares={lots[0]: 0.3, lots[1]: 0.3}))
    of = Counter(shared.vehicle_types[runs[0].vehicle_type].lot for runs in shared.circuits.values())
    assert all(of[lot] >= int(0.3 * len(shared.circuits)) for lot in lots[:2])


def test_single_load_keeps_schools_apart_unless_they_are_of_one_group():
    apart = planned(asked=replace(ASKED, mixed=False))
    grouped = replace(SECTOR, schools=tuple(replace(one, group="RPI") for one in SECTOR.schools))
    together = planned(grouped, replace(ASKED, mixed=False))
    assert len(together.circuits) <= len(apart.circuits)


def test_a_plan_without_vehicles_or_pupils():
    with pytest.raises(BadInput, match="sector_without_vehicles"):
        plan_week(replace(SECTOR, vehicle_types=()), MATRIX, ASKED, "")
    nobody = plan_week(replace(SECTOR, pupils=(), plannable=()), MATRIX, ASKED, "")
    assert (nobody.periods, nobody.runs) == ((), ())


def test_each_circuit_has_the_cheapest_type_that_seats_it():
    same_place = tuple(replace(kind, depot=SECTOR.vehicle_types[0].depot) for kind in SECTOR.vehicle_types)
    plan = planned(replace(SECTOR, vehicle_types=same_place))
    for runs in plan.circuits.values():
        kind = plan.vehicle_types[runs[0].vehicle_type]
        smaller = [one for one in plan.vehicle_types if one.seats < kind.seats and one.day_cents <= kind.day_cents]
        assert all(max(max(run.loads) for run in runs) > one.seats or _has_chairs(plan, runs) for one in smaller)


def _has_chairs(plan, runs):
    return any(plan.riders[rider].wheelchair for run in runs for halt in run.halts for rider in halt.up)


def test_whoever_drives_before_dawn_does_not_drive_at_night():
    """Fifteen hours from the first bell to the last: no circuit has both, while nobody is left out for it."""
    long_day = tuple(replace(one, bell_am_s=6 * 3600, bell_pm_s=21 * 3600) for one in SECTOR.schools)
    plan = planned(replace(SECTOR, schools=long_day))
    for day in (each for each in range(7) if not WEDNESDAY >> each & 1):
        driven = [
            (run.circuit_id, plan.periods[run.period].direction)
            for run in plan.runs
            if plan.periods[run.period].days >> day & 1
        ]
        assert len({circuit for circuit, _ in driven}) == len(set(driven))
    assert len(plan.circuits) > len(PLAN.circuits)
    assert [one.reason for one in plan.not_served] == [one.reason for one in PLAN.not_served]


def test_no_depot_is_so_far_that_its_driver_works_too_long():
    """The cheapest coaches stand half an hour away: from there some days would be longer than a driver's."""
    kind = SECTOR.vehicle_types[0]
    away = replace(kind, type_id="far", depot=LatLon(kind.depot.lat + 0.15, kind.depot.lon), day_cents=0)
    kinds = (replace(kind, count=None, day_cents=90_000), replace(away, count=None))
    n_near = set()
    for minutes in (0, 30, 60):
        schools = tuple(
            replace(one, bell_am_s=6 * 3600 + 1800, bell_pm_s=19 * 3600 + 60 * minutes) for one in SECTOR.schools
        )
        sector = replace(SECTOR, schools=schools, vehicle_types=kinds)
        plan = plan_week(sector, straight_matrix(places_of(sector)), Asked(steps=200, weekdays=(0,)), "de loin")
        assert broken_promises(plan, Ways(places_of(sector), straight_matrix(places_of(sector)))) == ()
        n_near.add(sum(run.vehicle_type == 0 for run in plan.runs))
    assert len(n_near) > 1
