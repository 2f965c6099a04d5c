"""Exporting: a plan leaves as GTFS, GeoJSON or CSV, open to all or whole for the office."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from mobigo.bridges.school_feeds import Publisher, render_lines
from mobigo.opendata.school_lines import render_csv, render_geojson
from mobigo.texts import text
from scolaire.calendar import has_school
from scolaire.lines import open_lines, whole_lines
from scolaire.plans import SchoolPlan
from socle.errors import BadInput

FORMATS: Final = ("gtfs", "geojson", "csv")


def export_plan(plan: SchoolPlan, form: str, school_year: int, site: str, *, inside: bool = False) -> bytes:
    """The file of a plan. `inside` keeps the places that few pupils use, and says how many use each.

    Raises:
        BadInput: `export_unknown`; `netex_later`; `nothing_to_publish`; `calendar_unknown`.
    """
    if form == "netex":
        raise BadInput("netex_later")
    if form not in FORMATS:
        raise BadInput("export_unknown", form=form, known=", ".join(FORMATS))
    lines = whole_lines(plan) if inside else open_lines(plan)
    if not lines.runs:
        raise BadInput("nothing_to_publish")
    if form == "geojson":
        return render_geojson(lines, inside=inside)
    if form == "csv":
        return render_csv(lines, inside=inside)
    return render_lines(lines, days_of_year(school_year), _publisher(site), inside=inside)


def days_of_year(school_year: int) -> tuple[date, ...]:
    """The days with school of a school year, from September to August.

    Raises:
        BadInput: `calendar_unknown`.
    """
    first, after = date(school_year, 9, 1), date(school_year + 1, 9, 1)
    days = (first + timedelta(days=n) for n in range((after - first).days))
    return tuple(day for day in days if has_school(day))


def _publisher(site: str) -> Publisher:
    return Publisher(
        agency=text("scolaire.feed.agency"),
        site=site,
        publisher=text("scolaire.feed.publisher"),
        network=text("scolaire.feed.network"),
        stop_note=text("scolaire.feed.stop"),
        school_note=text("scolaire.feed.school"),
        line_note=text("scolaire.feed.line"),
    )
