"""Searches: the optimiser at work on a study: where it stands, and the versions that hold what it proposes.

A search keeps bells as they are and proposes one version, or moves them by `most_s` at most and proposes several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, update
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime, change
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from socle.errors import Conflict, NotFound


class SearchState(StrEnum):
    """Where a search stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by a person, or because its worker was


ENDED = frozenset({SearchState.DONE, SearchState.STOPPED})


class SearchRow(SQLModel, table=True):
    """One search; `version` is the best plan so far, None as long as nothing is better than what it began with."""

    __tablename__ = "school_search"

    study_id: str = Field(foreign_key="school_study.id", primary_key=True)
    number: int = Field(primary_key=True)
    state: str
    base: int  # the version it begins with
    version: int | None = None
    budget_s: int
    seed: int
    asked_by: str
    asked_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    is_to_stop: bool = False
    period: str = ""
    n_vehicles: int | None = None
    n_unserved: int | None = None
    bound: int | None = None
    spent_s: int = 0
    most_s: int | None = None  # bells may move by so much; None: they stay
    fixed: list[str] | None = Field(default=None, sa_column=Column(JSON, nullable=True))  # schools whose bells stay
    trials: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    n_tried: int = 0
    n_trials: int | None = None
    fewest: int | None = None
    is_proved: bool | None = None
    year_ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


@dataclass(frozen=True, slots=True)
class KeptTrial:
    """The version that holds the plan under other bells, and by how many seconds they moved, by school."""

    version: int
    moved_s: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Bells:
    """What is asked and known of a search that moves bells; `trials` are its front, the fewest coaches first."""

    most_s: int
    fixed: tuple[str, ...]  # schools whose bells stay
    trials: tuple[KeptTrial, ...] = ()
    n_tried: int = 0
    n_trials: int | None = None  # None: not known yet
    fewest: int | None = None  # coaches of a morning: no bells do with fewer for the runs that were found
    is_proved: bool | None = None  # and bells that do with them were found


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it is told."""

    study_id: str
    number: int
    state: SearchState
    base: int
    version: int | None
    budget_s: int
    seed: int
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    is_to_stop: bool
    period: str
    n_vehicles: int | None
    n_unserved: int | None
    bound: int | None
    spent_s: int
    bells: Bells | None = None


def add_search(
    session: Session,
    study_id: str,
    base: int,
    budget_s: int,
    seed: int,
    by: str,
    now: datetime,
    ends_at: datetime,
    bells: Bells | None = None,
) -> Search:
    """Keep a search that has not begun; one that moves bells when these are given.

    Raises:
        Conflict: `search_under_way`: another one of the study has not ended.
    """
    rows = session.exec(select(SearchRow).where(SearchRow.study_id == study_id)).all()
    if any(SearchState(row.state) not in ENDED for row in rows):
        raise Conflict("search_under_way", study=study_id)
    row = SearchRow(
        study_id=study_id,
        number=len(rows) + 1,
        state=str(SearchState.WAITING),
        base=base,
        budget_s=budget_s,
        seed=seed,
        asked_by=by,
        asked_at=now,
        most_s=None if bells is None else bells.most_s,
        fixed=None if bells is None else list(bells.fixed),
        year_ends_at=ends_at,
    )
    session.add(row)
    session.flush()
    return _search(row)


def get_search(session: Session, study_id: str, number: int) -> Search:
    """A search of a study.

    Raises:
        NotFound: `unknown_search`.
    """
    return _search(_row(session, study_id, number))


def list_searches(session: Session, study_id: str, most: int = 10) -> list[Search]:
    """The last searches of a study, the newest first."""
    rows = select(SearchRow).where(SearchRow.study_id == study_id).order_by(col(SearchRow.number).desc())
    return [_search(row) for row in session.exec(rows.limit(most))]


def begin_search(session: Session, study_id: str, number: int) -> bool:
    """Have a waiting search run; False when it began before, or was stopped."""
    waiting = (col(SearchRow.study_id) == study_id, col(SearchRow.number) == number)
    begun = update(SearchRow).where(*waiting, col(SearchRow.state) == SearchState.WAITING)
    return change(session, begun.values(state=str(SearchState.RUNNING))) == 1


def note_search(session: Session, study_id: str, number: int, **told: Any) -> bool:
    """Write down how far it is; whether it is to stop."""
    row = _row(session, study_id, number)
    for name, value in told.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row.is_to_stop


def note_trials(session: Session, study_id: str, number: int, trials: Sequence[KeptTrial], n_tried: int) -> None:
    """Write down the front of a search that moves bells."""
    told = [{"version": one.version, "moved_s": dict(one.moved_s)} for one in trials]
    note_search(session, study_id, number, trials=told, n_tried=n_tried)


def end_search(session: Session, study_id: str, number: int, state: SearchState, now: datetime) -> None:
    """Note that a search is over."""
    row = _row(session, study_id, number)
    row.state, row.ended_at = str(state), now
    session.add(row)
    session.flush()


def ask_to_stop(session: Session, study_id: str, number: int, now: datetime) -> None:
    """Have a search stop at the next look; one that waits is over at once.

    Raises:
        NotFound: `unknown_search`.
        Conflict: `search_over`.
    """
    row = _row(session, study_id, number)
    if SearchState(row.state) in ENDED:
        raise Conflict("search_over", study=study_id, number=number)
    row.is_to_stop = True
    if row.state == SearchState.WAITING:
        row.state, row.ended_at = str(SearchState.STOPPED), now
    session.add(row)
    session.flush()


def is_being_written(session: Session, study_id: str, version: int) -> bool:
    """Whether a search that has not ended writes this version."""
    rows = select(SearchRow.state).where(SearchRow.study_id == study_id, SearchRow.version == version)
    return any(SearchState(state) not in ENDED for state in session.exec(rows))


def _row(session: Session, study_id: str, number: int) -> SearchRow:
    row = session.get(SearchRow, (study_id, number))
    if row is None:
        raise NotFound("unknown_search", study=study_id, number=number)
    return row


def _search(row: SearchRow) -> Search:
    return Search(
        row.study_id,
        row.number,
        SearchState(row.state),
        row.base,
        row.version,
        row.budget_s,
        row.seed,
        row.asked_by,
        row.asked_at,
        row.ended_at,
        row.is_to_stop,
        row.period,
        row.n_vehicles,
        row.n_unserved,
        row.bound,
        row.spent_s,
        _bells(row),
    )


def _bells(row: SearchRow) -> Bells | None:
    if row.most_s is None:
        return None
    trials = tuple(KeptTrial(one["version"], one["moved_s"]) for one in row.trials or ())
    return Bells(row.most_s, tuple(row.fixed or ()), trials, row.n_tried, row.n_trials, row.fewest, row.is_proved)


def _asked(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = select(SearchRow).where(SearchRow.asked_by == whose.name).order_by(col(SearchRow.asked_at))
    for row in session.exec(rows):
        yield {"at": row.asked_at, "study_id": row.study_id, "state": row.state}


HOLDINGS: Sequence[Holding] = (Holding("school_search", ("asked_by",), _asked),)
