"""A moderator looks at what the fraud rules hold and decides, on pages, without a script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.settling import settle
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool

PAGE = "/covoiturage/controles"
MODERATOR = "camille@exemple.test"
BEGIN = NOON - timedelta(days=40)


@pytest.fixture
def moderator(site, people):
    """Two carpools of a driver in two cars at once, held for 37 days, and somebody who may decide."""
    for number in range(2):
        at = BEGIN + timedelta(minutes=5 * number)
        given = carpool(f"C{number}", driver="d1", passengers=(f"p{number}",), at=at)
        declare(people.engine, given, f"k{number}", "key:app1", BEGIN + timedelta(hours=2))
    settle(people.engine, "2026-10", BEGIN + timedelta(days=3))
    people.add("Camille Durand", MODERATOR, roles=[Role.INSPECTOR])
    return site.visitor().sign_in(MODERATOR)


def test_a_case_is_read_with_its_evidence_and_decided(moderator):
    assert PAGE in moderator.go("/compte").links
    listed = moderator.go(PAGE).page.text
    assert "2 covoiturages attendent une décision." in listed
    assert "Dans deux voitures en même temps" in listed
    assert "Plus de 30 jours" in listed
    case = moderator.go(f"{PAGE}/C0").page.text
    assert "La même personne est à cette heure dans le covoiturage C1 (35 min en commun" in case
    assert "1 autre covoiturage de ce conducteur" in case
    moderator.send(f"{PAGE}/C0", verdict="refused", motif="la conductrice confirme une erreur")
    assert "La décision est enregistrée." in moderator.page.text
    assert "1 covoiturage attend une décision." in moderator.page.text
    decided = moderator.go(f"{PAGE}/C0").page.text
    assert "Refusé le" in decided
    assert "la conductrice confirme une erreur" in decided
    assert "Ce covoiturage n’attend plus de décision." in decided


def test_the_driver_s_other_carpools_may_go_with_it(moderator):
    moderator.go(f"{PAGE}/C0").send(f"{PAGE}/C0", verdict="released", motif="deux appareils", ensemble="oui")
    assert "La décision est enregistrée pour 2 covoiturages." in moderator.page.text
    assert "Aucun covoiturage n’attend de décision." in moderator.page.text


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"verdict": "released", "motif": " "}, 400, "Il manque"),
        ({"verdict": "paid", "motif": "bon"}, 400, "Choisissez d’accepter ou de refuser"),
        ({"motif": "bon"}, 400, "Choisissez d’accepter ou de refuser"),
    ],
)
def test_a_decision_without_a_verdict_or_a_reason_is_asked_again(moderator, typed, status, sentence):
    moderator.go(f"{PAGE}/C0").send(f"{PAGE}/C0", **typed)
    assert moderator.page.status_code == status
    assert "Il y a un problème" in moderator.page.text
    assert "2 covoiturages attendent" in moderator.go(PAGE).page.text


def test_who_decides_second_is_told_so(site, moderator):
    other = site.visitor().sign_in(MODERATOR).go(f"{PAGE}/C0")
    moderator.go(f"{PAGE}/C0").send(f"{PAGE}/C0", verdict="released", motif="premier")
    other.send(f"{PAGE}/C0", verdict="refused", motif="second")
    assert other.page.status_code == 409
    assert "n’attend plus de décision" in other.page.text


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/C0"])
def test_who_may_not_is_refused(site, people, moderator, path):
    people.add("Claude Roy", "claude@exemple.test", roles=[Role.FINANCE_CLERK])
    assert site.visitor().sign_in("claude@exemple.test").go(path).page.status_code == 403


@pytest.mark.parametrize("path", [f"{PAGE}/inconnu", f"{PAGE}/..%2F..", f"{PAGE}/'--"])
def test_a_carpool_that_is_none_is_not_found(moderator, path):
    assert moderator.go(path).page.status_code == 404


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=99999", "page=x", "fait=x", "fait=-3"])
def test_any_query_is_answered(moderator, query):
    assert moderator.go(f"{PAGE}?{query}").page.status_code == 200
