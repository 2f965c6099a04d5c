"""Contraction: the nodes of a graph taken out one by one, so that ways between the others stay what they are.

Where the cheapest way between two neighbours of a node leads over it, a shortcut takes its place. In
the order in which nodes are taken out, every cheapest way of the whole graph then has one that first
only climbs and then only descends, and a search need only climb from both ends (`ascent`).

Method: R. Geisberger, P. Sanders, D. Schultes, D. Delling, "Contraction Hierarchies: Faster and Simpler
Hierarchical Routing in Road Networks", 2008. What is taken out next is judged as RoutingKit does
(J. Dibbelt, B. Strasser, D. Wagner, "Customizable Contraction Hierarchies", 2016, section 8 compares):
the level, the arcs added for each one removed, and how many edges these stand for. A search for another
way that ends too early only adds a shortcut that is not needed, never a wrong one.

Weights are those of `dijkstra`: cost above length, added at once. Arcs hang in two lists, of those that
leave a node and of those that enter it; numbers lead from one to the next, -1 ends a list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_LENGTH_BITS = 32  # as in `dijkstra`
_NOWHERE = int(np.iinfo(np.int32).max) << _LENGTH_BITS
_FARTHEST = int(np.iinfo(np.int32).max) - 1
_MOST_SETTLED = 40  # of a search for another way: with 500 there are 2 % fewer arcs, after twice the time
_MOST_IN_HEAP = 1 << 14


class Arcs(NamedTuple):
    """Edges and shortcuts."""

    tail: Ints  # [n_arcs] node
    head: Ints
    weight: Longs
    n_edges: Ints  # that an arc stands for
    next_out: Ints  # arc
    next_in: Ints


class Nodes(NamedTuple):
    """What is known of the nodes; `queue` has those that are left, as a heap by `effort`, then number."""

    first_out: Ints  # [n_nodes] arc
    first_in: Ints
    level: Ints
    effort: Longs
    queue: Ints  # [n_nodes] node
    place: Ints  # [n_nodes] in the queue, -1 once it is taken out
    order: Ints  # [n_nodes] node -> how many were taken out before it


class Search(NamedTuple):
    """What a search for another way writes; `weight` is NOWHERE between searches."""

    weight: Longs  # [n_nodes]
    touched: Ints  # [n_nodes]
    heap: Longs
    heap_node: Ints
    added: Longs  # [n, 4] shortcuts about to be made: tail, head, weight, edges


class Counts(NamedTuple):
    """How far it is: arrays of one number."""

    n_arcs: Longs
    n_left: Longs


@njit(cache=True, nogil=True)
def _is_before(nodes: Nodes, one: int, other: int) -> bool:
    return nodes.effort[one] < nodes.effort[other] or (nodes.effort[one] == nodes.effort[other] and one < other)


@njit(cache=True, nogil=True)
def _rise(nodes: Nodes, node: int) -> None:
    hole = nodes.place[node]
    while hole > 0:
        parent = (hole - 1) >> 1
        above = nodes.queue[parent]
        if _is_before(nodes, above, node):
            break
        nodes.queue[hole], nodes.place[above] = above, hole
        hole = parent
    nodes.queue[hole], nodes.place[node] = node, hole


@njit(cache=True, nogil=True)
def _sink(nodes: Nodes, node: int, size: int) -> None:
    hole = nodes.place[node]
    child = 2 * hole + 1
    while child < size:
        if child + 1 < size and _is_before(nodes, nodes.queue[child + 1], nodes.queue[child]):
            child += 1
        below = nodes.queue[child]
        if _is_before(nodes, node, below):
            break
        nodes.queue[hole], nodes.place[below] = below, hole
        hole = child
        child = 2 * hole + 1
    nodes.queue[hole], nodes.place[node] = node, hole


@njit(cache=True, nogil=True)
def _look_round(arcs: Arcs, nodes: Nodes, search: Search, source: int, without: int, most: int) -> int:
    """Weights from a node to others within `most`, not over `without`; how many nodes were touched."""
    weight, touched, heap, heap_node = search.weight, search.touched, search.heap, search.heap_node
    weight[source], touched[0], heap[0], heap_node[0] = 0, source, 0, source
    n_touched, size, n_settled = 1, 1, 0
    while size > 0:
        at_weight, at = heap[0], heap_node[0]
        size -= 1
        if size > 0:
            last, last_node, hole, child = heap[size], heap_node[size], 0, 1
            while child < size:
                if child + 1 < size and heap[child + 1] < heap[child]:
                    child += 1
                if last <= heap[child]:
                    break
                heap[hole], heap_node[hole] = heap[child], heap_node[child]
                hole = child
                child = 2 * hole + 1
            heap[hole], heap_node[hole] = last, last_node
        if at_weight > weight[at]:
            continue
        n_settled += 1
        if n_settled > _MOST_SETTLED:
            break
        arc = nodes.first_out[at]
        while arc >= 0:
            to, step = arcs.head[arc], arcs.weight[arc]
            arc = arcs.next_out[arc]
            if to == without or (at_weight >> _LENGTH_BITS) + (step >> _LENGTH_BITS) > _FARTHEST:
                continue
            entry = at_weight + step
            if entry > most or entry >= weight[to] or size == len(heap):
                continue
            if weight[to] == _NOWHERE:
                touched[n_touched] = to
                n_touched += 1
            weight[to] = entry
            hole = size
            size += 1
            while hole > 0:
                parent = (hole - 1) >> 1
                if heap[parent] <= entry:
                    break
                heap[hole], heap_node[hole] = heap[parent], heap_node[parent]
                hole = parent
            heap[hole], heap_node[hole] = entry, to
    return n_touched


@njit(cache=True, nogil=True)
def _find_shortcuts(arcs: Arcs, nodes: Nodes, search: Search, node: int) -> tuple[int, int, int, int]:
    """List in `search.added` the shortcuts that stand for a node, as many as there is room for.

    How many there are, the edges that they stand for, the arcs that go with the node, and their edges.
    """
    n_added = n_added_edges = n_removed = n_removed_edges = 0
    heaviest = np.int64(0)
    out = nodes.first_out[node]
    while out >= 0:
        heaviest = max(heaviest, arcs.weight[out])
        n_removed += 1
        n_removed_edges += arcs.n_edges[out]
        out = arcs.next_out[out]
    into = nodes.first_in[node]
    while into >= 0:
        tail, first_part = arcs.tail[into], arcs.weight[into]
        n_removed += 1
        n_removed_edges += arcs.n_edges[into]
        is_near = (first_part >> _LENGTH_BITS) + (heaviest >> _LENGTH_BITS) <= _FARTHEST
        most = int(first_part + heaviest) if is_near else _NOWHERE
        n_touched = _look_round(arcs, nodes, search, tail, node, most)
        out = nodes.first_out[node]
        while out >= 0:
            head, second_part = arcs.head[out], arcs.weight[out]
            if head != tail and (first_part >> _LENGTH_BITS) + (second_part >> _LENGTH_BITS) <= _FARTHEST:
                whole = first_part + second_part
                if search.weight[head] > whole:
                    n_edges = arcs.n_edges[into] + arcs.n_edges[out]
                    if n_added < len(search.added):
                        search.added[n_added, 0], search.added[n_added, 1] = tail, head
                        search.added[n_added, 2], search.added[n_added, 3] = whole, n_edges
                    n_added += 1
                    n_added_edges += n_edges
            out = arcs.next_out[out]
        for i in range(n_touched):
            search.weight[search.touched[i]] = _NOWHERE
        into = arcs.next_in[into]
    return n_added, n_added_edges, n_removed, n_removed_edges


@njit(cache=True, nogil=True)
def _judge(arcs: Arcs, nodes: Nodes, search: Search, node: int) -> None:
    """Reckon what it would take to take a node out."""
    n_added, n_added_edges, n_removed, n_removed_edges = _find_shortcuts(arcs, nodes, search, node)
    effort = np.int64(1000) * nodes.level[node]
    if n_removed > 0:
        effort += np.int64(1000) * n_added // n_removed + np.int64(1000) * n_added_edges // n_removed_edges
    nodes.effort[node] = effort


@njit(cache=True, nogil=True)
def queue_up(arcs: Arcs, nodes: Nodes, search: Search, counts: Counts) -> None:
    """Judge all nodes and have them wait in their order."""
    n_nodes = len(nodes.queue)
    for node in range(n_nodes):
        _judge(arcs, nodes, search, node)
        nodes.queue[node], nodes.place[node] = node, node
    for place in range(n_nodes // 2 - 1, -1, -1):
        _sink(nodes, nodes.queue[place], n_nodes)
    counts.n_left[0] = n_nodes


@njit(cache=True, nogil=True)
def _join(arcs: Arcs, nodes: Nodes, counts: Counts, tail: int, head: int, weight: int, n_edges: int) -> None:
    """Have an arc of at most this weight from node to node."""
    arc = nodes.first_out[tail]
    while arc >= 0:
        if arcs.head[arc] == head:
            if weight < arcs.weight[arc]:
                arcs.weight[arc], arcs.n_edges[arc] = weight, n_edges
            return
        arc = arcs.next_out[arc]
    arc = counts.n_arcs[0]
    counts.n_arcs[0] += 1
    arcs.tail[arc], arcs.head[arc], arcs.weight[arc], arcs.n_edges[arc] = tail, head, weight, n_edges
    arcs.next_out[arc], nodes.first_out[tail] = nodes.first_out[tail], arc
    arcs.next_in[arc], nodes.first_in[head] = nodes.first_in[head], arc


@njit(cache=True, nogil=True)
def add_edges(
    arcs: Arcs, nodes: Nodes, counts: Counts, first_edge: Ints, edge_to: Ints, edge_cost: Ints, edge_length: Ints
) -> None:
    """Hang the edges of a graph in rows into the lists: of several between two nodes the lightest."""
    for node in range(len(first_edge) - 1):
        for edge in range(first_edge[node], first_edge[node + 1]):
            if edge_cost[edge] <= _FARTHEST and edge_to[edge] != node:
                weight = (np.int64(edge_cost[edge]) << _LENGTH_BITS) + edge_length[edge]
                _join(arcs, nodes, counts, node, edge_to[edge], weight, 1)


@njit(cache=True, nogil=True)
def _unhang(first: Ints, following: Ints, owner: int, arc: int) -> None:
    """Take an arc out of a list."""
    if first[owner] == arc:
        first[owner] = following[arc]
        return
    before = first[owner]
    while following[before] != arc:
        before = following[before]
    following[before] = following[arc]


@njit(cache=True, nogil=True)
def take_out(arcs: Arcs, nodes: Nodes, search: Search, counts: Counts, n_wished: int) -> bool:
    """Take out as many nodes, or all that are left; whether it stopped before, for want of room for arcs.

    The arcs of a node that is taken out stay in its own lists: those lead up.
    """
    neighbours = np.empty(len(nodes.queue), np.int32)
    for _ in range(min(n_wished, counts.n_left[0])):
        node, size = nodes.queue[0], counts.n_left[0]
        n_added, _, _, _ = _find_shortcuts(arcs, nodes, search, node)
        if n_added > len(search.added) or counts.n_arcs[0] + n_added > len(arcs.head):
            return True
        last = nodes.queue[size - 1]
        counts.n_left[0] = size - 1
        if last != node:
            nodes.queue[0], nodes.place[last] = last, 0
            _sink(nodes, last, size - 1)
        nodes.place[node], nodes.order[node] = -1, len(nodes.queue) - size
        n_neighbours = 0
        arc = nodes.first_out[node]
        while arc >= 0:
            other = arcs.head[arc]
            _unhang(nodes.first_in, arcs.next_in, other, arc)
            neighbours[n_neighbours] = other
            n_neighbours += 1
            arc = arcs.next_out[arc]
        arc = nodes.first_in[node]
        while arc >= 0:
            other = arcs.tail[arc]
            _unhang(nodes.first_out, arcs.next_out, other, arc)
            is_new = True
            for i in range(n_neighbours):
                is_new &= neighbours[i] != other
            if is_new:
                neighbours[n_neighbours] = other
                n_neighbours += 1
            arc = arcs.next_in[arc]
        for i in range(n_added):
            tail, head, weight, n_edges = search.added[i]
            _join(arcs, nodes, counts, tail, head, weight, n_edges)
        for i in range(n_neighbours):
            other = neighbours[i]
            nodes.level[other] = max(nodes.level[other], nodes.level[node] + 1)
            _judge(arcs, nodes, search, other)
            _rise(nodes, other)
            _sink(nodes, other, size - 1)
    return False


def make_nodes(n_nodes: int) -> Nodes:
    """Nodes without arcs."""
    none = np.full(n_nodes, -1, np.int32)
    zero = np.zeros(n_nodes, np.int32)
    return Nodes(
        none, none.copy(), zero, np.zeros(n_nodes, np.int64), zero.copy(), np.zeros(n_nodes, np.int32), zero.copy()
    )


def make_arcs(n_arcs: int) -> Arcs:
    """Room for so many arcs."""
    tail, head, n_edges, next_out, next_in = (np.zeros(n_arcs, np.int32) for _ in range(5))
    return Arcs(tail, head, np.zeros(n_arcs, np.int64), n_edges, next_out, next_in)


def make_search(n_nodes: int, n_added: int) -> Search:
    """Room for searches among so many nodes, and for so many shortcuts at once."""
    return Search(
        np.full(n_nodes, _NOWHERE, np.int64),
        np.zeros(n_nodes, np.int32),
        np.zeros(_MOST_IN_HEAP, np.int64),
        np.zeros(_MOST_IN_HEAP, np.int32),
        np.zeros((n_added, 4), np.int64),
    )


def make_counts() -> Counts:
    """Nothing yet."""
    return Counts(np.zeros(1, np.int64), np.zeros(1, np.int64))
