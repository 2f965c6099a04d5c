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
