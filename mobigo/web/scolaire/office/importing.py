"""Importing: the four files of a sector, looked at or kept, with a finding for every row that is not right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from mobigo.services.scolaire.importing import Imported, check_sector, import_sector
from mobigo.texts import error_sentence, finding_sentence
from mobigo.web import door
from mobigo.web.door import Given, read_files
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Link, status_of
from mobigo.web.scolaire.families.form import year_name
from mobigo.web.scolaire.office.files import OFFICE, Clerk, default_year
from mobigo.web.scolaire.office.hub import IMPORT
from mobigo.web.wording import say
from scolaire.reading import ALL_COLUMNS
from socle.errors import BadInput, MobigoError

_MOST_ROWS: Final = 500
Files = Annotated[Given, Depends(read_files)]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as it is told."""

    file: str
    line: str
    severity: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The form, and what came of it."""

    title: str
    said: str
    problems: Sequence[Link]
    name: str
    years: Sequence[tuple[str, str, bool]]
    files: Sequence[tuple[str, str]]
    counts: str
    by_file: Sequence[tuple[str, int]]
    rows: Sequence[FindingRow]
    more: str
    is_done: bool
    back: Link


def _page(
    request: Request, typed: Given | None, done: Imported | None = None, error: MobigoError | None = None
) -> ImportPage:
    fields = typed.fields if typed else {}
    year = default_year(request)
    chosen = fields.get("annee", str(year))
    findings = done.findings if done else ()
    counted = Counter(one.file for one in findings)
    said = ""
    if done is not None:
        said = say("school.import.kept" if done.sector_id else "school.import.checked")
    return ImportPage(
        title=say("school.import.title"),
        said=said,
        problems=[Link("#fichiers", error_sentence(error))] if error else (),
        name=fields.get("secteur", ""),
        years=[(str(one), year_name(one), str(one) == chosen) for one in (year - 1, year, year + 1)],
        files=[(name.removesuffix(".csv"), name) for name in ALL_COLUMNS],
        counts=_counts(done) if done else "",
        by_file=[(name, counted[name]) for name in ALL_COLUMNS],
        rows=[
            FindingRow(
                one.file,
                "" if one.line is None else str(one.line),
                say(f"school.import.severity.{one.severity}"),
                finding_sentence(one),
            )
            for one in findings[:_MOST_ROWS]
        ],
        more=say("school.import.more", n=_MOST_ROWS) if len(findings) > _MOST_ROWS else "",
        is_done=done is not None,
        back=Link(OFFICE, say("school.hub.title")),
    )


def _counts(done: Imported) -> str:
    return say(
        "school.import.counts",
        pupils=len(done.sector.pupils),
        left_out=len(done.sector.left_out),
        schools=len(done.sector.schools),
        stops=len(done.sector.stops),
        errors=done.n_errors,
    )


def _year(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) == 4):
        raise BadInput("bad_school_year")
    return int(typed)


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/import`."""
    router = APIRouter(include_in_schema=False)

    def send(request: Request, page: ImportPage, status: int = 200) -> Response:
        return pages.send(request, "scolaire/office/import.html", status=status, cache="no-store", page=page)

    @router.get(IMPORT)
    def form(request: Request, _principal: Clerk) -> Response:
        return send(request, _page(request, None))

    @router.post(IMPORT)
    def read(request: Request, principal: Clerk, given: Files) -> Response:
        state, now = request.app.state, door.now_of(request)
        files = {
            f"{name}.csv": content for name, content in given.files.items() if content and f"{name}.csv" in ALL_COLUMNS
        }
        try:
            if not files:
                raise BadInput("no_sector_files_given", names=", ".join(ALL_COLUMNS))
            if given.fields.get("geste") == "garder":
                year, code = _year(given.fields.get("annee", "")), given.fields.get("secteur", "")
                done = import_sector(state.engine, state.keys, files, year, code, principal.actor, now)
            else:
                done = check_sector(files)
        except MobigoError as error:
            return send(request, _page(request, given, error=error), status_of(error))
        return send(request, _page(request, given, done))

    return router
