"""The planner's desk without a script: a year, a study, changes tried out and kept, undone, published."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.looking import look
from mobigo.store.base import transaction
from mobigo.store.scolaire.searches import KeptTrial, note_search, note_trials
from mobigo.store.scolaire.studies import add_version
from mobigo.web.scolaire.desk.asking import QUESTIONS
from scolaire.bells import with_bells
from scolaire.edits.journal import KINDS
from scolaire.planfiles import render_plan
from tests.worlds.accounts import NOON
from tests.worlds.one_run import morning_plan
from tests.worlds.sectors import sector_files

SECTOR, STUDY = "2026-haut-doubs", "/scolaire/etude/2026-haut-doubs-e1"
OTHER = "person:other"


@pytest.fixture
def sector(site):
    people = site.people
    import_sector(people.engine, people.keys, sector_files(), 2026, "haut-doubs", OTHER, NOON)
    return people


@pytest.fixture
def study(sector):
    plan = render_plan(morning_plan("p1", "p2"))
    return studying.add_study(sector.engine, sector.keys, SECTOR, "Rentrée", plan, OTHER, "premier jet", NOON)


@pytest.fixture
def planner(visit):
    return visit("Paule", Role.SCHOOL_PLANNER)


def words(visitor):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", visitor.page.text)).split())


def change(planner, kind, **answers):
    """Try a change out."""
    return planner.go(f"{STUDY}/modifier/{kind}").send(f"{STUDY}/modifier/{kind}", **answers)


def keep(planner, kind, why="essai"):
    return planner.send(f"{STUDY}/modifier/{kind}", button="garder", motif=why)


def test_the_desk_is_for_planners(visit, study):
    assert visit("Anna").go("/scolaire").page.status_code == 403
    assert visit("Basile", Role.SCHOOL_OFFICE).go(STUDY).page.status_code == 403
    assert visit().go(STUDY).page.url.path == "/connexion"


def test_a_year_says_what_is_left_to_do_and_a_study_is_begun_from_a_plan_file(sector, planner):
    assert "haut-doubs : commencer une étude." in words(planner.go("/scolaire"))
    assert "Aucun secteur" in words(planner.go("/scolaire?annee=2025"))
    plan = render_plan(morning_plan("p1", "p2"))
    form = planner.go("/scolaire").form("/scolaire/etudes")
    upload = {"fichier": ("plan.json", plan)}
    planner.page = planner.client.post(
        form.action, data=form.fields | {"titre": "Rentrée"}, files=upload, follow_redirects=True
    )
    assert (planner.page.url.path, planner.title) == (STUDY, "Rentrée")
    assert "haut-doubs : publier un plan." in words(planner.go("/scolaire"))


def test_a_study_tells_its_measures_its_circuits_and_its_journal(study, planner):
    told = words(planner.go(STUDY))
    for part in ("véhicules 1", "trajets d’élèves 2", "Ce plan respecte toutes les règles.", "C001-M", "premier jet"):
        assert part in told
    assert planner.page.text.count('role="img"') == 3
    for sort in ("circuit", "eleves", "km", "duree", "remplissage", "trajet", "defauts"):
        assert f'href="{STUDY}?tri={sort}#circuits"' in planner.page.text
        assert planner.go(f"{STUDY}?tri={sort}").page.text.count("aria-sort=") == 1
    run = words(planner.go(f"{STUDY}/course/C001-M"))
    assert "Mairie" in run
    assert "1 montent, 0 descendent, 2 à bord ensuite." in run
    assert planner.go(f"{STUDY}/course/C009").page.status_code == 404
    assert planner.go("/scolaire/etude/x").page.status_code == 404


def test_a_map_is_told_the_circuits_stops_and_schools_of_a_study_and_no_pupil(study, planner, visit):
    path = f"{STUDY}/carte.json"
    told = planner.go(path).page.json()["features"]
    line, *points = (one["geometry"]["coordinates"] for one in told)
    assert (line, points) == ([[6.301, 47.161], [6.361, 47.171], [6.345, 47.149]], [line[0], line[1], line[2]])
    assert [one["properties"] for one in told] == [
        {"kind": "run", "circuit": "C001", "run": "C001-M", "look": 0},
        {"kind": "stop", "name": "Mairie", "told": "1 élève"},
        {"kind": "stop", "name": "Église", "told": "1 élève"},
        {"kind": "school", "name": "Collège de démonstration", "told": ""},
    ]
    assert planner.page.headers["cache-control"] == "no-store"
    assert visit("Anna").go(path).page.status_code == 403


def test_every_kind_of_change_has_a_form(study, planner):
    assert set(QUESTIONS) == set(KINDS)
    planner.go(f"{STUDY}/modifier")
    for kind in KINDS:
        assert f"{STUDY}/modifier/{kind}" in planner.links
    for kind in KINDS:
        assert planner.go(f"{STUDY}/modifier/{kind}").form(f"{STUDY}/modifier/{kind}").names >= {
            question.name for question in QUESTIONS[kind]
        }


def test_a_change_is_tried_out_kept_undone_and_done_again(study, planner, sector):
    change(planner, "move_pupil", eleve="2", arret="s1", course="")
    told = words(planner)
    assert "2 élèves sont concernés." in told  # the other one leaves later
    assert "Élève 2 morning Église à" in told
    assert "Mairie à" in told
    assert studying.open_study(sector.engine, sector.keys, study.study_id).study.turn == 1
    keep(planner, "move_pupil", "la famille déménage")
    assert planner.page.url.path == STUDY
    told = words(planner)
    assert "Le changement est gardé." in told
    assert "Avant et après le dernier changement" in told
    assert "la famille déménage" in told
    assert "Le dernier changement est annulé." in words(planner.send(f"{STUDY}/annuler"))
    assert "Le changement est rétabli." in words(planner.send(f"{STUDY}/retablir"))
    assert "version choisie" in words(planner.send(f"{STUDY}/reprendre", version="1", motif="non"))


def test_halts_change_places_by_a_button(study, planner):
    planner.go(f"{STUDY}/course/C001-M").send(f"{STUDY}/modifier/reorder_halts", ordre="2 1 3")
    assert "2 élèves sont concernés." in words(planner)
    keep(planner, "reorder_halts")
    assert words(planner.go(f"{STUDY}/course/C001-M")).index("Église") < words(planner).index("Mairie")


@pytest.mark.parametrize(
    ("kind", "answers", "said"),
    [
        ("move_pupil", {"eleve": "99", "arret": "s1"}, "La réponse « Élève » manque ou ne convient pas."),
        ("move_pupil", {"eleve": "0", "arret": "s1"}, "La réponse « Élève » manque ou ne convient pas."),
        ("move_pupil", {"eleve": "1", "arret": "s9"}, "Aucun arrêt « s9 » dans ce plan."),
        ("add_stop", {"nom": "Gare", "latitude": "x", "longitude": "6"}, "La réponse « Latitude » manque"),
        ("add_pupil", {"identifiant": "p9", "arret": "s1"}, "Aucun élève « p9 » dans ce plan."),
        ("move_bell", {"ecole": "c1", "matin": "25:00"}, "La réponse « Début des cours » manque"),
        ("reorder_halts", {"course": "C001-M", "ordre": "1 1 2"}, "ne reprend pas chacune de ses haltes"),
    ],
)
def test_what_cannot_be_done_is_said_beside_its_question(study, planner, kind, answers, said):
    change(planner, kind, **answers)
    assert said in planner.refusals[0].replace("\N{NO-BREAK SPACE}", " ")
    assert planner.page.status_code in {400, 404}
    assert "garder" not in str(planner.form(f"{STUDY}/modifier/{kind}").buttons)


def test_a_locked_circuit_is_changed_by_nobody(study, planner):
    change(planner, "lock_circuit", circuit="C001", verrou="oui")
    keep(planner, "lock_circuit")
    assert "(verrouillé)" in words(planner)
    change(planner, "move_pupil", eleve="2", arret="s1")
    assert "Le circuit C001 est verrouillé" in planner.refusals[0]


def test_of_two_planners_the_second_sees_what_the_first_changed(study, planner, visit):
    other = visit("Basile", Role.SCHOOL_PLANNER)
    change(planner, "move_pupil", eleve="2", arret="s1")
    change(other, "lock_circuit", circuit="C001", verrou="oui")
    keep(other, "lock_circuit", "à ne plus toucher")
    keep(planner, "move_pupil")
    assert planner.page.status_code == 409
    told = words(planner)
    assert "Quelqu’un d’autre a changé cette étude" in told
    assert "Verrouiller un circuit à ne plus toucher" in told


def test_a_version_is_published_with_a_reason_and_said_on_the_year(study, planner, told):
    planner.go(STUDY).send(f"{STUDY}/publier", jour="2026-11-23", motif="")
    assert planner.page.status_code == 400
    planner.go(STUDY).send(f"{STUDY}/publier", jour="2026-11-20", motif="vu avec les maires")
    assert "La version 1 est publiée à partir du vendredi 20 novembre 2026." in words(planner)
    year = words(planner.go("/scolaire"))
    assert "Le plan publié vaut depuis le vendredi 20 novembre 2026." in year
    assert "Chaque secteur a un plan publié qui respecte toutes les règles." in year
    (line,) = told("school.plan_published")
    assert line.why == "vu avec les maires"


def test_what_a_change_does_comes_alone_when_a_script_asks_for_it(study, planner):
    page = change(planner, "lock_circuit", circuit="C001", verrou="oui").page.text
    form = planner.go(f"{STUDY}/modifier/lock_circuit").form(f"{STUDY}/modifier/lock_circuit")
    answers = form.fields | {"circuit": "C001", "verrou": "oui"}
    part = planner.client.post(form.action, data=answers, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<section id="effet"')

    def plain(html):
        return re.sub(r'name="jeton" value="[^"]*"', "", html).strip()

    assert plain(part) in plain(page)


def test_a_refusal_comes_alone_too_when_a_script_asks_for_it(study, planner):
    form = planner.go(f"{STUDY}/modifier/move_halt").form(f"{STUDY}/modifier/move_halt")
    answers = form.fields | {"course": "C001-M", "halte": "9", "vers": "C001-M"}
    refused = planner.client.post(form.action, data=answers, headers={"HX-Request": "true"})
    assert refused.status_code == 400
    assert refused.text.lstrip().startswith('<section id="effet"')
    assert "est la même, ou d’une autre période" in refused.text


def test_halts_of_all_runs_of_a_period_stand_side_by_side_with_the_form_that_moves_each(study, planner):
    told = words(planner.go(STUDY).go(f"{STUDY}/haltes"))
    assert "C001-M De " in told
    assert "2 au plus à bord pour 53 places." in told
    moving = f"{STUDY}/modifier/move_halt?course=C001-M&halte=2&periode=0"
    assert moving in planner.links
    assert f"{STUDY}/modifier/move_halt?course=C001-M&halte=3&periode=0" not in planner.links  # a school stays
    planner.go(moving).send(f"{STUDY}/modifier/move_halt", vers="C001-M")
    assert "est la même, ou d’une autre période" in planner.refusals[0]
    assert words(planner.go(f"{STUDY}/haltes?periode=99")) == told


def test_who_came_from_the_halts_of_a_period_is_back_there_after_keeping_and_undoing(study, planner):
    planner.go(f"{STUDY}/modifier/lock_circuit?circuit=C001&verrou=oui&periode=0")
    keep(planner.send(f"{STUDY}/modifier/lock_circuit"), "lock_circuit")
    assert (planner.page.url.path, "C001-M (verrouillé)" in words(planner)) == (f"{STUDY}/haltes", True)
    planner.send(f"{STUDY}/annuler")
    assert (planner.page.url.path, "(verrouillé)" in words(planner)) == (f"{STUDY}/haltes", False)


def test_the_optimiser_is_asked_and_stopped_and_its_page_says_how_far_it_is(study, planner):
    planner.go(STUDY).send(f"{STUDY}/recherches", duree="10")
    page = f"{STUDY}/recherche/1"
    assert planner.page.url.path == page
    assert "État en attente" in words(planner)
    assert "Rien de mieux que la version de départ" in words(planner)
    assert "L’optimiseur travaille déjà" in planner.go(STUDY).send(f"{STUDY}/recherches", duree="10").refusals[0]
    assert "État arrêtée" in words(planner.go(page).send(f"{page}/arreter"))
    assert f"{page}/arreter" not in planner.page.text
    assert "Recherche du" in words(planner.go(STUDY))
    assert planner.go(f"{STUDY}/recherche/9").page.status_code == 404


def test_a_study_begins_without_a_file_with_nobody_carried(sector, planner):
    planner.go("/scolaire").send("/scolaire/etudes", titre="Sans fichier")
    assert planner.page.url.path == STUDY
    assert "élèves non desservis 2" in words(planner)
    assert planner.go("/scolaire").send("/scolaire/etudes", titre=" ").refusals != []


def test_two_versions_are_compared_pupil_by_pupil(study, planner):
    change(planner, "move_pupil", eleve="2", arret="s1")
    keep(planner, "move_pupil")
    page = "/scolaire/comparer/2026-haut-doubs-e1.1/2026-haut-doubs-e1.2"
    assert page in planner.links
    told = words(planner.go(page))
    assert "2 familles sont à prévenir" in told
    assert "Élève 2 vers l’établissement : lundi, mardi, jeudi, vendredi Église à" in told
    assert re.search(r"Collège de démonstration 2 1 \d \d 0 0 0 2 ", told)
    same = words(planner.go(page.replace("e1.2", "e1.1")))
    assert "Aucune famille n’est à prévenir." in same
    assert "Les mesures du plan ne changent pas." in same
    for missing in ("x/y", "2026-haut-doubs-e1.1/2026-haut-doubs-e1.9", "2026-haut-doubs-e9.1/2026-haut-doubs-e1.1"):
        assert planner.go(f"/scolaire/comparer/{missing}").page.status_code == 404


def test_other_bells_are_asked_for_stopped_and_one_plan_of_the_front_is_taken_up(study, planner, sector):
    form = planner.go(f"{STUDY}/horaires").form(f"{STUDY}/horaires")
    assert {"minutes", "duree", "fixe_0"} <= form.names
    planner.send(f"{STUDY}/horaires", minutes="7")
    assert "de combien les horaires peuvent bouger" in planner.refusals[0]
    planner.go(f"{STUDY}/horaires").send(f"{STUDY}/horaires", minutes="15", duree="10", fixe_0="oui")
    page = f"{STUDY}/horaires/1"
    assert planner.page.url.path == page
    told = words(planner)
    assert "15 minutes au plus, plus tôt ou plus tard" in told
    assert "Qui ne bougent pas Collège de démonstration" in told
    assert "Aucun autre plan n’est encore trouvé." in told
    note_front(sector, study)
    assert "État arrêtée" in words(planner.go(page).send(f"{page}/arreter"))
    told = words(planner)
    assert "Aucun plan n’a moins de 1 véhicule, quels que soient les horaires à 15 minutes près." in told
    assert "il faut au moins 1 car le matin. Des horaires qui y suffisent sont trouvés." in told
    assert re.search(r"Plan 1 1 5 min 1 0 ", told)
    assert re.search(r"Collège de démonstration 08:00 08:05 \(\+5 min\)", told)
    assert planner.page.text.count('role="img"') == 1
    planner.send(f"{STUDY}/reprendre", version="2", motif="autres horaires")
    assert planner.page.url.path == STUDY
    assert "Version 2 reprise autres horaires" in words(planner)
    assert "Horaires à 15 minutes près" in words(planner)
    assert "Le dernier changement est annulé." in words(planner.send(f"{STUDY}/annuler"))
    assert planner.go(f"{STUDY}/recherche/1").page.url.path == f"{STUDY}/recherche/1"
    assert planner.go(f"{STUDY}/horaires/2").page.status_code == 404


def note_front(people, study):
    """What a worker would write down: one plan with the only bell five minutes later."""
    plan = studying.get_head(people.engine, people.keys, study.study_id)[1]
    later = replace(plan, schools=with_bells(plan.schools, {0: 300}))
    figures = look(plan).figures
    with transaction(people.engine) as session:
        version = add_version(session, people.keys, study.study_id, 1, render_plan(later), NOON, figures).number
        note_trials(session, study.study_id, 1, [KeptTrial(version, {plan.schools[0].school_id: 300})], 1)
        note_search(session, study.study_id, 1, bound=1, fewest=1, is_proved=True, n_trials=1)
