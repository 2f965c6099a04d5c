"""A driver whom somebody booked begins that trip by one button, and sees by first name who is to come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.services.covoiturage.outings import find_driven
from tests.worlds.accounts import NOON

NEW, OUTING, OFFER = "/covoiturage/trajet/nouveau", "/covoiturage/trajet", "/covoiturage/proposer"
TODAY = NOON.date().isoformat()
LINE_ENDS = {"montee": "CV6-baume-les-dames", "descente": "CV6-avoudrey"}


@pytest.fixture
def two(site, people):
    """A driver and a passenger, each in a browser of their own."""
    people.add("Dominique Petit", "dominique@exemple.test")
    people.add("Camille Durand", "camille@exemple.test")
    return [site.visitor().sign_in(f"{name}@exemple.test") for name in ("dominique", "camille")]


@pytest.fixture
def driven(site, people):
    """The outing that the driver is on, as it is kept."""
    pseudonym = people.sign_in("dominique@exemple.test").principal.pseudonym
    return lambda: find_driven(people.engine, pseudonym)


def meet_between_places(site, driver, passenger):
    """A trip at 13:30 between two communes, offered, booked and confirmed through the pages."""
    index = site.app.state.network.current().places
    ends = [index.find_commune(code).name for code in ("25462", "25056")]
    way = "&".join(f"{name}={value}" for name, value in zip(("de", "vers"), ends, strict=True))
    driver.go(f"{OFFER}?{way}").send(OFFER, jour=TODAY, heure="13:30", places="2")
    passenger.go(f"/covoiturage?{way}&jour={TODAY}&heure=13:30")
    (link,) = [href for href in passenger.links if href.startswith("/covoiturage/reserver")]
    booking = passenger.go(link).send("/covoiturage/reserver").page.url.path
    return ends, booking


def wait_at_a_stop(driver, passenger):
    """A passenger who waits on a line is booked by a driver who leaves now."""
    passenger.go("/covoiturage/attendre?ligne=CV6").send("/covoiturage/attendre", **LINE_ENDS)
    driver.go(f"{OFFER}?ligne=CV6").send(OFFER, **LINE_ENDS, depart="maintenant")


def test_a_booked_trip_begins_with_the_places_that_were_agreed(site, two, driven):
    driver, passenger = two
    ends, booking = meet_between_places(site, driver, passenger)
    assert "Vos passagers d’aujourd’hui" not in driver.go(NEW).page.text  # it is asked for, not confirmed
    driver.go(booking).send(f"{booking}/confirmer")
    driver.go(NEW)
    assert f"{ends[0]} – {ends[1]}, départ à 13:30" in driver.page.text
    assert "Camille, à 13:30" in driver.page.text
    assert "Durand" not in driver.page.text
    driver.send(NEW, holding="reservation")
    assert driver.title == "Mon trajet en cours", driver.page.text
    assert "Camille, à 13:30" in driver.page.text
    outing = driven()
    assert ([stop.name for stop in outing.stops], outing.line_id) == (ends, None)
    assert outing.stops[0].distance_m == 0
    assert outing.stops[1].distance_m > 1_000
    assert driver.go(f"{OUTING}/code?sens=montee").title == "Code pour monter"


def test_a_booked_trip_on_a_line_begins_with_its_stops(two, driven):
    driver, passenger = two
    wait_at_a_stop(driver, passenger)
    driver.go(NEW).send(NEW, holding="reservation")
    assert driver.title == "Mon trajet en cours", driver.page.text
    assert "Attendus" in driver.page.text
    outing = driven()
    assert (outing.line_id, outing.events[0].stop_id) == ("CV6", "CV6-baume-les-dames")
    assert {"CV6-baume-les-dames", "CV6-avoudrey"} < {stop.stop_id for stop in outing.stops}


def test_a_trip_of_another_day_or_of_somebody_else_is_not_begun(site, two, driven):
    driver, passenger = two
    wait_at_a_stop(driver, passenger)
    form = driver.go(NEW).form(NEW, "reservation").fields
    other = passenger.client.post(NEW, data=passenger.go(f"{NEW}?ligne=CV6").form(NEW).fields | form_of(form))
    assert other.status_code == 404
    site.clock.now += timedelta(days=1)
    driver.go(f"{NEW}?ligne=CV6")
    late = driver.client.post(NEW, data=driver.form(NEW).fields | form_of(form))
    assert (late.status_code, driven()) == (404, None)


def form_of(fields):
    """What the form of a booking says beside its token."""
    return {"reservation": fields["reservation"]}


def test_a_second_trip_at_once_leads_back_to_the_bookings(two):
    driver, passenger = two
    wait_at_a_stop(driver, passenger)
    driver.go(f"{NEW}?ligne=CV6").send(NEW, holding="ligne", arret="CV6-avoudrey")
    driver.go(NEW).send(NEW, holding="reservation")
    assert (driver.page.status_code, 'href="#reserve"' in driver.page.text) == (409, True)


def test_a_car_published_on_a_line_is_among_the_next_ones_as_long_as_it_has_a_seat(site, two):
    driver, _ = two
    page = driver.go(f"{OFFER}?ligne=CV6")
    page.send(OFFER, **LINE_ENDS, jour=TODAY, heure="13:30", places="1", depart="heure")
    cars = site.visitor().go("/api/covoiturage/lines/CV6").page.json()["next_cars"]
    ends = {"from_stop": "CV6-baume-les-dames", "to_stop": "CV6-avoudrey"}
    assert cars == [{"leaves_at": "2026-11-21T12:30:00Z", **ends, "seats_free": 1}]
    site.clock.now += timedelta(hours=1)
    assert site.visitor().go("/api/covoiturage/lines/CV6").page.json()["next_cars"] == []
