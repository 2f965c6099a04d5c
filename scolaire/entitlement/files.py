"""Files: pupils and schools → the facts on which a book decides, one for each home of a child."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from scolaire.entitlement.model import Facts
from scolaire.pupils import Home, Pupil, School
from socle.geo import distance_m

FIRST_MONTH: Final = 9
ENDS_IN: Final = 7


def school_year_of(day: date) -> int:
    """The year in which the school year of a day begins; July and August are those of the one to come."""
    return day.year if day.month >= ENDS_IN else day.year - 1


def first_day(school_year: int) -> date:
    """The day whose rules hold for a school year."""
    return date(school_year, FIRST_MONTH, 1)


def facts_of(pupil: Pupil, home: Home, school: School, school_year: int, authorities: Mapping[str, str]) -> Facts:
    """What is known of a child in one home; `authorities` are the urban ones by commune."""
    sector = pupil.sector_school_id
    return Facts(
        school_year=school_year,
        level=pupil.level,
        regime=pupil.regime,
        school_status=school.status,
        home_commune=home.commune or None,
        school_commune=school.commune or None,
        home_authority=authorities.get(home.commune, "") if home.commune else None,
        school_authority=authorities.get(school.commune, "") if school.commune else None,
        birth_year=pupil.birth_year,
        straight_m=None if home.position is None else int(distance_m(home.position, school.position)),
        road_m=home.road_m,
        attends_sector_school=sector is None or sector == pupil.school_id,
        derogation=pupil.derogation or "",
    )


def list_facts(
    pupils: tuple[Pupil, ...], schools: tuple[School, ...], school_year: int, authorities: Mapping[str, str]
) -> Iterator[tuple[Pupil, int, Facts]]:
    """The facts of every home of every pupil, in their order."""
    by_id = {school.school_id: school for school in schools}
    for pupil in pupils:
        for number, home in enumerate(pupil.homes):
            yield pupil, number, facts_of(pupil, home, by_id[pupil.school_id], school_year, authorities)
