"""A year of carpooling on paper, checked by a stranger who sees its figures and nobody's name; receipts of payments."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.security import Keys, Role
from mobigo.services.covoiturage.certifying import Certificate, certify, read_code, render_code
from mobigo.services.covoiturage.declaring import cancel, declare
from mobigo.services.covoiturage.paying import approve_batch, prepare_batch
from mobigo.services.covoiturage.settling import settle
from socle.errors import BadInput, NotFound
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool

DRIVER, RIDER = "dominique@exemple.test", "camille@exemple.test"
KEYS = Keys.of("k" * 32)
FIGURES = Certificate(2026, 2, 66_000, 860, 0, 0, 0, "2026-11-21")


@pytest.fixture
def both(people):
    """A driver and a passenger: two carpools long ago, one cancelled, one too young to count, one of last year."""
    driver = people.add("Dominique Petit", DRIVER, roles=[Role.DRIVER])
    rider = people.add("Camille Durand", RIDER)
    days = {"C1": 20, "C2": 18, "C3": 16, "C4": 5, "C5": 400}
    for name, ago in days.items():
        at = NOON - timedelta(days=ago)
        given = carpool(name, driver=driver.pseudonym, passengers=(rider.pseudonym,), at=at)
        declare(people.engine, given, name, "key:app1", at + timedelta(hours=2))
        settle(people.engine, f"{at:%Y-%m}", NOON)
    cancel(people.engine, "C3", "person:clerk", "erreur", NOON)
    return driver, rider


def test_it_counts_what_stands_decided_and_is_older_than_six_days(people, both):
    driver, rider = both
    of_driver = certify(people.engine, driver.pseudonym, 2026, NOON)
    assert of_driver == Certificate(2026, 2, 66_000, 860, 0, 0, 0, "2026-11-21")
    of_rider = certify(people.engine, rider.pseudonym, 2026, NOON)
    assert of_rider == Certificate(2026, 0, 0, 0, 2, 66_000, 300, "2026-11-21")
    assert certify(people.engine, driver.pseudonym, 2025, NOON).driver_trips == 1
    assert certify(people.engine, driver.pseudonym, 2026, NOON + timedelta(days=2)).driver_trips == 3
    for year in (2018, 2027):
        with pytest.raises(BadInput, match="bad_year"):
            certify(people.engine, driver.pseudonym, year, NOON)


def test_its_owner_prints_it_and_a_stranger_checks_it_without_learning_who(site, both):
    driver = site.visitor().sign_in(DRIVER).go("/compte/covoiturages")
    assert "/compte/attestation/2026" in driver.links
    paper = driver.go("/compte/attestation/2026").page.text
    for told in ("Dominique Petit", "66,0", "8,60", "Attestation de covoiturage 2026"):
        assert told in paper
    code = next(link for link in driver.links if link.startswith("/attestation/"))
    checked = site.visitor().go(code).page
    assert (checked.status_code, "est authentique" in checked.text) == (200, True)
    assert "66,0" in checked.text
    for secret in ("Dominique", "Petit", both[0].pseudonym):
        assert secret not in checked.text


def test_a_code_tells_its_figures_and_one_that_was_altered_is_none_of_ours():
    code = render_code(KEYS, FIGURES)
    assert read_code(KEYS, code) == FIGURES
    with pytest.raises(NotFound):
        read_code(Keys.of("o" * 32), code)
    for at in range(len(code)):
        altered = code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :]
        with pytest.raises(NotFound):
            read_code(KEYS, altered)


@pytest.mark.parametrize("code", ["", "é", "AAAA", "A" * 400, render_code(KEYS, FIGURES) + "=", " "])
def test_whatever_is_no_code_is_refused(code):
    with pytest.raises(NotFound):
        read_code(KEYS, code)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/attestation/AAAA", 404), ("/compte/attestation/mars", 400), ("/compte/attestation/2018", 400)],
)
def test_what_is_not_there_is_refused_on_a_page(site, both, path, status):
    assert site.visitor().sign_in(DRIVER).go(path).page.status_code == status


def test_a_driver_keeps_a_receipt_of_each_payment(site, people, both):
    driver = site.visitor().sign_in(DRIVER)
    assert "Aucun versement" in driver.go("/compte/recus").page.text
    prepare_batch(people.engine, "2026-11", "person:clerk", NOON)
    approve_batch(people.engine, "2026-11", "person:approver", NOON)
    told = driver.go("/compte/recus").page.text
    for word in ("covoiturage-2026-11-000001", "17,20", "novembre 2026", "24 novembre 2026"):
        assert word in told
