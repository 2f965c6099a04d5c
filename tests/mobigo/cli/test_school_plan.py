"""`mobigo scolaire optimise`, `check` and `bound`."""

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from scolaire.generator import draw_region
from scolaire.planfiles import read_plan, render_plan
from scolaire.writing import render_sector

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("data_dir")


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "secteur"
    assert main(["scolaire", "generate", str(folder), "--pupils", "120", "--seed", "2"]) == ExitCode.OK
    return folder


def optimised(files, plan, *more):
    return main(["scolaire", "optimise", "--dir", str(files), "--out", str(plan), "--budget", "0.5", *more])


def test_a_week_is_planned_from_the_files_of_a_sector_checked_and_bounded(files, capsys, tmp_path):
    plan = tmp_path / "plan.json"
    assert optimised(files, plan) == ExitCode.OK
    told = read_plan(plan.read_bytes())
    assert f"{len(told.circuits)} car" in capsys.readouterr().out
    assert {period.period_id.partition("-")[0] for period in told.periods} == {"matin", "midi", "soir"}
    assert told.making.ways == "straight"
    assert sorted(tmp_path.glob(".*")) == []
    assert main(["scolaire", "check", str(plan), "--dir", str(files)]) == ExitCode.OK
    assert "0 règle enfreinte" in capsys.readouterr().out
    assert main(["scolaire", "bound", "--dir", str(files), "--json"]) == ExitCode.OK
    bounds = json.loads(capsys.readouterr().out)
    assert bounds["fewest"] == told.making.bound <= len(told.circuits)
    again = tmp_path / "again.json"
    assert optimised(files, again, "--from", str(plan), "--day", "1") == ExitCode.OK
    assert len(read_plan(again.read_bytes()).periods) == 2
    capsys.readouterr()
    assert main(["scolaire", "compare", str(plan), str(plan), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["changes"] == []
    assert main(["scolaire", "compare", str(plan), str(again)]) == ExitCode.OK
    assert "Tous" in capsys.readouterr().out


def test_a_plan_that_breaks_a_promise_says_where(files, capsys, tmp_path):
    plan = tmp_path / "plan.json"
    optimised(files, plan)
    told = read_plan(plan.read_bytes())
    last = told.runs[-1]
    plan.write_bytes(render_plan(replace(told, runs=told.runs[:-1])))
    capsys.readouterr()
    assert main(["scolaire", "check", str(plan), "--json"]) == ExitCode.NO
    broken = json.loads(capsys.readouterr().out)["broken"]
    assert {one["rule"] for one in broken} == {"forgotten"}
    assert len(broken) == sum(len(halt.up) for halt in last.halts)
    assert main(["scolaire", "check", str(plan)]) == ExitCode.NO
    assert "ni transporté" in " ".join(capsys.readouterr().out.split())


def test_bells_that_may_move_are_told_as_a_front(files, capsys, tmp_path):
    capsys.readouterr()
    asked = ("--bells", "10", "--day", "2", "--single", "--json")
    assert optimised(files, tmp_path / "plan.json", *asked) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["bells"][-1]["minutes"] == 0
    assert told["bells"][0]["n_coaches"] <= told["bells"][-1]["n_coaches"]
    assert optimised(files, tmp_path / "plan.json", *asked[:-1]) == ExitCode.OK
    assert "Minutes" in capsys.readouterr().out


def test_the_share_of_a_lot_that_is_none_and_streets_that_are_not_there_are_refused(files, capsys, tmp_path):
    plan = tmp_path / "plan.json"
    assert optimised(files, plan, "--share", "Z=30") == ExitCode.BAD_DATA
    assert "Z=30" in capsys.readouterr().err
    assert optimised(files, plan, "--streets") == ExitCode.NO_NETWORK
    assert not plan.exists()


def test_a_folder_without_files_is_said_in_a_sentence(capsys, tmp_path):
    asked = ["scolaire", "optimise", "--dir", str(tmp_path), "--out", str(tmp_path / "plan.json")]
    assert main(asked) == ExitCode.BAD_DATA
    assert "pupils.csv" in capsys.readouterr().err


def test_a_region_is_planned_from_the_folders_of_its_sectors(capsys, tmp_path):
    files = str(tmp_path / "region")
    for number, sector in enumerate(draw_region(1, n_pupils=200, n_sectors=2)):
        (tmp_path / "region" / f"secteur-{number}").mkdir(parents=True)
        for name, content in render_sector(sector).items():
            (tmp_path / "region" / f"secteur-{number}" / name).write_bytes(content)
    told = []
    for engine in ("serial", "processes"):
        plan = tmp_path / f"{engine}.json"
        asked = ["scolaire", "optimise", "--region", files, "--out", str(plan)]
        assert main([*asked, "--budget", "1", "--engine", engine, "--workers", "2"]) in {ExitCode.OK, ExitCode.NO}
        told.append(read_plan(plan.read_bytes()))
        assert told[-1].circuits
        assert not list(tmp_path.glob("*.part"))
    assert {rider.pupil_id for rider in told[0].riders} == {rider.pupil_id for rider in told[1].riders}
    assert "cars" in capsys.readouterr().out


def test_two_sectors_with_the_same_ids_are_no_region(capsys, tmp_path):
    for name in ("nord", "sud"):
        assert main(["scolaire", "generate", str(tmp_path / "region" / name), "--pupils", "30"]) == ExitCode.OK
    asked = ["scolaire", "optimise", "--region", str(tmp_path / "region"), "--out", str(tmp_path / "plan.json")]
    assert main(asked) == ExitCode.BAD_DATA
    assert "e00-00000" in capsys.readouterr().err


def test_one_says_a_sector_or_a_region_and_a_region_has_sectors(capsys, tmp_path):
    plan = ["scolaire", "optimise", "--out", str(tmp_path / "plan.json")]
    assert main(plan) == ExitCode.BAD_DATA
    assert main([*plan, "--dir", str(tmp_path), "--region", str(tmp_path)]) == ExitCode.BAD_DATA
    (tmp_path / "vide").mkdir()
    assert main([*plan, "--region", str(tmp_path / "vide")]) == ExitCode.BAD_DATA
    assert "sous-dossiers" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["--dir", "--region"])
def test_a_run_that_is_killed_leaves_its_last_incumbent_whole(kind, tmp_path):
    files, plan = tmp_path / "region" / "secteur", tmp_path / "plan.json"
    assert main(["scolaire", "generate", str(files), "--pupils", "150"]) == ExitCode.OK
    where = files if kind == "--dir" else files.parent
    asked = ["scolaire", "optimise", kind, str(where), "--out", str(plan), "--budget", "600", "--workers", "1"]
    with subprocess.Popen([sys.executable, "-m", "mobigo", *asked], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 400  # kernels may have to be compiled first
        while not plan.exists() and time.monotonic() < end and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert read_plan(plan.read_bytes()).circuits
