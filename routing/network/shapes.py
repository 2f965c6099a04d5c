"""Shapes: where on its drawn line each stop of a sequence lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.network.columns import AnyFeed, Ints, floats, ints, rows_of, texts

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shapes:
    """The lines drawn on maps."""

    row: dict[str, int]  # shape_id -> shape
    first_point: Ints  # [n_shapes + 1]
    lat: Floats
    lon: Floats


def make_shapes(feed: AnyFeed) -> Shapes:
    """The shapes of a feed, points in the order of shape_pt_sequence; points without a place are left out."""
    ids = texts(feed, "shapes", "shape_id")
    lat, lon = floats(feed, "shapes", "shape_pt_lat"), floats(feed, "shapes", "shape_pt_lon")
    row = rows_of(list(dict.fromkeys(ids)))
    shape = np.array([row[one] for one in ids], np.int32)
    order = np.lexsort((ints(feed, "shapes", "shape_pt_sequence", 0), shape))
    order = order[np.isfinite(lat[order]) & np.isfinite(lon[order])]
    first = np.searchsorted(shape[order], np.arange(len(row) + 1)).astype(np.int32)
    return Shapes(row, first, lat[order], lon[order])


def lay_stops(lat: Floats, lon: Floats, shape_lat: Floats, shape_lon: Floats) -> Ints:
    """For each stop the point of the shape where it lies, never before the previous stop's.

    The sum of squared distances is least: a line that passes twice by the same place needs more
    than the nearest point. Dynamic programme over stops × points, vectorised over points.
    """
    scale = np.cos(np.radians(np.nanmean(shape_lat)))
    east, north = shape_lon * scale, shape_lat
    cost = np.zeros(len(shape_lat))
    came: list[NDArray[np.int64]] = []
    points = np.arange(len(shape_lat))
    for stop_east, stop_north in zip((lon * scale).tolist(), lat.tolist(), strict=True):
        best = np.minimum.accumulate(cost)
        new_best = np.ones(len(cost), np.bool_)
        new_best[1:] = cost[1:] < best[:-1]
        came.append(np.maximum.accumulate(np.where(new_best, points, 0)))
        cost = best + (east - stop_east) ** 2 + (north - stop_north) ** 2
    laid = np.zeros(len(lat), np.int32)
    point = int(np.argmin(cost))
    for stop in range(len(lat) - 1, -1, -1):
        laid[stop] = point
        point = int(came[stop][point])
    return laid
