"""`mobigo scolaire bench`: our optimiser on published instances, beside what others published for them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, err, out, progress, say_json
from mobigo.texts import text

if TYPE_CHECKING:
    from scolaire.joint.schittekat import JointComparison
    from scolaire.sbrp import Comparison

app = typer.Typer(help=text("cli.school_bench.help"), no_args_is_help=True)


@app.command(help=text("cli.school_bench.sbrp_help"))
def sbrp(
    folder: Annotated[Path, typer.Argument(help=text("cli.school_bench.dir_help"), metavar="DIR")],
    budget_s: Annotated[
        float, typer.Option("--budget", min=0.1, help=text("cli.school_bench.budget_help"), metavar="SECONDS")
    ] = 45.0,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help=text("cli.school_bench.seed_help"), metavar="N")
    ] = None,
    asked: Annotated[
        list[str] | None, typer.Option("--case", help=text("cli.school_bench.case_help"), metavar="NAME:RIDE_S")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan the cases of a folder, each with each seed; exit code 1 when a plan breaks a rule."""
    from fleet.search import Budget, Incumbent
    from scolaire.sbrp import SETTINGS, choose_cases, compare, list_cases, warm_up

    cases = choose_cases(list_cases(folder), asked or [])
    chosen_seeds = seeds or [1, 2]
    budget = Budget(seconds=budget_s, clock=time.thread_time)
    warm_up()
    told: list[Comparison] = []
    with progress(text("cli.school_bench.under_way"), len(cases) * len(chosen_seeds)) as bar:
        for case in cases:

            def show(seed: int, incumbent: Incumbent, label: str = case.label) -> None:
                found = text(
                    "cli.school_bench.incumbent",
                    case=label,
                    seed=seed,
                    n=incumbent.n_vehicles,
                    left=incumbent.n_unserved,
                    seconds=_number(incumbent.seconds, 1),
                )
                bar.update(bar.task_ids[0], description=found)

            told.append(compare(case, budget, chosen_seeds, show, done=lambda: bar.advance(bar.task_ids[0])))
    if as_json:
        say_json([each.as_dict() for each in told])
    else:
        _say_table(told, chosen_seeds)
        err.print(
            text(
                "cli.school_bench.settings",
                budget=_number(budget_s),
                removed=SETTINGS.mean_removed,
                string=SETTINGS.longest_string,
                runs=_number(SETTINGS.share_of_runs),
                routes=_number(SETTINGS.share_of_routes),
                blink=_number(SETTINGS.blink),
                round=SETTINGS.round_steps,
            ),
            highlight=False,
        )
    raise typer.Exit(ExitCode.NO if any(each.n_broken for each in told) else ExitCode.OK)


@app.command(help=text("cli.school_bench.stops_help"))
def stops(
    folder: Annotated[Path, typer.Argument(help=text("cli.school_bench.stops_dir_help"), metavar="DIR")],
    budget_s: Annotated[
        float, typer.Option("--budget", min=0.1, help=text("cli.school_bench.budget_help"), metavar="SECONDS")
    ] = 20.0,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help=text("cli.school_bench.seed_help"), metavar="N")
    ] = None,
    asked: Annotated[
        list[str] | None, typer.Option("--case", help=text("cli.school_bench.stops_case_help"), metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose stops and routes of the instances of a folder; exit code 1 when a plan breaks a rule."""
    from fleet.search import Budget
    from scolaire.joint.schittekat import compare_joint, list_joint_cases, warm_up

    cases = list_joint_cases(folder, asked or [])
    chosen_seeds = seeds or [1, 2]
    budget = Budget(seconds=budget_s, clock=time.thread_time)
    warm_up()
    told: list[JointComparison] = []
    with progress(text("cli.school_bench.under_way"), len(cases) * len(chosen_seeds)) as bar:
        for case in cases:
            bar.update(bar.task_ids[0], description=case.name)
            told.append(compare_joint(case, budget, chosen_seeds, done=lambda: bar.advance(bar.task_ids[0])))
    if as_json:
        say_json([each.as_dict() for each in told])
    else:
        _say_joint_table(told, chosen_seeds)
    raise typer.Exit(ExitCode.NO if any(any(each.n_broken_by_seed) for each in told) else ExitCode.OK)


def _say_joint_table(told: list[JointComparison], seeds: list[int]) -> None:
    """One row for each instance."""
    table = Table(title=text("cli.school_bench.stops_title"), title_justify="left")
    for name in ("case", "stops", "pupils", "cp_sat"):
        table.add_column(text(f"cli.school_bench.column.{name}"), justify="left" if name == "case" else "right")
    for seed in seeds:
        table.add_column(text("cli.school_bench.column.ours", seed=seed), justify="right")
    table.add_column(text("cli.school_bench.column.proved"))
    for each in told:
        table.add_row(
            each.case.name,
            str(each.n_stops),
            str(each.n_pupils),
            "" if each.case.peer is None else _number(each.case.peer, 2),
            *(
                text("cli.school_bench.broken", n=_number(cost, 2), broken=broken) if broken else _number(cost, 2)
                for cost, broken in zip(each.costs, each.n_broken_by_seed, strict=True)
            ),
            text("cli.school_bench.is_proved") if any(each.is_proved) else "",
        )
    out.print(table)


def _say_table(told: list[Comparison], seeds: list[int]) -> None:
    """One row for each case; the last sums those that have a published number."""
    table = Table(title=text("cli.school_bench.title"), title_justify="left")
    columns = ("case", "stops", "bound", "bird")
    for name in columns:
        table.add_column(text(f"cli.school_bench.column.{name}"), justify="left" if name == "case" else "right")
    for seed in seeds:
        table.add_column(text("cli.school_bench.column.ours", seed=seed), justify="right")
    table.add_column(text("cli.school_bench.column.after"), justify="right")
    for each in told:
        after = [text("cli.school_bench.never") if s is None else _seconds(s) for s in each.anchor_after_s]
        bird = "" if each.anchor is None else str(each.anchor)
        table.add_row(
            each.case.label,
            str(each.n_stops),
            str(each.bound),
            bird,
            *(_buses(n, broken) for n, broken in zip(each.n_buses, each.n_broken_by_seed, strict=True)),
            " · ".join(after) if each.anchor is not None else "",
        )
    known = [each for each in told if each.anchor is not None]
    if known:
        anchor = sum(each.anchor or 0 for each in known)
        sums = [sum(each.n_buses[at] for each in known) for at in range(len(seeds))]
        less = " · ".join(text("cli.school_bench.less", percent=_number(100 * (1 - n / anchor), 2)) for n in sums)
        table.add_section()
        table.add_row(text("cli.school_bench.sum"), "", "", str(anchor), *map(str, sums), less)
    out.print(table)


def _buses(n_buses: int, n_broken: int) -> str:
    return text("cli.school_bench.broken", n=n_buses, broken=n_broken) if n_broken else str(n_buses)


def _seconds(seconds: float) -> str:
    return text("cli.school_bench.seconds", seconds=_number(seconds, 2))


def _number(value: float, digits: int | None = None) -> str:
    """As French writes it."""
    return (f"{value:g}" if digits is None else f"{value:.{digits}f}").replace(".", ",")
