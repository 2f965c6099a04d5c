"""A month of carpools that keeps limits and budget busy, and a process that settles it, told after each transaction."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from datetime import timedelta
from random import Random

from sqlmodel import SQLModel

from covoiturage import ledger
from covoiturage.policy.shipped import shipped_policies
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.screening import screen
from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import open_engine, transaction
from mobigo.store.ledger.books import Books, append
from tests.worlds.carpools import MORNING, carpool

POLICY = shipped_policies()["bfc-lignes"]
NOW = MORNING + timedelta(days=10)
N_CARS = 60


def declare_a_month(engine, granted):
    """Drivers and passengers beyond their four a day, rides without proof, short ways; a budget too small for all."""
    if granted is not None:
        with transaction(engine) as session:
            books = Books(session)
            books.open(ledger.accounts_of(POLICY.id))
            books.flush()
            append(session, [ledger.grant_budget(POLICY.id, granted, "vote-2026", MORNING)], MORNING)
    draw = Random(20260302)
    for number in range(N_CARS):
        # Two days; no two cars of a driver or a passenger are near, so that nothing is held.
        turn, day = divmod(number // 2, 2)
        given = carpool(
            f"C{number:03d}",
            driver=f"d{number % 2}",
            passengers=[f"p{number % 2}{one}" for one in range(draw.choice([1, 1, 2, 3]))],
            metres=draw.choice([2_300, 3_000, 33_000, 53_000, 110_000]),
            at=MORNING + timedelta(days=day, minutes=75 * turn),
            proven=draw.random() < 0.9,
        )
        declare(engine, given, f"key:{number}", "key:app", MORNING + timedelta(days=day + 0.9))


def release_all(engine):
    """Have nothing held: what the rules say of these people is not what is looked at here."""
    screen(engine, NOW)
    hold = SQLModel.metadata.tables["hold"]
    with transaction(engine) as session:
        session.connection().execute(hold.update().values(verdict="released"))


@contextmanager
def settling(address, month, now, at_once, on):
    """The process, and the connection on which it tells how many carpools each transaction decided."""
    spawn = multiprocessing.get_context("spawn")
    told, tell = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_settle, args=(address, month, now, at_once, on, tell))
    process.start()
    tell.close()
    try:
        yield process, told
    finally:
        process.kill()
        process.join()


def _settle(address, month, now, at_once, on, tell):
    engine = open_engine(address)
    settle(engine, month, now, progress=tell.send, at_once=at_once, on=on)
    engine.dispose()
    tell.close()
