"""Correction: what people put right in a carpool after it was declared, as other facts of the same outing.

Times, driver and passengers stay: they name the outing. A ride may be struck out or come back, its
seats and metres change, or people vouch for what no scan proves (class B, the least that is paid).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from covoiturage.policy.facts import read_car
from covoiturage.proof import ProofClass
from socle.errors import BadInput

MOST_CORRECTED_M = 500_000
MOST_CORRECTED_SEATS = 8  # that a car licence (B) carries beside the driver


@dataclass(frozen=True, slots=True)
class RideChange:
    """What is put right in one ride: None and False leave it as it is; an empty change brings a struck ride back."""

    struck: bool = False
    vouched: bool = False
    seats: int | None = None
    distance_m: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What is put right in one carpool: the metres of its trace, and its rides by id."""

    measured_m: int | None = None
    rides: Mapping[str, RideChange] = field(default_factory=dict)


def correct_facts(declared: Mapping[str, Any], facts: Mapping[str, Any], correction: Correction) -> dict[str, Any]:
    """`facts` put right; `declared` are the first ones, which know the rides that were struck since.

    Raises:
        BadInput: `unknown_ride`; `bad_correction` names the field that no car can have; `nothing_corrected`.
    """
    known = {ride["ride_id"]: ride for ride in [*declared["rides"], *facts["rides"]]}  # the later facts of each
    present = {ride["ride_id"] for ride in facts["rides"]}
    for ride_id, change in correction.rides.items():
        if ride_id not in known:
            raise BadInput("unknown_ride", ride=ride_id)
        if change.struck:
            present.discard(ride_id)
        else:
            present.add(ride_id)
            known[ride_id] = _ride(known[ride_id], change)
    rides = sorted((known[ride_id] for ride_id in present), key=lambda ride: (ride["board_at"], ride["ride_id"]))
    measured = correction.measured_m
    if measured is not None:
        _check("measured_m", measured, 0, MOST_CORRECTED_M)
    corrected = {**facts, "rides": rides, "measured_m": facts["measured_m"] if measured is None else measured}
    if corrected == dict(facts):
        raise BadInput("nothing_corrected")
    read_car(corrected)
    return corrected


def _ride(ride: Mapping[str, Any], change: RideChange) -> dict[str, Any]:
    changed = dict(ride)
    if change.seats is not None:
        _check("seats", change.seats, 1, MOST_CORRECTED_SEATS)
        changed["seats"] = change.seats
    if change.distance_m is not None:
        _check("distance_m", change.distance_m, 0, MOST_CORRECTED_M)
        changed["distance_m"] = change.distance_m
    if change.vouched and changed["operator_class"] not in {ProofClass.B, ProofClass.C}:
        changed["operator_class"] = str(ProofClass.B)
    return changed


def _check(field_name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise BadInput("bad_correction", field=field_name, least=least, most=most)
