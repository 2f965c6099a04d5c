"""The choice of stops by trying every way of sending each pupil to a stop or to none."""

from collections import Counter
from collections.abc import Sequence
from itertools import product

Best = tuple[int, int, int]
"""Pupils left out, open stops, metres walked."""


def best(
    walk_m: Sequence[Sequence[int]],
    apart_m: Sequence[Sequence[int]],
    is_usable: Sequence[bool],
    walk_max_m: int,
    min_pupils: int,
    spacing_m: int,
) -> Best:
    """The least of all."""
    n_stops = len(is_usable)
    options = [
        [None, *(stop for stop in range(n_stops) if is_usable[stop] and metres[stop] <= walk_max_m)]
        for metres in walk_m
    ]
    found: list[Best] = []
    for sent in product(*options):
        counts = Counter(stop for stop in sent if stop is not None)
        if any(n < min_pupils for n in counts.values()):
            continue
        if any(apart_m[one][other] < spacing_m for one in counts for other in counts if one < other):
            continue
        walked = sum(walk_m[pupil][stop] for pupil, stop in enumerate(sent) if stop is not None)
        found.append((sent.count(None), len(counts), walked))
    return min(found)
