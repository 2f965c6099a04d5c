"""Every page stays in its budget: bytes, requests, elements, width."""

import gzip
import time

import httpx
import pytest

pytestmark = pytest.mark.web

NAMES = [
    "accueil",
    "resultats",
    "resultats-aucun",
    "resultats-choix",
    "resultats-erreur",
    "trajet",
    "arrets",
    "arret",
    "accessibilite",
    "donnees-personnelles",
    "donnees",
    "etat",
    "api",
    "introuvable",
]
FOR_DEVELOPERS = {"api"}  # as long as what they describe
MOST_BYTES = 50_000
MOST_REQUESTS = 6
MOST_ELEMENTS = 400


def test_every_page_is_named_in_these_tests(pages):
    assert sorted(NAMES) == sorted(pages)


@pytest.mark.parametrize("name", NAMES)
def test_every_page_stays_in_its_budget(visit, pages, name):
    page = visit(pages[name])
    responses = [request.response() for request in page.requests]
    n_bytes = 0
    for response in responses:
        sent = response.headers.get("content-encoding") == "gzip"
        body = response.body()
        n_bytes += len(gzip.compress(body, 6)) if sent or len(body) > 1_000 else len(body)
    assert n_bytes <= MOST_BYTES
    assert len(responses) <= MOST_REQUESTS
    assert name in FOR_DEVELOPERS or page.evaluate("document.querySelectorAll('*').length") <= MOST_ELEMENTS


@pytest.mark.parametrize("name", NAMES)
def test_every_page_fits_a_narrow_phone(visit, pages, name):
    page = visit(pages[name], width=320, height=640)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", ["accueil", "resultats", "trajet", "arret"])
def test_targets_are_large_enough_for_a_thumb(visit, pages, name):
    page = visit(pages[name], width=320, height=640)
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden])")]
            .filter(e => e.checkVisibility() && !e.closest("p, .skip"))
            .map(e => {
                const label = e.matches("input[type=radio], input[type=checkbox]") ? e.closest("label") : e;
                return [e.textContent.trim() || e.id || e.name, label.getBoundingClientRect()];
            })
            .filter(([, box]) => box.height < 44 || box.width < 24)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    )
    assert small == []


def test_the_style_sheet_is_between_nothing_and_ten_kilobytes(visit, pages):
    page = visit(pages["accueil"])
    (sheet,) = [request for request in page.requests if request.resource_type == "stylesheet"]
    assert 3_000 < len(gzip.compress(sheet.response().body(), 9)) <= 10_000


def test_a_page_costs_at_most_fifteen_milliseconds_of_processor_besides_the_search(address):
    """The client's own share is counted too, since both run in this process."""
    n = 40
    with httpx.Client(base_url=address) as client:
        client.get("/")
        began = time.process_time()
        for _ in range(n):
            client.get("/")
        assert (time.process_time() - began) / n < 0.015
