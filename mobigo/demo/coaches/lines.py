"""Which communes the coach lines join, and by which roads.

Three rounds: the relations known to exist or to have existed; a line for every seat
or main town without a train; then, one by one, the pair of towns that is worth most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from mobigo.demo.facts import Commune, Facts
from mobigo.demo.roads import EXPRESS, SECONDARY, RoadGraph, RoadWays

N_LINES = 115
NO_COACHES_IN = "90"  # the Territoire de Belfort has its own authority for coaches
_SEATS = frozenset({"prefecture", "subprefecture"})
_MAIN_RANKS = _SEATS | {"epci_main"}
_MAIN_TOWN_PEOPLE = 800
_ATTRACTOR_PEOPLE = 7_000
_ATTRACTOR_MAX_M = 80_000
_PAIR_M = (12_000, 65_000)
_LEAST_NEW_SHARE = 0.45
_TRAIN_ALREADY = 0.3
_GAIN_PEOPLE = 3_000
_MOST_LINES = ((100_000, 16), (20_000, 9), (0, 6))  # at a town of so many people


@dataclass(frozen=True, slots=True)
class CoachLine:
    """A line: the communes that name it, and its way through `places` by `edges`."""

    code: str  # D01 … D115
    via: tuple[int, ...]  # ends and named communes, positions in `places`
    places: tuple[int, ...]  # every commune on the way
    edges: tuple[int, ...]  # edges[i] joins places[i] and places[i + 1]

    def name(self, places: Sequence[Commune]) -> str:
        """The line's ends and the communes it is known by."""
        return " – ".join(places[i].name for i in self.via)


class _Choice:
    """The lines chosen so far, and what they leave to be served."""

    def __init__(self, facts: Facts, roads: RoadGraph) -> None:
        self.places = roads.places
        self.roads = roads
        self.ways: RoadWays = roads.rows((SECONDARY, EXPRESS)).ways_from(range(len(roads.places)))
        self.lines: list[CoachLine] = []
        self.served = np.zeros(len(roads.places), np.bool_)
        self.driven = np.zeros(len(roads.metres), np.bool_)  # edges some line runs along
        self.lines_at: Counter[int] = Counter()
        self.stations_of = _stations_of(facts, roads)
        for place in self.stations_of:
            self.served[place] = True

    def add(self, via: Sequence[int]) -> None:
        edges = [edge for one, other in pairwise(via) for edge in self.ways.edges(one, other)]
        places = [via[0]]
        for edge in edges:
            places.append(int(self.roads.ends[edge].sum()) - places[-1])
        code = f"D{len(self.lines) + 1:02d}"
        self.lines.append(CoachLine(code, tuple(via), tuple(places), tuple(edges)))
        self.driven[edges] = True
        self.served[[place for place in places if self.places[place].dept != NO_COACHES_IN]] = True
        self.lines_at.update((via[0], via[-1]))

    def has_room(self, place: int) -> bool:
        people = self.places[place].population
        return self.lines_at[place] < next(most for least, most in _MOST_LINES if people >= least)


def _stations_of(facts: Facts, roads: RoadGraph) -> dict[int, set[str]]:
    """Commune -> its stations with trains."""
    found: dict[int, set[str]] = {}
    for station in facts.stations.values():
        place = roads.place_index.get(station.insee_code)
        if station.has_trains and place is not None:
            found.setdefault(place, set()).add(station.uic8)
    return found


def _add_known_relations(choice: _Choice, facts: Facts) -> None:
    for relation in facts.coach_relations:
        choice.add([choice.roads.place_index[insee_code] for insee_code in relation.via])


def _add_main_towns(choice: _Choice) -> None:
    """A line for every main town without one, the largest first."""
    places = choice.places
    towns = [i for i, p in enumerate(places) if p.rank in _MAIN_RANKS and p.dept != NO_COACHES_IN]
    attractors = [
        i
        for i, place in enumerate(places)
        if (place.population >= _ATTRACTOR_PEOPLE or place.rank in _SEATS) and place.dept != NO_COACHES_IN
    ]
    for town in sorted(towns, key=lambda i: (-places[i].population, places[i].insee_code)):
        wants_one = places[town].population >= _MAIN_TOWN_PEOPLE or places[town].rank in _SEATS
        if choice.served[town] or not wants_one:
            continue

        def pull(attractor: int, town: int = town) -> tuple[float, str]:
            km = choice.ways.way_m(town, attractor) / 1000
            return 0.6 * log(places[attractor].population) - 1.5 * log(km), places[attractor].insee_code

        near = [a for a in attractors if a != town and choice.ways.way_m(town, a) <= _ATTRACTOR_MAX_M]
        choice.add([max(near, key=pull), town])


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Candidates: pair p runs along edges[first_edge[p]:first_edge[p + 1]], and so for places."""

    ends: NDArray[np.int64]  # [n_pairs, 2]
    likes: NDArray[np.float64]  # [n_pairs], the square root of what joins them
    first_edge: NDArray[np.int64]
    edges: NDArray[np.int64]
    first_place: NDArray[np.int64]
    places: NDArray[np.int64]


def _pairs(choice: _Choice, facts: Facts) -> _Pairs:
    places, ways = choice.places, choice.ways
    by_train = {
        (one, other)
        for pattern in facts.patterns
        if pattern.mode == "train"
        for here in [_places_of(choice, pattern.stops)]
        for one in here
        for other in here
    }
    towns = [i for i, p in enumerate(places) if p.rank != "village" and p.dept != NO_COACHES_IN]
    ends, likes, edges, stops = [], [], [], []
    for a in towns:
        for b in towns:
            metres = ways.way_m(a, b)
            if not (a < b and _PAIR_M[0] <= metres <= _PAIR_M[1]):
                continue
            score = (places[a].population * places[b].population) ** 0.8 / (metres / 1000) ** 2
            ends.append((a, b))
            likes.append((score * (_TRAIN_ALREADY if (a, b) in by_train else 1.0)) ** 0.5)
            edges.append(ways.edges(a, b))
            on_way = [a]
            for edge in edges[-1]:
                on_way.append(int(choice.roads.ends[edge].sum()) - on_way[-1])
            stops.append(on_way)
    return _Pairs(
        np.array(ends),
        np.array(likes),
        _firsts(edges),
        np.concatenate([np.array(some, np.int64) for some in edges]),
        _firsts(stops),
        np.concatenate([np.array(some, np.int64) for some in stops]),
    )


def _firsts(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.cumsum([0, *(len(some) for some in lists)])[:-1]


def _places_of(choice: _Choice, stations: Iterable[str]) -> list[int]:
    wanted = set(stations)
    return [place for place, here in choice.stations_of.items() if here & wanted]


def _add_best_pairs(choice: _Choice, facts: Facts) -> None:
    """Until there are enough lines, the pair of best √s · new^1.5 · (1 + gain / 3,000) that meets others."""
    pairs = _pairs(choice, facts)
    metres = choice.roads.metres.astype(np.float64)[pairs.edges]
    length = np.add.reduceat(metres, pairs.first_edge)
    people = np.array([place.population for place in choice.places], np.float64)[pairs.places]
    while len(choice.lines) < N_LINES:
        new = np.add.reduceat(metres * ~choice.driven[pairs.edges], pairs.first_edge) / length
        gain = np.add.reduceat(people * ~choice.served[pairs.places], pairs.first_place)
        worth = pairs.likes * new**1.5 * (1 + gain / _GAIN_PEOPLE)
        room = np.array([choice.has_room(place) for place in range(len(choice.places))])
        on_network = np.logical_or.reduceat(choice.served[pairs.places], pairs.first_place)
        worth[(new < _LEAST_NEW_SHARE) | ~room[pairs.ends].all(axis=1) | ~on_network] = 0
        best = int(np.argmax(worth))  # the first of equals
        a, b = (int(end) for end in pairs.ends[best])
        larger_first = sorted((a, b), key=lambda i: (-choice.places[i].population, choice.places[i].insee_code))
        choice.add(larger_first)


def choose_lines(facts: Facts, roads: RoadGraph) -> tuple[CoachLine, ...]:
    """The 115 lines."""
    choice = _Choice(facts, roads)
    _add_known_relations(choice, facts)
    _add_main_towns(choice)
    _add_best_pairs(choice, facts)
    return tuple(choice.lines)
