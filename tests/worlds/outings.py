"""An outing said in few words: a car on the line from Baume-les-Dames to Avoudrey."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from covoiturage.boarding import Event, How, Outing, Proof, Step, Stop, open_outing
from socle.geo import LatLon

SEVEN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # seven o'clock in Paris, a Monday
STOPS = (
    Stop("baume", "Baume-les-Dames", 0, LatLon(47.3530, 6.3610)),
    Stop("pont", "Pont-les-Moulins", 5_000, LatLon(47.3220, 6.3650)),
    Stop("vercel", "Vercel", 24_000, LatLon(47.1830, 6.3990)),
    Stop("avoudrey", "Avoudrey", 33_000, LatLon(47.1420, 6.4310)),
)
PLACE_OF = {stop.stop_id: stop.at for stop in STOPS}
OUTING_ID = "ouvertureabcdefg"


def minutes(n):
    return timedelta(minutes=n)


def opened(at=SEVEN, driver="d1", stop="baume", device="phone-d1", place=None, stops=STOPS):
    event = Event(Step.OPENED, at, driver, stop, device=device, place=place)
    return open_outing(OUTING_ID, driver, stops, "L6", event)


def shown(at, mark="", device="phone-p1", how=How.QR, place=None):
    return Proof(how, at, mark or f"{device}-{at:%H%M%S}", device, place)


def after(outing: Outing, *answers) -> Outing:
    """The outing with these answers, which are events."""
    for answer in answers:
        assert isinstance(answer, Event), answer
    return outing.with_events(*answers)
