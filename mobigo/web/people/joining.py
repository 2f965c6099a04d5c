"""Joining: opening an account, and coming back without a password, each by a code that was sent."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from mobigo.services.people import accounts
from mobigo.web import door
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Field, Fields, FormPage, Link, ask_code, new_password, send_form, send_refused
from mobigo.web.people.signing import HOME, JOIN, RESET, ask_contact, let_in
from mobigo.web.wording import say
from socle.errors import MobigoError


def join_page() -> FormPage:
    """Opening an account."""
    return FormPage(
        title=say("people.join.title"),
        action=JOIN,
        submit=say("people.join.submit"),
        fields=(
            Field("nom", say("people.name"), autocomplete="name", most=100),
            ask_contact(say("people.contact")),
            new_password(),
        ),
        lead=say("people.join.lead"),
        links=(Link(door.SIGN_IN, say("people.join.known")),),
    )


def reset_page() -> FormPage:
    """Asking for a code to set a new password."""
    return FormPage(
        title=say("people.reset.title"),
        action=RESET,
        submit=say("people.reset.submit"),
        fields=(ask_contact(say("people.contact")),),
        lead=say("people.reset.lead"),
        links=(Link(door.SIGN_IN, say("people.reset.back")),),
    )


def new_password_page(code_id: str) -> FormPage:
    """The code, and the new password."""
    title = say("people.reset.title")
    return ask_code(title, f"{RESET}/nouveau", code_id, new_password(), submit=say("people.reset.set"))


def join_code_page(code_id: str) -> FormPage:
    """The code that opens the account."""
    return ask_code(say("people.join.code_title"), f"{JOIN}/code", code_id)


def make_router(pages: Pages) -> APIRouter:
    """`/compte/creer`, `/mot-de-passe`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

    @router.get(JOIN)
    def join_form(request: Request) -> Response:
        return send_form(pages, request, join_page())

    @router.post(JOIN)
    def join(request: Request, form: Fields) -> Response:
        state = request.app.state
        name, contact, password = (form.get(each, "") for each in ("nom", "contact", "mot_de_passe"))
        where, now = door.where_of(request), door.now_of(request)
        try:
            code_id = accounts.join(state.engine, state.keys, name, contact, password, where, now)
        except MobigoError as error:
            return send_refused(pages, request, join_page(), error, form)
        return door.go(f"{JOIN}/code?demande={code_id}")

    @router.get(f"{JOIN}/code")
    def join_code_form(request: Request, demande: str = "") -> Response:
        return send_form(pages, request, join_code_page(demande))

    @router.post(f"{JOIN}/code")
    def join_code(request: Request, form: Fields) -> Response:
        state, code_id = request.app.state, form.get("demande", "")
        where, now = door.where_of(request), door.now_of(request)
        try:
            done = accounts.finish_join(state.engine, state.keys, code_id, form.get("code", ""), where, now)
        except MobigoError as error:
            return send_refused(pages, request, join_code_page(code_id), error, form)
        return let_in(request, done, HOME)

    @router.get(RESET)
    def reset_form(request: Request) -> Response:
        return send_form(pages, request, reset_page())

    @router.post(RESET)
    def reset(request: Request, form: Fields) -> Response:
        state = request.app.state
        where, now = door.where_of(request), door.now_of(request)
        try:
            code_id = accounts.ask_reset(state.engine, state.keys, form.get("contact", ""), where, now)
        except MobigoError as error:
            return send_refused(pages, request, reset_page(), error, form)
        return door.go(f"{RESET}/nouveau?demande={code_id}")

    @router.get(f"{RESET}/nouveau")
    def new_password_form(request: Request, demande: str = "") -> Response:
        return send_form(pages, request, new_password_page(demande))

    @router.post(f"{RESET}/nouveau")
    def set_new_password(request: Request, form: Fields) -> Response:
        state, code_id = request.app.state, form.get("demande", "")
        code, password = form.get("code", ""), form.get("mot_de_passe", "")
        where, now = door.where_of(request), door.now_of(request)
        try:
            done = accounts.finish_reset(state.engine, state.keys, code_id, code, password, where, now)
        except MobigoError as error:
            return send_refused(pages, request, new_password_page(code_id), error, form)
        return let_in(request, done, HOME)

    return router
