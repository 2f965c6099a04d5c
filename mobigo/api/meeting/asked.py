"""Asked: what every endpoint of this room reads from its request, and tells OpenAPI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from mobigo.api.access import Needs, read_json
from mobigo.api.meeting.shapes import NoParams, PlaceBody
from mobigo.api.reference import describe
from mobigo.security import Permission
from mobigo.services.covoiturage import lines
from mobigo.services.covoiturage.given import Named
from mobigo.services.people.principal import Principal
from socle.errors import BadInput
from socle.geo import LatLon
from socle.times import PARIS

ROOT = "/api/covoiturage"

Body = Annotated[bytes, Depends(read_json)]
Owner = Annotated[Principal, Depends(Needs(Permission.OWN_ACCOUNT))]


def told(name: str, answer: type[Any], body: type[Any] | None = None, params: type[Any] = NoParams) -> dict[str, Any]:
    """What OpenAPI says of an endpoint of this room."""
    extra = describe(name, params, answer, body, private=params is NoParams)
    return {"operation_id": name, "response_model": None, "openapi_extra": extra}


def key_of(request: Request) -> str:
    """The key under which something is sent once."""
    return request.headers.get("idempotency-key", "")


def zoned(instant: datetime) -> datetime:
    """An instant with its zone; one without is refused, for nobody knows when it is."""
    if instant.tzinfo is None:
        raise BadInput("bad_field", reason="at")
    return instant.astimezone(UTC)


def named(place: PlaceBody | None) -> Named | None:
    """A place with its name, if one is told."""
    if place is None:
        return None
    if not (-90 <= place.lat <= 90 and -180 <= place.lon <= 180):
        raise BadInput("bad_coordinates", value=f"{place.lat},{place.lon}")
    return Named(place.name, LatLon(place.lat, place.lon))


def find_line(request: Request, line_id: str, at: datetime) -> lines.Line | None:
    """The line that is named, as it is on a day."""
    if not line_id:
        return None
    return lines.get_line(request.app.state.engine, line_id, at.astimezone(PARIS).date())
