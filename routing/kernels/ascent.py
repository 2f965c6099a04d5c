"""Ascent: ways in a contracted graph, climbed from both ends until they meet.

The nodes of a contracted graph (`contraction`) are numbered from the one that was taken out last, 0, so
that arcs that climb lead to lower numbers. What one climbs to from a place is listed once: where it is
met with what one climbs to backward from another place, the least sum is the weight of the way.

Nodes that are also come by more lightly from above are left out of a list: no lightest way has its
summit there. (I. Abraham, D. Delling, A. Goldberg, R. Werneck, "A Hub-Based Labeling Algorithm for
Shortest Paths on Road Networks", 2011, section 4.) Weights are those of `dijkstra`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_LENGTH_BITS = 32  # as in `dijkstra`
_LENGTH = (1 << _LENGTH_BITS) - 1
_UNREACHED = int(np.iinfo(np.int32).max)
_FARTHEST = _UNREACHED - 1
_NOWHERE = _UNREACHED << _LENGTH_BITS


class Slope(NamedTuple):
    """The arcs that climb from each node, as rows: along them, or against them for those that come down."""

    first_arc: Ints  # [n_nodes + 1]
    arc_to: Ints  # a node of a lower number
    arc_weight: Longs


class ClimbRoom(NamedTuple):
    """What a climb writes; `weight` is NOWHERE between climbs."""

    weight: Longs  # [n_nodes]
    heap: Ints  # [n_nodes]
    reached: Ints  # [n_nodes]


class Ascents(NamedTuple):
    """What one climbs to from each of some places: `first[place]` to `first[place + 1]`."""

    first: Longs  # [n_places + 1]
    node: Ints
    weight: Longs


def make_climb_room(n_nodes: int) -> ClimbRoom:
    """Room for climbs among so many nodes."""
    return ClimbRoom(np.full(n_nodes, _NOWHERE, np.int64), np.zeros(n_nodes, np.int32), np.zeros(n_nodes, np.int32))


@njit(cache=True, nogil=True)
def _reach(room: ClimbRoom, node: int, weight: int, size: int) -> int:
    """Come to a node; the new size of the heap, whose first is the highest number."""
    if weight >= room.weight[node]:
        return size
    is_new = room.weight[node] == _NOWHERE
    room.weight[node] = weight
    if not is_new:
        return size
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if room.heap[parent] >= node:
            break
        room.heap[hole] = room.heap[parent]
        hole = parent
    room.heap[hole] = node
    return size + 1


@njit(cache=True, nogil=True)
def _lowest(room: ClimbRoom, size: int) -> int:
    """Take the first off a heap of so many."""
    node, last, hole, child = int(room.heap[0]), room.heap[size - 1], 0, 1
    size -= 1
    while child < size:
        if child + 1 < size and room.heap[child + 1] > room.heap[child]:
            child += 1
        if last >= room.heap[child]:
            break
        room.heap[hole] = room.heap[child]
        hole = child
        child = 2 * hole + 1
    if size > 0:
        room.heap[hole] = last
    return node


@njit(cache=True, nogil=True)
def climb(
    up: Slope, down: Slope, place: int, nodes: Ints, weights: Longs, room: ClimbRoom, node: Ints, weight: Longs
) -> int:
    """List what one climbs to from the two nodes of a place (-1: none); how much that is.

    `down` has the arcs in the other direction. `node` and `weight` have room for all nodes.
    """
    size = n_reached = 0
    for side in range(2):
        if nodes[place, side] >= 0:
            size = _reach(room, nodes[place, side], weights[place, side], size)
    while size > 0:
        at = _lowest(room, size)
        size -= 1
        room.reached[n_reached] = at
        n_reached += 1
        at_weight = room.weight[at]
        for arc in range(up.first_arc[at], up.first_arc[at + 1]):
            step = up.arc_weight[arc]
            if (at_weight >> _LENGTH_BITS) + (step >> _LENGTH_BITS) <= _FARTHEST:
                size = _reach(room, up.arc_to[arc], at_weight + step, size)
    n_listed = 0
    for i in range(n_reached - 1, -1, -1):  # from the top
        at = room.reached[i]
        least = room.weight[at]
        for arc in range(down.first_arc[at], down.first_arc[at + 1]):
            above, step = room.weight[down.arc_to[arc]], down.arc_weight[arc]
            if (above >> _LENGTH_BITS) + (step >> _LENGTH_BITS) <= _FARTHEST:
                least = min(least, above + step)
        if least == room.weight[at]:
            node[n_listed], weight[n_listed] = at, least
            n_listed += 1
        room.weight[at] = least
    for i in range(n_reached):
        room.weight[room.reached[i]] = _NOWHERE
    return n_listed


@njit(cache=True, nogil=True)
def climb_from_all(
    up: Slope,
    down: Slope,
    nodes: Ints,
    weights: Longs,
    begin: int,
    room: ClimbRoom,
    first: Longs,
    node: Ints,
    weight: Longs,
) -> int:
    """Climb from the places from `begin` on, while there is room for a list of all nodes; the first that is left."""
    n_nodes = len(up.first_arc) - 1
    for place in range(begin, len(nodes)):
        at = first[place]
        if len(node) - at < n_nodes:
            return place
        first[place + 1] = at + climb(up, down, place, nodes, weights, room, node[at:], weight[at:])
    return len(nodes)


@njit(cache=True, nogil=True)
def meet(
    one: Ascents,
    other: Ascents,
    sources: Longs,
    targets: Longs,
    limit: int,
    room: ClimbRoom,
    costs: Ints,
    lengths: Longs,
) -> None:
    """Fill `costs` and `lengths` [n_sources, n_targets]: UNREACHED beyond `limit`.

    `sources` and `targets` are numbers of places in the two lists.
    """
    weight = room.weight
    for i in range(len(sources)):
        begin, end = one.first[sources[i]], one.first[sources[i] + 1]
        for entry in range(begin, end):
            weight[one.node[entry]] = one.weight[entry]
        for j in range(len(targets)):
            best = np.int64(_NOWHERE)
            for entry in range(other.first[targets[j]], other.first[targets[j] + 1]):
                up, down = weight[other.node[entry]], other.weight[entry]
                if (up >> _LENGTH_BITS) + (down >> _LENGTH_BITS) <= limit:
                    best = min(best, up + down)
            costs[i, j], lengths[i, j] = best >> _LENGTH_BITS, best & _LENGTH
        for entry in range(begin, end):
            weight[one.node[entry]] = _NOWHERE
