"""Pages: walked either way they give what one wide search gives, on random worlds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.journey import Journey
from routing.journeys.pages import Cursor, PageWish, find_page, read_cursor
from routing.journeys.query import JourneyQuery, StopPlace
from routing.journeys.router import plan
from socle.errors import BadInput
from tests.worlds.examples import random_examples
from tests.worlds.timetables import instant, random_world


def told(journeys: tuple[Journey, ...]) -> list[tuple[int, int, int]]:
    return [(journey.departure, journey.arrival, journey.n_changes) for journey in journeys]


@random_examples(60)
@given(st.integers(0, 200), st.booleans(), st.integers(0, 23), st.integers(1, 3))
def test_pages_partition_time(seed, arrive_by, hour, most):
    world = random_world(seed)
    origin, destination = 0, world.n_stops - 1
    query = JourneyQuery(StopPlace(origin), StopPlace(destination), instant(f"{hour:02d}:00"), arrive_by=arrive_by)
    valid = world.valid

    def search(one):
        return plan(world, one)

    first = find_page(search, query, PageWish(n=1, most=most), valid)
    found = told(first.journeys)
    reached = {}
    for side in ("earlier", "later"):
        page = first
        for _ in range(6):
            page = find_page(search, query, PageWish(n=1, most=most, cursor=getattr(page, side)), valid)
            found += told(page.journeys)
        reached[side] = getattr(page, side).at
    wide = plan(
        world,
        replace(
            query,
            at=reached["later"] if arrive_by else reached["earlier"],
            window_s=reached["later"] - reached["earlier"],
        ),
    )
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(told(wide.journeys))


@random_examples(60)
@given(st.integers(0, 200), st.booleans(), st.integers(0, 23), st.integers(1, 3))
def test_a_page_holds_more_than_asked_only_when_it_ends_at_its_first_chance(seed, arrive_by, hour, most):
    world = random_world(seed)
    query = JourneyQuery(
        StopPlace(0), StopPlace(world.n_stops - 1), instant(f"{hour:02d}:00"), arrive_by=arrive_by, window_s=0
    )
    page = find_page(lambda one: plan(world, one), query, PageWish(n=most, most=most), world.valid)
    if len(page.journeys) > most:
        # No place to end at among the first `most`: each shares its minute with one that is left.
        nearest = sorted(page.journeys, key=lambda one: one.arrival if arrive_by else one.departure, reverse=arrive_by)
        for n in range(1, len(nearest)):
            before, after = nearest[:n], nearest[n:]
            same_minute = {one.departure // 60 for one in before} & {one.departure // 60 for one in after}
            same_end = arrive_by and before[-1].arrival == after[0].arrival
            assert same_minute or same_end


@random_examples(40)
@given(st.integers(0, 200), st.integers(0, 23), st.integers(2, 4))
def test_the_way_on_foot_can_be_one_of_the_most(seed, hour, most):
    world = random_world(seed)
    query = JourneyQuery(StopPlace(0), StopPlace(world.n_stops - 1), instant(f"{hour:02d}:00"))
    fewer, counted = (
        find_page(lambda one: plan(world, one), query, wish, world.valid)
        for wish in (PageWish(n=1, most=most - 1), PageWish(n=1, most=most, direct_counts=True))
    )
    assert counted.direct == fewer.direct
    if counted.direct is not None:
        assert counted.journeys == fewer.journeys


def test_cursors_are_read_as_written():
    for cursor in (Cursor(True, 1), Cursor(False, 1_795_500_660)):
        assert read_cursor(str(cursor)) == cursor
    for bad in ("", "LATER", "LATER|x", "SOON|3", "LATER|-3", "LATER|3 "):
        with pytest.raises(BadInput):
            read_cursor(bad)


def test_at_most_fewer_than_at_least_contradicts():
    with pytest.raises(BadInput):
        PageWish(n=5, most=4)
