"""Principal: who asks, as a session or an API key tells, and what they may do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from mobigo.security import PRIVATE_ROLES, Keys, Permission, Role, permissions_of
from mobigo.store.base import reading, transaction
from mobigo.store.people.access import OpenSession, count_call, find_key, find_session, touch_session
from mobigo.store.people.accounts import Person, PersonState, get_person
from mobigo.store.people.roles import roles_of
from mobigo.store.personal import Whose
from socle.errors import Forbidden, NotSignedIn, TooOften

KEY_PREFIX = "mobigo"
_TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SessionLife:
    """For how long somebody stays signed in: without doing anything, and at most."""

    idle: timedelta
    at_most: timedelta


PRIVATE_LIFE = SessionLife(timedelta(days=14), timedelta(days=90))
WORK_LIFE = SessionLife(timedelta(hours=2), timedelta(hours=12))


def life_of(roles: Collection[Role]) -> SessionLife:
    """How long a session of somebody with these roles lives."""
    return PRIVATE_LIFE if PRIVATE_ROLES.issuperset(roles) else WORK_LIFE


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `how` they came in: password, code, an issuer, or key; `token_hash` names the session, if any."""

    person_id: str
    pseudonym: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    how: str
    token_hash: str = ""
    key_id: str = ""

    @property
    def actor(self) -> str:
        """Who this is in the audit log."""
        return f"key:{self.key_id}" if self.key_id else self.whose.name

    @property
    def whose(self) -> Whose:
        """The person, as what is personal is kept."""
        return Whose(self.person_id, self.pseudonym)

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Go on only when this is allowed.

        Raises:
            Forbidden: `not_allowed`.
        """
        if not self.may(permission):
            raise Forbidden("not_allowed", permission=permission)


def principal_of(
    person: Person, roles: frozenset[Role], how: str, *, token_hash: str = "", key_id: str = ""
) -> Principal:
    """Somebody with all that their roles allow."""
    return Principal(person.person_id, person.pseudonym, roles, permissions_of(roles), how, token_hash, key_id)


def is_over(session: OpenSession, roles: Collection[Role], now: datetime) -> bool:
    """Whether a session has come to its end."""
    life = life_of(roles)
    return now - session.made_at > life.at_most or now - session.seen_at > life.idle


def find_by_token(engine: Engine, keys: Keys, token: str, now: datetime) -> Principal | None:
    """Who holds the token of a session that is not over."""
    token_hash = keys.token_hash(token)
    with reading(engine) as session:
        found = find_session(session, token_hash)
        if found is None:
            return None
        person = get_person(session, found.person_id)
        roles = roles_of(session, [person.person_id])[person.person_id]
    if person.state is not PersonState.ACTIVE or is_over(found, roles, now):
        return None
    if now - found.seen_at > _TOUCH_EVERY:
        with transaction(engine) as session:
            touch_session(session, token_hash, now)
    return principal_of(person, roles, found.how, token_hash=token_hash)


def get_by_bearer(engine: Engine, keys: Keys, bearer: str, now: datetime) -> Principal:
    """Who shows this session token or API key; a call by key is counted.

    Raises:
        NotSignedIn: `bad_token`.
        TooOften: `quota_used`.
    """
    prefix, _, rest = bearer.partition("_")
    if prefix != KEY_PREFIX:
        principal = find_by_token(engine, keys, bearer, now)
        if principal is None:
            raise NotSignedIn("bad_token")
        return principal
    key_id, _, secret = rest.partition("_")
    with reading(engine) as session:
        found = find_key(session, key_id)
        if found is None or not keys.is_token(found[1], secret):
            raise NotSignedIn("bad_token")
        key = found[0]
        person = get_person(session, key.person_id)
        roles = roles_of(session, [person.person_id])[person.person_id]
    if person.state is not PersonState.ACTIVE or key.revoked_at is not None or now > key.expires_at:
        raise NotSignedIn("bad_token")
    with transaction(engine) as session:
        if not count_call(session, key_id, now):
            raise TooOften("quota_used", wait_s=60 - int(now.timestamp()) % 60, calls=key.calls_per_minute)
    allowed = permissions_of(roles) & {Permission(scope) for scope in key.scopes}
    return Principal(person.person_id, person.pseudonym, roles, allowed, "key", key_id=key_id)
