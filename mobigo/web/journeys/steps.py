"""Steps: one journey told as sentences, leg by leg, with what is left at each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from urllib.parse import urlencode

from mobigo.services.journeys import LINE_PAGES, carpool_facts
from mobigo.web.journeys.picture import Ends
from mobigo.web.looks import RAIL, LineSign, headsign, look_of, platform_code, sign_of_feeder, sign_of_trip, stop_href
from mobigo.web.wording import clock, distance, duration, euros, minute_after, of, say, say_count, short_day
from routing.journeys.journey import Call, FeederLeg, Journey, TransitLeg, WalkLeg
from routing.journeys.naming import stop_name
from routing.journeys.query import StopPlace
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Connection, Told
from socle.times import local_day

# What is left at a change once its walk is done: below, it is enough; from LONG_S on, it is a wait.
FAIR_S = 480
LONG_S = 1800

LEAST_WALK_M = 30  # a stop this near to where one starts or goes is there

ON_DEMAND = 2  # GTFS pickup_type, drop_off_type: phone the agency
ASK_DRIVER = 3


@dataclass(frozen=True, slots=True)
class PassedStop:
    """A stop between boarding and alighting."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `at` is the instant at its left, None where only its length matters."""

    kind: str  # ride, walk, change, end
    look: str
    icon: str
    at: int | None = None
    strong: str = ""
    line: LineSign | None = None
    sentences: Sequence[str] = ()
    stops: Sequence[PassedStop] = ()
    stops_count: str = ""
    others: Sequence[str] = ()  # rides that could take the place of this one
    others_count: str = ""
    board_href: str = ""  # the departures of the stop where one boards, at that time; of a carpool line its page
    board_word: str = ""
    tight: bool = False


def where_words(snapshot: Snapshot, stop: int) -> str:
    """At a stop as one says it: "à l’arrêt Mairie", "en gare d’Autun"."""
    name = stop_name(snapshot, stop)
    return say(f"journey.at_{_kind(snapshot, stop)}", stop=name, of_stop=of(name))


def _kind(snapshot: Snapshot, stop: int) -> str:
    return "stop" if RAIL.isdisjoint(snapshot.modes_of(stop)) else "station"


def _at_platform(snapshot: Snapshot, key: str, call: Call, **facts: str) -> str:
    platform = platform_code(snapshot, call.stop)
    where = where_words(snapshot, call.stop)
    if platform:
        return say(f"{key}_platform", where=where, platform=platform, **facts)
    return say(key, where=where, **facts)


def _other(snapshot: Snapshot, way: Journey, asked: date) -> str:
    """A ride that could take the place of another, with its day when it is not `asked`."""
    ride = next(leg for leg in way.legs if isinstance(leg, TransitLeg))
    day = local_day(ride.departure)
    said = say(
        "journey.another",
        departure=clock(ride.departure),
        arrival=clock(minute_after(ride.arrival)),
        line=sign_of_trip(snapshot, ride.trip).spoken,
        headsign=headsign(snapshot, ride.trip, ride.first_call),
    )
    return said if day == asked else f"{short_day(day)}, {said}"


def _ride(snapshot: Snapshot, leg: TransitLeg, others: Sequence[Journey]) -> Step:
    sign = sign_of_trip(snapshot, leg.trip)
    first, last = leg.calls[0], leg.calls[-1]
    sentences = [say("journey.direction", headsign=headsign(snapshot, leg.trip, leg.first_call))]
    if first.pickup == ON_DEMAND:
        sentences.append(say("journey.on_demand_pickup"))
    elif first.pickup == ASK_DRIVER:
        sentences.append(say("journey.on_demand_driver"))
    if last.drop_off == ASK_DRIVER:
        sentences.append(say("journey.on_demand_drop"))
    sentences.append(say("journey.ride", length=duration(leg.arrival - leg.departure)))
    sentences.append(_at_platform(snapshot, "journey.alight", last, time=clock(leg.arrival)))
    passed = [
        PassedStop(stop_name(snapshot, call.stop), instant)
        for call in leg.calls[1:-1]
        if (instant := call.departure if call.departure is not None else call.arrival) is not None
    ]
    strong = (
        say("journey.stay", line=sign.spoken) if leg.stay_seated else _at_platform(snapshot, "journey.board", first)
    )
    moment = {"jour": local_day(leg.departure), "heure": clock(leg.departure)}
    return Step(
        "ride",
        sign.look,
        sign.icon,
        leg.departure,
        strong,
        sign,
        sentences,
        passed,
        say_count("journey.stops", len(passed)) if passed else "",
        [_other(snapshot, way, local_day(leg.departure)) for way in others],
        say_count("journey.others", len(others)) if others else "",
        f"{stop_href(snapshot, first.stop)}?{urlencode(moment)}",
    )


def _carpool(leg: FeederLeg) -> Step:
    about = carpool_facts(leg)
    on, off = leg.feeder.stops[leg.first], leg.feeder.stops[leg.last]
    wait, length = duration(leg.wait_s), duration(leg.arrival - leg.boarding)
    sentences = [
        say("journey.direction", headsign=leg.feeder.stops[-1].name),
        say("journey.carpool_wait", wait=wait),
        say("journey.carpool_ride", length=length, stop=off.name, time=clock(minute_after(leg.arrival))),
        say("journey.carpool_fare", euros=euros(about.fare_cents)),
    ]
    if about.estimate is not None:
        sentences.append(say("journey.carpool_driver", euros=euros(about.estimate.cents)))
    if about.line.fictitious:
        sentences.append(say("journey.carpool_fictitious"))
    return Step(
        "ride",
        look_of(leg.feeder.mode),
        look_of(leg.feeder.mode),
        leg.departure,
        say("journey.carpool_board", stop=on.name),
        sign_of_feeder(leg),
        sentences,
        board_href=f"{LINE_PAGES}/{leg.feeder.line_id}",
        board_word=say("journey.carpool_link"),
    )


def _walk(snapshot: Snapshot, leg: WalkLeg, ends: Ends, *, is_change: bool) -> Step:
    """A walk; one that is part of a change has its time told there, and it holds more than walking."""
    goal = leg.destination
    if isinstance(goal, StopPlace):
        name = stop_name(snapshot, goal.stop)
        strong = say(f"journey.walk_to_{_kind(snapshot, goal.stop)}", stop=name, of_stop=of(name))
    elif goal.name:
        strong = say("journey.walk_to_stop", stop=goal.name, of_stop=of(goal.name))
    else:
        strong = say("journey.walk_to", stop=ends.destination)
    metres = distance(leg.distance_m)
    length = duration(leg.arrival - leg.departure)
    sentence = say("journey.walk_distance" if is_change else "journey.walk_length", length=length, distance=metres)
    return Step(
        "walk",
        "walk",
        "walk",
        leg.departure,
        strong,
        sentences=[sentence],
    )


def _change(snapshot: Snapshot, told: Told, connection: Connection) -> Step:
    legs = told.journey.legs
    left, taken = legs[connection.from_leg], legs[connection.to_leg]
    walks = [leg for leg in legs[connection.from_leg + 1 : connection.to_leg] if isinstance(leg, WalkLeg)]
    leaves = taken.boarding if isinstance(taken, FeederLeg) else taken.departure
    sentences = [say("journey.change_time", length=duration(leaves - left.arrival))]
    metres = sum(walk.distance_m for walk in walks)
    if metres >= LEAST_WALK_M:
        sentences.append(say("journey.change_walk", distance=distance(metres)))
    slack_s = connection.slack_s
    word = "tight" if connection.is_tight else "fair" if slack_s < FAIR_S else "easy" if slack_s < LONG_S else "long"
    sentences.append(say(f"journey.change_{word}"))
    return Step(
        "change",
        "change",
        "change",
        strong=say("journey.change_at", where=change_words(snapshot, told.journey, connection)),
        sentences=sentences,
        tight=connection.is_tight,
    )


def change_words(snapshot: Snapshot, journey: Journey, connection: Connection) -> str:
    """Where a change begins, as one says it."""
    leg = journey.legs[connection.from_leg]
    if isinstance(leg, FeederLeg):
        name = leg.feeder.stops[leg.last].name
        return say("journey.at_stop", stop=name, of_stop=of(name))
    if not isinstance(leg, TransitLeg):
        raise TypeError("a change begins with a ride")
    return where_words(snapshot, leg.calls[-1].stop)


NO_OTHERS: Mapping[int, Sequence[Journey]] = MappingProxyType({})


def list_steps(
    snapshot: Snapshot, told: Told, ends: Ends, others: Mapping[int, Sequence[Journey]] = NO_OTHERS
) -> list[Step]:
    """The steps in the order they are done, a change before the walk that belongs to it, the arrival last.

    `others` are alternatives by position of the ride in the journey.
    """
    steps: list[Step] = []
    changes = {connection.from_leg: connection for connection in told.connections}
    for position, leg in enumerate(told.journey.legs):
        if isinstance(leg, TransitLeg):
            steps.append(_ride(snapshot, leg, others.get(position, ())))
        elif isinstance(leg, FeederLeg):
            steps.append(_carpool(leg))
        elif leg.distance_m >= LEAST_WALK_M or len(told.journey.legs) == 1:
            is_change = any(change.from_leg < position < change.to_leg for change in told.connections)
            steps.append(_walk(snapshot, leg, ends, is_change=is_change))
        if position in changes:
            steps.append(_change(snapshot, told, changes[position]))
    last = told.journey.legs[-1]
    name = stop_name(snapshot, last.calls[-1].stop) if isinstance(last, TransitLeg) else ends.destination
    steps.append(Step("end", "end", "flag", minute_after(told.journey.arrival), say("journey.end", name=name)))
    return steps


def plain_lines(steps: Sequence[Step]) -> list[str]:
    """The steps as lines of plain text, for an agenda."""
    lines: list[str] = []
    for step in steps:
        opening = [clock(step.at)] if step.at is not None else []
        opening += [f"{step.line.spoken}."] if step.line else []
        lines.append(" ".join([*opening, f"{step.strong}.", *step.sentences]))
    return lines
