"""Settling: the carpools of a month decided in the order of their ends, entered, and told.

A carpool is decided 48 hours after its end at the earliest, so that what was declared late or
disputed is there. The decision, its entries and its counters are written together, some thousands
of carpools per transaction; run again, nothing is decided or entered twice.

Of a big month another process decides the next block while this one writes: what it made is
written if it is what this one would make now, in its turn, and made anew if it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from sqlalchemy import Engine

from covoiturage.payments import check_month
from covoiturage.policy.facts import read_car
from mobigo import cluster
from mobigo.bridges.driving import Drives
from mobigo.security import Keys
from mobigo.services.covoiturage.blocks import (
    Block,
    Known,
    Place,
    budgets_now,
    decide_ahead,
    decide_block,
    still_holds,
)
from mobigo.services.covoiturage.ordering import people_in, put_in_order
from mobigo.services.covoiturage.screening import DECIDED_AFTER, screen
from mobigo.store.base import Session, address_of, reading, transaction
from mobigo.store.bulk import keep_few_pages, keep_many_pages
from mobigo.store.covoiturage.carpools import (
    CarpoolState,
    count_held,
    get_carpool,
    list_by_state,
    set_decided,
)
from mobigo.store.covoiturage.decided import last_decided_end
from mobigo.store.covoiturage.decisions import add_decisions, write_counters
from mobigo.store.garbage import rarely_collected
from mobigo.store.ledger.books import Books
from socle.money import Cents

AT_ONCE: Final = 5_000
"""Carpools of one transaction."""
WORTH_A_PROCESS: Final = 20_000
"""Carpools from which on two processes are begun: a second and a half of work, and it takes half a second."""
_MOST_IN_VAIN: Final = 5
"""Blocks made ahead in vain, after which it is not tried any more: others change too much meanwhile."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a run did, and where the month stands.

    `pending` carpools are still inside their 48 hours, `held` ones wait for people who look at what the
    fraud rules saw.
    """

    month: str
    decided: int
    refused: int
    pending: int
    held: int
    subsidy_cents: Cents
    fare_cents: Cents
    entries: int

    @property
    def net_cents(self) -> Cents:
        """What the Region pays in the end."""
        return self.subsidy_cents - self.fare_cents

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {**asdict(self), "net_cents": self.net_cents}


def settle(
    engine: Engine,
    month: str,
    now: datetime,
    *,
    keys: Keys | None = None,
    drives: Drives | None = None,
    progress: Callable[[int], None] = lambda _n: None,
    at_once: int = AT_ONCE,
    on: cluster.Engine | None = None,
) -> Settled:
    """Decide what is due of `month` and held by nobody, and enter it, once the fraud rules saw it.

    `keys` let them compare bank accounts, `drives` the metres and minutes declared with those of the streets.
    It is done `on` one process or two, by how much there is to do where nothing is said; what is written is the same.

    Raises:
        BadInput: `bad_month`.
        Conflict: as `Books.append`.
    """
    check_month(month)
    screen(engine, now, keys, drives)
    decided = refused = n_entries = 0
    subsidy = fares = 0
    until = now - DECIDED_AFTER
    with reading(engine) as session:
        decided_until = last_decided_end(session, month)
        n_closed = list_by_state(session, month)[CarpoolState.CLOSED]
    if on is None:
        on = cluster.Engine.PROCESSES if n_closed >= WORTH_A_PROCESS else cluster.Engine.SERIAL
    with rarely_collected(), _Blocks(engine, month, until, at_once, on) as blocks:
        while True:
            made = blocks.take()
            with transaction(engine) as session:
                books = Books(session)  # its turn keeps others who settle or cancel away meanwhile
                keep_many_pages(session.connection())
                block = blocks.choose(session, made)
                if block is None:
                    keep_few_pages(session.connection())
                    break
                _write(session, books, block, now)
                n_entries += len(block.entries)
                late = [one.id for one in block.due if decided_until is not None and one.end_at <= decided_until]
                n_entries += _put_in_order(session, late, now)
            blocks.tell_written(block)
            decided += block.n_decided
            refused += len(block.due) - block.n_decided
            subsidy += block.subsidy_cents
            fares += block.fare_cents
            progress(len(block.due))
    with reading(engine) as session:
        held = count_held(session, month)
        pending = list_by_state(session, month)[CarpoolState.CLOSED] - held
    return Settled(month, decided, refused, pending, held, subsidy, fares, n_entries)


class _Blocks:
    """The blocks of a month, one after another: made ahead by another process, or when they are asked for."""

    def __init__(self, engine: Engine, month: str, until: datetime, at_once: int, on: cluster.Engine) -> None:
        self._what = (month, until, at_once)
        self._after: Place | None = None
        self._n_in_vain = 0
        self._is_in_vain = False  # what was made ahead of the block under way
        self._ahead: cluster.Ahead[Block] | None = None
        address = address_of(engine)
        if on is cluster.Engine.PROCESSES and address is not None:
            self._ahead = cluster.Ahead(decide_ahead, (address, *self._what), None)

    def take(self) -> Block | None:
        """What was made ahead, waited for; None when there is nothing."""
        return None if self._ahead is None else self._ahead.take()

    def choose(self, session: Session, made: Block | None) -> Block | None:
        """The next block, in one's turn at the books: what was made ahead, if it holds; None at the end."""
        month, until, at_once = self._what
        self._is_in_vain = False
        if made is not None:
            if still_holds(session, made, month, until, self._after):
                return made.with_budgets(budgets_now(session, made))
            self._is_in_vain = True
        return decide_block(session, month, until, at_once, self._after, Known())

    def tell_written(self, block: Block) -> None:
        """Go on after `block`."""
        self._after = block.last
        if self._ahead is None:
            return
        if not self._is_in_vain:
            self._ahead.tell_used()
            return
        self._n_in_vain += 1
        if self._n_in_vain < _MOST_IN_VAIN:
            self._ahead.begin(self._after)
        else:
            self.close()

    def close(self) -> None:
        """Let the other process go."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _write(session: Session, books: Books, block: Block, now: datetime) -> None:
    """Write a block: its entries, its decisions, what it has counted."""
    books.open(block.accounts)
    books.append(block.entries, now)
    books.flush()
    add_decisions(session, block.decisions, now)
    for policy_id, changed in block.changed.items():
        write_counters(session, policy_id, changed)
    # Last: once a statement has changed some sixteen pages, SQLite writes each page that a later one of the
    # transaction may have to put back into a file, forty times for each carpool.
    set_decided(session, [carpool.id for carpool in block.due])


def _put_in_order(session: Session, late: Sequence[str], now: datetime) -> int:
    """Give what was decided after some that ended later its place in the order of ends; the entries that makes."""
    people: dict[tuple[str | None, str], set[str]] = {}  # by policy and month
    for carpool_id in late:
        carpool = get_carpool(session, carpool_id)
        people.setdefault((carpool.policy_id, carpool.month), set()).update(
            people_in(read_car(msgspec.json.decode(carpool.facts)))
        )
    n_entries = 0
    for (policy_id, month), names in people.items():
        books = Books(session)
        n_entries += sum(one.n_entries for one in put_in_order(session, books, policy_id, month, names, now))
        books.flush()
    return n_entries
