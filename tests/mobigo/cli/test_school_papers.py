"""`mobigo scolaire roadbook`."""

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
