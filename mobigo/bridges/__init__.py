"""Bridges: what one domain needs of another, in plain values."""
