"""Dijkstra: the cheapest ways from some nodes of a graph to the others.

The graph is in rows (CSR): the edges that leave node `n` are
`edge_to[first_edge[n]:first_edge[n + 1]]`, their costs and lengths stand at the same places.
Costs are whole, so that every machine finds the same ways, and CLOSED says that an edge is not
to be used. Of two ways of equal cost the shorter is taken: cost above length is one number, the
way's weight, so that both are summed and compared at once and whoever finds the least weight by
another method (`contraction`) finds the same cost and the same length. Of two ways of equal
weight the one settled first is kept, and nodes of equal weight are settled in order of their number.

Method: E. W. Dijkstra, "A note on two problems in connexion with graphs", 1959, with a binary
heap that keeps outdated entries until they surface. What a search touched is listed, so that the
next one clears that and not the whole graph.

A kernel and all that it calls stand in one file: Numba compiles anew when the file of the kernel
changes, and does not look at others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

UNREACHED = int(np.iinfo(np.int32).max)
CLOSED = UNREACHED
FARTHEST = UNREACHED - 1  # the greatest cost that is searched
LENGTH_BITS = 32  # of a weight; a way is shorter than 2^32, of millimetres 4,294 km
LENGTH = (1 << LENGTH_BITS) - 1
NOWHERE = UNREACHED << LENGTH_BITS  # the weight of no way


class Rows(NamedTuple):
    """A graph to search."""

    first_edge: Ints  # [n_nodes + 1]
    edge_to: Ints  # [n_edges] node
    edge_cost: Ints  # [n_edges] 0 or more, CLOSED where one may not go
    edge_length: Ints  # [n_edges] what is summed along the cheapest way


class Room(NamedTuple):
    """What a search writes; it may be larger than the graph.

    Between searches `weight` is NOWHERE and `wanted` 0 everywhere.
    """

    weight: Longs  # [n_nodes]
    came_by: Ints  # [n_nodes] the last edge of the way, -1 at a seed; meaningful where there is a way
    wanted: NDArray[np.uint8]  # [n_nodes] 1: the search may end once all of these are settled
    reached: Ints  # [n_nodes] the nodes with a weight, in the order of their first one
    heap: Longs  # [n_edges + n_seeds] weights
    heap_node: Ints  # [n_edges + n_seeds]


class Seeds(NamedTuple):
    """Where a search begins."""

    node: Ints
    cost: Ints
    length: Longs


class Ends(NamedTuple):
    """Places along the edges of a graph: each hangs between two nodes, -1 for none.

    The two costs are those of the part of the edge between the place and the node, in the
    direction of the search; CLOSED where one may not go. `beside` is what it takes to get from
    the place to its edge.
    """

    node: Ints  # [n, 2]
    cost: Ints  # [n, 2]
    length: Longs  # [n, 2]
    beside_cost: Ints  # [n]
    beside_length: Longs  # [n]


def make_room(n_nodes: int, n_edges: int) -> Room:
    """Room for searches from up to two seeds."""
    return Room(
        np.full(n_nodes, NOWHERE, np.int64),
        np.empty(n_nodes, np.int32),
        np.zeros(n_nodes, np.uint8),
        np.zeros(n_nodes, np.int32),
        np.zeros(n_edges + 2, np.int64),
        np.zeros(n_edges + 2, np.int32),
    )


@njit(cache=True, nogil=True)
def spread(rows: Rows, seeds: Seeds, limit: int, n_wanted: int, room: Room) -> int:
    """Fill `room` from `seeds` with all that costs `limit` or less; the number of nodes reached.

    With `n_wanted` nodes marked in `room.wanted` it ends when these are settled: what else is
    reached then need not have its least cost. With 0 it goes to the end.
    """
    first_edge, edge_to, edge_cost, edge_length = rows
    weight, came_by, wanted, reached, heap, heap_node = room
    size = n_reached = 0
    n_left = n_wanted if n_wanted > 0 else -1
    for seed in range(len(seeds.node)):
        node, seed_cost = seeds.node[seed], np.int64(seeds.cost[seed])
        if node < 0 or seed_cost > limit:
            continue
        entry = (seed_cost << LENGTH_BITS) + seeds.length[seed]
        if entry >= weight[node]:
            continue
        if weight[node] == NOWHERE:
            reached[n_reached] = node
            n_reached += 1
        weight[node], came_by[node] = entry, -1
        hole = size
        size += 1
        while hole > 0:
            parent = (hole - 1) >> 1
            if heap[parent] < entry or (heap[parent] == entry and heap_node[parent] <= node):
                break
            heap[hole], heap_node[hole] = heap[parent], heap_node[parent]
            hole = parent
        heap[hole], heap_node[hole] = entry, node
    while size > 0:
        at_weight, at = heap[0], heap_node[0]
        size -= 1
        if size > 0:  # the last entry sinks from the root
            last, last_node, hole = heap[size], heap_node[size], 0
            child = 1
            while child < size:
                if child + 1 < size and (
                    heap[child + 1] < heap[child]
                    or (heap[child + 1] == heap[child] and heap_node[child + 1] < heap_node[child])
                ):
                    child += 1
                if last < heap[child] or (last == heap[child] and last_node <= heap_node[child]):
                    break
                heap[hole], heap_node[hole] = heap[child], heap_node[child]
                hole = child
                child = 2 * hole + 1
            heap[hole], heap_node[hole] = last, last_node
        if at_weight > weight[at]:
            continue
        if n_left > 0 and wanted[at]:
            n_left -= 1
            if n_left == 0:
                break
        at_cost = at_weight >> LENGTH_BITS
        for edge in range(first_edge[at], first_edge[at + 1]):
            to, cost = edge_to[edge], np.int64(edge_cost[edge])
            if at_cost + cost > limit:
                continue
            entry = at_weight + (cost << LENGTH_BITS) + edge_length[edge]
            if entry >= weight[to]:
                continue
            if weight[to] == NOWHERE:
                reached[n_reached] = to
                n_reached += 1
            weight[to], came_by[to] = entry, edge
            hole = size
            size += 1
            while hole > 0:  # the new entry rises
                parent = (hole - 1) >> 1
                if heap[parent] < entry or (heap[parent] == entry and heap_node[parent] <= to):
                    break
                heap[hole], heap_node[hole] = heap[parent], heap_node[parent]
                hole = parent
            heap[hole], heap_node[hole] = entry, to
    return n_reached


@njit(cache=True, nogil=True)
def forget(room: Room, n_reached: int) -> None:
    """Clear what a search reached, for the next one."""
    for i in range(n_reached):
        room.weight[room.reached[i]] = NOWHERE


@njit(cache=True, nogil=True)
def seed(seeds: Seeds, ends: Ends, place: int) -> None:
    """Begin at one place: at the two ends of its edge."""
    for side in range(2):
        closed = ends.cost[place, side] == CLOSED
        seeds.node[side] = -1 if closed else ends.node[place, side]
        seeds.cost[side] = 0 if closed else ends.cost[place, side] + ends.beside_cost[place]
        seeds.length[side] = ends.length[place, side] + ends.beside_length[place]


@njit(cache=True, nogil=True)
def arrive(room: Room, ends: Ends, limit: int, costs: Ints, lengths: Longs, sides: NDArray[np.int8]) -> None:
    """The least weight to each place as cost and length, from what `room` holds; UNREACHED beyond `limit`.

    `sides` tells by which of its two nodes one comes, -1 by none.
    """
    for place in range(len(ends.node)):
        best = np.int64(NOWHERE)
        sides[place] = -1
        for side in range(2):
            node = ends.node[place, side]
            if node < 0 or room.weight[node] == NOWHERE or ends.cost[place, side] == CLOSED:
                continue
            cost = np.int64(ends.cost[place, side]) + ends.beside_cost[place]
            if (room.weight[node] >> LENGTH_BITS) + cost > limit:
                continue
            length = ends.length[place, side] + ends.beside_length[place]
            total = room.weight[node] + (cost << LENGTH_BITS) + length
            if total < best:
                best, sides[place] = total, side
        costs[place], lengths[place] = best >> LENGTH_BITS, best & LENGTH


@njit(cache=True, nogil=True)
def want(targets: Ends, room: Room) -> int:
    """Mark the nodes by which one comes to the targets; how many they are."""
    n_wanted = 0
    for place in range(len(targets.node)):
        for side in range(2):
            node = targets.node[place, side]
            if node >= 0 and targets.cost[place, side] != CLOSED and not room.wanted[node]:
                room.wanted[node] = 1
                n_wanted += 1
    return n_wanted


@njit(cache=True, nogil=True)
def want_no_more(targets: Ends, room: Room) -> None:
    """Take the marks of `want` away."""
    for place in range(len(targets.node)):
        for side in range(2):
            if targets.node[place, side] >= 0:
                room.wanted[targets.node[place, side]] = 0


@njit(cache=True, nogil=True)
def between(rows: Rows, sources: Ends, targets: Ends, limit: int, room: Room, costs: Ints, lengths: Longs) -> None:
    """Fill `costs` and `lengths` [n_sources, n_targets] by one search from each source.

    Ways along one edge from source to target are not seen here: who knows the edges adds them.
    """
    seeds = Seeds(np.empty(2, np.int32), np.empty(2, np.int32), np.empty(2, np.int64))
    sides = np.empty(len(targets.node), np.int8)
    n_wanted = want(targets, room)
    for source in range(len(sources.node)):
        seed(seeds, sources, source)
        n_reached = spread(rows, seeds, limit, n_wanted, room) if n_wanted > 0 else 0
        arrive(room, targets, limit, costs[source], lengths[source], sides)
        forget(room, n_reached)
    want_no_more(targets, room)


def one_to_many(
    first_edge: NDArray[np.integer],
    edge_to: NDArray[np.integer],
    edge_cost: NDArray[np.integer],
    sources: NDArray[np.integer],
    limit: int = FARTHEST,
) -> tuple[Ints, Ints]:
    """Least costs and last edges from each of `sources`: two arrays [n_sources, n_nodes].

    The cost is UNREACHED beyond `limit`; the last edge -1 at the source and where there is no way.

    Raises:
        ValueError: a cost is negative, or too great to be summed.
    """
    if len(edge_cost) and edge_cost.min() < 0:
        raise ValueError("a way cannot cost less than nothing")
    if len(edge_cost) and edge_cost.max() > CLOSED:
        raise ValueError("a way cannot cost that much")
    n_nodes = len(first_edge) - 1
    first, to, edge = (np.ascontiguousarray(array, np.int32) for array in (first_edge, edge_to, edge_cost))
    rows = Rows(first, to, edge, edge)
    room = make_room(n_nodes, len(edge_to))
    cost = np.empty((len(sources), n_nodes), np.int32)
    came_by = np.full((len(sources), n_nodes), -1, np.int32)
    nothing = np.zeros(1, np.int32)
    for row, source in enumerate(sources):
        seeds = Seeds(np.array([source], np.int32), nothing, np.zeros(1, np.int64))
        n_reached = spread(rows, seeds, min(limit, FARTHEST), 0, room)
        cost[row] = room.weight >> LENGTH_BITS
        reached = room.reached[:n_reached]
        came_by[row, reached] = room.came_by[reached]
        forget(room, n_reached)
    return cost, came_by
