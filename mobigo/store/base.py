"""Base: the engine, transactions, migrations, and column types shared by the stores.

Two databases, the same tables. SQLite is opened in write-ahead mode with full
synchronisation, so that what was committed survives a power cut; foreign keys are
enforced; one transaction writes at a time and waits for its turn at its beginning,
where nothing is lost by waiting. PostgreSQL is spoken to through psycopg.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, Delete, Dialect, Engine, TypeDecorator, Update, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlmodel import Session as Session  # named in the signatures of services
from sqlmodel import create_engine

from socle.errors import BadInput, Unavailable

BUSY_S = 30  # for which a process waits for another that writes
# What SQLite says -> our code.
_REFUSALS = {
    "locked": "database_busy",
    "readonly database": "cannot_write",
    "unable to open database file": "cannot_write",
    "database or disk is full": "disk_full",
}
_READING = "mobigo_reading"  # the execution option of an engine that only reads


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, kept in UTC; SQLite forgets zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone and store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back in UTC."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def open_engine(address: str) -> Engine:
    """The engine of the database at `address`; the folder of a SQLite file is made.

    Raises:
        BadInput: `bad_database_address`.
    """
    try:
        url = make_url(address)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise BadInput("bad_database_address") from None  # it may hold a password: it is not told
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where `begin` below says, not where Python guesses
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def is_sqlite(engine: Engine) -> bool:
    """Whether the database is a SQLite file, where one process at a time writes."""
    return engine.dialect.name == "sqlite"


@contextmanager
def _answering(engine: Engine) -> Iterator[None]:
    """Tell what the database cannot do now from a fault of ours, which is raised as it is."""
    try:
        yield
    except DatabaseError as fault:
        # DatabaseError itself is a damaged file; its other kinds (integrity, programming) are ours.
        if not isinstance(fault, OperationalError) and type(fault) is not DatabaseError:
            raise
        reason = str(fault.orig)
        code = next((code for sign, code in _REFUSALS.items() if sign in reason), "database_silent")
        raise Unavailable(code, reason=reason, path=engine.url.database) from fault


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session whose changes are committed together at the end, or not at all.

    Raises:
        Unavailable: `database_busy` when another process holds it for too long, `cannot_write`,
            `disk_full`, `database_silent`.
    """
    with _answering(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and changes nothing; it waits for nobody who writes.

    Raises:
        Unavailable: `database_silent`.
    """
    options = (
        {_READING: True} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    bound = engine.execution_options(**options)
    with _answering(engine), Session(bound, expire_on_commit=False, autoflush=False) as session, session.begin():
        yield session
        session.expunge_all()
        session.rollback()


def change(session: Session, statement: Update | Delete) -> int:
    """Run a statement that changes many rows at once, in its turn among the session's other changes; how many."""
    session.flush()
    n_changed = session.connection().execute(statement).rowcount
    session.expire_all()
    return n_changed


def _alembic(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("mobigo.store") / "migrations"))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`, up or down.

    Raises:
        Unavailable: as `transaction`.
    """
    config = _alembic(engine)
    with _answering(engine):
        if revision == "head" or _is_ahead(engine, config, revision):
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)


def _is_ahead(engine: Engine, config: Config, revision: str) -> bool:
    scripts = ScriptDirectory.from_config(config)
    current = current_revision(engine)
    done = {script.revision for script in scripts.iterate_revisions(current, "base")} if current else set()
    return revision != "base" and revision not in done


def current_revision(engine: Engine) -> str | None:
    """The revision that the database stands at; None when it is empty.

    Raises:
        Unavailable: as `transaction`.
    """
    with _answering(engine), engine.execution_options(**{_READING: True}).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision(engine: Engine) -> str | None:
    """The revision that this version of Mobigo needs."""
    return ScriptDirectory.from_config(_alembic(engine)).get_current_head()
