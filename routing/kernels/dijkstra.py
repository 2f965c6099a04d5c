"""Dijkstra: the cheapest ways from one node of a graph to all others.

The graph is in rows (CSR): the edges that leave node `n` are
`edge_to[first_edge[n]:first_edge[n + 1]]`, their costs stand in `edge_cost` at the
same places. Costs are whole, so that every machine finds the same ways.

Method: E. W. Dijkstra, "A note on two problems in connexion with graphs", 1959,
with a binary heap that keeps outdated entries until they surface. Nodes of equal
cost are settled in order of their number.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNREACHED = np.iinfo(np.int64).max


@njit(cache=True)
def spread(
    first_edge: NDArray[np.int64],
    edge_to: NDArray[np.int32],
    edge_cost: NDArray[np.int64],
    source: int,
    limit: int,
    cost: NDArray[np.int64],
    came_by: NDArray[np.int32],
    heap_cost: NDArray[np.int64],
    heap_node: NDArray[np.int32],
) -> int:
    """Fill `cost` and `came_by` from `source`; the number of nodes settled.

    cost[n] is the least cost from `source`, UNREACHED beyond `limit`; came_by[n] the
    last edge of a way of that cost, -1 at the source and where there is none. The
    heap arrays are room to work in, of at least n_edges + 1 places.
    """
    cost[:] = UNREACHED
    came_by[:] = -1
    cost[source] = 0
    heap_cost[0], heap_node[0] = 0, source
    size, settled = 1, 0
    while size > 0:
        at_cost, at = heap_cost[0], heap_node[0]
        size -= 1
        if size > 0:  # the last entry sinks from the root
            last_cost, last_node = heap_cost[size], heap_node[size]
            hole = 0
            while True:
                child = 2 * hole + 1
                if child >= size:
                    break
                right = child + 1
                if right < size and (
                    heap_cost[right] < heap_cost[child]
                    or (heap_cost[right] == heap_cost[child] and heap_node[right] < heap_node[child])
                ):
                    child = right
                if last_cost < heap_cost[child] or (last_cost == heap_cost[child] and last_node <= heap_node[child]):
                    break
                heap_cost[hole], heap_node[hole] = heap_cost[child], heap_node[child]
                hole = child
            heap_cost[hole], heap_node[hole] = last_cost, last_node
        if at_cost > cost[at]:
            continue
        settled += 1
        for edge in range(first_edge[at], first_edge[at + 1]):
            to, new_cost = edge_to[edge], at_cost + edge_cost[edge]
            if new_cost >= cost[to] or new_cost > limit:
                continue
            cost[to], came_by[to] = new_cost, edge
            hole = size
            size += 1
            while hole > 0:  # the new entry rises
                parent = (hole - 1) // 2
                if heap_cost[parent] < new_cost or (heap_cost[parent] == new_cost and heap_node[parent] <= to):
                    break
                heap_cost[hole], heap_node[hole] = heap_cost[parent], heap_node[parent]
                hole = parent
            heap_cost[hole], heap_node[hole] = new_cost, to
    return settled


def one_to_many(
    first_edge: NDArray[np.int64],
    edge_to: NDArray[np.int32],
    edge_cost: NDArray[np.int64],
    sources: NDArray[np.int64],
    limit: int = UNREACHED - 1,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """`cost` and `came_by` of `spread` from each of `sources`: two arrays [n_sources, n_nodes].

    Raises:
        ValueError: a cost is negative.
    """
    if len(edge_cost) and edge_cost.min() < 0:
        raise ValueError("a way cannot cost less than nothing")
    n_nodes, n_edges = len(first_edge) - 1, len(edge_to)
    cost = np.empty((len(sources), n_nodes), np.int64)
    came_by = np.empty((len(sources), n_nodes), np.int32)
    heap_cost, heap_node = np.empty(n_edges + 1, np.int64), np.empty(n_edges + 1, np.int32)
    for row, source in enumerate(sources):
        spread(first_edge, edge_to, edge_cost, source, limit, cost[row], came_by[row], heap_cost, heap_node)
    return cost, came_by
