"""School year: the sector of the demonstration imported, its files decided, its plan published, by the usual doors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from mobigo.demo.school_coaches import tell_coaches
from mobigo.demo.school_requests import communes_asked, tell_requests
from mobigo.demo.schools import SECTOR_NAME
from mobigo.security import Keys, Role
from mobigo.services.people.fictitious import ACTOR, email_of
from mobigo.services.scolaire.entitling import entitle, open_books
from mobigo.services.scolaire.importing import import_sector, read_folder
from mobigo.services.scolaire.organising import set_scope
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.studying import add_study, list_year, publish
from mobigo.store.base import reading
from mobigo.store.people.accounts import Person, find_by_contact
from mobigo.texts import text
from scolaire.entitlement.files import first_day, school_year_of
from scolaire.reading import read_sector
from scolaire.writing import render_sector
from socle.times import PARIS

FOLDER = "scolaire"
PLAN = "plan.json"
_SEED: Final = 2020
N_COMMUNES: Final = 3  # of the local organiser


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """What was entered."""

    n_pupils: int
    n_decisions: int
    n_requests: int
    n_cards: int
    n_boardings: int
    valid_from: date


def find_files(data_dir: Path) -> Path | None:
    """The files of the sector of the newest build that has them."""
    folders = [path.parent for path in (data_dir / "demo").glob(f"*/{FOLDER}/{PLAN}")]
    return max(folders, key=lambda folder: folder.stat().st_mtime, default=None)


def tell_school_year(engine: Engine, keys: Keys, folder: Path, now: datetime) -> SchoolYear | None:
    """Enter the school year of today, once; None when a sector is known for it already.

    Two children are those of the account of a family, so that its pages have something to show.
    """
    today = now.astimezone(PARIS).date()
    school_year = school_year_of(today)
    if list_year(engine, school_year, today):
        return None
    why = text("cli.demo.school_why")
    clerk, planner = _actor(engine, keys, Role.SCHOOL_OFFICE), _actor(engine, keys, Role.SCHOOL_PLANNER)
    done = import_sector(engine, keys, _with_guardian(engine, keys, folder), school_year, SECTOR_NAME, clerk, now)
    decided = entitle(engine, keys, school_year, open_books(), clerk, now)
    content = (folder / PLAN).read_bytes()
    title = text("cli.demo.school_study")
    study = add_study(engine, keys, done.sector_id or "", title, content, planner, why, now)
    published = publish(engine, keys, study.study_id, study.turn, first_day(school_year), planner, why, now)
    office = _find(engine, keys, Role.SCHOOL_OFFICE)
    organiser = _find(engine, keys, Role.SCHOOL_ORGANISER)
    if organiser and office:
        acting = Acting(office.actor, office.pseudonym, is_office=True)
        for commune in communes_asked(done.sector, N_COMMUNES):
            set_scope(engine, acting, organiser.reference, "commune", commune, now, given=True)
    n_requests = 0
    if office:
        family = _find(engine, keys, Role.FAMILY)
        n_requests = tell_requests(engine, keys, done.sector, done.sector_id or "", office, family, now)
    carrier = _find(engine, keys, Role.SCHOOL_CARRIER)
    coaches = tell_coaches(engine, keys, done.sector_id or "", school_year, _SEED, carrier, now)
    return SchoolYear(
        len(done.sector.pupils), decided.n_new, n_requests, coaches.n_cards, coaches.n_boardings, published.valid_from
    )


def _find(engine: Engine, keys: Keys, role: Role) -> Person | None:
    with reading(engine) as session:
        return find_by_contact(session, keys, "email", email_of(role))


def _actor(engine: Engine, keys: Keys, role: Role) -> str:
    """Who acts: the fictitious account of a role, or the demonstration itself where there is none."""
    person = _find(engine, keys, role)
    return ACTOR if person is None else person.actor


def _with_guardian(engine: Engine, keys: Keys, folder: Path) -> Mapping[str, bytes]:
    """The files of the sector, its first child of each age group in the care of the family's account."""
    files = read_folder(folder)
    family = _find(engine, keys, Role.FAMILY)
    if family is None:
        return files
    sector, _findings = read_sector(files)
    firsts = {pupil.level: at for at, pupil in reversed(list(enumerate(sector.pupils)))}
    pupils = list(sector.pupils)
    for at in firsts.values():
        homes = tuple(replace(home, guardian=family.reference) for home in pupils[at].homes)
        pupils[at] = replace(pupils[at], homes=homes)
    return render_sector(replace(sector, pupils=tuple(pupils)))
