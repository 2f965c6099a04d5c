"""People: one's own account, and the accounts of others, for programs that show a key or a session's token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from msgspec import Struct

from mobigo.api.access import PUBLIC, Needs, decode, now_of, private_json, read_json
from mobigo.api.reference import describe
from mobigo.security import Permission, Role
from mobigo.services.people import accounts, administration, api_keys, signing
from mobigo.services.people.administration import Details
from mobigo.services.people.principal import Principal, life_of
from mobigo.services.people.signing import Where
from mobigo.texts import text
from socle.errors import BadInput


class SignInBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Who comes in, and what proves it."""

    contact: str
    password: str


class KeyBody(Struct, rename="camel", forbid_unknown_fields=True):
    """A key that is wished for."""

    name: str
    scopes: list[str]
    calls_per_minute: int = 60
    days: int = 90


class PersonBody(Struct, rename="camel", forbid_unknown_fields=True):
    """What somebody tells of themselves."""

    name: str
    email: str = ""
    phone: str = ""
    why: str = ""


class SearchBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Who is looked for: an e-mail address, a number, a whole name or a reference."""

    who: str


class RoleBody(Struct, rename="camel", forbid_unknown_fields=True):
    """A role given or taken, and why."""

    role: str
    why: str
    given: bool = True


class StateBody(Struct, rename="camel", forbid_unknown_fields=True):
    """An account suspended or opened again, and why."""

    suspended: bool
    why: str


class SignedInAnswer(Struct, rename="camel"):
    """A session: the token to show from now on, and when it ends at the latest."""

    token: str
    ends_at: datetime


class AccountAnswer(Struct, rename="camel"):
    """One's own account."""

    pseudonym: str
    reference: str
    name: str
    email: str
    email_verified: bool
    phone: str
    phone_verified: bool
    roles: list[str]
    permissions: list[str]


class KeyAnswer(Struct, rename="camel", omit_defaults=True):
    """An API key; `secret` only in the answer that makes it."""

    key_id: str
    name: str
    scopes: list[str]
    calls_per_minute: int
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None
    secret: str = ""


class KeysAnswer(Struct, rename="camel"):
    """One's API keys, the newest first."""

    keys: list[KeyAnswer]


class PersonAnswer(Struct, rename="camel"):
    """Somebody, as an agent sees them."""

    pseudonym: str
    reference: str
    name: str
    email: str
    phone: str
    state: str
    roles: list[str]


class PeopleAnswer(Struct, rename="camel"):
    """People found."""

    people: list[PersonAnswer]


class DoneAnswer(Struct, rename="camel"):
    """What was asked is done."""

    done: bool = True


class NoParams(Struct):
    """Nothing is asked in the address."""


Body = Annotated[bytes, Depends(read_json)]
Pseudonym = Annotated[str, Path(description=text("api.parameters.pseudonym"))]
KeyId = Annotated[str, Path(description=text("api.parameters.keyId"))]
Owner = Annotated[Principal, Depends(Needs(Permission.OWN_ACCOUNT))]
Reader = Annotated[Principal, Depends(Needs(Permission.PEOPLE_READ))]
Helper = Annotated[Principal, Depends(Needs(Permission.PEOPLE_HELP))]
Giver = Annotated[Principal, Depends(Needs(Permission.ROLES_GIVE))]
Suspender = Annotated[Principal, Depends(Needs(Permission.PEOPLE_SUSPEND))]

router = APIRouter(tags=["people"])


def _told(name: str, answer: type[Any], body: type[Any] | None = None) -> dict[str, Any]:
    """What OpenAPI says of an endpoint of this room."""
    return {
        "operation_id": name,
        "response_model": None,
        "openapi_extra": describe(name, NoParams, answer, body, private=True),
    }


def _where(request: Request) -> Where:
    return Where(request.client.host if request.client else "")


def _person(found: administration.Found | administration.Dossier) -> PersonAnswer:
    return PersonAnswer(
        found.person.pseudonym,
        found.person.reference,
        found.identity.name,
        found.identity.email,
        found.identity.phone,
        str(found.person.state),
        sorted(found.roles),
    )


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise BadInput("unknown_role") from None


@router.post("/api/v1/account/sessions", dependencies=[PUBLIC], **_told("signIn", SignedInAnswer, SignInBody))
def sign_in(request: Request, body: Body) -> Response:
    """Sign in with a password: a token for `Authorization: Bearer`."""
    wish: SignInBody = decode(body, SignInBody)
    state, now = request.app.state, now_of(request)
    done = signing.sign_in(state.engine, state.keys, wish.contact, wish.password, _where(request), now)
    return private_json(SignedInAnswer(done.token, now + life_of(done.principal.roles).at_most))


@router.delete("/api/v1/account/sessions/current", **_told("signOut", DoneAnswer))
def sign_out(request: Request, principal: Owner) -> Response:
    """End the session whose token is shown."""
    state = request.app.state
    token = request.headers["authorization"].partition(" ")[2].strip()
    if principal.token_hash:
        signing.sign_out(state.engine, state.keys, token, now_of(request))
    return private_json(DoneAnswer())


@router.get("/api/v1/account", **_told("account", AccountAnswer))
def account(request: Request, principal: Owner) -> Response:
    """One's own account."""
    state = request.app.state
    own = accounts.get_account(state.engine, state.keys, principal)
    return private_json(
        AccountAnswer(
            own.person.pseudonym,
            own.person.reference,
            own.identity.name,
            own.identity.email,
            own.identity.email_verified_at is not None,
            own.identity.phone,
            own.identity.phone_verified_at is not None,
            sorted(own.roles),
            sorted(principal.permissions),
        )
    )


def _key(key: Any, secret: str = "") -> KeyAnswer:
    return KeyAnswer(
        key.key_id,
        key.name,
        list(key.scopes),
        key.calls_per_minute,
        key.made_at,
        key.expires_at,
        key.revoked_at,
        secret,
    )


@router.get("/api/v1/account/keys", **_told("keys", KeysAnswer))
def keys(request: Request, principal: Owner) -> Response:
    """One's API keys."""
    return private_json(KeysAnswer([_key(key) for key in api_keys.list_own_keys(request.app.state.engine, principal)]))


@router.post("/api/v1/account/keys", **_told("makeKey", KeyAnswer, KeyBody))
def make_key(request: Request, principal: Owner, body: Body) -> Response:
    """Make an API key; its secret is told once."""
    wish: KeyBody = decode(body, KeyBody)
    state = request.app.state
    asked = api_keys.KeyWish(wish.name, wish.scopes, wish.calls_per_minute, wish.days)
    key, secret = api_keys.make_key(state.engine, state.keys, principal, asked, now_of(request))
    return private_json(_key(key, secret))


@router.delete("/api/v1/account/keys/{key_id}", **_told("endKey", DoneAnswer))
def end_key(request: Request, principal: Owner, key_id: KeyId) -> Response:
    """End an API key."""
    api_keys.end_key(request.app.state.engine, principal, key_id, now_of(request))
    return private_json(DoneAnswer())


@router.post("/api/v1/people/search", **_told("findPeople", PeopleAnswer, SearchBody))
def find_people(request: Request, principal: Reader, body: Body) -> Response:
    """Find people; who is looked for stands in the body, so in no log."""
    wish: SearchBody = decode(body, SearchBody)
    state = request.app.state
    found = administration.find_people(state.engine, state.keys, principal, wish.who, now_of(request))
    return private_json(PeopleAnswer([_person(each) for each in found]))


@router.post("/api/v1/people", **_told("makePerson", PersonAnswer, PersonBody))
def make_person(request: Request, principal: Helper, body: Body) -> Response:
    """Make an account for somebody."""
    wish: PersonBody = decode(body, PersonBody)
    state, now = request.app.state, now_of(request)
    details = Details(wish.name, wish.email, wish.phone)
    person = administration.make_person(state.engine, state.keys, principal, details, now)
    return private_json(
        _person(administration.read_dossier(state.engine, state.keys, principal, person.pseudonym, now))
    )


@router.get("/api/v1/people/{pseudonym}", **_told("person", PersonAnswer))
def person(request: Request, principal: Reader, pseudonym: Pseudonym) -> Response:
    """Somebody's account."""
    state = request.app.state
    dossier = administration.read_dossier(state.engine, state.keys, principal, pseudonym, now_of(request))
    return private_json(_person(dossier))


@router.post("/api/v1/people/{pseudonym}/details", **_told("correctPerson", DoneAnswer, PersonBody))
def correct_person(request: Request, principal: Helper, pseudonym: Pseudonym, body: Body) -> Response:
    """Write down what somebody tells anew."""
    wish: PersonBody = decode(body, PersonBody)
    state, details = request.app.state, Details(wish.name, wish.email, wish.phone)
    administration.correct_person(state.engine, state.keys, principal, pseudonym, details, wish.why, now_of(request))
    return private_json(DoneAnswer())


@router.post("/api/v1/people/{pseudonym}/roles", **_told("changeRole", DoneAnswer, RoleBody))
def change_role(request: Request, principal: Giver, pseudonym: Pseudonym, body: Body) -> Response:
    """Give somebody a role, or take it."""
    wish: RoleBody = decode(body, RoleBody)
    change: Callable[..., None] = administration.give if wish.given else administration.take
    change(request.app.state.engine, principal, pseudonym, _role(wish.role), wish.why, now_of(request))
    return private_json(DoneAnswer())


@router.post("/api/v1/people/{pseudonym}/state", **_told("changeState", DoneAnswer, StateBody))
def change_state(request: Request, principal: Suspender, pseudonym: Pseudonym, body: Body) -> Response:
    """Suspend somebody's account, or open it again."""
    wish: StateBody = decode(body, StateBody)
    change = administration.suspend if wish.suspended else administration.restore
    change(request.app.state.engine, principal, pseudonym, wish.why, now_of(request))
    return private_json(DoneAnswer())
