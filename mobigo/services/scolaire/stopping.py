"""Stopping: a commune asks for a stop, whoever must be asked gives an opinion, the office decides and looks again.

What the rule of the day finds wrong is told; the office may validate all the same, and says why in the audit log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.services.scolaire.registering import Acting
from mobigo.store.audit import AuditLine, read_why, record, spelled_why
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire import stop_cases as store
from mobigo.store.scolaire.sectors import KeptSector, get_sector, list_sectors
from mobigo.store.scolaire.stop_cases import Opinion as Opinion  # doors name them
from mobigo.store.scolaire.stop_cases import StopCase as StopCase
from scolaire.pupils import Stop, StopStatus
from scolaire.safety.dossier import Dossier, Rule, Says, Who, find_nearest, list_faults, rule_on
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from socle.times import local_day

MOST_PHOTO_BYTES: Final = 1_000_000
MOST_WORDS: Final = 500
_SIGNS: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Looked:
    """A stop that is asked for, with what the rule of the day says of it."""

    case: StopCase
    nearest: tuple[Stop, int] | None
    faults: Sequence[str]
    opinions: Sequence[Opinion]
    review_by: date
    is_due: bool


def rule_now(now: datetime) -> Rule:
    """The rule that holds."""
    return rule_on(local_day(int(now.timestamp())))


def list_asked(engine: Engine, acting: Acting) -> list[StopCase]:
    """The stops that were asked for, as far as somebody sees to them."""
    with reading(engine) as session:
        return store.list_cases(session, _communes(acting))


def sectors_of(engine: Engine, school_year: int) -> list[KeptSector]:
    """The sectors in which a stop may be asked for."""
    with reading(engine) as session:
        return list_sectors(session, school_year)


def ask_for_stop(
    engine: Engine, acting: Acting, sector_id: str, commune: str, dossier: Dossier, photo: bytes, now: datetime
) -> str:
    """Ask for a stop; its id.

    Raises:
        Forbidden: `school_outside_scope`: it is not in a commune of theirs.
        NotFound: `unknown_sector`.
        BadInput: `bad_photo`.
    """
    communes = _communes(acting)
    if communes is not None and commune not in communes:
        raise Forbidden("school_outside_scope")
    shown = (_kind_of(photo), photo) if photo else None
    with transaction(engine) as session:
        get_sector(session, sector_id)
        case_id = store.add_case(session, sector_id, commune, dossier, shown, acting.actor, now)
        record(session, AuditLine(now, acting.actor, "school.stop_requested", facts={"stop_case": case_id}))
    return case_id


def _kind_of(photo: bytes) -> str:
    kind = next((kind for sign, kind in _SIGNS.items() if photo.startswith(sign)), "")
    if not kind or len(photo) > MOST_PHOTO_BYTES:
        raise BadInput("bad_photo")
    return kind


def look(engine: Engine, acting: Acting, case_id: str, now: datetime) -> Looked:
    """A stop that was asked for, and what it lacks.

    Raises:
        NotFound: `unknown_stop_case`.
    """
    with reading(engine) as session:
        return _looked(session, _visible(session, acting, case_id), now)


def _looked(session: Session, case: StopCase, now: datetime) -> Looked:
    today = local_day(int(now.timestamp()))
    rule = rule_on(today)
    stops = store.list_sector_stops(session, case.sector_id, case.stop_id)
    opinions = store.list_opinions(session, case.case_id)
    review_by = case.reviewed_on + timedelta(days=rule.review_days)
    return Looked(
        case,
        find_nearest(case.dossier, stops),
        list_faults(case.dossier, stops, store.standing(opinions), rule),
        opinions,
        review_by,
        today > review_by,
    )


def get_photo(engine: Engine, acting: Acting, case_id: str) -> tuple[str, bytes]:
    """The photo of a stop and its media type.

    Raises:
        NotFound: `unknown_stop_case`: there is none that they may see.
    """
    with reading(engine) as session:
        _visible(session, acting, case_id)
        photo = store.get_photo(session, case_id)
    if photo is None:
        raise NotFound("unknown_stop_case")
    return photo


def give_opinion(engine: Engine, acting: Acting, case_id: str, who: str, says: str, words: str, now: datetime) -> None:
    """Note an opinion: a local organiser gives its commune's, the office those that reach it.

    Raises:
        NotFound: `unknown_stop_case`.
        BadInput: `unknown_opinion`.
    """
    if who not in set(Who) or says not in set(Says) or (not acting.is_office and who != Who.COMMUNE):
        raise BadInput("unknown_opinion")
    with transaction(engine) as session:
        case = _visible(session, acting, case_id)
        told = Opinion(Who(who), Says(says), spelled_why(words)[:MOST_WORDS], now)
        store.add_opinion(session, case.case_id, told, acting.actor)
        facts: Mapping[str, str] = {"stop_case": case_id, "opinion_of": who, "opinion_says": says}
        record(session, AuditLine(now, acting.actor, "school.stop_opinion", facts=dict(facts)))


def decide_stop(engine: Engine, acting: Acting, case_id: str, state: str, why: str, now: datetime) -> None:
    """Validate, refuse or close a stop; it is one of its sector from then on.

    Raises:
        NotFound: `unknown_stop_case`.
        BadInput: `unknown_stop_state`; `why_missing`: a refusal says why.
        Conflict: `stop_with_faults`: it lacks something and nobody said why it is validated all the same.
    """
    if not acting.is_office or state not in set(StopStatus):
        raise BadInput("unknown_stop_state")
    with transaction(engine) as session:
        case = _visible(session, acting, case_id)
        faults = _looked(session, case, now).faults
        if state == StopStatus.VALIDATED and faults and not spelled_why(why):
            raise Conflict("stop_with_faults", n=len(faults))
        said = read_why(why) if state == StopStatus.REFUSED else spelled_why(why)
        store.set_state(session, case_id, StopStatus(state))
        facts: Mapping[str, str] = {"stop_case": case_id, "stop_state": state}
        record(session, AuditLine(now, acting.actor, "school.stop_decided", "", said, dict(facts)))


def review(engine: Engine, acting: Acting, case_id: str, now: datetime) -> None:
    """Note that somebody looked at a stop again.

    Raises:
        NotFound: `unknown_stop_case`.
    """
    with transaction(engine) as session:
        case = _visible(session, acting, case_id)
        store.set_reviewed(session, case.case_id, local_day(int(now.timestamp())))
        record(session, AuditLine(now, acting.actor, "school.stop_reviewed", facts={"stop_case": case_id}))


def _communes(acting: Acting) -> Collection[str] | None:
    if acting.is_office:
        return None
    return acting.places[0] if acting.places else ()


def _visible(session: Session, acting: Acting, case_id: str) -> StopCase:
    case, communes = store.get_case(session, case_id), _communes(acting)
    if communes is not None and case.commune not in communes:
        raise NotFound("unknown_stop_case")
    return case
