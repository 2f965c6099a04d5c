"""Families: what a guardian reads of a child: the right to go by coach and why, stop and times, days off, the card.

Times are those of the published plan on the days on which the child leaves from the guardian's own home; neither
guardian reads at which stop the child waits on the other's days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys, spelled_code
from mobigo.services.scolaire.messaging import alerts_for
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.studying import find_published
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire.absences import Absence as Absence  # doors name them
from mobigo.store.scolaire.absences import add_absence, list_absences, take_back
from mobigo.store.scolaire.application_steps import KeptStep as KeptStep
from mobigo.store.scolaire.application_steps import list_papers, list_steps
from mobigo.store.scolaire.applications import KeptApplication, KeptHome, find_by_code
from mobigo.store.scolaire.cards import Card as Card
from mobigo.store.scolaire.cards import find_of_pupil
from mobigo.store.scolaire.decisions import find_standing, get_document
from mobigo.store.scolaire.messages import Message as Message
from mobigo.store.scolaire.registered import find_school, list_stops
from scolaire.entitlement.books import read_book
from scolaire.entitlement.files import first_day
from scolaire.entitlement.judge import Judge
from scolaire.papers import Passage, days_waited, passages_of
from scolaire.plans import Direction, SchoolPlan
from scolaire.pupils import School, Stop
from scolaire.registration.model import Deed
from socle.errors import BadInput, Conflict, NotFound
from socle.times import local_day

PARTS: Final = ("all", "out", "back")
MOST_ABSENCES: Final = 60  # of one child, to come
_TOLD: Final = frozenset(set(Deed) - {Deed.LINK_MADE, Deed.CHANGED, Deed.STARTED})


_OF_ONE: Final = frozenset({Deed.APPEALED, Deed.APPEAL_ANSWERED, Deed.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided for one's own home, and the sentence that says why; none while nothing is."""

    home: KeptHome
    sentence: str | None
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class Times:
    """One ride: its days as bits, the coach, and when it is where."""

    days: int
    direction: Direction
    circuit_id: str
    stop: str
    stop_s: int
    school: str
    school_s: int


@dataclass(frozen=True, slots=True)
class ChildFile:
    """A child as one guardian may see it."""

    application: KeptApplication
    school: School | None
    rulings: Sequence[Ruling]
    stops: Mapping[str, Stop]
    is_published: bool
    times: Sequence[Times]
    absences: Sequence[Absence]
    alerts: Sequence[Message]
    card: Card | None  # the one that is not replaced
    papers: Mapping[str, datetime | None]
    steps: Sequence[KeptStep]


def read_child(engine: Engine, keys: Keys, acting: Acting, code: str, now: datetime) -> ChildFile:
    """What a guardian may read of a child.

    Raises:
        NotFound: `unknown_application`: no child of theirs has this code.
    """
    today = local_day(int(now.timestamp()))
    with reading(engine) as session:
        one = _own(session, keys, acting, code)
        own = one.homes_of(acting.pseudonym)
        found = ChildFile(
            application=one,
            school=find_school(session, one.sector_id, one.school_id),
            rulings=[_ruling(session, keys, one, home) for home in own],
            stops={stop.stop_id: stop for stop in list_stops(session, one.sector_id)},
            is_published=False,
            times=(),
            absences=list_absences(session, one.id, today),
            alerts=(),
            card=find_of_pupil(session, keys, one.sector_id, one.pupil),
            papers=list_papers(session, one.id),
            steps=[_read_by(step, one, acting) for step in list_steps(session, keys, one.id) if _concerns(step, own)],
        )
    children = {(one.sector_id, one.pupil, home.number) for home in own}
    found = replace(found, alerts=alerts_for(engine, keys, children, today))
    published = find_published(engine, keys, one.sector_id, max(today, first_day(one.school_year)))
    if published is None:
        return found
    times = list_times(published.plan, one.pupil, own, n_homes=len(one.homes))
    return replace(found, is_published=True, times=times)


def _concerns(step: KeptStep, own: Sequence[KeptHome]) -> bool:
    return step.deed in _TOLD and (step.home is None or step.home in {home.number for home in own})


def _read_by(step: KeptStep, one: KeptApplication, acting: Acting) -> KeptStep:
    """A step without the words that another guardian may have written."""
    is_shared = len({home.guardian for home in one.homes if home.guardian}) > 1
    if is_shared and step.home is None and step.deed in _OF_ONE and step.by != acting.actor:
        return replace(step, words="")
    return step


def _ruling(session: Session, keys: Keys, one: KeptApplication, home: KeptHome) -> Ruling:
    if home.verdict is None:
        return Ruling(home, None, ())
    if home.is_overridden:
        steps = list_steps(session, keys, one.id)
        said = [step.words for step in steps if step.deed is Deed.OVERRIDDEN and step.home == home.number]
        return Ruling(home, said[-1] if said else None, ())
    standing = find_standing(session, keys, one.sector_id, one.pupil).get(home.number)
    if standing is None:
        return Ruling(home, None, ())
    decision, facts = standing
    book = read_book(get_document(session, decision.book_version))
    return Ruling(home, Judge(book).sentence(facts, decision), decision.missing)


def list_times(plan: SchoolPlan, pupil: str, own: Sequence[KeptHome], n_homes: int) -> list[Times]:
    """The rides of a child on the days of one's own homes, by days, way and hour."""
    days = 0
    for home in own:
        days |= home.days
    found = []
    for passage in passages_of(plan):
        if plan.riders[passage.rider].pupil_id != pupil:
            continue
        ridden = _days_at(plan, passage, n_homes) & days
        if ridden:
            found.append(
                Times(
                    ridden,
                    plan.periods[passage.period].direction,
                    passage.circuit_id,
                    plan.stops[passage.stop].name,
                    passage.stop_s,
                    plan.schools[passage.school].name,
                    passage.school_s,
                )
            )
    return sorted(found, key=lambda one: (_first(one.days), one.stop_s))


def _first(days: int) -> int:
    return days & -days


def _days_at(plan: SchoolPlan, passage: Passage, n_homes: int) -> int:
    """The days of a ride; where two homes share its period, only those on which the child waits at its stop."""
    period = plan.periods[passage.period]
    days = days_waited(plan.riders[passage.rider], period, passage.stop)
    if days is None:
        return period.days if n_homes == 1 else 0
    return days


# --- days off -------------------------------------------------------------------------------------------


def declare_absence(
    engine: Engine, keys: Keys, acting: Acting, code: str, first: date, last: date, part: str, now: datetime
) -> None:
    """Say that a child does not come from one day to another.

    Raises:
        NotFound: `unknown_application`.
        BadInput: `absence_days`, `absence_part_unknown`.
        Conflict: `too_many_absences`.
    """
    today = local_day(int(now.timestamp()))
    if part not in PARTS:
        raise BadInput("absence_part_unknown")
    with transaction(engine) as session:
        one = _own(session, keys, acting, code)
        ends = date(one.school_year + 1, 8, 31)
        if not today <= first <= last <= ends:
            raise BadInput("absence_days")
        if len(list_absences(session, one.id, today)) >= MOST_ABSENCES:
            raise Conflict("too_many_absences")
        add_absence(session, one, acting.pseudonym, (first, last), part, now)
        _record(session, "school.absence_declared", one, acting, now)


def take_absence_back(engine: Engine, keys: Keys, acting: Acting, code: str, absence_id: str, now: datetime) -> None:
    """Say that the child comes after all.

    Raises:
        NotFound: `unknown_application`, `unknown_absence`.
    """
    with transaction(engine) as session:
        one = _own(session, keys, acting, code)
        take_back(session, one.id, absence_id, now)
        _record(session, "school.absence_taken_back", one, acting, now)


def _own(session: Session, keys: Keys, acting: Acting, code: str) -> KeptApplication:
    one = find_by_code(session, keys, spelled_code(code))
    if one is None or not one.homes_of(acting.pseudonym):
        raise NotFound("unknown_application")
    return one


def _record(session: Session, action: str, one: KeptApplication, acting: Acting, now: datetime) -> None:
    subject = f"person:{acting.pseudonym}"
    record(session, AuditLine(now, acting.actor, action, subject, facts={"application": one.id}))
