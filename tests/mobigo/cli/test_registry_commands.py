import json

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from mobigo.store.base import migrate, open_engine


@pytest.fixture
def engine(data_dir):
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


def test_the_status_counts_messages_and_says_that_nothing_is_set(engine, capsys):
    assert main(["covoiturage", "registry", "status", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {"is_on": False, "counts": [], "statuses": {}, "refused": []}
    assert main(["covoiturage", "registry", "status"]) == ExitCode.OK
    assert "MOBIGO_REGISTRY_URL" in capsys.readouterr().out
