"""One file: what was asked, what the book says and why, what was decided, and everything the office may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import deciding, handling, linking, registering
from mobigo.services.scolaire.deciding import OVERRIDE_REASONS, RULINGS, File, Judged
from mobigo.services.scolaire.registering import Acting
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Fields, Link, status_of
from mobigo.web.scolaire.families.form import answers, problem_sentence, year_name
from mobigo.web.scolaire.office.files import COMMUNES, FILES, ORGANISER, Clerk, acting_locally, acting_of_clerk
from mobigo.web.scolaire.places import card_href, card_line
from mobigo.web.scolaire.words import verdict_of
from mobigo.web.wording import moment, say
from socle.errors import BadInput, MobigoError

_HELD: Final = {True: "held", False: "not_held", None: "unknown"}


@dataclass(frozen=True, slots=True)
class HomePart:
    """What the book says of one home, what holds, and who is linked to it."""

    number: int
    title: str
    lines: Sequence[Line]
    steps: Sequence[str]


@dataclass(frozen=True, slots=True)
class FilePage:
    """One file as the office or a local organiser sees it."""

    title: str
    said: str
    problems: Sequence[Link]
    path: str
    may: frozenset[str]
    is_office: bool
    lines: Sequence[Line]
    asked: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]
    unreadable: str
    homes: Sequence[HomePart]
    papers: Sequence[tuple[str, str, bool]]
    verdicts: Sequence[Choice]
    reasons: Sequence[Choice]
    card: Link | None
    has_appeal: bool
    steps: Sequence[str]
    back: Link


def _metres(metres: int | None) -> str:
    return "?" if metres is None else f"{metres} m"


def _home(file: File, number: int, judged: Judged | None) -> HomePart:
    home = file.application.homes[number]
    lines = []
    if judged is not None:
        facts = judged.facts
        communes = f"{facts.home_commune or '?'} → {facts.school_commune or '?'}"
        told = say(
            "school.file.told_facts",
            communes=communes,
            road=_metres(facts.road_m),
            straight=_metres(facts.straight_m),
        )
        lines.append(Line(say("school.file.facts"), told))
        if judged.decision is None:
            lines.append(Line(say("school.file.says"), say("school.file.no_book", commune=home.commune or "?")))
        else:
            missing = ", ".join(say(f"school.missing.{fact}") for fact in judged.decision.missing)
            lines.append(Line(say("school.file.book"), judged.book_title))
            lines.append(Line(say("school.file.says"), verdict_of(judged.decision.verdict), missing))
        if judged.sentence:
            lines.append(Line(say("school.file.sentence"), judged.sentence))
    by_office = say("school.file.overridden") if home.is_overridden else ""
    lines.append(Line(say("school.file.standing"), verdict_of(home.verdict), by_office))
    linked = say("school.file.linked" if home.guardian else "school.file.unlinked")
    contact = " · ".join(filter(None, (home.contact.name, home.contact.phone, home.contact.email)))
    lines.append(Line(say("school.form.guardian"), contact or "?", linked))
    steps = [say(f"school.file.{_HELD[step.held]}", rule=step.code) for step in judged.steps] if judged else []
    return HomePart(number, say("school.file.home", number=number + 1), lines, steps)


def _who(by: str, pseudonyms: frozenset[str]) -> str:
    return say("school.file.family" if by.removeprefix("person:") in pseudonyms else "school.file.office")


def _steps(file: File) -> list[str]:
    guardians = frozenset(home.guardian for home in file.application.homes if home.guardian)
    return [
        say(
            "school.file.by",
            when=moment(step.at),
            who=_who(step.by, guardians),
            what=f"{say(f'school.deed.{step.deed}')} {step.words}".strip(),
        )
        for step in file.steps
    ]


def _file_page(file: File, acting: Acting, path: str, said: str = "", error: MobigoError | None = None) -> FilePage:
    one = file.application
    request = registering.Request(
        one, file.school, list(file.stops.values()), file.papers, registering.writable(one, acting), ()
    )
    judged = {each.number: each for each in file.judged}
    problems = " ".join(problem_sentence(each) for each in file.problems)
    channel = say("school.file.paper_form" if one.channel == "paper" else "school.file.online")
    return FilePage(
        title=one.name or say("school.start.unnamed"),
        said=said,
        problems=[Link("#agir", error_sentence(error))] if error else (),
        path=f"{path}/{one.id}",
        may=frozenset(str(deed) for deed in file.may),
        is_office=acting.is_office,
        lines=[
            Line(say("school.child.school"), file.school.name if file.school else one.school_id),
            Line(
                say("school.child.state"),
                say(f"school.state.{one.state}"),
                say("school.child.late") if one.is_late else "",
            ),
            Line(say("school.file.channel"), channel, moment(one.submitted_at or one.made_at)),
            Line(say("school.child.code"), one.code),
        ],
        asked=answers(request, acting),
        unreadable=say("school.file.unreadable", problems=problems) if problems else "",
        homes=[_home(file, home.number, judged.get(home.number)) for home in one.homes],
        papers=[(code, say(f"school.paper.{code}"), there is not None) for code, there in file.papers.items()],
        verdicts=[Choice(str(one), verdict_of(one)) for one in RULINGS],
        reasons=[Choice(one, say(f"school.override.{one}")) for one in OVERRIDE_REASONS],
        card=None if file.card is None else Link(card_href(acting, file.card.card_id), card_line(file.card)),
        has_appeal=one.has_appeal,
        steps=_steps(file),
        back=Link(f"{path}?annee={one.school_year}", say("school.list.title", year=year_name(one.school_year))),
    )


def _number(typed: str) -> int:
    """The home of a form.

    Raises:
        BadInput: `unknown_home`.
    """
    if typed not in {"0", "1"}:
        raise BadInput("unknown_home")
    return int(typed)


Act = Callable[[Request, Acting, str, Mapping[str, str], datetime], str]


def _override(request: Request, acting: Acting, file_id: str, form: Mapping[str, str], now: datetime) -> str:
    state, words = request.app.state, form.get("mots", "")
    number, verdict, reason = _number(form.get("foyer", "")), form.get("verdict", ""), form.get("raison", "")
    deciding.override(state.engine, state.keys, acting, file_id, number, verdict, reason, words, now)
    return "fait"


def _decide(request: Request, acting: Acting, file_id: str, _form: Mapping[str, str], now: datetime) -> str:
    deciding.decide(request.app.state.engine, request.app.state.keys, acting, file_id, now)
    return "decide"


def _paper(request: Request, acting: Acting, file_id: str, form: Mapping[str, str], now: datetime) -> str:
    handling.take_paper(request.app.state.engine, request.app.state.keys, acting, file_id, form.get("piece", ""), now)
    return "fait"


def _ask(request: Request, acting: Acting, file_id: str, form: Mapping[str, str], now: datetime) -> str:
    handling.ask_paper(request.app.state.engine, request.app.state.keys, acting, file_id, form.get("mots", ""), now)
    return "fait"


def _appeal(request: Request, acting: Acting, file_id: str, form: Mapping[str, str], now: datetime) -> str:
    handling.appeal(request.app.state.engine, request.app.state.keys, acting, file_id, form.get("mots", ""), now)
    return "fait"


def _answer(request: Request, acting: Acting, file_id: str, form: Mapping[str, str], now: datetime) -> str:
    handling.answer_appeal(request.app.state.engine, request.app.state.keys, acting, file_id, form.get("mots", ""), now)
    return "fait"


def _withdraw(request: Request, acting: Acting, file_id: str, form: Mapping[str, str], now: datetime) -> str:
    registering.withdraw(request.app.state.engine, request.app.state.keys, acting, file_id, form.get("motif", ""), now)
    return "fait"


ACTS: Final[Mapping[str, Act]] = {
    "decider": _decide,
    "autrement": _override,
    "piece": _paper,
    "demander": _ask,
    "recours": _appeal,
    "reponse": _answer,
    "retirer": _withdraw,
}
_DONE = frozenset({"fait", "decide"})


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/demandes/{id}`, `/scolaire/communes/{id}`, and what is done there."""
    router = APIRouter(include_in_schema=False)

    def send(
        request: Request, acting: Acting, path: str, file_id: str, said: str = "", error: MobigoError | None = None
    ) -> Response:
        state = request.app.state
        file = deciding.read_file(state.engine, state.keys, acting, file_id, door.now_of(request))
        page = _file_page(file, acting, path, said, error)
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/office/file.html", status=status, cache="no-store", page=page)

    @router.get(f"{FILES}/{{file_id}}")
    def file(request: Request, principal: Clerk, file_id: str, fait: str = "") -> Response:
        said = say(f"school.done.{fait}") if fait in _DONE else ""
        return send(request, acting_of_clerk(request, principal), FILES, file_id, said)

    @router.get(f"{COMMUNES}/{{file_id}}")
    def local_file(request: Request, file_id: str, principal: Principal = ORGANISER) -> Response:
        return send(request, acting_locally(request, principal), COMMUNES, file_id)

    @router.post(f"{FILES}/{{file_id}}/lettre")
    def letter(request: Request, principal: Clerk, file_id: str, form: Fields) -> Response:
        """A code for a letter is shown once, so this page is no redirection."""
        state, acting = request.app.state, acting_of_clerk(request, principal)
        try:
            number = _number(form.get("foyer", ""))
            code = linking.make_link(state.engine, state.keys, acting, file_id, number, door.now_of(request))
        except MobigoError as error:
            return send(request, acting, FILES, file_id, "", error)
        return send(request, acting, FILES, file_id, say("school.file.link_made", number=number + 1, code=code))

    def do(name: str, act: Act) -> None:
        @router.post(f"{FILES}/{{file_id}}/{name}")
        def done(request: Request, principal: Clerk, file_id: str, form: Fields) -> Response:
            acting = acting_of_clerk(request, principal)
            try:
                said = act(request, acting, file_id, form, door.now_of(request))
            except MobigoError as error:
                return send(request, acting, FILES, file_id, "", error)
            return door.go(f"{FILES}/{file_id}?fait={said}")

    for name, act in ACTS.items():
        do(name, act)
    return router
