"""Regions: the week of many sectors planned in pieces, each by a process or a machine of its own.

The first pass plans the morning of most pupils in pieces cut between schools, the second the same routes in pieces cut
along other lines, so that what lay along a border lies inside. The third has the pieces of the second and plans all
other periods, each piece with the coaches that it has. A budget in seconds is that of the whole region on the wall,
shared out by pupils among as many pieces at once as there are workers; one in steps is that of each piece in each pass
and gives the same plan on every engine. Until the first pass is over, the plan so far leaves out whose piece has none
yet; during the third, who travels in a period that is not planned yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from fleet.search import Budget
from mobigo.cluster import Engine, Piece, map_pieces
from mobigo.cluster.process import n_cores
from scolaire.outings import periods_of, waits_of
from scolaire.pieces import Circuit, Found, Sight, Task, joined, plan_piece
from scolaire.plans import Direction, NotServed, Period, SchoolPlan
from scolaire.pupils import Sector
from scolaire.sectors import PIECE_PUPILS, first_pieces, merged, next_pieces
from socle.errors import BadInput

KEEP_EVERY_S: Final = 10.0
"""How often the plan so far is made for whoever keeps it."""

_LEADING: Final = 0.5  # of the seconds, for the first period, as in a sector
_FIRST: Final = 0.6  # of those, for the first pass: the second one begins with a plan
_WHOLE_WEEK: Final = tuple(range(7))


_Begun = tuple[Sector, tuple[Circuit, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a region: a budget in seconds, or in steps of each piece in each pass.

    `is_morning`: nothing but the morning of most pupils.
    """

    mixed: bool
    seed: int
    seconds: float | None = None
    steps: int | None = None
    n_pupils: int = PIECE_PUPILS  # of a piece, at most about
    search_clock: Callable[[], float] = time.perf_counter  # of each piece, whose seconds are measured by it
    weekdays: tuple[int, ...] = _WHOLE_WEEK
    is_morning: bool = False

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.steps is None):
            raise ValueError("a budget is seconds or steps")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the work is; what is not known yet of a piece is not counted."""

    n_pieces: int
    n_known: int  # pieces of this pass that have a plan
    nth_pass: int
    n_passes: int
    n_coaches: int
    n_unserved: int
    share_done: float


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of a region, and what the checker found broken in its pieces."""

    plan: SchoolPlan
    n_broken: int
    n_pieces: tuple[int, ...]  # by pass
    n_coaches: tuple[int, ...]  # likewise


def plan_region(
    sectors: Sequence[Sector],
    asked: Asked,
    title: str,
    engine: Engine,
    *,
    n_workers: int | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_plan: Callable[[SchoolPlan], None] | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Planned:
    """The plan of all sectors together; `on_plan` is handed the plan so far now and then.

    Raises:
        BadInput: `sector_without_vehicles`, `region_id_twice`.
        PieceFailed: names a piece that could not be planned.
    """
    region = merged(sectors)
    if not region.vehicle_types:
        raise BadInput("sector_without_vehicles")
    periods = periods_of(waits_of(region), asked.weekdays) or (Period("matin", 1, Direction.TO_SCHOOL),)
    periods = periods[:1] if asked.is_morning else periods
    run = _Run(region, periods, asked, title, engine, n_workers, on_progress, on_plan, is_stopped, clock)
    pieces: list[_Begun] = [(piece, ()) for piece in first_pieces(region, asked.n_pupils)]
    passes = run.passes(len(pieces))
    n_pieces, n_coaches, found = [], [], list[Found]()
    for nth, one in enumerate(passes, start=1):
        if one is _Pass.ALONG_OTHER_LINES:
            circuits = [circuit for each in found for circuit in each.circuits]
            pieces = list(next_pieces(region, circuits, 1, asked.n_pupils))
        elif one is _Pass.OTHER_PERIODS:
            pieces = [(piece, each.circuits) for (piece, _), each in zip(pieces, found, strict=True)]
        found = run.take_pass(nth, passes, pieces)
        n_pieces.append(len(pieces))
        n_coaches.append(sum(each.n_coaches for each in found))
    plan = joined([each.plan for each in found if each.plan is not None], region, title)
    return Planned(plan, sum(each.n_broken for each in found), tuple(n_pieces), tuple(n_coaches))


class _Pass(Enum):
    """What one pass over all pieces does."""

    BETWEEN_SCHOOLS = "between_schools"
    ALONG_OTHER_LINES = "along_other_lines"
    OTHER_PERIODS = "other_periods"


class _Run:
    """What all passes share."""

    def __init__(
        self,
        region: Sector,
        periods: tuple[Period, ...],
        asked: Asked,
        title: str,
        engine: Engine,
        n_workers: int | None,
        on_progress: Callable[[Progress], None],
        on_plan: Callable[[SchoolPlan], None] | None,
        is_stopped: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._region, self._periods, self._asked, self._title = region, periods, asked, title
        self._engine, self._n_workers = engine, n_workers
        self._on_progress, self._on_plan, self._is_stopped = on_progress, on_plan, is_stopped
        self._clock = clock
        self._kept_at: float | None = None
        self._plans: list[SchoolPlan | None] = []  # of the pieces of the pass before

    def passes(self, n_pieces: int) -> tuple[_Pass, ...]:
        """One piece has no borders, and one period no others."""
        again = (_Pass.ALONG_OTHER_LINES,) if n_pieces > 1 else ()
        rest = (_Pass.OTHER_PERIODS,) if len(self._periods) > 1 else ()
        return (_Pass.BETWEEN_SCHOOLS, *again, *rest)

    def take_pass(self, nth: int, passes: Sequence[_Pass], pieces: Sequence[_Begun]) -> list[Found]:
        """Plan every piece, the largest first so that none is waited for at the end; in their order."""
        asked, kind = self._asked, passes[nth - 1]
        is_rest = kind is _Pass.OTHER_PERIODS
        is_last = nth == len(passes) or passes[nth] is _Pass.OTHER_PERIODS
        n_pupils = [len(sector.pupils) for sector, _ in pieces]
        n_at_once = 1 if self._engine is Engine.SERIAL else min(self._n_workers or n_cores(), len(pieces))
        share = _share(kind, passes)
        order = sorted(range(len(pieces)), key=lambda index: (-n_pupils[index], index))
        budgets = [
            Budget(steps=asked.steps)
            if asked.seconds is None
            else Budget(
                seconds=asked.seconds * share * n_at_once * max(1, n) / max(1, sum(n_pupils)), clock=asked.search_clock
            )
            for n in n_pupils
        ]
        tasks = [
            Piece(
                f"{self._title}, {nth}.{index + 1}",
                Task(
                    sector=pieces[index][0],
                    periods=self._periods,
                    mixed=asked.mixed,
                    seed=asked.seed + 1_000 * nth + index,
                    budget=budgets[index],
                    circuits=pieces[index][1],
                    is_last=is_last,
                    keep_every_s=None if self._on_plan is None or nth > 1 else KEEP_EVERY_S,
                    is_rest=is_rest,
                ),
            )
            for index in order
        ]
        sights: dict[int, Sight] = {}
        ended: set[int] = set()
        # of each piece; in the third pass each has one from the second
        plans = {at: plan for at, index in enumerate(order) if is_rest and (plan := self._plans[index])}
        has_new = False  # since the plan so far was handed over
        is_whole = kind is not _Pass.ALONG_OTHER_LINES  # half of that pass would count routes of the first one twice

        def told(at: int, sight: Sight) -> None:
            nonlocal has_new
            if sight.plan is not None:
                plans[at], has_new = sight.plan, True
            sights[at] = replace(sight, plan=None)
            self._say(nth, len(passes), budgets, order, sights, ended)
            look()

        def look() -> bool:
            nonlocal has_new
            if is_whole and has_new and (self._kept_at is None or self._clock() - self._kept_at >= KEEP_EVERY_S):
                has_new = False
                self._keep(tasks, plans)
            return self._is_stopped()

        def done(at: int, found: Found) -> None:
            nonlocal has_new
            ended.add(at)
            if found.plan is not None:
                plans[at], has_new = found.plan, True
            sights[at] = Sight(found.n_coaches, found.n_not_served, 0.0, None)
            self._say(nth, len(passes), budgets, order, sights, ended)

        found = map_pieces(
            plan_piece,
            tasks,
            self._engine,
            n_workers=self._n_workers,
            on_told=told,
            on_ended=done,
            is_stopped=look,
        )
        self._keep(tasks, plans)
        place = {index: at for at, index in enumerate(order)}
        self._plans = [plans.get(place[index]) for index in range(len(pieces))]
        return [found[place[index]] for index in range(len(pieces))]

    def _say(
        self,
        nth: int,
        n_passes: int,
        budgets: Sequence[Budget],
        order: Sequence[int],
        sights: dict[int, Sight],
        ended: set[int],
    ) -> None:
        spent = total = 0.0
        for at, index in enumerate(order):
            seconds = budgets[index].seconds or 1.0
            total += seconds
            so_far = sights[at].seconds if at in sights and self._asked.seconds is not None else 0.0
            spent += seconds if at in ended else min(so_far, seconds)
        self._on_progress(
            Progress(
                n_pieces=len(order),
                n_known=len(sights),
                nth_pass=nth,
                n_passes=n_passes,
                n_coaches=sum(each.n_coaches for each in sights.values()),
                n_unserved=sum(each.n_unserved for each in sights.values()),
                share_done=spent / total,
            )
        )

    def _keep(self, tasks: Sequence[Piece[Task]], plans: dict[int, SchoolPlan]) -> None:
        """Hand over what there is; who lives in a piece without a plan is not served yet."""
        if self._on_plan is None or not plans:
            return
        self._kept_at = self._clock()
        whole = joined([plans[at] for at in sorted(plans)], self._region, self._title)
        left = [
            NotServed(pupil.pupil_id, "not_planned_yet", 0)
            for at, task in enumerate(tasks)
            if at not in plans
            for pupil in task.given.sector.pupils
        ]
        self._on_plan(replace(whole, not_served=(*whole.not_served, *left)))


def _share(kind: _Pass, passes: Sequence[_Pass]) -> float:
    """Of the seconds, what one pass takes."""
    leading = _LEADING if _Pass.OTHER_PERIODS in passes else 1.0
    if kind is _Pass.OTHER_PERIODS:
        return 1.0 - leading
    if _Pass.ALONG_OTHER_LINES not in passes:
        return leading
    return leading * (_FIRST if kind is _Pass.BETWEEN_SCHOOLS else 1 - _FIRST)
