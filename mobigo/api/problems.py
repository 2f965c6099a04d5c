"""Problems: how errors meet HTTP. RFC 9457, with `error`, the sentence again, for clients of the journey API."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mobigo.logs import route_of
from mobigo.texts import FACTS_FOR_OPERATORS, all_texts, error_sentence, is_for_operators
from socle.errors import (
    BadInput,
    Conflict,
    Fact,
    Forbidden,
    LimitExceeded,
    MobigoError,
    NotFound,
    NotSignedIn,
    TooOften,
    Unavailable,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TOLD_LETTERS = 200  # of a fact

_STATUS_OF_ERROR: tuple[tuple[type[MobigoError], int], ...] = (
    (LimitExceeded, 422),
    (BadInput, 400),
    (NotSignedIn, 401),
    (Forbidden, 403),
    (TooOften, 429),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


class Problem(msgspec.Struct):
    """What went wrong: a stable code, its French sentence, and the facts. `type` points into our reference page."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str
    facts: dict[str, Fact]


def status_of(error: MobigoError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS_OF_ERROR if isinstance(error, kind)), 500)


def problem_of(error: MobigoError) -> Problem:
    """The body that tells an error. One without a sentence of its own is told as unexpected.

    What we cannot do is told without what is for operators alone.
    """
    hidden = FACTS_FOR_OPERATORS if isinstance(error, Unavailable) else frozenset()
    facts = {name: _short(value) for name, value in error.facts.items() if value is not None and name not in hidden}
    told = error if f"errors.{error.code}" in all_texts() else MobigoError("internal")
    if is_for_operators(told):
        told = Unavailable("unavailable")
    sentence = error_sentence(type(told)(told.code, **facts))
    return Problem(f"/api#{error.code}", sentence, status_of(error), sentence, error.code, sentence, facts)


def _short(value: Fact) -> Fact:
    """What was sent is told back, but not whole pages of it."""
    return f"{value[:TOLD_LETTERS]}…" if isinstance(value, str) and len(value) > TOLD_LETTERS else value


def respond_problem(error: MobigoError, headers: Mapping[str, str] | None = None, status: int = 0) -> Response:
    """The response that tells an error, with its own status unless another is given."""
    problem = problem_of(error)
    problem.status = status or problem.status
    return Response(msgspec.json.encode(problem), problem.status, headers, MEDIA_TYPE)


async def on_mobigo_error(_request: Request, error: Exception) -> Response:
    """Any error of the tree in `socle.errors`."""
    if not isinstance(error, MobigoError):
        raise error
    return respond_problem(error, _headers_of(error))


def _headers_of(error: MobigoError) -> Mapping[str, str] | None:
    """What a status asks for beside the body."""
    if isinstance(error, Unavailable):
        return {"Retry-After": "5"}
    if isinstance(error, TooOften):
        return {"Retry-After": str(error.wait_s)}
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    return None


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the router refuses: unknown paths and methods."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        return respond_problem(BadInput("bad_method", method=request.method), error.headers, 405)
    return respond_problem(NotFound("unknown_path", path=request.url.path))


async def on_validation_error(_request: Request, error: Exception) -> Response:
    """Parameters that FastAPI checked itself: malformed, so 400 and not its own 422."""
    if not isinstance(error, RequestValidationError):
        raise error
    where = error.errors()[0]["loc"][-1] if error.errors() else ""
    return respond_problem(BadInput("bad_parameter", parameter=str(where), expected="…"))


async def on_unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours: kept in the log with its trace, told without it."""
    log.error("unexpected error", extra={"route": route_of(request.scope)}, exc_info=error)
    return respond_problem(MobigoError("internal"))


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error that is foreseen a problem document (of the others see `middleware.Faults`)."""
    app.add_exception_handler(MobigoError, on_mobigo_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
