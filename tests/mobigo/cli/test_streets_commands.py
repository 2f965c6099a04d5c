import json

from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from mobigo.store.streets import builds_dir, find_streets
from routing.streets.graph import open_streets
from tests.worlds.town import STREET, osm_text

NODES = {1: (0, 0), 2: (100, 0), 3: (200, 50)}
WAYS = [((1, 2), STREET), ((2, 3), STREET | {"maxspeed": "quick"})]


def extract(folder, ways=WAYS, name="town.osm"):
    path = folder / name
    path.write_text(osm_text(NODES, ways), "utf-8")
    return str(path)


def test_an_extract_becomes_the_streets_in_use(data_dir, tmp_path, capsys):
    assert main(["streets", "build", extract(tmp_path)]) == ExitCode.OK
    told = capsys.readouterr().out.replace("\xa0", " ")
    assert "Limitations de vitesse illisibles, ignorées : 1 (par exemple « quick »)" in told
    assert "En fauteuil roulant" in told
    assert open_streets(find_streets(data_dir)).n_pieces == 2
    assert main(["streets", "info", "--json"]) == ExitCode.OK
    info = json.loads(capsys.readouterr().out)
    assert (info["n_nodes"], info["generator"]) == (3, "a test")
    assert info["kilometres"]["walk"] > 0.2
    assert main(["streets", "info"]) == ExitCode.OK
    assert info["build"] in capsys.readouterr().out


def test_what_is_refused_leaves_the_streets_in_use(data_dir, tmp_path, capsys):
    assert main(["streets", "info"]) == ExitCode.NO_NETWORK
    assert "mobigo streets build" in capsys.readouterr().err
    main(["streets", "build", extract(tmp_path)])
    before = find_streets(data_dir)
    junk = tmp_path / "junk.pbf"
    junk.write_bytes(b"junk")
    for path, word in ((junk, "n’est pas un extrait"), (tmp_path / "nowhere.pbf", "nowhere.pbf")):
        assert main(["streets", "build", str(path)]) == ExitCode.BAD_DATA
        assert word in capsys.readouterr().err
    assert main(["streets", "build", extract(tmp_path, [], "empty.osm")]) == ExitCode.BAD_DATA
    assert find_streets(data_dir) == before
    assert [path.name for path in builds_dir(data_dir).iterdir()] == [before.name]


def test_old_builds_are_forgotten_but_for_the_last(data_dir, tmp_path):
    for number in range(4):
        ways = [*WAYS, ((1, 3), STREET | {"name": f"Rue {number}"})]
        assert main(["streets", "build", extract(tmp_path, ways), "--json"]) == ExitCode.OK
    assert len(list(builds_dir(data_dir).iterdir())) == 2
    assert "Rue 3" in open_streets(find_streets(data_dir)).texts.to_list()
    main(["streets", "build", extract(tmp_path, ways)])
    assert len(list(builds_dir(data_dir).iterdir())) == 2
    assert "Rue 3" in open_streets(find_streets(data_dir)).texts.to_list()
