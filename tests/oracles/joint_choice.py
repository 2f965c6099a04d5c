"""The joint choice of stops, seats and routes by trying all ways: pupils anywhere, routes in any order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations, product


def partitions(stops: Sequence[int]) -> Iterator[list[list[int]]]:
    """Every way to share stops out among routes."""
    if not stops:
        yield []
        return
    first, rest = stops[0], stops[1:]
    for parts in partitions(rest):
        yield [[first], *parts]
        for at in range(len(parts)):
            yield [*parts[:at], [first, *parts[at]], *parts[at + 1 :]]


def round_trip(drive: Sequence[Sequence[int]], stops: Sequence[int]) -> int:
    """The cheapest way from the school (place 0) through the stops (places from 1 on) and back."""
    ways = ([0, *(1 + stop for stop in order), 0] for order in permutations(stops))
    return min(sum(drive[one][other] for one, other in pairwise(way)) for way in ways)


def best(drive: Sequence[Sequence[int]], reach: Sequence[Sequence[bool]], seats: int, n_coaches: int) -> int | None:
    """The least cost; None when not everybody can be carried."""
    options = [[stop for stop, is_near in enumerate(near) if is_near] for near in reach]
    loads = {tuple(sorted(Counter(sent).items())) for sent in product(*options)}
    found = [
        sum(round_trip(drive, part) for part in parts)
        for load in loads
        for parts in partitions(sorted(dict(load)))
        if len(parts) <= n_coaches and all(sum(dict(load)[stop] for stop in part) <= seats for part in parts)
    ]
    return min(found, default=None)
