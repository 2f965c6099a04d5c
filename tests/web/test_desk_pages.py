"""The planner's desk in a real browser: nothing for axe to say, nothing wider than an old phone, and by keyboard."""

from __future__ import annotations

import gzip
import os
from datetime import timedelta
from pathlib import Path

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import editing, searching, studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.store.base import transaction
from mobigo.store.jobs import Lease, claim_next
from scolaire.generator import draw_sector
from scolaire.planfiles import render_plan
from scolaire.writing import render_sector
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.school_plans import drawn_plan
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

WHO, STUDY = "paule@exemple.test", "/scolaire/etude/2026-haut-doubs-e1"
PAGES = {
    "annee": "/scolaire",
    "etude": STUDY,
    "course": f"{STUDY}/course/C001-M",
    "haltes": f"{STUDY}/haltes",
    "changements": f"{STUDY}/modifier",
    "changement": f"{STUDY}/modifier/move_bell",
    "recherche": f"{STUDY}/recherche/1",
    "horaires": f"{STUDY}/horaires",
    "essai": f"{STUDY}/horaires/2",
    "comparaison": "/scolaire/comparer/2026-haut-doubs-e1.1/2026-haut-doubs-e1.2",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a study that was changed and is searched."""
    with place(sample_snapshot(tmp_path_factory.mktemp("release")), tmp_path_factory.mktemp("data")) as site:
        engine, keys = site.people.engine, site.people.keys
        site.people.add("Paule Roy", WHO, roles=[Role.SCHOOL_PLANNER])
        files = render_sector(draw_sector(3, n_pupils=160))
        import_sector(engine, keys, files, 2026, "haut-doubs", "person:x", NOON)
        plan = drawn_plan()
        study = studying.add_study(
            engine, keys, "2026-haut-doubs", "Rentrée", render_plan(plan), "person:x", "premier jet", NOON
        )
        moved = plan.runs[0].halts[0].up[0]
        edit = {
            "kind": "move_pupil",
            "pupil_id": studying.get_head(engine, keys, study.study_id)[1].riders[moved].pupil_id,
            "stop_id": plan.stops[plan.runs[-1].halts[0].stop].stop_id,
        }
        study = editing.keep(engine, keys, study.study_id, study.turn, edit, "person:x", "déménagement", NOON)
        first = searching.ask(engine, study.study_id, study.turn, 10, 1, "person:x", NOON)
        searching.stop(engine, study.study_id, first.number, NOON)
        searching.ask(engine, study.study_id, study.turn, 10, 1, "person:x", NOON, searching.Bells(900, ("c1",)))
        with transaction(engine) as session:
            lease = Lease("w", NOON + timedelta(hours=1), 3)
            claims = [claim_next(session, [searching.SEARCH_JOB], lease, "t", NOON) for _ in range(2)]
        searching.run(engine, keys, site.app.state.data_dir, claims[1], lambda: NOON)
        yield site


def signed_in(site, visit, path, width):
    page = visit(f"{site.address}/connexion?suite={path}", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill(WHO)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    return page


@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_of_the_desk(site, visit, width):
    page = signed_in(site, visit, PAGES["annee"], width)
    for name, path in PAGES.items():
        page.goto(f"{site.address}{path}")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if folder := os.environ.get("MOBIGO_SHOTS"):
            page.screenshot(path=Path(folder) / f"desk-{name}-{width}.png", full_page=True)


def test_the_tables_of_a_year_and_of_a_study_need_no_scrolling_on_a_wide_screen(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    for name in ("annee", "etude"):
        page.goto(f"{site.address}{PAGES[name]}")
        tables = page.locator(".scroll:has(table)")
        assert tables.count() > 0
        assert tables.evaluate_all("them => them.every(one => one.scrollWidth <= one.clientWidth)"), name


def test_a_circuit_is_locked_and_unlocked_by_keyboard_alone(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    page.goto(f"{site.address}{STUDY}/modifier/lock_circuit?circuit=C002&verrou=oui")
    page.get_by_label("Circuit", exact=True).focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ce que cela changerait").wait_for()
    page.get_by_label("Motif").focus()
    page.keyboard.type("convenu avec la mairie")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**?fait=change")
    assert page.get_by_text("(verrouillé)").count() == 1
    page.get_by_role("button", name="Annuler le dernier changement").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?fait=annule")
    assert page.get_by_text("(verrouillé)").count() == 0


def test_a_halt_is_dragged_to_another_place_and_its_effect_is_shown_before_it_is_kept(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    page.goto(f"{site.address}{PAGES['course']}")
    names = page.locator("ol[data-order] > li b").all_text_contents()
    page.locator("#halte-2 b").drag_to(page.locator("#halte-1 b"))
    page.get_by_role("heading", name="Ce que cela changerait").wait_for()
    assert page.get_by_label("Nouvel ordre").input_value().startswith("2 1 3")
    page.goto(f"{site.address}{PAGES['course']}")
    assert page.locator("ol[data-order] > li b").all_text_contents() == names


def drag_between_runs(page, halt, run):
    """The first halt of one run onto another run."""
    page.locator(f"[data-run='{halt}'] li[data-place] b").first.drag_to(page.locator(f"[data-run='{run}'] h2"))


def test_a_halt_is_dragged_to_another_circuit_kept_and_undone_and_a_locked_one_refuses_it_with_words(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    page.goto(f"{site.address}{PAGES['haltes']}")
    names = page.locator("[data-run='C001-M'] li[data-place] b").all_text_contents()
    drag_between_runs(page, "C001-M", "C002-M")
    page.get_by_role("heading", name="Ce que cela changerait").wait_for()
    assert page.get_by_role("table", name="Élèves concernés").locator("tbody tr").count() > 0
    page.get_by_role("button", name="Garder ce changement").click()
    page.wait_for_url("**/haltes?periode=0&fait=change")
    assert page.locator("[data-run='C001-M'] li[data-place] b").all_text_contents() == names[1:]
    assert names[0] in page.locator("[data-run='C002-M'] li[data-place] b").all_text_contents()
    page.get_by_role("button", name="Annuler le dernier changement").click()
    page.wait_for_url("**/haltes?periode=0&fait=annule")
    assert page.locator("[data-run='C001-M'] li[data-place] b").all_text_contents() == names
    page.goto(f"{site.address}{STUDY}/modifier/lock_circuit?circuit=C002&verrou=oui&periode=0")
    page.get_by_role("button", name="Voir l’effet").click()
    page.get_by_role("button", name="Garder ce changement").click()
    page.wait_for_url("**/haltes?periode=0&fait=change")
    drag_between_runs(page, "C001-M", "C002-M")
    page.get_by_role("alert").wait_for()
    assert "Le circuit C002 est verrouillé" in page.get_by_role("alert").text_content()
    page.goto(f"{site.address}{PAGES['haltes']}")
    page.get_by_role("button", name="Annuler le dernier changement").click()
    page.wait_for_url("**/haltes?periode=0&fait=annule")


def test_with_scripts_a_refusal_is_told_beside_the_form(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    page.goto(f"{site.address}{STUDY}/modifier/move_halt?course=C001-M&halte=99&vers=C002-M")
    page.get_by_role("button", name="Voir l’effet").click()
    page.locator("#effet").get_by_role("alert").wait_for()
    assert violations(page) == []


def sent_in(page):
    """The bytes that came over the wire since the list of requests was emptied."""
    return sum(len(gzip.compress(request.response().body(), 6)) for request in page.requests)


def test_a_map_to_move_is_loaded_for_who_asks_for_it_and_puts_the_circuit_of_the_table_forward(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    page.goto(f"{site.address}{STUDY}", wait_until="networkidle")
    assert not [one.url for one in page.requests if "maplibre" in one.url]
    button = page.locator("#carte-bouton")
    if button.count() == 0:
        pytest.fail("the front-end libraries were not fetched: make assets", pytrace=False)
    page.goto("about:blank")
    page.requests.clear()
    page.goto(f"{site.address}{STUDY}", wait_until="networkidle")
    button.focus()
    page.keyboard.press("Enter")
    page.locator(".desk-onmap[data-idle]").wait_for()
    assert 300_000 < sent_in(page) <= MOST_BYTES
    assert page.locator(".desk-map svg.map").is_hidden()
    assert page.locator("#carte-dit").text_content().startswith("La carte est là.")
    assert button.evaluate("it => it === document.activeElement")
    page.locator("a[data-circuit=C002]").focus()
    page.keyboard.press("Enter")
    assert page.locator("#carte-dit").text_content() == "Le circuit C002 est mis en avant."
    assert page.locator("a[data-circuit][aria-current]").all_text_contents() == ["C002"]
    assert page.locator(".desk-onmap").get_attribute("data-circuit") == "C002"
    assert violations(page) == []
    page.locator("a[data-circuit=C002]").click()
    assert page.locator("#carte-dit").text_content() == "Tous les circuits sont montrés."
    button.click()
    assert page.locator(".desk-map svg.map").is_visible()
    page.locator("a[data-circuit=C002]").click()
    page.wait_for_url("**?circuit=C002#plan")


def test_where_no_map_can_be_drawn_nothing_is_loaded_and_the_picture_stays(site, visit):
    page = signed_in(site, visit, STUDY, 320)
    page.evaluate("HTMLCanvasElement.prototype.getContext = () => null")
    page.locator("#carte-bouton").click()
    page.get_by_text("Ce navigateur ne peut pas montrer cette carte").wait_for()
    assert page.locator(".desk-map svg.map").is_visible()
    assert not [one.url for one in page.requests if "maplibre" in one.url]


MOST_BYTES = 700_000  # of the planner's desk


def test_every_page_of_the_desk_weighs_what_it_may(site, visit):
    page = signed_in(site, visit, PAGES["annee"], 1280)
    for path in PAGES.values():
        page.goto("about:blank")  # the page before asks for nothing any more
        page.requests.clear()
        page.goto(f"{site.address}{path}", wait_until="networkidle")
        sent = [request.response().body() for request in page.requests]
        assert sum(len(gzip.compress(body, 6)) for body in sent) <= MOST_BYTES, path
