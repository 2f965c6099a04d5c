"""Coaches: the runs of a day that somebody may see, whom each expects, and how it stands.

A carrier's account sees the runs of its own contracts and no other; for it there are none besides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.contracting import contracts_on, plan_year
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.studying import find_published
from mobigo.store.base import Session, reading
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire.boardings import Kept as Event
from mobigo.store.scolaire.boardings import KeptStage, OnRun, Stage
from mobigo.store.scolaire.sectors import list_sectors, sector_id_of
from scolaire.boarding import Aboard, Expected, expected_on, who_is_aboard
from scolaire.calendar import has_school
from scolaire.contracts.model import Contract
from scolaire.plans import Direction, Run, SchoolPlan
from socle.errors import NotFound
from socle.times import PARIS, local_day

LATE_S: Final = 15 * 60  # after its end a run that nobody ended is overdue
_WAYS: Final[Mapping[str, frozenset[Direction]]] = {
    "all": frozenset(Direction),
    "out": frozenset({Direction.TO_SCHOOL}),
    "back": frozenset({Direction.FROM_SCHOOL}),
}


@dataclass(frozen=True, slots=True)
class Coach:
    """A run of a day and the plan that it is of; `circuit_id` begins with its sector."""

    on: OnRun
    circuit_id: str
    plan: SchoolPlan
    run: Run
    sha256: str
    expected: tuple[Expected, ...]

    @property
    def is_to_school(self) -> bool:
        """Whether it goes to school."""
        return self.on.direction.is_to_school


@dataclass(frozen=True, slots=True)
class RunToday:
    """A run in the list of a day."""

    circuit_id: str
    run_id: str
    direction: Direction
    begins_s: int
    ends_s: int
    n_expected: int
    n_boarded: int
    n_aboard: int
    stage: Stage | None
    is_overdue: bool  # it is over, and nobody said that the coach is empty


def list_runs(engine: Engine, keys: Keys, day: date, by: Teller, now: datetime) -> list[RunToday]:
    """The runs of a day that somebody may see, by hour, with how they stand.

    Raises:
        BadInput: `calendar_unknown`.
    """
    if not has_school(day) or by.carriers == ():
        return []
    with reading(engine) as session:
        sectors = list_sectors(session, plan_year(day))
        lots = None if by.carriers is None else _lots(session, day, by.carriers)
    found: list[RunToday] = []
    for sector in sectors:
        published = find_published(engine, keys, sector.sector_id, day)
        if published is not None:
            with reading(engine) as session:
                found += _runs_of(session, sector.sector_id, sector.code, published.plan, day, lots, now)
    return sorted(found, key=lambda one: (one.begins_s, one.circuit_id, one.run_id))


def _runs_of(
    session: Session,
    sector_id: str,
    code: str,
    plan: SchoolPlan,
    day: date,
    lots: Collection[str] | None,
    now: datetime,
) -> list[RunToday]:
    away = away_on(session, sector_id, day)
    by_run: dict[str, list[Event]] = {}
    for one in store.list_of_day(session, sector_id, day):
        by_run.setdefault(one.run_id, []).append(one)
    stages: dict[str, list[KeptStage]] = {}
    for each in store.list_stages(session, sector_id, day, day):
        stages.setdefault(each.run_id, []).append(each)
    found = []
    for run in plan.runs:
        is_today = plan.periods[run.period].days >> day.weekday() & 1
        if not is_today or (lots is not None and plan.vehicle_types[run.vehicle_type].lot not in lots):
            continue
        events = by_run.get(run.run_id, [])
        stage, aboard = standing_of(events, stages.get(run.run_id, []))
        found.append(
            RunToday(
                f"{code}/{run.circuit_id}",
                run.run_id,
                plan.periods[run.period].direction,
                run.begins_s,
                run.ends_s,
                sum(one.stands for one in expected_on(plan, run, day.weekday(), away)),
                sum(one.is_first for one in events),
                aboard.n,
                stage,
                is_overdue(run, day, stage, now),
            )
        )
    return found


def standing_of(events: Sequence[Event], stages: Sequence[KeptStage]) -> tuple[Stage | None, Aboard]:
    """How a run stands, and who is aboard.

    Somebody who walked through the empty coach says so of that instant: it is no longer empty once somebody gets on.
    """
    order = (Stage.OPENED, Stage.ENDED, Stage.EMPTY)
    stage = max((one.stage for one in stages), key=order.index, default=None)
    empty_at = max((one.at for one in stages if one.stage is Stage.EMPTY), default=None)
    aboard = who_is_aboard(one.told for one in events if empty_at is None or one.at > empty_at)
    return (Stage.OPENED if stage is Stage.EMPTY and aboard.n else stage), aboard


def is_overdue(run: Run, day: date, stage: Stage | None, now: datetime) -> bool:
    """Whether a run that was begun is over and nobody said that the coach is empty."""
    if stage is None or stage is Stage.EMPTY:
        return False
    return stage is Stage.ENDED or day < local_day(int(now.timestamp())) or _clock_s(now) > run.ends_s + LATE_S


def _clock_s(now: datetime) -> int:
    at = now.astimezone(PARIS)
    return at.hour * 3600 + at.minute * 60 + at.second


def _lots(session: Session, day: date, carriers: Collection[str]) -> frozenset[str]:
    contracts: Mapping[str, Contract] = contracts_on(session, day)
    return frozenset(lot for one in contracts.values() if one.carrier_id in carriers for lot in one.lots)


def find_coach(engine: Engine, keys: Keys, day: date, circuit_id: str, run_id: str, by: Teller) -> Coach:
    """A run of a day for who may see it; for anybody else there is none.

    Raises:
        NotFound: `run_not_ordered`.
        BadInput: `calendar_unknown`.
    """
    nothing = NotFound("run_not_ordered", run=run_id[:64], day=day.isoformat())
    code, _, circuit = circuit_id.partition("/")
    if not has_school(day):
        raise nothing
    sector_id = sector_id_of(plan_year(day), code)
    published = find_published(engine, keys, sector_id, day)
    run = None if published is None else _run(published.plan, circuit, run_id, day)
    if published is None or run is None:
        raise nothing
    plan = published.plan
    with reading(engine) as session:
        if by.carriers is not None and plan.vehicle_types[run.vehicle_type].lot not in _lots(session, day, by.carriers):
            raise nothing
        away = away_on(session, sector_id, day)
    direction = plan.periods[run.period].direction
    on = OnRun(sector_id, day, circuit_id, run_id, direction)
    expected = expected_on(plan, run, day.weekday(), away)
    return Coach(on, circuit_id, plan, run, published.publication.sha256, expected)


def _run(plan: SchoolPlan, circuit: str, run_id: str, day: date) -> Run | None:
    for run in plan.runs:
        if run.run_id == run_id and run.circuit_id == circuit and plan.periods[run.period].days >> day.weekday() & 1:
            return run
    return None


def away_on(session: Session, sector_id: str, day: date) -> dict[str, frozenset[Direction]]:
    """Which ways children who were declared absent do not travel on a day."""
    return ways_away(store.list_away(session, sector_id, day, day), day)


def ways_away(told: Sequence[tuple[str, date, date, str, int]], day: date) -> dict[str, frozenset[Direction]]:
    """The same of absences that were read for more days than one."""
    found: dict[str, frozenset[Direction]] = {}
    for pupil, first, last, part, days in told:
        if first <= day <= last and days >> day.weekday() & 1:
            found[pupil] = found.get(pupil, frozenset()) | _WAYS[part]
    return found
