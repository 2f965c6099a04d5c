"""The plan of a region: the same by processes, better by passes, and something whenever it is stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobigo.cluster import Engine
from mobigo.services.scolaire.regions import Asked, plan_region
from scolaire.against import broken_against
from scolaire.checking import broken_promises
from scolaire.generator import draw_region, with_shuttles
from scolaire.outings import periods_of, waits_of
from scolaire.plans import Direction, measure, rides_of
from scolaire.pupils import Regime
from scolaire.sectors import merged
from scolaire.ways import Ways, places_of, straight_matrix

ASKED = Asked(mixed=True, seed=1, steps=300, n_pupils=200, weekdays=(0,), is_morning=True)


@pytest.fixture(scope="module")
def sectors():
    return list(draw_region(5, n_pupils=600, n_sectors=3))


@pytest.fixture(scope="module")
def serial(sectors):
    told = []
    return plan_region(sectors, ASKED, "région", Engine.SERIAL, on_progress=told.append), told


def test_the_same_steps_give_the_same_plan_by_processes(sectors, serial):
    by_processes = plan_region(sectors, ASKED, "région", Engine.PROCESSES, n_workers=2)
    assert by_processes == serial[0]


def test_nothing_is_broken_and_the_second_pass_is_no_worse(serial):
    planned, told = serial
    assert planned.n_broken == 0
    assert planned.n_coaches[1] <= planned.n_coaches[0]
    assert len(planned.plan.circuits) == planned.n_coaches[1]
    assert [each.nth_pass for each in told] == sorted(each.nth_pass for each in told)
    assert told[-1].share_done == 1.0
    assert told[-1].n_known == told[-1].n_pieces == planned.n_pieces[1]


def test_stopped_at_once_everybody_is_planned_all_the_same(sectors):
    stopped = plan_region(
        sectors,
        Asked(mixed=True, seed=1, seconds=600.0, n_pupils=200),
        "région",
        Engine.SERIAL,
        is_stopped=lambda: True,
    )
    assert stopped.n_broken == 0
    assert stopped.plan.runs
    assert stopped.plan.making.steps == 0


def test_the_plan_so_far_is_handed_over_whole(sectors):
    kept, ticks = [], iter(range(0, 10**6, 20))
    plan_region(sectors, ASKED, "région", Engine.SERIAL, on_plan=kept.append, clock=lambda: float(next(ticks)))
    assert len(kept) > 2
    homes = {sector.pupils[pupil].pupil_id for sector in sectors for pupil, _ in sector.plannable}
    first, last = kept[0], kept[-1]
    assert {each.why for each in first.not_served} >= {"not_planned_yet"}
    assert "not_planned_yet" not in {each.why for each in last.not_served}
    for plan in kept:
        carried = [plan.riders[rider].pupil_id for run in plan.runs for halt in run.halts for rider in halt.up]
        assert len(carried) == len(set(carried))
        assert set(carried) <= homes


def test_a_plan_found_at_once_is_kept_though_nothing_better_is_told(sectors):
    kept = []
    alone = Asked(mixed=True, seed=1, steps=1, n_pupils=10_000, weekdays=(0,), is_morning=True)
    plan_region(sectors[:1], alone, "secteur", Engine.SERIAL, on_plan=kept.append, clock=lambda: 0.0)
    assert len(kept) == 2  # the first one, and that of the end
    assert kept[0].circuits


@pytest.fixture(scope="module")
def week(sectors):
    kept, told, ticks = [], [], iter(range(0, 10**6, 20))
    planned = plan_region(
        sectors,
        replace(ASKED, weekdays=(0, 2), is_morning=False),
        "région",
        Engine.SERIAL,
        on_plan=kept.append,
        on_progress=told.append,
        clock=lambda: float(next(ticks)),
    )
    return planned, kept, told


def test_the_week_of_a_region_has_every_period_and_no_more_coaches_than_there_are(sectors, week):
    planned, _, told = week
    plan = planned.plan
    region = merged(sectors)
    assert plan.periods == periods_of(waits_of(region), (0, 2))
    assert {period.direction for period in plan.periods} == {Direction.TO_SCHOOL, Direction.FROM_SCHOOL}
    assert planned.n_broken == 0
    assert broken_promises(plan, Ways(places_of(region), straight_matrix(places_of(region)))) == ()
    assert broken_against(plan, region) == ()
    for nth in range(len(plan.periods)):
        assert plan.runs_of(nth)
        assert len(plan.runs_of(nth)) <= len(plan.circuits) == planned.n_coaches[-1]
    assert told[-1].nth_pass == told[-1].n_passes == 3
    assert told[-1].share_done == 1.0


def test_a_region_killed_while_evenings_are_planned_leaves_every_morning_and_names_who_waits(week):
    planned, kept, _ = week
    first = planned.plan.periods[0]
    under_way = [plan for plan in kept if len(plan.periods) > 1 and "not_planned_yet" in whys(plan)]
    assert under_way
    for plan in under_way:
        assert broken_promises(plan) == ()  # everybody who travels is carried or named, period by period
        assert not any(one.period == 0 for one in plan.not_served if one.why == "not_planned_yet")
    mornings = [plan for plan in kept if plan.periods == (first,) and "not_planned_yet" not in whys(plan)]
    assert mornings
    assert "not_planned_yet" not in whys(kept[-1])
    assert measure(kept[-1]) == measure(planned.plan)


def test_the_noon_shuttles_of_a_region_are_planned_in_its_pieces(sectors):
    with_noons = [with_shuttles(sector, 2) for sector in draw_region(2, n_pupils=900, n_sectors=2)]
    region = merged(with_noons)
    asked = replace(ASKED, steps=100, weekdays=(0,), is_morning=False)
    plan = plan_region(with_noons, asked, "région", Engine.SERIAL).plan
    assert broken_promises(plan) == ()
    noons = {school.school_id for school in region.schools if school.noon}
    assert noons
    eats_out = {
        pupil.pupil_id for pupil in region.pupils if pupil.school_id in noons and pupil.regime is Regime.HALF_BOARD
    }
    at_noon = [at for at, period in enumerate(plan.periods) if period.direction.is_noon]
    carried = {plan.riders[ride.rider].pupil_id for at in at_noon for run in plan.runs_of(at) for ride in rides_of(run)}
    assert len(at_noon) == 2
    assert carried
    assert carried <= eats_out
    assert not any(one.why == "no_stop_in_reach" and one.period in at_noon for one in plan.not_served)


def whys(plan):
    return {one.why for one in plan.not_served}


def test_who_has_no_ride_short_enough_is_named_and_nobody_else(sectors):
    shorter = [
        replace(each, schools=tuple(replace(school, ride_max_s=15 * 60) for school in each.schools)) for each in sectors
    ]
    region = merged(shorter)
    places, school_of = places_of(region), {each.school_id: each for each in region.schools}
    waits, n_stops = waits_of(region), len(region.stops)
    drive = straight_matrix(places).seconds
    number = {school_id: n_stops + index for index, school_id in enumerate(school_of)}
    too_far = {
        region.pupils[pupil].pupil_id
        for pupil, some in waits.items()
        for one in some
        if one.direction is Direction.TO_SCHOOL and one.days & 1 and one.stop is not None
        if drive[one.stop, number[region.pupils[pupil].school_id]]
        > school_of[region.pupils[pupil].school_id].ride_max_s
    }
    plan = plan_region(shorter, ASKED, "région", Engine.SERIAL).plan
    assert too_far
    assert {each.pupil_id for each in plan.not_served if each.why == "ride_limit_unmeetable"} == too_far
    assert {each.why for each in plan.not_served} <= {"ride_limit_unmeetable", "no_stop_in_reach"}
