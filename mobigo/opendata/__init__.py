"""Opendata: what leaves Mobigo for everyone, and how it is served."""
