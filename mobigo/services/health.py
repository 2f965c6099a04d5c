"""Health: whether the database answers, and stands where this version of Mobigo needs it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from mobigo.store import jobs
from mobigo.store.base import current_revision, is_sqlite, newest_revision, reading
from socle.errors import Unavailable

OLDEST_POSTGRESQL = (15,)


def check_database(engine: Engine) -> None:
    """Ask the database something.

    Raises:
        Unavailable: `database_silent`, or `database_old` when it waits for a migration.
    """
    found, wanted = current_revision(engine), newest_revision(engine)
    if found != wanted:
        raise Unavailable("database_old", found=found or "0", wanted=wanted)


def find_old_server(engine: Engine) -> str | None:
    """The version of a PostgreSQL that is older than what we test on, or None.

    Raises:
        Unavailable: the database does not answer.
    """
    if is_sqlite(engine):
        return None
    with reading(engine) as session:
        version = session.connection().dialect.server_version_info or (0,)
    return None if version >= OLDEST_POSTGRESQL else ".".join(map(str, version))


def count_jobs(engine: Engine) -> Mapping[str, int]:
    """How many jobs stand in each state.

    Raises:
        Unavailable: the database does not answer.
    """
    with reading(engine) as session:
        return {str(state): n_jobs for state, n_jobs in jobs.count_jobs(session).items()}
