"""Steps: everything that was done with a request, the papers that it must bring, and the codes on its letters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from mobigo.store.personal import OpensSealed
from mobigo.store.scolaire.applications import KeptApplication
from mobigo.store.scolaire.family_rows import HomeRow, PaperRow, StepRow
from mobigo.store.scolaire.sectors import Seals, year_ends_at
from scolaire.registration.model import Deed
from socle.errors import NotFound


@dataclass(frozen=True, slots=True)
class KeptStep:
    """One thing done with a request."""

    at: datetime
    by: str
    deed: Deed
    home: int | None
    about: str
    words: str


# --- steps and papers ---------------------------------------------------------------------------


def add_step(
    session: Session,
    keys: Seals,
    one: KeptApplication,
    deed: Deed,
    by: str,
    now: datetime,
    *,
    home: int | None = None,
    about: str = "",
    words: str = "",
) -> None:
    """Write down what was done; `words` are sealed."""
    before = session.exec(select(func.max(StepRow.number)).where(StepRow.application_id == one.id)).one()
    number = 0 if before is None else before + 1
    session.add(
        StepRow(
            application_id=one.id,
            number=number,
            at=now,
            by=by,
            deed=str(deed),
            home=home,
            about=about,
            sealed=keys.seal(words, _step_place(one.id, number)) if words else None,
            year_ends_at=year_ends_at(one.school_year),
        )
    )
    session.flush()


def list_steps(session: Session, keys: Seals, application_id: str) -> list[KeptStep]:
    """What was done with a request, the first first."""
    rows = select(StepRow).where(StepRow.application_id == application_id).order_by(col(StepRow.number))
    return [
        KeptStep(row.at, row.by, Deed(row.deed), row.home, row.about, opened_words(keys, row))
        for row in session.exec(rows)
    ]


def opened_words(keys: OpensSealed, row: StepRow) -> str:
    """What was said with a step."""
    return "" if row.sealed is None else keys.open(row.sealed, _step_place(row.application_id, row.number))


def ask_papers(session: Session, one: KeptApplication, codes: Collection[str]) -> None:
    """Have a request ask for papers; those that it does not ask for any more and that never came are forgotten."""
    known = {row.code: row for row in session.exec(select(PaperRow).where(PaperRow.application_id == one.id))}
    for code in codes:
        if code not in known:
            session.add(PaperRow(application_id=one.id, code=code, year_ends_at=year_ends_at(one.school_year)))
    for code, row in known.items():
        if code not in codes and row.received_at is None:
            session.delete(row)
    session.flush()


def receive_paper(session: Session, application_id: str, code: str, now: datetime) -> bool:
    """Note that a paper came; False when it was not asked for or is there."""
    row = session.get(PaperRow, (application_id, code))
    if row is None or row.received_at is not None:
        return False
    row.received_at = now
    session.add(row)
    session.flush()
    return True


def list_papers(session: Session, application_id: str) -> Mapping[str, datetime | None]:
    """The papers that a request must bring, and since when they are there."""
    rows = select(PaperRow).where(PaperRow.application_id == application_id).order_by(col(PaperRow.code))
    return {row.code: row.received_at for row in session.exec(rows)}


# --- codes on letters ---------------------------------------------------------------------------


def set_link(session: Session, application_id: str, number: int, hashed: str | None, until: datetime | None) -> None:
    """Keep the hash of the code by which an account is linked to a home, or forget it."""
    row = session.get(HomeRow, (application_id, number))
    if row is None:
        raise NotFound("unknown_application")
    row.link_hash, row.link_until = hashed, until
    session.add(row)
    session.flush()


def find_link(session: Session, hashed: str, now: datetime) -> tuple[str, int] | None:
    """The request and home to which a code leads now."""
    row = session.exec(select(HomeRow).where(HomeRow.link_hash == hashed)).first()
    if row is None or row.link_until is None or row.link_until < now:
        return None
    return row.application_id, row.number


def _step_place(application_id: str, number: int) -> str:
    return f"school_application_step:{application_id}:{number}"
