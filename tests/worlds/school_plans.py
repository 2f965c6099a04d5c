"""School plans of small drawn sectors, and edits drawn for them."""

from __future__ import annotations

import random
from functools import cache

from fleet.search import Budget
from scolaire.edits import kinds
from scolaire.generator import draw_sector
from scolaire.plans import SchoolPlan
from scolaire.pupils import Level
from scolaire.runs import make_morning, plan_morning, school_plan
from scolaire.ways import places_of, straight_matrix
from socle.geo import distance_m


@cache
def drawn_plan(seed: int = 3, n_pupils: int = 160, *, mixed: bool = True, steps: int = 200) -> SchoolPlan:
    """The plan of a drawn sector."""
    sector = draw_sector(seed, n_pupils=n_pupils)
    morning = make_morning(sector, straight_matrix(places_of(sector)), 0, mixed=mixed)
    return school_plan(morning, plan_morning(morning.problem, Budget(steps=steps), 1), 1, "un secteur")


def drawn_edit(plan: SchoolPlan, dice: random.Random, number: int) -> kinds.Edit:
    """Any edit that names what is there; it may be one that is refused."""
    rider, stop, run = dice.choice(plan.riders), dice.choice(plan.stops), dice.choice(plan.runs)
    other = dice.choice([each for each in plan.runs if each.period == run.period])
    school, place = dice.choice(plan.schools), dice.randrange(len(run.halts))
    beside = dice.choice(sorted(plan.stops, key=lambda each: distance_m(each.position, stop.position))[1:6])
    waits = [one.stop for one in rider.waits or () if one.stop is not None]
    own = plan.stops[waits[0]] if waits else stop
    other_stop = dice.choice(sorted(plan.stops, key=lambda each: distance_m(each.position, own.position))[:6])
    near = stop.position.lat + dice.uniform(-0.01, 0.01), stop.position.lon + dice.uniform(-0.01, 0.01)
    order = list(range(len(run.halts)))
    one, two = dice.randrange(len(order)), dice.randrange(len(order))
    order[one], order[two] = order[two], order[one]
    bell = None if school.bell_am_s is None else school.bell_am_s + 300 * dice.randrange(-2, 3)
    return dice.choice(
        (
            kinds.MovePupil(rider.pupil_id, other_stop.stop_id),
            kinds.MovePupil(rider.pupil_id, stop.stop_id, run_id=run.run_id),
            kinds.AddPupil(f"new-{number}", school.school_id, stop.stop_id, Level.NURSERY, days=1),
            kinds.RemovePupil(rider.pupil_id),
            kinds.AddStop(f"stop-{number}", "Nouvel arrêt", *near),
            kinds.MoveStop(stop.stop_id, *near),
            kinds.CloseStop(stop.stop_id, dice.choice((None, beside.stop_id))),
            kinds.ReorderHalts(run.run_id, tuple(order)),
            kinds.MoveHalt(run.run_id, place, other.run_id),
            kinds.SplitRun(run.run_id, place),
            kinds.MergeRuns(run.run_id, other.run_id),
            kinds.ChangeVehicle(run.circuit_id, dice.choice(plan.vehicle_types).type_id),
            kinds.MoveBell(school.school_id, bell),
            kinds.LockCircuit(run.circuit_id, dice.random() < 0.3),
            kinds.ForbidRoad(stop.stop_id, school.school_id),
        )
    )
