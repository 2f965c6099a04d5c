"""Ids and names as they are known outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.journeys.naming import (
    find_point,
    find_public_trip,
    get_public_stop,
    get_public_trip,
    stop_name,
    trip_display_name,
    trip_headsign,
    trip_public_id,
)
from socle.errors import BadInput, NotFound
from socle.geo import LatLon
from tests.worlds.valley import TUESDAY, valley

WORLD = valley()
TIMETABLE = WORLD.timetable


def trip(trip_id: str) -> int:
    (found,) = TIMETABLE.list_trips(trip_id)
    return found


def test_a_trip_after_midnight_keeps_its_day_and_an_hour_above_24():
    assert trip_public_id(TIMETABLE, trip("T1-1450"), TUESDAY) == "20261124_24:10_bfc_T1-1450"


def test_every_trip_is_found_by_its_public_id_with_and_without_the_tag():
    for index in range(TIMETABLE.n_trips):
        public = trip_public_id(TIMETABLE, index, TUESDAY)
        for written in (public, public.replace("_bfc_", "_")):
            found = find_public_trip(TIMETABLE, written)
            assert found is not None
            assert (found.trip, found.service_day) == (index, TUESDAY)


@pytest.mark.parametrize(
    "written",
    ["", "P1-07", "20261122_07:10_bfc_P1-07", "20261124_07:11_bfc_P1-07", "20261324_07:10_bfc_P1-07", "x" * 500],
)
def test_what_names_no_trip_of_that_day_is_not_found(written):
    with pytest.raises(NotFound, match="unknown_trip"):
        get_public_trip(TIMETABLE, written)


def test_an_unknown_stop_is_not_found():
    with pytest.raises(NotFound, match="unknown_stop"):
        get_public_stop(TIMETABLE, "bfc_nowhere")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("47.3,5", (47.3, 5.0)), (" 47.3 , -5.25 ", (47.3, -5.25)), ("47,5,0", (47.0, 5.0)), ("47,5,-1.5", (47.0, 5.0)),
        ("+47.,5", (47.0, 5.0)), ("bfc_gare", None), ("47.3", None), ("47.3;5", None), ("nan,5", None), ("1e3,2", None),
    ],
)  # fmt: skip
def test_coordinates_are_told_from_ids(written, at):
    assert find_point(written) == (None if at is None else LatLon(*at))


@given(st.floats(90.01, 1e6), st.floats(-180, 180))
def test_what_is_off_the_earth_is_refused(lat, lon):
    with pytest.raises(BadInput, match="bad_coordinates"):
        find_point(f"{lat:f},{lon:f}")


def test_names_are_those_on_the_vehicle_and_the_station():
    assert (trip_display_name(WORLD, trip("P1-07")), trip_headsign(WORLD, trip("P1-07"))) == ("P1", "Le Lac")
    assert trip_headsign(WORLD, trip("D2-07")) == "Col des Vents"  # it says nothing, so its last stop
    assert stop_name(WORLD, TIMETABLE.get_stop("gare-a")) == "Valmont Gare"
