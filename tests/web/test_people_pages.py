"""Accounts in a real browser: coming in, giving a role, and nothing for axe to say, without scripts."""

import pytest

from mobigo.security import Role
from mobigo.services.people import api_keys
from mobigo.services.people.administration import Details, make_person
from mobigo.services.people.fictitious import PASSWORD as PASSWORD_OF_ALL
from mobigo.services.people.fictitious import open_accounts
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.provider import CLIENT_ID, CLIENT_SECRET, local_provider
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

ALIX, CAMILLE, DOMINIQUE = "alix@exemple.test", "camille@exemple.test", "dominique@exemple.test"
OUT = ("/connexion", "/compte/creer", "/compte/creer/code", "/mot-de-passe", "/mot-de-passe/nouveau")
MINE = (
    "/compte",
    "/compte/coordonnees",
    "/compte/coordonnees/code",
    "/compte/mot-de-passe",
    "/compte/appareils",
    "/compte/cles",
    "/compte/cles/nouvelle",
)
OFFICE = ("/personnes", "/personnes?fonction=agent", "{camille}", "{jeanne}", "{dominique}")
HELP = ("/personnes/nouvelle", "{camille}/coordonnees", "{jeanne}")


@pytest.fixture(scope="module")
def local():
    with local_provider() as local:
        yield local


@pytest.fixture(scope="module")
def site(tmp_path_factory, local):
    """A site with a traveller, an agent and somebody they helped, and an administrator."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    known = {
        "oidc_issuer": local.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "Connexion d’essai",
    }
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="", **known) as site:
        people = site.people
        camille = people.add("Camille Durand", CAMILLE, "06 39 98 00 01")
        dominique = people.add("Dominique Petit", DOMINIQUE, roles=[Role.AGENT])
        people.add("Alix Martin-Grandjean", ALIX, roles=[Role.ADMINISTRATOR])
        agent = people.let_in(dominique).principal
        jeanne = make_person(people.engine, people.keys, agent, Details("Jeanne Roux"), NOON)
        wish = api_keys.KeyWish("Tableau de bord du guichet", ["people_read", "own_account"], 60, 90)
        api_keys.make_key(people.engine, people.keys, agent, wish, NOON)
        site.paths = {
            name: f"/personnes/{person.pseudonym}"
            for name, person in {"camille": camille, "dominique": dominique, "jeanne": jeanne}.items()
        }
        yield site


def sign_in(page, contact, password=PASSWORD):
    page.get_by_label("Adresse électronique ou téléphone").fill(contact)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter", exact=True).click()


@pytest.fixture
def come_in(site, visit):
    """Signs somebody in through the page and opens an address."""

    def come_in(contact, path="/compte", **options):
        page = visit(f"{site.address}/connexion?suite={path}", **options)
        if contact:
            sign_in(page, contact)
            page.wait_for_url(f"**{path}")
        return page

    return come_in


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


@pytest.mark.parametrize(
    ("contact", "paths"),
    [("", OUT), (DOMINIQUE, MINE), (ALIX, OFFICE), (DOMINIQUE, HELP)],
    ids=["out", "mine", "office", "help"],
)
@pytest.mark.parametrize(("width", "theme"), [(320, "dark"), (1280, "light")])
def test_axe_is_clean_and_nothing_is_wider_than_the_window(site, come_in, contact, paths, width, theme):
    page = come_in(contact, width=width, color_scheme=theme)
    for path in paths:
        page.goto(f"{site.address}{path.format(**site.paths)}")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_what_was_refused_is_told_to_everybody(site, come_in):
    page = come_in("", width=320)
    sign_in(page, CAMILLE, "pas la bonne phrase")
    assert page.get_by_role("alert").get_by_role("link").get_attribute("href") == "#contact"
    assert violations(page) == []
    page.get_by_role("alert").get_by_role("link").click()
    assert page.evaluate("document.activeElement.id") == "contact"


def test_somebody_joins_by_the_code_they_were_sent_without_scripts(site, come_in):
    page = come_in("", script=False, width=320)
    page.get_by_role("link", name="Ouvrir un compte").click()
    page.get_by_label("Prénom et nom").fill("Sacha Roux")
    page.get_by_label("Adresse électronique ou téléphone").fill("sacha@exemple.test")
    page.get_by_label("Mot de passe").fill("une tout autre phrase")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Code reçu").fill(site.people.last_code())
    page.get_by_role("button", name="Confirmer").click()
    assert heading(page) == "Mon compte"
    assert "Sacha Roux" in page.get_by_role("main").inner_text()
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto(f"{site.address}/compte")
    sign_in(page, "sacha@exemple.test", "une tout autre phrase")
    assert heading(page) == "Mon compte"


def test_somebody_comes_in_by_another_service_without_scripts(site, come_in, local):
    local.who.sub, local.who.name, local.who.email = "sub-of-noa", "Noa Perrin", "noa@exemple.test"
    page = come_in("", script=False)
    page.get_by_role("link", name="Se connecter avec Connexion d’essai").click()
    assert heading(page) == "Mon compte"
    assert "Noa Perrin" in page.get_by_role("main").inner_text()


def test_an_administrator_gives_a_role_and_takes_it_without_scripts(site, come_in, visit):
    page = come_in(ALIX, script=False, width=320)
    page.get_by_role("link", name="Personnes", exact=True).click()
    page.get_by_label("Qui cherchez-vous ?").fill("camille@exemple.test")
    page.get_by_role("button", name="Chercher").click()
    page.get_by_role("link", name="Camille Durand").click()
    giving = page.get_by_role("region", name="Donner une fonction")
    giving.get_by_label("Fonction").select_option(label="contrôleur")
    giving.get_by_label("Motif").fill("embauche au 1er décembre")
    giving.get_by_role("button", name="Donner").click()
    assert page.get_by_role("status").inner_text() == "C’est fait : les fonctions sont à jour.".replace(
        " :", "\N{NO-BREAK SPACE}:"
    )
    assert "contrôleur" in page.get_by_role("region", name="Fonctions", exact=True).inner_text()
    page.get_by_role("link", name="Personnes").first.click()
    page.get_by_role("link", name="contrôleur").click()
    assert page.get_by_role("link", name="Camille Durand").is_visible()
    page.get_by_role("link", name="Camille Durand").click()
    taking = page.get_by_role("region", name="Reprendre une fonction")
    taking.get_by_label("Fonction").select_option(label="contrôleur")
    taking.get_by_label("Motif").fill("départ")
    taking.get_by_role("button", name="Reprendre").click()
    page.get_by_text("Fonctions passées").click()
    assert "reprise le" in page.get_by_role("region", name="Fonctions", exact=True).inner_text()


def test_an_agent_opens_an_account_for_who_has_no_address_without_scripts(site, come_in):
    page = come_in(DOMINIQUE, "/personnes/nouvelle", script=False, width=320)
    page.get_by_label("Prénom et nom").fill("Marcel Vuillemin")
    page.get_by_role("button", name="Ouvrir le compte").click()
    assert heading(page) == "Marcel Vuillemin"
    page.get_by_role("link", name="Personnes").first.click()
    page.get_by_label("Qui cherchez-vous ?").fill("vuillemin marcel")
    page.get_by_role("button", name="Chercher").click()
    assert page.get_by_role("link", name="Marcel Vuillemin").is_visible()


def test_the_demonstration_says_at_the_sign_in_how_it_is_tried(tmp_path, visit):
    with place(sample_snapshot(tmp_path / "release"), tmp_path / "data") as site:
        open_accounts(site.people.engine, site.people.keys, NOON)
        page = visit(f"{site.address}/connexion", script=True, width=320)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        listed = page.get_by_role("region", name="Comptes fictifs pour essayer")
        assert PASSWORD_OF_ALL in listed.inner_text()
        sign_in(page, listed.locator("code").first.inner_text(), PASSWORD_OF_ALL)
        assert "(compte fictif)" in page.get_by_role("main").inner_text()
