"""The search handed its arrays: warm kernels, answers of any length."""

from __future__ import annotations

import numpy as np

from routing.journeys.router import plan
from routing.kernels import arrays, fifo, polish, raptor
from routing.network.days import days_of
from routing.network.search import Scratch, run_search, warm_kernels
from tests.worlds.questions import random_query
from tests.worlds.timetables import DAY, random_world, timetable


def test_warm_kernels_are_all_that_a_query_needs():
    warm_kernels()
    kernels = (raptor.search, polish.polish, fifo.assign_lanes)
    known = [len(kernel.signatures) for kernel in kernels]
    for seed in range(30):
        world = random_world(seed)
        plan(world, random_query(world, seed, n_vias=seed % 3))
    assert [len(kernel.signatures) for kernel in kernels] == known


def test_an_answer_longer_than_the_buffers_makes_them_grow():
    rows = "\n".join(f"    12    {7 + i // 60:02d}:{i % 60:02d}  {8 + i // 60:02d}:{i % 60:02d}" for i in range(300))
    world = timetable(f"    line  Gare   Halle\n{rows}")
    day, scratch = days_of(world).get(DAY), Scratch()
    ends = [np.array([[spot, 0]], np.int32) for spot in (day.stop_first_spot[0], day.stop_first_spot[1])]
    ends = [np.array([[day.stop_spots[int(end[0, 0])], 0]], np.int32) for end in ends]
    found = run_search(day.forward, scratch, *ends, 6 * 3600, 8 * 3600, 86_400, arrays.NEVER, 15, 0)
    assert found == 300
    assert len(scratch.room.journeys) >= 300
    assert scratch.room.journeys[:found, 0].tolist() == sorted(scratch.room.journeys[:found, 0].tolist(), reverse=True)
