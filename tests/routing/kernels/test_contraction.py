import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.kernels.ascent import Slope, make_climb_room, meet
from routing.kernels.dijkstra import CLOSED, FARTHEST, LENGTH_BITS, UNREACHED, Ends, Rows, between, make_room
from routing.streets.hierarchy import Hierarchy, ascents_of, make_hierarchy
from tests.oracles.shortest_paths import costs_from
from tests.worlds.examples import random_examples


def rows(edges, n_nodes):
    """The edges as CSR arrays, sorted by their first node."""
    edges = sorted(edges, key=lambda edge: edge[0])
    first_edge = np.searchsorted([edge[0] for edge in edges], np.arange(n_nodes + 1)).astype(np.int32)
    to, cost, length = (np.array([edge[i] for edge in edges], np.int32) for i in (1, 2, 3))
    return Rows(first_edge, to, cost, length)


def at_nodes(n_nodes):
    """A place at each node."""
    node = np.column_stack([np.arange(n_nodes), np.full(n_nodes, -1)]).astype(np.int32)
    nothing = np.zeros((n_nodes, 2), np.int64)
    return Ends(node, nothing.astype(np.int32), nothing, nothing[:, 0].astype(np.int32), nothing[:, 0].copy())


def table(n_sources, n_targets):
    return np.empty((n_sources, n_targets), np.int32), np.empty((n_sources, n_targets), np.int64)


def climbed(hierarchy, sources, targets, limit=FARTHEST):
    room = make_climb_room(len(hierarchy.number))
    told = table(len(sources.node), len(targets.node))
    lists = (
        ascents_of(hierarchy, sources, room, backward=False),
        ascents_of(hierarchy, targets, room, backward=True),
    )
    meet(*lists, np.arange(len(sources.node)), np.arange(len(targets.node)), limit, room, *told)
    return told


def searched(graph, sources, targets, limit=FARTHEST):
    told = table(len(sources.node), len(targets.node))
    between(graph, sources, targets, limit, make_room(len(graph.first_edge) - 1, len(graph.edge_to)), *told)
    return told


@st.composite
def graphs(draw):
    """Few costs and lengths, so that many ways cost the same; some edges are closed, cost nothing or very much."""
    n_nodes = draw(st.integers(1, 12))
    node = st.integers(0, n_nodes - 1)
    cost = st.one_of(st.integers(0, 3), st.sampled_from([CLOSED, FARTHEST, FARTHEST - 2]))
    return n_nodes, draw(st.lists(st.tuples(node, node, cost, st.integers(0, 4)), max_size=50))


@random_examples(400)
@given(graphs())
def test_costs_and_lengths_between_all_nodes_are_those_of_networkx_and_of_dijkstra(graph):
    n_nodes, edges = graph
    whole = rows(edges, n_nodes)
    places = at_nodes(n_nodes)
    costs, lengths = climbed(make_hierarchy(whole), places, places)
    slow_costs, slow_lengths = searched(whole, places, places)
    assert costs.tolist() == slow_costs.tolist()
    assert lengths.tolist() == slow_lengths.tolist()
    weighed = [(one, to, (cost << LENGTH_BITS) + length) for one, to, cost, length in edges if cost != CLOSED]
    for source in range(n_nodes):
        told = costs_from(weighed, n_nodes, source, (FARTHEST << LENGTH_BITS) + (1 << LENGTH_BITS) - 1)
        for node in range(n_nodes):
            if node in told:
                assert (int(costs[source, node]) << LENGTH_BITS) + int(lengths[source, node]) == told[node]
            else:
                assert costs[source, node] == UNREACHED


@pytest.mark.parametrize("seed", range(4))
def test_a_town_of_streets_in_squares_has_many_ways_of_one_cost_and_the_shortest_is_taken(seed):
    """A grid of 30 by 30 whose lengths differ where costs do not; places hang between two nodes."""
    draw = np.random.default_rng(seed)
    side = 30
    number = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.column_stack([one.ravel(), other.ravel()])
            for one, other in ((number[:, :-1], number[:, 1:]), (number[:-1], number[1:]))
        ]
    )
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    cost, length = draw.integers(1, 4, len(pairs)), draw.integers(10, 30, len(pairs))
    cost[draw.random(len(pairs)) < 0.1] = CLOSED
    graph = rows([*zip(*pairs.T.tolist(), cost.tolist(), length.tolist(), strict=True)], side * side)
    n = 60
    ends = Ends(
        draw.integers(-1, side * side, (n, 2)).astype(np.int32),
        draw.choice([0, 1, 5, CLOSED], (n, 2)).astype(np.int32),
        draw.integers(0, 9, (n, 2)),
        draw.integers(0, 3, n).astype(np.int32),
        draw.integers(0, 9, n),
    )
    hierarchy = make_hierarchy(graph)
    for limit in (FARTHEST, 40):
        costs, lengths = climbed(hierarchy, ends, ends, limit)
        slow_costs, slow_lengths = searched(graph, ends, ends, limit)
        assert (costs == slow_costs).all()
        assert (lengths == slow_lengths).all()
    assert (costs < UNREACHED).sum() > n


def test_shortcuts_stand_for_what_was_taken_out_and_lead_up():
    """0 -1- 1 -1- 2 -1- 3 -1- 4: every way goes up, then down."""
    edges = [(a, b, 1, 7) for a in range(5) for b in (a - 1, a + 1) if 0 <= b < 5]
    hierarchy = make_hierarchy(rows(edges, 5))
    assert sorted(hierarchy.number.tolist()) == [0, 1, 2, 3, 4]
    for slope in (hierarchy.up, hierarchy.back):
        ends = np.repeat(np.arange(5), np.diff(slope.first_arc))
        assert (slope.arc_to < ends).all()


def test_room_for_arcs_is_made_as_it_is_needed():
    """A star whose middle is the only way between all others, which must be taken out last or cost a lot."""
    n = 80
    edges = [(0, leaf, leaf, leaf) for leaf in range(1, n)] + [(leaf, 0, 1, 1) for leaf in range(1, n)]
    ring = [(leaf, leaf % (n - 1) + 1, 500, 1) for leaf in range(1, n)]
    graph, places = rows(edges + ring, n), at_nodes(n)
    costs, _ = climbed(make_hierarchy(graph), places, places)
    assert (costs == searched(graph, places, places)[0]).all()


def test_a_graph_of_no_nodes_has_a_hierarchy_too():
    hierarchy = make_hierarchy(rows([], 0))
    assert (hierarchy.n_arcs, len(hierarchy.number)) == (0, 0)
    assert isinstance(hierarchy, Hierarchy)
    assert isinstance(hierarchy.up, Slope)
