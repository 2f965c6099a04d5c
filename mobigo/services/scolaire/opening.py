"""Opening: the school circuits that hold today as public tables, published anew when something in them is new."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from mobigo import __version__
from mobigo.opendata.school_circuits import (
    PUPILS,
    OpenSector,
    circuit_tables,
    pupils_table,
    school_year_words,
)
from mobigo.opendata.tables import DEMO_LICENCE, LICENCE, Table, render_table, schema_of
from mobigo.security import Keys
from mobigo.services.scolaire.contracting import plan_year
from mobigo.services.scolaire.studying import find_published
from mobigo.store import publications, releases
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.files import building, clear_left_overs, only_one, publish
from mobigo.store.scolaire.sectors import list_sectors
from scolaire.lines import LEAST_OPEN, open_lines
from socle.errors import Fact
from socle.times import PARIS


@dataclass(frozen=True, slots=True)
class PublishedCircuits:
    """A publication: its name, what its manifest says; `is_new` when this run made it."""

    release: str
    manifest: Mapping[str, Any]
    is_new: bool


def publish_circuits(engine: Engine, keys: Keys, data_dir: Path, by: str, now: datetime) -> PublishedCircuits | None:
    """Publish the circuits of the plans that hold today; when no table is new, the last publication stays.

    None when no plan holds.

    Raises:
        Conflict: `already_running`.
        Unavailable: `release_damaged`, `sealed_unreadable`.
    """
    day = now.astimezone(PARIS).date()
    sectors = list_open_sectors(engine, keys, day)
    if not sectors:
        return None
    folder = publications.schools_dir(data_dir)
    with only_one(folder, "publish"):
        clear_left_overs(folder)
        known = publications.list_published_circuits(data_dir)
        last = publications.read_manifest(folder / known[0]) if known else None
        tables = (*circuit_tables(sectors), pupils_table(sectors, _told(folder, known), day))
        files = {name: body for table in tables for name, body in render_table(table).items()}
        if last is not None and _is_same(last, files):
            return PublishedCircuits(known[0], last, is_new=False)
        release = publications.next_name(day.isoformat(), known)
        manifest = _manifest(data_dir, release, sectors, tables, files, now)
        with building(folder) as built:
            for name, body in files.items():
                (built / name).write_bytes(body)
            (built / publications.MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2), "utf-8")
            publish(built, folder / release)
        with transaction(engine) as session:
            facts: dict[str, Fact] = {"release": release, "n": len(sectors)}
            record(session, AuditLine(now, by, "school.circuits_opened", facts=facts))
    return PublishedCircuits(release, manifest, is_new=True)


def list_open_sectors(engine: Engine, keys: Keys, day: date) -> list[OpenSector]:
    """The sectors of a day's school year in which a plan holds."""
    school_year = plan_year(day)
    with reading(engine) as session:
        kept = list_sectors(session, school_year)
    found = ((one, find_published(engine, keys, one.sector_id, day)) for one in kept)
    return [
        OpenSector(school_year, one.code, published.publication.valid_from, published.plan)
        for one, published in found
        if published is not None
    ]


def _told(folder: Path, known: Sequence[str]) -> list[dict[str, str]]:
    """The numbers of pupils that were ever told."""
    if not known:
        return []
    return list(csv.DictReader(io.StringIO((folder / known[0] / f"{PUPILS}.csv").read_text("utf-8"))))


def _is_same(last: Mapping[str, Any], files: Mapping[str, bytes]) -> bool:
    """Whether each table and its schema are as they were; Parquet only follows, in bytes of its library's version."""
    before = {file["name"]: file["sha256"] for file in last["files"]}
    compared = [name for name in files if not name.endswith(".parquet")]
    return all(before.get(name) == hashlib.sha256(files[name]).hexdigest() for name in compared)


def _manifest(
    data_dir: Path,
    release: str,
    sectors: Sequence[OpenSector],
    tables: Sequence[Table],
    files: Mapping[str, bytes],
    now: datetime,
) -> dict[str, Any]:
    network = releases.find_current(data_dir)
    is_demo = network is not None and bool(releases.read_manifest(network)["demo"])
    told = []
    for sector in sectors:
        lines = open_lines(sector.plan)
        told.append(
            {
                "school_year": school_year_words(sector.school_year),
                "sector": sector.code,
                "valid_from": sector.valid_from.isoformat(),
                "n_circuits": len({run.circuit_id for run in lines.runs}),
                "n_hidden_halts": lines.n_hidden_halts,
                "n_hidden_runs": lines.n_hidden_runs,
            }
        )
    return {
        "release": release,
        "published_at": now.isoformat(timespec="seconds"),
        "code_version": __version__,
        "demo": is_demo,
        "licence": DEMO_LICENCE if is_demo else LICENCE,
        "thresholds": {"pupils": LEAST_OPEN},
        "sectors": told,
        "tables": [schema_of(table) for table in tables],
        "files": [
            {"name": name, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
            for name, body in sorted(files.items())
        ],
    }
