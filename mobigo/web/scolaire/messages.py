"""Messages on pages: what the office tells families, counted before it leaves, and the proof of each sending."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import messaging, posting
from mobigo.services.scolaire.contracting import plan_year
from mobigo.services.scolaire.messaging import Channel, Draft, Letter, LetterState, Preview, Sent
from mobigo.services.scolaire.posting import Papers
from mobigo.texts import text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.papers.letters import render_letters
from mobigo.web.people.account import Line, back_to_account
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, send_refused
from mobigo.web.scolaire.alerts import about_words, matter_words
from mobigo.web.scolaire.contracts import read_day
from mobigo.web.scolaire.sheets import Cell, Do, Sheet, Table, send_sheet
from mobigo.web.wording import long_day, moment, say
from scolaire.plans import Direction
from scolaire.telling import Matter, Scope
from socle.errors import BadInput, Conflict, MobigoError, Unavailable
from socle.times import PARIS

MESSAGES: Final = "/scolaire/messages"
PLACES: Final = f"{MESSAGES}/arrets"
MOST_KEY: Final = 64
MOST_DIGITS: Final = 7
_DONE: Final = frozenset({"envoye", "poste"})
_WRITTEN: Final = ("secteur", "jour", "sujet", "circuits", "arrets", "sens", "texte")

Office = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_OFFICE))]


def _form(request: Request, typed: Mapping[str, str] | None = None) -> FormPage:
    state, given = request.app.state, typed or {}
    today = door.now_of(request).astimezone(PARIS).date()
    sectors = messaging.list_published(state.engine, state.keys, plan_year(today), today)
    codes = [Choice(one.sector_id, one.code) for one in sectors]
    whole = Choice("", say("scolaire.messages.both_ways"))
    ways = [whole, *(Choice(str(one), say(f"scolaire.messages.{one}")) for one in Direction)]
    known = say("scolaire.messages.circuits_hint")
    return FormPage(
        title=say("scolaire.messages.write"),
        action=f"{MESSAGES}/ecrire",
        submit=say("scolaire.messages.preview"),
        fields=(
            Field("secteur", say("scolaire.messages.sector"), "select", given.get("secteur", ""), choices=codes),
            Field("jour", say("scolaire.messages.day"), "date", given.get("jour", today.isoformat())),
            Field(
                "sujet",
                say("scolaire.messages.matter"),
                "select",
                given.get("sujet", ""),
                choices=[Choice(str(one), matter_words(one)) for one in Matter],
            ),
            Field(
                "circuits", say("scolaire.messages.circuits"), value=given.get("circuits", ""), hint=known,
                required=False, most=1_000,
            ),
            Field(
                "arrets", say("scolaire.messages.stops"), value=given.get("arrets", ""),
                hint=say("scolaire.messages.stops_hint"), required=False, most=1_000,
            ),
            Field("sens", say("scolaire.messages.way"), "select", given.get("sens", ""), choices=ways),
            Field("texte", say("scolaire.messages.words"), "area", given.get("texte", ""), most=messaging.MOST_LETTERS),
        ),
        back=Link(MESSAGES, say("scolaire.messages.title")),
    )  # fmt: skip


def _draft(request: Request, form: Mapping[str, str]) -> Draft:
    """What a form says.

    Raises:
        BadInput: `bad_day`, `bad_form`, `message_scope`.
        NotFound: `nothing_published`.
    """
    state, sector_id = request.app.state, form.get("secteur", "")
    circuits = frozenset(filter(None, form.get("circuits", "").replace(",", " ").split()))
    matter, way = form.get("sujet", ""), form.get("sens", "")
    if matter not in set(Matter) or way not in {"", *Direction}:
        raise BadInput("bad_form")
    day = read_day(form.get("jour", ""))
    stops = messaging.find_stops(state.engine, state.keys, sector_id, day, form.get("arrets", ""))
    scope = Scope(day, circuits, stops, Direction(way) if way else None)
    return Draft(sector_id, Matter(matter), scope, form.get("texte", ""))


def _preview_sheet(form: Mapping[str, str], found: Preview) -> Sheet:
    counts = [
        Line(text(f"personal.value.letter_channel.{channel}"), str(found.by_channel.get(channel, 0)))
        for channel in Channel
    ]
    columns = [say("scolaire.messages.language"), say("scolaire.messages.read")]
    samples = [
        [Cell(text(f"personal.value.language.{language}")), Cell(words)] for language, words in found.samples.items()
    ]
    hidden = {name: form.get(name, "") for name in _WRITTEN} | {"cle": secrets.token_hex(8)}
    return Sheet(
        title=say("scolaire.messages.check"),
        back=Link(MESSAGES, say("scolaire.messages.title")),
        lead=say("scolaire.messages.reach", children=found.n_children, guardians=found.n_guardians),
        lines=counts,
        tables=[Table(say("scolaire.messages.samples"), columns, samples)],
        actions=[Do(f"{MESSAGES}/ecrire", say("scolaire.messages.send"), hidden=hidden)] if found.n_children else [],
    )


def _list_sheet(request: Request) -> Sheet:
    state = request.app.state
    year = plan_year(door.now_of(request).astimezone(PARIS).date())
    rows = [
        [
            Cell(moment(one.message.written_at), f"{MESSAGES}/{one.message.message_id}"),
            Cell(matter_words(one.message.matter)),
            Cell(long_day(one.message.scope.day)),
            Cell(about_words(request, one.message)),
            Cell(str(one.n_children)),
            Cell(str(sum(letter.state is LetterState.SENT for letter in one.letters))),
            Cell(str(len(one.letters))),
        ]
        for one in messaging.list_sent(state.engine, state.keys, year)
    ]
    columns = [
        say(f"scolaire.messages.column.{name}")
        for name in ("written", "matter", "day", "about", "children", "sent", "letters")
    ]
    table = Table(say("scolaire.messages.history"), columns, rows, frozenset({4, 5, 6}), say("scolaire.messages.none"))
    return Sheet(
        say("scolaire.messages.title"), back_to_account(), lead=say("scolaire.messages.lead"),
        tables=[table], links=[Link(PLACES, say("scolaire.messages.all_places"))], form=_form(request),
    )  # fmt: skip


def _places_sheet(request: Request) -> Sheet:
    """What a message may speak of, sector by sector."""
    state, today = request.app.state, _today(request)
    columns = [say(f"scolaire.messages.column.{name}") for name in ("stop", "stop_id", "stop_circuits")]
    tables = [
        Table(
            say("scolaire.messages.places", sector=one.code),
            columns,
            [[Cell(stop.name), Cell(stop.stop_id), Cell(", ".join(stop.circuits))] for stop in one.stops],
            none=say("scolaire.messages.no_place"),
        )
        for one in messaging.list_published(state.engine, state.keys, plan_year(today), today)
    ]
    back = Link(MESSAGES, say("scolaire.messages.title"))
    return Sheet(say("scolaire.messages.all_places"), back, lead=say("scolaire.messages.places_lead"), tables=tables)


def _ended(letter: Letter) -> str:
    """When it left; of paper, the day that was told, and when it was told."""
    if letter.ended_at is None:
        return ""
    if letter.posted_on is None:
        return moment(letter.ended_at)
    return say("scolaire.messages.posted_on", day=long_day(letter.posted_on), at=moment(letter.ended_at))


def _posted_form(path: str, today: date, typed: Mapping[str, str] | None = None) -> FormPage:
    given = typed or {}
    return FormPage(
        title=say("scolaire.messages.posted"),
        action=f"{path}/postes",
        submit=say("scolaire.messages.posted_submit"),
        fields=(
            Field("jour", say("scolaire.messages.posted_day"), "date", given.get("jour", today.isoformat())),
            Field(
                "sauf", say("scolaire.messages.posted_but"), value=given.get("sauf", ""),
                hint=say("scolaire.messages.posted_but_hint"), required=False, most=1_000,
            ),
        ),
        back=Link(path, say("scolaire.messages.proof")),
    )  # fmt: skip


def _numbers(typed: str) -> set[int]:
    """The letters that were named, counted from 0.

    Raises:
        BadInput: `posted_unread`.
    """
    words = typed.replace(",", " ").split()
    if not all(word.isdecimal() and len(word) < MOST_DIGITS for word in words):
        raise BadInput("posted_unread")
    return {int(word) - 1 for word in words}


def town_of(pages: Pages) -> Callable[[str], str]:
    """Postcode and name of a commune by its code; what is no code that the network knows, as it is."""

    def find(commune: str) -> str:
        try:
            place = pages.site.current().places.find_commune(commune)
        except Unavailable:
            place = None
        return commune if place is None else f"{place.zip_code} {place.name}".strip()

    return find


def _proof_sheet(request: Request, found: Sent, today: date, said: str = "", papers: Papers | None = None) -> Sheet:
    message, path = found.message, f"{MESSAGES}/{found.message.message_id}"
    rows = [
        [
            Cell(str(one.number + 1)),
            Cell(text(f"personal.value.letter_channel.{one.addressee.channel}")),
            Cell(text(f"personal.value.letter_state.{one.state}")),
            Cell(_ended(one)),
            Cell(one.said),
        ]
        for one in found.letters
    ]
    columns = [say(f"scolaire.messages.column.{name}") for name in ("number", "channel", "state", "ended", "said")]
    waits = any(one.addressee.channel is Channel.POST and one.state is LetterState.WAITING for one in found.letters)
    tables = [Table(say("scolaire.messages.proof"), columns, rows, none=say("scolaire.messages.nobody"))]
    if papers is not None:
        named = [
            [
                Cell(str(one.number + 1)),
                Cell(one.pupil_id),
                Cell(one.name),
                Cell(f"{one.address} {one.commune}".strip()),
            ]
            for one in papers.letters
        ]
        head = [say(f"scolaire.messages.column.{name}") for name in ("number", "pupil", "name", "address")]
        tables.append(Table(say("scolaire.messages.papers"), head, named, none=say("scolaire.messages.no_paper")))
    actions = [
        Do(f"{path}/courriers", say("scolaire.messages.do.papers")),
        Do(f"{path}/courriers/imprimer", say("scolaire.messages.do.print")),
    ]
    return Sheet(
        title=say("scolaire.messages.one", matter=matter_words(message.matter), day=long_day(message.scope.day)),
        back=Link(MESSAGES, say("scolaire.messages.title")),
        said=said,
        lead=message.words,
        lines=[
            Line(say("scolaire.messages.column.about"), about_words(request, message)),
            Line(say("scolaire.messages.column.written"), moment(message.written_at)),
            Line(say("scolaire.messages.column.children"), str(found.n_children)),
        ],
        tables=tables,
        actions=actions if waits else [],
        form=_posted_form(path, today) if waits else None,
    )


def _today(request: Request) -> date:
    return door.now_of(request).astimezone(PARIS).date()


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/messages`, for the office."""
    router = APIRouter(include_in_schema=False)

    @router.get(MESSAGES)
    def shown(request: Request, _principal: Office) -> Response:
        return send_sheet(pages, request, _list_sheet(request))

    @router.get(PLACES)
    def places(request: Request, _principal: Office) -> Response:
        return send_sheet(pages, request, _places_sheet(request))

    @router.post(f"{MESSAGES}/ecrire")
    def write(request: Request, principal: Office, form: Fields) -> Response:
        """What was written, counted; it leaves when it comes back with the key of what was counted."""
        state, now, key = request.app.state, door.now_of(request), form.get("cle", "")
        try:
            if not key:
                found = messaging.preview(
                    state.engine, state.keys, _draft(request, form), state.settings.public_url, now
                )
                return send_sheet(pages, request, _preview_sheet(form, found))
            if not key.isalnum() or len(key) > MOST_KEY:
                raise BadInput("bad_form")
            message = messaging.send(state.engine, state.keys, _draft(request, form), key, principal.actor, now)
        except MobigoError as error:
            return send_refused(pages, request, _form(request, form), error, form)
        return door.go(door.with_query(f"{MESSAGES}/{message.message_id}", fait="envoye"))

    @router.get(f"{MESSAGES}/{{message_id}}")
    def proof(request: Request, _principal: Office, message_id: str) -> Response:
        state, done = request.app.state, request.query_params.get("fait", "")
        found = messaging.get_sent(state.engine, state.keys, message_id)
        said = say(f"scolaire.messages.done.{done}") if done in _DONE else ""
        return send_sheet(pages, request, _proof_sheet(request, found, _today(request), said))

    @router.post(f"{MESSAGES}/{{message_id}}/courriers")
    def papers(request: Request, principal: Office, message_id: str, _form: Fields) -> Response:
        """Whose families are written to on paper: a form, since looking is written in the log."""
        state, now = request.app.state, door.now_of(request)
        named = posting.list_papers(state.engine, state.keys, message_id, principal.actor, now)
        found = messaging.get_sent(state.engine, state.keys, message_id)
        return send_sheet(pages, request, _proof_sheet(request, found, _today(request), papers=named))

    @router.post(f"{MESSAGES}/{{message_id}}/courriers/imprimer")
    def printed(request: Request, principal: Office, message_id: str, _form: Fields) -> Response:
        """The letters, one page each: a form for the same reason."""
        state, now = request.app.state, door.now_of(request)
        named = posting.list_papers(state.engine, state.keys, message_id, principal.actor, now)
        if not named.letters:
            raise Conflict("no_paper_letters")
        content = render_letters(named, pages.site.operator, town_of(pages))
        headers = {"Content-Disposition": 'inline; filename="courriers.pdf"', "Cache-Control": "no-store"}
        return Response(content, media_type="application/pdf", headers=headers)

    @router.post(f"{MESSAGES}/{{message_id}}/postes")
    def posted(request: Request, principal: Office, message_id: str, form: Fields) -> Response:
        state, now, path = request.app.state, door.now_of(request), f"{MESSAGES}/{message_id}"
        try:
            day, but = read_day(form.get("jour", "")), _numbers(form.get("sauf", ""))
            posting.mark_posted(state.engine, state.keys, message_id, day, but, principal.actor, now)
        except BadInput as error:
            return send_refused(pages, request, _posted_form(path, _today(request), form), error, form)
        return door.go(door.with_query(path, fait="poste"))

    return router
