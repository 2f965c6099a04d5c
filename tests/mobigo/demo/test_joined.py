"""Can one go from any town to any other on a Tuesday, by train and coach, between 06:00 and 22:00?"""

import heapq
from collections import defaultdict
from itertools import pairwise

from tests.worlds.demo import TUESDAY, demo_region

CHANGE_S = 300  # inside a commune
BEGIN_S, END_S = 6 * 3600, 22 * 3600
REGION = demo_region()

COMMUNE_OF_STATION = {uic8: s.insee_code for uic8, s in REGION.edition.facts.stations.items()}


def commune_of(stop_id):
    """A coach stop begins with its commune, a rail stop ends with its station's code."""
    uic8 = stop_id[-8:]
    return (COMMUNE_OF_STATION[uic8] or uic8) if uic8 in COMMUNE_OF_STATION else stop_id.partition("-")[0]


def connections():
    """Every hop of the Tuesday: departure, arrival, from, to, trip."""
    found = []
    for source_id in ("rail-demo", "cars-demo"):
        tables = REGION.sources[source_id]
        runs = {service for service, day, _ in tables["calendar_dates"].rows if day == TUESDAY}
        service, trip = (tables["trips"].column(name) for name in ("service_id", "trip_id"))
        running = {t for s, t in zip(service, trip, strict=True) if s in runs}
        rows = [row for row in tables["stop_times"].rows if row[0] in running]
        found += [
            (one[2], other[1], commune_of(one[3]), commune_of(other[3]), one[0])
            for one, other in pairwise(rows)
            if one[0] == other[0]
        ]
    return sorted(found)


def test_nearly_any_two_towns_that_have_a_stop_are_joined():
    hops = [hop for hop in connections() if hop[0] >= BEGIN_S and hop[1] <= END_S]
    with_a_stop = {commune for _, _, one, other, _ in hops for commune in (one, other)}
    towns = [p.insee_code for p in REGION.roads.places if p.rank != "village" and p.insee_code in with_a_stop]
    assert len(towns) > 270
    # Sets of towns as bits: who is in each commune by now, who is on each trip, who alights later.
    bit = {town: 1 << i for i, town in enumerate(towns)}
    here, aboard, alighting = defaultdict(int, bit), defaultdict(int), []
    reached = defaultdict(int, bit)
    for departure_s, arrival_s, one, other, trip in hops:
        while alighting and alighting[0][0] <= departure_s:
            _, commune, people = heapq.heappop(alighting)
            here[commune] |= people
        aboard[trip] |= here[one]
        reached[other] |= aboard[trip]
        heapq.heappush(alighting, (arrival_s + CHANGE_S, other, aboard[trip]))
    joined = sum(reached[town].bit_count() - 1 for town in towns)
    assert joined >= 0.99 * len(towns) * (len(towns) - 1)
