"""Form: what a traveller typed, read from the address of a page and written back into one.

The address is the whole state of a search: `/itineraire?de=Semur&vers=Dijon-Ville&jour=…`.
A place chosen from a list adds its id (`de_id`); the id holds only as long as the text
beside it is still the chosen place's name, so that typing over a name forgets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from urllib.parse import urlencode

from mobigo.web.wording import say
from routing.journeys.naming import find_point
from socle.errors import BadInput
from socle.geo import LatLon
from socle.times import PARIS

SORTS = ("time", "walk", "carbon")
_FRENCH_SORTS = {"heure": "time", "marche": "walk", "co2": "carbon"}
_SORT_WORDS = {sort: word for word, sort in _FRENCH_SORTS.items()}
_SPAN = 200  # letters of a place's name that are read


@dataclass(frozen=True, slots=True)
class Side:
    """One end of the journey as typed."""

    name: str  # of the field: de, vers
    text: str = ""
    id: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A search as typed; `day` and `time` stay texts until `moment` has read them."""

    origin: Side = Side("de")
    destination: Side = Side("vers")
    day: str = ""
    time: str = ""
    arrive_by: bool = False
    wheelchair: bool = False
    bikes: bool = False
    sort: str = "time"
    page: str = ""  # cursor of earlier or later results
    first_day: str = ""
    last_day: str = ""
    path: str = "/itineraire"
    more: tuple[tuple[str, str], ...] = ()  # fields of another page that searches by the same two places

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked yet."""
        return not (self.origin.text or self.destination.text)

    def href(self, **changes: str) -> str:
        """The address of this search with some fields changed; a new order or page keeps the rest."""
        fields = (
            {
                "de": self.origin.text,
                "de_id": self.origin.id,
                "vers": self.destination.text,
                "vers_id": self.destination.id,
                "sens": "arrivee" if self.arrive_by else "",
                "jour": self.day,
                "heure": self.time,
                "fauteuil": "oui" if self.wheelchair else "",
                "velo": "oui" if self.bikes else "",
                "tri": _SORT_WORDS[self.sort] if self.sort != "time" else "",
                "page": self.page,
            }
            | dict(self.more)
            | changes
        )
        return f"{self.path}?{urlencode({name: value for name, value in fields.items() if value})}"


def sort_word(sort: str) -> str:
    """The word of a sort in addresses."""
    return _SORT_WORDS[sort]


def read_form(values: Mapping[str, str], now: datetime) -> Form:
    """The search written in the fields of an address; the day and hour of `now` where none is given."""
    local = now.astimezone(PARIS)
    day, clock = values.get("jour", "").strip(), values.get("heure", "").strip()
    if not clock:
        # A day without an hour means from the morning on, unless it is today.
        clock = "06:00" if day and day != local.date().isoformat() else local.strftime("%H:%M")
    form = Form(
        origin=Side("de", values.get("de", "").strip()[:_SPAN], values.get("de_id", "").strip()[:_SPAN]),
        destination=Side("vers", values.get("vers", "").strip()[:_SPAN], values.get("vers_id", "").strip()[:_SPAN]),
        day=day[:20] or local.date().isoformat(),
        time=clock[:20],
        arrive_by=values.get("sens") == "arrivee",
        wheelchair=values.get("fauteuil") == "oui",
        bikes=values.get("velo") == "oui",
        sort=_FRENCH_SORTS.get(values.get("tri", ""), "time"),
        page=values.get("page", "")[:40],
    )
    if values.get("inverser") == "oui":
        form = replace(
            form,
            origin=replace(form.destination, name="de"),
            destination=replace(form.origin, name="vers"),
            page="",
        )
    return form


def find_day(typed: str) -> date | None:
    """The day written as a date field sends it, 2026-11-24, or as one writes it in France, 24/11/2026."""
    for style in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(typed, style).replace(tzinfo=PARIS).date()
        except ValueError:
            continue
    return None


def find_clock(typed: str) -> time | None:
    """The hour written as a time field sends it, 07:30, or as 7h30 or 7h."""
    for style in ("%H:%M", "%H:%M:%S", "%Hh%M", "%Hh"):
        try:
            return datetime.strptime(typed.replace(" ", "").lower(), style).replace(tzinfo=PARIS).time()
        except ValueError:
            continue
    return None


def find_moment(form: Form) -> tuple[int | None, str]:
    """The instant asked for, or None and the sentence that says which field is not understood."""
    day = find_day(form.day)
    if day is None:
        return None, say("problem.bad_date_sentence", text=form.day)
    clock = find_clock(form.time)
    if clock is None:
        return None, say("problem.bad_time_sentence", text=form.time)
    return int(datetime.combine(day, clock, PARIS).timestamp()), ""


def find_here(typed: str) -> LatLon | None:
    """The point of the earth that "47.3220,5.0415" tells."""
    try:
        return find_point(typed)
    except BadInput:
        return None
