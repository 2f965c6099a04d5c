"""Map: where to open it, stops and moving trips in a box."""

from __future__ import annotations

from msgspec import UNSET

from mobigo import __version__
from mobigo.api.journeys.params import (
    MAX_ACCESS_S,
    MAX_DIRECT_S,
    MAX_ONE_TO_ALL_MIN,
    MAX_ONE_TO_MANY,
    MAX_STOPS_IN_BOX,
    MAX_TRIP_SEGMENTS,
    MapLevelsParams,
    MapStopsParams,
    MapTripsParams,
    RentalsParams,
    transit_modes,
)
from mobigo.api.journeys.places import get_box
from mobigo.api.journeys.shapes import (
    InitialAnswer,
    Place,
    RentalsAnswer,
    ServerConfig,
    TripInfo,
    TripSegment,
    instant,
)
from mobigo.api.journeys.shaping import Shaper, shaper_of
from mobigo.services import journeys
from routing.journeys.naming import trip_display_name, trip_public_id
from routing.journeys.onmap import Segment
from routing.journeys.snapshot import Snapshot, mode_names
from routing.network.modes import MODES
from socle.errors import BadInput


def initial_answer(snapshot: Snapshot) -> InitialAnswer:
    """The answer of map/initial."""
    view = journeys.first_view(snapshot)
    return InitialAnswer(
        lat=view.center.lat,
        lon=view.center.lon,
        zoom=view.zoom,
        server_config=ServerConfig(
            motis_version=f"mobigo {__version__}",
            has_elevation=False,
            has_routed_transfers=False,
            has_street_routing=False,
            max_one_to_many_size=MAX_ONE_TO_MANY,
            max_one_to_all_travel_time_limit=MAX_ONE_TO_ALL_MIN,
            max_pre_post_transit_time_limit=MAX_ACCESS_S,
            max_direct_time_limit=MAX_DIRECT_S,
            shapes_debug_enabled=False,
        ),
    )


def map_stops_answer(snapshot: Snapshot, params: MapStopsParams) -> list[Place]:
    """The answer of map/stops."""
    box = get_box(params.min, params.max)
    stops = journeys.list_stops_in_box(
        snapshot, box, grouped=params.grouped, modes=transit_modes(params.modes), limit=MAX_STOPS_IN_BOX
    )
    shaper = shaper_of(snapshot)
    place_of = snapshot.timetable.stop_place
    told = []
    for stop in stops:
        place = shaper.stop(stop)
        bits = snapshot.place_modes[place_of[stop]] if params.grouped else snapshot.stop_modes[stop]
        place.modes = list(mode_names(int(bits)))  # type: ignore[arg-type]  # MODES are Modes
        place.importance = round(float(snapshot.importance[place_of[stop]]), 4)
        told.append(place)
    return told


def map_trips_answer(snapshot: Snapshot, params: MapTripsParams) -> list[TripSegment]:
    """The answer of map/trips."""
    if params.end_time < params.start_time:
        raise BadInput("end_before_start")
    segments = journeys.list_moving_trips(
        snapshot,
        get_box(params.min, params.max),
        int(params.start_time),
        int(params.end_time),
        zoom=params.zoom,
        limit=MAX_TRIP_SEGMENTS,
    )
    shaper = shaper_of(snapshot)
    return [_segment(shaper, segment, params.precision) for segment in segments]


def _segment(shaper: Shaper, segment: Segment, precision: int) -> TripSegment:
    snapshot, timetable = shaper.snapshot, shaper.snapshot.timetable
    trip, position = segment.trip, segment.position
    line, metres = shaper.hop(int(timetable.trip_path[trip]), int(timetable.trip_sequence[trip]), position, precision)
    stops = timetable.trip_stops(trip)
    from_, to = shaper.stop(int(stops[position])), shaper.stop(int(stops[position + 1]))
    departure, arrival = instant(segment.departure), instant(segment.arrival)
    from_.departure = from_.scheduled_departure = departure
    to.arrival = to.scheduled_arrival = arrival
    info = TripInfo(
        trip_id=trip_public_id(timetable, trip, segment.service_day), display_name=trip_display_name(snapshot, trip)
    )
    return TripSegment(
        trips=[info],
        mode=MODES[timetable.trip_mode[trip]],
        distance=metres,
        from_=from_,
        to=to,
        departure=departure,
        arrival=arrival,
        scheduled_departure=departure,
        scheduled_arrival=arrival,
        real_time=False,
        polyline=line,
        route_color=snapshot.texts[timetable.route_color[timetable.trip_route[trip]]] or UNSET,
    )


def levels_answer(params: MapLevelsParams) -> list[float]:
    """The answer of map/levels: no building is known from inside."""
    get_box(params.min, params.max)
    return []


def rentals_answer(params: RentalsParams) -> RentalsAnswer:
    """The answer of rentals: no provider is configured, and all five lists are there."""
    if params.min is not UNSET and params.max is not UNSET:
        get_box(params.min, params.max)
    return RentalsAnswer(provider_groups=[], providers=[], stations=[], vehicles=[], zones=[])
