"""The plan of a region: the same by processes, better by passes, and something whenever it is stopped."""

from __future__ import annotations

import pytest

from mobigo.cluster import Engine
from mobigo.services.scolaire.regions import Asked, plan_region
from scolaire.generator import draw_region

ASKED = Asked(0, mixed=True, seed=1, steps=300, n_pupils=200)


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
        Asked(0, mixed=True, seed=1, seconds=600.0, n_pupils=200),
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
    alone = Asked(0, mixed=True, seed=1, steps=1, n_pupils=10_000)
    plan_region(sectors[:1], alone, "secteur", Engine.SERIAL, on_plan=kept.append, clock=lambda: 0.0)
    assert len(kept) == 2  # the first one, and that of the end
    assert kept[0].circuits
