"""Lines: versions of carpool lines as people import them; a version is never changed. They are about nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import LargeBinary, UniqueConstraint, func
from sqlmodel import Column, Field, Session, SQLModel, col, select

from covoiturage.lines import Line, document_of, read_lines, version_of
from covoiturage.policy.documents import render_canonical
from mobigo.store.base import UtcDateTime
from socle.errors import Conflict


class LineVersionRow(SQLModel, table=True):
    """A line as it is from a day on: canonical JSON of its document, under its hash."""

    __tablename__ = "line_version"
    __table_args__ = (UniqueConstraint("line_id", "valid_from"),)

    sha256: str = Field(primary_key=True)
    line_id: str
    valid_from: date
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    imported_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


def list_line_versions(session: Session) -> tuple[Line, ...]:
    """Every version of every line that was imported, by id and first day."""
    rows = session.exec(
        select(LineVersionRow.document).order_by(col(LineVersionRow.line_id), col(LineVersionRow.valid_from))
    ).all()
    if not rows:
        return ()
    return read_lines(b'{"lines":[' + b",".join(rows) + b"]}")


def count_line_versions(session: Session) -> int:
    """How many versions there are; they are added and never taken away."""
    return session.exec(select(func.count()).select_from(LineVersionRow)).one()


def add_line_versions(session: Session, lines: Iterable[Line], now: datetime) -> tuple[Line, ...]:
    """Keep versions; those that are kept already are passed over. The new ones.

    Raises:
        Conflict: `line_version_known`: another version of the line begins on the same day.
    """
    added = []
    for line in lines:
        version = version_of(line)
        if session.get(LineVersionRow, version) is not None:
            continue
        same_day = select(LineVersionRow).where(
            LineVersionRow.line_id == line.line_id, LineVersionRow.valid_from == line.valid_from
        )
        if session.exec(same_day).first() is not None:
            raise Conflict("line_version_known", line=line.line_id, day=line.valid_from.isoformat())
        session.add(
            LineVersionRow(
                sha256=version,
                line_id=line.line_id,
                valid_from=line.valid_from,
                document=render_canonical(document_of(line)).encode(),
                imported_at=now,
            )
        )
        session.flush()
        added.append(line)
    return tuple(added)
