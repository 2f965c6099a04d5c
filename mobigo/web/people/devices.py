"""Devices: where one is signed in, and signing out there from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.people import signing
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import DEVICES, back_to_account, say_done, say_how
from mobigo.web.people.forms import Fields, Link, Owner
from mobigo.web.wording import moment, say


@dataclass(frozen=True, slots=True)
class Device:
    """A browser signed in."""

    session_id: str
    name: str
    how: str
    made: str
    seen: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class DevicesPage:
    """Where one is signed in."""

    title: str
    said: str
    devices: Sequence[Device]
    back: Link


def make_router(pages: Pages) -> APIRouter:
    """`/compte/appareils`."""
    router = APIRouter(include_in_schema=False)

    @router.get(DEVICES)
    def devices(request: Request, principal: Owner, fait: str = "") -> Response:
        open_sessions = signing.list_own_sessions(request.app.state.engine, principal, door.now_of(request))
        page = DevicesPage(
            say("people.devices.title"),
            say_done(fait),
            [
                Device(
                    each.session_id,
                    each.device or say("people.devices.unknown"),
                    say_how(request.app.state.provider, each.how),
                    moment(each.made_at),
                    moment(each.seen_at),
                    each.token_hash == principal.token_hash,
                )
                for each in open_sessions
            ],
            back_to_account(),
        )
        return pages.send(request, "people/devices.html", cache="no-store", page=page)

    @router.post(DEVICES)
    def close_device(request: Request, principal: Owner, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        if form.get("appareil", "") == "autres":
            signing.close_other_sessions(state.engine, principal, now)
        else:
            signing.close_own_session(state.engine, principal, form.get("appareil", ""), now)
        return door.go(f"{DEVICES}?fait=appareil")

    return router
