"""Every label has its name, its gravity and its sentence, which tells all the figures it rests on."""

import string

import pytest

from covoiturage.fraud.checks import find_labels
from covoiturage.fraud.labels import SEVERITY_OF, Code, Severity
from mobigo.services.covoiturage.wording import label_sentence
from mobigo.texts import all_texts
from tests.worlds.carpool_month import make_month


@pytest.fixture(scope="module")
def one_of_each():
    month = make_month(1, n_drivers=40, n_gangs=1, n_rings=2)
    return {label.code: label for label in find_labels(month.carpools, month.known)}


def test_every_code_and_gravity_has_its_words_and_no_others_have():
    for place, codes in (("name", Code), ("evidence", Code), ("severity", Severity)):
        told = {key.rpartition(".")[2] for key in all_texts() if key.startswith(f"fraud.{place}.")}
        assert told == {str(code) for code in codes}
    assert set(SEVERITY_OF) == set(Code)


def test_the_sentence_tells_every_figure_and_no_other(one_of_each):
    assert set(one_of_each) >= {code for code in Code if SEVERITY_OF[code] is not Severity.NOTE}
    for code, label in one_of_each.items():
        sentence = all_texts()[f"fraud.evidence.{code}"]
        assert {name for _text, name, _spec, _conv in string.Formatter().parse(sentence) if name} == set(label.facts)
        assert "{" not in label_sentence(code, label.facts)


def test_figures_are_told_as_people_read_them():
    assert label_sentence("too_fast", {"kmh": 200, "metres": 100_040}).startswith("À vol d’oiseau, 100,0 km à 200 km/h")
    assert "250 m et dure 45 s" in label_sentence("too_short", {"metres": 250, "seconds": 45})
    facts = {"n_people": 3, "n_carpools": 24, "n_both": 3, "a_day": 3.5}
    assert "3,5 par personne et par jour" in label_sentence("closed_group", facts)
