"""axe finds nothing on any page, light and dark; what axe cannot see is tried by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.web.test_budgets import NAMES

pytestmark = pytest.mark.web

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page):
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_is_clean_on_every_page_and_theme(visit, pages, name, theme):
    page = visit(pages[name], color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_text_stands_at_seven_to_one(visit, pages, name, theme):
    page = visit(pages[name], color_scheme=theme)
    found = Axe().run(page, options={"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}})
    assert [node["html"] for violation in found.response["violations"] for node in violation["nodes"]] == []


@pytest.mark.parametrize("name", ["resultats", "trajet"])
def test_every_map_has_its_list(visit, pages, name):
    page = visit(pages[name])
    drawing = page.locator("figure svg.map")
    assert drawing.get_attribute("role") == "img"
    assert drawing.locator("title").text_content()
    assert drawing.locator("desc").text_content()
    listed = page.locator("figure ol li").all_text_contents()
    assert len(listed) >= 2
    assert listed[0].startswith("Départ")
    assert listed[-1].startswith("Arrivée")


def test_a_keyboard_alone_finds_a_journey(visit):
    page = visit("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "de"
    page.keyboard.type("Pontarlier")
    page.keyboard.press("Tab")
    page.keyboard.type("Morteau")
    page.locator("#jour").fill("2026-09-15")
    page.locator("#heure").fill("07:00")
    page.locator("#heure").press("Enter")
    page.wait_for_url("**/itineraire?**")
    assert page.locator("h1").text_content() == "De Pontarlier à Morteau"


def test_the_focus_is_always_seen(visit):
    page = visit("/")
    for _ in range(14):
        page.keyboard.press("Tab")
        element, ring = page.evaluate(
            "[document.activeElement.outerHTML.slice(0, 90), getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert ring != "none", element


def test_nothing_moves_for_those_who_ask_for_it(visit):
    page = visit("/", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.querySelector('.button')).transitionDuration") == "0s"


def test_the_printed_journey_leaves_out_what_paper_cannot_do(visit, pages):
    page = visit(pages["trajet"])
    page.emulate_media(media="print")
    assert page.locator("nav").first.is_hidden()
    assert page.locator("[data-print]").is_hidden()
    assert page.locator("#etapes").is_visible()
    assert page.locator(".demo").is_visible()
