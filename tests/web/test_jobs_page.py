"""The jobs of the service in a real browser: without scripts, by keyboard, and nothing for axe to say."""

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.store.base import transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, fail, finish
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

JOBS = "/administration/taches"
WHY = "Le serveur courriel.exploitant.exemple.test/une-adresse-sans-aucun-espace-pour-couper-la-ligne ne répond pas."


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site where jobs wait, are done and were given up."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        site.people.add("Alix Martin", "alix@exemple.test", roles=[Role.ADMINISTRATOR])
        with transaction(site.people.engine) as session:
            for number in range(20):
                at = NOON - timedelta(days=number + 1)
                enqueue(session, "retention.apply", {}, at, f"tidy {number}")
                claim = claim_next(session, ["retention.apply"], Lease("machine:4711", NOON, 1), "t", at)
                finish(session, claim, at)
            enqueue(session, "retention.apply", {}, NOON + timedelta(hours=16), "tonight")
            for number in range(3):
                enqueue(session, "people.message", {}, NOON, f"letter {number}")
                claim = claim_next(session, ["people.message"], Lease("machine:4711", NOON, 1), "t", NOON)
                fail(session, claim, WHY, None, NOON)
        yield site


@pytest.fixture
def come_in(site, visit):
    """Signs the administrator in and opens the jobs by the links of the account."""

    def come_in(**options):
        page = visit(f"{site.address}/connexion", **options)
        page.get_by_label("Adresse électronique ou téléphone").fill("alix@exemple.test")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.wait_for_url("**/compte")
        page.get_by_role("link", name="Tâches de fond").click()
        return page

    return come_in


@pytest.mark.parametrize(("width", "theme"), [(320, "light"), (320, "dark"), (1280, "light")])
def test_axe_is_clean_and_nothing_is_wider_than_the_window(site, come_in, width, theme):
    page = come_in(width=width, color_scheme=theme)
    for query in ("", "?etat=dead", "?etat=running", "?page=2", "?relancee=7"):
        page.goto(f"{site.address}{JOBS}{query}")
        page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        assert violations(page) == [], query
        assert page.evaluate("document.documentElement.scrollWidth") <= width, query
        assert page.evaluate("document.querySelectorAll('*').length") <= 400, query


def test_what_was_given_up_is_tried_again_without_scripts(site, come_in):
    page = come_in(script=False, width=320)
    page.get_by_role("link", name="Abandonnées (3)").click()
    page.get_by_role("button", name="Relancer la tâche n° 22").click()
    assert page.get_by_role("status").inner_text() == "La tâche n°\N{NO-BREAK SPACE}22 est relancée."
    page.get_by_role("link", name="Abandonnées (2)").click()
    assert page.locator(".log > li").count() == 2


def test_a_keyboard_alone_reaches_the_reason_and_the_button(site, come_in):
    page = come_in()
    page.goto(f"{site.address}{JOBS}?etat=dead")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent.trim()"))
        if seen[-1] == "1 essai":
            page.keyboard.press("Enter")
            assert page.get_by_text("machine:4711").first.is_visible()
        if seen[-1].startswith("Relancer la tâche"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**relancee=**")
    assert page.get_by_role("status").is_visible()
