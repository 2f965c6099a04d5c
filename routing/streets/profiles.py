"""Profiles: who may use which ways, in which direction, how fast, and what stops them.

Speeds are metres a second, 0 where one may not go. A way that no profile may use is no street.

Sources of the speeds:
- walk 1.2 m/s: Transportation Research Board, Highway Capacity Manual 2000, 18-2 (4 ft/s where few are
  elderly); also what the journey API takes by default, and our footpaths. Stairs × 0.49, the mean of 0.61
  up and 0.69 down against 1.34 on the level: U. Weidmann, Transporttechnik der Fussgänger, IVT 90, ETH
  Zürich 1993.
- wheelchair 0.89 m/s: electric wheelchairs on the level (manual ones unaided 0.69): K. Boyce, T. Shields,
  G. Silcock, "Toward the characterization of building occupancies for fire safety engineering", Fire
  Technology 35, 1999. What stops one: arrêté du 15 janvier 2007 on roads and public spaces (slope at most
  5 %, 8 % over two metres; 0.90 m at the narrowest).
- bicycle 15 km/h and what a surface takes from it, car by class and 0.8 of a posted limit: the default
  profiles of Project OSRM (profiles/bicycle.lua, car.lua of 5.26), measured against traffic by its users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from routing.streets.tags import Tags, allowed, directions, limits_km_h, slope_percent, width_m

Speeds = tuple[float, float]
"""Metres a second along a way as drawn, and against it; 0 where one may not go."""

CLOSED: Final[Speeds] = (0.0, 0.0)
WALK_M_S = 1.2
WHEELCHAIR_M_S = 0.89
_KM_H = 1 / 3.6
BICYCLE_M_S = 15 * _KM_H
_PUSHED_M_S = 1.1  # a bicycle is pushed at 4 km/h
_STAIRS = 0.49
_STEEPEST_PERCENT = 8.0
_NARROWEST_M = 0.9
_OF_LIMIT = 0.8

_CAR_KM_H = {
    "motorway": 90,
    "motorway_link": 45,
    "trunk": 85,
    "trunk_link": 40,
    "primary": 65,
    "primary_link": 30,
    "secondary": 55,
    "secondary_link": 25,
    "tertiary": 40,
    "tertiary_link": 20,
    "unclassified": 25,
    "residential": 25,
    "road": 25,
    "living_street": 10,
    "service": 15,
}
_FAST = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
_FOR_FEET = frozenset({"footway", "pedestrian", "path", "steps", "corridor", "platform", "bridleway", "track"})
_WALKED = (frozenset(_CAR_KM_H) - _FAST) | _FOR_FEET
_RIDDEN = (frozenset(_CAR_KM_H) - _FAST) | {"cycleway", "track", "path"}
_PUSHED = frozenset({"footway", "pedestrian", "bridleway", "platform"})
# What is no street yet, no more, or for others alone: known, and left out without a remark.
_NOT_STREETS = frozenset(
    [
        "proposed",
        "construction",
        "planned",
        "abandoned",
        "razed",
        "demolished",
        "disused",
        "raceway",
        "bus_guideway",
        "busway",
        "escape",
        "rest_area",
        "services",
        "elevator",
        "no",
        "emergency_bay",
        "via_ferrata",
        "ladder",
        "bus_stop",
        "crossing",
        "toll_gantry",
    ]
)
HIGHWAYS = _WALKED | _FAST | _RIDDEN | _NOT_STREETS
"""Every value of `highway` that means something to us."""

_SURFACE_WALK = {"fine_gravel": 0.75, "gravel": 0.75, "pebblestone": 0.75, "mud": 0.5, "sand": 0.5}
_ROUGH = frozenset(
    [
        "gravel",
        "fine_gravel",
        "pebblestone",
        "grass",
        "ground",
        "dirt",
        "earth",
        "unpaved",
        "cobblestone",
        "unhewn_cobblestone",
        "sett",
        "rock",
    ]
)
_BAD_SMOOTHNESS = frozenset(["very_bad", "horrible", "very_horrible", "impassable"])
_SURFACE_RIDE_KM_H = {
    "cobblestone": 7,
    "unhewn_cobblestone": 6,
    "sett": 9,
    "unpaved": 10,
    "compacted": 12,
    "fine_gravel": 10,
    "gravel": 8,
    "pebblestone": 8,
    "ground": 8,
    "dirt": 8,
    "earth": 8,
    "grass": 6,
    "mud": 3,
    "sand": 3,
}

# barrier=… -> those who cannot pass it, unless an access tag of the node says so
_SOLID = ["wall", "fence", "hedge", "city_wall", "ditch", "retaining_wall", "guard_rail", "jersey_barrier", "debris"]
_NO_WHEELS = ["stile", "turnstile", "kissing_gate", "full-height_turnstile", "step", "log"]
_NO_CARS = [
    "bollard",
    "block",
    "cycle_barrier",
    "motorcycle_barrier",
    "chain",
    "planter",
    "rope",
    "horse_stile",
    "sump_buster",
    "bar",
]
_BARRED: Final[dict[str, frozenset[str]]] = (
    dict.fromkeys(_SOLID, frozenset({"walk", "wheelchair", "bicycle", "car"}))
    | dict.fromkeys(_NO_WHEELS, frozenset({"wheelchair", "bicycle", "car"}))
    | dict.fromkeys(_NO_CARS, frozenset({"car"}))
    | {"cycle_barrier": frozenset({"wheelchair", "car"}), "chain": frozenset({"wheelchair", "car"})}
)
# What opens when nothing is said of who may pass: gates stand open or are opened.


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of moving.

    `beside_m_s` is how fast one gets from a place to its street; 0 where that is not counted,
    because the vehicle stays on the street.
    """

    name: str
    speeds: Callable[[Tags], Speeds]
    access_keys: tuple[str, ...]  # the most specific first
    beside_m_s: float

    def is_barred_by(self, tags: Tags) -> bool:
        """Whether a node with these tags cannot be passed."""
        said = allowed(tags, self.access_keys)
        if self.name == "wheelchair" and tags.get("kerb") == "raised":
            return True
        if said is not None:
            return not said
        return self.name in _BARRED.get(tags.get("barrier", ""), frozenset())


_ON_FOOT = ("foot", "access")
_BY_BICYCLE = ("bicycle", "vehicle", "access")
_BY_CAR = ("motorcar", "motor_vehicle", "vehicle", "access")


def walk_speeds(tags: Tags) -> Speeds:
    """On foot: every street but the fast ones, both ways."""
    kind = _kind(tags)
    said = allowed(tags, _ON_FOOT)
    if said is False or kind in _NOT_STREETS or not kind:
        return CLOSED
    if kind not in _WALKED and not (said and "foot" in tags) and not _has_sidewalk(tags):
        return CLOSED
    if tags.get("motorroad") == "yes" and not _has_sidewalk(tags):
        return CLOSED
    speed = WALK_M_S * (_STAIRS if kind == "steps" else _SURFACE_WALK.get(tags.get("surface", ""), 1.0))
    along, against = directions(tags, ("oneway:foot",))
    match tags.get("conveying"):  # a moving pavement or stairs
        case "forward":
            against = False
        case "backward":
            along = False
    return speed * along, speed * against


def wheelchair_speeds(tags: Tags) -> Speeds:
    """As on foot, but for what stops wheels; what is not told is taken to be passable."""
    along, against = walk_speeds(tags)
    said = allowed(tags, ("wheelchair",))
    if tags.get("wheelchair") == "limited":
        said = None
    if said is False or not (along or against):
        return CLOSED
    if said is None:
        kind = _kind(tags)
        slope, width = slope_percent(tags), width_m(tags)
        if kind == "steps" and tags.get("ramp:wheelchair") != "yes":
            return CLOSED
        if tags.get("conveying", "no") != "no" or tags.get("kerb") == "raised":
            return CLOSED
        if tags.get("smoothness") in _BAD_SMOOTHNESS or tags.get("surface") in {"mud", "sand"}:
            return CLOSED
        if slope is not None and slope > _STEEPEST_PERCENT:
            return CLOSED
        if width is not None and width < _NARROWEST_M:
            return CLOSED
        if tags.get("sac_scale", "hiking") != "hiking":
            return CLOSED
    speed = WHEELCHAIR_M_S * (0.5 if tags.get("surface") in _ROUGH else 1.0)
    return speed * (along > 0), speed * (against > 0)


def bicycle_speeds(tags: Tags) -> Speeds:
    """By bicycle: streets and cycleways, pushed where only feet are meant to be; never on stairs."""
    kind = _kind(tags)
    said = allowed(tags, _BY_BICYCLE)
    if kind in _NOT_STREETS or kind == "steps" or not kind:
        return CLOSED
    if said is False:
        if tags.get("bicycle") in {"no", "use_sidepath"} or "highway" not in tags:
            return CLOSED
        return _pushed(tags)
    if kind in _PUSHED and not (said and "bicycle" in tags):
        return _pushed(tags)
    if kind not in _RIDDEN and kind not in _PUSHED and not (said and "bicycle" in tags):
        return CLOSED
    if tags.get("motorroad") == "yes" or tags.get("bicycle") == "dismount":
        return _pushed(tags)
    speed = _SURFACE_RIDE_KM_H.get(tags.get("surface", ""), 15) * _KM_H
    along, against = directions(tags, ("oneway:bicycle", "oneway"))
    if tags.get("junction") in {"roundabout", "circular"} and "oneway" not in tags:
        against = False
    if any(tags.get(key, "").startswith("opposite") for key in ("cycleway", "cycleway:left", "cycleway:right")):
        along = against = True
    return speed * along, speed * against


def car_speeds(tags: Tags) -> Speeds:
    """By car: by class, or by the limit that is posted."""
    kind = _kind(tags)
    said = allowed(tags, _BY_CAR)
    usual_km_h = _CAR_KM_H.get(kind)
    if kind == "track" and said and ({"motorcar", "motor_vehicle"} & tags.keys()):
        usual_km_h = 15
    if said is False or usual_km_h is None:
        return CLOSED
    # A key for cars only, so that `oneway:bicycle` does not speak for them.
    along, against = directions(tags, ("oneway:motor_vehicle", "oneway"))
    is_round = tags.get("junction") in {"roundabout", "circular"} or kind == "motorway"
    if is_round and tags.get("oneway", "") not in {"no", "false", "0", "-1", "reverse"}:
        against = False
    limit_along, limit_against = limits_km_h(tags)
    return _driven(usual_km_h, limit_along) * along, _driven(usual_km_h, limit_against) * against


def _driven(usual_km_h: float, limit_km_h: float | None) -> float:
    return (usual_km_h if limit_km_h is None else limit_km_h * _OF_LIMIT) * _KM_H


def _pushed(tags: Tags) -> Speeds:
    along, against = walk_speeds(tags)
    return _PUSHED_M_S * (along > 0), _PUSHED_M_S * (against > 0)


def _kind(tags: Tags) -> str:
    """What kind of street a way is; platforms are streets for feet whatever else they are tagged as."""
    if "highway" not in tags and "platform" in {tags.get("railway"), tags.get("public_transport")}:
        return "platform"
    return tags.get("highway", "")


def _has_sidewalk(tags: Tags) -> bool:
    return bool(
        {tags.get(f"sidewalk{side}") for side in ("", ":both", ":left", ":right")} & {"yes", "both", "left", "right"}
    )


WALK = Profile("walk", walk_speeds, _ON_FOOT, WALK_M_S)
WHEELCHAIR = Profile("wheelchair", wheelchair_speeds, ("wheelchair", *_ON_FOOT), WHEELCHAIR_M_S)
BICYCLE = Profile("bicycle", bicycle_speeds, _BY_BICYCLE, _PUSHED_M_S)
CAR = Profile("car", car_speeds, _BY_CAR, 0.0)
PROFILES: Final = (WALK, WHEELCHAIR, BICYCLE, CAR)
"""In the order of their arrays on disk."""
