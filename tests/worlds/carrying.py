"""Small problems of carrying people: school mornings with one or several destinations aboard, and booked trips."""

from __future__ import annotations

import random

import numpy as np

from fleet.requests import NO_LIMIT, Depot, Destination, Problem, Request, VehicleType


def drives(points: list[tuple[int, int]]) -> np.ndarray:
    """Between points, a second for each step along the streets of a chessboard."""
    at = np.array(points)
    return np.abs(at[:, None] - at[None]).sum(-1).astype(np.int32)


def school_morning(seed: int, n_stops: int, n_schools: int, *, mixed: bool, window: int = 300) -> Problem:
    """Stops and schools in a square of 30 minutes; coaches of two sizes, one with a place for a wheelchair."""
    dice = random.Random(seed)
    points = [(dice.randrange(1800), dice.randrange(1800)) for _ in range(n_stops + n_schools + 1)]
    schools = []
    for school in range(n_schools):
        bell = 8 * 3600 + 900 * dice.randrange(4)
        group = 0 if mixed else school
        schools.append(Destination(school, bell - 60 - window, bell - 60, dice.choice((60, 154)), group))
    asked = []
    for stop in range(n_stops):
        n_pupils, wheelchairs = dice.randrange(1, 15), int(dice.random() < 0.1)
        limit = dice.choice((1800, 2700, 4500))
        asked.append(
            Request(
                n_schools + stop, dice.randrange(n_schools), (n_pupils, wheelchairs), 19 + 3 * n_pupils, max_ride=limit
            )
        )
    depot = Depot(len(points) - 1)
    types = (
        VehicleType((30, 1), n_stops, depot, fixed_cost=100_000),
        VehicleType((50, 0), 2, None, depot, fixed_cost=100_000),
    )
    drive = drives(points)
    return Problem(tuple(asked), tuple(schools), types, drive, np.stack([drive]))


def booked_trips(seed: int, n_trips: int, n_vehicles: int) -> Problem:
    """Trips of one to three people with a window at one end, a longest ride and a longest shift."""
    dice = random.Random(seed)
    points = [(dice.randrange(900), dice.randrange(900)) for _ in range(2 * n_trips + 1)]
    drive = drives(points)
    drive[1, 2] = 1 << 29  # somewhere there is no way
    aims, asked = [], []
    for trip in range(n_trips):
        place, aim = 2 * trip, 2 * trip + 1
        direct = min(int(drive[place, aim]), 3600)
        at = dice.randrange(7 * 3600, 9 * 3600)
        outward = dice.random() < 0.5
        aims.append(Destination(aim, *((at, at + 900) if outward else (-NO_LIMIT, NO_LIMIT)), 30))
        window = (-NO_LIMIT, NO_LIMIT) if outward else (at, at + 900)
        asked.append(
            Request(place, trip, (dice.randrange(1, 4),), 60, *window, max_ride=direct + dice.choice((120, 600)))
        )
    depot = Depot(2 * n_trips)
    shift = VehicleType((6,), n_vehicles, depot, depot, 6 * 3600, 11 * 3600, 3 * 3600)
    return Problem(tuple(asked), tuple(aims), (shift,), drive, np.stack([drive]))
