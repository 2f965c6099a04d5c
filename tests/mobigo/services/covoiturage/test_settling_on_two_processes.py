"""A month decided by one process and written by another is what one process makes of it, byte for byte.

Also when others change it meanwhile, and when the process that decides is lost.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from datetime import timedelta

import pytest

from mobigo.cluster import Engine
from mobigo.security import is_signed
from mobigo.services.covoiturage import settling
from mobigo.services.covoiturage.blocks import Budget
from mobigo.services.covoiturage.budgets import grant
from mobigo.services.covoiturage.declaring import cancel, declare
from mobigo.store.base import migrate, open_engine
from mobigo.store.ledger.check import check_books
from tests.worlds.carpools import MORNING, carpool
from tests.worlds.settling import NOW, POLICY, declare_a_month, release_all


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Databases with a month that waits, by the budget granted; to be copied."""
    made = {}
    for granted in (None, 6_000, 10_000_000):
        path = tmp_path_factory.mktemp("month") / "month.sqlite3"
        engine = open_engine(f"sqlite:///{path}")
        migrate(engine)
        declare_a_month(engine, granted)
        release_all(engine)
        engine.dispose()
        made[granted] = path
    return made


class Meanwhile:
    """What somebody does after the third transaction, told as `progress`; the process that decides may be ended."""

    def __init__(self, do):
        self._do, self._n = do, 0

    def __call__(self, _n_done):
        self._n += 1
        if self._n == 3:
            self._do()


def told(path, engine, **how):
    """The month settled: every row of every table, and what the run answered."""
    settled = settling.settle(engine, "2026-03", NOW, at_once=7, **how)
    assert check_books(engine, is_signed).findings == ()
    engine.dispose()
    with sqlite3.connect(path) as connection:
        return settled, list(connection.iterdump())


def both(months, granted, tmp_path, do=lambda _engine: None):
    """What is made of a month by one process and by two, with somebody who does something meanwhile."""
    rows = []
    for on in (Engine.SERIAL, Engine.PROCESSES):
        path = tmp_path / f"{on}.sqlite3"
        shutil.copy(months[granted], path)
        engine = open_engine(f"sqlite:///{path}")
        rows.append(told(path, engine, on=on, progress=Meanwhile(lambda engine=engine: do(engine))))
    return rows


@pytest.mark.parametrize("granted", [None, 6_000])
def test_two_processes_write_what_one_writes(months, granted, tmp_path):
    serial, processes = both(months, granted, tmp_path)
    assert serial == processes


def declare_late(engine):
    """A carpool of the first morning, which ended before many that are decided; nothing is held of it."""
    given = carpool("LATE", driver="d0", passengers=["p00"], at=MORNING + timedelta(minutes=37))
    declare(engine, given, "key:late", "key:app", MORNING + timedelta(days=0.5))
    release_all(engine)


def declare_next(engine):
    """A carpool of the last evening, for which a part of the budget is promised."""
    given = carpool("NEXT", driver="d9", passengers=["p9"], at=MORNING + timedelta(days=3))
    declare(engine, given, "key:next", "key:app", MORNING + timedelta(days=3.5))
    release_all(engine)


CHANGES = {
    "one that is decided is cancelled": lambda engine: cancel(engine, "C004", "key:app", "erreur", NOW),
    "one that waits is cancelled": lambda engine: cancel(engine, "C042", "key:app", "erreur", NOW),
    "more is granted": lambda engine: grant(engine, POLICY.id, 3_000, "vote-2026-2", "key:clerk", NOW),
    "one is declared that is to be decided": declare_next,
    "one is declared whose turn has gone": declare_late,
}


@pytest.mark.parametrize(
    ("granted", "change"),
    [
        (6_000, "one that is decided is cancelled"),
        (6_000, "one that waits is cancelled"),
        (6_000, "more is granted"),
        (10_000_000, "one is declared that is to be decided"),
        (10_000_000, "one is declared whose turn has gone"),
    ],
)
def test_what_others_change_meanwhile_is_seen(months, granted, change, tmp_path):
    serial, processes = both(months, granted, tmp_path, CHANGES[change])
    assert serial == processes


@pytest.mark.parametrize(
    ("then", "spare", "now", "bears"),
    [
        (None, None, None, True),  # no budget is kept
        (None, None, 500, False),
        (500, 0, None, False),
        (500, 0, 500, True),
        (500, 0, 499, False),  # who was paid all of it would be paid less
        (500, 40, 460, True),
        (500, 40, 459, False),
        (500, 40, 9_000, True),
        (500, None, 500, True),
        (500, None, 501, False),  # somebody was given less than they asked for, and might have more
    ],
)
def test_a_budget_bears_what_was_decided_with_another_as_far_as_nobody_would_be_given_more_or_less(
    then, spare, now, bears
):
    assert Budget(now).bears(Budget(then), spare) is bears


def test_a_month_goes_on_without_the_process_that_decides(months, tmp_path, monkeypatch):
    begun = []
    popen = settling.cluster.process.subprocess.Popen
    monkeypatch.setattr(
        settling.cluster.process.subprocess, "Popen", lambda *a, **k: begun.append(popen(*a, **k)) or begun[-1]
    )
    serial, processes = both(
        months, 6_000, tmp_path, lambda _engine: [os.kill(one.pid, signal.SIGKILL) for one in begun]
    )
    assert len(begun) == 1
    assert serial == processes
