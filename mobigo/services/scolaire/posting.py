"""Posting: letters on paper for families whom no other address reaches, and the day on which a clerk posted them.

Where a family registered its child, the letter has name and address of the home from which the child goes that day;
a child of an imported file has none, and the office's id stands in their place for somebody to write them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.messaging import LANGUAGES, letter_sentence
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, transaction
from mobigo.store.people.accounts import find_identity
from mobigo.store.scolaire import messages as store
from mobigo.store.scolaire.messages import Channel, Letter, LetterState, Message
from mobigo.store.scolaire.registered import find_home
from mobigo.store.scolaire.sectors import open_ids
from socle.errors import BadInput, Fact
from socle.times import PARIS


@dataclass(frozen=True, slots=True)
class PaperLetter:
    """One letter on paper; what nobody wrote down is empty. `commune` is an INSEE code, or a name as typed."""

    number: int
    pupil_id: str
    name: str = ""
    address: str = ""
    commune: str = ""


@dataclass(frozen=True, slots=True)
class Papers:
    """The letters of a message that are not posted yet; `sentence` says what the message is about."""

    message: Message
    sentence: str
    letters: Sequence[PaperLetter]


def list_papers(engine: Engine, keys: Keys, message_id: str, actor: str, now: datetime) -> Papers:
    """The letters that go on paper, to whom, for who may know; it is written down.

    Raises:
        NotFound: `unknown_school_message`.
    """
    with transaction(engine) as session:
        message = store.get_message(session, keys, message_id)
        homes = store.homes_of(session, message_id)
        ids = open_ids(session, keys, message.sector_id)
        found = [
            _paper(session, keys, message.sector_id, one, homes, ids.get(one.addressee.pupil or "", ""))
            for one in _waiting(session, message_id)
        ]
        facts: dict[str, Fact] = {"message_id": message_id, "n": len(found)}
        record(session, AuditLine(now, actor, "school.message_papers_read", facts=facts))
    return Papers(message, letter_sentence(message.matter, message.scope, LANGUAGES[0]), found)


def _waiting(session: Session, message_id: str) -> list[Letter]:
    return [
        one
        for one in store.list_letters(session, message_id)
        if one.addressee.channel is Channel.POST and one.state is LetterState.WAITING
    ]


def _paper(
    session: Session, keys: Keys, sector_id: str, letter: Letter, homes: dict[str, int], pupil_id: str
) -> PaperLetter:
    pupil = letter.addressee.pupil or ""
    home = find_home(session, keys, sector_id, pupil, homes.get(pupil, 0))
    name = "" if home is None else home.contact.name
    if not name and letter.addressee.guardian is not None:
        identity = find_identity(session, keys, letter.addressee.guardian)
        name = "" if identity is None else identity.name
    if home is None:
        return PaperLetter(letter.number, pupil_id, name)
    typed = {key.rpartition("_")[0]: value for key, value in home.fields.items()}  # but for the number of the home
    return PaperLetter(
        letter.number, pupil_id, name, typed.get("adresse", ""), home.commune or typed.get("commune", "")
    )


def mark_posted(
    engine: Engine, keys: Keys, message_id: str, posted_on: date, but: Collection[int], actor: str, now: datetime
) -> int:
    """Note that the letters on paper were posted on a day, all that were not yet but those of these numbers; how many.

    Raises:
        NotFound: `unknown_school_message`.
        BadInput: `posted_day`: before the message was written, or to come; `posted_numbers`: no such letter waits.
    """
    with transaction(engine) as session:
        message = store.get_message(session, keys, message_id)
        if not message.written_at.astimezone(PARIS).date() <= posted_on <= now.astimezone(PARIS).date():
            raise BadInput("posted_day")
        waiting = {one.number for one in _waiting(session, message_id)}
        if not waiting.issuperset(but):
            raise BadInput("posted_numbers", number=min(set(but) - waiting) + 1)
        n_posted = sum(
            store.end_letter(session, message_id, number, LetterState.SENT, "", now, posted_on)
            for number in sorted(waiting.difference(but))
        )
        facts: dict[str, Fact] = {"message_id": message_id, "n": n_posted, "day": posted_on.isoformat()}
        record(session, AuditLine(now, actor, "school.message_posted", facts=facts))
    return n_posted
