"""Importing: the files of a sector become what is kept of it for a school year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import transaction
from mobigo.store.people.accounts import find_by_reference
from mobigo.store.scolaire.sectors import KeptSector, put_sector, sector_id_of
from mobigo.store.scolaire.stop_cases import restore_stops
from scolaire.pupils import Sector
from scolaire.reading import ALL_COLUMNS, PUPILS, read_sector
from socle.errors import BadInput, Fact, LimitExceeded
from socle.findings import Finding, Severity, count_errors
from socle.ids import check_source_id

MOST_BYTES: Final = 100_000_000  # of one file: the pupils of the whole region are a tenth of that


@dataclass(frozen=True, slots=True)
class Imported:
    """A sector as it was read, what is to be said of it, and its id where it was kept."""

    sector: Sector
    findings: Sequence[Finding]
    sector_id: str | None

    @property
    def n_errors(self) -> int:
        """How many findings are errors."""
        return count_errors(self.findings)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a sector that a folder has.

    Raises:
        BadInput: `no_sector_files`: it has none of them.
        LimitExceeded: `file_too_large`.
    """
    found: dict[str, bytes] = {}
    for name in ALL_COLUMNS:
        path = folder / name
        if path.is_file():
            if path.stat().st_size > MOST_BYTES:
                raise LimitExceeded("file_too_large", file=name, most_mb=MOST_BYTES // 1_000_000)
            found[name] = path.read_bytes()
    if not found:
        raise BadInput("no_sector_files", names=", ".join(ALL_COLUMNS))
    return found


def check_sector(files: Mapping[str, bytes]) -> Imported:
    """What is to be said of the files of a sector; nothing is kept."""
    sector, findings = read_sector(files)
    return Imported(sector, findings, None)


def import_sector(
    engine: Engine, keys: Keys, files: Mapping[str, bytes], school_year: int, code: str, actor: str, now: datetime
) -> Imported:
    """Keep a sector for a school year in place of what was kept under its code.

    Raises:
        BadInput: `bad_source_id`: the code is not of lower-case letters, digits and hyphens.
    """
    sector_id = sector_id_of(school_year, check_source_id(code))
    sector, findings = read_sector(files)
    with transaction(engine) as session:
        guardians: dict[str, str] = {}
        for reference in {home.guardian for pupil in sector.pupils for home in pupil.homes if home.guardian}:
            person = find_by_reference(session, reference)
            if person is not None:
                guardians[reference] = person.pseudonym
        findings = [*findings, *_unknown_guardians(sector, guardians)]
        kept = KeptSector(sector_id, school_year, code, now, len(sector.pupils), len(sector.left_out))
        put_sector(session, keys, kept, sector, findings, guardians)
        restore_stops(session, sector_id)
        counts: dict[str, Fact] = {"sector_id": sector_id, "pupils": len(sector.pupils), "findings": len(findings)}
        record(session, AuditLine(now, actor, "school.imported", facts=counts))
    return Imported(sector, findings, sector_id)


def _unknown_guardians(sector: Sector, known: Mapping[str, str]) -> list[Finding]:
    return [
        Finding(Severity.WARNING, "pupil_guardian_unknown", PUPILS, home.line)
        for pupil in sector.pupils
        for home in pupil.homes
        if home.guardian and home.guardian not in known
    ]
