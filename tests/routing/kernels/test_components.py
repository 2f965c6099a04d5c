import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.kernels.components import strong_components
from routing.kernels.dijkstra import CLOSED
from tests.worlds.examples import random_examples


@st.composite
def graphs(draw):
    n_nodes = draw(st.integers(1, 14))
    node = st.integers(0, n_nodes - 1)
    return n_nodes, draw(st.lists(st.tuples(node, node, st.booleans()), max_size=40))


def rows(edges, n_nodes):
    edges = sorted(edges)
    first = np.searchsorted([edge[0] for edge in edges], np.arange(n_nodes + 1)).astype(np.int32)
    cost = [CLOSED if is_closed else 1 for _, _, is_closed in edges]
    return first, np.array([edge[1] for edge in edges], np.int32), np.array(cost, np.int32)


@random_examples(300)
@given(graphs())
def test_components_are_those_of_networkx(graph):
    n_nodes, edges = graph
    twin = nx.DiGraph([(one, other) for one, other, is_closed in edges if not is_closed])
    twin.add_nodes_from(range(n_nodes))
    component = strong_components(*rows(edges, n_nodes))
    told = {frozenset(np.flatnonzero(component == number).tolist()) for number in set(component.tolist())}
    assert told == {frozenset(part) for part in nx.strongly_connected_components(twin)}


def test_a_very_long_street_is_no_deeper_than_the_stack():
    n = 200_000
    edges = [(i, i + 1, False) for i in range(n - 1)]
    assert len(set(strong_components(*rows(edges, n)).tolist())) == n
