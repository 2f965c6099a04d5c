"""`mobigo scolaire roadbook`, `papers` and `export`."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mobigo.cli import main
from mobigo.cli.frame import settings
from mobigo.security import open_keys
from mobigo.services.scolaire.contracting import plan_year
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.studying import add_study, days_of_year, publish
from mobigo.store.base import migrate, open_engine
from scolaire.planfiles import render_plan
from socle.times import PARIS
from tests.worlds.one_run import morning_plan
from tests.worlds.paper import read_paper
from tests.worlds.plans import PLAN
from tests.worlds.sectors import sector_files


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(render_plan(PLAN))
    return path


def test_one_run_or_all_of_them_are_written(plan, tmp_path):
    book = tmp_path / "book.pdf"
    assert main(["scolaire", "roadbook", str(plan), "--run", "C001-S", "--out", str(book)]) == 0
    assert read_paper(book.read_bytes()).title == "Feuille de route C001-S"
    assert main(["scolaire", "roadbook", str(plan), "--all", "--out", str(book)]) == 0
    assert len(read_paper(book.read_bytes()).pages) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["--run", "C009-M"], "C009-M"), ([], "--all"), (["--all", "--run", "C001-M"], "--all")],
)
def test_a_run_that_is_none_and_two_wishes_at_once_are_refused(plan, tmp_path, capsys, asked, said):
    assert main(["scolaire", "roadbook", str(plan), *asked, "--out", str(tmp_path / "book.pdf")]) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "book.pdf").exists()


@pytest.mark.parametrize(
    ("kind", "n_pages", "one"), [("posters", 2, "s1"), ("schools", 2, "c1"), ("families", 9, "p1")]
)
def test_papers_are_one_file_or_one_in_a_folder_for_each(plan, tmp_path, kind, n_pages, one):
    file, folder = tmp_path / "all.pdf", tmp_path / "each"
    asked = ["scolaire", "papers", str(plan), "--kind", kind]
    assert main([*asked, "--out", str(file)]) == 0
    assert len(read_paper(file.read_bytes()).pages) == n_pages
    assert main([*asked, "--only", one, "--out", str(folder)]) == 0
    assert [path.name for path in folder.iterdir()] == [f"0001-{one}.pdf"]


def test_ids_never_leave_the_folder_asked_for(tmp_path):
    named = replace(PLAN, riders=(replace(PLAN.riders[0], pupil_id="../../p1"), *PLAN.riders[1:]))
    path = tmp_path / "plan.json"
    path.write_bytes(render_plan(named))
    folder = tmp_path / "a" / "b"
    assert main(["scolaire", "papers", str(path), "--kind", "families", "--out", str(folder)]) == 0
    assert len(list(folder.iterdir())) == 9
    assert (folder / "0001-p1.pdf").is_file()


def test_an_empty_plan_and_an_unknown_kind_are_refused(plan, tmp_path, capsys):
    assert main(["scolaire", "papers", str(plan), "--kind", "plans", "--out", str(tmp_path)]) != 0
    assert "posters, schools, families" in capsys.readouterr().err
    plan.write_bytes(render_plan(replace(PLAN, runs=())))
    for asked in (["roadbook", "--all"], ["papers", "--kind", "posters"]):
        assert main(["scolaire", *asked, str(plan), "--out", str(tmp_path / "a.pdf")]) != 0
        assert "aucune course" in capsys.readouterr().err


def test_an_export_says_what_is_not_told(plan, tmp_path, capsys):
    asked = ["scolaire", "export", str(plan), "--year", "2026"]
    assert main([*asked, "--format", "csv", "--out", str(tmp_path / "open.csv")]) == 0
    assert "2 passages, 0 course." in capsys.readouterr().out
    assert main([*asked, "--format", "csv", "--inside", "--out", str(tmp_path / "all.csv")]) == 0
    assert "Tus" not in capsys.readouterr().out
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 4 + 2
    assert main([*asked, "--format", "netex", "--out", str(tmp_path / "a.zip")]) != 0
    assert "NeTEx" in capsys.readouterr().err


def test_circuits_that_hold_today_are_opened_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    engine = open_engine(settings().database_url or f"sqlite:///{tmp_path / 'mobigo.sqlite3'}")
    migrate(engine)
    assert main(["scolaire", "open-data"]) == 0
    assert "Aucun plan ne s’applique" in capsys.readouterr().err
    keys, now = open_keys("", tmp_path), datetime.now(UTC)
    day = now.astimezone(PARIS).date()
    year = plan_year(day)
    import_sector(engine, keys, sector_files(), year, "doubs", "person:a", now)
    plan = render_plan(morning_plan("p1", "p2"))
    study = add_study(engine, keys, f"{year}-doubs", "Rentrée", plan, "person:a", "", now)
    publish(engine, keys, study.study_id, 1, days_of_year(year)[0], "person:a", "", now)
    engine.dispose()
    for is_new in (True, False):
        assert main(["scolaire", "open-data"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["is_new"], told["sectors"][0]["n_hidden_runs"]) == (is_new, 1)
    settings.cache_clear()
