"""Shapes: the objects of the standard-covoiturage contract, read exactly as it has them.

Contract: standard-covoiturage, OpenAPI, version 0.0.1 (v1.0.0-alpha).
"""

from __future__ import annotations

import re
from typing import Any

from covoiturage.fields import (
    Document,
    Read,
    Shape,
    integer,
    list_of,
    matching,
    one_of,
    read_flag,
    read_number,
    refuse,
    string,
)
from socle.errors import BadInput

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?", re.ASCII)  # RFC 3339, partial-time
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MOST_MESSAGE_LETTERS = 500
_MOST_ID_LETTERS = 255

_TEXT = string()
_WHOLE = integer()
_ID = string(1, _MOST_ID_LETTERS)
_UUID = matching(UUID, "uuid")

# --- objects --------------------------------------------------------------------------------

STATUSES = ("WAITING_CONFIRMATION", "CONFIRMED", "COMPLETED_PENDING_VALIDATION", "VALIDATED", "CANCELLED")
"""What a booking may be, in the order in which it goes on: it may skip, and never goes back."""
read_status = one_of(*STATUSES)
read_booking_id = _UUID
read_message_text = string(most=MOST_MESSAGE_LETTERS)

read_user = Shape(
    {
        "id": _TEXT,
        "operator": _TEXT,
        "alias": _TEXT,
        "firstName": _TEXT,
        "lastName": _TEXT,
        "grade": integer(1, 5),
        "picture": _TEXT,
        "gender": one_of("F", "M", "O"),
        "verifiedIdentity": read_flag,
    },
    "id",
    "operator",
    "alias",
)
_PREFERENCES = Shape(
    {
        "smoking": read_flag,
        "animals": read_flag,
        "music": read_flag,
        "isTalker": read_flag,
        "luggageSize": integer(1, 5),
    }
)
_CAR = Shape({"model": _TEXT, "brand": _TEXT})
_PRICE = Shape({"type": one_of("FREE", "PAYING", "UNKNOWN"), "amount": read_number, "currency": _TEXT})
_ENDS = ("passengerPickupLat", "passengerPickupLng", "passengerDropLat", "passengerDropLng")
_ENDS_READ: dict[str, Read] = dict.fromkeys(_ENDS, read_number)
_ADDRESSES: dict[str, Read] = {"passengerPickupAddress": _TEXT, "passengerDropAddress": _TEXT}

_TRIP = Shape(
    {
        "operator": _TEXT,
        **_ENDS_READ,
        **_ADDRESSES,
        "distance": _WHOLE,
        **dict.fromkeys(
            ("driverDepartureLat", "driverDepartureLng", "driverArrivalLat", "driverArrivalLng"), read_number
        ),
        "driverDepartureAddress": _TEXT,
        "driverArrivalAddress": _TEXT,
        "duration": _WHOLE,
        "journeyPolyline": _TEXT,
        "preferences": _PREFERENCES,
        "webUrl": _TEXT,
    },
    "operator",
    "duration",
    *_ENDS,
)
_WALKS: dict[str, Read] = {
    f"{way}Walking{what}": read
    for way in ("departureToPickup", "dropoffToArrival")
    for what, read in (("Distance", _WHOLE), ("Duration", _WHOLE), ("Polyline", _TEXT))
}
_DRIVER_TRIP = _TRIP.joined({"driver": read_user, **_WALKS, "car": _CAR}, "driver")
_PASSENGER_TRIP = _TRIP.joined({"passenger": read_user}, "passenger")
_JOURNEY_SCHEDULE = Shape(
    {
        "id": _ID,
        "passengerPickupDate": read_number,
        "driverDepartureDate": read_number,
        "webUrl": _TEXT,
        "type": one_of("PLANNED", "DYNAMIC", "LINE"),
    },
    "passengerPickupDate",
    "type",
)
_SCHEDULE = Shape(
    {
        "passengerPickupDay": one_of(*WEEKDAYS),
        "passengerPickupTimeOfDay": matching(_TIME_OF_DAY, "partial-time"),
        "journeySchedules": list_of(_JOURNEY_SCHEDULE),
    }
)
_SCHEDULES: dict[str, Read] = {"schedules": list_of(_SCHEDULE)}

read_driver_journey = _DRIVER_TRIP.joined(
    {**_JOURNEY_SCHEDULE.fields, "availableSeats": _WHOLE, "price": _PRICE}, *_JOURNEY_SCHEDULE.required
)
read_passenger_journey = _PASSENGER_TRIP.joined(
    {**_JOURNEY_SCHEDULE.fields, "requestedSeats": _WHOLE}, *_JOURNEY_SCHEDULE.required, "driverDepartureDate"
)
read_driver_regular_trip = _DRIVER_TRIP.joined(_SCHEDULES)
read_passenger_regular_trip = _PASSENGER_TRIP.joined(_SCHEDULES)

_WHEN_AND_WHERE: dict[str, Read] = {"passengerPickupDate": read_number, **_ENDS_READ, **_ADDRESSES}
read_booking = Shape(
    {
        "id": read_booking_id,
        "driver": read_user,
        "passenger": read_user,
        **_WHEN_AND_WHERE,
        "status": read_status,
        "duration": _WHOLE,
        "distance": _WHOLE,
        "webUrl": _TEXT,
        "price": _PRICE,
        "car": _CAR,
        "driverJourneyId": _ID,
        "passengerJourneyId": _ID,
    },
    *("id", "driver", "passenger", "status", "price", "passengerPickupDate"),
    *_ENDS,
)
_CARPOOL_BOOKING = Shape(
    {
        "id": _TEXT,  # a plain string here, though the same booking's id is a UUID elsewhere
        **_WHEN_AND_WHERE,
        "status": read_status,
        "distance": _WHOLE,
        "duration": _WHOLE,
        "webUrl": _TEXT,
    },
    *("id", "passengerPickupDate", "status", "webUrl"),
    *_ENDS,
)
_DRIVERS_BOOKING = _CARPOOL_BOOKING.joined({"driver": read_user, "price": _PRICE, "car": _CAR}, "driver", "price")
_PASSENGERS_BOOKING = _CARPOOL_BOOKING.joined({"passenger": read_user}, "passenger")


def _read_event_data(value: Any, field: str) -> Document:
    """A booking of a driver or of a passenger; the contract says one of the two, so what is both is neither."""
    fitting: list[Document] = []
    faults: list[BadInput] = []
    of_driver, of_passenger = _DRIVERS_BOOKING, _PASSENGERS_BOOKING
    has_driver = isinstance(value, dict) and "driver" in value
    for shape in (of_driver, of_passenger) if has_driver else (of_passenger, of_driver):
        try:
            fitting.append(shape(value, field))
        except BadInput as fault:
            faults.append(fault)
    if not fitting:
        raise faults[0]
    if len(fitting) > 1:
        raise refuse(field, "driver | passenger")
    return fitting[0]


read_event = Shape({"id": _UUID, "idToken": _TEXT, "data": _read_event_data}, "id", "idToken", "data")
read_message = Shape(
    {
        "from": read_user,
        "to": read_user,
        "message": read_message_text,
        "recipientCarpoolerType": one_of("DRIVER", "PASSENGER"),
        "driverJourneyId": _ID,
        "passengerJourneyId": _ID,
        "bookingId": read_booking_id,
    },
    "from",
    "to",
    "message",
    "recipientCarpoolerType",
)


def time_of_day_s(text: str, field: str = "") -> float:
    """Seconds since midnight of a partial-time.

    Raises:
        BadInput: `standard_field`.
    """
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        raise refuse(field, "partial-time")
    hours, minutes, seconds, fraction = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(fraction or 0)
