"""Filling: what boardings of some days say of coaches, stops and pupils, for a planner, an office or an organiser.

Boardings are kept for two months (`retention.toml`): no more days than that are looked at together, and none before
the first boarding of the sector. A planner reads figures and what follows from them; the children whom nobody saw are
named to the office alone, which asks the family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.carding import names_of, pupils_of_places
from mobigo.services.scolaire.coaches import ways_away
from mobigo.services.scolaire.keeping import Kept
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.studying import find_published
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire import boardings as store
from mobigo.store.scolaire.boardings import Stage
from mobigo.store.scolaire.sectors import get_sector, open_ids
from scolaire.boarding import Expected, expected_on
from scolaire.calendar import has_school, is_known
from scolaire.fill import Fill, Outing, conclude, names_of_stops
from scolaire.plans import Run, SchoolPlan
from socle.errors import BadInput, Forbidden
from socle.findings import Finding
from socle.times import local_day

MOST_DAYS: Final = 62
USUAL_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Filled:
    """What was found of a sector over a range of days."""

    sector_id: str
    first: date
    last: date
    fill: Fill
    stops: dict[str, str]  # names
    study_id: str | None  # of the plan of the last day, in which a planner may act
    kept_since: date | None  # the first day of which boardings are there


def fill(
    engine: Engine, keys: Keys, sector_id: str, first: date, last: date, now: datetime, within: Acting | None = None
) -> Filled:
    """Boardings against registrations in a sector; `within` a local organiser, of its children alone.

    Raises:
        NotFound: `unknown_sector`.
        BadInput: `fill_days`: no day, a day to come, or more than two months; `calendar_unknown`.
    """
    if not first <= last <= local_day(int(now.timestamp())) or (last - first).days >= MOST_DAYS:
        raise BadInput("fill_days", most=MOST_DAYS)
    with reading(engine) as session:
        get_sector(session, sector_id)
        only = None
        if within is not None and within.places is not None:
            only = pupils_of_places(session, keys, sector_id, within.places)
        seen: dict[tuple[date, str], set[str]] = defaultdict(set)
        for day, run_id, pupil, _why in store.list_firsts(session, sector_id, first, last):
            seen[day, run_id].add(pupil or "")
        ended = {
            (one.day, one.run_id)
            for one in store.list_stages(session, sector_id, first, last)
            if one.stage is not Stage.OPENED
        }
        away = _Away(session, sector_id, first, last)
        since = store.oldest_day(session, sector_id)
    outings: list[Outing] = []
    stops: dict[str, str] = {}
    study_id = None
    expected: dict[tuple[str, str, int], tuple[Expected, ...]] = {}
    today = local_day(int(now.timestamp()))
    for day in () if since is None else _days(max(first, since), last):
        published = find_published(engine, keys, sector_id, day)
        if published is None:
            continue
        plan, study_id = published.plan, published.publication.study_id
        stops |= names_of_stops(plan)
        for run in plan.runs:
            if not plan.periods[run.period].days >> day.weekday() & 1:
                continue
            key = (published.publication.sha256, run.run_id, day.weekday())
            if key not in expected:
                expected[key] = expected_on(plan, run, day.weekday())
            pupils = seen.get((day, run.run_id), set())
            is_validated = bool(pupils) or (day, run.run_id) in ended
            if day == today and not is_validated:  # it may leave later
                continue
            outings.append(_outing(plan, run, away.of(day, expected[key], plan, run), pupils, is_validated))
    return Filled(sector_id, first, last, conclude(outings, stops, only), stops, study_id, since)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What follows from the boardings of the last weeks, for who changes the plan; nobody is named."""

    first: date
    last: date
    findings: tuple[Finding, ...]
    study_id: str | None  # of the plan that held on the last day


def propose(engine: Engine, keys: Keys, sector_id: str, now: datetime) -> Proposed | None:
    """What the boardings of four weeks until yesterday say of a sector; None without any, or outside the calendar.

    Every look at a study asks for it, and it is worked out once an hour: what is told of yesterday comes late at times.

    Raises:
        NotFound: `unknown_sector`.
    """
    last = local_day(int(now.timestamp())) - timedelta(days=1)
    first = last - timedelta(days=USUAL_DAYS - 1)
    with reading(engine) as session:
        newest = store.newest_day(session, sector_id)
    if newest is None or newest < first or not is_known(first) or not is_known(last):
        return None

    def make() -> Proposed:
        found = fill(engine, keys, sector_id, first, last, now)
        return Proposed(first, last, found.fill.findings, found.study_id)

    return _PROPOSED.get((engine, sector_id, now.replace(minute=0, second=0, microsecond=0)), make)


_PROPOSED: Final = Kept[Proposed](32)


def _outing(plan: SchoolPlan, run: Run, expected: tuple[Expected, ...], seen: set[str], is_validated: bool) -> Outing:
    n_others = len(seen - {one.pupil_id for one in expected})
    seats = plan.vehicle_types[run.vehicle_type].seats
    return Outing(run.circuit_id, run.run_id, seats, expected, frozenset(seen), n_others, is_validated=is_validated)


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        if has_school(day):
            yield day
        day += timedelta(days=1)


class _Away:
    """Absences of a range of days."""

    def __init__(self, session: Session, sector_id: str, first: date, last: date) -> None:
        self._told = store.list_away(session, sector_id, first, last)

    def of(self, day: date, expected: tuple[Expected, ...], plan: SchoolPlan, run: Run) -> tuple[Expected, ...]:
        """Those expected on a day without those who are away."""
        away = ways_away(self._told, day)
        if not away:
            return expected
        return expected_on(plan, run, day.weekday(), away)


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """A child whom nobody saw in any coach."""

    pupil: str
    name: str


def list_never_seen(engine: Engine, keys: Keys, acting: Acting, found: Filled, now: datetime) -> list[NeverSeen]:
    """The children whom nobody saw, by name or the office's id; that somebody looked is a line of the audit log.

    Raises:
        Forbidden: `not_allowed`.
    """
    if not acting.for_others:
        raise Forbidden("not_allowed")
    with transaction(engine) as session:
        pupils = found.fill.never_seen
        names = names_of(session, keys, found.sector_id, pupils)
        ids = open_ids(session, keys, found.sector_id) if pupils else {}
        record(
            session,
            AuditLine(
                now,
                acting.actor,
                "school.never_seen_read",
                facts={"sector_id": found.sector_id, "n": len(pupils)},
            ),
        )
    return sorted(
        (NeverSeen(one, names.get(one) or ids.get(one, "")) for one in pupils), key=lambda one: (one.name, one.pupil)
    )
