"""Account: what is known of oneself, one's details and password."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from mobigo.security import Permission
from mobigo.services.people import accounts
from mobigo.services.people.principal import Principal
from mobigo.services.people.provider import Provider
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import (
    OWNER,
    Field,
    Fields,
    FormPage,
    Link,
    Owner,
    ask_code,
    new_password,
    send_form,
    send_refused,
)
from mobigo.web.people.signing import HOME
from mobigo.web.wording import say, spelled_phone
from socle.errors import MobigoError

DETAILS = "/compte/coordonnees"
PASSWORD = "/compte/mot-de-passe"  # noqa: S105  an address
DEVICES = "/compte/appareils"
KEYS = "/compte/cles"
# Where each permission leads; a page stands here once it exists.
WORK: Sequence[tuple[Permission, str, str]] = (
    (Permission.PEOPLE_READ, "/personnes", "people.account.people"),
    (Permission.AUDIT_READ, "/journal", "personal.audit.title"),
    (Permission.AUDIT_READ, "/conservation", "personal.retention.title"),
    (Permission.JOBS_READ, "/administration/taches", "jobs.title"),
    (Permission.SCHOOL_PLAN, "/scolaire", "scolaire.desk.title"),
    (Permission.SCHOOL_OFFICE, "/scolaire/messages", "scolaire.messages.title"),
    (Permission.SCHOOL_MONEY_READ, "/scolaire/contrats", "scolaire.contracts.title"),
    (Permission.SCHOOL_CARRY, "/exploitant", "scolaire.carrier.title"),
    (Permission.CARPOOL_MONEY_READ, "/finances/covoiturage", "covoiturage.finances.title"),
    (Permission.CARPOOL_HOLDS, "/covoiturage/controles", "covoiturage.holds.title"),
    (Permission.CARPOOL_HOLDS, "/covoiturage/litiges", "covoiturage.disputes.title"),
    (Permission.CARPOOL_MONEY_READ, "/finances/regles", "covoiturage.drafts.title"),
    (Permission.SCHOOL_OFFICE, "/scolaire/bureau", "school.office"),
    (Permission.SCHOOL_ORGANISE, "/scolaire/communes", "school.communes"),
    (Permission.SCHOOL_ORGANISE, "/scolaire/arrets", "school.stops.title"),
    (Permission.SCHOOL_ORGANISE, "/scolaire/communes/cartes", "scolaire.cards.title"),
    (Permission.SCHOOL_ORGANISE, "/scolaire/communes/remplissage", "scolaire.fill.title"),
    (Permission.SCHOOL_PLAN, "/scolaire/remplissage", "scolaire.fill.title"),
)
DONE = frozenset({"appareil", "cle", "coordonnees", "mot-de-passe", "versements"})
_KINDS = {"courriel": "email", "telephone": "phone"}


@dataclass(frozen=True, slots=True)
class Line:
    """Something known: its name, what it is, and a remark."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One's own account."""

    title: str
    said: str
    lines: Sequence[Line]
    ways: Sequence[Link]
    work: Sequence[Link]


def back_to_account() -> Link:
    """To the page of one's account."""
    return Link(HOME, say("people.account.title"))


def _account_page(account: accounts.Account, principal: Principal, provider: Provider | None, said: str) -> AccountPage:
    identity = account.identity
    verified = {True: say("people.account.verified"), False: say("people.account.unverified")}
    lines = [Line(say("people.name"), identity.name)]
    if identity.email:
        lines.append(Line(say("people.email"), identity.email, verified[identity.email_verified_at is not None]))
    if identity.phone:
        lines.append(
            Line(say("people.phone"), spelled_phone(identity.phone), verified[identity.phone_verified_at is not None])
        )
    lines.append(Line(say("people.reference"), spelled_reference(account.person.reference)))
    lines.append(Line(say("people.roles"), ", ".join(sorted(say(f"people.role.{role}") for role in account.roles))))
    lines.extend(Line(say("people.account.issuer"), say_how(provider, issuer)) for issuer in account.issuers)
    password = "people.account.password" if account.has_password else "people.account.first_password"
    return AccountPage(
        title=say("people.account.title"),
        said=said,
        lines=lines,
        ways=(
            Link(DETAILS, say("people.account.details")),
            Link(PASSWORD, say(password)),
            Link(DEVICES, say("people.account.devices")),
            Link(KEYS, say("people.account.keys")),
            Link("/compte/trajets", say("meeting.mine.title")),
            Link("/compte/covoiturages", say("covoiturage.mine.title")),
            Link("/scolaire/demande", say("school.account")),
            Link("/compte/mes-donnees", say("personal.mine.title")),
            Link("/compte/consentements", say("personal.consents.title")),
            Link("/compte/effacer", say("personal.erase.title")),
        ),
        work=[Link(href, say(key)) for permission, href, key in WORK if principal.may(permission)],
    )


def say_how(provider: Provider | None, how: str) -> str:
    """How somebody came in: by a password, a code, or another service."""
    if how in {"password", "code"}:
        return say(f"people.how.{how}")
    return provider.access.name if provider and provider.access.issuer == how else urlsplit(how).hostname or how


def say_done(what: str) -> str:
    """What was done, when the address says so."""
    return say(f"people.done.{what}") if what in DONE else ""


def spelled_reference(reference: str) -> str:
    """A reference as it is read aloud: in two halves."""
    return f"{reference[:4]} {reference[4:]}"


def _details_page(account: accounts.Account) -> FormPage:
    identity = account.identity
    return FormPage(
        title=say("people.details.title"),
        action=DETAILS,
        submit=say("people.details.submit"),
        lead=say("people.details.lead"),
        fields=(
            Field("nom", say("people.name"), value=identity.name, autocomplete="name", most=100),
            Field("courriel", say("people.email"), "email", identity.email, autocomplete="email", required=False),
            Field(
                "telephone",
                say("people.phone"),
                "tel",
                spelled_phone(identity.phone),
                autocomplete="tel",
                required=False,
                most=30,
            ),
        ),
        back=back_to_account(),
    )


def _password_page(*, has_password: bool) -> FormPage:
    old = Field("ancien", say("people.change.old"), "password", autocomplete="current-password", most=256)
    return FormPage(
        title=say("people.change.title"),
        action=PASSWORD,
        submit=say("people.change.submit"),
        lead=say("people.change.lead"),
        fields=(*((old,) if has_password else ()), new_password(say("people.change.new"))),
        back=back_to_account(),
    )


def _contact_code_page(code_id: str) -> FormPage:
    return ask_code(say("people.details.code_title"), f"{DETAILS}/code", code_id)


def make_router(pages: Pages) -> APIRouter:
    """`/compte` and what is below it."""
    router = APIRouter(include_in_schema=False)

    @router.get(HOME)
    def account_page(request: Request, principal: Owner, fait: str = "") -> Response:
        state = request.app.state
        account = accounts.get_account(state.engine, state.keys, principal)
        page = _account_page(account, principal, state.provider, say_done(fait))
        return pages.send(request, "people/account.html", cache="no-store", page=page)

    @router.get(DETAILS)
    def details_form(request: Request, principal: Owner) -> Response:
        state = request.app.state
        return send_form(pages, request, _details_page(accounts.get_account(state.engine, state.keys, principal)))

    @router.post(DETAILS)
    def change_details(request: Request, principal: Owner, form: Fields) -> Response:
        """The name at once; one new address or number by a code, the other one next time."""
        state, now = request.app.state, door.now_of(request)
        account = accounts.get_account(state.engine, state.keys, principal)
        try:
            if form.get("nom", "") != account.identity.name:
                accounts.change_name(state.engine, state.keys, principal, form.get("nom", ""), now)
            for field, kind in _KINDS.items():
                typed, known = form.get(field, "").strip(), getattr(account.identity, kind)
                if typed in {known, spelled_phone(known)}:
                    continue
                if not typed:
                    accounts.remove_contact(state.engine, state.keys, principal, kind, now)
                    continue
                where = door.where_of(request)
                code_id = accounts.ask_contact(state.engine, state.keys, principal, kind, typed, where, now)
                return door.go(f"{DETAILS}/code?demande={code_id}")
        except MobigoError as error:
            return send_refused(pages, request, _details_page(account), error, form)
        return door.go(f"{HOME}?fait=coordonnees")

    @router.get(f"{DETAILS}/code", dependencies=[OWNER])
    def contact_code_form(request: Request, demande: str = "") -> Response:
        return send_form(pages, request, _contact_code_page(demande))

    @router.post(f"{DETAILS}/code")
    def contact_code(request: Request, principal: Owner, form: Fields) -> Response:
        state, code_id = request.app.state, form.get("demande", "")
        try:
            accounts.finish_contact(
                state.engine, state.keys, principal, code_id, form.get("code", ""), door.now_of(request)
            )
        except MobigoError as error:
            return send_refused(pages, request, _contact_code_page(code_id), error, form)
        return door.go(f"{HOME}?fait=coordonnees")

    @router.get(PASSWORD)
    def password_form(request: Request, principal: Owner) -> Response:
        state = request.app.state
        account = accounts.get_account(state.engine, state.keys, principal)
        return send_form(pages, request, _password_page(has_password=account.has_password))

    @router.post(PASSWORD)
    def change_password(request: Request, principal: Owner, form: Fields) -> Response:
        state = request.app.state
        old, new = form.get("ancien", ""), form.get("mot_de_passe", "")
        where, now = door.where_of(request), door.now_of(request)
        try:
            accounts.change_password(state.engine, state.keys, principal, old, new, where, now)
        except MobigoError as error:
            account = accounts.get_account(state.engine, state.keys, principal)
            return send_refused(pages, request, _password_page(has_password=account.has_password), error, form)
        return door.go(f"{HOME}?fait=mot-de-passe")

    return router
