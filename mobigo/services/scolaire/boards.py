"""Boards: the list of a run as its driver, its carrier or the office looks at it.

Children stand on it with their first name and an initial, or with the number of their card where nobody told us a
name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.coaches import Coach, find_coach, is_overdue, standing_of
from mobigo.services.scolaire.noting import Teller
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire import cards
from mobigo.store.scolaire.applications import opened_fields
from mobigo.store.scolaire.boardings import Stage
from scolaire.boarding import Expected, Why
from scolaire.cards import spelled
from socle.errors import BadInput, Fact
from socle.times import local_day

MOST_AWAY: Final = timedelta(days=7)
"""How far from today a list of children is shown to a driver."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child on the list of a run: by its place among the riders of the plan, named as a driver may know it."""

    rider: int | None
    label: str
    card: str  # its number as printed, empty without a card
    stop: str
    is_away: bool
    is_aboard: bool
    has_boarded: bool
    why: Why | None  # what was answered when it got on


@dataclass(frozen=True, slots=True)
class HaltList:
    """A halt of a run: who gets on there, and who gets off."""

    place: int
    name: str
    stop_id: str
    arrives_s: int
    up: Sequence[Child]
    down: Sequence[Child]


@dataclass(frozen=True, slots=True)
class Board:
    """A run as its driver, its carrier or the office looks at it."""

    coach: Coach
    halts: Sequence[HaltList]
    others: Sequence[Child]  # aboard and not expected
    n_guests: int
    n_expected: int
    n_boarded: int
    n_aboard: int
    stage: Stage | None
    is_overdue: bool


def open_board(engine: Engine, keys: Keys, day: date, circuit_id: str, run_id: str, by: Teller, now: datetime) -> Board:
    """The list of a run. That somebody looks is a line of the audit log, once for each person, run and day.

    Raises:
        NotFound: `run_not_ordered`.
        BadInput: `calendar_unknown`; `boarding_day`: children are listed around their day and not later.
    """
    if abs(day - local_day(int(now.timestamp()))) > MOST_AWAY:
        raise BadInput("boarding_day")
    coach = find_coach(engine, keys, day, circuit_id, run_id, by)
    is_driver = by.carriers is not None
    stage_id = f"{coach.on.sector_id}/{day}/{run_id}/{by.actor}/{'driver' if is_driver else 'office'}"
    with reading(engine) as session:
        is_known = is_driver and store.has_stage(session, stage_id)
    if not is_known:
        with transaction(engine) as session:
            is_today = day == local_day(int(now.timestamp()))
            if is_driver and is_today:
                store.add_stage(session, coach.on, stage_id, Stage.OPENED, by.actor, now)
            facts: dict[str, Fact] = {"circuit_id": circuit_id, "run_id": run_id, "day": str(day)}
            record(session, AuditLine(now, by.actor, "school.board_read", facts=facts))
    with reading(engine) as session:
        return _board(session, keys, coach, now)


def _board(session: Session, keys: Keys, coach: Coach, now: datetime) -> Board:
    on, run, plan = coach.on, coach.run, coach.plan
    events = store.list_of_run(session, on)
    stage, aboard = standing_of(events, store.list_stages_of(session, on))
    whys = {one.pupil: one.why for one in reversed(events) if one.is_first and one.pupil is not None}
    expected = {one.pupil_id: one for one in coach.expected}
    strangers = [pupil for pupil in whys if pupil not in expected]
    labels = labels_of(session, keys, coach, [*expected, *strangers])
    names = {stop.stop_id: stop.name for stop in plan.stops}

    def child(pupil: str, one: Expected | None) -> Child:
        label, card = labels[pupil]
        stop = "" if one is None else names[one.stop_id]
        is_away = one is not None and one.is_away
        rider = None if one is None else one.rider
        return Child(rider, label, card, stop, is_away, pupil in aboard.pupils, pupil in whys, whys.get(pupil))

    halts = []
    for place, halt in enumerate(run.halts):
        up = [child(one.pupil_id, one) for one in coach.expected if one.up == place]
        down = [child(one.pupil_id, one) for one in coach.expected if one.down == place]
        stop_id = "" if halt.stop is None else plan.stops[halt.stop].stop_id
        name = plan.schools[halt.school].name if halt.school is not None else names[stop_id]
        order = lambda one: one.label  # noqa: E731  of both lists
        halts.append(HaltList(place, name, stop_id, halt.arrives_s, sorted(up, key=order), sorted(down, key=order)))
    others = [child(pupil, None) for pupil in strangers]
    return Board(
        coach,
        halts,
        [one for one in others if one.is_aboard],
        aboard.n_guests,
        sum(one.stands for one in coach.expected),
        len(whys),
        aboard.n,
        stage,
        is_overdue(run, on.day, stage, now),
    )


def labels_of(session: Session, keys: Keys, coach: Coach, pupils: Sequence[str]) -> dict[str, tuple[str, str]]:
    """How a driver may call each child, and the number of its card."""
    names = _short_names(session, keys, coach.on.sector_id, pupils)
    standing = cards.list_of_pupils(session, keys, coach.on.sector_id, pupils)
    places = {rider.pupil_id: at + 1 for at, rider in enumerate(coach.plan.riders)}
    found = {}
    for pupil in pupils:
        number = spelled(standing[pupil]) if pupil in standing else ""
        found[pupil] = (names.get(pupil) or number or f"n° {places.get(pupil, '?')}", number)
    return found


def _short_names(session: Session, keys: Keys, sector_id: str, pupils: Sequence[str]) -> dict[str, str]:
    found = {}
    for row in store.applications_of(session, sector_id, pupils):
        told = opened_fields(keys, row)
        first, last = told.get("prenom", "").strip(), told.get("nom_eleve", "").strip()
        found[row.pupil] = f"{first} {last[:1]}.".strip() if last else first
    return found
