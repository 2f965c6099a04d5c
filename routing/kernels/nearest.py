"""Nearest: a grid over many short lines, and the line nearest to a point.

A line is a segment between two neighbours of `lat`, `lon` (1e-7 degrees): segment `i` joins point `i`
and point `i + 1` when both are of the same line. Cells are rows of latitude
by columns of longitude; a segment stands in every cell that it may cross.

Distances are planar around the point asked for, a degree of longitude being shortened by the cosine of
its latitude: within a kilometre, right to a few millimetres.

A kernel and all that it calls stand in one file: Numba compiles anew when the file of the kernel
changes, and does not look at others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]

METRES_PER_E7 = 111_195.0 / 1e7  # of latitude
_RADIANS_PER_E7 = np.pi / 180e7


class Grid(NamedTuple):
    """Cells of `height` by `width` from (`south`, `west`), all in 1e-7 degrees; row by row."""

    south: int
    west: int
    height: int
    width: int
    n_rows: int
    n_columns: int
    first_segment: Ints  # [n_cells + 1]
    segments: Ints  # ascending within a cell


class Lines(NamedTuple):
    """Chains of points, each the course of one line."""

    lat: Ints  # [n_points] 1e-7 degrees
    lon: Ints
    line: Ints  # [n_points] the line whose chain the point is of


@njit(cache=True, nogil=True)
def _columns(lines: Lines, segment: int, bottom: int, top: int, west: int, width: int) -> tuple[int, int]:
    """The first and last column that a segment crosses between two latitudes."""
    y0, x0 = int(lines.lat[segment]), int(lines.lon[segment])
    y1, x1 = int(lines.lat[segment + 1]), int(lines.lon[segment + 1])
    if y1 < y0:
        y0, x0, y1, x1 = y1, x1, y0, x0
    low, high = float(min(x0, x1)), float(max(x0, x1))
    if y1 > y0:
        slope = (x1 - x0) / (y1 - y0)
        begin = x0 + slope * (max(bottom, y0) - y0)
        end = x0 + slope * (min(top, y1) - y0)
        low, high = min(begin, end), max(begin, end)
    # One unit more on either side: what rounding took away.
    return int((low - 1 - west) // width), int((high + 1 - west) // width)


@njit(cache=True, nogil=True)
def fill_cells(
    lines: Lines,
    south: int,
    west: int,
    height: int,
    width: int,
    n_columns: int,
    first_segment: Ints,
    segments: Ints,
) -> int:
    """Count the segments of each cell into `first_segment`, or, when these are summed, list them in `segments`.

    The number of entries. An empty `segments` asks for the count.
    """
    n = 0
    for segment in range(len(lines.line) - 1):
        if lines.line[segment] != lines.line[segment + 1]:
            continue
        y0, y1 = int(lines.lat[segment]), int(lines.lat[segment + 1])
        for row in range((min(y0, y1) - south) // height, (max(y0, y1) - south) // height + 1):
            bottom = south + row * height
            low, high = _columns(lines, segment, bottom, bottom + height, west, width)
            for column in range(max(low, 0), min(high, n_columns - 1) + 1):
                cell = row * n_columns + column
                if len(segments) == 0:
                    first_segment[cell + 1] += 1
                else:
                    segments[first_segment[cell]] = segment
                    first_segment[cell] += 1
                n += 1
    return n


def make_grid(lines: Lines, side_m: float = 200.0) -> Grid:
    """The grid over some lines, its cells about `side_m` wide, or wider where the lines are few and far between."""
    n_points = len(lines.lat)
    south, north = (int(lines.lat.min()), int(lines.lat.max())) if n_points else (0, 0)
    west, east = (int(lines.lon.min()), int(lines.lon.max())) if n_points else (0, 0)
    shrink = max(float(np.cos((south + north) / 2 * _RADIANS_PER_E7)), 0.01)
    side = side_m / METRES_PER_E7
    rows, columns = (north - south) / side + 1, (east - west) * shrink / side + 1
    side *= max(1.0, float(np.sqrt(rows * columns / (4 * n_points + 1000))))  # no more cells than that
    height, width = int(side), int(side / shrink)
    n_rows, n_columns = (north - south) // height + 1, (east - west) // width + 1
    count = np.zeros(n_rows * n_columns + 1, np.int32)
    place = (south, west, height, width, n_columns)
    n_entries = fill_cells(lines, *place, count, np.zeros(0, np.int32))
    first_segment = np.cumsum(count, dtype=np.int32)
    segments = np.zeros(n_entries, np.int32)
    if n_entries:
        fill_cells(lines, *place, first_segment[:-1].copy(), segments)
    return Grid(south, west, height, width, n_rows, n_columns, first_segment, segments)


@njit(cache=True, nogil=True)
def nearest(
    lines: Lines,
    grid: Grid,
    is_open: NDArray[np.uint8],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    reach_m: float,
    segment_of: Ints,
    part_of: NDArray[np.float64],
    metres: NDArray[np.float64],
) -> None:
    """For each point (degrees): the nearest segment of a line that `is_open`, how far along it, how far away.

    The segment is -1 when none lies within `reach_m`. Of equally near ones it is the first.
    """
    for i in range(len(lat)):
        segment_of[i], part_of[i], metres[i] = -1, 0.0, np.inf
        if not (np.isfinite(lat[i]) and np.isfinite(lon[i])):
            continue
        y, x = lat[i] * 1e7, lon[i] * 1e7
        scale = METRES_PER_E7 * max(np.cos(y * _RADIANS_PER_E7), 1e-6)
        row, column = int((y - grid.south) // grid.height), int((x - grid.west) // grid.width)
        cell_m = min(grid.height * METRES_PER_E7, grid.width * scale)
        # To the nearest border of the own cell: what lies in ring r is at least r - 1 cells beyond it.
        border_m = min(
            (y - grid.south - row * grid.height) * METRES_PER_E7,
            (grid.south + (row + 1) * grid.height - y) * METRES_PER_E7,
            (x - grid.west - column * grid.width) * scale,
            (grid.west + (column + 1) * grid.width - x) * scale,
        )
        best_segment, best_part, best = -1, 0.0, reach_m * reach_m
        ring = max(0, -row, row - grid.n_rows + 1, -column, column - grid.n_columns + 1)
        last_ring = max(row, grid.n_rows - 1 - row, column, grid.n_columns - 1 - column)
        while ring <= last_ring:
            beyond_m = border_m + (ring - 1) * cell_m if ring > 0 else 0.0
            if beyond_m > 0 and beyond_m * beyond_m > best:
                break
            for r in range(max(row - ring, 0), min(row + ring, grid.n_rows - 1) + 1):
                step = 1 if r in (row - ring, row + ring) else max(2 * ring, 1)
                for c in range(column - ring, column + ring + 1, step):
                    if c < 0 or c >= grid.n_columns:
                        continue
                    cell = r * grid.n_columns + c
                    for entry in range(grid.first_segment[cell], grid.first_segment[cell + 1]):
                        segment = grid.segments[entry]
                        if not is_open[lines.line[segment]]:
                            continue
                        x0, y0 = (lines.lon[segment] - x) * scale, (lines.lat[segment] - y) * METRES_PER_E7
                        dx = (np.int64(lines.lon[segment + 1]) - lines.lon[segment]) * scale
                        dy = (np.int64(lines.lat[segment + 1]) - lines.lat[segment]) * METRES_PER_E7
                        square = dx * dx + dy * dy
                        part = 0.0 if square == 0.0 else min(max(-(x0 * dx + y0 * dy) / square, 0.0), 1.0)
                        away = (x0 + part * dx) ** 2 + (y0 + part * dy) ** 2
                        if away < best or (away == best and (best_segment < 0 or segment < best_segment)):
                            best_segment, best_part, best = segment, part, away
            ring += 1
        if best_segment >= 0:
            segment_of[i], part_of[i], metres[i] = best_segment, best_part, np.sqrt(best)
