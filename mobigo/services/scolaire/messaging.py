"""Messaging: what the office tells families about their coaches, once to each address, with a proof of each sending.

A message is shown first with the number of people whom it will reach, then sent under the key of what was shown, so
that a form sent twice is one message. Each letter is a job of the same transaction; it goes to the guardian of the home
from which the child goes on that day, by mail and by telephone where both are known, in the language that the guardian
chose. Letters say the circuit, the day and the office's words, and never a child's name.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.outbound.letters import Mail, Post
from mobigo.security import Keys
from mobigo.services.scolaire import studying
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.jobs import Claim, Effects, enqueue
from mobigo.store.people.accounts import Identity, find_identity
from mobigo.store.scolaire import messages as store
from mobigo.store.scolaire.messages import Addressee as Addressee  # doors name them
from mobigo.store.scolaire.messages import Channel as Channel
from mobigo.store.scolaire.messages import Child as Child
from mobigo.store.scolaire.messages import Letter as Letter
from mobigo.store.scolaire.messages import LetterState as LetterState
from mobigo.store.scolaire.messages import Message as Message
from mobigo.store.scolaire.sectors import get_sector, list_sectors
from mobigo.texts import text
from scolaire.plans import SchoolPlan
from scolaire.telling import Matter, Scope, concerned
from socle.errors import BadInput, Fact

LETTER_JOB: Final = "scolaire.letter"
LANGUAGES: Final = ("fr", "en", "de")
MOST_LETTERS: Final = 300  # of the office's words: two text messages
MOST_DAYS_AHEAD: Final = 400
LAST_MESSAGES: Final = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """What the office is about to say."""

    sector_id: str
    matter: Matter
    scope: Scope
    words: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a draft would reach, counted; `samples` are the letter as it would be read, by language."""

    n_children: int
    n_guardians: int
    by_channel: Mapping[Channel, int]
    samples: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with what became of its letters."""

    message: Message
    n_children: int
    letters: Sequence[Letter]

    @property
    def by_state(self) -> Mapping[tuple[Channel, LetterState], int]:
        """How many letters of each kind ended how."""
        return Counter((one.addressee.channel, one.state) for one in self.letters)


@dataclass(frozen=True, slots=True)
class Published:
    """What a message may speak of: the circuits and stops of the plan of a day."""

    sector_id: str
    code: str
    stops: tuple[ServedStop, ...]


@dataclass(frozen=True, slots=True)
class ServedStop:
    """A stop at which coaches halt, and the circuits that do."""

    name: str
    stop_id: str
    circuits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Readers:
    children: tuple[tuple[str, int], ...]
    addressees: tuple[Addressee, ...]


# --- before sending ------------------------------------------------------------------------------


def list_published(engine: Engine, keys: Keys, school_year: int, day: date) -> list[Published]:
    """The sectors of a year that have a plan on a day, with what a message may speak of."""
    with reading(engine) as session:
        sectors = list_sectors(session, school_year)
    found = []
    for sector in sectors:
        published = studying.find_published(engine, keys, sector.sector_id, day)
        if published is not None:
            found.append(Published(sector.sector_id, sector.code, _served(published.plan)))
    return found


def _served(plan: SchoolPlan) -> tuple[ServedStop, ...]:
    circuits: dict[int, set[str]] = defaultdict(set)
    for run in plan.runs:
        for halt in run.halts:
            if halt.stop is not None:
                circuits[halt.stop].add(run.circuit_id)
    found = (
        ServedStop(plan.stops[stop].name, plan.stops[stop].stop_id, tuple(sorted(of))) for stop, of in circuits.items()
    )
    return tuple(sorted(found, key=lambda one: (one.name, one.stop_id)))


def find_stops(engine: Engine, keys: Keys, sector_id: str, day: date, written: str) -> frozenset[str]:
    """The stops that somebody wrote by their names, or by their ids, between semicolons.

    Two stops of one name are both meant.

    Raises:
        BadInput: `message_scope`: the plan of that day has no stop of that name or id.
        NotFound: `nothing_published`.
    """
    pieces = [piece for piece in map(str.strip, written.split(";")) if piece]
    if not pieces:
        return frozenset()
    stops = studying.get_published(engine, keys, sector_id, day).plan.stops
    ids = {stop.stop_id for stop in stops}
    found: set[str] = set()
    for piece in pieces:
        named = {stop.stop_id for stop in stops if stop.name.casefold() == piece.casefold()}
        listed = named or {piece} & ids or set(piece.replace(",", " ").split())
        if not listed <= ids:
            raise BadInput("message_scope", named=piece[:64])
        found |= listed
    return frozenset(found)


def name_stops(engine: Engine, keys: Keys, message: Message) -> list[str]:
    """The stops of a message by name, as the plan of its day has them."""
    if not message.scope.stops:
        return []
    published = studying.find_published(engine, keys, message.sector_id, message.scope.day)
    names = {} if published is None else {stop.stop_id: stop.name for stop in published.plan.stops}
    return sorted(names.get(stop, stop) for stop in message.scope.stops)


def preview(engine: Engine, keys: Keys, draft: Draft, site: str, now: datetime) -> Preview:
    """Whom a draft would reach; nothing is sent.

    Raises:
        BadInput: `message_empty`, `message_long`, `message_day`, `message_scope`: it names what the plan has not.
        NotFound: `unknown_sector`, `nothing_published`.
    """
    plan = _checked(engine, keys, draft, now)
    with reading(engine) as session:
        readers = _readers(session, keys, plan, draft)
    guardians = {one.guardian for one in readers.addressees if one.guardian is not None}
    samples = {language: _letter_text(draft.matter, draft.scope, draft.words, language, site) for language in LANGUAGES}
    counts = Counter(one.channel for one in readers.addressees)
    return Preview(len({pupil for pupil, _home in readers.children}), len(guardians), counts, samples)


def _checked(engine: Engine, keys: Keys, draft: Draft, now: datetime) -> SchoolPlan:
    words = draft.words.strip()
    if not words and draft.matter is Matter.OTHER:
        raise BadInput("message_empty")
    if len(words) > MOST_LETTERS:
        raise BadInput("message_long", most=MOST_LETTERS)
    today = now.date()
    if not today - timedelta(days=1) <= draft.scope.day <= today + timedelta(days=MOST_DAYS_AHEAD):
        raise BadInput("message_day")
    with reading(engine) as session:
        get_sector(session, draft.sector_id)
    plan = studying.get_published(engine, keys, draft.sector_id, draft.scope.day).plan
    unknown = draft.scope.circuits - set(plan.circuits) or draft.scope.stops - {stop.stop_id for stop in plan.stops}
    if unknown:
        raise BadInput("message_scope", named=min(unknown)[:64])
    return plan


def _readers(session: Session, keys: Keys, plan: SchoolPlan, draft: Draft) -> _Readers:
    """The children concerned, in the home of that day, and to whom letters go: one to each address."""
    pupils = concerned(plan, draft.scope)
    homes = store.list_homes(session, keys, draft.sector_id, pupils, draft.scope.day.weekday())
    addressees: dict[Addressee, None] = {}
    channels: dict[str, tuple[Channel, ...]] = {}
    for pupil, _home, guardian in homes:
        if guardian is not None and guardian not in channels:
            channels[guardian] = _channels(find_identity(session, keys, guardian))
        known = channels.get(guardian or "", ())
        for channel in known:
            addressees[Addressee(channel, guardian)] = None
        if not known:
            addressees[Addressee(Channel.POST, guardian, pupil)] = None
    return _Readers(tuple((pupil, home) for pupil, home, _ in homes), tuple(addressees))


def _channels(identity: Identity | None) -> tuple[Channel, ...]:
    if identity is None:
        return ()
    known = ((Channel.EMAIL, identity.email), (Channel.PHONE, identity.phone))
    return tuple(channel for channel, address in known if address)


# --- sending -------------------------------------------------------------------------------------


def send(engine: Engine, keys: Keys, draft: Draft, key: str, actor: str, now: datetime) -> Message:
    """Send a message, once under its key: a second call answers with what was sent.

    Raises:
        BadInput, NotFound: as `preview`.
    """
    plan = _checked(engine, keys, draft, now)
    with transaction(engine) as session:
        known = store.find_by_key(session, keys, key)
        if known is not None:
            return known
        readers = _readers(session, keys, plan, draft)
        message = Message(
            secrets.token_hex(8), draft.sector_id, draft.matter, draft.scope, draft.words.strip(), actor, now
        )
        if not store.add_message(session, keys, message, key, readers.children, readers.addressees):
            return store.get_by_key(session, keys, key)  # sent a moment ago, by the same form
        for number, one in enumerate(readers.addressees):
            if one.channel is not Channel.POST:
                payload = {"message_id": message.message_id, "number": number}
                enqueue(session, LETTER_JOB, payload, now, f"{LETTER_JOB}:{message.message_id}:{number}")
        facts: dict[str, Fact] = {"message_id": message.message_id, "sector_id": draft.sector_id}
        facts |= {"n": len(readers.addressees)}
        record(session, AuditLine(now, actor, "school.message_sent", facts=facts))
    return message


def write(engine: Engine, keys: Keys, post: Post, claim: Claim, now: datetime) -> Effects:
    """Do the job of a letter: hand it in, and note what became of it with the completion of the job.

    Raises:
        Unavailable: `mail_silent`, `sms_silent`: it is tried again.
    """
    message_id, number = str(claim.payload["message_id"]), int(str(claim.payload["number"]))
    state, said = LetterState.GONE, ""
    with reading(engine) as session:
        message = store.get_message(session, keys, message_id)
        addressee = store.get_letter(session, message_id, number).addressee
        guardian = addressee.guardian or ""
        identity = find_identity(session, keys, guardian)
        language = store.find_language(session, guardian) or LANGUAGES[0]
    address = "" if identity is None else identity.email if addressee.channel is Channel.EMAIL else identity.phone
    if address:
        state, said = _hand_in(post, addressee.channel, address, message, language, claim.key)
    return lambda session: store.end_letter(session, message_id, number, state, said, now)


def _hand_in(
    post: Post, channel: Channel, address: str, message: Message, language: str, key: str
) -> tuple[LetterState, str]:
    """What became of one letter, and the code of a refusal for good."""
    words = _letter_text(message.matter, message.scope, message.words, language, post.site)
    try:
        if channel is Channel.EMAIL:
            subject = text(f"letters.school_message.{language}.subject", what=_what(message.matter, language))
            post.mails.send(Mail(address, subject, words, key))
        else:
            post.texts.send(address, words.replace("\n\n", " "), key)
    except BadInput as refusal:
        return LetterState.REFUSED, refusal.code
    return LetterState.SENT, ""


def _letter_text(matter: Matter, scope: Scope, words: str, language: str, site: str) -> str:
    more = text(f"letters.school_message.{language}.more", site=f"{site}/scolaire/alertes")
    return "\n\n".join(part for part in (letter_sentence(matter, scope, language), words.strip(), more) if part)


def letter_sentence(matter: Matter, scope: Scope, language: str) -> str:
    """What a letter is about: circuits, day, matter."""
    room = f"letters.school_message.{language}"
    circuits = ", ".join(sorted(scope.circuits))
    about = text(f"{room}.circuits", circuits=circuits) if circuits else text(f"{room}.all_circuits")
    facts: dict[str, Fact] = {"what": _what(matter, language), "about": about, "day": f"{scope.day:%d/%m/%Y}"}
    return text(f"{room}.body", **facts)


def _what(matter: Matter, language: str) -> str:
    return text(f"letters.school_message.{language}.{matter}")


# --- after sending -------------------------------------------------------------------------------


def list_sent(engine: Engine, keys: Keys, school_year: int) -> list[Sent]:
    """The last messages of a year with what became of their letters, the newest first."""
    with reading(engine) as session:
        ids = [sector.sector_id for sector in list_sectors(session, school_year)]
        return [_sent(session, message) for message in store.list_messages(session, keys, ids, LAST_MESSAGES)]


def get_sent(engine: Engine, keys: Keys, message_id: str) -> Sent:
    """One message with the proof of each sending.

    Raises:
        NotFound: `unknown_school_message`.
    """
    with reading(engine) as session:
        return _sent(session, store.get_message(session, keys, message_id))


def _sent(session: Session, message: Message) -> Sent:
    message_id = message.message_id
    return Sent(message, store.count_children(session, message_id), store.list_letters(session, message_id))


# --- families ------------------------------------------------------------------------------------


def alerts_for(engine: Engine, keys: Keys, children: Collection[Child], today: date) -> list[Message]:
    """What families of these children (sector, pseudonym, home) must know today or later, the first day first.

    What was sent to them, and what was sent about the coaches and stops that are theirs by now: whoever changed coach
    after a message was sent reads it too.
    """
    with reading(engine) as session:
        found = {one.message_id: one for one in store.list_alerts(session, keys, children, today)}
        others = [
            one
            for sector_id in sorted({sector_id for sector_id, _pupil, _home in children})
            for one in store.list_of_sector(session, keys, sector_id, today)
            if one.message_id not in found
        ]
    found |= {one.message_id: one for one in others if _is_theirs(engine, keys, one, children)}
    return sorted(found.values(), key=lambda one: (one.scope.day, -one.written_at.timestamp(), one.message_id))


def _is_theirs(engine: Engine, keys: Keys, message: Message, children: Collection[Child]) -> bool:
    """Whether one of these children rides, from this home, what a message speaks of."""
    published = studying.find_published(engine, keys, message.sector_id, message.scope.day)
    if published is None:
        return False
    own = {(pupil, home) for sector_id, pupil, home in children if sector_id == message.sector_id}
    riding = concerned(published.plan, message.scope) & {pupil for pupil, _home in own}
    if not riding:
        return False
    with reading(engine) as session:
        homes = store.list_homes(session, keys, message.sector_id, riding, message.scope.day.weekday())
    return any((pupil, home) in own for pupil, home, _guardian in homes)


def alerts_of(engine: Engine, keys: Keys, guardian: str, today: date) -> list[Message]:
    """What the account of a guardian must know today or later."""
    with reading(engine) as session:
        children = store.children_of(session, guardian)
    return alerts_for(engine, keys, children, today)


def find_language(engine: Engine, holder: str) -> str:
    """The language in which somebody is written to."""
    with reading(engine) as session:
        return store.find_language(session, holder) or LANGUAGES[0]


def set_language(engine: Engine, holder: str, language: str, now: datetime) -> None:
    """Note the language in which somebody wishes to be written to.

    Raises:
        BadInput: `unknown_language`.
    """
    if language not in LANGUAGES:
        raise BadInput("unknown_language")
    with transaction(engine) as session:
        store.set_language(session, holder, language, now)
