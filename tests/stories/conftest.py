"""Stories: the product through HTTP, on the committed sample of the demonstration."""

import httpx
import pytest

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from tests.worlds.site import sample_snapshot, serving


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))
    with (
        serving(make_app(FixedSnapshot(snapshot), settings)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def ask(client):
    def get(path, status=200, **parameters):
        answer = client.get(f"/api/{path}", params=parameters)
        assert answer.status_code == status, answer.text
        return answer.json()

    return get
