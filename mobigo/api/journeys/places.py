"""Places: from text to places, and from a point to places."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from mobigo.api.journeys.params import GeocodeParams, LocationTypes, ReverseGeocodeParams, transit_modes
from mobigo.api.journeys.shapes import Area, Match
from mobigo.services import journeys
from routing.journeys.gazetteer import Kind
from routing.journeys.naming import find_point, stop_public_id
from routing.journeys.places import Found, Wanted
from routing.journeys.snapshot import Snapshot
from socle.errors import BadInput
from socle.geo import Box, LatLon, box_of_corners

COMMUNE, POINT = "commune:", "point:"
_COUNTRY = "FR"
_COMMUNE_LEVEL = 8


def geocode_answer(snapshot: Snapshot, params: GeocodeParams) -> list[Match]:
    """The answer of geocode; coordinates typed as such are a place too."""
    wanted = Wanted(
        n=params.num_results,
        kinds=_kinds(params.type),
        modes=transit_modes(params.mode),
        box=_read_box(params.min, params.max),
        near=None if params.place is UNSET else get_point(params.place),
        near_weight=params.place_bias,
    )
    at = _find_typed_point(params.text)
    if at is not None:
        return [_point_match(params.text, at)]
    return _matches(snapshot, journeys.find_places(snapshot, params.text, wanted))


def reverse_geocode_answer(snapshot: Snapshot, params: ReverseGeocodeParams) -> list[Match]:
    """The answer of reverse-geocode."""
    wanted = Wanted(n=params.num_results, kinds=_kinds(params.type))
    return _matches(snapshot, journeys.list_places_near(snapshot, get_point(params.place), wanted))


def get_point(written: str) -> LatLon:
    """The coordinates that a parameter must be.

    Raises:
        BadInput: they are not.
    """
    at = find_point(written)
    if at is None:
        raise BadInput("bad_coordinates", value=written)
    return at


def get_box(one: str, other: str) -> Box:
    """The box of two opposite corners, in any order.

    Raises:
        BadInput: a corner is no place.
    """
    return box_of_corners(get_point(one), get_point(other))


def _read_box(one: str | UnsetType, other: str | UnsetType) -> Box | None:
    if one is UNSET or other is UNSET:
        return None
    return get_box(one, other)


def _find_typed_point(written: str) -> LatLon | None:
    try:
        return find_point(written)
    except BadInput:
        return None


def _kinds(types: LocationTypes | UnsetType) -> frozenset[Kind]:
    if types is UNSET or not types:
        return frozenset(Kind)
    kinds = {"STOP": Kind.STOP, "PLACE": Kind.COMMUNE}  # no address is known yet
    return frozenset(kinds[one] for one in types if one in kinds)


def _point_match(written: str, at: LatLon) -> Match:
    start = len(written) - len(written.lstrip())
    return Match(
        type="PLACE",
        tokens=[(start, len(written.strip()))],
        name=f"{at.lat:.5f}, {at.lon:.5f}",
        id=f"{POINT}{at.lat},{at.lon}",
        lat=at.lat,
        lon=at.lon,
        areas=[],
        score=1.0,
    )


def _matches(snapshot: Snapshot, found: Sequence[Found]) -> list[Match]:
    matches = [_match(snapshot, one) for one in found]
    for match, one in zip(matches, found, strict=True):
        others = [other for other in found if other is not one and other.place.name == one.place.name]
        if others:
            _mark_unique(match, others)
    return matches


def _mark_unique(match: Match, others: Sequence[Found]) -> None:
    """Mark the first area that tells a place from those of the same name."""
    for area in match.areas:
        same_level = {known.name for other in others for known in other.place.areas if known.level == area.admin_level}
        if area.name not in same_level:
            area.unique = True
            return


def _match(snapshot: Snapshot, found: Found) -> Match:
    place = found.place
    default = next((at for at, area in enumerate(place.areas) if area.level == _COMMUNE_LEVEL), len(place.areas) - 1)
    match = Match(
        type="STOP" if place.kind is Kind.STOP else "PLACE",
        tokens=list(found.spans),
        name=place.name,
        id=stop_public_id(snapshot, place.stop) if place.kind is Kind.STOP else COMMUNE + place.insee_code,
        lat=place.at.lat,
        lon=place.at.lon,
        areas=[
            Area(
                name=area.name,
                admin_level=area.level,
                matched=at in found.matched_areas,
                default=True if at == default else UNSET,
            )
            for at, area in enumerate(place.areas)
        ],
        score=found.score,
        country=_COUNTRY,
        zip=place.zip_code or UNSET,
    )
    if place.kind is Kind.STOP:
        timetable = snapshot.timetable
        match.modes = list(place.modes)  # type: ignore[arg-type]  # MODES are Modes
        match.importance = round(place.importance, 4)
        match.tz = timetable.zones[int(timetable.stop_zone[place.stop])]
        level = float(timetable.stop_level[place.stop])
        if level == level:
            match.level = level
    return match
