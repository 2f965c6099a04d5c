"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.worlds.examples import FACTOR

SHARED = Path(os.environ.get("MOBIGO_SHARED", Path(__file__).parents[2] / "shared"))

# The same examples each time, so that a change is judged by what it changes; `make soak` draws others and more.
settings.register_profile("repeatable", derandomize=True, database=None)
if FACTOR == 1:
    settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Path of something in the shared data folder; skips the test where it is absent."""

    def find(path: str) -> Path:
        found = SHARED / path
        if not found.exists():
            pytest.skip("données partagées absentes")
        return found

    return find
