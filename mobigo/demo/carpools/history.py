"""History: what the population did, through the ordinary doors, at the hour at which it would have happened.

Carpools are declared, looked at, decided, entered; each month that is over is proposed by the clerk's
account and approved by the approver's, the bank answers, and it is published. The last month that is
over waits for its approval, and what the rules hold of the last weeks for somebody who decides, so
that who tries the demonstration finds something to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

from sqlalchemy import Engine

from covoiturage.carpool import Carpool, facts_of, render_facts
from mobigo.demo.carpools.offers import offer_seats
from mobigo.demo.carpools.population import N_COMMUTERS, Population, make_population
from mobigo.security import Keys, Role
from mobigo.services.covoiturage.declaring import Sent, cancel, write_all_declared
from mobigo.services.covoiturage.opening import publish_month
from mobigo.services.covoiturage.paying import approve_batch, confirm, get_batch, list_all_months, prepare_batch
from mobigo.services.covoiturage.screening import Verdict, decide_case, list_cases
from mobigo.services.covoiturage.settling import settle
from mobigo.services.people.fictitious import ACTOR, email_of
from mobigo.store.base import Session, reading, transaction
from mobigo.store.people.accounts import Identity, add_person, find_by_contact, get_identity, set_identity
from mobigo.store.releases import find_current
from mobigo.texts import text
from socle.times import PARIS

Progress = Callable[[int, int], None]  # carpools declared, of how many
_KEY = "demo:"
_DECIDED_ON, _PREPARED_ON, _APPROVED_ON, _PUBLISHED_ON, _ANSWERED_ON, _LOOKED_ON = 3, 4, 5, 6, 9, 20


@dataclass(frozen=True, slots=True)
class Told:
    """What was entered."""

    n_people: int
    n_carpools: int
    months: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where it happens, and who acts: the actors of the clerk, the approver and the inspector."""

    engine: Engine
    keys: Keys
    data_dir: Path
    clerk: str
    approver: str
    inspector: str


def tell_history(
    engine: Engine,
    keys: Keys,
    data_dir: Path,
    seed: int,
    now: datetime,
    progress: Progress = lambda _n, _of: None,
    n_commuters: int = N_COMMUTERS,
) -> Told | None:
    """Enter the history of the population up to `now`; None where carpools are known already, or no such accounts."""
    if list_all_months(engine):
        return None
    with reading(engine) as session:
        played = {role: find_by_contact(session, keys, "email", email_of(role)) for role in Role}
    wanted = (Role.FINANCE_CLERK, Role.FINANCE_APPROVER, Role.INSPECTOR)
    actors = [person.actor for role in wanted if (person := played[role]) is not None]
    driver, rider = played[Role.DRIVER], played[Role.TRAVELLER]
    if len(actors) < len(wanted) or driver is None or rider is None:
        return None
    scene = _Scene(engine, keys, data_dir, *actors)
    today = now.astimezone(PARIS).date()
    population = make_population(seed, today, n_commuters)
    names = _enter_people(scene, population, {population.driver: driver.person_id, population.rider: rider.person_id})
    due = [(at, carpool) for at, carpool in population.carpools if at <= now]
    acts = [*_declarations(scene, due, names, progress), *_acts_of_months(scene, population, today, due)]
    for at, act in sorted(acts, key=lambda one: one[0]):
        if at <= now:
            act(at)
    offer_seats(engine, [carpool for _at, carpool in due], names, now)
    return Told(len(names), len(due), [one.month for one, _batch in list_all_months(engine)])


# --- people ----------------------------------------------------------------------------------


def _enter_people(scene: _Scene, population: Population, played: Mapping[str, str]) -> Mapping[str, str]:
    """Make accounts for all; the pseudonym of each. Two are played by accounts that are there."""
    joined = datetime.combine(date(2020, 1, 6), datetime.min.time(), UTC)
    names = {}
    with transaction(scene.engine) as session:
        for name, one in population.people.items():
            if name in played:
                names[name] = _lend(session, scene.keys, played[name], one.iban)
            else:
                identity = Identity(one.name, one.email, one.phone, one.iban)
                names[name] = add_person(session, scene.keys, identity, joined).pseudonym
    return names


def _lend(session: Session, keys: Keys, person_id: str, iban: str) -> str:
    """Give an account of the demonstration the bank account of the one that it plays."""
    set_identity(session, keys, person_id, replace(get_identity(session, keys, person_id), iban=iban))
    return keys.pseudonym(person_id)


def _of(carpool: Carpool, names: Mapping[str, str]) -> Carpool:
    """The carpool with the pseudonyms of its people; who are not of the population keep their name."""

    def name(one: str) -> str:
        return names.get(one, one)

    rides = tuple(
        replace(
            ride,
            passenger=name(ride.passenger),
            evidence=tuple(replace(one, by=name(one.by)) for one in ride.evidence),
        )
        for ride in carpool.rides
    )
    return replace(carpool, driver=name(carpool.driver), rides=rides)


# --- what happens ----------------------------------------------------------------------------

_Act = tuple[datetime, Callable[[datetime], None]]


def _declarations(
    scene: _Scene, due: Sequence[tuple[datetime, Carpool]], names: Mapping[str, str], progress: Progress
) -> Iterator[_Act]:
    """What is declared on a day, as one piece of work."""
    n_done = 0
    for _day, piece in groupby(due, key=lambda one: one[0].date()):
        told = list(piece)
        n_done += len(told)

        def declare(_at: datetime, told: list[tuple[datetime, Carpool]] = told, n_done: int = n_done) -> None:
            with transaction(scene.engine) as session:
                # Those who cheat are refused at the door: what became of each is not looked at.
                write_all_declared(session, [_sent(_of(carpool, names), at) for at, carpool in told], ACTOR)
            progress(n_done, len(due))

        yield told[-1][0], declare


def _sent(carpool: Carpool, at: datetime) -> Sent:
    return Sent(carpool, f"{_KEY}{carpool.id}", hashlib.sha256(render_facts(facts_of(carpool, {}))).hexdigest(), at)


def _acts_of_months(
    scene: _Scene, population: Population, today: date, due: Sequence[tuple[datetime, Carpool]]
) -> Iterator[_Act]:
    """What the Region's people do in each month, and what the service does by itself."""
    months = sorted({f"{carpool.end_at.astimezone(PARIS):%Y-%m}" for _at, carpool in due})
    last = f"{(today.replace(day=1) - timedelta(days=1)):%Y-%m}"  # that is over
    for month in months:
        over = _first_of_next(month)

        def on(day: int, over: date = over) -> datetime:
            return datetime(over.year, over.month, day, 9, tzinfo=PARIS).astimezone(UTC)

        def decide(at: datetime, month: str = month) -> None:
            settle(scene.engine, month, at, keys=scene.keys)

        def prepare(at: datetime, month: str = month) -> None:
            prepare_batch(scene.engine, month, scene.clerk, at)

        def approve(at: datetime, month: str = month) -> None:
            approve_batch(scene.engine, month, scene.approver, at)

        def publish(at: datetime, month: str = month) -> None:
            if find_current(scene.data_dir) is not None:
                publish_month(scene.engine, scene.data_dir, month, ACTOR, at)

        def answer(at: datetime, month: str = month) -> None:
            _answer(scene, month, at)

        def look(at: datetime, over: date = over) -> None:
            _look(scene, population.planted, over, at)

        if month > last:
            yield datetime(today.year, today.month, today.day, tzinfo=UTC), decide
            continue
        yield on(_DECIDED_ON), decide
        yield on(_PREPARED_ON), prepare
        yield on(_PUBLISHED_ON), publish
        if month < last:
            yield on(_APPROVED_ON), approve
            yield on(_ANSWERED_ON), answer
            yield on(_LOOKED_ON), look
            yield on(_LOOKED_ON) + timedelta(hours=1), decide
    yield _dispute(scene, population, due, last)


def _first_of_next(month: str) -> date:
    return (date.fromisoformat(f"{month}-01") + timedelta(days=32)).replace(day=1)


def _answer(scene: _Scene, month: str, at: datetime) -> None:
    """The bank pays everybody but one, whose account it does not know."""
    items = [one.item.end_to_end_id for one in get_batch(scene.engine, month).items]
    lines = [f"{one},{'rejected' if one == items[-1] and len(items) > 1 else 'paid'}" for one in items]
    if lines:
        confirm(scene.engine, "\n".join(["end_to_end_id,state", *lines]).encode(), scene.clerk, at)


def _look(scene: _Scene, planted: frozenset[str], over: date, at: datetime) -> None:
    """Somebody looks at what is held of the months before: who cheats is refused, who does not is let go."""
    refused, released = text("cli.demo.carpool_refused"), text("cli.demo.carpool_released")
    _n, held = list_cases(scene.engine, 1_000)
    for one in held:
        if one.end_at.astimezone(PARIS).date() < over:
            verdict, why = (Verdict.REFUSED, refused) if one.carpool_id in planted else (Verdict.RELEASED, released)
            decide_case(scene.engine, one.carpool_id, verdict, why, scene.inspector, at, all_alike=False)


def _dispute(scene: _Scene, population: Population, due: Sequence[tuple[datetime, Carpool]], last: str) -> _Act:
    """One carpool of the driver that visitors play is disputed by a passenger after it was paid, and undone."""
    mine = [
        carpool
        for _at, carpool in due
        if carpool.driver == population.driver
        and f"{carpool.end_at:%Y-%m}" < last
        and carpool.id not in population.scenario
    ]

    def undo(at: datetime) -> None:
        if mine:
            cancel(scene.engine, mine[-1].id, scene.inspector, text("cli.demo.carpool_disputed"), at)

    return datetime.combine(_first_of_next(last), datetime.min.time(), UTC) - timedelta(days=2), undo
