"""Interlining: rides of one vehicle that goes on as another trip, told as one leg."""

from __future__ import annotations

from msgspec import UNSET

from mobigo.api.journeys.shapes import EncodedPolyline, Leg, LegCarbon, LegExtra, Place
from socle.geo import read_polyline, render_polyline


def join_interlined(legs: list[Leg]) -> list[Leg]:
    """Rides of one vehicle that goes on as another trip, made one leg each."""
    joined: list[Leg] = []
    for leg in legs:
        if leg.interline_with_previous_leg is not True or not joined:
            joined.append(leg)
            continue
        first = joined[-1]
        between = first.to
        between.departure, between.scheduled_departure = leg.from_.departure, leg.from_.scheduled_departure
        first.intermediate_stops = [*_stops(first), between, *_stops(leg)]
        first.to, first.trip_to = leg.to, leg.trip_to
        first.end_time, first.scheduled_end_time = leg.end_time, leg.scheduled_end_time
        first.duration = int((leg.end_time - first.start_time).total_seconds())
        first.leg_geometry = _joined_lines(first.leg_geometry, leg.leg_geometry)
        first.mobigo = _joined_extra(first, leg)
    return joined


def _stops(leg: Leg) -> list[Place]:
    return [] if leg.intermediate_stops is UNSET else list(leg.intermediate_stops)


def _joined_lines(one: EncodedPolyline, other: EncodedPolyline) -> EncodedPolyline:
    places = read_polyline(one.points, one.precision)
    places += read_polyline(other.points, other.precision)[1:]
    return EncodedPolyline(points=render_polyline(places, one.precision), precision=one.precision, length=len(places))


def _joined_extra(one: Leg, other: Leg) -> LegExtra:
    if one.mobigo is UNSET or other.mobigo is UNSET:
        return LegExtra()
    first, second = one.mobigo.carbon, other.mobigo.carbon
    extra = LegExtra(wheelchair=one.mobigo.wheelchair, bikes=one.mobigo.bikes)
    if first is not UNSET and second is not UNSET:
        extra.carbon = LegCarbon(
            legal_grams=first.legal_grams + second.legal_grams,
            full_grams=first.full_grams + second.full_grams,
            distance_metres=first.distance_metres + second.distance_metres,
            class_=first.class_,
            legal_per_km=first.legal_per_km,
            full_per_km=first.full_per_km,
        )
    return extra
