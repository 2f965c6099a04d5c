"""A road of 30 km with towns on it, and the people who drive and ride along it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from covoiturage.drives import straight_ways
from covoiturage.lines import shipped_lines
from covoiturage.offers import Wish, leaving_at
from mobigo.services.covoiturage import booking, offering, requesting
from mobigo.services.covoiturage.given import GivenOffer, GivenRequest, Named, Weeks, digest_of
from socle.geo import LatLon

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
SEVEN = datetime.fromtimestamp(leaving_at(MONDAY, time(7)), UTC)
VESOUL = Named("Vesoul", LatLon(47.62, 6.15))
RIOZ = Named("Rioz", LatLon(47.42, 6.07))
BESANCON = Named("Besançon", LatLon(47.24, 6.02))
ANNA, BEN, CLEO, DAVID = "anna7", "ben7", "cleo7", "david7"


def baume():
    """The line from Baume-les-Dames to Avoudrey."""
    return next(line for line in shipped_lines() if line.line_id == "CV6")


def publish(engine, driver=ANNA, *, key="k1", now=NOW, line=None, **given):
    """What became of an offer, from Vesoul to Besançon on Monday at 7 unless more is said."""
    plain = {"leaves": SEVEN, "seats": 3, "detour_min": 15}
    ends = {} if line else {"origin": VESOUL, "destination": BESANCON}
    if line:
        plain["detour_min"] = 0
    whole = GivenOffer(**(plain | ends | given))
    return offering.publish(engine, straight_ways, driver, whole, line, key, f"person:{driver}", now)


def ask(engine, passenger=BEN, *, key="r1", now=NOW, line=None, **given):
    """What became of a request."""
    ends = {} if line else {"origin": RIOZ, "destination": BESANCON}
    return requesting.ask(
        engine, straight_ways, passenger, GivenRequest(**({"at": SEVEN} | ends | given)), line, key, now
    )


def wish(passenger=BEN, *, origin=RIOZ, destination=BESANCON, at=SEVEN, **more):
    """What a passenger looks for."""
    return Wish(origin.at, destination.at, int(at.timestamp()), passenger=passenger, **more)


def book(engine, offer_id, passenger=BEN, *, key="b1", now=NOW, day=MONDAY, board_at=None, **more):
    """What became of a booking."""
    given = booking.GivenBooking(offer_id, day, wish(passenger, **more), "Rioz", "Besançon", board_at)
    digest = digest_of(given, key)
    return booking.book(engine, straight_ways, given, digest, key, f"person:{passenger}", now)


WEEKS = Weeks((0, 1, 2, 3, 4), time(7), MONDAY)
