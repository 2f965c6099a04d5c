"""Stops that communes ask for: the dossier, what it lacks, opinions, the decision, the yearly review, the photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response

from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import stopping
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.stopping import Looked
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.door import Given, read_files
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import SENT_BY_US, Choice, Field, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.scolaire.office.files import (
    CLERK,
    OFFICE,
    ORGANISER,
    ActingOf,
    acting_locally,
    acting_of_clerk,
    default_year,
)
from mobigo.web.scolaire.office.hub import STOPS
from mobigo.web.wording import distance, long_day, moment, say
from scolaire.pupils import StopStatus
from scolaire.registration.typed import find_position
from scolaire.safety.dossier import Dossier, Says, Who
from socle.errors import BadInput, MobigoError

LOCAL_STOPS = "/scolaire/arrets"
_FILES = Depends(read_files)
_NUMBERS: Final = {"n_pupils": 999, "visibility_m": 9_999, "speed_kmh": 130}
_YES_NO: Final = ("waiting_area", "crossing", "no_reversing")


@dataclass(frozen=True, slots=True)
class StopsPage:
    """The stops that were asked for, and the form of another."""

    title: str
    lead: str
    problems: Sequence[Link]
    path: str
    rows: Sequence[tuple[str, str, str, str, int]]
    fields: Sequence[Field]
    back: Link


@dataclass(frozen=True, slots=True)
class StopPage:
    """One stop that was asked for."""

    title: str
    said: str
    problems: Sequence[Link]
    path: str
    lines: Sequence[Line]
    photo: str
    faults: Sequence[str]
    opinions: Sequence[str]
    who: Sequence[Choice]
    says: Sequence[Choice]
    states: Sequence[Choice]
    review: str
    back: Link


def _choices(family: str, values: Sequence[str], chosen: str = "") -> list[Choice]:
    return [Choice(value, say(f"school.stops.{family}.{value}"), value == chosen) for value in values]


def _fields(request: Request, typed: Mapping[str, str]) -> list[Field]:
    sectors = stopping.sectors_of(request.app.state.engine, default_year(request))
    yes_no = [Choice("", say("school.form.no")), Choice("oui", say("school.form.yes"))]

    def field(name: str, kind: str = "text", **more: Any) -> Field:
        return Field(name, say(f"school.stops.{name}"), kind, typed.get(name, ""), **more)

    return [
        field("sector", "select", choices=[Choice(one.sector_id, one.code) for one in sectors]),
        field("name", most=100),
        field("commune", most=5),
        field("position", hint=say("school.stops.position_hint"), most=40),
        *(field(name, inputmode="numeric", most=4) for name in _NUMBERS),
        *(field(name, "select", choices=yes_no) for name in _YES_NO),
    ]


def _stops_page(
    request: Request, acting: Acting, path: str, typed: Mapping[str, str], error: MobigoError | None = None
) -> StopsPage:
    rule = stopping.rule_now(door.now_of(request))
    return StopsPage(
        title=say("school.stops.title"),
        lead=say("school.stops.lead", pupils=rule.least_pupils, metres=rule.least_metres),
        problems=[Link(f"#{error.facts.get('at', 'demande')}", error_sentence(error))] if error else (),
        path=path,
        rows=[
            (
                f"{path}/{one.case_id}",
                one.dossier.name,
                one.commune,
                say(f"school.stops.state.{one.state}"),
                one.dossier.n_pupils,
            )
            for one in stopping.list_asked(request.app.state.engine, acting)
        ],
        fields=_fields(request, typed),
        back=Link(OFFICE, say("school.hub.title")) if acting.is_office else Link(HOME, say("people.account.title")),
    )


def _bad(name: str) -> BadInput:
    return BadInput("bad_stop_case", field=say(f"school.stops.{name}"), at=name)


def _dossier(fields: Mapping[str, str]) -> Dossier:
    """The dossier of a form.

    Raises:
        BadInput: `bad_stop_case`.
    """
    name, position = " ".join(fields.get("name", "").split()), find_position(fields.get("position", "").strip())
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise _bad("name")
    if position is None:
        raise _bad("position")
    numbers = {}
    for one, most in _NUMBERS.items():
        told = fields.get(one, "").strip()
        if not (told.isascii() and told.isdigit() and len(told) < 6 and int(told) <= most):
            raise _bad(one)
        numbers[one] = int(told)
    ticked = {one: fields.get(one, "") == "oui" for one in _YES_NO}
    return Dossier(name=name, position=position, **numbers, **ticked)  # type: ignore[arg-type] # numbers, yes or no


def _commune(fields: Mapping[str, str]) -> str:
    told = fields.get("commune", "").strip().upper()
    if len(told) != 5 or not told.isascii() or not told.isalnum():
        raise _bad("commune")
    return told


def _lines(found: Looked) -> list[Line]:
    dossier = found.case.dossier
    nearest = say("school.stops.nearest_none")
    if found.nearest is not None:
        nearest = f"{found.nearest[0].name}, {distance(found.nearest[1])}"
    told = {
        "commune": found.case.commune,
        "state_of": say(f"school.stops.state.{found.case.state}"),
        **{name: str(getattr(dossier, name)) for name in _NUMBERS},
        **{name: say("school.form.yes" if getattr(dossier, name) else "school.form.no") for name in _YES_NO},
        "position": f"{dossier.position.lat}, {dossier.position.lon}",
        "nearest": nearest,
    }
    return [Line(say(f"school.stops.{name}"), value) for name, value in told.items()]


def _stop_page(found: Looked, acting: Acting, path: str, said: str = "", error: MobigoError | None = None) -> StopPage:
    own, day = f"{path}/{found.case.case_id}", long_day(found.review_by)
    return StopPage(
        title=found.case.dossier.name,
        said=said,
        problems=[Link("#agir", error_sentence(error))] if error else (),
        path=own,
        lines=_lines(found),
        photo=f"{own}/photo" if found.case.photo_kind else "",
        faults=[say(f"school.stops.fault.{code}") for code in found.faults],
        opinions=[
            say(
                "school.stops.opinion_told",
                when=moment(one.at),
                who=say(f"school.stops.who.{one.who}"),
                says=say(f"school.stops.says.{one.says}"),
                words=one.words,
            )
            for one in found.opinions
        ],
        who=_choices("who", list(Who) if acting.is_office else [Who.COMMUNE]),
        says=_choices("says", list(Says)),
        states=_choices("state", list(StopStatus), str(found.case.state)) if acting.is_office else (),
        review=say("school.stops.review_due" if found.is_due else "school.stops.review_told", day=day),
        back=Link(path, say("school.stops.title")),
    )


def _act(request: Request, acting: Acting, case_id: str, form: Mapping[str, str], now: datetime) -> None:
    engine, words = request.app.state.engine, form.get("mots", "")
    if "etat" in form:
        stopping.decide_stop(engine, acting, case_id, form["etat"], words, now)
    elif "avis" in form:
        stopping.give_opinion(engine, acting, case_id, form.get("qui", ""), form["avis"], words, now)
    else:
        stopping.review(engine, acting, case_id, now)


def _add_stops(router: APIRouter, pages: Pages, path: str, needs: Any, acting_of: ActingOf) -> None:
    """The list, a dossier and its photo, for whoever `needs` lets in."""

    def send_list(
        request: Request, acting: Acting, typed: Mapping[str, str], error: MobigoError | None = None
    ) -> Response:
        page, status = _stops_page(request, acting, path, typed, error), status_of(error) if error else 200
        return pages.send(request, "scolaire/office/stops.html", status=status, cache="no-store", page=page)

    def send(
        request: Request, acting: Acting, case_id: str, said: str = "", error: MobigoError | None = None
    ) -> Response:
        found = stopping.look(request.app.state.engine, acting, case_id, door.now_of(request))
        page, status = _stop_page(found, acting, path, said, error), status_of(error) if error else 200
        return pages.send(request, "scolaire/office/stop.html", status=status, cache="no-store", page=page)

    @router.get(path)
    def listed(request: Request, principal: Principal = needs) -> Response:
        return send_list(request, acting_of(request, principal), {})

    @router.post(path)
    def ask(request: Request, principal: Principal = needs, given: Given = _FILES) -> Response:
        acting, fields = acting_of(request, principal), given.fields
        try:
            commune, dossier, photo = _commune(fields), _dossier(fields), given.files.get("photo", b"")
            engine, now = request.app.state.engine, door.now_of(request)
            found = stopping.ask_for_stop(engine, acting, fields.get("sector", ""), commune, dossier, photo, now)
        except MobigoError as error:
            return send_list(request, acting, fields, error)
        return door.go(f"{path}/{found}?fait=oui")

    @router.get(f"{path}/{{case_id}}")
    def stop(request: Request, case_id: str, fait: str = "", principal: Principal = needs) -> Response:
        said = say("school.stops.said") if fait == "oui" else ""
        return send(request, acting_of(request, principal), case_id, said)

    @router.post(f"{path}/{{case_id}}")
    def act(
        request: Request, case_id: str, principal: Principal = needs, form: Mapping[str, str] = SENT_BY_US
    ) -> Response:
        acting = acting_of(request, principal)
        try:
            _act(request, acting, case_id, form, door.now_of(request))
        except MobigoError as error:
            return send(request, acting, case_id, "", error)
        return door.go(f"{path}/{case_id}?fait=oui")

    @router.get(f"{path}/{{case_id}}/photo")
    def photo(request: Request, case_id: str, principal: Principal = needs) -> Response:
        kind, content = stopping.get_photo(request.app.state.engine, acting_of(request, principal), case_id)
        return Response(content, headers={"Cache-Control": "no-store"}, media_type=kind)


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/arrets`, `/scolaire/arrets`."""
    router = APIRouter(include_in_schema=False)
    for path, needs, acting_of in ((STOPS, CLERK, acting_of_clerk), (LOCAL_STOPS, ORGANISER, acting_locally)):
        _add_stops(router, pages, path, needs, acting_of)
    return router
