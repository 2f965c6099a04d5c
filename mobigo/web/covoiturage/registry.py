"""Registry on a page: what the national registry refused, why, and the button that sends it once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.security import Permission
from mobigo.services.covoiturage import registrar
from mobigo.services.covoiturage.registrar import Refusal
from mobigo.services.people.principal import Principal
from mobigo.texts import all_texts, error_sentence, text
from mobigo.web import door
from mobigo.web.covoiturage.finances import FINANCES, Clerk, Reader
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.wording import moment, say
from socle.errors import MobigoError

REGISTRY = f"{FINANCES}/registre"


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """One refusal: which ride, what was told when, and why it was not taken; `action`: where it is sent again."""

    ride_id: str
    told: str
    at: str
    why: Sequence[str]
    action: str


@dataclass(frozen=True, slots=True)
class RegistryPage:
    """What the registry refused, the latest first."""

    title: str
    said: str
    problems: Sequence[Link]
    rows: Sequence[RefusalRow]
    back: Link


def _reasons(refusal: Refusal) -> list[str]:
    """Each label of the registry, or code of ours, in French; one that nobody foresaw as it is."""
    message = refusal.message
    labels = [one for one in message.why.split(", ") if one]
    told = [text(f"registry.why.{one}") if f"registry.why.{one}" in all_texts() else one for one in labels]
    if message.http_status is not None:
        told.append(say("covoiturage.registry.status", status=message.http_status))
    return told


def _row(refusal: Refusal, *, may_send: bool) -> RefusalRow:
    message = refusal.message
    return RefusalRow(
        message.ride_id,
        text(f"cli.registry.kind_{message.kind}"),
        moment(message.sent_at or message.made_at),
        _reasons(refusal),
        f"{REGISTRY}/{message.ride_id}" if may_send and refusal.may_send else "",
    )


def _page(request: Request, principal: Principal, error: MobigoError | None = None) -> RegistryPage:
    now = door.now_of(request)
    may_send = principal.may(Permission.CARPOOL_MONEY_PREPARE)
    listed = registrar.list_refusals(request.app.state.engine, now)
    is_done = request.query_params.get("fait") == "oui" and error is None
    return RegistryPage(
        title=say("covoiturage.registry.title"),
        said=say("covoiturage.registry.done") if is_done else "",
        problems=[Link("#refus", error_sentence(error))] if error else (),
        rows=[_row(one, may_send=may_send) for one in listed],
        back=Link(FINANCES, say("covoiturage.finances.title")),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/finances/covoiturage/registre`."""
    router = APIRouter(include_in_schema=False)

    @router.get(REGISTRY)
    def shown(request: Request, principal: Reader) -> Response:
        page = _page(request, principal)
        return pages.send(request, "covoiturage/registry.html", cache="no-store", page=page)

    @router.post(f"{REGISTRY}/{{ride_id}}")
    def send_again(request: Request, principal: Clerk, ride_id: str, _form: Fields) -> Response:
        try:
            registrar.send_again(request.app.state.engine, ride_id, principal.actor, door.now_of(request))
        except MobigoError as error:
            page = _page(request, principal, error)
            status = status_of(error)
            return pages.send(request, "covoiturage/registry.html", status=status, cache="no-store", page=page)
        return door.go(door.with_query(REGISTRY, fait="oui"))

    return router
