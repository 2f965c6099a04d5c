"""Region: the network as a NetworkX graph, for planners to query and for slow searches to walk.

Nodes are stops, by number in the Timetable, with their id, name, place and change time. Edges:

    ride    from a stop to the next one of a line: route, trips (how many of the calendars), seconds (the fastest)
    walk    a footpath: seconds (the change included), metres
    part    from a platform to its station

It is built on demand, never on the way of a request.
"""

from __future__ import annotations

import networkx as nx  # type: ignore[import-untyped]  # has no types of its own
import numpy as np

from routing.network.timetable import Timetable


def make_region(timetable: Timetable) -> nx.MultiDiGraph:
    """The graph of a whole timetable; the same timetable gives nodes and edges in the same order."""
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    names = timetable.texts.to_list()
    for stop, stop_id in enumerate(timetable.stop_id.to_list()):
        graph.add_node(
            stop,
            id=stop_id,
            name=names[timetable.stop_name[stop]],
            lat=float(timetable.stop_lat[stop]),
            lon=float(timetable.stop_lon[stop]),
            change_s=int(timetable.stop_change_s[stop]),
        )
        if timetable.stop_parent[stop] >= 0:
            graph.add_edge(stop, int(timetable.stop_parent[stop]), key="part", kind="part")
    for one, other, seconds, metres in _walks(timetable):
        graph.add_edge(one, other, key="walk", kind="walk", seconds=seconds, metres=metres)
    _add_rides(timetable, graph)
    return graph


def served_together(graph: nx.MultiDiGraph) -> list[set[int]]:
    """The parts of the network that no ride or walk joins, largest first: a planner's list of islands."""
    used = [edge for edge in graph.edges(keys=True) if graph.edges[edge]["kind"] != "part"]
    parts = nx.weakly_connected_components(graph.edge_subgraph(used))
    return sorted((set(part) for part in parts), key=lambda part: (-len(part), min(part)))


def _walks(timetable: Timetable) -> list[tuple[int, int, int, int]]:
    origins = np.repeat(np.arange(timetable.n_stops), np.diff(timetable.stop_first_footpath))
    columns = (origins, timetable.footpath_stop, timetable.footpath_s, timetable.footpath_m)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _add_rides(timetable: Timetable, graph: nx.MultiDiGraph) -> None:
    """One edge per pair of consecutive stops and route."""
    for trip in range(timetable.n_trips):
        stops = timetable.trip_stops(trip).tolist()
        arrivals, departures = timetable.trip_times(trip)
        route = int(timetable.trip_route[trip])
        hops = (arrivals[1:] - departures[:-1]).tolist()
        for one, other, seconds in zip(stops[:-1], stops[1:], hops, strict=True):
            key = f"ride {route}"
            if graph.has_edge(one, other, key):
                known = graph.edges[one, other, key]
                known["trips"] += 1
                known["seconds"] = min(known["seconds"], seconds)
            else:
                graph.add_edge(one, other, key=key, kind="ride", route=route, trips=1, seconds=seconds)
