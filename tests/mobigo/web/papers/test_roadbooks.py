"""Road-books on paper, read back by a library that did not make them."""

import re

from mobigo.web.papers.roadbooks import render_roadbooks
from scolaire.roadbook import Guidance, Hand, Turn, make_roadbook
from tests.worlds.paper import read_paper
from tests.worlds.plans import BACK, OUT, PLAN

BOOKS = [make_roadbook(PLAN, run) for run in PLAN.runs]


def test_a_road_book_is_tagged_french_and_titled_on_a4():
    paper = read_paper(render_roadbooks(BOOKS[:1]))
    assert (paper.title, paper.lang, paper.is_tagged) == ("Feuille de route C001-M", "fr-FR", True)
    assert (paper.width_mm, paper.height_mm) == (210, 297)
    assert paper.n_headings == 1


def test_it_says_days_times_counts_kilometres_and_whom_to_call():
    (page,) = read_paper(render_roadbooks(BOOKS[:1])).pages
    for words in (
        "lundi, mardi, jeudi et vendredi",
        "Départ du dépôt 06:50",
        "Retour au dépôt 07:37",
        "car, 20 places",
        "07:00 8 km, 10 min, à vide Église d’Étalans 1 fauteuil roulant 2 – 2",
        "07:11 9 km, 10 min Mairie 6 – 8",
        "départ à 07:35",
        "Un accompagnateur est obligatoire : 1 enfant de maternelle à bord.",
        "Course d’après C001-S",
        "vérifiez que le car est vide",
    ):
        assert words in page
    assert re.search(r"112 .* 15 .* 17 .* 18 .* 114 ", page)


def test_what_looks_like_an_instruction_is_printed_as_it_is():
    assert "Maternelle #[fictive]" in read_paper(render_roadbooks(BOOKS[:1])).pages[0]


def test_pupils_are_counted_and_their_ids_told_only_when_asked_for():
    without, with_ids = (read_paper(render_roadbooks(BOOKS, ids=ids)).pages for ids in (False, True))
    assert not any(rider.pupil_id in " ".join(without).split() for rider in PLAN.riders)
    assert "Montent : p1, p2, p3, p4, p5, p6" in with_ids[0]
    assert "Descendent : petite" in with_ids[0]


def test_each_run_begins_on_its_own_page_one():
    pages = read_paper(render_roadbooks(BOOKS)).pages
    assert ["C001-M · Valdahon page 1" in pages[0], "C001-S · Valdahon page 1" in pages[1]] == [True, True]


def test_turns_and_the_side_of_the_road_are_told_where_they_are_known():
    turns = (Turn(120, Hand.LEFT, "Grande Rue"), Turn(1_240, Hand.RIGHT, ""))
    book = make_roadbook(PLAN, BACK, lambda _from, _to: Guidance(turns, Hand.LEFT))
    (page,) = read_paper(render_roadbooks([book])).pages
    assert "après 120 m, à gauche : Grande Rue" in page
    assert "après 1,2 km, à droite" in page
    assert "L’arrêt est à votre gauche" in page


def test_equal_plans_are_equal_bytes():
    assert render_roadbooks(BOOKS) == render_roadbooks([make_roadbook(PLAN, run) for run in (OUT, BACK)])
