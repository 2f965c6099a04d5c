"""One run: the morning of the sector of `sectors.sector_files`, typed by hand."""

from __future__ import annotations

from dataclasses import replace

from scolaire.plans import Direction, Halt, Making, NotServed, Period, Rider, Run, SchoolPlan
from scolaire.pupils import FULL_DAYS, Level, School, Stop, StopStatus, VehicleType
from scolaire.timing import timed
from scolaire.ways import Ways
from socle.geo import LatLon

SCHOOL = School("c1", "Collège de démonstration", LatLon(47.149, 6.345), 28_800, 61_200, 300, 900, Level.COLLEGE, 2_700)
STOPS = (
    Stop("s1", "Mairie", LatLon(47.161, 6.301), StopStatus.VALIDATED),
    Stop("s2", "Église", LatLon(47.171, 6.361), StopStatus.VALIDATED),
)
COACH = VehicleType("coach", 53, 0, 20_750, 120, 3_000, None, LatLon(47.15, 6.34), "A")


def morning_plan(*pupils: str, left: str | None = None) -> SchoolPlan:
    """One coach of one run: the first pupil waits at the town hall, the others at the church; `left` waits in vain."""
    riders = tuple(Rider(pupil, 0, Level.COLLEGE) for pupil in pupils)
    others = tuple(range(1, len(pupils)))
    halts = [Halt(0, 0, 0, 0, stop=0, up=(0,))]
    if others:
        halts.append(Halt(0, 0, 0, 0, stop=1, up=others))
    halts.append(Halt(0, 0, 0, 0, school=0, down=tuple(range(len(pupils)))))
    plan = SchoolPlan(
        "Essai",
        (SCHOOL,),
        STOPS,
        (COACH,),
        riders,
        (Period("morning", FULL_DAYS, Direction.TO_SCHOOL),),
        (Run("C001-M", "C001", 0, 0, tuple(halts), 0, 0),),
        () if left is None else (NotServed(left, "no_vehicle", 0),),
        Making(1, 10, True),
    )
    return replace(plan, runs=(timed(plan, plan.runs[0], Ways.straight(plan)).run,))
