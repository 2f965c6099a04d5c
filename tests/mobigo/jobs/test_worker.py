import itertools
import logging
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from mobigo.jobs.worker import Hurry, Pace, Worker
from mobigo.services.jobs import FIRST_PAUSE_S, LONGEST_PAUSE_S, complete, no_effects, overview, pause_s, retry
from mobigo.store.base import open_engine, reading, transaction
from mobigo.store.jobs import JobState, Lease, Outcome, claim_next, enqueue
from mobigo.store.network import SourceVersion, list_source_versions, record_source_version
from socle.errors import BadInput, Unavailable

NOON = datetime(2025, 11, 21, 12, tzinfo=UTC)  # the past: some workers here are processes with a clock of their own


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def put(engine, key, kind="ring"):
    with transaction(engine) as session:
        enqueue(session, kind, {}, NOON, key)


def rung(engine):
    with reading(engine) as session:
        return [version.sha256 for version in list_source_versions(session, "bell")]


def ring(claim):
    version = SourceVersion("bell", claim.key, 1, NOON, "accepted")
    return lambda session: record_source_version(session, version, [])


def test_what_is_due_is_done_and_told(engine, clock):
    for key in ("a", "b"):
        put(engine, key)
    assert Worker(engine, {"ring": ring}, [], clock, "anna").run_due() == 2
    assert sorted(rung(engine)) == ["a", "b"]
    found = overview(engine, [])
    assert found.counts[JobState.DONE] == 2
    assert [(one.worker, one.outcome) for job in found.jobs for one in job.tries] == [("anna", Outcome.DONE)] * 2


def test_a_job_that_fails_is_tried_later_and_later_then_given_up_then_woken(engine, clock, caplog):
    put(engine, "a")

    def fall(_claim):
        raise RuntimeError("no rope")

    worker = Worker(engine, {"ring": fall}, [], clock, "anna", Pace(max_tries=3))
    tried = []
    for _ in range(60):
        if worker.run_due():
            tried.append(clock.now)
        clock.now += timedelta(seconds=1)
    pauses = [(b - a).total_seconds() for a, b in itertools.pairwise(tried)]
    assert [5 <= pauses[0] <= 16, 10 <= pauses[1] <= 31] == [True, True]
    (job,) = overview(engine, [JobState.DEAD]).jobs
    assert [one.why for one in job.tries] == ["RuntimeError: no rope"] * 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3
    retry(engine, job.job_id, "system:test", clock.now)
    assert Worker(engine, {"ring": ring}, [], clock, "berthe").run_due() == 1
    assert rung(engine) == ["a"]


def test_what_is_malformed_is_given_up_at_once_and_told_in_words(engine, clock):
    put(engine, "a")

    def refuse(_claim):
        raise BadInput("bad_source_id", source_id="é")

    Worker(engine, {"ring": refuse}, [], clock, "anna").run_due()
    (job,) = overview(engine, [JobState.DEAD]).jobs
    assert "é" in job.tries[0].why
    assert "bad_source_id" not in job.tries[0].why


def test_a_failure_of_the_effects_undoes_them_all(engine, clock):
    put(engine, "a")

    def ring_and_fall(claim):
        def effects(session):
            ring(claim)(session)
            session.connection().execute(text("SELECT nothing_of_that_name"))

        return effects

    Worker(engine, {"ring": ring_and_fall}, [], clock, "anna").run_due()
    assert rung(engine) == []
    assert overview(engine, []).counts[JobState.WAITING] == 1


def test_pauses_grow_to_a_bound_and_jobs_that_failed_together_come_back_apart():
    for n_tries in range(1, 20):
        middle = min(FIRST_PAUSE_S * 2 ** (n_tries - 1), LONGEST_PAUSE_S)
        pauses = [pause_s(f"k{number}", n_tries) for number in range(200)]
        assert middle / 2 <= min(pauses) < 0.6 * middle
        assert 1.4 * middle < max(pauses) <= 1.5 * middle
        assert len(set(pauses)) == 200
        assert pauses[7] == pause_s("k7", n_tries)


def test_a_worker_thought_dead_finds_its_work_undone(engine, clock, caplog):
    put(engine, "a")

    def slow(claim):
        with transaction(engine) as session:  # while this one works, its lease ends and another does the job
            clock.now += timedelta(minutes=5)
            other = claim_next(session, ["ring"], Lease("berthe", clock.now, 3), "t2", clock.now)
        complete(engine, other, lambda session: ring(other)(session), clock.now)
        return ring(claim)

    Worker(engine, {"ring": slow}, [], clock, "anna").run_due()
    assert rung(engine) == ["a"]
    assert "taken over" in caplog.text
    (job,) = overview(engine, []).jobs
    assert [(one.worker, one.outcome) for one in job.tries] == [("anna", Outcome.LOST), ("berthe", Outcome.DONE)]


def test_a_lease_is_renewed_while_the_work_goes_on(engine, clock):
    put(engine, "a")
    seen = []

    def long(_claim):
        before = overview(engine, []).jobs[0].next_at
        clock.now += timedelta(seconds=30)
        while overview(engine, []).jobs[0].next_at == before:
            threading.Event().wait(0.01)
        seen.append(overview(engine, []).jobs[0].next_at - before)
        return no_effects

    Worker(engine, {"ring": long}, [], clock, "anna", Pace(lease_s=0.2)).run_due()
    assert seen == [timedelta(seconds=30)]


def test_a_worker_in_a_hurry_gives_its_job_back(engine, clock):
    put(engine, "a")

    def interrupted(_claim):
        raise Hurry

    with pytest.raises(Hurry):
        Worker(engine, {"ring": interrupted}, [], clock, "anna").run_due()
    (job,) = overview(engine, []).jobs
    assert (job.state, job.tries) == (JobState.WAITING, ())


def test_a_worker_told_to_stop_ends_the_job_under_way_and_takes_no_other(engine, clock):
    for key in ("a", "b"):
        put(engine, key)
    worker = Worker(engine, {"ring": lambda claim: worker.stop() or ring(claim)}, [], clock, "anna")
    worker.run()
    assert len(rung(engine)) == 1
    assert overview(engine, []).counts[JobState.WAITING] == 1


def test_a_database_that_is_away_is_told_once_and_waited_for(tmp_path, clock, caplog):
    engine = open_engine(f"sqlite:///{tmp_path / 'gone' / 'mobigo.sqlite3'}")
    (tmp_path / "gone").rmdir()
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 4:
            worker.stop()
        return NOON

    worker = Worker(engine, {"ring": ring}, [], look, "anna", Pace(look_every_s=0.001, longest_pause_s=0.002))
    worker.run()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    with pytest.raises(Unavailable):
        worker_that_runs = Worker(engine, {"ring": ring}, [], clock, "anna")
        worker_that_runs.run_due()


WORKER = """
import sys, time
from datetime import UTC, datetime
from mobigo.jobs.worker import Pace, Worker
from mobigo.store.base import open_engine
from mobigo.store.network import SourceVersion, record_source_version

def ring(claim):
    print("began", flush=True)
    if sys.argv[2] == "stuck":
        time.sleep(600)  # until it is killed
    version = SourceVersion("bell", f"{claim.key} by {sys.argv[2]}", 1, datetime.now(UTC), "accepted")
    def effects(session):
        record_source_version(session, version, [])
        session.flush()
        print("half", flush=True)
        time.sleep(600)  # killed between the effects and their commit
    return effects

engine = open_engine(sys.argv[1])
Worker(engine, {"ring": ring}, [], lambda: datetime.now(UTC), sys.argv[2], Pace(1.0, 0.02)).run_due()
"""


@pytest.mark.parametrize("moment", ["stuck", "half"])
def test_the_job_of_a_worker_killed_in_its_middle_is_done_by_another_once(engine, database_address, moment):
    put(engine, "a")
    command = [sys.executable, "-c", WORKER, database_address, moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        told = [first.stdout.readline() for _ in range(2 if moment == "half" else 1)]
        first.kill()
    assert told == [b"began\n", b"half\n"][: len(told)]
    second = Worker(engine, {"ring": ring}, [], lambda: datetime.now(UTC), "second", Pace(1.0, 0.02))
    ends_at = time.monotonic() + 20
    while not second.run_due():
        assert time.monotonic() < ends_at
        time.sleep(0.02)
    assert rung(engine) == ["a"]
    (job,) = overview(engine, []).jobs
    assert [(one.worker, one.outcome) for one in job.tries] == [(moment, Outcome.LOST), ("second", Outcome.DONE)]
