"""Signing: in and out."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from mobigo.services.people import fictitious, signing
from mobigo.services.people.provider import Provider
from mobigo.web import door
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages
from mobigo.web.people.forms import SENT_BY_US, Fictitious, Field, Fields, FormPage, Link, send_form, send_refused
from mobigo.web.wording import say
from socle.errors import MobigoError

HOME = "/compte"
JOIN = "/compte/creer"
RESET = "/mot-de-passe"
OUTSIDE = f"{door.SIGN_IN}/ailleurs"


def ask_contact(label: str) -> Field:
    """The question by which one is known."""
    return Field("contact", label, autocomplete="username", hint=say("people.contact_hint"))


def send_sign_in(
    pages: Pages, request: Request, after: str, error: MobigoError | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """The sign-in, or again what was refused of it; `after` is where one goes then."""
    provider: Provider | None = request.app.state.provider
    page = FormPage(
        title=say("people.sign_in.title"),
        action=door.SIGN_IN,
        submit=say("people.sign_in.submit"),
        fields=(
            ask_contact(say("people.contact")),
            Field("mot_de_passe", say("people.password"), "password", autocomplete="current-password", most=256),
        ),
        hidden={"suite": after},
        links=(Link(RESET, say("people.sign_in.forgotten")), Link(JOIN, say("people.sign_in.join"))),
        provider=_outside(provider, after) if provider else None,
        fictitious=_fictitious(request) if pages.is_demo() else None,
    )
    return send_form(pages, request, page) if error is None else send_refused(pages, request, page, error, typed or {})


def _outside(provider: Provider, after: str) -> Link:
    return Link(door.with_query(OUTSIDE, suite=after), say("people.sign_in.outside", name=provider.access.name))


def _fictitious(request: Request) -> Fictitious | None:
    """How anybody signs in to try the demonstration."""
    state = request.app.state
    roles = fictitious.list_open(state.engine, state.keys)
    emails = [(say(f"people.role.{role}"), fictitious.email_of(role)) for role in roles]
    if not emails:
        return None
    return Fictitious(say("people.sign_in.fictitious_lead", password=fictitious.PASSWORD), emails)


def let_in(request: Request, signed_in: signing.SignedIn, after: str) -> Response:
    """A new session, whatever cookie was shown before: nobody can have known its token."""
    state = request.app.state
    if old := door.token_of(request):
        signing.sign_out(state.engine, state.keys, old, door.now_of(request))
    answer = door.go(after)
    door.give_session(request, answer, signed_in.token)
    return answer


def make_router(pages: Pages) -> APIRouter:
    """`/connexion`, `/deconnexion`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

    @router.get(door.SIGN_IN)
    def sign_in_form(request: Request, suite: str = HOME) -> Response:
        after = door.own_path(suite, HOME)
        if door.find_visitor(request) is not None:
            return door.go(after)
        return send_sign_in(pages, request, after)

    @router.post(door.SIGN_IN)
    def sign_in(request: Request, form: Fields) -> Response:
        state, after = request.app.state, door.own_path(form.get("suite", ""), HOME)
        contact, password = form.get("contact", ""), form.get("mot_de_passe", "")
        try:
            done = signing.sign_in(
                state.engine, state.keys, contact, password, door.where_of(request), door.now_of(request)
            )
        except MobigoError as error:
            return send_sign_in(pages, request, after, error, form)
        return let_in(request, done, after)

    @router.post("/deconnexion", dependencies=[SENT_BY_US])
    def sign_out(request: Request) -> Response:
        state = request.app.state
        if token := door.token_of(request):
            signing.sign_out(state.engine, state.keys, token, door.now_of(request))
        answer = door.go("/")
        door.take_session(request, answer)
        return answer

    return router
