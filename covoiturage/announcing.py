"""Announcing: what our drivers offer and our passengers look for, told to partners as the contract has it.

Places between which somebody drives are told to the hundred metres and without their names, people by an
id that is another for each offer: what is told of two offers does not show that one person makes both.
Seats are booked through the contract (`crossing`), or on our own pages, to which `webUrl` leads. Stops of
lines are public and told as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from covoiturage.drives import PlannedDrive, Step
from covoiturage.fields import Document
from covoiturage.lines import Line, drive_s, in_force, official_metres
from covoiturage.matching import OfferIndex
from covoiturage.offers import Halt, Offer, Weekly, Wish
from covoiturage.standard.boards import Rank
from covoiturage.standard.questions import Ends, JourneyQuestion, TripQuestion
from covoiturage.standard.shapes import WEEKDAYS
from socle.geo import LatLon, distance_m
from socle.times import PARIS, local_day, service_day_start

JOURNEYS_AHEAD = timedelta(days=28)  # that a regular trip lists
_ASKED_AHEAD = timedelta(days=366)  # nobody publishes later than a year ahead
_DECIMALS = 3  # of degrees: a hundred metres
_ROUNDING_M = 100.0  # what that moves a place by, and more
_SPARE_KM = 1e-9
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Teller:
    """In whose name is told: our domain, the address of our site, what drivers and passengers are called."""

    operator: str
    site: str
    driver_alias: str
    passenger_alias: str

    def user(self, user_id: str, alias: str) -> Document:
        """Somebody of ours, as far as the contract asks."""
        return {"id": user_id, "operator": self.operator, "alias": alias}


def told_place(place: LatLon, stop_id: str = "") -> LatLon:
    """A place as partners are told it."""
    return place if stop_id else LatLon(round(place.lat, _DECIMALS), round(place.lon, _DECIMALS))


def list_journeys(
    index: OfferIndex, question: JourneyQuestion, teller: Teller, now: datetime
) -> list[tuple[Rank, Document]]:
    """The cars with a free seat that answer, each once, after its rank."""
    ends = _searched(question.ends)
    earliest = max(question.at - question.delta_s, now.timestamp() - _DAY_S)
    latest = min(question.at + question.delta_s, (now + _ASKED_AHEAD).timestamp())
    if ends is None or earliest > latest:
        return []
    middle, half = int(earliest + latest) // 2, int(latest - earliest) // 2 + 1
    found = []
    for planned in index.list_near(ends.departure, ends.arrival, middle, half, _radius_m(ends)):
        ways = [
            ((gap_s, off_km, _journey_id(planned, i, j)), i, j, n_free)
            for i, j, off_km in _stretches(planned.offer, ends)
            if (gap_s := abs(planned.leave_at + planned.offer.halts[i].after_s - question.at)) <= question.delta_s
            and (n_free := _n_free(planned, i, j)) > 0
        ]
        if ways:
            rank, i, j, n_free = min(ways)
            found.append((rank, _journey(planned, i, j, n_free, rank[2], teller)))
    return sorted(found, key=lambda one: one[0])[: question.count]


def list_trips(index: OfferIndex, question: TripQuestion, teller: Teller, now: datetime) -> list[tuple[Rank, Document]]:
    """The weekly offers that answer, each once, after its rank; they list the journeys of the next weeks."""
    ends = _searched(question.ends)
    if ends is None:
        return []
    found = []
    for offer in index.list_weekly(ends.departure, ends.arrival, _radius_m(ends)):
        weekly = offer.leaves
        if not isinstance(weekly, Weekly):
            continue
        ways = []
        for i, j, off_km in _stretches(offer, ends):
            clock_s, later = _pickup_clock(weekly, offer.halts[i])
            apart = abs(clock_s - question.time_of_day_s) % _DAY_S
            gap_s = min(apart, _DAY_S - apart)
            days = [WEEKDAYS[(day + later) % 7] for day in sorted(weekly.weekdays)]
            if gap_s <= question.delta_s and question.weekdays & set(days):
                ways.append(((gap_s, off_km, f"{offer.offer_id}-{i}-{j}"), i, j))
        dates = list(_coming(offer, weekly, question, now)) if ways else []
        if dates:
            rank, i, j = min(ways)
            found.append((rank, _trip(offer, weekly, (i, j), dates, teller)))
    return sorted(found, key=lambda one: one[0])[: question.count]


def tell_request(request_id: str, wish: Wish, way: Step, line_id: str, teller: Teller) -> Document:
    """A ride that somebody looks for; `way`: what it takes to drive it."""
    pickup, drop = (told_place(end, line_id) for end in (wish.origin, wish.destination))
    at = wish.at - way[0] if wish.arrive_by else wish.at
    return {
        "id": request_id,
        "operator": teller.operator,
        "passenger": teller.user(request_id, teller.passenger_alias),
        **_ends(pickup, drop),
        "passengerPickupDate": at,
        "driverDepartureDate": at,
        "duration": way[0],
        "distance": way[1],
        "type": "DYNAMIC" if line_id else "PLANNED",
        "requestedSeats": wish.seats,
        "webUrl": f"{teller.site}/covoiturage/proposer",
    }


def list_line_journeys(
    lines: Iterable[Line], question: JourneyQuestion, teller: Teller, now: datetime
) -> list[tuple[Rank, Document]]:
    """The lines that answer, each once and in one direction: a car is met at the asked instant, within their hours.

    Outside of them, at their nearest instant. Which car comes nobody knows, so the line stands for its driver.
    """
    ends = _searched(question.ends)
    if ends is None or not now.timestamp() - _DAY_S <= question.at <= (now + _ASKED_AHEAD).timestamp():
        return []
    today = local_day(int(question.at))
    known = tuple(lines)
    found = []
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        for line in in_force(known, day):
            if line.runs_on(day):
                found += list(_met(line, day, question, ends))
    best: dict[str, _Met] = {}
    for met in sorted(found, key=lambda met: met.rank):
        best.setdefault(met.line.line_id, met)
    return [(met.rank, _line_journey(met, teller)) for met in best.values()][: question.count]


@dataclass(frozen=True, slots=True)
class _Met:
    """A car of a line is met: the positions of the stops to board and to alight at, and when."""

    rank: Rank
    line: Line
    board: int
    alight: int
    at: int


def _met(line: Line, day: date, question: JourneyQuestion, ends: Ends) -> Iterator[_Met]:
    """Where and when cars of a line are met that day."""
    begin = service_day_start(day)
    boards = [distance_m(ends.departure, stop.at) / 1000 for stop in line.stops]
    alights = [distance_m(stop.at, ends.arrival) / 1000 for stop in line.stops]
    for i, to_board in enumerate(boards):
        for j, to_arrive in enumerate(alights):
            if i == j or to_board > ends.departure_km + _SPARE_KM or to_arrive > ends.arrival_km + _SPARE_KM:
                continue
            driven_m = line.stops[i].distance_m if i < j else line.length_m - line.stops[i].distance_m
            for hours in line.hours:
                since, until = (begin + clock_s + drive_s(driven_m) for clock_s in (hours.from_s, hours.until_s))
                at = round(min(max(question.at, since), until))
                if abs(at - question.at) <= question.delta_s:
                    ident = f"{line.line_id}-{line.stops[i].stop_id}-{line.stops[j].stop_id}-{at}"
                    yield _Met((abs(at - question.at), to_board + to_arrive, ident), line, i, j, at)


# --- what is near -----------------------------------------------------------------------------


def _searched(ends: Ends) -> Ends | None:
    """The ends of a question with longitudes within half a turn; None where nothing is near."""
    places = (ends.departure, ends.arrival)
    if any(abs(place.lat) > 90 for place in places) or min(ends.departure_km, ends.arrival_km) < 0:
        return None
    around = [LatLon(place.lat, (place.lon + 180) % 360 - 180) for place in places]
    return Ends(around[0], around[1], ends.departure_km, ends.arrival_km)


def _radius_m(ends: Ends) -> float:
    return max(ends.departure_km, ends.arrival_km) * 1000 + _ROUNDING_M


def _stretches(offer: Offer, ends: Ends) -> Iterator[tuple[int, int, float]]:
    """Halts within the radii, one before the other, and the kilometres that are missing at both together."""
    places = [told_place(halt.at, halt.stop_id) for halt in offer.halts]
    boards = [distance_m(ends.departure, place) / 1000 for place in places]
    alights = [distance_m(place, ends.arrival) / 1000 for place in places]
    for i, to_board in enumerate(boards):
        if to_board <= ends.departure_km + _SPARE_KM:
            for j in range(i + 1, len(places)):
                if alights[j] <= ends.arrival_km + _SPARE_KM:
                    yield i, j, to_board + alights[j]


def _n_free(planned: PlannedDrive, i: int, j: int) -> int:
    """Seats that are free from one halt to another."""
    call_of = {call.halt: number for number, call in enumerate(planned.calls) if call.halt >= 0}
    return planned.offer.seats - max(planned.loads[call_of[i] : call_of[j]])


def _pickup_clock(weekly: Weekly, halt: Halt) -> tuple[int, int]:
    """The hour on the wall at a halt, in seconds, and how many days after the departure that is."""
    clock_s = weekly.clock.hour * 3600 + weekly.clock.minute * 60 + weekly.clock.second + halt.after_s
    return clock_s % _DAY_S, clock_s // _DAY_S


def _coming(offer: Offer, weekly: Weekly, question: TripQuestion, now: datetime) -> Iterator[tuple[date, int]]:
    """Days on which the driver leaves, and when, over some weeks from the first instant that is asked for."""
    since = now.timestamp() if question.since is None else max(question.since, now.timestamp())
    until = (now + _ASKED_AHEAD).timestamp()
    if question.until is not None:
        until = min(until, question.until)
    if since > until:
        return
    begin = max(local_day(int(since)) - timedelta(days=1), weekly.first)
    for n in range(JOURNEYS_AHEAD.days + 1):
        day = begin + timedelta(days=n)
        leave_at = offer.find_leaving(day)
        if leave_at is not None and since <= leave_at <= until:
            yield day, leave_at


# --- as the contract has it --------------------------------------------------------------------


def _journey_id(planned: PlannedDrive, i: int, j: int) -> str:
    return f"{planned.offer.offer_id}-{planned.day:%Y%m%d}-{i}-{j}"


def _journey(planned: PlannedDrive, i: int, j: int, n_free: int, journey_id: str, teller: Teller) -> Document:
    offer = planned.offer
    return {
        "id": journey_id,
        **_way(offer, i, j, planned.leave_at, teller),
        "passengerPickupDate": planned.leave_at + offer.halts[i].after_s,
        "type": "DYNAMIC" if offer.at_once else "PLANNED",
        "availableSeats": n_free,
        "price": told_price(offer.price_cents),
    }


def _trip(
    offer: Offer, weekly: Weekly, halts: tuple[int, int], dates: list[tuple[date, int]], teller: Teller
) -> Document:
    i, j = halts
    halt = offer.halts[i]
    clock_s, later = _pickup_clock(weekly, halt)
    by_weekday: dict[int, list[Document]] = {day: [] for day in sorted(weekly.weekdays)}
    for day, leave_at in dates:
        journey_id = f"{offer.offer_id}-{day:%Y%m%d}-{i}-{j}"
        told = {"id": journey_id, "passengerPickupDate": leave_at + halt.after_s, "type": "PLANNED"}
        by_weekday[day.weekday()].append(told)
    clock = f"{clock_s // 3600:02}:{clock_s // 60 % 60:02}:{clock_s % 60:02}"
    schedules = [
        {
            "passengerPickupDay": WEEKDAYS[(day + later) % 7],
            "passengerPickupTimeOfDay": clock,
            "journeySchedules": journeys,
        }
        for day, journeys in by_weekday.items()
        if journeys
    ]
    return {**_way(offer, i, j, dates[0][1], teller), "schedules": schedules}


def _way(offer: Offer, i: int, j: int, leave_at: int, teller: Teller) -> Document:
    """What journeys and trips tell alike; `webUrl` shows the journey of a day in our search, where it is booked."""
    board, alight = offer.halts[i], offer.halts[j]
    pickup, drop = told_place(board.at, board.stop_id), told_place(alight.at, alight.stop_id)
    met = datetime.fromtimestamp(leave_at + board.after_s, PARIS)
    asked = {
        "de": f"{pickup.lat},{pickup.lon}",
        "vers": f"{drop.lat},{drop.lon}",
        "jour": met.date().isoformat(),
        "heure": f"{met:%H:%M}",
    }
    addresses = {"passengerPickupAddress": board.name, "passengerDropAddress": alight.name} if offer.line_id else {}
    return {
        "operator": teller.operator,
        "driver": teller.user(offer.offer_id, teller.driver_alias),
        **_ends(pickup, drop),
        **addresses,
        "duration": alight.after_s - board.after_s,
        "distance": alight.along_m - board.along_m,
        "webUrl": f"{teller.site}/covoiturage?{urlencode(asked)}",
    }


def _line_journey(met: _Met, teller: Teller) -> Document:
    line = met.line
    board, alight = line.stops[met.board], line.stops[met.alight]
    metres = official_metres(line, board.stop_id, alight.stop_id)
    return {
        "id": met.rank[2],
        "operator": teller.operator,
        "driver": teller.user(line.line_id, line.name),
        **_ends(board.at, alight.at),
        "passengerPickupAddress": board.name,
        "passengerDropAddress": alight.name,
        "duration": drive_s(metres),
        "distance": metres,
        "passengerPickupDate": met.at,
        "type": "LINE",
        "price": told_price(line.fare_cents),
        "webUrl": f"{teller.site}/covoiturage/lignes/{line.line_id}",
    }


def told_price(cents: int) -> Document:
    """A price as the contract has it."""
    return {"type": "PAYING", "amount": cents / 100, "currency": "EUR"} if cents else {"type": "FREE"}


def _ends(pickup: LatLon, drop: LatLon) -> Document:
    return {
        "passengerPickupLat": pickup.lat,
        "passengerPickupLng": pickup.lon,
        "passengerDropLat": drop.lat,
        "passengerDropLng": drop.lon,
    }
