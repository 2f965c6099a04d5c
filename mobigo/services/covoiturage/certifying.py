"""Certifying: what somebody drove and rode in a year, on paper, with a code that anybody can check.

The code holds the year and the figures themselves, sealed by a key of this installation: whoever
checks it learns nothing that is not printed beside it, and nothing is stored. Only what is older
than six days counts, as the law of the forfait mobilités durables has it for data of the registry.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import asdict, astuple, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from covoiturage import ledger
from covoiturage.policy.facts import read_car
from covoiturage.policy.trips import paid_metres
from covoiturage.proof import ProofClass
from mobigo.security import Keys
from mobigo.services.covoiturage.declaring import local_day
from mobigo.store.base import Session, reading
from mobigo.store.covoiturage.decided import DecidedCarpool
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.covoiturage.yearly import OwnPayment as OwnPayment  # told on pages
from mobigo.store.covoiturage.yearly import list_decided_of, list_payments_of
from mobigo.store.ledger.reads import list_standing
from socle.errors import BadInput, NotFound
from socle.money import Cents
from socle.times import PARIS

OLDER_THAN = timedelta(days=6)
FIRST_YEAR = 2019  # of the lines
_PURPOSE = "certificates of carpooling"
_SEAL_BYTES = 16
_MOST_CODE = 300  # letters
_PROVEN = frozenset({ProofClass.B, ProofClass.C})


@dataclass(frozen=True, slots=True)
class Certificate:
    """One year: trips, metres and cents as a driver (received) and as a passenger (paid), as of a day."""

    year: int
    driver_trips: int
    driver_metres: int
    driver_cents: Cents
    passenger_trips: int
    passenger_metres: int
    passenger_cents: Cents
    made_on: str  # YYYY-MM-DD


def certify(engine: Engine, pseudonym: str, year: int, now: datetime) -> Certificate:
    """The figures of one person and civil year, by the Region's clock, of what ended more than six days ago.

    Raises:
        BadInput: `bad_year`: before the lines, or not begun.
    """
    today = now.astimezone(PARIS).date()
    if not FIRST_YEAR <= year <= today.year:
        raise BadInput("bad_year", first=FIRST_YEAR, last=today.year)
    since, until = (datetime(each, 1, 1, tzinfo=PARIS) for each in (year, year + 1))
    with reading(engine) as session:
        decided = list_decided_of(session, pseudonym, since, min(until, now - OLDER_THAN))
        counted = [one for one in decided if one.decision.reason is None and one.decision.reversed_at is None]
        rules = {(policy.id, policy.version): policy.car for policy in list_in_force(session)}
        driven = [one for one in counted if one.carpool.driver == pseudonym]
        driver_metres = 0
        for one in driven:
            car = read_car(json.loads(one.carpool.facts))
            version = rules[one.decision.policy_id, one.decision.policy_sha256]
            driver_metres += paid_metres(car, car.rides, version)
        rides = [(one, ride) for one in counted for ride in _own_rides(one, pseudonym)]
        paid = sum(_fares(session, one, pseudonym) for one in counted if one.carpool.driver != pseudonym)
    return Certificate(
        year,
        len(driven),
        driver_metres,
        sum(one.decision.amount_cents for one in driven),
        len(rides),
        sum(int(ride["distance_m"]) for _, ride in rides),
        paid,
        today.isoformat(),
    )


def render_code(keys: Keys, certificate: Certificate) -> str:
    """The code of a certificate: its figures and their seal."""
    told = ".".join(str(value) for value in astuple(certificate)).encode()
    return base64.urlsafe_b64encode(told + _seal(keys, told)).decode().rstrip("=")


def read_code(keys: Keys, code: str) -> Certificate:
    """The figures that a code seals.

    Raises:
        NotFound: `unknown_certificate`: it is none of ours, or was altered.
    """
    try:
        if len(code) > _MOST_CODE:
            raise ValueError
        raw = base64.b64decode(code.encode("ascii") + b"=" * (-len(code) % 4), altchars=b"-_", validate=True)
        told, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
        if not hmac.compare_digest(seal, _seal(keys, told)):
            raise ValueError
        *figures, made_on = told.decode("ascii").split(".")
        year, driven, driver_m, received, ridden, passenger_m, paid = map(int, figures)
        day = date.fromisoformat(made_on).isoformat()
        certificate = Certificate(year, driven, driver_m, received, ridden, passenger_m, paid, day)
    except (ValueError, TypeError):
        raise NotFound("unknown_certificate") from None
    if render_code(keys, certificate) != code:
        raise NotFound("unknown_certificate")
    return certificate


def list_receipts(engine: Engine, pseudonym: str) -> list[OwnPayment]:
    """The payments made to somebody, the latest first."""
    with reading(engine) as session:
        return list(list_payments_of(session, pseudonym))


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One carpool of a statement: what it brought a driver, what it cost a passenger (below zero)."""

    carpool_id: str
    day: date
    is_driver: bool
    cents: Cents
    explanation: list[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """What one month of carpools brought and cost somebody, line by line, and the payment of that month."""

    month: str
    lines: list[StatementLine]
    payment: OwnPayment | None

    @property
    def total_cents(self) -> Cents:
        """The sum of the lines."""
        return sum(line.cents for line in self.lines)


def read_statement(engine: Engine, pseudonym: str, month: str) -> Statement:
    """The decided carpools of one month of somebody; `month` is YYYY-MM, checked by the caller."""
    year, number = int(month[:4]), int(month[5:])
    since = datetime(year, number, 1, tzinfo=PARIS)
    until = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=PARIS)
    lines = []
    with reading(engine) as session:
        for one in list_decided_of(session, pseudonym, since, until):
            is_driver = one.carpool.driver == pseudonym
            cents = one.decision.amount_cents if is_driver else -_fares(session, one, pseudonym)
            told = [step["text"] for step in one.decision.explanation] if is_driver else []
            day = local_day(None, one.carpool.end_at)
            lines.append(StatementLine(one.carpool.id, day, is_driver, cents, told))
        payments = list_payments_of(session, pseudonym)
    return Statement(month, lines, next((one for one in payments if one.month == month), None))


def as_dict(statement: Statement) -> dict[str, object]:
    """A statement as plain values."""
    return {**asdict(statement), "total_cents": statement.total_cents}


def _own_rides(one: DecidedCarpool, pseudonym: str) -> list[dict[str, Any]]:
    rides = json.loads(one.carpool.facts)["rides"]
    return [ride for ride in rides if ride["passenger"] == pseudonym and ride["operator_class"] in _PROVEN]


def _fares(session: Session, one: DecidedCarpool, pseudonym: str) -> Cents:
    """What somebody owes for their rides in a carpool, by the entries that stand."""
    rides = [str(ride["ride_id"]) for ride in _own_rides(one, pseudonym)]
    numbers = range(1, one.decision.number + 1)
    fares = list_standing(session, [ledger.fare_key(ride_id, number) for ride_id in rides for number in numbers])
    return sum(posting.cents for fare in fares.values() for posting in fare.postings if posting.cents > 0)


def _seal(keys: Keys, told: bytes) -> bytes:
    return hmac.digest(keys.derive(_PURPOSE), told, "sha256")[:_SEAL_BYTES]
