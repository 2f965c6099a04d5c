"""`mobigo scolaire roadbook`, `papers` and `export`."""

from dataclasses import replace

import pytest

from mobigo.cli import main
from scolaire.planfiles import render_plan
from tests.worlds.paper import read_paper
from tests.worlds.plans import PLAN


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
    assert "2 passages, 0 courses." in capsys.readouterr().out
    assert main([*asked, "--format", "csv", "--inside", "--out", str(tmp_path / "all.csv")]) == 0
    assert "Tus" not in capsys.readouterr().out
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 4 + 2
    assert main([*asked, "--format", "netex", "--out", str(tmp_path / "a.zip")]) != 0
    assert "NeTEx" in capsys.readouterr().err
