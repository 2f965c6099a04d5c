"""Sources: from what is typed after `mobigo feed import`, and what `sources.toml` declares, to the files to read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mobigo.cli.frame import progress, say_warning, settings
from mobigo.texts import error_sentence, text
from socle.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from mobigo.services.network.importing import SourceFile
    from mobigo.services.network.sources import DeclaredSource

_BARE_NAMES = {"gtfs", "export", "feed"}


def list_files(arguments: Sequence[str]) -> list[SourceFile]:
    """The files of what was typed: paths, `ID=PATH`, or ids of declared sources; every declared one when nothing was.

    What is declared with a web address is fetched; where its server does not answer, what it gave last is taken.

    Raises:
        BadInput: `nothing_declared`, `bad_sources_file`, or an address that gives nothing.
        Unavailable: a server does not answer, and never did.
    """
    from mobigo.services.network.sources import read_sources

    path = settings().sources_file
    declared = read_sources(path)
    wanted = list(arguments) or [source.id for source in declared.values() if not source.is_demo]
    if not wanted:
        raise BadInput("nothing_declared", path=str(path))
    return [
        declare(_declared_file(declared[each]))
        if each in declared and not Path(each).exists()
        else declare(source_file(each))
        for each in wanted
    ]


def declare(source: SourceFile) -> SourceFile:
    """The file with what is declared of its source, where something is."""
    from mobigo.services.network.sources import read_sources

    told = read_sources(settings().sources_file).get(source.source_id)
    if told is None:
        return source
    return replace(
        source,
        licence=source.licence or told.licence,
        name=told.name,
        namespaces=told.namespaces,
        priority=told.priority,
    )


def source_file(argument: str) -> SourceFile:
    """The source named by `ID=PATH`, or by the file: its name, or its folder's when it is just gtfs.zip."""
    from mobigo.services.network.importing import SourceFile

    source_id, equals, path = argument.partition("=")
    if equals and not Path(argument).exists():
        return SourceFile(source_id, Path(path))
    place = Path(argument)
    name = place.name if place.is_dir() else place.stem
    if name.lower() in _BARE_NAMES:
        name = place.absolute().parent.name
    without_accents = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", without_accents.lower()).strip("-")
    return SourceFile(plain or "feed", place)


def _declared_file(source: DeclaredSource) -> SourceFile:
    from mobigo.services.network.fetching import fetch_source, find_fetched
    from mobigo.services.network.importing import SourceFile

    data_dir = settings().data_dir
    with progress(text("cli.step.receive", what=source.name), 1):
        try:
            return SourceFile(source.id, fetch_source(source, data_dir, datetime.now(UTC)).path)
        except Unavailable as silence:
            kept = find_fetched(source, data_dir)
            if kept is None:
                raise
            told = error_sentence(silence)
    say_warning(f"{told} {text('cli.feed.kept_is_taken', name=source.name)}")
    return SourceFile(source.id, kept)
