"""Door: what was tried to get in, and the codes that were sent; both are forgotten soon."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Session, col, select

from mobigo.security import CLOCKS_DIFFER, Keys
from mobigo.store.people.rows import CodeRow, TryRow
from mobigo.store.turns import take_turn as take_turn  # of who counts tries
from socle.errors import NotFound


class TryKind(StrEnum):
    """What is tried."""

    SIGN_IN = "sign_in"
    CODE = "code"
    BOARDING = "boarding"


@dataclass(frozen=True, slots=True)
class Tries:
    """How often something failed of late, and when last."""

    n: int
    last_at: datetime | None


def tries_of_account(session: Session, kind: TryKind, account: str, since: datetime) -> Tries:
    """The failed tries on an account since an instant, and since the last that succeeded."""
    succeeded_at = session.exec(
        select(func.max(TryRow.at)).where(TryRow.kind == kind, TryRow.account == account, col(TryRow.succeeded))
    ).one()
    after = max(since, succeeded_at) if succeeded_at else since
    counted = select(func.count(), func.max(TryRow.at)).where(
        TryRow.kind == kind, TryRow.account == account, ~col(TryRow.succeeded), col(TryRow.at) > after
    )
    n, last_at = session.exec(counted).one()
    return Tries(n, last_at)


def tries_of_address(session: Session, kind: TryKind, address: str, since: datetime) -> Tries:
    """The failed tries from an address since an instant."""
    counted = select(func.count(), func.max(TryRow.at)).where(
        TryRow.kind == kind, TryRow.address == address, ~col(TryRow.succeeded), col(TryRow.at) > since
    )
    n, last_at = session.exec(counted).one()
    return Tries(n, last_at)


def add_try(session: Session, kind: TryKind, account: str, address: str, now: datetime) -> int:
    """Note a try before it is known how it ends, so that many at once are all counted; its number."""
    row = TryRow(kind=kind, account=account, address=address, at=now, succeeded=False)
    session.add(row)
    session.flush()
    if row.id is None:
        raise ValueError("a row that was never stored")
    return row.id


def mark_succeeded(session: Session, try_id: int) -> None:
    """The try went well."""
    row = session.get_one(TryRow, try_id)
    row.succeeded = True
    session.add(row)


class Purpose(StrEnum):
    """What a code is for."""

    JOIN = "join"
    RESET = "reset"
    CONTACT = "contact"
    BOARDING = "boarding"  # read out to a driver, who types it
    NOTICE = "notice"  # of which nobody is told the code


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that was asked for; `facts` say what happens when it comes back, and where it goes."""

    code_id: str
    purpose: Purpose
    person_id: str | None
    facts: Mapping[str, str]
    expires_at: datetime


def add_code(
    session: Session,
    keys: Keys,
    purpose: Purpose,
    code: str,
    person_id: str | None,
    facts: Mapping[str, str],
    now: datetime,
    life: timedelta,
) -> str:
    """Keep a code that will be sent, with what it is for; the id under which it is asked back."""
    code_id = secrets.token_urlsafe(16)
    session.add(
        CodeRow(
            id=code_id,
            purpose=purpose,
            person_id=person_id,
            code_hash=keys.token_hash(f"{code_id} {code}"),
            sealed=keys.seal(json.dumps({**facts, "code": code}), f"one_time_code:{code_id}"),
            made_at=now,
            expires_at=now + life,
        )
    )
    session.flush()
    return code_id


def get_code(session: Session, keys: Keys, code_id: str) -> Asked:
    """A code asked for, used or not.

    Raises:
        NotFound: `unknown_code`.
    """
    row = session.get(CodeRow, code_id)
    if row is None:
        raise NotFound("unknown_code")
    facts = json.loads(keys.open(row.sealed, f"one_time_code:{code_id}"))
    return Asked(row.id, Purpose(row.purpose), row.person_id, facts, row.expires_at)


def use_code(
    session: Session, keys: Keys, purpose: Purpose, code_id: str, code: str, most_tries: int, now: datetime
) -> Asked | None:
    """What a code was asked for, when it is the right one, for the first time, in time; None otherwise.

    Wrong ones are counted, and after `most_tries` the right one comes too late.
    """
    row = session.get(CodeRow, code_id, with_for_update=True)
    if row is None or row.purpose != purpose or row.used_at is not None:
        return None
    row.n_tries += 1
    session.add(row)
    right = keys.is_token(row.code_hash, f"{code_id} {code}")
    if not right or row.n_tries > most_tries or not row.made_at - CLOCKS_DIFFER <= now <= row.expires_at:
        return None
    row.used_at = now
    return get_code(session, keys, code_id)
