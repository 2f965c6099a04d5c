"""Namespaces: which id spaces a source shares with others.

Only stops can be shared: their ids may hold a code that is national and lasting.
Services, trips, routes and all the rest are private to their source, whatever their
ids look like: 2,992 services of one SNCF feed bear the id of a service of another
and not one runs on the same days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from socle.ids import safe_id, scoped_id


class StopSpace(StrEnum):
    """Who gave a source's stop ids."""

    UIC = "uic"  # the railways: an id that ends in the eight digits of a station
    FR_INSEE = "fr-insee"  # the national stop register: FR:<insee>:<kind>:<code>:<emitter>
    PRIVATE = "private"


_FORMS = {
    StopSpace.UIC: re.compile(r"(?:.*[^0-9])?[0-9]{8}"),
    StopSpace.FR_INSEE: re.compile(r"FR:[0-9][0-9AB][0-9]{3}:(?:ZE|LMO|PM|LMU|AC):[^:]+:[^:]+"),
}
_SURE_FORMS = {**_FORMS, StopSpace.UIC: re.compile(r"Stop(?:Area|Point):OCE.*[0-9]{8}")}
_UIC_DIGITS = 8
_SURE_SHARE = 0.95  # of the ids; a few foreign ones happen


@dataclass(frozen=True, slots=True)
class Namespaces:
    """What one source shares."""

    stops: StopSpace = StopSpace.PRIVATE

    def public_stop_id(self, source_id: str, stop_id: str) -> str:
        """The id of a stop outside its source: kept when it is national, else scoped by the source."""
        form = _FORMS.get(self.stops)
        if form is not None and form.fullmatch(stop_id):
            return safe_id(stop_id)
        return scoped_id(source_id, stop_id)

    def find_station_code(self, stop_id: str) -> str | None:
        """The national code of the station that a stop id speaks of, whatever stands around it."""
        form = _FORMS.get(self.stops)
        if self.stops is not StopSpace.UIC or form is None or not form.fullmatch(stop_id):
            return None
        return stop_id[-_UIC_DIGITS:]


def guess_namespaces(stop_ids: Iterable[str]) -> Namespaces:
    """What a source shares by the look of its stop ids; private unless nearly all have a national form."""
    ids = list(stop_ids)
    for space, form in _SURE_FORMS.items():
        n_sure = sum(form.fullmatch(stop_id) is not None for stop_id in ids)
        if n_sure and n_sure >= _SURE_SHARE * len(ids):
            return Namespaces(space)
    return Namespaces()
