"""Facts: the tables of real names, codes, places, frequencies and prices, read and checked.

What each table is, where it comes from and under which licence: `facts/README.md`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files

from socle.findings import Finding, Severity
from socle.geo import Box, LatLon

REGION_BOX = Box(south=46.1, west=2.8, north=48.5, east=7.2)


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the tables: a town, or a village of some 450 to 1,500 people."""

    insee_code: str
    name: str
    dept: str
    population: int
    epci_siren: str
    rank: str  # prefecture, subprefecture, epci_main, town, named, village
    at: LatLon


@dataclass(frozen=True, slots=True)
class Station:
    """A railway station or a TER coach stop, inside the region or just outside."""

    uic8: str
    name: str
    at: LatLon
    dept: str
    insee_code: str
    in_region: bool
    has_trains: bool


@dataclass(frozen=True, slots=True)
class Departures:
    """How many trips leave one way on a Tuesday, a Saturday, a Sunday, and between which times (seconds)."""

    tuesday: int
    saturday: int
    sunday: int
    first_s: int
    last_s: int


@dataclass(frozen=True, slots=True)
class RailPattern:
    """A line, a mode and an ordered list of stations, with its trips each way."""

    line_code: str
    line_name: str
    mode: str  # train, coach, tgv
    variant: int
    out: Departures
    back: Departures
    stops: tuple[str, ...]  # uic8, in the order of `out`


@dataclass(frozen=True, slots=True)
class RailSegment:
    """Two stations that follow each other in a pattern."""

    ends: tuple[str, str]
    km: float
    km_basis: str
    minutes: Mapping[str, int]  # by mode, where known


@dataclass(frozen=True, slots=True)
class CarpoolLine:
    """A line of the carpool experiment of 2019-2020; `published_m` is the length to pay by."""

    line_id: str
    name: str
    published_m: int
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoachRelation:
    """A coach relation that exists or existed, by the communes it joins."""

    name: str
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fare:
    """A price or a rule; `status` is fact or assumption."""

    product_id: str
    name: str
    price_cents: int | None
    km_from: int | None
    km_below: int | None
    rule: str
    valid_from: str
    status: str


@dataclass(frozen=True, slots=True)
class SchoolHoliday:
    """School holidays of zone A, first and last day included."""

    first_day: date
    last_day: date
    name: str


@dataclass(frozen=True, slots=True)
class Epci:
    """An intercommunal body and its main commune."""

    siren: str
    name: str
    kind: str
    main_insee_code: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All tables, and the hash of their bytes."""

    communes: tuple[Commune, ...]  # towns, then villages, in the tables' order
    epcis: tuple[Epci, ...]
    departments: tuple[str, ...]
    department_names: Mapping[str, str]  # by code
    stations: Mapping[str, Station]  # by uic8
    patterns: tuple[RailPattern, ...]
    segments: Mapping[tuple[str, str], RailSegment]  # by ends, both ways
    carpool_lines: tuple[CarpoolLine, ...]
    coach_relations: tuple[CoachRelation, ...]
    fares: tuple[Fare, ...]
    school_holidays: tuple[SchoolHoliday, ...]
    sha256: str

    @property
    def version(self) -> str:
        """A short name of these very tables."""
        return self.sha256[:8]


TABLES = (
    "carpool_lines",
    "coach_relations",
    "departments",
    "epcis",
    "fares",
    "rail_patterns",
    "rail_segments",
    "school_holidays_zone_a",
    "stations",
    "towns",
    "villages",
)


def _table_bytes(name: str) -> bytes:
    return files("mobigo.demo").joinpath(f"facts/{name}.csv").read_bytes()


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_table_bytes(name).decode().splitlines()))


def _hash() -> str:
    digest = sha256()
    for name in TABLES:
        digest.update(name.encode() + b"\0" + _table_bytes(name) + b"\0")
    return digest.hexdigest()


def _place(row: Mapping[str, str]) -> LatLon:
    return LatLon(float(row["lat"]), float(row["lon"]))


def _commune(row: Mapping[str, str], rank: str) -> Commune:
    return Commune(
        insee_code=row["insee_code"],
        name=row["name"],
        dept=row["dept"],
        population=int(row["population_2021"]),
        epci_siren=row["epci_siren"],
        rank=rank,
        at=_place(row),
    )


def _station(row: Mapping[str, str]) -> Station:
    return Station(
        uic8=row["uic8"],
        name=row["name"],
        at=_place(row),
        dept=row["dept"],
        insee_code=row["insee_code"],
        in_region=row["in_region"] == "yes",
        has_trains=row["kind"] == "rail",
    )


def _clock_s(text: str, blank: str) -> int:
    hours, minutes = (text or blank).split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _departures(row: Mapping[str, str], way: str) -> Departures:
    return Departures(
        tuesday=int(row[f"tue_{way}"]),
        saturday=int(row[f"sat_{way}"]),
        sunday=int(row[f"sun_{way}"]),
        # blank: no Tuesday trip that way, Saturday and Sunday counts may still be positive
        first_s=_clock_s(row[f"first_{way}"], "07:00"),
        last_s=_clock_s(row[f"last_{way}"], "19:00"),
    )


def _pattern(row: Mapping[str, str]) -> RailPattern:
    return RailPattern(
        line_code=row["line_code"],
        line_name=row["line_name"],
        mode=row["mode"],
        variant=int(row["variant"]),
        out=_departures(row, "out"),
        back=_departures(row, "back"),
        stops=tuple(row["stops_uic8"].split()),
    )


def _segments(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], RailSegment]:
    by_ends: dict[tuple[str, str], RailSegment] = {}
    for row in rows:
        one, other = row["from_uic8"], row["to_uic8"]
        minutes = {mode: int(row[f"{mode}_min"]) for mode in ("train", "tgv", "coach") if row[f"{mode}_min"]}
        segment = RailSegment((one, other), float(row["km"]), row["km_basis"], minutes)
        by_ends[one, other] = by_ends[other, one] = segment
    return by_ends


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _fare(row: Mapping[str, str]) -> Fare:
    return Fare(
        product_id=row["product_id"],
        name=row["name"],
        price_cents=_whole(row["price_cents"]),
        km_from=_whole(row["km_from"]),
        km_below=_whole(row["km_below"]),
        rule=row["rule"],
        valid_from=row["valid_from"],
        status=row["status"],
    )


@cache
def read_facts() -> Facts:
    """The tables that Mobigo ships."""
    towns = [_commune(row, row["rank"]) for row in _rows("towns")]
    villages = [_commune(row, "village") for row in _rows("villages")]
    return Facts(
        communes=(*towns, *villages),
        epcis=tuple(Epci(r["epci_siren"], r["name"], r["kind"], r["main_insee_code"]) for r in _rows("epcis")),
        departments=tuple(row["code"] for row in _rows("departments")),
        department_names={r["code"]: r["name"] for r in _rows("departments")},
        stations={row["uic8"]: _station(row) for row in _rows("stations")},
        patterns=tuple(_pattern(row) for row in _rows("rail_patterns")),
        segments=_segments(_rows("rail_segments")),
        carpool_lines=tuple(
            CarpoolLine(r["line_id"], r["name"], int(r["published_m"]), tuple(r["via_insee_codes"].split()))
            for r in _rows("carpool_lines")
        ),
        coach_relations=tuple(
            CoachRelation(row["relation"], tuple(row["via_insee_codes"].split())) for row in _rows("coach_relations")
        ),
        fares=tuple(_fare(row) for row in _rows("fares")),
        school_holidays=tuple(
            SchoolHoliday(date.fromisoformat(r["first_day"]), date.fromisoformat(r["last_day"]), r["name"])
            for r in _rows("school_holidays_zone_a")
        ),
        sha256=_hash(),
    )


# The columns that name one row of each table.
_KEYS = {
    "carpool_lines": ("line_id",),
    "coach_relations": ("relation",),
    "departments": ("code",),
    "epcis": ("epci_siren",),
    "fares": ("product_id", "km_from"),
    "rail_patterns": ("line_code", "mode", "variant"),
    "rail_segments": ("from_uic8", "to_uic8"),
    "school_holidays_zone_a": ("first_day",),
    "stations": ("uic8",),
    "towns": ("insee_code",),
    "villages": ("insee_code",),
}


def _remark(code: str, table: str, key: str) -> Finding:
    return Finding(Severity.ERROR, code, f"{table}.csv", facts={"key": key})


def _check_codes(facts: Facts) -> Iterable[Finding]:
    communes = {commune.insee_code for commune in facts.communes}
    epcis = {epci.siren for epci in facts.epcis}
    for commune in facts.communes:
        if commune.epci_siren not in epcis or commune.dept not in facts.departments:
            yield _remark("demo_unknown_code", "towns", commune.insee_code)
    for line in facts.carpool_lines:
        if not communes.issuperset(line.via):
            yield _remark("demo_unknown_code", "carpool_lines", line.line_id)
    for relation in facts.coach_relations:
        if not communes.issuperset(relation.via):
            yield _remark("demo_unknown_code", "coach_relations", relation.name)
    for pattern in facts.patterns:
        hops = zip(pattern.stops, pattern.stops[1:], strict=False)
        if not (facts.stations.keys() >= set(pattern.stops) and all(hop in facts.segments for hop in hops)):
            yield _remark("demo_unknown_code", "rail_patterns", f"{pattern.line_code} {pattern.variant}")


def check_facts(facts: Facts) -> list[Finding]:
    """What is wrong with the tables: keys used twice, codes that lead nowhere, impossible values."""
    found: list[Finding] = []
    for table, columns in _KEYS.items():
        keys = Counter(" ".join(row[column] for column in columns) for row in _rows(table))
        found += [_remark("demo_duplicate_key", table, key) for key, n in keys.items() if n > 1]
    found += _check_codes(facts)
    for commune in facts.communes:
        if not REGION_BOX.holds(commune.at):
            found.append(_remark("demo_outside_region", "towns", commune.insee_code))
        if commune.population <= 0:
            found.append(_remark("demo_not_positive", "towns", commune.insee_code))
    for station in facts.stations.values():
        if station.in_region and not REGION_BOX.holds(station.at):
            found.append(_remark("demo_outside_region", "stations", station.uic8))
    for segment in facts.segments.values():
        if segment.km <= 0 or any(minutes <= 0 for minutes in segment.minutes.values()):
            found.append(_remark("demo_not_positive", "rail_segments", " ".join(segment.ends)))
    return found
