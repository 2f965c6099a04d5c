"""Route types and stop ids as modes and carbon classes."""

from __future__ import annotations

import pytest

from routing.network.modes import CARBON_CLASSES, MODES, carbon_class, mode_of_route_type, mode_of_stop_id, mode_of_trip


@pytest.mark.parametrize(
    ("route_type", "mode"),
    [
        (0, "TRAM"),
        (1, "SUBWAY"),
        (2, "REGIONAL_RAIL"),
        (3, "BUS"),
        (7, "FUNICULAR"),
        (101, "HIGHSPEED_RAIL"),
        (109, "SUBURBAN"),
        (202, "COACH"),
        (204, "BUS"),
        (714, "BUS"),
        (715, "ODM"),
        (1551, "RIDE_SHARING"),
        (12, "OTHER"),
        (1700, "OTHER"),
    ],
)
def test_a_route_type_is_a_mode(route_type, mode):
    assert mode_of_route_type(route_type) == mode


@pytest.mark.parametrize(
    ("stop_id", "mode"),
    [
        ("StopPoint:OCETrain TER-87713040", "REGIONAL_RAIL"),
        ("StopPoint:OCECar TER-87713040", "COACH"),
        ("ter:StopPoint:OCETGV%20INOUI-87713040", "HIGHSPEED_RAIL"),
        ("StopPoint:OCEINTERCITES de nuit-87713040", "NIGHT_RAIL"),
        ("StopArea:OCE87713040", None),
        ("MUDEC_01", None),
    ],
)
def test_a_stop_id_of_the_railway_tells_the_mode(stop_id, mode):
    assert mode_of_stop_id(stop_id) == mode


def test_stops_that_disagree_leave_it_to_the_route():
    assert mode_of_trip(2, ["COACH", "REGIONAL_RAIL"]) == "REGIONAL_RAIL"
    assert mode_of_trip(2, ["COACH", "COACH"]) == "COACH"
    assert mode_of_trip(2, [None]) == "REGIONAL_RAIL"
    assert mode_of_trip(715, ["COACH"]) == "ODM"


def test_a_bus_between_towns_counts_as_a_coach():
    assert carbon_class("BUS", 3) == "BUS_URBAN"
    assert carbon_class("BUS", 3, bus_is_interurban=True) == "COACH"


def test_every_mode_has_a_carbon_class():
    assert {carbon_class(mode, 3) for mode in MODES} <= set(CARBON_CLASSES)
