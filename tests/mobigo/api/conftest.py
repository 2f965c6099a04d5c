"""The journey API through HTTP, on the valley."""

import httpx
import pytest

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from mobigo.store.base import migrate
from tests.worlds.site import serving
from tests.worlds.valley import valley


@pytest.fixture(scope="session")
def world():
    return valley()


@pytest.fixture(scope="session")
def app(world, tmp_path_factory):
    app = make_app(FixedSnapshot(world), Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data")))
    migrate(app.state.engine)
    return app


@pytest.fixture(scope="session")
def client(app):
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture
def ask(client):
    """GET a path of the API with parameters; the JSON of the answer."""

    def get(path, status=200, **parameters):
        answer = client.get(f"/api/{path}", params=parameters)
        assert answer.status_code == status, answer.text
        return answer.json()

    return get
