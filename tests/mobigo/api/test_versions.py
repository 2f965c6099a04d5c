"""Versions 1 to 5 differ from 6 only as the table of the note says."""

from __future__ import annotations

from typing import Any

import pytest

from mobigo.api.journeys.shapes import EncodedPolyline, Leg, Place, TripInfo, TripSegment, instant
from mobigo.api.journeys.versions import for_version
from socle.geo import read_polyline, render_polyline

MORNING = "2026-11-24T07:00:00+01:00"
QUESTIONS = [
    ("plan", {"fromPlace": "47.3020,5.0005", "toPlace": "47.5005,5.2010", "time": MORNING, "numLegAlternatives": 2}),
    ("trip", {"tripId": "20261124_07:10_bfc_P1-07"}),
    ("stoptimes", {"stopId": "bfc_gare", "time": MORNING, "n": 12, "fetchStops": "true"}),
    ("stop", {"stopId": "bfc_gare"}),
    ("map/stops", {"min": "47,4", "max": "48,6"}),
    ("map/trips", {"min": "47,4", "max": "48,6", "zoom": 12, "startTime": MORNING, "endTime": MORNING}),
]


def as_latest(value: Any, version: int) -> Any:
    """An answer of `version` brought to version 6: the note's table read backwards."""
    if isinstance(value, list):
        return [as_latest(one, version) for one in value]
    if not isinstance(value, dict):
        return value
    told = {name: as_latest(inner, version) for name, inner in value.items()}
    if {"lat", "lon", "name"} <= told.keys() and "type" not in told and version < 6:
        assert told["level"] == 0
        del told["level"]
    if version < 5 and "mode" in told:
        told["mode"] = {"METRO": "SUBURBAN", "AREAL_LIFT": "AERIAL_LIFT"}.get(told["mode"], told["mode"])
    if version < 4 and "displayName" in told:
        assert told["routeShortName"] == told["displayName"]
    if version < 4 and "trips" in told:
        told["trips"] = [{"tripId": one["tripId"], "displayName": one["routeShortName"]} for one in told["trips"]]
    if "points" in told:
        assert told["precision"] == (7 if version == 1 and told["points"] else told["precision"])
        points = render_polyline(read_polyline(told["points"], told["precision"]), 6)
        told |= {"points": points, "precision": 6}
    return told


@pytest.mark.parametrize("version", range(1, 7))
@pytest.mark.parametrize(("path", "parameters"), QUESTIONS)
def test_an_older_answer_brought_forward_is_the_latest(ask, path, parameters, version):
    latest, older = ask(f"v6/{path}", **parameters), ask(f"v{version}/{path}", **parameters)
    for answer in (latest, older):
        if path == "plan":
            answer["debugOutput"] = {}
    brought = as_latest(older, version)
    if version < 4:
        strip_short_names(latest)
        strip_short_names(brought)
    assert brought == latest


def strip_short_names(value: Any) -> None:
    """Without the GTFS short name, which versions 1 to 3 do not tell."""
    if isinstance(value, list):
        for one in value:
            strip_short_names(one)
    elif isinstance(value, dict):
        if "displayName" in value:
            value.pop("routeShortName", None)
        for inner in value.values():
            strip_short_names(inner)


def leg(mode: str) -> Leg:
    at, place = instant(0), Place(name="a", lat=1.0, lon=2.0)
    line = EncodedPolyline(points=render_polyline([], 6), precision=6, length=0)
    return Leg(
        mode=mode, from_=place, to=place, duration=0, start_time=at, end_time=at, scheduled_start_time=at,
        scheduled_end_time=at, real_time=False, scheduled=True, leg_geometry=line, display_name="RER B",
        route_short_name="B",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "mode", "short_name"),
    [(1, "METRO", "RER B"), (3, "METRO", "RER B"), (4, "METRO", "B"), (5, "SUBURBAN", "B"), (6, "SUBURBAN", "B")],
)
def test_suburban_and_the_short_name_by_version(version, mode, short_name):
    told = for_version(leg("SUBURBAN"), version)
    assert (told.mode, told.route_short_name) == (mode, short_name)
    assert for_version(leg("AERIAL_LIFT"), version).mode == ("AREAL_LIFT" if version < 5 else "AERIAL_LIFT")


def test_trips_of_a_segment_have_a_short_name_before_version_four():
    at, place = instant(0), Place(name="a", lat=1.0, lon=2.0)
    segment = TripSegment(
        trips=[TripInfo(trip_id="t", display_name="P1")], mode="BUS", distance=1.0, from_=place, to=place,
        departure=at, arrival=at, scheduled_departure=at, scheduled_arrival=at, real_time=False, polyline="",
    )  # fmt: skip
    (trip,) = for_version([segment], 3)[0].trips
    assert trip == TripInfo(trip_id="t", route_short_name="P1")
