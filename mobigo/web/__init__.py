"""Web: the pages for the public, rendered by the server, complete without scripts."""
