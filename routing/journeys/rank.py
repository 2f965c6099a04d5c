"""Rank: which journey is best at what, and in which order journeys are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from routing.journeys.carbon import Carbon
from routing.journeys.journey import Journey, WalkLeg


class Label(StrEnum):
    """What a journey is best at."""

    FASTEST = "FASTEST"
    LEAST_WALKING = "LEAST_WALKING"
    LOWEST_CARBON = "LOWEST_CARBON"
    FEWEST_CHANGES = "FEWEST_CHANGES"
    LATEST_DEPARTURE = "LATEST_DEPARTURE"


class Sort(StrEnum):
    """Orders that a traveller may ask for; by price is by time until prices are known."""

    TIME = "time"
    PRICE = "price"
    WALK = "walk"
    CARBON = "carbon"


@dataclass(frozen=True, slots=True)
class Measured:
    """A journey with what it is compared by."""

    journey: Journey
    carbon: Carbon | None

    @property
    def walk_m(self) -> int:
        """Metres on foot."""
        return sum(leg.distance_m for leg in self.journey.legs if isinstance(leg, WalkLeg))

    @property
    def duration_s(self) -> int:
        """Seconds door to door."""
        return self.journey.arrival - self.journey.departure


@dataclass(frozen=True, slots=True)
class Best:
    """A journey is best at something, by `margin` (seconds, metres, grams or changes) before the next."""

    label: Label
    margin: int


# What each label compares; the least is the best.
_COMPARED: dict[Label, Callable[[Measured], int | None]] = {
    Label.FASTEST: lambda one: one.duration_s,
    Label.LEAST_WALKING: lambda one: one.walk_m,
    Label.LOWEST_CARBON: lambda one: one.carbon.legal_g if one.carbon else None,
    Label.FEWEST_CHANGES: lambda one: one.journey.n_changes,
    Label.LATEST_DEPARTURE: lambda one: -one.journey.departure,
}


def list_bests(journeys: Sequence[Measured]) -> list[tuple[Best, ...]]:
    """What each journey is best at. A label that all would share says nothing and is given to none."""
    bests: list[list[Best]] = [[] for _ in journeys]
    for label, compared in _COMPARED.items():
        values = [compared(journey) for journey in journeys]
        known = sorted({value for value in values if value is not None})
        if len(known) < 2 or None in values:
            continue
        for at, value in enumerate(values):
            if value == known[0]:
                bests[at].append(Best(label, known[1] - known[0]))
    return [tuple(labels) for labels in bests]


def ranked(journeys: Sequence[Measured], sort: Sort) -> list[int]:
    """Positions in the order asked; equal ones keep the order given, unknown carbon comes last."""
    if sort is Sort.WALK:
        return sorted(range(len(journeys)), key=lambda at: journeys[at].walk_m)
    if sort is Sort.CARBON:
        return sorted(range(len(journeys)), key=lambda at: _carbon_key(journeys[at].carbon))
    return list(range(len(journeys)))


def _carbon_key(carbon: Carbon | None) -> tuple[bool, int]:
    return carbon is None, carbon.legal_g if carbon else 0
