"""Fifo: splits runs over the same stops into patterns in which none overtakes another.

The boarding search takes the first run that leaves in time; it is the best one only where a run
that leaves first is also first everywhere after (Delling, Pajor, Werneck 2012, section 2).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def assign_lanes(
    group_first: NDArray[np.int64],
    group_length: NDArray[np.int64],
    run_first: NDArray[np.int64],
    arrival: NDArray[np.int32],
    departure: NDArray[np.int32],
    lane: NDArray[np.int32],
) -> int:
    """Give each run the first lane of its group whose last run it nowhere overtakes.

    Runs of group `g` are `group_first[g]:group_first[g + 1]`, by first departure, each of
    `group_length[g]` stops; run `r` has its times from `run_first[r]` on. Writes lanes numbered
    from 0 within each group, returns the greatest number of lanes of a group.
    """
    most = 0
    last = np.empty(len(lane), np.int64)
    for g in range(len(group_length)):
        length = group_length[g]
        n_lanes = 0
        for r in range(group_first[g], group_first[g + 1]):
            chosen = -1
            for one in range(n_lanes):
                before, mine = run_first[last[one]], run_first[r]
                follows = True
                for i in range(length):
                    if arrival[mine + i] < arrival[before + i] or departure[mine + i] < departure[before + i]:
                        follows = False
                        break
                if follows:
                    chosen = one
                    break
            if chosen < 0:
                chosen = n_lanes
                n_lanes += 1
            last[chosen] = r
            lane[r] = chosen
        most = max(most, n_lanes)
    return most
