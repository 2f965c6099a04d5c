"""Disputes and budgets in a real browser: nothing for axe to say, and nothing wider than an old phone."""

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.disputing import Answer, Reason, answer_dispute, open_dispute
from mobigo.services.covoiturage.settling import settle
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.carpools import carpool
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

PAGE = "/covoiturage/litiges"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with two disputes, one answered, and somebody who moderates, does the money, and drove a carpool."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        people, engine = site.people, site.people.engine
        roles = [Role.INSPECTOR, Role.FINANCE_CLERK, Role.DRIVER]
        person = people.add("Camille Durand", "camille@exemple.test", roles=roles)
        begin = NOON - timedelta(days=4)
        for name, driver in (("own", person.pseudonym), ("C1", "d1"), ("C2", "d2")):
            given = carpool(name, driver=driver, passengers=(f"p{driver[:6]}", f"q{driver[:6]}"), at=begin)
            declare(engine, given, name, "key:app1", begin + timedelta(hours=2))
        settle(engine, f"{begin:%Y-%m}", NOON)
        site.open_id = open_dispute(engine, "pd1", "C1", Reason.NOT_THERE, "j’avais annulé la veille", NOON).id
        site.answered_id = open_dispute(engine, "d2", "C2", Reason.DISTANCE, "", NOON).id
        answer_dispute(engine, site.answered_id, Answer.REJECTED, None, "la trace le dit", "person:alix", NOON)
        yield site


@pytest.mark.parametrize(
    "path",
    [
        *(PAGE, f"{PAGE}/open_id", f"{PAGE}/answered_id"),
        *("/compte/attestation/2026", "/compte/recus"),
        *("/compte/covoiturages/own/contester", "/compte/covoiturages", "/finances/covoiturage/budgets"),
    ],
)
@pytest.mark.parametrize("width", [320, 1280])
def test_the_dispute_pages_have_nothing_for_axe_and_fit_an_old_phone(site, visit, path, width):
    path = path.replace("open_id", site.open_id).replace("answered_id", site.answered_id)
    page = visit(f"{site.address}/connexion?suite={path}", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill("camille@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
