"""Refresh: the id carries the journey; it is found again after the producer renamed everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.journey import Journey, TransitLeg
from routing.journeys.query import JourneyQuery, PointPlace, StopPlace
from routing.journeys.refresh import LegId, list_leg_ids, read_itinerary_id, refresh, render_itinerary_id
from routing.journeys.snapshot import Snapshot
from socle.errors import BadInput
from socle.geo import LatLon
from tests.worlds.timetables import instant
from tests.worlds.valley import valley

WORLD = valley()
texts = st.text(max_size=12)
places = st.floats(-80, 80)
times = st.integers(0, 1 << 32)
leg_ids = st.builds(
    LegId, texts, texts, texts, places, places, texts, places, places, times, times,
    st.sampled_from(["BUS", "WALK"]), st.booleans(),
)  # fmt: skip


def journeys(world: Snapshot, origin: str, destination: str, at: str = "07:00") -> tuple[Journey, ...]:
    timetable = world.timetable
    query = JourneyQuery(
        StopPlace(timetable.get_stop(origin)), StopPlace(timetable.get_stop(destination)), instant(at), window_s=7200
    )
    return world.search(query).journeys


@given(st.lists(leg_ids, min_size=1, max_size=5))
def test_an_id_gives_its_legs_back(legs):
    assert read_itinerary_id(render_itinerary_id(legs)) == tuple(legs)


@pytest.mark.parametrize("text", ["", "1.", "1.?", "2.abcd", "1." + "A" * 50, "1.\udcff"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(BadInput, match="bad_itinerary_id"):
        read_itinerary_id(text)


@pytest.mark.parametrize("ends", [("gare", "lac"), ("mairie", "col"), ("hopital", "lac")])
def test_a_fresh_journey_is_found_as_it_was(ends):
    for journey in journeys(WORLD, *ends):
        again = refresh(WORLD, list_leg_ids(WORLD, journey))
        assert again.journey == journey
        assert again.changes == ()


def test_walks_from_and_to_points_come_back_too():
    query = JourneyQuery(
        PointPlace(LatLon(47.302, 5.0005)), PointPlace(LatLon(47.5005, 5.201)), instant("07:00"), window_s=7200
    )
    for journey in WORLD.search(query).journeys:
        assert refresh(WORLD, list_leg_ids(WORLD, journey)).journey == journey


def test_the_trip_is_found_after_all_ids_changed():
    renamed = valley(prefix="new-")
    for journey in journeys(WORLD, "hopital", "lac"):
        again = refresh(renamed, list_leg_ids(WORLD, journey)).journey
        assert again is not None
        assert [(leg.departure, leg.arrival) for leg in again.legs] == [
            (leg.departure, leg.arrival) for leg in journey.legs
        ]
        trips = [renamed.timetable.trip_id[leg.trip] for leg in again.legs if isinstance(leg, TransitLeg)]
        assert all(trip.startswith("new-") for trip in trips)


def test_another_day_is_not_the_same_ride():
    journey = journeys(WORLD, "gare", "lac")[0]
    (leg,) = list_leg_ids(WORLD, journey)
    sunday = LegId(**{name: getattr(leg, name) for name in LegId.__slots__} | {
        "trip_id": leg.trip_id.replace("20261124", "20261122"),
        "sched_start": leg.sched_start - 2 * 86_400, "sched_end": leg.sched_end - 2 * 86_400,
    })  # fmt: skip
    again = refresh(WORLD, [sunday])
    assert again.journey is None
    assert [change.code for change in again.changes] == ["RIDE_LOST"]
