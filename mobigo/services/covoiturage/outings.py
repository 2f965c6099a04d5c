"""Outings: a carpool as it happens: the driver opens it, passengers board and alight, at the end it is declared.

Every action takes the outing under its lock, asks `covoiturage.boarding`, and adds what happened, in
one transaction. Closing declares the carpool in that same transaction: it is closed and declared, or
neither, and closing once more answers the same.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NoReturn

from sqlalchemy import Engine

from covoiturage import boarding, scans
from covoiturage.boarding import OPEN_AT_MOST, Again, Answer, Event, How, Outing, Proof, State, Step, Stop
from covoiturage.carpool import Side, facts_of, hash_facts, render_facts
from mobigo.services.covoiturage.booking import BookingState, Party, list_of_driver, note_alighted, note_boarded
from mobigo.services.covoiturage.declaring import Declared, check_key, write_cancelled, write_declared
from mobigo.services.covoiturage.lines import get_line
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.outings import (
    Opening,
    add_events,
    add_outing,
    find_aboard,
    find_by_key,
    find_open,
    get_outing,
)
from mobigo.store.jobs import enqueue
from socle.errors import BadInput, Conflict, Fact, NotFound
from socle.geo import LatLon

CLOSE_JOB = "covoiturage.close_outing"
_AROUND_S = 2 * 3600  # of the hour that was agreed: the ride that was booked, and no other of that day
_MALFORMED = frozenset({boarding.Why.UNKNOWN_STOP, boarding.Why.BAD_SEATS, boarding.Why.BAD_INSTANT})


@dataclass(frozen=True, slots=True)
class Course:
    """Where a car goes by: the stops of a line, or of what was agreed with its passengers."""

    stops: tuple[Stop, ...]
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the caller's device: when it asked, the keyed hash of it, and where it is if it tells."""

    now: datetime
    device: str | None = None
    place: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """The outing afterwards, and what was added to it; `replayed` when it was there already."""

    outing: Outing
    event: Event
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """An outing that has ended, and what became of its declaration; none when nobody rode."""

    outing: Outing
    declared: Declared | None


def course_of_line(engine: Engine, line_id: str, day: date) -> Course:
    """The stops of a line, as they are on a day.

    Raises:
        NotFound: `unknown_line`.
    """
    line = get_line(engine, line_id, day)
    stops = (Stop(stop.stop_id, stop.name, stop.distance_m, stop.at) for stop in line.stops)
    return Course(tuple(stops), line_id)


# --- open ------------------------------------------------------------------------------------


def open_outing(
    engine: Engine, driver: str, course: Course, stop_id: str, seen: Seen, key: str, actor: str
) -> Happened:
    """Begin an outing, once under a key of the driver's.

    Raises:
        BadInput: `bad_key`, `boarding_unknown_stop`.
        Conflict: `key_used_otherwise`, `outing_open_already`, `boarding_too_few_stops`.
    """
    check_key(key)
    told = json.dumps([driver, course.line_id, [stop.stop_id for stop in course.stops], stop_id], sort_keys=True)
    opening = Opening(f"{driver}:{key}", hashlib.sha256(told.encode()).hexdigest())
    event = Event(Step.OPENED, seen.now, driver, stop_id, device=seen.device, place=seen.place)
    with transaction(engine) as session:
        known = _known(session, opening)
        if known is not None:
            return Happened(known, known.events[0], replayed=True)
        try:
            outing = write_opened(session, driver, course, event, opening, actor)
        except Conflict:
            known = _known(session, opening)  # sent twice at once: the other one was faster
            if known is None:
                raise
            return Happened(known, known.events[0], replayed=True)
    return Happened(outing, event)


def write_opened(session: Session, driver: str, course: Course, opened: Event, opening: Opening, actor: str) -> Outing:
    """Keep an outing that begins with `opened`, and see to it that it does not stay open for ever.

    Raises:
        BadInput: `boarding_unknown_stop`.
        Conflict: `outing_open_already`, `boarding_too_few_stops`.
    """
    outing_id = scans.outing_id_of(secrets.token_bytes(scans.N_ID_BYTES))
    outing = boarding.open_outing(outing_id, driver, course.stops, course.line_id, opened)
    if isinstance(outing, boarding.Refused):
        refuse(outing.why)
    add_outing(session, outing, opening)
    later = outing.opened_at + OPEN_AT_MOST + timedelta(minutes=1)
    enqueue(session, CLOSE_JOB, {"outing_id": outing_id}, later, f"{CLOSE_JOB}:{outing_id}")
    record(session, AuditLine(opened.at, actor, "covoiturage.outing_opened", f"person:{driver}"))
    return outing


def _known(session: Session, opening: Opening) -> Outing | None:
    known = find_by_key(session, opening.key)
    if known is None:
        return None
    if known[1].body_sha256 != opening.body_sha256:
        raise Conflict("key_used_otherwise", key=opening.key)
    return known[0]


# --- look ------------------------------------------------------------------------------------


def get_outing_of(engine: Engine, outing_id: str, who: str) -> Outing:
    """An outing, for its driver or one of its passengers.

    Raises:
        NotFound: `unknown_carpool`, also when it is of others.
    """
    with reading(engine) as session:
        outing = get_outing(session, outing_id)
    if who != outing.driver and who not in outing.riders:
        raise NotFound("unknown_carpool", carpool=outing_id)
    return outing


def find_driven(engine: Engine, driver: str) -> Outing | None:
    """The outing that somebody drives now."""
    with reading(engine) as session:
        return find_open(session, driver)


def find_current(engine: Engine, who: str, now: datetime) -> Outing | None:
    """The outing that somebody is on the way with, at the wheel or aboard."""
    with reading(engine) as session:
        outing = find_open(session, who) or find_aboard(session, who, now - OPEN_AT_MOST)
    if outing is None or (outing.driver != who and not any(rider.passenger == who for rider in outing.aboard)):
        return None
    return outing


# --- board and alight ------------------------------------------------------------------------


def write_end(
    session: Session,
    outing: Outing,
    passenger: str,
    side: Side,
    proof: Proof,
    stop_id: str,
    seen: Seen,
    seats: int = 1,
) -> Happened:
    """Somebody boards or alights by `proof`, in the transaction that holds the outing.

    Raises:
        BadInput: `boarding_…` of what was typed.
        Conflict: `boarding_…`.
    """
    if side is Side.BOARD:
        answer = boarding.board(outing, passenger, proof, stop_id, seen.now, seats)
    else:
        answer = boarding.alight(outing, passenger, proof, stop_id, seen.now)
    done = _write(session, outing, answer)
    if not done.replayed:
        _move_booking(session, done.outing, passenger, side, seen.now)
    return done


def _move_booking(session: Session, outing: Outing, passenger: str, side: Side, now: datetime) -> None:
    """A passenger who had booked with this driver, around now, is aboard; or done, who was."""
    boarded_at = outing.riders[passenger].boarded.at
    for booking in list_of_driver(session, outing.driver, boarded_at):
        if booking.passenger != passenger or abs(booking.taken.board.instant - boarded_at.timestamp()) > _AROUND_S:
            continue
        if side is Side.BOARD and booking.state is BookingState.CONFIRMED:
            note_boarded(session, booking.booking_id, now)
        elif side is Side.ALIGHT and booking.state is BookingState.ABOARD:
            note_alighted(session, booking.booking_id, now)


def board_guest(
    engine: Engine, outing_id: str, driver: str, booking_id: str, stop_id: str, seen: Seen, actor: str
) -> Happened:
    """A passenger of a partner, who has no account to scan with, is aboard on the driver's word: class A, no more.

    Raises:
        BadInput: `boarding_…` of what was typed.
        NotFound: `unknown_carpool`; `unknown_booking`: no confirmed booking of such a passenger.
        Conflict: `boarding_…`.
    """
    with transaction(engine) as session:
        outing = get_outing(session, outing_id, locked=True)
        only_driver(outing, driver)
        today = list_of_driver(session, driver, seen.now)
        coming = {BookingState.CONFIRMED, BookingState.ABOARD}
        own = next((one for one in today if one.booking_id == booking_id and one.state in coming), None)
        if own is None or own.theirs is not Party.PASSENGER:
            raise NotFound("unknown_booking", booking=booking_id)
        proof = Proof(How.WORD, seen.now, f"word:{booking_id}")
        done = write_end(session, outing, own.passenger, Side.BOARD, proof, stop_id, seen, own.seats)
        if not done.replayed:
            facts: dict[str, Fact] = {"booking": booking_id}
            record(session, AuditLine(seen.now, actor, "covoiturage.guest_boarded", f"person:{driver}", facts=facts))
        return done


def note_position(engine: Engine, outing_id: str, who: str, seen: Seen, at: datetime | None = None) -> Happened:
    """A device of the driver or of a passenger tells where it is, or was at `at`.

    Raises:
        BadInput: `place_missing`.
        NotFound: `unknown_carpool`.
        Conflict: `boarding_…`.
    """
    if seen.place is None:
        raise BadInput("place_missing")
    with transaction(engine) as session:
        outing = get_outing(session, outing_id, locked=True)
        if who != outing.driver and who not in outing.riders:
            raise NotFound("unknown_carpool", carpool=outing_id)
        return _write(
            session, outing, boarding.note_seen(outing, who, at or seen.now, seen.device, seen.place, seen.now)
        )


def _write(session: Session, outing: Outing, answer: Answer) -> Happened:
    if isinstance(answer, boarding.Refused):
        refuse(answer.why)
    if isinstance(answer, Again):
        return Happened(outing, answer.event, replayed=True)
    return Happened(add_events(session, outing, [answer]), answer)


# --- close -----------------------------------------------------------------------------------


def close_outing(
    engine: Engine, outing_id: str, driver: str, stop_id: str, set_down: Mapping[str, str], seen: Seen, actor: str
) -> Closed:
    """The car has arrived, at a stop if one is told: the outing is closed, and its carpool declared with it.

    Raises:
        BadInput: `boarding_unknown_stop`.
        NotFound: `unknown_carpool`.
        Conflict: `boarding_still_aboard`, `boarding_not_open` when it was cancelled.
    """
    with transaction(engine) as session:
        outing = get_outing(session, outing_id, locked=True)
        only_driver(outing, driver)
        if outing.state is State.CLOSED:
            return Closed(outing, _declare(session, outing, actor, seen.now))
        closed = Event(Step.CLOSED, seen.now, driver, stop_id, device=seen.device, place=seen.place)
        events = boarding.close(outing, closed, set_down, seen.now)
        if isinstance(events, boarding.Refused):
            refuse(events.why)
        after = _set_down(session, outing, events, seen.now)
        return Closed(after, _declare(session, after, actor, seen.now))


def close_forgotten(engine: Engine, outing_id: str, now: datetime) -> Closed | None:
    """Close an outing that its driver did not; None when it is not open any more."""
    with transaction(engine) as session:
        outing = get_outing(session, outing_id, locked=True)
        if outing.state is not State.OPEN:
            return None
        after = _set_down(session, outing, boarding.give_up(outing, now), now)
        return Closed(after, _declare(session, after, f"system:{CLOSE_JOB}", now))


def _set_down(session: Session, outing: Outing, events: Sequence[Event], now: datetime) -> Outing:
    """Keep the end of an outing; who was still aboard has ridden, as their booking says then."""
    after = add_events(session, outing, events)
    for event in events:
        if event.step is Step.ALIGHTED:
            _move_booking(session, after, event.by, Side.ALIGHT, now)
    return after


def _declare(session: Session, outing: Outing, actor: str, now: datetime) -> Declared | None:
    carpool = boarding.finish(outing)
    if carpool is None:
        return None
    digest = hash_facts(render_facts(facts_of(carpool, {})))
    return write_declared(session, carpool, f"outing:{outing.id}", digest, actor, now)


def cancel_outing(engine: Engine, outing_id: str, driver: str, why: str, actor: str, now: datetime) -> Outing:
    """The outing was not so: open, it ends without a carpool; closed, its carpool is cancelled.

    Raises:
        NotFound: `unknown_carpool`.
        Conflict: `cancelled_already`.
    """
    with transaction(engine) as session:
        outing = get_outing(session, outing_id, locked=True)
        only_driver(outing, driver)
        if outing.state is State.CANCELLED:
            raise Conflict("cancelled_already", carpool=outing_id)
        if outing.state is State.CLOSED:
            if outing.riders:
                write_cancelled(session, outing_id, actor, why, now)
            return outing
        record(session, AuditLine(now, actor, "covoiturage.outing_cancelled", f"person:{driver}", why))
        return add_events(session, outing, [Event(Step.CANCELLED, now, driver)])


def only_driver(outing: Outing, driver: str) -> None:
    """Raise `unknown_carpool` for everybody else."""
    if outing.driver != driver:
        raise NotFound("unknown_carpool", carpool=outing.id)


def refuse(why: boarding.Why) -> NoReturn:
    """Raise what a refusal of the domain is to who asked."""
    raise (BadInput if why in _MALFORMED else Conflict)(f"boarding_{why}")
