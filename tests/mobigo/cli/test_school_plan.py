"""`mobigo scolaire optimise`."""

import json

from mobigo.cli import main
from mobigo.cli.frame import ExitCode


def test_a_morning_is_planned_from_the_files_of_a_sector(capsys, tmp_path):
    files, plan = tmp_path / "secteur", tmp_path / "plan.json"
    assert main(["scolaire", "generate", str(files), "--pupils", "120", "--seed", "2"]) == ExitCode.OK
    asked = ["scolaire", "optimise", "--dir", str(files), "--out", str(plan), "--budget", "0.5"]
    code = main(asked)
    told = json.loads(plan.read_text("utf-8"))
    assert code == (ExitCode.NO if told["not_served"] else ExitCode.OK)
    assert told["broken_promises"] == 0
    assert told["buses"]
    first = told["buses"][0]["visits"]
    assert [set(each) for each in (first[0], first[-1])] == [
        {"at", "stop_id", "for_school_id", "pupil_ids"},
        {"at", "school_id"},
    ]
    assert [each["at"] for each in first] == sorted(each["at"] for each in first)
    assert f"{len(told['buses'])} cars" in capsys.readouterr().out


def test_a_folder_without_files_is_said_in_a_sentence(capsys, tmp_path):
    asked = ["scolaire", "optimise", "--dir", str(tmp_path), "--out", str(tmp_path / "plan.json")]
    assert main(asked) == ExitCode.BAD_DATA
    assert "pupils.csv" in capsys.readouterr().err
