"""A database of its own for each test that stores something: SQLite always, PostgreSQL when one is named."""

import pytest

from mobigo.store.base import migrate, open_engine
from tests.worlds.databases import KINDS, empty_database


@pytest.fixture(params=KINDS)
def database_address(request, tmp_path):
    """The address of an empty database."""
    with empty_database(request.param, tmp_path) as address:
        yield address


@pytest.fixture
def engine(database_address):
    """The engine of an empty database with every table."""
    engine = open_engine(database_address)
    migrate(engine)
    yield engine
    engine.dispose()
