"""Boarding codes: six figures sent to a passenger by SMS, which the driver types: the passenger is there.

For who has a telephone that scans nothing. The passenger must have an account with that number;
whether somebody has is told to nobody. Six figures are guessed in a million tries: five are given,
in ten minutes, and few codes are sent to one number or for one driver.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Engine

from covoiturage import boarding
from covoiturage.boarding import Event, How, Outing, Proof, Step
from covoiturage.carpool import Side
from mobigo.outbound.letters import TextMessages
from mobigo.security import Keys
from mobigo.services.covoiturage.outings import Happened, Seen, refuse, write_end
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.outings import add_events, get_outing
from mobigo.store.jobs import enqueue
from mobigo.store.people import door
from mobigo.store.people.accounts import find_by_contact, get_person
from mobigo.store.people.door import Purpose, TryKind
from mobigo.texts import text
from socle.errors import BadInput, NotFound, TooOften

CODE_JOB = "covoiturage.boarding_code"
LIFE = timedelta(minutes=10)
MOST_TRIES = 5
WINDOW = timedelta(minutes=15)
CODES_PER_NUMBER = 4
CODES_PER_DRIVER = 20
N_FIGURES = 6


def ask_code(engine: Engine, keys: Keys, outing_id: str, driver: str, phone: str, side: Side, now: datetime) -> str:
    """Have a code sent to a passenger's number (E.164); the id under which it is typed, whoever has the number.

    Raises:
        NotFound: `unknown_carpool`.
        Conflict: `boarding_not_open`.
        TooOften: `too_many_codes`.
    """
    with transaction(engine) as session:
        outing = _driven(session, outing_id, driver)
        if outing.state is not boarding.State.OPEN:
            refuse(boarding.Why.NOT_OPEN)
        _limit(session, keys, phone, driver, now)
        person = find_by_contact(session, keys, "phone", phone)
        code = f"{secrets.randbelow(10**N_FIGURES):0{N_FIGURES}}"
        facts = {"outing": outing_id, "side": str(side), "to": phone if person else ""}
        code_id = door.add_code(
            session, keys, Purpose.BOARDING, code, person.person_id if person else None, facts, now, LIFE
        )
        enqueue(session, CODE_JOB, {"code_id": code_id}, now, f"{CODE_JOB}:{code_id}")
        return code_id


def send_code(engine: Engine, keys: Keys, code_id: str, texts: TextMessages, key: str, now: datetime) -> bool:
    """Send a code that was asked for; whether there was anything to send, still.

    Raises:
        BadInput: `bad_number`.
    """
    with reading(engine) as session:
        try:
            asked = door.get_code(session, keys, code_id)
        except NotFound:
            return False
    if not asked.facts["to"] or now > asked.expires_at:
        return False
    minutes = int(LIFE.total_seconds()) // 60
    name = f"letters.boarding.{asked.facts['side']}"
    texts.send(asked.facts["to"], text(name, code=asked.facts["code"], minutes=minutes), key)
    return True


def use_code(
    engine: Engine,
    keys: Keys,
    outing_id: str,
    driver: str,
    code_id: str,
    typed: str,
    stop_id: str,
    seen: Seen,
    seats: int = 1,
) -> Happened:
    """The driver types the passenger's code: the passenger boards or alights, as the code was asked for.

    Raises:
        BadInput: `wrong_boarding_code`: not it, too late, too often, or used; `boarding_…` of what was typed.
        NotFound: `unknown_carpool`.
        Conflict: `boarding_…`.
    """
    mark = f"sms:{code_id}"
    with transaction(engine) as session:
        outing = _driven(session, outing_id, driver)
        there = next((event for event in outing.events if event.mark == mark), None)
        if there is not None:
            return Happened(outing, there, replayed=True)
        figures = "".join(char for char in typed if char.isdigit())
        asked = door.use_code(session, keys, Purpose.BOARDING, code_id, figures, MOST_TRIES, seen.now)
        if asked is not None and asked.person_id is not None and asked.facts["outing"] == outing_id:
            # What is refused from here on undoes the use of the code: it was right, and may be typed again.
            passenger = get_person(session, asked.person_id).pseudonym
            side = Side(asked.facts["side"])
            done = write_end(session, outing, passenger, side, Proof(How.SMS, seen.now, mark), stop_id, seen, seats)
            if not (seen.device or seen.place):
                return done
            # The code was typed on the driver's device, which says where the driver is.
            own = Event(Step.SEEN, done.event.at, driver, device=seen.device, place=seen.place)
            return Happened(add_events(session, done.outing, [own]), done.event)
    raise BadInput("wrong_boarding_code")  # counted: the transaction above is done


def _driven(session: Session, outing_id: str, driver: str) -> Outing:
    outing = get_outing(session, outing_id, locked=True)
    if outing.driver != driver:
        raise NotFound("unknown_carpool", carpool=outing_id)
    return outing


def _limit(session: Session, keys: Keys, phone: str, driver: str, now: datetime) -> None:
    """Count a code asked for, when it may be."""
    number, by = keys.blind("phone", phone), keys.blind("address", f"driver {driver}")
    door.take_turn(session, number, by)
    of_number = door.tries_of_account(session, TryKind.BOARDING, number, now - WINDOW)
    of_driver = door.tries_of_address(session, TryKind.BOARDING, by, now - WINDOW)
    for tries, most in ((of_number, CODES_PER_NUMBER), (of_driver, CODES_PER_DRIVER)):
        if tries.last_at is not None and tries.n >= most:
            wait_s = max(1, int((tries.last_at + WINDOW - now).total_seconds()))
            raise TooOften("too_many_codes", wait_s=wait_s, minutes=-(-wait_s // 60))
    door.add_try(session, TryKind.BOARDING, number, by, now)
