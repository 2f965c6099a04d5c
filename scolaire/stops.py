"""Stops: which stops a year uses, and at which one each pupil waits.

What is wanted, in this order: few pupils without a stop, few stops, short walks. Nobody walks farther than allowed,
a stop opens for a least number of pupils, two that are open lie no closer than the rule says, and only stops whose
safety was validated open at all. Which stops are open is a set cover (CP-SAT), solved for each piece of country
that shares no pupil and no spacing with another; who waits where is then a flow of least cost.

The search runs on one thread and counts its own steps, so that what is proved is always the same answer, and what is
not is as long as the machine keeps up; the choice says which it is, and how many stops could at best be spared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow
from ortools.sat.python import cp_model

from scolaire.pupils import Sector, Stop, StopStatus
from socle.geo import distances_m

WALK_FACTOR: Final = 1.3  # a way on foot and the straight line, where no streets tell it
_WALL_FACTOR: Final = 3  # on a machine so busy that counted seconds do not pass, these end the search
MOST_LITERALS: Final = 60_000  # of one piece: with more of them walks are shortened by the flow alone


@dataclass(frozen=True, slots=True)
class StopRules:
    """The rules of an office."""

    walk_max_m: int = 1_000
    min_pupils: int = 4
    spacing_m: int = 2_000

    def __post_init__(self) -> None:
        if self.walk_max_m < 0 or self.min_pupils < 1 or self.spacing_m < 0:
            raise ValueError("a rule of stops is not negative, and nobody waits at a stop for nobody")


class Why(StrEnum):
    """Why a pupil has no stop."""

    NO_STOP_IN_REACH = "no_stop_in_reach"
    NOT_VALIDATED = "not_validated"  # there is one, which may not be used
    TOO_FEW_PUPILS = "too_few_pupils"  # nobody else is near it
    TOO_CLOSE = "too_close"  # another open stop is too close to those in reach


@dataclass(frozen=True, slots=True)
class Choice:
    """Open stops; for each pupil the stop, or why there is none."""

    open_stops: tuple[int, ...]
    stop_of: tuple[int | None, ...]
    why: Mapping[int, Why]
    walk_m: int  # of all pupils together
    fewest_stops: int  # no choice that leaves as few pupils out has fewer
    is_proved: bool  # whether no choice is better

    @property
    def n_left_out(self) -> int:
        """Pupils without a stop."""
        return len(self.why)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Stops and pupils that have nothing to do with the others."""

    stops: tuple[int, ...]
    pupils: tuple[int, ...]


def choose_stops(
    walk_m: NDArray[np.int32],
    apart_m: NDArray[np.int32],
    is_usable: Sequence[bool],
    rules: StopRules,
    *,
    effort: float = 10.0,
    seed: int = 1,
) -> Choice:
    """The stops that open and who waits where.

    `walk_m` are metres from each pupil to each stop, `apart_m` from stop to stop; `effort` is in CP-SAT's
    deterministic seconds for one piece.
    """
    usable = np.asarray(is_usable, dtype=np.bool_)
    reach = [
        tuple(int(stop) for stop in np.flatnonzero((walk_m[pupil] <= rules.walk_max_m) & usable))
        for pupil in range(len(walk_m))
    ]
    too_close = [
        (int(one), int(other))
        for one, other in np.argwhere(np.triu(apart_m < rules.spacing_m, k=1))
        if usable[one] and usable[other]
    ]
    stop_of: list[int | None] = [None] * len(reach)
    fewest, is_proved = 0, True
    for piece in _pieces(reach, too_close, len(usable)):
        search = _Search(piece, reach, too_close, walk_m, rules, effort, seed)
        for pupil, stop in search.run().items():
            stop_of[pupil] = stop
        fewest += search.fewest_stops
        is_proved &= search.is_proved
    return Choice(
        open_stops=tuple(sorted({stop for stop in stop_of if stop is not None})),
        stop_of=tuple(stop_of),
        why=dict(_reasons(stop_of, reach, walk_m, rules)),
        walk_m=sum(int(walk_m[pupil, stop]) for pupil, stop in enumerate(stop_of) if stop is not None),
        fewest_stops=fewest,
        is_proved=is_proved,
    )


def choose_for(sector: Sector, rules: StopRules, *, effort: float = 10.0, seed: int = 1) -> Choice:
    """The choice for the homes of `sector.plannable`, in their order, along straight lines times `WALK_FACTOR`."""
    homes = [sector.pupils[p].homes[h] for p, h in sector.plannable]
    placed = [home.position for home in homes]
    lat = np.array([np.nan if place is None else place.lat for place in placed], dtype=np.float64)
    lon = np.array([np.nan if place is None else place.lon for place in placed], dtype=np.float64)
    walk = np.nan_to_num(_between(lat, lon, sector.stops) * WALK_FACTOR, nan=np.iinfo(np.int32).max)
    numbers = {stop.stop_id: number for number, stop in enumerate(sector.stops)}
    for number, home in enumerate(homes):
        if home.position is None and home.stop_id in numbers:  # known by the stop that was asked for
            walk[number, numbers[home.stop_id]] = 0
    stop_lat, stop_lon = (np.array([stop.position[i] for stop in sector.stops], dtype=np.float64) for i in range(2))
    apart = _between(stop_lat, stop_lon, sector.stops)
    is_usable = [stop.status is StopStatus.VALIDATED for stop in sector.stops]
    rounded = np.minimum(walk, np.iinfo(np.int32).max).astype(np.int32)
    return choose_stops(rounded, apart.astype(np.int32), is_usable, rules, effort=effort, seed=seed)


def _between(lat: NDArray[np.float64], lon: NDArray[np.float64], stops: Sequence[Stop]) -> NDArray[np.float64]:
    """Metres from each place to each stop."""
    there = np.array([stop.position for stop in stops], dtype=np.float64).reshape(len(stops), 2)
    metres = [distances_m(one, other, there[:, 0], there[:, 1]) for one, other in zip(lat, lon, strict=True)]
    return np.array(metres, dtype=np.float64).reshape(len(lat), len(stops))


def _reasons(
    stop_of: Sequence[int | None], reach: Sequence[tuple[int, ...]], walk_m: NDArray[np.int32], rules: StopRules
) -> Iterator[tuple[int, Why]]:
    n_near = np.zeros(walk_m.shape[1], dtype=np.int64)
    for stops in reach:
        n_near[list(stops)] += 1
    for pupil, stop in enumerate(stop_of):
        if stop is not None:
            continue
        if not reach[pupil]:
            is_near = bool((walk_m[pupil] <= rules.walk_max_m).any())
            yield pupil, Why.NOT_VALIDATED if is_near else Why.NO_STOP_IN_REACH
        elif all(n_near[near] < rules.min_pupils for near in reach[pupil]):
            yield pupil, Why.TOO_FEW_PUPILS
        else:
            yield pupil, Why.TOO_CLOSE


def _pieces(reach: Sequence[tuple[int, ...]], too_close: Sequence[tuple[int, int]], n_stops: int) -> Iterator[_Piece]:
    """Stops joined by pupils who reach both or by lying too close, with their pupils."""
    root = list(range(n_stops))

    def find(stop: int) -> int:
        while root[stop] != stop:
            root[stop] = root[root[stop]]
            stop = root[stop]
        return stop

    for one, other in [*too_close, *((stops[0], stop) for stops in reach for stop in stops[1:])]:
        root[find(one)] = find(other)
    members: dict[int, tuple[list[int], list[int]]] = {}
    for stop in sorted({stop for stops in reach for stop in stops}):
        members.setdefault(find(stop), ([], []))[0].append(stop)
    for pupil, stops in enumerate(reach):
        if stops:
            members[find(stops[0])][1].append(pupil)
    for stops_of_piece, pupils in members.values():
        yield _Piece(tuple(stops_of_piece), tuple(pupils))


def seat_on_routes(
    walk_m: NDArray[np.int32], walk_max_m: int, routes: Sequence[Sequence[int]], seats: int
) -> list[int | None]:
    """Who waits at which stop of given routes, none of which carries more than `seats`.

    As many as can be have a stop within `walk_max_m`, and their walks are shortest together: a flow of least cost.
    """
    stops = [stop for route in routes for stop in route]
    n_pupils, sink = len(walk_m), len(walk_m) + len(stops) + len(routes)
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs: dict[int, tuple[int, int]] = {}
    for pupil in range(n_pupils):
        flow.set_node_supply(pupil, 1)
        flow.add_arc_with_capacity_and_unit_cost(pupil, sink, 1, (walk_max_m + 1) * (n_pupils + 1))
    at = n_pupils
    for number, route in enumerate(routes):
        for stop in route:
            for near in np.flatnonzero(walk_m[:, stop] <= walk_max_m).tolist():
                arc = flow.add_arc_with_capacity_and_unit_cost(near, at, 1, int(walk_m[near, stop]))
                arcs[arc] = (near, stop)
            flow.add_arc_with_capacity_and_unit_cost(at, n_pupils + len(stops) + number, n_pupils, 0)
            at += 1
        flow.add_arc_with_capacity_and_unit_cost(n_pupils + len(stops) + number, sink, seats, 0)
    flow.set_node_supply(sink, -n_pupils)
    if flow.solve() != flow.OPTIMAL:
        raise RuntimeError("everybody may be left out, so there is always a flow")
    stop_of: list[int | None] = [None] * n_pupils
    for arc, (pupil, stop) in arcs.items():
        if flow.flow(arc):
            stop_of[pupil] = stop
    return stop_of


class _Search:
    """The choice within one piece."""

    def __init__(
        self,
        piece: _Piece,
        reach: Sequence[tuple[int, ...]],
        too_close: Sequence[tuple[int, int]],
        walk_m: NDArray[np.int32],
        rules: StopRules,
        effort: float,
        seed: int,
    ) -> None:
        self._piece = piece
        self._reach = reach
        own = set(piece.stops)
        self._too_close = [pair for pair in too_close if pair[0] in own and pair[1] in own]
        self._walk_m = walk_m
        self._rules = rules
        self._effort = effort
        self._seed = seed
        self.fewest_stops = 0
        self.is_proved = True

    def run(self) -> dict[int, int]:
        """The stop of each pupil who has one."""
        if len(self._piece.pupils) < self._rules.min_pupils:
            return {}
        opened, n_left_out = self._cover()
        if not opened:
            return {}
        n_literals = sum(len(self._reach[pupil]) for pupil in self._piece.pupils)
        if len(opened) == len(self._piece.stops):
            pass  # nothing to choose: all are open
        elif n_literals <= MOST_LITERALS:
            opened = self._shorten(opened, n_left_out)
        else:
            self.is_proved = False
        return self._allocate(opened)

    def _cover(self) -> tuple[list[int], int]:
        """The stops to open, and how many pupils of the piece are then without one; pupils of one reach are alike."""
        alike: dict[tuple[int, ...], int] = {}
        for pupil in self._piece.pupils:
            alike[self._reach[pupil]] = alike.get(self._reach[pupil], 0) + 1
        model = cp_model.CpModel()
        is_open = self._openings(model)
        waiting: dict[int, list[Any]] = {stop: [] for stop in self._piece.stops}
        left_out: list[Any] = []
        for stops, n_pupils in alike.items():
            here = [model.new_int_var(0, n_pupils, "") for _ in stops]
            for stop, some in zip(stops, here, strict=True):
                waiting[stop].append(some)
                model.add(some <= n_pupils * is_open[stop])
            rest = model.new_int_var(0, n_pupils, "")
            model.add(sum(here) + rest == n_pupils)
            left_out.append(rest)
        for stop, here in waiting.items():
            model.add(sum(here) >= self._rules.min_pupils * is_open[stop])
        weight = len(self._piece.stops) + 1  # one pupil counts more than all stops
        model.minimize(weight * sum(left_out) + sum(is_open.values()))
        solver, status = self._solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):  # none open is always a choice
            self.is_proved = False
            return [], len(self._piece.pupils)
        n_left_out = sum(solver.value(rest) for rest in left_out)
        opened = [stop for stop, literal in is_open.items() if solver.value(literal)]
        if status == cp_model.OPTIMAL:
            self.fewest_stops = len(opened)
        else:
            self.is_proved = False
            self.fewest_stops = max(0, int(np.ceil(solver.best_objective_bound)) - weight * n_left_out)
        return opened, n_left_out

    def _shorten(self, opened: Sequence[int], n_left_out: int) -> list[int]:
        """As many stops, with the shortest walks."""
        model = cp_model.CpModel()
        is_open = self._openings(model)
        waits = {(pupil, stop): model.new_bool_var("") for pupil in self._piece.pupils for stop in self._reach[pupil]}
        of_stop: dict[int, list[Any]] = {stop: [] for stop in self._piece.stops}
        for (_pupil, stop), literal in waits.items():
            of_stop[stop].append(literal)
            model.add_implication(literal, is_open[stop])
        for pupil in self._piece.pupils:
            model.add_at_most_one([waits[pupil, stop] for stop in self._reach[pupil]])
        for stop, some in of_stop.items():
            model.add(sum(some) >= self._rules.min_pupils * is_open[stop])
        model.add(sum(waits.values()) == len(self._piece.pupils) - n_left_out)
        model.add(sum(is_open.values()) == len(opened))
        model.minimize(sum(int(self._walk_m[pupil, stop]) * literal for (pupil, stop), literal in waits.items()))
        known = self._allocate(opened)
        for stop, literal in is_open.items():
            model.add_hint(literal, stop in opened)
        for (pupil, stop), literal in waits.items():
            model.add_hint(literal, known.get(pupil) == stop)
        solver, status = self._solve(model)
        self.is_proved &= status == cp_model.OPTIMAL
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return list(opened)
        return [stop for stop, literal in is_open.items() if solver.value(literal)]

    def _openings(self, model: cp_model.CpModel) -> dict[int, Any]:
        is_open = {stop: model.new_bool_var("") for stop in self._piece.stops}
        for one, other in self._too_close:
            model.add_bool_or([~is_open[one], ~is_open[other]])
        return is_open

    def _solve(self, model: cp_model.CpModel) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self._seed
        solver.parameters.max_deterministic_time = self._effort
        solver.parameters.max_time_in_seconds = _WALL_FACTOR * self._effort
        return solver, solver.solve(model)

    def _allocate(self, opened: Sequence[int]) -> dict[int, int]:
        """Who waits where when these stops are open: each stop has its least number, walks are shortest together."""
        pupils = [pupil for pupil in self._piece.pupils if any(stop in opened for stop in self._reach[pupil])]
        numbers = {stop: len(pupils) + place for place, stop in enumerate(opened)}
        sink = len(pupils) + len(opened)
        flow = min_cost_flow.SimpleMinCostFlow()
        arcs: dict[int, tuple[int, int]] = {}
        for place, pupil in enumerate(pupils):
            flow.set_node_supply(place, 1)
            for stop in self._reach[pupil]:
                if stop in numbers:
                    arc = flow.add_arc_with_capacity_and_unit_cost(
                        place, numbers[stop], 1, int(self._walk_m[pupil, stop])
                    )
                    arcs[arc] = (pupil, stop)
        reward = self._rules.walk_max_m * len(pupils) + 1  # a least number filled counts more than all walks
        for node in numbers.values():
            flow.add_arc_with_capacity_and_unit_cost(node, sink, self._rules.min_pupils, -reward)
            flow.add_arc_with_capacity_and_unit_cost(node, sink, len(pupils), 0)
        flow.set_node_supply(sink, -len(pupils))
        if flow.solve() != flow.OPTIMAL:
            raise RuntimeError("every pupil of a chosen stop reaches one")
        return {pupil: stop for arc, (pupil, stop) in arcs.items() if flow.flow(arc)}
