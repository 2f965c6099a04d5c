"""With and without scripts: the same journeys, the same words."""

import pytest

from tests.web.conftest import search

pytestmark = pytest.mark.web


def plan(page, origin, destination):
    page.fill("#de", origin)
    page.fill("#vers", destination)
    page.fill("#jour", "2026-09-15")
    page.fill("#heure", "07:00")
    page.click("button[type=submit]:not([name])")
    page.wait_for_selector(".card")


def test_no_page_needs_javascript(visit):
    page = visit("/", script=False)
    plan(page, "Pontarlier", "Besançon")
    n_cards = page.locator(".card").count()
    assert 1 <= n_cards <= 6
    page.click("a:text-is('Plus tard')")
    page.wait_for_selector(".card")
    page.locator(".card .more").first.click()
    assert page.locator(".step").count() >= 2
    assert page.locator("[data-print]").is_hidden()
    with page.expect_download() as download:
        page.click("text=Ajouter à mon agenda")
    assert download.value.suggested_filename == "trajet.ics"
    page.click("text=Refaire cette recherche")
    page.wait_for_selector(".card")


def test_without_javascript_an_ambiguous_place_is_chosen_from_links(visit):
    page = visit(search("Semur", "Pontarlier"), script=False)
    page.click(".choices a >> nth=0")
    assert page.locator("h1").text_content().startswith("De Semur-en-")


def test_without_javascript_the_departures_of_a_stop_are_found(visit):
    page = visit("/arrets", script=False)
    page.fill("#nom", "Pontarlier")
    page.click("button[type=submit]")
    page.click(".choices a >> nth=0")
    page.fill("#jour", "2026-09-15")
    page.fill("#heure", "07:00")
    page.click("text=Afficher")
    assert page.locator("tbody tr").count() >= 5


def test_with_htmx_the_results_alone_are_replaced_and_back_works(visit):
    page = visit(search())
    if page.locator("script[src*=htmx]").count() == 0:
        pytest.fail("the front-end libraries were not fetched: make assets", pytrace=False)
    page.evaluate("window.mark = 'the same document'")
    before = page.locator(".card .more").first.get_attribute("href")
    page.click("a:text-is('Plus tard')")
    page.wait_for_function("href => document.querySelector('.card .more').getAttribute('href') !== href", arg=before)
    assert page.evaluate("window.mark") == "the same document"
    assert "page=LATER" in page.url
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.go_back()
    page.wait_for_function("href => document.querySelector('.card .more').getAttribute('href') === href", arg=before)
    assert page.locator("header.head").count() == 1
    assert page.locator(".results").count() == 1


def test_with_htmx_the_form_of_the_results_replaces_them_alone(visit):
    page = visit(search())
    page.evaluate("window.mark = 'the same document'")
    page.click("text=Modifier la recherche")
    page.fill("#vers", "Morteau")
    page.click("#resultats button[type=submit]:not([name])")
    page.wait_for_function("() => document.querySelector('h1').textContent === 'De Pontarlier à Morteau'")
    assert page.evaluate("window.mark") == "the same document"
    assert page.title() == "De Pontarlier à Morteau – Mobigo"
    assert "vers=Morteau" in page.url
    page.click("text=Modifier la recherche")
    page.click("text=Inverser")
    page.wait_for_function("() => document.querySelector('h1').textContent === 'De Morteau à Pontarlier'")
    page.click("text=Modifier la recherche")
    page.fill("#de", "Zzyzx")
    page.click("#resultats button[type=submit]:not([name])")
    page.wait_for_selector("text=Lieu introuvable")  # an answer of status 404 is shown like any other
    assert page.evaluate("window.mark") == "the same document"
    assert page.evaluate("document.activeElement.tagName") == "H1"


def test_suggestions_do_not_take_the_keyboard_away(visit):
    page = visit(search())
    page.click("text=Modifier la recherche")
    page.fill("#de", "")
    page.locator("#de").press_sequentially("Mortea", delay=20)
    page.wait_for_selector("#de-lieux option[value=Morteau]", state="attached")
    assert page.evaluate("document.activeElement.id") == "de"


def test_names_are_suggested_while_one_types(visit):
    page = visit("/")
    page.locator("#de").press_sequentially("Pontarl", delay=20)
    page.wait_for_selector("#de-lieux option[value=Pontarlier]", state="attached")


def test_around_me_fills_the_field_after_the_traveller_asked(visit):
    page = visit("/", geolocation={"latitude": 46.9061, "longitude": 6.35412}, permissions=["geolocation"])
    page.click("text=Autour de moi")
    page.wait_for_function("document.getElementById('de').value === '46.9061,6.3541'")
    page.fill("#vers", "Besançon")
    page.fill("#jour", "2026-09-15")
    page.fill("#heure", "07:00")
    page.click("button[type=submit]:not([name])")
    page.wait_for_selector(".card")


def test_a_refused_position_is_answered_in_words(visit):
    page = visit("/arrets")
    page.click("text=Autour de moi")
    page.wait_for_function("document.getElementById('ici').textContent.includes('pas pu être trouvée')")


def test_the_whole_card_leads_to_its_journey(visit):
    page = visit(search())
    page.locator(".card").first.click(position={"x": 200, "y": 20})
    page.wait_for_url("**/trajet/**")
    assert page.locator("h1").is_visible()
