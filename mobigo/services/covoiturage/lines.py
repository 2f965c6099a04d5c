"""Lines: the carpool lines in force on a day, as people imported them, else the six pilot lines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Engine

from covoiturage.lines import Line as Line  # named in the signatures of doors
from covoiturage.lines import find_line, in_force, read_lines, shipped_lines
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import shipped_policies
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.lines import add_line_versions, count_line_versions, list_line_versions
from mobigo.store.covoiturage.policies import count_verdicts, list_in_force
from socle.errors import NotFound, Unavailable

log = logging.getLogger(__name__)


def list_all_lines(engine: Engine) -> tuple[Line, ...]:
    """Every version of every line: those that were imported, else the ones that are shipped."""
    with reading(engine) as session:
        return list_line_versions(session) or shipped_lines()


def open_lines(engine: Engine) -> tuple[tuple[Line, ...], Sequence[Policy]]:
    """Every line and every policy that holds, for the search; the shipped ones while there is no database to ask."""
    try:
        with reading(engine) as session:
            return list_line_versions(session) or shipped_lines(), tuple(list_in_force(session))
    except Unavailable as error:
        log.warning("the carpool lines of the database cannot be read, the shipped ones are searched: %s", error)
        return shipped_lines(), tuple(shipped_policies().values())


def lines_edition(engine: Engine) -> object:
    """What changes when lines or policies do; None while the database cannot be asked."""
    try:
        with reading(engine) as session:
            return count_line_versions(session), count_verdicts(session)
    except Unavailable:
        return None


def list_lines(engine: Engine, day: date) -> tuple[Line, ...]:
    """The lines in force on a day, by id."""
    return in_force(list_all_lines(engine), day)


def get_line(engine: Engine, line_id: str, day: date) -> Line:
    """The line of that id in force on a day.

    Raises:
        NotFound: `unknown_line`.
    """
    line = find_line(list_all_lines(engine), line_id, day)
    if line is None:
        raise NotFound("unknown_line", line=line_id)
    return line


def import_lines(engine: Engine, text: bytes, *, toml: bool, actor: str, now: datetime) -> tuple[Line, ...]:
    """Keep the lines of a file, all or none; from then on the shipped ones are not used any more. The new versions.

    Raises:
        BadInput: `lines_unreadable`, `line_field`.
        Conflict: `line_version_known`.
    """
    lines = read_lines(text, toml=toml)
    with transaction(engine) as session:
        added = add_line_versions(session, lines, now)
        if added:
            facts = {"lines": ", ".join(sorted({line.line_id for line in added}))}
            record(session, AuditLine(now, actor, "covoiturage.lines_imported", facts=facts))
    return added
