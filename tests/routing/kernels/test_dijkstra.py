import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.kernels.dijkstra import CLOSED, NOWHERE, UNREACHED, Ends, Rows, between, make_room, one_to_many
from tests.oracles.shortest_paths import costs_from
from tests.worlds.examples import random_examples


def rows(edges, n_nodes):
    """The edges as CSR arrays, sorted by their first node."""
    edges = sorted(edges, key=lambda edge: edge[0])
    first_edge = np.searchsorted([edge[0] for edge in edges], np.arange(n_nodes + 1)).astype(np.int64)
    return (
        first_edge,
        np.array([edge[1] for edge in edges], np.int32),
        np.array([edge[2] for edge in edges], np.int64),
    )


@st.composite
def graphs(draw):
    n_nodes = draw(st.integers(1, 12))
    node = st.integers(0, n_nodes - 1)
    return n_nodes, draw(st.lists(st.tuples(node, node, st.integers(0, 9)), max_size=40))


@random_examples(300)
@given(graphs(), st.one_of(st.none(), st.integers(0, 20)))
def test_costs_equal_those_of_networkx(graph, limit):
    n_nodes, edges = graph
    first_edge, edge_to, edge_cost = rows(edges, n_nodes)
    sources = np.arange(n_nodes)
    cost, came_by = one_to_many(first_edge, edge_to, edge_cost, sources, UNREACHED - 1 if limit is None else limit)
    edge_from = np.repeat(np.arange(n_nodes), np.diff(first_edge))
    for source in range(n_nodes):
        told = {node: int(cost[source, node]) for node in range(n_nodes) if cost[source, node] != UNREACHED}
        assert told == costs_from(edges, n_nodes, source, limit)
        for node in range(n_nodes):  # the last edge of a way is one that makes its cost
            edge = came_by[source, node]
            assert (edge >= 0) == (node in told and node != source)
            if edge >= 0:
                assert edge_to[edge] == node
                assert cost[source, edge_from[edge]] + edge_cost[edge] == cost[source, node]


def test_of_two_ways_the_cheaper_is_taken():
    """
    0 --4-- 1 --1-- 2
     \\------7------/
    """
    edges = [(0, 1, 4), (1, 2, 1), (0, 2, 7)]
    cost, came_by = one_to_many(*rows(edges, 3), np.array([0, 2]))
    assert cost.tolist() == [[0, 4, 5], [UNREACHED, UNREACHED, 0]]
    assert came_by.tolist() == [[-1, 0, 2], [-1, -1, -1]]


@pytest.mark.parametrize(("cost", "why"), [(-1, "less than nothing"), (1 << 31, "that much")])
def test_a_cost_that_cannot_be_is_refused(cost, why):
    with pytest.raises(ValueError, match=why):
        one_to_many(*rows([(0, 1, cost)], 2), np.array([0]))


@st.composite
def hanging(draw, n_nodes):
    """Places that hang between two nodes: (node, cost) twice, and what leads to the edge."""
    end = st.tuples(st.integers(-1, n_nodes - 1), st.one_of(st.integers(0, 9), st.just(CLOSED)))
    return draw(st.lists(st.tuples(end, end, st.integers(0, 3)), min_size=1, max_size=5))


def ends_of(places):
    node = np.array([[end[0] for end in place[:2]] for place in places], np.int32)
    cost = np.array([[end[1] for end in place[:2]] for place in places], np.int32)
    beside = np.array([place[2] for place in places], np.int32)
    return Ends(node, cost, np.where(cost == CLOSED, 0, cost).astype(np.int64), beside, beside.astype(np.int64))


@random_examples(300)
@given(graphs(), st.data(), st.one_of(st.none(), st.integers(0, 25)))
def test_ways_between_places_along_edges_equal_those_of_networkx(graph, data, limit):
    """Costs are lengths too, so that both can be compared; a place is a node of its own to the slow twin."""
    n_nodes, edges = graph
    sources, targets = data.draw(hanging(n_nodes)), data.draw(hanging(n_nodes))
    first_edge, edge_to, edge_cost = (array.astype(np.int32) for array in rows(edges, n_nodes))
    arrays = Rows(first_edge, edge_to, edge_cost, edge_cost)
    room = make_room(n_nodes, len(edges))
    shape = len(sources), len(targets)
    costs, lengths = np.empty(shape, np.int32), np.empty(shape, np.int64)
    most = UNREACHED - 1 if limit is None else limit
    for _ in range(2):  # the second search begins with what the first one left
        between(arrays, ends_of(sources), ends_of(targets), most, room, costs, lengths)
    hung = [
        (n_nodes + i, node, cost + beside)
        for i, (*both, beside) in enumerate(sources)
        for node, cost in both
        if node >= 0 and cost != CLOSED
    ]
    hung += [
        (node, n_nodes + len(sources) + i, cost + beside)
        for i, (*both, beside) in enumerate(targets)
        for node, cost in both
        if node >= 0 and cost != CLOSED
    ]
    for i in range(len(sources)):
        told = costs_from(edges + hung, n_nodes + sum(shape), n_nodes + i, limit)
        for j in range(len(targets)):
            assert costs[i, j] == told.get(n_nodes + len(sources) + j, UNREACHED)
            assert costs[i, j] == UNREACHED or lengths[i, j] == costs[i, j]
    assert room.wanted.sum() == 0
    assert (room.weight == NOWHERE).all()
