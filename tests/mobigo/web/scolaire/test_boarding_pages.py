"""A driver's run, who is aboard, cards and fill control on pages without scripts, and forms sent to do harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import carding, contracting
from mobigo.services.scolaire.registering import Acting
from scolaire.cards import number_of
from tests.worlds.accounts import NOON
from tests.worlds.school_office import CARRIER, CIRCUIT, RUN, SECTOR, under_contract
from tests.worlds.visiting import place

OFFICE, PLANNER, DRIVER, MAYOR = (f"{name}@exemple.test" for name in ("claude", "paule", "dora", "maire"))
MORNING = datetime(2026, 11, 23, 6, 40, tzinfo=UTC)  # a Monday
ASKED = {"jour": "2026-11-23", "circuit": CIRCUIT, "course": RUN}
BOARD = "/exploitant/car?" + urlencode(ASKED)
OF_OFFICE = "/scolaire/bureau/bord/course?" + urlencode(ASKED)


@pytest.fixture
def site(sample, tmp_path):
    with place(sample, tmp_path) as site:
        people = site.people
        people.add("Claude Petit", OFFICE, roles=[Role.SCHOOL_OFFICE])
        people.add("Paule Roux", PLANNER, roles=[Role.SCHOOL_PLANNER])
        people.add("Mado Maire", MAYOR, roles=[Role.SCHOOL_ORGANISER])
        carrier = people.add("Dora Car", DRIVER, roles=[Role.SCHOOL_CARRIER])
        people.add("Eve Car", "eve@exemple.test", roles=[Role.SCHOOL_CARRIER])
        under_contract(people.engine, people.keys, "person:import", NOON)
        contracting.give_carrier(people.engine, carrier.reference, CARRIER, "person:import", NOON)
        office = Acting("person:import", "import", is_office=True)
        carding.order_missing(people.engine, people.keys, office, SECTOR, NOON)
        carding.deliver(people.engine, office, SECTOR, NOON)
        site.clock.now = MORNING
        yield site


def number(site):
    """The number of the card of who waits at the town hall."""
    office = Acting("person:import", "import", is_office=True)
    people = site.people
    holders = carding.list_cards(people.engine, people.keys, office, SECTOR, "", 9, 0, NOON).holders
    return next(one.card.number for one in holders if one.name == "p1")


def test_a_driver_types_a_number_ticks_a_child_and_leaves_an_empty_coach(site):
    driver = site.visitor().sign_in(DRIVER).go("/exploitant")
    assert BOARD in driver.links
    driver.go(f"{BOARD}&halte=0").send("/exploitant/car/numero", numero=number(site))
    assert "Vert" in driver.page.text
    assert "1 montés sur 2 attendus, 1 à bord" in driver.page.text
    driver.send("/exploitant/car/numero", numero="12 34")
    assert driver.page.status_code == 400
    assert "neuf chiffres" in driver.page.text
    free = next(one for one in map(number_of, range(9)) if one != number(site))
    driver.go(BOARD).send("/exploitant/car/numero", numero=free)
    assert "Rouge" in driver.page.text
    driver.go(f"{BOARD}&halte=1").send("/exploitant/car/monter", e1="oui")
    assert "2 montés sur 2 attendus, 2 à bord" in driver.page.text
    driver.send("/exploitant/car/invite")
    assert "sans inscription" in driver.page.text
    office = site.visitor().sign_in(OFFICE).go(OF_OFFICE)
    assert "3 à bord" in office.page.text
    assert not [form for form in office.forms() if "exploitant" in form.action]
    driver.go(f"{BOARD}&halte=2").send("/exploitant/car/descendre")
    driver.send("/exploitant/car/finir")
    assert "pas vérifié vide" in driver.page.text
    assert "car non vérifié vide" in site.visitor().sign_in(OFFICE).go("/scolaire/bureau/bord").page.text
    driver.go(BOARD).send("/exploitant/car/finir", vide="oui")
    assert "car vérifié vide" in driver.go("/exploitant").page.text


def test_the_whole_list_stands_on_the_page_to_be_printed(site):
    driver = site.visitor().sign_in(DRIVER).go(BOARD)
    printed = driver.page.text.split("La liste de la course, à imprimer")[1].split("</table>")[0]
    assert printed.count("☐") == 2
    driver.send("/exploitant/car/numero", numero=number(site))
    printed = driver.page.text.split("La liste de la course, à imprimer")[1].split("</table>")[0]
    assert (printed.count("☐"), printed.count("à bord")) == (1, 1)


def test_the_office_goes_from_day_to_day_and_reads_why_none_runs(site):
    office = site.visitor().sign_in(OFFICE).go("/scolaire/bureau/bord?jour=2026-11-22")
    assert "pas d’école, ou pas de plan publié" in office.page.text
    office.go(next(link for link in office.links if link.endswith("jour=2026-11-23")))
    assert RUN in office.page.text


def test_the_same_form_twice_counts_once(site):
    driver = site.visitor().sign_in(DRIVER).go(BOARD)
    (form,) = (one for one in driver.forms() if one.action == "/exploitant/car/numero")
    for _ in range(2):
        told = driver.client.post(form.action, data=dict(form.fields) | {"numero": number(site)}, follow_redirects=True)
        assert "Vert" in told.text
    assert "1 montés sur 2 attendus" in told.text


def test_a_road_book_is_a_paper_of_its_own_carrier(site):
    path = "/exploitant/feuille-de-route?" + urlencode(ASKED)
    driver = site.visitor().sign_in(DRIVER)
    assert driver.go(path).page.content.startswith(b"%PDF")
    stranger = site.visitor().sign_in("eve@exemple.test")
    for each in (path, BOARD):
        assert stranger.go(each).page.status_code == 404
    assert site.visitor().sign_in(PLANNER).go(BOARD).page.status_code == 403


@pytest.mark.parametrize(
    "harm",
    [
        {"circuit": "../../etc", "course": "x" * 5_000},
        {"jour": "2026-02-31"},
        {"cle": "<script>"},
        {"cle": ""},
        {"halte": "999999999999"},
        {"arret": "' OR 1=1 --"},
        {"e999999": "oui"},
        {"numero": "٠٠٠٠٠٠٠٠٠"},
    ],
)
def test_hostile_forms_are_refused_without_harm(site, harm):
    driver = site.visitor().sign_in(DRIVER).go(BOARD)
    forms = {form.action: form for form in driver.forms() if form.action.startswith("/exploitant/car")}
    for action, form in forms.items():
        answer = driver.client.post(action, data=dict(form.fields) | {"numero": "1"} | harm, follow_redirects=True)
        assert answer.status_code < 500
        assert "<script>" not in answer.text.replace("<script type", "").replace("<script src", "")
    assert "0 montés" in driver.go(BOARD).page.text


def test_cards_are_listed_blocked_replaced_and_settled(site):
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/bureau/cartes?annee=2026")
    assert "2 élèves" in clerk.page.text
    (card, _other) = (link for link in clerk.links if link.startswith("/scolaire/bureau/cartes/"))
    clerk.go(card).send(f"{card}/etat", etat="blocked", motif="")
    assert clerk.page.status_code == 400
    clerk.go(card).send(f"{card}/etat", etat="blocked", motif="prêtée à un autre")
    assert "bloquée" in clerk.page.text
    clerk.send(f"{card}/duplicata", gratuit="")
    new = clerk.page.url.path
    assert new != card
    assert "15" in clerk.page.text
    clerk.send(f"{new}/prix", reference="", remise="theft")
    assert "gratuit" in clerk.page.text
    assert clerk.go("/scolaire/bureau/cartes?annee=2026&etat=due").page.status_code == 200
    clerk.send("/scolaire/bureau/cartes/commander")
    clerk.send("/scolaire/bureau/cartes/envoyer")
    assert "envoyées" in clerk.page.text
    mayor = site.visitor().sign_in(MAYOR)
    assert "0 élève" in mayor.go("/scolaire/communes/cartes?annee=2026").page.text
    assert mayor.go(card.replace("bureau", "communes")).page.status_code == 404
    assert mayor.go(card).page.status_code == 403


def test_fill_control_is_read_with_a_chart_and_its_table(site):
    for days in (0, 1, 3, 4, 7):
        site.clock.now = MORNING + timedelta(days=days)
        asked = ASKED | {"jour": f"{site.clock.now:%Y-%m-%d}"}
        driver = site.visitor().sign_in(DRIVER)
        driver.go("/exploitant/car?" + urlencode(asked | {"halte": "0"})).send("/exploitant/car/monter", e0="oui")
    pages = {
        PLANNER: "/scolaire/remplissage",
        OFFICE: "/scolaire/bureau/remplissage",
        MAYOR: "/scolaire/communes/remplissage",
    }
    asked = "?annee=2026&du=2026-11-23&au=2026-11-30"
    told = {who: site.visitor().sign_in(who).go(path + asked) for who, path in pages.items()}
    assert "<svg" in told[PLANNER].page.text
    assert "Par circuit" in told[PLANNER].page.text
    assert [">p2<" in told[who].page.text for who in (OFFICE, PLANNER)] == [True, False]
    assert told[OFFICE].go(pages[OFFICE] + "?annee=2026&du=2026-11-30&au=2026-11-23").page.status_code == 400
    assert told[PLANNER].go(pages[PLANNER] + "?annee=2026&du=hier").page.status_code == 400
    assert "0" in told[MAYOR].page.text
