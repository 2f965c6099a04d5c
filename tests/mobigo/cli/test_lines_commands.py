"""`mobigo covoiturage lines`."""

import json
from importlib.resources import files

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def listed(capsys, *options):
    assert main(["covoiturage", "lines", "list", "--json", *options]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)


def test_the_six_lines_are_listed(capsys):
    assert main(["covoiturage", "lines", "list", "--on", "2026-11-23"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "Baume-les-Dames" in shown
    assert "33,0" in shown
    assert "1,50" in shown


def test_what_is_listed_can_be_imported(capsys, folder):
    lines = listed(capsys, "--on", "2026-11-23")
    (folder / "lines.json").write_text(json.dumps({"lines": lines[:2]}))
    assert main(["covoiturage", "lines", "import", "lines.json"]) == ExitCode.OK
    assert "2" in capsys.readouterr().out
    assert listed(capsys, "--on", "2026-11-23") == lines[:2]


def test_toml_is_read_by_its_name(capsys, folder):
    (folder / "lines.toml").write_bytes(files("covoiturage").joinpath("lines.toml").read_bytes())
    assert main(["covoiturage", "lines", "import", "lines.toml"]) == ExitCode.OK
    capsys.readouterr()
    assert len(listed(capsys, "--on", "2026-11-23")) == 6


def test_a_wrong_file_is_refused_with_the_field(capsys, folder):
    (folder / "lines.json").write_text('{"lines": [{"line_id": "A"}]}')
    assert main(["covoiturage", "lines", "import", "lines.json"]) == 2
    assert "lines[0].name" in capsys.readouterr().err
    assert main(["covoiturage", "lines", "import", "absent.json"]) == 2
