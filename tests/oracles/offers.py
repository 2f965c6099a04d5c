"""Which offers answer a question, offer by offer, in the words of the contract."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

R_KM = 6371.0088
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def haversine_km(lat_a, lng_a, lat_b, lng_b):
    """Kilometres as the crow flies."""
    across = sin(radians(lat_b - lat_a) / 2) ** 2
    along = sin(radians(lng_b - lng_a) / 2) ** 2
    return 2 * R_KM * asin(min(1.0, sqrt(across + cos(radians(lat_a)) * cos(radians(lat_b)) * along)))


def gaps_km(offer, question):
    """From the asked departure to the pick-up, from the drop to the asked arrival."""
    ends = question.ends
    return (
        haversine_km(*ends.departure, offer["passengerPickupLat"], offer["passengerPickupLng"]),
        haversine_km(*ends.arrival, offer["passengerDropLat"], offer["passengerDropLng"]),
    )


def is_near(offer, question):
    """Both ends within their radius."""
    to_pickup, to_drop = gaps_km(offer, question)
    return to_pickup <= question.ends.departure_km and to_drop <= question.ends.arrival_km


def find_journeys(offers, question):
    """Positions of the journeys that answer, in order."""
    found = [
        (abs(offer["passengerPickupDate"] - question.at), sum(gaps_km(offer, question)), offer["id"], position)
        for position, offer in enumerate(offers)
        if is_near(offer, question) and abs(offer["passengerPickupDate"] - question.at) <= question.delta_s
    ]
    return [position for *_, position in sorted(found)][: question.count]


def find_trips(offers, question):
    """Positions of the regular trips that answer, in order."""
    found = []
    for position, offer in enumerate(offers):
        gaps = [gap for schedule in offer["schedules"] if (gap := schedule_gap_s(schedule, question)) is not None]
        if is_near(offer, question) and gaps:
            found.append((min(gaps), sum(gaps_km(offer, question)), position))
    return [position for *_, position in sorted(found)][: question.count]


def schedule_gap_s(schedule, question):
    """Seconds between the schedule and the asked time of day, by the shorter way round; None when it does not fit."""
    if schedule["passengerPickupDay"] not in question.weekdays:
        return None
    hours, minutes, seconds = map(int, schedule["passengerPickupTimeOfDay"].split(":"))
    apart = abs(hours * 3600 + minutes * 60 + seconds - question.time_of_day_s)
    gap = min(apart, 86_400 - apart)
    dates = [journey["passengerPickupDate"] for journey in schedule.get("journeySchedules", [])]
    since = float("-inf") if question.since is None else question.since
    until = float("inf") if question.until is None else question.until
    if gap > question.delta_s or (dates and not any(since <= date <= until for date in dates)):
        return None
    return gap
