"""Mine: somebody's own carpools, what each is worth and why, and what they are owed or owe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.payments import Payout
from mobigo.services.covoiturage.paid import find_payouts
from mobigo.store.base import Session, reading
from mobigo.store.covoiturage.carpools import CarpoolState as CarpoolState  # told on pages
from mobigo.store.covoiturage.carpools import KeptCarpool, list_of_person
from mobigo.store.covoiturage.decisions import list_of_carpools
from mobigo.store.ledger.reads import balances_cents, list_standing
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
    payout: Payout | None = None


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
        driven = [decisions[one.id] for one in kept if one.driver == pseudonym and one.id in decisions]
        payouts = find_payouts(session, pseudonym, driven)
        stands_there = balances_cents(session, (payable, receivable))
        fares = {
            one.id: _fare_cents(session, one, pseudonym, decisions[one.id].number)
            for one in kept
            if one.driver != pseudonym and one.id in decisions
        }
    carpools = []
    for one in kept:
        decision = decisions.get(one.id)
        is_driver = one.driver == pseudonym
        amount, told = -fares.get(one.id, 0), []
        payout = payouts.get(one.id) if one.state is CarpoolState.DECIDED else None
        if decision is not None and one.state is CarpoolState.DECIDED and is_driver:
            amount, told = decision.amount_cents, [step["text"] for step in decision.explanation]
        is_refused = decision is not None and decision.reason is not None
        carpools.append(OwnCarpool(one.id, one.end_at, is_driver, one.state, is_refused, amount, told, payout))
    return OwnMoney(-stands_there.get(payable, 0), stands_there.get(receivable, 0), carpools)


def _fare_cents(session: Session, carpool: KeptCarpool, passenger: str, number: int) -> Cents:
    """What a passenger owes for a carpool that was decided `number` times, by the entries that stand."""
    if carpool.state is not CarpoolState.DECIDED:
        return 0
    rides = [ride["ride_id"] for ride in json.loads(carpool.facts)["rides"] if ride["passenger"] == passenger]
    keys = [ledger.fare_key(ride_id, one) for ride_id in rides for one in range(1, number + 1)]
    fares = list_standing(session, keys).values()
    return sum(posting.cents for fare in fares for posting in fare.postings if posting.cents > 0)
