"""A server killed at random instants while it closes an outing and the client retries: declared exactly once."""

from __future__ import annotations

from random import Random

from sqlmodel import SQLModel, func, select

from covoiturage import ledger
from covoiturage.boarding import State
from covoiturage.carpool import Side
from covoiturage.policy.shipped import shipped_policies
from mobigo.security import is_signed
from mobigo.services.covoiturage.outings import Course, Seen, close_outing, open_outing
from mobigo.services.covoiturage.scanning import alight_by_scan, board_by_scan, show_code
from mobigo.store.base import is_sqlite, reading, transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.check import check_books
from tests.worlds.closing import closing
from tests.worlds.examples import FACTOR
from tests.worlds.outings import SEVEN, STOPS, minutes

POLICY = shipped_policies()["bfc-lignes"].id
ARRIVED = SEVEN + minutes(31)
WORTH = 430  # 33 km at 10 cents, and one passenger
N_OUTINGS = {True: 4 * FACTOR, False: 3 * FACTOR}  # on SQLite, the crash is the database's too
ENOUGH = 10**6
ROWS = (("carpool", "id"), ("ride", "carpool_id"), ("outing_event", "outing_id"))  # table -> what names the outing


def vote(engine):
    """A budget that is larger than all promises."""
    with transaction(engine) as session:
        books = Books(session)
        books.open(ledger.accounts_of(POLICY))
        books.flush()
        append(session, [ledger.grant_budget(POLICY, ENOUGH, "vote-2026", SEVEN)], SEVEN)


def ride_along(engine, keys, number):
    """An outing in which one passenger rode from end to end, still open."""
    driver, passenger = f"d{number}", f"p{number}"
    actor = f"person:{driver}"
    outing = open_outing(engine, driver, Course(STOPS, "L6"), "baume", Seen(SEVEN, driver), "k", actor).outing
    for side, act, stop, at in (
        (Side.BOARD, board_by_scan, "baume", SEVEN),
        (Side.ALIGHT, alight_by_scan, "avoudrey", SEVEN + minutes(30)),
    ):
        token = show_code(engine, keys, outing.id, driver, side, at).token
        act(engine, keys, passenger, token, stop, Seen(at, f"phone-{passenger}"))
    return outing.id, driver


def answers_until_killed(told):
    """What the client heard before its server died."""
    heard = []
    while True:
        try:
            heard.append(told.recv())
        except (EOFError, OSError):
            return heard


def count(engine, name, **where):
    table = SQLModel.metadata.tables[name]
    wanted = select(func.count()).select_from(table)
    for column, value in where.items():
        wanted = wanted.where(table.c[column] == value)
    with reading(engine) as session:
        return session.connection().execute(wanted).scalar_one()


def test_a_ride_is_declared_once_however_often_the_server_dies_while_it_is_closed(engine, keys, database_address):
    draw, n_outings = Random(20261123), N_OUTINGS[is_sqlite(engine)]
    vote(engine)
    outings = dict(ride_along(engine, keys, number) for number in range(n_outings))
    unheard, firsts = dict(outings), []
    while unheard:  # each client asks until it is answered, of a server that dies again
        with closing(database_address, unheard, ARRIVED) as (process, told):
            heard = [told.recv() for _ in range(draw.randrange(1, 3))] if len(unheard) > 1 else [told.recv()]
            process.join(draw.uniform(0, 0.03))
            process.kill()
            heard += answers_until_killed(told)
        firsts += [outing_id for outing_id, was_known in heard if not was_known]
        unheard = {one: driver for one, driver in unheard.items() if one not in dict(heard)}
        states = {
            one: (count(engine, "carpool", id=one), count(engine, "outing", id=one, state="closed")) for one in outings
        }
        assert set(states.values()) <= {(0, 0), (1, 1)}, "closed without its carpool, or declared while it is open"
        assert all(states[one] == (1, 1) for one in outings.keys() - unheard.keys()), "an answer is lost"
    assert len(firsts) == len(set(firsts))
    for outing_id, driver in outings.items():
        late = ARRIVED + minutes(5)
        last = close_outing(engine, outing_id, driver, "", {}, Seen(late, driver), f"person:{driver}")
        assert (last.outing.state, last.declared.replayed) == (State.CLOSED, True)
        rows = [count(engine, name, **{key: outing_id}) for name, key in ROWS]
        assert rows == [1, 1, 4]
    with transaction(engine) as session:
        books = Books(session)
        reserved, left = (books.balance_cents(of(POLICY).code) for of in (ledger.reserve_of, ledger.budget_of))
    assert (reserved, left) == (n_outings * WORTH, ENOUGH - n_outings * WORTH)
    checked = check_books(engine, is_signed)
    assert (checked.findings, checked.n_entries) == ((), 1 + n_outings)
