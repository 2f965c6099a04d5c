"""School coaches of the demonstration: a carrier under contract, cards of all pupils, some days of boardings.

Nearly everybody rides; a few pupils and those of two stops never come, and each day one driver forgets to say that the
coach is empty, so that fill control and the office's list have something to tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire import carding
from mobigo.services.scolaire.contracting import give_carrier, import_contract
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.studying import find_published
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import Person
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire.boardings import Kept, OnRun, Stage
from mobigo.store.scolaire.cards import activate
from mobigo.store.scolaire.sectors import load_sector
from mobigo.texts import text
from scolaire.boarding import Act, Why, expected_on
from scolaire.calendar import has_school
from scolaire.entitlement.files import first_day
from scolaire.plans import Run, SchoolPlan
from socle.errors import BadInput
from socle.times import PARIS

CARRIER: Final = "cars-de-demonstration"
N_DAYS: Final = 6
_RIDE: Final = 0.94
_NEVER: Final = 0.01
_EMPTY_STOPS: Final = 2
_CONTRACT: Final = """
id = "lots-scolaires-de-demonstration"
title = "{title}"
carrier_id = "{carrier}"
carrier = "{name}"
valid_from = {first}
lots = [{lots}]
kilometres = "driven"
vat_percent = "10"
penalties_most_percent = 20
{prices}
[[causes]]
code = "snow"
title = "Neige : circulation interdite"
fault = "nobody"
withheld_percent = 40

[[causes]]
code = "breakdown"
title = "Panne du car"
fault = "carrier"
withheld_percent = 100
penalty = "not_run"

[[penalties]]
code = "not_run"
title = "Course non effectuée"
euros = "150.00"
"""
_PRICES: Final = """
[[prices]]
lot = "{lot}"
day = "150.00"
km = "1.2000"
hour = "24.00"
"""


@dataclass(frozen=True, slots=True)
class Coaches:
    """What was entered."""

    n_cards: int
    n_boardings: int


def tell_coaches(
    engine: Engine, keys: Keys, sector_id: str, school_year: int, seed: int, carrier: Person | None, now: datetime
) -> Coaches:
    """Enter the carrier, the cards and the last days of boardings of a sector whose plan is published."""
    today = now.astimezone(PARIS).date()
    published = find_published(engine, keys, sector_id, max(today, first_day(school_year)))
    if published is None:
        return Coaches(0, 0)
    plan, actor = published.plan, "system:demo" if carrier is None else carrier.actor
    _tell_contract(engine, plan, school_year, carrier, now)
    office = Acting("system:demo", "demo", is_office=True)
    n_cards, _kept = carding.order_missing(engine, keys, office, sector_id, now)
    carding.deliver(engine, office, sector_id, now)
    chance = Random(seed)  # noqa: S311  a drawing that is to be the same on any machine
    with reading(engine) as session:
        pupils = load_sector(session, keys, sector_id).pupils
    homes = {one.pupil_id: tuple(home.days for home in one.homes) for one in pupils}
    never = {name for name in sorted(homes) if chance.random() < _NEVER}
    used = sorted({stop.stop_id for stop in plan.stops})
    empty = set(chance.sample(used, min(_EMPTY_STOPS, len(used))))
    told: list[tuple[OnRun, Kept]] = []
    with transaction(engine) as session:
        for day in _days(today, published.publication.valid_from):
            runs = [run for run in plan.runs if plan.periods[run.period].days >> day.weekday() & 1]
            forgotten = chance.randrange(len(runs)) if runs else 0
            for place, run in enumerate(runs):
                on = _on(plan, run, sector_id, day)
                told += _boardings(plan, run, on, homes, never, empty, chance, actor)
                stage = Stage.OPENED if place == forgotten else Stage.EMPTY
                ends = _at(day, run.ends_s)
                store.add_stage(session, on, f"demo-{day}-{run.run_id}", stage, actor, ends)
        n = store.add_many(session, told)
        activate(session, sector_id, {kept.pupil for _on_run, kept in told if kept.pupil is not None}, now)
    return Coaches(n_cards, n)


def _tell_contract(engine: Engine, plan: SchoolPlan, school_year: int, carrier: Person | None, now: datetime) -> None:
    lots = sorted({kind.lot for kind in plan.vehicle_types})
    document = _CONTRACT.format(
        title=text("cli.demo.school_contract"),
        carrier=CARRIER,
        name=text("cli.demo.school_carrier"),
        first=first_day(school_year).isoformat(),
        lots=", ".join(f'"{lot}"' for lot in lots),
        prices="".join(_PRICES.format(lot=lot) for lot in lots),
    )
    import_contract(engine, document.encode(), "system:demo", now)
    if carrier is not None:
        give_carrier(engine, carrier.reference, CARRIER, "system:demo", now)


def _days(today: date, first: date) -> Iterator[date]:
    """The last days with school before today; none where the calendar knows nothing."""
    day, n = today - timedelta(days=1), 0
    while day >= first and n < N_DAYS:
        try:
            is_school = has_school(day)
        except BadInput:
            return
        if is_school and day.weekday() < 5:  # no coach of the sector runs on Saturdays
            yield day
            n += 1
        day -= timedelta(days=1)


def _on(plan: SchoolPlan, run: Run, sector_id: str, day: date) -> OnRun:
    circuit = f"{sector_id.partition('-')[2]}/{run.circuit_id}"
    return OnRun(sector_id, day, circuit, run.run_id, plan.periods[run.period].direction)


def _boardings(
    plan: SchoolPlan,
    run: Run,
    on: OnRun,
    homes: dict[str, tuple[int, ...]],
    never: set[str],
    empty: set[str],
    chance: Random,
    actor: str,
) -> Iterator[tuple[OnRun, Kept]]:
    for one in expected_on(plan, run, on.day.weekday()):
        if chance.random() > _RIDE or one.pupil_id in never or one.stop_id in empty:
            continue
        days = homes.get(one.pupil_id, ())
        home = next((number for number, bits in enumerate(days) if bits >> on.day.weekday() & 1), None)
        name = f"demo-{on.day}-{run.run_id}-{one.rider}"
        at = _at(on.day, run.halts[one.up].arrives_s)
        yield (
            on,
            Kept(
                name,
                run.run_id,
                Act.BOARD,
                one.pupil_id,
                on.sector_id,
                home,
                one.stop_id,
                Why.EXPECTED,
                True,
                actor,
                at,
            ),
        )


def _at(day: date, seconds: int) -> datetime:
    return datetime.combine(day, time(), PARIS) + timedelta(seconds=seconds)
