"""Frame: what every command shares: exit codes, consoles, settings, progress, errors as one sentence."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cache

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mobigo.settings import Settings
from mobigo.texts import all_texts, error_sentence, text
from socle.errors import MobigoError

out = Console()
err = Console(stderr=True)


class ExitCode(IntEnum):
    """What a command tells the shell; those from 64 on are those of BSD's sysexits.h."""

    OK = 0
    NO = 1  # the answer is no: no journey, errors in the feed, not ready
    UNKNOWN_PLACE = 2
    NO_NETWORK = 3
    USAGE = 64
    BAD_DATA = 65
    UNAVAILABLE = 69
    CANNOT_WRITE = 73
    INTERRUPTED = 130


_CODE_OF_ERROR = {
    "outside_timetable": ExitCode.NO,
    "no_service_on_days": ExitCode.NO,
    "no_network": ExitCode.NO_NETWORK,
    "no_timetable": ExitCode.NO_NETWORK,
    "no_streets": ExitCode.NO_NETWORK,
    "streets_of_other_version": ExitCode.NO_NETWORK,
    "timetable_of_other_version": ExitCode.NO_NETWORK,
    "release_damaged": ExitCode.NO_NETWORK,
    "bad_day": ExitCode.USAGE,
    "bad_server": ExitCode.USAGE,
    "already_running": ExitCode.UNAVAILABLE,
    "port_taken": ExitCode.UNAVAILABLE,
    "seat_taken": ExitCode.UNAVAILABLE,
    "seat_taken_by_worker": ExitCode.UNAVAILABLE,
    "database_busy": ExitCode.UNAVAILABLE,
    "database_silent": ExitCode.UNAVAILABLE,
    "server_silent": ExitCode.UNAVAILABLE,
    "server_busy": ExitCode.UNAVAILABLE,
    "unknown_stop": ExitCode.UNKNOWN_PLACE,
    "bad_coordinates": ExitCode.UNKNOWN_PLACE,
    "disk_full": ExitCode.CANNOT_WRITE,
    "cannot_write": ExitCode.CANNOT_WRITE,
}


@cache
def settings() -> Settings:
    """The settings of this run, read once; one that cannot be is said, and ends the program."""
    try:
        return Settings()
    except ValidationError as refusal:
        # Never the value: it may be a password in the wrong place.
        wrong = sorted({str(each["loc"][0]) for each in refusal.errors() if each["loc"]})
        meanings = {name: field.description or "" for name, field in Settings.model_fields.items()}
        for name in wrong:
            say_error(text("errors.bad_setting", name=f"MOBIGO_{name.upper()}", meaning=meanings.get(name, "")))
        raise SystemExit(ExitCode.USAGE) from None


def say_json(value: object) -> None:
    """Print `value` as JSON on standard output, and nothing else."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say_error(sentence: str) -> None:
    """Print one sentence on standard error."""
    err.print(f"[bold red]{text('cli.error')}[/] ", end="")
    err.print(sentence, markup=False, highlight=False, soft_wrap=True)


def say_warning(sentence: str) -> None:
    """Print one sentence on standard error that stops nothing."""
    err.print(f"[yellow]{text('cli.warning')}[/] ", end="")
    err.print(sentence, markup=False, highlight=False, soft_wrap=True)


def say_failure(error: MobigoError) -> ExitCode:
    """Print what happened and what to do; the exit code that goes with it."""
    known = f"errors.{error.code}" in all_texts()
    say_error(error_sentence(error) if known else str(error))
    return exit_code_of(error)


def exit_code_of(error: MobigoError) -> ExitCode:
    """The exit code that goes with an error."""
    return _CODE_OF_ERROR.get(str(error.facts.get("server_code") or error.code), ExitCode.BAD_DATA)


def say_os_failure(error: OSError) -> ExitCode:
    """Print what the operating system refused; the exit code that goes with it."""
    where = error.filename or str(settings().data_dir.absolute())
    # NumPy says of a short write only how many bytes were asked and written, without a number.
    if error.errno in {errno.ENOSPC, errno.EDQUOT} or (error.errno is None and "written" in str(error)):
        say_error(text("errors.disk_full", path=where))
    elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        say_error(text("errors.cannot_write", path=where))
    elif error.errno == errno.ENOENT:
        say_error(text("errors.no_such_file", path=where))
        return ExitCode.BAD_DATA
    else:
        say_error(text("errors.system", reason=error.strerror or str(error), path=where))
    return ExitCode.CANNOT_WRITE


@contextmanager
def progress(title: str, n_steps: int) -> Iterator[Progress]:
    """A progress bar on standard error over `n_steps` steps, its first task begun."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        bar.add_task(title, total=n_steps)
        yield bar
