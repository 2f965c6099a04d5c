"""Standard covoiturage: the interface for carpool operators, every route and no answer beyond its contract.

Parameters and bodies are read by `covoiturage.standard`, not by the framework, and errors are told as
the contract has them: `{"error": …}`, with a code where it names codes, else a sentence. What we cannot
answer is 500 here: the contract knows no 503. The contract is published elsewhere, so these routes
stand in no reference of ours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import anyio
from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from covoiturage.announcing import Teller
from covoiturage.fields import Document, Read, read_json, refuse, render_json
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import Parameters, one_value, read_journey_question, read_trip_question
from covoiturage.standard.shapes import (
    read_booking,
    read_booking_id,
    read_event,
    read_message,
    read_message_text,
    read_status,
)
from mobigo.api.access import JSON, PUBLIC, now_of
from mobigo.api.deps import find_snapshot
from mobigo.api.problems import on_unexpected, status_of
from mobigo.services.covoiturage import standard
from mobigo.services.covoiturage.answering import Answers, make_teller
from mobigo.services.covoiturage.partners import PREFIX
from mobigo.services.covoiturage.standard import Caller
from mobigo.services.covoiturage.ways import ways_of
from mobigo.services.health import check_database
from mobigo.texts import error_sentence
from socle.errors import BadInput, Conflict, LimitExceeded, MobigoError, NotFound, NotSignedIn, TooOften, Unavailable

T = TypeVar("T")
MOST_BODY_BYTES = 8 << 20
_WINDOW_S = 60
_NO_STORE = {"Cache-Control": "no-store"}
_CODES = {"missing_booking", "missing_user", "status_already_set"}  # that the contract names

router = APIRouter(prefix=PREFIX, include_in_schema=False)


# --- who calls, and how often -------------------------------------------------------------------


class Doorkeeper:
    """Who may call, and how often: calls are counted in this process, by key or by network address."""

    def __init__(self, *, is_open: bool, calls_per_minute: int) -> None:
        self._is_open = is_open
        self._most = calls_per_minute
        self._lock = threading.Lock()
        self._window = 0
        self._calls: dict[str, int] = {}

    def let_in(self, request: Request) -> Caller:
        """Who calls.

        Raises:
            NotSignedIn: `bad_token`, `sign_in_first`.
            TooOften: `standard_too_often`.
        """
        shown = request.headers.get("x-api-key", "")
        if self._is_open:
            self.count(request)
            return Caller()
        try:
            if not shown:
                raise NotSignedIn("sign_in_first")
            caller = standard.get_caller(request.app.state.engine, request.app.state.keys, shown)
        except NotSignedIn:
            self.count(request)
            raise
        self.count(request, caller.key_id)
        return caller

    def count(self, request: Request, key_id: str = "") -> None:
        """Count a call.

        Raises:
            TooOften: `standard_too_often`.
        """
        now_s = int(now_of(request).timestamp())
        name = key_id or (request.client.host if request.client else "")
        with self._lock:
            if self._window != now_s // _WINDOW_S:
                self._window = now_s // _WINDOW_S
                self._calls.clear()
            self._calls[name] = self._calls.get(name, 0) + 1
            if self._calls[name] > self._most:
                raise TooOften("standard_too_often", wait_s=_WINDOW_S - now_s % _WINDOW_S, calls=self._most)


async def calling_partner(request: Request) -> Caller:
    """The operator that calls: what every route but `status` asks for. Whose key is known waits for no thread."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    if standard.is_caller_known(request.app.state.engine, request.headers.get("x-api-key", "")):
        return doorkeeper.let_in(request)
    return await _in_thread(doorkeeper.let_in, request)


Partner = Annotated[Caller, Depends(calling_partner)]


# --- routes -------------------------------------------------------------------------------------


def _add_search(path: str, kind: OfferKind, read: Callable[[Parameters], Any], find: Callable[..., bytes]) -> None:
    @router.get(path)
    async def search(request: Request, _partner: Partner) -> Response:
        question = read(_parameters(request))
        answers: Answers = request.app.state.standard_answers
        ways = ways_of(find_snapshot(request))
        found = await _in_thread(find, answers, kind, question, ways, _teller(request), now_of(request))
        return Response(found, 200, _NO_STORE, JSON)


for _side, _of_journeys, _of_trips in (
    ("driver", OfferKind.DRIVER_JOURNEY, OfferKind.DRIVER_REGULAR_TRIP),
    ("passenger", OfferKind.PASSENGER_JOURNEY, OfferKind.PASSENGER_REGULAR_TRIP),
):
    _add_search(f"/{_side}_journeys", _of_journeys, read_journey_question, Answers.find_journeys)
    _add_search(f"/{_side}_regular_trips", _of_trips, read_trip_question, Answers.find_trips)


def _teller(request: Request) -> Teller:
    """We tell in the name of the site's own domain."""
    site = request.app.state.settings.public_url or str(request.base_url).rstrip("/")
    return make_teller((urlsplit(site).hostname or "").lower(), site)


@router.post("/bookings")
async def post_booking(request: Request, partner: Partner) -> Response:
    """Begin a booking."""
    booking = await _body(request, read_booking)
    engine, ways, here = request.app.state.engine, ways_of(find_snapshot(request)), _teller(request).operator
    kept = await _in_thread(standard.book, engine, ways, partner, here, booking, now_of(request))
    return Response(render_json(kept), 201, _NO_STORE, JSON)


@router.get("/bookings/{booking_id}")
async def get_booking(request: Request, booking_id: str, partner: Partner) -> Response:
    """Tell a booking."""
    read_booking_id(booking_id, "bookingId")
    booking = await _in_thread(standard.get_booking, request.app.state.engine, partner, booking_id)
    return Response(render_json(booking), 200, _NO_STORE, JSON)


@router.patch("/bookings/{booking_id}")
async def patch_booking(request: Request, booking_id: str, partner: Partner) -> Response:
    """Move a booking up the ladder."""
    asked = _parameters(request)
    read_booking_id(booking_id, "bookingId")
    status = one_value(asked, "status")
    if status is None:
        raise refuse("status", "required")
    read_status(status, "status")
    said = read_message_text(one_value(asked, "message") or "", "message")
    state, now = request.app.state, now_of(request)
    await _in_thread(standard.change_status, state.engine, state.keys, partner, booking_id, status, said, now)
    return Response(status_code=200)


@router.post("/booking_events")
async def post_booking_event(request: Request, partner: Partner) -> Response:
    """Take what an operator tells of a booking."""
    event = await _body(request, read_event)
    await _in_thread(standard.take_event, request.app.state.engine, partner, event, now_of(request))
    return Response(status_code=200)


@router.post("/messages")
async def post_message(request: Request, partner: Partner) -> Response:
    """Take a message to somebody known."""
    message = await _body(request, read_message)
    state, here = request.app.state, _teller(request).operator
    await _in_thread(standard.take_message, state.engine, state.keys, partner, here, message, now_of(request))
    return Response(status_code=201)


@router.get("/status", dependencies=[PUBLIC])
async def get_status(request: Request) -> Response:
    """The interface answers."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    doorkeeper.count(request)
    await _in_thread(check_database, request.app.state.engine)
    return Response(status_code=200)


# --- questions and answers ----------------------------------------------------------------------


def _parameters(request: Request) -> Parameters:
    return {name: request.query_params.getlist(name) for name in request.query_params}


async def _body(request: Request, read: Read) -> Document:
    """The body of a request as the contract has it.

    Raises:
        BadInput: `not_json`, `standard_not_json`, `standard_field`.
        LimitExceeded: `body_too_large`.
    """
    if request.headers.get("content-type", JSON).partition(";")[0].strip().lower() != JSON:
        raise BadInput("not_json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise LimitExceeded("body_too_large", limit=MOST_BODY_BYTES)
    document: Document = await _in_thread(lambda: read(read_json(body), ""))
    return document


async def _in_thread(work: Callable[..., T], *values: Any) -> T:
    """Off the event loop, and not in the pool of journey searches: what is done here takes a millisecond."""
    return await anyio.to_thread.run_sync(partial(work, *values))


async def respond_error(request: Request, error: Exception) -> Response:
    """An error below our prefix as the contract has it."""
    if isinstance(error, HTTPException):  # a path or method that is none of the contract's
        body = render_json({"error": error_sentence(BadInput("bad_method", method=request.method))})
        if error.status_code != 405:
            body = render_json({"error": error_sentence(NotFound("unknown_path", path=request.url.path))})
        return Response(body, error.status_code, error.headers, JSON)
    if not isinstance(error, MobigoError):
        await on_unexpected(request, error)
    if isinstance(error, Unavailable) or not isinstance(error, MobigoError):
        error = MobigoError("internal")  # the log has what it was
    status = 400 if isinstance(error, BadInput) else status_of(error)
    headers = {}
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(error.wait_s)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'ApiKey header="X-API-Key"'
    told = error.code if isinstance(error, NotFound | Conflict) and error.code in _CODES else error_sentence(error)
    return Response(render_json({"error": told}), status, headers, JSON)
