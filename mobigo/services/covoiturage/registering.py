"""Registering: what the national registry is told of the rides that were decided, one payload for each.

Who somebody is comes from the sealed accounts at that moment, and what identifies them is made for
the payload and kept nowhere. A ride whose people have no telephone number, or whose ends nobody
noted, cannot be told: it is named with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.fields import Document
from covoiturage.policy.caps import Counters, read_counters
from covoiturage.policy.facts import read_car
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import find_in_force
from covoiturage.policy.trips import CarJudge
from covoiturage.registry import Identity, RegistryRide, render_journey
from mobigo.security import Keys
from mobigo.services.covoiturage.declaring import local_day
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, transaction
from mobigo.store.covoiturage.carpools import KeptCarpool
from mobigo.store.covoiturage.decided import DecidedCarpool
from mobigo.store.covoiturage.evidence import find_ends
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.covoiturage.yearly import list_decided_between
from mobigo.store.ledger.reads import balances_cents
from mobigo.store.people.accounts import get_by_pseudonym, get_identity
from socle.errors import BadInput, Fact, NotFound
from socle.geo import LatLon
from socle.money import Cents
from socle.times import PARIS

_BEFORE_ALL, _AFTER_ALL = date(2019, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Untold:
    """A ride that cannot be told, and why."""

    ride_id: str
    why: BadInput | NotFound


def list_payloads(
    engine: Engine, keys: Keys, siret: str, first: date | None, last: date | None, by: str, now: datetime
) -> Iterator[Document | Untold]:
    """What the registry is told of the rides whose cars arrived on these local days; the log says whose were read.

    Raises:
        BadInput: `bad_siret`.
    """
    check_siret(siret)
    since = datetime.combine(first or _BEFORE_ALL, datetime.min.time(), PARIS)
    until = datetime.combine((last or _AFTER_ALL) + timedelta(days=1), datetime.min.time(), PARIS)
    with transaction(engine) as session:
        policies = {(policy.id, policy.version): policy for policy in list_in_force(session)}
        for one in list_decided_between(session, since, until):
            policy = policies[one.decision.policy_id, one.decision.policy_sha256]
            people = {one.carpool.driver}
            for ride in json.loads(one.carpool.facts)["rides"]:
                people.add(ride["passenger"])
                yield _payload(session, keys, siret, one.carpool, ride, _shares(one, policy))
            facts: dict[str, Fact] = {"carpool": one.carpool.id}
            for name in sorted(people):
                record(session, AuditLine(now, by, "covoiturage.registry_exported", f"person:{name}", facts=facts))


def check_siret(siret: str) -> str:
    """The fourteen digits of who pays the incentives.

    Raises:
        BadInput: `bad_siret`.
    """
    if not (siret.isascii() and siret.isdigit() and len(siret) == len("12345678901234")):
        raise BadInput("bad_siret")
    return siret


def _shares(one: DecidedCarpool, policy: Policy) -> Mapping[str, Cents]:
    """What each ride brought of the amount: the decision made again from what it saw."""
    judge = CarJudge(policy, budget_cents=one.decision.budget_cents)
    car, counters = read_car(json.loads(one.carpool.facts)), read_counters(list(one.decision.counters_before))
    return judge.shares(judge.decide(car, counters))


def estimate_shares(session: Session, carpool: KeptCarpool) -> Mapping[str, Cents]:
    """What each ride would bring by the rules of its day, before limits; of what was promised when that is less."""
    policy = find_in_force(list_in_force(session), local_day(None, carpool.end_at))
    if policy is None:
        return {}
    granted = ledger.budget_granted_of(policy.id).code
    has_budget = bool(balances_cents(session, [granted]).get(granted, 0))
    judge = CarJudge(policy, budget_cents=carpool.reserved_cents if has_budget else None)
    return judge.shares(judge.decide(read_car(json.loads(carpool.facts)), Counters()))


def told_ride(
    session: Session,
    keys: Keys,
    siret: str,
    carpool: KeptCarpool,
    ride: Mapping[str, object],
    shares: Mapping[str, Cents],
) -> RegistryRide:
    """A ride as the registry takes it, with who its people are.

    Raises:
        BadInput, NotFound: it cannot be told.
    """
    ride_id = str(ride["ride_id"])
    start, end = _ends(session, carpool.id, ride_id)
    return RegistryRide(
        ride_id,
        carpool.id,
        str(ride["operator_class"] or "A"),
        datetime.fromisoformat(str(ride["board_at"])),
        start,
        datetime.fromisoformat(str(ride["alight_at"])),
        end,
        int(str(ride["distance_m"])),
        int(str(ride["seats"])),
        _identity(session, keys, carpool.driver, over_18=None),
        0,  # passengers pay the Region, not the driver
        _identity(session, keys, str(ride["passenger"]), over_18=ride["passenger_is_over_18"] is True or None),
        int(str(ride["contribution_cents"])),
        shares.get(ride_id, 0),
        siret,
    )


def _payload(
    session: Session,
    keys: Keys,
    siret: str,
    carpool: KeptCarpool,
    ride: Mapping[str, object],
    shares: Mapping[str, Cents],
) -> Document | Untold:
    try:
        return render_journey(told_ride(session, keys, siret, carpool, ride, shares))
    except (BadInput, NotFound) as error:
        return Untold(str(ride["ride_id"]), error)


def _ends(session: Session, carpool_id: str, ride_id: str) -> tuple[LatLon, LatLon]:
    ends = find_ends(session, carpool_id).get(ride_id, {})
    if not {"board", "alight"} <= set(ends):
        raise NotFound("ends_unknown", ride=ride_id)
    return ends["board"], ends["alight"]


def _identity(session: Session, keys: Keys, pseudonym: str, *, over_18: bool | None) -> Identity:
    person = get_identity(session, keys, get_by_pseudonym(session, pseudonym).person_id)
    # An account has one field for the whole name; the last word is what the registry calls the family name.
    words = person.name.split()
    return Identity(pseudonym, person.phone, words[-1] if words else "", over_18)
