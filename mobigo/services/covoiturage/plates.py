"""Plates: the printed code of a car whose driver has no telephone.

The first passenger who scans it opens the outing, each one's own device proves the boarding and the
alighting, and when nobody is aboard any more for half an hour, the outing is closed by itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from covoiturage.boarding import Event, How, Outing, Proof, Step
from covoiturage.carpool import Side
from mobigo.services.covoiturage.outings import (
    CLOSE_JOB,
    Course,
    Happened,
    Seen,
    close_forgotten,
    write_end,
    write_opened,
)
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.outings import (
    Opening,
    Plate,
    add_plate,
    end_plate,
    find_open,
    find_plate,
    get_outing,
    list_plates,
)
from mobigo.store.jobs import enqueue
from socle.errors import Conflict, NotFound

EMPTY_FOR = timedelta(minutes=30)
MOST_PLATES = 5
_CODE_BYTES = 12
_SAME_MINUTES = timedelta(minutes=2)  # within which a plate scanned again is the same scan


def make_plate(engine: Engine, driver: str, line_id: str, actor: str, now: datetime) -> Plate:
    """A new plate for somebody's car on a line.

    Raises:
        Conflict: `too_many_plates`.
    """
    plate = Plate(secrets.token_hex(8), driver, secrets.token_urlsafe(_CODE_BYTES), line_id, now)
    with transaction(engine) as session:
        if len(list_plates(session, driver)) >= MOST_PLATES:
            raise Conflict("too_many_plates", most=MOST_PLATES)
        add_plate(session, plate)
        record(session, AuditLine(now, actor, "covoiturage.plate_made", f"person:{driver}"))
    return plate


def list_plates_of(engine: Engine, driver: str) -> list[Plate]:
    """The plates of somebody's cars, the newest first."""
    with reading(engine) as session:
        return list_plates(session, driver)


def withdraw_plate(engine: Engine, driver: str, plate_id: str, actor: str, now: datetime) -> None:
    """Have a plate hold no more: it was lost, or the car sold.

    Raises:
        NotFound: `unknown_plate`.
    """
    with transaction(engine) as session:
        end_plate(session, driver, plate_id, now)
        record(session, AuditLine(now, actor, "covoiturage.plate_ended", f"person:{driver}"))


def look_at_plate(engine: Engine, code: str) -> tuple[Plate, Outing | None]:
    """A plate that was scanned, and the outing that its driver is on the way with.

    Raises:
        NotFound: `unknown_plate`.
    """
    with reading(engine) as session:
        plate = find_plate(session, code)
        if plate is None:
            raise NotFound("unknown_plate")
        return plate, find_open(session, plate.driver)


def board_by_plate(
    engine: Engine,
    passenger: str,
    code: str,
    course_of: Callable[[str], Course],
    stop_id: str,
    seen: Seen,
    seats: int = 1,
) -> Happened:
    """A passenger who scanned the plate gets in; the first one opens the outing, along the line of the plate.

    Raises:
        BadInput: `boarding_…` of what was typed.
        NotFound: `unknown_plate`.
        Conflict: `boarding_…`.
    """
    plate, _ = look_at_plate(engine, code)
    course = course_of(plate.line_id)
    with transaction(engine) as session:
        outing = find_open(session, plate.driver, locked=True)
        if outing is None:
            key = f"plate:{plate.id}:{secrets.token_hex(8)}"
            opening = Opening(key, hashlib.sha256(key.encode()).hexdigest(), plate.id)
            opened = Event(Step.OPENED, seen.now, passenger, stop_id, device=seen.device, place=seen.place)
            outing = write_opened(session, plate.driver, course, opened, opening, f"person:{passenger}")
        rider = outing.riders.get(passenger)
        if rider is not None and rider.alighted is None and seen.now - rider.boarded.at <= _SAME_MINUTES:
            return Happened(outing, rider.boarded, replayed=True)
        proof = Proof(How.PLATE, seen.now, "", seen.device, seen.place)
        return write_end(session, outing, passenger, Side.BOARD, proof, stop_id, seen, seats)


def alight_by_plate(engine: Engine, passenger: str, code: str, stop_id: str, seen: Seen) -> Happened:
    """A passenger who scanned the plate gets out.

    Raises:
        BadInput: `boarding_unknown_stop`.
        NotFound: `unknown_plate`.
        Conflict: `boarding_…`, `no_outing` when the car is not on its way.
    """
    plate, _ = look_at_plate(engine, code)
    with transaction(engine) as session:
        outing = find_open(session, plate.driver, locked=True)
        if outing is None:
            raise Conflict("no_outing")
        rider = outing.riders.get(passenger)
        if rider is not None and rider.alighted is not None and seen.now - rider.alighted.at <= _SAME_MINUTES:
            return Happened(outing, rider.alighted, replayed=True)
        proof = Proof(How.PLATE, seen.now, "", seen.device, seen.place)
        done = write_end(session, outing, passenger, Side.ALIGHT, proof, stop_id, seen)
        if not done.outing.aboard:
            number = len(done.outing.events)
            payload = {"outing_id": outing.id, "n_events": number}
            enqueue(session, CLOSE_JOB, payload, seen.now + EMPTY_FOR, f"{CLOSE_JOB}:{outing.id}:{number}")
        return done


def close_when_empty(engine: Engine, outing_id: str, n_events: int | None, now: datetime) -> None:
    """Close an outing that nobody closed: nothing happened in it since, or it lasted for as long as any may."""
    if n_events is not None:
        with reading(engine) as session:
            outing = get_outing(session, outing_id)
        if len(outing.events) != n_events:
            return
    close_forgotten(engine, outing_id, now)
