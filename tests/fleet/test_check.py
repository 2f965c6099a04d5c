"""The checker: nothing in a good plan, and each planted fault by its name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fleet.check import Broken, broken_promises
from fleet.requests import Depot, Destination, DropOff, PickUp, Plan, Problem, Request, Route, VehicleType

# One street: depot at 0, stops 1 and 2, school A at 3, school B at 4, stop 5; 100 s from each to the next.
STREET = np.abs(np.arange(6)[:, None] - np.arange(6)[None]).astype(np.int32) * 100
MORNING = Problem(
    requests=(
        Request(1, 0, (10,), service=30, max_ride=220),
        Request(2, 0, (5,), service=20, earliest=0, latest=5000, max_ride=150),
        Request(5, 1, (3,), service=10, max_ride=400),
    ),
    destinations=(Destination(3, 1000, 1300, 60, group=0), Destination(4, 1500, 1600, 60, group=1)),
    vehicle_types=(VehicleType((15,), 1, Depot(0), Depot(0), 0, 3000, 1800),),
    drive=STREET,
    cost=STREET[None],
)
GOOD = (PickUp(0, 880), PickUp(1, 1010), DropOff(0, 1130), PickUp(2, 1390), DropOff(1, 1500))


def plan_of(*visits, unserved=()):
    return Plan((Route(0, visits),), tuple(unserved))


def broken(plan, problem=MORNING):
    return {promise.broken for promise in broken_promises(problem, plan)}


def test_a_plan_worked_out_by_hand_breaks_nothing():
    assert broken_promises(MORNING, plan_of(*GOOD)) == ()


@pytest.mark.parametrize(
    ("fault", "plan"),
    [
        (Broken.UNKNOWN, plan_of(*GOOD, unserved=(9,))),
        (Broken.UNKNOWN, Plan((Route(3, GOOD),))),
        (Broken.UNKNOWN, plan_of(*GOOD[:4], DropOff(2, 1500))),
        (Broken.FORGOTTEN, plan_of(*GOOD[:3])),
        (Broken.SERVED_TWICE, plan_of(*GOOD, unserved=(2,))),
        (Broken.SERVED_TWICE, plan_of(*GOOD, PickUp(2, 1700), DropOff(1, 1900))),
        (Broken.TOO_MANY_VEHICLES, Plan((Route(0, GOOD[:3]), Route(0, GOOD[3:])))),
        (Broken.NEVER_DROPPED, plan_of(*GOOD[:4])),
        (Broken.NOBODY_TO_DROP, plan_of(*GOOD, DropOff(0, 1300))),
        (Broken.GROUPS_MIXED, plan_of(GOOD[0], GOOD[1], PickUp(2, 1400), DropOff(0, 1700), DropOff(1, 1900))),
        (Broken.DRIVES_TOO_FAST, plan_of(PickUp(0, 880), PickUp(1, 1009), *GOOD[2:])),
        (Broken.OUTSIDE_WINDOW, plan_of(*GOOD[:3], PickUp(2, 1389), DropOff(1, 1499))),
        (Broken.OUTSIDE_WINDOW, plan_of(*GOOD[:4], DropOff(1, 1601))),
        (Broken.RIDE_TOO_LONG, plan_of(PickUp(0, 880), PickUp(1, 1010), DropOff(0, 1181), *GOOD[3:])),
        (Broken.OUTSIDE_SHIFT, plan_of(PickUp(0, 99), *GOOD[1:])),
        (Broken.SHIFT_TOO_LONG, plan_of(PickUp(0, 250), *GOOD[1:])),
    ],
)
def test_each_planted_fault_is_named(fault, plan):
    assert fault in broken(plan)


def test_one_pupil_too_many_is_one_too_many():
    fuller = replace(MORNING, requests=(replace(MORNING.requests[0], load=(11,)), *MORNING.requests[1:]))
    assert broken(plan_of(*GOOD), fuller) == {Broken.TOO_FULL}


def test_where_there_is_no_way_nobody_drives():
    cut = STREET.copy()
    cut[3, 5] = 1 << 29
    assert broken(plan_of(*GOOD), replace(MORNING, drive=cut)) == {Broken.NO_WAY}


def test_one_group_for_both_schools_lets_them_share_the_vehicle():
    together = (GOOD[0], GOOD[1], DropOff(0, 1130), PickUp(2, 1390), DropOff(1, 1500))
    mixed = (PickUp(2, 1000), PickUp(0, 1500), DropOff(0, 1730), DropOff(1, 1890))
    one_group = tuple(replace(each, group=0, earliest=0, latest=9999) for each in MORNING.destinations)
    assert broken(plan_of(*together)) == set()
    all_day = (replace(MORNING.vehicle_types[0], max_duration=9999),)
    problem = replace(MORNING, destinations=one_group, vehicle_types=all_day)
    assert broken(plan_of(*mixed, unserved=(1,)), problem) == {Broken.RIDE_TOO_LONG}


def test_a_problem_that_makes_no_sense_cannot_be_made():
    with pytest.raises(ValueError, match="destination"):
        replace(MORNING, requests=(Request(1, 7, (1,)),))
    with pytest.raises(ValueError, match="kinds"):
        replace(MORNING, requests=(Request(1, 0, (1, 1)),))
    with pytest.raises(ValueError, match="row"):
        replace(MORNING, requests=(Request(17, 0, (1,)),))
    with pytest.raises(ValueError, match="opens"):
        Destination(1, 10, 9)
