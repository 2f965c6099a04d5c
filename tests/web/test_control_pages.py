"""Controls of carpools in a real browser: nothing for axe to say, and nothing wider than an old phone."""

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.screening import Verdict, decide_case
from mobigo.services.covoiturage.settling import settle
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.carpools import carpool
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

PAGE = "/covoiturage/controles"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with carpools that wait, for several reasons, one of them for long, and one that was refused."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        people, engine = site.people, site.people.engine
        people.add("Camille Durand", "camille@exemple.test", roles=[Role.INSPECTOR])
        for days in (40, 4):
            begin = NOON - timedelta(days=days)
            for n in range(4):
                name, who = f"{days}-{n}", "a" * 26 if n < 3 else "seul"
                passengers = (f"p{n}", f"q{n}") if n < 3 else ("seul",)
                given = carpool(name, driver=who, passengers=passengers, at=begin + timedelta(minutes=3 * n))
                declare(engine, given, name, "key:app1", begin + timedelta(hours=2))
            settle(engine, f"{begin:%Y-%m}", begin + timedelta(days=3))
        decide_case(engine, "40-2", Verdict.REFUSED, "erreur", "person:alix", NOON, all_alike=False)
        yield site


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/40-0", f"{PAGE}/40-2", f"{PAGE}/4-3"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_control_pages_have_nothing_for_axe_and_fit_an_old_phone(site, visit, path, width):
    page = visit(f"{site.address}/connexion?suite={path}", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill("camille@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_refused_form_says_so_where_it_is(site, visit):
    page = visit(f"{site.address}/connexion?suite={PAGE}/40-0", width=320)
    page.get_by_label("Adresse électronique ou téléphone").fill("camille@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{PAGE}/40-0")
    page.get_by_label("Refuser").check()
    page.get_by_label("Pourquoi ?").fill("appelé au 06 12 34 56 78")
    page.get_by_role("button", name="Enregistrer la décision").click()
    assert page.get_by_role("alert").count() + page.get_by_text("Il y a un problème").count() > 0
    assert page.get_by_label("Refuser").is_checked()
    assert violations(page) == []
