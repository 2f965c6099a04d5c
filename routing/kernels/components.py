"""Components: the parts of a graph within which one gets from every node to every other.

The graph is in rows as in `dijkstra`; an edge of cost CLOSED (the greatest int32) is not there.

Method: R. Tarjan, "Depth-first search and linear graph algorithms", 1972, with a stack of its own,
because a region's streets are deeper than any stack of calls.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
_CLOSED = int(np.iinfo(np.int32).max)


@njit(cache=True, nogil=True)
def _label(first_edge: Ints, edge_to: Ints, edge_cost: Ints, component: Ints) -> int:
    n_nodes = len(first_edge) - 1
    order = np.full(n_nodes, -1, np.int32)
    low = np.zeros(n_nodes, np.int32)
    next_edge = first_edge[:-1].copy()
    path, waiting = np.empty(n_nodes, np.int32), np.empty(n_nodes, np.int32)
    n_seen = n_components = n_waiting = 0
    for start in range(n_nodes):
        if order[start] >= 0:
            continue
        depth = 0
        path[0] = start
        while depth >= 0:
            at = path[depth]
            if order[at] < 0:
                order[at] = low[at] = n_seen
                n_seen += 1
                waiting[n_waiting] = at
                n_waiting += 1
            went_on = False
            while next_edge[at] < first_edge[at + 1]:
                edge = next_edge[at]
                next_edge[at] += 1
                to = edge_to[edge]
                if edge_cost[edge] == _CLOSED:
                    continue
                if order[to] < 0:
                    depth += 1
                    path[depth] = to
                    went_on = True
                    break
                if component[to] < 0:
                    low[at] = min(low[at], order[to])
            if went_on:
                continue
            if low[at] == order[at]:
                while True:
                    n_waiting -= 1
                    member = waiting[n_waiting]
                    component[member] = n_components
                    if member == at:
                        break
                n_components += 1
            depth -= 1
            if depth >= 0:
                low[path[depth]] = min(low[path[depth]], low[at])
    return n_components


def strong_components(first_edge: Ints, edge_to: Ints, edge_cost: Ints) -> Ints:
    """By node: the number of its component."""
    component = np.full(len(first_edge) - 1, -1, np.int32)
    _label(first_edge, edge_to, edge_cost, component)
    return component
