"""Notifying: what is written to the two people of a booking, put off as jobs that hold ids and never places."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from mobigo.outbound.letters import Mail, Post
from mobigo.security import Keys
from mobigo.store.base import Session, reading
from mobigo.store.covoiturage.own_bookings import get_booking
from mobigo.store.covoiturage.own_offers import get_request
from mobigo.store.jobs import Claim, enqueue
from mobigo.store.people.accounts import get_by_pseudonym, get_identity
from mobigo.texts import text
from socle.errors import Fact, NotFound
from socle.times import PARIS

LETTER_JOB = "covoiturage.letter"
OF_REQUEST = "request_met"


def tell(session: Session, pseudonym: str, letter: str, about: str, now: datetime, turn: int) -> None:
    """Have a letter written to somebody about a booking, or about a request (`OF_REQUEST`)."""
    payload = {"person": pseudonym, "letter": letter, "about": about}
    enqueue(session, LETTER_JOB, payload, now, f"{LETTER_JOB}:{letter}:{about}:{pseudonym}:{turn}")


def write(engine: Engine, keys: Keys, post: Post, claim: Claim) -> None:
    """Do the job of a letter; one whose reader or subject is gone is done.

    Raises:
        BadInput: `bad_mail`, `bad_number`, `mail_refused`.
        Unavailable: `mail_silent`.
    """
    letter, about = str(claim.payload["letter"]), str(claim.payload["about"])
    try:
        with reading(engine) as session:
            person = get_by_pseudonym(session, str(claim.payload["person"]))
            identity = get_identity(session, keys, person.person_id)
            at = get_request(session, about).wish.at if letter == OF_REQUEST else get_board_at(session, about)
    except NotFound:
        return
    local = datetime.fromtimestamp(at, PARIS)
    facts: dict[str, Fact] = {
        "day": f"{local:%d/%m/%Y}",
        "time": f"{local:%H:%M}",
        "site": post.site,
    }
    key = f"letters.carpool_{letter}"
    if identity.email:
        post.mails.send(Mail(identity.email, text(f"{key}.subject", **facts), text(f"{key}.body", **facts), claim.key))
    elif identity.phone:
        post.texts.send(identity.phone, text(f"{key}.sms", **facts), claim.key)


def get_board_at(session: Session, booking_id: str) -> int:
    """The instant at which a passenger is met.

    Raises:
        NotFound: `unknown_booking`.
    """
    return get_booking(session, booking_id).taken.board.instant
