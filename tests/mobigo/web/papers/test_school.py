"""Posters, lists and notices on paper, read back by a library that did not make them."""

from dataclasses import replace

from mobigo.web.papers.school import render_notices, render_posters, render_school_lists
from scolaire.papers import notices_of, posters_of, school_lists
from tests.worlds.paper import read_paper
from tests.worlds.plans import PLAN


def test_all_of_them_are_tagged_french_and_titled():
    papers = [
        read_paper(render_posters(posters_of(PLAN)[:1], PLAN.title)),
        read_paper(render_school_lists(school_lists(PLAN)[:1], PLAN.title)),
        read_paper(render_notices(notices_of(PLAN)[:1], PLAN.title)),
    ]
    assert [(paper.title, paper.lang, paper.is_tagged) for paper in papers] == [
        ("Arrêt scolaire Mairie", "fr-FR", True),
        ("Cars scolaires : Collège de démonstration", "fr-FR", True),
        ("Votre car scolaire : élève p1", "fr-FR", True),
    ]


def test_a_stop_says_hours_days_schools_and_coach_and_nothing_of_pupils():
    pages = read_paper(render_posters(posters_of(PLAN), PLAN.title)).pages
    assert len(pages) == 2
    assert "Le matin, vers les établissements" in pages[0]
    assert "07:11 lundi, mardi, jeudi et vendredi Collège de démonstration C001" in pages[0]
    assert "17:17 lundi, mardi, jeudi et vendredi Collège de démonstration C001" in pages[0]
    assert not {rider.pupil_id for rider in PLAN.riders} & set(" ".join(pages).split())


def test_a_school_is_told_counts_and_with_a_wish_the_ids():
    counts, named = (
        read_paper(render_school_lists(school_lists(PLAN), PLAN.title, ids=ids)).pages for ids in (False, True)
    )
    assert "Car C001, arrivée à 07:25, lundi, mardi, jeudi et vendredi – 7 élèves" in counts[0]
    assert "07:11 Mairie 6 " in counts[0]
    assert not {rider.pupil_id for rider in PLAN.riders} & set(" ".join(counts).split())
    assert "07:11 Mairie 6 p1, p2, p3, p4, p5, p6" in named[0]
    assert "Élèves sans car • laissé" in named[0]


def test_a_family_reads_stop_hour_and_coach_or_that_there_is_none_and_why():
    pages = read_paper(render_notices(notices_of(PLAN), PLAN.title)).pages
    assert len(pages) == len(PLAN.riders)
    assert "lundi, mardi, jeudi et vendredi 07:11 Mairie C001 07:25" in pages[0]
    assert "Aucun car n’est prévu. Aucun véhicule ne pouvait" in pages[-1]
    assert "Soyez à l’arrêt" not in pages[-1]


def test_a_reason_that_is_not_for_families_sends_them_to_the_office():
    left = replace(PLAN, not_served=(replace(PLAN.not_served[0], why="school_without_bell", period=1),))
    page = read_paper(render_notices(notices_of(left)[-1:], PLAN.title)).pages[0]
    assert "pour rentrer : lundi, mardi, jeudi et vendredi. Le service des transports scolaires vous dira" in page
