"""Draft: a plan while it is changed. Riders are taken out of runs and put into others; runs are timed anew."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from heapq import nsmallest
from typing import Final

from scolaire.edits.room import Place, Room
from scolaire.plans import Direction, Halt, NotServed, Rider, Run, SchoolPlan, Waiting, ride_max_of
from scolaire.pupils import Level, StopStatus
from scolaire.timing import position_of, timed
from scolaire.ways import Ways
from socle.errors import BadInput, Conflict, NotFound
from socle.geo import LatLon

TRIED_OF_A_RUN: Final = 3  # places of one run that are tried for who is put in: those with the least driving
TRIED: Final = 16  # places of all runs together: the next ones are detours that nobody would drive
_FAR: Final = 1 << 30
"""The halts that riders get on and off at, -1 for one of their own, and before what now stands where these are put."""


class Draft:
    """A plan under change: `plan` holds everything but its runs, which are in `runs`; None is a run given up."""

    def __init__(self, plan: SchoolPlan, ways: Ways) -> None:
        self.plan = plan
        self.ways = ways
        self.runs: list[Run | None] = list(plan.runs)
        self.touched: set[int] = set()  # riders
        self._drives: dict[LatLon, dict[LatLon, tuple[int, int]]] = {}  # from a place, and to it
        self._rooms: dict[tuple[int, int], dict[int, tuple[Run, Room]]] = {}  # by stop and school, of runs as they were
        self._stale: set[int] = set()  # runs whose times are those of before
        self._not_served = list(plan.not_served)

    def finish(self) -> SchoolPlan:
        """The plan as it now is."""
        for index in sorted(self._stale):
            run = self.runs[index]
            if run is not None:
                self.runs[index] = timed(self.plan, run, self.ways).run
        self._stale.clear()
        runs = tuple(run for run in self.runs if run is not None)
        return replace(self.plan, runs=runs, not_served=tuple(self._not_served))

    # --- what is named ------------------------------------------------------------------------

    def run(self, run_id: str) -> int:
        """The place of a run that may be changed."""
        for index, run in enumerate(self.runs):
            if run is not None and run.run_id == run_id:
                return self.unlocked(index)
        raise NotFound("no_school_run", run=run_id)

    def unlocked(self, index: int) -> int:
        """The run, unless it is locked."""
        run = self.at(index)
        if run.is_locked:
            raise Conflict("school_circuit_locked", circuit=run.circuit_id)
        return index

    def at(self, index: int) -> Run:
        """A run that is there."""
        run = self.runs[index]
        if run is None:
            raise AssertionError("a run that was given up is asked for no more")
        return run

    def stop(self, stop_id: str) -> int:
        """The place of a stop."""
        return _find([stop.stop_id for stop in self.plan.stops], stop_id, "no_school_stop")

    def open_stop(self, stop_id: str) -> int:
        """The place of a stop that coaches may use."""
        stop = self.stop(stop_id)
        if self.plan.stops[stop].status is not StopStatus.VALIDATED:
            raise Conflict("school_stop_not_validated", stop=stop_id)
        return stop

    def school(self, school_id: str) -> int:
        """The place of a school."""
        return _find([school.school_id for school in self.plan.schools], school_id, "no_school")

    def vehicle_type(self, type_id: str) -> int:
        """The place of a type of vehicle."""
        return _find([kind.type_id for kind in self.plan.vehicle_types], type_id, "no_vehicle_type")

    def period(self, period_id: str) -> int:
        """The place of a period."""
        return _find([period.period_id for period in self.plan.periods], period_id, "no_school_period")

    def rider(self, pupil_id: str) -> int:
        """The place of a pupil."""
        return _find([rider.pupil_id for rider in self.plan.riders], pupil_id, "no_school_pupil")

    def runs_of(self, period: int) -> Iterator[tuple[int, Run]]:
        """The runs of a period and their places."""
        return ((index, run) for index, run in enumerate(self.runs) if run is not None and run.period == period)

    # --- runs ---------------------------------------------------------------------------------

    def put(self, index: int, halts: Sequence[Halt]) -> None:
        """Other halts of a run; without any it is given up."""
        kept = tuple(halt for halt in halts if halt.up or halt.down)
        run = self.at(index)
        self.runs[index] = replace(run, halts=kept, has_attendant=self._needs_attendant(kept)) if kept else None
        self._stale.add(index)

    def replace_run(self, index: int, run: Run) -> None:
        """Another run in the place of one."""
        self.runs[index] = run
        self._stale.add(index)

    def add(self, run: Run) -> int:
        """A new run; its place."""
        self.runs.append(run)
        self._stale.add(len(self.runs) - 1)
        return len(self.runs) - 1

    def free_circuit(self) -> str:
        """The first id that no circuit has."""
        taken = {run.circuit_id for run in self.runs if run is not None}
        number = 1
        while f"C{number:03d}" in taken:
            number += 1
        return f"C{number:03d}"

    def _needs_attendant(self, halts: Sequence[Halt]) -> bool:
        riders = self.plan.riders
        return any(riders[rider].level is Level.NURSERY for halt in halts for rider in halt.up)

    # --- riders -------------------------------------------------------------------------------

    def take_out(self, riders: Collection[int], period: int | None = None, index: int | None = None) -> None:
        """Riders get on and off no more: in one run, one period, or all of them."""
        gone = set(riders)
        self.touched |= gone
        for at, run in enumerate(self.runs):
            if run is None or (period is not None and run.period != period) or (index is not None and at != index):
                continue
            if not any(not gone.isdisjoint(halt.up) for halt in run.halts):
                continue
            self.unlocked(at)
            self.put(
                at,
                [
                    replace(halt, up=_without(halt.up, gone), down=_without(halt.down, gone))
                    if not (gone.isdisjoint(halt.up) and gone.isdisjoint(halt.down))
                    else halt
                    for halt in run.halts
                ],
            )

    def put_in(
        self, riders: Sequence[int], stop: int, period: int, into: int | None = None, *, anyhow: bool = False
    ) -> bool:
        """Riders of one school who wait at one stop get on and off in the best run, or in `into`.

        `anyhow`: into the best place even when it breaks a rule. Answers whether somebody carries them.
        """
        self.touched.update(riders)
        school = self.plan.riders[riders[0]].school
        rooms: list[tuple[int, int, Room]] = []
        if not anyhow and self._is_too_far(stop, school, period):
            return False
        known = self._rooms.setdefault((stop, school), {})
        for index, _ in list(self.runs_of(period)):
            run = self._fresh(index)
            if run.is_locked or (into is not None and index != into):
                continue
            if into is None and not self._may_carry(run, school):
                continue
            if index not in known or known[index][0] is not run:
                known[index] = run, self._room(run, stop, school)
            room = known[index][1]
            rooms.append((room.least_s, index, room))
        places: list[tuple[int, int, Place]] = []
        for least_s, index, room in sorted(rooms, key=lambda one: one[:2]):
            if len(places) == TRIED and least_s > places[-1][0]:
                break  # nor has any run after it a place among the first
            found = nsmallest(TRIED_OF_A_RUN, room.places())
            places = sorted([*places, *((detour, index, place) for detour, place in found)])[:TRIED]
        for _, index, place in places:
            if self._try(index, self._with(self.at(index), place, riders, stop, school)):
                return True
        if anyhow and places:
            _, index, place = places[0]
            self.put(index, self._with(self.at(index), place, riders, stop, school))
            return True
        return False

    def put_in_parts(self, riders: Sequence[int], stop: int, period: int) -> list[int]:
        """Put riders into as few runs as halving them comes to; who is left when somebody alone finds no place."""
        if self.put_in(riders, stop, period):
            return []
        if len(riders) == 1:
            return list(riders)
        half = (len(riders) + 1) // 2
        left = self.put_in_parts(riders[:half], stop, period)
        if left:
            return left + list(riders[half:])
        return self.put_in_parts(riders[half:], stop, period)

    def _fresh(self, index: int) -> Run:
        """A run with times of now."""
        run = self.at(index)
        if index in self._stale:
            run = timed(self.plan, run, self.ways).run
            self.runs[index] = run
            self._stale.discard(index)
        return run

    def _is_too_far(self, stop: int, school: int, period: int) -> bool:
        """Whether the ride limit could not be kept by a coach that drives from the one straight to the other."""
        ends = self.plan.stops[stop].position, self.plan.schools[school].position
        if not self.plan.periods[period].direction.is_to_school:
            ends = ends[1], ends[0]
        return self._drive_s(*ends) > ride_max_of(self.plan.schools[school], self.plan.periods[period])

    def _may_carry(self, run: Run, school: int) -> bool:
        """Whether pupils of this school may be aboard with those of a run."""
        if self.plan.making.mixed:
            return True
        group = self.plan.schools[school].group
        others = {halt.school for halt in run.halts if halt.school is not None}
        return others == {school} or all(group and self.plan.schools[other].group == group for other in others)

    def _room(self, run: Run, stop: int, school: int) -> Room:
        """Where in a run riders of a stop and a school may get on and off."""
        ends = self.plan.stops[stop].position, self.plan.schools[school].position
        onto = [at for at, halt in enumerate(run.halts) if halt.stop == stop]
        off = [at for at, halt in enumerate(run.halts) if halt.school == school]
        if not self.plan.periods[run.period].direction.is_to_school:
            ends, onto, off = (ends[1], ends[0]), off, onto
        depot = self.plan.vehicle_types[run.vehicle_type].depot
        places = [depot, *(position_of(self.plan, halt) for halt in run.halts), depot]
        direct = [*(halt.drive_s for halt in run.halts), run.home_s]
        between = self._drive_s(*ends)
        (to_first, from_first), (to_last, from_last) = (self._between(places, end) for end in ends)
        gaps = range(len(direct))
        return Room(
            ahead=[to_first[at] + from_first[at + 1] - direct[at] for at in gaps],
            behind=[to_last[at] + from_last[at + 1] - direct[at] for at in gaps],
            both=[to_first[at] + between + from_last[at + 1] - direct[at] for at in gaps],
            onto=onto,
            off=off,
        )

    def _with(self, run: Run, place: Place, riders: Sequence[int], stop: int, school: int) -> list[Halt]:
        """The halts of a run with riders in a place of it."""
        who = tuple(riders)
        to_school = self.plan.periods[run.period].direction.is_to_school
        first = Halt(0, 0, 0, 0, stop=stop, up=who) if to_school else Halt(0, 0, 0, 0, school=school, up=who)
        last = Halt(0, 0, 0, 0, school=school, down=who) if to_school else Halt(0, 0, 0, 0, stop=stop, down=who)
        begin, end, before_first, before_last = place
        found = list(run.halts)
        if end >= 0:
            found[end] = replace(found[end], down=found[end].down + last.down)
        if begin >= 0:
            found[begin] = replace(found[begin], up=found[begin].up + first.up)
        if end < 0:
            found.insert(before_last, last)
        if begin < 0:
            found.insert(before_first, first)
        return found

    def _between(self, places: Sequence[LatLon], end: LatLon) -> tuple[list[int], list[int]]:
        """Seconds from each of some places to one, and from that one to each of them."""
        known = self._drives.setdefault(end, {})
        found = []
        for place in places:
            both = known.get(place)
            if both is None:
                both = known[place] = self._drive_s(place, end), self._drive_s(end, place)
            found.append(both)
        return [to for to, _ in found], [onward for _, onward in found]

    def _drive_s(self, origin: LatLon, target: LatLon) -> int:
        way = self.ways.find(origin, target)
        return _FAR if way is None else way[0]

    def _try(self, index: int, halts: Sequence[Halt]) -> bool:
        """Put halts into a run when this keeps every rule."""
        run = replace(self.at(index), halts=tuple(halts), has_attendant=self._needs_attendant(halts))
        kind = self.plan.vehicle_types[run.vehicle_type]
        if max(run.loads) > kind.seats + kind.wheelchair_places or not self._has_places(run):
            return False
        found = timed(self.plan, run, self.ways)
        if not found.is_kept or not self._is_free(index, found.run):
            return False
        self.runs[index] = found.run
        self._stale.discard(index)
        return True

    def _has_places(self, run: Run) -> bool:
        kind, riders = self.plan.vehicle_types[run.vehicle_type], self.plan.riders
        seated = wheelchairs = 0
        for halt in run.halts:
            in_chairs = (
                sum(riders[rider].wheelchair for rider in halt.up),
                sum(riders[rider].wheelchair for rider in halt.down),
            )
            wheelchairs += in_chairs[0] - in_chairs[1]
            seated += len(halt.up) - in_chairs[0] - len(halt.down) + in_chairs[1]
            if seated > kind.seats or wheelchairs > kind.wheelchair_places:
                return False
        return True

    def _is_free(self, index: int, run: Run) -> bool:
        """Whether the coach of a run is nowhere else meanwhile."""
        days = self.plan.periods[run.period].days
        return not any(
            other is not None
            and at != index
            and other.circuit_id == run.circuit_id
            and self.plan.periods[other.period].days & days
            and other.begins_s < run.ends_s
            and run.begins_s < other.ends_s
            for at, other in enumerate(self.runs)
        )

    # --- riders: what is written about them ---------------------------------------------------

    def tell(self, rider: int, told: Rider) -> None:
        """Something else is true of a rider."""
        riders = list(self.plan.riders)
        riders[rider] = told
        self.plan = replace(self.plan, riders=tuple(riders))

    def waits(self, riders: Collection[int], period: int, stop: int) -> None:
        """Riders wait at a stop on the days of a period; where nothing was written, nothing is."""
        told = self.plan.periods[period]
        changed = list(self.plan.riders)
        for rider in riders:
            before = changed[rider].waits
            if before is None:
                continue
            after: list[Waiting] = []
            for one in before:
                here = one.days & told.days if one.direction is told.direction else 0
                if one.days & ~here:
                    after.append(replace(one, days=one.days & ~here))
                if here:
                    after.append(replace(one, days=here, stop=stop))
            changed[rider] = replace(changed[rider], waits=_gathered(after))
        self.plan = replace(self.plan, riders=tuple(changed))

    def eats_at_canteen(self, rider: int, period: int) -> bool:
        """Whether a rider is driven to the canteen or back in a period, wherever home is."""
        noon = self.plan.schools[self.plan.riders[rider].school].noon
        told = self.plan.periods[period]
        if noon is None or not told.direction.is_noon:
            return False
        awaited = {one.stop for one in self.plan.riders[rider].waits_in(told) if one.stop is not None}
        return any(self.plan.stops[stop].stop_id == noon.canteen_stop_id for stop in awaited)

    def name(self, rider: int, period: int, why: str | None) -> None:
        """A rider is not served in a period, or is (`why` None)."""
        pupil_id = self.plan.riders[rider].pupil_id
        kept: list[NotServed] = []
        for left in self._not_served:
            if left.pupil_id != pupil_id:
                kept.append(left)
            elif left.period is None:  # named for all of them: now for each one
                others = (each for each in range(len(self.plan.periods)) if each != period)
                kept += [replace(left, period=each) for each in others]
            elif left.period != period:
                kept.append(left)
        if why is not None:
            kept.append(NotServed(pupil_id, why, period))
        self._not_served = kept

    def forget(self, pupil_id: str) -> None:
        """Nothing is said any more of a pupil not being served."""
        self._not_served = [left for left in self._not_served if left.pupil_id != pupil_id]


def _find(ids: Sequence[str], wanted: str, code: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise NotFound(code, id=wanted) from None


def _without(riders: tuple[int, ...], gone: set[int]) -> tuple[int, ...]:
    return tuple(rider for rider in riders if rider not in gone)


def _gathered(waits: Sequence[Waiting]) -> tuple[Waiting, ...]:
    """Days of one direction and one stop as one."""
    days: dict[tuple[Direction, int | None], int] = {}
    for one in waits:
        days[one.direction, one.stop] = days.get((one.direction, one.stop), 0) | one.days
    return tuple(Waiting(direction, bits, stop) for (direction, stop), bits in days.items())


def refused(code: str, **facts: int | str) -> BadInput:
    """What cannot be done at all."""
    return BadInput(code, **facts)
