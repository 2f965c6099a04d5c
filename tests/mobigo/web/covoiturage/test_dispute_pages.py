"""Somebody disputes a carpool on a page, a moderator answers on another, and the answer is read; without a script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.settling import settle
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool

MINE, PAGE = "/compte/covoiturages", "/covoiturage/litiges"
OWN = f"{MINE}/C1/contester"
DRIVER, RIDER, MODERATOR = "dominique@exemple.test", "camille@exemple.test", "alix@exemple.test"


@pytest.fixture
def both(site, people):
    """A carpool that was decided, its driver and its passenger, and a moderator."""
    driver = people.add("Dominique Petit", DRIVER, roles=[Role.DRIVER])
    rider = people.add("Camille Durand", RIDER)
    people.add("Alix Martin", MODERATOR, roles=[Role.INSPECTOR])
    begin = NOON - timedelta(days=3)
    given = carpool("C1", driver=driver.pseudonym, passengers=(rider.pseudonym, "p2"), at=begin)
    declare(people.engine, given, "C1", "key:app1", begin + timedelta(hours=2))
    settle(people.engine, "2026-11", NOON)
    return driver, rider


def case_of(visitor):
    return next(link for link in visitor.go(PAGE).links if link.startswith(f"{PAGE}/"))


def test_a_dispute_goes_from_the_person_to_the_moderator_and_back(site, both):
    rider = site.visitor().sign_in(RIDER).go(MINE)
    assert OWN in rider.links
    rider.go(OWN).send(OWN, raison="not_there", mots="j’avais annulé la veille")
    assert "Une personne va vous répondre ici." in rider.page.text
    assert not any(form.action == OWN for form in rider.forms())
    moderator = site.visitor().sign_in(MODERATOR)
    assert PAGE in moderator.go("/compte").links
    assert "1 contestation attend une réponse." in moderator.go(PAGE).page.text
    href = case_of(moderator)
    page = moderator.go(href).page.text
    for told in ("j’avais annulé la veille", "5,30", "Code lu à la montée", "33,0 km × 0,10", "Passager"):
        assert told in page
    assert "Camille" not in page
    moderator.send(href, reponse="upheld", motif="annulation retrouvée")
    assert "Votre réponse est enregistrée." in moderator.page.text
    assert "Aucune contestation n’attend de réponse." in moderator.page.text
    told = rider.go(MINE).page.text
    assert "vous avez raison" in told
    assert "annulation retrouvée" in told
    assert "4,30" in site.visitor().sign_in(DRIVER).go(MINE).page.text


def test_a_moderator_puts_metres_and_seats_right(site, both):
    driver = site.visitor().sign_in(DRIVER).go(OWN)
    driver.send(OWN, raison="distance", mots="")
    moderator = site.visitor().sign_in(MODERATOR)
    href = case_of(moderator)
    typed = {f"places_C1-{both[1].pseudonym}": "2", "metres": "36 000"}
    moderator.go(href).send(href, reponse="corrected", motif="déviation", **typed)
    assert "Votre réponse est enregistrée." in moderator.page.text
    assert "6,60" in driver.go(MINE).page.text  # 36 km, 3 places
    answered = moderator.go(href).page.text
    assert "le covoiturage est corrigé" in answered
    assert "Corrigé le" in answered


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"motif": "vu"}, 400, "Choisissez qui a raison."),
        ({"reponse": "corrected", "motif": "vu"}, 400, "Dites ce qui est à corriger"),
        ({"reponse": "rejected", "motif": " "}, 400, "Dites pourquoi"),
        ({"reponse": "rejected", "motif": "vu", "metres": "3"}, 400, "ne corrige rien"),
        ({"reponse": "corrected", "motif": "vu", "metres": "-3"}, 400, "nombre entier"),
        ({"reponse": "corrected", "motif": "vu", "metres": "9999999"}, 400, "ne convient pas"),
    ],
)
def test_an_answer_that_cannot_be_is_asked_again(site, both, typed, status, sentence):
    site.visitor().sign_in(DRIVER).go(OWN).send(OWN, raison="distance", mots="")
    moderator = site.visitor().sign_in(MODERATOR)
    href = case_of(moderator)
    moderator.go(href).send(href, **typed)
    assert (moderator.page.status_code, sentence in moderator.page.text) == (status, True)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"mots": "x"}, "Choisissez ce qui ne va pas."),
        ({"raison": "something_else", "mots": ""}, "Dites en quelques mots"),
    ],
)
def test_a_dispute_without_a_reason_is_asked_again(site, both, typed, sentence):
    driver = site.visitor().sign_in(DRIVER).go(OWN).send(OWN, **typed)
    assert (driver.page.status_code, sentence in driver.page.text) == (400, True)


def test_nobody_disputes_or_answers_what_is_not_theirs_to(site, people, both):
    stranger = people.add("Claude Roy", "claude@exemple.test", roles=[Role.FINANCE_CLERK])
    visitor = site.visitor().sign_in("claude@exemple.test")
    assert visitor.go(OWN).page.status_code == 404
    assert visitor.go(PAGE).page.status_code == 403
    assert stranger.pseudonym
    site.clock.now = NOON + timedelta(days=70)
    assert "ne peut plus être contesté" in site.visitor().sign_in(DRIVER).go(OWN).page.text


@pytest.mark.parametrize("path", [f"{PAGE}/inconnu", f"{PAGE}/..%2F..", f"{MINE}/inconnu/contester"])
def test_what_is_not_there_is_not_found(site, both, path):
    assert site.visitor().sign_in(MODERATOR).go(path).page.status_code == 404


def test_a_clerk_enters_a_vote_once_and_sees_what_is_left(site, people):
    page = "/finances/covoiturage/budgets"
    people.add("Claude Roy", "claude@exemple.test", roles=[Role.FINANCE_CLERK])
    clerk = site.visitor().sign_in("claude@exemple.test").go("/finances/covoiturage")
    assert page in clerk.links
    clerk.go(page).send(page, regle="bfc-lignes", euros="250 000,50", vote="CP-2026-11")
    assert "Le budget est inscrit." in clerk.page.text
    assert "250 000,50" in clerk.page.text.replace("\u202f", " ").replace("\xa0", " ")
    clerk.send(page, regle="bfc-lignes", euros="250000.5", vote="CP-2026-11")
    assert "était déjà inscrite" in clerk.page.text
    for typed in ({"euros": "abc"}, {"euros": "0"}, {"vote": "é"}, {"regle": "x"}):
        wished = {"regle": "bfc-lignes", "euros": "5", "vote": "v"} | typed
        assert clerk.go(page).send(page, **wished).page.status_code in {400, 404}
