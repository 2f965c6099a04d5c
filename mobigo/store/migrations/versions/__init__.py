"""Versions: r<number>_<what>.py."""
