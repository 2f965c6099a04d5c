"""Boarding: a car's outing as it happens, from the driver who opens it to the carpool that is declared.

An outing is its events, in the order in which they came; what it is now follows from them. Each
action looks at the outing and answers the event to add, the one that is there already (the same code
scanned once more), or why not. Nothing here knows a clock: `now` is given, and instants that phones
tell are taken within `CLOCKS_DIFFER`.

The metres are those between the first and the last stop that something speaks for: where somebody
boarded or alighted by a code, and where the driver set out and arrived if a device of the driver was
near. The driver's word alone moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from covoiturage.carpool import MAX_RIDES, Carpool, Evidence, Kind, Ride, Side
from covoiturage.proof import AROUND
from socle.geo import LatLon, distance_m

CLOCKS_DIFFER = timedelta(minutes=5)  # between a phone's clock and ours
OPEN_AT_MOST = timedelta(hours=12)
GOES_ON_AT_MOST = timedelta(hours=2)  # from the last passenger to the driver's own last stop
NEAR_STOP_M = 1_000
MOST_SEATS = 8  # of a car, its driver's left out: with more it is no car (code de la route, art. R. 311-1)
MOST_SEEN = 500


class Step(StrEnum):
    """What happens in an outing."""

    OPENED = "opened"
    BOARDED = "boarded"
    ALIGHTED = "alighted"
    SEEN = "seen"  # a device of the driver or of a passenger told where it is
    CLOSED = "closed"
    CANCELLED = "cancelled"


class How(StrEnum):
    """What a boarding or an alighting rests on."""

    QR = "qr"  # the driver's code of that minute, scanned by the passenger
    PLATE = "plate"  # the printed code of the car, scanned by the passenger
    SMS = "sms"  # a code sent to the passenger, typed by the driver
    WORD = "word"  # the driver's word alone, which proves nothing


class State(StrEnum):
    """Where an outing stands."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Why(StrEnum):
    """Why something cannot happen in an outing."""

    TOO_FEW_STOPS = "too_few_stops"
    UNKNOWN_STOP = "unknown_stop"
    NOT_OPEN = "not_open"  # closed or cancelled
    OVER = "over"  # opened longer ago than an outing lasts
    OTHER_OUTING = "other_outing"
    OTHER_SIDE = "other_side"  # a code for boarding shown when alighting, or the reverse
    IS_DRIVER = "is_driver"
    NOT_DRIVER = "not_driver"
    ABOARD_ALREADY = "aboard_already"
    RODE_ALREADY = "rode_already"
    NOT_ABOARD = "not_aboard"
    SAME_STOP = "same_stop"
    CAR_FULL = "car_full"
    BAD_SEATS = "bad_seats"
    BAD_INSTANT = "bad_instant"  # before the outing, or in a future that no clock explains
    STILL_ABOARD = "still_aboard"
    TOO_MANY_POSITIONS = "too_many_positions"


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not happen."""

    why: Why


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop that the car goes by; `distance_m` are the metres driven to it from the first one."""

    stop_id: str
    name: str
    distance_m: int
    at: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What is shown when somebody boards or alights: when, and where and on which device if that is known."""

    how: How
    at: datetime
    mark: str = ""  # tells one code from another
    device: str | None = None
    place: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `by` is the pseudonym of whom it is about."""

    step: Step
    at: datetime
    by: str
    stop_id: str = ""
    ride_id: str = ""
    how: How | None = None
    mark: str = ""
    seats: int = 0
    device: str | None = None
    place: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """It happened already: the same code was shown once more."""

    event: Event


Answer = Event | Again | Refused


@dataclass(frozen=True, slots=True)
class Rider:
    """A passenger of the outing; `alighted` once they have."""

    ride_id: str
    passenger: str
    boarded: Event
    alighted: Event | None = None


@dataclass(frozen=True, slots=True)
class Outing:
    """One car on its way along `stops`, both ways allowed; its first event opened it."""

    id: str
    driver: str
    stops: tuple[Stop, ...]
    events: tuple[Event, ...]
    line_id: str | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        ends = {Step.CLOSED: State.CLOSED, Step.CANCELLED: State.CANCELLED}
        return next((ends[event.step] for event in reversed(self.events) if event.step in ends), State.OPEN)

    @property
    def opened_at(self) -> datetime:
        """When it began."""
        return self.events[0].at

    @property
    def riders(self) -> Mapping[str, Rider]:
        """Everybody who boarded, by pseudonym, in that order."""
        found: dict[str, Rider] = {}
        for event in self.events:
            if event.step is Step.BOARDED:
                found[event.by] = Rider(event.ride_id, event.by, event)
            elif event.step is Step.ALIGHTED:
                found[event.by] = replace(found[event.by], alighted=event)
        return found

    @property
    def aboard(self) -> Sequence[Rider]:
        """Those who did not alight yet."""
        return [rider for rider in self.riders.values() if rider.alighted is None]

    @property
    def last_at(self) -> datetime:
        """When something happened in it last."""
        return max(event.at for event in self.events)

    def find_stop(self, stop_id: str) -> Stop | None:
        """The stop of that id."""
        return next((stop for stop in self.stops if stop.stop_id == stop_id), None)

    def with_events(self, *events: Event) -> Outing:
        """The outing after these."""
        return replace(self, events=(*self.events, *events))


def open_outing(
    outing_id: str, driver: str, stops: tuple[Stop, ...], line_id: str | None, opened: Event
) -> Outing | Refused:
    """An outing that begins with `opened`: by its driver, or by the first passenger who scans the plate of the car."""
    outing = Outing(outing_id, driver, stops, (opened,), line_id)
    if len({stop.stop_id for stop in stops}) < 2:
        return Refused(Why.TOO_FEW_STOPS)
    if outing.find_stop(opened.stop_id) is None:
        return Refused(Why.UNKNOWN_STOP)
    return outing


def board(outing: Outing, passenger: str, proof: Proof, stop_id: str, now: datetime, seats: int = 1) -> Answer:
    """Somebody gets in at a stop."""
    rider = outing.riders.get(passenger)
    if rider is not None and proof.mark and rider.boarded.mark == proof.mark:
        return Again(rider.boarded)
    why = _hindrance(outing, proof.at, now)
    if why is None and passenger == outing.driver:
        why = Why.IS_DRIVER
    if why is None and rider is not None:
        why = Why.ABOARD_ALREADY if rider.alighted is None else Why.RODE_ALREADY
    if why is None and outing.find_stop(stop_id) is None:
        why = Why.UNKNOWN_STOP
    if why is None and not 1 <= seats <= MOST_SEATS:
        why = Why.BAD_SEATS
    taken = sum(each.boarded.seats for each in outing.aboard)
    if why is None and (taken + seats > MOST_SEATS or len(outing.riders) >= MAX_RIDES):
        why = Why.CAR_FULL
    if why is not None:
        return Refused(why)
    ride_id = f"{outing.id}{len(outing.riders) + 1:02}"  # letters and digits, as the national registry wants it
    at = max(proof.at, outing.opened_at)
    return Event(Step.BOARDED, at, passenger, stop_id, ride_id, proof.how, proof.mark, seats, proof.device, proof.place)


def alight(outing: Outing, passenger: str, proof: Proof, stop_id: str, now: datetime) -> Answer:
    """Somebody gets out at a stop."""
    rider = outing.riders.get(passenger)
    done = rider.alighted if rider is not None else None
    if done is not None and proof.mark and done.mark == proof.mark:
        return Again(done)
    why = _hindrance(outing, proof.at, now)
    if why is None and (rider is None or done is not None):
        why = Why.NOT_ABOARD
    if why is None and outing.find_stop(stop_id) is None:
        why = Why.UNKNOWN_STOP
    if why is not None or rider is None:
        return Refused(why or Why.NOT_ABOARD)
    if rider.boarded.stop_id == stop_id:
        return Refused(Why.SAME_STOP)
    at = max(proof.at, rider.boarded.at)
    return Event(
        Step.ALIGHTED, at, passenger, stop_id, rider.ride_id, proof.how, proof.mark, 0, proof.device, proof.place
    )


def note_seen(outing: Outing, by: str, at: datetime, device: str | None, place: LatLon, now: datetime) -> Answer:
    """A device of the driver, or of somebody who is or was aboard, tells where it is."""
    same = (event for event in outing.events if event.step is Step.SEEN and (event.by, event.at) == (by, at))
    there = next((event for event in same if event.place == place), None)
    if there is not None:
        return Again(there)
    why = _hindrance(outing, at, now)
    if why is None and by != outing.driver and by not in outing.riders:
        why = Why.NOT_ABOARD
    if why is None and sum(event.step is Step.SEEN for event in outing.events) >= MOST_SEEN:
        why = Why.TOO_MANY_POSITIONS
    if why is not None:
        return Refused(why)
    return Event(Step.SEEN, max(at, outing.opened_at), by, device=device, place=place)


def close(outing: Outing, closed: Event, set_down: Mapping[str, str], now: datetime) -> tuple[Event, ...] | Refused:
    """The car has arrived. Who is still aboard is set down on the driver's word, at the stop given for the ride."""
    if outing.state is not State.OPEN:
        return Refused(Why.NOT_OPEN)
    if closed.stop_id and outing.find_stop(closed.stop_id) is None:
        return Refused(Why.UNKNOWN_STOP)
    events: list[Event] = []
    for rider in outing.aboard:
        stop_id = set_down.get(rider.ride_id)
        if stop_id is None:
            return Refused(Why.STILL_ABOARD)
        at = min(now, outing.opened_at + OPEN_AT_MOST)
        down = alight(outing, rider.passenger, Proof(How.WORD, at), stop_id, at)
        if not isinstance(down, Event):
            return down if isinstance(down, Refused) else Refused(Why.NOT_ABOARD)
        events.append(down)
    return (*events, closed)


def give_up(outing: Outing, now: datetime) -> tuple[Event, ...]:
    """An outing that nobody closed: who is aboard is left where they boarded, which proves nothing and pays nothing."""
    left = [
        Event(Step.ALIGHTED, rider.boarded.at, rider.passenger, rider.boarded.stop_id, rider.ride_id, How.WORD)
        for rider in outing.aboard
    ]
    return (*left, Event(Step.CLOSED, max(now, outing.opened_at), outing.driver))


def _hindrance(outing: Outing, at: datetime, now: datetime) -> Why | None:
    """What stands against anything that happens in it at `at`, told now."""
    if outing.state is not State.OPEN:
        return Why.NOT_OPEN
    if now > outing.opened_at + OPEN_AT_MOST:
        return Why.OVER
    if not outing.opened_at - CLOCKS_DIFFER <= at <= now + CLOCKS_DIFFER:
        return Why.BAD_INSTANT
    return None


# --- the carpool of a closed outing ----------------------------------------------------------


def finish(outing: Outing) -> Carpool | None:
    """The carpool that a closed outing was; None when nobody rode, or it was cancelled."""
    riders = list(outing.riders.values())
    if outing.state is not State.CLOSED or not riders:
        return None
    metres = {stop.stop_id: stop.distance_m for stop in outing.stops}
    rides = tuple(ride for rider in riders if (ride := _ride(outing, rider, metres)) is not None)
    own = list(_own_stops(outing))
    reached = [metres[event.stop_id] for event in (*own, *_proven(outing))]
    ends = [event.at for event in own if event.step is Step.CLOSED] + [ride.alight_at for ride in rides]
    return Carpool(
        outing.id,
        outing.driver,
        min(outing.opened_at, *(ride.board_at for ride in rides)),
        max(ends),
        rides,
        outing.line_id,
        official_m=max(reached, default=0) - min(reached, default=0),
    )


def _proven(outing: Outing) -> list[Event]:
    """The boardings and alightings that rest on a code."""
    ends = {Step.BOARDED, Step.ALIGHTED}
    return [event for event in outing.events if event.step in ends and event.how is not How.WORD]


def _ride(outing: Outing, rider: Rider, metres: Mapping[str, int]) -> Ride | None:
    down = rider.alighted
    if down is None:
        return None
    up = rider.boarded
    return Ride(
        rider.ride_id,
        rider.passenger,
        up.seats,
        up.at,
        down.at,
        abs(metres[down.stop_id] - metres[up.stop_id]),
        certified=True,  # the two met by us
        evidence=tuple(_evidence(outing, rider.passenger, {Side.BOARD: up, Side.ALIGHT: down})),
    )


def _evidence(outing: Outing, passenger: str, ends: Mapping[Side, Event]) -> Iterator[Evidence]:
    """What speaks for a ride: codes at its ends, and where the devices of both were around them.

    A place counts for the end that it is nearer to, so that one place never stands for both ends of a short ride.
    """
    around = min(AROUND, (ends[Side.ALIGHT].at - ends[Side.BOARD].at) / 2)
    for side, event in ends.items():
        if event.how is not None and event.how is not How.WORD:
            kind = Kind.SMS if event.how is How.SMS else Kind.QR
            yield Evidence(kind, side, passenger, event.at, event.device, event.place)
        for by in (outing.driver, passenger):
            seen = _nearest(outing, by, event.at, around)
            if seen is not None and seen is not event:
                yield Evidence(Kind.POSITION, side, by, seen.at, seen.device, seen.place)


def _nearest(outing: Outing, by: str, at: datetime, around: timedelta) -> Event | None:
    """What was seen of somebody's device around an instant: a place before a bare device, the nearest in time."""
    own = [event for event in outing.events if event.by == by and (event.device or event.place)]
    placed = [event for event in own if event.place is not None and abs(event.at - at) <= around]
    return min(placed or own, key=lambda event: abs(event.at - at), default=None)


def _own_stops(outing: Outing) -> Iterator[Event]:
    """Where the driver set out and arrived, as far as a device was near the stop and the way was of one piece."""
    last_ride = max((event.at for event in _proven(outing)), default=outing.opened_at)
    for event in outing.events:
        if event.by != outing.driver or event.step not in {Step.OPENED, Step.CLOSED} or event.place is None:
            continue
        stop = outing.find_stop(event.stop_id)
        if stop is None or stop.at is None or distance_m(event.place, stop.at) > NEAR_STOP_M:
            continue
        if event.step is Step.OPENED or event.at - last_ride <= GOES_ON_AT_MOST:
            yield event
