"""Registering: a child is asked for in a school year, by its family online or by the office from a paper form.

A draft may hold anything; what is handed in is read field by field. Each guardian writes of the own home and nobody
reads the other's address but the office. One child has one request a year, however its name is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.acting import Acting as Acting  # doors name it
from mobigo.services.scolaire.acting import check_may, is_of, note, visible
from mobigo.store.audit import read_why
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire.application_steps import add_step, ask_papers, list_papers, list_steps
from mobigo.store.scolaire.applications import (
    KeptApplication,
    KeptHome,
    find_twin,
    list_of_guardian,
    new_application,
    put_application,
    with_home,
)
from mobigo.store.scolaire.registered import PlacedSchool as PlacedSchool
from mobigo.store.scolaire.registered import (
    find_school,
    get_school,
    list_schools,
    list_stops,
    remove_pupil,
)
from scolaire.pupils import School, Stop
from scolaire.registration.campaigns import Campaign, papers_of, shipped_campaigns
from scolaire.registration.model import Application, Channel, Contact, Deed, State
from scolaire.registration.typed import (
    DAYS,
    OF_CHILD,
    OF_CONTACT,
    OF_HOME,
    Basis,
    Problem,
    days_of,
    field_names,
    home_fields,
    identity_key,
    kept,
    of_home,
    read_contact,
    read_typed,
)
from socle.errors import BadInput, Conflict, Forbidden
from socle.times import local_day

FindCommune = Callable[[str], str | None]
MOST_DRAFTS: Final = 12  # of one account and year
_WRITES: Final = frozenset({Deed.STARTED, Deed.RENEWED, Deed.CHANGED, Deed.MOVED, Deed.LINKED})
UNKNOWN: FindCommune = lambda _name: None  # noqa: E731  a default, named


class ChangedSince(Conflict):
    """Somebody changed what was being written: who and when, and what stands now in the fields that differ."""

    def __init__(self, at: datetime, by: str, kept: Mapping[str, str]) -> None:
        super().__init__("application_changed")
        self.at, self.by, self.kept = at, by, dict(kept)


class FormWrong(BadInput):
    """What was typed cannot be handed in: `problems` in the order of the form."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("school_form_wrong", n=len(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as who looks at it may see it, with what its form chooses from."""

    application: KeptApplication
    school: School | None
    stops: Sequence[Stop]
    papers: Mapping[str, datetime | None]
    fields: tuple[str, ...]  # those that they may write
    numbers: tuple[int, ...]  # of the homes that they may see


# --- what may be asked for -----------------------------------------------------------------------


def open_campaigns(now: datetime) -> list[Campaign]:
    """The campaigns that take requests, the newest first."""
    day = local_day(int(now.timestamp()))
    return sorted(
        (one for one in shipped_campaigns().values() if one.takes(day)), key=lambda one: one.school_year, reverse=True
    )


def list_choices(engine: Engine, school_year: int) -> list[PlacedSchool]:
    """The schools that may be asked for."""
    with reading(engine) as session:
        return list_schools(session, school_year)


def list_own(engine: Engine, keys: Keys, pseudonym: str) -> list[KeptApplication]:
    """The requests of one's children, the latest first."""
    with reading(engine) as session:
        return list_of_guardian(session, keys, pseudonym)


# --- a request begins ------------------------------------------------------------------------------


def start(engine: Engine, keys: Keys, acting: Acting, school: str, now: datetime, *, like: str = "") -> str:
    """Begin a request for a school (`sector/school`), like one of the year before when `like` names it; its id.

    Raises:
        NotFound: `unknown_school`, `unknown_application`.
        Conflict: `campaign_closed`; `too_many_drafts`.
    """
    sector_id, _, school_id = school.partition("/")
    with transaction(engine) as session:
        get_school(session, sector_id, school_id)
        school_year = int(sector_id[:4])
        _open_campaign(school_year, now, acting)
        channel = Channel.PAPER if acting.for_others else Channel.ONLINE
        one = new_application(school_year, sector_id, school_id, channel, acting.actor, now)
        if not acting.for_others:
            drafts = [each for each in list_of_guardian(session, keys, acting.pseudonym) if each.state is State.DRAFT]
            if len(drafts) >= MOST_DRAFTS:
                raise Conflict("too_many_drafts", most=MOST_DRAFTS)
            one = with_home(one, replace(one.homes[0], guardian=acting.pseudonym))
        deed = Deed.STARTED
        if like:
            before = visible(session, keys, like, acting)
            one, deed = _renewed(one, before, acting), Deed.RENEWED
        put_application(session, keys, one, identity_key(one.typed))
        add_step(session, keys, one, deed, acting.actor, now)
        note(session, "school.application_started", one, acting, now, renewed=bool(like))
    return one.id


def _renewed(one: KeptApplication, before: KeptApplication, acting: Acting) -> KeptApplication:
    """A draft with what stood in the file of another year, but for what changes with the year."""
    new_each_year = {"classe", "niveau", "arret_1", "arret_2", "fin", "genre", "derogation"}
    homes = []
    for home in before.homes:
        fields = {name: value for name, value in home.fields.items() if name not in new_each_year}
        seen = acting.for_others or home.guardian == acting.pseudonym
        homes.append(
            KeptHome(home.number, fields if seen else {}, home.contact, days=home.days, guardian=home.guardian)
        )
    fields = {name: value for name, value in before.fields.items() if name not in new_each_year}
    return replace(one, fields=fields, homes=tuple(homes))


def _open_campaign(school_year: int, now: datetime, acting: Acting) -> Campaign:
    campaign, day = shipped_campaigns().get(school_year), local_day(int(now.timestamp()))
    if campaign is None or day > campaign.ends or (day < campaign.opens and not acting.is_office):
        raise Conflict("campaign_closed", school_year=f"{school_year}-{school_year + 1}")
    return campaign


# --- it is read, written, handed in ----------------------------------------------------------------


def read_request(
    engine: Engine, keys: Keys, acting: Acting, application_id: str, looked_at: datetime | None = None
) -> Request:
    """A request with what its form chooses from, for who may see it.

    Where somebody looks for others, `looked_at` makes it a line of the audit log.

    Raises:
        NotFound: `unknown_application`: there is none that they may see.
    """
    is_told = looked_at is not None and acting.for_others
    with transaction(engine) if is_told else reading(engine) as session:
        one = visible(session, keys, application_id, acting)
        if looked_at is not None and is_told:
            note(session, "school.file_read", one, acting, looked_at)
        return Request(
            one,
            find_school(session, one.sector_id, one.school_id),
            list_stops(session, one.sector_id),
            list_papers(session, one.id),
            writable(one, acting),
            seen_homes(one, acting),
        )


def seen_homes(one: KeptApplication, acting: Acting) -> tuple[int, ...]:
    """The homes whose address somebody may see."""
    return tuple(home.number for home in one.homes if acting.for_others or home.guardian == acting.pseudonym)


def writable(one: KeptApplication, acting: Acting) -> tuple[str, ...]:
    """The fields that somebody may write; who shares a child with another guardian does not choose the days alone."""
    if acting.for_others:
        return field_names()
    own = [home.number for home in one.homes if home.guardian == acting.pseudonym]
    fields = [of_home(field, number) for number in own for field in (*OF_CONTACT, *OF_HOME)]
    if 0 in own:
        fields = [*OF_CHILD, *fields]
        if any(home.guardian for home in one.homes if home.number == 1):
            fields = [field for field in fields if field not in DAYS]
        else:
            fields += [of_home(field, 1) for field in OF_CONTACT]
    return tuple(fields)


def look_of(one: KeptApplication, acting: Acting) -> str:
    """What stands in the fields that somebody may write, as a word that is equal while nothing of it changes."""
    told = one.typed
    fields = [(name, told[name]) for name in sorted(writable(one, acting)) if told.get(name)]
    return hashlib.blake2b(repr((one.id, fields)).encode(), digest_size=12).hexdigest()


def _changed(session: Session, keys: Keys, one: KeptApplication, fresh: Mapping[str, str]) -> ChangedSince:
    last = [step for step in list_steps(session, keys, one.id) if step.deed in _WRITES][-1]
    told = one.typed
    return ChangedSince(
        last.at, last.by, {name: told.get(name, "") for name in fresh if fresh[name] != told.get(name, "")}
    )


def save(
    engine: Engine,
    keys: Keys,
    acting: Acting,
    application_id: str,
    typed: Mapping[str, str],
    now: datetime,
    find_commune: FindCommune = UNKNOWN,
    *,
    seen: str | None = None,
) -> tuple[Problem, ...]:
    """Keep what was typed; what is still wrong with a draft is returned, and refused where it is no draft any more.

    `seen` is the `look_of` of the request when its form was shown: nobody writes over what another wrote meanwhile.

    Raises:
        NotFound: `unknown_application`.
        Conflict: `application_state`; `application_twin`.
        ChangedSince: somebody wrote into the same fields meanwhile.
        FormWrong: what was handed in would become wrong.
    """
    with transaction(engine) as session:
        one = visible(session, keys, application_id, acting, locked=True)
        deed = Deed.MOVED if one.state is State.DECIDED else Deed.CHANGED
        check_may(one, deed)
        allowed = frozenset(writable(one, acting))
        fresh = {name: value for name, value in kept(typed).items() if name in allowed}
        if seen is not None and seen != look_of(one, acting):
            raise _changed(session, keys, one, fresh)
        ticked = {name for name in allowed if name in {"fauteuil", "accueil_1", "accueil_2"}}
        told = {**one.typed, **dict.fromkeys(ticked, ""), **fresh}
        application, problems = read_typed(told, _basis(session, one, acting, find_commune))
        one = _written(one, told, application, now)
        if one.state is not State.DRAFT:
            if application is None:
                raise FormWrong(problems)
            _refuse_twin(session, keys, one)
            _check_place(one, acting)
            one = replace(one, state=State.SUBMITTED)
            ask_papers(session, one, papers_of(application))
        put_application(session, keys, one, identity_key(told))
        add_step(session, keys, one, deed, acting.actor, now)
        note(session, "school.application_changed", one, acting, now)
    return problems


def _written(
    one: KeptApplication, told: Mapping[str, str], application: Application | None, now: datetime
) -> KeptApplication:
    """The request with fields as they were typed, and of what could be read what stands in clear."""
    homes = []
    child = {name: told[name] for name in OF_CHILD if told.get(name)}
    for number in (0, 1):
        home = next((each for each in one.homes if each.number == number), KeptHome(number, {}, Contact()))
        days = days_of(told, number)
        if number and not days:
            continue
        own = {name: told[name] for name in home_fields(number) if name in told}
        contact = read_contact(own, number)
        fields = {name: value for name, value in own.items() if value and name not in _contact_names(number)}
        if (home.fields, home.days) != (fields, days) or child != one.fields:
            home = replace(home, verdict=None, reason=None)  # it was about something else
        read = application.homes[number] if application and len(application.homes) > number else None
        homes.append(
            replace(
                home,
                fields=fields,
                contact=contact,
                days=days,
                commune=read.commune if read else "",
                stop_id=read.stop_id if read else None,
            )
        )
    level = str(application.level) if application else one.level
    return replace(one, fields=child, homes=tuple(homes), level=level, changed_at=now)


def _contact_names(number: int) -> frozenset[str]:
    return frozenset(of_home(field, number) for field in OF_CONTACT)


def submit(
    engine: Engine, keys: Keys, acting: Acting, application_id: str, now: datetime, find_commune: FindCommune = UNKNOWN
) -> KeptApplication:
    """Hand a draft in.

    Raises:
        NotFound: `unknown_application`.
        Conflict: `application_state`; `application_twin`; `campaign_closed`.
        FormWrong: what it holds cannot be handed in.
    """
    with transaction(engine) as session:
        one = visible(session, keys, application_id, acting, locked=True)
        check_may(one, Deed.SUBMITTED)
        campaign = _open_campaign(one.school_year, now, acting)
        application, problems = read_typed(one.typed, _basis(session, one, acting, find_commune))
        if application is None:
            raise FormWrong(problems)
        _refuse_twin(session, keys, one)
        day: date = local_day(int(now.timestamp()))
        one = replace(_written(one, one.typed, application, now), state=State.SUBMITTED, submitted_at=now)
        one = replace(one, is_late=campaign.is_late(day))
        _check_place(one, acting)
        put_application(session, keys, one, identity_key(one.typed))
        ask_papers(session, one, papers_of(application))
        add_step(session, keys, one, Deed.SUBMITTED, acting.actor, now)
        note(session, "school.application_submitted", one, acting, now, late=one.is_late, channel=str(one.channel))
    return one


def withdraw(engine: Engine, keys: Keys, acting: Acting, application_id: str, why: str, now: datetime) -> None:
    """Take a request back; a child who was registered goes by coach no more.

    Raises:
        NotFound: `unknown_application`.
        Conflict: `application_state`.
        Conflict: `shared_application`: another guardian's child is not taken out of its coach by one alone.
        BadInput: `why_missing`: of what was handed in it is said why.
    """
    with transaction(engine) as session:
        one = visible(session, keys, application_id, acting, locked=True)
        check_may(one, Deed.WITHDRAWN)
        if not acting.for_others and any(home.guardian not in (None, acting.pseudonym) for home in one.homes):
            raise Conflict("shared_application")
        words = why if one.state is State.DRAFT else read_why(why)
        remove_pupil(session, one.id)
        one = replace(one, state=State.WITHDRAWN, changed_at=now)
        put_application(session, keys, one, identity_key(one.typed))
        add_step(session, keys, one, Deed.WITHDRAWN, acting.actor, now, words=words)
        note(session, "school.application_withdrawn", one, acting, now)


# --- what all of it stands on ------------------------------------------------------------------------


def _check_place(one: KeptApplication, acting: Acting) -> None:
    """Refuse what a local organiser writes of a child of others."""
    if acting.places is not None and not is_of(one, acting.places):
        raise Forbidden("school_outside_scope")


def _refuse_twin(session: Session, keys: Keys, one: KeptApplication) -> None:
    if find_twin(session, keys, one, identity_key(one.typed)) is not None:
        raise Conflict("application_twin", school_year=f"{one.school_year}-{one.school_year + 1}")


def _basis(session: Session, one: KeptApplication, acting: Acting, find_commune: FindCommune) -> Basis:
    stops = {stop.stop_id for stop in list_stops(session, one.sector_id)}
    return Basis(one.school_year, one.school_id, stops, find_commune, acting.for_others)
