import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.kernels.dijkstra import UNREACHED, one_to_many
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


def test_a_negative_cost_is_refused():
    with pytest.raises(ValueError, match="less than nothing"):
        one_to_many(*rows([(0, 1, -1)], 2), np.array([0]))
