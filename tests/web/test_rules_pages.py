"""The rules of the carpool lines in a real browser: nothing for axe to say, and nothing wider than an old phone."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage import publishing
from mobigo.services.covoiturage.declaring import declare
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.carpools import carpool
from tests.worlds.drafts import draft_document
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

RULES, DRAFTS = "/covoiturage/regles", "/finances/regles"
PARTS = {"eligibility": [{"type": "distance", "min_m": 2_000}], "fare": {"mode": "flat", "cents": 150}}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a month of carpools and a version that waits for another person."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        people, engine = site.people, site.people.engine
        clerk = people.principal(Role.FINANCE_CLERK, "Claude Roy", "claude@exemple.test")
        people.add("Alix Martin", "alix@exemple.test", roles=[Role.FINANCE_APPROVER])
        for n in range(12):
            begin = NOON - timedelta(days=3 + n)
            given = carpool(f"C{n}", driver=f"d{n}", passengers=(f"p{n}",), metres=9_000 * (n + 1), at=begin)
            declare(engine, given, f"k{n}", "key:app1", begin + timedelta(hours=4))
        author = publishing.Author(clerk.whose.name, clerk.actor)
        site.version = publishing.submit(engine, author, draft_document(**PARTS), "délibération", NOON).version
        yield site


def signed_in(site, visit, who, path, width):
    page = visit(f"{site.address}/connexion?suite={path}", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill(who)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    return page


def check(page, width, name):
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if folder := os.environ.get("MOBIGO_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_public_page_of_the_rules(site, visit, width):
    check(visit(f"{site.address}{RULES}", width=width), width, "regles")


@pytest.mark.parametrize("width", [320, 1280])
def test_a_draft_tried_on_a_month(site, visit, width):
    page = signed_in(site, visit, "claude@exemple.test", DRAFTS, width)
    check(page, width, "projets")
    page.get_by_label("Le document", exact=True).fill(draft_document(**PARTS))
    page.get_by_label("Budget, en euros").fill("60")
    page.get_by_role("button", name="Vérifier et simuler").click()
    page.wait_for_url("**/essai")
    assert page.get_by_role("img").count() == 1
    check(page, width, "essai")


@pytest.mark.parametrize("width", [320, 1280])
def test_a_version_that_waits(site, visit, width):
    page = signed_in(site, visit, "alix@exemple.test", f"{DRAFTS}/{site.version}", width)
    assert page.get_by_role("button", name="Approuver").is_visible()
    check(page, width, "version")
