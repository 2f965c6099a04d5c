"""Explain: why this journey, and why not another. Same query and release, same reasons in the same order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from routing.journeys.access import stops_of
from routing.journeys.journey import Journey, Plan
from routing.journeys.query import JourneyQuery, Place, PointPlace, StopPlace
from routing.journeys.rank import Best, Label
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Reason
from socle.geo import distance_m
from socle.times import render_gtfs_date

_WALK_DETOUR = 1.25  # of the walks searched without streets
_LONGEST_DETOUR = 10  # round a river or a railway, along streets


def why_this(bests: tuple[Best, ...]) -> list[Reason]:
    """What a journey is best at, with the margin to the next."""
    return [_best(best) for best in bests]


def _best(best: Best) -> Reason:
    match best.label:
        case Label.FASTEST | Label.LATEST_DEPARTURE:
            minutes = max(1, round(best.margin / 60))
            return Reason(best.label, {"seconds": best.margin, "minutes": minutes, "span": _span(minutes)})
        case Label.LEAST_WALKING:
            return Reason(best.label, {"metres": best.margin})
        case Label.LOWEST_CARBON:
            return Reason(best.label, {"grams": best.margin})
        case Label.FEWEST_CHANGES:
            return Reason(best.label, {"changes": best.margin})


def _span(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"


def why_nothing(
    snapshot: Snapshot, query: JourneyQuery, search: Callable[[JourneyQuery], Plan], direct: Journey | None
) -> list[Reason]:
    """Why no public transport is proposed: the first cause that explains it, or that nothing runs in time."""
    if query.modes is not None and not query.modes:
        return []
    for place, limit_s, side in (
        (query.origin, query.max_access_s, "origin"),
        (query.destination, query.max_egress_s, "destination"),
    ):
        too_far = _above_walk_limit(snapshot, query, place, limit_s, side)
        if too_far is not None:
            return [too_far]
    day = snapshot.timetable.day_of(query.at)
    if not _is_served(snapshot, query):
        return [Reason("NO_SERVICE_THIS_DAY", {"day": render_gtfs_date(day)})]
    wider = replace(query, window_s=max(query.window_s, 3600))
    if query.modes is not None and search(replace(wider, modes=None)).journeys:
        return [Reason("MODE_NOT_ASKED", {})]
    if query.wheelchair and search(replace(wider, wheelchair=False)).journeys:
        return [Reason("NOT_STEP_FREE", {})]
    if direct is not None:
        return [
            Reason("DOMINATED_BY", {"by": "direct", "span": _span(round((direct.arrival - direct.departure) / 60))})
        ]
    return [Reason("NO_CONNECTION", {"hours": 24})]


def _above_walk_limit(snapshot: Snapshot, query: JourneyQuery, place: Place, limit_s: int, side: str) -> Reason | None:
    """That the nearest served stop is farther than one would walk, when it is."""
    if isinstance(place, StopPlace):
        return None
    timetable = snapshot.timetable
    served = np.flatnonzero(np.diff(snapshot.stop_first_call))
    if not len(served):
        return None
    # A degree of longitude is shorter than one of latitude; enough to find the nearest.
    north = timetable.stop_lat[served] - place.at.lat
    east = (timetable.stop_lon[served] - place.at.lon) * np.cos(np.radians(place.at.lat))
    nearest = int(served[np.argmin(north * north + east * east)])
    limit_m = limit_s * query.walk_speed_m_s
    metres = round(distance_m(place.at, timetable.stop_at(nearest)) * _WALK_DETOUR)
    if metres <= limit_m and snapshot.walks is not None:
        ends = (place.at, timetable.stop_at(nearest))
        reached, _ = stops_of(timetable, query, place, limit_s, snapshot.walks, backward=side == "destination")
        course = snapshot.walks.between(query, *ends, _LONGEST_DETOUR * limit_s) if not len(reached) else None
        metres = course[1] if course is not None and course[2] else metres
    if metres <= limit_m:
        return None
    name = snapshot.texts[timetable.stop_name[nearest]]
    return Reason("ABOVE_WALK_LIMIT", {"side": side, "stop": name, "metres": metres, "limit_metres": round(limit_m)})


def _is_served(snapshot: Snapshot, query: JourneyQuery) -> bool:
    """Whether any trip calls at both ends' stops on the day of the query."""
    timetable = snapshot.timetable
    runs = timetable.services_of(timetable.day_of(query.at))
    for place in (query.origin, query.destination):
        if isinstance(place, PointPlace):
            continue
        stops = timetable.place_of(place.stop).tolist()
        calls = np.concatenate(
            [snapshot.call_time[snapshot.stop_first_call[stop] : snapshot.stop_first_call[stop + 1]] for stop in stops]
        )
        if not runs[timetable.trip_service[snapshot.time_trip[calls]]].any():
            return False
    return bool(runs.any())
