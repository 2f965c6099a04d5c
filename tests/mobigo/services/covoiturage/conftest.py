"""The keys that accounts are sealed with."""

import pytest

from mobigo.security import Keys


@pytest.fixture
def keys():
    return Keys.of("k" * 32)
