"""Region: the demonstration assembled from its parts, and written to a folder.

The folder holds what real producers would send, in their shapes; the ordinary
import makes the network from it.

    manifest.json   what the build is made from, its defects, the hash of every file
    places.csv      the communes that a traveller may name
    sources/*.zip   one feed per producer
    streets.osm.gz  streets and roads as OpenStreetMap would tell them (not with the sample)
    scolaire/       the files of a school sector, and its plan (likewise)
    eleves-region/  the files of all pupils of the region as one sector, when they are asked for
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from mobigo import __version__
from mobigo.demo import rail, sample, school_plan, tariff
from mobigo.demo.calendar import make_window
from mobigo.demo.coaches import tables as coaches
from mobigo.demo.defects import Defect, add_defects
from mobigo.demo.facts import Commune, Facts, read_facts
from mobigo.demo.labels import Edition
from mobigo.demo.rail import RailTrip
from mobigo.demo.replicas import with_replicas
from mobigo.demo.roads import RoadGraph, make_roads
from mobigo.demo.schools import SECTOR_TOWNS, draw_sector
from mobigo.demo.streets import Streets, make_streets, render_osm
from mobigo.demo.tables import Tables
from mobigo.demo.urban import tables as urban
from mobigo.demo.urban.plans import CITIES
from routing.gtfs.feed import Feed, make_feed
from routing.gtfs.write import render_feed
from scolaire.pupils import Sector
from scolaire.writing import render_sector
from socle.findings import Finding, Severity

DEFAULT_SEED = 2020
DEFAULT_WEEKS = 26
MANIFEST = "manifest.json"
SAMPLE, SECTOR, REGION = "sample", "sector", "region"


@dataclass(frozen=True, slots=True)
class DemoBuild:
    """A demonstration region as plain values."""

    edition: Edition
    scale: str
    sources: Mapping[str, Tables]  # by source id
    roads: RoadGraph
    defects: tuple[Defect, ...]
    replicas: int = 0
    streets: Streets | None = None  # the sample has none, nor schools
    sector: Sector | None = None
    all_pupils: Sector | None = None

    @property
    def name(self) -> str:
        """The folder that holds the build."""
        window = self.edition.window
        parts = (self.edition.seed, window.start.isoformat(), window.weeks, self.scale)
        marks = [*(() if self.defects else ("clean",)), *((f"r{self.replicas}",) if self.replicas else ())]
        marks += ["eleves"] if self.all_pupils else []
        return "-".join(map(str, (*parts, *marks)))

    def feed(self, source_id: str) -> Feed:
        """One source as a feed."""
        return make_feed(source_id, {stem: table.as_columns() for stem, table in self.sources[source_id].items()})


def build(
    seed: int = DEFAULT_SEED,
    *,
    start: date,
    weeks: int = DEFAULT_WEEKS,
    scale: str = SECTOR,
    clean: bool = False,
    replicas: int = 0,
    pupils: str = SECTOR,
) -> DemoBuild:
    """The region of `seed` over `weeks` weeks from the Monday `start`, and shifted copies of it.

    `pupils` are those of one school sector, or of the whole region beside it.

    Raises:
        BadInput: see `mobigo.demo.calendar.make_window`.
    """
    facts = read_facts()
    edition = Edition(facts, seed, make_window(start, weeks, facts.school_holidays))
    trips = rail.rail_trips(facts, seed)
    roads = make_roads(facts, seed)
    sources = _clean_sources(edition, roads, trips)
    if scale == SAMPLE:
        sources = {sample.SOURCE_ID: sample.sample_tables(sources, facts)}
        return DemoBuild(edition, scale, sources, roads, ())
    streets = make_streets(facts, roads, seed)
    sector = draw_sector(roads, streets, seed, SECTOR_TOWNS)
    plan = school_plan.planned(sector)
    if school_plan.runs_within(edition, plan):
        sources[school_plan.SOURCE_ID] = school_plan.school_tables(edition, plan)
    defects: tuple[Defect, ...] = ()
    if not clean:
        sources, defects = add_defects(sources, edition, trips)
    everybody = draw_sector(roads, streets, seed, None) if pupils == REGION else None
    return DemoBuild(
        edition, scale, with_replicas(sources, replicas), roads, defects, replicas, streets, sector, everybody
    )


def _clean_sources(edition: Edition, roads: RoadGraph, trips: tuple[RailTrip, ...]) -> dict[str, Tables]:
    """What each producer would send, were it faultless."""
    facts = edition.facts
    trains = rail.rail_tables(edition, trips)
    cars = coaches.coach_tables(edition, roads, trips)
    sources = {
        rail.SOURCE_ID: trains | tariff.rail_fares(facts, trains),
        coaches.SOURCE_ID: cars | tariff.coach_fares(facts, cars),
    }
    for city in CITIES:
        tables = urban.urban_tables(city, edition)
        sources[city.source_id] = tables | tariff.urban_fares(city, facts, tables)
    return sources


def render_places(communes: Iterable[Commune], facts: Facts) -> bytes:
    """The communes as CSV: what place search knows of them, and the EPCI and département they are in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("insee_code", "name", "lat", "lon", "population", "rank", "dept", "dept_name", "epci", "epci_name")
    )
    epcis = {epci.siren: epci.name for epci in facts.epcis}
    for one in communes:
        around = (one.dept, facts.department_names[one.dept], one.epci_siren, epcis[one.epci_siren])
        writer.writerow((one.insee_code, one.name, *one.at, one.population, one.rank, *around))
    return out.getvalue().encode()


def hash_of(path: str, content: bytes) -> str:
    """The sha256 of a file; of a compressed one, of what it holds: of an archive, its members' names and hashes.

    Compressed bytes depend on the compressor's version, what they hold does not.
    """
    if path.endswith(".gz"):
        content = gzip.decompress(content)
    if not path.endswith(".zip"):
        return sha256(content).hexdigest()
    digest = sha256()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            digest.update(f"{name}\0{sha256(archive.read(name)).hexdigest()}\n".encode())
    return digest.hexdigest()


def render_files(demo: DemoBuild) -> dict[str, bytes]:
    """Every file of the build by its path, the manifest last."""
    written = {"places.csv": render_places(demo.roads.places, demo.edition.facts)}
    for source_id in demo.sources:
        written[f"sources/{source_id}.zip"] = render_feed(demo.feed(source_id))
    edition = demo.edition
    if demo.streets is not None:
        written["streets.osm.gz"] = gzip.compress(render_osm(demo.streets), 6, mtime=0)
    if demo.sector is not None:
        written |= school_plan.school_files(demo.sector)
    if demo.all_pupils is not None:
        for name, content in render_sector(demo.all_pupils).items():
            written[f"eleves-region/{name}"] = content
    manifest = {
        "demo": edition.version,
        "seed": edition.seed,
        "start": edition.window.start.isoformat(),
        "weeks": edition.window.weeks,
        "scale": demo.scale,
        "facts_sha256": edition.facts.sha256,
        "code_version": __version__,
        "replicas": demo.replicas,
        "defects": [asdict(defect) for defect in demo.defects],
        "files": {path: hash_of(path, content) for path, content in sorted(written.items())},
    }
    written[MANIFEST] = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
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


def check_build(directory: Path) -> list[Finding]:
    """What differs between a build on disk and its manifest."""
    manifest = json.loads((directory / MANIFEST).read_text("utf-8"))
    found = []
    for path, wanted in manifest["files"].items():
        file = directory / path
        if not file.is_file():
            found.append(Finding(Severity.ERROR, "demo_file_missing", path))
        elif hash_of(path, file.read_bytes()) != wanted:
            found.append(Finding(Severity.ERROR, "demo_file_changed", path))
    return found


def sample_texts() -> dict[str, bytes]:
    """The committed sample, made anew."""
    return sample.render_texts(build(start=sample.START, scale=SAMPLE).feed(sample.SOURCE_ID))


def check_sample(directory: Path) -> list[Finding]:
    """What differs between the sample on disk and the one that the generator makes."""
    texts = sample_texts()
    there = {file.name: file.read_bytes() for file in directory.glob("*.txt")}
    return [
        Finding(Severity.ERROR, "demo_file_changed" if name in there else "demo_file_missing", name)
        for name in sorted(texts.keys() | there.keys())
        if texts.get(name) != there.get(name)
    ]
