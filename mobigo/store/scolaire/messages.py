"""Messages to families: what was written about coaches, to whom it went, and the proof of each sending.

A message concerns children on a day; its letters go to guardians, one to each address, and each says what became of
it and when. No letter and no row names a child: children and guardians stand in them under pseudonyms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, LargeBinary, and_, func, tuple_, update
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.rows import PupilRow, SectorRow
from mobigo.store.scolaire.sectors import Seals, opened_home, year_ends_at
from mobigo.store.turns import add_unless_there, take_turn
from scolaire.plans import Direction
from scolaire.telling import Matter, Scope
from socle.errors import NotFound


class Channel(StrEnum):
    """By what kind of address somebody is reached."""

    EMAIL = "email"
    PHONE = "phone"
    POST = "post"  # nobody is known by another: the office sends paper


class LetterState(StrEnum):
    """What became of one letter."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"  # for good, by the server or the gateway
    GONE = "gone"  # the account or its address is not there any more


class MessageRow(SQLModel, table=True):
    """A message; its words are sealed."""

    __tablename__ = "school_message"

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    sector_id: str = Field(foreign_key="school_sector.id", index=True)
    day: date = Field(index=True)
    matter: str
    circuits: list[str] = Field(sa_column=Column(JSON, nullable=False))
    stops: list[str] = Field(sa_column=Column(JSON, nullable=False))
    direction: str | None = None
    written_by: str
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class ConcernedRow(SQLModel, table=True):
    """A child, in one home, whom a message concerns."""

    __tablename__ = "school_message_child"

    message_id: str = Field(foreign_key="school_message.id", primary_key=True)
    pupil: str = Field(primary_key=True, index=True)
    home: int = Field(primary_key=True)
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class LetterRow(SQLModel, table=True):
    """One letter; `guardian` is None where nobody has an account, and then `pupil` says whose family it is."""

    __tablename__ = "school_message_letter"

    message_id: str = Field(foreign_key="school_message.id", primary_key=True)
    number: int = Field(primary_key=True)
    channel: str
    guardian: str | None = Field(default=None, index=True)
    pupil: str | None = None
    state: str = LetterState.WAITING
    said: str = ""  # the code of a refusal
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    posted_on: date | None = None  # of paper, as a clerk told
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class LanguageRow(SQLModel, table=True):
    """The language in which somebody wishes to be written to."""

    __tablename__ = "school_language"

    holder: str = Field(primary_key=True)
    language: str
    chosen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is told."""

    message_id: str
    sector_id: str
    matter: Matter
    scope: Scope
    words: str
    written_by: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom one letter goes, by what kind of address."""

    channel: Channel
    guardian: str | None = None
    pupil: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter and what became of it."""

    number: int
    addressee: Addressee
    state: LetterState
    said: str
    ended_at: datetime | None
    posted_on: date | None = None


Child = tuple[str, str, int]
"""A sector, a child's pseudonym in it, the number of the home."""


def find_by_key(session: Session, keys: OpensSealed, key: str) -> Message | None:
    """The message that was sent under a key."""
    row = session.exec(select(MessageRow).where(MessageRow.key == key)).one_or_none()
    return None if row is None else _message(keys, row)


def get_by_key(session: Session, keys: OpensSealed, key: str) -> Message:
    """The message that was sent under a key.

    Raises:
        NotFound: `unknown_school_message`.
    """
    found = find_by_key(session, keys, key)
    if found is None:
        raise NotFound("unknown_school_message")
    return found


def list_homes(
    session: Session, keys: OpensSealed, sector_id: str, pupils: Collection[str], weekday: int
) -> list[tuple[str, int, str | None]]:
    """Of children, the home from which each goes on a day of the week, and the guardian there."""
    found = []
    rows = select(PupilRow).where(PupilRow.sector_id == sector_id).order_by(col(PupilRow.pupil), col(PupilRow.home))
    for row in session.exec(rows):
        days = opened_home(row, keys)["school_days"] if row.pupil in pupils else 0
        if isinstance(days, int) and days >> weekday & 1:
            found.append((row.pupil, row.home, row.guardian))
    return found


def add_message(
    session: Session,
    keys: Seals,
    message: Message,
    key: str,
    children: Iterable[tuple[str, int]],
    addressees: Sequence[Addressee],
) -> bool:
    """Keep a message, the children whom it concerns, and a letter for each addressee; False when its key is there."""
    sector = session.get(SectorRow, message.sector_id)
    if sector is None:
        raise NotFound("unknown_sector", sector=message.sector_id)
    ends_at, scope = year_ends_at(sector.school_year), message.scope
    row = MessageRow(
        id=message.message_id,
        key=key,
        sector_id=message.sector_id,
        day=scope.day,
        matter=message.matter,
        circuits=sorted(scope.circuits),
        stops=sorted(scope.stops),
        direction=scope.direction,
        written_by=message.written_by,
        written_at=message.written_at,
        sealed=keys.seal(message.words, _place(message.message_id)),
        year_ends_at=ends_at,
    )
    if not add_unless_there(session, row, ("key",)):
        return False
    session.add_all(
        ConcernedRow(message_id=message.message_id, pupil=pupil, home=home, year_ends_at=ends_at)
        for pupil, home in children
    )
    session.add_all(
        LetterRow(
            message_id=message.message_id,
            number=number,
            channel=one.channel,
            guardian=one.guardian,
            pupil=one.pupil,
            year_ends_at=ends_at,
        )
        for number, one in enumerate(addressees)
    )
    session.flush()
    return True


def get_message(session: Session, keys: OpensSealed, message_id: str) -> Message:
    """A message.

    Raises:
        NotFound: `unknown_school_message`.
    """
    row = session.get(MessageRow, message_id)
    if row is None:
        raise NotFound("unknown_school_message")
    return _message(keys, row)


def list_messages(session: Session, keys: OpensSealed, sector_ids: Collection[str], limit: int) -> list[Message]:
    """The messages of sectors, the newest first."""
    rows = select(MessageRow).where(col(MessageRow.sector_id).in_(sector_ids))
    rows = rows.order_by(col(MessageRow.written_at).desc(), col(MessageRow.id)).limit(limit)
    return [_message(keys, row) for row in session.exec(rows)]


def count_children(session: Session, message_id: str) -> int:
    """How many children a message concerns."""
    counted = select(func.count()).select_from(ConcernedRow).where(ConcernedRow.message_id == message_id)
    return session.exec(counted).one()


def list_letters(session: Session, message_id: str) -> list[Letter]:
    """The letters of a message, in order."""
    rows = select(LetterRow).where(LetterRow.message_id == message_id).order_by(col(LetterRow.number))
    return [_letter(row) for row in session.exec(rows)]


def get_letter(session: Session, message_id: str, number: int) -> Letter:
    """One letter.

    Raises:
        NotFound: `unknown_school_message`.
    """
    row = session.get(LetterRow, (message_id, number))
    if row is None:
        raise NotFound("unknown_school_message")
    return _letter(row)


def homes_of(session: Session, message_id: str) -> dict[str, int]:
    """The children whom a message concerns, each in the home from which it goes on that day."""
    rows = select(ConcernedRow).where(ConcernedRow.message_id == message_id)
    return {row.pupil: row.home for row in session.exec(rows)}


def end_letter(
    session: Session,
    message_id: str,
    number: int,
    state: LetterState,
    said: str,
    now: datetime,
    posted_on: date | None = None,
) -> bool:
    """Say what became of a letter, once."""
    of_it = (col(LetterRow.message_id) == message_id, col(LetterRow.number) == number)
    waiting = update(LetterRow).where(*of_it, col(LetterRow.state) == LetterState.WAITING)
    return change(session, waiting.values(state=state, said=said, ended_at=now, posted_on=posted_on)) == 1


def list_alerts(session: Session, keys: OpensSealed, children: Collection[Child], since: date) -> list[Message]:
    """The messages that concern any of these children in these homes and speak of `since` or a later day.

    The first day first, of one day the newest.
    """
    if not children:
        return []
    of_them = tuple_(col(MessageRow.sector_id), col(ConcernedRow.pupil), col(ConcernedRow.home)).in_(list(children))
    rows = (
        select(MessageRow)
        .join(ConcernedRow, col(ConcernedRow.message_id) == col(MessageRow.id))
        .where(of_them, MessageRow.day >= since)
    )
    found = {row.id: row for row in session.exec(rows)}
    told = sorted(found.values(), key=lambda row: (row.day, -row.written_at.timestamp(), row.id))
    return [_message(keys, row) for row in told]


def list_of_sector(session: Session, keys: OpensSealed, sector_id: str, since: date) -> list[Message]:
    """The messages about a sector that speak of `since` or a later day."""
    rows = select(MessageRow).where(MessageRow.sector_id == sector_id, MessageRow.day >= since)
    return [_message(keys, row) for row in session.exec(rows.order_by(col(MessageRow.day), col(MessageRow.id)))]


def children_of(session: Session, guardian: str) -> list[Child]:
    """The children whom an account looks after, in its homes."""
    rows = select(PupilRow).where(PupilRow.guardian == guardian)
    return [(row.sector_id, row.pupil, row.home) for row in session.exec(rows)]


# --- languages -------------------------------------------------------------------------------------


def set_language(session: Session, holder: str, language: str, now: datetime) -> None:
    """Note the language of somebody."""
    take_turn(session, f"school_language:{holder}")
    session.merge(LanguageRow(holder=holder, language=language, chosen_at=now))
    session.flush()


def find_language(session: Session, holder: str) -> str | None:
    """The language that somebody chose."""
    row = session.get(LanguageRow, holder)
    return None if row is None else row.language


# --- rows ------------------------------------------------------------------------------------------


def _place(message_id: str) -> str:
    return f"school_message:{message_id}"


def _message(keys: OpensSealed, row: MessageRow) -> Message:
    direction = None if row.direction is None else Direction(row.direction)
    scope = Scope(row.day, frozenset(row.circuits), frozenset(row.stops), direction)
    words = keys.open(row.sealed, _place(row.id))
    return Message(row.id, row.sector_id, Matter(row.matter), scope, words, row.written_by, row.written_at)


def _letter(row: LetterRow) -> Letter:
    addressee = Addressee(Channel(row.channel), row.guardian, row.pupil)
    return Letter(row.number, addressee, LetterState(row.state), row.said, row.ended_at, row.posted_on)


# --- holdings --------------------------------------------------------------------------------------


def _written(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    rows = select(MessageRow).where(MessageRow.written_by == whose.name).order_by(col(MessageRow.written_at))
    for row in session.exec(rows):
        yield {"at": row.written_at, "school_matter": row.matter, "words": keys.open(row.sealed, _place(row.id))}


def _received(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    rows = select(LetterRow, MessageRow).join(MessageRow, col(MessageRow.id) == col(LetterRow.message_id))
    mine = rows.where(LetterRow.guardian == whose.pseudonym)
    for letter, message in session.exec(mine.order_by(col(MessageRow.written_at), col(LetterRow.number))):
        yield {
            "at": letter.ended_at or message.written_at,
            "school_matter": message.matter,
            "words": keys.open(message.sealed, _place(message.id)),
            "letter_channel": letter.channel,
            "letter_state": letter.state,
        }


def _concerned(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    of_theirs = and_(
        col(PupilRow.sector_id) == col(MessageRow.sector_id),
        col(PupilRow.pupil) == col(ConcernedRow.pupil),
        col(PupilRow.home) == col(ConcernedRow.home),
    )
    rows = (
        select(MessageRow)
        .join(ConcernedRow, col(ConcernedRow.message_id) == col(MessageRow.id))
        .join(PupilRow, of_theirs)
        .where(PupilRow.guardian == whose.pseudonym)
    )
    for row in session.exec(rows.order_by(col(MessageRow.written_at))):
        yield {"at": row.written_at, "sector_id": row.sector_id, "school_matter": row.matter}


def _chosen(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    row = session.get(LanguageRow, whose.pseudonym)
    if row is not None:
        yield {"at": row.chosen_at, "language": row.language}


def _forget_language(session: Session, whose: Whose) -> int:
    row = session.get(LanguageRow, whose.pseudonym)
    if row is None:
        return 0
    session.delete(row)
    session.flush()
    return 1


# What proves a sending holds pseudonyms, which name nobody once an account is gone.
HOLDINGS: Sequence[Holding] = (
    Holding("school_message_letter", ("guardian", "pupil"), _received),
    Holding("school_message_child", ("pupil",), _concerned),
    Holding("school_message", ("written_by", "sealed"), _written),
    Holding("school_language", ("holder", "language"), _chosen, _forget_language),
)
