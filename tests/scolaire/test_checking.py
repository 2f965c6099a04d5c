"""The checker: nothing in plans that keep their promises, and every planted fault by its rule."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobigo.texts import text
from scolaire.against import broken_against
from scolaire.checking import Rule, broken_by, broken_circuits, broken_promises
from scolaire.duty import SPREAD_MAX_S, WHEEL_MAX_S, keeps_duty
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import Direction, NoRoad, NotServed, Spot, Waiting, rides_of
from scolaire.pupils import Level, StopStatus
from scolaire.ways import Ways, places_of, straight_matrix
from tests.worlds.examples import random_examples


@cache
def planned(seed=3, n_pupils=120, *, mixed=True, steps=200):
    sector = draw_sector(seed, n_pupils=n_pupils)
    matrix = straight_matrix(places_of(sector))
    return sector, plan_week(sector, matrix, Asked(seed, mixed=mixed, steps=steps), ""), Ways(places_of(sector), matrix)


SECTOR, PLAN, WAYS = planned()
MORNING = next(run for run in PLAN.runs if PLAN.periods[run.period].direction is Direction.TO_SCHOOL)
EVENING = next(run for run in PLAN.runs if PLAN.periods[run.period].direction is Direction.FROM_SCHOOL)


@random_examples(30)
@given(seed=st.integers(0, 10**6), n_pupils=st.integers(1, 40), mixed=st.booleans(), seats=st.integers(4, 60))
def test_random_plans_break_no_promise(seed, n_pupils, mixed, seats):
    """Ten plans an example: each period counts."""
    dice = random.Random(seed)
    sector = draw_sector(seed, n_pupils=n_pupils)
    kinds = tuple(
        replace(kind, seats=seats, wheelchair_places=dice.randrange(3), count=dice.choice((None, 1, 3)))
        for kind in sector.vehicle_types[:2]
    )
    stops = tuple(replace(stop, status=StopStatus.CLOSED) if dice.random() < 0.1 else stop for stop in sector.stops)
    sector = replace(sector, vehicle_types=kinds, stops=stops)
    matrix = straight_matrix(places_of(sector))
    plan = plan_week(sector, matrix, Asked(seed % 97, mixed=mixed, steps=60), "")
    assert broken_promises(plan, Ways(places_of(sector), matrix)) == ()
    assert broken_against(plan, sector) == ()


def test_each_rule_has_its_sentence():
    for rule in Rule:
        assert text(f"scolaire.broken.{rule}")


def with_run(run, **changes):
    return replace(PLAN, runs=tuple(replace(one, **changes) if one is run else one for one in PLAN.runs))


def with_halt(run, at, **changes):
    halts = list(run.halts)
    halts[at] = replace(halts[at], **changes)
    return with_run(run, halts=tuple(halts))


def later(run, seconds):
    halts = tuple(
        replace(halt, arrives_s=halt.arrives_s + seconds, leaves_s=halt.leaves_s + seconds) for halt in run.halts
    )
    return with_run(run, halts=halts)


def with_riders(change):
    return replace(PLAN, riders=tuple(change(index, rider) for index, rider in enumerate(PLAN.riders)))


def with_school(school, **changes):
    schools = list(PLAN.schools)
    schools[school] = replace(schools[school], **changes)
    return replace(PLAN, schools=tuple(schools))


def with_stop(stop, **changes):
    stops = list(PLAN.stops)
    stops[stop] = replace(stops[stop], **changes)
    return replace(PLAN, stops=tuple(stops))


FIRST = next(rides_of(MORNING)).rider
UP = next(rides_of(MORNING)).up
SCHOOL_AT = next(rides_of(MORNING)).down
SCHOOL = PLAN.riders[FIRST].school
BACK_AT = next(at for at, halt in enumerate(EVENING.halts) if halt.school is not None and halt.up)
OTHER_STOP = next(at for at in range(len(PLAN.stops)) if at != MORNING.halts[UP].stop)
KIND = PLAN.vehicle_types[MORNING.vehicle_type]
TWICE = next(  # a run of the same period in which the first rider is not
    run for run in PLAN.runs if run.period == MORNING.period and run is not MORNING
)

FAULTS = {
    Rule.UNKNOWN: lambda: with_halt(MORNING, UP, stop=len(PLAN.stops)),
    Rule.RUN_TWICE: lambda: with_run(MORNING, run_id=EVENING.run_id),
    Rule.RIDER_TWICE: lambda: with_riders(
        lambda at, one: replace(one, pupil_id=PLAN.riders[0].pupil_id) if at == 1 else one
    ),
    Rule.PERIODS_SHARE_DAY: lambda: replace(PLAN, periods=tuple(replace(one, days=0b11111) for one in PLAN.periods)),
    Rule.FORGOTTEN: lambda: replace(PLAN, runs=tuple(run for run in PLAN.runs if run is not MORNING)),
    Rule.CARRIED_TWICE: lambda: replace(PLAN, runs=(*PLAN.runs, replace(MORNING, run_id="twice", circuit_id="twice"))),
    Rule.NOT_AWAITED: lambda: with_riders(lambda at, one: replace(one, waits=()) if at == FIRST else one),
    Rule.CARRIED_AND_NAMED: lambda: replace(
        PLAN, not_served=(NotServed(PLAN.riders[FIRST].pupil_id, "no_vehicle", MORNING.period),)
    ),
    Rule.NO_REASON: lambda: replace(PLAN, not_served=(NotServed("somebody", ""),)),
    Rule.TWO_HOMES: lambda: with_riders(
        lambda at, one: (
            replace(
                one, waits=(*one.waits, Waiting(Direction.TO_SCHOOL, PLAN.periods[MORNING.period].days, OTHER_STOP))
            )
            if at == FIRST
            else one
        )
    ),
    Rule.NEVER_DOWN: lambda: with_halt(MORNING, SCHOOL_AT, down=()),
    Rule.NEVER_UP: lambda: with_halt(MORNING, UP, up=()),
    Rule.WRONG_STOP: lambda: with_halt(MORNING, UP, stop=OTHER_STOP),
    Rule.WRONG_SCHOOL: lambda: with_halt(
        MORNING, SCHOOL_AT, school=next(at for at in range(len(PLAN.schools)) if at != SCHOOL)
    ),
    Rule.STOP_NOT_VALIDATED: lambda: with_stop(MORNING.halts[UP].stop, status=StopStatus.REQUESTED),
    Rule.NO_BELL: lambda: with_school(SCHOOL, bell_am_s=None),
    Rule.TOO_FULL: lambda: replace(PLAN, vehicle_types=tuple(replace(kind, seats=1) for kind in PLAN.vehicle_types)),
    Rule.NO_WHEELCHAIR_PLACE: lambda: replace(
        with_riders(lambda _, one: replace(one, wheelchair=True)),
        vehicle_types=tuple(replace(kind, wheelchair_places=0) for kind in PLAN.vehicle_types),
    ),
    Rule.RIDE_TOO_LONG: lambda: with_school(SCHOOL, ride_max_s=1),
    Rule.ARRIVES_TOO_EARLY: lambda: later(MORNING, -3_600),
    Rule.ARRIVES_LATE: lambda: later(MORNING, 3_600),
    Rule.LEAVES_TOO_EARLY: lambda: later(EVENING, -7_200),
    Rule.LEAVES_LATE: lambda: later(EVENING, 7_200),
    Rule.DRIVES_TOO_FAST: lambda: with_halt(
        MORNING, 1, arrives_s=MORNING.halts[0].leaves_s, leaves_s=MORNING.halts[0].leaves_s
    ),
    Rule.ROAD_FORBIDDEN: lambda: replace(
        PLAN, no_roads=(NoRoad(*(Spot(halt.stop, halt.school) for halt in MORNING.halts[:2])),)
    ),
    Rule.NO_ATTENDANT: lambda: replace(
        with_riders(lambda _, one: replace(one, level=Level.NURSERY)),
        runs=tuple(replace(run, has_attendant=False) for run in PLAN.runs),
    ),
    Rule.CIRCUIT_OVERLAPS: lambda: with_run(MORNING, circuit_id=TWICE.circuit_id),
    Rule.DAY_TOO_LONG: lambda: with_run(EVENING, home_s=SPREAD_MAX_S),
    Rule.DRIVES_TOO_LONG: lambda: with_run(EVENING, home_s=WHEEL_MAX_S),
    Rule.CIRCUIT_OF_TWO_TYPES: lambda: with_run(
        MORNING, vehicle_type=(MORNING.vehicle_type + 1) % len(PLAN.vehicle_types)
    ),
    Rule.TOO_MANY_VEHICLES: lambda: replace(
        PLAN, vehicle_types=tuple(replace(kind, count=0) for kind in PLAN.vehicle_types)
    ),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_every_planted_fault_is_found(rule):
    assert broken_promises(PLAN, WAYS) == ()
    assert rule in {one.rule for one in broken_promises(FAULTS[rule](), WAYS)}


def one_driver(*, earlier_s=0, home_s=0):
    """The rules that a coach breaks which has a morning and an evening of one day, and nothing else to do."""
    by_day = (
        (one, other)
        for one in PLAN.runs
        for other in PLAN.runs
        if one.ends_s < other.begins_s and PLAN.periods[one.period].days & PLAN.periods[other.period].days
    )
    morning, evening = (replace(run, circuit_id="one", vehicle_type=0, home_s=0) for run in next(by_day))
    halts = [
        replace(one, arrives_s=one.arrives_s - earlier_s, leaves_s=one.leaves_s - earlier_s) for one in morning.halts
    ]
    plan = replace(PLAN, runs=(replace(morning, halts=tuple(halts)), replace(evening, home_s=home_s)))
    spread = plan.runs[1].ends_s - plan.runs[0].begins_s
    wheel = sum(run.ends_s - run.begins_s for run in plan.runs)
    return {one.rule for one in broken_circuits(plan, {"one"})}, spread, wheel, keeps_duty(plan.runs)


def test_the_day_of_a_driver_may_be_as_long_as_the_law_has_it_and_no_second_longer():
    _, spread, wheel, _ = one_driver()
    to_spare = SPREAD_MAX_S - spread
    assert one_driver(earlier_s=to_spare) == (set(), SPREAD_MAX_S, wheel, True)
    assert one_driver(earlier_s=to_spare + 1) == ({Rule.DAY_TOO_LONG}, SPREAD_MAX_S + 1, wheel, False)
    nearer = {"earlier_s": -3 * 3600}  # the same driving in fewer hours
    home_s = WHEEL_MAX_S - wheel
    at_most = one_driver(**nearer, home_s=home_s)
    assert (at_most[0] - {Rule.DAY_TOO_LONG}, at_most[2]) == (set(), WHEEL_MAX_S)
    assert Rule.DRIVES_TOO_LONG in one_driver(**nearer, home_s=home_s + 1)[0]


def test_schools_that_do_not_ride_together_are_found_in_a_plan_of_single_load():
    apart = replace(PLAN, making=replace(PLAN.making, mixed=False))
    assert Rule.SCHOOLS_MIXED in {one.rule for one in broken_promises(apart, WAYS)}
    together = replace(apart, schools=tuple(replace(one, group="RPI") for one in PLAN.schools))
    assert broken_promises(together, WAYS) == ()


class Nowhere:
    def find(self, _origin, _target):
        return None


class Slow:
    def find(self, origin, target):
        seconds, metres = WAYS.find(origin, target)
        return 2 * seconds + 1, metres


def test_what_roads_say_is_held_against_the_plan():
    assert {one.rule for one in broken_promises(PLAN, Nowhere())} == {Rule.NO_WAY}
    assert {one.rule for one in broken_promises(PLAN, Slow())} == {Rule.DRIVES_TOO_FAST}


def test_a_pupil_of_the_files_whom_the_plan_has_otherwise_is_found():
    assert broken_against(PLAN, SECTOR) == ()
    pupil = SECTOR.pupils[SECTOR.plannable[0][0]]
    other = replace(pupil, wheelchair=not pupil.wheelchair)
    changed = replace(SECTOR, pupils=tuple(other if one is pupil else one for one in SECTOR.pupils))
    assert {one.rule for one in broken_against(PLAN, changed)} == {Rule.RIDER_DIFFERS}
    more = replace(SECTOR, pupils=(*SECTOR.pupils, replace(pupil, pupil_id="neu")))
    more = replace(more, plannable=(*more.plannable, (len(SECTOR.pupils), 0)))
    assert [one.pupil_id for one in broken_against(PLAN, more)] == ["neu"]


def test_what_is_looked_at_after_an_edit_is_part_of_what_is_looked_at_in_the_whole():
    for fault in FAULTS.values():
        plan = fault()
        whole = set(broken_promises(plan, WAYS))
        runs = range(len(plan.runs))
        assert set(broken_by(plan, WAYS, runs, range(len(plan.riders)))) == whole
        assert set(broken_by(plan, WAYS, runs[:2], [0])) <= whole
