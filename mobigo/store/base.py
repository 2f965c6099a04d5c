"""Base: the engine, transactions, migrations, and column types shared by the stores.

Two databases, the same tables. SQLite is opened in write-ahead mode with full
synchronisation, so that what was committed survives a power cut; foreign keys are
enforced; one transaction writes at a time and waits for its turn at its beginning,
where nothing is lost by waiting. PostgreSQL is spoken to through psycopg.

Faults do not tell what was written or asked for: it may be about somebody, and they go to the log.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, Delete, Dialect, Engine, TypeDecorator, Update, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DisconnectionError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session as Session  # named in the signatures of services
from sqlmodel import create_engine

from socle.errors import BadInput, Unavailable

log = logging.getLogger(__name__)

BUSY_S = 30  # for which a process waits for another that writes
# What SQLite says -> our code.
_REFUSALS = {
    "locked": "database_busy",
    "readonly database": "cannot_write",
    "unable to open database file": "cannot_write",
    "database or disk is full": "disk_full",
}
_GONE = "unable to open database file: it was moved"
_FAILING: dict[URL, str] = {}  # database -> what it fails with
_MAY_WRITE = "mobigo_may_write"  # the execution option that holds who says so
_NUL = "NUL"  # the one letter that PostgreSQL keeps and finds in no text, and SQLite does
_MAPPED_BYTES = 1 << 31  # from the beginning of the file
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
            return create_engine(
                url, hide_parameters=True, pool_pre_ping=True, pool_timeout=10, connect_args={"connect_timeout": 5}
            )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise BadInput("bad_database_address") from None  # it may hold a password: it is not told
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_S})
    if path := find_file(engine):
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep_to_the_file(engine, path)

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where `begin` below says, not where Python guesses
        try:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
        except UnicodeDecodeError:  # of a damaged schema SQLite's message repeats the bytes
            raise Unavailable("database_silent", reason="malformed database schema", path=url.database) from None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def find_file(engine: Engine) -> Path | None:
    """The file of a SQLite database; None when it is another one, or only in memory."""
    database = engine.url.database if is_sqlite(engine) else None
    return None if database in {None, "", ":memory:"} else Path(str(database))


@contextmanager
def mapped(engine: Engine) -> Iterator[Engine]:
    """The engine for whoever reads the whole database; of a SQLite file another one, gone afterwards.

    It reads the file where the system keeps it, without a copy of each page, in a fifth less processor time.
    Not for always: an error of the disk under mapped memory ends the process, where a read is told that it failed.
    """
    path = find_file(engine)
    if path is None or not path.exists():  # opened anew, one that is gone would be made again, empty
        yield engine
        return
    reader = open_engine(engine.url.render_as_string(hide_password=False))

    @event.listens_for(reader, "connect")
    def map_pages(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")

    try:
        yield reader
    finally:
        reader.dispose()


def _keep_to_the_file(engine: Engine, path: Path) -> None:
    """Have connections keep to the file of that name: none goes on with one that was moved away and replaced.

    Nor is an empty database made where there was one: what was written to it would be lost, or its
    log mixed with the old one's when that is back.
    """
    was_there = path.exists()

    @event.listens_for(engine, "do_connect")
    def refuse_to_make_another(*_connecting: object) -> None:
        nonlocal was_there
        if was_there and not path.exists():
            raise sqlite3.OperationalError(_GONE)
        was_there = True

    @event.listens_for(engine, "connect")
    def note(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = path.stat().st_ino

    @event.listens_for(engine, "checkout")
    def compare(_connection: sqlite3.Connection, record: ConnectionPoolEntry, _proxy: object) -> None:
        try:
            found = path.stat().st_ino
        except FileNotFoundError:
            found = -1
        if found != record.info["file"]:
            raise DisconnectionError(_GONE)


def address_of(engine: Engine) -> str | None:
    """The address under which another process opens the same database; None for one that lives in this one."""
    if is_sqlite(engine) and engine.url.database in {None, "", ":memory:"}:
        return None
    return engine.url.render_as_string(hide_password=False)


def is_sqlite(engine: Engine) -> bool:
    """Whether the database is a SQLite file, where one process at a time writes."""
    return engine.dialect.name == "sqlite"


@contextmanager
def _answering(engine: Engine) -> Iterator[None]:
    """Tell what the database cannot do now from a fault of ours, which is raised as it is.

    The log holds the first of a row of failures, and the end of it.
    """
    try:
        yield
    except PoolTimeout as fault:
        raise _refusal(engine, "database_busy", "no free connection") from fault
    except DataError as fault:
        if _NUL not in str(fault.orig):
            raise
        raise BadInput("bad_letter") from None
    except DatabaseError as fault:
        # DatabaseError itself is a damaged file; its other kinds (integrity, programming) are ours.
        if not isinstance(fault, OperationalError) and type(fault) is not DatabaseError:
            raise
        reason = str(fault.orig)
        code = next((code for sign, code in _REFUSALS.items() if sign in reason), "database_silent")
        raise _refusal(engine, code, reason) from fault
    if _FAILING.pop(engine.url, None):
        log.warning("the database answers again")


def _refusal(engine: Engine, code: str, reason: str) -> Unavailable:
    if _FAILING.get(engine.url) != code:
        _FAILING[engine.url] = code
        log.error("the database fails", extra={"code": code, "reason": reason})
    return Unavailable(code, reason=reason, path=engine.url.database)


def _always() -> bool:
    return True


class WritesElsewhere(Exception):
    """Another process is the one that writes to this database: it is to be asked."""


def write_only_while(engine: Engine, may_write: Callable[[], bool]) -> None:
    """From now on `transaction` raises `WritesElsewhere` while `may_write` says no."""
    engine.update_execution_options(**{_MAY_WRITE: may_write})


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session whose changes are committed together at the end, or not at all.

    Raises:
        BadInput: `bad_letter`: a text holds one that the database cannot keep.
        Unavailable: `database_busy` when another process holds it for too long, `cannot_write`,
            `disk_full`, `database_silent`.
        WritesElsewhere: another process is the one that writes.
    """
    if not engine.get_execution_options().get(_MAY_WRITE, _always)():
        raise WritesElsewhere
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
