"""Rows of people; private to this room."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from mobigo.store.base import UtcDateTime


class PersonRow(SQLModel, table=True):
    """One person, without anything that says who."""

    __tablename__ = "person"

    id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
    reference: str = Field(unique=True)  # what stands on their paper, to be told to an agent
    state: str
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class IdentityRow(SQLModel, table=True):
    """Who a person is. Every value is sealed; the indexes are keyed and tell only whether two are equal."""

    __tablename__ = "identity"

    person_id: str = Field(foreign_key="person.id", primary_key=True)
    name: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    email: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    phone: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    iban: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    name_index: str | None = Field(default=None, index=True)
    email_index: str | None = Field(default=None, unique=True)
    phone_index: str | None = Field(default=None, unique=True)
    email_verified_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    phone_verified_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class PasswordRow(SQLModel, table=True):
    """The hash of a person's password."""

    __tablename__ = "password"

    person_id: str = Field(foreign_key="person.id", primary_key=True)
    hash: str
    set_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class OutsideSignInRow(SQLModel, table=True):
    """A person as an OpenID Connect provider knows them."""

    __tablename__ = "outside_sign_in"

    subject_index: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    issuer: str
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class RoleRow(SQLModel, table=True):
    """One role given; the row stays when the role is taken."""

    __tablename__ = "role_given"
    __table_args__ = (
        Index(
            "ix_role_given_held",
            "person_id",
            "role",
            unique=True,
            sqlite_where=sa.text("taken_at IS NULL"),
            postgresql_where=sa.text("taken_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    role: str
    given_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    given_by: str
    why: str
    taken_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    taken_by: str = ""
    taken_why: str = ""


class SessionRow(SQLModel, table=True):
    """One browser or program signed in; gone when it signs out."""

    __tablename__ = "session"

    token_hash: str = Field(primary_key=True)
    id: str = Field(unique=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    how: str
    device: str
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class KeyRow(SQLModel, table=True):
    """One API key, with the calls counted in its present minute."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    secret_hash: str
    person_id: str = Field(foreign_key="person.id", index=True)
    name: str
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    calls_per_minute: int
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    minute: int = 0  # whole minutes since 1970 in which `n_calls` are counted
    n_calls: int = 0


class TryRow(SQLModel, table=True):
    """One try at the door: a sign-in or a code asked for, under keyed indexes of the account and the address."""

    __tablename__ = "door_try"
    __table_args__ = (
        Index("ix_door_try_account", "kind", "account", "at"),
        Index("ix_door_try_address", "kind", "address", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    account: str
    address: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    succeeded: bool


class CodeRow(SQLModel, table=True):
    """One code sent, or only said to be sent: what it is for is sealed beside it."""

    __tablename__ = "one_time_code"

    id: str = Field(primary_key=True)
    purpose: str
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    code_hash: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    n_tries: int = 0
    used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
