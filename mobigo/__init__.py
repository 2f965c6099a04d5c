"""Mobigo: the application that stands on the domains."""

__version__ = "0.1.0"
