from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from mobigo.store.base import transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, fail, finish
from mobigo.store.retention import Aging, get_age, remove_older

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOBS = Aging("job", "ended_at", {})
DEAD = Aging("job", "ended_at", {"state": "dead"})


def job_done(engine, key, at):
    with transaction(engine) as session:
        enqueue(session, "mail", {}, at, key)
        claim = claim_next(session, ["mail"], Lease("w", at + timedelta(minutes=1), 3), "t", at)
        finish(session, claim, at)


def keys(engine):
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT key FROM job")).scalars())


def test_rows_older_than_the_limit_go_with_what_belongs_to_them_and_no_other(engine):
    for day in range(5):
        job_done(engine, f"job{day}", NOON - timedelta(days=day))
    with transaction(engine) as session:
        enqueue(session, "mail", {}, NOON - timedelta(days=400), "waiting")
    limit = NOON - timedelta(days=2)
    with transaction(engine) as session:
        age = get_age(session, JOBS, limit)
        assert (age.n_older, age.oldest) == (2, NOON - timedelta(days=4))
        assert remove_older(session, JOBS, limit, 1) == 1
        assert remove_older(session, JOBS, limit, 10) == 1
        assert remove_older(session, JOBS, limit, 10) == 0
        assert get_age(session, JOBS, limit).n_older == 0
    assert keys(engine) == {"job0", "job1", "job2", "waiting"}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM job_try")).scalar() == 3


def test_an_empty_table_has_no_oldest_row(engine):
    with transaction(engine) as session:
        age = get_age(session, JOBS, NOON)
    assert (age.n_older, age.oldest) == (0, None)


def test_only_the_rows_that_are_meant_are_counted_and_go(engine):
    job_done(engine, "done", NOON - timedelta(days=9))
    at = NOON - timedelta(days=5)
    with transaction(engine) as session:
        enqueue(session, "mail", {}, at, "dead")
        fail(session, claim_next(session, ["mail"], Lease("w", at + timedelta(minutes=1), 3), "t", at), "", None, at)
    with transaction(engine) as session:
        age = get_age(session, DEAD, NOON)
        assert (age.n_older, age.oldest) == (1, at)
        assert remove_older(session, DEAD, NOON, 10) == 1
    assert keys(engine) == {"done"}
