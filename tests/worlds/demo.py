"""The demonstration region of a fixed seed and week, built once for all tests of a process."""

from __future__ import annotations

from datetime import date
from functools import cache

from mobigo.demo.region import DemoBuild, build

START = date(2026, 11, 16)
TUESDAY = date(2026, 11, 17)


@cache
def demo_region(*, clean: bool = True) -> DemoBuild:
    """The region over 26 weeks."""
    return build(start=START, clean=clean)
