"""Scolaire: the school transport of a region: who has a right to it, where it stops, how its coaches run.

The domain knows neither web, nor database, nor clock. `pupils` holds what everything else speaks of.
"""
