import gzip
from collections import Counter

import pytest

from routing.streets.graph import make_streets
from routing.streets.osm import read_extract, street_graph
from socle.errors import BadInput
from tests.worlds.town import STREET, osm_text

CROSS = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, 100), 5: (100, -100)}


def write(tmp_path, text, name="town.osm"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(tmp_path, nodes, ways, node_tags=None):
    extract, findings = read_extract(write(tmp_path, osm_text(nodes, ways, node_tags)))
    graph = street_graph(extract)
    make_streets(graph)
    return graph, Counter({finding.code: finding.facts["n"] for finding in findings})


def test_streets_are_cut_where_they_meet(tmp_path):
    graph, findings = read(tmp_path, CROSS, [((1, 2, 3), STREET), ((4, 2, 5), STREET)])
    assert sorted((one, other) for one, other in graph.edges()) == [(1, 2), (2, 3), (2, 5), (4, 2)]
    assert not findings


def test_a_bend_is_no_junction_and_its_points_are_kept(tmp_path):
    graph, _ = read(tmp_path, CROSS, [((1, 2, 4), STREET)])
    [(_, _, edge)] = graph.edges(data=True)
    assert len(edge["points"]) == 3
    assert graph.nodes[4]["lat"] > graph.nodes[1]["lat"]


def test_what_is_no_street_is_not_there(tmp_path):
    graph, findings = read(
        tmp_path, CROSS, [((1, 2), STREET), ((2, 3), {"highway": "construction"}), ((2, 4), {"building": "yes"})]
    )
    assert list(graph.edges()) == [(1, 2)]
    assert not findings


def test_a_street_that_crosses_itself_is_cut_there(tmp_path):
    graph, _ = read(tmp_path, CROSS, [((1, 2, 3, 4, 2, 5), STREET)])
    assert sorted(graph.edges()) == [(1, 2), (2, 2), (2, 5)]


def test_a_ring_alone_comes_back_to_where_it_began(tmp_path):
    graph, _ = read(tmp_path, CROSS, [((1, 3, 4, 1), STREET)])
    assert list(graph.edges()) == [(1, 1)]


def test_a_barrier_stands_between_the_streets_that_lead_to_it(tmp_path):
    graph, _ = read(tmp_path, CROSS, [((1, 2, 3), STREET)], {2: {"barrier": "bollard"}})
    gates = [(one, other, edge["tags"]) for one, other, edge in graph.edges(data=True) if edge["gate"]]
    assert sorted(gates) == [((2, 0), 2, {"barrier": "bollard"}), ((2, 1), 2, {"barrier": "bollard"})]
    assert {(one, other) for one, other, edge in graph.edges(data=True) if not edge["gate"]} == {
        (1, (2, 0)),
        ((2, 1), 3),
    }


def test_a_barrier_that_stops_nobody_is_not_seen(tmp_path):
    graph, _ = read(tmp_path, CROSS, [((1, 2, 3), STREET)], {2: {"barrier": "entrance"}})
    assert list(graph.edges()) == [(1, 3)]


HOSTILE = [
    ("a way of one node", CROSS, [((1, 2), STREET), ((3,), STREET)], "osm_short_way"),
    ("a way without nodes", CROSS, [((1, 2), STREET), ((), STREET)], "osm_short_way"),
    ("a node that is not there", CROSS, [((1, 2), STREET), ((2, 77, 3, 4), STREET)], "osm_missing_node"),
    (
        "an unknown kind of street",
        CROSS,
        [((1, 2), STREET), ((2, 3), {"highway": "teleporter"})],
        "osm_unknown_highway",
    ),
    ("a limit that is none", CROSS, [((1, 2), STREET | {"maxspeed": "very fast"})], "osm_unknown_maxspeed"),
    ("a step across the country", CROSS | {9: (0, 400_000)}, [((1, 2), STREET), ((2, 9), STREET)], "osm_long_step"),
]


@pytest.mark.parametrize(("_what", "nodes", "ways", "code"), HOSTILE, ids=[case[0] for case in HOSTILE])
def test_what_nobody_can_use_is_left_out_and_told(tmp_path, _what, nodes, ways, code):
    graph, findings = read(tmp_path, nodes, ways)
    assert findings == {code: 1}
    assert (1, 2) in graph.edges()


def test_what_remains_of_a_way_with_a_missing_node_is_used(tmp_path):
    graph, _ = read(tmp_path, CROSS, [((1, 2, 77, 3, 4), STREET)])
    assert sorted(graph.edges()) == [(1, 2), (3, 4)]


def test_a_limit_in_miles_or_in_words_is_no_finding(tmp_path):
    ways = [((1, 2), STREET | {"maxspeed": limit}) for limit in ("50 mph", "FR:urban", "none", "50;30")]
    assert not read(tmp_path, CROSS, ways)[1]


def test_negative_ids_of_an_editor_are_ids(tmp_path):
    graph, findings = read(tmp_path, {-1: (0, 0), -2: (100, 0)}, [((-1, -2), STREET)])
    assert list(graph.edges()) == [(-1, -2)]
    assert not findings


def test_nodes_may_come_after_their_ways(tmp_path):
    lines = osm_text(CROSS, [((1, 2, 3), STREET)], {2: {"barrier": "wall"}}).splitlines()
    nodes = [line for line in lines if line.startswith("<node")]
    text = "\n".join([*(line for line in lines[:-1] if line not in nodes), *nodes, lines[-1]])
    extract, findings = read_extract(write(tmp_path, text))
    assert findings == []
    assert street_graph(extract).number_of_edges() == 4


def test_nodes_twice_in_one_place_are_a_street_without_length(tmp_path):
    graph, findings = read(tmp_path, {1: (0, 0), 2: (0, 0), 3: (50, 0)}, [((1, 2, 3), STREET), ((2, 2, 3), STREET)])
    assert not findings
    assert graph.number_of_edges() == 3


def test_a_node_off_the_earth_is_missing(tmp_path):
    text = osm_text({1: (0, 0), 2: (100, 0), 3: (200, 0)}, [((1, 2, 3), STREET)]).replace(
        'id="3" lat="47', 'id="3" lat="147'
    )
    extract, findings = read_extract(write(tmp_path, text))
    assert [finding.code for finding in findings] == ["osm_missing_node"]
    assert list(street_graph(extract).edges()) == [(1, 2)]


def test_the_same_way_twice_is_one(tmp_path):
    text = osm_text(CROSS, [((1, 2), STREET), ((2, 3), STREET)]).replace('way id="2"', 'way id="1"')
    extract, findings = read_extract(write(tmp_path, text))
    assert [finding.code for finding in findings] == ["osm_repeated_way"]
    assert len(extract.ways) == 1


SOUND = osm_text(CROSS, [((1, 2), STREET)]).encode()
REFUSED = [
    ("nothing", b"", "osm_not_an_extract"),
    ("a text", b"hello, streets", "osm_not_an_extract"),
    ("a zip", b"PK\x03\x04" + bytes(100), "osm_not_an_extract"),
    ("a page", b"<html><body>504</body></html>", "osm_unreadable"),
    ("no version", SOUND.replace(b' version="0.6"', b""), "osm_unreadable"),
    ("cut short", SOUND[:-60], "osm_unreadable"),
    ("cut short and compressed", gzip.compress(SOUND)[:-20], "osm_unreadable"),
    ("an id that is a word", SOUND.replace(b'node id="1"', b'node id="one"'), "osm_unreadable"),
    ("a latitude that is none", SOUND.replace(b'lat="47.0000000"', b'lat="nan"', 1), "osm_unreadable"),
    ("entities", b'<!DOCTYPE x [<!ENTITY a "b">]>' + SOUND, "osm_unreadable"),
    ("a pbf that is none", b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + bytes(200), "osm_unreadable"),
    ("no ways", osm_text(CROSS, []).encode(), "osm_no_streets"),
    ("no streets", osm_text(CROSS, [((1, 2), {"waterway": "river"})]).encode(), "osm_no_streets"),
    ("ways without nodes", osm_text({}, [((1, 2), STREET)]).encode(), "osm_no_streets"),
]


@pytest.mark.parametrize(("_what", "content", "code"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_no_extract_is_refused(tmp_path, _what, content, code):
    with pytest.raises(BadInput) as refused:
        read_extract(write(tmp_path, content, "extract.pbf"))
    assert refused.value.code == code


def test_an_extract_is_known_by_its_bytes_whatever_its_name(tmp_path):
    for name, content in (("a.pbf", SOUND), ("b.osm", gzip.compress(SOUND)), ("c", SOUND)):
        assert len(read_extract(write(tmp_path, content, name))[0].ways) == 1


def test_a_file_that_is_not_there_is_told_by_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_extract(tmp_path / "nowhere.osm.pbf")
