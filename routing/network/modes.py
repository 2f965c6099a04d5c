"""Modes: what a route type and the stops of a trip say about the vehicle.

`mode` is the API's name (journey-api, "Route type → mode"); `carbon class` is the row of the
table of emission factors, which is not the mode: an urban bus and a coach share roads, not grams.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

MODES: Final = (
    "TRAM",
    "SUBWAY",
    "REGIONAL_RAIL",
    "HIGHSPEED_RAIL",
    "LONG_DISTANCE",
    "NIGHT_RAIL",
    "SUBURBAN",
    "COACH",
    "BUS",
    "ODM",
    "FERRY",
    "FUNICULAR",
    "AERIAL_LIFT",
    "AIRPLANE",
    "RIDE_SHARING",
    "OTHER",
)  # the index in this tuple is what the Timetable stores

CARBON_CLASSES: Final = (
    "TRAM",
    "METRO",
    "TER",
    "TGV",
    "INTERCITES",
    "RER",
    "COACH",
    "BUS_URBAN",
    "CARPOOL",
    "FERRY",
    "FUNICULAR",
    "AERIAL_LIFT",
    "AIRPLANE",
    "UNKNOWN",
)  # likewise

MODE_NUMBER: Final = {mode: number for number, mode in enumerate(MODES)}
CARBON_NUMBER: Final = {name: number for number, name in enumerate(CARBON_CLASSES)}

_SINGLE: Final = {
    0: "TRAM",
    1: "SUBWAY",
    2: "REGIONAL_RAIL",
    3: "BUS",
    4: "FERRY",
    5: "FUNICULAR",
    6: "AERIAL_LIFT",
    7: "FUNICULAR",
    11: "BUS",
    **dict.fromkeys((100, 103, 106, 107, 108, 110, 111, 112, 113, 115, 117), "REGIONAL_RAIL"),
    101: "HIGHSPEED_RAIL",
    **dict.fromkeys((102, 104, 114), "LONG_DISTANCE"),
    105: "NIGHT_RAIL",
    **dict.fromkeys((109, 403, 404), "SUBURBAN"),
    116: "FUNICULAR",
    **dict.fromkeys((200, 201, 202, 205, 206, 207, 209), "COACH"),
    **dict.fromkeys((203, 204, 208, 716, 800), "BUS"),
    **dict.fromkeys((400, 401, 402), "SUBWAY"),
    715: "ODM",
    **dict.fromkeys((1300, 1301, 1302, 1304, 1306, 1307), "AERIAL_LIFT"),
    1400: "FUNICULAR",
    1551: "RIDE_SHARING",
}
_RANGES: Final = (
    (700, 714, "BUS"),
    (900, 906, "TRAM"),
    (1000, 1099, "FERRY"),
    (1100, 1199, "AIRPLANE"),
    (1200, 1299, "FERRY"),
    (1500, 1507, "ODM"),
)

# SNCF writes the commercial mode in the stop id and nowhere else; longest prefix first.
_STOP_HINTS: Final = (
    ("OCETGV", "HIGHSPEED_RAIL"),
    ("OCELyria", "HIGHSPEED_RAIL"),
    ("OCEOUIGO", "HIGHSPEED_RAIL"),
    ("OCEINTERCITES de nuit", "NIGHT_RAIL"),
    ("OCEINTERCITES", "LONG_DISTANCE"),
    ("OCEIntercités", "LONG_DISTANCE"),
    ("OCEICE", "HIGHSPEED_RAIL"),
    ("OCETramTrain", "TRAM"),
    ("OCENavette", "BUS"),
    ("OCECar", "COACH"),
    ("OCETrain", "REGIONAL_RAIL"),
)

_CARBON_OF_MODE: Final = {
    "TRAM": "TRAM",
    "SUBWAY": "METRO",
    "REGIONAL_RAIL": "TER",
    "HIGHSPEED_RAIL": "TGV",
    "LONG_DISTANCE": "INTERCITES",
    "NIGHT_RAIL": "INTERCITES",
    "SUBURBAN": "RER",
    "COACH": "COACH",
    "BUS": "BUS_URBAN",
    "RIDE_SHARING": "CARPOOL",
    "FERRY": "FERRY",
    "FUNICULAR": "FUNICULAR",
    "AERIAL_LIFT": "AERIAL_LIFT",
    "AIRPLANE": "AIRPLANE",
}


def mode_of_route_type(route_type: int) -> str:
    """The API mode of a GTFS route type, basic or extended; OTHER when the type is in no list."""
    found = _SINGLE.get(route_type)
    if found is not None:
        return found
    return next((mode for first, last, mode in _RANGES if first <= route_type <= last), "OTHER")


def mode_of_stop_id(stop_id: str) -> str | None:
    """The mode that a stop id of SNCF tells, None when it tells nothing (`StopPoint:OCECar TER-87…`)."""
    _, marker, rest = unquote(stop_id).partition("StopPoint:")
    if not marker:
        return None
    return next((mode for prefix, mode in _STOP_HINTS if rest.startswith(prefix)), None)


def mode_of_trip(route_type: int, stop_hints: Iterable[str | None]) -> str:
    """The mode of a trip: what all its stops tell when they agree, else its route's.

    A route of type ODM or RIDE_SHARING says more than a stop can, so it is believed.
    """
    of_route = mode_of_route_type(route_type)
    if of_route in ("ODM", "RIDE_SHARING"):
        return of_route
    told = set(stop_hints)
    return next(iter(told)) or of_route if len(told) == 1 else of_route


def carbon_class(mode: str, route_type: int, bus_is_interurban: bool = False) -> str:
    """The row of the factor table for a vehicle of `mode`.

    A bus whose trip is interurban (see `compile`: mean distance between stops) counts as a coach.
    """
    if mode == "BUS" and (bus_is_interurban or route_type == 208):
        return "COACH"
    if mode == "ODM":
        return "UNKNOWN"
    return _CARBON_OF_MODE.get(mode, "UNKNOWN")
