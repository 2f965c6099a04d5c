"""Audit: who did what, when, on whose data, and why; lines are added and never changed.

A line is written in the transaction of what it tells, so both happen or neither.
People stand in it by pseudonym only, therefore erasing a person changes no line: once
the identity is gone, a pseudonym names nobody. The database itself refuses UPDATE and
DELETE (see `migrations.triggers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, ColumnElement, Index, Integer, exists, func, or_
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from mobigo.store.base import UtcDateTime
from mobigo.store.personal import Holding, OpensSealed, Row, Value, Whose
from socle.errors import BadInput, Fact

ANONYMOUS = "anonymous"  # somebody who is not signed in
WHY_CHARS = 500
_WHO = re.compile(r"(person|key|system):[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_FAMILY = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)*")  # of actions, or one of them
_ACTION = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
# An e-mail address, a telephone number or an IBAN: what leads to somebody after they are erased.
_CONTACT = re.compile(r"\S@\S|(\+\d\d|\b0)[ .-]?[1-9]([ .-]?\d\d){4}\b|\b[A-Z]{2}\d\d( ?[0-9A-Z]{4}){3}")


class AuditRow(SQLModel, table=True):
    """One line of the log."""

    __tablename__ = "audit_line"
    __table_args__ = tuple(Index(f"ix_audit_line_{name}_id", name, "id") for name in ("actor", "action", "subject"))

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    actor: str
    action: str
    subject: str
    why: str
    facts: dict[str, Fact] = Field(sa_column=Column(JSON, nullable=False))


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing done: `person:<pseudonym>`, `key:<id>`, `system:<job>` or anonymous did `action` to a `subject`.

    `action` is a dotted word (`people.role_given`), `subject` is on whose data, empty when on
    nobody's; `facts` say what, and hold no name, address, telephone number or place.
    """

    at: datetime
    actor: str
    action: str
    subject: str = ""
    why: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be found again, or would name somebody.

        Raises:
            ValueError: a fault of the caller's code.
            BadInput: `why_too_long`, which a person typed.
        """
        if self.actor != ANONYMOUS and not _WHO.fullmatch(self.actor):
            raise ValueError(f"no actor: {self.actor!r}")
        if self.subject and not _WHO.fullmatch(self.subject):
            raise ValueError(f"no subject: {self.subject!r}")
        if not _ACTION.fullmatch(self.action):
            raise ValueError(f"no dotted action: {self.action!r}")
        if len(self.why) > WHY_CHARS:
            raise BadInput("why_too_long", most=WHY_CHARS)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """The lines wanted; an empty field wants all. `action` is a dotted word or the beginning of some (`people`).

    From `since` (included) to `until` (excluded). What is asked is written in the log in its turn, so it is
    looked at first: a name typed where a pseudonym belongs must not stand there for ever.

    Raises:
        BadInput: `bad_who`, `bad_action`.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what no line could have."""
        for who in (self.actor, self.subject):
            if who not in {"", ANONYMOUS} and not _WHO.fullmatch(who):
                raise BadInput("bad_who")
        if self.action and not _FAMILY.fullmatch(self.action):
            raise BadInput("bad_action")


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line and its number in the log."""

    number: int
    line: AuditLine


def spelled_why(typed: str) -> str:
    """A reason in one line, as databases and terminals take it."""
    return " ".join("".join(char if char.isprintable() else " " for char in typed).split())


def read_why(typed: str) -> str:
    """The reason of what is not done without one.

    Raises:
        BadInput: `why_missing`.
    """
    why = spelled_why(typed)
    if not why:
        raise BadInput("why_missing")
    return why


def refuse_contacts(said: str) -> None:
    """Refuse words that lead to somebody.

    Raises:
        BadInput: `why_names_somebody`.
    """
    if _CONTACT.search(said):
        raise BadInput("why_names_somebody")


def record(session: Session, line: AuditLine) -> None:
    """Add `line` to the log, in the transaction of what it tells.

    Raises:
        BadInput: `why_names_somebody`: it would stay there for ever.
    """
    record_all(session, [line])


def record_all(session: Session, lines: Sequence[AuditLine]) -> None:
    """As `record`, of many in their order."""
    for line in lines:
        refuse_contacts(line.why)
    rows = [
        {
            "at": line.at,
            "actor": line.actor,
            "action": line.action,
            "subject": line.subject,
            "why": line.why,
            "facts": dict(line.facts),
        }
        for line in lines
    ]
    if rows:
        session.connection().execute(SQLModel.metadata.tables["audit_line"].insert(), rows)


def _wanted(wish: AuditFilter) -> SelectOfScalar[AuditRow]:
    query = select(AuditRow)
    if wish.actor:
        query = query.where(AuditRow.actor == wish.actor)
    if wish.subject:
        query = query.where(AuditRow.subject == wish.subject)
    if wish.action:
        below = col(AuditRow.action).startswith(f"{wish.action}.", autoescape=True)
        query = query.where((col(AuditRow.action) == wish.action) | below)
    if wish.since:
        query = query.where(col(AuditRow.at) >= wish.since)
    if wish.until:
        query = query.where(col(AuditRow.at) < wish.until)
    return query


def _told(row: AuditRow) -> NumberedLine:
    line = AuditLine(row.at, row.actor, row.action, row.subject, row.why, row.facts)
    return NumberedLine(row.id or 0, line)


def list_lines(session: Session, wish: AuditFilter, *, limit: int, before: int | None = None) -> Sequence[NumberedLine]:
    """At most `limit` lines, the last written first; those with a number under `before` when it is given."""
    query = _wanted(wish).order_by(col(AuditRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(AuditRow.id) < before)
    return [_told(row) for row in session.exec(query)]


def list_onward(session: Session, wish: AuditFilter, *, after: int, to: int, limit: int) -> Sequence[NumberedLine]:
    """At most `limit` lines with numbers above `after` and up to `to`, in the order of writing."""
    query = _wanted(wish).where(col(AuditRow.id) > after, col(AuditRow.id) <= to)
    return [_told(row) for row in session.exec(query.order_by(col(AuditRow.id)).limit(limit))]


def last_number(session: Session) -> int:
    """The number of the last line; 0 when the log is empty."""
    return session.exec(select(func.max(AuditRow.id))).one() or 0


def list_actions(session: Session) -> Sequence[str]:
    """Every action that the log knows, by name."""
    return list(session.exec(select(AuditRow.action).distinct().order_by(col(AuditRow.action))))


def acted_since(name: ColumnElement[str], since: datetime) -> ColumnElement[bool]:
    """Whether the person called `name` did something since, or somebody for them; reading their data is neither."""
    own = exists().where(col(AuditRow.actor) == name, col(AuditRow.at) >= since)
    is_reading = or_(*(col(AuditRow.action).endswith(word) for word in ("read", "exported", "found", "listed")))
    for_them = exists().where(col(AuditRow.subject) == name, col(AuditRow.at) >= since, ~is_reading)
    return own | for_them


def _export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    """What was done on the person's data, and what the person did.

    Who else acted is told by kind only, and on whom else is not told: the right of access covers dates
    and purposes of a consultation, not the names of those who made it (CJEU, C-579/21, 22 June 2023).
    """
    mine = (col(AuditRow.subject) == whose.name) | (col(AuditRow.actor) == whose.name)
    for row in session.exec(select(AuditRow).where(mine).order_by(col(AuditRow.id))):
        kind = "self" if row.actor == whose.name else row.actor.partition(":")[0]
        told: dict[str, Value] = {"at": row.at, "action": row.action, "by": kind}
        yield told | {"why": row.why} if row.subject == whose.name else told


HOLDING = Holding("audit_line", ("actor", "subject"), _export)
