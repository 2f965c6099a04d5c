"""Bodies: what POST requests of the journey API carry."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from mobigo.api.journeys.params import MAX_ACCESS_S
from mobigo.api.journeys.shapes import Mode


class PlanOffset(msgspec.Struct, rename="camel"):
    """How long the way to or from a stop takes."""

    stop_id: str
    duration: Annotated[int, msgspec.Meta(ge=0, le=MAX_ACCESS_S)]
    mode: Mode = "WALK"


class PlanPostBody(msgspec.Struct, rename="camel"):
    """Ways to and from stops that take the place of our own; an empty list changes nothing."""

    from_offsets: list[PlanOffset] = []
    to_offsets: list[PlanOffset] = []


class LegId(msgspec.Struct, rename="camel"):
    """What tells a leg apart from all others."""

    display_name: str
    trip_id: str
    from_id: str
    from_lat: float
    from_lon: float
    to_id: str
    to_lat: float
    to_lon: float
    sched_start: int
    sched_end: int
    mode: Mode
    scheduled: bool
    from_level: float | UnsetType = UNSET
    to_level: float | UnsetType = UNSET


class ItineraryId(msgspec.Struct, rename="camel"):
    """The legs of an itinerary."""

    legs: list[LegId]


class RefreshItineraryPostBody(msgspec.Struct, rename="camel"):
    """The itinerary to find again."""

    id: ItineraryId
