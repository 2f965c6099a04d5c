"""`mobigo jobs`: do work that was put off, show it, wake what was given up."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from mobigo.cli.audit import who_commands
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, err, out, say_json, settings
from mobigo.texts import kind_words, text
from socle.errors import Unavailable
from socle.times import PARIS

if TYPE_CHECKING:
    from mobigo.store.jobs import Job

app = typer.Typer(help=text("cli.jobs.help"), no_args_is_help=True)

GRACE_S = 60  # for the job under way when the worker is told to stop
_STYLES = {"dead": "bold red", "running": "yellow"}

State = Literal["waiting", "running", "done", "dead"]


def _now() -> datetime:
    return datetime.now(UTC)


@app.command(help=text("cli.jobs.run_help"))
def run(
    once: Annotated[bool, typer.Option("--once", help=text("cli.jobs.once_help"))] = False,
) -> None:
    """Do jobs until interrupted; with `--once` those that are due, then end."""
    from mobigo.jobs.beside import make_worker
    from mobigo.jobs.handlers import Means
    from mobigo.jobs.worker import Hurry
    from mobigo.logs import write_logs
    from mobigo.outbound.letters import open_post
    from mobigo.security import open_keys
    from mobigo.services.covoiturage.registrar import read_registry
    from mobigo.store.base import migrate, open_engine
    from mobigo.store.writing import find_seat

    write_logs(settings().log_level, settings().log_format)
    keys = open_keys(settings().secret_key, settings().data_dir)
    engine = open_engine(settings().database_address())
    migrate(engine)
    seat = find_seat(engine)
    if seat is not None and not seat.try_to_take():
        raise Unavailable("seat_taken")
    chosen = settings()
    mail = (chosen.mail_url, chosen.mail_sender, chosen.letters_dir(), chosen.site_address())
    post = open_post(*mail, chosen.sms_url, chosen.sms_token)
    registry = read_registry(chosen.registry_url, chosen.registry_token, chosen.registry_siret)
    folders = (chosen.letters_dir(), chosen.data_dir)
    means = Means(engine, keys, post, _now, chosen.site_address(), *folders, registry)
    worker = make_worker(means)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        worker.stop()
        signal.signal(signal.SIGALRM, hurry)
        signal.alarm(GRACE_S)

    def hurry(_signal: int, _frame: FrameType | None) -> None:
        raise Hurry

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        if once:
            err.print(text("cli.jobs.done", n_jobs=worker.run_due()), highlight=False)
        else:
            worker.run()
    except Hurry:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    finally:
        signal.alarm(0)
        engine.dispose()
        if seat is not None:
            seat.leave()


@app.command("list", help=text("cli.jobs.list_help"))
def list_(
    state: Annotated[State | None, typer.Option(help=text("cli.jobs.states_help"))] = None,
    as_json: AsJson = False,
) -> None:
    """Print jobs with what became of them, the newest first; exit code 1 when some are given up."""
    from mobigo.services.jobs import overview
    from mobigo.store.base import open_engine
    from mobigo.store.jobs import JobState

    engine = open_engine(settings().database_address())
    found = overview(engine, [JobState(state)] if state else [])
    engine.dispose()
    if as_json:
        say_json({"counts": found.counts, "jobs": [_told(job) for job in found.jobs]})
    else:
        out.print(_table(found.jobs))
        counts = {each.value: n for each, n in found.counts.items()}
        out.print(text("cli.jobs.counts", **counts), highlight=False)
    raise typer.Exit(ExitCode.NO if found.counts[JobState.DEAD] else ExitCode.OK)


@app.command(help=text("cli.jobs.retry_help"))
def retry(job_ids: Annotated[list[int], typer.Argument(help=text("cli.jobs.ids_help"), metavar="ID…")]) -> None:
    """Have jobs that were given up tried again."""
    from mobigo.services.jobs import retry as try_again
    from mobigo.store.base import open_engine

    engine = open_engine(settings().database_address())
    for job_id in job_ids:
        try_again(engine, job_id, who_commands(), _now())
    engine.dispose()
    err.print(text("cli.jobs.retried", n_jobs=len(job_ids)), highlight=False)


def _table(jobs: tuple[Job, ...]) -> Table:
    table = Table(title=text("cli.jobs.title"), title_justify="left")
    for column in ("id", "state", "kind", "due", "tries", "ended", "why"):
        table.add_column(text(f"cli.jobs.column_{column}"), overflow="fold")
    for job in jobs:
        style = _STYLES.get(job.state, "default")
        table.add_row(
            str(job.job_id),
            f"[{style}]{text(f'cli.jobs.state_{job.state}')}[/]",
            kind_words(job.kind),
            _local(job.due),
            str(len(job.tries)),
            _local(job.ended_at),
            job.tries[-1].why if job.tries else "",
        )
    return table


def _local(instant: datetime | None) -> str:
    return "" if instant is None else instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S")


def _told(job: Job) -> dict[str, object]:
    return {
        "id": job.job_id,
        "key": job.key,
        "kind": job.kind,
        "payload": dict(job.payload),
        "state": job.state,
        "due": job.due.isoformat(),
        "next_at": job.next_at.isoformat() if job.ended_at is None else None,
        "ended_at": job.ended_at and job.ended_at.isoformat(),
        "tries": [
            {
                "number": each.number,
                "worker": each.worker,
                "began_at": each.began_at.isoformat(),
                "ended_at": each.ended_at and each.ended_at.isoformat(),
                "outcome": each.outcome,
                "why": each.why,
            }
            for each in job.tries
        ],
    }
