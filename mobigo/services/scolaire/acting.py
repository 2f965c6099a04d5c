"""Acting: who acts for a child, which requests they see, what a request lets be done, and the line that tells of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mobigo.security import Keys
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session
from mobigo.store.scolaire.applications import KeptApplication, get_application
from scolaire.registration.model import MAY, Deed, State
from socle.errors import Conflict, Fact, NotFound


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts: a guardian by default; the office; or somebody of a local organiser, for the own `places`."""

    actor: str
    pseudonym: str
    is_office: bool = False
    places: tuple[Collection[str], Collection[str]] | None = None  # communes, schools

    @property
    def for_others(self) -> bool:
        """Whether somebody acts for families."""
        return self.is_office or self.places is not None


def acting_for_office(acting: Acting) -> None:
    """Refuse whom the office's own words are not given to."""
    if not acting.is_office:
        raise NotFound("unknown_application")


def visible(
    session: Session, keys: Keys, application_id: str, acting: Acting, *, locked: bool = False
) -> KeptApplication:
    """A request for who may see it; for anybody else there is none."""
    one = get_application(session, keys, application_id, locked=locked)
    if acting.is_office or (not acting.for_others and one.homes_of(acting.pseudonym)):
        return one
    if acting.places is not None:
        mine = one.made_by == acting.actor and one.state is State.DRAFT
        if mine or is_of(one, acting.places):
            return one
    raise NotFound("unknown_application")


def is_of(one: KeptApplication, places: tuple[Collection[str], Collection[str]]) -> bool:
    """Whether a child lives or learns in one of these communes and schools."""
    communes, schools = places
    return one.school_id in schools or any(home.commune in communes for home in one.homes)


def check_may(one: KeptApplication, deed: Deed) -> None:
    """Refuse what is not done with a request that stands where it stands."""
    if deed not in MAY[one.state]:
        raise Conflict("application_state", state=str(one.state), deed=str(deed))


def note(session: Session, action: str, one: KeptApplication, acting: Acting, now: datetime, **facts: Fact) -> None:
    """A line about each guardian whom we know, or about nobody."""
    for guardian in sorted({home.guardian for home in one.homes if home.guardian} or {""}):
        subject = f"person:{guardian}" if guardian else ""
        record(session, AuditLine(now, acting.actor, action, subject, facts=dict(facts, application=one.id)))
