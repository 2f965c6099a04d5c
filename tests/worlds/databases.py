"""An empty database: a SQLite file, or a schema of the PostgreSQL server that MOBIGO_TEST_DATABASE names."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

KINDS = ("sqlite", "postgresql")


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """Its address; the test is skipped when no server is named."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'deep' / 'mobigo.sqlite3'}"
        return
    server = os.environ.get("MOBIGO_TEST_DATABASE")
    if not server:
        pytest.skip("MOBIGO_TEST_DATABASE names no PostgreSQL server")
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
