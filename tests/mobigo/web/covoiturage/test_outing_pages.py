"""A driver and a passenger, each with a browser without scripts, from the first code to the receipt."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pytest
import zxingcpp

from mobigo.security import Role
from mobigo.services.covoiturage import boarding_codes
from mobigo.services.covoiturage.lines import list_lines
from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import reading
from mobigo.store.jobs import JobState, list_jobs
from mobigo.store.people import door
from tests.worlds.accounts import NOON

NEW, OUTING, PLATES = "/covoiturage/trajet/nouveau", "/covoiturage/trajet", "/covoiturage/plaques"
DRIVER, RIDER = "dominique@exemple.test", "camille@exemple.test"
NUMBER = "06 39 98 00 01"


@pytest.fixture
def line(site):
    return list_lines(site.people.engine, NOON.date())[0]


@pytest.fixture
def first(line):
    return line.stops[0].stop_id


@pytest.fixture
def last(line):
    return line.stops[-1].stop_id


@pytest.fixture
def driver(site, people):
    people.add("Dominique Petit", DRIVER, roles=[Role.DRIVER])
    return site.visitor().sign_in(DRIVER)


@pytest.fixture
def rider(site, people):
    people.add("Camille Durand", RIDER, NUMBER)
    return site.visitor().sign_in(RIDER)


def begins(driver, line, first):
    driver.go(f"{NEW}?ligne={line.line_id}").send(NEW, arret=first)
    assert driver.title == "Mon trajet en cours", driver.page.text
    return driver


def scanned(visitor):
    """The address in the QR code that this page shows, read by another's reader."""
    svg = re.search(r'<svg class="qr".*?</svg>', visitor.page.text, re.DOTALL).group()
    side = int(re.search(r'viewBox="0 0 (\d+)', svg).group(1))
    image = np.full((side, side), 255, np.uint8)
    for x, y, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg):
        image[int(y), int(x) : int(x) + int(length)] = 0
    (read,) = zxingcpp.read_barcodes(np.kron(image, np.ones((6, 6), np.uint8)))
    return read.text


def path_of(visitor):
    return visitor.page.url.path


def boards(driver, rider, stop, **typed):
    rider.go(scanned(driver.go(f"{OUTING}/code?sens=montee")))
    return rider.send(path_of(rider), arret=stop, **typed)


def alights(driver, rider, stop):
    rider.go(scanned(driver.go(f"{OUTING}/code?sens=descente")))
    return rider.send(path_of(rider), arret=stop)


def test_from_the_code_on_the_driver_s_screen_to_both_receipts(site, people, driver, rider, line, first, last):
    begins(driver, line, first)
    boards(driver, rider, first, places="2")
    assert "À bord depuis 13:00" in rider.page.text
    assert "2 places" in driver.go(OUTING).page.text
    assert "Camille" not in driver.page.text
    site.clock.now += timedelta(minutes=40)
    alights(driver, rider, last)
    assert "Vous êtes passager." in rider.page.text
    driver.go(OUTING).send(f"{OUTING}/arriver")
    assert driver.title == "Votre trajet en covoiturage"
    assert "prouvé par les codes lus" in driver.page.text
    receipt = driver.page.url.path
    settle(people.engine, f"{NOON:%Y-%m}", site.clock.now + timedelta(days=3))
    assert "€" in driver.go(receipt).page.text
    assert "-3,00" in rider.go(receipt).page.text  # two places at 1.50
    assert driver.go("/compte/covoiturages").page.text.count("Total versé") == 1


def test_who_has_to_sign_in_first_still_boards_at_the_moment_of_the_scan(site, people, driver, line, first):
    people.add("Camille Durand", RIDER)
    begins(driver, line, first)
    stranger = site.visitor().go(scanned(driver.go(f"{OUTING}/code")))
    assert stranger.title == "Se connecter"
    site.clock.now += timedelta(minutes=8)
    stranger.send("/connexion", contact=RIDER, mot_de_passe="une phrase assez longue")
    assert stranger.title == "Monter dans cette voiture"
    stranger.send(path_of(stranger), arret=first)
    assert "À bord depuis 13:00" in stranger.page.text


def test_a_code_sent_on_to_another_telephone_opens_nothing_there(site, people, driver, rider, line, first):
    begins(driver, line, first)
    rider.go(scanned(driver.go(f"{OUTING}/code")))
    people.add("Claude Roy", "claude@exemple.test")
    other = site.visitor().sign_in("claude@exemple.test").go(path_of(rider))
    assert other.page.status_code == 409
    assert "scanné par un autre appareil" in other.page.text


@pytest.mark.parametrize("sense", ["montee", "descente"])
def test_an_old_code_is_refused_in_a_sentence(site, driver, rider, line, first, sense):
    begins(driver, line, first)
    address = scanned(driver.go(f"{OUTING}/code?sens={sense}"))
    site.clock.now += timedelta(minutes=2)
    assert rider.go(address).page.status_code == 409
    assert "un code vaut une minute" in rider.page.text


def test_on_the_driver_s_own_browser_a_ride_is_not_proven(driver, line, first, last, people, site):
    people.add("Camille Durand", RIDER)
    begins(driver, line, first)
    up = scanned(driver.go(f"{OUTING}/code?sens=montee"))
    down = scanned(driver.go(f"{OUTING}/code?sens=descente"))
    driver.go("/compte").send("/deconnexion")
    driver.sign_in(RIDER)
    for address, stop in ((up, first), (down, last)):
        driver.go(address).send(path_of(driver), arret=stop)
    driver.go("/compte").send("/deconnexion")
    driver.sign_in(DRIVER).go(OUTING).send(f"{OUTING}/arriver")
    assert "La preuve est incomplète" in driver.page.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"arret": "ailleurs"}, "choisissez-en un de la liste"),
        ({}, "choisissez-en un de la liste"),
        ({"places": "99"}, "de 1 à 8"),
        ({"places": "deux"}, "de 1 à 8"),
        ({"position": "ici"}, None),  # what is no place is none
        ({"position": "91,0"}, None),
    ],
)
def test_what_a_passenger_types_wrong_is_said_beside_the_form(driver, rider, line, first, typed, sentence):
    begins(driver, line, first)
    rider.go(scanned(driver.go(f"{OUTING}/code")))
    given = typed if "arret" in typed or not typed else {"arret": first} | typed
    rider.send(path_of(rider), **given)
    if sentence is None:
        assert "À bord depuis" in rider.page.text
    else:
        assert rider.page.status_code == 400
        assert sentence in rider.refusals[0]


def test_the_button_pressed_twice_is_one_ride(driver, rider, line, first):
    begins(driver, line, first)
    rider.go(scanned(driver.go(f"{OUTING}/code")))
    path, form = path_of(rider), rider.form(path_of(rider)).fields
    for _ in range(2):
        assert rider.client.post(path, data=form | {"arret": first}).status_code == 303
    assert driver.go(OUTING).page.text.count("monté à") == 2  # in the list, and where to set the one down
    assert rider.go(path).title == "Votre trajet en covoiturage"


def test_who_is_still_aboard_keeps_the_car_from_arriving_until_the_driver_tells_a_stop(
    driver, rider, line, first, last
):
    begins(driver, line, first)
    boards(driver, rider, first)
    driver.go(OUTING).send(f"{OUTING}/arriver")
    assert driver.page.status_code == 409
    assert "encore à bord" in driver.refusals[0]
    (field,) = (name for name in driver.form(f"{OUTING}/arriver").names if name.startswith("descente_"))
    driver.send(f"{OUTING}/arriver", **{field: last})
    assert "ce trajet n’est pas payé" in driver.page.text


def test_six_figures_sent_by_sms_are_typed_by_the_driver(site, people, driver, rider, line, first):
    begins(driver, line, first)
    driver.send(f"{OUTING}/sms", telephone=NUMBER, sens="montee")
    with reading(people.engine) as session:
        (job,) = (job for job in list_jobs(session, [JobState.WAITING], 99) if job.kind == boarding_codes.CODE_JOB)
        figures = door.get_code(session, people.keys, job.payload["code_id"]).facts["code"]
    wrong = "000000" if figures != "000000" else "111111"
    driver.send(f"{OUTING}/sms/code", code=wrong, arret=first)
    assert "Ce code n’est pas le bon" in driver.refusals[0]
    driver.send(f"{OUTING}/sms/code", code=figures, arret=first)
    assert "monté à" in driver.page.text
    assert "À bord depuis" in rider.go(OUTING).page.text
    driver.go(OUTING).send(f"{OUTING}/sms", telephone="06")
    assert driver.page.status_code == 400


def test_a_trip_is_cancelled_only_by_who_says_that_it_was_none(driver, line, first):
    begins(driver, line, first).send(f"{OUTING}/annuler")
    assert driver.page.status_code == 400
    driver.send(f"{OUTING}/annuler", compris="oui")
    assert "annulé" in driver.page.text
    assert driver.go(OUTING).title == "Commencer un trajet"


def test_a_second_trip_at_once_or_a_line_that_is_none_is_refused(driver, line, first):
    begins(driver, line, first)
    driver.go(f"{NEW}?ligne={line.line_id}").send(NEW, arret=first)
    assert driver.page.status_code == 409
    assert "déjà un trajet en cours" in driver.refusals[0]
    assert driver.go(f"{NEW}?ligne=aucune").page.status_code == 200
    assert driver.go("/covoiturage/trajets/inconnu").page.status_code == 404


# --- plates ----------------------------------------------------------------------------------


def test_passengers_of_a_car_with_a_plate_need_its_driver_for_nothing(site, driver, rider, line, first, last):
    driver.go(PLATES).send(PLATES, ligne=line.line_id)
    assert "lisez ce code" in driver.title
    address = scanned(driver)
    rider.go(address).send(path_of(rider), arret=first)
    assert "À bord depuis" in rider.page.text
    site.clock.now += timedelta(minutes=40)
    assert rider.go(address).title == "Descendre de cette voiture"
    rider.send(path_of(rider), arret=last)
    assert "De " in rider.page.text
    assert rider.go(address).title == "Monter dans cette voiture"
    rider.send(path_of(rider), arret=first)
    assert rider.page.status_code == 409


def test_a_plate_is_withdrawn_and_opens_nothing_any_more(driver, rider, line):
    driver.go(PLATES).send(PLATES, ligne=line.line_id)
    address, own = scanned(driver), driver.page.url.path
    driver.go(PLATES).send(f"{PLATES}/retirer")
    assert driver.go(own).page.status_code == 404
    assert rider.go(address).page.status_code == 404
    driver.go(PLATES).send(PLATES, ligne="aucune")
    assert driver.page.status_code == 404
