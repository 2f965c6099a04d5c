"""Mine: somebody's own carpools, what each is worth and why, and what they are owed or owe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from covoiturage import ledger
from mobigo.store.base import Session, reading
from mobigo.store.covoiturage.carpools import CarpoolState as CarpoolState  # told on pages
from mobigo.store.covoiturage.carpools import KeptCarpool, list_of_person
from mobigo.store.covoiturage.decisions import list_of_carpools
from mobigo.store.ledger.reads import balances_cents, get_entry
from socle.errors import NotFound
from socle.money import Cents

N_SHOWN = 30


@dataclass(frozen=True, slots=True)
class OwnCarpool:
    """One carpool as one of its people sees it: a driver what it is worth and why, a passenger what the ride costs."""

    carpool_id: str
    end_at: datetime
    is_driver: bool
    state: CarpoolState
    is_refused: bool
    amount_cents: Cents  # to the driver; what a passenger owes is below zero
    explanation: Sequence[str]


@dataclass(frozen=True, slots=True)
class OwnMoney:
    """What somebody is owed as a driver and owes as a passenger, by the books, and their latest carpools."""

    owed_cents: Cents
    owing_cents: Cents
    carpools: Sequence[OwnCarpool]


def get_own_money(engine: Engine, pseudonym: str) -> OwnMoney:
    """The money of one person's carpools."""
    with reading(engine) as session:
        kept = list(islice(list_of_person(session, pseudonym), N_SHOWN))
        decisions = list_of_carpools(session, [one.id for one in kept])
        payable, receivable = ledger.payable_to(pseudonym).code, ledger.receivable_from(pseudonym).code
        stands_there = balances_cents(session, (payable, receivable))
        fares = {one.id: _fare_cents(session, one, pseudonym) for one in kept if one.driver != pseudonym}
    carpools = []
    for one in kept:
        decision = decisions.get(one.id)
        is_driver = one.driver == pseudonym
        amount, told = -fares.get(one.id, 0), []
        if decision is not None and one.state is CarpoolState.DECIDED and is_driver:
            amount, told = decision.amount_cents, [step["text"] for step in decision.explanation]
        is_refused = decision is not None and decision.reason is not None
        carpools.append(OwnCarpool(one.id, one.end_at, is_driver, one.state, is_refused, amount, told))
    return OwnMoney(-stands_there.get(payable, 0), stands_there.get(receivable, 0), carpools)


def _fare_cents(session: Session, carpool: KeptCarpool, passenger: str) -> Cents:
    """What a passenger owes for a carpool, by the entries of its rides."""
    if carpool.state is not CarpoolState.DECIDED:
        return 0
    cents = 0
    for ride in json.loads(carpool.facts)["rides"]:
        if ride["passenger"] == passenger:
            try:
                entry = get_entry(session, f"ride:{ride['ride_id']}:fare").read().entry
            except NotFound:
                continue  # a ride that does not count costs nothing
            cents += sum(posting.cents for posting in entry.postings if posting.cents > 0)
    return cents
