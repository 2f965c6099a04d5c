"""Carpool money: one's statements and disputes; for staff what is held, budgets, settlements and pay-outs.

Each of these does once what is asked twice: a dispute by its `Idempotency-Key`, the rest by what they name.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from msgspec import Meta, Struct

from covoiturage.payments import check_month
from mobigo.api.access import Needs, decode, now_of, private_json, read_json
from mobigo.api.reference import describe
from mobigo.security import Permission
from mobigo.services.covoiturage import budgets, certifying, disputing, paying, screening, settling
from mobigo.services.covoiturage.certifying import OwnPayment
from mobigo.services.covoiturage.disputing import Dispute, Reason
from mobigo.services.covoiturage.paying import Batch
from mobigo.services.covoiturage.screening import Verdict
from mobigo.services.people.principal import Principal
from mobigo.services.streets import open_drives
from mobigo.texts import text
from socle.errors import BadInput

ROOT = "/api/covoiturage"
MOST_LISTED = 100
MOST_CONFIRMED = 500


class NoParams(Struct):
    """Nothing is asked in the address."""


class MonthParams(Struct):
    """Which month, AAAA-MM."""

    month: str


class PageParams(Struct):
    """From which position on."""

    skip: int = 0


class MonthBody(Struct, forbid_unknown_fields=True):
    """A month, AAAA-MM."""

    month: str


class DisputeBody(Struct, forbid_unknown_fields=True):
    """What is wrong, and in the person's words."""

    reason: Reason
    words: str = ""


class HoldBody(Struct, forbid_unknown_fields=True):
    """What is decided about a carpool that waits, and why."""

    verdict: Verdict
    why: str


class ConfirmedLine(Struct, forbid_unknown_fields=True):
    """What the bank did with one payment: paid or rejected."""

    end_to_end_id: str
    state: str


class ConfirmationsBody(Struct, forbid_unknown_fields=True):
    """What the bank did."""

    lines: Annotated[list[ConfirmedLine], Meta(min_length=1, max_length=MOST_CONFIRMED)]


class PaymentAnswer(Struct):
    """One payment to the caller."""

    reference: str
    month: str
    cents: int
    state: str
    execute_on: date | None


class StatementLineAnswer(Struct):
    """What one carpool brought; below zero what it cost."""

    carpool_id: str
    day: date
    is_driver: bool
    cents: int
    explanation: list[str]


class StatementAnswer(Struct):
    """A month of the caller's carpools."""

    month: str
    total_cents: int
    lines: list[StatementLineAnswer]
    payment: PaymentAnswer | None


class DisputeAnswer(Struct):
    """A dispute as it stands."""

    id: str
    carpool_id: str
    reason: str
    held_cents: int
    answer: str | None
    why: str


class HoldAnswer(Struct):
    """A carpool that waits for people, and the labels that hold it."""

    carpool_id: str
    line_id: str | None
    labels: list[str]


class HoldsAnswer(Struct):
    """How many wait, and some of them, the longest first."""

    n: int
    holds: list[HoldAnswer]


class HoldDecidedAnswer(Struct):
    """What was decided."""

    carpool_id: str
    verdict: str


class BudgetAnswer(Struct):
    """What was granted under a policy: used, promised and left."""

    policy: str
    granted_cents: int
    used_cents: int
    promised_cents: int
    left_cents: int


class BudgetsAnswer(Struct):
    """Every budget."""

    budgets: list[BudgetAnswer]


class SettlementAnswer(Struct):
    """What a run decided, and where the month stands."""

    month: str
    decided: int
    refused: int
    pending: int
    held: int
    subsidy_cents: int
    fare_cents: int
    net_cents: int
    entries: int


class PayoutAnswer(Struct):
    """The batch of a month."""

    batch: str
    month: str
    drivers: int
    total_cents: int
    carried_over_cents: int
    approved: bool


class ConfirmationsAnswer(Struct):
    """How many payments the bank made, refused, and had told before."""

    paid: int
    rejected: int
    known: int


Body = Annotated[bytes, Depends(read_json)]
CarpoolId = Annotated[str, Path(description=text("api.parameters.carpoolId"))]
BatchId = Annotated[str, Path(description=text("api.parameters.batchId"))]
Owner = Annotated[Principal, Depends(Needs(Permission.OWN_ACCOUNT))]
Moderator = Annotated[Principal, Depends(Needs(Permission.CARPOOL_HOLDS))]
Reader = Annotated[Principal, Depends(Needs(Permission.CARPOOL_MONEY_READ))]
Clerk = Annotated[Principal, Depends(Needs(Permission.CARPOOL_MONEY_PREPARE))]

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


def _key(request: Request) -> str:
    """The key under which a request is sent again.

    Raises:
        BadInput: `bad_key`.
    """
    key = request.headers.get("idempotency-key", "")
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise BadInput("bad_key")
    return key


@router.get(f"{ROOT}/me/statements", **_told("myStatement", StatementAnswer, params=MonthParams))
def statement(request: Request, principal: Owner) -> Response:
    """What a month of the caller's carpools brought and cost, line by line."""
    month = check_month(request.query_params.get("month", ""))
    told = certifying.read_statement(request.app.state.engine, principal.pseudonym, month)
    lines = [
        StatementLineAnswer(one.carpool_id, one.day, one.is_driver, one.cents, one.explanation) for one in told.lines
    ]
    payment = None if told.payment is None else _payment(told.payment)
    return private_json(StatementAnswer(month, told.total_cents, lines, payment))


def _payment(one: OwnPayment) -> PaymentAnswer:
    return PaymentAnswer(one.reference, one.month, one.cents, str(one.state), one.execute_on)


@router.post(
    f"{ROOT}/carpools/{{carpool_id}}/dispute", **_told("disputeCarpool", DisputeAnswer, DisputeBody, keyed=True)
)
def dispute(request: Request, principal: Owner, carpool_id: CarpoolId, body: Body) -> Response:
    """Say what is wrong with a carpool that one drove or rode in; its money waits until somebody has answered."""
    wish: DisputeBody = decode(body, DisputeBody)
    engine, now = request.app.state.engine, now_of(request)
    opened = disputing.open_dispute(
        engine, principal.pseudonym, carpool_id, wish.reason, wish.words, now, _key(request)
    )
    return private_json(_dispute(opened))


def _dispute(one: Dispute) -> DisputeAnswer:
    answer = None if one.answer is None else str(one.answer)
    return DisputeAnswer(one.id, one.carpool_id, str(one.reason), one.held_cents, answer, one.why)


@router.get(f"{ROOT}/holds", **_told("holds", HoldsAnswer, params=PageParams))
def holds(request: Request, _principal: Moderator) -> Response:
    """The carpools that the fraud rules hold, those that wait longest first, a hundred at a time."""
    said = request.query_params.get("skip", "0")
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        raise BadInput("bad_field", reason="skip")
    engine = request.app.state.engine
    n, held = screening.list_cases(engine, MOST_LISTED, int(said))
    labels = screening.read_labels(engine, [one.carpool_id for one in held])
    told = [
        HoldAnswer(one.carpool_id, one.line_id, sorted({str(label.code) for label in labels[one.carpool_id]}))
        for one in held
    ]
    return private_json(HoldsAnswer(n, told))


@router.post(f"{ROOT}/holds/{{carpool_id}}", **_told("decideHold", HoldDecidedAnswer, HoldBody))
def decide_hold(request: Request, principal: Moderator, carpool_id: CarpoolId, body: Body) -> Response:
    """Release a carpool that is held, or refuse it, with a reason; the same again changes nothing."""
    wish: HoldBody = decode(body, HoldBody)
    engine, now = request.app.state.engine, now_of(request)
    known = screening.find_verdict(engine, carpool_id, wish.why)
    if known is not wish.verdict:
        screening.decide_case(engine, carpool_id, wish.verdict, wish.why, principal.actor, now, all_alike=False)
    return private_json(HoldDecidedAnswer(carpool_id, str(wish.verdict)))


@router.get(f"{ROOT}/budgets", **_told("budgets", BudgetsAnswer))
def list_budgets(request: Request, _principal: Reader) -> Response:
    """What was granted under each policy, and what is left of it."""
    told = budgets.list_budgets(request.app.state.engine)
    return private_json(
        BudgetsAnswer(
            [
                BudgetAnswer(one.policy_id, one.granted_cents, one.used_cents, one.promised_cents, one.left_cents)
                for one in told
            ]
        )
    )


@router.post(f"{ROOT}/settlements", **_told("settleMonth", SettlementAnswer, MonthBody))
def settle(request: Request, _principal: Clerk, body: Body) -> Response:
    """Decide what is due of a month and enter it; asked again, nothing is decided twice."""
    wish: MonthBody = decode(body, MonthBody)
    state = request.app.state
    drives = open_drives(state.settings.data_dir)
    told = settling.settle(state.engine, wish.month, now_of(request), keys=state.keys, drives=drives)
    return private_json(SettlementAnswer(**told.as_dict()))


@router.post(f"{ROOT}/payouts", **_told("preparePayout", PayoutAnswer, MonthBody))
def prepare(request: Request, principal: Clerk, body: Body) -> Response:
    """Propose the payments of a month; once somebody else approved them, they are told as they are."""
    month = check_month(decode(body, MonthBody).month)
    engine = request.app.state.engine
    known = paying.find_month_batch(engine, month)
    if known is None or known.kept.approved_by is None:
        known = paying.prepare_batch(engine, month, principal.actor, now_of(request))
    return private_json(_payout(known))


def _payout(batch: Batch) -> PayoutAnswer:
    kept = batch.kept
    amounts = (kept.total_cents, kept.carried_over_cents)
    return PayoutAnswer(kept.id, kept.month, len(batch.items), *amounts, kept.approved_by is not None)


@router.post(
    f"{ROOT}/payouts/{{batch_id}}/confirmations",
    **_told("confirmPayout", ConfirmationsAnswer, ConfirmationsBody),
)
def confirm(request: Request, principal: Clerk, batch_id: BatchId, body: Body) -> Response:
    """Enter what the bank did with payments of a batch; what was told before changes nothing."""
    wish: ConfirmationsBody = decode(body, ConfirmationsBody)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("end_to_end_id", "state"))
    for one in wish.lines:
        if not one.end_to_end_id.startswith(f"{batch_id}-"):
            raise BadInput("payment_of_another_batch", payment=one.end_to_end_id[:40], batch=batch_id[:40])
        writer.writerow((one.end_to_end_id, one.state))
    told = paying.confirm(request.app.state.engine, file.getvalue().encode(), principal.actor, now_of(request))
    return private_json(ConfirmationsAnswer(told.paid, told.rejected, told.known))
