"""Policies: the rules of the carpool lines, what carpools are worth under them, and simulations."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from msgspec import UNSET, Raw, Struct, UnsetType

from covoiturage.policy.model import Policy
from mobigo.api.access import PUBLIC, Needs, decode, now_of, private_json, read_json
from mobigo.api.deps import CACHE_SHORT
from mobigo.api.reference import describe
from mobigo.security import Permission
from mobigo.services.covoiturage import publishing
from mobigo.services.covoiturage.deciding import Unreadable, decide_batch, read_batch
from mobigo.services.covoiturage.simulating import Outings, as_dict, read_month, read_outings, simulate_policy
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence, text
from socle.errors import BadInput
from socle.times import PARIS

ROOT = "/api/covoiturage"
Given = dict[str, Any]


class OnParams(Struct):
    """On which day."""

    on: date | None = None


class NoParams(Struct):
    """Nothing is asked in the address."""


class BatchBody(Struct):
    """A batch as `mobigo covoiturage decide` reads it; keys that are not known are left alone."""

    journeys: list[Given]
    id: str | int | None = None
    defaults: Given | None = None
    territory_selector: dict[str, list[str]] | None = None
    budget_cents: int | None = None
    counters_before: list[Given] | None = None


class SimulationBody(Struct, forbid_unknown_fields=True):
    """A policy by its id or as a document, one to set it against, and carpools of a month or given here."""

    policy: str | None = None
    document: Raw | UnsetType = UNSET
    against: str | None = None
    journeys: list[Given] | None = None
    month: str | None = None
    budget_cents: int | None = None


class PolicyAnswer(Struct):
    """A version of a policy; `document` where one is asked for."""

    id: str
    title: str
    version: str
    valid_from: date | None
    valid_until: date | None
    in_force: bool
    document: Raw | UnsetType = UNSET


class PoliciesAnswer(Struct):
    """Every version that holds, held or will hold."""

    policies: list[PolicyAnswer]


class RefusedJourney(Struct):
    """A journey that cannot be decided, and why."""

    index: int
    code: str
    error: str


class BatchAnswer(Struct):
    """What each journey is worth, those that cannot be decided, and what is counted in the end."""

    lines: list[Given]
    refused: list[RefusedJourney]
    counters_after: list[Given]


class TallyAnswer(Struct):
    """Carpools counted; metres and passengers of those paid."""

    carpools: int
    paid: int
    metres: int
    passengers: int
    subsidy_cents: int
    fare_cents: int
    net_cents: int


class BandAnswer(TallyAnswer):
    """The same for a band of distances."""

    from_m: int
    to_m: int | None = None


class BreakEvenAnswer(Struct):
    """The length below which fares exceed the subsidy; null when they always do."""

    passengers: int
    metres: int | None


class GroupAnswer(Struct):
    """Drivers alike: gain, lose, same or change; null where they are fewer than six."""

    kind: str
    drivers: int | None
    cents: int | None


class SimulationAnswer(Struct, omit_defaults=True):
    """What carpools cost under a policy."""

    policy: str
    policy_sha256: str
    total: TallyAnswer
    by_line: dict[str, TallyAnswer]
    by_month: dict[str, TallyAnswer]
    by_distance: list[BandAnswer]
    not_paid: dict[str, int]
    break_even: list[BreakEvenAnswer]
    budget_ends_on: date | None
    against: SimulationAnswer | None = None
    groups: dict[str, list[GroupAnswer]] | None = None


Body = Annotated[bytes, Depends(read_json)]
PolicyId = Annotated[str, Path(description=text("api.parameters.policyId"))]
OWNER = Depends(Needs(Permission.OWN_ACCOUNT))
Reader = Annotated[Principal, Depends(Needs(Permission.CARPOOL_MONEY_READ))]

router = APIRouter(tags=["covoiturage"])


def _told(name: str, params: type[Any], answer: type[Any], body: type[Any] | None = None) -> dict[str, Any]:
    """What OpenAPI says of an endpoint of this room."""
    extra = describe(name, params, answer, body, private=body is not None)
    return {"operation_id": name, "response_model": None, "openapi_extra": extra}


def _today(request: Request) -> date:
    return now_of(request).astimezone(PARIS).date()


def _day(request: Request) -> date:
    """The day that is asked for, today when none is.

    Raises:
        BadInput: `bad_day`.
    """
    said = request.query_params.get("on")
    if said is None:
        return _today(request)
    try:
        return msgspec.convert(said, date)
    except msgspec.ValidationError:
        raise BadInput("bad_day", day=said) from None


def _answer(policy: Policy, in_force: Policy | None, document: Raw | UnsetType = UNSET) -> PolicyAnswer:
    holds = in_force is not None and policy.version == in_force.version
    dates = (policy.valid_from, policy.valid_until)
    return PolicyAnswer(policy.id, policy.title, policy.version, *dates, holds, document)


def _public(value: Any) -> Response:
    return Response(msgspec.json.encode(value), 200, {"Cache-Control": CACHE_SHORT}, "application/json")


@router.get(f"{ROOT}/policies", dependencies=[PUBLIC], **_told("policies", NoParams, PoliciesAnswer))
def policies(request: Request) -> Response:
    """The rules of the carpool lines."""
    published = publishing.list_published(request.app.state.engine)
    in_force = publishing.find_of_lines(request.app.state.engine, _today(request))
    return _public(PoliciesAnswer([_answer(policy, in_force) for policy in published]))


@router.get(f"{ROOT}/policies/{{policy_id}}", dependencies=[PUBLIC], **_told("policy", OnParams, PolicyAnswer))
def policy(request: Request, policy_id: PolicyId) -> Response:
    """A policy with its document, in the version of a day: today's when none is said."""
    day, engine = _day(request), request.app.state.engine
    found = publishing.get_published(engine, policy_id, day)
    document = Raw(publishing.get_policy_version(engine, found.version).document)
    return _public(_answer(found, publishing.find_of_lines(engine, day), document))


@router.post(
    f"{ROOT}/policies/{{policy_id}}/decide",
    dependencies=[OWNER],
    **_told("decideCarpools", OnParams, BatchAnswer, BatchBody),
)
def decide(request: Request, policy_id: PolicyId, body: Body) -> Response:
    """What the journeys of a batch are worth under a policy, and why; nothing is kept."""
    batch: BatchBody = decode(body, BatchBody)
    found = publishing.get_published(request.app.state.engine, policy_id, _day(request))
    read = read_batch(msgspec.structs.asdict(batch), 0, {policy_id: found}, policy_id)
    answer = BatchAnswer([], [], [])
    for decided in decide_batch(read):
        if isinstance(decided, Unreadable):
            error = decided.error
            answer.refused.append(RefusedJourney(decided.index, error.code, error_sentence(error)))
        else:
            answer.lines.append(decided.line())
    answer.counters_after = read.counters.as_rows()
    return private_json(answer)


@router.post(f"{ROOT}/simulations", **_told("simulatePolicy", NoParams, SimulationAnswer, SimulationBody))
def simulations(request: Request, _principal: Reader, body: Body) -> Response:
    """What carpools would cost under a policy, and who would gain or lose; nothing is kept."""
    wish: SimulationBody = decode(body, SimulationBody)
    engine, today = request.app.state.engine, _today(request)
    document = wish.document
    if (wish.policy is None) == (document is UNSET):
        raise BadInput("one_of_two", one="policy", other="document")
    if (wish.journeys is None) == (wish.month is None):
        raise BadInput("one_of_two", one="journeys", other="month")
    if wish.budget_cents is not None and wish.budget_cents < 0:
        raise BadInput("bad_batch", field="budget_cents")
    if isinstance(document, Raw):
        chosen = publishing.read_draft(bytes(document).decode()).policy
    else:
        chosen = publishing.get_published(engine, wish.policy or "", today)
    against = None if wish.against is None else publishing.get_published(engine, wish.against, today)
    simulated = simulate_policy(chosen, against, _outings(request, wish), wish.budget_cents)
    return private_json(msgspec.convert(as_dict(simulated), SimulationAnswer))


def _outings(request: Request, wish: SimulationBody) -> Outings:
    """The carpools of the wish; one that cannot be read refuses it whole, with the field and the reason."""
    if wish.journeys is None:
        return read_month(request.app.state.engine, wish.month or "")
    outings = read_outings(enumerate(wish.journeys))
    if outings.unreadable:
        raise outings.unreadable[0][1]
    return outings
