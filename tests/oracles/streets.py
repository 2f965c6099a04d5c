"""Ways along streets by NetworkX: the slow twin of `routing.streets.travel`.

It reads the graph of `routing.streets.osm`, not the arrays, cuts the edges where places are joined to
them, and searches a graph of seconds. Where a place is joined is told to it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import networkx as nx

from routing.streets.profiles import Profile
from socle.geo import LatLon, distance_m


def _length_m(points) -> float:
    places = [LatLon(lat / 1e7, lon / 1e7) for lat, lon in points.tolist()]
    return sum(distance_m(one, other) for one, other in pairwise(places))


Spot = tuple[object, object, int, float, float]  # from, to and key of its edge, metres along and beside it


def seconds_between(
    graph: nx.MultiDiGraph, profile: Profile, spots: list[Spot | None], only: range | None = None
) -> list[dict[int, float]]:
    """Seconds from each spot (or those of `only`) to each spot that it reaches."""
    seconds = _cut(graph, profile, spots)
    told = []
    for number in only or range(len(spots)):
        spot, found = spots[number], {}
        if spot is not None and ("spot", number) in seconds:
            reached = nx.single_source_dijkstra_path_length(seconds, ("spot", number))
            for other, there in enumerate(spots):
                if ("spot", other) in reached:
                    beside = (spot[4] + there[4]) / profile.beside_m_s if profile.beside_m_s else 0.0
                    found[other] = reached["spot", other] + beside
        told.append(found)
    return told


def _cut(graph: nx.MultiDiGraph, profile: Profile, spots: list[Spot | None]) -> nx.DiGraph:
    """The graph of seconds, its edges cut at the spots."""
    cuts = defaultdict(list)
    for number, spot in enumerate(spots):
        if spot is not None:
            cuts[spot[:3]].append((spot[3], number))
    seconds = nx.DiGraph()

    def add(one, other, value):
        if value < seconds.get_edge_data(one, other, {"weight": float("inf")})["weight"]:
            seconds.add_edge(one, other, weight=value)

    for one, other, key, edge in graph.edges(keys=True, data=True):
        if edge["gate"]:
            if not profile.is_barred_by(edge["tags"]):
                add(one, other, 0.0)
                add(other, one, 0.0)
            continue
        along, against = profile.speeds(edge["tags"])
        if not along and not against:
            continue
        length = _length_m(edge["points"])
        # Places are told in whole millimetres: one within such of an end is at the end.
        spots_on = (
            (metres if metres < length - 0.001 else length, ("spot", number))
            for metres, number in sorted(cuts[one, other, key])
        )
        for (begin, first), (end, last) in pairwise([(0.0, one), *spots_on, (length, other)]):
            if along or begin == end:  # who is there already need not drive round
                add(first, last, (end - begin) / (along or 1.0))
            if against or begin == end:
                add(last, first, (end - begin) / (against or 1.0))
    return seconds
