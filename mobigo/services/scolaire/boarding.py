"""Boarding: a driver's run of the day, who is expected and who gets on, who is aboard, and whether the coach is empty.

A carrier's account sees the runs of its own contracts and no other. What is told carries the id of the form that tells
it, so that a double tap or a form sent again counts once; two telephones on one run are one list. Children stand on a
driver's page with their first name and an initial, or with the number of their card where nobody told us a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.contracting import contracts_on, plan_year
from mobigo.services.scolaire.keeping import Kept
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.studying import PublishedPlan, find_published
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire import cards
from mobigo.store.scolaire.applications import opened_fields
from mobigo.store.scolaire.boardings import Kept as Event
from mobigo.store.scolaire.boardings import OnRun, Stage
from mobigo.store.scolaire.sectors import list_sectors, sector_id_of
from scolaire.boarding import (
    ANSWER_OF,
    Aboard,
    Act,
    Answer,
    Expected,
    Seen,
    Who,
    Why,
    expected_on,
    judge,
    runs_of_pupils,
    set_down_at,
    who_is_aboard,
)
from scolaire.calendar import has_school
from scolaire.cards import CardState, read_number, spelled
from scolaire.contracts.model import Contract
from scolaire.plans import Direction, Run, SchoolPlan
from socle.errors import BadInput, Conflict, Fact, NotFound
from socle.times import PARIS, local_day

MOST_AWAY: Final = timedelta(days=7)
"""How far from today a list of children is shown to a driver."""
LATE_S: Final = 15 * 60  # after its end a run that nobody ended is overdue
_TRIES: Final = 3
_EVENT: Final = re.compile(r"[A-Za-z0-9_-]{8,80}")
_WAYS: Final[Mapping[str, frozenset[Direction]]] = {
    "all": frozenset(Direction),
    "out": frozenset({Direction.TO_SCHOOL}),
    "back": frozenset({Direction.FROM_SCHOOL}),
}
_RUNS: Final = Kept[dict[str, tuple[str, ...]]](32)  # by plan, weekday and direction


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
        return self.on.direction is Direction.TO_SCHOOL


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


# --- which runs --------------------------------------------------------------------------------------


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
    stages: dict[str, list[Stage]] = {}
    for each in store.list_stages(session, sector_id, day, day):
        stages.setdefault(each.run_id, []).append(each.stage)
    found = []
    for run in plan.runs:
        is_today = plan.periods[run.period].days >> day.weekday() & 1
        if not is_today or (lots is not None and plan.vehicle_types[run.vehicle_type].lot not in lots):
            continue
        events, stage = by_run.get(run.run_id, []), _stage(stages.get(run.run_id, []))
        aboard = who_is_aboard(one.told for one in events)
        found.append(
            RunToday(
                f"{code}/{run.circuit_id}",
                run.run_id,
                plan.periods[run.period].direction,
                run.begins_s,
                run.ends_s,
                sum(one.stands for one in expected_on(plan, run, day.weekday(), away)),
                sum(one.is_first for one in events),
                0 if stage is Stage.EMPTY else aboard.n,
                stage,
                _is_overdue(run, day, stage, now),
            )
        )
    return found


def _stage(stages: Sequence[Stage]) -> Stage | None:
    """The furthest one: once somebody walked through the empty coach it is empty."""
    order = (Stage.OPENED, Stage.ENDED, Stage.EMPTY)
    return max(stages, key=order.index, default=None)


def _is_overdue(run: Run, day: date, stage: Stage | None, now: datetime) -> bool:
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


# --- looking -----------------------------------------------------------------------------------------


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
    stage = _stage(
        [one.stage for one in store.list_stages(session, on.sector_id, on.day, on.day) if one.run_id == on.run_id]
    )
    aboard = Aboard() if stage is Stage.EMPTY else who_is_aboard(one.told for one in events)
    whys = {one.pupil: one.why for one in reversed(events) if one.is_first and one.pupil is not None}
    expected = {one.pupil_id: one for one in coach.expected}
    strangers = [pupil for pupil in whys if pupil not in expected]
    labels = _labels(session, keys, coach, [*expected, *strangers])
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
        _is_overdue(run, on.day, stage, now),
    )


def _labels(session: Session, keys: Keys, coach: Coach, pupils: Sequence[str]) -> dict[str, tuple[str, str]]:
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


# --- who gets on and off -----------------------------------------------------------------------------


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
    return "" if pupil is None else _labels(session, keys, coach, [pupil])[pupil][0]


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
        aboard = who_is_aboard(one.told for one in store.list_of_run(session, coach.on))
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
