"""Whatever is typed into an address is answered with a page, never with a fault."""

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobigo.web.journeys.detail import make_journey_page
from mobigo.web.journeys.form import Form, Side, find_clock, find_day, read_form
from mobigo.web.journeys.search import answer
from mobigo.web.network import find_stops, make_stop_page
from socle.errors import BadInput, NotFound
from socle.times import PARIS
from tests.worlds.examples import random_examples

NOW = datetime(2026, 9, 15, 7, 0, tzinfo=PARIS)
places = st.sampled_from(
    ["Pontarlier", "Morteau", "Semur", "46.906,6.354", "47.2,6.0,1", "91,400", "", "É, 😀"]
) | st.text(max_size=30)
days = st.sampled_from(["2026-09-15", "2027-03-28", "0001-01-01", "9999-12-31", "15/09/2026", "2026-02-30"]) | st.text(
    max_size=12
)
hours = st.sampled_from(["07:30", "7h", "24:00", "23:59:59", "-1:00"]) | st.text(max_size=8)
cursors = st.sampled_from(["", "LATER|0", "EARLIER|99999999999", "LATER|1789448400", "x"]) | st.text(max_size=20)
words = st.sampled_from(["", "oui", "arrivee", "depart", "avant", "co2", "marche", "heure"])
fields = st.fixed_dictionaries(
    {
        "de": places,
        "vers": places,
        "de_id": st.sampled_from(["", "commune:25056", "commune:x", "bfc_", "haut-doubs-demo:1"])
        | st.text(max_size=20),
        "vers_id": st.just(""),
        "jour": days,
        "heure": hours,
        "sens": words,
        "tri": words,
        "fauteuil": words,
        "velo": words,
        "inverser": words,
        "page": cursors,
        "nom": places,
        "autour": places,
    }
)


@random_examples(150)
@given(fields)
def test_any_search_is_answered_with_a_page(sample, values):
    answered = answer(sample, read_form(values, NOW))
    assert answered.page.title
    assert answered.status in (200, 400, 404)


@random_examples(100)
@given(fields)
def test_any_wish_for_stops_is_answered_with_a_page(sample, values):
    page = find_stops(sample, values)
    assert page.problem or page.choices or not (values["nom"].strip() or values["autour"].strip())


@random_examples(100)
@given(fields)
def test_any_board_is_answered_with_a_page(sample, values):
    page = make_stop_page(sample, sample.stop_ids[0], values, NOW)
    assert page.rows or page.problem


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_journey_id_is_found_or_refused(sample, itinerary_id):
    with pytest.raises((BadInput, NotFound)):
        make_journey_page(sample, itinerary_id)


@given(st.text(max_size=12))
def test_days_and_hours_are_read_or_not(text):
    find_day(text)
    find_clock(text)


@given(fields)
def test_a_form_written_into_an_address_is_read_back(values):
    form = read_form(values, NOW)
    again = read_form(dict(parse_qsl(urlsplit(form.href()).query)), NOW)
    assert again == form


def test_an_empty_form_asks_nothing():
    assert Form().is_empty
    assert not Form(origin=Side("de", "Dijon")).is_empty
