"""What the tables of people hold, how it is told to the person, and how it is taken away.

Erasure leaves no row: what was done under the pseudonym stays elsewhere, and names nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from mobigo.store.base import change
from mobigo.store.people.rows import (
    CodeRow,
    IdentityRow,
    KeyRow,
    OutsideSignInRow,
    PasswordRow,
    PersonRow,
    RoleRow,
    SessionRow,
    TryRow,
)
from mobigo.store.personal import Holding, OpensSealed, Row, Value, Whose

SEALED = ("name", "email", "phone", "iban")


def identity_place(column: str, person_id: str) -> str:
    """Where a value of `identity` stands: what it is sealed for."""
    return f"identity.{column}:{person_id}"


def _of_person(
    table: type[SQLModel], told: Callable[[Any], dict[str, Value]], *columns: str, owner: str = "person_id"
) -> Holding:
    """A table whose rows belong to the person of `owner`; `told` of a row is what the person reads."""
    owned = col(getattr(table, owner))

    def export(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
        for row in session.exec(select(table).where(owned == whose.person_id)):
            yield told(row)

    def erase(session: Session, whose: Whose) -> int:
        return change(session, delete(table).where(owned == whose.person_id))

    return Holding(str(table.__tablename__), (owner, *columns), export, erase)


def _export_identity(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    row = session.get(IdentityRow, whose.person_id)
    if row is None:
        return
    told: dict[str, Value] = {
        column: keys.open(sealed, identity_place(column, whose.person_id))
        for column in SEALED
        if (sealed := getattr(row, column)) is not None
    }
    yield told | {"email_verified_at": row.email_verified_at, "phone_verified_at": row.phone_verified_at}


def _erase_identity(session: Session, whose: Whose) -> int:
    return change(session, delete(IdentityRow).where(col(IdentityRow.person_id) == whose.person_id))


def _accounts(session: Session, whose: Whose) -> list[str]:
    """The indexes under which tries on this person's account are counted."""
    row = session.get(IdentityRow, whose.person_id)
    return [index for index in (row.email_index, row.phone_index) if index] if row else []


def _export_tries(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    accounts = _accounts(session, whose)
    for row in session.exec(select(TryRow).where(col(TryRow.account).in_(accounts)).order_by(col(TryRow.id))):
        yield {"at": row.at, "kind": row.kind, "succeeded": row.succeeded}


def _erase_tries(session: Session, whose: Whose) -> int:
    return change(session, delete(TryRow).where(col(TryRow.account).in_(_accounts(session, whose))))


# In the order of erasure: what refers to a row goes before it, and tries are found by the identity.
HOLDINGS: Sequence[Holding] = (
    Holding("door_try", ("account", "address"), _export_tries, _erase_tries),
    _of_person(
        SessionRow, lambda row: {"at": row.made_at, "seen_at": row.seen_at, "how": row.how, "device": row.device}
    ),
    _of_person(
        KeyRow,
        lambda row: {
            "at": row.made_at,
            "name": row.name,
            "scopes": ", ".join(row.scopes),
            "expires_at": row.expires_at,
            "revoked_at": row.revoked_at,
        },
        "name",
    ),
    _of_person(CodeRow, lambda row: {"at": row.made_at, "purpose": row.purpose, "used_at": row.used_at}),
    _of_person(
        RoleRow,
        lambda row: {
            "at": row.given_at,
            "role": row.role,
            "why": row.why,
            "taken_at": row.taken_at,
            "taken_why": row.taken_why,
        },
    ),
    _of_person(OutsideSignInRow, lambda row: {"at": row.made_at, "issuer": row.issuer}, "subject_index"),
    _of_person(PasswordRow, lambda row: {"at": row.set_at}),
    Holding(
        "identity",
        ("person_id", *SEALED, *(f"{name}_index" for name in SEALED[:3]), "email_verified_at", "phone_verified_at"),
        _export_identity,
        _erase_identity,
    ),
    _of_person(
        PersonRow,
        lambda row: {"at": row.made_at, "reference": row.reference, "state": row.state},
        "pseudonym",
        "reference",
        owner="id",
    ),
)
