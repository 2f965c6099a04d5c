"""Noting: what happened on the road: runs that did not take place, breaches, services ordered besides.

What the office or a carrier tells of a day counts in the month's statement until somebody takes it back, with a
reason; each is a line of the audit log.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.contracting import Placed, contracts_on, list_circuits, runs_on
from mobigo.services.scolaire.contracting import Teller as Teller  # doors name it
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.scolaire import contracts as store
from mobigo.store.scolaire.contracts import Event as Event  # doors name them
from mobigo.store.scolaire.contracts import EventKind as EventKind
from scolaire.calendar import first_of, month_before
from scolaire.contracts.model import Contract
from scolaire.contracts.orders import Circuit
from socle.errors import BadInput, Conflict, Fact, Forbidden, NotFound

MOST_WHY: Final = 300
MOST_BACK: Final = timedelta(days=400)
MOST_TIMES: Final = 100


def tell_not_run(
    engine: Engine, keys: Keys, day: date, about: str, run_id: str, cause: str, why: str, by: Teller, now: datetime
) -> Event:
    """Note that a run did not take place.

    Raises:
        BadInput: `event_day`, `why_missing`, `why_too_long`, `unknown_cause`, `calendar_unknown`.
        NotFound: `run_not_ordered` on that day, or not of that carrier.
        Conflict: `told_already`, `month_closed` for a carrier.
    """
    placed = _find_run(engine, keys, day, about, run_id, by, now)
    if placed.contract.find_cause(cause) is None:
        raise BadInput("unknown_cause", cause=cause[:40])
    event = _event(EventKind.NOT_RUN, day, about, cause, why, by, now)
    return _add(engine, placed.contract, replace(event, run_id=run_id), now)


def tell_breach(
    engine: Engine,
    keys: Keys,
    day: date,
    about: str,
    penalty: str,
    n: int,
    why: str,
    by: Teller,
    now: datetime,
    key: str = "",
) -> Event:
    """Note what a carrier did otherwise than agreed, so many times, once under the key of its form.

    Raises:
        BadInput: `event_day`, `why_missing`, `why_too_long`, `unknown_penalty`, `event_times`.
        NotFound: `run_not_ordered`: that circuit had no run on that day.
    """
    placed = _find_run(engine, keys, day, about, None, by, now)
    if placed.contract.find_penalty(penalty) is None:
        raise BadInput("unknown_penalty", penalty=penalty[:40])
    if not 1 <= n <= MOST_TIMES:
        raise BadInput("event_times", most=MOST_TIMES)
    event = _event(EventKind.BREACH, day, about, penalty, why, by, now, key)
    return _add(engine, placed.contract, replace(event, n=n), now)


def order_extra(
    engine: Engine,
    day: date,
    reference: str,
    lot: str,
    type_id: str,
    metres: int,
    seconds: int,
    has_day: bool,
    why: str,
    by: Teller,
    now: datetime,
    key: str = "",
) -> Event:
    """Order a service besides the plan, once under the key of its form.

    Raises:
        BadInput: `event_day`, `why_missing`, `why_too_long`, `reference_missing`, `extra_amounts`.
        NotFound: `unknown_lot`: no contract has it on that day.
    """
    _check_day(day, now)
    if not reference.strip() or len(reference) > 64:
        raise BadInput("reference_missing")
    if not (0 <= metres <= 2_000_000 and 0 <= seconds <= 86_400) or not (metres or seconds or has_day):
        raise BadInput("extra_amounts")
    with reading(engine) as session:
        contracts = [one for one in contracts_on(session, day).values() if lot in one.lots]
    if not contracts or contracts[0].find_prices(lot, type_id) is None:
        raise NotFound("unknown_lot", lot=lot[:64])
    event = _event(EventKind.EXTRA, day, reference.strip(), lot, why, by, now, key)
    told = replace(event, type_id=type_id, metres=metres, seconds=seconds, has_day=has_day)
    return _add(engine, contracts[0], told, now)


def take_back(engine: Engine, event_id: str, why: str, by: Teller, now: datetime) -> Event:
    """Take back what was told.

    Raises:
        BadInput: `why_missing`, `why_too_long`.
        NotFound: `unknown_event`.
        Forbidden: `told_by_another`: a carrier takes back only what it told itself.
        Conflict: `taken_back_already`.
    """
    why = _checked_why(why)
    with transaction(engine) as session:
        event = store.get_event(session, event_id)
        if by.carriers is not None and event.told_for not in by.carriers:
            raise Forbidden("told_by_another")
        taken = store.take_back(session, event_id, by.actor, why, now)
        facts: dict[str, Fact] = {"circuit_id": event.about, "day": str(event.day)}
        record(session, AuditLine(now, by.actor, "school.event_taken_back", "", why, facts))
    return taken


def get_told(engine: Engine, event_id: str) -> Event:
    """One of the things that were told.

    Raises:
        NotFound: `unknown_event`.
    """
    with reading(engine) as session:
        return store.get_event(session, event_id)


def list_told(engine: Engine, first: date, last: date) -> list[Event]:
    """Everything that was told of these days, also what was taken back."""
    with reading(engine) as session:
        return store.list_events(session, first, last, standing=False)


def _find_run(
    engine: Engine, keys: Keys, day: date, about: str, run_id: str | None, by: Teller, now: datetime
) -> Placed:
    _check_day(day, now)
    for placed in runs_on(engine, keys, day, by.carriers):
        if placed.circuit.circuit_id == about and run_id in (None, placed.outing.run_id):
            return placed
    raise NotFound("run_not_ordered", run=(run_id or about)[:64], day=day.isoformat())


def _check_day(day: date, now: datetime) -> None:
    if not now.date() - MOST_BACK <= day <= now.date() + MOST_BACK:
        raise BadInput("event_day")


def _checked_why(why: str) -> str:
    why = why.strip()
    if not why:
        raise BadInput("why_missing")
    if len(why) > MOST_WHY:
        raise BadInput("why_too_long", most=MOST_WHY)
    return why


def _event(
    kind: EventKind, day: date, about: str, code: str, why: str, by: Teller, now: datetime, key: str = ""
) -> Event:
    told_for = by.carriers[0] if by.carriers else None
    why = _checked_why(why)
    return Event(
        key or secrets.token_hex(8), kind, day, about, "", code, "", 1, 0, 0, False, by.actor, told_for, now, why
    )


def _add(engine: Engine, contract: Contract, event: Event, now: datetime) -> Event:
    told = replace(event, told_for=contract.carrier_id) if event.told_for is not None else event
    with transaction(engine) as session:
        closed = store.find_statement(session, contract.id, f"{event.day:%Y-%m}")
        if told.told_for is not None and closed is not None and closed.approved_by is not None:
            raise Conflict("month_closed", month=f"{event.day:%Y-%m}")
        if not store.add_event(session, told):
            return store.get_event(session, told.event_id)  # told a moment ago, by the same form
        facts: dict[str, Fact] = {"circuit_id": told.about, "day": str(told.day)}
        action = {
            EventKind.NOT_RUN: "school.not_run_told",
            EventKind.BREACH: "school.breach_told",
            EventKind.EXTRA: "school.extra_ordered",
        }[told.kind]
        record(session, AuditLine(now, told.told_by, action, "", told.why, facts))
    return told


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be told of a month of a contract: its circuits and the kinds of vehicles that it has prices for."""

    circuits: tuple[str, ...]
    types: tuple[str, ...]


def list_choices(engine: Engine, keys: Keys, contract: Contract, month: str) -> Choices:
    """What may be told of a month.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`.
    """
    with reading(engine) as session:
        circuits = list_circuits(session, keys, month)
    own = [one for one in circuits.values() if one.lot in contract.lots]
    types = {one.type_id for one in own} | {one.type_id for one in contract.prices if one.type_id is not None}
    return Choices(tuple(sorted(one.circuit_id for one in own)), tuple(sorted(types)))


def list_told_of(engine: Engine, keys: Keys, contract: Contract, month: str) -> list[Event]:
    """Everything that was told of the days of a month and is of a contract, also what was taken back.

    Raises:
        BadInput: `bad_month`, `calendar_unknown`.
    """
    first, last = first_of(month), first_of(month_before(month, -1)) - timedelta(days=1)
    with reading(engine) as session:
        events = store.list_events(session, first, last, standing=False)
        circuits = list_circuits(session, keys, month) if events else {}
    lots = {event.event_id: _lot(event, circuits) for event in events}
    return [one for one in events if lots[one.event_id] is None or lots[one.event_id] in contract.lots]


def _lot(event: Event, circuits: Mapping[str, Circuit]) -> str | None:
    """The lot that an event is of; None of a circuit that no plan of the month has any more."""
    if event.kind is EventKind.EXTRA:
        return event.code
    circuit = circuits.get(event.about)
    return None if circuit is None else circuit.lot
