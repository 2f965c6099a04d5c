"""Mine: one's own data, consents, and the end of one's account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services import personal
from mobigo.services.people import accounts
from mobigo.services.people.principal import Principal
from mobigo.services.personal import Answer, Consent
from mobigo.texts import error_sentence
from mobigo.web import about, door
from mobigo.web.about import Part, Prose
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, Owner, send_form, send_refused
from mobigo.web.people.signing import HOME
from mobigo.web.personal.told import Section, list_sections
from mobigo.web.wording import moment, say
from socle.errors import BadInput, MobigoError

DATA = "/compte/mes-donnees"
CONSENTS = "/compte/consentements"
ERASE = "/compte/effacer"
ERASED = "/compte-efface"


@dataclass(frozen=True, slots=True)
class DataPage:
    """Everything held about whoever reads it."""

    title: str
    sections: Sequence[Section]
    back: Link


@dataclass(frozen=True, slots=True)
class Question:
    """One purpose with the words in force; `told` says what was answered, and when."""

    purpose: str
    version: int
    title: str
    sentence: str
    given: bool
    told: str


@dataclass(frozen=True, slots=True)
class ConsentsPage:
    """What one is asked to agree to."""

    title: str
    said: str
    problems: Sequence[Link]
    questions: Sequence[Question]
    history: Sequence[str]
    back: Link


def _back() -> Link:
    return Link(HOME, say("people.account.title"))


def _answer_words(answer: Answer) -> str:
    return say("personal.consents.given" if answer.given else "personal.consents.withdrawn", at=moment(answer.at))


def _question(consent: Consent) -> Question:
    wording, answer = consent.wording, consent.answer
    if answer is None:
        told = say("personal.consents.unanswered")
    elif answer.given and not consent.given:
        told = say("personal.consents.words_changed", at=moment(answer.at))
    else:
        told = _answer_words(answer)
    return Question(wording.purpose, wording.version, wording.title, wording.sentence, consent.given, told)


def _consents_page(
    consents: Sequence[Consent], history: Sequence[Answer], said: str = "", problem: str = ""
) -> ConsentsPage:
    titles = {(each.purpose, each.version): each.title for each in personal.all_wordings()}
    return ConsentsPage(
        title=say("personal.consents.title"),
        said=said,
        problems=[Link(f"#{consents[0].wording.purpose}", problem)] if problem and consents else [],
        questions=[_question(each) for each in consents],
        history=[
            say(
                "personal.consents.event",
                title=titles.get((each.purpose, each.version), each.purpose),
                told=_answer_words(each),
                version=each.version,
            )
            for each in reversed(history)
        ],
        back=_back(),
    )


def _read_answers(form: Mapping[str, str]) -> tuple[dict[str, int], dict[str, bool]]:
    """The versions that were shown and the answers given to them.

    Raises:
        BadInput: `bad_form`.
    """
    versions, given = {}, {}
    for name, typed in form.items():
        kind, _, purpose = name.partition("_")
        if kind == "version":
            if not typed.isascii() or not typed.isdigit() or len(typed) > 6:
                raise BadInput("bad_form")
            versions[purpose] = int(typed)
            given[purpose] = form.get(f"accord_{purpose}") == "oui"
    return versions, given


def _erase_page(*, has_password: bool) -> FormPage:
    box = Field("compris", say("personal.erase.box"), "choices", choices=(Choice("oui", say("personal.erase.yes")),))
    password = Field("ancien", say("people.password"), "password", autocomplete="current-password", most=256)
    return FormPage(
        title=say("personal.erase.title"),
        action=ERASE,
        submit=say("personal.erase.submit"),
        lead=say("personal.erase.lead"),
        note=say("personal.erase.note"),
        fields=(box, *((password,) if has_password else ())),
        links=(Link(DATA, say("personal.erase.data_first")),),
        back=_back(),
    )


def _erase(request: Request, principal: Principal, form: Mapping[str, str], *, has_password: bool) -> None:
    state, now = request.app.state, door.now_of(request)
    if form.get("compris_oui") != "oui":
        raise BadInput("not_understood")
    if has_password:
        accounts.prove(state.engine, state.keys, principal, form.get("ancien", ""), door.where_of(request), now)
    personal.erase(state.engine, principal.whose, principal.actor, "", now)


def attachment(name: str, media_type: str) -> dict[str, str]:
    """The headers of a file that is saved, and that nobody on the way keeps."""
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Type": media_type,
        "Cache-Control": "no-store",
    }


def erased() -> Prose:
    """What is told once there is nobody left to tell more."""
    key = "personal.erased"
    return Prose(
        say(f"{key}.title"),
        (
            Part(paragraphs=(say(f"{key}.lead"),)),
            Part(say(f"{key}.left"), (say(f"{key}.left_1"),), links=(about.Link("/", say(f"{key}.home")),)),
        ),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/compte/mes-donnees`, `/compte/consentements`, `/compte/effacer`, `/compte-efface`."""
    router = APIRouter(include_in_schema=False)

    @router.get(ERASED, dependencies=[door.PUBLIC])
    async def erased_page(request: Request) -> Response:
        return pages.send(request, "prose.html", cache="no-store", page=erased())

    @router.get(DATA)
    def data_page(request: Request, principal: Owner) -> Response:
        state, now = request.app.state, door.now_of(request)
        data = personal.read(state.engine, principal.whose, state.keys, principal.actor, "", now)
        page = DataPage(say("personal.mine.title"), list_sections(data), _back())
        return pages.send(request, "personal/data.html", cache="no-store", page=page)

    @router.get(f"{DATA}/fichier")
    def data_file(request: Request, principal: Owner) -> Response:
        state, now = request.app.state, door.now_of(request)
        data = personal.export(state.engine, principal.whose, state.keys, principal.actor, "", now)
        name = f"mobigo-mes-donnees-{now:%Y-%m-%d}.json"
        return Response(b"".join(personal.render_json(data)), headers=attachment(name, "application/json"))

    def send_consents(
        request: Request, principal: Principal, said: str = "", error: MobigoError | None = None
    ) -> Response:
        engine, now = request.app.state.engine, door.now_of(request)
        consents = personal.list_consents(engine, principal.whose, now)
        history = personal.list_history(engine, principal.whose)
        page = _consents_page(consents, history, said, error_sentence(error) if error else "")
        return pages.send(request, "personal/consents.html", status=400 if error else 200, cache="no-store", page=page)

    @router.get(CONSENTS)
    def consents_page(request: Request, principal: Owner, fait: str = "") -> Response:
        return send_consents(request, principal, say("personal.consents.done") if fait == "oui" else "")

    @router.post(CONSENTS)
    def answer_consents(request: Request, principal: Owner, form: Fields) -> Response:
        try:
            versions, given = _read_answers(form)
            personal.answer_consents(
                request.app.state.engine, principal.whose, versions, given, principal.actor, door.now_of(request)
            )
        except BadInput as error:
            return send_consents(request, principal, error=error)
        return door.go(f"{CONSENTS}?fait=oui")

    def has_password(request: Request, principal: Principal) -> bool:
        state = request.app.state
        return accounts.get_account(state.engine, state.keys, principal).has_password

    @router.get(ERASE)
    def erase_form(request: Request, principal: Owner) -> Response:
        return send_form(pages, request, _erase_page(has_password=has_password(request, principal)))

    @router.post(ERASE)
    def erase(request: Request, principal: Owner, form: Fields) -> Response:
        asked = has_password(request, principal)
        try:
            _erase(request, principal, form, has_password=asked)
        except MobigoError as error:
            return send_refused(pages, request, _erase_page(has_password=asked), error, form)
        answer = door.go(ERASED)
        door.take_session(request, answer)
        return answer

    return router
