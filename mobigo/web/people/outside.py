"""Outside: to the sign-in of another service, and back."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from mobigo.services.people.outside import ComingBack, come_back, go_outside
from mobigo.services.people.provider import Provider
from mobigo.web import door
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages, absolute
from mobigo.web.people.signing import HOME, OUTSIDE, let_in, send_sign_in
from socle.errors import MobigoError, NotFound

BACK = f"{door.SIGN_IN}/retour"


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotFound("unknown_path", path=request.url.path)
    return provider


def make_router(pages: Pages) -> APIRouter:
    """`/connexion/ailleurs`, `/connexion/retour`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

    @router.get(OUTSIDE)
    def leave(request: Request, suite: str = HOME) -> Response:
        provider, keys, now = _provider(request), request.app.state.keys, door.now_of(request)
        after, callback = door.own_path(suite, HOME), absolute(pages.site, request, BACK)
        try:
            address = go_outside(provider, keys, door.binding_of(request), callback, after, now)
        except MobigoError as error:
            return send_sign_in(pages, request, after, error)
        answer = door.go(address)
        door.give_cookie(request, answer)
        return answer

    @router.get(BACK)
    def come(request: Request, code: str = "", state: str = "", iss: str = "", error: str = "") -> Response:
        """The cookie comes back with the browser because it is Lax, and the provider sends it here by a link."""
        provider, known = _provider(request), request.app.state
        brought = ComingBack(code, state, iss, error)
        callback, where, now = absolute(pages.site, request, BACK), door.where_of(request), door.now_of(request)
        try:
            browser = door.binding_of(request)
            done, after = come_back(known.engine, known.keys, provider, brought, browser, callback, where, now)
        except MobigoError as refusal:
            return send_sign_in(pages, request, HOME, refusal)
        return let_in(request, done, door.own_path(after, HOME))

    return router
