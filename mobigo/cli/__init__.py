"""The command `mobigo`: a door to the same services as the API and the pages.

Each group of commands is a Typer application of its own file, put together here.
Heavy modules are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import typer

from mobigo import __version__
from mobigo.cli import (
    audit,
    carpool_books,
    covoiturage,
    demo,
    feed,
    jobs,
    journeys,
    ledger,
    lines,
    network,
    partners,
    people,
    registry,
    retention,
    school_bench,
    school_contracts,
    school_fill,
    school_papers,
    school_plan,
    school_studies,
    scolaire,
    simulate,
    streets,
    usage,
)
from mobigo.cli.doctor import doctor
from mobigo.cli.frame import ExitCode, out, say_error, say_failure, say_os_failure
from mobigo.cli.serve import serve
from mobigo.texts import text
from socle.errors import MobigoError

usage.speak_french()
app = typer.Typer(
    name="mobigo",
    help=text("cli.help"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:
    if asked:
        out.print(f"mobigo {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _mobigo(
    _version: bool = typer.Option(
        False, "--version", callback=_say_version, is_eager=True, help=text("cli.version_help")
    ),
) -> None:
    """Commands stand below."""


app.command(help=text("cli.serve.help"))(serve)
app.add_typer(demo.app, name="demo")
app.add_typer(feed.app, name="feed")
app.add_typer(network.app, name="network")
app.add_typer(streets.app, name="streets")
app.add_typer(jobs.app, name="jobs")
app.command("plan", help=text("cli.journeys.plan_help"))(journeys.plan)
app.command("board", help=text("cli.journeys.board_help"))(journeys.board)
app.command("place", help=text("cli.journeys.place_search_help"))(journeys.place)
app.add_typer(audit.app, name="audit")
app.add_typer(ledger.app, name="ledger")
app.add_typer(retention.app, name="retention")
covoiturage.app.command("simulate", help=text("cli.simulate.help"))(simulate.simulate)
covoiturage.app.command("verify", help=text("cli.ledger.verify_help"))(carpool_books.verify)
covoiturage.app.command("export", help=text("cli.covoiturage.export_help"))(carpool_books.export)
covoiturage.app.command("import", help=text("cli.covoiturage.import_help"))(partners.import_)
covoiturage.app.add_typer(lines.app, name="lines")
covoiturage.app.add_typer(registry.app, name="registry")
covoiturage.app.add_typer(partners.keys_app, name="keys")
covoiturage.app.add_typer(partners.partners_app, name="partners")
app.add_typer(covoiturage.app, name="covoiturage")
scolaire.app.command("optimise", help=text("cli.school_plan.help"))(school_plan.optimise)
scolaire.app.command("check", help=text("cli.school_plan.check_help"))(school_plan.check)
scolaire.app.command("compare", help=text("cli.school_plan.compare_help"))(school_plan.compare)
scolaire.app.command("bound", help=text("cli.school_plan.bound_help"))(school_plan.bound)
scolaire.app.command("roadbook", help=text("cli.school_papers.roadbook_help"))(school_papers.roadbook)
scolaire.app.command("papers", help=text("cli.school_papers.papers_help"))(school_papers.papers)
scolaire.app.command("export", help=text("cli.school_papers.export_help"))(school_papers.export)
scolaire.app.command("open-data", help=text("cli.school_papers.open_data_help"))(school_papers.open_data)
scolaire.app.command("fill", help=text("cli.school_fill.help"))(school_fill.fill)
scolaire.app.add_typer(school_contracts.app, name="contracts")
scolaire.app.add_typer(school_studies.app, name="studies")
scolaire.app.add_typer(school_bench.app, name="bench")
app.add_typer(scolaire.app, name="scolaire")
app.add_typer(people.app, name="people")
app.command(help=text("cli.doctor.help"))(doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code (see `ExitCode`)."""
    # What fails is told in a sentence; commands that stay write a log as well.
    logging.getLogger("mobigo").addHandler(logging.NullHandler())
    try:
        code = app(args=None if arguments is None else list(arguments), standalone_mode=False)
    except typer.TyperException as error:
        sentence = usage.find_sentence(error)
        if sentence:  # none when all that was asked is the help, which is printed
            say_error(sentence)
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except MobigoError as error:
        return say_failure(error)
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.OK
    except OSError as error:
        return say_os_failure(error)
    return int(code or 0)
