"""Params: what each endpoint of the journey API accepts, one struct an endpoint.

A struct is at once the parser (see `query_string`), the check and the documentation: names,
types, defaults and bounds go to OpenAPI from here. What is below a lower bound or of another type is malformed
(400); what is above `limit` is more than we serve (422). Parameters of modes that Mobigo does
not offer yet are parsed and checked like the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mobigo.api.journeys.shapes import Mode

MAX_ITINERARIES = 256
MAX_DEPARTURES = 1_024
MAX_STOPS_IN_BOX = 8_192
MAX_TRIP_SEGMENTS = 12_000
MAX_PLACES = 512
MAX_ACCESS_S = 3_600
MAX_DIRECT_S = 21_600
MAX_SEARCH_WINDOW_S = 96 * 3_600 - 1
MAX_CHANGES = 14
MAX_TIMEOUT_S = 90
MAX_ONE_TO_MANY = 128
MAX_ONE_TO_ALL_MIN = 90

Whole = Annotated[int, Meta(ge=0, le=1 << 31)]
Measure = Annotated[float, Meta(ge=0, le=1e9)]
Speed = Annotated[float, Meta(ge=0.1, le=100)]  # metres per second
Minutes = Annotated[int, Meta(ge=0, le=7 * 24 * 60)]
Access = Annotated[int, Meta(ge=0, extra={"limit": MAX_ACCESS_S})]
FormFactor = Literal["BICYCLE", "CARGO_BICYCLE", "CAR", "MOPED", "SCOOTER_STANDING", "SCOOTER_SEATED", "OTHER"]
Propulsion = Literal[
    "HUMAN", "ELECTRIC_ASSIST", "ELECTRIC", "COMBUSTION", "COMBUSTION_DIESEL", "HYBRID", "PLUG_IN_HYBRID",
    "HYDROGEN_FUEL_CELL",
]  # fmt: skip
RealtimeMode = Literal["OFF", "REALTIME_ANNOTATION_ONLY", "REALTIME"]
Texts = tuple[str, ...]
Modes = tuple[Mode, ...]


class Instant(int):
    """UTC seconds, read from ISO 8601 with `Z` or an offset."""


class Params(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Base of the parameters of an endpoint."""


class StreetParams(Params, frozen=True, kw_only=True):
    """Ways to and from stops, and how one moves there; shared by plan and refresh-itinerary."""

    max_matching_distance: Measure = 250.0
    pedestrian_profile: Literal["FOOT", "WHEELCHAIR"] = "FOOT"
    pedestrian_speed: Speed = 1.2
    cycling_speed: Speed = 4.2
    elevation_costs: Literal["NONE", "LOW", "HIGH"] = "NONE"
    use_routed_transfers: bool = False
    detailed_transfers: bool | UnsetType = UNSET
    detailed_legs: bool = True
    join_interlined_legs: bool = True
    transit_modes: Modes = ("TRANSIT",)
    pre_transit_modes: Modes = ("WALK",)
    post_transit_modes: Modes = ("WALK",)
    pre_transit_rental_form_factors: tuple[FormFactor, ...] | UnsetType = UNSET
    post_transit_rental_form_factors: tuple[FormFactor, ...] | UnsetType = UNSET
    pre_transit_rental_propulsion_types: tuple[Propulsion, ...] | UnsetType = UNSET
    post_transit_rental_propulsion_types: tuple[Propulsion, ...] | UnsetType = UNSET
    pre_transit_rental_providers: Texts | UnsetType = UNSET
    pre_transit_rental_provider_groups: Texts | UnsetType = UNSET
    post_transit_rental_providers: Texts | UnsetType = UNSET
    post_transit_rental_provider_groups: Texts | UnsetType = UNSET
    ignore_pre_transit_rental_return_constraints: bool = False
    ignore_post_transit_rental_return_constraints: bool = False
    require_bike_transport: bool = False
    require_car_transport: bool = False
    no_compulsory_reservation: bool = False
    max_pre_transit_time: Access = 900
    max_post_transit_time: Access = 900
    with_fares: bool = False
    num_leg_alternatives: Annotated[int, Meta(ge=0, extra={"limit": MAX_ITINERARIES})] = 0
    with_scheduled_skipped_stops: bool = False
    language: Texts | UnsetType = UNSET


class PlanParams(StreetParams, frozen=True, kw_only=True):
    """Parameters of plan."""

    from_place: str
    to_place: str
    radius: Measure | UnsetType = UNSET
    via: Texts = ()
    via_minimum_stay: tuple[Minutes, ...] = ()
    time: Instant | UnsetType = UNSET
    max_transfers: Whole | UnsetType = UNSET
    max_travel_time: Whole | UnsetType = UNSET
    min_transfer_time: Minutes = 0
    additional_transfer_time: Minutes = 0
    transfer_time_factor: Annotated[float, Meta(ge=1, le=100)] = 1.0
    vehicle_height: Measure | UnsetType = UNSET
    vehicle_width: Measure | UnsetType = UNSET
    vehicle_length: Measure | UnsetType = UNSET
    vehicle_weight: Measure | UnsetType = UNSET
    vehicle_hazmat: bool | UnsetType = UNSET
    vehicle_hazmat_water: bool | UnsetType = UNSET
    vehicle_axle_count: Whole | UnsetType = UNSET
    vehicle_axle_load: Measure | UnsetType = UNSET
    vehicle_trailer: bool | UnsetType = UNSET
    vehicle_top_speed: Whole | UnsetType = UNSET
    vehicle_lez_access: bool | UnsetType = UNSET
    direct_modes: Modes = ("WALK",)
    direct_rental_form_factors: tuple[FormFactor, ...] | UnsetType = UNSET
    direct_rental_propulsion_types: tuple[Propulsion, ...] | UnsetType = UNSET
    direct_rental_providers: Texts | UnsetType = UNSET
    direct_rental_provider_groups: Texts | UnsetType = UNSET
    ignore_direct_rental_return_constraints: bool = False
    num_itineraries: Annotated[int, Meta(ge=0, extra={"limit": MAX_ITINERARIES})] = 5
    max_itineraries: Annotated[int, Meta(ge=0, extra={"limit": MAX_ITINERARIES})] | UnsetType = UNSET
    page_cursor: str = ""
    timetable_view: bool = True
    arrive_by: bool = False
    search_window: Annotated[int, Meta(ge=0, extra={"limit": MAX_SEARCH_WINDOW_S})] = 900
    max_direct_time: Annotated[int, Meta(ge=0, extra={"limit": MAX_DIRECT_S})] = 1800
    fastest_direct_factor: Annotated[float, Meta(ge=0, le=1e6)] = 10.0
    timeout: Annotated[int, Meta(ge=0, extra={"limit": MAX_TIMEOUT_S})] | UnsetType = UNSET
    passengers: Annotated[int, Meta(ge=1, extra={"limit": 100})] = 1
    luggage: Whole | UnsetType = UNSET
    slow_direct: bool = False
    fastest_slow_direct_factor: Measure = 3.0
    realtime_mode: RealtimeMode = "REALTIME"
    algorithm: Literal["RAPTOR", "PONG", "TB"] = "PONG"
    mobigo_rider: str = "adult"
    mobigo_cards: Texts = ()
    mobigo_sort: Literal["time", "price", "walk", "carbon"] = "time"


class RefreshParams(StreetParams, frozen=True, kw_only=True):
    """Parameters of refresh-itinerary; the id is in the body with POST."""

    itinerary_id: str
    require_display_name_match: bool = True


class RefreshPostParams(StreetParams, frozen=True, kw_only=True):
    """Parameters of refresh-itinerary beside a body."""

    require_display_name_match: bool = True


class TripParams(Params, frozen=True, kw_only=True):
    """Parameters of trip."""

    trip_id: str
    with_scheduled_skipped_stops: bool = False
    detailed_legs: bool = True
    join_interlined_legs: bool = True
    language: Texts | UnsetType = UNSET


class StoptimesParams(Params, frozen=True, kw_only=True):
    """Parameters of stoptimes."""

    stop_id: str | UnsetType = UNSET
    center: str | UnsetType = UNSET
    time: Instant | UnsetType = UNSET
    arrive_by: bool = False
    both: bool = False
    direction: Literal["EARLIER", "LATER"] | UnsetType = UNSET
    window: Whole | UnsetType = UNSET
    mode: Modes = ("TRANSIT",)
    n: Annotated[int, Meta(ge=0, extra={"limit": MAX_DEPARTURES})] | UnsetType = UNSET
    radius: Measure | UnsetType = UNSET
    exact_radius: bool = False
    fetch_stops: bool = False
    page_cursor: str = ""
    with_scheduled_skipped_stops: bool = False
    realtime_mode: RealtimeMode = "REALTIME"
    language: Texts | UnsetType = UNSET
    with_alerts: bool = True


class StopParams(Params, frozen=True, kw_only=True):
    """Parameters of stop."""

    stop_id: str | UnsetType = UNSET
    center: str | UnsetType = UNSET
    radius: Measure | UnsetType = UNSET
    exact_radius: bool = False
    language: Texts | UnsetType = UNSET


LocationTypes = tuple[Literal["ADDRESS", "PLACE", "STOP"], ...]


class GeocodeParams(Params, frozen=True, kw_only=True):
    """Parameters of geocode."""

    text: str
    language: Texts | UnsetType = UNSET
    type: LocationTypes | UnsetType = UNSET
    mode: Modes | UnsetType = UNSET
    place: str | UnsetType = UNSET
    place_bias: Measure = 1.0
    num_results: Annotated[int, Meta(ge=1, extra={"limit": MAX_PLACES})] = 10
    min: str | UnsetType = UNSET
    max: str | UnsetType = UNSET


class ReverseGeocodeParams(Params, frozen=True, kw_only=True):
    """Parameters of reverse-geocode."""

    place: str
    type: LocationTypes | UnsetType = UNSET
    num_results: Annotated[int, Meta(ge=1, extra={"limit": MAX_PLACES})] = 5


class MapStopsParams(Params, frozen=True, kw_only=True):
    """Parameters of map/stops."""

    min: str
    max: str
    grouped: bool = False
    modes: Modes | UnsetType = UNSET
    language: Texts | UnsetType = UNSET


class MapTripsParams(Params, frozen=True, kw_only=True):
    """Parameters of map/trips."""

    zoom: Annotated[float, Meta(ge=0, le=30)]
    min: str
    max: str
    start_time: Instant
    end_time: Instant
    precision: Annotated[int, Meta(ge=0, le=6)] = 5
    language: Texts | UnsetType = UNSET


class MapLevelsParams(Params, frozen=True, kw_only=True):
    """Parameters of map/levels."""

    min: str
    max: str


class RentalsParams(Params, frozen=True, kw_only=True):
    """Parameters of rentals."""

    min: str | UnsetType = UNSET
    max: str | UnsetType = UNSET
    point: str | UnsetType = UNSET
    radius: Measure | UnsetType = UNSET
    provider_groups: Texts | UnsetType = UNSET
    providers: Texts | UnsetType = UNSET
    with_providers: bool = True
    with_stations: bool = True
    with_vehicles: bool = True
    with_zones: bool = True


_RAIL = ("HIGHSPEED_RAIL", "LONG_DISTANCE", "NIGHT_RAIL", "REGIONAL_RAIL", "SUBURBAN", "SUBWAY")
_MEANT: Mapping[str, tuple[str, ...]] = {
    "RAIL": _RAIL,
    "REGIONAL_FAST_RAIL": ("REGIONAL_RAIL",),
    "METRO": ("SUBURBAN",),
    "AREAL_LIFT": ("AERIAL_LIFT",),
    "CABLE_CAR": ("FUNICULAR",),
}
_STREET = frozenset({"WALK", "BIKE", "RENTAL", "CAR", "HGV", "CAR_PARKING", "CAR_DROPOFF", "FLEX"})


def transit_modes(modes: Modes | UnsetType) -> frozenset[str] | None:
    """The modes of public transport that a list means: None for all, the empty set for none."""
    if modes is UNSET or "TRANSIT" in modes:
        return None
    return frozenset(meant for mode in modes if not _is_street(mode) for meant in _MEANT.get(mode, (mode,)))


def _is_street(mode: str) -> bool:
    return mode in _STREET or mode.startswith("DEBUG")
