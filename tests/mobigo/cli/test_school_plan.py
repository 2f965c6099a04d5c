"""`mobigo scolaire optimise`."""

from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from scolaire.planfiles import read_plan


def test_a_morning_is_planned_from_the_files_of_a_sector(capsys, tmp_path):
    files, plan = tmp_path / "secteur", tmp_path / "plan.json"
    assert main(["scolaire", "generate", str(files), "--pupils", "120", "--seed", "2"]) == ExitCode.OK
    asked = ["scolaire", "optimise", "--dir", str(files), "--out", str(plan), "--budget", "0.5"]
    code = main(asked)
    told = read_plan(plan.read_bytes())
    assert code == (ExitCode.NO if told.not_served else ExitCode.OK)
    assert told.runs
    assert all(run.halts[-1].school is not None for run in told.runs)
    assert f"{len(told.circuits)} cars" in capsys.readouterr().out


def test_a_folder_without_files_is_said_in_a_sentence(capsys, tmp_path):
    asked = ["scolaire", "optimise", "--dir", str(tmp_path), "--out", str(tmp_path / "plan.json")]
    assert main(asked) == ExitCode.BAD_DATA
    assert "pupils.csv" in capsys.readouterr().err
