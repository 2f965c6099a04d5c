"""Studying: plans of a sector kept, changed, undone, and published by a person.

Whoever changes a study says at which turn of it they looked; when somebody else changed it since, nothing happens
and `study_moved_on` says so. What is published holds from a day on until another plan does; nothing is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.keeping import Kept
from mobigo.services.scolaire.looking import look
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire import publications
from mobigo.store.scolaire import studies as store
from mobigo.store.scolaire.publications import Publication as Publication
from mobigo.store.scolaire.searches import is_being_written
from mobigo.store.scolaire.sectors import KeptSector, find_pseudonyms, get_sector, list_sectors
from mobigo.store.scolaire.studies import Act as Act  # doors name them
from mobigo.store.scolaire.studies import JournalLine as JournalLine
from mobigo.store.scolaire.studies import Study as Study
from mobigo.store.scolaire.studies import Version as Version
from scolaire.planfiles import read_plan, render_plan
from scolaire.plans import Ride, SchoolPlan, rides_of
from socle.errors import BadInput, Conflict, NotFound

MOST_TITLE: Final = 100
_PLANS: Final = Kept[SchoolPlan](8)  # by the hash of the file


@dataclass(frozen=True, slots=True)
class SectorStudies:
    """A sector with its studies, the newest first, and what was published of it, the newest first."""

    sector: KeptSector
    studies: Sequence[Study]
    heads: Mapping[str, Version]  # where each study stands
    publications: Sequence[Publication]
    figures: Mapping[str, int] | None  # of what holds on the day that was asked for


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """A study with the plan of its head."""

    study: Study
    sector: KeptSector
    plan: SchoolPlan
    versions: Sequence[Version]
    journal: Sequence[JournalLine]  # the newest first
    before: int | None  # the version that undoing leads to
    after: int | None  # and redoing
    published: Sequence[Publication]  # of this study, the newest first


# --- making and looking --------------------------------------------------------------------------


def add_study(
    engine: Engine,
    keys: Keys,
    sector_id: str,
    title: str,
    plan: bytes,
    actor: str,
    why: str,
    now: datetime,
    data_dir: Path | None = None,
) -> Study:
    """Begin a study with a plan file, whose pupils are named by the office's ids or by their pseudonyms.

    Raises:
        BadInput: `study_title`, `plan_unreadable`, `plan_version_unknown`, `plan_of_other_sector`, `plan_twice`.
        NotFound: `unknown_sector`.
    """
    return add_plan(engine, keys, sector_id, title, read_plan(plan), actor, why, now, data_dir)


def add_plan(
    engine: Engine,
    keys: Keys,
    sector_id: str,
    title: str,
    given: SchoolPlan,
    actor: str,
    why: str,
    now: datetime,
    data_dir: Path | None = None,
) -> Study:
    """Begin a study with a plan.

    Raises:
        BadInput: `study_title`, `plan_of_other_sector`, `plan_twice`.
        NotFound: `unknown_sector`.
    """
    title = title.strip()
    if not 0 < len(title) <= MOST_TITLE:
        raise BadInput("study_title")
    with transaction(engine) as session:
        get_sector(session, sector_id)
        named = [each.pupil_id for each in given.riders] + [each.pupil_id for each in given.not_served]
        known = find_pseudonyms(session, keys, sector_id, named)
        told = _under_pseudonyms(given, sector_id, known)
        content, figures = render_plan(told), look(told, data_dir).figures
        study = store.add_study(session, keys, sector_id, title, content, actor, why, now, figures)
        facts = {"sector_id": sector_id, "study_id": study.study_id}
        record(session, AuditLine(now, actor, "school.study_made", "", why, facts))
    return study


def _under_pseudonyms(plan: SchoolPlan, sector_id: str, known: Mapping[str, str]) -> SchoolPlan:
    """The plan with pseudonyms for ids.

    Rows of a file that are nobody's are told as not served by who makes a plan from files: they are left out.
    """
    strangers = sum(rider.pupil_id not in known for rider in plan.riders)
    if strangers:
        raise BadInput("plan_of_other_sector", sector=sector_id, n=strangers)
    riders = tuple(replace(rider, pupil_id=known[rider.pupil_id]) for rider in plan.riders)
    if len({rider.pupil_id for rider in riders}) < len(riders):
        raise BadInput("plan_twice", sector=sector_id)
    left = tuple(replace(each, pupil_id=known[each.pupil_id]) for each in plan.not_served if each.pupil_id in known)
    return replace(plan, riders=riders, not_served=left)


def list_year(engine: Engine, school_year: int, day: date) -> list[SectorStudies]:
    """The sectors of a school year with their studies, and what was published; figures of what holds on a day."""
    with reading(engine) as session:
        sectors = list_sectors(session, school_year)
        ids = [sector.sector_id for sector in sectors]
        studies = store.list_studies(session, ids)
        heads = store.list_heads(session, studies)
        said = publications.list_publications(session, ids)
        found = []
        for sector in sectors:
            own = [one for one in studies if one.sector_id == sector.sector_id]
            published = [one for one in said if one.sector_id == sector.sector_id]
            holds = publications.find_publication(session, sector.sector_id, day)
            figures = None if holds is None else store.get_version(session, holds.study_id, holds.version).figures
            found.append(
                SectorStudies(sector, own, {one.study_id: heads[one.study_id] for one in own}, published, figures)
            )
    return found


def open_study(engine: Engine, keys: Keys, study_id: str, n_lines: int = 20) -> OpenStudy:
    """A study, the plan of its head, and the last lines of its journal.

    Raises:
        NotFound: `unknown_study`.
    """
    with reading(engine) as session:
        study = store.get_study(session, study_id)
        said = publications.list_publications(session, [study.sector_id])
        return OpenStudy(
            study,
            get_sector(session, study.sector_id),
            _plan(session, keys, study_id, study.head),
            store.list_versions(session, study_id),
            store.list_journal(session, keys, study_id, most=n_lines),
            store.find_before(session, study),
            store.find_after(session, study),
            [one for one in said if one.study_id == study_id],
        )


def get_head(engine: Engine, keys: Keys, study_id: str) -> tuple[Study, SchoolPlan]:
    """A study and the plan of its head, and nothing else.

    Raises:
        NotFound: `unknown_study`.
    """
    with reading(engine) as session:
        study = store.get_study(session, study_id)
        return study, _plan(session, keys, study_id, study.head)


def get_turn(engine: Engine, keys: Keys, study_id: str) -> tuple[Study, SchoolPlan, bool]:
    """As `get_head`, with whether there is a change to undo.

    Raises:
        NotFound: `unknown_study`.
    """
    with reading(engine) as session:
        study = store.get_study(session, study_id)
        return study, _plan(session, keys, study_id, study.head), store.find_before(session, study) is not None


def get_plan(engine: Engine, keys: Keys, study_id: str, version: int) -> SchoolPlan:
    """The plan of a version.

    Raises:
        NotFound: `unknown_study`, `unknown_study_version`.
    """
    with reading(engine) as session:
        store.get_study(session, study_id)
        return _plan(session, keys, study_id, version)


def list_since(engine: Engine, keys: Keys, study_id: str, turn: int) -> list[JournalLine]:
    """What happened to a study after a turn, the newest first: for whom `study_moved_on` was said."""
    with reading(engine) as session:
        return store.list_journal(session, keys, study_id, turn)


def _plan(session: Session, keys: Keys, study_id: str, version: int) -> SchoolPlan:
    sha256 = store.get_version(session, study_id, version).sha256
    return _PLANS.get(sha256, lambda: read_plan(store.load_plan(session, keys, study_id, version)))


# --- changing ------------------------------------------------------------------------------------


def change(
    engine: Engine,
    keys: Keys,
    study_id: str,
    turn: int,
    plan: SchoolPlan,
    edit: Any,
    actor: str,
    why: str,
    now: datetime,
    data_dir: Path | None = None,
) -> Study:
    """Keep the plan that came of an edit of the head, and move the head to it; `edit` is the change as JSON.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`.
    """
    _study, before = get_head(engine, keys, study_id)
    content, figures = render_plan(plan), look(plan, data_dir, before).figures
    with transaction(engine) as session:
        study = store.take_turn(session, study_id, turn)
        version = store.add_version(session, keys, study_id, study.head, content, now, figures)
        _PLANS.get(version.sha256, lambda: plan)
        return store.move_head(session, keys, study_id, Act.EDITED, version.number, actor, why, now, edit)


def undo(engine: Engine, keys: Keys, study_id: str, turn: int, actor: str, now: datetime) -> Study:
    """Have the head at the version it was made from.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`, `nothing_to_undo`.
    """
    with transaction(engine) as session:
        before = store.find_before(session, study := store.take_turn(session, study_id, turn))
        if before is None:
            raise Conflict("nothing_to_undo", study=study.study_id)
        return store.move_head(session, keys, study_id, Act.UNDONE, before, actor, "", now)


def redo(engine: Engine, keys: Keys, study_id: str, turn: int, actor: str, now: datetime) -> Study:
    """Have the head at the version that came of it last.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`, `nothing_to_redo`.
    """
    with transaction(engine) as session:
        after = store.find_after(session, study := store.take_turn(session, study_id, turn))
        if after is None:
            raise Conflict("nothing_to_redo", study=study.study_id)
        return store.move_head(session, keys, study_id, Act.REDONE, after, actor, "", now)


def adopt(
    engine: Engine, keys: Keys, study_id: str, turn: int, version: int, actor: str, why: str, now: datetime
) -> Study:
    """Have the head at any version of the study: one that the optimiser proposed, or an older one.

    Raises:
        NotFound: `unknown_study`, `unknown_study_version`.
        Conflict: `study_moved_on`; `search_under_way`: the optimiser still writes that version.
    """
    with transaction(engine) as session:
        store.take_turn(session, study_id, turn)
        store.get_version(session, study_id, version)
        if is_being_written(session, study_id, version):
            raise Conflict("search_under_way", study=study_id)
        return store.move_head(session, keys, study_id, Act.ADOPTED, version, actor, why, now)


# --- publishing ----------------------------------------------------------------------------------


def days_of_year(school_year: int) -> tuple[date, date]:
    """The first and the last day on which a plan of a school year may begin to hold."""
    return date(school_year, 8, 1), date(school_year + 1, 7, 31)


def publish(
    engine: Engine, keys: Keys, study_id: str, turn: int, valid_from: date, actor: str, why: str, now: datetime
) -> Publication:
    """Have the head of a study be the plan of its sector from a day on; an earlier one is kept, and held before.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`.
        BadInput: `publication_outside_year`.
    """
    with transaction(engine) as session:
        study = store.take_turn(session, study_id, turn)
        school_year = get_sector(session, study.sector_id).school_year
        first, last = days_of_year(school_year)
        if not first <= valid_from <= last:
            year = f"{school_year}-{school_year + 1}"
            raise BadInput("publication_outside_year", school_year=year, first=str(first), last=str(last))
        published = publications.add_publication(session, study, valid_from, actor, why, now)
        store.write_line(session, keys, study_id, Act.PUBLISHED, study.head, actor, why, now)
        facts = {"sector_id": study.sector_id, "study_id": study_id, "valid_from": str(valid_from)}
        record(session, AuditLine(now, actor, "school.plan_published", "", why, facts))
    return published


@dataclass(frozen=True, slots=True)
class PublishedPlan:
    """The plan that holds in a sector on a day."""

    publication: Publication
    plan: SchoolPlan


def find_published(engine: Engine, keys: Keys, sector_id: str, day: date) -> PublishedPlan | None:
    """The plan that holds in a sector on a day; None before the first one."""
    with reading(engine) as session:
        published = publications.find_publication(session, sector_id, day)
        if published is None:
            return None
        return PublishedPlan(published, _plan(session, keys, published.study_id, published.version))


def get_published(engine: Engine, keys: Keys, sector_id: str, day: date) -> PublishedPlan:
    """The plan that holds in a sector on a day.

    Raises:
        NotFound: `nothing_published`.
    """
    found = find_published(engine, keys, sector_id, day)
    if found is None:
        raise NotFound("nothing_published", sector=sector_id, day=str(day))
    return found


def find_rides(engine: Engine, keys: Keys, sector_id: str, pupil: str, day: date) -> list[tuple[SchoolPlan, Ride]]:
    """The rides of a pupil, named by pseudonym, in the plan that holds on a day: of every period, in its order."""
    found = find_published(engine, keys, sector_id, day)
    if found is None:
        return []
    return [
        (found.plan, ride)
        for run in found.plan.runs
        for ride in rides_of(run)
        if found.plan.riders[ride.rider].pupil_id == pupil
    ]
