"""Job rows: work put off, who does it, what became of each try.

A job is enqueued in the same transaction as what makes it necessary. It is then
`waiting` until its hour, `running` while a worker holds a lease on it, and ends as
`done`, or as `dead` after its last try; somebody may wake a dead one. One column,
`next_at`, says when anybody has to look at it again: its hour while it waits, the end
of the lease while it runs. A worker that dies renews no lease, so another takes over.

Effects happen once: each claim has a token, and `finish` refuses one that is no longer
the job's. It is called in the transaction of the effects, so they are undone with it.

A payload names people by pseudonym and things by id: it is shown to administrators.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, ColumnElement, Index, Text, cast, delete, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from socle.errors import Conflict, NotFound


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Outcome(StrEnum):
    """What became of one try; `lost`: the worker fell silent."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"


Effects = Callable[[Session], object]
"""What is written together with the completion of a job."""

_OPEN = (JobState.WAITING, JobState.RUNNING)


class JobRow(SQLModel, table=True):
    """One piece of work, once for each key."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_open", "state", "next_at"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    payload: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    due: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    state: str = JobState.WAITING
    next_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    n_tries: int = 0
    n_tries_forgiven: int = 0  # those before it was last woken
    token: str = ""
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class TryRow(SQLModel, table=True):
    """One try of a job."""

    __tablename__ = "job_try"

    job_id: int = Field(foreign_key="job.id", primary_key=True)
    number: int = Field(primary_key=True)
    worker: str
    began_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    outcome: str = Outcome.RUNNING
    why: str = Field(default="", sa_column=Column(Text, nullable=False))


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a job; `why` tells what went wrong."""

    number: int
    worker: str
    began_at: datetime
    ended_at: datetime | None
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `due` is the hour first asked for, `next_at` when it is looked at again."""

    job_id: int
    key: str
    kind: str
    payload: Mapping[str, object]
    due: datetime
    state: JobState
    next_at: datetime
    ended_at: datetime | None
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in a worker's hands until `until`, unless it is renewed.

    `number` is that of this try, `n_tries` how many there were, with this one, since the job was last woken.
    """

    job_id: int
    key: str
    kind: str
    payload: Mapping[str, object]
    due: datetime
    number: int
    n_tries: int
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """On what terms a worker takes jobs: its name, until when it holds one, how often one is tried."""

    worker: str
    until: datetime
    max_tries: int


def enqueue(session: Session, kind: str, payload: Mapping[str, object], due: datetime, key: str) -> bool:
    """Have `kind` done with `payload` once `due` has come; whether it is new.

    It becomes true with the caller's transaction. The same work under the same key is there once,
    whatever became of it and whenever it is due.

    Raises:
        Conflict: `job_key_taken` by other work.
    """
    values = {"key": key, "kind": kind, "payload": dict(payload), "due": due, "next_at": due, "state": JobState.WAITING}
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = insert(JobRow).values(**values, n_tries=0, n_tries_forgiven=0, token="")
    added = row.on_conflict_do_nothing(index_elements=["key"]).returning(col(JobRow.id))
    if connection.execute(added).first() is not None:
        return True
    there = session.exec(select(JobRow.kind, JobRow.payload).where(JobRow.key == key)).one()
    if (there[0], there[1]) != (kind, dict(payload)):
        raise Conflict("job_key_taken", key=key)
    return False


def is_any_due(session: Session, kinds: Collection[str], now: datetime) -> bool:
    """Whether `claim_next` would find something."""
    due = select(JobRow.id).where(*_due(kinds, now)).limit(1)
    return session.exec(due).first() is not None


def _due(kinds: Collection[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(JobRow.state).in_(_OPEN), col(JobRow.next_at) <= now, col(JobRow.kind).in_(kinds)


def claim_next(session: Session, kinds: Collection[str], lease: Lease, token: str, now: datetime) -> Claim | None:
    """Take the job of one of `kinds` that has waited longest, or None when none is due.

    On PostgreSQL workers step over the rows that another is taking; on SQLite one takes at a time. A job
    whose worker fell silent is taken over, and buried when that was its last try.
    """
    while True:
        row = session.exec(
            select(JobRow)
            .where(*_due(kinds, now))
            .order_by(col(JobRow.next_at), col(JobRow.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        job_id = _id(row)
        if row.state == JobState.RUNNING:
            _end_try(session, job_id, row.n_tries, Outcome.LOST, "", now)
            if row.n_tries - row.n_tries_forgiven >= lease.max_tries:
                row.state, row.token, row.ended_at = JobState.DEAD, "", now
                session.flush()
                continue
        row.state, row.token, row.next_at = JobState.RUNNING, token, lease.until
        row.n_tries += 1
        session.add(TryRow(job_id=job_id, number=row.n_tries, worker=lease.worker, began_at=now))
        session.flush()
        since_woken = row.n_tries - row.n_tries_forgiven
        return Claim(
            job_id, row.key, row.kind, dict(row.payload), row.due, row.n_tries, since_woken, token, lease.until
        )


def renew(session: Session, claim: Claim, until: datetime) -> bool:
    """Hold a job until `until`; False when it is no longer this worker's."""
    return _change_held(session, claim, next_at=until)


def finish(session: Session, claim: Claim, now: datetime) -> None:
    """The job is done. To be called first in the transaction of its effects, which it makes happen once.

    Raises:
        Conflict: `job_taken_over` by another worker: the transaction must not be committed.
    """
    if not _change_held(session, claim, state=JobState.DONE, token="", ended_at=now):
        raise Conflict("job_taken_over", key=claim.key)
    _end_try(session, claim.job_id, claim.number, Outcome.DONE, "", now)


def fail(session: Session, claim: Claim, why: str, again_at: datetime | None, now: datetime) -> bool:
    """Tell that a try went wrong; the job waits until `again_at`, or is dead.

    False when it was taken over meanwhile.
    """
    end: dict[str, object] = (
        {"state": JobState.DEAD, "ended_at": now}
        if again_at is None
        else {"state": JobState.WAITING, "next_at": again_at}
    )
    if not _change_held(session, claim, token="", **end):
        return False
    _end_try(session, claim.job_id, claim.number, Outcome.FAILED, why, now)
    return True


def give_back(session: Session, claim: Claim, now: datetime) -> bool:
    """A worker that is told to stop lets go of a job: it may be taken at once, and the try does not count."""
    held = _change_held(session, claim, state=JobState.WAITING, token="", next_at=now, n_tries=claim.number - 1)
    if held:
        session.connection().execute(
            delete(TryRow).where(col(TryRow.job_id) == claim.job_id, col(TryRow.number) == claim.number)
        )
    return held


def wake(session: Session, job_id: int, now: datetime) -> None:
    """Have a dead job tried again from now on, with its tries counted anew.

    Raises:
        NotFound: `unknown_job`.
        Conflict: `job_not_dead`.
    """
    row = session.get(JobRow, job_id, with_for_update=True)
    if row is None:
        raise NotFound("unknown_job", job_id=job_id)
    if row.state != JobState.DEAD:
        raise Conflict("job_not_dead", job_id=job_id, state=row.state)
    row.state, row.next_at, row.ended_at = JobState.WAITING, now, None
    row.n_tries_forgiven = row.n_tries


def withdraw(session: Session, key_prefix: str, kept: str, after: datetime) -> None:
    """Remove the jobs not yet begun and due after an instant whose keys begin so, but for the key `kept`."""
    session.connection().execute(
        delete(JobRow).where(
            col(JobRow.key).startswith(key_prefix, autoescape=True),
            col(JobRow.key) != kept,
            col(JobRow.due) > after,
            col(JobRow.state) == JobState.WAITING,
            col(JobRow.n_tries) == 0,
        )
    )


def list_jobs(session: Session, states: Collection[JobState], limit: int, offset: int = 0) -> list[Job]:
    """Jobs in these states with their tries: what waits by its hour, what ended by its end, else the newest first."""
    newest = col(JobRow.id).desc()
    wanted = select(JobRow).where(col(JobRow.state).in_(states)).limit(limit).offset(offset)
    if set(states) == {JobState.WAITING}:
        wanted = wanted.order_by(col(JobRow.next_at), newest)
    elif set(states) <= {JobState.DONE, JobState.DEAD}:
        wanted = wanted.order_by(col(JobRow.ended_at).desc(), newest)
    else:
        wanted = wanted.order_by(newest)
    return _with_tries(session, session.exec(wanted).all())


def get_job(session: Session, job_id: int) -> Job:
    """One job with its tries.

    Raises:
        NotFound: `unknown_job`.
    """
    row = session.get(JobRow, job_id)
    if row is None:
        raise NotFound("unknown_job", job_id=job_id)
    return _with_tries(session, [row])[0]


def count_jobs(session: Session) -> dict[JobState, int]:
    """How many jobs stand in each state."""
    counted = dict(session.exec(select(JobRow.state, func.count()).group_by(JobRow.state)).all())
    return {state: counted.get(state, 0) for state in JobState}


def _with_tries(session: Session, rows: Sequence[JobRow]) -> list[Job]:
    tries: dict[int, list[Try]] = {}
    of_these = select(TryRow).where(col(TryRow.job_id).in_([row.id for row in rows])).order_by(col(TryRow.number))
    for one in session.exec(of_these):
        told = Try(one.number, one.worker, one.began_at, one.ended_at, Outcome(one.outcome), one.why)
        tries.setdefault(one.job_id, []).append(told)
    return [
        Job(
            job_id=_id(row),
            key=row.key,
            kind=row.kind,
            payload=dict(row.payload),
            due=row.due,
            state=JobState(row.state),
            next_at=row.next_at,
            ended_at=row.ended_at,
            tries=tuple(tries.get(_id(row), ())),
        )
        for row in rows
    ]


def _id(row: JobRow) -> int:
    if row.id is None:
        raise ValueError("a row that was never stored")
    return row.id


def _change_held(session: Session, claim: Claim, **values: object) -> bool:
    """Change a job if it still is in the hands of this claim; whether it was."""
    held = (col(JobRow.id) == claim.job_id, col(JobRow.state) == JobState.RUNNING, col(JobRow.token) == claim.token)
    return session.connection().execute(update(JobRow).where(*held).values(**values)).rowcount == 1


def _end_try(session: Session, job_id: int, number: int, outcome: Outcome, why: str, now: datetime) -> None:
    of_this = (col(TryRow.job_id) == job_id, col(TryRow.number) == number)
    session.connection().execute(update(TryRow).where(*of_this).values(outcome=outcome, why=why, ended_at=now))


def _export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    """The work whose payload names the person."""
    payload = cast(col(JobRow.payload), Text)
    names = or_(*(payload.contains(f'"{name}"', autoescape=True) for name in (whose.pseudonym, whose.person_id)))
    for row in session.exec(select(JobRow).where(names).order_by(col(JobRow.id))):
        yield {"at": row.due, "kind": row.kind, "state": row.state}


# Erasing a person leaves the work there: it names them by pseudonym, and finds nobody to do it for.
HOLDING = Holding("job", ("payload",), _export)
