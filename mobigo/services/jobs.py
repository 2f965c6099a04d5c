"""Jobs: taking what is due, ending it in one transaction with its effects, planning what comes back every day.

A handler works outside any transaction, for as long as it needs, and returns its effects:
what is to be written. They are committed together with the completion of the job, so they
happen once even when a worker was thought dead and another did the same work. What a handler
does to the outside world (a mail, a payment file) carries the job's key instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from mobigo.store import jobs
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.jobs import Claim, Effects, Lease
from mobigo.store.jobs import Job as Job  # doors name them
from mobigo.store.jobs import JobState as JobState
from mobigo.store.jobs import Outcome as Outcome
from mobigo.store.jobs import Try as Try

FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 3600.0
TOLD_LETTERS = 2000  # of what went wrong
PAGE = 50  # jobs shown at once

Handler = Callable[[Claim], Effects]


@dataclass(frozen=True, slots=True)
class Planned:
    """The next time of something that comes back: `name` is the schedule's, `key` this one time's."""

    name: str
    kind: str
    payload: Mapping[str, object]
    due: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Overview:
    """How many jobs stand in each state, and a page of them; `has_more`: others follow."""

    counts: Mapping[JobState, int]
    jobs: tuple[Job, ...]
    has_more: bool


def no_effects(_session: object) -> None:
    """The effects of a job that writes nothing."""


def pause_s(key: str, n_tries: int) -> float:
    """Seconds to wait after the `n_tries`-th failure: doubled each time, from half to one and a half of that.

    Which part of it depends on the key alone: jobs that failed together do not come back together,
    and the same job waits as long wherever it is tried.
    """
    digest = hashlib.sha256(f"{key}:{n_tries}".encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32
    return min(FIRST_PAUSE_S * 2.0 ** (n_tries - 1), LONGEST_PAUSE_S) * (0.5 + share)


def take(engine: Engine, kinds: Collection[str], lease: Lease, token: str, now: datetime) -> Claim | None:
    """The job that is due, in the caller's hands until the end of the lease; None when there is none.

    Raises:
        Unavailable: the database does not answer.
    """
    with reading(engine) as session:  # idle workers never take the turn of those who write
        if not jobs.is_any_due(session, kinds, now):
            return None
    with transaction(engine) as session:
        return jobs.claim_next(session, kinds, lease, token, now)


def hold(engine: Engine, claim: Claim, until: datetime) -> bool:
    """Keep a job until then; False when it was taken over."""
    with transaction(engine) as session:
        return jobs.renew(session, claim, until)


def complete(engine: Engine, claim: Claim, effects: Effects, now: datetime) -> None:
    """Commit the effects and the end of a job, both or none.

    Raises:
        Conflict: `job_taken_over`; nothing is written.
    """
    with transaction(engine) as session:
        jobs.finish(session, claim, now)
        effects(session)


def set_back(engine: Engine, claim: Claim, why: str, max_tries: int, now: datetime, least_s: float = 0.0) -> None:
    """Have a job that failed tried again after a pause of at least `least_s`, or bury it after its last try."""
    is_last = claim.n_tries >= max_tries
    again_at = None if is_last else now + timedelta(seconds=max(least_s, pause_s(claim.key, claim.n_tries)))
    with transaction(engine) as session:
        jobs.fail(session, claim, why[:TOLD_LETTERS], again_at, now)  # unless it is in the hands of another


def give_back(engine: Engine, claim: Claim, now: datetime) -> None:
    """Let go of a job that there is no time to finish."""
    with transaction(engine) as session:
        jobs.give_back(session, claim, now)


def plan(engine: Engine, planned: Iterable[Planned], now: datetime) -> None:
    """Have the next time of each schedule in the queue, and no other future time of it."""
    with transaction(engine) as session:
        for each in planned:
            jobs.withdraw(session, f"schedule:{each.name}:", each.key, now)
            jobs.enqueue(session, each.kind, each.payload, each.due, each.key)


def overview(engine: Engine, states: Collection[JobState], page: int = 1, n_jobs: int = PAGE) -> Overview:
    """The counts of all jobs, and one page of `n_jobs` of those in `states` (none named: all)."""
    with reading(engine) as session:
        found = jobs.list_jobs(session, states or list(JobState), n_jobs + 1, (page - 1) * n_jobs)
        return Overview(jobs.count_jobs(session), tuple(found[:n_jobs]), len(found) > n_jobs)


def retry(engine: Engine, job_id: int, actor: str, now: datetime) -> None:
    """Have a dead job tried again; the audit log says who wished it.

    Raises:
        NotFound: `unknown_job`.
        Conflict: `job_not_dead`.
    """
    with transaction(engine) as session:
        jobs.wake(session, job_id, now)
        kind = jobs.get_job(session, job_id).kind
        record(session, AuditLine(now, actor, "jobs.retried", facts={"job_id": job_id, "kind": kind}))
