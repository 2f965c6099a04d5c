"""Lines: the carpool lines in force on a day, as people imported them, else the six pilot lines."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any, BinaryIO

import shapely
from sqlalchemy import Engine

from covoiturage.lines import Line as Line  # named in the signatures of doors
from covoiturage.lines import course_of, document_of, find_line, in_force, read_lines, shipped_lines
from covoiturage.lines import drive_s as drive_s
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import shipped_policies
from mobigo.bridges.feeders import Offered, find_estimate
from mobigo.bridges.feeds import render_lines
from mobigo.opendata.http import Download
from mobigo.opendata.places import render_places
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.lines import add_line_versions, count_line_versions, list_line_versions
from mobigo.store.covoiturage.policies import count_verdicts, list_in_force
from socle.errors import NotFound, Unavailable
from socle.times import local_day, service_day_start

log = logging.getLogger(__name__)

GTFS_NAME, PLACES_NAME = "lignes.gtfs.zip", "lieux.csv"
GTFS_ADDRESS, PLACES_ADDRESS = (f"/opendata/covoiturage/lignes/{name}" for name in (GTFS_NAME, PLACES_NAME))


@dataclass(frozen=True, slots=True)
class LinesFile:
    """A public file about the lines."""

    file: BinaryIO
    download: Download
    release: str


def list_all_lines(engine: Engine) -> tuple[Line, ...]:
    """Every version of every line: those that were imported, else the ones that are shipped."""
    with reading(engine) as session:
        return list_line_versions(session) or shipped_lines()


def open_lines(engine: Engine) -> tuple[tuple[Line, ...], Sequence[Policy]]:
    """Every line and every policy that holds, for the search; the shipped ones while there is no database to ask."""
    try:
        with reading(engine) as session:
            return list_line_versions(session) or shipped_lines(), tuple(list_in_force(session))
    except Unavailable as error:
        log.warning("the carpool lines of the database cannot be read, the shipped ones are searched: %s", error)
        return shipped_lines(), tuple(shipped_policies().values())


def lines_edition(engine: Engine) -> object:
    """What changes when lines or policies do; None while the database cannot be asked."""
    try:
        with reading(engine) as session:
            return count_line_versions(session), count_verdicts(session)
    except Unavailable:
        return None


def list_lines(engine: Engine, day: date) -> tuple[Line, ...]:
    """The lines in force on a day, by id."""
    return in_force(list_all_lines(engine), day)


def get_line(engine: Engine, line_id: str, day: date) -> Line:
    """The line of that id in force on a day.

    Raises:
        NotFound: `unknown_line`.
    """
    line = find_line(list_all_lines(engine), line_id, day)
    if line is None:
        raise NotFound("unknown_line", line=line_id)
    return line


def import_lines(engine: Engine, text: bytes, *, toml: bool, actor: str, now: datetime) -> tuple[Line, ...]:
    """Keep the lines of a file, all or none; from then on the shipped ones are not used any more. The new versions.

    Raises:
        BadInput: `lines_unreadable`, `line_field`.
        Conflict: `line_version_known`.
    """
    lines = read_lines(text, toml=toml)
    with transaction(engine) as session:
        added = add_line_versions(session, lines, now)
        if added:
            facts = {"lines": ", ".join(sorted({line.line_id for line in added}))}
            record(session, AuditLine(now, actor, "covoiturage.lines_imported", facts=facts))
    return added


# --- what doors tell of a line ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinePeriod:
    """Instants between which cars are expected at the first stop of either direction."""

    begins: int
    ends: int
    wait_s: int


def tell_line(line: Line) -> dict[str, Any]:
    """The line as its document says it."""
    return document_of(line)


def course_geojson(line: Line) -> dict[str, Any]:
    """The stops joined, as a GeoJSON geometry."""
    course: dict[str, Any] = json.loads(shapely.to_geojson(course_of(line)))
    return course


def clock_words(seconds: int) -> str:
    """Seconds after midnight as a page tells them."""
    return f"{seconds // 3600} h {seconds % 3600 // 60:02}"


def list_next_hours(line: Line, now: int, n_days: int = 7) -> list[LinePeriod]:
    """The hours that are under way or come within some days."""
    first = local_day(now)
    periods = [
        LinePeriod(service_day_start(day) + one.from_s, service_day_start(day) + one.until_s, one.wait_s)
        for day in (first + timedelta(days=ahead) for ahead in range(n_days))
        if line.runs_on(day)
        for one in line.hours
    ]
    return [one for one in periods if one.ends > now]


def list_driver_cents(engine: Engine, line: Line, day: date) -> list[int | None]:
    """What a driver receives from the first stop to each with one passenger; None on a day without policy."""
    with reading(engine) as session:
        offered = Offered(line, tuple(list_in_force(session)), "")
    found = [find_estimate(offered, day, stop.distance_m) for stop in line.stops]
    return [None if estimate is None else estimate.cents for estimate in found]


def open_lines_file(engine: Engine, name: str, day: date, site: str) -> LinesFile:
    """The lines in force on a day as a public file: `lignes.gtfs.zip`, `lieux.csv`.

    Raises:
        NotFound: `unknown_file`.
    """
    lines = list_lines(engine, day)
    if name == GTFS_NAME:
        body, media_type = render_lines(lines, day, site), "application/zip"
    elif name == PLACES_NAME:
        body, media_type = render_places(lines), "text/csv; charset=utf-8"
    else:
        raise NotFound("unknown_file", file=name)
    since = datetime.fromtimestamp(service_day_start(day), UTC)
    return LinesFile(BytesIO(body), Download(len(body), sha256(body).hexdigest(), media_type, since, 300), "latest")
