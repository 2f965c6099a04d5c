"""Sources: the feeds that an operator has declared, read from `sources.toml`.

A declared source has a lasting id, so that the ids of its stops and lines stay the
same from one delivery to the next, and says what its stop ids share with others;
what is not declared is seen from the ids and named after the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from routing.gtfs.identity.namespaces import Namespaces, StopSpace
from socle.errors import BadInput
from socle.ids import check_source_id

DEMO = "demo:"  # begins the address of what `mobigo demo` makes
_SHA256 = re.compile(r"[0-9a-f]{64}")
LAST = 99  # priority of what declares none


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """One table of the file. `address` is a web address, or the path of a file or folder.

    `sha256`, where it is declared, is what the body must have: for a source that must not change.
    """

    id: str
    name: str
    address: str
    licence: str = ""
    namespaces: Namespaces = field(default_factory=Namespaces)
    priority: int = LAST
    sha256: str = ""

    @property
    def is_web(self) -> bool:
        """Whether it is fetched from a server."""
        return "://" in self.address

    @property
    def is_demo(self) -> bool:
        """Whether `mobigo demo` makes it."""
        return self.address.startswith(DEMO)


def read_sources(path: Path) -> Mapping[str, DeclaredSource]:
    """The sources declared in `path`, by id; none when there is no such file.

    Raises:
        BadInput: `bad_sources_file` with what is wrong in it.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("source", [])
        sources = [_read_source(table, path.parent) for table in tables]
    except FileNotFoundError:
        return {}
    except KeyError as error:
        raise BadInput("bad_sources_file", path=str(path), reason=f"{error.args[0]} ?") from None
    except (ValueError, TypeError, AttributeError) as error:  # TOML that is none, a value of another kind
        raise BadInput("bad_sources_file", path=str(path), reason=str(error)) from None
    except BadInput as error:
        raise BadInput("bad_sources_file", path=str(path), reason=str(error.facts.get("source_id"))) from None
    by_id = {source.id: source for source in sources}
    if len(by_id) < len(sources):
        twice = next(source.id for source in sources if by_id[source.id] is not source)
        raise BadInput("duplicate_source", source_id=twice)
    return by_id


def _read_source(table: Mapping[str, object], home: Path) -> DeclaredSource:
    if table.get("format", "gtfs") != "gtfs":
        raise ValueError(f"format = {table['format']}")
    shared = table.get("namespaces", {})
    if not isinstance(shared, Mapping):
        raise ValueError(f"namespaces = {shared}")
    address = str(table["url"])
    sha256 = str(table.get("sha256", "")).lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        raise ValueError(f"sha256 = {sha256}")
    return DeclaredSource(
        check_source_id(str(table["id"])),
        str(table.get("name") or table["id"]),
        address if "://" in address or address.startswith(DEMO) else str(home / address),
        str(table.get("licence", "")),
        Namespaces(StopSpace(str(shared.get("stops", "private")))),
        int(str(table.get("priority", LAST))),
        sha256,
    )
