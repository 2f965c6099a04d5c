"""How many random examples a property is tried on: a number for every day, many times it in `make soak`."""

from __future__ import annotations

import os

from hypothesis import settings

FACTOR = int(os.environ.get("MOBIGO_TEST_EXAMPLES", "1"))


def random_examples(n: int) -> settings:
    """Hypothesis's settings for `n` random examples, times `MOBIGO_TEST_EXAMPLES`; compiling may take long."""
    return settings(max_examples=n * FACTOR, deadline=None)
