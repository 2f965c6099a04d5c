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
