"""Places: what the two fields of a search mean, or the question or sentence that settles it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobigo.services import journeys as service
from mobigo.web.journeys.form import Form, Side, find_here
from mobigo.web.looks import COMMUNE, Choice, place_icon, place_id, where_words
from mobigo.web.wording import say
from routing.journeys.gazetteer import Kind, NamedPlace
from routing.journeys.naming import find_public_stop, stop_name
from routing.journeys.places import Found, Wanted, find_meant
from routing.journeys.query import Place, PointPlace, StopPlace
from routing.journeys.snapshot import Snapshot
from socle.geo import LatLon

N_CHOICES = 6


@dataclass(frozen=True, slots=True)
class Settled:
    """A field that means one place; `name` and `id` are what the form shows and keeps."""

    place: Place
    name: str
    id: str
    at: LatLon


@dataclass(frozen=True, slots=True)
class Question:
    """Several places may be meant: choose."""

    key: str
    heading: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A field that means nothing we know; `sentence` says so."""

    sentence: str


def settled_place(snapshot: Snapshot, place: NamedPlace) -> Settled:
    """A place of the index as an end of a search."""
    end = StopPlace(place.stop) if place.kind is Kind.STOP else PointPlace(place.at)
    return Settled(end, place.name, place_id(snapshot, place), place.at)


def settle(snapshot: Snapshot, form: Form, side: Side) -> Settled | Question | Unsettled:
    """What the field `side` of `form` means."""
    key = "origin" if side.name == form.origin.name else "destination"
    if not side.text:
        return Unsettled(say(f"problem.missing_{key}"))
    point = find_here(side.text)
    if point is not None:
        return Settled(PointPlace(point), side.text, "", point)
    chosen = _find_chosen(snapshot, side)
    if chosen is not None:
        return chosen
    found = service.find_places(snapshot, side.text, Wanted(n=N_CHOICES))
    if not found:
        return Unsettled(say("problem.unknown_place", text=side.text))
    meant = find_meant(found)
    if meant is not None:
        return settled_place(snapshot, meant)
    choices = [_choice(snapshot, form, side, one) for one in found]
    return Question(key, say(f"results.choose_{key}"), choices)


def _find_chosen(snapshot: Snapshot, side: Side) -> Settled | None:
    """The place of the id beside the text, as long as the text is still its name."""
    if side.id.startswith(COMMUNE):
        place = snapshot.places.find_commune(side.id.removeprefix(COMMUNE))
        return settled_place(snapshot, place) if place is not None and place.name == side.text else None
    stop = find_public_stop(snapshot.timetable, side.id) if side.id else None
    if stop is None or stop_name(snapshot, stop) != side.text:
        return None
    return Settled(StopPlace(stop), side.text, side.id, snapshot.timetable.stop_at(stop))


def _choice(snapshot: Snapshot, form: Form, side: Side, found: Found) -> Choice:
    place = found.place
    fields = {side.name: place.name, f"{side.name}_id": place_id(snapshot, place), "page": ""}
    return Choice(form.href(**fields), place_icon(place), place.name, where_words(found))


def commune_at(snapshot: Snapshot, at: LatLon) -> NamedPlace | None:
    """The commune that is searched from when one searches from this very point."""
    near = service.list_places_near(snapshot, at, Wanted(n=1, kinds=frozenset({Kind.COMMUNE})))
    return near[0].place if near and near[0].distance_m is not None and near[0].distance_m < 30 else None


def end_name(snapshot: Snapshot, at: LatLon) -> str:
    """What to call a point of the map: the commune whose centre it is, else the place it is near."""
    near = service.list_places_near(snapshot, at, Wanted(n=1))
    if not near or near[0].distance_m is None:
        return say("place.here", lat=f"{at.lat:.4f}", lon=f"{at.lon:.4f}")
    name = near[0].place.name
    return name if near[0].distance_m < 30 else say("place.near", name=name)
