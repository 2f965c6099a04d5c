"""Groups: people who ride with nobody else and much, by connected components of the pair graph.

Two people are tied when they ride together often; a plain union-find gathers who is tied to whom.
A small group that keeps to itself is most often honest: neighbours with one car, colleagues who
drive in turns, a family. None of those fills its days: they go and come back. What is held is a
closed group in which nearly everybody drives and rides and the days are full, and a driver whose
passengers never ride with another while his days are full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from covoiturage.fraud.labels import Code, Label

TIED_FROM = 4  # rides together; fewer is chance, or a ride with an outsider to look like others
LARGEST = 12  # people who could arrange it
CLOSED_PERCENT = 90  # of the rides of its people
BOTH_ROLES_PERCENT = 66  # of its people
LEAST_OUTINGS = 12  # a few days tell nothing
FULL_DAY = 2.5  # outings per person and day on which they rode at all; going and coming back is two
LEAST_CAPTIVES = 2


class Couple(NamedTuple):
    """One ride, as the pair graph sees it; `day` is the local day's number."""

    carpool_id: str
    ride_id: str
    driver: str
    passenger: str
    day: int


class UnionFind:
    """Which of n things belong together (path halving, union by size)."""

    def __init__(self, n_things: int) -> None:
        self._parent = list(range(n_things))
        self._size = [1] * n_things

    def find(self, thing: int) -> int:
        """The one that stands for all of its group."""
        parent = self._parent
        while parent[thing] != thing:
            parent[thing] = parent[parent[thing]]
            thing = parent[thing]
        return thing

    def union(self, one: int, other: int) -> None:
        """Have two things belong together."""
        one, other = self.find(one), self.find(other)
        if one == other:
            return
        if self._size[one] < self._size[other]:
            one, other = other, one
        self._parent[other] = one
        self._size[one] += self._size[other]


def closed_components(pairs: Mapping[tuple[int, int], int], n_people: int) -> dict[int, list[int]]:
    """The groups of two to `LARGEST` people tied by `pairs` (rides together): who stands for one -> its people."""
    groups = UnionFind(n_people)
    tied: set[int] = set()
    for (one, other), n_rides in pairs.items():
        if n_rides >= TIED_FROM:
            groups.union(one, other)
            tied.update((one, other))
    members: defaultdict[int, list[int]] = defaultdict(list)
    for person in sorted(tied):
        members[groups.find(person)].append(person)
    return {root: people for root, people in members.items() if len(people) <= LARGEST}


@dataclass(slots=True)
class _Life:
    """What one person does."""

    driven: set[str] = field(default_factory=set)  # carpools
    days: set[int] = field(default_factory=set)
    days_driven: set[int] = field(default_factory=set)
    n_ridden: int = 0


def check_groups(couples: Iterable[Couple]) -> Iterator[Label]:
    """The labels of groups over the rides of a month."""
    rides = [one for one in couples if one.driver != one.passenger]
    number: dict[str, int] = {}
    pairs: defaultdict[tuple[int, int], int] = defaultdict(int)
    lives: list[_Life] = []
    rides_of: list[list[int]] = []  # person -> rides that they drove or rode
    for i, ride in enumerate(rides):
        ends = []
        for name in (ride.driver, ride.passenger):
            person = number.setdefault(name, len(number))
            if person == len(lives):
                lives.append(_Life())
                rides_of.append([])
            lives[person].days.add(ride.day)
            rides_of[person].append(i)
            ends.append(person)
        driver, passenger = ends
        lives[driver].driven.add(ride.carpool_id)
        lives[driver].days_driven.add(ride.day)
        lives[passenger].n_ridden += 1
        pairs[min(ends), max(ends)] += 1
    names = list(number)
    held: set[int] = set()  # rides
    for people in closed_components(pairs, len(number)).values():
        label, inside = _judge_group(people, names, lives, rides, rides_of)
        if label is not None:
            held.update(inside)
            for i in inside:
                yield Label(Code.CLOSED_GROUP, rides[i].carpool_id, rides[i].ride_id, label)
    yield from _check_captives(rides, rides_of, lives, number, held)


def _judge_group(
    people: Sequence[int],
    names: Sequence[str],
    lives: Sequence[_Life],
    rides: Sequence[Couple],
    rides_of: Sequence[Sequence[int]],
) -> tuple[dict[str, int | float] | None, Sequence[int]]:
    members = {names[person] for person in people}
    touching = {i for person in people for i in rides_of[person]}
    inside = sorted(i for i in touching if rides[i].driver in members and rides[i].passenger in members)
    n_outings = len({rides[i].carpool_id for i in inside})
    both = sum(bool(lives[person].driven) and lives[person].n_ridden > 0 for person in people)
    outings = sum(len(lives[person].driven) + lives[person].n_ridden for person in people)
    a_day = outings / sum(len(lives[person].days) for person in people)
    if (
        100 * len(inside) < CLOSED_PERCENT * len(touching)
        or n_outings < LEAST_OUTINGS
        or 100 * both < BOTH_ROLES_PERCENT * len(people)
        or a_day < FULL_DAY
    ):
        return None, ()
    return {"n_people": len(people), "n_carpools": n_outings, "n_both": both, "a_day": round(a_day, 1)}, inside


def _check_captives(
    rides: Sequence[Couple],
    rides_of: Sequence[Sequence[int]],
    lives: Sequence[_Life],
    number: Mapping[str, int],
    held: set[int],
) -> Iterator[Label]:
    """Drivers with full days whose passengers never drive and ride with hardly anybody else."""
    captives: defaultdict[str, list[str]] = defaultdict(list)
    for name, person in number.items():
        if lives[person].driven or lives[person].n_ridden < TIED_FROM:
            continue
        counts: defaultdict[str, int] = defaultdict(int)
        for i in rides_of[person]:
            counts[rides[i].driver] += 1
        driver, most = max(counts.items(), key=lambda one: one[1])
        if 100 * most >= CLOSED_PERCENT * lives[person].n_ridden:
            captives[driver].append(name)
    for driver, passengers in captives.items():
        life, own = lives[number[driver]], set(passengers)
        a_day = len(life.driven) / len(life.days_driven)
        if len(own) < LEAST_CAPTIVES or len(life.driven) < LEAST_OUTINGS or a_day < FULL_DAY:
            continue
        facts = {"n_people": len(own), "n_carpools": len(life.driven), "a_day": round(a_day, 1)}
        for i in rides_of[number[driver]]:
            if i not in held and rides[i].driver == driver and rides[i].passenger in own:
                yield Label(Code.CAPTIVE_PASSENGERS, rides[i].carpool_id, rides[i].ride_id, facts)
