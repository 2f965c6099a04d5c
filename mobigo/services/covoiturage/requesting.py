"""Requesting: passengers say what they look for.

Whoever offers such a ride later is shown to them; whoever passes at once takes along those who wait at a
stop. What is sent again under the same key is the same request; the key with another body is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from covoiturage.bookings import Booking
from covoiturage.drives import Ways
from covoiturage.lines import Line
from covoiturage.offers import Wish
from mobigo.services.covoiturage.given import GivenRequest, Named, check_instant, digest_of, halts_between, halts_of
from mobigo.services.covoiturage.joining import board_who_passes
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage import own_offers
from mobigo.store.covoiturage.own_offers import KeptRequest as KeptRequest  # named in the signatures of doors
from mobigo.store.covoiturage.own_offers import RequestState, take_turn
from socle.errors import BadInput, Conflict, Forbidden

MOST_REQUESTS = 20  # open, of one passenger


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a request; `booked`: somebody who passes at once takes the passenger along."""

    request: KeptRequest
    booked: Booking | None
    replayed: bool


def ask(
    engine: Engine, ways: Ways, passenger: str, given: GivenRequest, line: Line | None, key: str, now: datetime
) -> Asked:
    """Look for a seat; whoever offers one later is shown, whoever passes at once takes the passenger along.

    Raises:
        BadInput: `bad_key`, `offer_in_past`, `offer_too_far`, `ends_too_near`,
            `bad_place_name`, `one_of_two`, or as `Wish`.
        NotFound: `unknown_line_stop`.
        Conflict: `key_used_otherwise`; `too_many_requests`.
    """
    digest = digest_of(given, key)
    check_instant(given.at, now)
    origin, destination = _ends_of(ways, given, line)
    wish = Wish(
        origin.at,
        destination.at,
        int(given.at.timestamp()),
        arrive_by=given.arrive_by,
        tolerance_s=given.tolerance_s,
        seats=given.seats,
        passenger=passenger,
    )
    line_id = "" if line is None else line.line_id
    ends_at = datetime.fromtimestamp(wish.at + wish.tolerance_s, UTC)
    about = (line_id, RequestState.OPEN, key, digest, ends_at, now)
    kept = KeptRequest(secrets.token_hex(12), wish, origin.name, destination.name, *about)
    with transaction(engine) as session:
        number = take_turn(session)
        known = own_offers.find_request_by_key(session, passenger, key)
        if known is not None:
            if known.body_sha256 != digest:
                raise Conflict("key_used_otherwise", key=key)
            return Asked(known, None, replayed=True)
        if len(own_offers.list_requests_of(session, passenger, now)) >= MOST_REQUESTS:
            raise Conflict("too_many_requests", most=MOST_REQUESTS)
        own_offers.put_request(session, kept)
        booked = board_who_passes(session, ways, kept, now, number) if line_id else None
    return Asked(kept, booked, replayed=False)


def _ends_of(ways: Ways, given: GivenRequest, line: Line | None) -> tuple[Named, Named]:
    if line is not None:
        halts = halts_of(line, given.from_stop, given.to_stop)
    elif given.origin is None or given.destination is None:
        raise BadInput("one_of_two", one="origin", other="line")
    else:
        halts = halts_between(ways, given.origin, given.destination)
    return Named(halts[0].name, halts[0].at), Named(halts[-1].name, halts[-1].at)


def give_up(engine: Engine, request_id: str, passenger: str) -> None:
    """Look for a seat no more.

    Raises:
        NotFound: `unknown_request`.
        Forbidden: `not_yours`.
    """
    with transaction(engine) as session:
        take_turn(session)
        kept = own_offers.get_request(session, request_id)
        if kept.wish.passenger != passenger:
            raise Forbidden("not_yours")
        own_offers.put_request(session, replace(kept, state=RequestState.WITHDRAWN))


def list_own_requests(engine: Engine, passenger: str, now: datetime) -> Sequence[KeptRequest]:
    """What somebody looks for."""
    with reading(engine) as session:
        return own_offers.list_requests_of(session, passenger, now)
