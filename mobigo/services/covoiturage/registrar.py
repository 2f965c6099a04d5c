"""Registrar: telling the national registry each ride, its corrections and its end, and asking what it made of it.

What has to be told is what the registry does not know yet: `look` compares, every few minutes, and puts
messages and their jobs down in one transaction, each once by its key. Who rode is read from the sealed
accounts when a message is sent, and written down nowhere. The registry knows a journey that it gets
twice by its id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from covoiturage.fields import read_json, render_json
from covoiturage.registry import (
    journey_id,
    read_reasons,
    read_status,
    render_cancellation,
    render_correction,
    render_journey,
)
from mobigo.outbound.http import Limits, Said, check_server, send
from mobigo.security import Keys
from mobigo.services.covoiturage.registering import check_siret, estimate_shares, told_ride
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.carpools import CarpoolState, KeptCarpool, get_carpool
from mobigo.store.covoiturage.registry_messages import (
    Kind,
    Message,
    Outcome,
    State,
    add_message,
    count_messages,
    count_statuses,
    end_message,
    find_message,
    hold_ride,
    list_changed,
    list_corrected,
    list_of_ride,
    list_refused,
    list_to_ask,
    list_untold,
    note_answer,
)
from mobigo.store.jobs import Claim, Effects, enqueue
from mobigo.texts import text
from socle.errors import BadInput, Conflict, Fact, NotFound, Unavailable

LOOK_JOB = "covoiturage.registry_look"
SEND_JOB = "covoiturage.registry_send"
TOLD_WITHIN = timedelta(hours=24)  # of the end; corrections too
ASKED_AFTER = timedelta(hours=48)
_ASKED_UNTIL = timedelta(days=30)
_ASKED_AGAIN = timedelta(days=1)
_OF_OPERATORS = "api:"  # keys of what operators declared, who tell the registry themselves
_LIMITS = Limits(n_bytes=1 << 20, silence_s=30.0, whole_s=60.0)
# Eight tries in some 17 hours: a journey that ended now is told within its day, whatever fails for a night.
_PAUSES_S = (60, 240, 960, 3_600, 10_800, 21_600, 21_600)
_LONGEST_PAUSE_S = 86_400.0
_ACTOR = "system:jobs"


@dataclass(frozen=True, slots=True)
class Registry:
    """Where the registry is, what it knows us by, and who pays the incentives."""

    server: str
    token: str = field(repr=False)
    siret: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How many messages of each kind stand where, what the registry says of journeys, the last refusals."""

    counts: Mapping[tuple[Kind, State], int]
    statuses: Mapping[str, int]
    refused: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was refused or could not be told, and whether it may be sent again."""

    message: Message
    may_send: bool


def read_registry(server: str, token: str, siret: str) -> Registry | None:
    """The registry of the settings; None when none is set.

    Raises:
        BadInput: `registry_half_set`, `bad_server`, `bad_siret`.
    """
    if not (server or token or siret):
        return None
    if not (server and token and siret):
        raise BadInput("registry_half_set")
    check_server(server)
    return Registry(server.rstrip("/"), token, check_siret(siret))


def get_standing(engine: Engine, most: int = 10) -> Standing:
    """What was told, and what the registry made of it."""
    with reading(engine) as session:
        return Standing(count_messages(session), count_statuses(session), tuple(list_refused(session, most)))


# --- what has to be told --------------------------------------------------------------------


def look(session: Session, now: datetime) -> None:
    """Put down what the registry does not know yet. Doing it again finds nothing new."""
    since = now - TOLD_WITHIN
    for ride_id, carpool_id in list_untold(session, since, now, _OF_OPERATORS):
        if _find_ride(get_carpool(session, carpool_id), ride_id) is not None:
            _put_off(session, ride_id, Kind.JOURNEY, now)
    for ride_id in list_corrected(session, since):
        _put_off(session, ride_id, Kind.JOURNEY, now)
    for ride_id, carpool_id in list_changed(session):
        carpool = get_carpool(session, carpool_id)
        if _is_gone(carpool, ride_id):
            _put_off(session, ride_id, Kind.CANCELLATION, now)
        elif carpool.end_at > since and _may_correct(session, carpool, ride_id):
            _put_off(session, ride_id, Kind.CORRECTION, now)
    for ride_id in list_to_ask(session, now - _ASKED_UNTIL, now - ASKED_AFTER, now - _ASKED_AGAIN):
        _put_off(session, ride_id, Kind.STATUS, now)


def list_refusals(engine: Engine, now: datetime, most: int = 100) -> Sequence[Refusal]:
    """What the registry refused or could not be told, the latest first, and what may be sent again."""
    with reading(engine) as session:
        return [
            Refusal(one, _may_send_again(get_carpool(session, one.carpool_id), one, now))
            for one in list_refused(session, most)
        ]


def send_again(engine: Engine, ride_id: str, actor: str, now: datetime) -> None:
    """Have a journey told once more that the registry refused, or that could not be told.

    Raises:
        NotFound: `unknown_ride`: nothing of it was refused.
        Conflict: `registry_not_refused`: it was told since; `registry_too_late`: the registry takes it no more, or
            it was cancelled.
    """
    with transaction(engine) as session:
        hold_ride(session, ride_id)
        told = [one for one in list_of_ride(session, ride_id) if one.kind is Kind.JOURNEY]
        if not told:
            raise NotFound("unknown_ride", ride=ride_id)
        last = told[-1]
        if last.state not in {State.REFUSED, State.DROPPED}:
            raise Conflict("registry_not_refused")
        carpool = get_carpool(session, last.carpool_id)
        if not _may_send_again(carpool, last, now):
            raise Conflict("registry_too_late", hours=int(TOLD_WITHIN.total_seconds() // 3600))
        _put_off(session, ride_id, Kind.JOURNEY, now)
        facts: dict[str, Fact] = {"carpool": carpool.id, "ride": ride_id}
        record(session, AuditLine(now, actor, "covoiturage.registry_sent_again", facts=facts))


def _may_send_again(carpool: KeptCarpool, message: Message, now: datetime) -> bool:
    is_journey = message.kind is Kind.JOURNEY
    return is_journey and carpool.end_at > now - TOLD_WITHIN and not _is_gone(carpool, message.ride_id)


def _may_correct(session: Session, carpool: KeptCarpool, ride_id: str) -> bool:
    """Whether no correction is on its way, and the registry has not refused these very facts."""
    told = [one for one in list_of_ride(session, ride_id) if one.kind is Kind.CORRECTION]
    return all(one.state is not State.WAITING for one in told) and (
        not told or told[-1].state is State.TAKEN or told[-1].facts_sha256 != carpool.facts_sha256
    )


def _put_off(session: Session, ride_id: str, kind: Kind, now: datetime) -> None:
    number = add_message(session, ride_id, kind, now)
    payload = {"ride": ride_id, "kind": str(kind), "number": number}
    enqueue(session, SEND_JOB, payload, now, f"{SEND_JOB}:{kind}:{number}:{ride_id}")


def _find_ride(carpool: KeptCarpool, ride_id: str) -> dict[str, Any] | None:
    """A ride as the facts have it now; None when it was struck out."""
    rides = json.loads(carpool.facts)["rides"]
    return next((one for one in rides if one["ride_id"] == ride_id), None)


def _is_gone(carpool: KeptCarpool, ride_id: str) -> bool:
    return carpool.state is CarpoolState.CANCELLED or _find_ride(carpool, ride_id) is None


# --- telling --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is sent, the facts that it tells, and whose data it holds."""

    method: str
    path: str
    body: bytes
    facts_sha256: str = ""
    people: tuple[str, ...] = ()


def tell(engine: Engine, keys: Keys, registry: Registry, claim: Claim, now: datetime) -> Effects:
    """Do the job of one message; its effects are what became of it.

    Raises:
        Unavailable: `server_silent`, `registry_silent`: to be tried again.
        BadInput: `registry_keys_refused`, which trying again does not mend.
    """
    payload = claim.payload
    with reading(engine) as session:
        message = find_message(session, str(payload["ride"]), Kind(str(payload["kind"])), int(str(payload["number"])))
        if message is None or message.state is not State.WAITING:
            return lambda _session: None
        letter = _write(session, keys, registry.siret, message, now)
    if isinstance(letter, Outcome):
        return lambda session: _drop(session, message, letter, claim, now)
    said = _post(engine, registry, letter, message, claim, now)
    outcome = _judge(message, letter, said)

    def note(session: Session) -> None:
        end_message(session, message, outcome, now)
        facts: dict[str, Fact] = {"carpool": message.carpool_id}
        for name in letter.people:
            record(session, AuditLine(now, _ACTOR, "covoiturage.registry_exported", f"person:{name}", facts=facts))

    return note


def _drop(session: Session, message: Message, outcome: Outcome, claim: Claim, now: datetime) -> None:
    end_message(session, message, outcome, now)
    if message.kind is Kind.JOURNEY and outcome.why == "gone" and claim.number > 1:
        _put_off(session, message.ride_id, Kind.CANCELLATION, now)  # an earlier try may have arrived


def _write(session: Session, keys: Keys, siret: str, message: Message, now: datetime) -> _Letter | Outcome:
    """What a message sends as things stand; or why it sends nothing."""
    path = f"/journeys/{journey_id(message.ride_id)}"
    if message.kind is Kind.STATUS:
        return _Letter("GET", path, b"")
    carpool = get_carpool(session, message.carpool_id)
    ride = _find_ride(carpool, message.ride_id)
    if message.kind is Kind.CANCELLATION:
        code = "ride_struck_out" if carpool.state is not CarpoolState.CANCELLED else "carpool_cancelled"
        return _Letter("POST", f"{path}/cancel", render_json(render_cancellation(code, text(f"registry.{code}"))))
    if carpool.state is CarpoolState.CANCELLED or ride is None:
        return Outcome(State.DROPPED, why="gone")
    if message.kind is Kind.CORRECTION and carpool.end_at <= now - TOLD_WITHIN:
        return Outcome(State.DROPPED, why="expired")
    try:
        told = told_ride(session, keys, siret, carpool, ride, estimate_shares(session, carpool))
        if message.kind is Kind.CORRECTION:
            return _Letter("PATCH", path, render_json(render_correction(told)), carpool.facts_sha256)
        people = (carpool.driver, str(ride["passenger"]))
        return _Letter("POST", "/journeys", render_json(render_journey(told)), carpool.facts_sha256, people)
    except (BadInput, NotFound) as error:
        return Outcome(State.DROPPED, facts_sha256=carpool.facts_sha256, why=error.code)


def _post(engine: Engine, registry: Registry, letter: _Letter, message: Message, claim: Claim, now: datetime) -> Said:
    """What the registry answers; an answer that settles nothing is noted before it is raised."""
    wait_s = float(_PAUSES_S[min(claim.n_tries, len(_PAUSES_S)) - 1])
    try:
        headers = {"Authorization": f"Bearer {_token(registry)}"}
        said = send(letter.method, f"{registry.server}{letter.path}", headers, letter.body, _LIMITS)
    except _Unanswered as fault:
        said = fault.said
    except Unavailable:
        raise Unavailable("registry_silent", said="-", wait_s=wait_s) from None
    if said.status in {401, 403} or said.status in {408, 425, 429} or said.status >= 500:
        with transaction(engine) as session:
            note_answer(session, message, said.status, now)
        if said.status in {401, 403}:
            raise BadInput("registry_keys_refused", said=str(said.status))
        wait_s = min(max(wait_s, said.retry_after_s), _LONGEST_PAUSE_S)
        raise Unavailable("registry_silent", said=str(said.status), wait_s=wait_s)
    return said


class _Unanswered(Exception):
    """No token was given; what was said instead."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.status)
        self.said = said


def _token(registry: Registry) -> str:
    """The token of a request: the keys `access:secret` are given for one each time, as they live five minutes."""
    access, colon, secret = registry.token.partition(":")
    if not colon:
        return registry.token
    asked = render_json({"access_key": access, "secret_key": secret})
    said = send("POST", f"{registry.server}/auth/access_token", {}, asked, _LIMITS)
    if said.status != 201:
        raise _Unanswered(said if said.status >= 500 or said.status == 429 else Said(401, "", b""))
    try:
        told = read_json(said.body)
    except BadInput:
        told = None
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
        raise _Unanswered(Said(502, "", b""))
    return token


def _judge(message: Message, letter: _Letter, said: Said) -> Outcome:
    """What an answer means for a message."""
    status = said.status
    if message.kind is Kind.STATUS:
        if status == 200:
            told, labels = read_status(said.body)
            return Outcome(State.TAKEN, status, told, why=", ".join(labels))
        return Outcome(State.REFUSED, status)
    if message.kind is Kind.JOURNEY and status == 409:
        # It may have the journey as it was at an earlier try: a correction follows, which does no harm.
        return Outcome(State.TAKEN, status)
    if 200 <= status < 300 or status == 409:
        ended = "canceled" if message.kind is Kind.CANCELLATION else ""
        return Outcome(State.TAKEN, status, ended, letter.facts_sha256)
    return Outcome(State.REFUSED, status, "", letter.facts_sha256, ", ".join(read_reasons(said.body)))
