"""The work that comes back every day, done by a real worker."""

from datetime import UTC, datetime, timedelta

from mobigo.jobs.handlers import SCHEDULES, Means, make_handlers
from mobigo.jobs.worker import Worker
from mobigo.security import Keys
from mobigo.services.jobs import overview
from mobigo.services.ledger.proving import read_heads
from mobigo.services.retention import report
from mobigo.store.base import transaction
from mobigo.store.jobs import JobState, Lease, claim_next, enqueue, finish

KEYS = Keys.of("x" * 32)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


def job_done(engine, at):
    with transaction(engine) as session:
        enqueue(session, "mail", {}, at, f"mail:{at}")
        finish(session, claim_next(session, ["mail"], Lease("w", at + timedelta(hours=1), 3), "t", at), at)


def test_every_night_what_is_too_old_goes(engine):
    clock = Clock()
    worker = Worker(engine, make_handlers(Means(engine, KEYS, clock)), SCHEDULES, clock, "w")
    job_done(engine, NOON - timedelta(days=89))
    for _day in range(3):
        worker.run_due()
        clock.now += timedelta(days=1)
    told = report(engine, clock.now)
    assert told.n_older == 0
    assert told.applied_at == NOON + timedelta(days=2)
    assert "mail" not in {job.kind for job in overview(engine, [JobState.DONE]).jobs}


def test_a_worker_away_for_too_long_asks_before_it_takes_anything_away(engine):
    clock = Clock()
    worker = Worker(engine, make_handlers(Means(engine, KEYS, clock)), SCHEDULES, clock, "w")
    worker.run_due()
    clock.now += timedelta(days=1)
    worker.run_due()
    job_done(engine, clock.now)
    clock.now += timedelta(days=200)
    worker.run_due()
    assert report(engine, clock.now).n_older > 0
    (failed,) = [job for job in overview(engine, [JobState.WAITING]).jobs if job.tries]
    assert "--after-pause" in failed.tries[-1].why


def test_every_night_the_day_before_is_sealed(engine):
    clock = Clock()
    clock.now = datetime(2026, 11, 21, 23, tzinfo=UTC)  # midnight in Paris
    worker = Worker(engine, make_handlers(Means(engine, KEYS, clock)), SCHEDULES, clock, "w")
    for _day in range(3):
        worker.run_due()
        clock.now += timedelta(days=1)
    assert [head.day.isoformat() for head in read_heads(engine)] == ["2026-11-23", "2026-11-22"]
