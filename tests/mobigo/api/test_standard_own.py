"""What partners are told of our own drivers and passengers, on both databases; the contract judges each answer."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import SQLModel

from mobigo.services.covoiturage import offering, requesting
from mobigo.services.covoiturage.given import Named
from mobigo.store.base import transaction
from mobigo.store.covoiturage.own_offers import note_gone
from socle.geo import LatLon
from tests.worlds.meeting import (
    ANNA,
    BEN,
    BESANCON,
    MONDAY,
    NOW,
    RIOZ,
    SEVEN,
    VESOUL,
    WEEKS,
    ask,
    baume,
    book,
    publish,
)
from tests.worlds.operators import bring
from tests.worlds.partners import driver_journey

AT = int(SEVEN.timestamp())
DAY_S = 86_400


def between(origin, destination, **asked):
    """A question from place to place."""
    return {
        "departureLat": origin.lat,
        "departureLng": origin.lon,
        "arrivalLat": destination.lat,
        "arrivalLng": destination.lon,
        **asked,
    }


WAY = between(VESOUL.at, BESANCON.at, departureDate=AT)
WEEKLY = between(VESOUL.at, BESANCON.at, departureTimeOfDay="07:00:00")


@pytest.fixture
def engine(left_open):
    left_open.state.clock = lambda: NOW
    with transaction(left_open.state.engine) as session:
        for table in ("carpool_booking", "carpool_request", "carpool_offer"):
            session.connection().execute(SQLModel.metadata.tables[table].delete())
        note_gone(session)
    return left_open.state.engine


def test_an_offer_answers_with_its_free_seats_and_tells_nobody_s_name_or_door(engine, anybody):
    exact = Named("Chez Anna, 8 rue des Lilas", LatLon(47.620312, 6.150284))
    offer = publish(engine, seats=2, price_cents=150, origin=exact).offer
    (told,) = anybody.search("driver_journeys", **WAY)
    assert told["driver"] == {"id": offer.offer_id, "operator": "mobigo.test", "alias": "Conducteur"}
    assert (told["passengerPickupLat"], told["passengerPickupLng"]) == (47.62, 6.15)
    assert (told["passengerPickupDate"], told["availableSeats"], told["type"]) == (AT, 2, "PLANNED")
    assert told["price"] == {"type": "PAYING", "amount": 1.5, "currency": "EUR"}
    assert not {"passengerPickupAddress", "driverDepartureLat"} & set(told)
    assert "Lilas" not in str(told)
    assert ANNA not in str(told)
    link = urlsplit(told["webUrl"])
    assert (link.path, parse_qs(link.query)["heure"]) == ("/covoiturage", ["07:00"])
    book(engine, offer.offer_id)
    assert [one["availableSeats"] for one in anybody.search("driver_journeys", **WAY)] == [1]
    book(engine, offer.offer_id, "cleo7", key="b2")
    assert anybody.search("driver_journeys", **WAY) == []


def test_radii_and_margins_hold_for_our_offers_too(engine, anybody):
    publish(engine)
    here = between(LatLon(47.62, 6.17), BESANCON.at, departureDate=AT)  # 1.5 km east
    assert anybody.search("driver_journeys", **here) == []
    assert len(anybody.search("driver_journeys", **here, departureRadius=1.6)) == 1
    assert len(anybody.search("driver_journeys", **WAY | {"departureDate": AT + 900})) == 1
    assert anybody.search("driver_journeys", **WAY | {"departureDate": AT + 901}) == []
    assert anybody.search("driver_journeys", **WAY, departureRadius=-1) == []
    assert anybody.search("driver_journeys", **WAY, count=0) == []
    told = anybody.search("driver_journeys", **WAY, timeDelta=10**12, departureRadius=10**9)
    assert len([one for one in told if one["type"] != "LINE"]) == 1
    assert anybody.search("driver_journeys", **WAY | {"departureDate": 10**15}) == []
    assert anybody.search("driver_journeys", **between(BESANCON.at, VESOUL.at, departureDate=AT)) == []


def test_ours_and_those_handed_over_stand_in_one_order(engine, left_open, anybody):
    publish(engine)
    theirs = [driver_journey(AT + gap, VESOUL.at, BESANCON.at, id=f"j{gap}") for gap in (-60, 300)]
    ours = publish(engine, key="k2", leaves=SEVEN + timedelta(seconds=120)).offer.offer_id
    bring(left_open, driverJourneys=theirs)
    found = anybody.search("driver_journeys", **WAY)
    assert [one["passengerPickupDate"] - AT for one in found] == [0, -60, 120, 300]
    assert found[2]["driver"]["id"] == ours
    assert len(anybody.search("driver_journeys", **WAY, count=3)) == 3


def test_who_drives_every_week_answers_as_journeys_and_as_a_regular_trip(engine, anybody):
    offer = publish(engine, leaves=WEEKS).offer
    tuesday = WAY | {"departureDate": AT + DAY_S}
    (journey,) = anybody.search("driver_journeys", **tuesday)
    assert journey["passengerPickupDate"] == AT + DAY_S
    assert anybody.search("driver_journeys", **WAY | {"departureDate": AT - DAY_S}) == []  # Sunday
    (trip,) = anybody.search("driver_regular_trips", **WEEKLY)
    assert [one["passengerPickupDay"] for one in trip["schedules"]] == ["MON", "TUE", "WED", "THU", "FRI"]
    assert {one["passengerPickupTimeOfDay"] for one in trip["schedules"]} == {"07:00:00"}
    assert trip["schedules"][1]["journeySchedules"][0]["id"] == journey["id"]
    assert [len(one["journeySchedules"]) for one in trip["schedules"]] == [5, 4, 4, 4, 4]  # four weeks and a day
    assert anybody.search("driver_regular_trips", **WEEKLY, departureWeekdays="SAT,SUN") == []
    assert anybody.search("driver_regular_trips", **WEEKLY, timeDelta=0, departureWeekdays="WED") != []
    assert anybody.search("driver_regular_trips", **WEEKLY | {"departureTimeOfDay": "07:15:01"}) == []
    assert anybody.search("driver_regular_trips", **WEEKLY, maxDepartureDate=AT - 1) == []
    assert anybody.search("driver_regular_trips", **WEEKLY, minDepartureDate=AT, maxDepartureDate=AT) != []
    offering.rest_on(engine, offer.offer_id, ANNA, MONDAY + timedelta(days=1), f"person:{ANNA}", NOW)
    assert anybody.search("driver_journeys", **tuesday) == []
    offering.withdraw(engine, offer.offer_id, ANNA, f"person:{ANNA}", NOW)
    assert anybody.search("driver_regular_trips", **WEEKLY) == []


def test_a_driver_of_a_line_is_met_at_its_stops(engine, anybody):
    stops = baume().stops
    publish(engine, line=baume(), line_id="CV6", from_stop=stops[0].stop_id, to_stop=stops[-1].stop_id)
    on_the_way = between(stops[1].at, stops[-1].at, departureDate=AT, timeDelta=3600)
    line, told = sorted(anybody.search("driver_journeys", **on_the_way), key=lambda one: one["type"])
    assert (line["type"], told["type"]) == ("LINE", "PLANNED")
    assert (told["passengerPickupAddress"], told["passengerDropAddress"]) == (stops[1].name, stops[-1].name)
    assert told["distance"] == stops[-1].distance_m - stops[1].distance_m
    back = anybody.search("driver_journeys", **between(stops[-1].at, stops[1].at, departureDate=AT, timeDelta=3600))
    assert {one["type"] for one in back} == {"LINE"}


def test_a_request_answers_drivers_until_it_is_given_up(engine, anybody):
    way = between(RIOZ.at, BESANCON.at, departureDate=AT)
    kept = ask(engine, seats=2).request
    (told,) = anybody.search("passenger_journeys", **way)
    assert told["passenger"] == {"id": kept.request_id, "operator": "mobigo.test", "alias": "Passager"}
    assert (told["requestedSeats"], told["passengerPickupDate"]) == (2, AT)
    assert BEN not in str(told)
    assert anybody.search("driver_journeys", **way) == []
    requesting.give_up(engine, kept.request_id, BEN)
    assert anybody.search("passenger_journeys", **way) == []
