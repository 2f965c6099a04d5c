import itertools

from mobigo.web.journeys.picture import LONGEST_EDGE_M, list_edges, network_around
from socle.geo import Box, LatLon, distance_m


def test_the_network_is_every_pair_of_neighbours_once(sample):
    timetable = sample.timetable
    wanted = set()
    for trip in range(timetable.n_trips):
        stops = [timetable.stop_station(stop) for stop in timetable.trip_stops(trip).tolist()]
        for one, other in itertools.pairwise(stops):
            ends = sorted((timetable.stop_at(one), timetable.stop_at(other)))
            if 0 < distance_m(*ends) <= LONGEST_EDGE_M:
                wanted.add(tuple(ends))
    drawn = [tuple(sorted(LatLon(*end) for end in edge)) for edge in list_edges(sample).tolist()]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == wanted


def test_around_a_box_are_the_lines_that_have_an_end_in_it(sample):
    box = Box(46.85, 6.25, 46.95, 6.45)
    around = network_around(sample, box)
    assert 0 < len(around) < len(list_edges(sample))
    assert all(any(box.holds(LatLon(*end)) for end in edge) for edge in around.tolist())
