"""Ways along streets, within a limit and without: on a road of three kilometres."""

from covoiturage.drives import FARTHER
from mobigo.services.covoiturage.ways import street_ways
from socle.matrix import NEVER
from tests.worlds.town import STREET, at, town

ROAD = {number: (1000.0 * number, 0.0) for number in range(4)}


def test_a_limit_leaves_what_is_nearer_and_tells_farther_from_on_no_street(tmp_path):
    ways = street_ways(town(tmp_path, ROAD, [((0, 1, 2, 3), STREET)]))
    origins, destinations = [at(*ROAD[0])], [at(*ROAD[1]), at(*ROAD[3]), at(0, 20_000)]
    whole = ways(origins, destinations, None)
    (near_s, far_s, nowhere_s) = whole.seconds[0].tolist()
    assert (near_s * 2 < far_s, nowhere_s) == (True, NEVER)
    assert ways(origins, destinations, near_s).seconds.tolist() == [[near_s, FARTHER, NEVER]]
    assert ways(origins, destinations, far_s).seconds.tolist() == whole.seconds.tolist()
    back = ways(destinations, origins, near_s)
    assert (back.seconds.tolist(), back.metres.tolist()) == (
        [[near_s], [FARTHER], [NEVER]],
        [[1000], [FARTHER], [NEVER]],
    )
    assert ways(origins, destinations, -1).seconds.tolist() == [[FARTHER, FARTHER, NEVER]]
