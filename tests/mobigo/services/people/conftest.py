"""People through the services, on both databases."""

import pytest

from mobigo.security import Keys
from mobigo.services.people.provider import Provider, ProviderAccess
from tests.worlds.accounts import World
from tests.worlds.provider import CLIENT_ID, CLIENT_SECRET, local_provider


@pytest.fixture(scope="session")
def keys():
    return Keys.of("k" * 32)


@pytest.fixture
def world(engine, keys):
    return World(engine, keys)


@pytest.fixture(scope="session")
def listening():
    with local_provider() as local:
        yield local, local.key


@pytest.fixture
def local(listening):
    """An honest provider: what the test before bent is straight again."""
    local, key = listening
    vars(local).update(vars(type(local)(issuer=local.issuer, key=key)))
    return local


@pytest.fixture
def provider(local):
    """What we make of it."""
    return Provider(ProviderAccess(local.issuer, CLIENT_ID, CLIENT_SECRET, "Fournisseur d’essai"))
