"""Cards: what a traveller compares journeys by, one card each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mobigo.web.journeys.steps import LEAST_WALK_M, change_words
from mobigo.web.looks import sign_of_feeder, sign_of_trip
from mobigo.web.wording import clock, distance, duration, mass, minute_after, say, say_count, short_day
from routing.journeys.journey import FeederLeg, Journey, TransitLeg
from routing.journeys.rank import Label
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Told
from socle.times import local_day

TOLD_WALK_M = 150  # between two vehicles
SHORT_WALK_M = 200  # below, most of its time is what a change is given whatever its metres


@dataclass(frozen=True, slots=True)
class Chip:
    """One leg, as short as can be."""

    look: str
    icon: str
    word: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One journey among several."""

    href: str
    departure: int
    arrival: int
    length: str
    day: str  # when it is not the day asked
    days_later: str  # when it arrives on a later day than it leaves
    labels: Sequence[str]
    chips: Sequence[Chip]
    facts: Sequence[str]  # changes, walking, carbon when it is known, access in a wheelchair
    tight: str  # warning, empty when no change is tight
    spoken: str


def walk_words(told: Told) -> str:
    """How far on foot, and how long when it is a walk and not only the time that changes are given."""
    metres = told.walk_m
    if metres < LEAST_WALK_M:
        return say("card.walk_none")
    key = "card.walk" if metres >= SHORT_WALK_M else "card.walk_short"
    return say(key, length=duration(told.journey.walk_s), distance=distance(metres))


def access_words(told: Told) -> str:
    """Yes, no or unknown, never no for want of data."""
    return say(f"card.access_{told.wheelchair.lower()}")


def carbon_words(told: Told) -> str:
    """The legal figure; empty when a factor is missing."""
    return say("card.carbon", mass=mass(told.carbon.legal_g)) if told.carbon else ""


def list_facts(told: Told) -> list[str]:
    """What journeys are compared by besides their times."""
    facts = (say_count("changes", told.journey.n_changes), walk_words(told), carbon_words(told), access_words(told))
    return [fact for fact in facts if fact]


def length_of(journey: Journey) -> str:
    """Door to door, as the clocks shown tell it."""
    return duration(minute_after(journey.arrival) - journey.departure // 60 * 60)


def list_chips(snapshot: Snapshot, journey: Journey) -> list[Chip]:
    """The legs; a short walk between two vehicles is part of the change and not told apart."""
    chips: list[Chip] = []
    last = len(journey.legs) - 1
    for at, leg in enumerate(journey.legs):
        if isinstance(leg, TransitLeg):
            sign = sign_of_trip(snapshot, leg.trip)
            chips.append(Chip(sign.look, sign.icon, sign.word, sign.name))
        elif isinstance(leg, FeederLeg):
            sign = sign_of_feeder(leg)
            chips.append(Chip(sign.look, sign.icon, sign.word, sign.name))
        elif leg.distance_m >= (LEAST_WALK_M if at in (0, last) else TOLD_WALK_M):
            chips.append(Chip("walk", "walk", say("card.walk_chip", length=duration(leg.arrival - leg.departure))))
    return chips


def telling_labels(journeys: Sequence[Told]) -> frozenset[Label]:
    """The labels that at most half of `journeys` have: what most are best at tells none from another."""
    n_holders = Counter(best.label for told in journeys for best in told.bests)
    return frozenset(label for label, n in n_holders.items() if 2 * n <= len(journeys))


def make_card(snapshot: Snapshot, told: Told, href: str, asked: date, labels: frozenset[Label]) -> Card:
    """The card of a journey that was searched for the day `asked`; of its labels, those in `labels`."""
    journey = told.journey
    leaves, arrives = local_day(journey.departure), local_day(journey.arrival)
    tight = next((connection for connection in told.connections if connection.is_tight), None)
    warning = ""
    if tight is not None:
        where = change_words(snapshot, journey, tight)
        length = duration(max(0, tight.slack_s))
        warning = say("card.tight" if tight.slack_s > 0 else "card.tight_none", where=where, length=length)
    return Card(
        href=href,
        departure=journey.departure,
        arrival=minute_after(journey.arrival),
        length=length_of(journey),
        day=short_day(leaves) if leaves != asked else "",
        days_later=say_count("results.days_later", (arrives - leaves).days) if arrives != leaves else "",
        labels=[say(f"label.{best.label}") for best in told.bests if best.label in labels],
        chips=list_chips(snapshot, journey),
        facts=list_facts(told),
        tight=warning,
        spoken=say(
            "results.spoken",
            departure=clock(journey.departure),
            arrival=clock(minute_after(journey.arrival)),
            length=length_of(journey),
        ),
    )
