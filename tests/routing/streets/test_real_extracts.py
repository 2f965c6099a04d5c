"""Real extracts: Monaco (dense, French, steep) and Porto Alegre (a city, with barriers and gated streets)."""

import numpy as np
import pytest

from routing.streets.graph import make_streets
from routing.streets.osm import read_extract, street_graph
from routing.streets.profiles import CAR, PROFILES, WALK
from routing.streets.travel import join, reach, spots_at, travel_matrix
from socle.geo import LatLon, length_m
from socle.matrix import NEVER
from tests.oracles.streets import seconds_between

EXTRACTS = {
    "data/osm-monaco/monaco-latest.osm.pbf": 2_400,
    "data/poa-gtfs-and-osm/poa_osm.pbf": 14_800,
}

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module", params=EXTRACTS, ids=["monaco", "porto-alegre"])
def city(request, shared):
    extract, findings = read_extract(shared(request.param))
    graph = street_graph(extract)
    streets, islands = make_streets(graph)
    return request.param, extract, graph, streets, [*findings, *islands]


def places_in(streets, n, seed=1):
    """Places beside the streets."""
    draw = np.random.default_rng(seed)
    points = draw.integers(0, len(streets.point_lat), n)
    lat = streets.point_lat[points] / 1e7 + draw.normal(0, 2e-4, n)
    lon = streets.point_lon[points] / 1e7 + draw.normal(0, 2e-4, n)
    return lat, lon


def test_nearly_every_way_is_read_and_nothing_is_wrong(city):
    name, extract, _, streets, findings = city
    assert len({way.id for way in extract.ways}) >= EXTRACTS[name]
    assert {finding.code for finding in findings} <= {"osm_islands", "osm_unknown_maxspeed", "osm_missing_node"}
    assert streets.kilometres("walk") > streets.kilometres("wheelchair") > 0.8 * streets.kilometres("walk")


def test_nearly_every_place_beside_a_street_is_joined_and_reached(city):
    streets = city[3]
    lat, lon = places_in(streets, 300)
    for profile in PROFILES:
        spots = join(streets, profile, lat, lon)
        assert spots.is_joined.mean() > 0.98
        assert travel_matrix(spots).is_reached.mean() > 0.9


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
def test_ways_are_those_of_networkx_over_the_graph_itself(city, profile):
    graph, streets = city[2:4]
    lat, lon = places_in(streets, 25, seed=2)
    spots = join(streets, profile, lat, lon)
    keys = {}
    for one, other, key, edge in graph.edges(keys=True, data=True):
        begin, end = edge["points"][0], edge["points"][-1]
        keys[edge["way"], *begin.tolist(), *end.tolist(), len(edge["points"])] = one, other, key
    hung = []
    for piece, along, beside in zip(
        spots.piece.tolist(), spots.along_mm.tolist(), spots.beside_mm.tolist(), strict=True
    ):
        first, last = streets.piece_first_point[piece : piece + 2].tolist()
        ends = [int(points[at]) for at in (first, last - 1) for points in (streets.point_lat, streets.point_lon)]
        edge = keys[int(streets.piece_way[piece]), *ends, last - first] if piece >= 0 else None
        hung.append((*edge, along / 1000, beside / 1000) if edge else None)
    matrix = travel_matrix(spots)
    for i, found in enumerate(seconds_between(graph, profile, hung, only=range(5))):
        for j in range(len(hung)) if i < 5 else ():
            if i != j:
                assert (j in found) == (matrix.seconds[i, j] < NEVER)
                assert j not in found or matrix.seconds[i, j] == pytest.approx(found[j], abs=1.5)


def test_a_path_is_as_long_as_it_is_told_to_be(city):
    streets = city[3]
    lat, lon = places_in(streets, 60, seed=3)
    spots = join(streets, WALK, lat, lon)
    found = reach(spots_at(streets, WALK, [LatLon(lat[0], lon[0])]), spots)
    reached = np.flatnonzero(found.seconds < NEVER).tolist()
    assert len(reached) > 50
    for other in reached:
        assert length_m(found.path(other)) == pytest.approx(found.metres[other], abs=2)


def test_walks_are_longer_than_the_crow_flies_and_cars_are_faster(city):
    streets = city[3]
    lat, lon = places_in(streets, 150, seed=4)
    walk = travel_matrix(join(streets, WALK, lat, lon))
    drive = travel_matrix(join(streets, CAR, lat, lon))
    both = walk.is_reached & drive.is_reached & (walk.metres > 1_500)
    assert np.median(walk.seconds[both] / drive.seconds[both]) > 3
    crow = np.hypot((lat[:, None] - lat) * 111_195, (lon[:, None] - lon) * 111_195 * np.cos(np.radians(lat.mean())))
    assert np.median(walk.metres[both] / crow[both]) == pytest.approx(1.4, abs=0.25)
