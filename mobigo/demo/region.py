"""Region: the demonstration assembled from its parts, and written to a folder.

The folder holds what real producers would send, in their shapes; the ordinary
import makes the network from it.

    manifest.json   what the build is made from, its defects, the hash of every file
    places.csv      the communes that a traveller may name
    sources/*.zip   one feed per producer
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
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
from mobigo.demo.tables import Tables
from mobigo.demo.urban import tables as urban
from mobigo.demo.urban.plans import CITIES
from routing.gtfs.feed import Feed, make_feed
from routing.gtfs.write import render_feed

DEFAULT_SEED = 2020
DEFAULT_WEEKS = 26


@dataclass(frozen=True, slots=True)
class DemoBuild:
    """A demonstration region as plain values."""

    edition: Edition
    clean: bool
    sources: Mapping[str, Tables]  # by source id
    roads: RoadGraph

    @property
    def name(self) -> str:
        """The folder that holds the build."""
        window = self.edition.window
        name = f"{self.edition.seed}-{window.start.isoformat()}-{window.weeks}"
        return f"{name}-clean" if self.clean else name

    def feed(self, source_id: str) -> Feed:
        """One source as a feed."""
        return make_feed(source_id, {stem: table.as_columns() for stem, table in self.sources[source_id].items()})


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
        **{city.source_id: urban.urban_tables(city, edition) for city in CITIES},
    }
    return DemoBuild(edition, clean, sources, roads)


def render_places(communes: Iterable[Commune]) -> bytes:
    """The communes as CSV: what place search knows of them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("insee_code", "name", "lat", "lon", "population", "rank", "dept"))
    for commune in communes:
        writer.writerow((commune.insee_code, commune.name, *commune.at, commune.population, commune.rank, commune.dept))
    return out.getvalue().encode()


def hash_of(path: str, content: bytes) -> str:
    """The sha256 of a file; of an archive, that of its members' names and hashes.

    The bytes of a compressed archive depend on the compressor's version, its members do not.
    """
    if not path.endswith(".zip"):
        return sha256(content).hexdigest()
    digest = sha256()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            digest.update(f"{name}\0{sha256(archive.read(name)).hexdigest()}\n".encode())
    return digest.hexdigest()


def render_files(demo: DemoBuild) -> dict[str, bytes]:
    """Every file of the build by its path, the manifest last."""
    written = {"places.csv": render_places(demo.roads.places)}
    for source_id in demo.sources:
        written[f"sources/{source_id}.zip"] = render_feed(demo.feed(source_id))
    edition = demo.edition
    manifest = {
        "demo": edition.version,
        "seed": edition.seed,
        "start": edition.window.start.isoformat(),
        "weeks": edition.window.weeks,
        "clean": demo.clean,
        "facts_sha256": edition.facts.sha256,
        "code_version": __version__,
        "files": {path: hash_of(path, content) for path, content in sorted(written.items())},
    }
    written["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    return written


def write_demo(demo: DemoBuild, directory: Path) -> list[Path]:
    """The build as files under `directory`; the feeds written, in order.

    The manifest comes last: a folder that has one is whole.
    """
    feeds = []
    for path, content in render_files(demo).items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        if path.startswith("sources/"):
            feeds.append(target)
    return feeds
