"""Ways of carpools along the streets, from a service that knows nothing of streets."""

import pytest

from mobigo.bridges.driving import drives_on
from tests.worlds.town import STREET, at, town

# One street of a kilometre, and another that nothing joins to it.
NODES = {1: (0, 0), 2: (400, 0), 3: (1000, 0), 4: (0, 3000), 5: (500, 3000)}
WAYS = [((1, 2, 3), STREET), ((4, 5), STREET)]
WEST, MIDDLE, EAST, APART, FAR = at(0, 0), at(400, 0), at(1000, 0), at(250, 3000), at(0, 9000)


@pytest.fixture(scope="module")
def drives(tmp_path_factory):
    return drives_on(town(tmp_path_factory.mktemp("town"), NODES, WAYS))


def test_each_way_is_told_at_its_place_with_metres_and_seconds(drives):
    told = drives([(WEST, EAST), (MIDDLE, EAST), (EAST, WEST), (WEST, EAST)])
    assert [metres for metres, _seconds in told] == pytest.approx([1000, 600, 1000, 1000], abs=1)
    metres, seconds = told[0]
    assert told[3] == (metres, seconds)
    assert told[1][1] / seconds == pytest.approx(0.6, abs=0.02)


def test_where_there_is_no_street_or_no_way_nothing_is_told(drives):
    assert drives([(WEST, APART), (FAR, WEST), (WEST, FAR)]) == [None, None, None]
    assert drives([]) == []
