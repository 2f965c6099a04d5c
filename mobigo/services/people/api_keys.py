"""API keys: what programs show to act for somebody, never more than that person may do."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from mobigo.security import Keys, Permission, new_token
from mobigo.services.people.contacts import read_name
from mobigo.services.people.principal import KEY_PREFIX, Principal
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.people.access import ApiKey, add_key, list_keys, revoke_key
from socle.errors import BadInput, Conflict, Forbidden

LONGEST_KEY_DAYS = 366
MOST_CALLS_PER_MINUTE = 600
MOST_KEYS = 20
_MOST_KEY_NAME_LETTERS = 60


@dataclass(frozen=True, slots=True)
class KeyWish:
    """An API key that somebody asks for; `scopes` are names of permissions."""

    name: str
    scopes: Sequence[str]
    calls_per_minute: int
    days: int


def make_key(engine: Engine, keys: Keys, principal: Principal, wish: KeyWish, now: datetime) -> tuple[ApiKey, str]:
    """An API key and what is shown once: `mobigo_<id>_<secret>`. It may do no more than who makes it.

    Raises:
        BadInput: `bad_name`, `bad_scope`, `bad_quota`, `bad_key_days`.
        Forbidden: `not_allowed`: by key no further key is made.
        Conflict: `too_many_keys`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    if principal.key_id:
        raise Forbidden("not_allowed", permission=Permission.OWN_ACCOUNT)
    name = read_name(wish.name)
    if len(name) > _MOST_KEY_NAME_LETTERS:
        raise BadInput("bad_name", most=_MOST_KEY_NAME_LETTERS)
    if not wish.scopes or not set(wish.scopes) <= {str(each) for each in principal.permissions}:
        raise BadInput("bad_scope")
    if not 1 <= wish.calls_per_minute <= MOST_CALLS_PER_MINUTE:
        raise BadInput("bad_quota", most=MOST_CALLS_PER_MINUTE)
    if not 1 <= wish.days <= LONGEST_KEY_DAYS:
        raise BadInput("bad_key_days", most=LONGEST_KEY_DAYS)
    secret = new_token()
    key = ApiKey(
        key_id=secrets.token_hex(8),
        person_id=principal.person_id,
        name=name,
        scopes=tuple(sorted(set(wish.scopes))),
        calls_per_minute=wish.calls_per_minute,
        made_at=now,
        expires_at=now + timedelta(days=wish.days),
        revoked_at=None,
    )
    with transaction(engine) as session:
        if sum(each.revoked_at is None for each in list_keys(session, principal.person_id)) >= MOST_KEYS:
            raise Conflict("too_many_keys", most=MOST_KEYS)
        add_key(session, key, keys.token_hash(secret))
        facts = {"key": key.key_id, "scopes": ", ".join(key.scopes)}
        record(session, AuditLine(now, principal.actor, "people.key_made", principal.whose.name, facts=facts))
    return key, f"{KEY_PREFIX}_{key.key_id}_{secret}"


def list_own_keys(engine: Engine, principal: Principal) -> Sequence[ApiKey]:
    """One's API keys, the newest first."""
    principal.require(Permission.OWN_ACCOUNT)
    with reading(engine) as session:
        return list_keys(session, principal.person_id)


def end_key(engine: Engine, principal: Principal, key_id: str, now: datetime) -> None:
    """End one of one's API keys.

    Raises:
        NotFound: `unknown_key`.
    """
    principal.require(Permission.OWN_ACCOUNT)
    with transaction(engine) as session:
        revoke_key(session, principal.person_id, key_id, now)
        facts = {"key": key_id}
        record(session, AuditLine(now, principal.actor, "people.key_ended", principal.whose.name, facts=facts))
