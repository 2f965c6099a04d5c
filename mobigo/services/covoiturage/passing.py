"""Passing: the cars that drivers have published along a line, soonest first; who drives is told to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from covoiturage.drives import plan_drive, straight_ways
from mobigo.store.base import reading
from mobigo.store.covoiturage import own_bookings, own_offers
from socle.times import PARIS

LOOKED_AHEAD = timedelta(days=7)
MOST_CARS = 20


@dataclass(frozen=True, slots=True)
class NextCar:
    """A car that leaves one stop of the line for another, and the seats that are free all along."""

    leave_at: int
    from_stop: str
    to_stop: str
    n_free: int


def list_next_cars(engine: Engine, line_id: str, now: datetime) -> Sequence[NextCar]:
    """The cars that are still to leave within some days and have a seat left."""
    begin, end = now.timestamp(), (now + LOOKED_AHEAD).timestamp()
    first, last = now.astimezone(PARIS).date(), (now + LOOKED_AHEAD).astimezone(PARIS).date()
    found = []
    with reading(engine) as session:
        for kept in own_offers.list_on_line(session, line_id, now):
            offer = kept.offer
            for day in offer.list_days(first, last):
                leave_at = offer.find_leaving(day)
                if leave_at is None or not begin <= leave_at < end:
                    continue
                taken = [one.taken for one in own_bookings.list_of_outing(session, offer.offer_id, day)]
                n_free = offer.seats - max(plan_drive(offer, day, leave_at, taken, straight_ways).loads)
                if n_free > 0:
                    found.append(NextCar(leave_at, offer.halts[0].stop_id, offer.halts[-1].stop_id, n_free))
    return sorted(found, key=lambda car: (car.leave_at, car.from_stop, car.to_stop))[:MOST_CARS]
