"""A region in pieces: nobody is lost or counted twice, what cannot meet is apart, and vehicles are not doubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fleet.search import Budget
from scolaire.generator import draw_region, draw_sector
from scolaire.outings import periods_of, stops_of, waits_of
from scolaire.pieces import Task, joined, plan_piece
from scolaire.plans import Direction, Period
from scolaire.pupils import Sector
from scolaire.sectors import _components, could_share, fewest_coaches, first_pieces, merged, next_pieces
from socle.geo import LatLon

MONDAY = 0
MORNING = Period("matin-lu", 1 << MONDAY, Direction.TO_SCHOOL)


@pytest.fixture(scope="module")
def sectors() -> list[Sector]:
    return list(draw_region(3, n_pupils=900, n_sectors=4))


@pytest.fixture(scope="module")
def region(sectors) -> Sector:
    return merged(sectors)


def planned(region: Sector, pieces, *, is_last=False, steps=300):
    found, periods = [], periods_of(waits_of(region), (MONDAY,))[:1]
    for index, (piece, circuits) in enumerate(pieces):
        task = Task(piece, periods, True, index, Budget(steps=steps), circuits, is_last)
        found.append(plan_piece(task, lambda _said: False))
    return found


def homes_of(sector: Sector) -> Counter:
    return Counter((sector.pupils[pupil].pupil_id, home) for pupil, home in sector.plannable)


def waiting_at(sector: Sector) -> dict:
    found = stops_of(sector)
    return {
        (sector.pupils[pupil].pupil_id, home): None if stop is None else sector.stops[stop].stop_id
        for (pupil, home), stop in zip(sector.plannable, found, strict=True)
    }


def moved(sector: Sector, degrees: float) -> Sector:
    def there(place: LatLon) -> LatLon:
        return LatLon(place.lat, place.lon + degrees)

    return replace(
        sector,
        pupils=tuple(
            replace(one, homes=tuple(replace(home, position=there(home.position)) for home in one.homes))
            for one in sector.pupils
        ),
        schools=tuple(replace(one, position=there(one.position)) for one in sector.schools),
        stops=tuple(replace(one, position=there(one.position)) for one in sector.stops),
        vehicle_types=tuple(replace(one, depot=there(one.depot)) for one in sector.vehicle_types),
    )


def test_sectors_merged_are_all_of_each(sectors, region):
    assert sum((homes_of(sector) for sector in sectors), Counter()) == homes_of(region)
    assert {pupil.pupil_id for pupil in region.pupils} == {one.pupil_id for each in sectors for one in each.pupils}


def test_every_home_is_in_one_piece_and_waits_where_it_did(region):
    pieces = first_pieces(region, 250)
    assert len(pieces) >= 4
    assert max(len(piece.pupils) for piece in pieces) < 2 * 250
    assert sum((homes_of(piece) for piece in pieces), Counter()) == homes_of(region)
    schools = Counter(school.school_id for piece in pieces for school in piece.schools)
    assert set(schools.values()) == {1}
    waits = {key: stop for piece in pieces for key, stop in waiting_at(piece).items()}
    assert waits == waiting_at(region)


def test_two_towns_that_no_coach_serves_both_are_two_components():
    here = draw_sector(1, n_pupils=150, number=0)
    far = moved(draw_sector(1, n_pupils=150, number=1), 3.0)  # 227 km to the east: no morning is as long
    region = merged([here, far])
    first = {pupil.pupil_id for pupil in here.pupils}
    for piece in first_pieces(region, 10_000):
        assert len({pupil.pupil_id in first for pupil in piece.pupils}) == 1


def test_no_coach_of_a_plan_goes_to_schools_that_could_not_share_one(region):
    schools = {school.school_id: index for index, school in enumerate(region.schools)}
    goes = np.array([schools[region.pupils[pupil].school_id] for pupil, _ in region.plannable])
    waits = np.array([-1 if stop is None else stop for stop in stops_of(region)])
    shares = could_share(region, goes, waits)
    whole = planned(region, [(region, ())])
    for circuit in whole[0].circuits:
        visited = [schools[visit] for visit in circuit.visits if isinstance(visit, str)]
        assert all(shares[one, other] or one == other for one, other in pairwise(visited))
    assert sum(len(component) for component in _components(shares)) == len(region.schools)


def test_the_second_pass_begins_with_the_plan_of_the_first_and_is_never_worse(region):
    first = planned(region, [(piece, ()) for piece in first_pieces(region, 250)])
    circuits = [circuit for each in first for circuit in each.circuits]
    again = next_pieces(region, circuits, 1, 250)
    assert sum((homes_of(piece) for piece, _ in again), Counter()) == homes_of(region)
    assert sorted(map(repr, circuits)) == sorted(repr(one) for _, begun in again for one in begun)
    untouched = planned(region, again, steps=0)
    second = planned(region, again, is_last=True)
    assert sum(len(each.circuits) for each in untouched) == len(circuits)
    assert sum(len(each.circuits) for each in second) <= len(circuits)
    assert [each.n_broken for each in (*first, *second)] == [0] * len([*first, *second])
    borders = {frozenset(pupil.pupil_id for pupil in piece.pupils) for piece, _ in again}
    assert borders.isdisjoint(frozenset(one.pupil_id for one in piece.pupils) for piece in first_pieces(region, 250))


def test_all_pieces_joined_carry_everybody_of_the_day_once(region):
    found = planned(region, [(piece, ()) for piece in first_pieces(region, 250)], is_last=True)
    plan = joined([each.plan for each in found], region, "région")
    up = Counter(plan.riders[rider].pupil_id for run in plan.runs for halt in run.halts for rider in halt.up)
    down = Counter(plan.riders[rider].pupil_id for run in plan.runs for halt in run.halts for rider in halt.down)
    awaited = {
        region.pupils[pupil].pupil_id
        for pupil, home in region.plannable
        if region.pupils[pupil].homes[home].days >> MONDAY & 1
    }
    left = {each.pupil_id for each in plan.not_served}
    assert up == down
    assert set(up.values()) == {1}
    assert set(up) | left == awaited
    assert not set(up) & left
    for run in plan.runs:
        for halt in run.halts:
            for rider in halt.down:
                who = plan.riders[rider]
                assert halt.school == who.school
                assert plan.schools[who.school] in region.schools
    assert len(plan.circuits) == len(plan.runs) == sum(len(each.circuits) for each in found)


def test_vehicles_that_are_counted_are_in_all_pieces_together_as_many_as_there_are(region):
    limited = tuple(replace(each, count=6) if each.seats > 50 else each for each in region.vehicle_types)
    small = replace(region, vehicle_types=limited)
    pieces = first_pieces(small, 250)
    first = planned(small, [(piece, ()) for piece in pieces])
    circuits = [circuit for each in first for circuit in each.circuits]
    again = next_pieces(small, circuits, 1, 250)
    for parts in (pieces, [piece for piece, _ in again]):
        there = Counter()
        for piece in parts:
            there.update({each.type_id: each.count for each in piece.vehicle_types if each.count is not None})
        assert all(n <= 6 for n in there.values())
    used = Counter(circuit.type_id for each in planned(small, again, is_last=True) for circuit in each.circuits)
    assert all(used[each.type_id] <= 6 for each in limited if each.count is not None)


def test_a_piece_tells_its_incumbents_and_stops_when_asked(region):
    piece = first_pieces(region, 250)[0]
    said = []

    def tell(sight):
        if sight is not None:
            said.append(sight)
        return len(said) >= 2

    found = plan_piece(Task(piece, (MORNING,), True, 1, Budget(steps=10**6), keep_every_s=0.0), tell)
    assert found.n_steps < 10**6
    assert len(said[-1].plan.circuits) == said[-1].n_coaches == len(found.circuits)


def test_no_region_is_planned_with_fewer_coaches_than_its_bound(region):
    found = planned(region, [(piece, ()) for piece in first_pieces(region, 500)], steps=2_000)
    n_coaches = sum(len(each.circuits) for each in found)
    for n_pupils in (500, 5_000):
        assert 1 < fewest_coaches(region, MONDAY, n_pupils) <= n_coaches
