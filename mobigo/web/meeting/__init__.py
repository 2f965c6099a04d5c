"""Pages on which drivers and passengers meet."""
