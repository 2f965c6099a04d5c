"""Proof: what the evidence of a ride is worth, as a class of the national registry, or why it proves nothing.

A: an operator vouches that the two were matched. B: besides, one occupant was there at both ends,
by the trace of a device or by a code scanned. C: driver and passenger were, and are two persons
with two devices. On the Region's lines a code scanned by the passenger at boarding and at alighting,
from a device that is not the driver's, is B; with both positions at both ends, C.

Source: Registre de preuve de covoiturage, classes of proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side

# A code or a position counts for an end of a ride when it was given around it.
AROUND = timedelta(minutes=15)
CODES = frozenset({Kind.QR, Kind.SMS})


class ProofClass(StrEnum):
    """The classes, weakest first."""

    A = "A"
    B = "B"
    C = "C"


class Why(StrEnum):
    """Why evidence proves nothing."""

    NO_EVIDENCE = "no_evidence"
    ONE_END_ONLY = "one_end_only"
    SAME_PERSON = "same_person"
    SAME_DEVICE = "same_device"


@dataclass(frozen=True, slots=True)
class Refused:
    """The ride is not proven."""

    why: Why


def judge_proof(carpool: Carpool, ride: Ride) -> ProofClass | Refused:
    """The class that the evidence of `ride` reaches, or why it reaches none."""
    if ride.passenger == carpool.driver:
        return Refused(Why.SAME_PERSON)
    devices = {one.device for one in _given(ride, carpool.driver) if one.device is not None}
    theirs = [one for one in _given(ride, ride.passenger) if one.device is None or one.device not in devices]
    scanned = _ends(ride, (one for one in theirs if one.kind in CODES))
    seen = _ends(ride, (one for one in theirs if one.place is not None))
    driver_seen = _ends(ride, (one for one in _given(ride, carpool.driver) if one.place is not None))
    both = frozenset(Side)
    if seen == driver_seen == both:
        return ProofClass.C
    if both in (scanned, seen, driver_seen):
        return ProofClass.B
    if ride.certified:
        return ProofClass.A
    if len(theirs) < len(_given(ride, ride.passenger)):
        return Refused(Why.SAME_DEVICE)
    return Refused(Why.ONE_END_ONLY if scanned | seen | driver_seen else Why.NO_EVIDENCE)


def _given(ride: Ride, by: str) -> list[Evidence]:
    return [one for one in ride.evidence if one.by == by]


def _ends(ride: Ride, evidence: Iterable[Evidence]) -> frozenset[Side]:
    """The ends of `ride` around which this evidence was given."""
    instants = {Side.BOARD: ride.board_at, Side.ALIGHT: ride.alight_at}
    return frozenset(one.side for one in evidence if abs(one.at - instants[one.side]) <= AROUND)
