"""Handling: papers that come, and families that contest a decision and are answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.acting import Acting, acting_for_office, check_may, note, visible
from mobigo.store.audit import read_why
from mobigo.store.base import Session, transaction
from mobigo.store.scolaire.application_steps import add_step, list_papers, list_steps, receive_paper
from mobigo.store.scolaire.applications import KeptApplication, put_application
from scolaire.registration.model import Deed, State
from scolaire.registration.typed import identity_key
from socle.errors import Conflict, NotFound


def ask_paper(engine: Engine, keys: Keys, acting: Acting, application_id: str, words: str, now: datetime) -> None:
    """Tell the family what is missing; the request is incomplete until it is there.

    Raises:
        NotFound: `unknown_application`.
        BadInput: `why_missing`.
        Conflict: `application_state`.
    """
    said = read_why(words)
    with transaction(engine) as session:
        one = _handled(session, keys, application_id, acting, Deed.PAPER_ASKED)
        put_application(session, keys, replace(one, state=State.INCOMPLETE, changed_at=now), identity_key(one.typed))
        add_step(session, keys, one, Deed.PAPER_ASKED, acting.actor, now, words=said)
        note(session, "school.paper_asked", one, acting, now)


def take_paper(engine: Engine, keys: Keys, acting: Acting, application_id: str, code: str, now: datetime) -> None:
    """Note that a paper came; a request that waits for nothing else is handed in again.

    Raises:
        NotFound: `unknown_application`; `unknown_paper`.
        Conflict: `application_state`.
    """
    with transaction(engine) as session:
        one = _handled(session, keys, application_id, acting, Deed.PAPER_RECEIVED)
        if not receive_paper(session, one.id, code, now):
            raise NotFound("unknown_paper")
        if all(list_papers(session, one.id).values()):
            one = replace(one, state=State.SUBMITTED, changed_at=now)
            put_application(session, keys, one, identity_key(one.typed))
        add_step(session, keys, one, Deed.PAPER_RECEIVED, acting.actor, now, about=code)
        note(session, "school.paper_received", one, acting, now, paper=code)


def appeal(engine: Engine, keys: Keys, acting: Acting, application_id: str, words: str, now: datetime) -> None:
    """Note that a family contests a decision: the family itself, or the office when a letter came.

    Raises:
        NotFound: `unknown_application`.
        BadInput: `why_missing`.
        Conflict: `application_state`; `appeal_open`.
    """
    said = read_why(words)
    with transaction(engine) as session:
        one = visible(session, keys, application_id, acting, locked=True)
        check_may(one, Deed.APPEALED)
        if one.has_appeal:
            raise Conflict("appeal_open")
        put_application(session, keys, replace(one, has_appeal=True, changed_at=now), identity_key(one.typed))
        own = () if acting.for_others else one.homes_of(acting.pseudonym)
        home = own[0].number if len(own) == 1 else None  # what a guardian writes is not the other one's to read
        add_step(session, keys, one, Deed.APPEALED, acting.actor, now, home=home, words=said)
        note(session, "school.appealed", one, acting, now)


def answer_appeal(engine: Engine, keys: Keys, acting: Acting, application_id: str, words: str, now: datetime) -> None:
    """Answer an appeal in words that the family reads; another verdict is given by `override`.

    Raises:
        NotFound: `unknown_application`.
        BadInput: `why_missing`.
        Conflict: `application_state`; `no_appeal`.
    """
    said = read_why(words)
    with transaction(engine) as session:
        one = _handled(session, keys, application_id, acting, Deed.APPEAL_ANSWERED)
        if not one.has_appeal:
            raise Conflict("no_appeal")
        put_application(session, keys, replace(one, has_appeal=False, changed_at=now), identity_key(one.typed))
        asked = [step.home for step in list_steps(session, keys, one.id) if step.deed is Deed.APPEALED]
        home = asked[-1] if asked else None
        add_step(session, keys, one, Deed.APPEAL_ANSWERED, acting.actor, now, home=home, words=said)
        note(session, "school.appeal_answered", one, acting, now)


def _handled(session: Session, keys: Keys, application_id: str, acting: Acting, deed: Deed) -> KeptApplication:
    acting_for_office(acting)
    one = visible(session, keys, application_id, acting, locked=True)
    check_may(one, deed)
    return one
