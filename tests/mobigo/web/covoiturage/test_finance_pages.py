"""A month of the carpool lines goes from rides to the bank's answer on pages, without a script, by two people."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.store.base import transaction
from mobigo.store.people.accounts import Identity, add_person
from tests.worlds.accounts import NOON
from tests.worlds.carpools import IBAN, carpool

PAGE = "/finances/covoiturage"
MONTH = f"{PAGE}/2026-11"
CLERK, APPROVER = "claude@exemple.test", "alix@exemple.test"


@pytest.fixture
def month(site, people):
    """Three carpools of one driver, two days old, and a clerk and an approver."""
    with transaction(people.engine) as session:
        driver = add_person(session, people.keys, Identity("Dominique Petit", iban=IBAN), NOON).pseudonym
    begin = NOON - timedelta(days=3)
    for number in range(3):
        given = carpool(f"C{number}", driver=driver, passengers=(f"p{number}",), at=begin + timedelta(hours=number))
        declare(people.engine, given, f"k{number}", "key:app1", begin + timedelta(hours=4))
    people.add("Claude Roy", CLERK, roles=[Role.FINANCE_CLERK])
    people.add("Alix Martin", APPROVER, roles=[Role.FINANCE_APPROVER])
    return driver


@pytest.fixture
def payer(site):
    settings = site.app.state.settings
    told = {"payer_name": "Région de démonstration", "payer_iban": "FR1420041010050500013M02606"}
    site.app.state.settings = settings.model_copy(update=told)


def reference(page):
    return re.search(r"covoiturage-2026-11-\d+", page.text)[0]


def test_a_month_goes_from_rides_to_the_answer_of_the_bank(site, month, payer):
    clerk, approver = site.visitor().sign_in(CLERK), site.visitor().sign_in(APPROVER)
    clerk.go("/compte")
    assert PAGE in clerk.links
    assert "Des covoiturages attendent une décision" in clerk.go(PAGE).page.text
    clerk.go(MONTH).send(f"{MONTH}/decider")
    assert "Les covoiturages qui pouvaient l’être sont décidés" in clerk.page.text
    assert "12,90" in clerk.page.text  # 3 × (33 km × 0,10 € + 1 €)
    clerk.send(f"{MONTH}/preparer")
    assert "attendent l’accord d’une autre personne" in clerk.page.text
    assert not any(form.action.endswith("approuver") for form in clerk.forms())
    approver.go(MONTH).send(f"{MONTH}/approuver")
    assert "Les paiements sont approuvés" in approver.page.text
    assert not any(form.action.startswith(MONTH) for form in approver.forms())
    order = clerk.go(MONTH).send(f"{MONTH}/fichier", holding="nom").page
    assert order.headers["content-type"] == "application/xml"
    assert "12.90" in order.text
    paid = f"end_to_end_id,state\n{reference(clerk.go(MONTH).page)},paid"
    clerk.send(f"{MONTH}/banque", reponse=paid)
    assert "La réponse de la banque est enregistrée" in clerk.page.text
    assert "versé" in clerk.page.text
    assert "Dominique" not in clerk.page.text
    assert IBAN not in clerk.page.text


def test_who_prepared_cannot_approve_even_when_they_may_approve_others(site, people, month):
    people.add("Sacha Blanc", "sacha@exemple.test", roles=[Role.FINANCE_CLERK, Role.FINANCE_APPROVER])
    both = site.visitor().sign_in("sacha@exemple.test")
    both.go(MONTH).send(f"{MONTH}/decider").send(f"{MONTH}/preparer")
    form = both.form(f"{MONTH}/preparer")
    refused = both.client.post(f"{MONTH}/approuver", data=form.fields)
    assert refused.status_code == 403
    assert "une autre personne doit l’approuver" in refused.text


def test_without_an_account_to_pay_from_nothing_leaves_and_the_page_says_so(site, month):
    clerk, approver = site.visitor().sign_in(CLERK), site.visitor().sign_in(APPROVER)
    clerk.go(MONTH).send(f"{MONTH}/decider").send(f"{MONTH}/preparer")
    approver.go(MONTH).send(f"{MONTH}/approuver")
    clerk.go(MONTH).send(f"{MONTH}/fichier", holding="nom")
    assert clerk.page.status_code == 409
    assert "MOBIGO_PAYER_IBAN" in clerk.page.text


@pytest.mark.parametrize("pasted", ["", "n’importe quoi", "end_to_end_id,state\ninconnu,paid", "=1+1,paid"])
def test_an_answer_that_is_none_is_refused_and_changes_nothing(site, month, payer, pasted):
    clerk, approver = site.visitor().sign_in(CLERK), site.visitor().sign_in(APPROVER)
    clerk.go(MONTH).send(f"{MONTH}/decider").send(f"{MONTH}/preparer")
    approver.go(MONTH).send(f"{MONTH}/approuver")
    clerk.go(MONTH).send(f"{MONTH}/banque", reponse=pasted)
    assert clerk.page.status_code in {400, 404}
    assert "Il y a un problème" in clerk.page.text
    assert "transmis à la banque" in clerk.page.text


@pytest.mark.parametrize("month", ["2026-13", "mars", "..%2F..%2Fetc", "2026-11'--"])
def test_a_month_that_is_none_is_refused_in_a_sentence(site, people, month):
    people.add("Claude Roy", CLERK, roles=[Role.FINANCE_CLERK])
    page = site.visitor().sign_in(CLERK).go(f"{PAGE}/{month}").page
    assert page.status_code in {400, 404}
    assert page.headers["content-type"].startswith("text/html")
