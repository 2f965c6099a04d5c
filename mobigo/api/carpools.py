"""Carpools: opened, boarded, left, closed as they happen, or declared whole; what each is worth, with its proof."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from msgspec import Meta, Struct, field

from covoiturage.carpool import Side
from mobigo.api.access import Needs, decode, now_of, private_json, read_json
from mobigo.api.reference import describe
from mobigo.security import Keys, Permission
from mobigo.services.covoiturage import boarding_codes, carpools, outings, scanning
from mobigo.services.covoiturage.carpools import Part, ToldCarpool
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.outings import Happened, Seen
from mobigo.services.covoiturage.paid import payout_sentence
from mobigo.services.ledger.proving import prove_entry
from mobigo.services.people.contacts import read_phone
from mobigo.services.people.principal import Principal
from mobigo.texts import text
from socle.errors import BadInput, Conflict, NotFound
from socle.geo import LatLon
from socle.times import PARIS

ROOT = "/api/covoiturage/carpools"
ONE = f"{ROOT}/{{carpool_id}}"
REPLAYED = {"Idempotent-Replay": "true"}
MOST_DEVICE_LETTERS = 200
Given = dict[str, Any]
Lat = Annotated[float, Meta(ge=-90, le=90)]
Lon = Annotated[float, Meta(ge=-180, le=180)]
Device = Annotated[str, Meta(max_length=MOST_DEVICE_LETTERS)]


class NoParams(Struct):
    """Nothing is asked in the address."""


class SideParams(Struct):
    """For which end of the rides."""

    side: Side = Side.BOARD


class SeenBody(Struct, forbid_unknown_fields=True):
    """What the caller's device tells of itself, if it does."""

    lat: Lat | None = None
    lon: Lon | None = None
    device: Device | None = None


class CarpoolBody(Struct):
    """A carpool that begins (`line_id`, `stop_id`), or one that is over, as `mobigo covoiturage declare` reads it."""

    line_id: str | None = None
    stop_id: str | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    device: Device | None = None
    carpool_id: str | None = None
    driver: str | None = None
    start_at: str | None = None
    end_at: str | None = None
    measured_m: int | None = None
    official_m: int | None = None
    rides: list[Given] | None = None


class RideBody(SeenBody, kw_only=True):
    """Somebody boards: the passenger by the code scanned (`token`), the driver for them by a code sent by SMS."""

    stop_id: str
    token: str | None = None
    code_id: str | None = None
    code: str | None = None
    seats: int = 1


class EvidenceBody(SeenBody):
    """Somebody alights, as they boarded; without a code, where the caller is, or was at `at`."""

    stop_id: str | None = None
    token: str | None = None
    code_id: str | None = None
    code: str | None = None
    at: datetime | None = None


class CodeBody(Struct, forbid_unknown_fields=True):
    """A code to be sent by SMS to a passenger's number."""

    phone: str
    side: Side = Side.BOARD


class CloseBody(SeenBody):
    """The car has arrived; `set_down` says for each ride still open at which stop the passenger was set down."""

    stop_id: str | None = None
    set_down: dict[str, str] = field(default_factory=dict)


class CancelBody(Struct, forbid_unknown_fields=True):
    """The carpool was not so, and why."""

    why: str = ""


class RideAnswer(Struct):
    """One ride of a carpool."""

    ride_id: str
    passenger: str | None
    seats: int
    board_at: datetime
    alight_at: datetime | None
    board_stop: str | None
    alight_stop: str | None
    distance_m: int | None
    proof_class: str | None
    proof_why: str | None


class CarpoolAnswer(Struct):
    """A carpool as the caller may see it."""

    carpool_id: str
    part: str
    state: str
    line_id: str | None
    start_at: datetime
    end_at: datetime | None
    rides: list[RideAnswer]


class DeclaredAnswer(Struct):
    """What became of a carpool that was declared, or begins."""

    carpool_id: str
    state: str
    policy_id: str | None = None
    reserved_cents: int = 0
    proofs: dict[str, str] = field(default_factory=dict)


class TokenAnswer(Struct):
    """The code that the driver shows, until when, and the address that its QR holds."""

    token: str
    side: Side
    valid_until: datetime
    path: str


class CodeAnswer(Struct):
    """Under which id the code that was sent is brought back."""

    code_id: str


class PaidAnswer(Struct):
    """Where the money of a decision is; a payment pays all that its driver is owed."""

    state: str
    label: str
    batch: str | None
    month: str | None
    on: date | None
    cents: int | None


class DecisionAnswer(Struct):
    """What the carpool is worth to the caller, why, and that the books hold it."""

    carpool_id: str
    state: str
    state_label: str
    amount_cents: int | None
    reason: str | None
    policy_id: str | None
    policy_sha256: str | None
    facts_sha256: str
    explanation: list[str]
    entry_key: str | None
    proof: Given | None
    payout: PaidAnswer | None = None


Body = Annotated[bytes, Depends(read_json)]
CarpoolId = Annotated[str, Path(description=text("api.parameters.carpoolId"))]
Owner = Annotated[Principal, Depends(Needs(Permission.OWN_ACCOUNT))]

router = APIRouter(tags=["covoiturage"])
_KEY_HEADER = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}}


def _told(
    name: str, answer: type[Any], body: type[Any] | None = None, params: type[Any] = NoParams, *, keyed: bool = False
) -> dict[str, Any]:
    """What OpenAPI says of an endpoint of this room."""
    extra = describe(name, params, answer, body, private=True)
    if keyed:
        extra["parameters"].append(_KEY_HEADER | {"description": text("api.parameters.idempotencyKey")})
    return {"operation_id": name, "response_model": None, "openapi_extra": extra}


@router.post(ROOT, **_told("addCarpool", DeclaredAnswer, CarpoolBody, keyed=True))
def add(request: Request, principal: Owner, body: Body) -> Response:
    """Begin a carpool as its driver, or declare one that is over as an operator; once under an `Idempotency-Key`."""
    wish: CarpoolBody = decode(body, CarpoolBody)
    state, now, key = request.app.state, now_of(request), request.headers.get("idempotency-key", "")
    if wish.rides is not None:
        principal.require(Permission.CARPOOL_DECLARE)
        given = {name: value for name, value in msgspec.json.decode(body).items() if value is not None}
        scope = carpools.operator_scope(principal.pseudonym)
        done = declare(state.engine, given, key, principal.actor, now, scope)
        answer = DeclaredAnswer(done.carpool_id, "closed", done.policy_id, done.reserved_cents, dict(done.proofs))
        return _answer(answer, replayed=done.replayed)
    if wish.line_id is None or wish.stop_id is None:
        raise BadInput("bad_field", reason="line_id, stop_id")
    course = outings.course_of_line(state.engine, wish.line_id, now.astimezone(PARIS).date())
    seen = _seen(request, wish)
    begun = outings.open_outing(state.engine, principal.pseudonym, course, wish.stop_id, seen, key, principal.actor)
    return _answer(DeclaredAnswer(begun.outing.id, begun.outing.state), replayed=begun.replayed)


@router.get(ONE, **_told("carpool", CarpoolAnswer))
def one(request: Request, principal: Owner, carpool_id: CarpoolId) -> Response:
    """A carpool that one drives, rides in or declared."""
    return private_json(_shown(carpools.get_told(request.app.state.engine, carpool_id, principal.pseudonym)))


@router.get(f"{ONE}/code", **_told("carpoolCode", TokenAnswer, params=SideParams))
def code(request: Request, principal: Owner, carpool_id: CarpoolId) -> Response:
    """The code of this minute, for the driver to show."""
    said = request.query_params.get("side", Side.BOARD)
    if said not in set(Side):
        raise BadInput("bad_field", reason="side")
    state = request.app.state
    side = Side(said)
    shown = scanning.show_code(state.engine, state.keys, carpool_id, principal.pseudonym, side, now_of(request))
    page = {Side.BOARD: "monter", Side.ALIGHT: "descendre"}[side]
    return private_json(TokenAnswer(shown.token, side, shown.valid_until, f"/covoiturage/{page}/{shown.token}"))


@router.post(f"{ONE}/codes", **_told("sendCarpoolCode", CodeAnswer, CodeBody))
def send_code(request: Request, principal: Owner, carpool_id: CarpoolId, body: Body) -> Response:
    """Have six figures sent to a passenger's number; whether somebody has it is not told."""
    wish: CodeBody = decode(body, CodeBody)
    state, phone = request.app.state, read_phone(wish.phone)
    who, now = principal.pseudonym, now_of(request)
    return private_json(
        CodeAnswer(boarding_codes.ask_code(state.engine, state.keys, carpool_id, who, phone, wish.side, now))
    )


@router.post(f"{ONE}/rides", **_told("boardCarpool", CarpoolAnswer, RideBody))
def board(request: Request, principal: Owner, carpool_id: CarpoolId, body: Body) -> Response:
    """A passenger gets in."""
    wish: RideBody = decode(body, RideBody)
    state, seen, who = request.app.state, _seen(request, wish), principal.pseudonym
    if wish.token is not None:
        _same_carpool(state.keys, wish.token, carpool_id)
        done = scanning.board_by_scan(state.engine, state.keys, who, wish.token, wish.stop_id, seen, wish.seats)
    elif wish.code_id is not None and wish.code is not None:
        done = boarding_codes.use_code(
            state.engine, state.keys, carpool_id, who, wish.code_id, wish.code, wish.stop_id, seen, wish.seats
        )
    else:
        raise BadInput("one_of_two", one="token", other="code_id, code")
    return _happened(request, who, done)


@router.post(f"{ONE}/evidence", **_told("addCarpoolEvidence", CarpoolAnswer, EvidenceBody))
def evidence(request: Request, principal: Owner, carpool_id: CarpoolId, body: Body) -> Response:
    """A passenger gets out, or somebody of the carpool tells where they are."""
    wish: EvidenceBody = decode(body, EvidenceBody)
    state, seen, who = request.app.state, _seen(request, wish), principal.pseudonym
    stop_id = wish.stop_id or ""
    if wish.token is not None:
        _same_carpool(state.keys, wish.token, carpool_id)
        done = scanning.alight_by_scan(state.engine, state.keys, who, wish.token, stop_id, seen)
    elif wish.code_id is not None and wish.code is not None:
        done = boarding_codes.use_code(
            state.engine, state.keys, carpool_id, who, wish.code_id, wish.code, stop_id, seen
        )
    else:
        if wish.at is not None and wish.at.tzinfo is None:
            raise BadInput("bad_field", reason="at")
        done = outings.note_position(state.engine, carpool_id, who, seen, wish.at)
    return _happened(request, who, done)


@router.post(f"{ONE}/close", **_told("closeCarpool", DeclaredAnswer, CloseBody))
def close(request: Request, principal: Owner, carpool_id: CarpoolId, body: Body) -> Response:
    """The car has arrived: the carpool is declared, once."""
    wish: CloseBody = decode(body, CloseBody)
    seen, who = _seen(request, wish), principal.pseudonym
    done = outings.close_outing(
        request.app.state.engine, carpool_id, who, wish.stop_id or "", wish.set_down, seen, principal.actor
    )
    if done.declared is None:
        return private_json(DeclaredAnswer(carpool_id, done.outing.state))
    told = done.declared
    answer = DeclaredAnswer(carpool_id, "closed", told.policy_id, told.reserved_cents, dict(told.proofs))
    return _answer(answer, replayed=told.replayed)


@router.post(f"{ONE}/cancel", **_told("cancelCarpool", CarpoolAnswer, CancelBody))
def cancel(request: Request, principal: Owner, carpool_id: CarpoolId, body: Body) -> Response:
    """The carpool was not so; what was promised or decided for it is undone."""
    wish: CancelBody = decode(body, CancelBody)
    engine, who, now = request.app.state.engine, principal.pseudonym, now_of(request)
    if carpools.is_outing(engine, carpool_id):
        outings.cancel_outing(engine, carpool_id, who, wish.why, principal.actor, now)
    else:
        carpools.cancel_declared(engine, carpool_id, who, wish.why, principal.actor, now)
    return private_json(_shown(carpools.get_told(engine, carpool_id, who)))


@router.get(f"{ONE}/decision", **_told("carpoolDecision", DecisionAnswer))
def decision(request: Request, principal: Owner, carpool_id: CarpoolId) -> Response:
    """What the carpool is worth, step by step, and the proof that the books of a sealed day hold it."""
    engine = request.app.state.engine
    may_read_all = principal.may(Permission.CARPOOL_MONEY_READ)
    told = carpools.get_decision(engine, carpool_id, principal.pseudonym, may_read_all=may_read_all)
    proof = None
    if told.entry_key:
        try:
            proof = prove_entry(engine, told.entry_key)
        except (NotFound, Conflict):  # worth nothing, so no entry; or its day is not sealed yet
            proof = None
    return private_json(
        DecisionAnswer(
            told.carpool_id,
            told.state,
            told.state_label,
            told.amount_cents,
            told.reason or None,
            told.policy_id or None,
            told.policy_sha256 or None,
            told.facts_sha256,
            list(told.explanation),
            told.entry_key or None,
            proof,
            _payout(told.payout),
        )
    )


def _payout(payout: carpools.Payout | None) -> PaidAnswer | None:
    if payout is None:
        return None
    about = (payout.batch_id or None, payout.month or None, payout.execute_on, payout.cents or None)
    return PaidAnswer(payout.state, payout_sentence(payout), *about)


def _seen(request: Request, told: SeenBody | CarpoolBody) -> Seen:
    """What the caller's device tells; what it calls itself is kept as a keyed hash."""
    keys: Keys = request.app.state.keys
    if (told.lat is None) != (told.lon is None):
        raise BadInput("place_missing")
    place = None if told.lat is None or told.lon is None else LatLon(told.lat, told.lon)
    return Seen(now_of(request), keys.blind("device", told.device) if told.device else None, place)


def _same_carpool(keys: Keys, token: str, carpool_id: str) -> None:
    if scanning.outing_of_scan(keys, token) not in {None, carpool_id}:
        raise Conflict("boarding_other_outing")


def _happened(request: Request, who: str, done: Happened) -> Response:
    told = carpools.get_told(request.app.state.engine, done.outing.id, who)
    return _answer(_shown(told), replayed=done.replayed)


def _answer(value: Any, *, replayed: bool) -> Response:
    answer = private_json(value)
    if replayed:
        answer.headers.update(REPLAYED)
    return answer


def _shown(told: ToldCarpool) -> CarpoolAnswer:
    rides = [
        RideAnswer(
            ride.ride_id,
            ride.passenger or None,
            ride.seats,
            ride.board_at,
            ride.alight_at,
            ride.board_stop or None,
            ride.alight_stop or None,
            ride.distance_m,
            ride.proof_class or None,
            ride.proof_why or None,
        )
        for ride in told.rides
    ]
    return CarpoolAnswer(told.carpool_id, Part(told.part), told.state, told.line_id, told.start_at, told.end_at, rides)
