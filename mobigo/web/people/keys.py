"""Keys: what programs show to act in one's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.security import Permission
from mobigo.services.people import api_keys
from mobigo.services.people.principal import Principal
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import KEYS, back_to_account, say_done
from mobigo.web.people.forms import Choice, Field, Fields, FormPage, Link, Owner, send_form, send_refused
from mobigo.web.wording import moment, say
from socle.errors import MobigoError


@dataclass(frozen=True, slots=True)
class KeyLine:
    """An API key as it is listed."""

    key_id: str
    name: str
    scopes: str
    made: str
    expires: str
    ended: str


@dataclass(frozen=True, slots=True)
class KeysPage:
    """One's API keys; `secret` is shown once."""

    title: str
    said: str
    secret: str
    keys: Sequence[KeyLine]
    back: Link


def _key_page(principal: Principal) -> FormPage:
    scopes = [Choice(str(each), say(f"people.permission.{each}")) for each in sorted(principal.permissions)]
    return FormPage(
        title=say("people.keys.new"),
        action=f"{KEYS}/nouvelle",
        submit=say("people.keys.submit"),
        lead=say("people.keys.lead"),
        fields=(
            Field("nom", say("people.keys.name"), hint=say("people.keys.name_hint"), most=60),
            Field("droits", say("people.keys.scopes"), "choices", choices=scopes),
            Field("appels", say("people.keys.calls"), value="60", inputmode="numeric", most=4),
            Field("jours", say("people.keys.days"), value="90", inputmode="numeric", most=4),
        ),
        back=Link(KEYS, say("people.keys.title")),
    )


def _number(typed: str) -> int:
    """What was typed as a number; 0, which is refused, when it is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0


def _ended(*, revoked: bool, over: bool) -> str:
    if revoked:
        return say("people.keys.ended")
    return say("people.keys.over") if over else ""


def make_router(pages: Pages) -> APIRouter:
    """`/compte/cles`."""
    router = APIRouter(include_in_schema=False)

    def keys_page(request: Request, principal: Principal, said: str, secret: str) -> Response:
        now = door.now_of(request)
        page = KeysPage(
            say("people.keys.title"),
            said,
            secret,
            [
                KeyLine(
                    each.key_id,
                    each.name,
                    ", ".join(say(f"people.permission.{scope}") for scope in each.scopes),
                    moment(each.made_at),
                    moment(each.expires_at),
                    _ended(revoked=each.revoked_at is not None, over=each.expires_at < now),
                )
                for each in api_keys.list_own_keys(request.app.state.engine, principal)
            ],
            back_to_account(),
        )
        return pages.send(request, "people/keys.html", cache="no-store", page=page)

    @router.get(KEYS)
    def keys(request: Request, principal: Owner, fait: str = "") -> Response:
        return keys_page(request, principal, say_done(fait), "")

    @router.post(KEYS)
    def end_key(request: Request, principal: Owner, form: Fields) -> Response:
        api_keys.end_key(request.app.state.engine, principal, form.get("cle", ""), door.now_of(request))
        return door.go(f"{KEYS}?fait=cle")

    @router.get(f"{KEYS}/nouvelle")
    def key_form(request: Request, principal: Owner) -> Response:
        return send_form(pages, request, _key_page(principal))

    @router.post(f"{KEYS}/nouvelle")
    def make_key(request: Request, principal: Owner, form: Fields) -> Response:
        """The secret is in the answer to the form alone: it is shown once, and stands in no address."""
        state = request.app.state
        scopes = [str(each) for each in Permission if f"droits_{each}" in form]
        wish = api_keys.KeyWish(
            form.get("nom", ""), scopes, _number(form.get("appels", "")), _number(form.get("jours", ""))
        )
        try:
            _, secret = api_keys.make_key(state.engine, state.keys, principal, wish, door.now_of(request))
        except MobigoError as error:
            return send_refused(pages, request, _key_page(principal), error, form)
        return keys_page(request, principal, say("people.keys.made"), secret)

    return router
