import xml.etree.ElementTree as ET

import numpy as np

from mobigo.demo.facts import read_facts
from mobigo.demo.roads import make_roads
from mobigo.demo.streets import make_streets, render_osm
from routing.kernels.dijkstra import UNREACHED, one_to_many
from socle.geo import distances_m

FACTS = read_facts()
ROADS = make_roads(FACTS, 2020)
STREETS = make_streets(FACTS, ROADS, 2020)
FOR_FEET = {"footway", "steps"}


def rows(*, backwards=False):
    """Streets for cars as CSR rows in metres, one-ways as they are (or all the other way)."""
    ends = []
    for way in STREETS.ways:
        if way.tags["highway"] in FOR_FEET:
            continue
        pieces = list(zip(way.nodes, way.nodes[1:], strict=False))
        ends += [(b, a) for a, b in pieces] if backwards else pieces
        if "oneway" not in way.tags:
            ends += pieces if backwards else [(b, a) for a, b in pieces]
    pairs = np.array(ends)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    lat, lon = STREETS.lat, STREETS.lon
    metres = distances_m(lat[pairs[:, 0]], lon[pairs[:, 0]], lat[pairs[:, 1]], lon[pairs[:, 1]])
    first = np.searchsorted(pairs[:, 0], np.arange(len(lat) + 1)).astype(np.int64)
    return first, pairs[:, 1].astype(np.int32), np.rint(metres).astype(np.int64)


def test_one_can_drive_from_anywhere_to_anywhere():
    for backwards in (False, True):
        cost, _ = one_to_many(*rows(backwards=backwards), np.array([0]))
        assert cost.max() < UNREACHED


def test_driving_there_and_back_is_nearly_the_same_but_for_one_ways():
    n_nodes = len(STREETS.lat)
    sources = np.arange(0, n_nodes, n_nodes // 20)
    there, _ = one_to_many(*rows(), sources)
    back, _ = one_to_many(*rows(backwards=True), sources)
    far = there > 3_000
    assert np.mean(np.abs(there[far] - back[far]) <= 0.05 * there[far]) > 0.99


def test_every_station_stands_on_a_street():
    for station in FACTS.stations.values():
        if station.in_region:
            metres = distances_m(STREETS.lat, STREETS.lon, np.array(station.at.lat), np.array(station.at.lon))
            assert metres.min() < 1
            assert np.sort(metres)[1] < 3_000


def test_streets_are_named_and_say_that_they_are_fictitious():
    assert all(way.tags["note"] == "fictif" for way in STREETS.ways)
    for way in STREETS.ways:
        if way.tags["highway"] in {"residential", "tertiary"}:
            assert way.tags["name"].startswith(("Rue ", "Grande Rue"))
        assert len(way.nodes) >= 2


def test_a_large_city_has_a_denser_grid_than_a_village():
    n_nodes = len(STREETS.lat)
    assert 60_000 < n_nodes < 100_000
    near = {
        name: int((distances_m(STREETS.lat, STREETS.lon, np.array(at.lat), np.array(at.lon)) < 400).sum())
        for name, at in ((p.name, p.at) for p in ROADS.places if p.name in {"Dijon", "Bremondans"})
    }
    assert near["Dijon"] > 15 > near["Bremondans"] >= 5


def test_the_extract_is_openstreetmap_xml():
    root = ET.fromstring(render_osm(STREETS))
    nodes = {node.get("id"): (float(node.get("lat")), float(node.get("lon"))) for node in root.iter("node")}
    assert len(nodes) == len(STREETS.lat)
    ways = list(root.iter("way"))
    assert len(ways) == len(STREETS.ways)
    assert all(nd.get("ref") in nodes for way in ways for nd in way.iter("nd"))
    assert {tag.get("v") for tag in root.iter("tag") if tag.get("k") == "note"} == {"fictif"}


def test_the_same_seed_draws_the_same_streets():
    assert render_osm(make_streets(FACTS, ROADS, 2020)) == render_osm(STREETS)
