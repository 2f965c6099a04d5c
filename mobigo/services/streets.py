"""Streets: an extract becomes the streets in use, or nothing changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobigo.bridges.driving import Drives, drives_on
from mobigo.bridges.guiding import guide_on
from mobigo.store.files import building, clear_left_overs, only_one, point, publish
from mobigo.store.streets import FINDINGS, builds_dir, current_link, find_streets, streets_dir
from routing.streets.graph import (
    contract_streets,
    digest_of,
    make_streets,
    open_streets,
    read_manifest,
    save_streets,
)
from routing.streets.osm import read_extract, street_graph
from scolaire.roadbook import Guide
from socle.errors import Unavailable
from socle.findings import Finding

N_STEPS = 4  # read, compile, contract, write
_BUILDS_KEPT = 2

OnStep = Callable[[str], None]
"""Told before each step: its name (read, compile, contract, write)."""
OnShare = Callable[[float], None]
"""Told what share of the step under way is done, where that is known."""


@dataclass(frozen=True, slots=True)
class StreetsReport:
    """What was built: its name, what it says of itself, what is to be said of the extract."""

    build: str
    manifest: Mapping[str, Any]
    findings: tuple[Finding, ...]


def build_streets(
    path: Path,
    data_dir: Path,
    on_step: OnStep = lambda _step: None,
    on_share: OnShare = lambda _share: None,
) -> StreetsReport:
    """Make streets of the extract at `path` and use them from then on.

    Raises:
        BadInput: the extract is refused, see `routing.streets.osm.read_extract`.
        Conflict: `already_running` when other streets are being built.
        OSError: the file cannot be read, the data directory not written, the disk is full.
    """
    with only_one(streets_dir(data_dir), "build"):
        shelf = builds_dir(data_dir)
        clear_left_overs(shelf)
        on_step("read")
        digest = digest_of(path)
        extract, remarks = read_extract(path)
        on_step("compile")
        graph = street_graph(extract)
        streets, more = make_streets(graph, digest=digest, generator=extract.generator, file=path.name)
        findings = (*remarks, *more)
        on_step("contract")
        streets = contract_streets(streets, on_share)
        on_step("write")
        name = digest[:16]
        with building(shelf) as built:
            save_streets(streets, built)
            told = [finding.as_dict() for finding in findings]
            (built / FINDINGS).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
            place = _free_place(shelf, name)
            publish(built, place)
        point(current_link(data_dir), f"builds/{place.name}")
        _forget_old_builds(shelf, place)
    return StreetsReport(place.name, read_manifest(place), findings)


def describe_streets(data_dir: Path) -> StreetsReport:
    """The streets in use.

    Raises:
        Unavailable: `no_streets`, or they cannot be read by this version.
    """
    found = find_streets(data_dir)
    if found is None:
        raise Unavailable("no_streets", directory=str(streets_dir(data_dir)))
    return StreetsReport(found.name, read_manifest(found), ())


def open_drives(data_dir: Path) -> Drives | None:
    """The ways by car on the streets in use; None when none can be used."""
    found = find_streets(data_dir)
    if found is None:
        return None
    try:
        return drives_on(open_streets(found))
    except Unavailable:
        return None


def open_guide(data_dir: Path) -> Guide | None:
    """What drivers are told of ways on the streets in use; None when none can be used."""
    found = find_streets(data_dir)
    if found is None:
        return None
    try:
        return guide_on(open_streets(found))
    except Unavailable:
        return None


def find_generator(data_dir: Path) -> str | None:
    """The program that wrote the extract of the streets in use; None when none can be used."""
    try:
        return str(describe_streets(data_dir).manifest["generator"])
    except Unavailable:
        return None


def _free_place(shelf: Path, name: str) -> Path:
    """A folder for a build: the same extract may be built again while its streets are in use."""
    taken = {path.name for path in shelf.iterdir()}
    number = next(n for n in range(1, len(taken) + 2) if f"{name}-{n}" not in taken)
    return shelf / f"{name}-{number}"


def _forget_old_builds(shelf: Path, current: Path) -> None:
    """Remove all but the newest builds; processes that still map one keep their pages until they let go."""
    others = [path for path in shelf.iterdir() if path != current and not path.name.startswith(".")]
    others.sort(key=lambda path: path.stat().st_mtime)
    for old in others[: len(others) - (_BUILDS_KEPT - 1)]:
        shutil.rmtree(old, ignore_errors=True)
