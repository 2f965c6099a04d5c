"""Alembic's entry: migrations run on the engine that `mobigo.store.base` hands over."""

from alembic import context
from sqlmodel import SQLModel

from mobigo.store import network  # noqa: F401  the tables register themselves by being imported

with context.config.attributes["engine"].begin() as connection:
    if connection.dialect.name == "sqlite":
        # Python's SQLite begins no transaction for DDL: with this one a migration is whole or not at all,
        # and a second process that starts at the same time waits, then finds the work done.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, transactional_ddl=True
    )
    context.run_migrations()
