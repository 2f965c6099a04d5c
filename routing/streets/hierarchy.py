"""Hierarchy: the streets of a profile contracted, so that ways between many places take microseconds.

It is made once, when the streets are built, and lies beside them as arrays that processes map into their
memory. It tells the same milliseconds and millimetres as a search over the streets themselves, without
the way's course. Nodes are renumbered by how late they were taken out, so that those that all ways
climb to lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from routing.kernels.ascent import Ascents, ClimbRoom, Slope, climb_from_all, meet
from routing.kernels.contraction import (
    Arcs,
    Search,
    add_edges,
    make_arcs,
    make_counts,
    make_nodes,
    make_search,
    queue_up,
    take_out,
)
from routing.kernels.dijkstra import CLOSED, LENGTH_BITS, Ends, Rows

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_ADDED_AT_ONCE = 1 << 12
_STEPS = 50  # told of
_LISTED_AT_ONCE = 1 << 14

OnContracted = Callable[[float], None]
"""Told the share of the nodes that are taken out."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The contracted streets of a profile: up from a place, and up against the traffic from where one goes."""

    number: Ints  # [n_nodes] node of the streets -> node of the hierarchy
    up_first_arc: Ints  # [n_nodes + 1]
    up_to: Ints
    up_weight: Longs
    back_first_arc: Ints
    back_to: Ints
    back_weight: Longs

    @cached_property
    def up(self) -> Slope:
        """Arcs that lead up."""
        return Slope(self.up_first_arc, self.up_to, self.up_weight)

    @cached_property
    def back(self) -> Slope:
        """Arcs that lead down, from their lower end."""
        return Slope(self.back_first_arc, self.back_to, self.back_weight)

    @property
    def n_arcs(self) -> int:
        """Edges and shortcuts."""
        return len(self.up_to) + len(self.back_to)


def make_hierarchy(rows: Rows, on_contracted: OnContracted = lambda _share: None) -> Hierarchy:
    """Contract a graph."""
    n_nodes = len(rows.first_edge) - 1
    nodes, counts = make_nodes(n_nodes), make_counts()
    arcs, search = make_arcs(2 * len(rows.edge_to) + 1), make_search(n_nodes, _ADDED_AT_ONCE)
    add_edges(arcs, nodes, counts, *rows)
    queue_up(arcs, nodes, search, counts)
    share = max(n_nodes // _STEPS, 1)
    while counts.n_left[0]:
        if take_out(arcs, nodes, search, counts, share):
            arcs, search = _roomier(arcs, search)
        on_contracted(1 - float(counts.n_left[0]) / n_nodes)
    number = (n_nodes - 1 - nodes.order).astype(np.int32)
    n_arcs = int(counts.n_arcs[0])
    tail, head, weight = number[arcs.tail[:n_arcs]], number[arcs.head[:n_arcs]], arcs.weight[:n_arcs]
    climbs = head < tail
    return Hierarchy(
        number,
        *_in_rows(n_nodes, tail[climbs], head[climbs], weight[climbs]),
        *_in_rows(n_nodes, head[~climbs], tail[~climbs], weight[~climbs]),
    )


def _roomier(arcs: Arcs, search: Search) -> tuple[Arcs, Search]:
    larger = Arcs(*(np.concatenate([array, np.zeros_like(array)]) for array in arcs))
    return larger, search._replace(added=np.zeros((2 * len(search.added), 4), np.int64))


def _in_rows(n_nodes: int, one: Ints, other: Ints, weight: Longs) -> tuple[Ints, Ints, Longs]:
    order = np.lexsort((other, one))
    first = np.searchsorted(one[order], np.arange(n_nodes + 1)).astype(np.int32)
    return first, np.ascontiguousarray(other[order]), np.ascontiguousarray(weight[order])


class KeptAscents:
    """What one climbs to from places, listed one after the other. Not for several threads at once."""

    def __init__(self, hierarchy: Hierarchy, *, backward: bool) -> None:
        self._hierarchy = hierarchy
        self._slopes = (hierarchy.back, hierarchy.up) if backward else (hierarchy.up, hierarchy.back)
        self._first = np.zeros(1, np.int64)
        self._node = np.empty(0, np.int32)
        self._weight = np.empty(0, np.int64)
        self._n = 0  # places

    def add(self, ends: Ends, room: ClimbRoom) -> None:
        """List more places."""
        n_nodes, n_new = len(self._hierarchy.number), len(ends.node)
        is_open = (ends.node >= 0) & (ends.cost != CLOSED)
        nodes = np.where(is_open, self._hierarchy.number[np.maximum(ends.node, 0)], -1).astype(np.int32)
        cost = np.where(is_open, ends.cost.astype(np.int64) + ends.beside_cost[:, None], 0)
        weights = (cost << LENGTH_BITS) + ends.length + ends.beside_length[:, None]
        while len(self._first) <= self._n + n_new:
            self._first = np.concatenate([self._first, np.empty_like(self._first)])
        first, done = self._first[self._n :], 0
        while True:
            done = climb_from_all(*self._slopes, nodes, weights, done, room, first, self._node, self._weight)
            if done == n_new:
                break
            more = len(self._node) + n_nodes + _LISTED_AT_ONCE
            self._node = np.concatenate([self._node, np.empty(more, np.int32)])
            self._weight = np.concatenate([self._weight, np.empty(more, np.int64)])
        self._n += n_new

    def lists(self) -> Ascents:
        """The lists of all places."""
        return Ascents(self._first, self._node, self._weight)


def meet_all(
    leaving: Ascents, arriving: Ascents, sources: Longs, targets: Longs, limit: int, room: ClimbRoom
) -> tuple[Ints, Longs]:
    """Milliseconds and millimetres between places of two lists; the shorter list is laid out, the longer one read."""
    is_turned = len(targets) < len(sources)
    if is_turned:
        leaving, arriving, sources, targets = arriving, leaving, targets, sources
    ms = np.empty((len(sources), len(targets)), np.int32)
    mm = np.empty((len(sources), len(targets)), np.int64)
    meet(leaving, arriving, sources, targets, limit, room, ms, mm)
    return (ms.T, mm.T) if is_turned else (ms, mm)


def ascents_of(hierarchy: Hierarchy, ends: Ends, room: ClimbRoom, *, backward: bool) -> Ascents:
    """What one climbs to from some places."""
    kept = KeptAscents(hierarchy, backward=backward)
    kept.add(ends, room)
    return kept.lists()
