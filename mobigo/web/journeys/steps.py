"""Steps: one journey told as sentences, leg by leg, with what is left at each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobigo.web.journeys.picture import Ends
from mobigo.web.looks import LineSign, headsign, look_of, platform_code, sign_of_trip
from mobigo.web.wording import clock, distance, duration, say, say_count
from routing.journeys.journey import Call, Journey, TransitLeg, WalkLeg
from routing.journeys.naming import stop_name
from routing.journeys.query import Place, StopPlace
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Connection, Told

# What is left at a change once its walk is done: below, it is enough; from LONG_S on, it is a wait.
FAIR_S = 480
LONG_S = 1800

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
    tight: bool = False


def _place_name(snapshot: Snapshot, place: Place, end: str) -> str:
    return stop_name(snapshot, place.stop) if isinstance(place, StopPlace) else end


def _at_platform(snapshot: Snapshot, key: str, call: Call, **facts: str) -> str:
    platform = platform_code(snapshot, call.stop)
    stop = stop_name(snapshot, call.stop)
    if platform:
        return say(f"{key}_platform", stop=stop, platform=platform, **facts)
    return say(key, stop=stop, **facts)


def _ride(snapshot: Snapshot, leg: TransitLeg) -> Step:
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
    return Step(
        "ride",
        look_of(snapshot.timetable.trip_mode_name(leg.trip)),
        sign.icon,
        leg.departure,
        strong,
        sign,
        sentences,
        passed,
        say_count("journey.stops", len(passed)) if passed else "",
    )


def _walk(snapshot: Snapshot, leg: WalkLeg, ends: Ends) -> Step:
    goal = _place_name(snapshot, leg.destination, ends.destination)
    length = duration(leg.arrival - leg.departure)
    return Step(
        "walk",
        "walk",
        "walk",
        leg.departure,
        say("journey.walk_to", stop=goal),
        sentences=[say("journey.walk_length", length=length, distance=distance(leg.distance_m))],
    )


def _change(snapshot: Snapshot, told: Told, connection: Connection) -> Step:
    legs = told.journey.legs
    left, taken = legs[connection.from_leg], legs[connection.to_leg]
    walks = [leg for leg in legs[connection.from_leg + 1 : connection.to_leg] if isinstance(leg, WalkLeg)]
    sentences = [say("journey.change_time", length=duration(taken.departure - left.arrival))]
    if walks:
        length = duration(sum(walk.arrival - walk.departure for walk in walks))
        metres = sum(walk.distance_m for walk in walks)
        sentences.append(say("journey.change_walk", length=length, distance=distance(metres)))
    slack_s = connection.slack_s
    word = "tight" if connection.is_tight else "fair" if slack_s < FAIR_S else "easy" if slack_s < LONG_S else "long"
    sentences.append(say(f"journey.change_{word}"))
    return Step(
        "change",
        "change",
        "change",
        strong=say("journey.change_at", stop=change_name(snapshot, told.journey, connection)),
        sentences=sentences,
        tight=connection.is_tight,
    )


def change_name(snapshot: Snapshot, journey: Journey, connection: Connection) -> str:
    """Where a change begins."""
    leg = journey.legs[connection.from_leg]
    return stop_name(snapshot, leg.calls[-1].stop) if isinstance(leg, TransitLeg) else ""


def list_steps(snapshot: Snapshot, told: Told, ends: Ends) -> list[Step]:
    """The steps in the order they are done, a change before the walk that belongs to it, the arrival last."""
    steps: list[Step] = []
    changes = {connection.from_leg: connection for connection in told.connections}
    for position, leg in enumerate(told.journey.legs):
        steps.append(_walk(snapshot, leg, ends) if isinstance(leg, WalkLeg) else _ride(snapshot, leg))
        if position in changes:
            steps.append(_change(snapshot, told, changes[position]))
    last = told.journey.legs[-1]
    name = ends.destination if isinstance(last, WalkLeg) else stop_name(snapshot, last.calls[-1].stop)
    steps.append(Step("end", "end", "flag", told.journey.arrival, say("journey.end", name=name)))
    return steps


def plain_lines(steps: Sequence[Step]) -> list[str]:
    """The steps as lines of plain text, for an agenda."""
    lines: list[str] = []
    for step in steps:
        opening = [clock(step.at)] if step.at is not None else []
        opening += [step.line.spoken] if step.line else []
        opening += [step.strong] if step.strong else []
        lines.append(" ".join([f"{' '.join(opening)}.", *step.sentences]))
    return lines
