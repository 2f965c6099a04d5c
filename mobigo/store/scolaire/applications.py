"""Requests: what a family or the office wrote, sealed; where it stands; every step that was taken with it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, exists, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from mobigo.security import new_code
from mobigo.store.personal import OpensSealed
from mobigo.store.scolaire.family_rows import ApplicationRow, HomeRow
from mobigo.store.scolaire.sectors import Seals, new_pseudonym, year_ends_at
from scolaire.registration.model import Channel, Contact, State
from scolaire.registration.typed import contact_fields
from socle.errors import Conflict, NotFound

_ENCODE = msgspec.json.Encoder().encode
_FIELDS = msgspec.json.Decoder(dict[str, str]).decode
_CONTACT = msgspec.json.Decoder(list[str]).decode


@dataclass(frozen=True, slots=True)
class KeptHome:
    """One home of a request: its fields as typed but for the contact, who sees to it, what was decided."""

    number: int
    fields: Mapping[str, str]
    contact: Contact
    commune: str = ""
    days: int = 0
    stop_id: str | None = None
    guardian: str | None = None
    verdict: str | None = None
    reason: str | None = None
    is_overridden: bool = False

    @property
    def typed(self) -> dict[str, str]:
        """The fields of the home as they stand in the form."""
        return {**self.fields, **contact_fields(self.contact, self.number)}


@dataclass(frozen=True, slots=True)
class KeptApplication:
    """A request as it stands; `fields` are those of the child."""

    id: str
    code: str
    school_year: int
    sector_id: str
    school_id: str
    level: str
    state: State
    channel: Channel
    pupil: str
    made_by: str
    made_at: datetime
    changed_at: datetime
    fields: Mapping[str, str]
    homes: tuple[KeptHome, ...]
    is_late: bool = False
    has_appeal: bool = False
    submitted_at: datetime | None = None

    @property
    def name(self) -> str:
        """First and last name of the child, as typed."""
        return f"{self.fields.get('prenom', '')} {self.fields.get('nom_eleve', '')}".strip()

    @property
    def typed(self) -> dict[str, str]:
        """The fields of the whole form."""
        homes = {name: value for home in self.homes for name, value in home.typed.items()}
        return {**self.fields, **homes}

    def homes_of(self, guardian: str) -> tuple[KeptHome, ...]:
        """The homes that somebody sees to."""
        return tuple(home for home in self.homes if home.guardian == guardian)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requests wanted; an empty field wants all. `places` are communes and schools: one of them is enough."""

    school_year: int
    state: str = ""
    sector_id: str = ""
    school_id: str = ""
    commune: str = ""
    verdict: str = ""
    late: bool = False
    appeal: bool = False
    places: tuple[Collection[str], Collection[str]] | None = None


def new_application(
    school_year: int, sector_id: str, school_id: str, channel: Channel, made_by: str, now: datetime
) -> KeptApplication:
    """An empty request with names of its own."""
    return KeptApplication(
        id=secrets.token_hex(8),
        code=new_code(),
        school_year=school_year,
        sector_id=sector_id,
        school_id=school_id,
        level="",
        state=State.DRAFT,
        channel=channel,
        pupil=new_pseudonym(),
        made_by=made_by,
        made_at=now,
        changed_at=now,
        fields={},
        homes=(KeptHome(0, {}, Contact()),),
    )


def put_application(session: Session, keys: Seals, one: KeptApplication, identity: str) -> None:
    """Keep a request as it stands; `identity` is equal for the same child and empty while it is not known.

    Raises:
        Conflict: `application_twin`: another request for the child counts in that year.
    """
    session.merge(
        ApplicationRow(
            id=one.id,
            code=one.code,
            school_year=one.school_year,
            sector_id=one.sector_id,
            school_id=one.school_id,
            level=one.level,
            state=str(one.state),
            channel=str(one.channel),
            is_late=one.is_late,
            has_appeal=one.has_appeal,
            pupil=one.pupil,
            found_by=keys.blind(_kind(one.school_year), identity) if identity else None,
            made_by=one.made_by,
            made_at=one.made_at,
            changed_at=one.changed_at,
            submitted_at=one.submitted_at,
            sealed=keys.seal(_ENCODE(dict(one.fields)).decode(), _place(one.id)),
            year_ends_at=year_ends_at(one.school_year),
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("application_twin", school_year=f"{one.school_year}-{one.school_year + 1}") from None
    known = {home.number: home for home in _home_rows(session, [one.id])}
    for home in one.homes:
        _put_home(session, keys, one, home, known.pop(home.number, None))
    for gone in known.values():
        session.delete(gone)
    session.flush()


def _put_home(session: Session, keys: Seals, one: KeptApplication, home: KeptHome, known: HomeRow | None) -> None:
    row = known or HomeRow(application_id=one.id, number=home.number, commune=home.commune, days=home.days)
    for name in ("guardian", "commune", "days", "stop_id", "verdict", "reason", "is_overridden"):
        setattr(row, name, getattr(home, name))
    place = _place(one.id, home.number)
    row.sealed = keys.seal(_ENCODE(dict(home.fields)).decode(), place)
    told = [home.contact.name, home.contact.email, home.contact.phone]
    row.sealed_contact = keys.seal(_ENCODE(told).decode(), f"{place}:contact") if any(told) else None
    row.year_ends_at = year_ends_at(one.school_year)
    session.add(row)


def get_application(session: Session, keys: Seals, application_id: str, *, locked: bool = False) -> KeptApplication:
    """A request; `locked`: nobody else changes it before this transaction ends.

    Raises:
        NotFound: `unknown_application`.
    """
    query = select(ApplicationRow).where(ApplicationRow.id == application_id)
    if locked:  # and not as it was read before
        session.flush()
        session.expire_all()
        query = query.with_for_update()
    row = session.exec(query).one_or_none()
    if row is None:
        raise NotFound("unknown_application")
    return _opened(keys, row, _home_rows(session, [row.id]))


def find_by_code(session: Session, keys: Seals, code: str) -> KeptApplication | None:
    """The request whose letters have this code."""
    row = session.exec(select(ApplicationRow).where(ApplicationRow.code == code)).one_or_none()
    return None if row is None else _opened(keys, row, _home_rows(session, [row.id]))


def find_twin(session: Session, keys: Seals, one: KeptApplication, identity: str) -> str | None:
    """The code of another request for the same child in the same year, which was not withdrawn."""
    if not identity:
        return None
    found = select(ApplicationRow.code).where(
        ApplicationRow.school_year == one.school_year,
        col(ApplicationRow.found_by).in_(keys.blinds(_kind(one.school_year), identity)),
        ApplicationRow.id != one.id,
        col(ApplicationRow.state).not_in([State.WITHDRAWN, State.DRAFT]),
    )
    return session.exec(found).first()


def list_of_guardian(session: Session, keys: Seals, guardian: str) -> list[KeptApplication]:
    """The requests of somebody's children, the latest first."""
    own = exists().where(col(HomeRow.application_id) == col(ApplicationRow.id), col(HomeRow.guardian) == guardian)
    return _list(session, keys, select(ApplicationRow).where(own).order_by(col(ApplicationRow.made_at).desc()))


def count_applications(session: Session, wanted: Wanted) -> int:
    """How many requests there are of those wanted."""
    return session.exec(select(func.count()).select_from(ApplicationRow).where(*_conditions(wanted))).one()


def list_applications(
    session: Session, keys: Seals, wanted: Wanted, limit: int, offset: int = 0
) -> list[KeptApplication]:
    """The requests wanted, the one that waits longest first."""
    rows = select(ApplicationRow).where(*_conditions(wanted))
    rows = rows.order_by(col(ApplicationRow.submitted_at), col(ApplicationRow.made_at), col(ApplicationRow.id))
    return _list(session, keys, rows.limit(limit).offset(offset))


def count_states(session: Session, school_year: int) -> Mapping[str, int]:
    """How many requests of a year stand where."""
    asked = select(ApplicationRow.state, func.count()).where(ApplicationRow.school_year == school_year)
    return dict(session.exec(asked.group_by(col(ApplicationRow.state))).all())


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield col(ApplicationRow.school_year) == wanted.school_year
    for name in ("state", "sector_id", "school_id"):
        if value := getattr(wanted, name):
            yield col(getattr(ApplicationRow, name)) == value
    if not wanted.state:
        yield col(ApplicationRow.state) != State.DRAFT
    if wanted.late:
        yield col(ApplicationRow.is_late).is_(True)
    if wanted.appeal:
        yield col(ApplicationRow.has_appeal).is_(True)
    of_home = col(HomeRow.application_id) == col(ApplicationRow.id)
    if wanted.commune:
        yield exists().where(of_home, col(HomeRow.commune) == wanted.commune)
    if wanted.verdict:
        yield exists().where(of_home, col(HomeRow.verdict) == wanted.verdict)
    if wanted.places is not None:
        communes, schools = wanted.places
        lives = exists().where(of_home, col(HomeRow.commune).in_(communes))
        yield lives | col(ApplicationRow.school_id).in_(schools)


def _list(session: Session, keys: Seals, rows: object) -> list[KeptApplication]:
    found = session.exec(rows).all()  # type: ignore[call-overload] # a select of whole rows
    homes: dict[str, list[HomeRow]] = {}
    for home in _home_rows(session, [row.id for row in found]):
        homes.setdefault(home.application_id, []).append(home)
    return [_opened(keys, row, homes.get(row.id, ())) for row in found]


def _home_rows(session: Session, ids: Collection[str]) -> Sequence[HomeRow]:
    rows = select(HomeRow).where(col(HomeRow.application_id).in_(ids))
    return session.exec(rows.order_by(col(HomeRow.application_id), col(HomeRow.number))).all()


def opened_fields(keys: OpensSealed, row: ApplicationRow) -> Mapping[str, str]:
    """The fields of the child, for those whom they concern."""
    return _FIELDS(keys.open(row.sealed, _place(row.id)))


def opened_home(keys: OpensSealed, row: HomeRow) -> KeptHome:
    """A home with what is sealed of it, for those whom it concerns."""
    place = _place(row.application_id, row.number)
    told = [] if row.sealed_contact is None else _CONTACT(keys.open(row.sealed_contact, f"{place}:contact"))
    return KeptHome(
        number=row.number,
        fields=_FIELDS(keys.open(row.sealed, place)),
        contact=Contact(*told),
        commune=row.commune,
        days=row.days,
        stop_id=row.stop_id,
        guardian=row.guardian,
        verdict=row.verdict,
        reason=row.reason,
        is_overridden=row.is_overridden,
    )


def _opened(keys: Seals, row: ApplicationRow, homes: Sequence[HomeRow]) -> KeptApplication:
    return KeptApplication(
        id=row.id,
        code=row.code,
        school_year=row.school_year,
        sector_id=row.sector_id,
        school_id=row.school_id,
        level=row.level,
        state=State(row.state),
        channel=Channel(row.channel),
        pupil=row.pupil,
        made_by=row.made_by,
        made_at=row.made_at,
        changed_at=row.changed_at,
        fields=opened_fields(keys, row),
        homes=tuple(opened_home(keys, home) for home in homes),
        is_late=row.is_late,
        has_appeal=row.has_appeal,
        submitted_at=row.submitted_at,
    )


def with_home(one: KeptApplication, home: KeptHome) -> KeptApplication:
    """A request with one home in place of what it was."""
    homes = {each.number: each for each in one.homes} | {home.number: home}
    return replace(one, homes=tuple(homes[number] for number in sorted(homes)))


def _kind(school_year: int) -> str:
    return f"school_child:{school_year}"


def _place(application_id: str, number: int | None = None) -> str:
    home = "" if number is None else f":{number}"
    return f"school_application:{application_id}{home}"
