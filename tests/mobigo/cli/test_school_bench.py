"""`mobigo scolaire bench`."""

import json

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode

SCHOOLS = "ID\tX\tY\tAMEARLY\tAMLATE\n7\t0\t0\t800\t830\n8\t8800\t0\t830\t900\n"
STOPS = "ID\tX_COORD\tY_COORD\tEP_ID\tSTUDENT_COUNT\n1\t880\t880\t7\t10\n2\t0\t880.5\t8\t66\n"


@pytest.fixture
def folder(tmp_path):
    case = tmp_path / "TINY"
    case.mkdir()
    (case / "Schools.txt").write_text(SCHOOLS)
    (case / "Stops.txt").write_text(STOPS)
    (tmp_path / "reference_buses.csv").write_text("instance,max_ride_s,bird_combined\nTINY,2700,2\nTINY,5400,1\n")
    return tmp_path


def test_cases_stand_beside_what_was_published(capsys, folder):
    asked = ["scolaire", "bench", "sbrp", str(folder), "--budget", "0.2", "--seed", "3"]
    assert main(asked) == ExitCode.OK
    told = capsys.readouterr()
    assert "TINY:2700" in told.out
    assert "33,33 % de moins" in told.out.replace("\N{NO-BREAK SPACE}", " ")
    assert "Mêmes paramètres partout" in told.err


def test_json_has_every_seed(capsys, folder):
    asked = ["scolaire", "bench", "sbrp", str(folder), "--case", "TINY:5400", "--budget", "0.2", "--json"]
    assert main(asked) == ExitCode.OK
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["buses"], told["broken_promises"], told["lower_bound"], told["published"]) == (
        [1, 1],
        [0, 0],
        1,
        {"bird_combined": 1},
    )
    assert all(seconds >= 0 for seconds in told["seconds_to_bird"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nulle-part"], "Ce dossier n’existe pas"),
        (["."], "Aucun jeu dans"),
        (["DIR", "--case", "CSCB99"], "Pas de jeu CSCB99"),
    ],
)
def test_what_cannot_be_planned_is_said_in_a_sentence(capsys, folder, monkeypatch, arguments, sentence):
    empty = folder / "vide"
    empty.mkdir()
    monkeypatch.chdir(empty)
    arguments = [str(folder) if each == "DIR" else each for each in arguments]
    assert main(["scolaire", "bench", "sbrp", *arguments]) == ExitCode.BAD_DATA
    assert sentence in " ".join(capsys.readouterr().err.split())


INSTANCE = "2 3 2 2 5\n0 0\n10 0\n0 10\n10 1\n9 0\n0 11\n"


def test_stops_and_routes_stand_beside_those_of_cp_sat(capsys, tmp_path):
    (tmp_path / "inst7-1s2-3-c2-w5.xpress").write_text(INSTANCE)
    (tmp_path / "reference_cpsat20s.json").write_text('{"inst7-1s2-3-c2-w5": {"cost": 40.01, "lower_bound": 34}}')
    asked = ["scolaire", "bench", "stops", str(tmp_path), "--budget", "0.2", "--seed", "3"]
    assert main(asked) == ExitCode.OK
    told = capsys.readouterr().out
    assert all(word in told for word in ("inst7", "40,01", "40,00", "prouvé"))
    assert main([*asked, "--case", "s2", "--json"]) == ExitCode.OK
    (case,) = json.loads(capsys.readouterr().out)
    assert (case["costs"], case["proved"], case["broken_rules"], case["cp_sat_bound"]) == ([40.0], [True], [0], 34)


@pytest.mark.parametrize(
    ("instance", "arguments", "sentence"),
    [
        (None, [], "Aucun jeu dans"),
        ("2 3 2\n", [], "Ce fichier n’est pas un jeu"),
        (INSTANCE + "1 1\n", [], "Ce fichier n’est pas un jeu"),
        (INSTANCE, ["--case", "inst99"], "Pas de jeu inst99"),
    ],
)
def test_an_instance_that_cannot_be_read_is_named(capsys, tmp_path, instance, arguments, sentence):
    if instance:
        (tmp_path / "inst7-1s2-3-c2-w5.xpress").write_text(instance)
    assert main(["scolaire", "bench", "stops", str(tmp_path), *arguments]) == ExitCode.BAD_DATA
    assert sentence in " ".join(capsys.readouterr().err.split())
