"""Ledger: the signed heads of the books and proofs against them, for whoever wants to check; people are pseudonyms."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request, Response
from msgspec import Struct

from mobigo.api.access import PUBLIC
from mobigo.api.deps import CACHE_SHORT
from mobigo.api.reference import describe
from mobigo.services.ledger import proving
from mobigo.texts import text
from socle.errors import BadInput

ROOT = "/api/covoiturage/ledger"
HexHash = str


class NoParams(Struct):
    """Nothing is asked in the address."""


class DayParams(Struct):
    """Under the head of which day; the latest when none is said."""

    day: date | None = None


class DaysParams(Struct):
    """From the books of one day to those of another; to the latest when none is said."""

    first: date
    second: date | None = None


class HeadAnswer(Struct):
    """The head of the books of a day: the root over all entries, the chain, and our signature under both."""

    day: date
    size: int
    root: HexHash
    chain: HexHash
    public_key: str
    signature: str


class HeadsAnswer(Struct):
    """Every head, the latest first."""

    heads: list[HeadAnswer]


class InclusionAnswer(Struct):
    """An entry as its bytes stand in the books, and the hashes that lead from it to a head."""

    entry: str
    head: HeadAnswer
    path: list[HexHash]


class ConsistencyAnswer(Struct):
    """Two heads, and the hashes that show that the later books begin with the earlier ones."""

    earlier: HeadAnswer
    head: HeadAnswer
    path: list[HexHash]


router = APIRouter(tags=["covoiturage"])


def _told(name: str, answer: type[Any], params: type[Any] = NoParams) -> dict[str, Any]:
    """What OpenAPI says of an endpoint of this room; a proof that cannot be made yet is a conflict."""
    extra = describe(name, params, answer)
    extra["responses"]["409"] = extra["responses"]["404"] | {"description": text("api.answers.conflict")}
    return {"operation_id": name, "response_model": None, "openapi_extra": extra, "dependencies": [PUBLIC]}


def _day(said: str | None) -> date | None:
    """A day of the address.

    Raises:
        BadInput: `bad_day`.
    """
    if said is None:
        return None
    try:
        return msgspec.convert(said, date)
    except msgspec.ValidationError:
        raise BadInput("bad_day", day=said) from None


def _public(value: Any) -> Response:
    return Response(msgspec.json.encode(value), 200, {"Cache-Control": CACHE_SHORT}, "application/json")


@router.get(f"{ROOT}/heads", **_told("ledgerHeads", HeadsAnswer))
def heads(request: Request) -> Response:
    """The signed heads of the books, the latest first."""
    return _public({"heads": [head.as_dict() for head in proving.read_heads(request.app.state.engine)]})


@router.get(f"{ROOT}/heads/{{day}}", **_told("ledgerHead", HeadAnswer))
def head(request: Request, day: Annotated[str, Path(description=text("api.parameters.ledgerDay"))]) -> Response:
    """The signed head of the books of a day."""
    return _public(proving.read_head(request.app.state.engine, _day(day)).as_dict())


@router.get(f"{ROOT}/proofs/{{key}}", **_told("ledgerProof", InclusionAnswer, DayParams))
def proof(request: Request, key: Annotated[str, Path(description=text("api.parameters.entryKey"))]) -> Response:
    """The proof that an entry is in the books."""
    day = _day(request.query_params.get("day"))
    return _public(proving.prove_entry(request.app.state.engine, key, day))


@router.get(f"{ROOT}/consistency", **_told("ledgerConsistency", ConsistencyAnswer, DaysParams))
def consistency(request: Request) -> Response:
    """The proof that the books of one day begin with those of an earlier one."""
    first, second = (_day(request.query_params.get(name)) for name in ("first", "second"))
    if first is None:
        raise BadInput("bad_day", day="")
    return _public(proving.prove_days(request.app.state.engine, first, second))
