"""Boards: offers as arrays, so that a search looks at thousands of them in a millisecond.

Distances are haversine with the mean radius of the earth; a bound holds with a micrometre to spare,
which is what two ways of writing the formula may differ by. A latitude beyond a pole is no place:
nothing is near it, within whatever radius. Nothing is hidden because it is past.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, remainder

import numpy as np
from numpy.typing import NDArray

from covoiturage.fields import Document
from covoiturage.standard.questions import Ends, JourneyQuestion, TripQuestion
from covoiturage.standard.shapes import WEEKDAYS, time_of_day_s
from socle.geo import EARTH_RADIUS_M, LatLon, distances_m

_SPARE_KM = 1e-9
_SPARE_DEGREES = 1e-7
_KM_OF_DEGREE = EARTH_RADIUS_M * pi / 180_000
_DAY_S = 86_400.0

Floats = NDArray[np.float64]


class Places:
    """Where offers pick up and drop: one row an offer."""

    def __init__(self, offers: Sequence[Document]) -> None:
        self._pickup = _columns(offers, "passengerPickupLat", "passengerPickupLng")
        self._drop = _columns(offers, "passengerDropLat", "passengerDropLng")

    def near(self, ends: Ends, rows: slice) -> tuple[NDArray[np.intp], Floats]:
        """Which of `rows` lie within both radii, and the kilometres that are missing at both ends together.

        Two comparisons of latitudes leave few for which the way over the earth is worked out.
        """
        may_be = _abreast(ends.departure, self._pickup, rows, ends.departure_km)
        may_be &= _abreast(ends.arrival, self._drop, rows, ends.arrival_km)
        found = np.flatnonzero(may_be)
        to_pickup = _kilometres(ends.departure, self._pickup, rows, found)
        to_drop = _kilometres(ends.arrival, self._drop, rows, found)
        is_near = _within(to_pickup, ends.departure_km) & _within(to_drop, ends.arrival_km)
        return found[is_near], (to_pickup + to_drop)[is_near]


Rank = tuple[float, float, str]
"""What answers are ordered by: seconds off the asked time, kilometres off at both ends together, id."""


class JourneyBoard:
    """Journeys in the order of their instants. A row keeps the position that its offer was given in."""

    def __init__(self, offers: Sequence[Document]) -> None:
        at = np.array([float(offer["passengerPickupDate"]) for offer in offers], np.float64)
        self._order = np.argsort(at, kind="stable")  # row → position
        self._at = at[self._order]
        self._places = Places([offers[position] for position in self._order])
        self._ids = [str(offer.get("id", "")) for offer in offers]
        by_id = sorted(range(len(offers)), key=lambda position: (self._ids[position], position))
        rank = np.empty(len(offers), np.intp)
        rank[by_id] = np.arange(len(offers))
        self._rank = rank[self._order]  # row → place of its id among all ids

    def find(self, question: JourneyQuestion) -> list[tuple[Rank, int]]:
        """Positions of the offers that answer, each after its rank."""
        rows = slice(
            int(np.searchsorted(self._at, question.at - question.delta_s, "left")),
            int(np.searchsorted(self._at, question.at + question.delta_s, "right")),
        )
        found, distance = self._places.near(question.ends, rows)
        gap = np.abs(self._at[rows][found] - question.at)
        order = np.lexsort((self._rank[rows][found], distance, gap))[: question.count]
        positions = self._order[rows][found[order]].tolist()
        ranks = zip(gap[order].tolist(), distance[order].tolist(), positions, strict=True)
        return [((off_s, off_km, self._ids[position]), position) for off_s, off_km, position in ranks]


class TripBoard:
    """Regular trips and their schedules."""

    def __init__(self, offers: Sequence[Document]) -> None:
        self._places = Places(offers)
        schedules = [
            (trip, schedule)
            for trip, offer in enumerate(offers)
            for schedule in offer.get("schedules", ())
            if "passengerPickupDay" in schedule and "passengerPickupTimeOfDay" in schedule
        ]
        # trip → its schedules: from one number to the next
        self._first = np.searchsorted(np.array([trip for trip, _ in schedules], np.intp), np.arange(len(offers) + 1))
        self._day = np.array([WEEKDAYS.index(one["passengerPickupDay"]) for _, one in schedules], np.intp)
        self._time_s = np.array([time_of_day_s(one["passengerPickupTimeOfDay"]) for _, one in schedules], np.float64)
        dated = [
            (number, float(journey["passengerPickupDate"]))
            for number, (_, one) in enumerate(schedules)
            for journey in one.get("journeySchedules", ())
        ]
        self._dated = np.array([number for number, _ in dated], np.intp)  # listed journey → schedule
        self._dates = np.array([date for _, date in dated], np.float64)
        self._lists = np.bincount(self._dated, minlength=len(schedules)) > 0

    def find(self, question: TripQuestion) -> list[tuple[Rank, int]]:
        """Positions of the trips that answer, each after its rank: gap of the nearest schedule, distance; no id."""
        near, distance = self._places.near(question.ends, slice(None))
        counts = self._first[near + 1] - self._first[near]
        owner = np.repeat(np.arange(len(near)), counts)  # schedule of what is near → its place there
        rows = np.arange(len(owner)) + np.repeat(self._first[near] - np.cumsum(counts) + counts, counts)
        apart = np.abs(self._time_s[rows] - question.time_of_day_s) % _DAY_S
        gap = np.minimum(apart, _DAY_S - apart)
        wanted = np.array([day in question.weekdays for day in WEEKDAYS])
        fits = wanted[self._day[rows]] & (gap <= question.delta_s)
        if question.since is not None or question.until is not None:
            fits &= self._in_period(question)[rows]
        least = np.full(len(near), np.inf)
        np.minimum.at(least, owner[fits], gap[fits])
        order = np.lexsort((near, distance, least))
        order = order[least[order] < np.inf][: question.count]
        ranks = zip(least[order].tolist(), distance[order].tolist(), near[order].tolist(), strict=True)
        return [((off_s, off_km, ""), one) for off_s, off_km, one in ranks]

    def _in_period(self, question: TripQuestion) -> NDArray[np.bool_]:
        """Schedules that list no journey, or one between the bounds."""
        since = -np.inf if question.since is None else question.since
        until = np.inf if question.until is None else question.until
        inside = (self._dates >= since) & (self._dates <= until)
        return ~self._lists | (np.bincount(self._dated[inside], minlength=len(self._lists)) > 0)


def _columns(offers: Sequence[Document], lat: str, lon: str) -> tuple[Floats, Floats]:
    """Latitudes, NaN where it is beyond a pole, and longitudes within half a turn."""
    places = np.array([[_latitude(offer[lat]), _longitude(offer[lon])] for offer in offers], np.float64).reshape(-1, 2)
    return places[:, 0].copy(), places[:, 1].copy()


def _latitude(degrees: float) -> float:
    return float(degrees) if -90 <= degrees <= 90 else float("nan")


def _longitude(degrees: float) -> float:
    return remainder(float(degrees), 360.0)


def _abreast(place: LatLon, columns: tuple[Floats, Floats], rows: slice, radius_km: float) -> NDArray[np.bool_]:
    """What is so near at least by its latitude."""
    abreast: NDArray[np.bool_] = np.abs(columns[0][rows] - place.lat) <= radius_km / _KM_OF_DEGREE + _SPARE_DEGREES
    return abreast


def _kilometres(place: LatLon, columns: tuple[Floats, Floats], rows: slice, found: NDArray[np.intp]) -> Floats:
    lat, lon = (column[rows][found] for column in columns)
    return distances_m(_latitude(place.lat), _longitude(place.lon), lat, lon) / 1000


def _within(kilometres: Floats, radius_km: float) -> NDArray[np.bool_]:
    if radius_km < 0:
        return np.zeros(len(kilometres), np.bool_)
    return kilometres <= radius_km + _SPARE_KM
