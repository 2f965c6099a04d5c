"""A site with people, for one test."""

import pytest

from tests.worlds.visiting import place


@pytest.fixture
def site(sample, tmp_path):
    with place(sample, tmp_path) as site:
        yield site


@pytest.fixture
def people(site):
    return site.people


@pytest.fixture
def visitor(site):
    return site.visitor()
