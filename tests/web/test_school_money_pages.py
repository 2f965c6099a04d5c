"""Carriers' months and messages to families in a real browser: nothing for axe, nothing wider than an old phone."""

from datetime import date

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import contracting, messaging, noting
from mobigo.services.scolaire.messaging import Draft
from scolaire.telling import Matter, Scope
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.school_office import CARRIER, CIRCUIT, CONTRACT, RUN, SECTOR, under_contract
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

MONTH = f"/scolaire/contrats/{CONTRACT}/2026-11"
PATHS = (
    "/scolaire/contrats",
    MONTH,
    f"{MONTH}/course",
    "/exploitant?jour=2026-11-16",
    "/scolaire/messages",
    "/scolaire/messages/arrets",
    "/scolaire/messages/{message}",
    "/scolaire/alertes",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a month under way and a message that was sent."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        people, who = site.people, "person:import"
        claude = people.add("Claude Roy", "claude@exemple.test", roles=[Role.SCHOOL_OFFICE, Role.SCHOOL_CARRIER])
        under_contract(people.engine, people.keys, who, NOON)
        contracting.give_carrier(people.engine, claude.reference, CARRIER, who, NOON)
        told = (date(2026, 11, 16), CIRCUIT, RUN, "breakdown", "radiateur percé", noting.Teller(who))
        noting.tell_not_run(people.engine, people.keys, *told, NOON)
        draft = Draft(SECTOR, Matter.DELAY, Scope(date(2026, 11, 23)), "20 minutes de retard")
        yield site, messaging.send(people.engine, people.keys, draft, "k", who, NOON).message_id


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_have_nothing_for_axe_and_fit_an_old_phone(site, visit, width):
    place_, message = site
    page = visit(f"{place_.address}/connexion?suite=/scolaire/contrats", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill("claude@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/scolaire/contrats")
    for path in PATHS:
        page.goto(place_.address + path.format(message=message))
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
