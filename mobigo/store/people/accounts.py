"""Accounts: people and their identity, password and sign-ins elsewhere."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from mobigo.security import CODE_LETTERS, Keys
from mobigo.store.base import change
from mobigo.store.people.holdings import SEALED, identity_place
from mobigo.store.people.rows import IdentityRow, OutsideSignInRow, PasswordRow, PersonRow
from mobigo.store.personal import Whose
from socle.errors import Conflict, NotFound

_FOUND_BY = ("name", "email", "phone")
N_REFERENCE_LETTERS = 8
_AT_ONCE = 500  # people in one question


class PersonState(StrEnum):
    """Whether somebody may come in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Person:
    """One person by pseudonym; `reference` is what they tell an agent who looks for them."""

    person_id: str
    pseudonym: str
    reference: str
    state: PersonState
    made_at: datetime

    @property
    def actor(self) -> str:
        """The name in the audit log."""
        return self.whose.name

    @property
    def whose(self) -> Whose:
        """The person, as what is personal is kept."""
        return Whose(self.person_id, self.pseudonym)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is; empty what is not known. An e-mail or number is verified once a code sent there came back."""

    name: str = ""
    email: str = ""
    phone: str = ""
    iban: str = ""
    email_verified_at: datetime | None = None
    phone_verified_at: datetime | None = None


def add_person(session: Session, keys: Keys, identity: Identity, now: datetime) -> Person:
    """Make a person.

    Raises:
        Conflict: `contact_taken` by another person.
    """
    person_id = secrets.token_hex(16)
    reference = "".join(secrets.choice(CODE_LETTERS) for _ in range(N_REFERENCE_LETTERS))
    row = PersonRow(
        id=person_id,
        pseudonym=keys.pseudonym(person_id),
        reference=reference,
        state=PersonState.ACTIVE,
        made_at=now,
    )
    session.add(row)
    session.flush()
    set_identity(session, keys, person_id, identity)
    return _person(row)


def set_identity(session: Session, keys: Keys, person_id: str, identity: Identity) -> None:
    """Keep who a person is, in place of what was known.

    Raises:
        Conflict: `contact_taken` by another person.
    """
    for kind in ("email", "phone"):
        value = getattr(identity, kind)
        holder = find_by_contact(session, keys, kind, value) if value else None
        if holder is not None and holder.person_id != person_id:
            raise Conflict("contact_taken")
    row = session.get(IdentityRow, person_id) or IdentityRow(person_id=person_id)
    for column in SEALED:
        value = getattr(identity, column)
        setattr(row, column, keys.seal(value, identity_place(column, person_id)) if value else None)
    for column in _FOUND_BY:
        value = getattr(identity, column)
        setattr(row, f"{column}_index", keys.blind(column, _folded(column, value)) if value else None)
    row.email_verified_at = identity.email_verified_at if identity.email else None
    row.phone_verified_at = identity.phone_verified_at if identity.phone else None
    session.add(row)
    try:
        session.flush()
    except IntegrityError:  # between the look above and now, on PostgreSQL
        raise Conflict("contact_taken") from None


def get_identity(session: Session, keys: Keys, person_id: str) -> Identity:
    """Who a person is.

    Raises:
        NotFound: `unknown_person`.
        Unavailable: `sealed_unreadable`.
    """
    row = session.get(IdentityRow, person_id)
    if row is None:
        raise NotFound("unknown_person")
    opened = {
        column: keys.open(sealed, identity_place(column, person_id))
        for column in SEALED
        if (sealed := getattr(row, column)) is not None
    }
    return Identity(**opened, email_verified_at=row.email_verified_at, phone_verified_at=row.phone_verified_at)


def reseal(session: Session, keys: Keys, limit: int) -> int:
    """Seal anew under the newest key what an older one sealed, for `limit` people at most; how many it was."""
    n_done = 0
    for row in session.exec(select(IdentityRow).order_by(col(IdentityRow.person_id))):
        sealed = [getattr(row, column) for column in SEALED if getattr(row, column) is not None]
        if all(keys.is_current(value) for value in sealed):
            continue
        if n_done == limit:
            break
        set_identity(session, keys, row.person_id, get_identity(session, keys, row.person_id))
        n_done += 1
    return n_done


def find_identity(session: Session, keys: Keys, pseudonym: str) -> Identity | None:
    """Who is behind a pseudonym; None once the account is gone."""
    try:
        return get_identity(session, keys, get_by_pseudonym(session, pseudonym).person_id)
    except NotFound:
        return None


def find_by_contact(session: Session, keys: Keys, kind: str, value: str) -> Person | None:
    """The person with this `email` or `phone`."""
    column = {"email": IdentityRow.email_index, "phone": IdentityRow.phone_index}[kind]
    row = session.exec(
        select(PersonRow)
        .join(IdentityRow, col(IdentityRow.person_id) == col(PersonRow.id))
        .where(col(column).in_(keys.blinds(kind, _folded(kind, value))))
    ).first()
    return _person(row) if row else None


def list_by_name(session: Session, keys: Keys, name: str, limit: int) -> list[Person]:
    """People of this whole name, whatever the order of its words, the accents and the case."""
    rows = session.exec(
        select(PersonRow)
        .join(IdentityRow, col(IdentityRow.person_id) == col(PersonRow.id))
        .where(col(IdentityRow.name_index).in_(keys.blinds("name", _folded("name", name))))
        .order_by(col(PersonRow.made_at).desc())
        .limit(limit)
    )
    return [_person(row) for row in rows]


def find_by_reference(session: Session, reference: str) -> Person | None:
    """The person who was given this reference."""
    row = session.exec(select(PersonRow).where(PersonRow.reference == reference)).one_or_none()
    return _person(row) if row else None


def get_person(session: Session, person_id: str) -> Person:
    """The person of an id.

    Raises:
        NotFound: `unknown_person`.
    """
    row = session.get(PersonRow, person_id)
    if row is None:
        raise NotFound("unknown_person")
    return _person(row)


def ibans_of(session: Session, keys: Keys, pseudonyms: Collection[str]) -> dict[str, str]:
    """The bank account of each of these people who gave one."""
    found: dict[str, str] = {}
    wanted = sorted(pseudonyms)
    for begin in range(0, len(wanted), _AT_ONCE):
        rows = session.exec(
            select(PersonRow.pseudonym, PersonRow.id, IdentityRow.iban)
            .join(IdentityRow, col(IdentityRow.person_id) == col(PersonRow.id))
            .where(col(PersonRow.pseudonym).in_(wanted[begin : begin + _AT_ONCE]), col(IdentityRow.iban).is_not(None))
        )
        found |= {
            name: keys.open(sealed, identity_place("iban", person_id)) for name, person_id, sealed in rows if sealed
        }
    return found


def get_by_pseudonym(session: Session, pseudonym: str) -> Person:
    """The person behind a pseudonym.

    Raises:
        NotFound: `unknown_person`.
    """
    if not pseudonym.isalnum():  # no pseudonym, and PostgreSQL refuses some characters loudly
        raise NotFound("unknown_person")
    row = session.exec(select(PersonRow).where(PersonRow.pseudonym == pseudonym)).one_or_none()
    if row is None:
        raise NotFound("unknown_person")
    return _person(row)


def lock_person(session: Session, person_id: str) -> None:
    """Let nobody add to what belongs to a person, or take from it, before this transaction ends."""
    session.exec(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update()).all()


def count_people(session: Session) -> int:
    """How many people there are."""
    return session.exec(select(func.count(col(PersonRow.id)))).one()


def set_state(session: Session, person: Person, state: PersonState) -> Person:
    """Let somebody in, or not."""
    row = session.get_one(PersonRow, person.person_id)
    row.state = state
    session.add(row)
    return replace(person, state=state)


def set_password(session: Session, person_id: str, hashed: str, now: datetime) -> None:
    """Keep the hash of a password in place of the former one."""
    session.merge(PasswordRow(person_id=person_id, hash=hashed, set_at=now))


def remove_password(session: Session, person_id: str) -> None:
    """Let nobody in by a password."""
    change(session, delete(PasswordRow).where(col(PasswordRow.person_id) == person_id))


def find_password(session: Session, person_id: str) -> str | None:
    """The hash of somebody's password, if they have one."""
    row = session.get(PasswordRow, person_id)
    return row.hash if row else None


def link_outside(session: Session, keys: Keys, person_id: str, issuer: str, subject: str, now: datetime) -> None:
    """Let a person in when `issuer` says that they are `subject`."""
    index = keys.blind("subject", f"{issuer}\0{subject}")
    session.merge(OutsideSignInRow(subject_index=index, person_id=person_id, issuer=issuer, made_at=now))


def find_by_outside(session: Session, keys: Keys, issuer: str, subject: str) -> Person | None:
    """The person whom `issuer` knows as `subject`."""
    row = session.exec(
        select(PersonRow)
        .join(OutsideSignInRow, col(OutsideSignInRow.person_id) == col(PersonRow.id))
        .where(col(OutsideSignInRow.subject_index).in_(keys.blinds("subject", f"{issuer}\0{subject}")))
    ).first()
    return _person(row) if row else None


def list_issuers(session: Session, person_id: str) -> Sequence[str]:
    """The providers that let a person in."""
    return session.exec(select(OutsideSignInRow.issuer).where(OutsideSignInRow.person_id == person_id)).all()


def _folded(column: str, value: str) -> str:
    """The form under which a value is found: of names, the words sorted, without accents and case."""
    if column != "name":
        return value
    plain = "".join(char for char in unicodedata.normalize("NFKD", value.casefold()) if not unicodedata.combining(char))
    return " ".join(sorted(plain.replace("-", " ").split()))


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.pseudonym, row.reference, PersonState(row.state), row.made_at)
