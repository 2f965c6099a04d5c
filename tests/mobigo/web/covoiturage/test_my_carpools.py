"""Somebody sees their own carpools, why each is worth what it is, and says where the money goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import cancel, declare
from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import reading
from mobigo.store.people.accounts import get_identity
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.carpools import IBAN, carpool

PAGE, ACCOUNT = "/compte/covoiturages", "/compte/versements"
DRIVER, RIDER = "dominique@exemple.test", "camille@exemple.test"
BEGIN = NOON - timedelta(days=3)


@pytest.fixture
def both(people):
    """A driver and a passenger, one carpool decided and one that waits."""
    driver = people.add("Dominique Petit", DRIVER, roles=[Role.DRIVER])
    rider = people.add("Camille Durand", RIDER)
    passengers = (rider.pseudonym,)
    for name, at in (("C1", BEGIN), ("C2", NOON - timedelta(hours=5))):
        given = carpool(name, driver=driver.pseudonym, passengers=passengers, at=at)
        declare(people.engine, given, name, "key:app1", at + timedelta(hours=2))
    settle(people.engine, "2026-11", NOON)
    return driver, rider


def test_a_driver_sees_each_amount_and_where_it_comes_from(site, both):
    page = site.visitor().sign_in(DRIVER).go(PAGE).page
    assert page.status_code == 200
    for told in ("4,30", "33,0 km × 0,10", "1 passager × 1,00", "Total versé", "En attente de vérification", "Validé"):
        assert told in page.text
    assert both[1].pseudonym not in page.text
    assert "Camille" not in page.text


def test_a_passenger_sees_what_a_ride_costs_and_not_what_the_driver_gets(site, both):
    page = site.visitor().sign_in(RIDER).go(PAGE).page
    assert "<b>Passager</b>" in page.text
    assert "1,50" in page.text
    assert "4,30" not in page.text


def test_a_cancelled_carpool_says_so_and_is_worth_nothing(site, people, both):
    cancel(people.engine, "C1", "person:clerk", "erreur", NOON)
    page = site.visitor().sign_in(DRIVER).go(PAGE).page
    assert "Annulé" in page.text
    assert "4,30" not in page.text


def test_who_has_no_carpool_is_told_so_and_who_is_nobody_signs_in(site, people):
    people.add("Camille Durand", RIDER)
    assert "aucun covoiturage" in site.visitor().sign_in(RIDER).go(PAGE).page.text
    assert site.visitor().go(PAGE).title == "Se connecter"


def test_an_iban_is_kept_sealed_once_the_password_is_shown_again(site, people, both):
    visitor = site.visitor().sign_in(DRIVER)
    refused = visitor.go(ACCOUNT).send(ACCOUNT, iban=IBAN, mot_de_passe="pas le bon").page
    assert refused.status_code == 400
    wrong = visitor.go(ACCOUNT).send(ACCOUNT, iban=IBAN[:-1] + "1", mot_de_passe=PASSWORD).page
    assert wrong.status_code == 400
    assert "vérifiez chaque chiffre" in wrong.text
    visitor.go(ACCOUNT).send(ACCOUNT, iban=f" {IBAN[:4]} {IBAN[4:]}", mot_de_passe=PASSWORD)
    assert "votre compte bancaire est à jour" in visitor.page.text
    with reading(people.engine) as session:
        assert get_identity(session, people.keys, both[0].person_id).iban == IBAN
    assert people.letters()[-1].subject == "Le compte bancaire de vos versements a changé"
    visitor.go(ACCOUNT).send(ACCOUNT, iban="", mot_de_passe=PASSWORD)
    with reading(people.engine) as session:
        assert get_identity(session, people.keys, both[0].person_id).iban == ""
