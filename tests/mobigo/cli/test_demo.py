import json
import shutil
from datetime import date

import pytest

from mobigo.cli import main
from mobigo.cli.demo import ensure_demo, monday_of
from mobigo.cli.frame import ExitCode
from mobigo.store.releases import find_current
from tests.worlds.site import SAMPLE
from tests.worlds.valley import write_valley


def test_one_command_builds_the_region_and_serves_it(data_dir, capsys):
    """The sample stands for the whole region, which takes the same road."""
    assert main(["demo", "--scale", "sample", "--start", "2026-11-16", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "served"
    assert find_current(data_dir) is not None
    assert (data_dir / "demo" / "2020-2026-11-16-26-sample-clean" / "manifest.json").is_file()
    before = find_current(data_dir)
    ensure_demo()  # a network is there already
    assert find_current(data_dir) == before
    assert main(["demo", "check"]) == ExitCode.OK
    (data_dir / "demo" / "2020-2026-11-16-26-sample-clean" / "places.csv").write_text("")
    assert main(["demo", "check"]) == ExitCode.NO
    assert "1 écart" in capsys.readouterr().out
    assert main(["demo", "check", "--json"]) == ExitCode.NO
    assert [len(one["findings"]) for one in json.loads(capsys.readouterr().out)][-1] == 1


def test_a_demonstration_of_another_version_or_over_is_built_anew_and_real_feeds_never(data_dir, monkeypatch):
    built = []
    monkeypatch.setattr("mobigo.cli.demo.build_sources", lambda *_: (data_dir, []))
    monkeypatch.setattr("mobigo.cli.demo.import_sources", lambda *_: built.append(1))
    write_valley(data_dir)
    manifest = find_current(data_dir) / "manifest.json"
    told = json.loads(manifest.read_text("utf-8"))
    for spoil in (False, True):
        if spoil:
            (find_current(data_dir) / "timetable" / "manifest.json").unlink()
        manifest.write_text(json.dumps(told | {"demo": False}), "utf-8")
        ensure_demo()
        assert built == []
    manifest.write_text(json.dumps(told | {"demo": True}), "utf-8")
    ensure_demo()
    assert built == [1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--start", "demain"], "n’est pas un jour"),
        (["--start", "2026-11-17"], "n’en est pas un"),
        (["--start", "2028-08-21"], "vacances scolaires"),
        (["--weeks", "0"], "de 1 à 104 semaines"),
        (["--scale", "world"], "sector ou sample"),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_sentence(data_dir, arguments, sentence, capsys):
    assert main(["demo", *arguments]) == ExitCode.BAD_DATA
    assert sentence in capsys.readouterr().err
    assert find_current(data_dir) is None


def test_the_sample_is_written_anew(data_dir, tmp_path):
    assert main(["demo", "sample", "-o", str(tmp_path / "sample")]) == ExitCode.OK
    (tmp_path / "sample" / "old.txt").write_text("")
    assert main(["demo", "check", "--sample", str(tmp_path / "sample")]) == ExitCode.NO
    assert main(["demo", "sample", "-o", str(tmp_path / "sample")]) == ExitCode.OK
    assert main(["demo", "check", "--sample", str(tmp_path / "sample")]) == ExitCode.OK


def test_the_map_names_the_towns(data_dir, tmp_path):
    assert main(["demo", "map", "-o", str(tmp_path / "map.svg")]) == ExitCode.OK
    drawn = (tmp_path / "map.svg").read_text("utf-8")
    assert all(f">{town}</text>" in drawn for town in ("Dijon", "Besançon", "Nevers", "Belfort", "Auxerre", "Mâcon"))


def test_a_week_begins_on_monday():
    assert monday_of(date(2026, 11, 21)) == date(2026, 11, 16)
    assert monday_of(date(2026, 11, 16)) == date(2026, 11, 16)


def test_the_demonstration_has_accounts_that_a_network_of_real_feeds_closes(data_dir, capsys, tmp_path):
    assert main(["demo", "--scale", "sample", "--start", "2026-11-16"]) == ExitCode.OK
    said = " ".join(capsys.readouterr().err.split())
    assert "administrator@demo.example" in said
    assert main(["people", "list", "--json"]) == ExitCode.OK
    at_work = json.loads(capsys.readouterr().out)
    assert {role for person in at_work for role in person["roles"]} >= {"administrator", "agent", "data_officer"}
    assert all(person["name"].endswith("(compte fictif)") for person in at_work)
    feed = shutil.copytree(SAMPLE, tmp_path / "feed")
    (feed / "feed_info.txt").unlink()  # by which it says that it is a demonstration
    assert main(["feed", "import", f"reel={feed}", "--release-anyway", "essai", "--licence", "ODbL-1.0"]) == ExitCode.OK
    capsys.readouterr()
    assert main(["people", "list", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == []
