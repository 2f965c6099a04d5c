"""JourneyQuery: what a traveller asks of the search.

Instants are whole seconds since 1970-01-01T00:00:00Z, durations whole seconds.
A query names stops by their index in one Timetable, so it is made for that
timetable and no other.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.network.days import LONGEST_S
from routing.network.modes import MODES
from socle.errors import BadInput, LimitExceeded
from socle.geo import LatLon

MAX_TRAVEL_S = LONGEST_S  # no journey lasts longer than a day: what a day's arrays with its neighbours can answer
MAX_CHANGES = 14
MAX_VIAS = 2


@dataclass(frozen=True, slots=True)
class StopPlace:
    """A stop as origin, destination or via: it stands for its whole station and equivalents."""

    stop: int


@dataclass(frozen=True, slots=True)
class PointPlace:
    """A point on the map, reached and left on foot; a name when it is neither end of the journey."""

    at: LatLon
    name: str = ""


Place = StopPlace | PointPlace


@dataclass(frozen=True, slots=True)
class Via:
    """A stop to pass on the way; with `stay_s` 0 one may stay aboard."""

    place: StopPlace
    stay_s: int = 0


@dataclass(frozen=True, slots=True)
class JourneyQuery:
    """One question to the search.

    `window_s` 0: waiting counts from `at` (with `arrive_by`: until `at`), and the answer is
    optimal on arrival (departure) and changes. Otherwise all journeys that depart in
    `[at, at + window_s)` and are optimal on departure, arrival and changes; with `arrive_by`
    the exact mirror, those that arrive in `(at - window_s, at]`.

    `modes` are API mode names; None allows all, the empty set none: then only the direct walk
    is answered. A change takes the greater of `min_change_s` and the stop's (or footpath's) own
    time × `change_factor` + `extra_change_s`.

    `access` and `egress`, when not empty, are the stops to start from (end at) with the seconds that
    the way to (from) each takes; they take the place of our own walks on that side.

    Raises:
        BadInput: a value contradicts its meaning, or a mode is none of the API's.
        LimitExceeded: more vias or changes than are served.
    """

    origin: Place
    destination: Place
    at: int
    arrive_by: bool = False
    window_s: int = 0
    max_changes: int = MAX_CHANGES
    max_travel_s: int | None = None
    min_change_s: int = 0
    extra_change_s: int = 0
    change_factor: float = 1.0
    modes: frozenset[str] | None = None
    via: tuple[Via, ...] = ()
    wheelchair: bool = False
    bikes: bool = False
    no_booking: bool = False
    walk_speed_m_s: float = 1.2
    max_access_s: int = 900
    max_egress_s: int = 900
    max_direct_s: int = 1800
    access: tuple[tuple[int, int], ...] = ()
    egress: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for name in ("window_s", "max_changes", "min_change_s", "extra_change_s"):
            if getattr(self, name) < 0:
                raise BadInput("negative_value", parameter=name, value=getattr(self, name))
        for name in ("max_access_s", "max_egress_s", "max_direct_s"):
            if getattr(self, name) < 0:
                raise BadInput("negative_value", parameter=name, value=getattr(self, name))
        if self.max_travel_s is not None and self.max_travel_s < 0:
            raise BadInput("negative_value", parameter="max_travel_s", value=self.max_travel_s)
        unknown = sorted((self.modes or frozenset()) - set(MODES))
        if unknown:
            raise BadInput("unknown_mode", mode=unknown[0])
        if not self.change_factor >= 1.0:
            raise BadInput("change_factor_below_one", value=self.change_factor)
        if not self.walk_speed_m_s > 0:
            raise BadInput("walk_speed_not_positive", value=self.walk_speed_m_s)
        if self.max_changes > MAX_CHANGES:
            raise LimitExceeded("too_many_changes", value=self.max_changes, limit=MAX_CHANGES)
        if len(self.via) > MAX_VIAS:
            raise LimitExceeded("too_many_vias", value=len(self.via), limit=MAX_VIAS)
        if any(via.stay_s < 0 for via in self.via):
            raise BadInput("negative_value", parameter="via.stay_s", value=min(via.stay_s for via in self.via))

    @property
    def travel_limit_s(self) -> int:
        """The longest journey looked for."""
        return MAX_TRAVEL_S if self.max_travel_s is None else min(self.max_travel_s, MAX_TRAVEL_S)
