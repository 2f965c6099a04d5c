"""Alembic's entry: migrations run on the engine that `mobigo.store.base` hands over."""

from alembic import context
from sqlmodel import SQLModel

from mobigo.store import network  # noqa: F401  the tables register themselves by being imported

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
