"""School transport on pages."""
