"""Shaping: from journeys, calls and stops to the shapes of the API.

A Shaper belongs to one snapshot and remembers the shape of each stop it has told, since the
same stations come back in most answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from msgspec import UNSET

from mobigo.api.journeys.extras import carpool_extra, itinerary_extra, leg_extra, tell_reason
from mobigo.api.journeys.interlining import join_interlined
from mobigo.api.journeys.shapes import (
    Accessibility,
    Alert,
    EncodedPolyline,
    Itinerary,
    ItineraryExtra,
    Leg,
    Mode,
    Place,
    TicketUrls,
    Walk,
    instant,
)
from mobigo.services.journeys import carpool_facts
from mobigo.texts import text
from routing.journeys.feeder import Feeder
from routing.journeys.journey import Call, FeederLeg, Journey, TransitLeg, WalkLeg
from routing.journeys.naming import TAG, feeder_trip_id, trip_display_name, trip_headsign, trip_public_id
from routing.journeys.onmap import path_length_m, way_of
from routing.journeys.query import Place as QueryPlace
from routing.journeys.query import PointPlace
from routing.journeys.refresh import WALK, LegId, Refreshed, list_leg_ids, render_itinerary_id
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import LegFacts, place_at, tell
from routing.journeys.told import Told as ToldJourney
from routing.network.modes import MODES
from socle.geo import render_polyline, render_polyline_arrays

PRECISION = 6
START, END = "START", "END"  # the words that the reference UI replaces by what was typed

_NO_POINTS = EncodedPolyline(points="", precision=PRECISION, length=0)
_LINES_KEPT = 20_000
_RIDE_SHARING = 1551  # extended route type
_NOT_ALLOWED = 1  # GTFS pickup_type, drop_off_type
_BOOKED = (2, 3)  # likewise: one phones ahead or tells the driver


@dataclass(frozen=True, slots=True)
class Drawn:
    """Of which legs the way is told: rides and walks at the ends, and walks between rides."""

    legs: bool = True
    transfers: bool = True


DRAWN = Drawn()


@lru_cache(maxsize=2)  # the release served, and the one before while its last answers are written
def shaper_of(snapshot: Snapshot) -> Shaper:
    """The shaper of a snapshot."""
    return Shaper(snapshot)


class Shaper:
    """Shapes of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._zones = snapshot.timetable.zones.to_list()
        self._stops: dict[int, Place] = {}
        self._trips: dict[int, dict[str, object]] = {}
        # Lines between the same two calls of trips that go the same way are drawn once.
        self._line = lru_cache(maxsize=_LINES_KEPT)(self._draw_line)
        self.hop = lru_cache(maxsize=_LINES_KEPT)(self._draw_hop)

    def stop(self, stop: int) -> Place:
        """A stop, new for each caller. Named as its station is; the platform is the track."""
        known = self._stops.get(stop)
        if known is None:
            known = self._stops[stop] = self._told_stop(stop)
        told: Place = known.__copy__()  # type: ignore[attr-defined]  # every Struct has it; half of `copy.copy`'s time
        return told

    def _told_stop(self, stop: int) -> Place:
        snapshot, timetable, texts = self.snapshot, self.snapshot.timetable, self.snapshot.texts
        station = timetable.stop_station(stop)
        track = texts[timetable.stop_platform_code[stop]] or UNSET
        level = float(timetable.stop_level[stop])
        return Place(
            name=texts[timetable.stop_name[station]] or texts[timetable.stop_name[stop]],
            lat=float(timetable.stop_lat[stop]),
            lon=float(timetable.stop_lon[stop]),
            stop_id=TAG + snapshot.stop_ids[stop],
            parent_id=TAG + snapshot.stop_ids[station] if station != stop else UNSET,
            level=level if level == level else UNSET,
            tz=self._zones[timetable.stop_zone[stop]],
            track=track,
            scheduled_track=track,
            stop_code=texts[timetable.stop_code[stop]] or UNSET,
            description=texts[timetable.stop_description[stop]] or UNSET,
            vertex_type="TRANSIT",
        )

    def place(self, place: QueryPlace, at_point: str) -> Place:
        """A stop, or a point under the name `at_point`."""
        if isinstance(place, PointPlace):
            return Place(name=place.name or at_point, lat=place.at.lat, lon=place.at.lon, vertex_type="NORMAL")
        return self.stop(place.stop)

    def call(self, call: Call, *, own_name: bool = False) -> Place:
        """A stop with the times of a vehicle there, and whether one may get on and off."""
        told = self.stop(call.stop)
        if own_name:
            told.name = self.snapshot.texts[self.snapshot.timetable.stop_name[call.stop]] or told.name
        if call.arrival is not None:
            told.arrival = told.scheduled_arrival = instant(call.arrival)
        if call.departure is not None:
            told.departure = told.scheduled_departure = instant(call.departure)
        told.pickup_type = "NOT_ALLOWED" if call.pickup == _NOT_ALLOWED else "NORMAL"
        told.dropoff_type = "NOT_ALLOWED" if call.drop_off == _NOT_ALLOWED else "NORMAL"
        return told

    def about_trip(self, trip: int) -> dict[str, object]:
        """What legs and stop times say of a trip on any day; the caller does not change it."""
        known = self._trips.get(trip)
        if known is None:
            known = self._trips[trip] = self._about_trip(trip)
        return known

    def _about_trip(self, trip: int) -> dict[str, object]:
        timetable, texts = self.snapshot.timetable, self.snapshot.texts
        route = int(timetable.trip_route[trip])
        agency = int(timetable.route_agency[route])
        color, text_color = texts[timetable.route_color[route]], texts[timetable.route_text_color[route]]
        trip_id = timetable.trip_id[trip]
        line = int(timetable.trip_line[trip])
        direction = int(timetable.trip_direction[trip])
        told: dict[str, object] = {
            "mode": MODES[timetable.trip_mode[trip]],
            "agency_id": TAG + timetable.agency_id[agency],
            "agency_name": texts[timetable.agency_name[agency]],
            "agency_url": texts[timetable.agency_url[agency]],
            "route_id": TAG + timetable.route_id[route],
            "direction_id": "1" if direction == 1 else "0",
            "route_short_name": texts[timetable.route_short_name[route]],
            "route_long_name": texts[timetable.route_long_name[route]],
            "trip_short_name": texts[timetable.trip_short_name[trip]],
            "display_name": trip_display_name(self.snapshot, trip),
            "route_type": int(timetable.route_type[route]),
            "source": f"{trip_id.partition(':')[0]}/trips.txt" + (f":{line}" if line else ""),
            "bikes_allowed": int(timetable.trip_bikes[trip]) == 1,
        }
        if texts[timetable.route_url[route]]:
            told["route_url"] = texts[timetable.route_url[route]]
        if color and text_color:
            told |= {"route_color": color, "route_text_color": text_color}
        return told

    def _draw_hop(self, path: int, sequence: int, position: int, precision: int) -> tuple[str, float]:
        lat, lon = way_of(self.snapshot, path, sequence, position, position + 1)
        return render_polyline_arrays(lat, lon, precision), round(path_length_m(lat, lon), 1)

    def _draw_line(self, path: int, sequence: int, first: int, last: int) -> tuple[str, int]:
        lat, lon = way_of(self.snapshot, path, sequence, first, last)
        return render_polyline_arrays(lat, lon, PRECISION), len(lat)

    def trip_ends(self, trip: int, day: date) -> tuple[Place, Place]:
        """The first and the last stop of a trip with its times there."""
        timetable = self.snapshot.timetable
        begin, end = int(timetable.trip_first_time[trip]), int(timetable.trip_first_time[trip + 1]) - 1
        sequence = int(timetable.sequence_first_stop[timetable.trip_sequence[trip]])
        base = timetable.service_day_start(trip, day)
        first, last = (
            self.stop(int(timetable.sequence_stops[sequence])),
            self.stop(int(timetable.sequence_stops[sequence + end - begin])),
        )
        first.departure = first.scheduled_departure = instant(base + int(timetable.departure_s[begin]))
        last.arrival = last.scheduled_arrival = instant(base + int(timetable.arrival_s[end]))
        return first, last

    def ride(self, leg: TransitLeg, facts: LegFacts, *, detailed: bool = True) -> Leg:
        """A leg of public transport."""
        snapshot, timetable = self.snapshot, self.snapshot.timetable
        stations = [timetable.stop_station(call.stop) for call in leg.calls]
        twice = {station for station in stations if stations.count(station) > 1} if _repeats(stations) else set()
        calls = [self.call(call, own_name=station in twice) for call, station in zip(leg.calls, stations, strict=True)]
        from_, to = calls[0], calls[-1]
        # At the ends of a ride one gets on and off: the times of passing by are those of others.
        from_.arrival = from_.scheduled_arrival = UNSET
        to.departure = to.scheduled_departure = UNSET
        trip_from, trip_to = self.trip_ends(leg.trip, leg.service_day)
        geometry = _NO_POINTS
        if detailed:
            path, sequence = int(timetable.trip_path[leg.trip]), int(timetable.trip_sequence[leg.trip])
            points, length = self._line(path, sequence, leg.first_call, leg.last_call)
            geometry = EncodedPolyline(points=points, precision=PRECISION, length=length)
        start, end = instant(leg.departure), instant(leg.arrival)
        booked = leg.calls[0].pickup in _BOOKED or leg.calls[-1].drop_off in _BOOKED
        told = Leg(
            from_=from_,
            to=to,
            duration=leg.arrival - leg.departure,
            start_time=start,
            end_time=end,
            scheduled_start_time=start,
            scheduled_end_time=end,
            real_time=False,
            scheduled=True,
            leg_geometry=geometry,
            interline_with_previous_leg=True if leg.stay_seated else UNSET,
            headsign=trip_headsign(snapshot, leg.trip, leg.first_call),
            trip_from=trip_from,
            trip_to=trip_to,
            trip_id=trip_public_id(timetable, leg.trip, leg.service_day),
            cancelled=False,
            intermediate_stops=calls[1:-1],
            reservation="COMPULSORY" if booked else "NONE",
            mobigo=leg_extra(facts),
            **self.about_trip(leg.trip),  # type: ignore[arg-type]  # fields of many types
        )
        if facts.wheelchair != "UNKNOWN":
            told.wheelchair_accessible = "ACCESSIBLE" if facts.wheelchair == "YES" else "NOT_ACCESSIBLE"
        return told

    def carpool(self, leg: FeederLeg, facts: LegFacts, *, detailed: bool = True) -> Leg:
        """A leg on a carpool line; it begins when one is at the stop, so the expected wait is part of it."""
        feeder = leg.feeder
        start, end = instant(leg.departure), instant(leg.arrival)
        stops = [self._feeder_stop(feeder, i) for i in range(len(feeder.stops))]
        for i, stop in enumerate(stops):
            here = instant(leg.head + leg.wait_s + feeder.drive_s[i])
            if i:
                stop.arrival = stop.scheduled_arrival = here
            if i < len(stops) - 1:
                stop.departure = stop.scheduled_departure = here
        from_, to = stops[leg.first].__copy__(), stops[leg.last].__copy__()  # type: ignore[attr-defined]  # as in `stop`
        from_.arrival = from_.scheduled_arrival = UNSET
        from_.departure = from_.scheduled_departure = start
        to.departure = to.scheduled_departure = UNSET
        geometry = _NO_POINTS
        if detailed:
            points = render_polyline(leg.path, PRECISION)
            geometry = EncodedPolyline(points=points, precision=PRECISION, length=len(leg.path))
        about = carpool_facts(leg)
        told = Leg(
            mode=feeder.mode,  # type: ignore[arg-type]  # one of MODES
            from_=from_,
            to=to,
            duration=leg.arrival - leg.departure,
            start_time=start,
            end_time=end,
            scheduled_start_time=start,
            scheduled_end_time=end,
            real_time=False,
            scheduled=True,
            leg_geometry=geometry,
            headsign=feeder.stops[-1].name,
            trip_from=stops[0],
            trip_to=stops[-1],
            trip_id=feeder_trip_id(leg),
            route_id=TAG + feeder.line_id,
            route_short_name=feeder.line_id,
            route_long_name=feeder.long_name,
            display_name=feeder.name,
            direction_id=str(feeder.direction),
            route_type=_RIDE_SHARING,
            agency_id=f"{TAG}covoiturage",
            agency_name=text("api.carpool_agency"),
            agency_url=about.pages,
            route_url=about.page,
            ticket_urls=TicketUrls(web=about.page),
            cancelled=False,
            bikes_allowed=False,
            reservation="NONE",
            intermediate_stops=stops[leg.first + 1 : leg.last],
            mobigo=leg_extra(facts),
        )
        if told.mobigo is not UNSET:
            told.mobigo.carpool = carpool_extra(about)
        return told

    def _feeder_stop(self, feeder: Feeder, stop: int) -> Place:
        known = feeder.stops[stop]
        return Place(
            name=known.name,
            lat=known.at.lat,
            lon=known.at.lon,
            stop_id=TAG + known.stop_id,
            tz=feeder.zone.key,
            vertex_type="TRANSIT",
            pickup_type="NORMAL",
            dropoff_type="NORMAL",
        )

    def walk(self, leg: WalkLeg, facts: LegFacts, *, detailed: bool = True) -> Leg:
        """A leg on foot."""
        from_, to = self.place(leg.origin, START), self.place(leg.destination, END)
        start, end = instant(leg.departure), instant(leg.arrival)
        from_.departure = from_.scheduled_departure = start
        to.arrival = to.scheduled_arrival = end
        geometry = _NO_POINTS
        if detailed:
            path = leg.path or (place_at(self.snapshot, leg.origin), place_at(self.snapshot, leg.destination))
            geometry = EncodedPolyline(points=render_polyline(path, PRECISION), precision=PRECISION, length=len(path))
        return Leg(
            mode="WALK",
            from_=from_,
            to=to,
            duration=leg.arrival - leg.departure,
            start_time=start,
            end_time=end,
            scheduled_start_time=start,
            scheduled_end_time=end,
            real_time=False,
            scheduled=True,
            leg_geometry=geometry,
            distance=float(leg.distance_m),
            mobigo=leg_extra(facts),
        )

    def lost(self, leg_id: LegId) -> Leg:
        """A ride that is no longer offered, as its id tells it, cancelled and saying so."""
        start, end = instant(leg_id.sched_start), instant(leg_id.sched_end)
        from_ = Place(name=START, lat=leg_id.from_lat, lon=leg_id.from_lon, cancelled=True)
        to = Place(name=END, lat=leg_id.to_lat, lon=leg_id.to_lon, cancelled=True)
        from_.departure = from_.scheduled_departure = start
        to.arrival = to.scheduled_arrival = end
        mode: Mode = leg_id.mode if leg_id.mode in MODES else "OTHER"  # type: ignore[assignment]  # MODES are Modes
        said = text("reasons.RIDE_LOST", name=leg_id.display_name)
        return Leg(
            mode=mode,
            from_=from_,
            to=to,
            duration=max(0, leg_id.sched_end - leg_id.sched_start),
            start_time=start,
            end_time=end,
            scheduled_start_time=start,
            scheduled_end_time=end,
            real_time=False,
            scheduled=leg_id.scheduled,
            leg_geometry=_NO_POINTS,
            display_name=leg_id.display_name,
            trip_id=leg_id.trip_id,
            cancelled=True,
            intermediate_stops=[],
            alerts=[Alert(header_text=text("api.ride_lost"), description_text=said)],
        )

    def legs(self, told: ToldJourney, drawn: Drawn = DRAWN) -> list[Leg]:
        """The legs of a journey, one each."""
        last = len(told.legs) - 1
        shaped = []
        for at, (leg, facts) in enumerate(zip(told.journey.legs, told.legs, strict=True)):
            if isinstance(leg, TransitLeg):
                shaped.append(self.ride(leg, facts, detailed=drawn.legs))
            elif isinstance(leg, FeederLeg):
                shaped.append(self.carpool(leg, facts, detailed=drawn.legs))
            else:
                shaped.append(self.walk(leg, facts, detailed=drawn.transfers if 0 < at < last else drawn.legs))
        return shaped

    def itinerary(self, told: ToldJourney, drawn: Drawn = DRAWN, *, joined: bool = True) -> Itinerary:
        """A journey."""
        legs = self.legs(told, drawn)
        journey = told.journey
        return Itinerary(
            duration=journey.arrival - journey.departure,
            start_time=instant(journey.departure),
            end_time=instant(journey.arrival),
            transfers=journey.n_changes,
            id=render_itinerary_id(list_leg_ids(self.snapshot, journey)),
            legs=join_interlined(legs) if joined else legs,
            mobigo=itinerary_extra(told),
        )

    def lost_itinerary(self, refreshed: Refreshed, drawn: Drawn = DRAWN) -> Itinerary:
        """An itinerary of which a ride is no longer offered, under the id it was asked by."""
        legs: list[Leg] = []
        for leg_id, leg in zip(refreshed.leg_ids, refreshed.legs, strict=True):
            legs += [self.lost(leg_id)] if leg is None else self.legs(tell(self.snapshot, Journey((leg,))), drawn)
        walks = [leg for leg in refreshed.legs if isinstance(leg, WalkLeg)]
        n_rides = sum(leg_id.mode != WALK for leg_id in refreshed.leg_ids)
        return Itinerary(
            duration=max(0, int((legs[-1].end_time - legs[0].start_time).total_seconds())),
            start_time=legs[0].start_time,
            end_time=legs[-1].end_time,
            transfers=max(0, n_rides - 1),
            id=render_itinerary_id(refreshed.leg_ids),
            legs=legs,
            mobigo=ItineraryExtra(
                labels=[],
                walk=Walk(
                    metres=sum(leg.distance_m for leg in walks),
                    seconds=sum(leg.arrival - leg.departure for leg in walks),
                ),
                accessibility=Accessibility(status="UNKNOWN", barriers=[]),
                connections=[],
                explanation=[],
                changes=[tell_reason(change) for change in refreshed.changes],
            ),
        )


def _repeats(stations: Sequence[int]) -> bool:
    return len(set(stations)) < len(stations)


def echo(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a request, sorted, for `requestParameters`."""
    return dict(sorted(parameters.items()))
