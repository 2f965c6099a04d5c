import itertools
import random
from datetime import datetime, time, timedelta

import pytest

from mobigo.jobs.schedules import Schedule, next_time
from mobigo.jobs.worker import Worker
from mobigo.services.jobs import no_effects
from socle.times import PARIS

NIGHTLY = Schedule("fetch", "ring", time(2, 30))


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "key", "due"),
    [
        ("2026-11-21T12:00Z", "2026-11-22T02:30", "2026-11-22T01:30Z"),
        ("2026-11-22T01:29:59Z", "2026-11-22T02:30", "2026-11-22T01:30Z"),
        ("2026-11-22T01:30Z", "2026-11-23T02:30", "2026-11-23T01:30Z"),
        # 29 March 2026: 02:00 becomes 03:00; the clock that nobody put forward shows 02:30 at 03:30
        ("2026-03-28T12:00Z", "2026-03-29T02:30", "2026-03-29T01:30Z"),
        ("2026-03-29T01:00Z", "2026-03-29T02:30", "2026-03-29T01:30Z"),
        ("2026-03-29T01:30Z", "2026-03-30T02:30", "2026-03-30T00:30Z"),
        # 25 October 2026: 03:00 becomes 02:00; 02:30 comes at 00:30Z and again at 01:30Z
        ("2026-10-24T12:00Z", "2026-10-25T02:30", "2026-10-25T00:30Z"),
        ("2026-10-25T00:30Z", "2026-10-26T02:30", "2026-10-26T01:30Z"),
        ("2026-10-25T01:15Z", "2026-10-26T02:30", "2026-10-26T01:30Z"),
    ],
)
def test_the_next_time_is_the_hour_on_the_wall(now, key, due):
    planned = next_time(NIGHTLY, at(now))
    assert (planned.key, planned.due) == (f"schedule:fetch:{key}", at(due))


@pytest.mark.parametrize("hour", [time(0, 0), time(2, 0), time(2, 30), time(2, 59), time(3, 0), time(23, 59)])
@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25", "2026-06-10"])
def test_asked_at_any_minute_of_four_days_there_is_one_time_a_day(hour, night):
    begin = at(f"{night}T00:00Z") - timedelta(days=2)
    schedule = Schedule("any", "ring", hour)
    planned = {}
    for minute in range(4 * 24 * 60):
        one = next_time(schedule, begin + timedelta(minutes=minute))
        assert begin + timedelta(minutes=minute) < one.due <= begin + timedelta(minutes=minute, hours=25)
        planned[one.key] = one.due
    days = [due.astimezone(PARIS).date() for due in planned.values()]
    assert len(days) == len(set(days))
    assert [(b - a).days for a, b in itertools.pairwise(days)] == [1] * (len(days) - 1)


@pytest.mark.parametrize(("night", "rung"), [("2026-03-29", "2026-03-29T01:30Z"), ("2026-10-25", "2026-10-25T00:30Z")])
def test_a_worker_awake_through_the_night_of_the_change_does_the_work_once(engine, night, rung):
    now = [at(f"{night}T00:00Z") - timedelta(hours=3)]
    done = []
    worker = Worker(engine, {"ring": lambda _: done.append(now[0]) or no_effects}, [NIGHTLY], lambda: now[0], "w")
    for _ in range(8 * 4):
        worker.run_due()
        now[0] += timedelta(minutes=15)
    assert done == [at(rung)]


def test_a_worker_away_for_days_does_the_work_once_when_it_is_back(engine):
    now = [at("2026-11-20T12:00Z")]
    done = []
    handlers = {"ring": lambda claim: done.append(claim.key) or no_effects}
    Worker(engine, handlers, [NIGHTLY], lambda: now[0], "before").run_due()
    now[0] = at("2026-11-24T12:00Z")
    for name in ("after", "beside"):
        Worker(engine, handlers, [NIGHTLY], lambda: now[0], name).run_due()
    assert done == ["schedule:fetch:2026-11-21T02:30"]
    now[0] = at("2026-11-25T12:00Z")
    Worker(engine, handlers, [NIGHTLY], lambda: now[0], "later").run_due()
    assert done[1:] == ["schedule:fetch:2026-11-25T02:30"]


def test_a_schedule_that_is_moved_is_planned_at_its_new_hour_alone(engine):
    now = [at("2026-11-20T12:00Z")]
    done = []
    handlers = {"ring": lambda claim: done.append(claim.key) or no_effects}
    Worker(engine, handlers, [NIGHTLY], lambda: now[0], "before").run_due()
    Worker(engine, handlers, [Schedule("fetch", "ring", time(5))], lambda: now[0], "after").run_due()
    now[0] = at("2026-11-21T12:00Z")
    Worker(engine, handlers, [], lambda: now[0], "later").run_due()
    assert done == ["schedule:fetch:2026-11-21T05:00"]


@pytest.mark.parametrize("seed", range(3))
def test_a_clock_that_jumps_to_and_fro_does_no_day_twice_and_the_next_one_in_the_end(engine, seed):
    chance = random.Random(seed)
    begin = at("2026-11-01T12:00Z")
    now, done = [begin], []
    handlers = {"ring": lambda claim: done.append(claim.key) or no_effects}
    worker = Worker(engine, handlers, [NIGHTLY], lambda: now[0], "w")
    for _ in range(60):
        now[0] += timedelta(hours=chance.choice([1, 5, 7, 30, -2, -26, -100]))
        worker.run_due()
    assert len(done) == len(set(done))
    worst = max(now[0], max((at(f"{key[-16:]}Z") for key in done), default=begin))
    now[0] = worst + timedelta(days=2)
    worker.run_due()
    now[0] += timedelta(days=1)
    worker.run_due()
    assert done[-1].startswith(f"schedule:fetch:{now[0].astimezone(PARIS):%Y-%m-%d}")
