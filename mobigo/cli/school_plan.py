"""`mobigo scolaire optimise`, `bound`, `check`: the week of a sector or of a region, and plans judged.

The plan so far is on disk while the search goes on, always whole: a run that is killed leaves it there.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.table import Table

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, out, progress, say_json, settings
from mobigo.cli.school_papers import PlanFile, open_plan
from mobigo.cluster import Engine
from mobigo.texts import text
from socle.errors import BadInput

if TYPE_CHECKING:
    from scolaire.bellrounds import Point
    from scolaire.checking import Broken
    from scolaire.periods import Asked
    from scolaire.plans import SchoolPlan
    from scolaire.pupils import Sector

Folder = Annotated[
    Path, typer.Option("--dir", help=text("cli.school_plan.dir_help"), metavar="DIR", exists=True, file_okay=False)
]
Mixed = Annotated[bool, typer.Option("--mixed/--single", help=text("cli.school_plan.mixed_help"))]
Streets = Annotated[bool | None, typer.Option("--streets/--straight", help=text("cli.school_plan.streets_help"))]
_MOST_TOLD = 20
_LEAST_EFFORT = 0.2  # of CP-SAT for each choice of bells, in its deterministic seconds


def optimise(
    to: Annotated[Path, typer.Option("--out", help=text("cli.school_plan.out_help"), metavar="PLAN")],
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=text("cli.school_plan.dir_help"), metavar="DIR", exists=True, file_okay=False),
    ] = None,
    region: Annotated[
        Path | None,
        typer.Option("--region", help=text("cli.school_plan.region_help"), metavar="DIR", exists=True, file_okay=False),
    ] = None,
    budget_s: Annotated[
        float, typer.Option("--budget", min=0.1, help=text("cli.school_plan.budget_help"), metavar="SECONDS")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help=text("cli.school_plan.seed_help"))] = 1,
    mixed: Mixed = True,
    days: Annotated[
        list[int] | None, typer.Option("--day", min=1, max=7, help=text("cli.school_plan.day_help"))
    ] = None,
    streets: Streets = None,
    before: Annotated[
        Path | None,
        typer.Option("--from", help=text("cli.school_plan.from_help"), metavar="PLAN", exists=True, dir_okay=False),
    ] = None,
    steady: Annotated[bool, typer.Option("--steady", help=text("cli.school_plan.steady_help"))] = False,
    shares: Annotated[
        list[str] | None, typer.Option("--share", help=text("cli.school_plan.share_help"), metavar="LOT=PERCENT")
    ] = None,
    bells_min: Annotated[
        int, typer.Option("--bells", min=0, max=60, help=text("cli.school_plan.bells_help"), metavar="MINUTES")
    ] = 0,
    engine: Annotated[Engine, typer.Option(help=text("cli.school_plan.engine_help"))] = Engine.PROCESSES,
    workers: Annotated[
        int | None, typer.Option(min=1, max=10_000, help=text("cli.school_plan.workers_help"), metavar="N")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a plan; exit code 1 when somebody is not served or the checker finds a broken rule."""
    from mobigo.services.scolaire.planning import keep_plan
    from scolaire.periods import Asked

    if (folder is None) == (region is None):
        raise BadInput("one_of_two", one="--dir", other="--region")
    weekdays = tuple(sorted({day - 1 for day in days})) if days else tuple(range(7))
    if folder is not None:
        sector = _read(folder)
        asked = Asked(
            seed=seed,
            mixed=mixed,
            seconds=budget_s,
            clock=time.perf_counter,
            weekdays=weekdays,
            shares=_shares(shares or [], sector),
            steady=steady,
        )
        reference = None if before is None else open_plan(before)
        how = _How(reference, streets, 60 * bells_min)
        plan, n_broken, front = _sector(sector, folder.resolve().name, to, asked, how)
    else:
        of_region = _Asked(budget_s, seed, mixed, weekdays, engine, workers)
        plan, n_broken = _region(region or Path(), to, of_region)
        front = ()
    keep_plan(plan, to)
    n_not_served = len({each.pupil_id for each in plan.not_served})
    facts = {"buses": len(plan.circuits), "left": n_not_served, "bound": plan.making.bound or 0, "broken": n_broken}
    if as_json:
        say_json({**facts, "bells": [asdict(point) for point in front]})
    else:
        _say_front(front)
        out.print(text("cli.school_plan.done", **facts, path=str(to)), highlight=False)
    raise typer.Exit(ExitCode.NO if n_broken or n_not_served else ExitCode.OK)


def _say_front(front: tuple[Point, ...]) -> None:
    """Coaches against minutes and schools moved."""
    if not front:
        return
    table = Table()
    for column in ("coaches", "minutes", "schools_moved", "fewest", "how"):
        table.add_column(text(f"cli.school_plan.column_{column}"))
    for point in front:
        how = "planned" if point.is_planned else "as_they_are"
        fewest = str(point.fewest) if point.fewest else ""
        row = (str(point.n_coaches), str(point.minutes), str(point.n_schools), fewest)
        table.add_row(*row, text(f"cli.school_plan.{how}"))
    out.print(table)


class _How(NamedTuple):
    reference: SchoolPlan | None
    streets: bool | None
    bells_s: int


def _sector(sector: Sector, title: str, to: Path, asked: Asked, how: _How) -> tuple[SchoolPlan, int, tuple[Point, ...]]:
    from mobigo.services.scolaire.planning import keep_plan, matrix_for
    from scolaire.bellrounds import plan_with_bells
    from scolaire.bells import EFFORT
    from scolaire.checking import broken_promises
    from scolaire.periods import Sight, plan_week
    from scolaire.ways import Ways, places_of

    places = places_of(sector)
    matrix, named = matrix_for(places, settings().data_dir, streets=how.streets)
    begun = time.perf_counter()
    with progress(text("cli.school_plan.under_way"), round(asked.seconds or 0)) as bar:

        def show(sight: Sight) -> bool:
            facts = {"n": sight.incumbent.n_vehicles, "left": sight.incumbent.n_unserved}
            told = text("cli.school_plan.incumbent", period=sight.period.period_id, **facts)
            bar.update(bar.task_ids[0], completed=time.perf_counter() - begun, description=told)
            return False

        def keep(so_far: SchoolPlan) -> None:
            keep_plan(so_far, to)

        told: dict[str, Any] = {"ways_named": named, "reference": how.reference, "on_better": show, "on_plan": keep}
        front: tuple[Point, ...] = ()
        if how.bells_s:
            effort = min(EFFORT, max(_LEAST_EFFORT, (asked.seconds or 0) / 4))
            rung = plan_with_bells(sector, matrix, asked, title, how.bells_s, effort=effort, **told)
            plan, front = rung.plan, rung.front
        else:
            plan = plan_week(sector, matrix, asked, title, **told)
    return plan, len(broken_promises(plan, Ways(places, matrix))), front


def _read(folder: Path) -> Sector:
    from mobigo.services.scolaire.importing import read_folder
    from scolaire.reading import read_sector

    return read_sector(read_folder(folder))[0]


def _shares(given: list[str], sector: Sector) -> dict[str, float]:
    lots = {kind.lot for kind in sector.vehicle_types}
    found = {}
    for one in given:
        lot, _, percent = one.rpartition("=")
        if lot not in lots or not percent.isdecimal() or not 0 <= int(percent) <= 100:
            raise BadInput("lot_share_unreadable", given=one, lots=", ".join(sorted(lots)))
        found[lot] = int(percent) / 100
    return found


class _Asked(NamedTuple):
    budget_s: float
    seed: int
    mixed: bool
    weekdays: tuple[int, ...]
    engine: Engine
    n_workers: int | None


def _region(folder: Path, to: Path, asked: _Asked) -> tuple[SchoolPlan, int]:
    from mobigo.services.scolaire import regions
    from mobigo.services.scolaire.planning import keep_plan

    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    if not folders:
        raise BadInput("no_sectors", folder=str(folder))
    sectors: list[Sector] = []
    with progress(text("cli.scolaire.reading", what=folder.name), len(folders)) as bar:
        for path in folders:
            sectors.append(_read(path))
            bar.advance(bar.task_ids[0])
    with progress(text("cli.school_plan.under_way"), 100) as bar:

        def show(now: regions.Progress) -> None:
            facts = {"n": now.n_coaches, "left": now.n_unserved, "known": now.n_known, "pieces": now.n_pieces}
            told = text("cli.school_plan.pieces", nth=now.nth_pass, **facts)
            done = 100 * (now.nth_pass - 1 + now.share_done) / now.n_passes
            bar.update(bar.task_ids[0], completed=done, description=told)

        planned = regions.plan_region(
            sectors,
            regions.Asked(asked.mixed, asked.seed, seconds=asked.budget_s, weekdays=asked.weekdays),
            folder.resolve().name,
            asked.engine,
            n_workers=asked.n_workers,
            on_progress=show,
            on_plan=lambda plan: keep_plan(plan, to),
        )
    return planned.plan, planned.n_broken


def bound(folder: Folder, mixed: Mixed = True, streets: Streets = None, as_json: AsJson = False) -> None:
    """Say below which number of coaches no plan comes, period by period."""
    from fleet.bounds import fewest_vehicles
    from mobigo.services.scolaire.planning import matrix_for
    from scolaire.outings import make_outing, periods_of, waits_of
    from scolaire.ways import places_of

    sector = _read(folder)
    matrix, _ = matrix_for(places_of(sector), settings().data_dir, streets=streets)
    waits = waits_of(sector)
    found = {
        period.period_id: fewest_vehicles(make_outing(sector, matrix, period, waits, mixed=mixed).problem)
        for period in periods_of(waits)
    }
    if as_json:
        say_json({"fewest": max(found.values(), default=0), "periods": found})
        return
    table = Table()
    for column in ("period", "fewest"):
        table.add_column(text(f"cli.school_plan.column_{column}"))
    for period_id, fewest in found.items():
        table.add_row(period_id, str(fewest))
    out.print(table)
    out.print(text("cli.school_plan.bound", n=max(found.values(), default=0)), highlight=False)


def check(
    plan_file: PlanFile,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=text("cli.school_plan.check_dir_help"), metavar="DIR", exists=True, file_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say every promise that a plan breaks; exit code 1 when there is one."""
    from mobigo.services.scolaire.planning import ways_of
    from scolaire.against import broken_against
    from scolaire.checking import broken_promises
    from scolaire.planfiles import read_plan

    plan = read_plan(plan_file.read_bytes())
    broken = broken_promises(plan, ways_of(plan, settings().data_dir))
    if folder is not None:
        broken += broken_against(plan, _read(folder))
    if as_json:
        say_json({"broken": [_fields(one) for one in broken], "not_served": len(plan.not_served)})
    else:
        _say(broken)
    raise typer.Exit(ExitCode.NO if broken else ExitCode.OK)


def compare(
    before: PlanFile,
    after: Annotated[
        Path, typer.Argument(help=text("cli.school_papers.plan_help"), metavar="PLAN", exists=True, dir_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Say what changes from one plan to another."""
    from scolaire.compare import compare as compared

    found = compared(open_plan(before), open_plan(after))
    pair = {
        name: (getattr(found.before, name), getattr(found.after, name))
        for name in ("n_vehicles", "week_cents", "week_m", "ride_mean_s", "ride_p95_s", "n_not_served")
    } | {"week_co2_g": found.week_co2_g}
    if as_json:
        changes = [
            {
                "pupil_id": one.pupil_id,
                "direction": one.direction,
                "day": one.day + 1,
                "before": None if one.before is None else asdict(one.before),
                "after": None if one.after is None else asdict(one.after),
            }
            for one in found.changes
        ]
        schools = {school: asdict(one) for school, one in found.by_school.items()}
        say_json({"plans": pair, "pupils": asdict(found.all), "schools": schools, "changes": changes})
        return
    table = Table()
    for column in ("what", "before", "after"):
        table.add_column(text(f"cli.school_plan.column_{column}"))
    for name, (was, now) in pair.items():
        table.add_row(text(f"cli.school_plan.measure.{name}"), _figure(name, was), _figure(name, now))
    out.print(table)
    table = Table()
    names = ("n_pupils", "n_other_stop", "n_earlier", "n_later", "n_other_coach", "n_no_more", "n_newly", "n_felt")
    for column in ("school", *names):
        table.add_column(text(f"cli.school_plan.column_{column}"))
    rows = {**found.by_school, text("cli.school_plan.everybody"): found.all}
    for school, one in rows.items():
        table.add_row(school, *(str(getattr(one, name)) for name in names))
    out.print(table)


def _figure(name: str, value: int) -> str:
    """A measure as people read it: euros, kilometres, minutes, kilograms."""
    if name.endswith("_cents"):
        return f"{value / 100:.2f}"
    if name.endswith(("_m", "_g")):
        return f"{value / 1_000:.1f}"
    return f"{value / 60:.1f}" if name.endswith("_s") else str(value)


def _fields(one: Broken) -> dict[str, object]:
    names = ("rule", "run_id", "halt", "pupil_id", "period_id", "subject", "found", "limit")
    told = {name: getattr(one, name) for name in names}
    return {**{name: value for name, value in told.items() if value is not None}, "sentence": _sentence(one)}


def _sentence(one: Broken) -> str:
    return text(f"scolaire.broken.{one.rule}")


def _say(broken: tuple[Broken, ...]) -> None:
    if broken:
        table = Table()
        for column in ("rule", "where", "by"):
            table.add_column(text(f"cli.school_plan.column_{column}"))
        for one in broken[:_MOST_TOLD]:
            where = [one.run_id, None if one.halt is None else f"n° {one.halt + 1}", one.subject, one.pupil_id]
            by = "" if one.found is None else f"{one.found}" if one.limit is None else f"{one.found} / {one.limit}"
            table.add_row(_sentence(one), ", ".join(part for part in (*where, one.period_id) if part), by)
        out.print(table)
        if len(broken) > _MOST_TOLD:
            for rule, n in Counter(one.rule for one in broken).most_common():
                out.print(f"{n} : {text(f'scolaire.broken.{rule}')}", highlight=False)
    out.print(text("cli.school_plan.checked", n=len(broken)), highlight=False)
