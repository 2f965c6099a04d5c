"""Looks: how vehicles, stops and places are shown: a word, a shape and a dash pattern for each mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from mobigo.web.wording import distance, say
from routing.journeys.gazetteer import Kind, NamedPlace
from routing.journeys.journey import FeederLeg, TransitLeg
from routing.journeys.naming import stop_name, trip_display_name, trip_headsign
from routing.journeys.onmap import trip_path
from routing.journeys.places import Found
from routing.journeys.snapshot import Snapshot
from routing.network.modes import CARBON_CLASSES, MODES
from socle.geo import LatLon

_LOOKS: Mapping[str, str] = {
    "REGIONAL_RAIL": "train",
    "HIGHSPEED_RAIL": "train",
    "LONG_DISTANCE": "train",
    "NIGHT_RAIL": "train",
    "SUBURBAN": "train",
    "COACH": "coach",
    "BUS": "bus",
    "ODM": "bus",
    "TRAM": "tram",
    "SUBWAY": "tram",
}
COMMUNE = "commune:"  # begins the id of a commune
RAIL = frozenset(mode for mode, look in _LOOKS.items() if look == "train")
# Looks in the order in which they are drawn: what is drawn last lies on top.
DRAWN = ("walk", "other", "bus", "coach", "tram", "train")


def look_of(mode: str) -> str:
    """The class that dresses `mode`; its icon has the same name."""
    return _LOOKS.get(mode, "other")


@dataclass(frozen=True, slots=True)
class LineSign:
    """A line as travellers know it: "Car D12"."""

    look: str
    icon: str
    word: str
    name: str

    @property
    def spoken(self) -> str:
        """The sign as words of a sentence."""
        return f"{self.word} {self.name}".strip()


def shown_mode(snapshot: Snapshot, trip: int) -> str:
    """The mode as travellers call it: a bus between towns (by its carbon class) is a coach."""
    timetable = snapshot.timetable
    mode = timetable.trip_mode_name(trip)
    is_coach = mode == "BUS" and CARBON_CLASSES[timetable.trip_carbon[trip]] == "COACH"
    return "COACH" if is_coach else mode


def _sign(mode: str, name: str) -> LineSign:
    look, word = look_of(mode), say(f"mode.{mode}")
    return LineSign(look, look, word, "" if name == word else name)


def sign_of_route(snapshot: Snapshot, route: int) -> LineSign:
    """The sign of a route: its short name, else its long one, on the vehicle of its first trip."""
    timetable, texts = snapshot.timetable, snapshot.texts
    name = texts[timetable.route_short_name[route]] or texts[timetable.route_long_name[route]]
    trips = np.flatnonzero(timetable.trip_route == route)
    mode = shown_mode(snapshot, int(trips[0])) if len(trips) else MODES[timetable.route_mode[route]]
    return _sign(mode, name)


def sign_of_trip(snapshot: Snapshot, trip: int) -> LineSign:
    """The sign of the line that a trip runs on, by the name that the API shows too."""
    return _sign(shown_mode(snapshot, trip), trip_display_name(snapshot, trip))


def sign_of_feeder(leg: FeederLeg) -> LineSign:
    """The sign of a carpool line."""
    return _sign(leg.feeder.mode, leg.feeder.line_id)


def platform_code(snapshot: Snapshot, stop: int) -> str:
    """The platform as signposted; empty when the data do not say."""
    code: str = snapshot.texts[snapshot.timetable.stop_platform_code[stop]]
    return code


def headsign(snapshot: Snapshot, trip: int, position: int) -> str:
    """Where a trip says it goes as it leaves its stop number `position`; a bare train number says nothing."""
    told = trip_headsign(snapshot, trip, position)
    if told.replace(" ", "").isdigit():
        return stop_name(snapshot, int(snapshot.timetable.trip_stops(trip)[-1]))
    return told


def leg_path(snapshot: Snapshot, leg: TransitLeg) -> list[LatLon]:
    """The way of a ride on the map: along the shape when there is one, else from stop to stop."""
    lats, lons = trip_path(snapshot, leg.trip, leg.first_call, leg.last_call)
    return [LatLon(lat, lon) for lat, lon in zip(lats.tolist(), lons.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class Choice:
    """A place that may be meant, as a link."""

    href: str
    icon: str
    name: str
    where: str


def kind_word(place: NamedPlace) -> str:
    """Commune, station or stop."""
    if place.kind is Kind.COMMUNE:
        return say("place.commune")
    return say("place.stop") if RAIL.isdisjoint(place.modes) else say("place.station")


def place_icon(place: NamedPlace) -> str:
    """The shape of a place in a list."""
    if place.kind is Kind.COMMUNE:
        return "place"
    looks = [look_of(mode) for mode in place.modes]
    return next((look for look in reversed(DRAWN) if look in looks), "board")


def where_words(found: Found) -> str:
    """What tells a place from its namesakes: kind, commune, department, distance."""
    place = found.place
    words = [kind_word(place)]
    words += [area.name for area in place.areas if area.level in (6, 8) and area.name != place.name]
    if found.distance_m is not None:
        words.append(say("place.distance", distance=distance(found.distance_m)))
    return ", ".join(words)


def place_id(snapshot: Snapshot, place: NamedPlace) -> str:
    """The id of a place in our addresses: that of the stop, or `commune:21231`."""
    if place.kind is Kind.STOP:
        return snapshot.stop_ids[place.stop]
    return f"{COMMUNE}{place.insee_code}"


def stop_href(snapshot: Snapshot, stop: int) -> str:
    """The address of a stop's page."""
    return f"/arret/{quote(snapshot.stop_ids[stop], safe=':')}"
