"""Carriers' months and messages to families on pages: told, prepared by one, approved by another, sent with proof."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import contracting, costing, messaging, stating
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.store.scolaire.contracts import get_values
from scolaire.contracts.orders import Breach, Extra
from scolaire.contracts.statements import Facts
from tests.oracles import school_contracts as oracle
from tests.worlds.accounts import NOON
from tests.worlds.paper import read_paper
from tests.worlds.school_office import CARRIER, CIRCUIT, CONTRACT, OF_LOT_A, RUN, under_contract
from tests.worlds.visiting import place

OFFICE, MONEY, DRIVER = "claude@exemple.test", "dominique@exemple.test", "dora@exemple.test"
DECEMBER = datetime(2026, 12, 2, 12, tzinfo=UTC)
OCTOBER, NOVEMBER = (f"/scolaire/contrats/{CONTRACT}/2026-{month}" for month in (10, 11))
MISSED = {"jour": "2026-11-16", "course": f"{CIRCUIT}|{RUN}", "cause": "breakdown", "motif": "radiateur percé"}


@pytest.fixture
def site(sample, tmp_path):
    with place(sample, tmp_path) as site:
        yield site


@pytest.fixture
def office(site):
    people = site.people
    people.add("Claude Petit", OFFICE, roles=[Role.SCHOOL_OFFICE])
    people.add("Dominique Roux", MONEY, roles=[Role.FINANCE_APPROVER])
    carrier = people.add("Dora Car", DRIVER, roles=[Role.SCHOOL_CARRIER])
    under_contract(people.engine, people.keys, "person:import", NOON)
    stating.prepare_month(people.engine, people.keys, CONTRACT, "2026-09", "person:a", NOON)
    stating.approve_month(people.engine, people.keys, CONTRACT, "2026-09", "person:b", NOON)
    contracting.give_carrier(people.engine, carrier.reference, CARRIER, "person:import", NOON)
    return people


def test_a_month_is_read_prepared_and_approved_by_another(site, office):
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/contrats")
    assert OCTOBER in clerk.links
    told = clerk.go(OCTOBER).page.text
    for words in ("Cars du Haut-Doubs", "1,037", "kilomètres", "complément au minimum", CIRCUIT):
        assert words in told
    clerk.send(f"{OCTOBER}/preparer")
    assert "une autre personne peut l’approuver" in clerk.page.text
    assert f"{OCTOBER}/approuver" not in [form.action for form in clerk.forms()]
    other = site.visitor().sign_in(MONEY).go(OCTOBER).send(f"{OCTOBER}/approuver")
    assert "inscrit dans les livres" in other.page.text
    assert not [form for form in other.go(OCTOBER).forms() if form.action.startswith(OCTOBER)]


def test_a_month_that_is_not_over_is_read_and_not_prepared(site, office):
    clerk = site.visitor().sign_in(OFFICE).go(NOVEMBER).send(f"{NOVEMBER}/preparer")
    assert clerk.page.status_code == 409
    assert "n’est pas fini" in clerk.page.text


def test_after_the_end_of_a_contract_a_month_is_listed_only_to_put_right_what_was_told_later(site, office):
    ends = OF_LOT_A.replace(b"2029-08-31", b"2026-10-31").replace(b"2025-09-01", b"2026-10-01")
    contracting.import_contract(office.engine, ends, "person:import", NOON)
    stating.prepare_month(office.engine, office.keys, CONTRACT, "2026-10", "person:a", NOON)
    stating.approve_month(office.engine, office.keys, CONTRACT, "2026-10", "person:b", NOON)
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/contrats")
    assert OCTOBER in clerk.links
    assert NOVEMBER not in clerk.links
    clerk.go(f"{OCTOBER}/course").send(f"{OCTOBER}/course", **MISSED | {"jour": "2026-10-05"})
    assert "radiateur percé" in clerk.page.text
    site.clock.now = DECEMBER
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/contrats")
    assert NOVEMBER in clerk.links
    assert "fin du contrat\N{NO-BREAK SPACE}: à régulariser" in clerk.page.text
    clerk.go(NOVEMBER)
    for words in ("octobre 2026", "-207,40"):
        assert words in clerk.page.text.replace("\N{MINUS SIGN}", "-")
    clerk.send(f"{NOVEMBER}/preparer")
    other = site.visitor().sign_in(MONEY).go(NOVEMBER).send(f"{NOVEMBER}/approuver")
    assert "inscrit dans les livres" in other.page.text
    assert "à régulariser" not in other.go("/scolaire/contrats").page.text


def test_a_run_that_did_not_take_place_is_told_and_taken_back(site, office):
    clerk = site.visitor().sign_in(OFFICE).go(f"{NOVEMBER}/course").send(f"{NOVEMBER}/course", **MISSED)
    assert "radiateur percé" in clerk.page.text
    again = clerk.go(f"{NOVEMBER}/course").send(f"{NOVEMBER}/course", **MISSED)
    assert again.page.status_code == 409
    assert "déjà notée" in again.page.text
    (back,) = (link for link in clerk.go(NOVEMBER).links if "/note/" in link)
    clerk.go(back).send(back, motif="elle a roulé")
    assert "elle a roulé" in clerk.page.text


BREACH = {"jour": "2026-11-16", "course": CIRCUIT, "penalite": "late", "fois": "2", "motif": "vu à la gare"}
EXTRA = {
    "jour": "2026-11-19", "reference": "BC-1", "lot": "A", "vehicule": "car22", "distance": "42,5", "duree": "90",
    "journee": "oui", "motif": "piscine",
}  # fmt: skip


def test_breaches_and_services_besides_are_told_once_and_stated_to_the_cent(site, office):
    clerk = site.visitor().sign_in(OFFICE)
    for page, told in (("manquement", BREACH), ("supplement", EXTRA)):
        form = clerk.go(f"{NOVEMBER}/{page}").form(f"{NOVEMBER}/{page}").fields
        for _ in range(2):  # the button is pressed twice
            clerk.go(f"{NOVEMBER}/{page}").send(f"{NOVEMBER}/{page}", **told, cle=form["cle"])
            assert "au décompte du mois" in clerk.page.text
    for words in ("vu à la gare", "Service supplémentaire, lot A", "BC-1", "Retard de plus de 15 minutes"):
        assert words in clerk.page.text
    engine, keys = office.engine, office.keys
    found = stating.get_month(engine, keys, CONTRACT, "2026-11")
    with reading(engine) as session:
        orders = contracting.list_orders(session, keys, date(2026, 11, 30))
        values = get_values(session)
    extra = Extra(date(2026, 11, 19), "BC-1", "A", "car22", 42_500, 5_400, has_day=True)
    facts = Facts(orders, (), [Breach(date(2026, 11, 16), CIRCUIT, "late", 2)], [extra])
    now = found.now
    twin = oracle.statement(found.contract, "2026-11", facts, values)
    assert (now.net_cents, now.vat_cents, now.penalty_cents, now.due_cents) == twin
    assert now.penalty_cents == 2 * 4_550
    with reading(engine) as session:
        actions = [one.line.action for one in list_lines(session, AuditFilter(), limit=2)]
    assert actions == ["school.extra_ordered", "school.breach_told"]


WRONG = (
    ("manquement", {"jour": "31/02/2027"}, "n’est pas un jour"),
    ("manquement", {"jour": "1900-01-01"}, "trop loin"),
    ("manquement", {"fois": "-3"}, "nombre de fois entre 1 et 100"),
    ("manquement", {"fois": "0"}, "nombre de fois entre 1 et 100"),
    ("manquement", {"penalite": "x"}, "ne connaît pas la pénalité"),
    ("manquement", {"course": "haut-doubs/C9"}, "n’est pas prévue"),
    ("manquement", {"motif": "x" * 10_000}, "300"),
    ("supplement", {"distance": "-5"}, "sans signe moins"),
    ("supplement", {"distance": "", "duree": "", "journee": ""}, "Donnez une distance"),
    ("supplement", {"duree": "9999"}, "1 440 minutes"),
    ("supplement", {"reference": "x" * 10_000}, "64 lettres"),
    ("supplement", {"lot": "Z"}, "lot Z"),
    ("supplement", {"motif": " "}, "Dites pourquoi"),
)


def test_what_cannot_be_told_is_refused_in_a_sentence(site, office):
    clerk = site.visitor().sign_in(OFFICE)
    for page, wrong, said in WRONG:
        path = f"{NOVEMBER}/{page}"
        clerk.go(path).send(path, **((BREACH if page == "manquement" else EXTRA) | wrong))
        assert (clerk.page.status_code in (400, 404), said in " ".join(clerk.refusals)) == (True, True), wrong


def test_costs_are_seen_six_ways_drawn_and_taken_away(site, office):
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/contrats")
    assert "/scolaire/couts" in clerk.links
    total = costing.count_costs(office.engine, office.keys, ["2026-09", "2026-10", "2026-11"]).costs.total.cents
    for way, word in (("circuit", CIRCUIT), ("lot", "A"), ("contrat", "Lot 7"), ("mois", "octobre 2026")):
        page = clerk.go(f"/scolaire/couts?annee=2026&par={way}").page.text
        assert ("<svg" in page, word in page, "Coût moyen d’un élève" in page) == (True, True, True)
        rows = clerk.go(f"/scolaire/couts/fichier.csv?annee=2026&par={way}").page.text.splitlines()
        assert rows[0] == "objet,eleves,euros,euros_par_eleve"
        assert sum(round(100 * float(row.split(",")[-2])) for row in rows[1:]) == total
    assert clerk.go("/scolaire/couts?annee=1900&par=x").page.status_code == 400
    assert "Rien n’est compté" in clerk.go("/scolaire/couts?annee=2025").page.text
    assert site.visitor().sign_in(DRIVER).go("/scolaire/couts").page.status_code == 403


def test_an_invoice_is_held_against_the_month(site, office):
    clerk = site.visitor().sign_in(OFFICE).go(f"{OCTOBER}/facture")
    clerk.send(f"{OCTOBER}/facture", facture="circuit_id,kind,amount_euros\n" + f"{CIRCUIT},jours,9999")
    assert "n’est pas celle du décompte" in clerk.page.text
    assert "Ligne 2" in clerk.page.text


def test_a_carrier_sees_its_runs_and_tells_what_did_not_run(site, office):
    driver = site.visitor().sign_in(DRIVER).go("/exploitant?jour=2026-11-16")
    assert RUN in driver.page.text
    driver.go("/exploitant/course?jour=2026-11-16").send("/exploitant/course", **MISSED)
    assert "notée non effectuée" in driver.page.text
    assert driver.go("/scolaire/contrats").page.status_code == 403
    assert driver.go("/exploitant?jour=demain").page.status_code == 400
    stranger = site.visitor()
    office.add("Eve Car", "eve@exemple.test", roles=[Role.SCHOOL_CARRIER])
    assert RUN not in stranger.sign_in("eve@exemple.test").go("/exploitant?jour=2026-11-16").page.text


def test_a_message_is_looked_at_sent_once_and_proved(site, office):
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/messages")
    written = {"secteur": "2026-haut-doubs", "jour": "2026-11-23", "sujet": "delay", "texte": "20 minutes de retard"}
    clerk.send("/scolaire/messages/ecrire", **written)
    assert "2 élèves sont concernés" in clerk.page.text
    assert "Schülerverkehr" in clerk.page.text
    clerk.send("/scolaire/messages/ecrire")
    assert "Preuve des envois" in clerk.page.text
    path = str(clerk.page.url.path)
    clerk.send(f"{path}/courriers")
    assert "p1" in clerk.page.text
    printed = clerk.go(path).send(f"{path}/courriers/imprimer").page
    assert (printed.headers["content-type"], printed.headers["cache-control"]) == ("application/pdf", "no-store")
    assert len(read_paper(printed.content).pages) == 2
    for wrong, field in (({"jour": "2026-11-22"}, "jour"), ({"sauf": "9"}, "sauf"), ({"sauf": "un"}, "sauf")):
        refused = clerk.go(path).send(f"{path}/postes", **wrong)
        assert refused.page.status_code == 400
        assert f'href="#{field}"' in refused.page.text
    clerk.go(path).send(f"{path}/postes", jour="2026-11-21", sauf="2")
    assert "notés comme postés" in clerk.page.text
    assert clerk.page.text.count("posté le samedi") == 1
    clerk.go(path).send(f"{path}/postes")
    assert clerk.go(path).page.text.count("posté le samedi") == 2
    assert not [form for form in clerk.forms() if form.action.startswith(path)]
    assert path in clerk.go("/scolaire/messages").links
    wrong = clerk.go("/scolaire/messages").send("/scolaire/messages/ecrire", **written | {"circuits": "C9"})
    assert wrong.page.status_code == 400
    assert "C9" in wrong.page.text


def test_stops_are_looked_up_written_by_name_and_told_by_name(site, office):
    clerk = site.visitor().sign_in(OFFICE).go("/scolaire/messages/arrets")
    for word in ("Mairie", "s1", "C001"):
        assert word in clerk.page.text
    written = {"secteur": "2026-haut-doubs", "jour": "2026-11-23", "sujet": "delay", "arrets": "mairie"}
    clerk.go("/scolaire/messages").send("/scolaire/messages/ecrire", **written, texte="20 minutes")
    assert "1 élève est concerné" in clerk.page.text
    clerk.send("/scolaire/messages/ecrire")
    assert "tous les circuits · Mairie" in clerk.page.text
    wrong = clerk.go("/scolaire/messages").send("/scolaire/messages/ecrire", **written | {"arrets": "Gare"}, texte="x")
    assert (wrong.page.status_code, "Gare" in wrong.page.text) == (400, True)


def test_anybody_chooses_the_language_of_their_letters(site, office):
    family = office.add("Camille Durand", "camille@exemple.test")
    visitor = site.visitor().sign_in("camille@exemple.test").go("/scolaire/alertes")
    assert "Aucune alerte" in visitor.page.text
    visitor.send("/scolaire/alertes", langue="de")
    assert "Votre choix est enregistré" in visitor.page.text
    assert messaging.find_language(office.engine, family.pseudonym) == "de"
    assert visitor.go("/scolaire/messages").page.status_code == 403
