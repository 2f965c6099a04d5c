"""Carpools: where one stands, as each of its people may see it: on its way, declared, decided, cancelled.

The driver sees every ride and no passenger's name, a passenger the own ride alone, an operator the
carpools it declared, whole. To everybody else a carpool is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine

from covoiturage.boarding import Outing, Rider
from covoiturage.payments import Payout as Payout  # named in the signatures of doors
from covoiturage.payments import PayoutState
from covoiturage.proof import ProofClass
from mobigo.services.covoiturage.declaring import write_cancelled
from mobigo.services.covoiturage.paid import find_payouts, payout_sentence
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, KeptCarpool, get_carpool, list_verdicts
from mobigo.store.covoiturage.decisions import last_decision
from mobigo.store.covoiturage.outings import get_outing
from mobigo.store.ledger.reads import get_entry
from mobigo.texts import text
from socle.errors import NotFound
from socle.money import Cents


class Part(StrEnum):
    """What somebody is in a carpool."""

    DRIVER = "driver"
    PASSENGER = "passenger"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class ToldRide:
    """One ride: `alight_at` once it is over, its proof once the carpool is declared."""

    ride_id: str
    passenger: str  # empty for those who may not know
    seats: int
    board_at: datetime
    alight_at: datetime | None
    board_stop: str
    alight_stop: str
    distance_m: int | None
    proof_class: str
    proof_why: str


@dataclass(frozen=True, slots=True)
class ToldCarpool:
    """A carpool as one of its people may see it; `state` is open, closed, decided or cancelled."""

    carpool_id: str
    part: Part
    state: str
    line_id: str | None
    start_at: datetime
    end_at: datetime | None
    rides: Sequence[ToldRide]


@dataclass(frozen=True, slots=True)
class ToldDecision:
    """What a carpool is worth to who asks; `entry_key` names the entry of the books that says so."""

    carpool_id: str
    state: str
    amount_cents: Cents | None
    reason: str
    policy_id: str
    policy_sha256: str
    facts_sha256: str
    explanation: Sequence[str]
    entry_key: str
    state_label: str
    payout: Payout | None = None  # told to who is paid, or reads all money


def operator_scope(pseudonym: str) -> str:
    """What the keys of one operator's declarations begin with."""
    return f"api:{pseudonym}:"


def get_told(engine: Engine, carpool_id: str, who: str) -> ToldCarpool:
    """A carpool, as `who` may see it.

    Raises:
        NotFound: `unknown_carpool`, also when it is of others.
    """
    with reading(engine) as session:
        outing, kept = _find(session, carpool_id)
        part = _part_of(carpool_id, who, outing, kept)
        verdicts = list_verdicts(session, carpool_id) if kept is not None else {}
    if outing is not None:
        rides = [_of_rider(rider, outing, verdicts) for rider in outing.riders.values()]
        line_id, start_at, end_at = outing.line_id, outing.opened_at, kept.end_at if kept is not None else None
        state = str(kept.state) if kept is not None else str(outing.state)
    elif kept is not None:
        facts = json.loads(kept.facts)
        rides = [_of_facts(ride, verdicts) for ride in facts["rides"]]
        line_id, start_at, end_at = facts["line_id"], datetime.fromisoformat(facts["start_at"]), kept.end_at
        state = str(kept.state)
    else:
        raise NotFound("unknown_carpool", carpool=carpool_id)
    shown = [ride for ride in rides if part is not Part.PASSENGER or ride.passenger == who]
    if part is not Part.OPERATOR:
        shown = [_without_name(ride) for ride in shown]
    return ToldCarpool(carpool_id, part, state, line_id, start_at, end_at, shown)


def get_decision(engine: Engine, carpool_id: str, who: str, *, may_read_all: bool = False) -> ToldDecision:
    """What was decided about a carpool: to its driver and operator the amount, to a passenger the fare.

    Raises:
        NotFound: `unknown_carpool`, also when it is of others or still on its way.
    """
    with reading(engine) as session:
        outing, kept = _find(session, carpool_id)
        part = Part.OPERATOR if may_read_all else _part_of(carpool_id, who, outing, kept)
        if kept is None:
            raise NotFound("unknown_carpool", carpool=carpool_id)
        decision = last_decision(session, carpool_id)
        if decision is None or kept.state is not CarpoolState.DECIDED:
            return ToldDecision(
                carpool_id,
                kept.state,
                None,
                "",
                kept.policy_id or "",
                "",
                kept.facts_sha256,
                (),
                "",
                _label(kept.state),
            )
        label = _label("refused" if decision.reason else kept.state)
        about = (decision.policy_id, decision.policy_sha256, decision.facts_sha256)
        if part is Part.PASSENGER:
            fares = list(_fares(session, kept, who))
            cents = -sum(fare for _key, fare in fares)
            key = fares[0][0] if fares else ""
            return ToldDecision(carpool_id, kept.state, cents, "", *about, (), key, label)
        key = f"carpool:{carpool_id}:decision:{decision.number}"
        steps = [step["text"] for step in decision.explanation]
        reason = decision.reason or ""
        label = next((step for step in steps if reason and step.startswith(label)), label)  # « Refusé : … »
        payout = find_payouts(session, kept.driver, [decision]).get(carpool_id)
        if payout is not None and payout.state is PayoutState.PAID:
            label = payout_sentence(payout)  # « Versé le … »
        return ToldDecision(carpool_id, kept.state, decision.amount_cents, reason, *about, steps, key, label, payout)


def _label(state: str) -> str:
    return text(f"web.covoiturage.mine.state.{state}")


def cancel_declared(engine: Engine, carpool_id: str, who: str, why: str, actor: str, now: datetime) -> None:
    """Undo a carpool that was declared whole: by its operator, or by its driver.

    Raises:
        NotFound: `unknown_carpool`.
        Conflict: `cancelled_already`.
    """
    with transaction(engine) as session:
        kept = get_carpool(session, carpool_id)
        if _part_of(carpool_id, who, None, kept) is Part.PASSENGER:
            raise NotFound("unknown_carpool", carpool=carpool_id)
        write_cancelled(session, carpool_id, actor, why, now)


def is_outing(engine: Engine, carpool_id: str) -> bool:
    """Whether a carpool is, or was, followed on its way by us."""
    with reading(engine) as session:
        return _find(session, carpool_id)[0] is not None


def _find(session: Session, carpool_id: str) -> tuple[Outing | None, KeptCarpool | None]:
    outing, kept = None, None
    with suppress(NotFound):
        outing = get_outing(session, carpool_id)
    with suppress(NotFound):
        kept = get_carpool(session, carpool_id)
    return outing, kept


def _part_of(carpool_id: str, who: str, outing: Outing | None, kept: KeptCarpool | None) -> Part:
    driver = outing.driver if outing is not None else kept.driver if kept is not None else ""
    if who == driver:
        return Part.DRIVER
    if outing is not None and who in outing.riders:
        return Part.PASSENGER
    if kept is not None and kept.key.startswith(operator_scope(who)):
        return Part.OPERATOR
    if kept is not None and any(ride["passenger"] == who for ride in json.loads(kept.facts)["rides"]):
        return Part.PASSENGER
    raise NotFound("unknown_carpool", carpool=carpool_id)


def _of_rider(rider: Rider, outing: Outing, verdicts: dict[str, ProofClass | str]) -> ToldRide:
    up, down = rider.boarded, rider.alighted
    metres = {stop.stop_id: stop.distance_m for stop in outing.stops}
    length = None if down is None else abs(metres[down.stop_id] - metres[up.stop_id])
    ends = (up.at, None if down is None else down.at, up.stop_id, "" if down is None else down.stop_id, length)
    return ToldRide(rider.ride_id, rider.passenger, up.seats, *ends, *_proof(rider.ride_id, verdicts))


def _of_facts(ride: dict[str, str | int], verdicts: dict[str, ProofClass | str]) -> ToldRide:
    at, ride_id = {name: datetime.fromisoformat(str(ride[name])) for name in ("board_at", "alight_at")}, ride["ride_id"]
    ends = (at["board_at"], at["alight_at"], "", "", int(ride["distance_m"]))
    return ToldRide(str(ride_id), str(ride["passenger"]), int(ride["seats"]), *ends, *_proof(str(ride_id), verdicts))


def _proof(ride_id: str, verdicts: dict[str, ProofClass | str]) -> tuple[str, str]:
    verdict = verdicts.get(ride_id, "")
    return (str(verdict), "") if isinstance(verdict, ProofClass) else ("", verdict)


def _without_name(ride: ToldRide) -> ToldRide:
    values = {name: getattr(ride, name) for name in ToldRide.__slots__}
    return ToldRide(**values | {"passenger": ""})


def _fares(session: Session, kept: KeptCarpool, passenger: str) -> Sequence[tuple[str, Cents]]:
    """The entries of what a passenger owes for the rides of a carpool."""
    found = []
    for ride in json.loads(kept.facts)["rides"]:
        key = f"ride:{ride['ride_id']}:fare"
        if ride["passenger"] == passenger:
            try:
                entry = get_entry(session, key).read().entry
            except NotFound:
                continue  # a ride that does not count costs nothing
            found.append((key, sum(posting.cents for posting in entry.postings if posting.cents > 0)))
    return found
