"""Boarding: who gets on and off a driver's run, and whether the coach is empty at its end.

What is told carries the id of the form that tells it, so that a double tap or a form sent again counts once; two
telephones on one run are one list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.boards import labels_of
from mobigo.services.scolaire.coaches import Coach, standing_of
from mobigo.services.scolaire.keeping import Kept
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.studying import PublishedPlan, find_published
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire import cards
from mobigo.store.scolaire.boardings import Kept as Event
from mobigo.store.scolaire.boardings import OnRun, Stage
from scolaire.boarding import (
    ANSWER_OF,
    Act,
    Answer,
    Seen,
    Who,
    Why,
    judge,
    runs_of_pupils,
    set_down_at,
)
from scolaire.cards import CardState, read_number, spelled
from scolaire.plans import SchoolPlan
from socle.errors import BadInput, Conflict, Fact
from socle.times import local_day

_TRIES: Final = 3
_EVENT: Final = re.compile(r"[A-Za-z0-9_-]{8,80}")
_RUNS: Final = Kept[dict[str, tuple[str, ...]]](32)  # by plan, weekday and direction


@dataclass(frozen=True, slots=True)
class Told:
    """What a driver is answered."""

    event_id: str
    why: Why
    label: str

    @property
    def answer(self) -> Answer:
        """Green, orange or red."""
        return ANSWER_OF[self.why]


def validate_number(
    engine: Engine, keys: Keys, coach: Coach, typed: str, stop_id: str, event_id: str, by: Teller, now: datetime
) -> Told:
    """What a driver is answered when somebody shows a card; kept once under the id of the form.

    Raises:
        BadInput: `card_number`: no card has such a number; `event_id`, `boarding_day`, `boarding_stop`.
        Conflict: `event_of_other_run`.
    """
    _check(coach, stop_id, event_id, now)
    number = read_number(typed)
    with reading(engine) as session:
        known = cards.find_by_number(session, keys, number)
    if known is None:
        return _tell(engine, keys, coach, Who(), None, None, stop_id, event_id, by, now, spelled(number))
    return _tell(engine, keys, coach, None, known.sector_id, known, stop_id, event_id, by, now, spelled(number))


def tick(
    engine: Engine,
    keys: Keys,
    coach: Coach,
    riders: Sequence[int],
    stop_id: str,
    form_id: str,
    by: Teller,
    now: datetime,
) -> list[Told]:
    """The same for children who are ticked on the list, by their places among the riders of the plan.

    Raises:
        BadInput: `event_id`, `boarding_day`, `boarding_stop`, `boarding_pupil`.
        Conflict: `event_of_other_run`.
    """
    _check(coach, stop_id, form_id, now)
    expected = {one.rider: one for one in coach.expected}
    if not riders or any(rider not in expected for rider in riders):
        raise BadInput("boarding_pupil")
    found = []
    for rider in dict.fromkeys(riders):
        who = Who(expected[rider].pupil_id, None, is_registered=True)
        told = _tell(engine, keys, coach, who, coach.on.sector_id, None, stop_id, f"{form_id}-{rider}", by, now, "")
        found.append(told)
    return found


def _tell(
    engine: Engine,
    keys: Keys,
    coach: Coach,
    who: Who | None,
    pupil_sector: str | None,
    card: cards.Known | None,
    stop_id: str,
    event_id: str,
    by: Teller,
    now: datetime,
    number: str,
) -> Told:
    """Judge and keep, and again when somebody else kept something meanwhile."""
    for _ in range(_TRIES):
        seen_elsewhere = _published_of(engine, keys, coach, pupil_sector)
        with transaction(engine) as session:
            known = store.find_event(session, event_id)
            if known is not None:
                return _same(session, keys, coach, known)
            person, home = _who(session, keys, coach, who, card)
            seen = _seen(session, coach, person, pupil_sector, seen_elsewhere)
            why = judge(person, _name(coach.on), stop_id, seen)
            is_first = person.pupil_id is not None and why is not Why.ALREADY and ANSWER_OF[why] is not Answer.RED
            kept = Event(
                event_id, coach.on.run_id, Act.BOARD, person.pupil_id, pupil_sector, home, stop_id, why, is_first,
                by.actor, now,
            )  # fmt: skip
            if not store.add_event(session, coach.on, kept):
                continue
            if card is not None and card.state is CardState.DELIVERED and ANSWER_OF[why] is not Answer.RED:
                cards.set_state(session, card.card_id, CardState.ACTIVE, now)
            return Told(event_id, why, number or _label(session, keys, coach, person.pupil_id))
    raise Conflict("boarding_at_once")


def _who(
    session: Session, keys: Keys, coach: Coach, who: Who | None, card: cards.Known | None
) -> tuple[Who, int | None]:
    weekday = coach.on.day.weekday()
    if card is not None:
        again = cards.get_state(session, card.card_id)
        is_registered, home = store.find_home(session, keys, card.sector_id, card.pupil, weekday)
        return Who(card.pupil, again, is_registered), home
    if who is None or who.pupil_id is None:
        return Who(), None
    return who, store.find_home(session, keys, coach.on.sector_id, who.pupil_id, weekday)[1]


def _published_of(engine: Engine, keys: Keys, coach: Coach, sector_id: str | None) -> PublishedPlan | None:
    """The plan of the child's sector on that day, when the child is of another sector than the coach."""
    if sector_id is None or sector_id == coach.on.sector_id:
        return None
    return find_published(engine, keys, sector_id, coach.on.day)


def _seen(session: Session, coach: Coach, who: Who, pupil_sector: str | None, elsewhere: PublishedPlan | None) -> Seen:
    pupil, on = who.pupil_id, coach.on
    if pupil is None or pupil_sector is None:
        return Seen()
    validated = store.list_validated(session, pupil_sector, on.day, pupil, on.direction)
    if pupil_sector != on.sector_id:
        runs = () if elsewhere is None else _runs(elsewhere.plan, elsewhere.publication.sha256, on).get(pupil, ())
        return Seen(None, False, [f"{pupil_sector}/{run}" for run in runs], validated)
    expected = next((one for one in coach.expected if one.pupil_id == pupil), None)
    others = [f"{on.sector_id}/{run}" for run in _runs(coach.plan, coach.sha256, on).get(pupil, ()) if run != on.run_id]
    riders = {rider for halt in coach.run.halts for rider in halt.up}
    is_of_run = any(coach.plan.riders[rider].pupil_id == pupil for rider in riders)
    return Seen(expected, is_of_run, others, validated)


def _runs(plan: SchoolPlan, sha256: str, on: OnRun) -> dict[str, tuple[str, ...]]:
    weekday = on.day.weekday()
    return _RUNS.get((sha256, weekday, on.direction), lambda: runs_of_pupils(plan, weekday, on.direction))


def _name(on: OnRun) -> str:
    return f"{on.sector_id}/{on.run_id}"


def _same(session: Session, keys: Keys, coach: Coach, known: tuple[OnRun, Event]) -> Told:
    on, kept = known
    if on != coach.on or kept.why is None:
        raise Conflict("event_of_other_run")
    return Told(kept.event_id, kept.why, _label(session, keys, coach, kept.pupil))


def find_told(engine: Engine, keys: Keys, coach: Coach, event_id: str) -> Told | None:
    """What was answered under an id on this run."""
    with reading(engine) as session:
        known = store.find_event(session, event_id)
        if known is None or known[0] != coach.on or known[1].why is None:
            return None
        return _same(session, keys, coach, known)


def _label(session: Session, keys: Keys, coach: Coach, pupil: str | None) -> str:
    return "" if pupil is None else labels_of(session, keys, coach, [pupil])[pupil][0]


def alight(
    engine: Engine,
    keys: Keys,
    coach: Coach,
    halt: int,
    riders: Sequence[int] | None,
    form_id: str,
    by: Teller,
    now: datetime,
) -> int:
    """Note that children get off at a halt: those ticked, or all who are to get off there by the plan; how many.

    Raises:
        BadInput: `event_id`, `boarding_day`, `boarding_stop`.
    """
    _check(coach, "", form_id, now)
    if not 0 <= halt < len(coach.run.halts):
        raise BadInput("boarding_stop")
    stop = coach.run.halts[halt].stop
    stop_id = "" if stop is None else coach.plan.stops[stop].stop_id
    with transaction(engine) as session:
        _stage, aboard = standing_of(store.list_of_run(session, coach.on), store.list_stages_of(session, coach.on))
        if riders is None:
            off = set_down_at(coach.expected, aboard, halt)
        else:
            named = {one.pupil_id for one in coach.expected if one.rider in riders}
            off = tuple(pupil for pupil in aboard.pupils if pupil in named)
        places = {one.pupil_id: one.rider for one in coach.expected}
        done = 0
        for pupil in off:
            event = f"{form_id}-d{places.get(pupil, 'x')}"
            home = store.find_home(session, keys, coach.on.sector_id, pupil, coach.on.day.weekday())[1]
            kept = Event(
                event, coach.on.run_id, Act.ALIGHT, pupil, coach.on.sector_id, home, stop_id, None, False, by.actor, now
            )
            done += store.add_event(session, coach.on, kept)
    return done


def count_guest(
    engine: Engine, coach: Coach, stop_id: str, event_id: str, by: Teller, now: datetime, *, is_off: bool = False
) -> None:
    """Note that somebody whom we do not know rides all the same, or got off.

    Raises:
        BadInput: `event_id`, `boarding_day`, `boarding_stop`.
    """
    _check(coach, stop_id, event_id, now)
    act = Act.GUEST_OFF if is_off else Act.GUEST
    with transaction(engine) as session:
        if store.find_event(session, event_id) is None:
            kept = Event(event_id, coach.on.run_id, act, None, None, None, stop_id, None, False, by.actor, now)
            store.add_event(session, coach.on, kept)


def end_run(engine: Engine, coach: Coach, event_id: str, by: Teller, now: datetime, *, is_empty: bool) -> None:
    """Note that a run is over, and whether the driver walked through the coach and nobody is in it.

    Raises:
        BadInput: `event_id`, `boarding_day`.
    """
    _check(coach, "", event_id, now)
    stage = Stage.EMPTY if is_empty else Stage.ENDED
    with transaction(engine) as session:
        if store.add_stage(session, coach.on, event_id, stage, by.actor, now):
            facts: dict[str, Fact] = {"circuit_id": coach.circuit_id, "run_id": coach.on.run_id, "empty": is_empty}
            record(session, AuditLine(now, by.actor, "school.run_ended", facts=facts))


def _check(coach: Coach, stop_id: str, event_id: str, now: datetime) -> None:
    if not _EVENT.fullmatch(event_id):
        raise BadInput("event_id")
    if coach.on.day != local_day(int(now.timestamp())):
        raise BadInput("boarding_day")
    stops = {coach.plan.stops[halt.stop].stop_id for halt in coach.run.halts if halt.stop is not None}
    if stop_id and stop_id not in stops:
        raise BadInput("boarding_stop")
