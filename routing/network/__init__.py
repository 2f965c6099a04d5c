"""Network: what is offered, as a graph to query and as flat arrays to search."""
