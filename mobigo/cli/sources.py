"""Sources: from what is typed after `mobigo feed import`, and what `sources.toml` declares, to the files to read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobigo.cli.frame import settings
from mobigo.outbound import download
from mobigo.texts import text
from socle.errors import BadInput

if TYPE_CHECKING:
    from mobigo.services.network.importing import SourceFile
    from mobigo.services.network.sources import DeclaredSource

_BARE_NAMES = {"gtfs", "export", "feed"}


def list_files(arguments: Sequence[str], folder: Path) -> list[SourceFile]:
    """The files of what was typed: paths, `ID=PATH`, or ids of declared sources; every declared one when nothing was.

    What is declared with a web address is fetched into `folder`.

    Raises:
        BadInput: `nothing_declared`, `bad_sources_file`, or an address that gives nothing.
        Unavailable: a server does not answer.
    """
    from mobigo.services.network.sources import read_sources

    path = settings().sources_file
    declared = read_sources(path)
    wanted = list(arguments) or [source.id for source in declared.values() if not source.is_demo]
    if not wanted:
        raise BadInput("nothing_declared", path=str(path))
    return [
        _declared_file(declared[each], path.parent, folder)
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


def _declared_file(source: DeclaredSource, home: Path, folder: Path) -> SourceFile:
    from mobigo.cli.frame import progress
    from mobigo.services.network.importing import SourceFile

    if source.is_demo:
        raise BadInput("demo_source", source_id=source.id)
    place = home / source.address
    if "://" in source.address:
        place = folder / f"{source.id}.zip"
        with progress(text("cli.step.receive", what=source.name), 1):
            download(source.address, place)
    return declare(SourceFile(source.id, place))
