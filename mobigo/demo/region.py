"""Region: the demonstration assembled from its parts, and written to a folder.

The folder holds what real producers would send, in their shapes; the ordinary
import makes the network from it.

    manifest.json   what the build is made from, its defects, the sha256 of every file
    places.csv      the communes that a traveller may name
    sources/*.zip   one feed per producer
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from mobigo import __version__
from mobigo.demo import rail
from mobigo.demo.calendar import make_window
from mobigo.demo.coaches import tables as coaches
from mobigo.demo.facts import Commune, read_facts
from mobigo.demo.labels import Edition
from mobigo.demo.roads import RoadGraph, make_roads
from mobigo.demo.tables import Table, Tables
from socle.times import render_gtfs_date, render_gtfs_time

DEFAULT_SEED = 2020
DEFAULT_WEEKS = 26


@dataclass(frozen=True, slots=True)
class DemoBuild:
    """A demonstration region as plain values."""

    edition: Edition
    clean: bool
    sources: Mapping[str, Tables]  # by source id
    roads: RoadGraph


def build(seed: int = DEFAULT_SEED, *, start: date, weeks: int = DEFAULT_WEEKS, clean: bool = False) -> DemoBuild:
    """The region of `seed` over `weeks` weeks from the Monday `start`.

    Raises:
        BadInput: see `mobigo.demo.calendar.make_window`.
    """
    facts = read_facts()
    edition = Edition(facts, seed, make_window(start, weeks, facts.school_holidays))
    trips = rail.rail_trips(facts, seed)
    roads = make_roads(facts, seed)
    sources = {
        rail.SOURCE_ID: rail.rail_tables(edition, trips),
        coaches.SOURCE_ID: coaches.coach_tables(edition, roads, trips),
    }
    return DemoBuild(edition, clean, sources, roads)


_TIME_COLUMNS = frozenset({"arrival_time", "departure_time", "start_time", "end_time"})


def _cell(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return render_gtfs_date(value)
    if column in _TIME_COLUMNS and isinstance(value, int):
        return render_gtfs_time(value)
    return str(value)


def _render_csv(table: Table) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_cell(column, value) for column, value in zip(table.columns, row, strict=True)])
    return out.getvalue().encode()


def _render_zip(tables: Tables) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for stem in sorted(tables):
            member = zipfile.ZipInfo(f"{stem}.txt", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, _render_csv(tables[stem]))
    return out.getvalue()


def render_places(places: tuple[Commune, ...]) -> bytes:
    """The communes as CSV."""
    table = Table(("insee_code", "name", "lat", "lon", "population", "rank", "dept"))
    for commune in places:
        table.add(commune.insee_code, commune.name, *commune.at, commune.population, commune.rank, commune.dept)
    return _render_csv(table)


def render_files(demo: DemoBuild) -> dict[str, bytes]:
    """Every file of the build by its path, the manifest last."""
    written = {"places.csv": render_places(demo.roads.places)}
    for source_id, tables in demo.sources.items():
        written[f"sources/{source_id}.zip"] = _render_zip(tables)
    edition = demo.edition
    manifest = {
        "demo": edition.version,
        "seed": edition.seed,
        "start": edition.window.start.isoformat(),
        "weeks": edition.window.weeks,
        "clean": demo.clean,
        "facts_sha256": edition.facts.sha256,
        "code_version": __version__,
        "files": {path: sha256(content).hexdigest() for path, content in sorted(written.items())},
    }
    written["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    return written


def write_demo(demo: DemoBuild, directory: Path) -> None:
    """The build as files under `directory`; the manifest comes last, so that a folder with one is whole."""
    for path, content in render_files(demo).items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
