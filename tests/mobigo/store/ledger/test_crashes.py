"""The writer killed at random instants: what was acknowledged is there, and nothing is there by half."""

import random

import pytest
from sqlalchemy import select

from mobigo.security import is_signed
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import is_sqlite, reading, transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.rows import ENTRY
from tests.worlds.books import BUDGET, NOON, granted
from tests.worlds.clerks import ACTION, raced, working
from tests.worlds.examples import FACTOR

N_KILLS = {True: 50, False: 15}  # on SQLite, the crash is the database's too


def until_the_end(acknowledged):
    while True:
        try:
            yield acknowledged.recv_bytes().decode()
        except (EOFError, OSError):
            return


def test_a_writer_killed_at_any_instant_loses_nothing_that_it_acknowledged(books, database_address):
    draws = random.Random(20261121)
    with transaction(books) as session:
        append(session, [granted(10**9)], NOON)
    n_lost = n_acknowledged = 0
    for kill in range(N_KILLS[is_sqlite(books)] * FACTOR):
        run = f"run{kill}"
        with working(database_address, run) as (process, acknowledged):
            lines = [acknowledged.recv_bytes().decode() for _ in range(draws.randrange(1, 40))]
            process.join(draws.uniform(0, 0.01))
            assert process.is_alive()
            process.kill()
            lines += until_the_end(acknowledged)
        with reading(books) as session:
            rows = session.connection().execute(
                select(ENTRY.c.key, ENTRY.c.seq, ENTRY.c.hash).where(ENTRY.c.key.startswith(f"{run}:"))
            )
            there = {key: (seq, bytes(hashed).hex()) for key, seq, hashed in rows}
            audited = {one.line.facts["name"] for one in list_lines(session, AuditFilter(action=ACTION), limit=10**6)}
        told = {name: (int(seq), hashed) for name, seq, hashed in map(str.split, lines)}
        names = {key for key in there if not key.endswith(":reserve")}
        n_lost += sum(there.get(name) != stands for name, stands in told.items())
        n_acknowledged += len(told)
        assert {f"{name}:reserve" for name in names} == there.keys() - names, "half a unit"
        with_line = {name for name in names if int(name.rpartition(":")[2]) % 2 == 0}
        assert with_line == {name for name in audited if name.startswith(f"{run}:")}, "a change without its entries"
        if kill % 10 == 0:
            assert check_books(books, is_signed).findings == ()
    assert n_lost == 0
    assert n_acknowledged > kill
    assert check_books(books, is_signed).findings == ()


@pytest.mark.parametrize("left_over_cents", [0, 6])
def test_two_processes_that_race_for_the_last_cents_of_a_budget_never_overspend_it(
    books, database_address, left_over_cents
):
    """Two writers; on SQLite, where one process has the writer, transactions without one beside it."""
    n_takes, cents = 60, 7
    with transaction(books) as session:
        append(session, [granted(n_takes * cents + left_over_cents)], NOON)
    took = raced(database_address, cents, True, not is_sqlite(books))
    assert min(map(len, took)) > 0
    assert sum(map(len, took)) == n_takes
    checked = check_books(books, is_signed)
    assert (checked.findings, checked.n_entries) == ((), 1 + n_takes)
    with transaction(books) as session:
        assert Books(session).balance_cents(BUDGET) == left_over_cents
