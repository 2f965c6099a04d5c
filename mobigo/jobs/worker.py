"""Worker: takes jobs that are due, one at a time, until it is told to stop.

While a handler works, a thread beside it renews the lease. A worker that is killed renews
nothing, and its job is taken over when the lease ends; one that only looked dead finds at the
end that the job is no longer its own, and what it did is rolled back. Told to stop, it finishes
the job under way; `hurry` makes it give the job back.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from sqlalchemy import Engine

from mobigo.jobs.schedules import Often, Schedule, next_time
from mobigo.logs import current_id, without_rows
from mobigo.metrics import tries
from mobigo.services import jobs
from mobigo.services.jobs import Handler, Planned
from mobigo.store.jobs import Claim, Lease
from mobigo.texts import all_texts, error_sentence
from socle.errors import BadInput, Conflict, MobigoError, Unavailable

log = logging.getLogger(__name__)


class Hurry(BaseException):
    """There is no time to finish the job under way."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a worker holds a job unrenewed, looks for the next, and how often it tries one."""

    lease_s: float = 60.0
    look_every_s: float = 1.0
    longest_pause_s: float = 30.0  # between two looks at a database that does not answer
    max_tries: int = 8


class Worker:
    """One worker. `clock` tells the present instant; `name` is shown with each try."""

    def __init__(
        self,
        engine: Engine,
        handlers: Mapping[str, Handler],
        schedules: Sequence[Schedule | Often],
        clock: Callable[[], datetime],
        name: str,
        pace: Pace = Pace(),
    ) -> None:
        self._engine = engine
        self._handlers = handlers
        self._schedules = schedules
        self._clock = clock
        self._name = name
        self._pace = pace
        self._is_stopped = False
        self._woken: SimpleQueue[None] = SimpleQueue()  # unlike an event, it may be put to while it is waited for
        self._planned: frozenset[str] = frozenset()

    def stop(self) -> None:
        """Take no more jobs. A signal's handler may call it, whatever it interrupts."""
        self._is_stopped = True
        self._woken.put(None)

    def run(self) -> None:
        """Do what is due, look again, until told to stop. A database that is away is waited for."""
        log.info("the worker looks for jobs", extra={"worker": self._name})
        pause_s = self._pace.look_every_s
        while not self._is_stopped:
            try:
                self.run_due()
            except Unavailable:  # the store has it in the log
                pause_s = min(2 * pause_s, self._pace.longest_pause_s)
            else:
                pause_s = self._pace.look_every_s
            with suppress(Empty):
                self._woken.get(timeout=pause_s)
        log.info("the worker stops", extra={"worker": self._name})

    def run_due(self) -> int:
        """Do everything that is due now and return how many jobs were taken.

        Raises:
            Unavailable: the database does not answer.
        """
        self._plan()
        n_taken = 0
        while not self._is_stopped:
            now = self._clock()
            lease = Lease(self._name, self._end_of_lease(now), self._pace.max_tries)
            claim = jobs.take(self._engine, self._handlers.keys(), lease, uuid.uuid4().hex, now)
            if claim is None:
                break
            self._do(claim)
            n_taken += 1
        return n_taken

    def _plan(self) -> None:
        now = self._clock()
        wanted: list[Planned] = [next_time(schedule, now) for schedule in self._schedules]
        keys = frozenset(each.key for each in wanted)
        if keys != self._planned:
            jobs.plan(self._engine, wanted, now)
            self._planned = keys

    def _do(self, claim: Claim) -> None:
        facts = {"job": claim.key, "kind": claim.kind, "try": claim.number}
        current_id.set(f"job:{claim.job_id}")
        try:
            with self._holding(claim):
                effects = self._handlers[claim.kind](claim)
            jobs.complete(self._engine, claim, effects, self._clock())
        except Hurry:
            jobs.give_back(self._engine, claim, self._clock())
            raise
        except Exception as fault:
            if isinstance(fault, Conflict) and fault.code == "job_taken_over":
                tries.labels(claim.kind, "lost").inc()
                log.warning("a job was taken over while it was done: its effects are undone", extra=facts)
                return
            # What is malformed stays so: trying again would only tell it again.
            max_tries = 1 if isinstance(fault, BadInput) else self._pace.max_tries
            tries.labels(claim.kind, "failed").inc()
            log.exception("a job failed", extra=facts)
            jobs.set_back(self._engine, claim, _told(fault), max_tries, self._clock(), _least_s(fault))
        else:
            tries.labels(claim.kind, "done").inc()
            log.info("a job is done", extra=facts)
        finally:
            current_id.set("")

    def _end_of_lease(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._pace.lease_s)

    @contextmanager
    def _holding(self, claim: Claim) -> Iterator[None]:
        """Renew the lease three times in its length while the block runs."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(self._pace.lease_s / 3):
                try:
                    if not jobs.hold(self._engine, claim, self._end_of_lease(self._clock())):
                        return
                except Unavailable:
                    continue  # the lease may last until it is back; if not, the end will tell

        thread = threading.Thread(target=renew, name="job-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _least_s(fault: Exception) -> float:
    """How long whoever did not answer is to be left alone, when the fault says so."""
    told = fault.facts.get("wait_s") if isinstance(fault, Unavailable) else None
    return float(told) if isinstance(told, int | float) else 0.0


def _told(fault: Exception) -> str:
    """What went wrong, for an administrator; the trace is in the log."""
    if isinstance(fault, MobigoError) and f"errors.{fault.code}" in all_texts():
        return error_sentence(fault)
    return without_rows(f"{type(fault).__name__}: {fault}")
