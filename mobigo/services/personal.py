"""Personal: what is held about a person: consents, "my data", erasure.

Whoever acts, the person or the data officer on their demand, the audit log tells it in the
same transaction.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from sqlalchemy import Engine

from mobigo.security import PRIVATE_ROLES
from mobigo.store.audit import AuditLine, record
from mobigo.store.audit import read_why as read_why  # doors ask it first
from mobigo.store.base import reading, transaction
from mobigo.store.consents import Answer as Answer  # doors name it
from mobigo.store.consents import last_answers, list_answers, record_answer
from mobigo.store.holdings import erase_person, export_person, names_somebody
from mobigo.store.people.accounts import Person as Person
from mobigo.store.people.accounts import get_by_pseudonym, lock_person
from mobigo.store.people.roles import roles_of
from mobigo.store.personal import OpensSealed, Row
from mobigo.store.personal import Whose as Whose
from mobigo.texts import text
from socle.errors import BadInput, Conflict, NotFound
from socle.times import local_day


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person is asked to agree to, in the words of one version."""

    purpose: str
    version: int
    from_day: date
    sha256: str

    @property
    def title(self) -> str:
        """What it is about, in a few words."""
        return text(f"consents.{self.purpose}.v{self.version}.title")

    @property
    def sentence(self) -> str:
        """What exactly is agreed to."""
        return text(f"consents.{self.purpose}.v{self.version}.sentence")

    def digest(self) -> str:
        """The SHA-256 of title, line feed, sentence in UTF-8."""
        return hashlib.sha256(f"{self.title}\n{self.sentence}".encode()).hexdigest()


@cache
def all_wordings() -> Sequence[Wording]:
    """Every wording ever shown, and those to come."""
    raw = tomllib.loads(files("mobigo.services").joinpath("consents.toml").read_text("utf-8"))
    return tuple(Wording(each["purpose"], each["version"], each["from"], each["sha256"]) for each in raw["wording"])


def wordings_on(day: date) -> Mapping[str, Wording]:
    """What is asked on `day`: the newest wording of each purpose that has begun."""
    chosen: dict[str, Wording] = {}
    for wording in sorted(all_wordings(), key=lambda each: (each.from_day, each.version)):
        if wording.from_day <= day:
            chosen[wording.purpose] = wording
    return chosen


@dataclass(frozen=True, slots=True)
class Consent:
    """A purpose as it is asked today, and the last answer: `given` is true only for these very words."""

    wording: Wording
    answer: Answer | None

    @property
    def given(self) -> bool:
        """Whether the person agreed to these words. Words that changed are to be agreed to anew."""
        answer = self.answer
        return answer is not None and answer.given and answer.version == self.wording.version


def list_consents(engine: Engine, whose: Whose, now: datetime) -> Sequence[Consent]:
    """What the person is asked today, with what was answered."""
    with reading(engine) as session:
        answers = last_answers(session, whose.pseudonym)
    return [
        Consent(wording, answers.get(purpose))
        for purpose, wording in wordings_on(local_day(int(now.timestamp()))).items()
    ]


def list_history(engine: Engine, whose: Whose) -> Sequence[Answer]:
    """Every answer the person ever gave, in order."""
    with reading(engine) as session:
        return list_answers(session, whose.pseudonym)


def has_consent(engine: Engine, whose: Whose, purpose: str, now: datetime) -> bool:
    """Whether the person agrees today to `purpose`, in today's words: what whoever relies on it asks first."""
    return any(each.given for each in list_consents(engine, whose, now) if each.wording.purpose == purpose)


def answer_consents(
    engine: Engine, whose: Whose, versions: Mapping[str, int], given: Mapping[str, bool], actor: str, now: datetime
) -> Sequence[str]:
    """Keep the answers to the wordings that were shown (`versions`); the purposes whose answer changed.

    What was not agreed to before and is not now is no answer. `actor` is the person, or who writes it down for them.

    Raises:
        BadInput: `unknown_consent`; `consent_words_changed` when other words are in force by now.
    """
    wordings = wordings_on(local_day(int(now.timestamp())))
    changed = []
    with transaction(engine) as session:
        answers = last_answers(session, whose.pseudonym)
        for purpose, yes in given.items():
            wording = wordings.get(purpose)
            if wording is None:
                raise BadInput("unknown_consent", purpose=purpose)
            if versions.get(purpose) != wording.version:
                raise BadInput("consent_words_changed", title=wording.title)
            before = answers.get(purpose)
            stands = before is not None and before.given and (before.version == wording.version or not yes)
            if stands == yes:
                continue
            record_answer(session, whose.pseudonym, Answer(purpose, wording.version, wording.sha256, yes, now, actor))
            action = "personal.consent_given" if yes else "personal.consent_withdrawn"
            record(
                session,
                AuditLine(now, actor, action, whose.name, facts={"purpose": purpose, "version": wording.version}),
            )
            changed.append(purpose)
    return changed


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Everything held about a person, by table, as it was at one instant."""

    at: datetime
    whose: Whose
    rows: Mapping[str, Sequence[Row]]


def read(engine: Engine, whose: Whose, keys: OpensSealed, actor: str, why: str, now: datetime) -> PersonalData:
    """Everything held about a person, to be looked at, and the audit line that tells it was.

    Raises:
        NotFound: `unknown_person` when nothing is held that names such a person.
    """
    return _gather(engine, whose, keys, AuditLine(now, actor, "personal.read", whose.name, why))


def export(engine: Engine, whose: Whose, keys: OpensSealed, actor: str, why: str, now: datetime) -> PersonalData:
    """Everything held about a person, to be taken away in a file, and the audit line that tells it was.

    Raises:
        NotFound: `unknown_person` when nothing is held that names such a person.
    """
    return _gather(engine, whose, keys, AuditLine(now, actor, "personal.exported", whose.name, why))


def _gather(engine: Engine, whose: Whose, keys: OpensSealed, line: AuditLine) -> PersonalData:
    with transaction(engine) as session:
        rows = export_person(session, whose, keys)
        if not names_somebody(rows):
            raise NotFound("unknown_person")
        record(session, line)
    return PersonalData(line.at, whose, rows)


def get_person(engine: Engine, pseudonym: str) -> Person:
    """The person behind a pseudonym, without anything that says who.

    Raises:
        NotFound: `unknown_person`.
    """
    with reading(engine) as session:
        return get_by_pseudonym(session, pseudonym)


def render_json(data: PersonalData) -> Iterator[bytes]:
    """The export for machines: UTF-8 JSON, one table after the other."""
    head = {"format": "mobigo-personal-data", "version": 1, "exported_at": data.at, "pseudonym": data.whose.pseudonym}
    document = {**head, "tables": data.rows}
    encoder = json.JSONEncoder(ensure_ascii=False, indent=2, default=_instant)
    for piece in encoder.iterencode(document):
        yield piece.encode()


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"no plain value: {value!r}")


def erase(engine: Engine, whose: Whose, actor: str, why: str, now: datetime) -> Mapping[str, int]:
    """Take away everything that names a person; how many rows went, by table.

    Books and audit lines keep the pseudonym, and nothing is left that leads from it to somebody.

    Raises:
        NotFound: `unknown_person` when there is nothing to take away (any more).
        Conflict: `role_at_work`: first somebody takes the role, so that no service loses its last administrator.
    """
    with transaction(engine) as session:
        lock_person(session, whose.person_id)
        at_work = roles_of(session, [whose.person_id])[whose.person_id] - PRIVATE_ROLES
        if at_work:
            raise Conflict("role_at_work")
        counts = erase_person(session, whose)
        if not counts:
            raise NotFound("unknown_person")
        record(session, AuditLine(now, actor, "personal.erased", whose.name, why, dict(counts)))
    return counts
