"""Planning: the week of a sector planned on the ways that are known, and plans looked at again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np

from mobigo.bridges.coaches import PACE, coach_matrix
from mobigo.store.streets import find_streets, streets_dir
from routing.streets.graph import open_streets
from scolaire.planfiles import render_plan
from scolaire.plans import SchoolPlan
from scolaire.pupils import Sector
from scolaire.ways import Ways, places_of, straight_matrix
from socle.errors import Unavailable
from socle.geo import LatLon
from socle.matrix import TravelMatrix

STRAIGHT: Final = "straight"
COVERED: Final = 0.9  # streets are taken by themselves when so many of the places are on one


def matrix_for(places: tuple[LatLon, ...], data_dir: Path, *, streets: bool | None) -> tuple[TravelMatrix, str]:
    """Ways between places and what they are made from; `streets` None takes them when they cover the places.

    What was once found on the same streets is read again from the data directory.

    Raises:
        Unavailable: `no_streets`, when they are asked for.
    """
    found = None if streets is False else find_streets(data_dir)
    if found is None:
        if streets:
            raise Unavailable("no_streets", directory=str(streets_dir(data_dir)))
        return straight_matrix(places), STRAIGHT
    told = hashlib.sha256(f"{found.name}/{PACE}/{places!r}".encode()).hexdigest()[:32]
    kept = streets_dir(data_dir) / "matrices" / f"{told}.npz"
    try:
        with np.load(kept) as file:
            matrix, covered = TravelMatrix(file["seconds"], file["metres"]), float(file["covered"])
    except (OSError, KeyError, ValueError):
        try:
            matrix, covered = coach_matrix(open_streets(found), places)
        except Unavailable:
            if streets:
                raise
            return straight_matrix(places), STRAIGHT
        _keep(kept, matrix, covered)
    if streets is None and covered < COVERED:
        return straight_matrix(places), STRAIGHT
    return matrix, f"streets:{found.name}"


def _keep(path: Path, matrix: TravelMatrix, covered: float) -> None:
    """Write a matrix for the next time; a disk that takes nothing costs only that time."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez_compressed(file, seconds=matrix.seconds, metres=matrix.metres, covered=np.float64(covered))
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def ways_of(of: Sector | SchoolPlan, data_dir: Path, *, streets: bool | None = None) -> Ways:
    """The ways between the places of a sector or a plan; those that a plan was made on unless told otherwise."""
    if streets is None and isinstance(of, SchoolPlan):
        streets = of.making.ways != STRAIGHT
    places = places_of(of)
    return Ways(places, matrix_for(places, data_dir, streets=streets)[0])


def keep_plan(plan: SchoolPlan, path: Path) -> None:
    """Write a plan: whole, or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(render_plan(plan))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
