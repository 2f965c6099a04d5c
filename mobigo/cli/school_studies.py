"""`mobigo scolaire studies`: the studies of a school year, one of them with its journal, and its head published."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from mobigo.cli.audit import who_commands
from mobigo.cli.covoiturage import opened_database
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import out, say_json
from mobigo.texts import text
from socle.times import PARIS

app = typer.Typer(help=text("cli.school_studies.help"), no_args_is_help=True)

Study = Annotated[str, typer.Argument(help=text("cli.school_studies.study_help"), metavar="STUDY")]
Day = Annotated[datetime, typer.Option("--from", help=text("cli.school_studies.from_help"), formats=["%Y-%m-%d"])]
Why = Annotated[str, typer.Option("--why", help=text("cli.school_studies.why_help"))]
_FIGURES = ("n_vehicles", "n_carried", "n_not_served", "n_broken")


@app.command("list", help=text("cli.school_studies.list_help"))
def list_(
    year: Annotated[int, typer.Argument(help=text("cli.school_studies.year_help"), metavar="YEAR")],
    as_json: AsJson = False,
) -> None:
    """The studies of the sectors of a school year."""
    from mobigo.services.scolaire.studying import list_year

    with opened_database() as (engine, _keys, now):
        sectors = list_year(engine, year, now.astimezone(PARIS).date())
    told: list[dict[str, Any]] = [
        {"study": study.study_id, "title": study.title, "version": study.head, "turn": study.turn}
        | {name: (one.heads[study.study_id].figures or {}).get(name) for name in _FIGURES}
        | {"published_from": [str(each.valid_from) for each in one.publications if each.study_id == study.study_id]}
        for one in sectors
        for study in one.studies
    ]
    if as_json:
        say_json(told)
        return
    for each in told:
        out.print(f"{each['study']} ({each['title']}), version {each['version']}", highlight=False)
        figures = [f"{text(f'cli.school_studies.column.{name}')} {each[name]}" for name in _FIGURES]
        out.print(f"  {', '.join(figures)}", highlight=False)
        for day in each["published_from"]:
            out.print(f"  {text('cli.school_studies.column.published_from')} {day}", highlight=False)


@app.command(help=text("cli.school_studies.show_help"))
def show(study: Study, as_json: AsJson = False) -> None:
    """The figures of the head of a study, and its last changes."""
    from mobigo.services.scolaire.studying import open_study

    with opened_database() as (engine, keys, _now):
        found = open_study(engine, keys, study)
    head = next(each for each in found.versions if each.number == found.study.head)
    if as_json:
        lines = [{"act": str(each.act), "version": each.version, "at": str(each.at)} for each in found.journal]
        say_json(
            {**asdict(found.study), "made_at": str(found.study.made_at), "figures": head.figures, "journal": lines}
        )
        return
    out.print(f"{found.study.title} ({study}, {found.sector.code}), version {head.number}", highlight=False)
    for name in _FIGURES:
        told = (head.figures or {}).get(name, "")
        out.print(f"{text(f'cli.school_studies.column.{name}')} : {told}", highlight=False)
    for each in found.journal:
        out.print(f"{each.at:%Y-%m-%d %H:%M} {text(f'web.scolaire.desk.act.{each.act}', version=each.version)}")


@app.command(help=text("cli.school_studies.publish_help"))
def publish(study: Study, valid_from: Day, why: Why) -> None:
    """Have the head of a study be the plan of its sector from a day on."""
    from mobigo.services.scolaire import studying

    with opened_database() as (engine, keys, now):
        turn = studying.get_head(engine, keys, study)[0].turn
        made = studying.publish(engine, keys, study, turn, valid_from.date(), who_commands(), why, now)
    day = str(made.valid_from)
    out.print(text("cli.school_studies.published", study=study, version=made.version, day=day), highlight=False)
