import threading
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.store.base import transaction
from mobigo.store.jobs import (
    JobState,
    Lease,
    Outcome,
    claim_next,
    count_jobs,
    enqueue,
    fail,
    finish,
    get_job,
    give_back,
    list_jobs,
    renew,
    wake,
    withdraw,
)
from mobigo.store.network import SourceVersion, list_source_versions, record_source_version
from socle.errors import Conflict, NotFound

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def put(engine, key, due=NOON, kind="ring", payload=None):
    with transaction(engine) as session:
        return enqueue(session, kind, payload or {}, due, key)


def take(engine, now=NOON, token="t1", worker="anna", kinds=("ring",), max_tries=3):
    with transaction(engine) as session:
        return claim_next(session, kinds, Lease(worker, now + MINUTE, max_tries), token, now)


def look(engine, job_id):
    with transaction(engine) as session:
        return get_job(session, job_id)


def test_a_job_exists_if_and_only_if_what_makes_it_necessary_does(engine):
    def record_and_fall():
        with transaction(engine) as session:
            record_source_version(session, SourceVersion("ter", "aa", 1, NOON, "accepted"), [])
            enqueue(session, "ring", {}, NOON, "k")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fall()
    assert take(engine) is None


def test_the_same_key_is_the_same_job_for_ever_and_other_work_under_it_is_refused(engine):
    assert put(engine, "k", payload={"n": 1}) is True
    assert put(engine, "k", NOON + MINUTE, payload={"n": 1}) is False
    with pytest.raises(Conflict, match="job_key_taken"):
        put(engine, "k", payload={"n": 2})
    claim = take(engine)
    with transaction(engine) as session:
        finish(session, claim, NOON)
    assert put(engine, "k", payload={"n": 1}) is False
    assert take(engine) is None


def test_jobs_are_taken_by_their_hour_and_not_before_it_and_only_of_known_kinds(engine):
    put(engine, "late", NOON + MINUTE)
    put(engine, "early", NOON - MINUTE, payload={"to": "bell"})
    put(engine, "strange", NOON - MINUTE, kind="sing")
    claim = take(engine)
    assert (claim.key, claim.kind, claim.payload, claim.due, claim.n_tries) == (
        "early",
        "ring",
        {"to": "bell"},
        NOON - MINUTE,
        1,
    )
    assert take(engine) is None
    assert take(engine, NOON + MINUTE / 2) is None
    assert take(engine, NOON + MINUTE, kinds=("sing",)).key == "strange"


def test_effects_and_completion_are_one_and_a_worker_that_was_thought_dead_undoes_its_own(engine):
    put(engine, "k")
    slow = take(engine)
    after = slow.until + MINUTE
    quick = take(engine, after, "t2", "berthe")
    assert (quick.key, quick.number, quick.n_tries) == ("k", 2, 2)

    def end(claim, sha256, now):
        with transaction(engine) as session:
            finish(session, claim, now)
            record_source_version(session, SourceVersion("ter", sha256, 1, NOON, "accepted"), [])

    with pytest.raises(Conflict, match="job_taken_over"):
        end(slow, "slow", after)
    end(quick, "quick", after)
    with pytest.raises(Conflict, match="job_taken_over"):
        end(quick, "again", after)
    with transaction(engine) as session:
        assert [version.sha256 for version in list_source_versions(session, "ter")] == ["quick"]
    told = look(engine, quick.job_id)
    assert told.state is JobState.DONE
    assert [(one.worker, one.outcome) for one in told.tries] == [("anna", Outcome.LOST), ("berthe", Outcome.DONE)]


def test_a_lease_that_is_renewed_is_not_taken_over(engine):
    put(engine, "k")
    claim = take(engine)
    with transaction(engine) as session:
        assert renew(session, claim, claim.until + MINUTE)
    assert take(engine, claim.until, "t2") is None
    other = take(engine, claim.until + MINUTE, "t2")
    with transaction(engine) as session:
        assert not renew(session, claim, claim.until + 5 * MINUTE)
        assert not fail(session, claim, "too late", None, NOON)
        assert not give_back(session, claim, NOON)
        assert renew(session, other, other.until + MINUTE)


def test_a_job_that_fails_waits_and_says_why_until_it_is_dead_and_is_woken(engine):
    put(engine, "k")
    claim = take(engine)
    with transaction(engine) as session:
        assert fail(session, claim, "no rope", NOON + MINUTE, NOON)
    assert take(engine) is None
    claim = take(engine, NOON + MINUTE, "t2")
    assert claim.n_tries == 2
    with transaction(engine) as session:
        assert fail(session, claim, "no bell", None, NOON + MINUTE)
    told = look(engine, claim.job_id)
    assert told.state is JobState.DEAD
    assert [(one.number, one.outcome, one.why) for one in told.tries] == [
        (1, Outcome.FAILED, "no rope"),
        (2, Outcome.FAILED, "no bell"),
    ]
    assert take(engine, NOON + 99 * MINUTE) is None
    with transaction(engine) as session:
        wake(session, claim.job_id, NOON + 5 * MINUTE)
    claim = take(engine, NOON + 5 * MINUTE, "t3")
    assert (claim.number, claim.n_tries) == (3, 1)


def test_only_a_dead_job_can_be_woken(engine):
    put(engine, "k")
    job_id = take(engine).job_id
    with pytest.raises(Conflict, match="job_not_dead"), transaction(engine) as session:
        wake(session, job_id, NOON)
    with pytest.raises(NotFound, match="unknown_job"), transaction(engine) as session:
        wake(session, job_id + 1, NOON)
    with pytest.raises(NotFound, match="unknown_job"):
        look(engine, job_id + 1)


def test_a_job_that_kills_its_workers_is_buried_and_the_next_one_is_taken(engine):
    put(engine, "killer")
    now = NOON
    for number in range(3):
        assert take(engine, now, f"t{number}").key == "killer"
        now += MINUTE
    put(engine, "harmless", now)
    assert take(engine, now, "t9").key == "harmless"
    with transaction(engine) as session:
        (dead,) = list_jobs(session, [JobState.DEAD], 10)
    assert (dead.key, [one.outcome for one in dead.tries]) == ("killer", [Outcome.LOST] * 3)


def test_a_worker_told_to_stop_gives_its_job_back_as_if_it_had_never_taken_it(engine):
    put(engine, "k")
    claim = take(engine)
    with transaction(engine) as session:
        assert give_back(session, claim, NOON)
    assert look(engine, claim.job_id).tries == ()
    assert take(engine, token="t2").number == 1


def test_jobs_are_listed_by_state_and_page(engine):
    for key in ("old", "dead", "new", "waiting"):
        put(engine, key)
    for now in (NOON, NOON + MINUTE):
        claim = take(engine, now, f"t{now}")
        with transaction(engine) as session:
            finish(session, claim, now) if now == NOON else fail(session, claim, "", None, now)
    claim = take(engine, NOON + 2 * MINUTE)
    with transaction(engine) as session:
        finish(session, claim, NOON + 2 * MINUTE)
    with transaction(engine) as session:
        assert count_jobs(session) == {"waiting": 1, "running": 0, "done": 2, "dead": 1}
        assert [job.key for job in list_jobs(session, list(JobState), 10)] == ["waiting", "new", "dead", "old"]
        assert [job.key for job in list_jobs(session, list(JobState), 1, 1)] == ["new"]


def test_what_is_planned_otherwise_is_withdrawn_unless_it_is_due_or_begun(engine):
    for key, due in (("a:1", NOON), ("a:2", NOON + MINUTE), ("a:3", NOON + MINUTE), ("b:1", NOON + MINUTE)):
        put(engine, key, due)
    with transaction(engine) as session:
        withdraw(session, "a:", "a:3", NOON)
        assert {job.key for job in list_jobs(session, [JobState.WAITING], 10)} == {"a:1", "a:3", "b:1"}


def test_workers_at_once_take_each_job_once(engine):
    n_jobs, n_workers = 60, 6
    with transaction(engine) as session:
        for number in range(n_jobs):
            enqueue(session, "ring", {"number": number}, NOON, f"k{number}")
    taken = [[] for _ in range(n_workers)]

    def work(worker):
        while (claim := take(engine, token=f"w{worker}")) is not None:
            with transaction(engine) as session:
                finish(session, claim, NOON)
            taken[worker].append(claim.payload["number"])

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(n_workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for each in taken for number in each) == list(range(n_jobs))


def test_two_who_enqueue_one_key_at_once_make_one_job(engine):
    new = []
    threads = [threading.Thread(target=lambda: new.append(put(engine, "k"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 7 + [True]
