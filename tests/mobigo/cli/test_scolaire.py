"""`mobigo scolaire`."""

import json

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from scolaire.reading import COLUMNS, read_sector


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def read(folder):
    return read_sector({name: (folder / name).read_bytes() for name in COLUMNS})


def test_a_sector_is_generated(capsys, folder):
    assert main(["scolaire", "generate", "secteur", "--pupils", "200", "--seed", "4"]) == ExitCode.OK
    assert "200 élèves" in capsys.readouterr().out
    sector, findings = read(folder / "secteur")
    assert (len(sector.pupils), findings) == (200, [])


def test_a_region_is_a_folder_for_each_sector(capsys, folder):
    assert main(["scolaire", "generate", "region", "--region", "--pupils", "1000", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["pupils"] == 1_000
    folders = sorted((folder / "region").iterdir())
    assert len(folders) == 25
    assert sum(len(read(one)[0].pupils) for one in folders) == 1_000


def generated(capsys, *options):
    assert main(["scolaire", "generate", "secteur", "--pupils", "150", *options]) == ExitCode.OK
    capsys.readouterr()


def answer(capsys, *arguments, code=ExitCode.OK):
    assert main(["scolaire", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_sector_is_imported_decided_tried_and_written(capsys, folder):
    generated(capsys)
    told = answer(capsys, "import", "secteur", "--year", "2026")
    assert (told["sector"], told["pupils"], told["findings"]) == ("2026-secteur", 150, [])
    decided = answer(capsys, "entitle", "--year", "2026")
    assert decided["files"] == decided["new"] + decided["without_book"] >= 150
    assert sum(decided["verdicts"].values()) == decided["new"]
    assert answer(capsys, "entitle", "--year", "2026")["new"] == 0
    assert answer(capsys, "entitle", "--year", "2026", "--replay") == {"files": decided["new"], "other": 0}
    (tried,) = answer(capsys, "entitle", "--year", "2026", "--simulate", "un-kilometre@2026-09-01")
    assert (tried["files"], tried["gains"], tried["losses"]) == (decided["new"], [], [])
    assert main(["scolaire", "decisions", "--out", "d.csv", "--why", "notification", "--year", "2026"]) == ExitCode.OK
    rows = (folder / "d.csv").read_text("utf-8").splitlines()
    assert len(rows) == decided["new"] + 1
    assert any("Vous avez droit au transport scolaire" in row for row in rows)


def test_tables_are_for_people(capsys, folder):
    generated(capsys)
    assert main(["scolaire", "import", "secteur", "--year", "2026"]) == ExitCode.OK
    assert "150 élèves" in capsys.readouterr().out
    assert main(["scolaire", "entitle", "--year", "2026"]) == ExitCode.OK
    assert "un-kilometre" in capsys.readouterr().out
    assert main(["scolaire", "entitle", "--year", "2026", "--simulate", "un-kilometre@2026-09-01"]) == ExitCode.OK
    assert "ayant droit" in capsys.readouterr().out
    assert main(["scolaire", "entitle", "--year", "2026", "--replay"]) == ExitCode.OK
    assert "0 différente" in capsys.readouterr().out


def test_a_check_keeps_nothing_and_a_row_with_an_error_is_one(capsys, folder):
    generated(capsys)
    with (folder / "secteur" / "pupils.csv").open("a") as file:
        file.write("x\n")
    told = answer(capsys, "import", "secteur", "--check", code=ExitCode.NO)
    assert [(one["code"], one["line"]) for one in told["findings"]] == [
        ("row_width", len((folder / "secteur" / "pupils.csv").read_text().splitlines()))
    ]
    assert main(["scolaire", "entitle", "--year", "2026"]) == ExitCode.BAD_DATA
    assert "2026-2027" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--simulate", "nothing"], "un-kilometre@2026-09-01"),
        (["--simulate", "un-kilometre@2026-09-01", "--replay"], "--replay"),
    ],
)
def test_what_cannot_be_asked_is_said(capsys, folder, arguments, said):
    assert main(["scolaire", "entitle", *arguments]) == ExitCode.BAD_DATA
    assert said in capsys.readouterr().err


def test_rules_of_ones_own_decide(capsys, folder):
    generated(capsys)
    answer(capsys, "import", "secteur", "--year", "2026")
    (folder / "rules.toml").write_text(
        'id = "all"\ntitle = "Tous"\nexplanation = "Tous."\ndepartments = ["25"]\nvalid_from = 2026-09-01\n'
        '[[rules]]\ncode = "all"\nverdict = "entitled"\nsays = "Oui."\n'
    )
    decided = answer(capsys, "entitle", "--year", "2026", "--rules", "rules.toml")
    assert decided["reasons"] == [{"book": "all", "verdict": "entitled", "reason": "all", "files": decided["new"]}]
    assert main(["scolaire", "entitle", "--year", "2026", "--rules", "rules.toml"]) == ExitCode.OK
    assert "Oui." in capsys.readouterr().out
    (folder / "rules.toml").write_text("id = ")
    assert main(["scolaire", "entitle", "--year", "2026", "--rules", "rules.toml"]) == ExitCode.BAD_DATA


def test_stops_are_chosen(capsys, folder):
    generated(capsys)
    told = answer(capsys, "stops", "secteur", "--least", "1", "--spacing", "0")
    assert (told["left_out"], told["proved"]) == ([], True)
    assert {one["stop_id"] for one in told["waits"]} == set(told["open"])
    assert main(["scolaire", "stops", "secteur", "--walk", "200"]) == ExitCode.NO
    assert "à portée" in capsys.readouterr().out
