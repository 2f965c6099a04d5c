"""Screening: carpools are looked at by the fraud rules before they are decided; what is held waits for people.

People have 30 days; a carpool that waits longer is told first, stays undecided, and is never paid by silence.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Engine

from covoiturage.carpool import Carpool
from covoiturage.fraud.car import ends_seen
from covoiturage.fraud.checks import find_labels
from covoiturage.fraud.labels import Code, Known, Label, Person, Severity, Way
from mobigo.bridges.driving import Drives
from mobigo.security import Keys
from mobigo.services.covoiturage.declaring import write_cancelled
from mobigo.store.audit import AuditLine, read_why, record, spelled_why
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, KeptCarpool, get_carpool
from mobigo.store.covoiturage.holds import HeldCarpool as HeldCarpool  # doors name them
from mobigo.store.covoiturage.holds import Hold as Hold
from mobigo.store.covoiturage.holds import Verdict as Verdict
from mobigo.store.covoiturage.holds import (
    add_holds,
    decide_holds,
    each_whole,
    list_couples,
    list_held,
    list_held_of,
    list_holds,
    list_people_since,
    list_released_couples,
    list_unscreened,
    mark_screened,
    people_of,
)
from mobigo.store.garbage import rarely_collected
from mobigo.store.people.accounts import ibans_of
from socle.errors import Conflict, Fact, Forbidden

DECIDED_AFTER = timedelta(hours=48)
DECIDED_WITHIN = timedelta(days=30)  # by people
MONTH = timedelta(days=31)  # of carpools that the rules see together
# Two accounts may well share these: once people have said so of a couple, it is not asked again.
_SETTLED_ONCE = frozenset({Code.SAME_IBAN, Code.SAME_PHONE})


@dataclass(frozen=True, slots=True)
class Screened:
    """What a run looked at, how many labels are new."""

    n_carpools: int
    n_labels: int


@dataclass(frozen=True, slots=True)
class Case:
    """A carpool that people look at, with its labels; `others` of its driver wait for the same reasons or fewer."""

    carpool: KeptCarpool
    holds: Sequence[Hold]
    others: Sequence[str]
    passengers: Sequence[str]
    line_id: str | None
    official_m: int | None

    @property
    def waits(self) -> bool:
        """Whether it is to be decided."""
        return self.carpool.state is CarpoolState.CLOSED and any(_is_open(hold) for hold in self.holds)


def screen(engine: Engine, now: datetime, keys: Keys | None = None, drives: Drives | None = None) -> Screened:
    """Look at what is due and was not looked at, with the month before it; `keys` open bank accounts to compare them.

    With `drives`, metres and minutes are compared with those of the streets between where people were seen.

    A later day may show more of a carpool that waits: labels are added to all that nothing was decided about.
    """
    with rarely_collected(), reading(engine) as session:
        due, first = list_unscreened(session, now - DECIDED_AFTER)
        if first is None:
            return Screened(0, 0)
        since = first - MONTH
        known = Known(_accounts(session, keys, list_people_since(session, since)), {}, {})
        carpools = _each(session, since, due, known, drives)
        labels = [label for label in find_labels(carpools, known, due) if label.carpool_id in due or label.stops]
        in_order = list_released_couples(session, _SETTLED_ONCE)
        people = list_couples(session, [label.ride_id for label in labels if label.ride_id]) if in_order else {}
    labels = [label for label in labels if not _is_in_order(label, people, in_order)]
    with transaction(engine) as session:
        n_new = add_holds(session, labels, now)
        mark_screened(session, due, now)
    return Screened(len(due), n_new)


def _each(
    session: Session, since: datetime, due: Container[str], known: Known, drives: Drives | None
) -> Iterator[Carpool]:
    """The carpools that the rules see, one by one; what is known of one is put into `known` before it comes."""
    ways, declared_at = cast("dict[str, Way]", known.ways), cast("dict[str, datetime]", known.declared_at)
    for some in each_whole(session, since):
        declared_at.clear()  # they are asked for with the carpool alone
        ways.clear()
        declared_at |= {carpool.id: at for carpool, at in some}
        ways |= _ways([carpool for carpool, _at in some if carpool.id in due], drives)
        yield from (carpool for carpool, _at in some)


def _accounts(session: Session, keys: Keys | None, names: Collection[str]) -> Mapping[str, Person]:
    """What is known of these people, as keyed hashes."""
    if keys is None:
        return {}
    ibans = ibans_of(session, keys, names)
    return {name: Person(iban=keys.blind("iban", iban)) for name, iban in ibans.items()}


def _ways(carpools: Sequence[Carpool], drives: Drives | None) -> Mapping[str, Way]:
    """What the streets say of the rides whose passengers were seen at both ends."""
    if drives is None:
        return {}
    seen = {ride.id: ends_seen(ride) for carpool in carpools for ride in carpool.rides}
    ends = {ride: (start, end) for ride, (start, end) in seen.items() if start and end}
    driven = drives(list(ends.values()))
    return {ride: Way(None, None, *told) for ride, told in zip(ends, driven, strict=True) if told}


def _is_in_order(label: Label, people: Mapping[str, tuple[str, str]], in_order: set[tuple[str, str, str]]) -> bool:
    couple = people.get(label.ride_id or "")
    return couple is not None and (str(label.code), *couple) in in_order


def list_cases(engine: Engine, limit: int, skip: int = 0) -> tuple[int, Sequence[HeldCarpool]]:
    """How many carpools wait for people, and some of them, those that wait longest first."""
    with reading(engine) as session:
        return list_held(session, limit, skip)


def read_labels(engine: Engine, carpool_ids: Sequence[str]) -> Mapping[str, Sequence[Hold]]:
    """The labels of these carpools, the gravest first."""
    with reading(engine) as session:
        return list_holds(session, carpool_ids)


def read_case(engine: Engine, carpool_id: str, by: str, now: datetime) -> Case:
    """One carpool with its labels; the reading is written down.

    Raises:
        NotFound: `unknown_carpool`.
    """
    with transaction(engine) as session:
        case = _case(session, carpool_id)
        facts: dict[str, Fact] = {"carpool": carpool_id}
        for one in sorted(people_of(session, carpool_id)):
            record(session, AuditLine(now, by, "covoiturage.hold_read", f"person:{one}", facts=facts))
        return case


def find_verdict(engine: Engine, carpool_id: str, why: str) -> Verdict | None:
    """What was decided for that very reason about a carpool that waits no more.

    Raises:
        NotFound: `unknown_carpool`.
    """
    with reading(engine) as session:
        get_carpool(session, carpool_id)
        holds = [hold for hold in list_holds(session, [carpool_id])[carpool_id] if hold.verdict is not None]
    said = {hold.verdict for hold in holds if hold.why == spelled_why(why)}
    return said.pop() if len(said) == 1 else None


def decide_case(
    engine: Engine, carpool_id: str, verdict: Verdict, why: str, by: str, now: datetime, *, all_alike: bool
) -> int:
    """Release a carpool, so that it is decided as any, or refuse it, so that it is not paid; how many were.

    `all_alike`: the driver's others that wait for no other reasons go with it. A reason is asked for.

    Raises:
        BadInput: `why_missing`, `why_too_long`, `why_names_somebody`.
        Conflict: `hold_decided`: it waits no more.
        Forbidden: `own_carpool`.
        NotFound: `unknown_carpool`.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        case = _case(session, carpool_id)
        if not case.waits:
            raise Conflict("hold_decided", carpool=carpool_id)
        chosen = [carpool_id, *(case.others if all_alike else ())]
        for one in chosen:
            _refuse_own(session, by, one)
            n_labels = decide_holds(session, one, verdict, by, reason, now)
            facts: dict[str, Fact] = {"carpool": one, "hold_verdict": str(verdict), "n": n_labels}
            whose = _driver(get_carpool(session, one))
            record(session, AuditLine(now, by, "covoiturage.hold_decided", whose, reason, facts))
            if verdict is Verdict.REFUSED:
                write_cancelled(session, one, by, reason, now)
        return len(chosen)


def _case(session: Session, carpool_id: str) -> Case:
    carpool = get_carpool(session, carpool_id)
    others = [one for one in list_held_of(session, carpool.driver) if one != carpool_id]
    holds = list_holds(session, [carpool_id, *others])
    own = _open_codes(holds[carpool_id])
    alike = [one for one in others if _open_codes(holds[one]) <= own]
    facts = json.loads(carpool.facts)
    passengers = [ride["passenger"] for ride in facts["rides"]]
    return Case(carpool, holds[carpool_id], alike, passengers, facts["line_id"], facts["official_m"])


def _open_codes(holds: Sequence[Hold]) -> set[Code]:
    return {hold.code for hold in holds if _is_open(hold)}


def _is_open(hold: Hold) -> bool:
    return hold.verdict is None and hold.severity is not Severity.NOTE


def _driver(carpool: KeptCarpool) -> str:
    return f"person:{carpool.driver}"


def _refuse_own(session: Session, by: str, carpool_id: str) -> None:
    """Nobody judges a carpool that they drove or rode in.

    Raises:
        Forbidden: `own_carpool`.
    """
    if by.removeprefix("person:") in people_of(session, carpool_id):
        raise Forbidden("own_carpool")
