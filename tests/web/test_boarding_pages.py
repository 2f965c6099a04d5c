"""Cards, boarding, fill control and costs in a real browser: nothing for axe, nothing wider than an old phone."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import boarding, carding, coaches, contracting
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.registering import Acting
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.school_office import CARRIER, CIRCUIT, RUN, SECTOR, under_contract
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

MORNING = datetime(2026, 11, 23, 6, 40, tzinfo=UTC)  # a Monday
ASKED = urlencode({"jour": "2026-11-23", "circuit": CIRCUIT, "course": RUN})
DAYS = "du=2026-11-16&au=2026-11-23"
PATHS = (
    "/exploitant?jour=2026-11-23",
    f"/exploitant/car?{ASKED}",
    f"/exploitant/car?{ASKED}&halte=0",
    "/scolaire/bureau/bord",
    f"/scolaire/bureau/bord/course?{ASKED}",
    "/scolaire/bureau/cartes",
    "/scolaire/bureau/cartes/{card}",
    f"/scolaire/bureau/remplissage?{DAYS}",
    f"/scolaire/remplissage?{DAYS}",
    "/scolaire/couts",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a run under way: one child is aboard."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        engine, keys, who = site.people.engine, site.people.keys, "person:import"
        roles = [Role.SCHOOL_OFFICE, Role.SCHOOL_CARRIER, Role.SCHOOL_PLANNER]
        dora = site.people.add("Dora Car", "dora@exemple.test", roles=roles)
        under_contract(engine, keys, who, NOON)
        contracting.give_carrier(engine, dora.reference, CARRIER, who, NOON)
        office = Acting(who, "import", is_office=True)
        carding.order_missing(engine, keys, office, SECTOR, NOON)
        carding.deliver(engine, office, SECTOR, NOON)
        driver = Teller(who, (CARRIER,))
        coach = coaches.find_coach(engine, keys, MORNING.date(), CIRCUIT, RUN, driver)
        boarding.tick(engine, keys, coach, [0], "", "form-1234", driver, MORNING)
        site.clock.now = MORNING
        held = carding.list_cards(engine, keys, office, SECTOR, "", 9, 0, NOON).holders
        yield site, next(one.card.card_id for one in held if one.card)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_have_nothing_for_axe_and_fit_an_old_phone(site, visit, width):
    place_, card = site
    page = visit(f"{place_.address}/connexion?suite=/exploitant", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill("dora@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/exploitant")
    for path in PATHS:
        answer = page.goto(place_.address + path.format(card=card))
        assert answer.status == 200, path
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
