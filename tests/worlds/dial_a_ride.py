"""The dial-a-ride instances of Cordeau (2006) and Cordeau and Laporte (2003), as problems of `fleet`.

Their distances are real numbers; in millionths they are whole, and a sum of a hundred of them is right to the
fourth decimal. A minute is a unit of distance. The pick-up of trip i is node i, its drop node i + n.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fleet.requests import Depot, Destination, Problem, Request, VehicleType

TICKS = 10**6


def read_dial_a_ride(path: Path) -> Problem:
    """One instance; what a plan costs is its driving, in ticks."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    n_vehicles, n_nodes, longest, seats, ride = (round(float(each)) for each in lines[0])
    nodes = [[float(each) for each in line[1:]] for line in lines[1:]]
    n_nodes = n_nodes // 2 * 2 if len(nodes) > n_nodes else 2 * n_nodes
    at = np.array([node[:2] for node in nodes])
    drive = np.rint(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) * TICKS).astype(np.int32)

    def window(node: list[float]) -> tuple[int, int]:
        return round(node[4] * TICKS), round(node[5] * TICKS)

    n_trips = n_nodes // 2
    trips, aims = [], []
    for trip in range(1, n_trips + 1):
        up, down = nodes[trip], nodes[trip + n_trips]
        aims.append(Destination(trip + n_trips, *window(down), round(down[2] * TICKS)))
        trips.append(Request(trip, trip - 1, (round(up[3]),), round(up[2] * TICKS), *window(up), max_ride=ride * TICKS))
    day = window(nodes[0])
    vehicle = VehicleType((seats,), n_vehicles, Depot(0), Depot(0), *day, max_duration=longest * TICKS)
    return Problem(tuple(trips), tuple(aims), (vehicle,), drive, drive[None])
