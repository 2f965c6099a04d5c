"""About: what the service says of itself: accessibility, personal data, open data, its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from mobigo.services.opendata import list_carpool_publications, list_circuit_publications
from mobigo.services.retention import Rule, duration_words, rules_on
from mobigo.texts import text
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages
from mobigo.web.wording import long_day, month_name, say, say_count
from routing.journeys.snapshot import Snapshot
from socle.errors import Unavailable
from socle.times import PARIS

CARPOOLS_HREF = "/opendata/covoiturage"
CIRCUITS_HREF = "/opendata/scolaire"
N_MONTHS = 3  # on the page; the list has all
GTFS_HREF = "/opendata/network/latest/gtfs.zip"
ODBL_HREF = "https://opendatacommons.org/licenses/odbl/1-0/"
CNIL_HREF = "https://www.cnil.fr/fr/plaintes"
RIGHTS_HREF = "https://formulaire.defenseurdesdroits.fr/"


@dataclass(frozen=True, slots=True)
class Link:
    """Where one may go on."""

    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Term:
    """A thing and what is to be said of it."""

    name: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with what stands under it."""

    heading: str = ""
    paragraphs: Sequence[str] = ()
    points: Sequence[str] = ()
    terms: Sequence[Term] = ()
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """A page of plain sentences."""

    title: str
    parts: Sequence[Part]


def accessibility(*, has_contact: bool) -> Prose:
    """The declaration, in the order of the law's model: state, what is missing, contact, remedies."""
    key = "about.accessibility"
    return Prose(
        say(f"{key}.title"),
        (
            Part(say(f"{key}.state"), (say(f"{key}.state_1"), say(f"{key}.state_2"))),
            Part(say(f"{key}.known"), points=[say(f"{key}.known_{n}") for n in (1, 2, 3)]),
            Part(say(f"{key}.helping"), points=[say(f"{key}.helping_{n}") for n in (1, 2, 3)]),
            Part(
                say(f"{key}.contact"),
                (say(f"{key}.contact_known" if has_contact else f"{key}.contact_none"), say(f"{key}.rights")),
                links=(Link(RIGHTS_HREF, say(f"{key}.rights_link")),),
            ),
        ),
    )


def privacy(rules: Sequence[Rule]) -> Prose:
    """What becomes of what a traveller types, and what is kept of an account, why and how long: the rules in force."""
    key = "about.privacy"
    kept = [
        Term(
            text(f"retention.{rule.code}.what"),
            (
                text(f"retention.{rule.code}.why"),
                say(f"{key}.how_long", duration=duration_words(rule), source=rule.source),
            ),
        )
        for rule in rules
    ]
    return Prose(
        say(f"{key}.title"),
        (
            Part(paragraphs=(say(f"{key}.lead"),)),
            Part(say(f"{key}.kept"), points=[say(f"{key}.kept_{n}") for n in (1, 2, 3)]),
            Part(say(f"{key}.known"), points=[say(f"{key}.known_{n}") for n in (1, 2, 3)]),
            Part(
                say(f"{key}.account"),
                (say(f"{key}.account_1"), say(f"{key}.account_2")),
            ),
            Part(say(f"{key}.account_kept"), terms=kept),
            Part(
                say(f"{key}.rights"),
                (say(f"{key}.rights_0"), say(f"{key}.rights_1")),
                links=(Link(CNIL_HREF, say(f"{key}.rights_link")),),
            ),
        ),
    )


def _validity(snapshot: Snapshot) -> dict[str, str]:
    timetable = snapshot.timetable
    return {"first": long_day(timetable.first_day), "last": long_day(timetable.last_day)}


def _source(source: Mapping[str, object]) -> str:
    """Who publishes a feed, which version of it went in and under which licence, as far as the release knows."""
    name, version = str(source.get("name") or source.get("publisher") or source.get("id", "")), source.get("version")
    told = say("about.opendata.source_version", name=name, version=str(version)) if version else name
    licence = source.get("licence")
    return say("about.opendata.source_licence", source=told, licence=str(licence)) if licence else told


def opendata(
    snapshot: Snapshot, carpools: Sequence[Mapping[str, Any]] = (), circuits: Sequence[Mapping[str, Any]] = ()
) -> Prose:
    """What can be downloaded, under which licences."""
    key = "about.opendata"
    sources = [_source(source) for source in snapshot.sources]
    network = [
        say(f"{key}.network_1"),
        say(f"{key}.valid", release=snapshot.release, **_validity(snapshot)),
        say(f"{key}.licence"),
    ]
    if snapshot.is_demo:
        network.append(say(f"{key}.demo"))
    parts = [
        Part(paragraphs=(say(f"{key}.lead"),)),
        Part(
            say(f"{key}.network"),
            network,
            links=(Link(GTFS_HREF, say(f"{key}.network_link")), Link(ODBL_HREF, say(f"{key}.licence_link"))),
        ),
    ]
    if sources:
        parts.append(Part(say(f"{key}.sources"), points=sources))
    parts.append(_carpools(carpools))
    parts += _circuits(circuits)
    return Prose(say(f"{key}.title"), parts)


def _carpools(publications: Sequence[Mapping[str, Any]]) -> Part:
    """The months of carpooling: three tables each, and how nobody is found in them."""
    key = "about.opendata"
    told = [say(f"{key}.carpools_1"), say(f"{key}.carpools_2"), say(f"{key}.carpools_3")]
    if not publications:
        return Part(say(f"{key}.carpools"), [*told, say(f"{key}.carpools_none")])
    last = publications[0]
    n, n_dropped = last["rides"]["n_units"], last["rides"]["n_dropped"]
    month = month_name(last["month"])
    told.append(say(f"{key}.carpools_told", month=month, n=n - n_dropped, n_dropped=n_dropped))
    told.append(say(f"{key}.carpools_licence_demo" if last["demo"] else f"{key}.carpools_licence"))
    links = [
        Link(
            f"{CARPOOLS_HREF}/{file['name'].partition('.')[0]}/{one['month']}/{file['name']}",
            say(f"{key}.carpools_link", file=file["name"], month=month_name(one["month"])),
        )
        for one in publications[:N_MONTHS]
        for file in one["files"]
    ]
    return Part(say(f"{key}.carpools"), told, links=(*links, Link(CARPOOLS_HREF, say(f"{key}.carpools_all"))))


def _circuits(publications: Sequence[Mapping[str, Any]]) -> list[Part]:
    """School circuits: their tables, what each column of them holds, and how no child is found in them."""
    key = "about.opendata"
    heading = say(f"{key}.circuits")
    told = [say(f"{key}.circuits_{n}") for n in (1, 2, 3)]
    if not publications:
        return [Part(heading, [*told, say(f"{key}.circuits_none")])]
    last = publications[0]
    n_circuits = sum(one["n_circuits"] for one in last["sectors"])
    day = long_day(date.fromisoformat(last["release"].partition(".")[0]))
    told.append(say(f"{key}.circuits_told", day=day, n=n_circuits, n_sectors=len(last["sectors"])))
    told.append(say(f"{key}.circuits_licence_demo" if last["demo"] else f"{key}.carpools_licence"))
    links = [
        Link(
            f"{CIRCUITS_HREF}/{file['name'].partition('.')[0]}/latest/{file['name']}",
            say(f"{key}.circuits_link", file=file["name"]),
        )
        for file in last["files"]
    ]
    links.append(Link(CIRCUITS_HREF, say(f"{key}.circuits_all")))
    dictionary = [
        Part(
            say(f"{key}.columns", table=table["name"]),
            (table["description"],),
            terms=[Term(field["name"], (field["description"],)) for field in table["fields"]],
        )
        for table in last["tables"]
    ]
    return [Part(heading, told, links=links), *dictionary]


def status(snapshot: Snapshot | None) -> Prose:
    """Whether a search would be answered, and from what."""
    key = "about.status"
    if snapshot is None:
        return Prose(say(f"{key}.title"), (Part(paragraphs=(say(f"{key}.down"),)),))
    timetable = snapshot.timetable
    n_served = int((snapshot.stop_calls_per_day > 0).sum())
    return Prose(
        say(f"{key}.title"),
        (
            Part(paragraphs=(say(f"{key}.up"),)),
            Part(
                say(f"{key}.network"),
                (say(f"{key}.version", release=snapshot.release), say(f"{key}.valid", **_validity(snapshot))),
                points=(
                    say_count(f"{key}.stops", n_served),
                    say_count(f"{key}.routes", timetable.n_routes),
                    say_count(f"{key}.trips", timetable.n_trips),
                ),
            ),
        ),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/accessibilite`, `/donnees-personnelles`, `/donnees`, `/etat`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])
    operator = pages.site.operator
    still = "public, max-age=300"

    @router.get("/accessibilite")
    async def accessibility_page(request: Request) -> Response:
        prose = accessibility(has_contact=bool(operator.phone or operator.email))
        return pages.send(request, "prose.html", page=prose, cache=still)

    @router.get("/donnees-personnelles")
    async def privacy_page(request: Request) -> Response:
        today = datetime.now(PARIS).date()
        return pages.send(request, "prose.html", page=privacy(rules_on(today)), cache=still)

    @router.get("/donnees")
    async def opendata_page(request: Request) -> Response:
        carpools = await to_thread.run_sync(list_carpool_publications, request.app.state.data_dir)
        circuits = await to_thread.run_sync(list_circuit_publications, request.app.state.data_dir)
        prose = opendata(pages.site.current(), carpools, circuits)
        return pages.send(request, "prose.html", page=prose, cache=still)

    @router.get("/etat")
    async def status_page(request: Request) -> Response:
        try:
            snapshot = pages.site.current()
        except Unavailable:
            return pages.send(request, "prose.html", page=status(None), status=503, cache="no-store")
        return pages.send(request, "prose.html", page=status(snapshot), cache="no-store")

    return router
