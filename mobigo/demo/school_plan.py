"""School plan: the demonstration's sector as the optimiser planned it, and the feed of its lines.

The plan of the default seed is shipped, because the first search on a machine compiles its kernels for half a minute,
and because a better optimiser should not change what the demonstration shows unless somebody wants it
(`mobigo demo plan`). Other seeds are planned when they are built.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Final

from mobigo.bridges.school_feeds import Publisher, tables_of_lines
from mobigo.demo import labels
from mobigo.demo.calendar import DayKind
from mobigo.demo.labels import Edition
from mobigo.demo.tables import Table, Tables
from scolaire.lines import open_lines
from scolaire.periods import Asked, plan_week
from scolaire.planfiles import read_plan, render_plan
from scolaire.plans import SchoolPlan
from scolaire.pupils import Sector
from scolaire.ways import places_of, straight_matrix
from scolaire.writing import render_sector

SOURCE_ID: Final = "scolaire-demo"
SHIPPED: Final = "haut-doubs.json.gz"
TITLE: Final = "Haut-Doubs (démonstration)"
_SEED, _STEPS = 1, 4_000
DAYS: Final = (DayKind.SCHOOL_DAY, DayKind.SCHOOL_WEDNESDAY)
"""Kinds of days on which coaches may go to schools."""


@lru_cache(maxsize=4)
def planned(sector: Sector) -> SchoolPlan:
    """The plan of a sector: the one that is shipped when it is of this sector, else one made now."""
    shipped = shipped_plan()
    return shipped if shipped is not None and _is_of(shipped, sector) else make_plan(sector)


def make_plan(sector: Sector) -> SchoolPlan:
    """The plan of a sector from its seed and steps, on any machine the same."""
    return plan_week(sector, straight_matrix(places_of(sector)), Asked(seed=_SEED, steps=_STEPS), TITLE)


def shipped_plan() -> SchoolPlan | None:
    """The plan that is shipped, None where none is or a version before wrote it."""
    path = files("mobigo.demo").joinpath("plans", SHIPPED)
    return read_plan(gzip.decompress(path.read_bytes())) if path.is_file() else None


def render_shipped(plan: SchoolPlan) -> bytes:
    """The file of a plan to ship."""
    return gzip.compress(render_plan(plan), 9, mtime=0)


def _is_of(plan: SchoolPlan, sector: Sector) -> bool:
    """Whether a plan was made from a sector."""
    pupils = {sector.pupils[pupil].pupil_id for pupil, _home in sector.plannable}
    return (plan.schools, plan.stops, plan.vehicle_types) == (
        sector.schools,
        sector.stops,
        sector.vehicle_types,
    ) and {rider.pupil_id for rider in plan.riders} == pupils


def school_files(sector: Sector) -> Mapping[str, bytes]:
    """The files of the sector and its plan, by path within a build."""
    found = {f"scolaire/{name}": content for name, content in render_sector(sector).items()}
    return found | {"scolaire/plan.json": render_plan(planned(sector))}


def runs_within(edition: Edition, plan: SchoolPlan) -> bool:
    """Whether a coach goes to a school on some day of the edition: in holidays none does."""
    weekdays = {day.weekday() for day in edition.window.days(DAYS)}
    return any(run.period.days >> weekday & 1 for run in open_lines(plan).runs for weekday in weekdays)


def school_tables(edition: Edition, plan: SchoolPlan) -> Tables:
    """The lines that everybody may know, as their organiser would send them."""
    by = Publisher(
        agency=labels.agency_name("Transport scolaire"),
        site=labels.SITE_URL,
        publisher=labels.PUBLISHER,
        network=labels.agency_name("Transport scolaire"),
        stop_note=labels.FICTITIOUS_STOP,
        school_note=labels.FICTITIOUS_STOP,
        line_note=labels.FICTITIOUS_LINE,
        line_end=labels.fictitious(""),
        version=edition.version,
        contact_email=labels.CONTACT_EMAIL,
    )
    days: Sequence[date] = edition.window.days(DAYS)
    found = {stem: _table(columns) for stem, columns in tables_of_lines(open_lines(plan), days, by).items()}
    found["feed_info"] = labels.feed_info(edition)
    found["attributions"] = labels.attributions("geonames", "insee", "ign")
    return found


def _table(columns: Mapping[str, Sequence[str | int | float | date | None]]) -> Table:
    return Table(tuple(columns), list(zip(*columns.values(), strict=True)))
