"""Consents: what a person agreed to and withdrew, with the version and the hash of the words shown.

Each answer is a row of its own, so the history proves what was in force on any day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Column, Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.personal import Holding, OpensSealed, Row, Whose


class ConsentRow(SQLModel, table=True):
    """One answer."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True)
    pseudonym: str = Field(index=True)
    purpose: str
    version: int
    wording_sha256: str
    given: bool
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    actor: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no to a purpose, as worded in `version`; `actor` is the person, or who wrote it down for them."""

    purpose: str
    version: int
    wording_sha256: str
    given: bool
    at: datetime
    actor: str


def record_answer(session: Session, pseudonym: str, answer: Answer) -> None:
    """Add an answer to the history of a person."""
    session.add(
        ConsentRow(
            pseudonym=pseudonym,
            purpose=answer.purpose,
            version=answer.version,
            wording_sha256=answer.wording_sha256,
            given=answer.given,
            at=answer.at,
            actor=answer.actor,
        )
    )


def list_answers(session: Session, pseudonym: str) -> Sequence[Answer]:
    """Every answer of a person, in the order given."""
    rows = session.exec(select(ConsentRow).where(ConsentRow.pseudonym == pseudonym).order_by(col(ConsentRow.id)))
    return [Answer(row.purpose, row.version, row.wording_sha256, row.given, row.at, row.actor) for row in rows]


def last_answers(session: Session, pseudonym: str) -> Mapping[str, Answer]:
    """The answer in force for each purpose ever answered."""
    return {answer.purpose: answer for answer in list_answers(session, pseudonym)}


def _export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    for answer in list_answers(session, whose.pseudonym):
        yield {
            "at": answer.at,
            "purpose": answer.purpose,
            "version": answer.version,
            "wording_sha256": answer.wording_sha256,
            "given": answer.given,
        }


def _erase(session: Session, whose: Whose) -> int:
    return change(session, delete(ConsentRow).where(col(ConsentRow.pseudonym) == whose.pseudonym))


HOLDING = Holding("consent", ("pseudonym", "actor"), _export, _erase)
