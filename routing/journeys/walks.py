"""Walks: access, egress and walking all the way, along the streets.

The stops of a network are joined to the streets once; the walks around a point are searched when it is
asked about and kept for a while, because the pages of one search, and other travellers, ask again. The
speed is the query's; the profile says what slows one down, and where wheels cannot go. A point or a stop
that no street is near (the extract ends before) keeps the great circle: the caller's answer to None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace
from routing.network.timetable import Timetable
from routing.streets.graph import Streets
from routing.streets.profiles import WALK, WHEELCHAIR, Profile
from routing.streets.travel import Reach, Spots, join, reach, spots_at
from socle.geo import LatLon
from socle.matrix import NEVER

_KEPT = 64  # points whose walks are remembered: a search asks for two, its pages for the same

Course = tuple[int, int, tuple[LatLon, ...]]
"""Seconds, metres, and the line to draw."""


@dataclass(frozen=True, eq=False)
class Walks:
    """The streets with the stops of a network on them."""

    streets: Streets
    stops: Mapping[str, Spots]  # by profile

    @cached_property
    def _around(self) -> Callable[[LatLon, Profile, float, int, bool], Reach | None]:
        return lru_cache(maxsize=_KEPT)(self._search_around)

    def _search_around(
        self, at: LatLon, profile: Profile, speed_m_s: float, limit_s: int, backward: bool
    ) -> Reach | None:
        place = spots_at(self.streets, profile, [at])
        if not place.is_joined[0]:
            return None
        pace = profile.beside_m_s / speed_m_s
        return reach(place, self.stops[profile.name], limit_s, pace=pace, backward=backward)

    def around(self, query: JourneyQuery, at: LatLon, limit_s: int, *, backward: bool) -> Reach | None:
        """The walks from a point to the stops within `limit_s` (backward: from them to it); None off the streets."""
        return self._around(at, profile_of(query), query.walk_speed_m_s, limit_s, backward)

    def between(self, query: JourneyQuery, one: LatLon, other: LatLon, limit_s: int) -> Course | None:
        """The walk from place to place: seconds NEVER when it takes longer than `limit_s`; None off the streets."""
        profile = profile_of(query)
        here, there = (spots_at(self.streets, profile, [at]) for at in (one, other))
        if not (here.is_joined[0] and there.is_joined[0]):
            return None
        pace = profile.beside_m_s / query.walk_speed_m_s
        found = reach(here, there, limit_s, pace=pace)
        return int(found.seconds[0]), int(found.metres[0]), found.path(0)

    def leg(self, query: JourneyQuery, origin: Place, destination: Place) -> Course | None:
        """The walk between a stop and the end of a journey, as it was searched; None where it was not by streets."""
        if isinstance(origin, PointPlace) and isinstance(destination, StopPlace) and not query.access:
            found = self.around(query, origin.at, query.max_access_s, backward=False)
            stop = destination.stop
        elif isinstance(origin, StopPlace) and isinstance(destination, PointPlace) and not query.egress:
            found = self.around(query, destination.at, query.max_egress_s, backward=True)
            stop = origin.stop
        else:
            return None
        if found is None or found.seconds[stop] >= NEVER:
            return None
        return int(found.seconds[stop]), int(found.metres[stop]), found.path(stop)


def profile_of(query: JourneyQuery) -> Profile:
    """The profile of who asks."""
    return WHEELCHAIR if query.wheelchair else WALK


def make_walks(streets: Streets, timetable: Timetable) -> Walks:
    """The stops of a timetable, joined to the streets."""
    lat, lon = timetable.stop_lat, timetable.stop_lon
    return Walks(streets, {profile.name: join(streets, profile, lat, lon) for profile in (WALK, WHEELCHAIR)})
