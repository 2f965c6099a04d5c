"""Each kind of job, done by a real worker."""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.jobs.handlers import SCHEDULES, Means, make_handlers
from mobigo.jobs.worker import Worker
from mobigo.outbound.letters import Mail, open_post
from mobigo.security import Keys
from mobigo.services.jobs import overview
from mobigo.services.ledger.proving import read_heads
from mobigo.services.people import accounts
from mobigo.services.retention import report
from mobigo.store.base import transaction
from mobigo.store.jobs import JobState, Lease, claim_next, enqueue, finish
from tests.worlds.accounts import HERE, PASSWORD

KEYS = Keys.of("x" * 32)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def means(engine, tmp_path):
    return Means(
        engine,
        KEYS,
        open_post("", "", tmp_path / "letters", "https://mobigo.exemple.test"),
        Clock(),
        "",
        tmp_path / "letters",
    )


def make_worker(means):
    return Worker(means.engine, make_handlers(means), SCHEDULES, means.clock, "w")


def job_done(engine, at):
    with transaction(engine) as session:
        enqueue(session, "mail", {}, at, f"mail:{at}")
        finish(session, claim_next(session, ["mail"], Lease("w", at + timedelta(hours=1), 3), "t", at), at)


def test_every_night_what_is_too_old_goes(engine, means):
    clock, worker = means.clock, make_worker(means)
    job_done(engine, NOON - timedelta(days=89))
    for _day in range(3):
        worker.run_due()
        clock.now += timedelta(days=1)
    told = report(engine, clock.now)
    assert told.n_older == 0
    assert told.applied_at == NOON + timedelta(days=2)
    assert "mail" not in {job.kind for job in overview(engine, [JobState.DONE]).jobs}


def test_every_night_letters_nobody_fetched_go_after_a_week(engine, means, tmp_path):
    folder = tmp_path / "letters"
    means.post.texts.send("+33600000001", "an old code", "old")
    means.post.mails.send(Mail("b@exemple.test", "Code", "a new one", "new"))
    for place, age in ((folder / "sms", timedelta(days=7, minutes=1)), (folder / "mail", timedelta(days=6))):
        for letter in place.iterdir():
            os.utime(letter, times=(at := (NOON - age).timestamp(), at))
    assert report(engine, NOON, letters=folder).n_older == 1
    worker = make_worker(means)
    worker.run_due()
    means.clock.now += timedelta(hours=18)
    worker.run_due()
    assert report(engine, NOON, letters=folder).n_older == 0
    assert [path.suffix for path in folder.rglob("*.*")] == [".eml"]


def test_a_worker_away_for_too_long_asks_before_it_takes_anything_away(engine, means):
    clock, worker = means.clock, make_worker(means)
    worker.run_due()
    clock.now += timedelta(days=1)
    worker.run_due()
    job_done(engine, clock.now)
    clock.now += timedelta(days=200)
    worker.run_due()
    assert report(engine, clock.now).n_older > 0
    (failed,) = [job for job in overview(engine, [JobState.WAITING]).jobs if job.tries]
    assert "--after-pause" in failed.tries[-1].why


def test_every_night_the_day_before_is_sealed(engine, means):
    clock, worker = means.clock, make_worker(means)
    clock.now = datetime(2026, 11, 21, 23, tzinfo=UTC)  # midnight in Paris
    for _day in range(3):
        worker.run_due()
        clock.now += timedelta(days=1)
    assert [head.day.isoformat() for head in read_heads(engine)] == ["2026-11-23", "2026-11-22"]


@pytest.mark.parametrize(
    ("contact", "place", "to"),
    [("camille@exemple.test", "mail/*.eml", "camille@exemple.test"), ("06 39 98 01 02", "sms/*.json", "+33639980102")],
)
def test_who_asks_for_a_code_gets_it_once_by_the_way_they_named(engine, means, tmp_path, contact, place, to):
    code_id = accounts.join(engine, KEYS, "Camille Durand", contact, PASSWORD, HERE, NOON)
    worker = make_worker(means)
    worker.run_due()
    worker.run_due()
    (letter,) = (tmp_path / "letters").glob("*/*")
    assert letter.match(place)
    content = letter.read_text("utf-8")
    told = json.loads(content)["body"] if place.startswith("sms") else content
    assert to in content
    code = re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}", told).group()
    joined = accounts.finish_join(engine, KEYS, code_id, code, HERE, NOON)
    assert joined.principal.person_id


def test_a_letter_that_came_too_late_is_not_sent(engine, means, tmp_path):
    accounts.join(engine, KEYS, "Camille Durand", "camille@exemple.test", PASSWORD, HERE, NOON)
    means.clock.now += timedelta(hours=2)
    make_worker(means).run_due()
    assert list(tmp_path.glob("letters/*/*")) == []
    assert [job.kind for job in overview(engine, [JobState.DONE]).jobs].count("people.message") == 1
