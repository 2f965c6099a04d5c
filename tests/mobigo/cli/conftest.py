import logging

import pytest

from mobigo.cli.frame import settings


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """A data directory of its own for the commands of one test."""
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield tmp_path / "data"
    settings.cache_clear()
    root.setLevel(before[0])
    root.handlers[:] = before[1]
