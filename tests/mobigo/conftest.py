"""A database of its own for each test that stores something: SQLite always, PostgreSQL when one is named."""

import os
import uuid

import psycopg
import pytest
from sqlalchemy.engine import make_url

from mobigo.store.base import migrate, open_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def database_address(request, tmp_path):
    """The address of an empty database; PostgreSQL's is a schema of the server in MOBIGO_TEST_DATABASE."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'deep' / 'mobigo.sqlite3'}"
        return
    server = os.environ.get("MOBIGO_TEST_DATABASE")
    if not server:
        pytest.skip("MOBIGO_TEST_DATABASE names no PostgreSQL server")
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def engine(database_address):
    """The engine of an empty database with every table."""
    engine = open_engine(database_address)
    migrate(engine)
    yield engine
    engine.dispose()
