"""Decisions: who has a right to school transport, each on its sealed facts and under the version of its book."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from mobigo.store.bulk import add_all
from mobigo.store.scolaire.rows import DecisionRow, RuleBookRow
from mobigo.store.scolaire.sectors import Seals, year_ends_at
from mobigo.store.turns import add_unless_there, take_turn
from scolaire.entitlement.model import Decision, Facts, Verdict
from socle.errors import NotFound

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Facts).decode
Key = tuple[str, int]
"""A child's pseudonym and the number of the home."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The decision that holds about one home of a child; `facts_key` is equal for equal facts."""

    pupil: str
    home: int
    number: int
    facts_key: str
    decision: Decision
    facts: Facts
    decided_at: datetime


def keep_book(session: Session, version: str, book_id: str, valid_from: date, document: bytes, now: datetime) -> None:
    """Keep the document of a book, once."""
    row = RuleBookRow(version=version, book_id=book_id, valid_from=valid_from, document=document, kept_at=now)
    add_unless_there(session, row, ("version",))


def take_turn_of_year(session: Session, school_year: int) -> None:
    """Nobody else decides files of a school year before this transaction ends; taken before any file is locked."""
    take_turn(session, f"school_decisions:{school_year}")


def get_documents(session: Session) -> Mapping[str, bytes]:
    """The documents of all books by which something was decided, by version."""
    return {row.version: row.document for row in session.exec(select(RuleBookRow))}


def add_decisions(
    session: Session,
    keys: Seals,
    sector_id: str,
    school_year: int,
    decided: Iterable[tuple[Key, Facts, Decision]],
    now: datetime,
    *,
    only: str | None = None,
) -> int:
    """Keep decisions whose facts or book differ from those that hold; how many were new. `only`: of one child."""
    standing = _standing(session, sector_id, only)
    ends_at = year_ends_at(school_year)
    rows = []
    for (pupil, home), facts, decision in decided:
        told = _ENCODE(facts).decode()
        facts_key = keys.blind("school_facts", told)
        number, before, book = standing.get((pupil, home), (0, "", ""))
        if (before, book) == (facts_key, decision.book_version):
            continue
        rows.append(
            {
                "sector_id": sector_id,
                "pupil": pupil,
                "home": home,
                "number": number + 1,
                "book_version": decision.book_version,
                "facts_key": facts_key,
                "verdict": str(decision.verdict),
                "reason": decision.reason,
                "missing": list(decision.missing),
                "sealed": keys.seal(told, _place(sector_id, pupil, home, number + 1)),
                "decided_at": now,
                "year_ends_at": ends_at,
            }
        )
    add_all(session.connection(), DecisionRow.__table__, rows)  # type: ignore[attr-defined] # SQLModel's own
    return len(rows)


def list_standing(session: Session, keys: Seals, sector_id: str, book_ids: Mapping[str, str]) -> Iterator[Kept]:
    """The decisions that hold in a sector, by child and home; `book_ids` by version."""
    rows = select(DecisionRow).where(DecisionRow.sector_id == sector_id, _is_newest())
    rows = rows.order_by(col(DecisionRow.pupil), col(DecisionRow.home))
    for row in session.exec(rows):
        facts = _DECODE(keys.open(row.sealed, _place(sector_id, row.pupil, row.home, row.number)))
        decision = Decision(
            Verdict(row.verdict), row.reason, book_ids[row.book_version], row.book_version, tuple(row.missing)
        )
        yield Kept(row.pupil, row.home, row.number, row.facts_key, decision, facts, row.decided_at)


def find_standing(session: Session, keys: Seals, sector_id: str, pupil: str) -> dict[int, tuple[Decision, Facts]]:
    """The decisions that hold about one child, by home, each with the facts on which it was made."""
    rows = select(DecisionRow, RuleBookRow.book_id)
    rows = rows.join(RuleBookRow, col(RuleBookRow.version) == col(DecisionRow.book_version))
    found: dict[int, tuple[Decision, Facts]] = {}
    for row, book_id in session.exec(
        rows.where(DecisionRow.sector_id == sector_id, DecisionRow.pupil == pupil, _is_newest())
    ):
        facts = _DECODE(keys.open(row.sealed, _place(sector_id, row.pupil, row.home, row.number)))
        told = Decision(Verdict(row.verdict), row.reason, book_id, row.book_version, tuple(row.missing))
        found[row.home] = (told, facts)
    return found


def get_document(session: Session, version: str) -> bytes:
    """The document of a book by which something was decided.

    Raises:
        NotFound: `unknown_rule_book_version`.
    """
    row = session.get(RuleBookRow, version)
    if row is None:
        raise NotFound("unknown_rule_book_version")
    return row.document


def _is_newest() -> ColumnElement[bool]:
    """Whether a decision is the one that holds of its home."""
    other = aliased(DecisionRow)
    of_the_home = (
        col(other.sector_id) == col(DecisionRow.sector_id),
        col(other.pupil) == col(DecisionRow.pupil),
        col(other.home) == col(DecisionRow.home),
    )
    highest = select_columns(func.max(col(other.number))).where(*of_the_home).scalar_subquery()
    return col(DecisionRow.number) == highest


def _standing(session: Session, sector_id: str, only: str | None) -> dict[Key, tuple[int, str, str]]:
    """Number, facts and book of the decisions that hold."""
    columns = map(col, (DecisionRow.pupil, DecisionRow.home, DecisionRow.number, DecisionRow.facts_key))
    asked = select_columns(*columns, col(DecisionRow.book_version))
    asked = asked.where(col(DecisionRow.sector_id) == sector_id, _is_newest())
    found = session.execute(asked if only is None else asked.where(col(DecisionRow.pupil) == only))
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in found}


def _place(sector_id: str, pupil: str, home: int, number: int) -> str:
    return f"school_decision:{sector_id}:{pupil}:{home}:{number}"
