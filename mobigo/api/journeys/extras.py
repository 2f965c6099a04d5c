"""Extras: what MOTIS cannot say of legs and itineraries, told under `mobigo`."""

from __future__ import annotations

from msgspec import UNSET

from mobigo.api.journeys.shapes import (
    Accessibility,
    Carpool,
    Connection,
    DriverEstimate,
    ItineraryCarbon,
    ItineraryExtra,
    LegCarbon,
    LegExtra,
    Told,
    Walk,
)
from mobigo.services.journeys import CarpoolFacts
from mobigo.texts import all_texts, text
from routing.journeys.explain import why_this
from routing.journeys.told import LegFacts, Reason
from routing.journeys.told import Told as ToldJourney


def tell_reason(reason: Reason) -> Told:
    """A reason with its sentence."""
    facts = {name: value for name, value in reason.facts.items() if value is not None}
    key = f"reasons.{reason.code}"
    return Told(code=reason.code, text=text(key, **reason.facts) if key in all_texts() else reason.code, facts=facts)


def leg_extra(facts: LegFacts) -> LegExtra:
    """Of a leg: its CO₂, and whether a wheelchair or a bicycle may come."""
    extra = LegExtra()
    if facts.carbon is not None:
        extra.carbon = LegCarbon(
            legal_grams=facts.carbon.legal_g,
            full_grams=facts.carbon.full_g,
            distance_metres=facts.carbon.distance_m,
            class_=facts.carbon.carbon_class,
            legal_per_km=facts.carbon.legal_g_per_km,
            full_per_km=facts.carbon.full_g_per_km,
        )
    if facts.wheelchair is not None and facts.bikes is not None:
        extra.wheelchair, extra.bikes = facts.wheelchair, facts.bikes  # type: ignore[assignment]  # Known, by `told`
    return extra


def carpool_extra(about: CarpoolFacts) -> Carpool:
    """Of a ride on a carpool line: its fare, the wait expected and what its driver may get."""
    told = Carpool(
        line_id=about.line.line_id,
        kind="LINE",
        fare_cents=about.fare_cents,
        expected_wait_seconds=about.expected_wait_s,
        demonstration_stops=True if about.line.fictitious else UNSET,
    )
    if about.estimate is not None:
        estimate = about.estimate
        told.driver_estimate = DriverEstimate(
            cents=estimate.cents,
            distance_metres=estimate.metres,
            passengers_assumed=estimate.passengers,
            per_extra_passenger_cents=estimate.extra_cents,
            policy_id=estimate.policy_id,
            policy_version=estimate.policy_version,
        )
    return told


def itinerary_extra(told: ToldJourney) -> ItineraryExtra:
    """Of an itinerary: labels, walk, accessibility, connections, reasons and CO₂."""
    carbon = told.carbon
    return ItineraryExtra(
        labels=[str(best.label) for best in told.bests],
        walk=Walk(metres=told.walk_m, seconds=told.journey.walk_s),
        accessibility=Accessibility(
            status=told.wheelchair,  # type: ignore[arg-type]  # Known, by `told`
            barriers=[tell_reason(barrier) for barrier in told.barriers],
        ),
        connections=[
            Connection(from_leg=one.from_leg, to_leg=one.to_leg, slack_seconds=one.slack_s, tight=one.is_tight)
            for one in told.connections
        ],
        explanation=[tell_reason(reason) for reason in why_this(told.bests)],
        carbon=ItineraryCarbon(
            legal_grams=carbon.legal_g,
            full_grams=carbon.full_g,
            table=carbon.table,
            car_alone_grams=carbon.car_alone_g,
        )
        if carbon
        else UNSET,
    )
