"""Access: sessions and API keys, by the keyed hash of what their holder shows."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, or_, update
from sqlmodel import Session, col, select

from mobigo.store.base import change
from mobigo.store.people.rows import KeyRow, SessionRow
from socle.errors import NotFound


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One browser or program signed in; `how` is password, code or the issuer of an OpenID Connect provider."""

    session_id: str
    token_hash: str
    person_id: str
    how: str
    device: str
    made_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key: what it may do of what its person may, and how often."""

    key_id: str
    person_id: str
    name: str
    scopes: tuple[str, ...]
    calls_per_minute: int
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def open_session(
    session: Session, token_hash: str, person_id: str, how: str, device: str, now: datetime
) -> OpenSession:
    """Let a browser in."""
    row = SessionRow(
        token_hash=token_hash,
        id=secrets.token_hex(8),
        person_id=person_id,
        how=how,
        device=device,
        made_at=now,
        seen_at=now,
    )
    session.add(row)
    return _session(row)


def find_session(session: Session, token_hash: str) -> OpenSession | None:
    """The session of a token."""
    row = session.get(SessionRow, token_hash)
    return _session(row) if row else None


def touch_session(session: Session, token_hash: str, now: datetime) -> None:
    """Note that a session is in use."""
    change(session, update(SessionRow).where(col(SessionRow.token_hash) == token_hash).values(seen_at=now))


def list_sessions(session: Session, person_id: str) -> Sequence[OpenSession]:
    """Where somebody is signed in, the last used first."""
    rows = session.exec(
        select(SessionRow).where(SessionRow.person_id == person_id).order_by(col(SessionRow.seen_at).desc())
    )
    return [_session(row) for row in rows]


def close_session(session: Session, token_hash: str) -> bool:
    """Sign out; False when that was done already."""
    done = delete(SessionRow).where(col(SessionRow.token_hash) == token_hash)
    return change(session, done) == 1


def close_sessions(session: Session, person_id: str, *, but: str = "", session_id: str = "") -> int:
    """Sign somebody out: of one session by its id, or everywhere but where the token hash is `but`; of how many."""
    done = delete(SessionRow).where(col(SessionRow.person_id) == person_id, col(SessionRow.token_hash) != but)
    if session_id:
        done = done.where(col(SessionRow.id) == session_id)
    return change(session, done)


def add_key(session: Session, key: ApiKey, secret_hash: str) -> None:
    """Keep an API key."""
    session.add(
        KeyRow(
            id=key.key_id,
            secret_hash=secret_hash,
            person_id=key.person_id,
            name=key.name,
            scopes=list(key.scopes),
            calls_per_minute=key.calls_per_minute,
            made_at=key.made_at,
            expires_at=key.expires_at,
        )
    )
    session.flush()


def find_key(session: Session, key_id: str) -> tuple[ApiKey, str] | None:
    """An API key and the hash of its secret."""
    row = session.get(KeyRow, key_id)
    return (_key(row), row.secret_hash) if row else None


def list_keys(session: Session, person_id: str) -> Sequence[ApiKey]:
    """Somebody's API keys, the newest first."""
    rows = session.exec(
        select(KeyRow).where(KeyRow.person_id == person_id).order_by(col(KeyRow.made_at).desc(), col(KeyRow.id))
    )
    return [_key(row) for row in rows]


def count_call(session: Session, key_id: str, now: datetime) -> bool:
    """Count one call within the quota of the present minute; False, and uncounted, when it is used up.

    One statement, so that it is exact whatever calls at once.
    """
    minute = int(now.timestamp()) // 60
    counted = (
        update(KeyRow)
        .where(
            col(KeyRow.id) == key_id,
            or_(col(KeyRow.minute) != minute, col(KeyRow.n_calls) < col(KeyRow.calls_per_minute)),
        )
        .values(minute=minute, n_calls=case((col(KeyRow.minute) == minute, col(KeyRow.n_calls) + 1), else_=1))
    )
    return change(session, counted) == 1


def revoke_key(session: Session, person_id: str, key_id: str, now: datetime) -> None:
    """End a key of somebody; it stays listed.

    Raises:
        NotFound: `unknown_key`.
    """
    row = session.get(KeyRow, key_id)
    if row is None or row.person_id != person_id:
        raise NotFound("unknown_key")
    row.revoked_at = row.revoked_at or now
    session.add(row)


def _session(row: SessionRow) -> OpenSession:
    return OpenSession(row.id, row.token_hash, row.person_id, row.how, row.device, row.made_at, row.seen_at)


def _key(row: KeyRow) -> ApiKey:
    return ApiKey(
        row.id,
        row.person_id,
        row.name,
        tuple(row.scopes),
        row.calls_per_minute,
        row.made_at,
        row.expires_at,
        row.revoked_at,
    )
