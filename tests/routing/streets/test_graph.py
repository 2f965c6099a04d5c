import json
from dataclasses import fields

import numpy as np
import pytest

from routing.kernels.dijkstra import CLOSED
from routing.streets.graph import MANIFEST, contract_streets, make_streets, open_streets, save_streets
from routing.streets.osm import read_extract, street_graph
from routing.streets.profiles import CAR, PROFILES, WALK
from routing.streets.travel import spots_at, travel_matrix
from socle.errors import Unavailable
from tests.worlds.town import STREET, at, osm_text, town

LINE = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, 40)}


def test_pieces_know_their_street_length_and_course(tmp_path):
    streets = town(tmp_path, LINE, [((1, 2, 3), STREET | {"name": "Rue du Moulin"})])
    assert (streets.n_nodes, streets.n_pieces) == (2, 1)
    assert streets.texts[streets.piece_name[0]] == "Rue du Moulin"
    assert streets.piece_mm.tolist() == pytest.approx([200_000], abs=20)
    assert streets.point_mm.tolist() == pytest.approx([0, 100_000, 200_000], abs=20)
    assert streets.kilometres("walk") == pytest.approx(0.2, abs=1e-4)


def test_a_one_way_is_closed_against_its_direction_to_those_whom_it_binds(tmp_path):
    streets = town(tmp_path, LINE, [((1, 2), STREET), ((2, 3), STREET | {"oneway": "yes"}), ((3, 4, 2), STREET)])
    piece = streets.piece_mm.tolist().index(max(streets.piece_mm[streets.piece_way == 2]))
    assert streets.ways["car"].against_ms[piece] == CLOSED
    assert streets.ways["car"].along_ms[piece] == pytest.approx(100_000 / (25 / 3.6), rel=0.01)
    assert streets.ways["walk"].against_ms[piece] == streets.ways["walk"].along_ms[piece]


def test_the_rows_hold_each_piece_from_both_its_ends(tmp_path):
    streets = town(tmp_path, LINE, [((1, 2, 3), STREET), ((2, 4), {"highway": "footway"})])
    for profile in PROFILES:
        ways = streets.ways[profile.name]
        starts = np.repeat(np.arange(streets.n_nodes), np.diff(ways.first_edge))
        for edge, piece in enumerate(ways.edge_piece.tolist()):
            ends = {int(streets.piece_from[piece]), int(streets.piece_to[piece])}
            assert ends == {int(starts[edge]), int(ways.edge_to[edge])}
            assert ways.edge_mm[edge] == streets.piece_mm[piece]
    assert len(streets.ways["walk"].edge_to) == 2 * len(streets.piece_mm)
    assert len(streets.ways["car"].edge_to) < len(streets.ways["walk"].edge_to)


def test_a_courtyard_joined_to_nothing_is_found_by_nobody(tmp_path):
    long = {n: (100.0 * n, 0) for n in range(1, 30)}
    streets, findings = make_streets(
        street_graph(
            read_extract(
                _write(
                    tmp_path,
                    long | {90: (150, 20), 91: (170, 20)},
                    [((n, n + 1), STREET) for n in range(1, 29)] + [((90, 91), STREET)],
                )
            )[0]
        )
    )
    spot = spots_at(streets, WALK, [at(160, 19)])
    assert streets.piece_way[spot.piece[0]] != 29
    assert {(finding.code, finding.facts["profile"]) for finding in findings} == {
        ("osm_islands", profile.name) for profile in PROFILES
    }


def test_a_dead_end_that_a_car_cannot_leave_is_found_by_no_car(tmp_path):
    ways = [((1, 2), STREET), ((2, 3), STREET | {"oneway": "yes"})]
    streets = town(tmp_path, LINE, ways)
    place = [at(190, 0)]
    assert streets.piece_way[spots_at(streets, WALK, place).piece[0]] == 2
    assert streets.piece_way[spots_at(streets, CAR, place).piece[0]] == 1


def _write(tmp_path, nodes, ways):
    path = tmp_path / "one.osm"
    path.write_text(osm_text(nodes, ways), "utf-8")
    return path


def test_streets_opened_from_disk_are_those_saved(tmp_path):
    streets = town(tmp_path, LINE, [((1, 2, 3), STREET), ((2, 4), STREET)], {2: {"barrier": "bollard"}})
    save_streets(streets, tmp_path / "saved")
    again = open_streets(tmp_path / "saved")
    for name in ("node_lat", "piece_from", "piece_mm", "point_lon", "point_mm", "cells", "cell_segments"):
        assert np.array_equal(getattr(again, name), getattr(streets, name))
    for profile in streets.ways:
        assert np.array_equal(again.ways[profile].edge_back_ms, streets.ways[profile].edge_back_ms)
    assert again.texts.to_list() == streets.texts.to_list()
    assert again.box == streets.box


def test_the_same_extract_makes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_streets(town(tmp_path, LINE, [((1, 2, 3), STREET), ((2, 4), STREET)]), tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) > 40
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


def test_streets_are_opened_with_their_hierarchy_and_those_built_without_one_too(tmp_path):
    streets = town(tmp_path, LINE, [((1, 2, 3), STREET), ((2, 4), STREET)])
    shares = []
    contracted = contract_streets(streets, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    save_streets(streets, tmp_path / "plain")
    save_streets(contracted, tmp_path / "contracted")
    assert open_streets(tmp_path / "plain").hierarchies == {}
    again = open_streets(tmp_path / "contracted").hierarchies["car"]
    for part in fields(again):
        assert np.array_equal(getattr(again, part.name), getattr(contracted.hierarchies["car"], part.name))
    spots = spots_at(streets, CAR, [at(10, 0), at(190, 0)])
    there = travel_matrix(spots_at(open_streets(tmp_path / "contracted"), CAR, [at(10, 0), at(190, 0)]))
    assert there.metres.tolist() == travel_matrix(spots).metres.tolist()
    (tmp_path / "contracted" / "car" / "hierarchy" / "up_to.npy").unlink()
    with pytest.raises(Unavailable, match="release_damaged"):
        open_streets(tmp_path / "contracted")


def test_streets_that_are_missing_damaged_or_of_another_version_are_told(tmp_path):
    folder = tmp_path / "saved"
    with pytest.raises(Unavailable, match="no_streets"):
        open_streets(folder)
    save_streets(town(tmp_path, LINE, [((1, 2, 3), STREET)]), folder)
    (folder / "piece_mm.npy").unlink()
    with pytest.raises(Unavailable, match="release_damaged"):
        open_streets(folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"schema": 0}))
    with pytest.raises(Unavailable, match="streets_of_other_version"):
        open_streets(folder)
    (folder / MANIFEST).write_text("{")
    with pytest.raises(Unavailable, match="release_damaged"):
        open_streets(folder)
