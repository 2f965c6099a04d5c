"""Scanning: the code of this minute that a driver shows, and passengers who scan it to board and to alight.

The code says which outing and which end of a ride it is of; the moment and the device of the scan are
stamped on it, so that one that was scanned in time is good when the network was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from sqlalchemy import Engine

from covoiturage import boarding, scans
from covoiturage.boarding import OPEN_AT_MOST, Event, How, Outing, Proof, State
from covoiturage.carpool import Side
from covoiturage.scans import TOKEN_LIFE, Scan
from mobigo.security import Keys
from mobigo.services.covoiturage.outings import Happened, Seen, only_driver, refuse, write_end
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.outings import get_outing
from socle.errors import BadInput, Conflict

_PURPOSE = "boarding codes"


@dataclass(frozen=True, slots=True)
class Code:
    """What a driver shows for one end of the rides, until when."""

    token: str
    side: Side
    valid_until: datetime


def show_code(engine: Engine, keys: Keys, outing_id: str, driver: str, side: Side, now: datetime) -> Code:
    """The code of this minute, for the driver to show.

    Raises:
        NotFound: `unknown_carpool`.
        Conflict: `boarding_not_open`, `boarding_over`.
    """
    with reading(engine) as session:
        outing = get_outing(session, outing_id)
    only_driver(outing, driver)
    if outing.state is not State.OPEN:
        refuse(boarding.Why.NOT_OPEN)
    if now > outing.opened_at + OPEN_AT_MOST:
        refuse(boarding.Why.OVER)
    return Code(scans.make_token(keys.derive(_PURPOSE), outing_id, side, now), side, now + TOKEN_LIFE)


def stamp_scan(keys: Keys, token: str, device: str, now: datetime) -> str:
    """A code that was scanned just now, with the moment and the device stamped on it.

    Raises:
        BadInput: `scan_unreadable`.
        Conflict: `scan_expired`.
    """
    stamped = scans.stamp_token(keys.derive(_PURPOSE), token, device, now)
    return refuse_scan(stamped.why) if isinstance(stamped, scans.Refused) else stamped


def is_stamped(token: str) -> bool:
    """Whether a code looks like one on which the moment of its scan is stamped."""
    return len(token) > scans.TOKEN_LETTERS


def outing_of_scan(keys: Keys, token: str) -> str | None:
    """The outing that a code of ours is of, however old it is; None when it is none of ours."""
    known = scans.mark_of(keys.derive(_PURPOSE), token)
    return None if known is None else known.outing_id


def look_at_scan(engine: Engine, keys: Keys, token: str, seen: Seen) -> tuple[Scan, Outing]:
    """What a code says, and the outing that it is of, before anything is done with it.

    Raises:
        BadInput: `scan_unreadable`.
        Conflict: `scan_expired`, `scan_other_device`.
    """
    scan = _read_scan(keys, token, seen)
    with reading(engine) as session:
        return scan, get_outing(session, scan.outing_id)


def _read_scan(keys: Keys, token: str, seen: Seen) -> Scan:
    scan = scans.read_scan(keys.derive(_PURPOSE), token, seen.device or "", seen.now)
    return refuse_scan(scan.why) if isinstance(scan, scans.Refused) else scan


def board_by_scan(
    engine: Engine, keys: Keys, passenger: str, token: str, stop_id: str, seen: Seen, seats: int = 1
) -> Happened:
    """A passenger who scanned the driver's code gets in.

    Raises:
        BadInput: `scan_unreadable`, `boarding_…` of what was typed.
        Conflict: `scan_expired`, `scan_other_device`, `boarding_…`.
    """
    return _by_scan(engine, keys, passenger, token, Side.BOARD, stop_id, seen, seats)


def alight_by_scan(engine: Engine, keys: Keys, passenger: str, token: str, stop_id: str, seen: Seen) -> Happened:
    """A passenger who scanned the driver's code gets out.

    Raises:
        BadInput: `scan_unreadable`, `boarding_…` of what was typed.
        Conflict: `scan_expired`, `scan_other_device`, `boarding_…`.
    """
    return _by_scan(engine, keys, passenger, token, Side.ALIGHT, stop_id, seen, 1)


def _by_scan(
    engine: Engine, keys: Keys, passenger: str, token: str, side: Side, stop_id: str, seen: Seen, seats: int
) -> Happened:
    known = scans.mark_of(keys.derive(_PURPOSE), token)
    if known is None:
        refuse_scan(scans.Why.UNREADABLE)
    with transaction(engine) as session:
        outing = get_outing(session, known.outing_id, locked=True)
        done = _done_with(outing, passenger, known)
        if done is not None:  # the same code sent once more is answered however old it is by now
            return Happened(outing, done, replayed=True)
        scan = _read_scan(keys, token, seen)
        if scan.side is not side:
            refuse(boarding.Why.OTHER_SIDE)
        proof = Proof(How.QR, scan.at, scan.mark, seen.device, seen.place)
        return write_end(session, outing, passenger, side, proof, stop_id, seen, seats)


def _done_with(outing: Outing, passenger: str, scan: Scan) -> Event | None:
    rider = outing.riders.get(passenger)
    if rider is None:
        return None
    event = rider.boarded if scan.side is Side.BOARD else rider.alighted
    return event if event is not None and event.mark == scan.mark else None


def refuse_scan(why: scans.Why) -> NoReturn:
    """The same of a code."""
    raise (BadInput if why is scans.Why.UNREADABLE else Conflict)(f"scan_{why}")
