"""A family asks for a child without scripts, and reads what was decided, when the coach comes, and no more."""

from datetime import timedelta

import pytest

from mobigo.services.scolaire import deciding, linking, registering
from tests.worlds.schooling import OFFICE, SCHOOL, school_year, typed
from tests.worlds.valley import valley
from tests.worlds.visiting import place

CAMILLE, BASILE = "camille@exemple.test", "basile@exemple.test"


@pytest.fixture
def site(tmp_path):
    with place(valley(), tmp_path, database_url="") as site:
        school_year(site.people.engine, site.people.keys)
        site.people.add("Camille Durand", CAMILLE)
        site.people.add("Basile Petit", BASILE)
        yield site


def visit(site, contact=CAMILLE):
    return site.visitor().sign_in(contact)


def ask(site, **instead):
    """A request, from the choice of the school to the child's page."""
    visitor = visit(site)
    visitor.go("/scolaire/demande").send("/scolaire/demande", etablissement=SCHOOL)
    path = visitor.page.url.path
    visitor.send(path, "verifier", **typed(**instead))
    return visitor, path


def test_a_family_asks_checks_and_hands_in(site):
    visitor, path = ask(site)
    assert visitor.title == "Vérifiez vos réponses"
    assert "3 chemin du Puits" in visitor.page.text
    assert "en retard" in visitor.page.text  # it is November
    visitor.send(f"{path}/verifier")
    assert visitor.title == "Zoé Durand-Petit"
    assert "pas encore décidé" in visitor.page.text
    assert "Pas encore publié" in visitor.page.text
    assert any("/scolaire/eleve/" in link for link in visitor.go("/scolaire/demande").links)


def test_what_is_wrong_stands_at_the_top_and_leads_to_each_field(site):
    visitor, path = ask(site, prenom="", naissance="hier", commune_1="Nulle-Part")
    assert visitor.page.status_code == 400
    assert len(visitor.refusals) == 3
    for field in ("prenom", "naissance", "commune_1"):
        assert f'href="#{field}"' in visitor.page.text
        assert f'id="{field}-refus"' in visitor.page.text
    assert 'value="hier"' in visitor.page.text
    visitor.go(path).send(path, "brouillon", prenom="")
    assert "brouillon est gardé" in visitor.page.text


def test_a_commune_is_found_by_its_name(site):
    visitor, _path = ask(site, commune_1="Valmont")
    assert visitor.title == "Vérifiez vos réponses"


def test_the_decision_is_read_with_its_reason_and_contested(site):
    visitor, path = ask(site)
    visitor.send(f"{path}/verifier")
    code = visitor.page.url.path.rpartition("/")[2]
    engine, keys, now = site.people.engine, site.people.keys, site.clock.now
    (own,) = registering.list_own(engine, keys, find_guardian(site))
    registering.save(engine, keys, OFFICE, own.id, typed(route_m_1="400"), now)
    deciding.decide(engine, keys, OFFICE, own.id, now)
    page = f"/scolaire/eleve/{code}"
    assert "0,4" in visitor.go(page).page.text
    visitor.send(f"{page}/recours", mots="La route est dangereuse.")
    assert "recours est déposé" in visitor.page.text
    assert "La route est dangereuse." in visitor.page.text


def find_guardian(site):
    with_session = site.people.sign_in(CAMILLE)
    return with_session.principal.pseudonym


def test_an_absence_is_declared_and_taken_back_and_yesterday_is_refused(site):
    visitor, path = ask(site)
    visitor.send(f"{path}/verifier")
    page = visitor.page.url.path
    today = site.clock.now.date()
    visitor.go(page).send(f"{page}/absences", holding="premier", premier=f"{today + timedelta(days=3)}", trajets="out")
    assert "aller seulement" in visitor.page.text
    visitor.send(f"{page}/absences", holding="annuler")
    assert "Aucune absence" in visitor.page.text
    visitor.send(f"{page}/absences", holding="premier", premier=f"{today - timedelta(days=1)}")
    assert visitor.page.status_code == 400
    assert visitor.refusals


def test_the_other_guardian_is_linked_by_a_code_and_reads_the_own_home_only(site):
    visitor, path = ask(site, jeudi="2", vendredi="2", responsable_2="Basile Petit")
    visitor.send(f"{path}/verifier")
    page = visitor.page.url.path
    other = visit(site, BASILE)
    assert other.go(page).page.status_code == 404
    engine, keys, now = site.people.engine, site.people.keys, site.clock.now
    (own,) = registering.list_own(engine, keys, find_guardian(site))
    code = linking.make_link(engine, keys, OFFICE, own.id, 1, now)
    other.go("/scolaire/demande").send("/scolaire/demande/rattachement", code="AAAAA-AAAAA")
    assert other.page.status_code == 400
    other.send("/scolaire/demande/rattachement", code=code)
    assert other.title == "Zoé Durand-Petit"
    assert "jeudi, vendredi" in other.page.text
    other.go(path).send(path, "verifier", adresse_2="chez Basile", commune_2="25702")
    assert other.page.status_code == 200
    assert "chez Basile" in other.go(path).page.text
    assert "chemin du Puits" not in other.page.text
    assert "chez Basile" not in visitor.go(path).page.text
    assert "chez Basile" not in visitor.go(page).page.text
    assert site.visitor().go(page).title == "Se connecter"


def test_who_saves_after_another_is_told_who_and_reads_both(site):
    visitor, path = ask(site)
    visitor.send(f"{path}/verifier").go(path)
    engine, keys, now = site.people.engine, site.people.keys, site.clock.now
    (own,) = registering.list_own(engine, keys, find_guardian(site))
    registering.save(engine, keys, OFFICE, own.id, typed(classe="5e de Claude"), now)
    mine = typed(classe="4e de Camille")
    visitor.send(path, "verifier", **mine)
    assert (visitor.page.status_code, len(visitor.refusals)) == (409, 2)
    for words in ("a été modifiée par le bureau", "Enregistré entre-temps : 5e de Claude", 'value="4e de Camille"'):
        assert words in visitor.page.text.replace("\N{NO-BREAK SPACE}", " ")
    visitor.send(path, "verifier", **mine)
    assert "4e de Camille" in visitor.go(path).page.text


@pytest.mark.parametrize("seen", [{}, {"vu": ""}])
def test_a_form_that_does_not_say_what_it_was_shown_writes_over_nothing(site, seen):
    visitor, path = ask(site)
    visitor.send(f"{path}/verifier").go(path)
    fields = {name: value for name, value in visitor.form(path).fields.items() if name != "vu"}
    answer = visitor.client.post(path, data=fields | typed(classe="4e de Camille") | {"suite": "verifier"} | seen)
    assert answer.status_code == 400
    assert "Ce formulaire est arrivé incomplet" in answer.text.replace("\N{NO-BREAK SPACE}", " ")
    assert 'value="4e de Camille"' in answer.text
    assert "4e de Camille" not in visitor.go(path).page.text
