"""Offers, bookings and users of partner operators, as short calls; places by kilometres from a square in Besançon."""

from __future__ import annotations

import uuid
from itertools import count
from math import cos, radians
from typing import Any

from socle.geo import EARTH_RADIUS_M, LatLon

SQUARE = LatLon(47.2378, 6.0241)
FAR = LatLon(47.3461, 6.3617)  # Baume-les-Dames
AT = 1_795_500_000
THEIRS = "covoit.exemple.test"
OTHERS = "trajets.exemple.org"
_KM_PER_DEGREE = EARTH_RADIUS_M * radians(1) / 1000
_numbers = count(1)


def new_id() -> str:
    """A UUID that nobody had before."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{next(_numbers)}.{THEIRS}"))


def north(km: float, of: LatLon = SQUARE) -> LatLon:
    """So many kilometres north of a place."""
    return LatLon(of.lat + km / _KM_PER_DEGREE, of.lon)


def east(km: float, of: LatLon = SQUARE) -> LatLon:
    """About so many kilometres east of a place."""
    return LatLon(of.lat, of.lon + km / _KM_PER_DEGREE / cos(radians(of.lat)))


def user(user_id: str = "u1", operator: str = THEIRS, **more: Any) -> dict[str, Any]:
    """Somebody of an operator."""
    return {"id": user_id, "operator": operator, "alias": user_id.upper(), **more}


def ends(pickup: LatLon = SQUARE, drop: LatLon = FAR) -> dict[str, float]:
    """Where a passenger gets in and out."""
    return {
        "passengerPickupLat": pickup.lat,
        "passengerPickupLng": pickup.lon,
        "passengerDropLat": drop.lat,
        "passengerDropLng": drop.lon,
    }


def driver_journey(at: float = AT, pickup: LatLon = SQUARE, drop: LatLon = FAR, **more: Any) -> dict[str, Any]:
    """A journey of a driver."""
    told = {
        "id": f"j{next(_numbers):06}",
        "operator": THEIRS,
        "driver": user(),
        "duration": 1500,
        "passengerPickupDate": at,
        "type": "PLANNED",
        **ends(pickup, drop),
    }
    return told | more


def passenger_journey(at: float = AT, **more: Any) -> dict[str, Any]:
    """A journey that a passenger looks for."""
    told = driver_journey(at) | {"passenger": user("p1"), "driverDepartureDate": at - 60}
    del told["driver"]
    return told | more


def regular_trip(*schedules: tuple[str, str, list[int]], side: str = "driver", **more: Any) -> dict[str, Any]:
    """A regular trip: day, time of day, and the instants of the journeys that it lists."""
    told: dict[str, Any] = {"operator": THEIRS, side: user(), "duration": 1500, **ends()}
    told["schedules"] = [
        {"passengerPickupDay": day, "passengerPickupTimeOfDay": time}
        | ({"journeySchedules": [{"passengerPickupDate": at, "type": "PLANNED"} for at in dates]} if dates else {})
        for day, time, dates in schedules
    ]
    return told | more


def booking(**more: Any) -> dict[str, Any]:
    """A booking that begins."""
    told = {
        "id": new_id(),
        "driver": user("d1", THEIRS),
        "passenger": user("p1", OTHERS),
        "status": "WAITING_CONFIRMATION",
        "price": {"type": "PAYING", "amount": 1.5, "currency": "EUR"},
        "passengerPickupDate": AT,
        **ends(),
    }
    return told | more


def event(status: str = "WAITING_CONFIRMATION", side: str = "driver", **more: Any) -> dict[str, Any]:
    """An event of an operator; `more` goes into what it says of the booking."""
    data: dict[str, Any] = {
        "id": new_id(),
        side: user("d1" if side == "driver" else "p1"),
        "status": status,
        "webUrl": "https://covoit.exemple.test/b",
        "passengerPickupDate": AT,
        **ends(),
    }
    if side == "driver":
        data["price"] = {"type": "FREE"}
    return {"id": new_id(), "idToken": "", "data": data | more}


def message(to: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message of somebody whom nobody knows."""
    return {
        "from": user("stranger", OTHERS),
        "to": to,
        "message": "Bonjour, reste-t-il une place ?",
        "recipientCarpoolerType": "DRIVER",
        **more,
    }
