"""Personal data in a real browser: the whole way without scripts, and nothing for axe to say."""

import json
from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import transaction
from mobigo.store.people.door import TryKind, add_try
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

CAMILLE, ORIANE = "camille@exemple.test", "oriane@exemple.test"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a traveller whose data were looked at, and a data officer."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        site.camille = site.people.add("Camille Durand", CAMILLE)
        site.people.add("Oriane Petit", ORIANE, roles=[Role.DATA_OFFICER])
        with transaction(site.people.engine) as session:
            for number in range(60):
                at = NOON - timedelta(days=number)
                why = f"appel numéro {number}, au sujet d’une correspondance manquée à Pontarlier"
                record(session, AuditLine(at, "person:agent7", "people.read", site.camille.actor, why))
            add_try(session, TryKind.SIGN_IN, "account", "address", NOON - timedelta(days=30))
        yield site


@pytest.fixture
def come_in(site, visit):
    """Signs somebody in through the page and opens an address."""

    def come_in(contact, path="/compte", **options):
        page = visit(f"{site.address}/connexion?suite={path}", **options)
        page.get_by_label("Adresse électronique ou téléphone").fill(contact)
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.wait_for_url(f"**{path}")
        return page

    return come_in


MINE = ("/compte/mes-donnees", "/compte/consentements", "/compte/effacer")
OFFICE = ("/journal", "/journal?qui=Camille+Durand", "/conservation", "{person}/donnees", "{person}/effacer")


@pytest.mark.parametrize(("contact", "paths"), [(CAMILLE, MINE), (ORIANE, OFFICE)], ids=["mine", "office"])
@pytest.mark.parametrize(("width", "theme"), [(320, "dark"), (1280, "light")])
def test_axe_is_clean_and_nothing_is_wider_than_the_window(site, come_in, contact, paths, width, theme):
    page = come_in(contact, width=width, color_scheme=theme)
    for path in paths:
        page.goto(f"{site.address}{path.format(person=f'/personnes/{site.camille.pseudonym}')}")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{site.address}/compte-efface")
    assert violations(page) == []


def test_the_officer_finds_a_line_and_its_reason_without_scripts(site, come_in):
    page = come_in(ORIANE, "/journal", script=False, width=320)
    page.get_by_label("Données de").fill(site.camille.actor)
    page.get_by_label("Acte", exact=True).select_option("people.read")
    page.get_by_label("Du", exact=True).fill("2026-11-11")
    page.get_by_label("Au", exact=True).fill("2026-11-11")
    page.get_by_role("button", name="Afficher").click()
    assert page.locator(".log li").count() == 1
    assert "appel numéro 10" in page.locator(".log li").inner_text()
    page.goto(f"{site.address}/journal")
    page.get_by_role("link", name="Plus anciens").click()
    assert page.get_by_role("link", name="Les plus récents").is_visible()


def test_somebody_sees_takes_and_erases_their_data_without_scripts(site, come_in, visit):
    sacha = "sacha@exemple.test"
    site.people.add("Sacha Roux", sacha)
    page = come_in(sacha, script=False, width=320)
    page.get_by_role("link", name="Mes accords").click()
    page.get_by_role("group", name="Enquêtes sur les déplacements").get_by_label("Oui, j’accepte").check()
    page.get_by_role("button", name="Enregistrer mes réponses").click()
    assert page.get_by_role("status").inner_text() == "Vos réponses sont enregistrées."
    page.get_by_role("link", name="Mon compte").first.click()
    page.get_by_role("link", name="Mes données").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger le fichier").click()
    tables = json.loads(download.value.path().read_bytes())["tables"]
    assert (tables["identity"][0]["name"], tables["consent"][0]["given"]) == ("Sacha Roux", True)
    page.get_by_role("link", name="Effacer mon compte").click()
    page.get_by_role("button", name="Effacer mon compte").click()
    page.get_by_label("J’ai compris que c’est définitif").check()
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Effacer mon compte").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Compte effacé"
    page.goto(f"{site.address}/compte")
    assert page.get_by_role("heading", level=1).inner_text() == "Se connecter"
