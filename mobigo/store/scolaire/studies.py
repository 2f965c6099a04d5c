"""Studies: plans of a sector under way, a version after every change, and which of them the coaches drive.

A study is a tree of versions with a head: undoing moves the head to what it came from, redoing to what came of it
last. Nothing is written over; the journal tells who moved the head, when, and why. A plan names children by their
pseudonyms, and says where they wait and who uses a wheelchair: its file is sealed, so is what the journal tells.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from mobigo.store.personal import OpensSealed
from mobigo.store.scolaire.rows import SectorRow
from mobigo.store.scolaire.sectors import Seals, year_ends_at
from mobigo.store.scolaire.study_rows import JournalRow, StudyRow, VersionRow
from mobigo.store.turns import take_turn as take_turn_of
from socle.errors import Conflict, NotFound, Unavailable

_ZLIB_LEVEL = 6
Figures = Mapping[str, int]
"""What a plan takes and gives, and how many promises it breaks: what lists show without opening it."""


_VERSION = [
    col(each)
    for each in (VersionRow.number, VersionRow.parent, VersionRow.sha256, VersionRow.made_at, VersionRow.figures)
]


class Act(StrEnum):
    """What a line of the journal tells."""

    MADE = "made"
    EDITED = "edited"
    UNDONE = "undone"
    REDONE = "redone"
    ADOPTED = "adopted"  # a version that the optimiser proposed, or that was left by undoing
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Study:
    """A study as it stands in lists."""

    study_id: str
    sector_id: str
    title: str
    made_by: str
    made_at: datetime
    head: int
    turn: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version without its plan."""

    number: int
    parent: int | None
    sha256: str
    made_at: datetime
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class JournalLine:
    """Who did what to a study; `edit` is the change as JSON, empty where there is none."""

    number: int
    act: Act
    version: int
    done_by: str
    at: datetime
    why: str
    edit: Any = None


class _Told(msgspec.Struct, array_like=True):
    """What is sealed of a line of the journal."""

    why: str
    edit: Any = None


# --- studies and their versions ------------------------------------------------------------------


def add_study(
    session: Session,
    keys: Seals,
    sector_id: str,
    title: str,
    plan: bytes,
    by: str,
    why: str,
    now: datetime,
    figures: Figures | None = None,
) -> Study:
    """Keep a study whose first version is `plan`.

    Raises:
        NotFound: `unknown_sector`.
    """
    sector = session.get(SectorRow, sector_id)
    if sector is None:
        raise NotFound("unknown_sector", sector=sector_id)
    take_turn_of(session, f"school_studies:{sector_id}")
    highest = select(func.max(StudyRow.number)).where(StudyRow.sector_id == sector_id)
    number = (session.exec(highest).one() or 0) + 1
    row = StudyRow(
        id=f"{sector_id}-e{number}",
        sector_id=sector_id,
        number=number,
        title=title,
        made_by=by,
        made_at=now,
        head=1,
        turn=0,
        year_ends_at=year_ends_at(sector.school_year),
    )
    session.add(row)
    session.flush()
    _keep(session, keys, row, None, plan, now, figures)
    _write(session, keys, row, Act.MADE, 1, by, why, None, now)
    return _study(row)


def list_studies(session: Session, sector_ids: Sequence[str]) -> list[Study]:
    """The studies of sectors, the newest of each sector first."""
    rows = select(StudyRow).where(col(StudyRow.sector_id).in_(sector_ids))
    rows = rows.order_by(col(StudyRow.sector_id), col(StudyRow.number).desc())
    return [_study(row) for row in session.exec(rows)]


def get_study(session: Session, study_id: str) -> Study:
    """The study with this id.

    Raises:
        NotFound: `unknown_study`.
    """
    return _study(_row(session, study_id))


def take_turn(session: Session, study_id: str, turn: int) -> Study:
    """The study, and nobody else changes it until the end of the transaction.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`: somebody changed it since `turn`.
    """
    locked = select(StudyRow).where(StudyRow.id == study_id).with_for_update()
    row = session.exec(locked).one_or_none()
    if row is None:
        raise NotFound("unknown_study", study=study_id)
    if row.turn != turn:
        raise Conflict("study_moved_on", study=study_id, since=turn, turn=row.turn)
    return _study(row)


def add_version(
    session: Session,
    keys: Seals,
    study_id: str,
    parent: int,
    plan: bytes,
    now: datetime,
    figures: Figures | None = None,
) -> Version:
    """Keep a version made from `parent`; the head stays where it is."""
    return _keep(session, keys, _row(session, study_id), parent, plan, now, figures)


def put_version(
    session: Session,
    keys: Seals,
    study_id: str,
    number: int,
    plan: bytes,
    now: datetime,
    figures: Figures | None = None,
) -> Version:
    """Keep a better plan in place of a version that a search under way found, and that nobody adopted yet."""
    row = _version_row(session, study_id, number)
    row.sha256, row.sealed, row.made_at = _digest(plan), _sealed(keys, study_id, number, plan), now
    row.figures = None if figures is None else dict(figures)
    session.add(row)
    session.flush()
    return _version(row)


def list_versions(session: Session, study_id: str) -> list[Version]:
    """The versions of a study, the first one first."""
    rows = select_columns(*_VERSION)
    rows = rows.where(col(VersionRow.study_id) == study_id).order_by(col(VersionRow.number))
    return [Version(*row) for row in session.execute(rows)]


def list_heads(session: Session, studies: Sequence[Study]) -> dict[str, Version]:
    """The version that each study stands at."""
    joined = select_columns(col(VersionRow.study_id), *_VERSION).join(
        StudyRow, (col(StudyRow.id) == col(VersionRow.study_id)) & (col(StudyRow.head) == col(VersionRow.number))
    )
    ids = [one.study_id for one in studies]
    return {row[0]: Version(*row[1:]) for row in session.execute(joined.where(col(StudyRow.id).in_(ids)))}


def get_version(session: Session, study_id: str, number: int) -> Version:
    """A version of a study.

    Raises:
        NotFound: `unknown_study_version`.
    """
    return _version(_version_row(session, study_id, number))


def load_plan(session: Session, keys: OpensSealed, study_id: str, number: int) -> bytes:
    """The plan file of a version.

    Raises:
        NotFound: `unknown_study_version`.
        Unavailable: `sealed_unreadable`, `plan_altered`.
    """
    row = _version_row(session, study_id, number)
    packed = base64.b64decode(keys.open(row.sealed, _place(study_id, number)))
    plan = zlib.decompress(packed)
    if _digest(plan) != row.sha256:
        raise Unavailable("plan_altered", study=study_id, version=number)
    return plan


# --- the journal ---------------------------------------------------------------------------------


def move_head(
    session: Session,
    keys: Seals,
    study_id: str,
    act: Act,
    version: int,
    by: str,
    why: str,
    now: datetime,
    edit: Any = None,
) -> Study:
    """Have the head at `version`, and the line of the journal that says so."""
    row = _row(session, study_id)
    row.head = version
    _write(session, keys, row, act, version, by, why, edit, now)
    return _study(row)


def write_line(
    session: Session, keys: Seals, study_id: str, act: Act, version: int, by: str, why: str, now: datetime
) -> Study:
    """A line of the journal about a version; the head stays where it is."""
    row = _row(session, study_id)
    _write(session, keys, row, act, version, by, why, None, now)
    return _study(row)


def list_journal(
    session: Session, keys: OpensSealed, study_id: str, since: int = 0, most: int | None = None
) -> list[JournalLine]:
    """The lines after `since`, the newest first; `most` of them, when it is said."""
    rows = select(JournalRow).where(JournalRow.study_id == study_id, JournalRow.number > since)
    rows = rows.order_by(col(JournalRow.number).desc()).limit(most)
    return [_line(keys, row) for row in session.exec(rows)]


def find_before(session: Session, study: Study) -> int | None:
    """The version that the head was made from."""
    return _version_row(session, study.study_id, study.head).parent


def find_after(session: Session, study: Study) -> int | None:
    """The newest version that somebody made out of the head: what redoing leads to; the optimiser's are proposals."""
    made = select(func.max(VersionRow.number)).join(
        JournalRow,
        (col(JournalRow.study_id) == col(VersionRow.study_id)) & (col(JournalRow.version) == col(VersionRow.number)),
    )
    of_head = (VersionRow.study_id == study.study_id, VersionRow.parent == study.head)
    return session.exec(made.where(*of_head)).one()


# --- rows ----------------------------------------------------------------------------------------


def _row(session: Session, study_id: str) -> StudyRow:
    row = session.get(StudyRow, study_id)
    if row is None:
        raise NotFound("unknown_study", study=study_id)
    return row


def _version_row(session: Session, study_id: str, number: int) -> VersionRow:
    row = session.get(VersionRow, (study_id, number))
    if row is None:
        raise NotFound("unknown_study_version", study=study_id, version=number)
    return row


def _keep(
    session: Session,
    keys: Seals,
    study: StudyRow,
    parent: int | None,
    plan: bytes,
    now: datetime,
    figures: Figures | None,
) -> Version:
    session.exec(select(StudyRow.id).where(StudyRow.id == study.id).with_for_update()).one()  # a search counts too
    highest = select(func.max(VersionRow.number)).where(VersionRow.study_id == study.id)
    number = (session.exec(highest).one() or 0) + 1
    row = VersionRow(
        study_id=study.id,
        number=number,
        parent=parent,
        sha256=_digest(plan),
        figures=None if figures is None else dict(figures),
        sealed=_sealed(keys, study.id, number, plan),
        made_at=now,
        year_ends_at=study.year_ends_at,
    )
    session.add(row)
    session.flush()
    return _version(row)


def _write(
    session: Session, keys: Seals, study: StudyRow, act: Act, version: int, by: str, why: str, edit: Any, now: datetime
) -> None:
    study.turn += 1
    told = msgspec.json.encode(_Told(why, edit)).decode()
    session.add(study)
    session.add(
        JournalRow(
            study_id=study.id,
            number=study.turn,
            act=str(act),
            version=version,
            done_by=by,
            at=now,
            sealed=keys.seal(told, _line_place(study.id, study.turn)),
            year_ends_at=study.year_ends_at,
        )
    )
    session.flush()


def _line(keys: OpensSealed, row: JournalRow) -> JournalLine:
    told = msgspec.json.decode(keys.open(row.sealed, _line_place(row.study_id, row.number)), type=_Told)
    return JournalLine(row.number, Act(row.act), row.version, row.done_by, row.at, told.why, told.edit)


def _study(row: StudyRow) -> Study:
    return Study(row.id, row.sector_id, row.title, row.made_by, row.made_at, row.head, row.turn)


def _version(row: VersionRow) -> Version:
    return Version(row.number, row.parent, row.sha256, row.made_at, row.figures)


def _digest(plan: bytes) -> str:
    return hashlib.sha256(plan).hexdigest()


def _sealed(keys: Seals, study_id: str, number: int, plan: bytes) -> bytes:
    packed = base64.b64encode(zlib.compress(plan, _ZLIB_LEVEL)).decode()
    return keys.seal(packed, _place(study_id, number))


def _place(study_id: str, number: int) -> str:
    return f"school_study_version:{study_id}:{number}"


def _line_place(study_id: str, number: int) -> str:
    return f"school_study_line:{study_id}:{number}"
