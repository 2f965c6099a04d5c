"""Shapes: what the journey API answers, in version 6, as structs that are written straight to bytes.

Names and types are those of MOTIS; absent means absent, so an unset field is left out and
null is never sent. What MOTIS cannot say stands under `mobigo`. The OpenAPI document is made
from these structs, and a test compares it with the schemas of the npm client.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

Mode = Literal[
    "WALK", "BIKE", "RENTAL", "CAR", "HGV", "CAR_PARKING", "CAR_DROPOFF", "ODM", "RIDE_SHARING", "FLEX",
    "DEBUG_BUS_ROUTE", "DEBUG_RAILWAY_ROUTE", "DEBUG_FERRY_ROUTE", "TRANSIT", "TRAM", "SUBWAY", "FERRY", "AIRPLANE",
    "BUS", "COACH", "RAIL", "HIGHSPEED_RAIL", "LONG_DISTANCE", "NIGHT_RAIL", "REGIONAL_FAST_RAIL", "REGIONAL_RAIL",
    "SUBURBAN", "FUNICULAR", "AERIAL_LIFT", "OTHER", "AREAL_LIFT", "METRO", "CABLE_CAR",
]  # fmt: skip
VertexType = Literal["NORMAL", "BIKESHARE", "TRANSIT"]
PickupDropoffType = Literal["NORMAL", "NOT_ALLOWED"]
WheelchairAccessibility = Literal["ACCESSIBLE", "NOT_ACCESSIBLE"]
Reservation = Literal["NONE", "COMPULSORY"]
LocationType = Literal["ADDRESS", "PLACE", "STOP"]
Known = Literal["YES", "NO", "UNKNOWN"]
Fact = str | int | float | bool


@lru_cache(maxsize=1 << 14)  # whole minutes, most of them of the same days: an itinerary tells fifty
def instant(seconds: int) -> datetime:
    """`seconds` since 1970 as the time that answers carry; it is written `2026-11-23T06:30:00Z`."""
    return datetime.fromtimestamp(seconds, UTC)


class Shape(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Base of all shapes."""


class EncodedPolyline(Shape):
    """A line of places, in the encoded polyline format; `length` counts its points."""

    points: str
    precision: int
    length: Annotated[int, Meta(ge=0)]


class Alert(Shape):
    """A remark that travellers should read."""

    header_text: str
    description_text: str
    code: str | UnsetType = UNSET


class Place(Shape):
    """A place: a stop, or a point on the map."""

    name: str
    lat: float
    lon: float
    stop_id: str | UnsetType = UNSET
    parent_id: str | UnsetType = UNSET
    importance: float | UnsetType = UNSET
    level: float | UnsetType = UNSET
    tz: str | UnsetType = UNSET
    arrival: datetime | UnsetType = UNSET
    departure: datetime | UnsetType = UNSET
    scheduled_arrival: datetime | UnsetType = UNSET
    scheduled_departure: datetime | UnsetType = UNSET
    scheduled_track: str | UnsetType = UNSET
    track: str | UnsetType = UNSET
    stop_code: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    vertex_type: VertexType | UnsetType = UNSET
    pickup_type: PickupDropoffType | UnsetType = UNSET
    dropoff_type: PickupDropoffType | UnsetType = UNSET
    cancelled: bool | UnsetType = UNSET
    alerts: list[Alert] | UnsetType = UNSET
    modes: list[Mode] | UnsetType = UNSET


class Told(Shape):
    """A reason: its code, its sentence, and the facts of the sentence."""

    code: str
    text: str
    facts: dict[str, Fact]


class LegCarbon(Shape):
    """Emissions of a leg for one person, and the factors they come from."""

    legal_grams: int
    full_grams: int
    distance_metres: int
    class_: str = field(name="class")
    legal_per_km: float
    full_per_km: float


class DriverEstimate(Shape):
    """What the driver may expect for these metres with that many passengers; paid once the ride is validated."""

    cents: int
    distance_metres: int
    passengers_assumed: int
    per_extra_passenger_cents: int
    policy_id: str
    policy_version: str


class Carpool(Shape):
    """A ride on a carpool line: LINE when any car of it may come, PLANNED when a driver announced one."""

    line_id: str
    kind: Literal["LINE", "PLANNED"]
    fare_cents: int
    expected_wait_seconds: int | UnsetType = UNSET
    seats: int | UnsetType = UNSET
    demonstration_stops: bool | UnsetType = UNSET
    driver_estimate: DriverEstimate | UnsetType = UNSET


class TicketUrls(Shape):
    """Where a seat is booked."""

    web: str


class LegExtra(Shape):
    """What MOTIS cannot say of a leg."""

    carbon: LegCarbon | UnsetType = UNSET
    wheelchair: Known | UnsetType = UNSET
    bikes: Known | UnsetType = UNSET
    carpool: Carpool | UnsetType = UNSET


class Leg(Shape):
    """A part of a journey: one vehicle, or one walk."""

    mode: Mode
    from_: Place = field(name="from")
    to: Place
    duration: int
    start_time: datetime
    end_time: datetime
    scheduled_start_time: datetime
    scheduled_end_time: datetime
    real_time: bool
    scheduled: bool
    leg_geometry: EncodedPolyline
    distance: float | UnsetType = UNSET
    interline_with_previous_leg: bool | UnsetType = UNSET
    headsign: str | UnsetType = UNSET
    trip_from: Place | UnsetType = UNSET
    trip_to: Place | UnsetType = UNSET
    route_id: str | UnsetType = UNSET
    route_url: str | UnsetType = UNSET
    direction_id: str | UnsetType = UNSET
    route_color: str | UnsetType = UNSET
    route_text_color: str | UnsetType = UNSET
    route_type: int | UnsetType = UNSET
    agency_name: str | UnsetType = UNSET
    agency_url: str | UnsetType = UNSET
    agency_id: str | UnsetType = UNSET
    trip_id: str | UnsetType = UNSET
    route_short_name: str | UnsetType = UNSET
    route_long_name: str | UnsetType = UNSET
    trip_short_name: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    cancelled: bool | UnsetType = UNSET
    source: str | UnsetType = UNSET
    intermediate_stops: list[Place] | UnsetType = UNSET
    alerts: list[Alert] | UnsetType = UNSET
    bikes_allowed: bool | UnsetType = UNSET
    wheelchair_accessible: WheelchairAccessibility | UnsetType = UNSET
    reservation: Reservation | UnsetType = UNSET
    ticket_urls: TicketUrls | UnsetType = UNSET
    alternatives: list[list[Leg]] | UnsetType = UNSET
    mobigo: LegExtra | UnsetType = UNSET


class ItineraryCarbon(Shape):
    """Emissions of a journey for one person, and of the same way alone in a car."""

    legal_grams: int
    full_grams: int
    table: str
    car_alone_grams: int


class Walk(Shape):
    """How much is walked."""

    metres: int
    seconds: int


class Accessibility(Shape):
    """Whether a journey is step-free, and what stands in the way."""

    status: Known
    barriers: list[Told]


class Connection(Shape):
    """A change between two legs, as their positions, and the slack there."""

    from_leg: int
    to_leg: int
    slack_seconds: int
    tight: bool


class ItineraryExtra(Shape):
    """What MOTIS cannot say of a journey."""

    labels: list[str]
    walk: Walk
    accessibility: Accessibility
    connections: list[Connection]
    explanation: list[Told]
    carbon: ItineraryCarbon | UnsetType = UNSET
    changes: list[Told] | UnsetType = UNSET


class Itinerary(Shape):
    """A journey, door to door."""

    duration: int
    start_time: datetime
    end_time: datetime
    transfers: int
    id: str
    legs: list[Leg]
    mobigo: ItineraryExtra | UnsetType = UNSET


class Source(Shape):
    """A feed that the answer comes from."""

    id: str
    licence: str | UnsetType = UNSET
    version: str | UnsetType = UNSET


class AnswerExtra(Shape):
    """What MOTIS cannot say of an answer: its data, and why something is missing."""

    release: str
    valid_from: str
    valid_to: str
    sources: list[Source]
    carbon_table: str
    excluded: list[Told]
    demo: bool | UnsetType = UNSET


class PlanAnswer(Shape):
    """The answer of plan."""

    request_parameters: dict[str, str]
    debug_output: dict[str, int]
    from_: Place = field(name="from")
    to: Place
    direct: list[Itinerary]
    itineraries: list[Itinerary]
    previous_page_cursor: str
    next_page_cursor: str
    mobigo: AnswerExtra


class StopTimeExtra(Shape):
    """What is known of a trip where MOTIS wants yes or no; the carbon class tells a coach from a town bus."""

    wheelchair: Known
    bikes: Known
    carbon_class: str


class StopTime(Shape):
    """A vehicle at a stop."""

    place: Place
    mode: Mode
    real_time: bool
    headsign: str
    trip_from: Place
    trip_to: Place
    agency_id: str
    agency_name: str
    agency_url: str
    route_id: str
    direction_id: str
    trip_id: str
    route_short_name: str
    route_long_name: str
    trip_short_name: str
    display_name: str
    pickup_dropoff_type: PickupDropoffType
    cancelled: bool
    trip_cancelled: bool
    bikes_allowed: bool
    wheelchair_accessible: WheelchairAccessibility
    reservation: Reservation
    source: str
    route_url: str | UnsetType = UNSET
    route_color: str | UnsetType = UNSET
    route_text_color: str | UnsetType = UNSET
    route_type: int | UnsetType = UNSET
    previous_stops: list[Place] | UnsetType = UNSET
    next_stops: list[Place] | UnsetType = UNSET
    mobigo: StopTimeExtra | UnsetType = UNSET


class StoptimesAnswer(Shape):
    """The answer of stoptimes."""

    stop_times: list[StopTime]
    place: Place
    previous_page_cursor: str
    next_page_cursor: str


class Route(Shape):
    """A line that calls at a stop."""

    route_id: str
    route_short_name: str
    route_long_name: str
    mode: Mode
    agency_id: str
    agency_name: str
    agency_url: str
    route_color: str | UnsetType = UNSET
    route_text_color: str | UnsetType = UNSET
    route_type: int | UnsetType = UNSET


class StopAnswer(Shape):
    """The answer of stop."""

    place: Place
    routes: list[Route]


class Area(Shape):
    """An administrative area around a place."""

    name: str
    admin_level: int
    matched: bool
    unique: bool | UnsetType = UNSET
    default: bool | UnsetType = UNSET


class Match(Shape):
    """A place that a text may mean."""

    type: LocationType
    tokens: list[tuple[int, int]]
    name: str
    id: str
    lat: float
    lon: float
    areas: list[Area]
    score: float
    level: float | UnsetType = UNSET
    country: str | UnsetType = UNSET
    zip: str | UnsetType = UNSET
    tz: str | UnsetType = UNSET
    modes: list[Mode] | UnsetType = UNSET
    importance: float | UnsetType = UNSET


class TripInfo(Shape):
    """Which trip makes a segment."""

    trip_id: str
    route_short_name: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET


class TripSegment(Shape):
    """A trip between two consecutive stops."""

    trips: list[TripInfo]
    mode: Mode
    distance: float
    from_: Place = field(name="from")
    to: Place
    departure: datetime
    arrival: datetime
    scheduled_departure: datetime
    scheduled_arrival: datetime
    real_time: bool
    polyline: str
    route_color: str | UnsetType = UNSET


class ServerConfig(Shape):
    """What the server can do, for the reference UI."""

    motis_version: str
    has_elevation: bool
    has_routed_transfers: bool
    has_street_routing: bool
    max_one_to_many_size: int
    max_one_to_all_travel_time_limit: int
    max_pre_post_transit_time_limit: int
    max_direct_time_limit: int
    shapes_debug_enabled: bool


class InitialAnswer(Shape):
    """The answer of map/initial."""

    lat: float
    lon: float
    zoom: float
    server_config: ServerConfig


class RentalsAnswer(Shape):
    """Shared vehicles; the lists are empty until a provider is configured."""

    provider_groups: list[dict[str, Any]]
    providers: list[dict[str, Any]]
    stations: list[dict[str, Any]]
    vehicles: list[dict[str, Any]]
    zones: list[dict[str, Any]]


class HealthAnswer(Shape):
    """Whether the configured live feeds were read."""

    rt: bool | UnsetType = UNSET
    gbfs: bool | UnsetType = UNSET
