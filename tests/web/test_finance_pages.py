"""The money of carpools in a real browser: nothing for axe to say, and nothing wider than an old phone."""

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.paying import approve_batch, prepare_batch
from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import transaction
from mobigo.store.people.accounts import Identity, add_person
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.carpools import IBAN, carpool
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

PAGE = "/finances/covoiturage"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a month that waits and one that was approved."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        people, engine = site.people, site.people.engine
        people.add("Claude Roy", "claude@exemple.test", roles=[Role.FINANCE_CLERK])
        with transaction(engine) as session:
            drivers = [
                add_person(session, people.keys, Identity(f"Conducteur {n}", iban=IBAN), NOON).pseudonym
                for n in range(6)
            ]
        for begin in (NOON - timedelta(days=40), NOON - timedelta(days=3)):
            for n, driver in enumerate(drivers):
                name = f"{begin:%m}-{n}"
                given = carpool(name, driver=driver, passengers=(f"p{n}", f"q{n}"), metres=110_000, at=begin)
                declare(engine, given, name, "key:app1", begin + timedelta(hours=4))
        settle(engine, "2026-10", NOON)
        prepare_batch(engine, "2026-10", "person:claude", NOON)
        approve_batch(engine, "2026-10", "person:alix", NOON)
        yield site


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/2026-10", f"{PAGE}/2026-11"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_money_pages_have_nothing_for_axe_and_fit_an_old_phone(site, visit, path, width):
    page = visit(f"{site.address}/connexion?suite={path}", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill("claude@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
