"""People through the services, on both databases."""

import pytest

from mobigo.security import Keys
from tests.worlds.accounts import World


@pytest.fixture(scope="session")
def keys():
    return Keys.of("k" * 32)


@pytest.fixture
def world(engine, keys):
    return World(engine, keys)
