"""Fleet: vehicle routes that carry people, planned within a budget; school and on-demand transport stand on it."""
