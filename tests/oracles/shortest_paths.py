"""Shortest ways by NetworkX: the slow twin of `routing.kernels.dijkstra`."""

from __future__ import annotations

import networkx as nx


def costs_from(
    edges: list[tuple[int, int, int]], n_nodes: int, source: int, limit: int | None = None
) -> dict[int, int]:
    """Least cost of every node that `source` reaches within `limit`; `edges` are (from, to, cost)."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(n_nodes))
    graph.add_weighted_edges_from(edges)
    return nx.single_source_dijkstra_path_length(graph, source, cutoff=limit)
