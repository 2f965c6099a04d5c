"""The journey API through HTTP, on the valley."""

import httpx
import pytest

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from mobigo.store.base import migrate
from tests.worlds.databases import KINDS, empty_database
from tests.worlds.operators import Operator, emptied, make
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


@pytest.fixture(scope="module", params=KINDS)
def operators_site(request, world, tmp_path_factory):
    """An interface left open and one that asks for keys, on one database of each kind."""
    folder = tmp_path_factory.mktemp("site")
    with empty_database(request.param, folder) as address:
        apps = [make(world, address, folder, standard_covoiturage_open=is_open) for is_open in (True, False)]
        yield apps
        for app in apps:
            app.state.engine.dispose()


@pytest.fixture
def left_open(operators_site):
    """The application whose interface for carpool operators asks for no key, without any data."""
    return emptied(operators_site[0])


@pytest.fixture
def closed(operators_site):
    """The one that asks for keys."""
    return emptied(operators_site[1])


@pytest.fixture
def anybody(left_open):
    """An operator that calls without a key."""
    return Operator(left_open)
