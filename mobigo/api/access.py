"""Access: what an endpoint asks of its caller, declared on each; programs show a key or a session's token.

Cookies open pages only: a program that is not a browser sends `Authorization: Bearer`, and so
no page elsewhere can make a browser call the API in somebody's name.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from fastapi import Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal, get_by_bearer
from socle.errors import BadInput, LimitExceeded, NotSignedIn

MOST_BODY_BYTES = 64 * 1024
JSON = "application/json"


async def open_to_all() -> None:
    """Nothing is asked."""


PUBLIC = Depends(open_to_all)


class Needs:
    """Gives the caller when they may do what the endpoint does, and refuses all others."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Principal:
        """Who calls.

        Raises:
            NotSignedIn: `sign_in_first`, `bad_token`.
            Forbidden: `not_allowed`.
            TooOften: `quota_used`.
        """
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not bearer:
            raise NotSignedIn("sign_in_first")
        state = request.app.state
        principal = get_by_bearer(state.engine, state.keys, bearer.strip(), now_of(request))
        principal.require(self.permission)
        return principal


def now_of(request: Request) -> datetime:
    """The present instant, by the application's clock."""
    now: datetime = request.app.state.clock()
    return now


def clock() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


async def read_json(request: Request) -> bytes:
    """The body of a request that must be JSON, before anything else is asked.

    Raises:
        BadInput: `not_json` by its type.
        LimitExceeded: `body_too_large`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise BadInput("not_json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise LimitExceeded("body_too_large", limit=MOST_BODY_BYTES)
    return body


def decode(body: bytes, wanted: type[Any]) -> Any:
    """A body as the struct it must be.

    Raises:
        BadInput: `not_json`, `bad_letter`, `bad_field`.
    """
    if rb"\u0000" in body:  # what SQLite would keep PostgreSQL does not
        raise BadInput("bad_letter")
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise BadInput("bad_field", reason=str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("not_json") from None


def private_json(value: Any, status: int = 200) -> Response:
    """An answer about a person: nobody on the way keeps it."""
    return Response(msgspec.json.encode(value), status, {"Cache-Control": "no-store"}, JSON)
