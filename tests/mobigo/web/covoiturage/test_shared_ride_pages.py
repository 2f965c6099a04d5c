"""On pages: a seat of a partner's driver is booked, a partner's passenger is answered, met and taken along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from covoiturage.drives import straight_ways
from mobigo.services.covoiturage import outings, partnership, standard
from mobigo.services.covoiturage.given import Named
from mobigo.services.covoiturage.standard import Caller
from tests.worlds.accounts import NOON
from tests.worlds.meeting import publish
from tests.worlds.operators import make
from tests.worlds.partners import new_id
from tests.worlds.site import serving
from tests.worlds.valley import valley

RIDES, OFFER, NEW, OUTING = (
    "/compte/trajets",
    "/covoiturage/proposer",
    "/covoiturage/trajet/nouveau",
    "/covoiturage/trajet",
)
ELSEWHERE = "/covoiturage/reserver-ailleurs"
THEIRS = "ailleurs.exemple.test"
TODAY = NOON.date().isoformat()
HALF_PAST_ONE = NOON + timedelta(minutes=30)  # in Paris


@pytest.fixture
def two(site, people):
    people.add("Dominique Petit", "dominique@exemple.test")
    people.add("Camille Durand", "camille@exemple.test")
    return [site.visitor().sign_in(f"{name}@exemple.test") for name in ("dominique", "camille")]


def ends_of(site):
    index = site.app.state.network.current().places
    communes = [index.find_commune(code) for code in ("25462", "25056")]
    return [Named(one.name, one.at) for one in communes]


@pytest.fixture
def partner(site, tmp_path):
    """A partner whose driver goes the way at half past one; asked by the site."""
    app = make(
        valley(),
        f"sqlite:///{tmp_path / 'theirs.sqlite3'}",
        tmp_path,
        standard_covoiturage_open=True,
        public_url=f"https://{THEIRS}",
    )
    app.state.clock = site.clock
    origin, destination = ends_of(site)
    publish(app.state.engine, now=NOON, leaves=HALF_PAST_ONE, origin=origin, destination=destination, price_cents=250)
    with serving(app) as address:

        def register(*, takes_bookings):
            server = f"{address}/standard-covoiturage/v1"
            given = (site.app.state.engine, site.app.state.keys, THEIRS, server, "", "system:test", NOON)
            partnership.add_partner(*given, takes_bookings=takes_bookings)

        yield register
    app.state.engine.dispose()


def test_a_seat_of_a_partner_is_booked_here_where_it_takes_bookings(site, two, partner):
    _, passenger = two
    partner(takes_bookings=True)
    way = "&".join(f"{name}={one.name}" for name, one in zip(("de", "vers"), ends_of(site), strict=True))
    passenger.go(f"/covoiturage?{way}&jour={TODAY}&heure=13:30")
    (link,) = [href for href in passenger.links if href.startswith(ELSEWHERE)]
    passenger.go(link)
    assert "2,50" in passenger.page.text
    passenger.send(ELSEWHERE)
    assert "En attente de réponse" in passenger.page.text, passenger.page.text
    for path in (passenger.page.url.path, RIDES):
        assert "conducteur de" in passenger.go(path).page.text
    ride = next(href for href in passenger.links if href.startswith(f"{RIDES}/"))
    passenger.go(ride).send(f"{ride}/messages", texte="Devant la mairie ?")
    assert "Devant la mairie" in passenger.page.text
    passenger.go(ride).send(f"{ride}/annuler")
    assert "Annulée" in passenger.page.text
    page = passenger.client.get(f"{ELSEWHERE}?trajet=made-up")
    assert page.status_code == 400


def test_a_partner_that_takes_none_is_linked_to(site, two, partner):
    _, passenger = two
    partner(takes_bookings=False)
    way = "&".join(f"{name}={one.name}" for name, one in zip(("de", "vers"), ends_of(site), strict=True))
    passenger.go(f"/covoiturage?{way}&jour={TODAY}&heure=13:30")
    assert [href for href in passenger.links if href.startswith(ELSEWHERE)] == []
    assert [href for href in passenger.links if href.startswith("http") and "/covoiturage?de=" in href]


def test_a_passenger_of_a_partner_is_answered_met_and_taken_along(site, two):
    driver, _ = two
    state, ends = site.app.state, ends_of(site)
    way = "&".join(f"{name}={one.name}" for name, one in zip(("de", "vers"), ends, strict=True))
    driver.go(f"{OFFER}?{way}").send(OFFER, jour=TODAY, heure="13:30", places="2")
    offer_id = next(one for one in driver.go(RIDES).page.text.split("propositions/")[1].split("/retirer")).split("/")[0]
    body = {
        "id": new_id(),
        "driver": {"id": offer_id, "operator": "", "alias": ""},
        "passenger": {"id": "zoe", "operator": THEIRS, "alias": "Zoé"},
        "status": "WAITING_CONFIRMATION",
        "price": {},
        "passengerPickupDate": HALF_PAST_ONE.timestamp(),
        "passengerPickupLat": round(ends[0].at.lat, 3),
        "passengerPickupLng": round(ends[0].at.lon, 3),
        "passengerDropLat": round(ends[1].at.lat, 3),
        "passengerDropLng": round(ends[1].at.lon, 3),
    }
    standard.book(state.engine, straight_ways, Caller(THEIRS), "ici.exemple.test", body, NOON)
    assert f"passager de {THEIRS}" in driver.go(RIDES).page.text
    ride = next(href for href in driver.links if href.startswith(f"{RIDES}/"))
    assert f"passager de {THEIRS}" in driver.go(ride).page.text
    driver.send(f"{ride}/confirmer")
    told = standard.get_booking(state.engine, Caller(THEIRS), body["id"])
    assert told["status"] == "CONFIRMED"
    driver.go(NEW).send(NEW, holding="reservation")
    assert f"Passager de {THEIRS}" in driver.page.text
    stops = [one.stop_id for one in outings.find_driven(state.engine, driver_of(state.engine)).stops]
    driver.send(f"{OUTING}/passager", passager=ride.rsplit("/", 1)[1], arret=stops[0])
    assert "Passager 1" in driver.page.text
    site.clock.now += timedelta(minutes=40)
    riding = outings.find_driven(state.engine, driver_of(state.engine))
    (rider,) = riding.riders.values()
    driver.send(f"{OUTING}/arriver", **{f"descente_{rider.ride_id}": stops[-1], "arrivee": stops[-1]})
    told = standard.get_booking(state.engine, Caller(THEIRS), body["id"])
    assert told["status"] == "COMPLETED_PENDING_VALIDATION"


def driver_of(engine):
    """Who drives now."""
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT driver FROM outing").scalar_one()
