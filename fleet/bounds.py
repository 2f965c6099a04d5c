"""Bounds: how few vehicles no plan can do with less of, by counting runs and chaining them as generously as can be.

Every destination needs at least the runs that its loads fill; the vehicle of one run may go on with another when
the windows of both leave the time for the nearest request between them. The fewest chains through these runs are
a minimum path cover, which is a maximum flow. A plan has at least as many runs, and leaving one out of a chain
leaves a chain wherever driving on directly takes no longer than by another place, as on any street.

Where destinations share vehicles, runs cannot be counted so. But of requests no two of which can be served one after
the other, whoever one vehicle serves is aboard at once: such a crowd needs the vehicles that its loads fill.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import max_flow

from fleet.requests import Problem


def fewest_loads(weights: Sequence[int], capacity: int) -> int:
    """A lower bound of the bins of `capacity` that hold `weights` undivided.

    L2 of Martello and Toth (1990, section 8.3): above half of the capacity no two share a bin, and for each
    threshold up to half what is larger takes room that the rest cannot have.
    """
    if not weights:
        return 0
    if max(weights) > capacity:
        raise ValueError("what is larger than a bin is in none")
    if not capacity:
        return 0
    most = -(-sum(weights) // capacity)
    for least in sorted({weight for weight in weights if 2 * weight <= capacity} | {0}):
        alone = [weight for weight in weights if weight > capacity - least]
        large = [weight for weight in weights if 2 * weight > capacity and weight <= capacity - least]
        small = sum(weight for weight in weights if least <= weight and 2 * weight <= capacity)
        left = len(large) * capacity - sum(large)
        most = max(most, len(alone) + len(large) + max(0, -(-(small - left) // capacity)))
    return most


def fewest_vehicles(problem: Problem) -> int:
    """A number of vehicles below which no plan serves every request that some vehicle has places for.

    Only destinations that never share a vehicle chain; a crowd that must be aboard at once is one wherever they do.
    """
    n_kinds = len(problem.vehicle_types[0].places)
    largest = [max(each.places[kind] for each in problem.vehicle_types) for kind in range(n_kinds)]
    of: list[list[int]] = [[] for _ in problem.destinations]
    for request, asked in enumerate(problem.requests):
        of[asked.destination].append(request)
    runs = [
        max((_fewest_runs(problem, requests, kind, n) for kind, n in enumerate(largest)), default=0) for requests in of
    ]
    crowded = max((_fewest_for_crowd(problem, kind, n) for kind, n in enumerate(largest)), default=0)
    alone = len({each.group for each in problem.destinations}) == len(problem.destinations)
    return max(crowded, _fewest_chains(runs, _follows(problem, of)) if alone else int(any(runs)))


def _fewest_for_crowd(problem: Problem, kind: int, places: int) -> int:
    """Vehicles for the places of one kind that requests take of which no two can be served one after the other."""
    loads = np.array([each.load[kind] for each in problem.requests], np.int64)
    asked = np.flatnonzero((loads > 0) & (loads <= places))
    crowd = asked[find_crowd(loads[asked], _one_after_other(problem, asked))]
    return fewest_loads(loads[crowd].tolist(), places)


def find_crowd(weights: NDArray[np.int64], apart: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Some of what weighs much of which no two are `apart`: what has the heaviest ones apart from it is left out first.

    `apart` holds in both directions or in none. Any such crowd gives a bound; the heaviest is too long to find.
    """
    apart = apart.copy()
    np.fill_diagonal(apart, val=False)
    stays = np.ones(len(weights), np.bool_)
    against = np.array([int(weights[row].sum()) for row in apart], np.int64)
    while stays.any() and (score := np.where(stays, against / np.maximum(weights, 1), 0.0)).max() > 0:
        out = int(score.argmax())
        stays[out] = False
        against -= weights[out] * apart[out]
    for back in np.argsort(-weights, kind="stable"):
        if not stays[back] and not (apart[back] & stays).any():
            stays[back] = True
    return np.flatnonzero(stays)


def _one_after_other(problem: Problem, of: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these requests one vehicle could serve one after the other, in either order."""
    asked = [problem.requests[each] for each in of.tolist()]
    aims = [problem.destinations[each.destination] for each in asked]
    place, drop = np.array([each.place for each in asked], np.int64), np.array([aim.place for aim in aims], np.int64)
    service, earliest, latest = (
        np.array([getattr(each, name) for each in asked], np.int64) for name in ("service", "earliest", "latest")
    )
    gone = np.array([aim.earliest + aim.service for aim in aims], np.int64)
    onward = service + problem.drive[place, drop]
    closes = np.array([aim.latest for aim in aims], np.int64)
    begins = np.maximum(gone[:, None] + problem.drive[np.ix_(drop, place)], earliest[None])
    follows = (begins <= latest[None]) & (begins + onward[None] <= closes[None])
    return np.asarray(follows | follows.T)


def _fewest_runs(problem: Problem, requests: Sequence[int], kind: int, places: int) -> int:
    """Runs that these requests need for their places of one kind."""
    loads = [problem.requests[each].load[kind] for each in requests]
    return max(fewest_loads([load for load in loads if load <= places], places), 1) if loads else 0


def _follows(problem: Problem, of: Sequence[Sequence[int]]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which destination can be reached after which, by the request that lies best."""
    aims = problem.destinations
    follows = np.zeros((len(aims), len(aims)), np.bool_)
    drive = problem.drive.astype(np.int64)
    for aim, requests in enumerate(of):
        if not requests:
            continue
        asked = [problem.requests[each] for each in requests]
        places = [each.place for each in asked]
        onward = drive[places, aims[aim].place] + np.array([each.service for each in asked])
        for before, gone in enumerate(aims):
            least = int((drive[gone.place, places] + onward).min())
            follows[before, aim] = gone.earliest + gone.service + least <= aims[aim].latest
    return follows


def _fewest_chains(runs: Sequence[int], follows: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> int:
    """The fewest chains through `runs[aim]` runs to each destination: maximum flow from ends to beginnings of runs."""
    flow = max_flow.SimpleMaxFlow()
    n_aims, source, sink = len(runs), 2 * len(runs), 2 * len(runs) + 1
    for aim, n_runs in enumerate(runs):
        flow.add_arc_with_capacity(source, aim, n_runs)
        flow.add_arc_with_capacity(n_aims + aim, sink, n_runs)
    for before, after in zip(*np.nonzero(follows), strict=True):
        flow.add_arc_with_capacity(int(before), n_aims + int(after), runs[before])
    if flow.solve(source, sink) != flow.OPTIMAL:
        raise RuntimeError("a flow without cycles of infinite capacity has a maximum")
    return max(sum(runs) - int(flow.optimal_flow()), int(any(runs)))
