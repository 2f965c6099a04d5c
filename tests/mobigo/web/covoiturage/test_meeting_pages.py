"""A driver and a passenger meet through the pages, without scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.worlds.accounts import NOON

DAY = (NOON + timedelta(days=3)).date().isoformat()


@pytest.fixture
def two(site, people):
    """A driver and a passenger, each in a browser of their own."""
    found = []
    for name in ("anna", "ben"):
        people.add(name.title(), f"{name}@exemple.test")
        visitor = site.visitor()
        visitor.sign_in(f"{name}@exemple.test")
        found.append(visitor)
    return found


def places(site):
    """Two communes of the sample that are some way apart."""
    index = site.app.state.network.current().places
    return index.find_commune("25462").name, index.find_commune("25056").name


def offer(driver, site, **typed):
    origin, destination = places(site)
    driver.go(f"/covoiturage/proposer?de={origin}&vers={destination}")

    return driver.send(
        "/covoiturage/proposer", **({"jour": DAY, "heure": "07:30", "places": "2", "prix": "1,50"} | typed)
    )


def search(visitor, site, **more):
    origin, destination = places(site)
    fields = {"de": origin, "vers": destination, "jour": DAY, "heure": "07:30"} | more
    return visitor.go("/covoiturage?" + "&".join(f"{name}={value}" for name, value in fields.items()))


def test_a_ride_is_offered_found_booked_accepted_and_spoken_about(site, two):
    driver, passenger = two
    offer(driver, site)
    assert (driver.title, "Votre trajet est proposé" in driver.page.text) == ("Mes trajets", True)
    search(passenger, site)
    assert "1,50" in passenger.page.text
    (way,) = [href for href in passenger.links if href.startswith("/covoiturage/reserver")]
    passenger.go(way)
    assert passenger.title == "Vérifiez votre réservation"
    passenger.send("/covoiturage/reserver")
    assert "En attente de réponse" in passenger.page.text
    booking = passenger.page.url.path
    again = passenger.client.post("/covoiturage/reserver", data=passenger.go(way).form("/covoiturage/reserver").fields)
    assert again.status_code == 409  # one is in one car at a time
    driver.go(booking).send(f"{booking}/confirmer")
    assert "Confirmée" in driver.page.text
    passenger.go(booking).send(f"{booking}/messages", texte="Je suis à la <gare>.")
    assert "Je suis à la &lt;gare&gt;." in passenger.page.text
    driver.go(booking)
    assert "Le passager" in driver.page.text
    driver.send(f"{booking}/messages", texte=" ")
    assert (driver.page.status_code, 'href="#texte"' in driver.page.text) == (400, True)
    passenger.go("/compte/trajets").send(f"{booking}/annuler")
    assert "Annulée" in passenger.page.text
    assert driver.go(booking).forms() == []


def test_the_same_form_twice_is_one_offer(site, two):
    driver, _ = two
    origin, destination = places(site)
    driver.go(f"/covoiturage/proposer?de={origin}&vers={destination}")
    form = driver.form("/covoiturage/proposer")
    fields = form.fields | {"jour": DAY, "heure": "07:30"}
    answers = [driver.client.post("/covoiturage/proposer", data=fields) for _ in range(2)]
    assert [one.headers.get("location") for one in answers] == ["/compte/trajets?fait=propose"] * 2
    driver.go("/compte/trajets")
    assert len(re.findall("/compte/trajets/propositions/[^/]+/retirer", driver.page.text)) == 1
    (action,) = re.findall('"(/compte/trajets/propositions/[^/]+/retirer)"', driver.page.text)
    driver.send(action)
    assert "Vous ne proposez aucun trajet." in driver.page.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"places": "0"}, "places"),
        ({"places": "many"}, "places"),
        ({"jour": "2020-01-01"}, "jour"),
        ({"jour": "soon"}, "jour"),
        ({"heure": "25:00"}, "heure"),
        ({"detour": "-1"}, "detour"),
        ({"prix": "cher"}, "prix"),
        ({"prix": "999"}, "prix"),
        ({"jours_lundi": "oui", "fin": "2020-01-01"}, "fin"),
    ],
)
def test_what_makes_no_sense_leads_to_its_field(site, two, typed, field):
    driver, _ = two
    page = offer(driver, site, **typed).page
    assert (page.status_code, f'href="#{field}"' in page.text) == (400, True), page.text


def test_a_weekly_offer_rests_on_a_day(site, two):
    driver, _ = two
    offer(driver, site, jours_mardi="oui", jours_jeudi="oui")
    (action,) = re.findall('"(/compte/trajets/propositions/[^/]+/repos)"', driver.page.text)
    driver.send(action, jour=DAY)
    assert "vous ne partez pas ce jour-là" in driver.page.text
    driver.go("/compte/trajets").send(action, jour=DAY)
    assert driver.page.status_code == 409


def test_who_waits_at_a_stop_is_taken_by_who_drives_now(site, two):
    driver, passenger = two
    ends = {"montee": "CV6-baume-les-dames", "descente": "CV6-avoudrey"}
    passenger.go("/covoiturage/attendre?ligne=CV6").send("/covoiturage/attendre", **ends)
    assert "Vous attendez sur la ligne CV6" in passenger.page.text
    driver.go("/covoiturage/proposer?ligne=CV6").send("/covoiturage/proposer", **ends, depart="maintenant")
    assert "des passagers vous attendent" in driver.page.text
    assert "Confirmée" in passenger.go("/compte/trajets").page.text
    driver.go("/covoiturage/proposer?ligne=CV6").send("/covoiturage/proposer", montee="x", descente="y")
    assert 'href="#montee"' in driver.page.text


def test_nothing_found_says_what_to_do_and_a_search_can_be_left(site, two):
    _, passenger = two
    search(passenger, site)
    assert "Personne ne propose ce trajet" in passenger.page.text
    (way,) = [href for href in passenger.links if href.startswith("/covoiturage/attendre")]
    passenger.go(way).send("/covoiturage/attendre", jour=DAY, heure="07:30")
    assert "Votre recherche est enregistrée" in passenger.page.text
    (action,) = re.findall('"(/compte/trajets/recherches/[^/]+/retirer)"', passenger.page.text)
    passenger.send(action)
    assert "Vous ne cherchez aucune place." in passenger.page.text


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"jour": "2020-01-01"}, "jour"),
        ({"heure": "99"}, "heure"),
        ({"places": "0"}, "places"),
        ({"de": "Nulle-Part-Xyz"}, "de"),
    ],
)
def test_a_search_that_makes_no_sense_says_where(site, visitor, more, field):
    page = search(visitor, site, **more).page
    assert (page.status_code, f'href="#{field}"' in page.text) == (400, True)


def test_others_see_no_booking_and_visitors_are_led_to_sign_in(site, visitor):
    visitor.go("/covoiturage/proposer")
    assert visitor.page.url.path == "/connexion"
    assert "Avoudrey" in visitor.go("/covoiturage").page.text
