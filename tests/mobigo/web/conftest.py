"""The pages through HTTP, on the committed sample."""

import httpx
import pytest

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from tests.worlds.site import sample_snapshot, serving


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    return sample_snapshot(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def client(sample, tmp_path_factory):
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))
    with (
        serving(make_app(FixedSnapshot(sample), settings)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client
