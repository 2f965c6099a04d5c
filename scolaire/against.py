"""Against: what a plan forgets or has otherwise than the files of its sector, from the definitions alone."""

from __future__ import annotations

from scolaire.checking import Broken, Rule
from scolaire.plans import Direction, SchoolPlan
from scolaire.pupils import Regime, Sector, StopStatus


def broken_against(plan: SchoolPlan, sector: Sector) -> tuple[Broken, ...]:
    """What a plan forgets or has otherwise than the files of its sector."""
    riders = {rider.pupil_id: rider for rider in plan.riders}
    named = {left.pupil_id for left in plan.not_served if left.period is None}
    status = {stop.stop_id: stop.status for stop in sector.stops}
    noons = {school.school_id: school.noon for school in sector.schools}
    found = [
        Broken(Rule.STOP_NOT_VALIDATED, run.run_id, at, subject=plan.stops[halt.stop].stop_id)
        for run in plan.runs
        for at, halt in enumerate(run.halts)
        if halt.stop is not None
        and status.get(plan.stops[halt.stop].stop_id) not in (None, StopStatus.VALIDATED)
        and plan.stops[halt.stop].status is StopStatus.VALIDATED
    ]
    for index, home in sector.plannable:
        pupil = sector.pupils[index]
        rider = riders.get(pupil.pupil_id)
        if rider is None:
            if pupil.pupil_id not in named:
                found.append(Broken(Rule.FORGOTTEN, pupil_id=pupil.pupil_id))
            continue
        school = plan.schools[rider.school].school_id
        if (school, rider.level, rider.wheelchair) != (pupil.school_id, pupil.level, pupil.wheelchair):
            found.append(Broken(Rule.RIDER_DIFFERS, pupil_id=pupil.pupil_id, subject=school))
        if rider.waits is None or pupil.regime is Regime.BOARDER:
            continue
        planned = 0
        for period in plan.periods:
            planned |= period.days
        noon = noons.get(pupil.school_id)
        for direction in Direction:
            days, travels = 0, pupil.homes[home].days
            if direction in (Direction.NOON_FROM_SCHOOL, Direction.NOON_TO_SCHOOL):
                eats_out = noon is not None and (
                    (pupil.regime is Regime.HALF_BOARD and noon.canteen_stop_id != "")
                    or (pupil.regime is Regime.DAY and noon.is_home)
                )
                travels &= noon.days if noon is not None and eats_out else 0
            for one in rider.waits:
                days |= one.days if one.direction is direction else 0
            if travels & planned & ~days:
                found.append(Broken(Rule.FORGOTTEN, pupil_id=pupil.pupil_id, subject=direction))
    return tuple(found)
